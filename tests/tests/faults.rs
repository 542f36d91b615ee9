//! An apply completes although the service throttles, fails, loses answers and lags behind itself.

use std::fmt::Write as _;

use trueup_tests::{binary::Workspace, service::Service, setup, wire};

fn manifest(users: usize) -> String {
    let mut text = String::from(
        r#"version: 1
account: {id: "123456789012", alias: acme-prod}
scope: {users: {paths: [/]}}
policies:
  reports: {document: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "*"}]}}
groups:
  developers: {managed_policies: [reports]}
absent: {users: {carol: {reason: left}}}
users:
"#,
    );
    for user in 0..users {
        let _ = writeln!(
            text,
            "  user-{user}: {{groups: [developers], login_profile: {{}}, tags: {{number: \"{user}\"}}}}"
        );
    }
    text
}

const ACCOUNT: &str = r"
CreatePolicy PolicyName=reports PolicyDocument='Allow s3:GetObject on *'
CreateUser UserName=carol
CreateAccessKey UserName=carol
AttachUserPolicy UserName=carol PolicyArn=arn:aws:iam::123456789012:policy/reports
";

fn account(users: usize, more: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", manifest(users));
    let service = Service::sandbox(&workspace, "account.json");
    setup::run(ACCOUNT, &workspace.path(), service.address()).unwrap();
    setup::run(more, &workspace.path(), service.address()).unwrap();
    workspace
}

/// Applies under these faults, and then plans without them.
fn completes(faults: &str, users: usize) {
    let workspace = account(users, "");
    let apply = "apply --live sandbox:account.json --auto-approve --plain-credentials --credentials-dir ../credentials \
                 --allow shared-policy";
    let run = workspace.trueup().args(apply).env("TRUEUP_SANDBOX_FAULTS", faults);
    run.run().expect_exit(0);
    let plan = workspace
        .trueup()
        .args("plan --live sandbox:account.json --detailed-exitcode");
    let plan = plan.run().expect_exit(0);
    assert!(plan.stdout.contains("No changes."), "{}", plan.render());

    let service = Service::sandbox(&workspace, "account.json");
    let arn = "arn:aws:iam::123456789012:policy/reports";
    let versions = service.call("ListPolicyVersions", &[("PolicyArn", arn)]);
    let made = wire::elements(&versions.body, "VersionId").count();
    assert_eq!(made, 2, "a version was made twice: {}", versions.body);
}

#[test]
fn an_apply_completes_although_a_fifth_of_all_calls_is_throttled() {
    completes("throttle=0.2,seed=7", 6);
}

#[test]
fn an_apply_completes_although_half_of_all_calls_is_throttled() {
    completes("throttle=0.5,seed=7", 3);
}

#[test]
fn an_apply_completes_although_the_service_fails_now_and_then() {
    completes("server-error=0.1,seed=3", 6);
}

#[test]
fn an_apply_completes_although_answers_are_lost() {
    for seed in 1..=4 {
        completes(&format!("lost-answer=0.1,seed={seed}"), 4);
    }
}

#[test]
fn an_apply_completes_although_reads_lag_behind_writes() {
    completes("stale-reads=2", 4);
}

#[test]
fn an_apply_completes_although_new_entities_cannot_be_modified_at_once() {
    completes("unmodifiable=2", 4);
}

#[test]
fn a_plan_is_the_same_however_the_pages_are_cut() {
    let workspace = account(6, "repeat 30 CreateUser UserName=found-{n}");
    let plan = |faults: &str| {
        let run = workspace
            .trueup()
            .args("plan --live sandbox:account.json --format json");
        let output = run.env("TRUEUP_SANDBOX_FAULTS", faults).run().expect_exit(0);
        let mut plan: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        plan.as_object_mut().unwrap().remove("reads").unwrap();
        plan
    };
    assert_eq!(plan("latency-ms=0"), plan("page-size=3"));
    assert_eq!(plan("latency-ms=0"), plan("page-size=5,empty-pages=true,seed=1"));
}
