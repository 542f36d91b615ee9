//! MFA devices: virtual ones with real codes, and for reading and deactivating those of other kinds.

use data_encoding::BASE64;

use super::{tags, users};
use crate::{
    errors::ApiError,
    paging::PageRequest,
    qr,
    quota::Quota,
    state::{Assignment, MfaDevice, State, fold},
    totp,
    validate::{self, DEVICE_NAME, DEVICE_PATH, Input, MFA_CODE, SERIAL, USER_NAME},
    wire::{Request, Xml},
};

/// How far a device's clock may be off when it is enabled, in time steps, as observed of IAM.
const BEHIND: i64 = 998;
const AHEAD: i64 = 1000;

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let path = input.optional("Path", &DEVICE_PATH).unwrap_or_else(|| "/".to_owned());
    let name = input.required("VirtualMFADeviceName", &DEVICE_NAME);
    let given_tags = input.tags();
    input.check()?;
    if !validate::is_path(&path) {
        return Err(ApiError::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters.",
        ));
    }
    let serial = state.arn("mfa", &path, &name);
    if serial.len() > 256 {
        return Err(ApiError::validation("The serial number of the MFA device is too long."));
    }
    if state.mfa_devices.contains_key(&serial) {
        return Err(ApiError::already_exists("MFA device already exists."));
    }
    let limit = state.quotas.limit(Quota::Users);
    if state.mfa_devices.values().filter(|device| device.is_virtual).count() >= limit {
        return Err(ApiError::quota("VirtualMFADevicesPerAccount", limit));
    }
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags.unwrap_or_default(), tags::Keys::Exact, state)?;
    let seed = state.ids.letters(64);
    let uri = format!("otpauth://totp/{name}@{}?secret={seed}", state.account_id);
    let mut xml = Xml::new();
    xml.element("VirtualMFADevice", |xml| {
        xml.text("SerialNumber", &serial)
            .text("Base32StringSeed", BASE64.encode(seed.as_bytes()))
            .text("QRCodePNG", BASE64.encode(&qr::png(&uri)));
        if !tags.is_empty() {
            tags::write(xml, &tags);
        }
    });
    state.mfa_devices.insert(
        serial,
        MfaDevice {
            seed: Some(seed),
            is_virtual: true,
            assigned: None,
            last_step: None,
            tags,
        },
    );
    Ok(xml)
}

pub(super) fn enable(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let serial = input.required("SerialNumber", &SERIAL);
    let first = input.required("AuthenticationCode1", &MFA_CODE);
    let second = input.required("AuthenticationCode2", &MFA_CODE);
    input.check()?;
    let user = state.user(&name)?;
    let (owner, stored) = (user.entity.id.clone(), user.entity.name.clone());
    let in_use = state.devices_of(&owner).count();
    let limit = state.quotas.limit(Quota::MfaDevicesPerUser);
    let device = state.mfa_devices.get_mut(&serial).ok_or_else(|| absent(&serial))?;
    if let Some(assigned) = &device.assigned {
        return Err(ApiError::already_exists(if assigned.owner == owner {
            format!("MFA Device for user {stored} already exists.")
        } else {
            "MFA Device is already in use.".to_owned()
        }));
    }
    if in_use >= limit {
        return Err(ApiError::quota("MFADevicesPerUser", limit));
    }
    accept_pair(device, (&first, &second), request)?;
    device.assigned = Some(Assignment {
        owner,
        since: request.now,
    });
    Ok(Xml::new())
}

/// Takes two consecutive codes, the older first. A code works once: both have to be newer than any that was accepted.
fn accept_pair(device: &mut MfaDevice, codes: (&str, &str), request: &Request) -> Result<(), ApiError> {
    let now = totp::step(request.now);
    let from = device
        .last_step
        .map_or(now - BEHIND, |last| (last + 1).max(now - BEHIND));
    let seed = device.seed.as_deref().unwrap_or_default();
    let step = totp::find_pair(seed, codes, from, now + AHEAD)
        .ok_or_else(|| ApiError::invalid_code("Authentication code for device is not valid."))?;
    device.last_step = Some(step);
    Ok(())
}

/// Codes may be as far off as when the device was enabled; from then on they are looked for near these two.
pub(super) fn resync(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let serial = input.required("SerialNumber", &SERIAL);
    let first = input.required("AuthenticationCode1", &MFA_CODE);
    let second = input.required("AuthenticationCode2", &MFA_CODE);
    input.check()?;
    let owner = state.user(&name)?.entity.id.clone();
    let device = state.mfa_devices.get_mut(&serial).ok_or_else(|| absent(&serial))?;
    check_owner(device, &owner)?;
    accept_pair(device, (&first, &second), request)?;
    Ok(Xml::new())
}

fn check_owner(device: &MfaDevice, owner: &str) -> Result<(), ApiError> {
    match &device.assigned {
        Some(assigned) if assigned.owner == owner => Ok(()),
        _ => Err(ApiError::no_such_entity("MFA Device invalid for user.")),
    }
}

/// Tells only of security keys and passkeys, which no call of IAM can make.
pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let serial = input.required("SerialNumber", &SERIAL);
    let name = input.optional("UserName", &USER_NAME);
    input.check()?;
    if !serial.contains(":u2f/") {
        return Err(ApiError::validation(
            "The serial number must be the ARN of a FIDO security key.",
        ));
    }
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    let device = state.mfa_devices.get(&serial).ok_or_else(|| absent(&serial))?;
    check_owner(device, &user.entity.id)?;
    let mut xml = Xml::new();
    xml.text("UserName", &user.entity.name).text("SerialNumber", &serial);
    if let Some(assigned) = &device.assigned {
        xml.time("EnableDate", assigned.since);
    }
    xml.element("Certifications", |_| {});
    Ok(xml)
}

pub(super) fn deactivate(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let serial = input.required("SerialNumber", &SERIAL);
    input.check()?;
    let name = users::named(name, request)?;
    let owner = state.user(&name)?.entity.id.clone();
    let device = state.mfa_devices.get_mut(&serial).ok_or_else(|| absent(&serial))?;
    check_owner(device, &owner)?;
    device.assigned = None;
    // Only virtual devices live on unassigned; others are gone.
    if !device.is_virtual {
        state.mfa_devices.remove(&serial);
    }
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let serial = input.required("SerialNumber", &SERIAL);
    input.check()?;
    let device = find_virtual(state, &serial)?;
    if device.assigned.is_some() {
        return Err(ApiError::delete_conflict(
            "MFA VirtualDevice in use. Must deactivate first.",
        ));
    }
    state.mfa_devices.remove(&serial);
    Ok(Xml::new())
}

pub(super) fn list_of_user(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    let page = page.cut(state.devices_of(&user.entity.id).collect(), &fold(&name))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("MFADevices", &page.items, |xml, (serial, device)| {
        xml.text("UserName", &user.entity.name).text("SerialNumber", serial);
        if let Some(assigned) = &device.assigned {
            xml.time("EnableDate", assigned.since);
        }
    });
    Ok(xml)
}

/// Seeds, QR codes and tags are never told again.
pub(super) fn list_virtual(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let status = input
        .word("AssignmentStatus", &["Assigned", "Unassigned", "Any"])
        .unwrap_or("Any");
    let page = PageRequest::read(&mut input);
    input.check()?;
    let root = state.root.mfa.then(|| {
        let assigned = Assignment {
            owner: state.account_id.clone(),
            since: state.created,
        };
        (state.arn("mfa", "/", "root-account-mfa-device"), Some(assigned))
    });
    let devices = state.mfa_devices.iter().filter(|(_, device)| device.is_virtual);
    let devices = devices
        .map(|(serial, device)| (serial.clone(), device.assigned.clone()))
        .chain(root)
        .filter(|(_, assigned)| match status {
            "Assigned" => assigned.is_some(),
            "Unassigned" => assigned.is_none(),
            _ => true,
        })
        .collect();
    let page = page.cut(devices, status)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("VirtualMFADevices", &page.items, |xml, (serial, assigned)| {
        xml.text("SerialNumber", serial);
        let Some(assigned) = assigned else { return };
        xml.time("EnableDate", assigned.since).element("User", |xml| {
            match state.users.values().find(|user| user.entity.id == assigned.owner) {
                Some(user) => users::write_brief(xml, state, user),
                None => users::write_root(xml, state),
            }
        });
    });
    Ok(xml)
}

/// The virtual device with this serial.
pub(super) fn find_virtual<'a>(state: &'a State, serial: &str) -> Result<&'a MfaDevice, ApiError> {
    let device = state.mfa_devices.get(serial).filter(|device| device.is_virtual);
    device.ok_or_else(|| absent(serial))
}

/// The same, to change it.
pub(super) fn find_virtual_mut<'a>(state: &'a mut State, serial: &str) -> Result<&'a mut MfaDevice, ApiError> {
    let device = state.mfa_devices.get_mut(serial).filter(|device| device.is_virtual);
    device.ok_or_else(|| absent(serial))
}

fn absent(serial: &str) -> ApiError {
    ApiError::no_such_entity(format!("MFA Device with serial number {serial} does not exist."))
}
