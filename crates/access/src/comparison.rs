//! The result of a comparison: a verdict, and what is gained and lost, each with an example.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bits::Bits;
use crate::direction::Example;
use crate::holdings::{Origin, Request};

/// How what is allowed after relates to what was allowed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The same requests are allowed: proved.
    Same,
    /// More is allowed, and nothing less: the latter is proved.
    More,
    /// Less is allowed, and nothing more: the latter is proved.
    Less,
    /// Some requests are newly allowed, others no longer.
    Both,
    /// What is gained or lost depends on something that is not known, or was too much to search.
    Unknown,
}

impl Verdict {
    /// Whether it rules out that anything is newly allowed.
    pub fn is_no_new_access(self) -> bool {
        matches!(self, Self::Same | Self::Less)
    }

    /// The verdict over two principals: what is not known of one is not known of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Same, it) | (it, Self::Same) => it,
            (one, other) if one == other => one,
            _ => Self::Both,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same",
            Self::More => "more",
            Self::Less => "less",
            Self::Both => "both",
            Self::Unknown => "unknown",
        })
    }
}

/// A statement of a principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StatementRef {
    /// Where its policy comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Which statement of the policy it is, counted from 0.
    pub index: usize,
    /// What to call it.
    pub label: String,
}

/// How sure something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The example is such a request.
    Certain,
    /// The example is such a request if these things hold, which are not interpreted.
    May(Vec<String>),
}

/// Requests that are newly allowed, or no longer.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Of which actions.
    pub actions: Actions,
    /// On which resources: a pattern, or `all but` and patterns.
    pub resource: String,
    /// Conditions of the cause that must hold.
    pub conditions: Vec<String>,
    /// Why: an allowing statement that came (or went), or a denying one that went (or came).
    pub cause: Cause,
    /// How sure it is.
    pub certainty: Certainty,
    /// A request of this kind.
    pub example: Request,
    /// Whether its resource is of a type that the action has, as far as the action data tells. Where it is not, the
    /// statement may have no effect on this action: for wording, never for a proof.
    pub is_of_a_known_type: bool,
    /// What the search for the example found.
    pub(crate) found: Example,
}

/// What makes a difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A statement that allows, wherever the principal holds it.
    Allow(Vec<StatementRef>),
    /// A statement that denies.
    Deny(Vec<StatementRef>),
    /// There is no boundary any more, or there was none.
    NoBoundary,
}

/// The actions of a finding.
#[derive(Debug, Clone)]
pub enum Actions {
    /// Actions of the data.
    Listed(ListedActions),
    /// Names that this pattern matches and the data lacks.
    Unlisted(String),
}

/// A set of actions of the data.
#[derive(Debug, Clone)]
pub struct ListedActions(pub(crate) Arc<Bits>);

impl ListedActions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The actions, by name.
    pub fn iter<'d>(&self, data: &'d crate::IamData) -> impl Iterator<Item = &'d crate::data::Action> {
        let numbers: Vec<usize> = self.0.iter().collect();
        numbers.into_iter().filter_map(|number| data.actions().get(number))
    }
}

/// A comparison of what a principal holds before and after.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// How after relates to before.
    pub verdict: Verdict,
    /// What after allows and before does not.
    pub gained: Vec<Finding>,
    /// What before allows and after does not.
    pub lost: Vec<Finding>,
    /// Why something is not decided; empty unless the verdict is [`Verdict::Unknown`], or a part of it is not known.
    pub unknown: Vec<String>,
    /// What the proof that nothing (else) is gained or lost rests on, beside the documented rules; mostly nothing.
    pub assumptions: Vec<&'static str>,
}

/// A verdict without findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How after relates to before.
    pub verdict: Verdict,
    /// Why something is not decided.
    pub unknown: Vec<String>,
    /// What the verdict rests on beside the documented rules; mostly nothing.
    pub assumptions: Vec<&'static str>,
    /// A request that is surely allowed after and not before, where one was found.
    pub gained: Option<Request>,
    /// A request that is surely allowed before and not after, where one was found.
    pub lost: Option<Request>,
}

/// Values by condition key, for a request.
pub(crate) type Context = BTreeMap<String, Vec<String>>;
