//! What became of a plan. Holds no secret.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use trueup_model::{AccountId, Resource};
use trueup_planner::ActionId;

/// What became of every action of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run, as the journal and the credential files name it.
    pub run: String,
    /// The account.
    pub account_id: AccountId,
    /// The digest of the plan.
    pub plan_digest: String,
    /// Every action, in the plan's order.
    pub actions: Vec<ActionReport>,
    /// Requests sent, by operation, reads included; a request that was sent again counts again.
    pub calls: BTreeMap<String, u64>,
    /// Requests sent again, by cause.
    pub retries: BTreeMap<RetryCause, u64>,
    /// Whether the run was interrupted before it was through.
    pub interrupted: bool,
    /// Why the run stopped early, if it did and nobody interrupted it.
    pub stopped: Option<String>,
    /// The credential files that belong to what was made, in the plan's order.
    pub credential_files: Vec<PathBuf>,
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionReport {
    /// Its id in the plan.
    pub id: ActionId,
    /// The IAM operation.
    pub operation: String,
    /// What it acted on.
    pub resource: Resource,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done {
        /// The id of the version that it made, for `CreatePolicyVersion`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// The id of the key that it made, for `CreateAccessKey`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        access_key: Option<String>,
    },
    /// There was nothing left to do.
    AlreadyDone {
        /// What was found.
        detail: String,
    },
    /// It failed, and nothing more is tried.
    Failed {
        /// Why.
        error: Failure,
    },
    /// It was never sent, or every attempt was turned away before anything happened.
    NotAttempted {
        /// Why.
        because: Because,
    },
}

impl Outcome {
    /// Whether what the action is for holds now.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::AlreadyDone { .. })
    }
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened, with names.
    pub message: String,
    /// IAM's error code, where it answered with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// AWS's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether it may have taken effect all the same.
    pub outcome_unknown: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            request_id: None,
            outcome_unknown: false,
        }
    }
}

/// Why an action was not attempted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// This action, which it depends on, failed.
    Failed(ActionId),
    /// The run was interrupted.
    Interrupted,
    /// The run stopped, for this reason.
    Stopped(String),
}

/// Why a request was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryCause {
    /// IAM asked to slow down.
    Throttled,
    /// A server error, a lost answer or a time-out.
    NoAnswer,
    /// The endpoint could not be reached.
    Unreachable,
    /// Something that this run made, changed or removed was not visible everywhere yet.
    NotSettled,
}

impl Report {
    /// How many actions ended well.
    pub fn succeeded(&self) -> usize {
        self.actions.iter().filter(|action| action.outcome.is_success()).count()
    }

    /// Whether every action ended well.
    pub fn is_complete(&self) -> bool {
        self.succeeded() == self.actions.len()
    }

    /// Whether anything was written, or may have been.
    pub fn wrote_anything(&self) -> bool {
        self.actions.iter().any(|action| match &action.outcome {
            Outcome::Done { .. } => true,
            Outcome::Failed { error } => error.outcome_unknown,
            Outcome::AlreadyDone { .. } | Outcome::NotAttempted { .. } => false,
        })
    }

    /// The actions that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&ActionReport, &Failure)> {
        self.actions.iter().filter_map(|action| match &action.outcome {
            Outcome::Failed { error } => Some((action, error)),
            _ => None,
        })
    }
}
