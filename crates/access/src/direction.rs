//! What one set of statements allows that another does not.
//!
//! Only differences can be a cause: allowing statements that the other side's same layer lacks, and denying ones that
//! went away. Each cause guides searches of its own, over the listed actions that it matches, by classes of actions
//! that the same statements match, and then over names that are not listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bits::Bits;
use crate::condition::Model;
use crate::search::{Outcome, Question};
use crate::side::Side;
use crate::tables::{ActionsId, ConditionId, Part, PatternId, PatternSet, Reading, StatementId, Tables};

/// How much to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// Whether anything is gained for certain.
    First,
    /// Everything, each cause and kind of resource with an example.
    All,
}

/// Something that is gained.
#[derive(Debug, Clone)]
pub(crate) struct Gain {
    /// The allowing statement that came, or the denying one that went.
    pub(crate) cause: StatementId,
    pub(crate) is_deny: bool,
    pub(crate) actions: GainedActions,
    /// The pattern of the cause that the resource matches; `None` where it is what no pattern matches.
    pub(crate) resource: Option<PatternId>,
    /// The action, resource and context of an example.
    pub(crate) example: Example,
}

/// Of which actions something is gained.
#[derive(Debug, Clone)]
pub(crate) enum GainedActions {
    /// These of the list.
    Listed(Arc<Bits>),
    /// Names that a pattern matches and the list lacks.
    Unlisted(PatternId),
}

/// A request, its action as a text.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) model: Model,
    /// What was asked, for a search for a better example.
    pub(crate) question: Question,
}

/// All that one side allows and the other does not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Direction {
    pub(crate) gains: Vec<Gain>,
    /// Where a search had to stop.
    pub(crate) undecided: BTreeSet<String>,
}

impl Direction {
    pub(crate) fn is_certain(&self) -> bool {
        self.gains.iter().any(|gain| gain.example.model.is_certain)
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.gains.is_empty() && self.undecided.is_empty()
    }
}

/// Statements, each as its actions and the rest.
pub(super) type Parts = Arc<Vec<(ActionsId, Part)>>;

/// A statement that may let something be gained, and what it is looked at against.
pub(super) struct Cause {
    pub(super) statement: StatementId,
    pub(super) is_deny: bool,
    pub(super) actions: ActionsId,
    pub(super) part: Part,
    /// Statements none of which may match.
    pub(super) avoided: Parts,
    /// Of each of these lists some statement must match.
    pub(super) needed: Arc<Vec<Parts>>,
    /// The patterns of its actions that no avoided statement covers by itself; none for a `NotAction`.
    pub(super) open: Vec<PatternId>,
}

/// What is gained by one cause at one resource.
pub(crate) type PartGain = (Option<PatternId>, Question, Arc<Outcome>);

/// Actions that everybody knows, for examples of classes that hold them.
pub(crate) const TELLING: [&str; 5] = [
    "iam:createuser",
    "s3:getobject",
    "s3:putobject",
    "ec2:runinstances",
    "ec2:describeinstances",
];

/// How many combinations of statements of several layers are tried.
const COMBINATIONS: usize = 20_000;

pub(crate) struct Finder<'t, 'd> {
    pub(super) tables: &'t mut Tables<'d>,
    reading: Reading,
    pub(super) depth: Depth,
    pub(super) direction: Direction,
}

/// What `after` allows and `before` does not.
pub(crate) fn direction(
    tables: &mut Tables<'_>,
    after: &Side,
    before: &Side,
    reading: Reading,
    depth: Depth,
) -> Direction {
    let mut finder = Finder {
        tables,
        reading,
        depth,
        direction: Direction::default(),
    };
    finder.run(after, before);
    finder.direction
}

/// A set of one pattern.
pub(crate) fn single(pattern: PatternId) -> PatternSet {
    PatternSet {
        is_complement: false,
        patterns: vec![pattern],
    }
}

impl<'t, 'd> Finder<'t, 'd> {
    /// A finder for questions about one set of statements.
    pub(crate) fn over(tables: &'t mut Tables<'d>) -> Self {
        Self {
            tables,
            reading: Reading::ByField,
            depth: Depth::First,
            direction: Direction::default(),
        }
    }
}

impl Finder<'_, '_> {
    fn run(&mut self, after: &Side, before: &Side) {
        let causes = self.causes(after, before);
        // Most differences show at the first action that is looked at.
        if self.depth == Depth::First {
            for cause in &causes {
                self.probe(cause);
                if self.direction.is_certain() {
                    return;
                }
            }
        }
        for cause in &causes {
            self.listed(cause);
            if self.is_done() {
                return;
            }
        }
        for cause in &causes {
            self.unlisted(cause);
            if self.is_done() {
                return;
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.depth == Depth::First && self.direction.is_certain()
    }

    fn causes(&mut self, after: &Side, before: &Side) -> Vec<Cause> {
        let reading = self.reading;
        let everything = self.everything();
        let count = after.layers.len().max(before.layers.len());
        let layer = |side: &Side, index: usize| match side.layers.get(index) {
            Some(layer) => layer.clone(),
            // Without a boundary nothing is withheld.
            None => BTreeSet::from([everything]),
        };
        let after_layers: Vec<BTreeSet<StatementId>> = (0..count).map(|index| layer(after, index)).collect();
        let before_layers: Vec<BTreeSet<StatementId>> = (0..count).map(|index| layer(before, index)).collect();
        let parts = |tables: &Tables<'_>, ids: Vec<&BTreeSet<StatementId>>| -> Parts {
            let statements = ids.into_iter().flatten().map(|id| tables.get_statement(*id));
            Arc::new(
                statements
                    .map(|statement| (statement.actions, statement.part(reading)))
                    .collect(),
            )
        };
        let mut causes = Vec::new();
        for index in 0..count {
            let new: Vec<StatementId> = after_layers[index].difference(&before_layers[index]).copied().collect();
            if new.is_empty() {
                continue;
            }
            let avoided = parts(self.tables, vec![&before_layers[index], &after.denies]);
            let others = (0..count).filter(|other| *other != index);
            let needed = Arc::new(
                others
                    .map(|other| parts(self.tables, vec![&after_layers[other]]))
                    .collect(),
            );
            for statement in new {
                causes.extend(self.cause(statement, false, &avoided, &needed));
            }
        }
        let gone: Vec<StatementId> = before.denies.difference(&after.denies).copied().collect();
        if !gone.is_empty() {
            let avoided = parts(self.tables, vec![&after.denies]);
            let needed = Arc::new(
                after_layers
                    .iter()
                    .map(|layer| parts(self.tables, vec![layer]))
                    .collect(),
            );
            for statement in gone {
                causes.extend(self.cause(statement, true, &avoided, &needed));
            }
        }
        causes
    }

    pub(crate) fn everything(&mut self) -> StatementId {
        let actions = self.tables.actions(single(Tables::EVERYTHING));
        let resources = self.tables.resources(single(Tables::EVERYTHING));
        self.tables.statement(crate::tables::Compiled {
            actions,
            by_field: resources,
            plain: resources,
            condition: Tables::ALWAYS,
        })
    }

    /// `None` where other statements cover all of it, one by one.
    fn cause(&mut self, id: StatementId, is_deny: bool, avoided: &Parts, needed: &Arc<Vec<Parts>>) -> Option<Cause> {
        let statement = self.tables.get_statement(id);
        let part = statement.part(self.reading);
        let covering: Vec<ActionsId> = avoided
            .iter()
            .filter(|(_, other)| {
                self.tables.resources_cover(other.resources, part.resources)
                    && self.tables.is_implied(other.condition, &[part.condition])
            })
            .map(|(actions, _)| *actions)
            .collect();
        let set = self.tables.get_actions(statement.actions).clone();
        let mut open = Vec::new();
        if set.is_complement {
            if covering.iter().any(|outer| self.covers_complement(*outer, &set)) {
                return None;
            }
        } else {
            open.clone_from(&set.patterns);
            open.retain(|pattern| !covering.iter().any(|outer| self.actions_cover(*outer, *pattern)));
            if open.is_empty() {
                return None;
            }
        }
        Some(Cause {
            statement: id,
            is_deny,
            actions: statement.actions,
            part,
            avoided: avoided.clone(),
            needed: needed.clone(),
            open,
        })
    }

    fn covers_complement(&self, outer: ActionsId, inner: &PatternSet) -> bool {
        let outer = self.tables.get_actions(outer);
        if !outer.is_complement {
            return outer.patterns.contains(&Tables::EVERYTHING);
        }
        let mut out = outer.patterns.iter();
        out.all(|out| inner.patterns.iter().any(|own| self.tables.pattern_covers(*own, *out)))
    }

    /// Whether a set has every action that a pattern matches; `false` may be wrong.
    pub(super) fn actions_cover(&mut self, outer: ActionsId, pattern: PatternId) -> bool {
        let set = self.tables.get_actions(outer).clone();
        if set.is_complement {
            return set
                .patterns
                .iter()
                .all(|out| self.tables.patterns_are_apart(*out, pattern));
        }
        if set.patterns.binary_search(&pattern).is_ok() {
            return true;
        }
        let listed = self.tables.bits_of_pattern(pattern);
        listed.is_subset(&self.tables.bits_of(outer))
            && set.patterns.iter().any(|own| self.tables.pattern_covers(*own, pattern))
    }

    /// The listed actions of a cause that are not settled yet.
    fn open_actions(&mut self, cause: &Cause) -> Bits {
        if cause.open.is_empty() {
            return (*self.tables.bits_of(cause.actions)).clone();
        }
        let mut bits = Bits::new(self.tables.data.actions().len());
        for pattern in &cause.open {
            bits.unite(&self.tables.bits_of_pattern(*pattern));
        }
        bits
    }

    /// The statements of lists that match a listed action.
    fn matching(&mut self, list: &[(ActionsId, Part)], action: usize) -> Vec<Part> {
        let tables = &mut *self.tables;
        let matching = list
            .iter()
            .filter(|(actions, _)| tables.bits_of(*actions).contains(action));
        let mut parts: Vec<Part> = matching.map(|(_, part)| *part).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    fn at_listed(&mut self, cause: &Cause, action: usize) -> Vec<PartGain> {
        let avoided = self.matching(&cause.avoided, action);
        let needed: Vec<Vec<Part>> = cause.needed.iter().map(|layer| self.matching(layer, action)).collect();
        self.gains(cause.part, &avoided, &needed)
    }

    fn probe(&mut self, cause: &Cause) {
        let open = self.open_actions(cause);
        let count = open.len();
        let tried: Vec<usize> = open.iter().step_by((count / 2).max(1)).take(3).collect();
        for action in tried {
            let gains = self.at_listed(cause, action);
            let mut one = Bits::new(self.tables.data.actions().len());
            one.insert(action);
            self.add(
                cause,
                &GainedActions::Listed(Arc::new(one)),
                &self.name_of(action),
                gains,
            );
            if self.direction.is_certain() {
                return;
            }
            // A full search comes later and says it again.
            self.direction = Direction::default();
        }
    }

    fn name_of(&self, action: usize) -> String {
        self.tables.data.actions()[action].name.clone()
    }

    fn listed(&mut self, cause: &Cause) {
        let open = self.open_actions(cause);
        if open.is_empty() {
            return;
        }
        for class in self.classes(cause, open) {
            let Some(action) = self.telling(&class) else { continue };
            let gains = self.at_listed(cause, action);
            if !gains.is_empty() {
                let name = self.name_of(action);
                self.add(cause, &GainedActions::Listed(Arc::new(class)), &name, gains);
            }
            if self.is_done() {
                return;
            }
        }
    }

    /// The action of a class that says most to a reader; what is true of one is true of all.
    fn telling(&self, class: &Bits) -> Option<usize> {
        let known = TELLING.iter().filter_map(|name| self.tables.data.index_of(name));
        known
            .into_iter()
            .find(|action| class.contains(*action))
            .or_else(|| class.first())
    }

    /// Sets of actions that the same statements match.
    fn classes(&mut self, cause: &Cause, open: Bits) -> Vec<Bits> {
        let lists = std::iter::once(&cause.avoided).chain(cause.needed.iter());
        let sets: BTreeSet<ActionsId> = lists
            .flat_map(|list| list.iter())
            .map(|(actions, _)| *actions)
            .collect();
        let mut classes = vec![open];
        for set in sets {
            let bits = self.tables.bits_of(set);
            let mut split = Vec::new();
            for class in &mut classes {
                let mut inside = class.clone();
                inside.intersect(&bits);
                if !inside.is_empty() && inside != *class {
                    class.subtract(&inside);
                    split.push(inside);
                }
            }
            classes.append(&mut split);
        }
        classes.sort_unstable_by_key(Bits::first);
        classes
    }

    pub(super) fn add(&mut self, cause: &Cause, actions: &GainedActions, name: &str, gains: Vec<PartGain>) {
        for (resource, question, outcome) in gains {
            match &*outcome {
                Outcome::Nothing => {}
                Outcome::Undecided => {
                    let text = format!("the search for {name} had to stop at its limit");
                    self.direction.undecided.insert(text);
                }
                Outcome::Found { resource: text, model } => self.direction.gains.push(Gain {
                    cause: cause.statement,
                    is_deny: cause.is_deny,
                    actions: actions.clone(),
                    resource,
                    example: Example {
                        action: name.to_owned(),
                        resource: text.clone(),
                        model: model.clone(),
                        question,
                    },
                }),
            }
        }
    }

    /// What is gained of actions that these parts match, beside the cause's own: for each pattern of its resources.
    pub(crate) fn gains(&mut self, part: Part, avoided: &[Part], needed: &[Vec<Part>]) -> Vec<PartGain> {
        let set = self.tables.get_resources(part.resources).clone();
        let guides: Vec<Option<PatternId>> = match set.is_complement {
            true => vec![None],
            false => set.patterns.iter().map(|pattern| Some(*pattern)).collect(),
        };
        let mut gains = Vec::new();
        for guide in guides {
            let mut avoided = avoided.to_vec();
            if guide.is_none() {
                avoided.extend(self.alone(&set.patterns));
            }
            if let Some((question, outcome)) = self.gain(guide, part.condition, avoided, needed) {
                let is_certain = matches!(&*outcome, Outcome::Found { model, .. } if model.is_certain);
                gains.push((guide, question, outcome));
                if is_certain && self.depth == Depth::First {
                    break;
                }
            }
        }
        gains
    }

    /// Patterns as parts without condition.
    fn alone(&mut self, patterns: &[PatternId]) -> Vec<Part> {
        let alone = |pattern: &PatternId| Part {
            resources: self.tables.resources(single(*pattern)),
            condition: Tables::ALWAYS,
        };
        patterns.iter().map(alone).collect()
    }

    /// What is gained within one pattern of resources: the surest of what all combinations of other layers give.
    fn gain(
        &mut self,
        guide: Option<PatternId>,
        condition: ConditionId,
        avoided: Vec<Part>,
        needed: &[Vec<Part>],
    ) -> Option<(Question, Arc<Outcome>)> {
        let pattern = guide.unwrap_or(Tables::EVERYTHING);
        let mut questions = vec![Question {
            guides: vec![pattern],
            conditions: vec![condition],
            avoided,
        }];
        for layer in needed {
            let granting = layer.iter().find(|part| {
                self.tables.resources_cover_pattern(part.resources, pattern)
                    && self.tables.is_implied(part.condition, &[condition])
            });
            if let Some(part) = granting {
                // It follows anyway, but an example has to show it.
                questions
                    .iter_mut()
                    .for_each(|question| question.conditions.push(part.condition));
                continue;
            }
            let mut next = Vec::new();
            for part in layer {
                let set = self.tables.get_resources(part.resources).clone();
                let extra = if set.is_complement {
                    self.alone(&set.patterns)
                } else {
                    Vec::new()
                };
                for question in &questions {
                    let mut with = question.clone();
                    with.conditions.push(part.condition);
                    with.avoided.extend(&extra);
                    if set.is_complement {
                        next.push(with);
                        continue;
                    }
                    for own in &set.patterns {
                        if !self.tables.patterns_are_apart(*own, pattern) {
                            let mut with = with.clone();
                            with.guides.push(*own);
                            next.push(with);
                        }
                    }
                }
                if next.len() > COMBINATIONS {
                    return Some((questions.swap_remove(0), Arc::new(Outcome::Undecided)));
                }
            }
            questions = next;
        }
        let mut best: Option<(Question, Arc<Outcome>)> = None;
        for question in questions {
            let outcome = self.tables.search(question.clone());
            match &*outcome {
                Outcome::Nothing => {}
                Outcome::Found { model, .. } if model.is_certain => return Some((question, outcome)),
                Outcome::Found { .. } => {
                    if best.is_none() {
                        best = Some((question, outcome));
                    }
                }
                Outcome::Undecided => best = Some((question, outcome)),
            }
        }
        best
    }
}
