//! Case rules of names, paths, renames.

use crate::{ALLOW_LIST, TRUST, allow, arn, done, refused, sandbox};

#[tokio::test]
async fn names_are_unique_ignoring_case_and_keep_their_spelling() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("Alice"),
        iam.create_group().group_name("Team")
    );
    done!(iam.create_role().role_name("Deploy").assume_role_policy_document(TRUST));
    done!(
        iam.create_policy()
            .policy_name("Base")
            .path("/a/")
            .policy_document(ALLOW_LIST)
    );
    refused!(
        iam.create_user().user_name("alice"),
        "EntityAlreadyExists",
        "User with name alice already exists."
    );
    refused!(
        iam.create_group().group_name("TEAM"),
        "EntityAlreadyExists",
        "Group with name TEAM already exists."
    );
    refused!(
        iam.create_role().role_name("deploy").assume_role_policy_document(TRUST),
        "EntityAlreadyExists",
        "Role with name deploy already exists."
    );
    refused!(
        iam.create_policy()
            .policy_name("base")
            .path("/b/")
            .policy_document(ALLOW_LIST),
        "EntityAlreadyExists",
        "A policy called base already exists. Duplicate names are not allowed."
    );

    let user = iam.get_user().user_name("ALICE").send().await.unwrap().user.unwrap();
    assert_eq!((user.user_name(), user.arn()), ("Alice", arn("user/Alice").as_str()));
    let group = iam.get_group().group_name("team").send().await.unwrap().group.unwrap();
    assert_eq!(group.group_name(), "Team");
}

#[tokio::test]
async fn uniqueness_ignores_the_path_and_kinds_are_separate() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("x").path("/a/"),
        iam.create_group().group_name("x")
    );
    refused!(iam.create_user().user_name("x").path("/b/"), "EntityAlreadyExists");
}

#[tokio::test]
async fn inline_policy_names_ignore_case_and_keep_the_first_spelling() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("alice"));
    let put = |name: &str, document: String| {
        iam.put_user_policy()
            .user_name("alice")
            .policy_name(name)
            .policy_document(document)
    };
    done!(
        put("Inline", allow("s3:GetObject")),
        put("INLINE", allow("s3:PutObject"))
    );
    let names = iam
        .list_user_policies()
        .user_name("alice")
        .send()
        .await
        .unwrap()
        .policy_names;
    assert_eq!(names, ["Inline"]);
    // The answer repeats the spelling that was asked for.
    let got = iam
        .get_user_policy()
        .user_name("alice")
        .policy_name("inLine")
        .send()
        .await
        .unwrap();
    assert_eq!(got.policy_name(), "inLine");
    assert!(got.policy_document().contains("PutObject"));
}

#[tokio::test]
async fn a_rename_carries_everything_along_and_keeps_the_id() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("bob").path("/old/"),
        iam.create_group().group_name("team"),
        iam.add_user_to_group().user_name("bob").group_name("team"),
        iam.put_user_policy()
            .user_name("bob")
            .policy_name("p")
            .policy_document(ALLOW_LIST),
        iam.attach_user_policy()
            .user_name("bob")
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        iam.create_login_profile().user_name("bob").password(crate::PASSWORD),
        iam.create_access_key().user_name("bob"),
        iam.create_service_specific_credential()
            .user_name("bob")
            .service_name("codecommit.amazonaws.com"),
        iam.tag_user().user_name("bob").tags(crate::tags::tag("owner", "bob")),
    );
    let before = iam.get_user().user_name("bob").send().await.unwrap().user.unwrap();
    done!(
        iam.update_user()
            .user_name("BOB")
            .new_user_name("robert")
            .new_path("/new/")
    );
    refused!(
        iam.get_user().user_name("bob"),
        "NoSuchEntity",
        "The user with name bob cannot be found."
    );
    let after = iam.get_user().user_name("robert").send().await.unwrap().user.unwrap();
    assert_eq!(after.user_id(), before.user_id());
    assert_eq!((after.path(), after.tags().len()), ("/new/", 1));
    assert_eq!(after.arn(), arn("user/new/robert"));
    let members = iam.get_group().group_name("team").send().await.unwrap().users;
    assert_eq!(members[0].user_name(), "robert");
    assert_eq!(
        iam.list_user_policies()
            .user_name("robert")
            .send()
            .await
            .unwrap()
            .policy_names,
        ["p"]
    );
    assert_eq!(
        iam.list_attached_user_policies()
            .user_name("robert")
            .send()
            .await
            .unwrap()
            .attached_policies()
            .len(),
        1
    );
    let profile = iam
        .get_login_profile()
        .user_name("robert")
        .send()
        .await
        .unwrap()
        .login_profile
        .unwrap();
    assert_eq!(profile.user_name(), "robert");
    let keys = iam
        .list_access_keys()
        .user_name("robert")
        .send()
        .await
        .unwrap()
        .access_key_metadata;
    assert_eq!(keys[0].user_name(), Some("robert"));
    // The login name of a service credential stays as it was made.
    let credentials = iam
        .list_service_specific_credentials()
        .user_name("robert")
        .send()
        .await
        .unwrap();
    let credential = &credentials.service_specific_credentials()[0];
    assert_eq!(
        (credential.user_name(), credential.service_user_name()),
        ("robert", "bob-at-123456789012")
    );
}

#[tokio::test]
async fn renames_are_partial_and_respect_names_that_are_taken() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user().user_name("a").path("/p/"),
        iam.create_user().user_name("b"),
        iam.create_group().group_name("g").path("/p/"),
        iam.create_group().group_name("h"),
        iam.add_user_to_group().user_name("a").group_name("g"),
    );
    refused!(
        iam.update_user().user_name("a").new_user_name("B"),
        "EntityAlreadyExists",
        "User with name B already exists."
    );
    refused!(
        iam.update_group().group_name("g").new_group_name("H"),
        "EntityAlreadyExists",
        "Group with name H already exists."
    );
    refused!(
        iam.update_group().group_name("none"),
        "NoSuchEntity",
        "The group with name none cannot be found."
    );
    // In another case it is the same name, so this is a rename.
    done!(
        iam.update_user().user_name("a").new_user_name("A"),
        iam.update_group().group_name("g").new_path("/q/")
    );
    let user = iam.get_user().user_name("a").send().await.unwrap().user.unwrap();
    assert_eq!((user.user_name(), user.path()), ("A", "/p/"));
    done!(iam.update_group().group_name("g").new_group_name("renamed"));
    let group = iam.get_group().group_name("renamed").send().await.unwrap();
    assert_eq!(group.group().unwrap().path(), "/q/");
    assert_eq!(group.users()[0].user_name(), "A");
    let groups = iam.list_groups_for_user().user_name("A").send().await.unwrap();
    assert_eq!(groups.groups()[0].arn(), arn("group/q/renamed"));
}

#[tokio::test]
async fn a_new_user_of_an_old_name_is_another_user() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("a"));
    let first = iam.get_user().user_name("a").send().await.unwrap().user.unwrap();
    done!(iam.delete_user().user_name("a"), iam.create_user().user_name("a"));
    let second = iam.get_user().user_name("a").send().await.unwrap().user.unwrap();
    assert_ne!(first.user_id(), second.user_id());
    assert!(second.user_id().starts_with("AIDA") && second.user_id().len() == 21);
}

#[tokio::test]
async fn membership_is_idempotent_and_the_user_is_looked_at_first() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("a"), iam.create_group().group_name("g"));
    let add = |user: &str, group: &str| iam.add_user_to_group().user_name(user).group_name(group);
    let remove = |user: &str, group: &str| iam.remove_user_from_group().user_name(user).group_name(group);
    done!(add("a", "g"), add("A", "G"), remove("a", "g"), remove("a", "g"));
    refused!(add("x", "y"), "NoSuchEntity", "The user with name x cannot be found.");
    refused!(add("a", "y"), "NoSuchEntity", "The group with name y cannot be found.");
    refused!(
        remove("x", "y"),
        "NoSuchEntity",
        "The user with name x cannot be found."
    );
    refused!(
        remove("a", "y"),
        "NoSuchEntity",
        "The group with name y cannot be found."
    );
}

#[tokio::test]
async fn without_a_name_the_caller_is_meant_and_that_is_root() {
    let (sandbox, iam) = sandbox();
    let root = iam.get_user().send().await.unwrap().user.unwrap();
    assert_eq!((root.arn(), root.user_id()), (arn("root").as_str(), crate::ACCOUNT));
    refused!(
        iam.delete_access_key().access_key_id("AKIAIOSFODNN7EXAMPLE"),
        "ValidationError",
        "Must specify userName when calling with non-User credentials"
    );
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
        .region(aws_sdk_sts::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_sts::config::Credentials::new("a", "b", None, None, "test"))
        .http_client(sandbox.http_client())
        .build();
    let identity = aws_sdk_sts::Client::from_conf(config)
        .get_caller_identity()
        .send()
        .await
        .unwrap();
    assert_eq!(identity.arn(), Some(arn("root").as_str()));
    assert_eq!(
        (identity.account(), identity.user_id()),
        (Some(crate::ACCOUNT), Some(crate::ACCOUNT))
    );
}
