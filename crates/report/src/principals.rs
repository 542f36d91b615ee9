//! Changes by whom they are about: a membership belongs to its user, everything else to the entity that it is a part
//! of.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::Resource;
use trueup_planner::{Change, ChangeKind, Origin};

/// Everything that changes for one user, group or policy, or in one setting of the account.
#[derive(Debug)]
pub(crate) struct Principal<'a> {
    /// For example `user/alice`; for a rename, the new name.
    pub(crate) resource: Resource,
    /// How it changes as a whole.
    pub(crate) fate: ChangeKind,
    /// The change of the entity itself, if any.
    pub(crate) own: Option<&'a Change>,
    /// The changes of its parts, memberships included.
    pub(crate) parts: Vec<&'a Change>,
}

impl Principal<'_> {
    /// Its kind in the plural and in the order in which a reviewer asks: people first.
    pub(crate) fn kind(&self) -> Kind {
        Kind::of(&self.resource)
    }

    /// Its name alone: `alice`.
    pub(crate) fn name(&self) -> &str {
        self.resource.entity_name()
    }

    /// Whether its changes are drift, pending, or some of each; empty where no earlier apply is known.
    pub(crate) fn origins(&self) -> Vec<Origin> {
        let changes = self.own.iter().chain(&self.parts);
        let origins: BTreeSet<Origin> = changes.filter_map(|change| change.origin).collect();
        origins.into_iter().collect()
    }

    /// Whether anything of it is lost for good.
    pub(crate) fn is_destructive(&self) -> bool {
        self.own.iter().chain(&self.parts).any(|change| change.destructive)
    }
}

/// Kinds of principals, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Users,
    Groups,
    Roles,
    Policies,
    Account,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Users, Self::Groups, Self::Roles, Self::Policies, Self::Account];

    fn of(resource: &Resource) -> Self {
        match resource.as_str().split('/').next().unwrap_or_default() {
            "user" => Self::Users,
            "group" => Self::Groups,
            "role" => Self::Roles,
            "policy" => Self::Policies,
            _ => Self::Account,
        }
    }

    /// As a heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Groups => "Groups",
            Self::Roles => "Roles",
            Self::Policies => "Policies",
            Self::Account => "Account",
        }
    }

    /// One or many of it.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Users => ("user", "users"),
            Self::Groups => ("group", "groups"),
            Self::Roles => ("role", "roles"),
            Self::Policies => ("policy", "policies"),
            Self::Account => ("setting of the account", "settings of the account"),
        }
    }
}

/// Whom a change is about, and what of it changes; the latter is empty for the entity itself.
pub(crate) fn whose(resource: &Resource) -> (Resource, String) {
    if let Some(user) = resource.member_user() {
        return (user, format!("member of group/{}", resource.entity_name()));
    }
    let entity = resource.entity();
    let part = resource.as_str().strip_prefix(entity.as_str()).unwrap_or_default();
    let part = part.strip_prefix('/').unwrap_or(part).to_owned();
    (entity, part)
}

/// Groups the changes: by kind, then by name.
pub(crate) fn principals(changes: &[Change]) -> Vec<Principal<'_>> {
    let mut found: BTreeMap<(Kind, Resource), Principal<'_>> = BTreeMap::new();
    for change in changes {
        let (resource, part) = whose(&change.resource);
        let principal = found
            .entry((Kind::of(&resource), resource.clone()))
            .or_insert_with(|| Principal {
                resource,
                fate: ChangeKind::Update,
                own: None,
                parts: Vec::new(),
            });
        if part.is_empty() {
            principal.fate = change.change;
            principal.own = Some(change);
        } else {
            principal.parts.push(change);
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_belong_to_their_user() {
        let of = |text: &str| {
            let resource: Resource = serde_json::from_value(text.into()).unwrap_or_else(|_| Resource::root());
            let (whose, part) = whose(&resource);
            (whose.to_string(), part)
        };
        let pair = |whose: &str, part: &str| (whose.to_owned(), part.to_owned());
        assert_eq!(of("group/ops/member/alice"), pair("user/alice", "member of group/ops"));
        assert_eq!(of("user/alice"), pair("user/alice", ""));
        assert_eq!(of("user/alice/inline-policy/x"), pair("user/alice", "inline-policy/x"));
        assert_eq!(of("account/alias"), pair("account/alias", ""));
    }
}
