//! Whether a difference is there because the account moved away from what was applied, or because the manifest moved on.
//!
//! It never looks at documents or values: a fact of the last apply that is still true has not moved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trueup_model::Resource;

use crate::{Change, ChangeKind, Plan};

/// Why something differs, since an apply that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The account moved away from what was applied.
    Drift,
    /// The manifest asks for something that was not applied yet.
    Pending,
    /// Some of it is drift, and some is pending.
    Both,
}

impl Origin {
    /// As text and JSON have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Pending => "pending",
            Self::Both => "both",
        }
    }
}

impl Plan {
    /// Says of every change whether it is drift or pending. `applied` are the facts after an apply, as its receipt has
    /// them.
    pub fn compare_with_applied(&mut self, applied: &BTreeMap<Resource, String>) {
        let manifest = Resource::manifest();
        let same_manifest = applied.get(&manifest) == self.facts.get(&manifest);
        for change in &mut self.changes {
            change.origin = Some(origin(change, applied, &self.facts, same_manifest));
        }
    }

    /// The changes that nightly runs leave as they are.
    pub fn is_held(&self, change: &Change) -> bool {
        self.held.iter().any(|held| held.resource == change.resource)
    }
}

fn origin(
    change: &Change,
    applied: &BTreeMap<Resource, String>,
    now: &BTreeMap<Resource, String>,
    same_manifest: bool,
) -> Origin {
    let resource = &change.resource;
    if !applied.contains_key(&resource.entity()) {
        // Nothing of it was applied. Where the manifest is the same, it is new in the account.
        return if same_manifest { Origin::Drift } else { Origin::Pending };
    }
    let has_moved = |fact: &Resource| applied.get(fact) != now.get(fact);
    let of = |moved: bool| if moved { Origin::Drift } else { Origin::Pending };
    if resource.is_part() || change.change != ChangeKind::Update || change.fields.is_empty() {
        return of(has_moved(resource));
    }
    let mut origins = change.fields.iter().map(|field| {
        of(has_moved(&match field.path.as_str() {
            "name" | "path" | "description" => resource.clone(),
            "permissions_boundary" => resource.permissions_boundary(),
            path => match (path.strip_prefix("tags."), resource.kind()) {
                (Some(key), _) => resource.tag(key),
                (None, "policy") => resource.document(),
                (None, _) => resource.clone(),
            },
        }))
    });
    let first = origins.next().unwrap_or(Origin::Pending);
    if origins.all(|origin| origin == first) {
        first
    } else {
        Origin::Both
    }
}
