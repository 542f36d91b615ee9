//! The engine: holdings in, verdicts and findings out.

use std::collections::BTreeSet;

use trueup_model::PolicyDocument;

use crate::comparison::{Actions, Cause, Certainty, Comparison, Context, Finding, Judgement, ListedActions, Verdict};
use crate::condition::{Compilation, Model, Wildcards};
use crate::data::IamData;
use crate::direction::{Depth, Direction, Example, Finder, Gain, GainedActions, direction, single};
use crate::holdings::{Holdings, PrincipalFacts, Request};
use crate::side::{Documents, Side, action_pattern, resource_set};
use crate::tables::{Compiled, Reading, Tables};

/// Compares what principals may do. What it finds out about statements it keeps, so that principals who share policies
/// share the work; one engine serves a whole account.
#[derive(Debug)]
pub struct Engine<'d> {
    pub(crate) tables: Tables<'d>,
    pub(crate) documents: Documents,
}

/// How much is known about one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    Something,
    Unclear,
}

const READINGS_DIFFER: &str = "wildcards in the first five fields of an ARN are taken not to match `:`";

impl<'d> Engine<'d> {
    /// An engine with action data.
    pub fn new(data: &'d IamData) -> Self {
        Self {
            tables: Tables::new(data),
            documents: Documents::default(),
        }
    }

    /// The action data.
    pub fn data(&self) -> &'d IamData {
        self.tables.data
    }

    /// What changes from one to the other, with an example of every kind.
    pub fn compare(&mut self, before: &Holdings, after: &Holdings) -> Comparison {
        let (old, new) = self.sides(before, after);
        let mut assumptions = BTreeSet::new();
        let (gained, gained_known) = self.decided(&new, &old, Depth::All, &mut assumptions);
        let (lost, lost_known) = self.decided(&old, &new, Depth::All, &mut assumptions);
        let mut unknown = self.causes_of_doubt(&gained, gained_known, "newly allowed");
        unknown.extend(self.causes_of_doubt(&lost, lost_known, "no longer allowed"));
        Comparison {
            verdict: verdict(gained_known, lost_known),
            gained: self.findings(&gained, (after, &new), (before, &old)),
            lost: self.findings(&lost, (before, &old), (after, &new)),
            unknown,
            assumptions: assumptions.into_iter().collect(),
        }
    }

    /// How one relates to the other, without all findings.
    pub fn verdict(&mut self, before: &Holdings, after: &Holdings) -> Judgement {
        let (old, new) = self.sides(before, after);
        self.judge(&old, before, &new, after)
    }

    fn judge(&mut self, old: &Side, before: &Holdings, new: &Side, after: &Holdings) -> Judgement {
        let mut assumptions = BTreeSet::new();
        let (gained, gained_known) = self.decided(new, old, Depth::First, &mut assumptions);
        let (lost, lost_known) = self.decided(old, new, Depth::First, &mut assumptions);
        let mut unknown = self.causes_of_doubt(&gained, gained_known, "newly allowed");
        unknown.extend(self.causes_of_doubt(&lost, lost_known, "no longer allowed"));
        let example = |engine: &mut Self, direction: &Direction, facts: &PrincipalFacts| {
            let gain = direction.gains.iter().find(|gain| gain.example.model.is_certain)?;
            Some(engine.request(gain, facts).0)
        };
        Judgement {
            verdict: verdict(gained_known, lost_known),
            gained: example(self, &gained, &after.facts),
            lost: example(self, &lost, &before.facts),
            unknown,
            assumptions: assumptions.into_iter().collect(),
        }
    }

    /// Compares two documents by themselves, without anything that is known about a principal.
    pub fn compare_documents(&mut self, before: &PolicyDocument, after: &PolicyDocument) -> Comparison {
        let before = Holdings::of_document("before", before.clone());
        let after = Holdings::of_document("after", after.clone());
        self.compare(&before, &after)
    }

    /// How many distinct patterns and statements were seen.
    pub fn size(&self) -> (usize, usize) {
        self.tables.size()
    }

    fn sides(&mut self, before: &Holdings, after: &Holdings) -> (Side, Side) {
        let before = self.documents.side(&mut self.tables, before);
        let after = self.documents.side(&mut self.tables, after);
        (before, after)
    }

    /// What `after` allows and `before` does not, in the reading that fits AWS's own answers. Where that is nothing and
    /// the other reading does not agree, the reading is an assumption of the proof.
    fn decided(
        &mut self,
        after: &Side,
        before: &Side,
        depth: Depth,
        assumptions: &mut BTreeSet<&'static str>,
    ) -> (Direction, Known) {
        if after.layers == before.layers && after.denies == before.denies && after.unread_texts == before.unread_texts {
            return (Direction::default(), Known::Nothing);
        }
        let mut found = self.found(after, before, depth, assumptions);
        if after.unread_texts != before.unread_texts {
            found.undecided.extend(after.unread.union(&before.unread).cloned());
        } else if !after.unread.is_empty() {
            for (after, before) in self.as_if_unread_allows(after, before) {
                let more = self.found(&after, &before, depth, assumptions);
                found.gains.extend(more.gains);
                found.undecided.extend(more.undecided);
            }
            if !found.gains.is_empty() {
                found.undecided.extend(after.unread.iter().cloned());
            }
        }
        if !after.unread.is_empty() || !before.unread.is_empty() {
            // What is not read may deny, or have allowed, what seems to be gained.
            for gain in &mut found.gains {
                gain.example.model.is_certain = false;
            }
        }
        let known = if found.is_certain() {
            Known::Something
        } else if found.is_nothing() {
            Known::Nothing
        } else {
            Known::Unclear
        };
        (found, known)
    }

    fn found(
        &mut self,
        after: &Side,
        before: &Side,
        depth: Depth,
        assumptions: &mut BTreeSet<&'static str>,
    ) -> Direction {
        let found = direction(&mut self.tables, after, before, Reading::ByField, depth);
        if found.is_nothing() && self.is_sensitive(after, before) {
            let plain = direction(&mut self.tables, after, before, Reading::Plain, Depth::First);
            if !plain.is_nothing() {
                assumptions.insert(READINGS_DIFFER);
            }
        }
        found
    }

    /// The sides as they are for requests that what cannot be read, the same on both sides, allows: in every mixture of
    /// the layers that have such. A deny that goes away matters to those requests although nothing else allows them.
    fn as_if_unread_allows(&mut self, after: &Side, before: &Side) -> Vec<(Side, Side)> {
        let everything = Finder::over(&mut self.tables).everything();
        let layers: BTreeSet<usize> = after.unread_layers.union(&before.unread_layers).copied().collect();
        let layers: Vec<usize> = layers.into_iter().collect();
        let with = |side: &Side, chosen: usize| {
            let mut side = side.clone();
            for (bit, layer) in layers.iter().enumerate() {
                if chosen & (1 << bit) != 0
                    && let Some(statements) = side.layers.get_mut(*layer)
                {
                    statements.insert(everything);
                }
            }
            side
        };
        (1..1 << layers.len())
            .map(|chosen| (with(after, chosen), with(before, chosen)))
            .collect()
    }

    /// How one relates to the other as far as some requests go, given as pairs of an action and a resource, patterns
    /// both.
    pub fn verdict_on(&mut self, before: &Holdings, after: &Holdings, requests: &[(String, String)]) -> Judgement {
        let nobody = PrincipalFacts::nobody();
        let everything = Finder::over(&mut self.tables).everything();
        let mut only = BTreeSet::new();
        for (action, resource) in requests {
            let pattern = action_pattern(&mut self.tables, &action.to_ascii_lowercase());
            let mut compilation = Compilation {
                tables: &mut self.tables,
                facts: &nobody,
                has_variables: false,
            };
            let by_field = resource_set(&mut compilation, false, &[resource], Wildcards::ByField);
            let plain = resource_set(&mut compilation, false, &[resource], Wildcards::Plain);
            let actions = self.tables.actions(single(pattern));
            only.insert(self.tables.statement(Compiled {
                actions,
                by_field,
                plain,
                condition: Tables::ALWAYS,
            }));
        }
        let (mut old, mut new) = self.sides(before, after);
        for side in [&mut old, &mut new] {
            side.layers.resize(2, BTreeSet::from([everything]));
            side.layers.push(only.clone());
        }
        self.judge(&old, before, &new, after)
    }

    /// Whether the readings of ARNs differ for any statement.
    fn is_sensitive(&self, one: &Side, other: &Side) -> bool {
        let ids: BTreeSet<_> = one.places.keys().chain(other.places.keys()).collect();
        ids.into_iter().any(|id| {
            let statement = self.tables.get_statement(*id);
            statement.by_field != statement.plain
        })
    }

    fn causes_of_doubt(&self, direction: &Direction, known: Known, what: &str) -> Vec<String> {
        let mut causes: BTreeSet<String> = direction
            .undecided
            .iter()
            .map(|cause| format!("{what}: {cause}"))
            .collect();
        if known == Known::Unclear {
            for gain in &direction.gains {
                let assumed: Vec<String> = self.assumptions(&gain.example.model);
                causes.insert(format!(
                    "{} may be {what}, if {}",
                    gain.example.action,
                    assumed.join(" and ")
                ));
            }
        }
        causes.into_iter().collect()
    }

    fn assumptions(&self, model: &Model) -> Vec<String> {
        let mut assumed: Vec<String> = model
            .assumed
            .iter()
            .map(|literal| self.tables.describe(*literal))
            .collect();
        for (key, values) in &model.keys {
            if !values.is_certain {
                assumed.push(format!("`{}` can have such values", self.tables.get_key(*key)));
            }
        }
        if assumed.is_empty() {
            assumed.push("what cannot be read does not matter".to_owned());
        }
        assumed
    }

    /// What a direction found, as findings about those who have more and those who lack it.
    fn findings(
        &mut self,
        direction: &Direction,
        having: (&Holdings, &Side),
        lacking: (&Holdings, &Side),
    ) -> Vec<Finding> {
        direction
            .gains
            .iter()
            .map(|gain| self.finding(gain, having, lacking))
            .collect()
    }

    fn finding(&mut self, gain: &Gain, having: (&Holdings, &Side), lacking: (&Holdings, &Side)) -> Finding {
        let (holdings, side) = if gain.is_deny { lacking } else { having };
        let statements = self.statement_refs(holdings, side, &[gain.cause]);
        let (example, is_of_a_known_type) = self.request(gain, &having.0.facts);
        let statement = self.tables.get_statement(gain.cause);
        let literals = self.tables.get_condition(statement.condition);
        Finding {
            actions: match &gain.actions {
                GainedActions::Listed(bits) => Actions::Listed(ListedActions(bits.clone())),
                GainedActions::Unlisted(pattern) => Actions::Unlisted(self.tables.render(*pattern)),
            },
            resource: match gain.resource {
                Some(pattern) => self.tables.render(pattern),
                None => {
                    let set = self.tables.get_resources(statement.by_field);
                    let patterns: Vec<String> = set
                        .patterns
                        .iter()
                        .map(|pattern| self.tables.render(*pattern))
                        .collect();
                    format!("all but {}", patterns.join(", "))
                }
            },
            conditions: match gain.is_deny {
                true => Vec::new(),
                false => literals.iter().map(|literal| self.tables.describe(*literal)).collect(),
            },
            cause: match (statements.is_empty(), gain.is_deny) {
                (true, _) => Cause::NoBoundary,
                (false, true) => Cause::Deny(statements),
                (false, false) => Cause::Allow(statements),
            },
            certainty: match gain.example.model.is_certain {
                true => Certainty::Certain,
                false => Certainty::May(self.assumptions(&gain.example.model)),
            },
            example,
            is_of_a_known_type,
            found: gain.example.clone(),
        }
    }

    fn request(&mut self, gain: &Gain, facts: &PrincipalFacts) -> (Request, bool) {
        self.illustrated(&gain.example, facts)
    }

    /// A request that an example stands for, and whether its resource is of a type that the action has.
    pub(crate) fn illustrated(&mut self, example: &Example, facts: &PrincipalFacts) -> (Request, bool) {
        let (resource, model, is_of_a_known_type) = self.tables.illustrate(example, facts);
        let request = Request {
            action: example.action.clone(),
            resource,
            context: self.context_of(&model),
        };
        (request, is_of_a_known_type)
    }

    /// The keys of a model that a request must have.
    pub(crate) fn context_of(&self, model: &Model) -> Context {
        let present = model
            .keys
            .iter()
            .filter_map(|(key, model)| Some((*key, model.values.clone()?)));
        present
            .map(|(key, values)| (self.tables.get_key(key).to_owned(), values))
            .collect()
    }

    /// Whether every request is allowed: proved.
    pub(crate) fn allows_everything(&mut self, side: &Side) -> bool {
        let everything = Finder::over(&mut self.tables).everything();
        let mut all = Side::default();
        all.layers.push(BTreeSet::from([everything]));
        side.unread.is_empty() && direction(&mut self.tables, &all, side, Reading::ByField, Depth::First).is_nothing()
    }
}

fn verdict(gained: Known, lost: Known) -> Verdict {
    match (gained, lost) {
        (Known::Nothing, Known::Nothing) => Verdict::Same,
        (Known::Something, Known::Nothing) => Verdict::More,
        (Known::Nothing, Known::Something) => Verdict::Less,
        (Known::Something, Known::Something) => Verdict::Both,
        _ => Verdict::Unknown,
    }
}
