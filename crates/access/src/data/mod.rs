//! What AWS services have: actions with their access levels, resource types with the shape of their ARNs, condition
//! keys. A dated extract is embedded; another one can be read in its place.
//!
//! The data serves to expand wildcards, to group and to word. It is never part of a proof: names that it lacks are
//! looked at as well, so that an old extract does not make a wrong promise.

mod parse;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::bits::Bits;
pub use parse::DataError;

const EMBEDDED: &[u8] = include_bytes!("../../data/iam-data.txt.gz");

/// What an action does, in the words of AWS's service reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AccessLevel {
    /// Lists resources.
    List,
    /// Reads contents or attributes.
    Read,
    /// Creates, changes or deletes.
    Write,
    /// Changes tags alone.
    Tagging,
    /// Grants or changes permissions.
    #[serde(rename = "Permissions management")]
    Permissions,
}

impl AccessLevel {
    /// Every level, from the least to the most.
    pub const ALL: [Self; 5] = [Self::List, Self::Read, Self::Write, Self::Tagging, Self::Permissions];
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Tagging => "Tagging",
            Self::Permissions => "Permissions management",
        })
    }
}

/// A service of AWS.
#[derive(Debug)]
pub struct Service {
    /// What stands before the colon of its actions, for example `s3`.
    pub prefix: String,
    /// Its name, for example `Amazon S3`.
    pub name: String,
    /// Its condition keys.
    pub conditions: Vec<ConditionKey>,
    /// Its resource types.
    pub resources: Vec<ResourceType>,
    actions: Range<usize>,
}

/// A condition key that a service or all of AWS knows.
#[derive(Debug)]
pub struct ConditionKey {
    /// As documented, for example `aws:ResourceTag/${TagKey}`.
    pub name: String,
    /// Whether a request may have several values for it.
    pub many: bool,
}

/// A type of resource.
#[derive(Debug)]
pub struct ResourceType {
    /// Its name in the service reference, for example `bucket`.
    pub name: String,
    /// The shape of its ARNs, for example `arn:${Partition}:s3:::${BucketName}`.
    pub arn: String,
}

/// An action of a service.
#[derive(Debug)]
pub struct Action {
    /// As documented, for example `s3:GetObject`.
    pub name: String,
    /// The same in lower case, by which IAM compares.
    pub folded: String,
    /// What it does.
    pub level: AccessLevel,
    service: usize,
    /// Indexes of the service's resource types, and whether a request must name one of that type.
    resources: Vec<(usize, bool)>,
    conditions: Vec<usize>,
}

/// Actions, resource types and condition keys of AWS's services, as of a date.
#[derive(Debug)]
pub struct IamData {
    source: String,
    date: String,
    services: Vec<Service>,
    /// Sorted by their folded names.
    actions: Vec<Action>,
    global_keys: Vec<ConditionKey>,
    by_prefix: BTreeMap<String, usize>,
    /// Condition keys of all services in lower case, with `true` where some service lets it have several values.
    key_kinds: BTreeMap<String, bool>,
}

impl IamData {
    /// The extract that is embedded.
    pub fn embedded() -> &'static Self {
        static DATA: OnceLock<IamData> = OnceLock::new();
        #[expect(
            clippy::expect_used,
            reason = "the embedded file is part of the build, and a test reads it"
        )]
        DATA.get_or_init(|| Self::parse(EMBEDDED).expect("the embedded action data can be read"))
    }

    /// Reads an extract, as `data/make.mjs` writes it, compressed or not.
    ///
    /// # Errors
    ///
    /// [`DataError`] where the text has another format.
    pub fn parse(bytes: &[u8]) -> Result<Self, DataError> {
        parse::parse(bytes)
    }

    /// The day on which the data was published, for example `2026-09-26`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// The package and version that the data was made of.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The services, by prefix.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// A service by its prefix in lower case.
    pub fn service(&self, prefix: &str) -> Option<&Service> {
        self.by_prefix.get(prefix).map(|index| &self.services[*index])
    }

    /// All actions, sorted by their names in lower case.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The actions of a service.
    pub fn actions_of(&self, service: &Service) -> &[Action] {
        &self.actions[service.actions.clone()]
    }

    /// An action by its name, letter case ignored.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.index_of(&name.to_ascii_lowercase())
            .map(|index| &self.actions[index])
    }

    pub(crate) fn index_of(&self, folded: &str) -> Option<usize> {
        self.actions
            .binary_search_by(|action| action.folded.as_str().cmp(folded))
            .ok()
    }

    /// The service of an action.
    pub fn service_of(&self, action: &Action) -> &Service {
        &self.services[action.service]
    }

    pub(crate) fn service_index(&self, action: usize) -> usize {
        self.actions[action].service
    }

    /// The resource types of an action, each with whether a request must name one.
    pub fn resources_of(&self, action: &Action) -> impl Iterator<Item = (&ResourceType, bool)> {
        let service = &self.services[action.service];
        action
            .resources
            .iter()
            .filter_map(|(index, required)| service.resources.get(*index).map(|resource| (resource, *required)))
    }

    /// The condition keys of an action, those of all of AWS apart.
    pub fn conditions_of(&self, action: &Action) -> impl Iterator<Item = &ConditionKey> {
        let service = &self.services[action.service];
        action
            .conditions
            .iter()
            .filter_map(|index| service.conditions.get(*index))
    }

    /// The condition keys that every service knows.
    pub fn global_keys(&self) -> &[ConditionKey] {
        &self.global_keys
    }

    /// Whether a request may have several values for a condition key (in lower case); `None` where it is not known.
    pub(crate) fn may_have_many(&self, key: &str) -> Option<bool> {
        self.key_kinds.get(key).copied().or_else(|| {
            let (family, _) = key.split_once('/')?;
            self.key_kinds.get(&format!("{family}/${{tagkey}}")).copied()
        })
    }

    /// The indexes of all actions that a pattern in lower case matches.
    pub(crate) fn expand(&self, pattern: &str) -> Bits {
        let mut bits = Bits::new(self.actions.len());
        let literal = pattern.find(['*', '?']).map_or(pattern, |end| &pattern[..end]);
        let from = self.actions.partition_point(|action| action.folded.as_str() < literal);
        let is_prefix = pattern.len() == literal.len() + 1 && pattern.ends_with('*');
        for (offset, action) in self.actions[from..].iter().enumerate() {
            if !action.folded.starts_with(literal) {
                break;
            }
            if is_prefix || trueup_model::glob_matches(pattern, &action.folded) {
                bits.insert(from + offset);
            }
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_data_is_complete() {
        let data = IamData::embedded();
        assert_eq!(data.actions().len(), 22_091);
        assert_eq!(data.date(), "2026-09-26");
        assert!(data.services().len() > 400);
        assert!(data.actions().is_sorted_by(|a, b| a.folded < b.folded));
        let action = data.action("S3:getobject").unwrap();
        assert_eq!(
            (action.name.as_str(), action.level),
            ("s3:GetObject", AccessLevel::Read)
        );
        assert_eq!(data.service_of(action).name, "Amazon S3");
        let resources: Vec<_> = data.resources_of(action).map(|(r, _)| r.arn.as_str()).collect();
        assert!(
            resources.contains(&"arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
            "{resources:?}"
        );
        assert!(
            data.conditions_of(action)
                .any(|key| key.name == "s3:ExistingObjectTag/<key>")
        );
        assert_eq!(data.may_have_many("aws:tagkeys"), Some(true));
        assert_eq!(data.may_have_many("aws:principaltag/team"), Some(false));
        assert_eq!(data.may_have_many("no:such"), None);
    }

    #[test]
    fn patterns_expand_to_what_they_match() {
        let data = IamData::embedded();
        for pattern in [
            "*",
            "s3:*",
            "s3:get*acl",
            "iam:passrole",
            "no:such",
            "*:list*",
            "ec2:?un*",
        ] {
            let expected: Vec<usize> = (0..data.actions().len())
                .filter(|index| trueup_model::glob_matches(pattern, &data.actions()[*index].folded))
                .collect();
            assert_eq!(data.expand(pattern).iter().collect::<Vec<_>>(), expected, "{pattern}");
        }
    }
}
