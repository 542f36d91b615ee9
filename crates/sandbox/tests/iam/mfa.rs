//! Virtual MFA devices with real codes.

use aws_sdk_iam::{Client, operation::enable_mfa_device::builders::EnableMFADeviceFluentBuilder};
use trueup_sandbox::{RootFacts, Sandbox, totp};

use crate::{arn, done, refused, sandbox};

pub(crate) struct Device {
    pub(crate) serial: String,
    seed: String,
}

impl Device {
    /// The code at a time and the one after it.
    pub(crate) fn codes(&self, time: &str) -> (String, String) {
        let time: jiff::Timestamp = time.parse().unwrap();
        let later = jiff::Timestamp::from_second(time.as_second() + 30).unwrap();
        (totp(&self.seed, time).unwrap(), totp(&self.seed, later).unwrap())
    }

    pub(crate) fn enable(&self, iam: &Client, user: &str, first: &str, second: &str) -> EnableMFADeviceFluentBuilder {
        let call = iam.enable_mfa_device().user_name(user).serial_number(&self.serial);
        call.authentication_code1(first).authentication_code2(second)
    }
}

pub(crate) async fn new_device(iam: &Client, name: &str) -> Device {
    let made = iam
        .create_virtual_mfa_device()
        .virtual_mfa_device_name(name)
        .send()
        .await
        .unwrap();
    let device = made.virtual_mfa_device.unwrap();
    let seed = String::from_utf8(device.base32_string_seed().unwrap().as_ref().to_vec()).unwrap();
    assert_eq!(seed.len(), 64);
    assert!(device.qr_code_png().unwrap().as_ref().starts_with(b"\x89PNG\r\n\x1a\n"));
    Device {
        serial: device.serial_number,
        seed,
    }
}

pub(crate) async fn enabled_device(_: &Sandbox, iam: &Client, user: &str, name: &str) -> Device {
    let device = new_device(iam, name).await;
    let (first, second) = device.codes("2026-11-22T10:00:00Z");
    done!(device.enable(iam, user, &first, &second));
    device
}

#[tokio::test]
async fn a_device_lives_and_dies() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u").path("/team/"),
        iam.create_user().user_name("v")
    );
    let device = new_device(&iam, "phone").await;
    assert_eq!(device.serial, arn("mfa/phone"));
    let (first, second) = device.codes("2026-11-22T09:59:00Z");
    done!(device.enable(&iam, "u", &first, &second));
    refused!(
        device.enable(&iam, "u", &first, &second),
        "EntityAlreadyExists",
        "MFA Device for user u already exists."
    );
    refused!(
        device.enable(&iam, "v", &first, &second),
        "EntityAlreadyExists",
        "MFA Device is already in use."
    );

    let listed = iam.list_mfa_devices().user_name("u").send().await.unwrap().mfa_devices;
    assert_eq!(
        (listed[0].user_name(), listed[0].serial_number()),
        ("u", device.serial.as_str())
    );
    let assigned = iam
        .list_virtual_mfa_devices()
        .assignment_status("Assigned".into())
        .send()
        .await
        .unwrap();
    let shown = &assigned.virtual_mfa_devices()[0];
    assert_eq!(shown.user().unwrap().arn(), arn("user/team/u"));
    assert!(shown.base32_string_seed().is_none() && shown.qr_code_png().is_none() && shown.tags().is_empty());

    let deactivate = |user: &str| {
        iam.deactivate_mfa_device()
            .user_name(user)
            .serial_number(&device.serial)
    };
    refused!(deactivate("v"), "NoSuchEntity", "MFA Device invalid for user.");
    done!(deactivate("u"));
    refused!(deactivate("u"), "NoSuchEntity");
    let unassigned = iam
        .list_virtual_mfa_devices()
        .assignment_status("Unassigned".into())
        .send()
        .await
        .unwrap();
    assert_eq!(unassigned.virtual_mfa_devices().len(), 1);
    done!(iam.delete_virtual_mfa_device().serial_number(&device.serial));
    refused!(
        iam.delete_virtual_mfa_device().serial_number(&device.serial),
        "NoSuchEntity",
        format!("MFA Device with serial number {} does not exist.", device.serial)
    );
}

#[tokio::test]
async fn only_two_consecutive_codes_in_order_will_do_and_only_once() {
    let (sandbox, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let device = new_device(&iam, "phone").await;
    let (first, second) = device.codes("2026-11-22T10:00:00Z");
    let (later, _) = device.codes("2026-11-22T10:01:30Z");
    for (a, b) in [(&second, &first), (&first, &first), (&first, &later)] {
        refused!(
            device.enable(&iam, "u", a, b),
            "InvalidAuthenticationCode",
            "Authentication code for device is not valid."
        );
    }
    refused!(device.enable(&iam, "u", "12345", &first), "ValidationError");
    refused!(device.enable(&iam, "u", "12345x", &first), "ValidationError");
    done!(device.enable(&iam, "u", &first, &second));
    done!(iam.deactivate_mfa_device().user_name("u").serial_number(&device.serial));
    refused!(device.enable(&iam, "u", &first, &second), "InvalidAuthenticationCode");
    sandbox.set_time("2026-11-22T10:05:00Z".parse().unwrap());
    let (first, second) = device.codes("2026-11-22T10:05:00Z");
    done!(device.enable(&iam, "u", &first, &second));
}

#[tokio::test]
async fn a_clock_can_be_hours_off_but_not_days() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let device = new_device(&iam, "phone").await;
    let (first, second) = device.codes("2026-11-21T10:00:00Z");
    refused!(device.enable(&iam, "u", &first, &second), "InvalidAuthenticationCode");
    let (first, second) = device.codes("2026-11-22T03:00:00Z");
    done!(device.enable(&iam, "u", &first, &second));
}

#[tokio::test]
async fn names_of_devices_are_unique_within_a_path() {
    let (_, iam) = sandbox();
    let create = |path: &str| {
        iam.create_virtual_mfa_device()
            .path(path)
            .virtual_mfa_device_name("phone")
    };
    done!(create("/"), create("/a/"), create("/test//double/"));
    refused!(create("/a/"), "EntityAlreadyExists", "MFA device already exists.");
    refused!(create("no-slash/"), "ValidationError");
    let absent = arn("mfa/none");
    done!(iam.create_user().user_name("u"));
    refused!(
        iam.deactivate_mfa_device().user_name("x").serial_number(&absent),
        "NoSuchEntity",
        "The user with name x cannot be found."
    );
    refused!(
        iam.deactivate_mfa_device().user_name("u").serial_number(&absent),
        "NoSuchEntity",
        format!("MFA Device with serial number {absent} does not exist.")
    );
}

#[tokio::test]
async fn roots_device_is_listed_and_counted() {
    let (sandbox, iam) = sandbox();
    sandbox
        .set_root(RootFacts {
            mfa: true,
            access_keys: 1,
            ..RootFacts::default()
        })
        .unwrap();
    let devices = iam.list_virtual_mfa_devices().send().await.unwrap().virtual_mfa_devices;
    assert!(devices[0].serial_number().ends_with(":mfa/root-account-mfa-device"));
    assert!(devices[0].user().unwrap().arn().ends_with(":root"));
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    let values = [
        "AccountMFAEnabled",
        "AccountAccessKeysPresent",
        "AccountPasswordPresent",
        "MFADevices",
        "MFADevicesInUse",
    ]
    .map(|key| summary[&key.into()]);
    assert_eq!(values, [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn a_device_is_resynchronised_with_two_newer_codes() {
    let (sandbox, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_user().user_name("v"));
    let device = enabled_device(&sandbox, &iam, "u", "phone").await;
    let resync = |user: &str, serial: &str, codes: &(String, String)| {
        let call = iam.resync_mfa_device().user_name(user).serial_number(serial);
        call.authentication_code1(&codes.0).authentication_code2(&codes.1)
    };
    // The codes that enabled it do not work again.
    let used = device.codes("2026-11-22T10:00:00Z");
    refused!(resync("u", &device.serial, &used), "InvalidAuthenticationCode");
    let newer = device.codes("2026-11-22T10:05:00Z");
    refused!(
        resync("v", &device.serial, &newer),
        "NoSuchEntity",
        "MFA Device invalid for user."
    );
    refused!(resync("u", &arn("mfa/none"), &newer), "NoSuchEntity");
    let reversed = (newer.1.clone(), newer.0.clone());
    refused!(resync("u", &device.serial, &reversed), "InvalidAuthenticationCode");
    done!(resync("u", &device.serial, &newer));
    refused!(resync("u", &device.serial, &newer), "InvalidAuthenticationCode");
}

#[tokio::test]
async fn only_security_keys_can_be_looked_at_one_by_one() {
    let (sandbox, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let device = enabled_device(&sandbox, &iam, "u", "phone").await;
    let get = |serial: &str| iam.get_mfa_device().user_name("u").serial_number(serial);
    refused!(get(&device.serial), "ValidationError");
    refused!(get(&arn("u2f/user/u/key-ABC")), "NoSuchEntity");
}
