//! Where a run does not go through: failures, interruptions, and entities that are not what they were.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::*;
use trueup_executor::{Because, Cancel, Outcome};
use trueup_model::Resource;
use trueup_planner::{ActionId, Call};

#[tokio::test(start_paused = true)]
async fn what_depends_on_a_failed_action_is_not_attempted_and_the_rest_goes_on() {
    let bench = Bench::new();
    let report = bench
        .run(&plan([
            (add_to_group("nobody", "nowhere"), vec![]),
            (create_user("alice"), vec![]),
            (put_user_policy("alice", "own", DOCUMENT), vec![1, 2]),
            (login_profile("alice"), vec![3]),
            (create_group("team"), vec![2]),
        ]))
        .await;
    let error = failure(&report, 1);
    assert_eq!(error.code.as_deref(), Some("NoSuchEntity"));
    assert!(!error.outcome_unknown);
    let because = Because::Failed(ActionId(1));
    assert_eq!(
        outcome(&report, 3),
        &Outcome::NotAttempted {
            because: because.clone()
        }
    );
    assert_eq!(outcome(&report, 4), &Outcome::NotAttempted { because });
    assert!(outcome(&report, 2).is_success() && outcome(&report, 5).is_success());
    assert!(!report.interrupted && report.stopped.is_none() && report.wrote_anything());
    assert!(bench.credential_files().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_at_once() {
    let bench = Bench::new();
    bench.prepare([create_user("alice")]).await;
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (put_user_policy("alice", "p", "{}"), vec![]),
        ]))
        .await;
    assert!(
        failure(&report, 1).message.starts_with("it exists already"),
        "{report:#?}"
    );
    assert_eq!(failure(&report, 2).code.as_deref(), Some("MalformedPolicyDocument"));
    assert!(failure(&report, 2).request_id.is_some());
    assert_eq!((bench.count("CreateUser"), bench.count("PutUserPolicy")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_this_run_did_not_make_is_not_waited_for() {
    let bench = Bench::new();
    let begin = tokio::time::Instant::now();
    let missing = Call::AttachUserPolicy {
        user_name: user("alice"),
        policy_arn: trueup_model::PolicyArn::from_live("arn:aws:iam::aws:policy/NoSuchPolicy"),
    };
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (missing, vec![1]),
            (add_to_group("alice", "nowhere"), vec![1]),
            (create_group("team"), vec![]),
            (add_to_group("nobody", "team"), vec![4]),
        ]))
        .await;
    for id in [2, 3, 5] {
        assert_eq!(failure(&report, id).code.as_deref(), Some("NoSuchEntity"));
    }
    assert_eq!(report.retries.len(), 0, "{:?}", report.retries);
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn taking_away_what_is_gone_is_done() {
    let bench = Bench::new();
    bench.prepare([create_user("alice"), create_group("team")]).await;
    let report = bench
        .run(&plan([
            (delete_user("bob"), vec![]),
            (
                Call::DetachUserPolicy {
                    user_name: user("alice"),
                    policy_arn: policy_arn("base"),
                },
                vec![],
            ),
            (
                Call::DeleteLoginProfile {
                    user_name: user("alice"),
                },
                vec![],
            ),
        ]))
        .await;
    for id in 1..=3 {
        assert!(
            matches!(outcome(&report, id), Outcome::AlreadyDone { .. }),
            "{report:#?}"
        );
    }
    assert!(!report.wrote_anything() && report.is_complete());
}

#[tokio::test(start_paused = true)]
async fn an_interruption_finishes_what_is_in_flight_and_begins_nothing_new() {
    let mut bench = Bench::new();
    let (canceller, cancel) = Cancel::pair();
    bench.cancel = cancel;
    bench.options.parallelism = 2;
    let mut seen = 0;
    bench.script(move |_| {
        seen += 1;
        if seen == 4 {
            canceller.cancel();
        }
        Reaction::Slow(Duration::from_secs(1))
    });
    let report = bench
        .run(&plan((0..10).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    assert!(report.interrupted);
    assert_eq!(report.succeeded(), 4);
    assert_eq!(bench.count("CreateUser"), 4);
    let interrupted = Outcome::NotAttempted {
        because: Because::Interrupted,
    };
    assert_eq!(outcome(&report, 10), &interrupted);
    assert!(bench.journal().lines().last().unwrap().contains("\"interrupted\":true"));
}

#[tokio::test(start_paused = true)]
async fn an_interruption_ends_the_wait_of_a_throttled_call() {
    let mut bench = Bench::new();
    let (canceller, cancel) = Cancel::pair();
    bench.cancel = cancel;
    let mut seen = 0;
    bench.script(move |_| {
        seen += 1;
        if seen == 20 {
            canceller.cancel();
        }
        refuse(400, "Throttling", "Rate exceeded")
    });
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![]),
        ]))
        .await;
    assert!(report.interrupted && !report.wrote_anything());
    assert!(report.calls.values().sum::<u64>() <= 21);
    assert!(
        bench.credential_files().is_empty(),
        "a password that was never taken is withdrawn"
    );
}

#[tokio::test(start_paused = true)]
async fn an_entity_is_read_again_before_it_is_destroyed() {
    let mut bench = Bench::new();
    bench
        .prepare([
            create_user("alice"),
            create_user("bob"),
            create_group("team"),
            add_to_group("bob", "team"),
        ])
        .await;
    let expected = |id: Option<String>| id.unwrap();
    bench.options.expected_ids = BTreeMap::from([
        (Resource::user(&user("alice")), expected(bench.user_id("alice").await)),
        (Resource::user(&user("bob")), expected(bench.user_id("bob").await)),
        (Resource::user(&user("carol")), "AIDAWASHERE".to_owned()),
    ]);
    // Somebody deletes bob and makes another one.
    bench
        .prepare([
            remove_from_group("bob", "team"),
            delete_user("bob"),
            create_user("bob"),
            add_to_group("bob", "team"),
        ])
        .await;

    let report = bench
        .run(&plan([
            (remove_from_group("bob", "team"), vec![]),
            (delete_user("bob"), vec![1]),
            (delete_user("alice"), vec![]),
            (remove_from_group("carol", "team"), vec![]),
            (delete_user("carol"), vec![4]),
        ]))
        .await;
    let message = &failure(&report, 1).message;
    assert!(message.contains("`user/bob` is no longer the same"), "{message}");
    assert_eq!(
        outcome(&report, 2),
        &Outcome::NotAttempted {
            because: Because::Failed(ActionId(1))
        }
    );
    assert_eq!(
        outcome(&report, 3),
        &Outcome::Done {
            version: None,
            access_key: None
        }
    );
    for id in [4, 5] {
        let gone = Outcome::AlreadyDone {
            detail: "`user/carol` does not exist".to_owned(),
        };
        assert_eq!(outcome(&report, id), &gone);
    }
    assert_eq!((bench.count("RemoveUserFromGroup"), bench.count("DeleteUser")), (0, 1));
    assert_eq!(bench.count("GetUser"), 3, "each once");
}

#[tokio::test(start_paused = true)]
async fn a_unique_id_is_followed_through_a_rename() {
    let mut bench = Bench::new();
    bench
        .prepare([create_user("alice"), put_user_policy("alice", "own", DOCUMENT)])
        .await;
    let id = bench.user_id("alice").await.unwrap();
    bench.options.expected_ids = BTreeMap::from([(Resource::user(&user("alice")), id)]);
    let report = bench
        .run(&plan([
            (
                Call::UpdateUser {
                    user_name: user("alice"),
                    new_user_name: Some(user("alice.b")),
                    new_path: None,
                },
                vec![],
            ),
            (
                Call::DeleteUserPolicy {
                    user_name: user("alice.b"),
                    policy_name: trueup_model::InlinePolicyName::from_live("own"),
                },
                vec![1],
            ),
        ]))
        .await;
    assert_complete(&report);
    assert_eq!(report.calls["GetUser"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_waited_out_only_where_this_run_removed_something() {
    let mut bench = Bench::new();
    bench
        .prepare([
            create_user("alice"),
            create_group("team"),
            add_to_group("alice", "team"),
        ])
        .await;
    let delete_group = || Call::DeleteGroup {
        group_name: group("team"),
    };
    let report = bench.run(&plan([(delete_group(), vec![])])).await;
    assert_eq!(failure(&report, 1).code.as_deref(), Some("DeleteConflict"));
    assert_eq!(bench.count("DeleteGroup"), 1);

    let mut conflicts = 3;
    bench.script(move |request| {
        if request.operation == "DeleteGroup" && conflicts > 0 {
            conflicts -= 1;
            return refuse(
                409,
                "DeleteConflict",
                "Cannot delete entity, must remove users from group first.",
            );
        }
        Reaction::Pass
    });
    let report = bench
        .run(&plan([
            (remove_from_group("alice", "team"), vec![]),
            (delete_group(), vec![1]),
        ]))
        .await;
    assert_complete(&report);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_the_run() {
    let mut seen = 0;
    let mut bench = Bench::scripted(move |_| {
        seen += 1;
        if seen > 3 {
            refuse(403, "ExpiredToken", "The security token is expired.")
        } else {
            Reaction::Pass
        }
    });
    bench.options.parallelism = 1;
    let report = bench
        .run(&plan((0..20).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    assert_eq!(report.succeeded(), 3);
    assert_eq!(report.calls["CreateUser"], 4);
    assert!(report.stopped.as_ref().unwrap().contains("credentials"));
    assert!(matches!(
        outcome(&report, 20),
        Outcome::NotAttempted {
            because: Because::Stopped(_)
        }
    ));
    assert!(!report.interrupted);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_stops_the_run() {
    let mut bench = Bench::scripted(|_| Reaction::Break(std::io::ErrorKind::ConnectionRefused));
    bench.options.parallelism = 1;
    let report = bench
        .run(&plan((0..20).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    assert!(report.stopped.as_ref().unwrap().contains("cannot be reached"));
    assert!(!report.wrote_anything(), "nothing was sent");
    assert_eq!(report.calls["CreateUser"], 5);
}

/// What was renamed a moment ago may not be visible under its new name; that does not make it gone.
#[tokio::test(start_paused = true)]
async fn a_password_is_taken_from_a_user_whose_new_name_is_not_visible_yet() {
    let mut bench = Bench::new();
    bench.prepare([create_user("bob"), login_profile("bob")]).await;
    let id = bench.user_id("bob").await.unwrap();
    bench.options.expected_ids = BTreeMap::from([(Resource::user(&user("bob")), id)]);
    bench.script(|request| match request.operation.as_str() {
        "GetUser" if request.parameter("UserName") == "robert" => {
            refuse(404, "NoSuchEntity", "The user with name robert cannot be found.")
        }
        _ => Reaction::Pass,
    });
    let rename = Call::UpdateUser {
        user_name: user("bob"),
        new_user_name: Some(user("robert")),
        new_path: None,
    };
    let remove = Call::DeleteLoginProfile {
        user_name: user("robert"),
    };
    let report = bench.run(&plan([(rename, vec![]), (remove, vec![1])])).await;
    assert!(matches!(outcome(&report, 2), Outcome::Done { .. }), "{report:#?}");
    assert_eq!(bench.count("DeleteLoginProfile"), 1);
}
