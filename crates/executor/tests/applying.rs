//! What a plan does where nothing goes wrong: every call, in order, and written down.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::*;
use tokio::time::Instant;
use trueup_executor::Outcome;
use trueup_model::{Alias, InlinePolicyName, PasswordPolicy, Path, Tags};
use trueup_planner::{ActionId, Call, KeyStatus, VersionRef};

#[tokio::test(start_paused = true)]
async fn every_call_of_a_plan_is_sent_as_it_is_meant() {
    let bench = Bench::new();
    let inline = |name: &str| InlinePolicyName::from_live(name);
    let report = bench
        .run(&plan([
            (
                Call::CreateAccountAlias {
                    account_alias: Alias::from_live("acme-prod"),
                },
                vec![],
            ),
            (
                Call::UpdateAccountPasswordPolicy {
                    policy: PasswordPolicy {
                        minimum_password_length: 24,
                        require_symbols: true,
                        max_password_age: Some(90),
                        ..PasswordPolicy::default()
                    },
                },
                vec![],
            ),
            (create_policy("base"), vec![]),
            (create_version("base", OTHER_DOCUMENT), vec![3]),
            (set_default("base", 4), vec![4]),
            (
                Call::DeletePolicyVersion {
                    policy_arn: policy_arn("base"),
                    version: VersionRef::Id("v1".to_owned()),
                },
                vec![5],
            ),
            (
                Call::TagPolicy {
                    policy_arn: policy_arn("base"),
                    tags: tags(&[("cost", "1")]),
                },
                vec![3],
            ),
            (
                Call::UntagPolicy {
                    policy_arn: policy_arn("base"),
                    tag_keys: vec!["owner".to_owned()],
                },
                vec![3],
            ),
            (create_group("team"), vec![]),
            (
                Call::PutGroupPolicy {
                    group_name: group("team"),
                    policy_name: inline("keep"),
                    policy_document: document(DOCUMENT),
                },
                vec![9],
            ),
            (
                Call::AttachGroupPolicy {
                    group_name: group("team"),
                    policy_arn: policy_arn("base"),
                },
                vec![3, 9],
            ),
            (
                Call::UpdateGroup {
                    group_name: group("team"),
                    new_group_name: Some(group("crew")),
                    new_path: Some(Path::from_live("/crews/")),
                },
                vec![10, 11],
            ),
            (
                Call::CreateUser {
                    user_name: user("alice"),
                    path: Path::from_live("/people/"),
                    permissions_boundary: Some(policy_arn("base")),
                    tags: tags(&[("owner", "a")]),
                },
                vec![3],
            ),
            (add_to_group("alice", "crew"), vec![12, 13]),
            (put_user_policy("alice", "own", DOCUMENT), vec![13]),
            (
                Call::AttachUserPolicy {
                    user_name: user("alice"),
                    policy_arn: policy_arn("base"),
                },
                vec![13],
            ),
            (
                Call::TagUser {
                    user_name: user("alice"),
                    tags: tags(&[("level", "2")]),
                    new_key: None,
                },
                vec![13],
            ),
            (
                Call::UntagUser {
                    user_name: user("alice"),
                    tag_keys: vec!["owner".to_owned()],
                },
                vec![13],
            ),
            (login_profile("alice"), vec![13]),
            (
                Call::UpdateUser {
                    user_name: user("alice"),
                    new_user_name: Some(user("alice.b")),
                    new_path: None,
                },
                vec![14, 15, 16, 17, 18, 19],
            ),
        ]))
        .await;
    assert_complete(&report);
    assert_eq!(
        outcome(&report, 4),
        &Outcome::Done {
            version: Some("v2".to_owned()),
            access_key: None
        }
    );

    let iam = bench.sandbox.iam_client();
    let answer = iam.get_user().user_name("alice.b").send().await.unwrap();
    let alice = answer.user.unwrap();
    assert_eq!(alice.path, "/people/");
    let tags: BTreeMap<_, _> = alice
        .tags
        .unwrap()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect();
    assert_eq!(tags, Tags::from([("level".to_owned(), "2".to_owned())]));
    assert_eq!(
        alice.permissions_boundary.unwrap().permissions_boundary_arn.unwrap(),
        policy_arn("base").as_str()
    );
    let crew = iam.get_group().group_name("crew").send().await.unwrap();
    assert_eq!((crew.users.len(), crew.group.unwrap().path.as_str()), (1, "/crews/"));
    let base = iam
        .get_policy()
        .policy_arn(policy_arn("base").as_str())
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(base.default_version_id.as_deref(), Some("v2"));
    assert_eq!(base.attachment_count, Some(2));
    assert_eq!(base.description.as_deref(), Some("What it is for"));
    let policy = iam
        .get_account_password_policy()
        .send()
        .await
        .unwrap()
        .password_policy
        .unwrap();
    assert_eq!(
        (policy.minimum_password_length, policy.max_password_age),
        (Some(24), Some(90))
    );
    assert!(policy.require_symbols && !policy.require_numbers);
    let profile = iam.get_login_profile().user_name("alice.b").send().await.unwrap();
    assert!(profile.login_profile.unwrap().password_reset_required);

    let report = bench.run(&everything_undone(&iam).await).await;
    assert_complete(&report);
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    let count = |key: &str| summary[&aws_sdk_iam::types::SummaryKeyType::from(key)];
    assert_eq!(
        (count("Users"), count("Groups"), count("Policies"), count("MFADevices")),
        (0, 0, 0, 0)
    );
    assert!(
        iam.list_account_aliases()
            .send()
            .await
            .unwrap()
            .account_aliases
            .is_empty()
    );
}

/// Gives alice one of every credential, and plans to take all of them and everything else away.
async fn everything_undone(iam: &aws_sdk_iam::Client) -> trueup_planner::Plan {
    let name = "alice.b";
    let key = iam.create_access_key().user_name(name).send().await.unwrap();
    let credential = iam
        .create_service_specific_credential()
        .user_name(name)
        .service_name("codecommit.amazonaws.com")
        .send()
        .await
        .unwrap();
    let device = iam
        .create_virtual_mfa_device()
        .virtual_mfa_device_name("left-over")
        .send()
        .await
        .unwrap();
    let key_id = key.access_key.unwrap().access_key_id;
    let credential_id = credential
        .service_specific_credential
        .unwrap()
        .service_specific_credential_id;
    let serial_number = device.virtual_mfa_device.unwrap().serial_number;
    let arn = policy_arn("base");
    plan([
        (
            Call::UpdateAccessKey {
                user_name: user(name),
                access_key_id: key_id.clone(),
                status: KeyStatus::Inactive,
            },
            vec![],
        ),
        (Call::DeleteLoginProfile { user_name: user(name) }, vec![]),
        (remove_from_group(name, "crew"), vec![]),
        (
            Call::DetachUserPolicy {
                user_name: user(name),
                policy_arn: arn.clone(),
            },
            vec![],
        ),
        (
            Call::DeleteUserPolicy {
                user_name: user(name),
                policy_name: InlinePolicyName::from_live("own"),
            },
            vec![],
        ),
        (
            Call::DeleteAccessKey {
                user_name: user(name),
                access_key_id: key_id,
            },
            vec![1],
        ),
        (
            Call::DeleteServiceSpecificCredential {
                user_name: user(name),
                service_specific_credential_id: credential_id,
            },
            vec![],
        ),
        (Call::DeleteVirtualMFADevice { serial_number }, vec![]),
        (
            Call::DeleteUserPermissionsBoundary { user_name: user(name) },
            vec![4, 5],
        ),
        (delete_user(name), vec![2, 3, 4, 5, 6, 7, 9]),
        (
            Call::DetachGroupPolicy {
                group_name: group("crew"),
                policy_arn: arn.clone(),
            },
            vec![],
        ),
        (
            Call::DeleteGroupPolicy {
                group_name: group("crew"),
                policy_name: InlinePolicyName::from_live("keep"),
            },
            vec![],
        ),
        (
            Call::DeleteGroup {
                group_name: group("crew"),
            },
            vec![3, 11, 12],
        ),
        (Call::DeletePolicy { policy_arn: arn }, vec![10, 11]),
        (
            Call::DeleteAccountAlias {
                account_alias: Alias::from_live("acme-prod"),
            },
            vec![],
        ),
        (Call::DeleteAccountPasswordPolicy {}, vec![]),
    ])
}

#[tokio::test(start_paused = true)]
async fn a_version_is_left_to_replicate_before_it_becomes_the_default() {
    let bench = Bench::new();
    bench.prepare([create_policy("base")]).await;
    let begin = Instant::now();
    let report = bench
        .run(&plan([
            (create_version("base", OTHER_DOCUMENT), vec![]),
            (set_default("base", 1), vec![1]),
        ]))
        .await;
    assert_complete(&report);
    assert!(begin.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn independent_actions_overlap_and_writes_of_one_entity_do_not() {
    let mut bench = Bench::new();
    bench.script(|_| Reaction::Slow(Duration::from_secs(1)));
    let begin = Instant::now();
    let report = bench
        .run(&plan((0..8).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    assert_complete(&report);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());

    let begin = Instant::now();
    let report = bench
        .run(&plan(
            (0..8).map(|n| (put_user_policy("u1", &format!("p{n}"), DOCUMENT), vec![])),
        ))
        .await;
    assert_complete(&report);
    assert!(begin.elapsed() >= Duration::from_secs(8), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_given_number_of_actions_are_in_flight() {
    let mut bench = Bench::new();
    bench.script(|_| Reaction::Slow(Duration::from_secs(1)));
    bench.options.parallelism = 2;
    let begin = Instant::now();
    bench
        .run(&plan((0..8).map(|n| (create_user(&format!("u{n}")), vec![]))))
        .await;
    assert!(begin.elapsed() >= Duration::from_secs(4), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_journal_says_what_was_done() {
    let bench = Bench::new();
    let report = bench
        .run(&plan([
            (create_group("team"), vec![]),
            (create_user("alice"), vec![]),
            (add_to_group("alice", "team"), vec![1, 2]),
        ]))
        .await;
    let lines: Vec<serde_json::Value> = bench
        .journal()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["event"], "run");
    assert_eq!(lines[0]["account_id"], ACCOUNT);
    assert_eq!(lines[0]["plan_digest"], "sha256:0");
    assert_eq!(lines[0]["as_of"], "2026-11-20");
    assert_eq!(lines[0]["run"], report.run.as_str());
    assert_eq!(lines.last().unwrap()["event"], "end");
    for id in 1..=3 {
        let of_action = |line: &&serde_json::Value| line["action"] == id;
        let events: Vec<_> = lines
            .iter()
            .filter(of_action)
            .map(|line| line["event"].as_str().unwrap())
            .collect();
        assert_eq!(events, ["intent", "outcome"]);
    }
    let intent = lines.iter().find(|line| line["action"] == 3).unwrap();
    assert_eq!(intent["call"]["operation"], "AddUserToGroup");
    assert_eq!(intent["call"]["arguments"]["user_name"], "alice");
}

#[tokio::test(start_paused = true)]
async fn a_report_survives_its_own_json() {
    let bench = Bench::new();
    bench.prepare([create_user("alice")]).await;
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (put_user_policy("alice", "p", DOCUMENT), vec![1]),
            (create_policy("base"), vec![]),
            (create_version("base", OTHER_DOCUMENT), vec![3]),
        ]))
        .await;
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<trueup_executor::Report>(&text).unwrap(), report);
    assert_eq!(report.actions[3].id, ActionId(4));
}
