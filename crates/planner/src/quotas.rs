//! Quotas, checked on the planned end state before anything is written.

use trueup_model::{GroupName, Live, UserName, quota};

use crate::{
    ChangeKind,
    draft::Draft,
    resolve::{Fate, Resolved},
    world::World,
};

/// How many managed policies one user may hold: adjustable, so the account says.
pub(crate) fn attached_policies_per_user(live: &Live) -> usize {
    adjustable(live, "AttachedPoliciesPerUserQuota", quota::ATTACHED_POLICIES_PER_USER)
}

fn adjustable(live: &Live, key: &str, default: usize) -> usize {
    live.account
        .summary
        .get(key)
        .and_then(|value| usize::try_from(*value).ok())
        .unwrap_or(default)
}

/// Adds a problem for every quota that the end state breaks.
pub(crate) fn check(resolved: &Resolved<'_>, after: &World, draft: &mut Draft) {
    let live = resolved.live;
    total(
        draft,
        "user",
        live.users.len(),
        adjustable(live, "UsersQuota", quota::USERS),
    );
    total(
        draft,
        "group",
        live.groups.len(),
        adjustable(live, "GroupsQuota", quota::GROUPS),
    );
    total(
        draft,
        "policy",
        live.policies.len(),
        adjustable(live, "PoliciesQuota", quota::POLICIES),
    );
    let per_user = attached_policies_per_user(live);
    for (name, fate) in &resolved.users {
        if matches!(fate, Fate::Declared { .. }) {
            user(name, after, per_user, draft);
        }
    }
    for (name, fate) in &resolved.groups {
        if matches!(fate, Fate::Declared { .. }) {
            group(name, after, draft);
        }
    }
}

fn total(draft: &mut Draft, kind: &str, live: usize, limit: usize) {
    let count = |change: ChangeKind| {
        draft
            .changes
            .iter()
            .filter(|c| c.change == change && c.resource.kind() == kind && !c.resource.is_part())
            .count()
    };
    let (created, deleted) = (count(ChangeKind::Create), count(ChangeKind::Delete));
    if created == 0 || live + created <= limit {
        return;
    }
    let plural = if kind == "policy" {
        "customer managed policies".to_owned()
    } else {
        format!("{kind}s")
    };
    let hint = if live + created - deleted <= limit {
        "apply the deletions first".to_owned()
    } else {
        "ask for a higher quota in Service Quotas, or take some out".to_owned()
    };
    draft.problem(
        format!(
            "{} {plural} are more than the account's quota of {limit}",
            live + created
        ),
        hint,
    );
}

fn user(name: &UserName, after: &World, per_user: usize, draft: &mut Draft) {
    let groups = after.groups_of(name);
    if groups > quota::GROUPS_PER_USER {
        draft.problem(
            format!(
                "user `{name}` would be in {groups} groups with those that are ignored, IAM allows {}",
                quota::GROUPS_PER_USER
            ),
            None,
        );
    }
    let attached = after.attached_to_user(name);
    if attached > per_user {
        draft.problem(
            format!("user `{name}` would have {attached} attached policies, this account allows {per_user}"),
            "attach them to a group, or ask for a higher quota in Service Quotas".to_owned(),
        );
    }
    let size = after.inline_size_of_user(name);
    if size > quota::USER_INLINE_POLICY_SIZE {
        draft.problem(
            format!(
                "the inline policies of user `{name}` have {size} characters, IAM allows {}",
                quota::USER_INLINE_POLICY_SIZE
            ),
            "move some of it to a managed policy or a group".to_owned(),
        );
    }
}

fn group(name: &GroupName, after: &World, draft: &mut Draft) {
    let attached = after.attached_to_group(name);
    if attached > quota::ATTACHED_POLICIES_PER_GROUP {
        draft.problem(
            format!(
                "group `{name}` would have {attached} attached policies, IAM allows {}",
                quota::ATTACHED_POLICIES_PER_GROUP
            ),
            None,
        );
    }
    let size = after.inline_size_of_group(name);
    if size > quota::GROUP_INLINE_POLICY_SIZE {
        draft.problem(
            format!(
                "the inline policies of group `{name}` have {size} characters, IAM allows {}",
                quota::GROUP_INLINE_POLICY_SIZE
            ),
            "move some of it to a managed policy".to_owned(),
        );
    }
}
