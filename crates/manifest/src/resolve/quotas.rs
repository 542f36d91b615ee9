//! Fixed quotas: what no account can hold is told before anything is read from one.
//!
//! Adjustable quotas are the planner's, since they depend on the account.

use trueup_model::{Desired, PolicyDocument, quota};

use crate::{
    context::{Context, Span},
    diagnostic::quoted,
    read::Raw,
};

/// The share of a size, in percent, from which on a warning is given: how IAM counts blanks within texts is not known.
const NEAR: usize = 95;

pub(super) fn check(context: &mut Context<'_>, raw: &Raw, desired: Option<&Desired>) {
    let Some(desired) = desired else { return };
    if let Some(user) = raw.users.get(quota::USERS) {
        let count = desired.users.len();
        over(
            context,
            user.name.span,
            "the manifest",
            count,
            "users",
            quota::USERS,
            "an account",
        );
    }
    for user in &raw.users {
        let Some(resolved) = desired.users.get(&user.name.value) else {
            continue;
        };
        let (span, what) = (user.name.span, format!("user {}", quoted(user.name.value.as_str())));
        let highest = quota::ATTACHED_POLICIES_PER_USER_HIGHEST;
        over(
            context,
            span,
            &what,
            resolved.groups.len(),
            "groups",
            quota::GROUPS_PER_USER,
            "a user",
        );
        over(
            context,
            span,
            &what,
            resolved.managed_policies.len(),
            "managed policies",
            highest,
            "a user",
        );
        over(
            context,
            span,
            &what,
            resolved.tags.len(),
            "tags",
            quota::TAGS_PER_RESOURCE,
            "a user",
        );
        inline_size(
            context,
            span,
            &what,
            resolved.inline_policies.values(),
            quota::USER_INLINE_POLICY_SIZE,
        );
    }
    for group in &raw.groups {
        let Some(resolved) = desired.groups.get(&group.name.value) else {
            continue;
        };
        let (span, what) = (group.name.span, format!("group {}", quoted(group.name.value.as_str())));
        let attached = resolved.managed_policies.len();
        over(
            context,
            span,
            &what,
            attached,
            "managed policies",
            quota::ATTACHED_POLICIES_PER_GROUP,
            "a group",
        );
        inline_size(
            context,
            span,
            &what,
            resolved.inline_policies.values(),
            quota::GROUP_INLINE_POLICY_SIZE,
        );
    }
    for policy in &raw.policies {
        let what = format!("policy {}", quoted(policy.name.value.as_str()));
        over(
            context,
            policy.name.span,
            &what,
            policy.tags.len(),
            "tags",
            quota::TAGS_PER_RESOURCE,
            "a policy",
        );
        if let Some(document) = &policy.document {
            let size = document.document.size();
            let what = format!("the document of {what}");
            size_near(context, document.span, &what, size, quota::MANAGED_POLICY_SIZE);
        }
    }
}

fn over(context: &mut Context<'_>, span: Span, what: &str, count: usize, of: &str, limit: usize, whose: &str) {
    if count > limit {
        context.error(
            "quota",
            span,
            format!("{what} has {count} {of}, {whose} can have at most {limit}"),
        );
    }
}

fn inline_size<'d>(
    context: &mut Context<'_>,
    span: Span,
    what: &str,
    documents: impl Iterator<Item = &'d PolicyDocument>,
    limit: usize,
) {
    let size = documents.map(PolicyDocument::size).sum();
    size_near(
        context,
        span,
        &format!("all inline policies of {what} together"),
        size,
        limit,
    );
}

fn size_near(context: &mut Context<'_>, span: Span, what: &str, size: usize, limit: usize) {
    let span = context.first_line(span);
    let verb = if what.starts_with("all") { "have" } else { "has" };
    let message = format!("{what} {verb} {size} characters besides white space, IAM takes at most {limit}");
    if size > limit {
        context
            .error("quota", span, message)
            .hint("use wildcards, or move statements to a managed policy of its own");
    } else if size * 100 >= limit * NEAR {
        context.warning("quota-near", span, message);
    }
}
