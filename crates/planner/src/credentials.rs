//! Users' credentials: console passwords that come and go, and everything that goes with a user.
//!
//! Credentials come last and go first. No secret is in here: a plan only says that a password is to be made.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    GroupName, PolicyArn, Resource, UserName,
    desired::{BoundaryWish, LoginProfileWish},
    live::LiveUser,
};

use crate::{
    Call, ChangeKind, KeyStatus,
    draft::{Draft, field, rank},
    resolve::{Fate, Resolved},
    world::Effect,
};

/// Plans the console password of a user who stays.
pub(crate) fn login_profile(
    name: &UserName,
    wish: Option<LoginProfileWish>,
    live: &LiveUser,
    password_policy: Option<usize>,
    draft: &mut Draft,
) {
    let Some(wish) = wish else { return };
    match (wish, live.credentials.login_profile.as_ref().and_then(Option::as_ref)) {
        // Whether a reset is still due is a wish about the next sign-in, not a state to hold.
        (LoginProfileWish::Present { .. }, Some(_)) | (LoginProfileWish::Absent, None) => {}
        (
            LoginProfileWish::Present {
                password_reset_required,
            },
            None,
        ) => {
            let reason = "declared, and the user has no console password";
            create_login_profile(name, password_reset_required, password_policy, reason, draft);
        }
        (LoginProfileWish::Absent, Some(_)) => {
            delete_login_profile(name, "the manifest says `login_profile: none`", draft);
        }
    }
}

/// Plans a console password, after the account's password policy. It also comes after everything else about the user:
/// [`passwords_last`].
pub(crate) fn create_login_profile(
    name: &UserName,
    password_reset_required: bool,
    password_policy: Option<usize>,
    reason: &str,
    draft: &mut Draft,
) {
    let resource = Resource::user(name).login_profile();
    let fields = vec![field("password_reset_required", None::<bool>, password_reset_required)];
    draft.change(resource.clone(), ChangeKind::Create, reason, fields);
    let call = Call::CreateLoginProfile {
        user_name: name.clone(),
        password_reset_required,
    };
    let step = draft.step(rank::CREDENTIALS_COME, call, &resource, reason);
    draft.needs_user(step, name);
    draft.after(step, password_policy);
}

fn delete_login_profile(name: &UserName, reason: &str, draft: &mut Draft) -> usize {
    let resource = Resource::user(name).login_profile();
    draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
    let call = Call::DeleteLoginProfile {
        user_name: name.clone(),
    };
    let step = draft.step(rank::CREDENTIALS_GO, call, &resource, reason);
    draft.needs_user(step, name);
    step
}

/// Plans that a user who stays can no longer sign in: no console password, all access keys inactive.
pub(crate) fn disable(name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) {
    let user = Resource::user(name);
    for id in active_keys(live) {
        let fields = vec![field("status", "Active", "Inactive")];
        draft.change(user.access_key(id), ChangeKind::Update, reason, fields);
    }
    disable_before_deletion(name, live, reason, draft);
}

/// The steps of [`disable`]. The keys themselves are shown as deleted, not as changed.
pub(crate) fn disable_before_deletion(name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) -> Vec<usize> {
    let mut steps: Vec<usize> = active_keys(live)
        .map(|id| deactivate_key(name, id, reason, draft))
        .collect();
    if live.credentials.login_profile.as_ref().is_some_and(Option::is_some) {
        steps.push(delete_login_profile(name, reason, draft));
    }
    steps
}

fn active_keys(live: &LiveUser) -> impl Iterator<Item = &String> {
    let keys = live.credentials.access_keys.iter().flatten();
    keys.filter(|(_, key)| key.active).map(|(id, _)| id)
}

fn deactivate_key(name: &UserName, id: &str, reason: &str, draft: &mut Draft) -> usize {
    let call = Call::UpdateAccessKey {
        user_name: name.clone(),
        access_key_id: id.to_owned(),
        status: KeyStatus::Inactive,
    };
    let resource = Resource::user(name).access_key(id);
    let step = draft.step(rank::CREDENTIALS_GO, call, &resource, reason);
    draft.needs_user(step, name);
    step
}

/// Plans that all credentials of a user go: the steps for keys, SSH keys, service credentials and certificates, and
/// those for MFA devices.
pub(crate) fn delete(name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) -> (Vec<usize>, Vec<usize>) {
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
                | Effect::Boundary(user, _)
                | Effect::Identity(user, _),
            ) => of_user.entry(user).or_default().push(index),
            Some(Effect::GroupInline(group, ..) | Effect::GroupAttachment(group, ..)) => {
                of_group.entry(group).or_default().push(index);
            }
            Some(Effect::PolicyDefault(arn, _)) => of_policy.entry(arn).or_default().push(index),
            None => {}
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
                // What an external group has attached can be a policy of this manifest all the same.
                match resolved.desired.groups.get(group) {
                    Some(group) => policies.extend(group.managed_policies.iter().map(|policy| resolved.arn(policy))),
                    None => {
                        let live = resolved.live.groups.get(group).into_iter();
                        policies.extend(live.flat_map(|group| group.managed_policies.iter().cloned()));
                    }
                }
            }
            first.extend(policies.iter().filter_map(|arn| of_policy.get(arn)).flatten());
        }
        edges.push((*index, first));
    }
    for (index, first) in edges {
        draft.after(index, first);
    }
}
