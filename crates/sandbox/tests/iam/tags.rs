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
