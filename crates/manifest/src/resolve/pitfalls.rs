//! Warnings about documents that cannot do what they are written for, above all those that require MFA.

use trueup_model::{
    Desired, PolicyName,
    desired::{BoundaryWish, DesiredUser, LoginProfileWish, PolicyRef},
    document::LintContext,
};

use crate::{
    context::Context,
    diagnostic::quoted,
    read::{Raw, document::Document, raw::RawInline},
};

pub(super) fn check(context: &mut Context<'_>, raw: &Raw, desired: Option<&Desired>) {
    let Some(desired) = desired else { return };
    for policy in &raw.policies {
        let holders = desired
            .users
            .values()
            .filter(|user| has_policy(desired, user, &policy.name.value));
        if let Some(document) = &policy.document {
            warn(context, document, &facts(holders));
        }
    }
    for group in &raw.groups {
        let members = desired
            .users
            .values()
            .filter(|user| user.groups.contains(&group.name.value));
        warn_all(context, &group.inline_policies, &facts(members));
    }
    for user in &raw.users {
        let resolved = desired.users.get(&user.name.value);
        warn_all(context, &user.settings.inline_policies, &facts(resolved.into_iter()));
    }
    for user_type in &raw.user_types {
        let users = raw.users.iter().filter(|user| {
            user.user_type
                .as_ref()
                .is_some_and(|name| name.value == user_type.name.value)
        });
        let users = users.filter_map(|user| desired.users.get(&user.name.value));
        warn_all(context, &user_type.settings.inline_policies, &facts(users));
    }
}

/// Attached to the user or to one of its groups, or its boundary.
fn has_policy(desired: &Desired, user: &DesiredUser, policy: &PolicyName) -> bool {
    let policy = PolicyRef::Declared(policy.clone());
    let by_group = |name| {
        desired
            .groups
            .get(name)
            .is_some_and(|group| group.managed_policies.contains(&policy))
    };
    user.managed_policies.contains(&policy)
        || user.permissions_boundary == BoundaryWish::Present(policy.clone())
        || user.groups.iter().any(by_group)
}

/// What the document's reach depends on. The partition is not known before an account is read.
fn facts<'u>(users: impl Iterator<Item = &'u DesiredUser>) -> LintContext<'static> {
    let mut facts = LintContext::default();
    for user in users {
        facts.users_have_paths |= user.path.as_ref().is_some_and(|path| path.as_str() != "/");
        facts.password_reset_required |= matches!(
            user.login_profile,
            Some(LoginProfileWish::Present {
                password_reset_required: true
            })
        );
    }
    facts
}

fn warn_all(context: &mut Context<'_>, policies: &[RawInline], facts: &LintContext<'_>) {
    for document in policies.iter().filter_map(|policy| policy.document.as_ref()) {
        warn(context, document, facts);
    }
}

fn warn(context: &mut Context<'_>, document: &Document, facts: &LintContext<'_>) {
    let statements = document.document.statements();
    for lint in document.document.mfa_pitfalls(facts) {
        let place = statements
            .iter()
            .position(|statement| statement.label() == lint.statement);
        let span = place
            .and_then(|at| document.statements.get(at))
            .copied()
            .unwrap_or(document.span);
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
