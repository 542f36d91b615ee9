//! Virtual MFA devices that belong to nobody: what an enrolment that was given up leaves behind. Its name stands in the
//! way of the next one, and only an administrator can take it away.
//!
//! A device does not say whose it was. It is only taken away where its name is that of a user whose MFA the manifest
//! manages, alone or before a `-`; all others are reported.

use trueup_model::{Resource, UserName, desired::MfaLevel, live::VirtualMfaDevice};

use crate::{
    Call, ChangeKind,
    draft::{Draft, rank},
    requirements::mfa_of,
    resolve::{Fate, Resolved},
};

/// Plans the devices that are in the way.
pub(crate) fn plan(resolved: &Resolved<'_>, draft: &mut Draft) {
    let devices = resolved.live.virtual_mfa_devices.iter().flatten();
    let mut others: Vec<&str> = Vec::new();
    for device in devices.filter(|device| device.user.is_none() && !device.root) {
        let Some(owner) = owner(resolved, device).filter(|owner| is_managed(resolved, owner)) else {
            others.push(&device.serial);
            continue;
        };
        let resource = Resource::user(&owner).mfa_device(&device.serial);
        let reason = "assigned to nobody, and its name is in the way of the next enrolment";
        draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
        let call = Call::DeleteVirtualMFADevice {
            serial_number: device.serial.clone(),
        };
        draft.step(rank::DELETE_CREDENTIAL, call, &resource, reason);
    }
    if let Some(first) = others.first() {
        let more = match others.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        draft.note(
            None,
            format!("virtual MFA devices that are assigned to nobody are left alone: {first}{more}"),
        );
    }
}

/// The user whose name a device has: the longest of all that fit, so that `alice-b` is not taken for one of `alice`.
fn owner(resolved: &Resolved<'_>, device: &VirtualMfaDevice) -> Option<UserName> {
    let name = device
        .serial
        .rsplit_once('/')
        .map(|(_, name)| name)?
        .to_ascii_lowercase();
    let fits = |user: &&UserName| {
        let user = user.as_str().to_ascii_lowercase();
        name.strip_prefix(&user)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let live = resolved.live.users.keys();
    let found = live
        .chain(resolved.users.keys())
        .filter(fits)
        .max_by_key(|user| user.as_str().len())?;
    Some(resolved.user_after(found))
}

fn is_managed(resolved: &Resolved<'_>, name: &UserName) -> bool {
    match resolved.users.get(name) {
        Some(Fate::Declared { desired, .. }) => {
            mfa_of(resolved.desired, desired).is_some_and(|mfa| mfa.level >= MfaLevel::Required)
        }
        Some(Fate::Deleted { .. }) => true,
        Some(Fate::Quarantined { .. }) | None => false,
    }
}
