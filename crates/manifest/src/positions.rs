//! Where things are declared: for remarks beside the lines of a manifest. It never takes part in what a manifest means.

use std::collections::BTreeMap;

use trueup_model::Resource;

use crate::{
    context::{Context, Span},
    read::{Raw, raw::RawInline},
};

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file, as messages name it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// The lines at which the entities of a manifest, and some of their parts, are declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, Position>);

impl Positions {
    pub(crate) fn collect(context: &Context<'_>, raw: &Raw) -> Self {
        let mut positions = Self::default();
        let mut add = |resource: Resource, span: Span| {
            let (file, line) = context.line_of(span);
            let position = Position {
                file: file.to_owned(),
                line,
            };
            positions.0.entry(folded(&resource)).or_insert(position);
        };
        for user in &raw.users {
            let resource = Resource::user(&user.name.value);
            add_inline(&mut add, &resource, &user.settings.inline_policies);
            for (key, part) in [
                ("login_profile", resource.login_profile()),
                ("permissions_boundary", resource.permissions_boundary()),
            ] {
                if let Some(span) = user.settings.key_span(key) {
                    add(part, span);
                }
            }
            for group in &user.settings.groups {
                add(Resource::group(&group.value).member(&user.name.value), group.span);
            }
            add(resource, user.name.span);
        }
        for group in &raw.groups {
            let resource = Resource::group(&group.name.value);
            add_inline(&mut add, &resource, &group.inline_policies);
            add(resource, group.name.span);
        }
        for policy in &raw.policies {
            add(Resource::policy(&policy.name.value), policy.name.span);
        }
        for entry in &raw.absent_users {
            add(Resource::user(&entry.name.value), entry.name.span);
        }
        for entry in &raw.absent_groups {
            add(Resource::group(&entry.name.value), entry.name.span);
        }
        for entry in &raw.absent_policies {
            add(Resource::policy(&entry.name.value), entry.name.span);
        }
        if let Some(id) = raw.account.as_ref().and_then(|account| account.id.as_ref()) {
            for resource in [Resource::account_alias(), Resource::password_policy(), Resource::root()] {
                add(resource, id.span);
            }
        }
        positions
    }

    /// Where something is declared, or what it is a part of.
    pub fn of(&self, resource: &Resource) -> Option<&Position> {
        self.0
            .get(&folded(resource))
            .or_else(|| self.0.get(&folded(&resource.entity())))
    }
}

/// Names match ignoring case, as IAM does.
fn folded(resource: &Resource) -> String {
    resource.as_str().to_ascii_lowercase()
}

fn add_inline(add: &mut impl FnMut(Resource, Span), owner: &Resource, policies: &[RawInline]) {
    for policy in policies {
        add(owner.inline_policy(&policy.name.value), policy.name.span);
    }
}

#[cfg(test)]
mod tests {
    use crate::{MemoryFiles, parse};

    #[test]
    fn what_is_declared_has_a_line() {
        let parsed = parse(&MemoryFiles::new([
            (
                "a.yaml",
                "version: 1\naccount: {id: \"123456789012\"}\nabsent:\n  users:\n    bob: {reason: left}\n",
            ),
            (
                "b.yaml",
                "groups: {ops: {}}\nusers:\n  alice:\n    groups:\n      - ops\n    login_profile: {}\n",
            ),
        ]));
        let mut lines = Vec::new();
        for resource in [
            "user/alice",
            "user/ALICE",
            "group/ops/member/alice",
            "user/alice/login-profile",
            "user/alice/managed-policy/x",
            "user/bob",
            "account/alias",
            "user/nobody",
        ] {
            let resource = serde_json::from_value(resource.into()).unwrap();
            let position = parsed.positions.of(&resource);
            lines.push(position.map(|position| format!("{}:{}", position.file, position.line)));
        }
        let lines: Vec<_> = lines.iter().map(Option::as_deref).collect();
        assert_eq!(
            lines,
            [
                Some("b.yaml:3"),
                Some("b.yaml:3"),
                Some("b.yaml:5"),
                Some("b.yaml:6"),
                Some("b.yaml:3"),
                Some("a.yaml:5"),
                Some("a.yaml:2"),
                None,
            ]
        );
    }
}
