//! The sections that declare entities: policies, groups, users, absent and roles.

use std::collections::BTreeMap;

use trueup_model::{
    GroupName, Path, PolicyName, UserName,
    document::{DocumentKind, Owner},
};

use super::{
    keys,
    raw::{Raw, RawAbsent, RawGroup, RawPolicy, RawUser},
    walk::Name,
};
use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    yaml::Node,
};

/// The longest description that IAM takes.
const LONGEST_DESCRIPTION: usize = 1000;

impl Context<'_> {
    pub(super) fn read_policies(&mut self, node: &Node, raw: &mut Raw) {
        for (name, value) in
            self.named::<PolicyName>(node, "`policies`", "policies: {name: {document: {file: name.json}}}")
        {
            let what = format!("policy {}", quoted(name.value.as_str()));
            let mut policy = RawPolicy {
                name: At::new(name.value.clone(), name.span),
                path: None,
                description: None,
                tags: Vec::new(),
                document: None,
            };
            if let Some(fields) = self.fields(value, &what, keys::POLICY, name.span) {
                if let Some(node) = fields.get("path")
                    && let Some(text) = self.text_value(node, "`path`")
                {
                    policy.path = self.checked_path(&text, Path::for_policy(text.value.as_str()));
                }
                if let Some(node) = fields.get("description") {
                    policy.description = self.read_description(node);
                }
                if let Some(node) = fields.get("tags") {
                    policy.tags = self.read_tags(node);
                }
                let example = format!("document: {{file: {}.json}}", name.value);
                if let Some(node) = fields.require(self, "document", &what, &example) {
                    policy.document = self.read_document(node, &what, DocumentKind::Managed);
                }
            }
            raw.policies.push(policy);
        }
    }

    fn read_description(&mut self, node: &Node) -> Option<String> {
        let text = self.text_value(node, "`description`")?;
        let length = text.value.chars().count();
        if length > LONGEST_DESCRIPTION {
            self.error(
                "out-of-range",
                text.span,
                format!("a description has at most {LONGEST_DESCRIPTION} characters, this one has {length}"),
            );
            return None;
        }
        (!text.value.is_empty()).then_some(text.value)
    }

    pub(super) fn read_groups(&mut self, node: &Node, raw: &mut Raw) {
        for (name, value) in self.named::<GroupName>(node, "`groups`", "groups: {administrators: {}}") {
            let what = format!("group {}", quoted(name.value.as_str()));
            let mut group = RawGroup {
                name,
                path: None,
                previously: Vec::new(),
                managed_policies: Vec::new(),
                inline_policies: Vec::new(),
                mfa: None,
            };
            if let Some(fields) = self.fields(value, &what, keys::GROUP, group.name.span) {
                if let Some(node) = fields.get("path") {
                    group.path = self.read_path(node);
                }
                if let Some(node) = fields.get("previously") {
                    group.previously = self.names(node, "`previously`");
                }
                if let Some(node) = fields.get("managed_policies") {
                    group.managed_policies = self.read_policy_names(node);
                }
                if let Some(node) = fields.get("inline_policies") {
                    group.inline_policies = self.read_inline_policies(node, Owner::Group, &what);
                }
                if let (Some(node), Some(span)) = (fields.get("mfa"), fields.key_span("mfa")) {
                    group.mfa = self.read_mfa(node, span);
                }
            }
            raw.groups.push(group);
        }
    }

    pub(super) fn read_users(&mut self, node: &Node, raw: &mut Raw) {
        for (name, value) in self.named::<UserName>(node, "`users`", "users: {alice: {}}") {
            let what = format!("user {}", quoted(name.value.as_str()));
            let mut user = RawUser {
                name,
                user_type: None,
                same_permissions_as: None,
                previously: Vec::new(),
                settings: Default::default(),
                reset_password: None,
                keys: Vec::new(),
            };
            if let Some(fields) = self.fields(value, &what, keys::USER, user.name.span) {
                user.keys = fields.keys().collect();
                user.settings = self.read_settings(&fields, &what);
                if let Some(node) = fields.get("type") {
                    user.user_type = self.text_value(node, "`type`");
                }
                if let Some(node) = fields.get("same_permissions_as")
                    && let Some(text) = self.text_value(node, "`same_permissions_as`")
                {
                    user.same_permissions_as = self.name(&text);
                }
                if let (Some(node), Some(span)) = (fields.get("reset_password"), fields.key_span("reset_password")) {
                    user.reset_password = self.read_reset(node, span);
                }
                if let Some(node) = fields.get("previously") {
                    user.previously = self.names(node, "`previously`");
                }
            }
            raw.users.push(user);
        }
    }

    pub(super) fn read_absent(&mut self, node: &Node, owner: Span, raw: &mut Raw) {
        let Some(fields) = self.fields(node, "`absent`", keys::ABSENT, owner) else {
            return;
        };
        if let Some(node) = fields.get("users") {
            let entries = self.read_absent_entries(node, "user", keys::ABSENT_USER, &mut raw.quarantine_days);
            raw.absent_users.extend(entries);
        }
        if let Some(node) = fields.get("groups") {
            let entries = self.read_absent_entries(node, "group", keys::ABSENT_ENTRY, &mut BTreeMap::new());
            raw.absent_groups.extend(entries);
        }
        if let Some(node) = fields.get("policies") {
            let entries = self.read_absent_entries(node, "policy", keys::ABSENT_ENTRY, &mut BTreeMap::new());
            raw.absent_policies.extend(entries);
        }
        if let (Some(node), Some(span)) = (fields.get("roles"), fields.key_span("roles")) {
            self.read_roles(node, span);
        }
    }

    fn read_absent_entries<N: Name + std::fmt::Display + Ord + Clone>(
        &mut self,
        node: &Node,
        kind: &str,
        allowed: &'static [&'static str],
        quarantine_days: &mut BTreeMap<N, u32>,
    ) -> Vec<RawAbsent<N>> {
        let mut found = Vec::new();
        let section = match kind {
            "policy" => "`policies`".to_owned(),
            kind => format!("`{kind}s`"),
        };
        for (name, value) in self.named::<N>(node, &section, "carol: {reason: left on 2026-11-20}") {
            let what = format!("absent {kind} {}", quoted(&name.value.to_string()));
            let Some(fields) = self.fields(value, &what, allowed, name.span) else {
                continue;
            };
            let reason = fields
                .require(self, "reason", &what, "reason: left on 2026-11-20")
                .and_then(|node| self.filled_text(node, "`reason`"));
            if let Some(node) = fields.get("quarantine_days")
                && let Some(days) = self.integer(node, "`quarantine_days`", 1..=3650)
            {
                quarantine_days.insert(name.value.clone(), days);
            }
            found.push(RawAbsent {
                name,
                reason: reason.map(|reason| reason.value).unwrap_or_default(),
            });
        }
        found
    }

    /// Roles may be named once they are built; until then only an empty section passes.
    pub(super) fn read_roles(&mut self, node: &Node, owner: Span) {
        if let Some(entries) = self.mapping(node, "`roles`", "roles: {}")
            && !entries.is_empty()
        {
            self.unsupported(owner, "roles");
        }
    }
}
