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

/// The lines at which the entities of a manifest, some of their parts, and the settings of the root file are declared.
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
        for (path, span) in &raw.keys {
            let setting = match path.as_str() {
                "account.alias" => Some(Resource::account_alias()),
                "account.password_policy" => Some(Resource::password_policy()),
                "account.root" => Some(Resource::root()),
                _ => None,
            };
            for resource in setting.into_iter().chain([Resource::manifest_key(path)]) {
                add(resource, *span);
            }
        }
        // What is asked of an account without a word, such as that root has no keys.
        if let Some(id) = raw.account.as_ref().and_then(|account| account.id.as_ref()) {
            for resource in [Resource::account_alias(), Resource::password_policy(), Resource::root()] {
                add(resource, id.span);
            }
        }
        if let Some(root) = raw.root {
            add(Resource::manifest(), root);
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
            "manifest",
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
                Some("a.yaml:1"),
            ]
        );
    }

    #[test]
    fn settings_of_the_root_file_have_lines_of_their_own() {
        let text = "\
account:
  id: \"123456789012\"
  alias: acme
  password_policy:
    minimum_password_length: 14
  root: {mfa: required}
scope:
  users: {paths: [/]}
  ignore:
    - {user: \"a-*\", reason: a}
    - {user: \"b-*\", reason: b}
guardrails:
  max_deletions: 3
  break_glass:
    - eve
  allow:
    - {code: alias, reason: new name, until: 2026-12-01}
    - code: mfa
      reason: tokens are replaced
      until: 2026-12-01
hold:
  - {group: ops, reason: outage, until: 2026-12-01}
version: 1
users: {alice: {}}
";
        let parsed = parse(&MemoryFiles::new([("trueup.yaml", text)]));
        assert!(parsed.desired.is_some(), "{:?}", parsed.diagnostics);
        for (resource, line) in [
            ("account/alias", Some(3)),
            ("account/password-policy", Some(4)),
            ("account/root", Some(6)),
            ("manifest/scope.users", Some(8)),
            ("manifest/scope.ignore[0]", Some(10)),
            ("manifest/scope.ignore[1]", Some(11)),
            ("manifest/guardrails.max_deletions", Some(13)),
            ("manifest/guardrails.minimum_administrators", None),
            ("manifest/guardrails.break_glass.eve", Some(15)),
            ("manifest/guardrails.allow[0]", Some(17)),
            ("manifest/guardrails.allow[1]", Some(18)),
            ("manifest/hold[0]", Some(22)),
            ("manifest", Some(23)),
        ] {
            let found = parsed.positions.of(&serde_json::from_value(resource.into()).unwrap());
            assert_eq!(found.map(|found| found.line), line, "{resource}");
        }
    }
}
