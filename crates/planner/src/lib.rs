//! Desired and live state in, one ordered plan out.
//!
//! This crate is pure: it never reads the clock, the disk, the network or the environment, and the same input gives
//! the same bytes. It never leaves a choice for apply time, and it never holds a secret.

mod call;
mod plan;

pub use call::{ActionId, Call, KeyStatus, VersionRef};
pub use plan::{
    Action, Change, ChangeKind, FORMAT_VERSION, Field, GuardrailCode, GuardrailFinding, Ignored, Listed, Note,
    Overview, Plan, Reads, Requirement, Summary,
};

use std::collections::BTreeSet;

use jiff::civil::Date;
use trueup_model::{Desired, Live, live::Needs};

/// What a plan depends on beside the two states.
#[derive(Debug, Clone)]
pub struct Options {
    /// The day that `expires` and `until` are compared with, UTC.
    pub as_of: Date,
    /// The guardrails that `--allow` lets pass.
    pub allow: BTreeSet<GuardrailCode>,
    /// The version of trueup.
    pub tool_version: String,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The live account is not the manifest's.
    #[error("this is account {live}, the manifest is for {desired}")]
    WrongAccount {
        /// The account of the credentials.
        live: String,
        /// The account of the manifest.
        desired: String,
    },
    /// The manifest and the live account cannot be brought together; every reason is listed.
    #[error("{}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n"))]
    Impossible(Vec<Problem>),
}

/// One reason why a plan is impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, with names.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// What has to be read beyond the bulk read before [`plan`] can be called: decided from the bulk read alone.
pub fn needs(desired: &Desired, live: &Live, options: &Options) -> Needs {
    let _ = (desired, live, options);
    Needs::default()
}

/// Makes the plan.
///
/// # Errors
///
/// [`PlanError`] where the account is another one, or where quotas, renames or references make it impossible.
pub fn plan(desired: &Desired, live: &Live, options: &Options) -> Result<Plan, PlanError> {
    let _ = (desired, live, options);
    Err(PlanError::Impossible(Vec::new()))
}
