//! Roles, as far as the sandbox has them.

use trueup_sandbox::Sandbox;

use crate::{ALLOW_LIST, TRUST, done, refused, sandbox};

#[tokio::test]
async fn what_each_answer_leaves_out() {
    let (_, iam) = sandbox();
    let create = iam
        .create_role()
        .role_name("r")
        .path("/ops/")
        .assume_role_policy_document(TRUST);
    let create = create
        .description("what it is for")
        .max_session_duration(7200)
        .tags(crate::tags::tag("a", "b"));
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    let made = create
        .permissions_boundary(boundary)
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!((made.max_session_duration(), made.description()), (None, None));
    assert!(made.role_id().starts_with("AROA"));
    let listed = iam.list_roles().send().await.unwrap().roles;
    assert_eq!(
        (listed[0].max_session_duration(), listed[0].description()),
        (Some(7200), Some("what it is for"))
    );
    assert!(listed[0].permissions_boundary().is_none() && listed[0].tags().is_empty());
    let got = iam.get_role().role_name("R").send().await.unwrap().role.unwrap();
    assert!(got.permissions_boundary().is_some() && got.role_last_used().is_some());
    assert_eq!(got.tags().len(), 1);
}

#[tokio::test]
async fn limits_of_roles() {
    let (_, iam) = sandbox();
    let create = |name: &str| iam.create_role().role_name(name).assume_role_policy_document(TRUST);
    refused!(create("r").max_session_duration(3599), "ValidationError");
    refused!(create("r").max_session_duration(43_201), "ValidationError");
    refused!(create("r").description("d".repeat(1001)), "ValidationError");
    refused!(create("r").path("/aws-service-role/x/"), "InvalidInput");
    refused!(
        iam.create_role().role_name("r").assume_role_policy_document("x"),
        "MalformedPolicyDocument",
        "This policy contains invalid Json"
    );
    refused!(
        iam.create_role().role_name("r").assume_role_policy_document(ALLOW_LIST),
        "MalformedPolicyDocument"
    );
    let long = TRUST.replace("ec2.amazonaws.com", &format!("{}.amazonaws.com", "e".repeat(2048)));
    refused!(
        iam.create_role().role_name("r").assume_role_policy_document(long),
        "LimitExceeded"
    );
    done!(create("r").max_session_duration(43_200));
}

#[tokio::test]
async fn roles_of_aws_cannot_be_modified() {
    let live = crate::live::live_with_a_service_linked_role();
    let iam = Sandbox::from_live(&live).unwrap().iam_client();
    let name = "AWSServiceRoleForSupport";
    refused!(
        iam.attach_role_policy()
            .role_name(name)
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        "UnmodifiableEntity"
    );
    refused!(iam.delete_role().role_name(name), "UnmodifiableEntity");
    refused!(
        iam.tag_role().role_name(name).tags(crate::tags::tag("a", "b")),
        "UnmodifiableEntity"
    );
    refused!(
        iam.put_role_policy()
            .role_name(name)
            .policy_name("p")
            .policy_document(ALLOW_LIST),
        "UnmodifiableEntity"
    );
}
