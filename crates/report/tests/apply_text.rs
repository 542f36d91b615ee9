//! Outcomes made by hand, rendered.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use serde_json::json;
use trueup_planner::{ActionId, Plan, Summary};
use trueup_report::{
    ActionOutcome, ActionResult, ApplyOutcome, RECEIPT_VERSION, TextOptions, Verification, render_apply_text,
};

/// Creates alice with an inline policy, prunes a version of a policy, deletes bob's password and bob.
fn plan() -> Plan {
    let change = |resource: &str, kind: &str| json!({"resource": resource, "change": kind, "reason": "", "destructive": false, "fields": []});
    serde_json::from_value(json!({
        "format_version": "1.0", "tool_version": "0.1.0", "account_id": "123456789012", "as_of": "2026-11-22",
        "digest": "sha256:00",
        "overview": {"alias": null, "scope": {}, "managed": 0, "unchanged": 0, "untouchable": 0},
        "summary": {"create": 2, "update": 1, "delete": 2, "actions": 5},
        "changes": [
            change("policy/p", "update"), change("user/alice", "create"), change("user/alice/inline-policy/x", "create"),
            change("user/bob", "delete"), change("user/bob/login-profile", "delete"),
        ],
        "actions": [], "requirements": [], "access": [], "unmanaged": [], "ignored": [], "guardrails": [],
        "notes": [], "facts": {}, "reads": {"total": 0, "by_operation": {}}
    }))
    .unwrap()
}

fn outcome(results: [ActionResult; 5]) -> ApplyOutcome {
    let actions = [
        ("DeletePolicyVersion", "policy/p/version/v1"),
        ("CreateUser", "user/alice"),
        ("PutUserPolicy", "user/alice/inline-policy/x"),
        ("DeleteLoginProfile", "user/bob/login-profile"),
        ("DeleteUser", "user/bob"),
    ];
    let actions = actions
        .into_iter()
        .zip(results)
        .zip(1..)
        .map(|(((operation, resource), result), id)| ActionOutcome {
            id: ActionId(id),
            operation: operation.to_owned(),
            resource: serde_json::from_value(json!(resource)).unwrap(),
            result,
        })
        .collect();
    ApplyOutcome {
        format_version: RECEIPT_VERSION.to_owned(),
        tool_version: "0.1.0".to_owned(),
        facts: plan().facts,
        asked: BTreeMap::new(),
        measured_since: None,
        only: None,
        left: Vec::new(),
        allowed: Vec::new(),
        account_id: plan().account_id,
        digest: "sha256:00".to_owned(),
        run_id: Some("r1".to_owned()),
        actions,
        interrupted: false,
        verification: Verification::Clean,
        credentials: Vec::new(),
        journal: Some("/state/journal-r1.jsonl".to_owned()),
        undo_snapshot: None,
        calls: 5,
        retries: 0,
    }
}

const DONE: ActionResult = ActionResult::Done;

#[test]
fn a_complete_apply_counts_what_the_plan_counted() {
    let mut complete = outcome([DONE, DONE, ActionResult::AlreadyDone, DONE, DONE]);
    complete.credentials.push("/c/alice\u{1b}.csv".to_owned());
    assert!(complete.is_complete());
    assert_eq!(
        render_apply_text(&complete, &plan(), &TextOptions::default()),
        "\
Apply complete! 2 added, 1 changed, 2 destroyed.
Credentials: /c/alice\\u{1b}.csv
Journal: /state/journal-r1.jsonl
"
    );
}

#[test]
fn a_failure_is_named_with_what_it_kept_from_happening() {
    let failed = outcome([
        ActionResult::Failed {
            error: "access denied\u{7}".to_owned(),
        },
        DONE,
        DONE,
        DONE,
        ActionResult::NotAttempted {
            because: "it depends on what failed".to_owned(),
        },
    ]);
    assert!(!failed.is_complete() && failed.wrote_something());
    assert_eq!(
        failed.done(&plan()),
        Summary {
            create: 2,
            update: 0,
            delete: 1,
            actions: 3
        }
    );
    assert_eq!(
        render_apply_text(&failed, &plan(), &TextOptions::default()),
        "\
failed: DeletePolicyVersion policy/p/version/v1: access denied\\u{7}
not attempted (it depends on what failed):
  DeleteUser user/bob

Apply incomplete. 2 added, 0 changed, 1 destroyed. 3 of 5 calls done.
Journal: /state/journal-r1.jsonl
"
    );
}

#[test]
fn late_is_told_apart_from_wrong() {
    let resource = || serde_json::from_value(json!("user/alice")).unwrap();
    let mut outcome = outcome([DONE, DONE, DONE, DONE, DONE]);
    outcome.verification = Verification::NotVisibleYet(vec![resource()]);
    let late = render_apply_text(&outcome, &plan(), &TextOptions::default());
    assert!(
        late.contains("not visible yet") && late.contains("\n  user/alice\n"),
        "{late}"
    );
    outcome.verification = Verification::Wrong(vec![resource()]);
    let wrong = render_apply_text(&outcome, &plan(), &TextOptions::default());
    assert!(wrong.contains("differs from the manifest after the apply"), "{wrong}");
}

#[test]
fn a_receipt_is_read_as_it_was_written() {
    let written = outcome([DONE, DONE, DONE, DONE, DONE]);
    let text = trueup_report::to_json(&written).unwrap();
    assert_eq!(serde_json::from_str::<ApplyOutcome>(&text).unwrap(), written);
}
