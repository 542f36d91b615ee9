//! Guardrails: small functions over the planned end state, each with a code. They stand between a typo and a disaster.
//!
//! A guardrail never changes the plan: `plan` lists it, `apply` refuses.

mod access;

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    PolicyArn, PolicyDocument, Resource, UserName,
    desired::{AliasWish, Allowance, DeletionLimit, PasswordPolicyWish},
};

use crate::{
    AccessChange, ChangeKind, GuardrailCode, GuardrailFinding, Note,
    access::Comparison,
    draft::Draft,
    resolve::{Fate, Resolved},
    world::World,
};

/// Everything that a guardrail looks at.
pub(crate) struct View<'a, 'r> {
    pub(crate) resolved: &'a Resolved<'r>,
    pub(crate) draft: &'a Draft,
    pub(crate) before: &'a World,
    pub(crate) after: &'a World,
    /// The users that the plan deletes.
    pub(crate) deleted: BTreeSet<&'a UserName>,
    /// What changes in what principals may do, ordered by principal.
    pub(crate) access: &'a [AccessChange],
}

/// A guardrail that fires.
pub(crate) struct Fired {
    /// Why, with names.
    message: String,
    /// What it is about, the most telling first.
    about: Vec<Resource>,
}

impl Fired {
    fn about(resource: Resource, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            about: vec![resource],
        }
    }
}

/// Every guardrail that fires, ordered by code and message, and what else should be known.
pub(crate) fn check(
    view: &View<'_, '_>,
    comparison: &mut Comparison<'_>,
    allow: &BTreeSet<GuardrailCode>,
) -> (Vec<GuardrailFinding>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut found: Vec<(GuardrailCode, Fired)> = Vec::new();
    let mut add = |code: GuardrailCode, fired: Vec<Fired>| found.extend(fired.into_iter().map(|fired| (code, fired)));
    add(GuardrailCode::Deletions, deletions(view));
    add(
        GuardrailCode::OwnAccess,
        access::own_access(view, comparison, &mut notes),
    );
    add(GuardrailCode::Administrators, access::administrators(view, comparison));
    notes.extend(access::break_glass_of_nobody(view));
    add(GuardrailCode::BreakGlass, access::break_glass(view));
    add(GuardrailCode::PasswordPolicy, password_policy(view));
    add(GuardrailCode::Mfa, access::mfa(view, comparison));
    add(GuardrailCode::Boundary, access::boundary(view, comparison));
    add(GuardrailCode::Alias, alias(view));
    add(GuardrailCode::SharedPolicy, shared_policy(view));
    let findings = found
        .into_iter()
        .map(|(code, Fired { message, about })| {
            let allowance = allowance(view, code).cloned();
            GuardrailFinding {
                code,
                message,
                resources: about,
                allowed: allow.contains(&code) || allowance.is_some(),
                allowance,
            }
        })
        .collect();
    notes.extend(lapsed(view));
    (findings, notes)
}

/// The entry of the manifest that lets a code pass on this day.
fn allowance<'r>(view: &View<'_, 'r>, code: GuardrailCode) -> Option<&'r Allowance> {
    let entries = view.resolved.desired.guardrails.allow.iter();
    entries
        .filter(|entry| entry.code == code && !entry.lapsed(view.resolved.as_of))
        .max_by_key(|entry| entry.until)
}

/// Entries that count no longer.
fn lapsed(view: &View<'_, '_>) -> Vec<Note> {
    let entries = view.resolved.desired.guardrails.allow.iter().enumerate();
    entries
        .filter(|(_, entry)| entry.lapsed(view.resolved.as_of))
        .map(|(index, entry)| Note {
            strict: true,
            resource: Some(Resource::manifest_key(&format!("guardrails.allow[{index}]"))),
            message: format!(
                "the manifest allowed `{}` until {} ({}); that counts no longer, renew or remove it",
                entry.code.as_str(),
                entry.until,
                entry.reason
            ),
        })
        .collect()
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
fn deletions(view: &View<'_, '_>) -> Vec<Fired> {
    let deleted_entities: BTreeSet<Resource> = view
        .draft
        .changes
        .iter()
        .filter(|change| change.change == ChangeKind::Delete && !change.resource.is_part())
        .map(|change| change.resource.clone())
        .collect();
    let goes_with_its_entity = |resource: &Resource| {
        // A membership goes with its user; with its group it is somebody else's loss.
        match resource.member_user() {
            Some(user) => deleted_entities.contains(&user),
            None => resource.is_part() && deleted_entities.contains(&resource.entity()),
        }
    };
    let population = population(view);
    let mut found = Vec::new();
    for (kind, words) in COUNTED {
        let mut deleted: Vec<&Resource> = view
            .draft
            .changes
            .iter()
            .filter(|change| change.change == ChangeKind::Delete && change.resource.kind() == kind)
            .map(|change| &change.resource)
            .filter(|resource| !goes_with_its_entity(resource))
            .collect();
        deleted.sort();
        let count = deleted.len();
        let live = population.get(kind).copied().unwrap_or(0);
        let (too_many, limit) = match view.resolved.desired.guardrails.max_deletions {
            DeletionLimit::Count(most) => (count > most as usize, most.to_string()),
            DeletionLimit::Percent(_) if live < 10 => (count > 2, "2 where there are fewer than 10".to_owned()),
            DeletionLimit::Percent(share) => (count * 100 > live * share as usize, format!("{share}%")),
        };
        if too_many {
            let setting = Resource::manifest_key("guardrails.max_deletions");
            found.push(Fired {
                message: format!("{count} of {live} {words} in scope would be deleted; the limit is {limit}"),
                about: std::iter::once(setting).chain(deleted.into_iter().cloned()).collect(),
            });
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
    let groups_in_scope: BTreeSet<_> = groups().map(|group| &group.name).collect();
    let users_in_scope: BTreeSet<_> = users().map(|user| &user.name).collect();
    // A membership can be deleted for its group's sake or for its user's.
    let memberships = resolved
        .live
        .users
        .values()
        .flat_map(|user| user.groups.iter().map(move |group| (&user.name, group)))
        .filter(|(user, group)| {
            groups_in_scope.contains(group)
                || users_in_scope.contains(user) && !resolved.ignored_groups.contains_key(*group)
        })
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

/// Whether this plan changes a resource. The manifest may ask for more than a plan does.
fn changes(view: &View<'_, '_>, resource: &Resource) -> bool {
    view.draft.changes.iter().any(|change| change.resource == *resource)
}

fn password_policy(view: &View<'_, '_>) -> Vec<Fired> {
    if !changes(view, &Resource::password_policy()) {
        return Vec::new();
    }
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
        .map(|how| {
            let message = format!("the password policy gets weaker: {how}");
            Fired::about(Resource::password_policy(), message)
        })
        .collect()
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
                if !changes(view, &Resource::policy(&live.name)) {
                    return None;
                }
                Some((live.arn.clone(), before.clone(), desired.document.clone()))
            }
            _ => None,
        })
        .collect()
}

fn alias(view: &View<'_, '_>) -> Vec<Fired> {
    if !changes(view, &Resource::account_alias()) {
        return Vec::new();
    }
    let message = match (&view.resolved.live.account.alias, &view.resolved.desired.account.alias) {
        (Some(live), Some(AliasWish::Present(alias))) if live != alias => {
            format!(
                "the alias `{live}` would become `{alias}`: the old sign-in URL stops working, and anybody can take the old name"
            )
        }
        (Some(live), Some(AliasWish::Absent)) => {
            format!("the alias `{live}` would be removed: its sign-in URL stops working, and anybody can take the name")
        }
        _ => return Vec::new(),
    };
    vec![Fired::about(Resource::account_alias(), message)]
}

/// Policies that somebody holds whom the manifest does not own.
fn shared_policy(view: &View<'_, '_>) -> Vec<Fired> {
    let live = view.resolved.live;
    let resolved = view.resolved;
    let mut found = Vec::new();
    // One that is deleted is held by nobody whom the manifest does not own: such a deletion is not planned.
    for (arn, ..) in changed_documents(view) {
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
            let (others, hold) = match holders.len() - 1 {
                0 => (String::new(), "holds"),
                n => (format!(" and {n} more"), "hold"),
            };
            let message = format!(
                "policy `{}` would change, and {first}{others}, which the manifest does not own, {hold} it",
                arn.policy_name()
            );
            found.push(Fired::about(Resource::policy(&arn.policy_name()), message));
        }
    }
    found
}
