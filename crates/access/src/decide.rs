//! What happens to one request.

use std::fmt;

use serde::Serialize;

use crate::comparison::StatementRef;
use crate::condition::{Atom, Literal};
use crate::engine::Engine;
use crate::holdings::{Holdings, Request};
use crate::side::Side;
use crate::tables::{Compiled, PatternId, ResourcesId, StatementId, Tables};

/// What becomes of a request, as far as identity policies and the boundary say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is allowed.
    Allowed,
    /// A statement denies it.
    ExplicitlyDenied,
    /// No statement of the identity policies allows it.
    NotAllowed,
    /// The identity policies allow it and the boundary does not.
    OutsideBoundary,
    /// It depends on a condition that is not interpreted, or on a policy that cannot be read.
    Unknown,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "allowed",
            Self::ExplicitlyDenied => "denied by a statement",
            Self::NotAllowed => "not allowed by any statement",
            Self::OutsideBoundary => "not allowed by the boundary",
            Self::Unknown => "unknown",
        })
    }
}

/// What becomes of a request, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What becomes of it.
    pub effect: Effect,
    /// The statements that decide: those that deny, or else those that allow.
    pub statements: Vec<StatementRef>,
    /// What it depends on, where it is not known.
    pub unknown: Vec<String>,
}

/// Whether a statement matches a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Yes,
    No,
    Maybe,
}

/// A request with its texts ready for matching.
struct Asked<'r> {
    action: String,
    request: &'r Request,
}

impl Engine<'_> {
    /// Decides a request. Condition keys that are neither in its context nor known of the principal count as absent.
    pub fn decide(&mut self, holdings: &Holdings, request: &Request) -> Decision {
        let mut known = holdings.clone();
        known.facts = holdings.facts.at(&request.context);
        let side = self.documents.side(&mut self.tables, &known);
        let asked = Asked {
            action: request.action.to_ascii_lowercase(),
            request,
        };
        let mut doubts: Vec<Literal> = Vec::new();
        let mut matching = |ids: &mut dyn Iterator<Item = &StatementId>| -> (Vec<StatementId>, Vec<StatementId>) {
            let (mut sure, mut maybe) = (Vec::new(), Vec::new());
            for id in ids {
                match self
                    .tables
                    .statement_matches(self.tables.get_statement(*id), &asked, &mut doubts)
                {
                    Match::Yes => sure.push(*id),
                    Match::Maybe => maybe.push(*id),
                    Match::No => {}
                }
            }
            (sure, maybe)
        };
        let (denying, perhaps_denying) = matching(&mut side.denies.iter());
        let layers: Vec<(Vec<StatementId>, Vec<StatementId>)> =
            side.layers.iter().map(|layer| matching(&mut layer.iter())).collect();
        let allowing: Vec<StatementId> = layers.iter().flat_map(|(sure, _)| sure).copied().collect();
        let missing = layers
            .iter()
            .position(|(sure, maybe)| sure.is_empty() && maybe.is_empty());
        let is_sure =
            perhaps_denying.is_empty() && layers.iter().all(|(sure, _)| !sure.is_empty()) && side.unread.is_empty();
        let (effect, ids) = if !denying.is_empty() {
            (Effect::ExplicitlyDenied, denying)
        } else if let Some(layer) = missing.filter(|_| side.unread.is_empty()) {
            let effect = if layer == 0 {
                Effect::NotAllowed
            } else {
                Effect::OutsideBoundary
            };
            (effect, if layer == 0 { Vec::new() } else { allowing })
        } else if is_sure {
            (Effect::Allowed, allowing)
        } else {
            (Effect::Unknown, allowing)
        };
        let mut unknown: Vec<String> = Vec::new();
        if effect == Effect::Unknown {
            unknown.extend(doubts.iter().map(|literal| self.tables.describe(*literal)));
            unknown.extend(side.unread.iter().cloned());
            unknown.sort_unstable();
            unknown.dedup();
        }
        Decision {
            effect,
            statements: self.statement_refs(&known, &side, &ids),
            unknown,
        }
    }

    /// Statements by their places, in the order of the policies.
    pub(crate) fn statement_refs(&self, holdings: &Holdings, side: &Side, ids: &[StatementId]) -> Vec<StatementRef> {
        let policies: Vec<_> = holdings.all().collect();
        let mut places: Vec<_> = ids
            .iter()
            .filter_map(|id| side.places.get(id))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        let refer = |place: &crate::side::Place| {
            let (origin, document, _) = policies.get(place.policy)?;
            let statement = document.statements().get(place.statement)?;
            Some(StatementRef {
                origin: (*origin).clone(),
                index: place.statement,
                label: statement.label(),
            })
        };
        places.iter().filter_map(refer).collect()
    }
}

impl Tables<'_> {
    fn statement_matches(&mut self, statement: Compiled, asked: &Asked<'_>, doubts: &mut Vec<Literal>) -> Match {
        let set = self.get_actions(statement.actions).clone();
        let names: Vec<PatternId> = set.patterns.clone();
        if names
            .iter()
            .any(|pattern| self.get_pattern(*pattern).matches(&asked.action))
            == set.is_complement
        {
            return Match::No;
        }
        let mut outcome = self.resource_matches(statement.by_field, &asked.request.resource, doubts);
        if outcome == Match::No {
            return outcome;
        }
        for literal in self.get_condition(statement.condition).clone().iter() {
            match self.literal_holds(*literal, asked.request) {
                Some(true) => {}
                Some(false) => return Match::No,
                None => {
                    doubts.push(*literal);
                    outcome = Match::Maybe;
                }
            }
        }
        outcome
    }

    fn resource_matches(&self, resources: ResourcesId, text: &str, doubts: &mut Vec<Literal>) -> Match {
        let set = self.get_resources(resources);
        let matching = set
            .patterns
            .iter()
            .filter(|pattern| self.get_pattern(**pattern).matches(text));
        let atoms: Vec<Option<Literal>> = matching.map(|pattern| self.pattern_atom(*pattern)).collect();
        if atoms.contains(&None) {
            return if set.is_complement { Match::No } else { Match::Yes };
        }
        if atoms.is_empty() {
            return if set.is_complement { Match::Yes } else { Match::No };
        }
        doubts.extend(atoms.into_iter().flatten());
        Match::Maybe
    }

    /// `None` where it is not known.
    fn literal_holds(&self, literal: Literal, request: &Request) -> Option<bool> {
        let holds = match &**self.get_atom(literal.atom) {
            Atom::Free(_) => return None,
            Atom::Present(key) => values_of(request, self.get_key(*key)).is_some(),
            Atom::Test(test) => match values_of(request, self.get_key(test.key)) {
                None => test.if_absent,
                Some(values) if test.every => values.iter().all(|value| self.accepts(&test.values, value)),
                Some(values) => values.iter().any(|value| self.accepts(&test.values, value)),
            },
        };
        Some(holds == literal.is_true)
    }
}

fn values_of<'r>(request: &'r Request, key: &str) -> Option<&'r [String]> {
    let mut keys = request.context.iter();
    let found = keys.find(|(name, _)| name.eq_ignore_ascii_case(key));
    found
        .map(|(_, values)| values.as_slice())
        .filter(|values| !values.is_empty())
}
