//! Permissions boundaries.

use crate::{ALLOW_LIST, TRUST, arn, done, refused, sandbox};

#[tokio::test]
async fn a_boundary_is_set_shown_and_removed() {
    let (_, iam) = sandbox();
    let policy = arn("policy/b");
    done!(iam.create_policy().policy_name("b").policy_document(ALLOW_LIST));
    let made = iam
        .create_user()
        .user_name("u")
        .permissions_boundary(&policy)
        .send()
        .await
        .unwrap()
        .user
        .unwrap();
    let boundary = made.permissions_boundary().unwrap();
    // IAM's model says PermissionsBoundaryPolicy; its answers say Policy.
    assert_eq!(boundary.permissions_boundary_type().unwrap().as_str(), "Policy");
    assert_eq!(boundary.permissions_boundary_arn(), Some(policy.as_str()));
    done!(
        iam.put_user_permissions_boundary()
            .user_name("u")
            .permissions_boundary("arn:aws:iam::aws:policy/PowerUserAccess")
    );
    done!(iam.delete_user_permissions_boundary().user_name("u"));
    refused!(iam.delete_user_permissions_boundary().user_name("u"), "NoSuchEntity");
    assert!(
        iam.get_user()
            .user_name("u")
            .send()
            .await
            .unwrap()
            .user
            .unwrap()
            .permissions_boundary()
            .is_none()
    );

    done!(
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(TRUST)
            .permissions_boundary(&policy)
    );
    let role = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!(
        role.permissions_boundary().unwrap().permissions_boundary_arn(),
        Some(policy.as_str())
    );
    done!(iam.delete_role_permissions_boundary().role_name("r"));
    refused!(iam.delete_role_permissions_boundary().role_name("r"), "NoSuchEntity");
}

#[tokio::test]
async fn what_cannot_be_a_boundary() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let put = |arn: &str| {
        iam.put_user_permissions_boundary()
            .user_name("u")
            .permissions_boundary(arn)
    };
    refused!(
        put("not-an-arn-but-long-enough"),
        "InvalidInput",
        "ARN not-an-arn-but-long-enough is not valid."
    );
    let absent = arn("policy/none");
    refused!(
        put(&absent),
        "NoSuchEntity",
        format!("Scope ARN: {absent} does not exist or is not attachable.")
    );
    refused!(
        put("arn:aws:iam::aws:policy/aws-service-role/AmazonRDSServiceRolePolicy"),
        "PolicyNotAttachable"
    );
    refused!(
        iam.create_user().user_name("v").permissions_boundary(absent),
        "NoSuchEntity"
    );
    refused!(iam.get_user().user_name("v"), "NoSuchEntity");
}

#[tokio::test]
async fn boundary_uses_are_counted_apart_from_attachments() {
    let (_, iam) = sandbox();
    let policy = arn("policy/b");
    done!(
        iam.create_policy().policy_name("b").policy_document(ALLOW_LIST),
        iam.create_user().user_name("bounded").permissions_boundary(&policy),
        iam.create_user().user_name("attached"),
        iam.create_group().group_name("group"),
        iam.attach_user_policy().user_name("attached").policy_arn(&policy),
        iam.attach_group_policy().group_name("group").policy_arn(&policy),
    );
    let shown = iam
        .get_policy()
        .policy_arn(&policy)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(
        (shown.attachment_count(), shown.permissions_boundary_usage_count()),
        (Some(2), Some(1))
    );

    let all = iam.list_entities_for_policy().policy_arn(&policy).send().await.unwrap();
    assert_eq!(
        (
            all.policy_users().len(),
            all.policy_groups().len(),
            all.policy_roles().len()
        ),
        (2, 1, 0)
    );
    let bounded = iam
        .list_entities_for_policy()
        .policy_arn(&policy)
        .policy_usage_filter("PermissionsBoundary".into());
    let bounded = bounded.send().await.unwrap();
    assert_eq!(bounded.policy_users()[0].user_name(), Some("bounded"));
    assert!(bounded.policy_groups().is_empty());
    let groups = iam
        .list_entities_for_policy()
        .policy_arn(&policy)
        .entity_filter("Group".into())
        .send()
        .await
        .unwrap();
    assert_eq!((groups.policy_users().len(), groups.policy_groups().len()), (0, 1));
    refused!(
        iam.list_entities_for_policy().policy_arn(arn("policy/none")),
        "NoSuchEntity"
    );
}

#[tokio::test]
async fn lists_of_policies_filter_by_use_only_among_the_attached() {
    let (_, iam) = sandbox();
    done!(
        iam.create_policy().policy_name("boundary").policy_document(ALLOW_LIST),
        iam.create_policy()
            .policy_name("attached")
            .path("/team/")
            .policy_document(ALLOW_LIST),
        iam.create_policy().policy_name("unused").policy_document(ALLOW_LIST),
        iam.create_user()
            .user_name("u")
            .permissions_boundary(arn("policy/boundary")),
        iam.attach_user_policy()
            .user_name("u")
            .policy_arn(arn("policy/team/attached")),
    );
    let names = async |only_attached: bool, usage: Option<&str>| -> Vec<String> {
        let list = iam.list_policies().scope("Local".into()).only_attached(only_attached);
        let answer = list
            .set_policy_usage_filter(usage.map(Into::into))
            .send()
            .await
            .unwrap();
        answer
            .policies
            .unwrap()
            .into_iter()
            .filter_map(|policy| policy.policy_name)
            .collect()
    };
    assert_eq!(names(false, None).await, ["attached", "boundary", "unused"]);
    assert_eq!(names(false, Some("PermissionsBoundary")).await.len(), 3);
    assert_eq!(names(true, None).await, ["attached", "boundary"]);
    assert_eq!(names(true, Some("PermissionsBoundary")).await, ["boundary"]);
    assert_eq!(names(true, Some("PermissionsPolicy")).await, ["attached"]);
    let team = iam.list_policies().path_prefix("/team/").send().await.unwrap();
    assert_eq!(team.policies().len(), 1);
}
