//! Warnings about documents that cannot do what they are written for, above all those that require MFA.

use std::collections::BTreeMap;

use trueup_model::{
    Desired, GroupName, PolicyName,
    desired::{AccessKeysWish, BoundaryWish, DesiredUser, LoginProfileWish, MfaLevel, MfaRequirement, PolicyRef},
    document::LintContext,
};

use crate::{
    LintRule,
    context::Context,
    diagnostic::quoted,
    lints::{inline_resource, is_ignored},
    read::{Raw, document::Document, raw::RawInline},
};

pub(super) fn check(context: &mut Context<'_>, raw: &Raw, desired: Option<&Desired>, rules: &mut [LintRule]) {
    let Some(desired) = desired else { return };
    enforced(context, raw, desired);
    let reach = Reach::of(raw, desired);
    for policy in &raw.policies {
        if let Some(document) = &policy.document {
            let resource = format!("policy/{}", policy.name.value);
            warn(
                context,
                &resource,
                document,
                reach.policies.get(&policy.name.value),
                rules,
            );
        }
    }
    for group in &raw.groups {
        let owner = format!("group/{}", group.name.value);
        warn_all(
            context,
            &owner,
            &group.inline_policies,
            reach.groups.get(&group.name.value),
            rules,
        );
    }
    for user in &raw.users {
        let facts = desired.users.get(&user.name.value).map(|user| facts(user));
        let owner = format!("user/{}", user.name.value);
        warn_all(context, &owner, &user.settings.inline_policies, facts.as_ref(), rules);
    }
    for user_type in &raw.user_types {
        let facts = reach.types.get(user_type.name.value.as_str());
        let owner = format!("user-type/{}", user_type.name.value);
        warn_all(context, &owner, &user_type.settings.inline_policies, facts, rules);
    }
}

/// Who must not be under a policy that denies everything without MFA, and whose keys it makes useless.
fn enforced(context: &mut Context<'_>, raw: &Raw, desired: &Desired) {
    let is_enforced = |mfa: Option<MfaRequirement>| mfa.is_some_and(|mfa| mfa.level == MfaLevel::Enforced);
    for raw_user in &raw.users {
        let Some(user) = desired.users.get(&raw_user.name.value) else {
            continue;
        };
        let shown = quoted(user.name.as_str());
        let group = user
            .groups
            .iter()
            .filter_map(|name| desired.groups.get(name))
            .find(|group| is_enforced(group.mfa));
        let place = group.and_then(|group| raw.groups.iter().find(|declared| declared.name.value == group.name));
        let is_exempt = user.mfa.is_some_and(|mfa| mfa.level == MfaLevel::Exempt);
        if let (Some(group), true) = (group, is_exempt) {
            let draft = context.error(
                "mfa-exempt-member",
                raw_user.name.span,
                format!(
                    "user {shown} is exempt from MFA, and a member of group {}, whose policy denies everything without",
                    quoted(group.name.as_str())
                ),
            );
            if let Some(place) = place {
                draft.related("MFA is enforced on the group", place.name.span);
            }
            draft.hint(
                "a group's policy knows no exceptions; take the user out of the group, or put `mfa: enforced` on users",
            );
        } else if (group.is_some() || is_enforced(user.mfa))
            && matches!(user.access_keys, Some(AccessKeysWish::Present(_)))
        {
            context
                .warning(
                    "mfa-enforced-keys",
                    raw_user.name.span,
                    format!("the access keys of user {shown} can do nothing but ask for a session with MFA"),
                )
                .hint(
                    "`mfa: enforced` denies everything to requests without MFA, and those that a key signs have none; \
                       use `aws sts get-session-token` with a code, or leave unattended users out of it",
                );
        }
    }
}

/// What is known about the users whom policies, groups and types reach. The partition is not known before an account
/// is read.
#[derive(Default)]
struct Reach<'d> {
    policies: BTreeMap<&'d PolicyName, LintContext<'static>>,
    groups: BTreeMap<&'d GroupName, LintContext<'static>>,
    types: BTreeMap<&'d str, LintContext<'static>>,
}

impl<'d> Reach<'d> {
    fn of(raw: &'d Raw, desired: &'d Desired) -> Self {
        let mut reach = Self::default();
        for user in desired.users.values() {
            let facts = facts(user);
            for group in &user.groups {
                add(reach.groups.entry(group).or_default(), facts);
            }
            let boundary = match &user.permissions_boundary {
                BoundaryWish::Present(policy) => Some(policy),
                BoundaryWish::Keep | BoundaryWish::Absent => None,
            };
            reach.add_policies(user.managed_policies.iter().chain(boundary), facts);
        }
        for group in desired.groups.values() {
            let facts = reach.groups.get(&group.name).copied().unwrap_or_default();
            reach.add_policies(group.managed_policies.iter(), facts);
        }
        for user in &raw.users {
            if let (Some(name), Some(resolved)) = (&user.user_type, desired.users.get(&user.name.value)) {
                add(reach.types.entry(&name.value).or_default(), facts(resolved));
            }
        }
        reach
    }

    fn add_policies(&mut self, policies: impl Iterator<Item = &'d PolicyRef>, facts: LintContext<'static>) {
        for policy in policies {
            if let PolicyRef::Declared(name) = policy {
                add(self.policies.entry(name).or_default(), facts);
            }
        }
    }
}

fn add(known: &mut LintContext<'static>, facts: LintContext<'static>) {
    known.users_have_paths |= facts.users_have_paths;
    known.password_reset_required |= facts.password_reset_required;
}

fn facts(user: &DesiredUser) -> LintContext<'static> {
    LintContext {
        users_have_paths: user.path.as_ref().is_some_and(|path| path.as_str() != "/"),
        password_reset_required: matches!(
            user.login_profile,
            Some(LoginProfileWish::Present {
                password_reset_required: true
            })
        ),
        ..LintContext::default()
    }
}

fn warn_all(
    context: &mut Context<'_>,
    owner: &str,
    policies: &[RawInline],
    facts: Option<&LintContext<'_>>,
    rules: &mut [LintRule],
) {
    for policy in policies {
        if let Some(document) = &policy.document {
            warn(context, &inline_resource(owner, policy), document, facts, rules);
        }
    }
}

fn warn(
    context: &mut Context<'_>,
    resource: &str,
    document: &Document,
    facts: Option<&LintContext<'_>>,
    rules: &mut [LintRule],
) {
    for lint in document.document.mfa_pitfalls(facts.unwrap_or(&LintContext::default())) {
        if is_ignored(rules, lint.code, resource, &lint.statement) {
            continue;
        }
        let span = document.statements.get(lint.index).copied().unwrap_or(document.span);
        // The model's messages say what is wrong, and after a semicolon what to write instead.
        let (message, hint) = match lint.message.rsplit_once("; ") {
            Some((message, hint)) => (message, Some(hint.to_owned())),
            None => (lint.message.as_str(), None),
        };
        let draft = context.warning(
            lint.code,
            span,
            format!("statement {}: {message}", quoted(&lint.statement)),
        );
        draft.maybe_hint(hint);
        if span.source != document.span.source {
            draft.related("used here", document.span);
        }
    }
}
