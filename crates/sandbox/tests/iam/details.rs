//! `GetAccountAuthorizationDetails`, `GetAccountSummary`, and what other reads leave out.

use crate::{ALLOW_LIST, TRUST, allow, arn, done, refused, sandbox};

#[tokio::test]
async fn details_have_and_leave_out_what_was_recorded() {
    let (_, iam) = sandbox();
    let policy = arn("policy/p");
    done!(
        iam.create_policy()
            .policy_name("p")
            .policy_document(ALLOW_LIST)
            .description("d")
            .tags(crate::tags::tag("a", "b")),
        iam.create_policy_version()
            .policy_arn(&policy)
            .policy_document(allow("s3:Two")),
        iam.create_user()
            .user_name("full")
            .permissions_boundary(&policy)
            .tags(crate::tags::tag("a", "b")),
        iam.create_user().user_name("empty"),
        iam.create_group().group_name("g"),
        iam.create_group().group_name("empty"),
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(TRUST)
            .description("d"),
        iam.add_user_to_group().user_name("full").group_name("g"),
        iam.put_user_policy()
            .user_name("full")
            .policy_name("inline")
            .policy_document(ALLOW_LIST),
        iam.attach_user_policy()
            .user_name("full")
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        iam.attach_group_policy().group_name("g").policy_arn(&policy),
    );
    let details = iam.get_account_authorization_details().send().await.unwrap();
    assert!(!details.is_truncated());

    let [empty, full] = details.user_detail_list() else {
        panic!("two users")
    };
    assert_eq!(full.group_list(), ["g"]);
    assert_eq!(
        full.attached_managed_policies()[0].policy_name(),
        Some("ReadOnlyAccess")
    );
    assert_eq!(full.user_policy_list()[0].policy_name(), Some("inline"));
    assert_eq!(
        full.permissions_boundary().unwrap().permissions_boundary_arn(),
        Some(policy.as_str())
    );
    assert_eq!(full.tags().len(), 1);
    // The list of inline policies is missing where it is empty; the other lists are there.
    assert_eq!(empty.user_policy_list, None);
    assert_eq!((&empty.group_list, &empty.tags), (&Some(vec![]), &Some(vec![])));
    assert_eq!(empty.attached_managed_policies, Some(vec![]));

    let [empty, _] = details.group_detail_list() else {
        panic!("two groups")
    };
    assert_eq!(empty.group_policy_list, Some(vec![]));
    assert!(details.role_detail_list()[0].role_last_used().is_some());

    let [own, aws] = details.policies() else {
        panic!("two policies")
    };
    assert_eq!((own.policy_name(), own.description()), (Some("p"), None));
    assert_eq!(
        (own.attachment_count(), own.permissions_boundary_usage_count()),
        (Some(1), Some(1))
    );
    let versions: Vec<_> = own
        .policy_version_list()
        .iter()
        .map(|version| version.version_id().unwrap())
        .collect();
    assert_eq!(versions, ["v2", "v1"]);
    assert!(
        own.policy_version_list()
            .iter()
            .all(|version| version.document().unwrap().starts_with("%7B"))
    );
    // AWS managed policies only where they are in use.
    assert_eq!(aws.arn(), Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    assert!(aws.policy_id().unwrap().starts_with("ANPA"));
}

#[tokio::test]
async fn one_budget_of_items_is_shared_by_all_lists() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_role().role_name("r").assume_role_policy_document(TRUST),
        iam.create_group().group_name("g"),
        iam.create_policy().policy_name("p").policy_document(ALLOW_LIST),
    );
    let mut pages = iam
        .get_account_authorization_details()
        .max_items(3)
        .into_paginator()
        .send();
    let first = pages.next().await.unwrap().unwrap();
    let lengths =
        |page: &aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput| {
            [
                page.user_detail_list().len(),
                page.role_detail_list().len(),
                page.group_detail_list().len(),
                page.policies().len(),
            ]
        };
    assert_eq!(lengths(&first), [1, 1, 1, 0]);
    assert_eq!(lengths(&pages.next().await.unwrap().unwrap()), [0, 0, 0, 1]);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn filters_choose_lists_and_are_checked() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_group().group_name("g"),
        iam.attach_user_policy()
            .user_name("u")
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        iam.create_policy().policy_name("p").policy_document(ALLOW_LIST),
    );
    let get = |filter: &str| iam.get_account_authorization_details().filter(filter.into());
    let users = get("User").send().await.unwrap();
    assert_eq!(
        (
            users.user_detail_list().len(),
            users.group_detail_list().len(),
            users.policies().len()
        ),
        (1, 0, 0)
    );
    assert_eq!(
        get("AWSManagedPolicy").send().await.unwrap().policies()[0].policy_name(),
        Some("ReadOnlyAccess")
    );
    let both = get("LocalManagedPolicy").filter("Group".into()).send().await.unwrap();
    assert_eq!((both.group_detail_list().len(), both.policies().len()), (1, 1));
    refused!(get("user"), "ValidationError");
    refused!(get("User").max_items(1001), "ValidationError");
}

#[tokio::test]
async fn the_summary_has_all_34_entries() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_group().group_name("g"),
        iam.create_policy().policy_name("p").policy_document(ALLOW_LIST),
        iam.attach_user_policy().user_name("u").policy_arn(arn("policy/p")),
        iam.put_user_permissions_boundary()
            .user_name("u")
            .permissions_boundary(arn("policy/p")),
        iam.create_virtual_mfa_device().virtual_mfa_device_name("d"),
    );
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    assert_eq!(summary.len(), 34);
    let expected = [
        ("AccessKeysPerUserQuota", 2),
        ("AccountAccessKeysPresent", 0),
        ("AccountMFAEnabled", 0),
        ("AccountPasswordPresent", 1),
        ("AccountSigningCertificatesPresent", 0),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("GlobalEndpointTokenVersion", 1),
        ("GroupPolicySizeQuota", 5120),
        ("Groups", 1),
        ("GroupsPerUserQuota", 10),
        ("GroupsQuota", 300),
        ("InstanceProfiles", 0),
        ("InstanceProfilesQuota", 1000),
        ("MFADevices", 1),
        ("MFADevicesInUse", 0),
        ("Policies", 1),
        ("PoliciesQuota", 1500),
        ("PolicySizeQuota", 6144),
        ("PolicyVersionsInUse", 1),
        ("PolicyVersionsInUseQuota", 10_000),
        ("Providers", 0),
        ("RolePolicySizeQuota", 10_240),
        ("Roles", 0),
        ("RolesQuota", 1000),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("SigningCertificatesPerUserQuota", 2),
        ("UserPolicySizeQuota", 2048),
        ("Users", 1),
        ("UsersQuota", 5000),
        ("VersionsPerPolicyQuota", 5),
    ];
    for (key, value) in expected {
        assert_eq!(summary.get(&key.into()), Some(&value), "{key}");
    }
    assert_eq!(expected.len(), 34);
}

#[tokio::test]
async fn lists_of_users_leave_out_boundary_and_tags() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user()
            .user_name("u")
            .permissions_boundary("arn:aws:iam::aws:policy/ReadOnlyAccess")
            .tags(crate::tags::tag("a", "b")),
        iam.create_group().group_name("g"),
        iam.add_user_to_group().user_name("u").group_name("g"),
    );
    let listed = iam.list_users().send().await.unwrap().users;
    let members = iam.get_group().group_name("g").send().await.unwrap().users;
    for user in [&listed[0], &members[0]] {
        assert!(user.permissions_boundary().is_none() && user.tags().is_empty());
    }
    let got = iam.get_user().user_name("u").send().await.unwrap().user.unwrap();
    assert!(got.permissions_boundary().is_some() && got.tags().len() == 1);
}
