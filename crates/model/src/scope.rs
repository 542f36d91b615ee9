//! What a manifest owns: scopes by kind, and entities that are left alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Path, fold_tag_key, glob_matches, glob_matches_ignoring_case};

/// What happens to an entity that is in scope and that the manifest does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unmanaged {
    /// It is listed and left.
    #[default]
    Report,
    /// It is deleted.
    Delete,
}

/// The scope of one kind of entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindScope {
    /// Paths below which entities are owned. Empty: nothing of this kind is owned.
    pub paths: BTreeSet<Path>,
    /// What happens to owned entities that are not declared.
    pub unmanaged: Unmanaged,
}

impl KindScope {
    /// The scope of a kind that the manifest does not name: everything where the manifest declares any, else nothing.
    pub fn implied(declares_any: bool) -> Self {
        Self {
            paths: if declares_any {
                BTreeSet::from([Path::root()])
            } else {
                BTreeSet::new()
            },
            unmanaged: Unmanaged::Report,
        }
    }

    /// Whether an entity at `path` is owned. AWS's own paths never are.
    pub fn contains(&self, path: &Path) -> bool {
        !path.is_reserved() && self.paths.iter().any(|scope| path.is_under(scope))
    }
}

/// Everything that a manifest says about what it owns, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Users.
    pub users: KindScope,
    /// Groups.
    pub groups: KindScope,
    /// Customer managed policies.
    pub policies: KindScope,
    /// Globs of tag keys that are left alone on every entity; letter case is ignored.
    pub ignore_tags: BTreeSet<String>,
    /// Entities that are left alone on both sides.
    pub ignore: Vec<IgnoreRule>,
}

impl Scope {
    /// Whether a tag key is left alone: by rule, or because trueup, AWS or the console keeps it.
    pub fn ignores_tag(&self, key: &str) -> bool {
        crate::is_reserved_tag_key(key)
            || self
                .ignore_tags
                .iter()
                .any(|glob| glob_matches_ignoring_case(glob, key))
    }

    /// The first rule that leaves this user alone.
    pub fn ignores_user<'a>(&'a self, name: &str, tags: &BTreeMap<String, String>) -> Option<&'a IgnoreRule> {
        self.ignore.iter().find(|rule| match &rule.target {
            IgnoreTarget::User(glob) => glob_matches_ignoring_case(glob, name),
            IgnoreTarget::Tag { key, value } => tags
                .iter()
                .any(|(k, v)| fold_tag_key(k) == fold_tag_key(key) && glob_matches(value, v)),
            IgnoreTarget::Group(_) | IgnoreTarget::Policy(_) => false,
        })
    }

    /// The first rule that leaves this group alone. Groups have no tags.
    pub fn ignores_group<'a>(&'a self, name: &str) -> Option<&'a IgnoreRule> {
        self.ignore
            .iter()
            .find(|rule| matches!(&rule.target, IgnoreTarget::Group(glob) if glob_matches_ignoring_case(glob, name)))
    }

    /// The first rule that leaves this customer managed policy alone. Tag keys of policies heed letter case.
    pub fn ignores_policy<'a>(&'a self, name: &str, tags: &BTreeMap<String, String>) -> Option<&'a IgnoreRule> {
        self.ignore.iter().find(|rule| match &rule.target {
            IgnoreTarget::Policy(glob) => glob_matches_ignoring_case(glob, name),
            IgnoreTarget::Tag { key, value } => tags.get(key).is_some_and(|v| glob_matches(value, v)),
            IgnoreTarget::User(_) | IgnoreTarget::Group(_) => false,
        })
    }
}

/// One rule that leaves entities alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoreRule {
    /// What it matches.
    pub target: IgnoreTarget,
    /// Why, in the author's words.
    pub reason: String,
    /// The last day on which the rule is meant to hold. A lapsed rule still protects, and warns.
    pub until: Option<Date>,
}

impl IgnoreRule {
    /// Whether the rule's last day is before `as_of`.
    pub fn lapsed(&self, as_of: Date) -> bool {
        self.until.is_some_and(|until| until < as_of)
    }
}

/// What an ignore rule matches. Globs of names ignore letter case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IgnoreTarget {
    /// Users by a glob of their name.
    User(String),
    /// Groups by a glob of their name.
    Group(String),
    /// Customer managed policies by a glob of their name.
    Policy(String),
    /// Users and policies by a tag.
    Tag {
        /// The tag's key.
        key: String,
        /// A glob of the tag's value.
        value: String,
    },
}

impl std::fmt::Display for IgnoreTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(glob) => write!(f, "user: {glob}"),
            Self::Group(glob) => write!(f, "group: {glob}"),
            Self::Policy(glob) => write!(f, "policy: {glob}"),
            Self::Tag { key, value } => write!(f, "tag: {key}={value}"),
        }
    }
}
