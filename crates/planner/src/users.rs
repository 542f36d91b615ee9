//! Users and what hangs off them: renames, boundaries, policies, memberships, tags, login profiles.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    GroupName, InlinePolicyName, Path, PolicyArn, PolicyDocument, Resource, Tags, UserName,
    desired::{BoundaryWish, DesiredUser, LoginProfileWish},
    fold_tag_key,
    live::LiveUser,
    quota::TAGS_PER_RESOURCE,
};

use crate::{
    Call, ChangeKind, Field, Ignored, KeyStatus,
    draft::{Draft, field, rank},
    policies::document_fields,
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
        mfa: _,
        expires: _,
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
    fields.extend(tag_fields(&Tags::new(), tags));
    draft.change(resource.clone(), ChangeKind::Create, reason, fields);
    draft.new_users.insert(name.clone());
    let call = Call::CreateUser {
        user_name: name.clone(),
        path,
        permissions_boundary: boundary.clone(),
        tags: tags.clone(),
    };
    let effect = Effect::Boundary(name.clone(), boundary.clone());
    let step = draft.step_with(rank::USER, call, &resource, reason, effect);
    if let Some(boundary) = &boundary {
        draft.needs_policy(step, boundary);
    }
    draft.user_ready.insert(name.clone(), step);
    let reason = "part of a new user";
    let arns = managed_policies
        .iter()
        .map(|reference| resolved.arn(reference))
        .collect();
    contents(
        name,
        (&BTreeSet::new(), &arns),
        (&BTreeMap::new(), inline_policies),
        reason,
        draft,
    );
    memberships(name, &BTreeSet::new(), groups, reason, draft);
    if let Some(LoginProfileWish::Present {
        password_reset_required,
    }) = login_profile
    {
        let step = create_login_profile(name, *password_reset_required, reason, draft);
        draft.after(step, password_policy);
    }
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
        login_profile,
        mfa: _,
        expires,
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
    let arns = managed_policies
        .iter()
        .map(|reference| resolved.arn(reference))
        .collect();
    contents(
        name,
        (&live.managed_policies, &arns),
        (&live.inline_policies, inline_policies),
        &entry,
        draft,
    );

    let mut ignored = Vec::new();
    let mut member_of: BTreeSet<GroupName> = BTreeSet::new();
    for group in &live.groups {
        match resolved.ignored_groups.get(group) {
            Some(rule) => ignored.push(Ignored {
                resource: Resource::group(group).member(name),
                rule: rule.rule.clone(),
                reason: rule.reason.clone(),
            }),
            None => {
                member_of.insert(resolved.group_after(group));
            }
        }
    }
    memberships(name, &member_of, groups, &entry, draft);

    match resolved.expired(desired) {
        Some(_) => {
            let on = expires.map(|expiry| expiry.on.to_string()).unwrap_or_default();
            disable(name, live, &format!("expired after {on}"), draft);
        }
        None => login(name, *login_profile, live, password_policy, draft),
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
    let step = draft.step(rank::RENAME, call, &Resource::user(name), &reason);
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
    let live_keys: BTreeSet<String> = live.tags.keys().map(|key| fold_tag_key(key)).collect();
    let total = live_keys.len() - gone.len() + folded.difference(&live_keys).count();
    if total > TAGS_PER_RESOURCE {
        draft.problem(
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
        let call = Call::UntagUser {
            user_name: name.clone(),
            tag_keys: gone,
        };
        let step = draft.step(rank::USER, call, &resource, reason);
        draft.needs_user(step, name);
        untagged = Some(step);
    }
    if !new.is_empty() {
        let call = Call::TagUser {
            user_name: name.clone(),
            tags: new,
        };
        let step = draft.step(rank::USER, call, &resource, reason);
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

/// Plans attachments and inline policies from what is to what should be.
fn contents(
    name: &UserName,
    (attached, wanted): (&BTreeSet<PolicyArn>, &BTreeSet<PolicyArn>),
    (inline, wanted_inline): (
        &BTreeMap<InlinePolicyName, PolicyDocument>,
        &BTreeMap<InlinePolicyName, PolicyDocument>,
    ),
    reason: &str,
    draft: &mut Draft,
) {
    let user = Resource::user(name);
    for arn in wanted.difference(attached) {
        let resource = user.attachment(arn);
        draft.change(resource.clone(), ChangeKind::Create, reason, Vec::new());
        let call = Call::AttachUserPolicy {
            user_name: name.clone(),
            policy_arn: arn.clone(),
        };
        let effect = Effect::UserAttachment(name.clone(), arn.clone(), true);
        let step = draft.step_with(rank::USER_POLICY, call, &resource, reason, effect);
        draft.needs_user(step, name);
        draft.needs_policy(step, arn);
    }
    let missing = format!("not in the manifest's entry for `{name}`");
    for arn in attached.difference(wanted) {
        let resource = user.attachment(arn);
        draft.change(resource.clone(), ChangeKind::Delete, &missing, Vec::new());
        detach(name, arn, &resource, &missing, draft);
    }
    for (policy, document) in wanted_inline {
        let before = inline.get(policy);
        if before == Some(document) {
            continue;
        }
        let resource = user.inline_policy(policy);
        let (change, why) = match before {
            None => (ChangeKind::Create, reason),
            Some(_) => (ChangeKind::Update, "differs from the manifest"),
        };
        draft.change(resource.clone(), change, why, document_fields(before, Some(document)));
        let call = Call::PutUserPolicy {
            user_name: name.clone(),
            policy_name: policy.clone(),
            policy_document: document.clone(),
        };
        let effect = Effect::UserInline(name.clone(), policy.clone(), Some(document.clone()));
        let step = draft.step_with(rank::USER_POLICY, call, &resource, why, effect);
        draft.needs_user(step, name);
    }
    for (policy, document) in inline.iter().filter(|(policy, _)| !wanted_inline.contains_key(*policy)) {
        let resource = user.inline_policy(policy);
        draft.change(
            resource.clone(),
            ChangeKind::Delete,
            &missing,
            document_fields(Some(document), None),
        );
        delete_inline(name, policy, &resource, &missing, draft);
    }
}

fn detach(name: &UserName, arn: &PolicyArn, resource: &Resource, reason: &str, draft: &mut Draft) -> usize {
    let call = Call::DetachUserPolicy {
        user_name: name.clone(),
        policy_arn: arn.clone(),
    };
    let effect = Effect::UserAttachment(name.clone(), arn.clone(), false);
    let step = draft.step_with(rank::REMOVE, call, resource, reason, effect);
    draft.needs_user(step, name);
    step
}

fn delete_inline(
    name: &UserName,
    policy: &InlinePolicyName,
    resource: &Resource,
    reason: &str,
    draft: &mut Draft,
) -> usize {
    let call = Call::DeleteUserPolicy {
        user_name: name.clone(),
        policy_name: policy.clone(),
    };
    let effect = Effect::UserInline(name.clone(), policy.clone(), None);
    let step = draft.step_with(rank::REMOVE, call, resource, reason, effect);
    draft.needs_user(step, name);
    step
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

fn leave(name: &UserName, group: &GroupName, reason: &str, draft: &mut Draft) -> usize {
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

fn login(
    name: &UserName,
    wish: Option<LoginProfileWish>,
    live: &LiveUser,
    password_policy: Option<usize>,
    draft: &mut Draft,
) {
    let Some(wish) = wish else { return };
    let resource = Resource::user(name).login_profile();
    match (wish, live.credentials.login_profile.as_ref().and_then(Option::as_ref)) {
        // Whether a reset is still due is a wish about the next sign-in, not a state to hold.
        (LoginProfileWish::Present { .. }, Some(_)) | (LoginProfileWish::Absent, None) => {}
        (
            LoginProfileWish::Present {
                password_reset_required,
            },
            None,
        ) => {
            let step = create_login_profile(
                name,
                password_reset_required,
                "declared, and the user has no console password",
                draft,
            );
            draft.after(step, password_policy);
        }
        (LoginProfileWish::Absent, Some(_)) => {
            let reason = "the manifest says `login_profile: none`";
            draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
            let step = draft.step(
                rank::CREDENTIALS_GO,
                Call::DeleteLoginProfile {
                    user_name: name.clone(),
                },
                &resource,
                reason,
            );
            draft.needs_user(step, name);
        }
    }
}

/// The password comes when everything else about the user is in place, which the caller of the whole plan sees to.
fn create_login_profile(name: &UserName, password_reset_required: bool, reason: &str, draft: &mut Draft) -> usize {
    let resource = Resource::user(name).login_profile();
    let fields = vec![field("password_reset_required", None::<bool>, password_reset_required)];
    draft.change(resource.clone(), ChangeKind::Create, reason, fields);
    let call = Call::CreateLoginProfile {
        user_name: name.clone(),
        password_reset_required,
    };
    let step = draft.step(rank::CREDENTIALS_COME, call, &resource, reason);
    draft.needs_user(step, name);
    step
}

/// No console password, all access keys inactive.
fn disable(name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) -> Vec<usize> {
    let user = Resource::user(name);
    let mut steps = Vec::new();
    for (id, _) in live
        .credentials
        .access_keys
        .iter()
        .flatten()
        .filter(|(_, key)| key.active)
    {
        let resource = user.access_key(id);
        draft.change(
            resource.clone(),
            ChangeKind::Update,
            reason,
            vec![field("status", "Active", "Inactive")],
        );
        steps.push(deactivate_key(name, id, &resource, reason, draft));
    }
    if live.credentials.login_profile.as_ref().is_some_and(Option::is_some) {
        let resource = user.login_profile();
        draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
        steps.push(delete_login_profile(name, &resource, reason, draft));
    }
    steps
}

fn deactivate_key(name: &UserName, id: &str, resource: &Resource, reason: &str, draft: &mut Draft) -> usize {
    let call = Call::UpdateAccessKey {
        user_name: name.clone(),
        access_key_id: id.to_owned(),
        status: KeyStatus::Inactive,
    };
    let step = draft.step(rank::CREDENTIALS_GO, call, resource, reason);
    draft.needs_user(step, name);
    step
}

fn delete_login_profile(name: &UserName, resource: &Resource, reason: &str, draft: &mut Draft) -> usize {
    let call = Call::DeleteLoginProfile {
        user_name: name.clone(),
    };
    let step = draft.step(rank::CREDENTIALS_GO, call, resource, reason);
    draft.needs_user(step, name);
    step
}

/// Deletes a user in the order that fails safely: disable, remove authority, remove credentials with MFA last, delete.
fn delete(resolved: &Resolved<'_>, name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) {
    let user = Resource::user(name);
    draft.change(user.clone(), ChangeKind::Delete, reason, Vec::new());

    let mut disabled = Vec::new();
    for (id, _) in live
        .credentials
        .access_keys
        .iter()
        .flatten()
        .filter(|(_, key)| key.active)
    {
        disabled.push(deactivate_key(name, id, &user.access_key(id), reason, draft));
    }
    if live.credentials.login_profile.as_ref().is_some_and(Option::is_some) {
        let resource = user.login_profile();
        draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
        disabled.push(delete_login_profile(name, &resource, reason, draft));
    }

    let mut stripped = Vec::new();
    for group in &live.groups {
        stripped.push(leave(name, &resolved.group_after(group), reason, draft));
    }
    for arn in &live.managed_policies {
        let resource = user.attachment(arn);
        draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
        stripped.push(detach(name, arn, &resource, reason, draft));
    }
    for (policy, document) in &live.inline_policies {
        let resource = user.inline_policy(policy);
        draft.change(
            resource.clone(),
            ChangeKind::Delete,
            reason,
            document_fields(Some(document), None),
        );
        stripped.push(delete_inline(name, policy, &resource, reason, draft));
    }
    for step in &stripped {
        draft.after(*step, disabled.iter().copied());
    }

    let (removed, devices) = delete_credentials(name, live, reason, draft);
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

/// Keys, SSH keys, service credentials and certificates; then MFA devices, whose steps come second.
fn delete_credentials(name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) -> (Vec<usize>, Vec<usize>) {
    let user = Resource::user(name);
    let credentials = &live.credentials;
    let mut calls: Vec<(Resource, Call)> = Vec::new();
    for id in credentials.access_keys.iter().flatten().map(|(id, _)| id) {
        calls.push((
            user.access_key(id),
            Call::DeleteAccessKey {
                user_name: name.clone(),
                access_key_id: id.clone(),
            },
        ));
    }
    for id in credentials.ssh_public_keys.iter().flatten() {
        calls.push((
            user.ssh_public_key(id),
            Call::DeleteSSHPublicKey {
                user_name: name.clone(),
                ssh_public_key_id: id.clone(),
            },
        ));
    }
    for id in credentials.service_specific_credentials.iter().flatten() {
        calls.push((
            user.service_specific_credential(id),
            Call::DeleteServiceSpecificCredential {
                user_name: name.clone(),
                service_specific_credential_id: id.clone(),
            },
        ));
    }
    for id in credentials.signing_certificates.iter().flatten() {
        calls.push((
            user.signing_certificate(id),
            Call::DeleteSigningCertificate {
                user_name: name.clone(),
                certificate_id: id.clone(),
            },
        ));
    }
    let removed = calls
        .into_iter()
        .map(|(resource, call)| {
            draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
            draft.step(rank::DELETE_CREDENTIAL, call, &resource, reason)
        })
        .collect();
    let mut devices = Vec::new();
    for serial in credentials.mfa_devices.iter().flatten() {
        let resource = user.mfa_device(serial);
        draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
        let call = Call::DeactivateMFADevice {
            user_name: name.clone(),
            serial_number: serial.clone(),
        };
        let deactivated = draft.step(rank::DELETE_CREDENTIAL, call, &resource, reason);
        devices.push(deactivated);
        if is_virtual(serial) {
            // Left behind, the device would keep its name and stand in the way of a later enrolment.
            let call = Call::DeleteVirtualMFADevice {
                serial_number: serial.clone(),
            };
            let deleted = draft.step(rank::DELETE_CREDENTIAL, call, &resource, reason);
            draft.after(deleted, [deactivated]);
            devices.push(deleted);
        }
    }
    (removed, devices)
}

/// Whether a serial is that of a virtual device: `arn:…:mfa/…`. FIDO keys are `u2f/`, SMS `sms-mfa/`, hardware no ARN.
fn is_virtual(serial: &str) -> bool {
    serial.starts_with("arn:")
        && serial
            .splitn(6, ':')
            .nth(5)
            .is_some_and(|resource| resource.starts_with("mfa/"))
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
    // A policy that an interrupted run of trueup left on somebody whom the manifest does not own.
    let leftover = user
        .inline_policies
        .keys()
        .find(|policy| policy.as_str() == TRANSITION_POLICY);
    if let (None, Some(policy)) = (rule, leftover) {
        let resource = Resource::user(name).inline_policy(policy);
        let reason = "left by an interrupted apply of trueup";
        draft.change(
            resource.clone(),
            ChangeKind::Delete,
            reason,
            document_fields(user.inline_policies.get(policy), None),
        );
        delete_inline(name, policy, &resource, reason, draft);
    }
    ignored
}

/// Groups that are to be deleted and have members whom a rule leaves alone cannot go.
pub(crate) fn keep_groups_of_ignored_members(resolved: &mut Resolved<'_>) {
    let blocked: BTreeMap<GroupName, UserName> = resolved
        .live
        .users
        .values()
        .filter(|user| resolved.ignored_users.contains_key(&user.name))
        .flat_map(|user| user.groups.iter().map(|group| (group.clone(), user.name.clone())))
        .filter(|(group, _)| matches!(resolved.groups.get(group), Some(Fate::Deleted { .. })))
        .collect();
    for (group, user) in blocked {
        resolved.groups.remove(&group);
        if resolved.desired.absent.groups.contains_key(&group) {
            resolved.problem(
                format!("group `{group}` cannot be deleted: its member `{user}` is ignored by a rule"),
                format!("take `{user}` out of it by hand, or narrow the rule"),
            );
        } else {
            resolved.unmanaged.push(crate::Listed {
                resource: Resource::group(&group),
                reason: format!("not in the manifest, and kept since its member `{user}` is ignored"),
            });
        }
    }
}

/// Passwords come when everything that decides what their owner can do is in place.
pub(crate) fn passwords_last(resolved: &Resolved<'_>, draft: &mut Draft) {
    let passwords: Vec<(usize, UserName)> = draft
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| match &step.call {
            Call::CreateLoginProfile { user_name, .. } => Some((index, user_name.clone())),
            _ => None,
        })
        .collect();
    if passwords.is_empty() {
        return;
    }
    let mut of_user: BTreeMap<&UserName, Vec<usize>> = BTreeMap::new();
    let mut of_group: BTreeMap<&GroupName, Vec<usize>> = BTreeMap::new();
    let mut of_policy: BTreeMap<&PolicyArn, Vec<usize>> = BTreeMap::new();
    for (index, step) in draft.steps.iter().enumerate() {
        match &step.effect {
            Some(
                Effect::UserInline(user, ..)
                | Effect::UserAttachment(user, ..)
                | Effect::Membership(user, ..)
                | Effect::Boundary(user, _),
            ) => of_user.entry(user).or_default().push(index),
            Some(Effect::GroupInline(group, ..) | Effect::GroupAttachment(group, ..)) => {
                of_group.entry(group).or_default().push(index);
            }
            Some(Effect::PolicyDefault(arn, _)) => of_policy.entry(arn).or_default().push(index),
            None => match &step.call {
                Call::TagUser { user_name, .. } | Call::UntagUser { user_name, .. } => {
                    of_user.entry(user_name).or_default().push(index);
                }
                _ => {}
            },
        }
    }
    let mut edges: Vec<(usize, BTreeSet<usize>)> = Vec::new();
    for (index, name) in &passwords {
        let mut first: BTreeSet<usize> = of_user.get(name).into_iter().flatten().copied().collect();
        if let Some(Fate::Declared { desired, .. }) = resolved.users.get(name) {
            let mut policies: BTreeSet<PolicyArn> = desired
                .managed_policies
                .iter()
                .map(|reference| resolved.arn(reference))
                .collect();
            if let BoundaryWish::Present(reference) = &desired.permissions_boundary {
                policies.insert(resolved.arn(reference));
            }
            for group in &desired.groups {
                first.extend(of_group.get(group).into_iter().flatten());
                let attached = resolved
                    .desired
                    .groups
                    .get(group)
                    .into_iter()
                    .flat_map(|group| &group.managed_policies);
                policies.extend(attached.map(|reference| resolved.arn(reference)));
            }
            first.extend(policies.iter().filter_map(|arn| of_policy.get(arn)).flatten());
        }
        edges.push((*index, first));
    }
    for (index, first) in edges {
        draft.after(index, first);
    }
}
