//! Guardrails about what people may do afterwards. They rest on the comparison of access, never on the text of
//! statements: what widens weakens nobody, and a deny that others replace is no loss.

use std::collections::BTreeSet;

use trueup_access::{Request, Verdict};
use trueup_model::{Arn, Resource, RoleName, UserName, desired::MfaLevel, document::Statement};

use super::{Fired, View, changed_documents};
use crate::{
    AccessChange, AdministratorChange, Call, Note,
    access::{Comparison, resource, undoing},
    enforced,
    requirements::mfa_of,
    resolve::Fate,
    world::Principal,
};

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

/// Whether the plan deletes a principal or takes its credentials, in words.
fn gone(view: &View<'_, '_>, principal: &Principal) -> Option<&'static str> {
    let Principal::User(name) = principal else {
        return None;
    };
    if view.deleted.contains(name) {
        return Some("deleted");
    }
    loses_credentials(view, name).then_some("disabled")
}

/// Whether the console password goes, or the last access key that works. A key that another one replaces is no loss.
fn loses_credentials(view: &View<'_, '_>, name: &UserName) -> bool {
    let mut lost: BTreeSet<&String> = BTreeSet::new();
    let mut comes = false;
    for step in &view.draft.steps {
        match &step.call {
            Call::DeleteLoginProfile { user_name } if user_name == name => return true,
            Call::CreateAccessKey { user_name } if user_name == name => comes = true,
            Call::UpdateAccessKey {
                user_name,
                access_key_id,
                ..
            }
            | Call::DeleteAccessKey {
                user_name,
                access_key_id,
            } if user_name == name => {
                lost.insert(access_key_id);
            }
            _ => {}
        }
    }
    let live = view.resolved.users.get(name).and_then(Fate::live);
    let keys = live.and_then(|live| live.credentials.access_keys.as_ref());
    let mut working = keys
        .into_iter()
        .flatten()
        .filter(|(_, key)| key.active)
        .map(|(id, _)| id);
    let loses_one = working.clone().any(|id| lost.contains(id));
    loses_one && !comes && working.all(|id| lost.contains(id))
}

/// What changes for a principal; `None` where it holds what it held.
fn change<'a>(view: &View<'a, '_>, principal: &Principal) -> Option<&'a AccessChange> {
    let resource = resource(principal);
    let found = view.access.binary_search_by(|change| change.principal.cmp(&resource));
    found.ok().map(|index| &view.access[index])
}

fn for_example(request: &Request) -> String {
    format!("{} on {}", request.action, request.resource)
}

/// The caller has to be able to undo the plan, as far as it can do so now.
pub(super) fn own_access(view: &View<'_, '_>, comparison: &mut Comparison<'_>, notes: &mut Vec<Note>) -> Vec<Fired> {
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
    let who = match &caller {
        Principal::User(name) => format!("user `{name}`"),
        Principal::Role(name) => format!("role `{name}`"),
    };
    if let Some(how) = gone(view, &caller) {
        let message = format!("{who}, which runs this, would be {how}");
        return vec![Fired::about(resource(&caller), message)];
    }
    let is_kept = |change: &AccessChange| matches!(change.verdict, Verdict::Same | Verdict::More);
    if change(view, &caller).is_none_or(is_kept) {
        return Vec::new();
    }
    let needed = undoing(view.resolved, view.draft);
    let judgement = comparison.judge_on(&caller, &needed);
    let message = match (judgement.verdict, judgement.lost) {
        (Verdict::Same | Verdict::More, _) => return Vec::new(),
        (_, Some(request)) => format!(
            "{who}, which runs this, would no longer be allowed what undoing this plan takes, for example {}",
            for_example(&request)
        ),
        (_, None) => format!(
            "{who}, which runs this, might no longer be allowed what undoing this plan takes: {}",
            judgement.unknown.join("; ")
        ),
    };
    vec![Fired::about(resource(&caller), message)]
}

/// Whether the plan itself takes the number of administrators below the minimum.
pub(super) fn administrators(view: &View<'_, '_>, comparison: &mut Comparison<'_>) -> Vec<Fired> {
    let minimum = view.resolved.desired.guardrails.minimum_administrators as usize;
    let is_one_less = |principal: &Principal| {
        gone(view, principal).is_some()
            || change(view, principal).is_some_and(|change| change.administrator == Some(AdministratorChange::Unmade))
    };
    // Whom the plan does not make less of one stays what it is: most plans are decided here.
    let users = || view.before.users().cloned().map(Principal::User);
    let suspects: Vec<Principal> = users().filter(is_one_less).collect();
    if !suspects.iter().any(|suspect| comparison.was_administrator(suspect)) {
        return Vec::new();
    }
    let before: BTreeSet<Principal> = users().filter(|user| comparison.was_administrator(user)).collect();
    let after: BTreeSet<Principal> = view
        .after
        .users()
        .cloned()
        .map(Principal::User)
        .filter(|user| gone(view, user).is_none() && comparison.will_be_administrator(user))
        .collect();
    if after.len() >= minimum || after.len() >= before.len() {
        return Vec::new();
    }
    let lost: Vec<&UserName> = before
        .difference(&after)
        .filter_map(|principal| match principal {
            Principal::User(name) => Some(name),
            Principal::Role(_) => None,
        })
        .collect();
    let names: Vec<String> = lost.iter().map(|name| format!("`{name}`")).collect();
    let setting = Resource::manifest_key("guardrails.minimum_administrators");
    vec![Fired {
        message: format!(
            "{} administrators would be left, {minimum} must be; no longer one: {}",
            after.len(),
            names.join(", ")
        ),
        about: lost.into_iter().map(Resource::user).chain([setting]).collect(),
    }]
}

/// A name that protects nobody, most likely a typo.
pub(super) fn break_glass_of_nobody(view: &View<'_, '_>) -> Vec<Note> {
    let desired = view.resolved.desired;
    let known = |name: &UserName| view.resolved.live.users.contains_key(name) || desired.users.contains_key(name);
    let unknown = desired.guardrails.break_glass.iter().filter(|name| !known(name));
    unknown
        .map(|name| Note {
            strict: true,
            resource: Some(Resource::manifest_key(&format!("guardrails.break_glass.{name}"))),
            message: format!(
                "break-glass user `{name}` is neither in the account nor in the manifest: the name protects nobody"
            ),
        })
        .collect()
}

pub(super) fn break_glass(view: &View<'_, '_>) -> Vec<Fired> {
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
        let principal = Principal::User(after.clone());
        let setting = Resource::manifest_key(&format!("guardrails.break_glass.{name}"));
        let mut add = |message: String| {
            found.push(Fired {
                message,
                about: vec![Resource::user(&after), setting.clone()],
            });
        };
        if let Some(how) = gone(view, &principal) {
            add(format!("break-glass user `{name}` would be {how}"));
        } else if let Some(how) = change(view, &principal).and_then(weakened) {
            add(format!("break-glass user `{name}` {how}"));
        }
        if after != *before && super::changes(view, &Resource::user(&after)) {
            add(format!("break-glass user `{before}` would be renamed to `{after}`"));
        }
        if let Some(declared) = view.resolved.desired.users.get(&after)
            && (mfa_of(view.resolved.desired, declared).is_some_and(|mfa| mfa.level >= MfaLevel::Required)
                || enforced::by_group(view.resolved.desired, declared).is_some())
        {
            add(format!(
                "break-glass user `{name}` would be under an MFA requirement; say `mfa: exempt`"
            ));
        }
    }
    found
}

/// How somebody may do less than before, in words.
fn weakened(change: &AccessChange) -> Option<String> {
    if change.administrator == Some(AdministratorChange::Unmade) {
        return Some("would be weakened: no longer an administrator".to_owned());
    }
    match (change.verdict, change.lost.first()) {
        (Verdict::Same | Verdict::More, _) => None,
        (_, Some(line)) if line.certain => Some(format!(
            "would be weakened: no longer allowed, for example, {}",
            for_example(&line.example)
        )),
        (_, Some(line)) => Some(format!(
            "might be weakened: {} depends on what is not interpreted",
            for_example(&line.example)
        )),
        (_, None) => Some(format!("might be weakened: {}", change.unknown.join("; "))),
    }
}

/// Denies that ask for MFA and stop applying to somebody who stays, where nothing else keeps from it what they kept.
pub(super) fn mfa(view: &View<'_, '_>, comparison: &mut Comparison<'_>) -> Vec<Fired> {
    let mut found = Vec::new();
    for principal in comparison.touched.clone() {
        let Principal::User(name) = &principal else { continue };
        if view.deleted.contains(name) {
            continue;
        }
        let (before, after) = (view.before.access(&principal), view.after.access(&principal));
        let goes = before
            .deny_statements()
            .difference(&after.deny_statements())
            .any(|deny| view.before.statement(*deny).is_none_or(asks_for_mfa));
        if !goes {
            continue;
        }
        if let Some(example) = comparison.gained_without_mfa(&principal, asks_for_mfa) {
            let message = format!(
                "user `{name}` would be allowed without MFA what a deny keeps from it now, for example {}",
                for_example(&example)
            );
            found.push(Fired::about(Resource::user(name), message));
        }
    }
    found
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

/// Boundaries of people who stay: removed, replaced, or letting more through.
pub(super) fn boundary(view: &View<'_, '_>, comparison: &mut Comparison<'_>) -> Vec<Fired> {
    let live = view.resolved.live;
    let mut found = Vec::new();
    let of_user = |name: &UserName| Resource::user(name).permissions_boundary();
    for step in &view.draft.steps {
        match &step.call {
            Call::DeleteUserPermissionsBoundary { user_name } => {
                let message = format!("user `{user_name}` would lose its permissions boundary");
                found.push(Fired::about(of_user(user_name), message));
            }
            Call::PutUserPermissionsBoundary { user_name, .. } => {
                let replaced = live.users.values().any(|user| {
                    view.resolved.user_after(&user.name) == *user_name && user.permissions_boundary.is_some()
                });
                if replaced {
                    let message = format!("user `{user_name}` would get another permissions boundary");
                    found.push(Fired::about(of_user(user_name), message));
                }
            }
            _ => {}
        }
    }
    for (arn, before, after) in changed_documents(view) {
        let users = live.users.values();
        let users = users.filter(|user| user.permissions_boundary.as_ref() == Some(&arn));
        let roles = live.roles.values();
        let roles = roles.filter(|role| role.permissions_boundary.as_ref() == Some(&arn));
        let bounded = users.count() + roles.count();
        if bounded == 0 {
            continue;
        }
        let judgement = comparison.judge_boundary(&before, &after);
        let policy = arn.policy_name();
        let message = match (judgement.verdict, judgement.gained) {
            (Verdict::Same | Verdict::Less, _) => continue,
            (_, Some(request)) => format!(
                "policy `{policy}`, the permissions boundary of {bounded}, would let more through, for example {}",
                for_example(&request)
            ),
            (_, None) => format!(
                "policy `{policy}`, the permissions boundary of {bounded}, may let more through: {}",
                judgement.unknown.join("; ")
            ),
        };
        found.push(Fired::about(Resource::policy(&policy), message));
    }
    found
}
