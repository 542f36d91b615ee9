//! What is known about a principal: the keys of its requests that do not differ from request to request.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Whose requests are looked at.
///
/// Condition keys and policy variables whose values are known are replaced by them, so that
/// `arn:aws:s3:::home/${aws:username}/*` is a plain pattern. Without any knowledge ([`PrincipalFacts::nobody`]) they
/// may have any value, the same on both sides of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PrincipalFacts {
    /// Values by key in lower case; `None` where requests lack the key.
    known: BTreeMap<String, Option<String>>,
    /// Whether tags that are not named are absent.
    tags_are_complete: bool,
    /// Keys of one request that have several values; `Some` means that all keys that are not named are absent.
    #[serde(skip)]
    of_request: Option<BTreeSet<String>>,
}

/// What is known about one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    /// Its value.
    Value(&'a str),
    /// That requests lack it.
    Absent,
    /// Nothing.
    Nothing,
}

impl PrincipalFacts {
    /// Nothing is known: for policies that are compared by themselves.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// A user of an account, with all its tags.
    pub fn user<'a>(
        partition: &str,
        account: &str,
        path: &str,
        name: &str,
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut facts = Self::principal(partition, account, &format!("user{path}{name}"), "User");
        facts.set("aws:username", Some(name));
        for (key, value) in tags {
            facts.set(&format!("aws:PrincipalTag/{key}"), Some(value));
        }
        facts.tags_are_complete = true;
        facts
    }

    /// A role of an account, in sessions that may have tags of their own.
    pub fn role(partition: &str, account: &str, path: &str, name: &str) -> Self {
        let mut facts = Self::principal(partition, account, &format!("role{path}{name}"), "AssumedRole");
        facts.set("aws:username", None);
        facts
    }

    fn principal(partition: &str, account: &str, resource: &str, kind: &str) -> Self {
        let mut facts = Self::default();
        facts.set(
            "aws:PrincipalArn",
            Some(&format!("arn:{partition}:iam::{account}:{resource}")),
        );
        facts.set("aws:PrincipalAccount", Some(account));
        facts.set("aws:PrincipalType", Some(kind));
        facts.set("aws:PrincipalIsAWSService", Some("false"));
        facts
    }

    /// Sets what is known about a key: its value, or that requests lack it.
    pub fn set(&mut self, key: &str, value: Option<&str>) {
        self.known.insert(key.to_ascii_lowercase(), value.map(str::to_owned));
    }

    /// The same with another fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: Option<&str>) -> Self {
        self.set(key, value);
        self
    }

    /// The account's id, where it is known.
    pub fn account(&self) -> Option<&str> {
        self.known.get("aws:principalaccount")?.as_deref()
    }

    /// The principal's ARN, where it is known.
    pub fn arn(&self) -> Option<&str> {
        self.known.get("aws:principalarn")?.as_deref()
    }

    /// What is known about a key in lower case.
    pub(crate) fn about(&self, key: &str) -> Known<'_> {
        match self.known.get(key) {
            Some(Some(value)) => Known::Value(value),
            Some(None) => Known::Absent,
            None if self.of_request.as_ref().is_some_and(|several| !several.contains(key)) => Known::Absent,
            None if self.tags_are_complete && key.starts_with("aws:principaltag/") => Known::Absent,
            None => Known::Nothing,
        }
    }

    /// What is known when a whole request is: keys that neither are a fact nor in its context are absent.
    pub(crate) fn at(&self, context: &BTreeMap<String, Vec<String>>) -> Self {
        let mut facts = self.clone();
        let mut several = BTreeSet::new();
        for (key, values) in context {
            match values.as_slice() {
                [] => facts.set(key, None),
                [value] => facts.set(key, Some(value)),
                _ => drop(several.insert(key.to_ascii_lowercase())),
            }
        }
        facts.known.retain(|key, _| !several.contains(key));
        facts.of_request = Some(several);
        facts
    }
}
