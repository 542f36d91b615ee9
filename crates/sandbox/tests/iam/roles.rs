//! Roles.

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

#[tokio::test]
async fn an_update_changes_only_what_it_names() {
    let (_, iam) = sandbox();
    let create = iam.create_role().role_name("r").assume_role_policy_document(TRUST);
    done!(create.description("d").max_session_duration(7200));
    let update = || iam.update_role().role_name("R");
    let now = async || {
        let role = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
        (role.description, role.max_session_duration)
    };
    done!(update());
    assert_eq!(now().await, (Some("d".to_owned()), Some(7200)));
    done!(update().max_session_duration(3600));
    assert_eq!(now().await, (Some("d".to_owned()), Some(3600)));
    done!(update().description("e"));
    assert_eq!(now().await, (Some("e".to_owned()), Some(3600)));
    refused!(update().max_session_duration(100), "ValidationError");
    refused!(update().description("d".repeat(1001)), "ValidationError");
    refused!(iam.update_role().role_name("none"), "NoSuchEntity");
    let older = iam
        .update_role_description()
        .role_name("r")
        .description("f")
        .send()
        .await
        .unwrap();
    let older = older.role.unwrap();
    assert_eq!((older.description(), older.max_session_duration()), (Some("f"), None));
    done!(update().description(""));
    assert_eq!(now().await, (None, Some(3600)));
}

#[tokio::test]
async fn a_service_linked_role_is_its_services() {
    let (_, iam) = sandbox();
    let create = |service: &str| iam.create_service_linked_role().aws_service_name(service);
    let made = create("batch.amazonaws.com").send().await.unwrap().role.unwrap();
    let name = "AWSServiceRoleForBatch";
    assert_eq!(
        (made.role_name(), made.path()),
        (name, "/aws-service-role/batch.amazonaws.com/")
    );
    refused!(
        create("batch.amazonaws.com"),
        "InvalidInput",
        "Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix."
    );
    refused!(
        create("ssm.amazonaws.com").custom_suffix("x"),
        "InvalidInput",
        "Custom suffix is not allowed for ssm.amazonaws.com"
    );
    refused!(create("no.such.service"), "InvalidInput");
    let second = create("autoscaling.amazonaws.com")
        .custom_suffix("x")
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(second.role_name(), "AWSServiceRoleForAutoScaling_x");
    let attached = iam
        .list_attached_role_policies()
        .role_name(name)
        .send()
        .await
        .unwrap()
        .attached_policies
        .unwrap();
    assert_eq!(attached[0].policy_name(), Some("BatchServiceRolePolicy"));

    refused!(iam.delete_role().role_name(name), "UnmodifiableEntity");
    refused!(iam.update_role().role_name(name), "UnmodifiableEntity");
    refused!(
        iam.update_assume_role_policy().role_name(name).policy_document(TRUST),
        "UnmodifiableEntity"
    );
    let profile = iam.create_instance_profile().instance_profile_name("p");
    done!(
        profile,
        iam.create_role().role_name("r").assume_role_policy_document(TRUST)
    );
    let add = iam
        .add_role_to_instance_profile()
        .instance_profile_name("p")
        .role_name(name);
    refused!(add, "UnmodifiableEntity");

    let task = iam
        .delete_service_linked_role()
        .role_name(name)
        .send()
        .await
        .unwrap()
        .deletion_task_id;
    assert!(
        task.starts_with("task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/"),
        "{task}"
    );
    let status = iam
        .get_service_linked_role_deletion_status()
        .deletion_task_id(task)
        .send()
        .await
        .unwrap();
    assert_eq!(status.status().as_str(), "SUCCEEDED");
    refused!(iam.delete_service_linked_role().role_name(name), "NoSuchEntity");
    refused!(iam.delete_service_linked_role().role_name("r"), "InvalidInput");
    refused!(
        iam.get_service_linked_role_deletion_status()
            .deletion_task_id("task/none"),
        "NoSuchEntity"
    );
}
