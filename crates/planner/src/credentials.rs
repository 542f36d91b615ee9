//! What takes credentials away: from somebody who stays but may no longer work, and from somebody who goes.

use trueup_model::{Resource, UserName, live::LiveUser};

use crate::{
    Call, ChangeKind, KeyStatus,
    draft::{Draft, field, rank},
    passwords::delete_login_profile,
};

/// Plans that a user who stays can no longer work: no console password; access keys, SSH keys, signing certificates and
/// service-specific credentials inactive.
pub(crate) fn disable(name: &UserName, live: &LiveUser, reason: &str, draft: &mut Draft) {
    let user = Resource::user(name);
    let credentials = &live.credentials;
    let inactive = || vec![field("status", "Active", "Inactive")];
    for id in active_keys(live) {
        draft.change(user.access_key(id), ChangeKind::Update, reason, inactive());
    }
    disable_before_deletion(name, live, reason, draft);
    let active = |of: &Option<std::collections::BTreeMap<String, bool>>| -> Vec<String> {
        let all = of.iter().flatten();
        all.filter(|(_, active)| **active).map(|(id, _)| id.clone()).collect()
    };
    let (user_name, status) = (name.clone(), KeyStatus::Inactive);
    let mut calls = Vec::new();
    for id in active(&credentials.ssh_public_keys) {
        let resource = user.ssh_public_key(&id);
        let (user_name, ssh_public_key_id) = (user_name.clone(), id);
        let call = Call::UpdateSSHPublicKey {
            user_name,
            ssh_public_key_id,
            status,
        };
        calls.push((resource, call));
    }
    for id in active(&credentials.service_specific_credentials) {
        let resource = user.service_specific_credential(&id);
        let (user_name, service_specific_credential_id) = (user_name.clone(), id);
        let call = Call::UpdateServiceSpecificCredential {
            user_name,
            service_specific_credential_id,
            status,
        };
        calls.push((resource, call));
    }
    for id in active(&credentials.signing_certificates) {
        let resource = user.signing_certificate(&id);
        let (user_name, certificate_id) = (user_name.clone(), id);
        let call = Call::UpdateSigningCertificate {
            user_name,
            certificate_id,
            status,
        };
        calls.push((resource, call));
    }
    for (resource, call) in calls {
        draft.change(resource.clone(), ChangeKind::Update, reason, inactive());
        let step = draft.step(rank::CREDENTIALS_GO, call, &resource, reason);
        draft.needs_user(step, name);
    }
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
    for id in credentials.ssh_public_keys.iter().flatten().map(|(id, _)| id) {
        calls.push((
            user.ssh_public_key(id),
            Call::DeleteSSHPublicKey {
                user_name: name.clone(),
                ssh_public_key_id: id.clone(),
            },
        ));
    }
    for id in credentials
        .service_specific_credentials
        .iter()
        .flatten()
        .map(|(id, _)| id)
    {
        calls.push((
            user.service_specific_credential(id),
            Call::DeleteServiceSpecificCredential {
                user_name: name.clone(),
                service_specific_credential_id: id.clone(),
            },
        ));
    }
    for id in credentials.signing_certificates.iter().flatten().map(|(id, _)| id) {
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
