//! The constraints of IAM's service model.

use crate::{ALLOW_LIST, TRUST, allow, arn, done, refused, sandbox};

#[tokio::test]
async fn names() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("a_b+c=d,e.f@g-h"),
        iam.create_user().user_name("n".repeat(64))
    );
    refused!(
        iam.create_user().user_name("n".repeat(65)),
        "ValidationError",
        "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"
    );
    refused!(
        iam.create_user().user_name("bad name!"),
        "ValidationError",
        r"1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+"
    );
    refused!(iam.create_user().user_name(""), "ValidationError");
    refused!(iam.create_user().user_name("zoë"), "ValidationError");
    // Lookups take longer names than creation, and find nothing.
    refused!(iam.get_user().user_name("n".repeat(128)), "NoSuchEntity");
    refused!(iam.get_user().user_name("n".repeat(129)), "ValidationError");
    refused!(
        iam.update_user()
            .user_name("n".repeat(64))
            .new_user_name("n".repeat(65)),
        "ValidationError"
    );
    done!(iam.create_group().group_name("g".repeat(128)));
    refused!(iam.create_group().group_name("g".repeat(129)), "ValidationError");
    refused!(
        iam.create_role()
            .role_name("r".repeat(65))
            .assume_role_policy_document(TRUST),
        "ValidationError"
    );
    refused!(
        iam.create_policy()
            .policy_name("p".repeat(129))
            .policy_document(ALLOW_LIST),
        "ValidationError"
    );
    refused!(
        iam.put_group_policy()
            .group_name("g".repeat(128))
            .policy_name("no spaces")
            .policy_document(ALLOW_LIST),
        "ValidationError"
    );
}

#[tokio::test]
async fn paths() {
    let (_, iam) = sandbox();
    for (index, good) in ["/", "/a/", "/a//b/", "/a*:b/", &format!("/{}/", "p".repeat(510))]
        .iter()
        .enumerate()
    {
        done!(iam.create_user().user_name(format!("u{index}")).path(*good));
    }
    for bad in [
        "",
        "a",
        "/a",
        "a/",
        "//",
        "/a b/",
        "/é/",
        "/a\n/",
        "/\u{7f}/",
        &format!("/{}/", "p".repeat(511)),
    ] {
        refused!(iam.create_user().user_name("x").path(bad), "ValidationError");
        refused!(iam.create_group().group_name("x").path(bad), "ValidationError");
    }
    done!(
        iam.create_policy()
            .policy_name("p")
            .path("/a/b/")
            .policy_document(ALLOW_LIST)
    );
    for bad in ["/a//b/", "/a*/", "/a:b/", "/a"] {
        refused!(
            iam.create_policy()
                .policy_name("x")
                .path(bad)
                .policy_document(ALLOW_LIST),
            "ValidationError"
        );
    }
    refused!(iam.list_users().path_prefix("no-slash"), "ValidationError");
    // A prefix is a prefix of the text, not of path elements.
    done!(iam.create_user().user_name("life").path("/test-lifecycle/"));
    let found = iam.list_users().path_prefix("/test-life").send().await.unwrap().users;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn several_problems_are_told_at_once() {
    let (_, iam) = sandbox();
    refused!(
        iam.create_user().user_name("bad name").path("nowhere"),
        "ValidationError",
        "2 validation errors detected: \
         Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+; \
         Value at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"
    );
}

#[tokio::test]
async fn arns_and_versions() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let attach = |arn: &str| iam.attach_user_policy().user_name("u").policy_arn(arn);
    refused!(
        attach("not-an-arn-but-long-enough"),
        "ValidationError",
        "ARN not-an-arn-but-long-enough is not valid."
    );
    refused!(attach("short"), "ValidationError");
    let absent = arn("policy/none");
    refused!(
        attach(&absent),
        "NoSuchEntity",
        format!("Policy {absent} does not exist or is not attachable.")
    );
    refused!(attach("arn:aws:iam::aws:policy/NoSuchPolicyAtAll"), "NoSuchEntity");
    refused!(attach("arn:aws-cn:iam::aws:policy/ReadOnlyAccess"), "NoSuchEntity");
    refused!(
        attach("arn:aws:iam::aws:policy/aws-service-role/AmazonRDSServiceRolePolicy"),
        "PolicyNotAttachable"
    );
    refused!(
        iam.detach_user_policy()
            .user_name("u")
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/ReadOnlyAccess was not found."
    );
    refused!(
        iam.get_policy_version()
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess")
            .version_id("1"),
        "ValidationError",
        r"1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"
    );
}

#[tokio::test]
async fn documents_that_iam_refuses() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    let statement = |inner: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{{inner}}}]}}"#);
    for (document, message) in [
        ("not json".to_owned(), "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
            "Syntax errors in policy.",
        ),
        (
            statement(r#""Effect":"Allow","Resource":"*""#),
            "Policy statement must contain actions.",
        ),
        (
            statement(r#""Effect":"Allow","Action":"s3:Get""#),
            "Policy statement must contain resources.",
        ),
        (
            statement(r#""Effect":"Allow","Action":"Get","Resource":"*""#),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            statement(r#""Effect":"Allow","Action":"s3:Get","Resource":"bucket""#),
            r#"Resource bucket must be in ARN format or "*"."#,
        ),
    ] {
        let put = iam.put_user_policy().user_name("u").policy_name("p");
        refused!(put.policy_document(&document), "MalformedPolicyDocument", message);
        refused!(
            iam.create_policy().policy_name("p").policy_document(&document),
            "MalformedPolicyDocument",
            message
        );
    }
    refused!(
        iam.create_policy()
            .policy_name("p")
            .policy_document(ALLOW_LIST.replace("2012-10-17", "2008-10-17")),
        "MalformedPolicyDocument",
        "Policy document must be version 2012-10-17 or greater."
    );
    // Only Latin-1 goes over the wire, and not more than 131,072 characters.
    refused!(
        iam.create_policy()
            .policy_name("p")
            .policy_document(allow("s3:\u{100}")),
        "ValidationError"
    );
    refused!(
        iam.create_policy()
            .policy_name("p")
            .policy_document(" ".repeat(131_073)),
        "ValidationError"
    );
    assert!(
        iam.list_user_policies()
            .user_name("u")
            .send()
            .await
            .unwrap()
            .policy_names()
            .is_empty()
    );
}

#[tokio::test]
async fn operations_that_there_are_not() {
    let (_, iam) = sandbox();
    refused!(
        iam.list_server_certificates(),
        "InvalidAction",
        "Could not find operation ListServerCertificates for version 2010-05-08"
    );
}
