//! Tags: which keys are the same, what is reserved, how many there can be.

use std::collections::BTreeMap;

use aws_sdk_iam::{Client, types::Tag};

use crate::{ALLOW_LIST, TRUST, arn, done, refused, sandbox};

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn tags_of(iam: &Client, user: &str) -> BTreeMap<String, String> {
    let tags = iam.list_user_tags().user_name(user).send().await.unwrap().tags;
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn numbered(range: std::ops::Range<usize>) -> Vec<Tag> {
    range.map(|number| tag(&format!("k{number}"), "v")).collect()
}

#[tokio::test]
async fn keys_of_users_and_roles_ignore_case_and_take_the_new_spelling() {
    let (_, iam) = sandbox();
    done!(
        iam.create_user()
            .user_name("u")
            .tags(tag("Team", "a"))
            .tags(tag("Other", "x"))
    );
    done!(iam.tag_user().user_name("u").tags(tag("team", "b")));
    assert_eq!(
        tags_of(&iam, "u").await,
        [("Other", "x"), ("team", "b")]
            .map(|(k, v)| (k.into(), v.into()))
            .into()
    );
    done!(iam.untag_user().user_name("u").tag_keys("TEAM").tag_keys("absent"));
    assert_eq!(tags_of(&iam, "u").await.len(), 1);

    done!(
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(TRUST)
            .tags(tag("Team", "a"))
    );
    done!(iam.tag_role().role_name("r").tags(tag("team", "b")));
    let tags = iam.list_role_tags().role_name("r").send().await.unwrap().tags;
    assert_eq!(tags.iter().map(|tag| tag.key()).collect::<Vec<_>>(), ["team"]);
    done!(iam.untag_role().role_name("r").tag_keys("tEAM"));
    assert!(
        iam.get_role()
            .role_name("r")
            .send()
            .await
            .unwrap()
            .role
            .unwrap()
            .tags()
            .is_empty()
    );
    refused!(
        iam.tag_user().user_name("u").tags(tag("a", "1")).tags(tag("A", "2")),
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    );
}

#[tokio::test]
async fn keys_of_policies_are_exact() {
    let (_, iam) = sandbox();
    let policy = arn("policy/p");
    done!(
        iam.create_policy()
            .policy_name("p")
            .policy_document(ALLOW_LIST)
            .tags(tag("Cost", "1"))
            .tags(tag("cost", "2"))
    );
    assert_eq!(
        iam.list_policy_tags()
            .policy_arn(&policy)
            .send()
            .await
            .unwrap()
            .tags()
            .len(),
        2
    );
    done!(
        iam.untag_policy().policy_arn(&policy).tag_keys("COST"),
        iam.untag_policy().policy_arn(&policy).tag_keys("cost")
    );
    let tags = iam
        .get_policy()
        .policy_arn(&policy)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(tags, [tag("Cost", "1")]);
    refused!(
        iam.tag_policy()
            .policy_arn(&policy)
            .tags(tag("a", "1"))
            .tags(tag("a", "2")),
        "InvalidInput",
        "Duplicate tag keys found."
    );
}

#[tokio::test]
async fn fifty_tags_in_all_and_in_one_request() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u").set_tags(Some(numbered(0..50))));
    refused!(
        iam.tag_user().user_name("u").tags(tag("one", "more")),
        "LimitExceeded",
        "The number of tags has reached the maximum limit."
    );
    done!(iam.tag_user().user_name("u").tags(tag("K1", "new value")));
    done!(iam.create_user().user_name("v"));
    refused!(
        iam.tag_user().user_name("v").set_tags(Some(numbered(0..51))),
        "ValidationError",
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"
    );
}

#[tokio::test]
async fn a_refused_tag_leaves_nothing_behind() {
    let (_, iam) = sandbox();
    refused!(
        iam.create_user()
            .user_name("u")
            .tags(tag("fine", "1"))
            .tags(tag("AWS:x", "1")),
        "InvalidInput",
        "aws: prefixed tag key names are not allowed for external use."
    );
    refused!(iam.get_user().user_name("u"), "NoSuchEntity");
    done!(iam.create_user().user_name("u"));
    refused!(
        iam.tag_user()
            .user_name("u")
            .tags(tag("fine", "1"))
            .tags(tag("  ", "1")),
        "InvalidInput"
    );
    refused!(iam.tag_user().user_name("u").tags(tag("a;b", "1")), "ValidationError");
    refused!(
        iam.tag_user().user_name("u").tags(tag("a", &"v".repeat(257))),
        "ValidationError"
    );
    refused!(
        iam.tag_user().user_name("u").tags(tag(&"k".repeat(129), "v")),
        "ValidationError"
    );
    assert!(tags_of(&iam, "u").await.is_empty());
    // The prefix is reserved for keys only, and a value can be empty.
    done!(
        iam.tag_user()
            .user_name("u")
            .tags(tag("größe", "aws:fine"))
            .tags(tag("empty", ""))
    );
    assert_eq!(tags_of(&iam, "u").await["größe"], "aws:fine");
}

#[tokio::test]
async fn tagging_with_nothing_is_refused_and_untagging_is_not() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    refused!(iam.tag_user().user_name("u").set_tags(Some(vec![])), "InvalidInput");
    done!(iam.untag_user().user_name("u").set_tag_keys(Some(vec![])));
}

#[tokio::test]
async fn keys_to_remove_are_checked_as_keys() {
    let (_, iam) = sandbox();
    done!(iam.create_user().user_name("u"));
    refused!(
        iam.untag_user().user_name("u").tag_keys("k".repeat(129)),
        "ValidationError",
        "1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, \
         Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+, Member must not be null]"
    );
    refused!(iam.untag_user().user_name("u").tag_keys("a;b"), "ValidationError");
    refused!(
        iam.tag_user().user_name("u").tags(tag(&"k".repeat(129), "v")),
        "ValidationError",
        "1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"
    );
}

/// The calls on tags of one kind of resource, in which keys keep their case.
macro_rules! keys_keep_their_case {
    ($name:ident, $make:expr, $tag:ident, $untag:ident, $list:ident, $named:ident, $resource:expr) => {
        #[tokio::test]
        async fn $name() {
            let (_, iam) = sandbox();
            let make: fn(&Client) -> _ = $make;
            done!(make(&iam));
            let tag = |key: &str, value: &str| iam.$tag().$named($resource).tags(tag(key, value));
            done!(tag("Team", "a"), tag("team", "b"), tag("team", "c"));
            let found = async || {
                let tags = iam.$list().$named($resource).send().await.unwrap().tags;
                tags.into_iter()
                    .map(|tag| (tag.key, tag.value))
                    .collect::<BTreeMap<_, _>>()
            };
            let pairs = |pairs: &[(&str, &str)]| {
                pairs
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect::<BTreeMap<_, _>>()
            };
            assert_eq!(found().await, pairs(&[("Team", "a"), ("team", "c")]));
            done!(iam.$untag().$named($resource).tag_keys("TEAM").tag_keys("Team"));
            assert_eq!(found().await, pairs(&[("team", "c")]));
            refused!(tag("aws:x", "y"), "InvalidInput");
            refused!(
                tag("x", "1").tags(crate::tags::tag("x", "2")),
                "InvalidInput",
                "Duplicate tag keys found."
            );
            let many = numbered(0..50).into_iter();
            refused!(
                iam.$tag().$named($resource).set_tags(Some(many.collect())),
                "LimitExceeded",
                "The number of tags has reached the maximum limit."
            );
            refused!(
                iam.$tag()
                    .$named(format!("{}-none", $resource))
                    .tags(crate::tags::tag("a", "b")),
                "NoSuchEntity"
            );
        }
    };
}

keys_keep_their_case!(
    of_instance_profiles,
    |iam| iam.create_instance_profile().instance_profile_name("p"),
    tag_instance_profile,
    untag_instance_profile,
    list_instance_profile_tags,
    instance_profile_name,
    "p"
);
keys_keep_their_case!(
    of_mfa_devices,
    |iam| iam.create_virtual_mfa_device().virtual_mfa_device_name("phone"),
    tag_mfa_device,
    untag_mfa_device,
    list_mfa_device_tags,
    serial_number,
    arn("mfa/phone")
);
keys_keep_their_case!(
    of_openid_providers,
    |iam| iam.create_open_id_connect_provider().url("https://idp.example.com"),
    tag_open_id_connect_provider,
    untag_open_id_connect_provider,
    list_open_id_connect_provider_tags,
    open_id_connect_provider_arn,
    arn("oidc-provider/idp.example.com")
);
keys_keep_their_case!(
    of_saml_providers,
    |iam| iam
        .create_saml_provider()
        .name("corp")
        .saml_metadata_document(crate::providers::metadata()),
    tag_saml_provider,
    untag_saml_provider,
    list_saml_provider_tags,
    saml_provider_arn,
    arn("saml-provider/corp")
);
