//! Guardrails: small functions over the planned end state, each with a code. They stand between a typo and a disaster.
//!
//! A guardrail never changes the plan: `plan` lists it, `apply` refuses.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Arn, PolicyArn, PolicyDocument, Resource, RoleName, UserName,
    desired::{AliasWish, DeletionLimit, MfaLevel, PasswordPolicyWish},
    document::Statement,
};

use crate::{
    Call, ChangeKind, GuardrailCode, GuardrailFinding, Note,
    draft::Draft,
    requirements::mfa_of,
    resolve::{Fate, Resolved},
    world::{Access, Principal, World},
};

/// Everything that a guardrail looks at.
pub(crate) struct View<'a, 'r> {
    pub(crate) resolved: &'a Resolved<'r>,
    pub(crate) draft: &'a Draft,
    pub(crate) before: &'a World,
    pub(crate) after: &'a World,
}

/// Every guardrail that fires, ordered by code and message, and what else should be known.
pub(crate) fn check(view: &View<'_, '_>, allow: &BTreeSet<GuardrailCode>) -> (Vec<GuardrailFinding>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut found: Vec<(GuardrailCode, String)> = Vec::new();
    let mut add = |code: GuardrailCode, messages: Vec<String>| found.extend(messages.into_iter().map(|m| (code, m)));
    add(GuardrailCode::Deletions, deletions(view));
    add(GuardrailCode::OwnAccess, own_access(view, &mut notes));
    add(GuardrailCode::Administrators, administrators(view));
    notes.extend(break_glass_of_nobody(view));
    add(GuardrailCode::BreakGlass, break_glass(view));
    add(GuardrailCode::PasswordPolicy, password_policy(view));
    add(GuardrailCode::Mfa, mfa(view));
    add(GuardrailCode::Boundary, boundary(view));
    add(GuardrailCode::Alias, alias(view));
    add(GuardrailCode::SharedPolicy, shared_policy(view));
    let findings = found
        .into_iter()
        .map(|(code, message)| GuardrailFinding {
            code,
            message,
            allowed: allow.contains(&code),
        })
        .collect();
    (findings, notes)
}

/// The kinds that the limit on deletions counts, with the words for them.
const COUNTED: [(&str, &str); 7] = [
    ("user", "users"),
    ("group", "groups"),
    ("member", "memberships"),
    ("managed-policy", "attachments"),
    ("inline-policy", "inline policies"),
    ("login-profile", "login profiles"),
    ("access-key", "access keys"),
];

/// The share of deletions, by kind. What goes with an entity that is itself deleted counts as that entity only.
fn deletions(view: &View<'_, '_>) -> Vec<String> {
    let deleted_entities: BTreeSet<Resource> = view
        .draft
        .changes
        .iter()
        .filter(|change| change.change == ChangeKind::Delete && !change.resource.is_part())
        .map(|change| change.resource.clone())
        .collect();
    let goes_with_its_entity = |resource: &Resource| {
        let user_of_membership = resource
            .part_name()
            .filter(|_| resource.kind() == "member")
            .map(|user| Resource::user(&UserName::from_live(user)));
        // A membership goes with its user; with its group it is somebody else's loss.
        match user_of_membership {
            Some(user) => deleted_entities.contains(&user),
            None => resource.is_part() && deleted_entities.contains(&resource.entity()),
        }
    };
    let population = population(view);
    let mut found = Vec::new();
    for (kind, words) in COUNTED {
        let count = view
            .draft
            .changes
            .iter()
            .filter(|change| change.change == ChangeKind::Delete && change.resource.kind() == kind)
            .filter(|change| !goes_with_its_entity(&change.resource))
            .count();
        let live = population.get(kind).copied().unwrap_or(0);
        let (too_many, limit) = match view.resolved.desired.guardrails.max_deletions {
            DeletionLimit::Count(most) => (count > most as usize, most.to_string()),
            DeletionLimit::Percent(_) if live < 10 => (count > 2, "2 where there are fewer than 10".to_owned()),
            DeletionLimit::Percent(share) => (count * 100 > live * share as usize, format!("{share}%")),
        };
        if too_many {
            found.push(format!(
                "{count} of {live} {words} in scope would be deleted; the limit is {limit}"
            ));
        }
    }
    found
}

/// How many of each kind are live and in scope, deletions included.
fn population(view: &View<'_, '_>) -> BTreeMap<&'static str, usize> {
    let resolved = view.resolved;
    let scope = &resolved.desired.scope;
    let users = || {
        resolved
            .live
            .users
            .values()
            .filter(|user| scope.users.contains(&user.path) && !resolved.ignored_users.contains_key(&user.name))
    };
    let groups =
        || {
            resolved.live.groups.values().filter(|group| {
                scope.groups.contains(&group.path) && !resolved.ignored_groups.contains_key(&group.name)
            })
        };
    let in_scope: BTreeSet<_> = groups().map(|group| &group.name).collect();
    let memberships = resolved
        .live
        .users
        .values()
        .flat_map(|user| &user.groups)
        .filter(|group| in_scope.contains(group))
        .count();
    BTreeMap::from([
        ("user", users().count()),
        ("group", groups().count()),
        ("member", memberships),
        (
            "managed-policy",
            users().map(|user| user.managed_policies.len()).sum::<usize>()
                + groups().map(|group| group.managed_policies.len()).sum::<usize>(),
        ),
        (
            "inline-policy",
            users().map(|user| user.inline_policies.len()).sum::<usize>()
                + groups().map(|group| group.inline_policies.len()).sum::<usize>(),
        ),
        (
            "login-profile",
            users()
                .filter(|user| matches!(user.credentials.login_profile, Some(Some(_))))
                .count(),
        ),
        (
            "access-key",
            users()
                .map(|user| user.credentials.access_keys.iter().flatten().count())
                .sum(),
        ),
    ])
}

/// Who runs trueup, as a principal of the live account.
fn caller(view: &View<'_, '_>) -> Option<Principal> {
    let live = view.resolved.live;
    let arn: &Arn = &live.caller;
    if arn.account() != live.account.id.as_str() {
        return None;
    }
    let resource = arn.resource();
    if resource.starts_with("user/") {
        let name = UserName::from_live(arn.name());
        return live
            .users
            .contains_key(&name)
            .then(|| Principal::User(view.resolved.user_after(&name)));
    }
    if let Some(session) = resource.strip_prefix("assumed-role/") {
        let name = RoleName::from_live(session.split('/').next().unwrap_or_default());
        return live.roles.contains_key(&name).then_some(Principal::Role(name));
    }
    None
}

/// How the plan takes something away from a principal, in words; `None` where it does not.
fn loss(view: &View<'_, '_>, principal: &Principal) -> Option<&'static str> {
    if let Principal::User(name) = principal {
        if matches!(view.resolved.users.get(name), Some(Fate::Deleted { .. })) {
            return Some("deleted");
        }
        let loses_credentials = view.draft.steps.iter().any(|step| match &step.call {
            Call::DeleteLoginProfile { user_name }
            | Call::UpdateAccessKey { user_name, .. }
            | Call::DeleteAccessKey { user_name, .. } => user_name == name,
            _ => false,
        });
        if loses_credentials {
            return Some("disabled");
        }
    }
    let (before, after) = (view.before.access(principal), view.after.access(principal));
    if still_administrator(&before, &after) || before.only_shrinks_to(&after) && after.only_shrinks_to(&before) {
        return None;
    }
    (!after.only_shrinks_to(&before)).then_some("weakened")
}

/// Whether everything that could be done before can still be done, since `*` on `*` is kept and nothing new limits it.
fn still_administrator(before: &Access, after: &Access) -> bool {
    after.everything && after.denies.is_subset(&before.denies) && (!after.is_bounded() || before.is_bounded())
}

fn own_access(view: &View<'_, '_>, notes: &mut Vec<Note>) -> Vec<String> {
    let arn = &view.resolved.live.caller;
    let Some(caller) = caller(view) else {
        if !arn.resource().starts_with("root") && !view.draft.steps.is_empty() {
            notes.push(Note {
                strict: false,
                resource: None,
                message: format!(
                    "the caller {arn} is no user or role of this account, so its own access is not checked"
                ),
            });
        }
        return Vec::new();
    };
    let Some(how) = loss(view, &caller) else {
        return Vec::new();
    };
    let who = match caller {
        Principal::User(name) => format!("user `{name}`"),
        Principal::Role(name) => format!("role `{name}`"),
    };
    vec![format!("{who}, which runs this, would be {how}")]
}

fn administrators(view: &View<'_, '_>) -> Vec<String> {
    let minimum = view.resolved.desired.guardrails.minimum_administrators as usize;
    let before = view.before.administrators();
    let after: BTreeSet<UserName> = view
        .after
        .administrators()
        .into_iter()
        .filter(|name| {
            let principal = Principal::User(name.clone());
            !matches!(loss(view, &principal), Some("deleted" | "disabled"))
        })
        .collect();
    // Only where the plan itself takes the number below.
    if after.len() >= minimum || after.len() >= before.len() {
        return Vec::new();
    }
    let lost: Vec<String> = before.difference(&after).map(|name| format!("`{name}`")).collect();
    vec![format!(
        "{} administrators would be left, {minimum} must be; no longer one: {}",
        after.len(),
        lost.join(", ")
    )]
}

/// A name that protects nobody, most likely a typo.
fn break_glass_of_nobody(view: &View<'_, '_>) -> Vec<Note> {
    let desired = view.resolved.desired;
    let known = |name: &UserName| view.resolved.live.users.contains_key(name) || desired.users.contains_key(name);
    let unknown = desired.guardrails.break_glass.iter().filter(|name| !known(name));
    unknown
        .map(|name| Note {
            strict: true,
            resource: None,
            message: format!(
                "break-glass user `{name}` is neither in the account nor in the manifest: the name protects nobody"
            ),
        })
        .collect()
}

fn break_glass(view: &View<'_, '_>) -> Vec<String> {
    let mut found = Vec::new();
    for name in &view.resolved.desired.guardrails.break_glass {
        // Listed by the name that it has, or by the one that the plan gives it.
        let live = &view.resolved.live.users;
        let renamed = view.resolved.user_names.iter().find(|(_, after)| *after == name);
        let Some(before) = renamed
            .map(|(before, _)| before)
            .or_else(|| live.contains_key(name).then_some(name))
        else {
            continue;
        };
        let after = view.resolved.user_after(before);
        if let Some(how) = loss(view, &Principal::User(after.clone())) {
            found.push(format!("break-glass user `{name}` would be {how}"));
        }
        if after != *before {
            found.push(format!("break-glass user `{before}` would be renamed to `{after}`"));
        }
        if let Some(declared) = view.resolved.desired.users.get(&after)
            && mfa_of(view.resolved.desired, declared).is_some_and(|mfa| mfa.level >= MfaLevel::Required)
        {
            found.push(format!(
                "break-glass user `{name}` would be under an MFA requirement; say `mfa: exempt`"
            ));
        }
    }
    found
}

fn password_policy(view: &View<'_, '_>) -> Vec<String> {
    let live = view.resolved.live.account.password_policy.as_ref();
    let weaker = match &view.resolved.desired.account.password_policy {
        None => return Vec::new(),
        Some(PasswordPolicyWish::Custom(policy)) if Some(policy) == live => return Vec::new(),
        Some(PasswordPolicyWish::Custom(policy)) => policy.weaker_than(live),
        Some(PasswordPolicyWish::AwsDefault) => match live {
            None => return Vec::new(),
            Some(live) => {
                let aws_default = trueup_model::PasswordPolicy {
                    minimum_password_length: 8,
                    require_numbers: true,
                    require_uppercase_characters: true,
                    require_lowercase_characters: true,
                    ..trueup_model::PasswordPolicy::default()
                };
                aws_default.weaker_than(Some(live))
            }
        },
    };
    weaker
        .into_iter()
        .map(|how| format!("the password policy gets weaker: {how}"))
        .collect()
}

/// Denies that ask for MFA and stop applying to somebody who stays, whether or not others take their place.
fn mfa(view: &View<'_, '_>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for principal in touched(view) {
        let Principal::User(name) = &principal else { continue };
        if matches!(view.resolved.users.get(name), Some(Fate::Deleted { .. })) {
            continue;
        }
        let (before, after) = (view.before.access(&principal), view.after.access(&principal));
        let lost = before
            .deny_statements()
            .difference(&after.deny_statements())
            .any(|deny| view.before.statement(*deny).is_some_and(asks_for_mfa));
        let asks_still = after
            .denies
            .iter()
            .any(|deny| view.after.statement(*deny).is_some_and(asks_for_mfa));
        if lost && !after.allows.is_empty() {
            // Whether the denies that are left cover as much is not decided by comparing statements.
            found.insert(if asks_still {
                format!("user `{name}` would be denied other things without MFA than now, maybe fewer")
            } else {
                format!("user `{name}` would no longer be denied what it does without MFA")
            });
        }
    }
    found.into_iter().collect()
}

fn asks_for_mfa(statement: &Statement) -> bool {
    let conditions = statement.conditions();
    conditions.values().flat_map(|keys| keys.keys()).any(|key| {
        matches!(
            key.to_ascii_lowercase().as_str(),
            "aws:multifactorauthpresent" | "aws:multifactorauthage"
        )
    })
}

/// Everyone whom some step affects.
fn touched(view: &View<'_, '_>) -> BTreeSet<Principal> {
    let effects = view.draft.steps.iter().filter_map(|step| step.effect.as_ref());
    effects
        .flat_map(|effect| {
            let mut principals = view.before.affected(effect);
            principals.extend(view.after.affected(effect));
            principals
        })
        .collect()
}

/// Boundaries of people who stay: removed, replaced, or letting more through.
fn boundary(view: &View<'_, '_>) -> Vec<String> {
    let live = view.resolved.live;
    let mut found = Vec::new();
    for step in &view.draft.steps {
        match &step.call {
            Call::DeleteUserPermissionsBoundary { user_name } => {
                found.push(format!("user `{user_name}` would lose its permissions boundary"));
            }
            Call::PutUserPermissionsBoundary { user_name, .. } => {
                let replaced = live.users.values().any(|user| {
                    view.resolved.user_after(&user.name) == *user_name && user.permissions_boundary.is_some()
                });
                if replaced {
                    found.push(format!("user `{user_name}` would get another permissions boundary"));
                }
            }
            _ => {}
        }
    }
    for (arn, before, after) in changed_documents(view) {
        let bounded = live
            .users
            .values()
            .filter(|user| user.permissions_boundary.as_ref() == Some(&arn))
            .count()
            + live
                .roles
                .values()
                .filter(|role| role.permissions_boundary.as_ref() == Some(&arn))
                .count();
        let removed_deny = before
            .statements()
            .iter()
            .any(|s| s.is_deny() && !after.statements().contains(s));
        let added_allow = after
            .statements()
            .iter()
            .any(|s| s.is_allow() && !before.statements().contains(s));
        if bounded > 0 && (removed_deny || added_allow) {
            found.push(format!(
                "policy `{}`, the permissions boundary of {bounded}, may let more through",
                arn.policy_name()
            ));
        }
    }
    found
}

/// Managed policies whose default document changes, with both documents.
fn changed_documents(view: &View<'_, '_>) -> Vec<(PolicyArn, PolicyDocument, PolicyDocument)> {
    view.resolved
        .policies
        .values()
        .filter_map(|fate| match fate {
            Fate::Declared {
                desired,
                live: Some(live),
            } => {
                let before = live.document().filter(|document| **document != desired.document)?;
                Some((live.arn.clone(), before.clone(), desired.document.clone()))
            }
            _ => None,
        })
        .collect()
}

fn alias(view: &View<'_, '_>) -> Vec<String> {
    match (&view.resolved.live.account.alias, &view.resolved.desired.account.alias) {
        (Some(live), Some(AliasWish::Present(alias))) if live != alias => {
            vec![format!(
                "the alias `{live}` would become `{alias}`: the old sign-in URL stops working, and anybody can take the old name"
            )]
        }
        (Some(live), Some(AliasWish::Absent)) => {
            vec![format!(
                "the alias `{live}` would be removed: its sign-in URL stops working, and anybody can take the name"
            )]
        }
        _ => Vec::new(),
    }
}

/// Policies that somebody holds whom the manifest does not own.
fn shared_policy(view: &View<'_, '_>) -> Vec<String> {
    let live = view.resolved.live;
    let resolved = view.resolved;
    let changed = changed_documents(view).into_iter().map(|(arn, ..)| (arn, "change"));
    let deleted = view.draft.steps.iter().filter_map(|step| match &step.call {
        Call::DeletePolicy { policy_arn } => Some((policy_arn.clone(), "be deleted")),
        _ => None,
    });
    let mut found = Vec::new();
    for (arn, what) in changed.chain(deleted) {
        let users = live
            .users
            .values()
            .filter(|user| user.managed_policies.contains(&arn) || user.permissions_boundary.as_ref() == Some(&arn))
            .filter(|user| !resolved.owns_user(&resolved.user_after(&user.name)))
            .map(|user| format!("user `{}`", user.name));
        let groups = live
            .groups
            .values()
            .filter(|group| {
                group.managed_policies.contains(&arn) && !resolved.owns_group(&resolved.group_after(&group.name))
            })
            .map(|group| format!("group `{}`", group.name));
        let roles = live
            .roles
            .values()
            .filter(|role| role.managed_policies.contains(&arn) || role.permissions_boundary.as_ref() == Some(&arn))
            .map(|role| format!("role `{}`", role.name));
        let holders: Vec<String> = users.chain(groups).chain(roles).collect();
        if let Some(first) = holders.first() {
            let others = match holders.len() - 1 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            found.push(format!(
                "policy `{}` would {what}, and {first}{others}, which the manifest does not own, hold it",
                arn.policy_name()
            ));
        }
    }
    found
}
