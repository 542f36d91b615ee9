//! A failure in one place does not keep the rest from being done, and nothing is lost by running again.

use serde_json::Value;
use trueup_tests::{
    binary::{Output, Workspace},
    python,
    recorder::Recorder,
    service::Service,
};

const MANIFEST: &str = r#"
version: 1
account: {id: "123456789012", alias: acme-prod}
groups: {developers: {managed_policies: [arn:aws:iam::aws:policy/ReadOnlyAccess]}}
users:
  alice: {managed_policies: [arn:aws:iam::aws:policy/SecurityAudit], login_profile: {}}
  bob: {groups: [developers]}
"#;

fn apply(workspace: &Workspace, endpoint: &str) -> Output {
    let line = "apply -q --auto-approve --plain-credentials --credentials-dir ../credentials --receipt receipt.json";
    python::credentials(workspace.trueup().args(line).env("TRUEUP_ENDPOINT_URL", endpoint)).run()
}

/// The result of every action in a receipt, by `OPERATION resource`.
fn results(workspace: &Workspace) -> Vec<String> {
    let receipt: Value = serde_json::from_str(&workspace.read("receipt.json")).unwrap();
    let actions = receipt["actions"].as_array().unwrap().iter();
    actions
        .map(|action| {
            let result = match &action["result"] {
                Value::String(word) => word.clone(),
                Value::Object(object) => object.keys().next().unwrap().clone(),
                other => panic!("{other}"),
            };
            format!(
                "{result} {} {}",
                action["operation"].as_str().unwrap(),
                action["resource"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn what_does_not_depend_on_a_failure_is_done_and_the_rest_is_done_later() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let service = Service::sandbox(&workspace, "account.json");

    let denied = Recorder::refusing(&service, "AttachUserPolicy");
    let partly = apply(&workspace, &denied.endpoint()).expect_exit(5);
    for words in [
        "AttachUserPolicy",
        "not authorized to perform: iam:AttachUserPolicy",
        "it depends on call 6, which failed",
    ] {
        assert!(partly.stdout.contains(words), "{words}:\n{}", partly.render());
    }
    let mut results = results(&workspace);
    results.sort();
    assert_eq!(
        results,
        [
            "done AddUserToGroup group/developers/member/bob",
            "done AttachGroupPolicy group/developers/managed-policy/arn:aws:iam::aws:policy/ReadOnlyAccess",
            "done CreateAccountAlias account/alias",
            "done CreateGroup group/developers",
            "done CreateUser user/alice",
            "done CreateUser user/bob",
            "failed AttachUserPolicy user/alice/managed-policy/arn:aws:iam::aws:policy/SecurityAudit",
            "not_attempted CreateLoginProfile user/alice/login-profile",
        ]
    );
    // Asking again would not have helped.
    assert_eq!(
        denied
            .take()
            .iter()
            .filter(|operation| *operation == "AttachUserPolicy")
            .count(),
        1
    );
    let left = std::fs::read_dir(workspace.path().join("../credentials"));
    assert_eq!(
        left.into_iter().flatten().count(),
        0,
        "a password was written that was never set"
    );

    let done = apply(&workspace, &service.endpoint()).expect_exit(0);
    assert!(
        done.stdout.contains("Apply complete! 2 added, 0 changed, 0 destroyed."),
        "{}",
        done.render()
    );
}

#[test]
fn a_failure_before_anything_is_written_is_an_error_and_no_partial_apply() {
    let workspace = Workspace::new();
    workspace.write(
        "trueup.yaml",
        "version: 1\naccount: {id: \"123456789012\", alias: acme-prod}\n",
    );
    let service = Service::sandbox(&workspace, "account.json");
    let denied = Recorder::refusing(&service, "CreateAccountAlias");
    apply(&workspace, &denied.endpoint()).expect_exit(1);
}

#[test]
fn a_read_that_is_not_allowed_names_the_permission() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let service = Service::sandbox(&workspace, "account.json");
    let denied = Recorder::refusing(&service, "GetAccountSummary");
    let run = workspace
        .trueup()
        .args("plan")
        .env("TRUEUP_ENDPOINT_URL", denied.endpoint());
    let output = python::credentials(run).run().expect_exit(1);
    assert!(output.stderr.contains("iam:GetAccountSummary"), "{}", output.render());
}
