//! Commands that only look send nothing that writes: seen at the transport, not in the code.

use std::fmt::Write as _;

use trueup_tests::{binary::Workspace, python, recorder::Recorder, service::Service, setup};

const MANIFEST: &str = r#"
version: 1
account: {id: "123456789012", alias: acme-prod, root: {mfa: required, access_keys: forbidden}}
scope: {users: {paths: [/], unmanaged: delete}}
groups: {developers: {managed_policies: [arn:aws:iam::aws:policy/ReadOnlyAccess]}}
users:
  alice: {login_profile: {}, mfa: required, groups: [developers], tags: {owner: alice}}
absent: {users: {carol: {reason: left}}}
"#;

const ACCOUNT: &str = r"
CreateGroup GroupName=developers
CreateUser UserName=carol
CreateAccessKey UserName=carol
CreateUser UserName=alice
AttachUserPolicy UserName=alice PolicyArn=arn:aws:iam::aws:policy/PowerUserAccess
CreateUser UserName=found
CreateLoginProfile UserName=found Password=Correct-horse-7-battery
";

fn account(workspace: &Workspace, script: &str) -> (Service, Recorder) {
    let service = Service::sandbox(workspace, "account.json");
    setup::run(script, &workspace.path(), service.address()).unwrap();
    let recorder = Recorder::before(&service);
    (service, recorder)
}

fn is_a_read(operation: &str) -> bool {
    operation.starts_with("Get") || operation.starts_with("List")
}

#[test]
fn looking_sends_no_call_that_writes() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let (_service, recorder) = account(&workspace, ACCOUNT);
    for (line, code) in [
        ("validate", 0),
        ("plan", 0),
        ("plan --detailed-exitcode --format json --out plan.json", 2),
        ("drift", 2),
        ("export", 0),
        ("snapshot --out snapshot.json", 0),
        ("whoami", 0),
    ] {
        let run = workspace
            .trueup()
            .args(line)
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint());
        python::credentials(run).run().expect_exit(code);
        let operations = recorder.take();
        assert_eq!(operations.is_empty(), line == "validate", "{line} sent {operations:?}");
        let writes: Vec<_> = operations.iter().filter(|operation| !is_a_read(operation)).collect();
        assert!(writes.is_empty(), "{line} sent {writes:?}");
    }
}

#[test]
fn every_output_of_a_run_is_of_one_reading() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let (_service, recorder) = account(&workspace, ACCOUNT);
    let run = |line: &str| {
        let run = workspace
            .trueup()
            .args(line)
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint());
        python::credentials(run).run().expect_exit(2);
        let mut operations = recorder.take();
        operations.sort();
        operations
    };
    let alone = run("drift");
    let every = "drift --format markdown --json-into plan.json --markdown-into plan.md --html-into plan.html \
                 --line-into line.txt --junit-into junit.xml --sarif-into found.sarif --metrics-into trueup.prom";
    assert_eq!(run(every), alone);
    let plan: serde_json::Value = serde_json::from_str(&workspace.read("plan.json")).unwrap();
    // The caller is asked first.
    assert_eq!(plan["reads"]["total"], alone.len());
    let digest = plan["digest"].as_str().unwrap();
    for output in ["plan.md", "plan.html"] {
        assert!(workspace.read(output).contains(digest), "{output}");
    }
    let changes = plan["changes"].as_array().unwrap().len();
    assert!(workspace.read("line.txt").contains(&format!(": {changes} differences")));
    assert!(
        workspace
            .read("trueup.prom")
            .contains(&format!("trueup_changes{{account=\"123456789012\"}} {changes}\n"))
    );
    let found: serde_json::Value = serde_json::from_str(&workspace.read("found.sarif")).unwrap();
    assert!(found["runs"][0]["results"].as_array().unwrap().len() >= changes);
    assert!(workspace.read("junit.xml").contains("failures="));
}

#[test]
fn an_apply_that_is_refused_sends_no_call_that_writes() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let (_service, recorder) = account(&workspace, ACCOUNT);
    let another_digest = format!("--expect-digest sha256:{}", "0".repeat(64));
    for (line, code) in [
        // New console passwords, and nobody said where to.
        ("apply --auto-approve".to_owned(), 1),
        // Nobody there to say yes.
        (
            "apply --plain-credentials --credentials-dir ../credentials".to_owned(),
            1,
        ),
        (
            format!("apply --auto-approve --plain-credentials --credentials-dir ../credentials {another_digest}"),
            4,
        ),
    ] {
        let run = workspace
            .trueup()
            .args(&line)
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint());
        python::credentials(run).run().expect_exit(code);
        let operations = recorder.take();
        assert!(
            operations.iter().all(|operation| is_a_read(operation)),
            "{line} sent {operations:?}"
        );
    }
}

#[test]
fn who_is_called_comes_first_and_another_account_is_asked_nothing_more() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST.replace("123456789012", "210987654321"));
    let (_service, recorder) = account(&workspace, ACCOUNT);
    for line in ["plan", "drift", "apply --auto-approve"] {
        let run = workspace
            .trueup()
            .args(line)
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint());
        python::credentials(run).run().expect_exit(7);
        assert_eq!(recorder.take(), ["GetCallerIdentity"], "{line}");
    }
}

#[test]
fn a_thousand_users_in_sync_cost_few_calls() {
    let workspace = Workspace::new();
    let mut manifest = "version: 1\naccount: {id: \"123456789012\"}\nusers:\n".to_owned();
    let mut managed = manifest.clone();
    for user in 1..=1000 {
        let _ = writeln!(manifest, "  user-{user}: {{}}");
        let profile = if user <= 50 { "login_profile: {}" } else { "" };
        let _ = writeln!(managed, "  user-{user}: {{{profile}}}");
    }
    let script = "repeat 1000 CreateUser UserName=user-{n}\n\
                  repeat 50 CreateLoginProfile UserName=user-{n} Password=Correct-horse-7-battery\n";
    let (_service, recorder) = account(&workspace, script);
    for (manifest, most) in [(manifest, 10), (managed, 60)] {
        workspace.write("trueup.yaml", manifest);
        let run = workspace
            .trueup()
            .args("plan --detailed-exitcode")
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint());
        let plan = python::credentials(run).run().expect_exit(0);
        assert!(plan.stdout.contains("No changes."), "{}", plan.render());
        let calls = recorder.take();
        assert!(calls.len() <= most, "{} calls: {calls:?}", calls.len());
    }
}
