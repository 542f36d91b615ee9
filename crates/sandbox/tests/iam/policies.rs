//! Managed policies and their versions, AWS's and the account's own; documents are kept verbatim.

use crate::{ALLOW_LIST, allow, arn, done, refused, sandbox};

fn decoded(document: Option<&str>) -> String {
    percent_encoding::percent_decode_str(document.unwrap())
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[tokio::test]
async fn documents_come_back_verbatim_and_encoded() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_group().group_name("g"));
    let document = "{ \"Version\":\"2012-10-17\",\n\t\"Statement\": {\"Effect\":\"Allow\",\"Action\":[\"s3:Get+\",\"s3:Get+\"],\
                    \"Resource\":\"arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aé\\u0041\"} }";
    done!(
        iam.put_user_policy()
            .user_name("u")
            .policy_name("p")
            .policy_document(document),
        iam.put_group_policy()
            .group_name("g")
            .policy_name("p")
            .policy_document(document),
        iam.create_policy().policy_name("p").policy_document(document),
    );
    let user = iam
        .get_user_policy()
        .user_name("u")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    assert_eq!(decoded(Some(user.policy_document())), document);
    assert!(!user.policy_document().contains(['+', ' ']));
    let group = iam
        .get_group_policy()
        .group_name("g")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    assert_eq!(decoded(Some(group.policy_document())), document);
    let managed = iam
        .get_policy_version()
        .policy_arn(arn("policy/p"))
        .version_id("v1")
        .send()
        .await
        .unwrap();
    assert_eq!(decoded(managed.policy_version().unwrap().document()), document);
}

#[tokio::test]
async fn what_each_answer_leaves_out() {
    let (_, iam) = sandbox();
    let create = iam
        .create_policy()
        .policy_name("p")
        .path("/team/")
        .policy_document(ALLOW_LIST);
    let made = create
        .description("what it is for")
        .tags(crate::tags::tag("a", "b"))
        .send()
        .await
        .unwrap();
    let made = made.policy.unwrap();
    assert_eq!((made.description(), made.tags().len()), (None, 1));
    assert!(made.policy_id().unwrap().starts_with("ANPA"));
    let policy = arn("policy/team/p");
    assert_eq!(made.arn(), Some(policy.as_str()));
    let listed = iam
        .list_policies()
        .scope("Local".into())
        .send()
        .await
        .unwrap()
        .policies
        .unwrap();
    assert_eq!((listed[0].description(), listed[0].tags.as_deref()), (None, None));
    let got = iam
        .get_policy()
        .policy_arn(&policy)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!((got.description(), got.tags().len()), (Some("what it is for"), 1));
    done!(iam.untag_policy().policy_arn(&policy).tag_keys("a"));
    let got = iam
        .get_policy()
        .policy_arn(&policy)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(got.tags, Some(vec![]), "always there, also where there are none");
    let version = iam
        .create_policy_version()
        .policy_arn(&policy)
        .policy_document(allow("s3:Get"))
        .send()
        .await
        .unwrap();
    assert_eq!(version.policy_version().unwrap().document(), None);
}

#[tokio::test]
async fn the_default_version_is_a_pointer() {
    let (_, iam) = sandbox();
    let policy = arn("policy/p");
    done!(iam.create_policy().policy_name("p").policy_document(ALLOW_LIST));
    let create = |action: &str, default| {
        iam.create_policy_version()
            .policy_arn(&policy)
            .policy_document(allow(action))
            .set_as_default(default)
    };
    done!(create("s3:Two", false), create("s3:Three", true));
    let default = async || {
        iam.get_policy()
            .policy_arn(&policy)
            .send()
            .await
            .unwrap()
            .policy
            .unwrap()
            .default_version_id
            .unwrap()
    };
    assert_eq!(default().await, "v3");
    done!(iam.set_default_policy_version().policy_arn(&policy).version_id("v2"));
    assert_eq!(default().await, "v2");
    let absent = format!("Policy {policy} version v9 does not exist or is not attachable.");
    refused!(
        iam.set_default_policy_version().policy_arn(&policy).version_id("v9"),
        "NoSuchEntity",
        absent
    );
    refused!(
        iam.get_policy_version().policy_arn(&policy).version_id("v9"),
        "NoSuchEntity",
        absent
    );
    refused!(
        iam.delete_policy_version().policy_arn(&policy).version_id("v9"),
        "NoSuchEntity",
        absent
    );
    done!(iam.delete_policy_version().policy_arn(&policy).version_id("v3"));
    let none = arn("policy/none");
    refused!(
        iam.get_policy_version().policy_arn(&none).version_id("v1"),
        "NoSuchEntity",
        format!("Policy {none} version v1 does not exist or is not attachable.")
    );
    refused!(
        iam.get_policy().policy_arn(&none),
        "NoSuchEntity",
        format!("Policy {none} was not found.")
    );
}

#[tokio::test]
async fn aws_managed_policies_can_be_read_and_used_but_not_changed() {
    let (_, iam) = sandbox();
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    let policy = iam
        .get_policy()
        .policy_arn(administrator)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(
        (policy.policy_name(), policy.default_version_id()),
        (Some("AdministratorAccess"), Some("v1"))
    );
    let version = iam
        .get_policy_version()
        .policy_arn(administrator)
        .version_id("v1")
        .send()
        .await
        .unwrap();
    assert!(decoded(version.policy_version().unwrap().document()).contains(r#""Action":"*""#));
    let job = iam
        .get_policy()
        .policy_arn("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")
        .send()
        .await
        .unwrap();
    assert_eq!(job.policy().unwrap().path(), Some("/job-function/"));
    refused!(
        iam.delete_policy().policy_arn(administrator),
        "AccessDenied",
        "Cannot delete policies outside your own account."
    );
    refused!(
        iam.create_policy_version()
            .policy_arn(administrator)
            .policy_document(ALLOW_LIST),
        "AccessDenied"
    );
    refused!(
        iam.delete_policy_version().policy_arn(administrator).version_id("v1"),
        "AccessDenied"
    );
    refused!(
        iam.tag_policy()
            .policy_arn(administrator)
            .tags(crate::tags::tag("a", "b")),
        "AccessDenied"
    );
    // The account may have a policy of the same name.
    done!(
        iam.create_policy()
            .policy_name("AdministratorAccess")
            .policy_document(ALLOW_LIST)
    );
    let everything = iam.list_policies().into_paginator().items().send();
    let count = everything.collect::<Result<Vec<_>, _>>().await.unwrap().len();
    assert!(count > 1500);
}
