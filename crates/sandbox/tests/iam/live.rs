//! An account that is made from a live one.

use std::collections::BTreeMap;

use serde_json::json;
use trueup_model::Live;
use trueup_sandbox::Sandbox;

use crate::{ACCOUNT, ALLOW_LIST, done, refused};

const CREATED: &str = "2024-02-03T04:05:06Z";

fn live() -> Live {
    let id = |prefix: &str| format!("{prefix}ABCDEFGHIJKLMNOPQ");
    serde_json::from_value(json!({
        "account": {
            "id": ACCOUNT, "partition": "aws-cn", "alias": "acme",
            "password_policy": null, "summary": {"GroupsQuota": 1, "AccountMFAEnabled": 1, "AccountPasswordPresent": 0},
        },
        "caller": "arn:aws-cn:iam::123456789012:root",
        "users": {"Alice": {
            "name": "Alice", "id": id("AIDA"), "arn": "arn:aws-cn:iam::123456789012:user/team/Alice", "path": "/team/",
            "created": CREATED, "tags": {"Owner": "a"}, "groups": ["Team"],
            "managed_policies": ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess"],
            "inline_policies": {"inline": ALLOW_LIST},
            "permissions_boundary": "arn:aws-cn:iam::123456789012:policy/base",
            "credentials": {
                "login_profile": {"created": CREATED, "password_reset_required": true},
                "access_keys": {"AKIAIOSFODNN7EXAMPLE": {"active": false, "created": CREATED}},
                "mfa_devices": ["arn:aws-cn:iam::123456789012:mfa/phone", "arn:aws-cn:iam::123456789012:u2f/user/Alice/key"],
                "ssh_public_keys": {"APKAABCDEFGHIJKLMNOPQ": true},
                "signing_certificates": {},
                "service_specific_credentials": {"ACCAABCDEFGHIJKLMNOPQ": true},
            },
        }},
        "groups": {"Team": {
            "name": "Team", "id": id("AGPA"), "arn": "arn:aws-cn:iam::123456789012:group/Team", "path": "/",
            "created": CREATED, "managed_policies": [], "inline_policies": {},
        }},
        "policies": {"base": {
            "name": "base", "id": id("ANPA"), "arn": "arn:aws-cn:iam::123456789012:policy/base", "path": "/",
            "created": CREATED, "default_version": "v3",
            "versions": {"v1": {"created": CREATED, "document": ALLOW_LIST}, "v3": {"created": CREATED, "document": ALLOW_LIST}},
            "attachment_count": 0, "boundary_count": 1, "metadata": {"tags": {"a": "b"}, "description": "what it is for"},
        }},
        "aws_policies": {"arn:aws-cn:iam::aws:policy/ReadOnlyAccess": ALLOW_LIST},
        "roles": {"AWSServiceRoleForSupport": {
            "name": "AWSServiceRoleForSupport", "id": id("AROA"), "path": "/aws-service-role/support.amazonaws.com/",
            "arn": "arn:aws-cn:iam::123456789012:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport",
            "tags": {}, "managed_policies": ["arn:aws-cn:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"],
            "inline_policies": {}, "permissions_boundary": null,
        }},
        "virtual_mfa_devices": [
            {"serial": "arn:aws-cn:iam::123456789012:mfa/phone", "user": "Alice", "root": false},
            {"serial": "arn:aws-cn:iam::123456789012:mfa/orphan", "user": null, "root": false},
            {"serial": "arn:aws-cn:iam::123456789012:mfa/root-account-mfa-device", "user": null, "root": true},
        ],
    }))
    .unwrap()
}

pub(crate) fn live_with_a_service_linked_role() -> Live {
    let mut live = live();
    live.account.partition = "aws".to_owned();
    live.users = BTreeMap::new();
    live.virtual_mfa_devices = None;
    live.roles.values_mut().for_each(|role| role.managed_policies.clear());
    live
}

#[tokio::test]
async fn ids_dates_and_documents_are_taken_over() {
    let iam = Sandbox::from_live(&live()).unwrap().iam_client();
    let user = iam.get_user().user_name("alice").send().await.unwrap().user.unwrap();
    assert_eq!(
        (user.user_id(), user.path(), user.user_name()),
        ("AIDAABCDEFGHIJKLMNOPQ", "/team/", "Alice")
    );
    assert_eq!(user.create_date().to_string(), CREATED);
    assert_eq!(user.arn(), "arn:aws-cn:iam::123456789012:user/team/Alice");
    assert_eq!(user.tags()[0].key(), "Owner");
    let groups = iam
        .list_groups_for_user()
        .user_name("alice")
        .send()
        .await
        .unwrap()
        .groups;
    assert_eq!(groups[0].group_id(), "AGPAABCDEFGHIJKLMNOPQ");
    let policy = iam
        .get_policy()
        .policy_arn("arn:aws-cn:iam::123456789012:policy/base")
        .send()
        .await
        .unwrap();
    let policy = policy.policy.unwrap();
    assert_eq!(
        (policy.default_version_id(), policy.description()),
        (Some("v3"), Some("what it is for"))
    );
    let version = iam
        .create_policy_version()
        .policy_arn(policy.arn().unwrap())
        .policy_document(ALLOW_LIST);
    assert_eq!(
        version.send().await.unwrap().policy_version.unwrap().version_id(),
        Some("v4")
    );
    // A document of AWS that is not the known one is the live account's.
    let read_only = "arn:aws-cn:iam::aws:policy/ReadOnlyAccess";
    let details = iam
        .get_account_authorization_details()
        .filter("AWSManagedPolicy".into())
        .send()
        .await
        .unwrap();
    let used = details
        .policies()
        .iter()
        .find(|policy| policy.arn() == Some(read_only))
        .unwrap();
    assert_eq!(used.policy_version_list()[0].document().unwrap().len(), {
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        ALLOW_LIST
            .chars()
            .map(|c| if unreserved(c) { 1 } else { 3 })
            .sum::<usize>()
    });
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    let values = [
        "AccountMFAEnabled",
        "AccountPasswordPresent",
        "GroupsQuota",
        "MFADevicesInUse",
    ]
    .map(|key| summary[&key.into()]);
    assert_eq!(values, [1, 0, 1, 3]);
    refused!(iam.create_group().group_name("another"), "LimitExceeded");
}

#[tokio::test]
async fn credentials_are_taken_over_and_can_be_removed() {
    let iam = Sandbox::from_live(&live()).unwrap().iam_client();
    let profile = iam
        .get_login_profile()
        .user_name("Alice")
        .send()
        .await
        .unwrap()
        .login_profile
        .unwrap();
    assert!(profile.password_reset_required());
    let keys = iam
        .list_access_keys()
        .user_name("Alice")
        .send()
        .await
        .unwrap()
        .access_key_metadata;
    assert_eq!(keys[0].status().unwrap().as_str(), "Inactive");
    assert_eq!(
        iam.list_mfa_devices()
            .user_name("Alice")
            .send()
            .await
            .unwrap()
            .mfa_devices()
            .len(),
        2
    );
    assert_eq!(
        iam.list_virtual_mfa_devices()
            .send()
            .await
            .unwrap()
            .virtual_mfa_devices()
            .len(),
        3
    );
    let (phone, key) = (
        "arn:aws-cn:iam::123456789012:mfa/phone",
        "arn:aws-cn:iam::123456789012:u2f/user/Alice/key",
    );
    done!(
        iam.delete_login_profile().user_name("Alice"),
        iam.delete_access_key()
            .user_name("Alice")
            .access_key_id("AKIAIOSFODNN7EXAMPLE"),
        iam.delete_ssh_public_key()
            .user_name("Alice")
            .ssh_public_key_id("APKAABCDEFGHIJKLMNOPQ"),
        iam.delete_service_specific_credential()
            .user_name("Alice")
            .service_specific_credential_id("ACCAABCDEFGHIJKLMNOPQ"),
        iam.deactivate_mfa_device().user_name("Alice").serial_number(phone),
        iam.deactivate_mfa_device().user_name("Alice").serial_number(key),
        iam.delete_virtual_mfa_device().serial_number(phone),
        iam.remove_user_from_group().user_name("Alice").group_name("Team"),
        iam.detach_user_policy()
            .user_name("Alice")
            .policy_arn("arn:aws-cn:iam::aws:policy/ReadOnlyAccess"),
        iam.delete_user_policy().user_name("Alice").policy_name("inline"),
        iam.delete_user().user_name("Alice"),
    );
    // A security key is gone once it is deactivated.
    refused!(iam.delete_virtual_mfa_device().serial_number(key), "NoSuchEntity");
}

#[test]
fn what_no_account_can_hold_is_refused() {
    let message = |change: fn(&mut Live)| {
        let mut live = live();
        change(&mut live);
        Sandbox::from_live(&live).unwrap_err().to_string()
    };
    assert_eq!(
        message(|live| live.groups.clear()),
        "the live account cannot be put into a sandbox: user Alice is in group Team, which does not exist"
    );
    assert_eq!(
        message(|live| live.policies.clear()),
        "the live account cannot be put into a sandbox: policy arn:aws-cn:iam::123456789012:policy/base is in use and does not exist"
    );
    assert!(
        message(|live| live
            .policies
            .values_mut()
            .for_each(|policy| policy.default_version = "v2".into()))
        .contains("lacks its default version")
    );
}
