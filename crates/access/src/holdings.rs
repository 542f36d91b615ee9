//! What a principal holds: policies, by the way they come to it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use trueup_model::PolicyDocument;
use trueup_model::document::Statement;

use crate::comparison::StatementRef;

pub use crate::facts::PrincipalFacts;

/// A policy and how a principal comes to hold it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Origin {
    /// What names the policy: an ARN, or the name of an inline policy.
    pub policy: String,
    /// The group through which it comes; `None` where it is the principal's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Origin {
    /// A policy of the principal itself.
    pub fn own(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            group: None,
        }
    }

    /// A policy of a group.
    pub fn through(group: impl Into<String>, policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            group: Some(group.into()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy {}", self.policy)?;
        match &self.group {
            Some(group) => write!(f, " through group {group}"),
            None => Ok(()),
        }
    }
}

/// Everything that a principal holds, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    /// What is known about the principal.
    pub facts: PrincipalFacts,
    /// Its identity policies: inline, attached, and those of its groups.
    pub policies: Vec<(Origin, PolicyDocument)>,
    /// Its permissions boundary.
    pub boundary: Option<(Origin, PolicyDocument)>,
}

impl Holdings {
    /// One policy by itself, without anything that is known about a principal.
    pub fn of_document(name: &str, document: PolicyDocument) -> Self {
        Self {
            facts: PrincipalFacts::nobody(),
            policies: vec![(Origin::own(name), document)],
            boundary: None,
        }
    }

    /// The statements that deny, wherever they stand.
    pub fn denying_statements(&self) -> Vec<StatementRef> {
        let of = |(origin, document, _): (&Origin, &PolicyDocument, bool)| -> Vec<StatementRef> {
            let denying = document.statements().iter().enumerate().filter(|(_, it)| it.is_deny());
            let refer = |(index, statement): (usize, &Statement)| StatementRef {
                origin: origin.clone(),
                index,
                label: statement.label(),
            };
            denying.map(refer).collect()
        };
        self.all().flat_map(of).collect()
    }

    /// The policies and the boundary, in one list.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Origin, &PolicyDocument, bool)> {
        let policies = self.policies.iter().map(|(origin, document)| (origin, document, false));
        policies.chain(self.boundary.iter().map(|(origin, document)| (origin, document, true)))
    }
}

/// A request, or an example of many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Request {
    /// For example `s3:GetObject`.
    pub action: String,
    /// An ARN, or `*` for an action that has no resource.
    pub resource: String,
    /// Values by condition key. Keys that are not named are absent, those of the principal apart.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// A request without context.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    /// The same with a value for a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.context.entry(key.to_owned()).or_default().push(value.to_owned());
        self
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        for (index, (key, values)) in self.context.iter().enumerate() {
            f.write_str(if index == 0 { " where " } else { " and " })?;
            write!(f, "{key} is {}", values.join(" and "))?;
        }
        Ok(())
    }
}
