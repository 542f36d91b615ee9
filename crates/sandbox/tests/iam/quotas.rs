//! Each quota, at its limit and one beyond.

use crate::{ALLOW_LIST, TRUST, allow, arn, credentials, document_of_size, done, mfa, refused, sandbox};

/// AWS managed policies that can be attached.
const AWS: [&str; 11] = [
    "ReadOnlyAccess",
    "SecurityAudit",
    "AdministratorAccess",
    "PowerUserAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "IAMUserChangePassword",
];

fn aws(name: &str) -> String {
    format!("arn:aws:iam::aws:policy/{name}")
}

#[tokio::test]
async fn entities_per_account() {
    let (sandbox, iam) = sandbox();
    for quota in ["UsersQuota", "GroupsQuota", "RolesQuota", "PoliciesQuota"] {
        assert!(sandbox.set_quota(quota, 1).unwrap());
    }
    assert!(!sandbox.set_quota("Users", 1).unwrap());
    done!(
        iam.create_user().user_name("a"),
        iam.create_group().group_name("a"),
        iam.create_role().role_name("a").assume_role_policy_document(TRUST),
        iam.create_policy().policy_name("a").policy_document(ALLOW_LIST),
    );
    refused!(
        iam.create_user().user_name("b"),
        "LimitExceeded",
        "Cannot exceed quota for UsersPerAccount: 1"
    );
    refused!(
        iam.create_group().group_name("b"),
        "LimitExceeded",
        "Cannot exceed quota for GroupsPerAccount: 1"
    );
    refused!(
        iam.create_role().role_name("b").assume_role_policy_document(TRUST),
        "LimitExceeded"
    );
    refused!(
        iam.create_policy().policy_name("b").policy_document(ALLOW_LIST),
        "LimitExceeded"
    );
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    assert_eq!((summary[&"UsersQuota".into()], summary[&"Users".into()]), (1, 1));
}

#[tokio::test]
async fn attached_policies() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_group().group_name("g"),
        iam.create_role().role_name("r").assume_role_policy_document(TRUST),
    );
    for name in &AWS[..10] {
        done!(
            iam.attach_user_policy().user_name("u").policy_arn(aws(name)),
            iam.attach_group_policy().group_name("g").policy_arn(aws(name)),
            iam.attach_role_policy().role_name("r").policy_arn(aws(name)),
        );
    }
    let one_more = aws(AWS[10]);
    let exceeded = "Cannot exceed quota for Policies";
    refused!(
        iam.attach_user_policy().user_name("u").policy_arn(&one_more),
        "LimitExceeded",
        format!("{exceeded}PerUser: 10")
    );
    refused!(
        iam.attach_group_policy().group_name("g").policy_arn(&one_more),
        "LimitExceeded",
        format!("{exceeded}PerGroup: 10")
    );
    refused!(
        iam.attach_role_policy().role_name("r").policy_arn(&one_more),
        "LimitExceeded",
        format!("{exceeded}PerRole: 10")
    );
    // What is attached already can be attached again.
    done!(iam.attach_user_policy().user_name("u").policy_arn(aws(AWS[0])));
}

#[tokio::test]
async fn groups_of_a_user() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    for number in 0..=10 {
        done!(iam.create_group().group_name(format!("g{number}")));
    }
    for number in 0..10 {
        done!(iam.add_user_to_group().user_name("u").group_name(format!("g{number}")));
    }
    refused!(
        iam.add_user_to_group().user_name("u").group_name("g10"),
        "LimitExceeded",
        "Cannot exceed quota for GroupsPerUser: 10"
    );
    done!(iam.add_user_to_group().user_name("u").group_name("g0"));
}

#[tokio::test]
async fn versions_of_a_policy_are_five_and_never_reused() {
    let (_, iam) = sandbox();
    let policy = arn("policy/p");
    done!(iam.create_policy().policy_name("p").policy_document(ALLOW_LIST));
    let create = |action: &str| {
        iam.create_policy_version()
            .policy_arn(&policy)
            .policy_document(allow(action))
    };
    for number in 2..=5 {
        done!(create(&format!("s3:Get{number}")));
    }
    refused!(
        create("s3:Get6"),
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
    );
    done!(iam.delete_policy_version().policy_arn(&policy).version_id("v2"));
    let made = create("s3:Get6").send().await.unwrap().policy_version.unwrap();
    assert_eq!((made.version_id(), made.is_default_version()), (Some("v6"), false));
    let versions = iam
        .list_policy_versions()
        .policy_arn(&policy)
        .send()
        .await
        .unwrap()
        .versions
        .unwrap();
    let ids: Vec<_> = versions.iter().filter_map(|version| version.version_id()).collect();
    assert_eq!(ids, ["v6", "v5", "v4", "v3", "v1"], "newest first");
    assert!(versions.iter().all(|version| version.document().is_none()));
}

#[tokio::test]
async fn sizes_of_managed_policies_count_no_white_space() {
    let (_, iam) = sandbox();
    let document = document_of_size(6144);
    let spaced = document.replace(",", " ,\n\t ");
    done!(iam.create_policy().policy_name("p").policy_document(spaced));
    refused!(
        iam.create_policy()
            .policy_name("q")
            .policy_document(document_of_size(6145)),
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144"
    );
    refused!(
        iam.create_policy_version()
            .policy_arn(arn("policy/p"))
            .policy_document(document_of_size(6145)),
        "LimitExceeded"
    );
}

#[tokio::test]
async fn sizes_of_inline_policies_add_up_per_owner() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_group().group_name("g"),
        iam.create_role().role_name("r").assume_role_policy_document(TRUST),
    );
    let put = |name: &str, size: usize| {
        iam.put_user_policy()
            .user_name("u")
            .policy_name(name)
            .policy_document(document_of_size(size))
    };
    done!(put("a", 1000), put("b", 1048));
    refused!(
        put("c", 200),
        "LimitExceeded",
        "Maximum policy size of 2048 bytes exceeded for user u"
    );
    refused!(put("b", 1049), "LimitExceeded");
    // What is replaced does not count.
    done!(put("B", 1048), put("a", 200), put("c", 800));
    let put = |size| {
        iam.put_group_policy()
            .group_name("g")
            .policy_name("p")
            .policy_document(document_of_size(size))
    };
    done!(put(5120));
    refused!(
        put(5121),
        "LimitExceeded",
        "Maximum policy size of 5120 bytes exceeded for group g"
    );
    let put = |size| {
        iam.put_role_policy()
            .role_name("r")
            .policy_name("p")
            .policy_document(document_of_size(size))
    };
    done!(put(10_240));
    refused!(
        put(10_241),
        "LimitExceeded",
        "Maximum policy size of 10240 bytes exceeded for role r"
    );
}

#[tokio::test]
async fn credentials_of_a_user() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_access_key().user_name("u"),
        iam.create_access_key().user_name("u")
    );
    refused!(
        iam.create_access_key().user_name("u"),
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2"
    );

    let upload = |number| {
        iam.upload_signing_certificate()
            .user_name("u")
            .certificate_body(credentials::certificate(number))
    };
    done!(upload(1), upload(2));
    refused!(
        upload(3),
        "LimitExceeded",
        "Cannot exceed quota for CertificatesPerUser: 2"
    );
    done!(upload(2));

    let upload = |number| {
        iam.upload_ssh_public_key()
            .user_name("u")
            .ssh_public_key_body(credentials::ssh_key(number))
    };
    for number in 0..5 {
        done!(upload(number));
    }
    refused!(
        upload(5),
        "LimitExceeded",
        "Cannot exceed quota for SSHPublicKeysPerUser: 5"
    );

    let create = |service: &str| {
        iam.create_service_specific_credential()
            .user_name("u")
            .service_name(service)
    };
    done!(
        create("codecommit.amazonaws.com"),
        create("CodeCommit.amazonaws.com"),
        create("cassandra.amazonaws.com")
    );
    refused!(create("codecommit.amazonaws.com"), "LimitExceeded");
}

#[tokio::test]
async fn a_ninth_mfa_device() {
    let (sandbox, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    for number in 0..8 {
        mfa::enabled_device(&sandbox, &iam, "u", &format!("d{number}")).await;
    }
    let device = mfa::new_device(&iam, "d8").await;
    let (first, second) = device.codes("2026-11-22T10:00:00Z");
    refused!(
        device.enable(&iam, "u", &first, &second),
        "LimitExceeded",
        "Cannot exceed quota for MFADevicesPerUser: 8"
    );
}

#[tokio::test]
async fn policy_versions_in_use_count_distinct_policies() {
    let (sandbox, iam) = sandbox();
    sandbox.set_quota("PolicyVersionsInUseQuota", 1).unwrap();
    done!(
        iam.create_user().user_name("u"),
        iam.create_user().user_name("v"),
        iam.attach_user_policy()
            .user_name("u")
            .policy_arn(aws("ReadOnlyAccess")),
        iam.attach_user_policy()
            .user_name("v")
            .policy_arn(aws("ReadOnlyAccess")),
    );
    refused!(
        iam.attach_user_policy().user_name("u").policy_arn(aws("SecurityAudit")),
        "LimitExceeded"
    );
    refused!(
        iam.put_user_permissions_boundary()
            .user_name("u")
            .permissions_boundary(aws("SecurityAudit")),
        "LimitExceeded"
    );
}
