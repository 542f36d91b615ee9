//! The part of the plan document that says who can do what after the plan and could not before, and the other way
//! round.
//!
//! It speaks of permissions by identity policies and boundaries, never of what a call will do in the end: resource
//! policies, organisation policies and session policies are not looked at.

use serde::{Deserialize, Serialize};
use trueup_access::{Request, Verdict, data::AccessLevel};
use trueup_model::Resource;

/// What changes for one principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessChange {
    /// `user/alice` or `role/deploy`, by the name after the plan.
    pub principal: Resource,
    /// How what is allowed after the plan relates to what was allowed before.
    pub verdict: Verdict,
    /// What is newly allowed, the broadest first.
    pub gained: Vec<AccessLine>,
    /// What is no longer allowed, the broadest first.
    pub lost: Vec<AccessLine>,
    /// Whether it becomes an administrator or is one no longer.
    pub administrator: Option<AdministratorChange>,
    /// Known ways from its permissions to more that it did not have before. Hints, not proofs.
    pub escalation: Vec<EscalationLine>,
    /// Why something is not decided, in words; empty unless the verdict is `unknown`.
    pub unknown: Vec<String>,
    /// What the verdict rests on beside the documented rules, in words; mostly nothing.
    pub assumptions: Vec<String>,
}

impl AccessChange {
    /// Whether it is not proved that nothing is newly allowed.
    pub fn may_gain(&self) -> bool {
        !self.verdict.is_no_new_access()
    }
}

/// Permissions of one kind that are gained or lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccessLine {
    /// The prefix of the service, for example `s3`; `*` for more services than anybody wants to read one by one.
    pub service: String,
    /// How many services it is about.
    pub services: u64,
    /// The prefixes of these, where `service` is `*` and it is about some of their actions.
    pub service_names: Vec<String>,
    /// The prefixes of the others, where `service` is `*` and it is about all actions of all services but these.
    pub other_services: Vec<String>,
    /// The access levels of the actions; empty for action names that the action data lacks.
    pub levels: Vec<AccessLevel>,
    /// How many actions of the action data it is about.
    pub count: u64,
    /// The actions by name, the last of many as `N more`. None where they are all that the services have of these
    /// levels, and where they are many of many services. For names that the action data lacks, a pattern.
    pub actions: Vec<String>,
    /// On which resources: patterns, or `all but` and patterns.
    pub resources: Vec<String>,
    /// Whether the other side has some of it: of these actions on these resources.
    pub partly: bool,
    /// Conditions that must hold, in words; all of them.
    pub conditions: Vec<String>,
    /// What makes the difference.
    pub cause: AccessCause,
    /// The statements that make the difference, wherever the principal has them.
    pub via: Vec<AccessSource>,
    /// Whether the example is surely such a request. Otherwise it is one if all of `assumed` holds.
    pub certain: bool,
    /// What is not interpreted, and decides; in words. Empty where it is certain.
    pub assumed: Vec<String>,
    /// A request of this kind.
    pub example: Request,
    /// Whether the example's resource is of a type that the action has, as far as the action data tells.
    pub example_fits: bool,
}

/// What makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessCause {
    /// A statement that allows: it comes with what is gained, and goes with what is lost.
    Allow,
    /// A statement that denies: it goes with what is gained, and comes with what is lost.
    Deny,
    /// The permissions boundary: it goes with what is gained, and comes with what is lost.
    Boundary,
}

/// A statement, and how the principal comes to have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccessSource {
    /// The policy by where it is held, for example `user/alice/inline-policy/reports`,
    /// `group/readers/managed-policy/arn:aws:iam::aws:policy/ReadOnlyAccess`, `user/alice/permissions-boundary`.
    pub policy: Resource,
    /// The statement: its `Sid`, or what it says in short.
    pub statement: String,
}

/// Whether somebody becomes an administrator: holds `*` on `*`, with what boundary and denies take away and leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdministratorChange {
    /// It was none.
    Made,
    /// It was one.
    Unmade,
}

/// A known way from some permissions to more, all of whose permissions the principal holds after the plan, each on some
/// resource and possibly under conditions, and not before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EscalationLine {
    /// Its name in the list of known paths, for example `lambda-001`.
    pub path: String,
    /// Its kind in that list, for example `new-passrole`.
    pub category: String,
    /// The permissions that it takes.
    pub permissions: Vec<EscalationPermission>,
}

/// A permission that a path takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EscalationPermission {
    /// A request that is allowed.
    pub example: Request,
    /// Whether it surely is.
    pub certain: bool,
    /// Whether the plan brings it; the principal had the others already.
    pub gained: bool,
    /// The statements that allow the action on some resource.
    pub via: Vec<AccessSource>,
    /// Roles that are administrators after the plan and that the principal may pass or assume with it, by its own
    /// policies; empty for other permissions. Whom a role trusts is not looked at.
    pub roles: Vec<Resource>,
}
