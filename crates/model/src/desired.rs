//! What a manifest asks for, with types, copies and defaults resolved. It names nothing that is not decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Alias, GroupName, InlinePolicyName, PasswordPolicy, Path, PolicyArn, PolicyDocument, PolicyName,
    Resource, Scope, Tags, UserName, glob_matches_ignoring_case, guardrail::GuardrailCode, scope::IgnoreTarget,
};

/// The desired state of one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// The account itself.
    pub account: DesiredAccount,
    /// What is owned.
    pub scope: Scope,
    /// What may be named and is never edited or deleted.
    pub external: External,
    /// Limits on what an apply may do.
    pub guardrails: Guardrails,
    /// What nightly runs leave as it is for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<Hold>,
    /// Customer managed policies.
    pub policies: BTreeMap<PolicyName, DesiredPolicy>,
    /// Groups.
    pub groups: BTreeMap<GroupName, DesiredGroup>,
    /// Users.
    pub users: BTreeMap<UserName, DesiredUser>,
    /// What must not exist.
    pub absent: Absent,
}

/// The desired facts of the account as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesiredAccount {
    /// The only account that this manifest may be applied to.
    pub id: AccountId,
    /// The alias; `None`: not managed.
    pub alias: Option<AliasWish>,
    /// The password policy; `None`: not managed.
    pub password_policy: Option<PasswordPolicyWish>,
    /// What is checked of root.
    pub root: RootRequirements,
}

/// What the alias should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasWish {
    /// No alias.
    Absent,
    /// This alias.
    Present(Alias),
}

/// What the custom password policy should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordPolicyWish {
    /// No custom policy: `aws-default` in the manifest.
    AwsDefault,
    /// Exactly this policy.
    Custom(PasswordPolicy),
}

/// What is checked and reported of the root user, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RootRequirements {
    /// Root must have an MFA device.
    pub mfa_required: bool,
    /// Root must have no access keys.
    pub access_keys_forbidden: bool,
    /// Root must have no X.509 signing certificates.
    #[serde(default)]
    pub signing_certificates_forbidden: bool,
}

/// What the manifest names and does not own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct External {
    /// Groups that users may be members of; members besides the declared users are not looked at.
    pub groups: BTreeSet<GroupName>,
    /// Customer managed policies that may be attached or used as a boundary.
    pub policies: BTreeSet<PolicyArn>,
}

/// Limits on what an apply may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guardrails {
    /// How much of a kind may be deleted at once.
    pub max_deletions: DeletionLimit,
    /// How many administrators must be left.
    pub minimum_administrators: u32,
    /// Users that are never deleted, disabled, weakened or put under an MFA requirement.
    pub break_glass: BTreeSet<UserName>,
    /// Guardrails that may pass for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Allowance>,
}

/// Something that nightly runs leave as it is for a while, for example during an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What.
    pub target: IgnoreTarget,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub until: Date,
}

impl Hold {
    /// Whether its last day is over.
    pub fn lapsed(&self, as_of: Date) -> bool {
        self.until < as_of
    }

    /// Whether it is about an entity, by its name.
    pub fn covers(&self, entity: &Resource) -> bool {
        let (kind, glob) = match &self.target {
            IgnoreTarget::User(glob) => ("user", glob),
            IgnoreTarget::Group(glob) => ("group", glob),
            IgnoreTarget::Policy(glob) => ("policy", glob),
            IgnoreTarget::Tag { .. } => return false,
        };
        entity.kind() == kind && glob_matches_ignoring_case(glob, entity.entity_name())
    }
}

/// A guardrail that may pass for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Which.
    pub code: GuardrailCode,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub until: Date,
}

impl Allowance {
    /// Whether its last day is over.
    pub fn lapsed(&self, as_of: Date) -> bool {
        self.until < as_of
    }
}

impl Default for Guardrails {
    fn default() -> Self {
        Self {
            max_deletions: DeletionLimit::Percent(25),
            minimum_administrators: 1,
            break_glass: BTreeSet::new(),
            allow: Vec::new(),
        }
    }
}

/// How much of a kind may be deleted by one apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionLimit {
    /// A share of what is live and in scope, by kind; below 10 of a kind, at most 2.
    Percent(u32),
    /// A number, by kind.
    Count(u32),
}

/// A customer managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesiredPolicy {
    /// Its name, as the manifest spells it.
    pub name: PolicyName,
    /// Its path; `None`: `/` at creation and unchanged later.
    pub path: Option<Path>,
    /// Its description, which IAM cannot change later; `None`: none at creation, not compared later.
    pub description: Option<String>,
    /// All of its tags; keys heed letter case.
    pub tags: Tags,
    /// The document of its default version.
    pub document: PolicyDocument,
}

/// A policy that is attached, or used as a boundary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyRef {
    /// A policy of this manifest. Its ARN depends on the path, which the live account may decide.
    Declared(PolicyName),
    /// An AWS managed or an external policy.
    Arn(PolicyArn),
}

/// A group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesiredGroup {
    /// Its name, as the manifest spells it.
    pub name: GroupName,
    /// Its path; `None`: `/` at creation and unchanged later.
    pub path: Option<Path>,
    /// Earlier names, so that a rename is one.
    pub previously: Vec<GroupName>,
    /// All attached managed policies.
    pub managed_policies: BTreeSet<PolicyRef>,
    /// All inline policies.
    pub inline_policies: BTreeMap<InlinePolicyName, PolicyDocument>,
    /// What its members must have.
    pub mfa: Option<MfaRequirement>,
}

/// A user, with its type and `same_permissions_as` resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesiredUser {
    /// Its name, as the manifest spells it.
    pub name: UserName,
    /// Its path; `None`: `/` at creation and unchanged later.
    pub path: Option<Path>,
    /// Earlier names, so that a rename is one.
    pub previously: Vec<UserName>,
    /// All of its tags; keys ignore letter case.
    pub tags: Tags,
    /// All groups that it is a member of.
    pub groups: BTreeSet<GroupName>,
    /// All attached managed policies.
    pub managed_policies: BTreeSet<PolicyRef>,
    /// All inline policies.
    pub inline_policies: BTreeMap<InlinePolicyName, PolicyDocument>,
    /// Its permissions boundary.
    pub permissions_boundary: BoundaryWish,
    /// Its console password; `None`: not managed.
    pub login_profile: Option<LoginProfileWish>,
    /// A new console password, once for each request.
    pub reset_password: Option<String>,
    /// Its access keys; `None`: not managed.
    pub access_keys: Option<AccessKeysWish>,
    /// What it must have; `None`: not looked at.
    pub mfa: Option<MfaRequirement>,
    /// When it stops.
    pub expires: Option<Expiry>,
    /// Who can open the credentials that are made for it; each of them by itself. Empty: nobody is named.
    pub deliver_to: Vec<Recipient>,
}

/// Somebody who can open credentials. Only the form is checked: whether it is a key that can be sealed to is found out
/// before anything is written to an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// An age recipient (`age1…`).
    Age(String),
    /// An ssh public key as in `authorized_keys`: `ssh-ed25519 AAAA… comment` or `ssh-rsa AAAA… comment`.
    Ssh(String),
    /// An OpenPGP public key, armored or not.
    OpenPgp {
        /// The file, relative to the manifest's folder.
        file: String,
        /// What the file holds.
        key: Vec<u8>,
    },
}

/// What a user's permissions boundary should be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundaryWish {
    /// Not named: kept as it is.
    #[default]
    Keep,
    /// `""`: removed.
    Absent,
    /// This policy.
    Present(PolicyRef),
}

/// What a user's login profile should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginProfileWish {
    /// `none`: no console password.
    Absent,
    /// A console password.
    Present {
        /// Whether the person must choose a new one at the first sign-in. Matters at creation only.
        password_reset_required: bool,
    },
}

/// What a user's access keys should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKeysWish {
    /// `none`: no access keys. They become inactive first, and are deleted by a later run.
    Absent,
    /// So many, by these rules.
    Present(AccessKeyRules),
}

/// How many access keys a user has, and when they are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKeyRules {
    /// How many work at a time, 1 or 2; one more while a single one is rotated.
    pub count: u32,
    /// The age in days from which a key is replaced; `None`: never.
    pub rotate_after_days: Option<u32>,
    /// How many days the old key works beside its replacement at least. It also works for as long as the new one has
    /// never been used.
    pub overlap_days: u32,
    /// After so many days without use a key becomes inactive; `None`: never.
    pub maximum_unused_days: Option<u32>,
    /// What the console shows beside a key that has no description yet.
    pub description: Option<String>,
}

impl AccessKeyRules {
    /// The days that both keys work where the manifest does not say.
    pub const OVERLAP_DAYS: u32 = 7;
}

/// An MFA requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaRequirement {
    /// How strict it is.
    pub level: MfaLevel,
    /// Days after the user's creation during which it is not yet due.
    pub grace_days: u32,
}

/// How strict an MFA requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MfaLevel {
    /// No device is needed, whatever a group asks.
    Exempt,
    /// A device is needed where the user has a console password; reported where there is none.
    Required,
    /// As required, and held by a policy that denies everything else to sessions without MFA.
    Enforced,
}

/// When a user stops, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// The last day, UTC, on which the user is meant to work.
    pub on: Date,
    /// What happens on the day after.
    pub then: AfterExpiry,
}

impl Expiry {
    /// Whether the last day is over.
    pub fn is_over(&self, as_of: Date) -> bool {
        as_of > self.on
    }
}

/// What happens to a user whose last day is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterExpiry {
    /// No console password, and every key, certificate and service credential inactive; everything else stays.
    #[default]
    Disable,
    /// Deleted, with everything that hangs off it.
    Delete,
}

/// What must not exist, with the reason given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Absent {
    /// Users.
    pub users: BTreeMap<UserName, AbsentUser>,
    /// Groups.
    pub groups: BTreeMap<GroupName, String>,
    /// Customer managed policies.
    pub policies: BTreeMap<PolicyName, String>,
}

/// How a user goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AbsentUser {
    /// Why.
    pub reason: String,
    /// For so many days it is only kept from everything, and can be brought back; `None`: it is deleted at once.
    pub quarantine_days: Option<u32>,
}

impl From<&str> for AbsentUser {
    /// Deleted at once, for this reason.
    fn from(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            quarantine_days: None,
        }
    }
}
