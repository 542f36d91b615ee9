//! Access keys: delivered with the only answer that tells their secret, or taken away again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use std::{collections::BTreeMap, io::ErrorKind};

use common::*;
use trueup_executor::Outcome;
use trueup_model::Tags;
use trueup_planner::{ActionId, Call, NewKeyTag};
use trueup_sandbox::Faults;

fn access_key(name: &str) -> Call {
    Call::CreateAccessKey { user_name: user(name) }
}

/// The ids of a user's keys.
async fn keys(bench: &Bench, name: &str) -> Vec<String> {
    let answer = bench
        .sandbox
        .iam_client()
        .list_access_keys()
        .user_name(name)
        .send()
        .await;
    let keys = answer.unwrap().access_key_metadata.into_iter();
    keys.filter_map(|key| key.access_key_id).collect()
}

/// Loses the answers to the first requests of `CreateAccessKey`.
fn lose(times: usize) -> impl FnMut(&Request) -> Reaction + Send {
    let mut lost = 0;
    move |request| {
        if request.operation == "CreateAccessKey" && lost < times {
            lost += 1;
            return Reaction::Lose;
        }
        Reaction::Pass
    }
}

fn made(id: &str) -> Outcome {
    Outcome::Done {
        version: None,
        access_key: Some(id.to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_comes_with_its_password_in_one_file_and_is_described() {
    let bench = Bench::new();
    let describe = Call::TagUser {
        user_name: user("alice"),
        tags: Tags::new(),
        new_key: Some(NewKeyTag {
            created_by: ActionId(3),
            value: "laptop".to_owned(),
        }),
    };
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
            (access_key("alice"), vec![1]),
            (describe, vec![3]),
        ]))
        .await;
    assert_complete(&report);
    let [id] = &keys(&bench, "alice").await[..] else {
        panic!("one key")
    };
    assert_eq!(outcome(&report, 3), &made(id));
    let files = bench.credential_files();
    let text = files.values().next().unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(
        text.starts_with("User name,Password,Access key ID,Secret access key,"),
        "{text}"
    );
    let secret = text.lines().nth(1).unwrap().split(',').nth(3).unwrap();
    assert_eq!(secret.len(), 40, "{text}");
    assert!(!bench.journal().contains(secret) && bench.journal().contains(id.as_str()));
    assert!(!format!("{report:?}").contains(secret));
    let tags = bench
        .sandbox
        .iam_client()
        .list_user_tags()
        .user_name("alice")
        .send()
        .await;
    let tags: BTreeMap<_, _> = tags.unwrap().tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    assert_eq!(tags, BTreeMap::from([(id.clone(), "laptop".to_owned())]));
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_answer_is_lost_goes_before_another_is_asked_for() {
    for times in [1, 2] {
        let mut bench = Bench::new();
        bench.prepare([create_user("ci"), access_key("ci")]).await;
        let before = keys(&bench, "ci").await;
        bench.script(lose(times));
        let report = bench.run(&plan([(access_key("ci"), vec![])])).await;
        assert_complete(&report);
        let after = keys(&bench, "ci").await;
        assert_eq!(after.len(), 2, "{after:?}");
        assert!(after.contains(&before[0]), "the key that was there is left alone");
        let new = after.iter().find(|id| **id != before[0]).unwrap();
        assert_eq!(outcome(&report, 1), &made(new));
        let files = bench.credential_files();
        assert!(files.values().any(|text| text.contains(new.as_str())), "{files:?}");
        assert_eq!(bench.count("DeleteAccessKey"), times);
    }
}

/// The answer to `ListAccessKeys` may begin with a page that holds nothing.
#[tokio::test(start_paused = true)]
async fn a_key_whose_answer_is_lost_is_found_on_any_page() {
    let mut bench = Bench::new();
    bench.prepare([create_user("ci")]).await;
    bench
        .sandbox
        .set_faults("page-size=1,empty-pages=true".parse().unwrap());
    bench.script(lose(1));
    let report = bench.run(&plan([(access_key("ci"), vec![])])).await;
    assert_complete(&report);
    assert_eq!(bench.count("DeleteAccessKey"), 1);
    bench.sandbox.set_faults(Faults::default());
    let [only] = &keys(&bench, "ci").await[..] else {
        panic!("one key")
    };
    assert_eq!(outcome(&report, 1), &made(only));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_can_be_seen_no_other_key_is_asked_for() {
    let mut bench = Bench::new();
    bench.prepare([create_user("ci")]).await;
    let mut made = false;
    bench.script(move |request| match request.operation.as_str() {
        "CreateAccessKey" => {
            made = true;
            Reaction::Lose
        }
        "ListAccessKeys" if made => Reaction::Break(ErrorKind::ConnectionReset),
        _ => Reaction::Pass,
    });
    let report = bench.run(&plan([(access_key("ci"), vec![])])).await;
    let error = failure(&report, 1);
    assert!(error.outcome_unknown);
    assert!(
        error
            .message
            .contains("nobody has its secret, and the next run replaces it"),
        "{}",
        error.message
    );
    assert_eq!(bench.count("CreateAccessKey"), 1);
    assert!(bench.credential_files().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_delivered_is_deleted_again() {
    let mut bench = Bench::new();
    bench.prepare([create_user("ci")]).await;
    let directory = bench.credentials_directory();
    bench.script(move |request| {
        if request.operation == "CreateAccessKey" {
            // Between the look at the directory and the file that goes into it.
            std::fs::remove_dir_all(&directory).unwrap();
            std::fs::write(&directory, "").unwrap();
        }
        Reaction::Pass
    });
    let report = bench.run(&plan([(access_key("ci"), vec![])])).await;
    let error = failure(&report, 1);
    assert!(
        error.message.ends_with("; the new access key was deleted again"),
        "{}",
        error.message
    );
    assert!(keys(&bench, "ci").await.is_empty());
}
