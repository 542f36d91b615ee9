//! Pages and markers.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use trueup_sandbox::Faults;

use crate::{ALLOW_LIST, done, refused, sandbox};

async fn with_users(iam: &Client, count: usize) {
    for number in 0..count {
        done!(iam.create_user().user_name(format!("u{number:03}")));
    }
}

/// All users by the SDK's own loop, and the lengths of its pages.
async fn all_users(iam: &Client, page: i32) -> (BTreeSet<String>, Vec<usize>) {
    let (mut names, mut lengths) = (BTreeSet::new(), Vec::new());
    let mut pages = iam.list_users().max_items(page).into_paginator().send();
    while let Some(answer) = pages.next().await {
        let users = answer.unwrap().users;
        lengths.push(users.len());
        names.extend(users.into_iter().map(|user| user.user_name));
    }
    (names, lengths)
}

#[tokio::test]
async fn every_item_comes_once_and_the_last_page_says_so() {
    let (_, iam) = sandbox();
    with_users(&iam, 6).await;
    assert_eq!(all_users(&iam, 4).await.1, [4, 2]);
    assert_eq!(all_users(&iam, 3).await.1, [3, 3], "no empty page at the end");
    assert_eq!(all_users(&iam, 1000).await.1, [6]);
    assert_eq!(all_users(&iam, 1).await.0.len(), 6);
}

#[tokio::test]
async fn pages_have_a_hundred_items_unless_asked() {
    let (_, iam) = sandbox();
    with_users(&iam, 101).await;
    let first = iam.list_users().send().await.unwrap();
    assert_eq!((first.users().len(), first.is_truncated()), (100, true));
    refused!(
        iam.list_users().max_items(1001),
        "ValidationError",
        "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"
    );
    refused!(iam.list_users().max_items(0), "ValidationError");
}

#[tokio::test]
async fn markers_are_bound_to_operation_and_filter() {
    let (_, iam) = sandbox();
    with_users(&iam, 3).await;
    for name in ["g0", "g1"] {
        done!(iam.create_group().group_name(name));
    }
    let marker = iam.list_users().max_items(1).send().await.unwrap().marker.unwrap();
    refused!(iam.list_groups().marker(&marker), "ValidationError", "Invalid Marker.");
    refused!(
        iam.list_users().marker("anything"),
        "ValidationError",
        "Invalid Marker."
    );
    refused!(iam.list_users().marker("ééééé"), "ValidationError", "Invalid Marker.");
    refused!(
        iam.list_users().marker(&marker).path_prefix("/x"),
        "ValidationError",
        "Marker and Filter do not match."
    );
    // The size of pages may change on the way.
    assert_eq!(
        iam.list_users()
            .marker(&marker)
            .max_items(2)
            .send()
            .await
            .unwrap()
            .users()
            .len(),
        2
    );

    let details = iam
        .get_account_authorization_details()
        .filter("User".into())
        .max_items(1)
        .send()
        .await
        .unwrap();
    let marker = details.marker.unwrap();
    refused!(
        iam.get_account_authorization_details()
            .filter("Group".into())
            .marker(&marker),
        "ValidationError",
        "Marker and Filter do not match."
    );
    done!(
        iam.get_account_authorization_details()
            .filter("User".into())
            .marker(&marker)
    );
}

#[tokio::test]
async fn every_list_is_paged() {
    let (sandbox, iam) = sandbox();
    with_users(&iam, 2).await;
    done!(
        iam.create_group().group_name("g0"),
        iam.create_group().group_name("g1"),
        iam.create_access_key().user_name("u000"),
        iam.create_access_key().user_name("u000"),
    );
    for (number, arn) in ["ReadOnlyAccess", "PowerUserAccess"].iter().enumerate() {
        done!(
            iam.add_user_to_group()
                .user_name("u000")
                .group_name(format!("g{number}")),
            iam.add_user_to_group()
                .user_name(format!("u00{number}"))
                .group_name("g0"),
            iam.attach_user_policy()
                .user_name("u000")
                .policy_arn(format!("arn:aws:iam::aws:policy/{arn}")),
            iam.put_user_policy()
                .user_name("u000")
                .policy_name(format!("p{number}"))
                .policy_document(ALLOW_LIST),
            iam.tag_user()
                .user_name("u000")
                .tags(crate::tags::tag(&format!("k{number}"), "v")),
            iam.create_virtual_mfa_device()
                .virtual_mfa_device_name(format!("d{number}")),
        );
    }
    sandbox.set_faults(Faults {
        page_size: std::num::NonZeroUsize::new(1),
        ..Faults::default()
    });
    macro_rules! two_pages {
        ($call:expr) => {{
            let first = $call.send().await.unwrap();
            assert!(first.is_truncated());
            let second = $call.marker(first.marker().unwrap()).send().await.unwrap();
            assert!(!second.is_truncated() && second.marker().is_none());
        }};
    }
    two_pages!(iam.list_users());
    two_pages!(iam.list_groups());
    two_pages!(iam.get_group().group_name("g0"));
    two_pages!(iam.list_groups_for_user().user_name("u000"));
    two_pages!(iam.list_attached_user_policies().user_name("u000"));
    two_pages!(iam.list_user_policies().user_name("u000"));
    two_pages!(iam.list_user_tags().user_name("u000"));
    two_pages!(iam.list_access_keys().user_name("u000"));
    two_pages!(iam.list_virtual_mfa_devices());
}

#[tokio::test]
async fn pages_can_be_short_or_empty_on_purpose() {
    let (sandbox, iam) = sandbox();
    with_users(&iam, 5).await;
    sandbox.set_faults("page-size=2,empty-pages=true".parse().unwrap());
    let (names, lengths) = all_users(&iam, 1000).await;
    assert_eq!(names.len(), 5);
    assert_eq!(lengths, [0, 2, 0, 2, 0, 1]);
}
