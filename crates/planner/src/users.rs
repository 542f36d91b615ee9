//! Users: what they are, whom a rule leaves alone, and in which order they go.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    GroupName, Path, PolicyArn, Resource, Tags, UserName,
    desired::{BoundaryWish, DesiredUser, LoginProfileWish},
    fold_tag_key,
    live::LiveUser,
    quota::TAGS_PER_RESOURCE,
};

use crate::{
    Call, ChangeKind, Field, Ignored, access_keys, credentials,
    draft::{Draft, field, rank},
    holdings::{self, Holdings, Owner},
    identity::Facet,
    memory::PASSWORD_RESET,
    passwords, quarantine,
    resolve::{Fate, Resolved},
    transition::TRANSITION_POLICY,
    world::Effect,
};

/// Plans every user: declared ones, those that are deleted, and strangers in managed groups.
///
/// Returns the memberships that are left alone, since a rule ignores the user or the group.
pub(crate) fn plan(resolved: &Resolved<'_>, password_policy: Option<usize>, draft: &mut Draft) -> Vec<Ignored> {
    let mut ignored_memberships = Vec::new();
    for (name, fate) in &resolved.users {
        match fate {
            Fate::Declared { desired, live: None } => create(resolved, desired, password_policy, draft),
            Fate::Declared {
                desired,
                live: Some(live),
            } => {
                ignored_memberships.extend(update(resolved, desired, live, password_policy, draft));
            }
            Fate::Quarantined {
                live,
                reason,
                since,
                until,
            } => quarantine::plan(resolved, name, live, reason, (*since, *until), draft),
            Fate::Deleted { live, reason } => delete(resolved, name, live, reason, draft),
        }
    }
    for (name, user) in &resolved.live.users {
        if resolved.users.contains_key(&resolved.user_after(name)) {
            continue;
        }
        ignored_memberships.extend(stranger(resolved, user, draft));
    }
    ignored_memberships
}

fn create(resolved: &Resolved<'_>, desired: &DesiredUser, password_policy: Option<usize>, draft: &mut Draft) {
    // `previously` found nothing live; `mfa` is a requirement; an expired user is never created.
    let DesiredUser {
        name,
        path,
        previously: _,
        tags,
        groups,
        managed_policies,
        inline_policies,
        permissions_boundary,
        login_profile,
        reset_password,
        access_keys: _,
        mfa: _,
        expires: _,
        deliver_to: _,
    } = desired;
    let resource = Resource::user(name);
    let reason = "declared, and not in the account";
    let path = path.clone().unwrap_or_else(Path::root);
    let boundary = match permissions_boundary {
        BoundaryWish::Keep | BoundaryWish::Absent => None,
        BoundaryWish::Present(reference) => Some(resolved.arn(reference)),
    };
    let mut fields = vec![field("path", None::<String>, path.as_str())];
    if let Some(boundary) = &boundary {
        fields.push(field("permissions_boundary", None::<String>, boundary.as_str()));
    }
    let mut tags = tags.clone();
    if let (Some(LoginProfileWish::Present { .. }), Some(request)) = (login_profile, reset_password) {
        // The first password is the one that is asked for.
        tags.insert(PASSWORD_RESET.to_owned(), request.clone());
    }
    fields.extend(tag_fields(&Tags::new(), &tags));
    draft.change(resource.clone(), ChangeKind::Create, reason, fields);
    draft.new_users.insert(name.clone());
    let call = Call::CreateUser {
        user_name: name.clone(),
        path,
        permissions_boundary: boundary.clone(),
        tags,
    };
    let effect = Effect::Boundary(name.clone(), boundary.clone());
    let step = draft.step_with(rank::USER, call, &resource, reason, effect);
    if let Some(boundary) = &boundary {
        draft.needs_policy(step, boundary);
    }
    draft.user_ready.insert(name.clone(), step);
    let reason = "part of a new user";
    let wanted = Holdings {
        attached: &resolved.arns(managed_policies),
        inline: inline_policies,
    };
    holdings::plan(Owner::User(name), Holdings::NONE, wanted, reason, draft);
    memberships(name, &BTreeSet::new(), groups, reason, draft);
    if let Some(LoginProfileWish::Present {
        password_reset_required,
    }) = login_profile
    {
        passwords::create_login_profile(name, *password_reset_required, password_policy, reason, draft);
    }
    access_keys::plan(resolved, desired, None, draft);
}

fn update(
    resolved: &Resolved<'_>,
    desired: &DesiredUser,
    live: &LiveUser,
    password_policy: Option<usize>,
    draft: &mut Draft,
) -> Vec<Ignored> {
    let DesiredUser {
        name,
        path,
        previously: _,
        tags,
        groups,
        managed_policies,
        inline_policies,
        permissions_boundary,
        login_profile: _,
        reset_password: _,
        access_keys: _,
        mfa: _,
        expires,
        deliver_to: _,
    } = desired;
    let resource = Resource::user(name);
    let entry = format!("in the manifest's entry for `{name}`");
    let mut fields = identity(name, path.as_ref(), live, draft);
    fields.extend(update_tags(resolved, name, tags, live, draft));
    fields.extend(update_boundary(resolved, name, permissions_boundary, live, draft));
    if !fields.is_empty() {
        let renamed = !name.same_spelling(&live.name);
        let (change, reason) = if renamed {
            (ChangeKind::Rename, format!("renamed from {}", live.name))
        } else {
            (ChangeKind::Update, "differs from the manifest".to_owned())
        };
        draft.change(resource.clone(), change, &reason, fields);
    }
    let wanted = Holdings {
        attached: &resolved.arns(managed_policies),
        inline: inline_policies,
    };
    holdings::plan(Owner::User(name), held_by(live), wanted, &entry, draft);

    let mut ignored = Vec::new();
    let mut member_of: BTreeSet<GroupName> = BTreeSet::new();
    for group in &live.groups {
        match resolved.ignored_groups.get(group) {
            // A group can be ignored and external at once, and then be named.
            Some(rule) if !groups.contains(group) => ignored.push(Ignored {
                resource: Resource::group(group).member(name),
                rule: rule.rule.clone(),
                reason: rule.reason.clone(),
            }),
            _ => {
                member_of.insert(resolved.group_after(group));
            }
        }
    }
    memberships(name, &member_of, groups, &entry, draft);

    quarantine::release(name, live, draft);
    match resolved.expired(desired) {
        Some(_) => {
            let on = expires.map(|expiry| expiry.on.to_string()).unwrap_or_default();
            credentials::disable(name, live, &format!("expired after {on}"), draft);
        }
        None => {
            passwords::plan(desired, live, password_policy, draft);
            access_keys::plan(resolved, desired, Some(live), draft);
        }
    }
    ignored
}

/// Name and path, which one call changes together.
fn identity(name: &UserName, path: Option<&Path>, live: &LiveUser, draft: &mut Draft) -> Vec<Field> {
    let renamed = !name.same_spelling(&live.name);
    let moved = path.filter(|path| **path != live.path);
    if !renamed && moved.is_none() {
        return Vec::new();
    }
    let mut fields = Vec::new();
    if renamed {
        fields.push(field("name", live.name.as_str(), name.as_str()));
    }
    if let Some(path) = moved {
        fields.push(field("path", live.path.as_str(), path.as_str()));
    }
    let reason = if renamed {
        format!("renamed from {}", live.name)
    } else {
        "the manifest names another path".to_owned()
    };
    let call = Call::UpdateUser {
        user_name: live.name.clone(),
        new_user_name: renamed.then(|| name.clone()),
        new_path: moved.cloned(),
    };
    let effect = Effect::Identity(name.clone(), Facet::Name);
    let step = draft.step_with(rank::RENAME, call, &Resource::user(name), &reason, effect);
    draft.user_ready.insert(name.clone(), step);
    fields
}

/// Tags, whose keys ignore case. Keys that are ignored or reserved are on neither side.
fn update_tags(
    resolved: &Resolved<'_>,
    name: &UserName,
    wanted: &Tags,
    live: &LiveUser,
    draft: &mut Draft,
) -> Vec<Field> {
    let compared: Tags = live
        .tags
        .iter()
        .filter(|(key, _)| !resolved.desired.scope.ignores_tag(key))
        .map(crate::policies::own_pair)
        .collect();
    let folded: BTreeSet<String> = wanted.keys().map(|key| fold_tag_key(key)).collect();
    let gone: Vec<String> = compared
        .keys()
        .filter(|key| !folded.contains(&fold_tag_key(key)))
        .cloned()
        .collect();
    let new: Tags = wanted
        .iter()
        .filter(|(key, value)| compared.get(*key) != Some(value))
        .map(crate::policies::own_pair)
        .collect();
    let kept = live.tags.keys().filter(|key| !gone.contains(key));
    let total = kept
        .map(|key| fold_tag_key(key))
        .chain(folded)
        .collect::<BTreeSet<_>>()
        .len();
    if total > TAGS_PER_RESOURCE {
        draft.problem_of(
            &Resource::user(name),
            format!(
                "user `{name}` would have {total} tags with those that are ignored, IAM allows {TAGS_PER_RESOURCE}"
            ),
            None,
        );
    }
    let resource = Resource::user(name);
    let reason = "differs from the manifest";
    let mut untagged = None;
    if !gone.is_empty() {
        let facet = Facet::TagsGone(gone.iter().map(|key| fold_tag_key(key)).collect());
        let call = Call::UntagUser {
            user_name: name.clone(),
            tag_keys: gone,
        };
        let step = draft.step_with(
            rank::USER,
            call,
            &resource,
            reason,
            Effect::Identity(name.clone(), facet),
        );
        draft.needs_user(step, name);
        untagged = Some(step);
    }
    if !new.is_empty() {
        let facet = Facet::TagsCome(new.keys().map(|key| fold_tag_key(key)).collect());
        let call = Call::TagUser {
            user_name: name.clone(),
            tags: new,
            new_key: None,
        };
        let step = draft.step_with(
            rank::USER,
            call,
            &resource,
            reason,
            Effect::Identity(name.clone(), facet),
        );
        draft.needs_user(step, name);
        // Room for the new ones.
        draft.after(step, untagged);
    }
    tag_fields(&compared, wanted)
}

/// The tags that differ, keys folded: a key in another case is one change.
fn tag_fields(before: &Tags, after: &Tags) -> Vec<Field> {
    let fold = |tags: &Tags| -> BTreeMap<String, (String, String)> {
        tags.iter()
            .map(|(key, value)| (fold_tag_key(key), (key.clone(), value.clone())))
            .collect()
    };
    let (before, after) = (fold(before), fold(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| {
            let shown = after
                .get(key)
                .or_else(|| before.get(key))
                .map_or(key.as_str(), |(spelt, _)| spelt);
            let spelling_only = matches!((before.get(key), after.get(key)), (Some(b), Some(a)) if b.1 == a.1);
            let value = |side: &BTreeMap<String, (String, String)>| {
                side.get(key).map(|(spelt, value)| {
                    if spelling_only {
                        format!("{spelt}={value}")
                    } else {
                        value.clone()
                    }
                })
            };
            field(format!("tags.{shown}"), value(&before), value(&after))
        })
        .collect()
}

fn update_boundary(
    resolved: &Resolved<'_>,
    name: &UserName,
    wish: &BoundaryWish,
    live: &LiveUser,
    draft: &mut Draft,
) -> Vec<Field> {
    let wanted = match wish {
        BoundaryWish::Keep => return Vec::new(),
        BoundaryWish::Absent => None,
        BoundaryWish::Present(reference) => Some(resolved.arn(reference)),
    };
    if wanted == live.permissions_boundary {
        return Vec::new();
    }
    let resource = Resource::user(name);
    let reason = "differs from the manifest";
    let effect = Effect::Boundary(name.clone(), wanted.clone());
    let step = match &wanted {
        Some(arn) => {
            let call = Call::PutUserPermissionsBoundary {
                user_name: name.clone(),
                permissions_boundary: arn.clone(),
            };
            let step = draft.step_with(rank::USER, call, &resource, reason, effect);
            draft.needs_policy(step, arn);
            step
        }
        None => {
            let call = Call::DeleteUserPermissionsBoundary {
                user_name: name.clone(),
            };
            draft.step_with(rank::REMOVE, call, &resource, reason, effect)
        }
    };
    draft.needs_user(step, name);
    let text = |arn: Option<&PolicyArn>| arn.map(|arn| arn.as_str().to_owned());
    vec![field(
        "permissions_boundary",
        text(live.permissions_boundary.as_ref()),
        text(wanted.as_ref()),
    )]
}

fn held_by(user: &LiveUser) -> Holdings<'_> {
    Holdings {
        attached: &user.managed_policies,
        inline: &user.inline_policies,
    }
}

fn memberships(
    name: &UserName,
    member_of: &BTreeSet<GroupName>,
    wanted: &BTreeSet<GroupName>,
    reason: &str,
    draft: &mut Draft,
) {
    for group in wanted.difference(member_of) {
        let resource = Resource::group(group).member(name);
        draft.change(resource.clone(), ChangeKind::Create, reason, Vec::new());
        let call = Call::AddUserToGroup {
            group_name: group.clone(),
            user_name: name.clone(),
        };
        let effect = Effect::Membership(name.clone(), group.clone(), true);
        let step = draft.step_with(rank::MEMBERSHIP, call, &resource, reason, effect);
        draft.needs_user(step, name);
        draft.needs_group(step, group);
    }
    let missing = format!("not in the manifest's entry for `{name}`");
    for group in member_of.difference(wanted) {
        leave(name, group, &missing, draft);
    }
}

pub(crate) fn leave(name: &UserName, group: &GroupName, reason: &str, draft: &mut Draft) -> usize {
    let resource = Resource::group(group).member(name);
    draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
    let call = Call::RemoveUserFromGroup {
        group_name: group.clone(),
        user_name: name.clone(),
    };
    let effect = Effect::Membership(name.clone(), group.clone(), false);
    let step = draft.step_with(rank::REMOVE, call, &resource, reason, effect);
    draft.needs_user(step, name);
    draft.needs_group(step, group);
    step
}

/// Deletes a user in the order that fails safely: disable, remove authority, remove credentials with MFA last, delete.
fn delete(resolved: &Resolved<'_>, name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) {
    let user = Resource::user(name);
    draft.change(user.clone(), ChangeKind::Delete, reason, Vec::new());

    let disabled = credentials::disable_before_deletion(name, live, reason, draft);
    let mut stripped = Vec::new();
    for group in &live.groups {
        stripped.push(leave(name, &resolved.group_after(group), reason, draft));
    }
    stripped.extend(holdings::strip(Owner::User(name), held_by(live), reason, draft));
    for step in &stripped {
        draft.after(*step, disabled.iter().copied());
    }

    let (removed, devices) = credentials::delete(name, live, reason, draft);
    for step in &removed {
        draft.after(*step, disabled.iter().chain(&stripped).copied());
    }
    // MFA last, so that no requirement is weakened while another credential still works.
    for step in &devices {
        draft.after(*step, disabled.iter().chain(&stripped).chain(&removed).copied());
    }
    let step = draft.step(
        rank::DELETE_USER,
        Call::DeleteUser {
            user_name: name.clone(),
        },
        &user,
        reason,
    );
    draft.after(step, disabled.into_iter().chain(stripped).chain(removed).chain(devices));
}

/// A live user who is not owned: taken out of managed groups, unless a rule leaves them alone.
fn stranger(resolved: &Resolved<'_>, user: &LiveUser, draft: &mut Draft) -> Vec<Ignored> {
    let name = &user.name;
    let rule = resolved.ignored_users.get(name);
    let mut ignored = Vec::new();
    for group in user
        .groups
        .iter()
        .map(|group| resolved.group_after(group))
        .filter(|group| resolved.owns_group(group))
    {
        match rule {
            Some(rule) => ignored.push(Ignored {
                resource: Resource::group(&group).member(name),
                rule: rule.rule.clone(),
                reason: rule.reason.clone(),
            }),
            None => {
                let reason = format!("`{name}` is not in the manifest, and `{group}` is");
                leave(name, &group, &reason, draft);
            }
        }
    }
    // A policy that an interrupted apply left on somebody whom the manifest does not own. It is trueup's own, whatever a
    // rule says of the user.
    let leftover = user
        .inline_policies
        .iter()
        .find(|(policy, _)| policy.as_str() == TRANSITION_POLICY);
    if let Some((policy, document)) = leftover {
        let reason = "left by an interrupted apply of trueup";
        holdings::delete_inline(Owner::User(name), policy, document, reason, draft);
    }
    ignored
}
