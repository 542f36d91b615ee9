//! An IAM that throttles, fails, loses answers and lags: the plan is done in the end, and nothing is done twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use common::*;
use tokio::time::Instant;
use trueup_executor::{Outcome, Rate, Report, RetryCause};
use trueup_model::Path;
use trueup_planner::{Call, Plan};

/// Thirty users in three groups, with a policy of two versions, inline policies and passwords.
fn large_plan() -> Plan {
    let mut calls = vec![
        (create_policy("base"), vec![]),
        (create_version("base", OTHER_DOCUMENT), vec![1]),
        (set_default("base", 2), vec![2]),
    ];
    for group in 0..3 {
        calls.push((create_group(&format!("g{group}")), vec![]));
    }
    for number in 0..30_u32 {
        let name = format!("u{number}");
        let id = u32::try_from(calls.len()).unwrap() + 1;
        calls.push((create_user(&name), vec![]));
        calls.push((
            add_to_group(&name, &format!("g{}", number % 3)),
            vec![id, 4 + number % 3],
        ));
        calls.push((put_user_policy(&name, "own", DOCUMENT), vec![id]));
        calls.push((login_profile(&name), vec![id]));
    }
    plan(calls)
}

/// What is in the account in the end, without ids and dates.
async fn contents(bench: &Bench) -> Vec<String> {
    bench.sandbox.set_faults(trueup_sandbox::Faults::default());
    let iam = bench.sandbox.iam_client();
    let mut found = Vec::new();
    let details = iam
        .get_account_authorization_details()
        .max_items(1000)
        .send()
        .await
        .unwrap();
    for user in details.user_detail_list() {
        let name = user.user_name().unwrap();
        let policies: Vec<_> = user
            .user_policy_list()
            .iter()
            .map(|policy| policy.policy_name().unwrap())
            .collect();
        let has_password = iam.get_login_profile().user_name(name).send().await.is_ok();
        found.push(format!("{name} {:?} {policies:?} {has_password}", user.group_list()));
    }
    for policy in details.policies() {
        let versions: Vec<_> = policy
            .policy_version_list()
            .iter()
            .map(|version| version.version_id().unwrap())
            .collect();
        found.push(format!(
            "{:?} {:?} {versions:?}",
            policy.policy_name(),
            policy.default_version_id()
        ));
    }
    found.sort();
    found
}

async fn with_faults(faults: &str) -> (Bench, Report) {
    let bench = Bench::new();
    bench.sandbox.set_faults(faults.parse().unwrap());
    let report = bench.run(&large_plan()).await;
    (bench, report)
}

async fn expected() -> Vec<String> {
    let (bench, report) = with_faults("").await;
    assert_complete(&report);
    assert_eq!(report.retries.len(), 0);
    contents(&bench).await
}

#[tokio::test(start_paused = true)]
async fn throttling_at_random_delays_and_loses_nothing() {
    let expected = expected().await;
    for (share, longest) in [("0.2", 60), ("0.5", 180)] {
        for seed in 1..=2 {
            let begin = Instant::now();
            let (bench, report) = with_faults(&format!("throttle={share},seed={seed}")).await;
            assert!(
                report.is_complete(),
                "{share}: {:?}",
                report.failures().collect::<Vec<_>>()
            );
            assert!(report.retries[&RetryCause::Throttled] > 10);
            assert!(
                begin.elapsed() < Duration::from_secs(longest),
                "{share}: {:?}",
                begin.elapsed()
            );
            assert_eq!(contents(&bench).await, expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_bucket_is_not_fought() {
    let begin = Instant::now();
    let (_, report) = with_faults("rate=5").await;
    assert_complete(&report);
    // 126 calls at 5 a second take 24 seconds at best.
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
    assert!(report.retries[&RetryCause::Throttled] < 126, "{:?}", report.retries);
}

#[tokio::test(start_paused = true)]
async fn server_errors_and_lost_answers_do_nothing_twice() {
    let expected = expected().await;
    for seed in 1..=8 {
        let faults = format!("server-error=0.08,lost-answer=0.12,throttle=0.1,seed={seed}");
        let (bench, report) = with_faults(&faults).await;
        assert!(
            report.is_complete(),
            "seed {seed}: {:#?}",
            report.failures().collect::<Vec<_>>()
        );
        assert_eq!(contents(&bench).await, expected, "seed {seed}");
        // One file for each user: none was left behind, and none is missing.
        assert_eq!(bench.credential_files().len(), 30);
        assert_eq!(report.credential_files.len(), 30);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_a_moment_ago_is_waited_for() {
    let mut bench = Bench::new();
    bench.options.parallelism = 1;
    bench
        .sandbox
        .set_faults("stale-writes=2,stale-reads=2".parse().unwrap());
    let report = bench.run(&large_plan()).await;
    assert_complete(&report);
    assert!(report.retries[&RetryCause::NotSettled] > 0);
    assert_eq!(contents(&bench).await, expected().await);
}

#[tokio::test(start_paused = true)]
async fn a_login_profile_that_is_still_being_made_is_waited_for() {
    let bench = Bench::new();
    bench.sandbox.set_faults("unmodifiable=3".parse().unwrap());
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
            (
                Call::DeleteLoginProfile {
                    user_name: user("alice"),
                },
                vec![2],
            ),
        ]))
        .await;
    assert_complete(&report);
    assert_eq!(report.retries[&RetryCause::NotSettled], 3);
}

#[tokio::test(start_paused = true)]
async fn overlapping_writes_of_one_principal_do_not_occur() {
    let bench = Bench::new();
    bench
        .sandbox
        .set_faults("concurrent=true,latency-ms=200".parse().unwrap());
    let report = bench.run(&large_plan()).await;
    assert_complete(&report);
    assert_eq!(report.retries.len(), 0, "{:?}", report.retries);
}

/// Loses the answer to the first request of one operation.
fn lose_first(operation: &'static str) -> impl FnMut(&Request) -> Reaction + Send {
    let mut lost = false;
    move |request| {
        if request.operation == operation && !lost {
            lost = true;
            return Reaction::Lose;
        }
        Reaction::Pass
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_creation_is_looked_up() {
    let boundary = Call::CreateUser {
        user_name: user("bob"),
        path: Path::from_live("/people/"),
        permissions_boundary: Some(policy_arn("base")),
        tags: tags(&[("owner", "b")]),
    };
    let rename = Call::UpdateUser {
        user_name: user("old"),
        new_user_name: Some(user("new")),
        new_path: Some(Path::from_live("/people/")),
    };
    let regroup = Call::UpdateGroup {
        group_name: group("old"),
        new_group_name: Some(group("new")),
        new_path: None,
    };
    let alias = Call::CreateAccountAlias {
        account_alias: trueup_model::Alias::from_live("acme-prod"),
    };
    let detach = remove_from_group("old", "old");
    for call in [
        boundary,
        rename,
        regroup,
        alias,
        detach,
        create_group("team"),
        create_policy("other"),
        login_profile("old"),
        delete_user("nobody-special"),
    ] {
        let operation = call.operation();
        let mut bench = Bench::new();
        bench
            .prepare([
                create_policy("base"),
                create_user("old"),
                create_user("nobody-special"),
                create_group("old"),
                add_to_group("old", "old"),
            ])
            .await;
        bench.script(lose_first(operation));
        let report = bench.run(&plan([(call, vec![])])).await;
        assert_eq!(
            outcome(&report, 1),
            &Outcome::Done {
                version: None,
                access_key: None
            },
            "{operation}"
        );
        assert_eq!(
            bench.count(operation),
            if operation == "CreatePolicyVersion" { 1 } else { 2 },
            "{operation}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_version_is_never_sent_again_unseen() {
    let mut bench = Bench::new();
    bench.prepare([create_policy("base")]).await;
    bench.script(lose_first("CreatePolicyVersion"));
    let change = plan([
        (create_version("base", OTHER_DOCUMENT), vec![]),
        (set_default("base", 1), vec![1]),
    ]);
    let report = bench.run(&change).await;
    assert_complete(&report);
    assert_eq!(bench.count("CreatePolicyVersion"), 1);
    assert_eq!(
        outcome(&report, 1),
        &Outcome::Done {
            version: Some("v2".to_owned()),
            access_key: None
        }
    );

    // An answer that was a failure indeed: nothing is to be seen, and it is sent again.
    let mut bench = Bench::new();
    bench.prepare([create_policy("base")]).await;
    let mut failed = false;
    bench.script(move |request| {
        if request.operation == "CreatePolicyVersion" && !failed {
            failed = true;
            return refuse(500, "ServiceFailure", "Oops.");
        }
        Reaction::Pass
    });
    let report = bench.run(&change).await;
    assert_complete(&report);
    assert_eq!(bench.count("CreatePolicyVersion"), 1);
    assert!(bench.count("ListPolicyVersions") >= 1);
}

#[tokio::test(start_paused = true)]
async fn something_else_of_the_same_name_is_not_taken_for_ours() {
    // The answer is lost, the change was not made, and somebody else makes a group of that name meanwhile.
    let mut bench = Bench::new();
    let outsider = bench.sandbox.clone();
    let mut asked = 0;
    bench.script(move |request| {
        if request.operation != "CreateGroup" {
            return Reaction::Pass;
        }
        asked += 1;
        if asked == 1 {
            return Reaction::Break(std::io::ErrorKind::ConnectionReset);
        }
        let outsider = outsider.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let iam = outsider.iam_client();
                iam.create_group()
                    .group_name("team")
                    .path("/elsewhere/")
                    .send()
                    .await
                    .unwrap();
            });
        })
        .join()
        .unwrap();
        Reaction::Pass
    });
    let report = bench.run(&plan([(create_group("team"), vec![])])).await;
    assert!(failure(&report, 1).message.contains("other properties"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_this_run_freed_is_waited_for() {
    let mut bench = Bench::new();
    bench.prepare([create_policy("base")]).await;
    let mut refusals = 2;
    bench.script(move |request| {
        if request.operation == "CreatePolicy" && refusals > 0 {
            refusals -= 1;
            return refuse(409, "EntityAlreadyExists", "A policy called base already exists.");
        }
        Reaction::Pass
    });
    let delete = Call::DeletePolicy {
        policy_arn: policy_arn("base"),
    };
    let report = bench
        .run(&plan([(delete, vec![]), (create_policy("base"), vec![1])]))
        .await;
    assert_complete(&report);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_is_given_up() {
    let bench = Bench::scripted(|_| refuse(500, "ServiceFailure", "Oops."));
    let begin = Instant::now();
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
        ]))
        .await;
    let error = failure(&report, 1);
    assert!(
        error.outcome_unknown || error.message.contains("cannot see"),
        "{error:?}"
    );
    assert!(begin.elapsed() < Duration::from_secs(120));
    assert_eq!(report.calls["CreateUser"], 5);

    let mut bench = Bench::scripted(|_| refuse(503, "ServiceUnavailable", "Not now."));
    bench.options.parallelism = 1;
    let report = bench
        .run(&plan((0..50).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    assert_eq!(report.stopped.as_deref(), Some("the endpoint does not answer"));
    assert_eq!(report.calls["CreateUser"], 15, "not asked by all the others too");
}

#[tokio::test(start_paused = true)]
async fn throttling_ends_at_the_deadline_and_so_does_the_run() {
    let mut bench = Bench::scripted(|_| refuse(400, "Throttling", "Rate exceeded"));
    bench.options.deadline = Duration::from_secs(600);
    bench.options.rate = Rate::AWS;
    let begin = Instant::now();
    let report = bench
        .run(&plan((0..100).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    let took = begin.elapsed();
    assert!(
        took > Duration::from_secs(600) && took < Duration::from_secs(660),
        "{took:?}"
    );
    assert!(report.stopped.as_ref().unwrap().contains("deadline"));
    assert!(failure(&report, 1).message.contains("deadline"));
    assert!(!failure(&report, 1).outcome_unknown);
    assert!(matches!(outcome(&report, 100), Outcome::NotAttempted { .. }));
    assert!(!report.wrote_anything());
}
