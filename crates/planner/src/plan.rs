//! The plan document, format version 1.0: what is reviewed, saved and applied.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trueup_model::{AccountId, Resource, desired::Allowance, guardrail::GuardrailCode};

use crate::{AccessChange, ActionId, Call, Only, Origin};

/// The version of the plan document. Minor versions add, major versions break.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan. Serialised, it is the plan document; byte-identical for the same manifest, live account and date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// The version of trueup that made it.
    pub tool_version: String,
    /// The account.
    pub account_id: AccountId,
    /// The day that `expires` and `until` were compared with.
    pub as_of: Date,
    /// What is approved: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// What is the same in every account in which the same is done from the same state, for fleets: the digest with
    /// account id and partition replaced, and without the ids that IAM gives. Empty where another version made the
    /// plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transition_digest: String,
    /// What is owned, and how much of it.
    pub overview: Overview,
    /// Counts.
    pub summary: Summary,
    /// What differs, ordered by resource.
    pub changes: Vec<Change>,
    /// What will be called, in an order that satisfies every `after`.
    pub actions: Vec<Action>,
    /// What must hold and is verified, never changed.
    pub requirements: Vec<Requirement>,
    /// What changes in what principals may do, ordered by principal: everyone whose policies change, and nobody else.
    pub access: Vec<AccessChange>,
    /// The day of the action data that the access was looked at with, for example `2026-09-26`.
    #[serde(default)]
    pub action_data: String,
    /// In scope and not in the manifest.
    pub unmanaged: Vec<Listed>,
    /// Left alone by rule.
    pub ignored: Vec<Ignored>,
    /// Changes that nightly runs leave as they are, by the manifest's `hold`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// What this plan is limited to, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// What differs and is no part of this plan, since it is limited; what is held is in `held`. Ordered by resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
    /// Guardrails that fire, allowed or not.
    pub guardrails: Vec<GuardrailFinding>,
    /// What a reader should know and nothing else says, in order of appearance.
    pub notes: Vec<Note>,
    /// A short hash of everything live that the plan rests on, part by part, so that a stale plan can name what moved;
    /// [`ABSENT_FACT`](crate::ABSENT_FACT) for what is declared and not live.
    pub facts: BTreeMap<Resource, String>,
    /// The calls that reading took.
    pub reads: Reads,
    /// For CloudTrail Lake: the query that finds who made what drifted. No plan is made with one; whoever knows when the
    /// earlier apply was puts it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloudtrail_query: Option<String>,
}

impl Plan {
    /// Those of whom it is not proved that they gain nothing.
    pub fn broadened(&self) -> impl Iterator<Item = &AccessChange> {
        self.access.iter().filter(|change| change.may_gain())
    }
}

/// What the manifest owns of the account, so that a first plan frightens nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Overview {
    /// The live alias, if any.
    pub alias: Option<String>,
    /// The scope in words, by kind: `users` to `["/platform/"]`; a kind that is not owned has none.
    pub scope: BTreeMap<String, Vec<String>>,
    /// Declared users, groups and policies that exist.
    pub managed: u64,
    /// Of these, those without any change.
    pub unchanged: u64,
    /// Live users, groups and policies that the plan cannot touch: out of scope, ignored, external or AWS's own.
    pub untouchable: u64,
}

/// Counts of changes and actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Changes that create.
    pub create: u64,
    /// Changes that update or rename.
    pub update: u64,
    /// Changes that delete.
    pub delete: u64,
    /// Actions, one IAM call each.
    pub actions: u64,
}

/// How a resource changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum ChangeKind {
    Create,
    Update,
    Delete,
    Rename,
}

/// One resource that differs. Parts of an entity (attachments, memberships, inline policies, login profile) are
/// changes of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What differs; for a rename, the new name.
    pub resource: Resource,
    /// How.
    pub change: ChangeKind,
    /// Why, in words that stand after "because".
    pub reason: String,
    /// Whether something is lost that trueup cannot bring back: deletions of entities and credentials, moves that
    /// change an ARN.
    pub destructive: bool,
    /// What differs inside, ordered by path.
    pub fields: Vec<Field>,
    /// Whether it is drift or pending, where an earlier apply is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Where, for example `path`, `tags.owner`, `name`, or `statement ReadReports · Action` inside a document.
    pub path: String,
    /// The live value; `null` where there is none. For sets: only the members that go.
    pub before: Value,
    /// The desired value; `null` where there is none. For sets: only the members that come.
    pub after: Value,
}

/// One IAM call of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its place in the order, from 1.
    pub id: ActionId,
    /// The call: `operation` and `arguments`.
    #[serde(flatten)]
    pub call: Call,
    /// What it acts on.
    pub resource: Resource,
    /// The actions that must be done before; all have smaller ids.
    pub after: Vec<ActionId>,
    /// Why, as in the change that it belongs to.
    pub reason: String,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// `user/alice` or `account/root`.
    pub subject: Resource,
    /// What: `mfa`, `access-keys`.
    pub requirement: String,
    /// Whether it holds.
    pub met: bool,
    /// What was found.
    pub detail: String,
    /// What to do where it does not hold.
    pub remedy: Option<String>,
}

/// Something in scope that the manifest does not name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Listed {
    pub resource: Resource,
    pub reason: String,
}

/// Something left alone by rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// What.
    pub resource: Resource,
    /// The rule, as the manifest has it.
    pub rule: String,
    /// The rule's reason.
    pub reason: String,
}

/// A change that nightly runs leave as it is for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The change's resource.
    pub resource: Resource,
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: Date,
    /// What the change is. `None` in plans of versions that did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeKind>,
}

/// Something that differs, and that a limited plan leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// What differs.
    pub resource: Resource,
    /// How it would change.
    pub change: ChangeKind,
    /// Whether it is drift or pending.
    pub origin: Origin,
    /// Why it is left.
    pub because: String,
    /// For a rename, the name that it has in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
}

/// A guardrail that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardrailFinding {
    /// Which.
    pub code: GuardrailCode,
    /// Why, with names.
    pub message: String,
    /// What it is about, the most telling first: who loses what, or the manifest's setting that is broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Whether something lets it pass.
    pub allowed: bool,
    /// The manifest's entry that lets it pass, whether `--allow` does or not; none where `--allow` alone does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
}

impl GuardrailFinding {
    /// Whether `--allow` alone let it pass, so that an apply has to be told again.
    pub fn is_allowed_by_flag(&self) -> bool {
        self.allowed && self.allowance.is_none()
    }
}

/// Something a reader should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Whether it fails a `--strict` run (exit 3), such as a lapsed rule.
    pub strict: bool,
    /// What it is about, if one thing: something of the account, or an entry of the manifest.
    pub resource: Option<Resource>,
    /// What to know.
    pub message: String,
}

impl Note {
    /// What to name before the message. An entry of the manifest is named by the message itself.
    pub fn subject(&self) -> Option<&Resource> {
        self.resource.as_ref().filter(|resource| !resource.is_of_manifest())
    }
}

/// The calls that reading took, each answered request once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Reads {
    pub total: u64,
    pub by_operation: BTreeMap<String, u64>,
}
