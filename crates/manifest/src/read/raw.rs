//! What the files say, each value checked for itself, nothing yet compared with anything else.

use std::collections::BTreeMap;

use jiff::civil::Date;
use trueup_model::{
    AccountId, GroupName, IgnoreTarget, InlinePolicyName, Path, PolicyArn, PolicyName, Unmanaged, UserName,
    desired::{
        AccessKeysWish, AliasWish, Expiry, Guardrails, Hold, LoginProfileWish, MfaRequirement, PasswordPolicyWish,
        Recipient, RootRequirements,
    },
};

use super::document::Document;
use crate::context::{At, SourceId, Span};

/// A whole manifest, from all of its files.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    pub(crate) account: Option<RawAccount>,
    pub(crate) scope: RawScope,
    pub(crate) external_groups: Vec<At<GroupName>>,
    pub(crate) external_policies: Vec<At<PolicyArn>>,
    pub(crate) guardrails: Guardrails,
    pub(crate) hold: Vec<Hold>,
    /// Where entries of the root file stand, by their path: `account.alias`, `guardrails.allow[0]`. For remarks alone.
    pub(crate) keys: Vec<(String, Span)>,
    pub(crate) file_limits: Vec<FileLimits>,
    pub(crate) lint_rules: Vec<RawLintRule>,
    pub(crate) user_types: Vec<RawUserType>,
    pub(crate) policies: Vec<RawPolicy>,
    pub(crate) groups: Vec<RawGroup>,
    pub(crate) users: Vec<RawUser>,
    pub(crate) absent_users: Vec<RawAbsent<UserName>>,
    /// Days of quarantine, by the absent user.
    pub(crate) quarantine_days: BTreeMap<UserName, u32>,
    pub(crate) absent_groups: Vec<RawAbsent<GroupName>>,
    pub(crate) absent_policies: Vec<RawAbsent<PolicyName>>,
    /// Where the root file begins, for what is missing there.
    pub(crate) root: Option<Span>,
    /// The manifest's own files that could be read.
    pub(crate) files: Vec<SourceId>,
}

#[derive(Debug)]
pub(crate) struct RawAccount {
    pub(crate) id: Option<At<AccountId>>,
    pub(crate) alias: Option<AliasWish>,
    pub(crate) password_policy: Option<PasswordPolicyWish>,
    pub(crate) root: RootRequirements,
    /// Whether anything beside `id` is named, even if wrongly.
    pub(crate) declares_anything: bool,
}

#[derive(Debug, Default)]
pub(crate) struct RawScope {
    pub(crate) users: Option<RawKindScope>,
    pub(crate) groups: Option<RawKindScope>,
    pub(crate) policies: Option<RawKindScope>,
    pub(crate) ignore_tags: Vec<At<String>>,
    pub(crate) ignore: Vec<RawIgnore>,
}

#[derive(Debug, Default)]
pub(crate) struct RawKindScope {
    /// `None`: everything.
    pub(crate) paths: Option<Vec<Path>>,
    pub(crate) unmanaged: Unmanaged,
}

#[derive(Debug)]
pub(crate) struct RawIgnore {
    pub(crate) target: At<IgnoreTarget>,
    pub(crate) reason: String,
    pub(crate) until: Option<Date>,
}

/// A lint that is meant, somewhere.
#[derive(Debug)]
pub(crate) struct RawLintRule {
    pub(crate) code: At<String>,
    pub(crate) resource: Option<String>,
    pub(crate) statement: Option<String>,
    pub(crate) reason: String,
    pub(crate) until: Option<Date>,
}

/// What one file may declare.
#[derive(Debug)]
pub(crate) struct FileLimits {
    pub(crate) file: At<String>,
    pub(crate) paths: Vec<Path>,
    pub(crate) groups: Vec<String>,
    pub(crate) types: Vec<At<String>>,
}

#[derive(Debug)]
pub(crate) struct RawUserType {
    pub(crate) name: At<String>,
    pub(crate) settings: UserSettings,
    pub(crate) require: Vec<At<&'static str>>,
}

#[derive(Debug)]
pub(crate) struct RawPolicy {
    pub(crate) name: At<PolicyName>,
    pub(crate) path: Option<At<Path>>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<RawTag>,
    pub(crate) document: Option<Document>,
}

#[derive(Debug)]
pub(crate) struct RawGroup {
    pub(crate) name: At<GroupName>,
    pub(crate) path: Option<At<Path>>,
    pub(crate) previously: Vec<At<GroupName>>,
    pub(crate) managed_policies: Vec<At<String>>,
    pub(crate) inline_policies: Vec<RawInline>,
    pub(crate) mfa: Option<MfaRequirement>,
}

#[derive(Debug)]
pub(crate) struct RawUser {
    pub(crate) name: At<UserName>,
    pub(crate) user_type: Option<At<String>>,
    pub(crate) same_permissions_as: Option<At<UserName>>,
    pub(crate) previously: Vec<At<UserName>>,
    pub(crate) settings: UserSettings,
    pub(crate) reset_password: Option<At<String>>,
    /// Every key that the user's entry has.
    pub(crate) keys: Vec<(&'static str, Span)>,
}

/// What a user, or its type, sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserSettings {
    /// The keys of these settings that are there, even if their value is wrong.
    pub(crate) keys: Vec<(&'static str, Span)>,
    pub(crate) path: Option<At<Path>>,
    pub(crate) tags: Vec<RawTag>,
    pub(crate) groups: Vec<At<GroupName>>,
    pub(crate) managed_policies: Vec<At<String>>,
    pub(crate) inline_policies: Vec<RawInline>,
    pub(crate) permissions_boundary: Option<At<String>>,
    pub(crate) login_profile: Option<LoginProfileWish>,
    pub(crate) access_keys: Option<AccessKeysWish>,
    pub(crate) mfa: Option<MfaRequirement>,
    pub(crate) expires: Option<Expiry>,
    pub(crate) deliver_to: Vec<Recipient>,
}

impl UserSettings {
    pub(crate) fn key_span(&self, key: &str) -> Option<Span> {
        self.keys.iter().find(|(name, _)| *name == key).map(|(_, span)| *span)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct RawTag {
    pub(crate) key: At<String>,
    pub(crate) value: String,
}

#[derive(Debug, Clone)]
pub(crate) struct RawInline {
    pub(crate) name: At<InlinePolicyName>,
    /// `None`: it was complained about.
    pub(crate) document: Option<Document>,
}

#[derive(Debug)]
pub(crate) struct RawAbsent<N> {
    pub(crate) name: At<N>,
    pub(crate) reason: String,
}
