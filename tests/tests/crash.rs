//! A killed apply is simply run again.

use std::{
    thread,
    time::{Duration, Instant},
};

use trueup_tests::{
    binary::{Run, Workspace},
    python,
    recorder::Recorder,
    service::Service,
    setup, wire,
};

const MANIFEST: &str = r#"
version: 1
account: {id: "123456789012", alias: acme-prod}
scope: {users: {paths: [/]}}
policies:
  reports: {document: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "*"}]}}
  team-boundary: {document: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}}
user_types: {person: {login_profile: {}}}
groups:
  developers:
    managed_policies: [reports]
    inline_policies: {work: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]}}
users:
  alice: {type: person, groups: [developers], permissions_boundary: team-boundary, tags: {owner: alice}}
  bob: {type: person, groups: [developers], managed_policies: [reports]}
  robert: {previously: [rob], groups: [developers]}
  ci: {access_keys: {count: 1, description: the build}}
absent: {users: {carol: {reason: left}}}
"#;

const ACCOUNT: &str = r"
CreatePolicy PolicyName=reports PolicyDocument='Allow s3:GetObject on *'
CreateUser UserName=rob
CreateUser UserName=carol
CreateAccessKey UserName=carol
CreateLoginProfile UserName=carol Password=Correct-horse-7-battery
CreateVirtualMFADevice VirtualMFADeviceName=carol
EnableMFADevice UserName=carol SerialNumber=$SerialNumber AuthenticationCode1=$totp1 AuthenticationCode2=$totp2
AttachUserPolicy UserName=carol PolicyArn=arn:aws:iam::123456789012:policy/reports
";

fn apply<'a>(workspace: &'a Workspace, endpoint: &str) -> Run<'a> {
    python::credentials(
        workspace
            .trueup()
            .args("apply --auto-approve --plain-credentials --credentials-dir ../credentials --allow shared-policy")
            .env("TRUEUP_ENDPOINT_URL", endpoint),
    )
}

fn start(workspace: &Workspace) -> Service {
    workspace.write("trueup.yaml", MANIFEST);
    // Every call takes its time, so that a kill can fall between any two.
    let service = Service::sandbox_with(workspace, "account.json", "latency-ms=15");
    setup::run(ACCOUNT, &workspace.path(), service.address()).unwrap();
    service
}

/// What must be true once the manifest is applied, however often the applying was interrupted.
fn assert_converged(workspace: &Workspace, service: &Service) {
    let run = workspace
        .trueup()
        .args("plan --detailed-exitcode")
        .env("TRUEUP_ENDPOINT_URL", service.endpoint());
    let plan = python::credentials(run).run().expect_exit(0);
    assert!(plan.stdout.contains("No changes."), "{}", plan.render());
    // A version is the one thing that can be made twice.
    let arn = "arn:aws:iam::123456789012:policy/reports";
    let versions = service.call("ListPolicyVersions", &[("PolicyArn", arn)]);
    let made = wire::elements(&versions.body, "VersionId").count();
    assert_eq!(made, 2, "{}", versions.body);
    for user in ["alice", "bob"] {
        assert_eq!(service.call("GetLoginProfile", &[("UserName", user)]).status, 200);
        assert!(has_credentials(workspace, user), "the password of {user} is lost");
    }
    assert_has_its_key(workspace, service);
}

/// However often a run is killed: one key, its secret in a file, and nothing that says otherwise.
fn assert_has_its_key(workspace: &Workspace, service: &Service) {
    let keys = service.call("ListAccessKeys", &[("UserName", "ci")]);
    let ids: Vec<String> = wire::elements(&keys.body, "AccessKeyId")
        .map(|id| id.to_string())
        .collect();
    let [id] = ids.as_slice() else {
        panic!("one key is wanted: {}", keys.body)
    };
    let files = std::fs::read_dir(workspace.path().join("../credentials")).unwrap();
    let is_delivered = files
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default())
        .any(|text| text.contains(id.as_str()));
    assert!(is_delivered, "nobody has the secret of {id}");
    let tags = service.call("ListUserTags", &[("UserName", "ci")]);
    assert!(!tags.body.contains("trueup:new-access-key"), "{}", tags.body);
    assert!(
        tags.body.contains(id.as_str()),
        "the key has no description: {}",
        tags.body
    );
}

fn has_credentials(workspace: &Workspace, user: &str) -> bool {
    std::fs::read_dir(workspace.path().join("../credentials"))
        .into_iter()
        .flatten()
        .any(|entry| entry.unwrap().file_name().to_string_lossy().contains(user))
}

#[test]
fn an_apply_that_is_killed_at_any_moment_can_be_run_again() {
    const KILLS: u32 = 12;
    // How long a whole apply takes here decides where the kills fall.
    let workspace = Workspace::new();
    let service = start(&workspace);
    let begin = Instant::now();
    apply(&workspace, &service.endpoint()).run().expect_exit(0);
    let whole = begin.elapsed();
    assert_converged(&workspace, &service);
    for kill in 1..=KILLS {
        let workspace = Workspace::new();
        let service = start(&workspace);
        let mut child = apply(&workspace, &service.endpoint()).spawn();
        thread::sleep(whole * kill / (KILLS + 1));
        child.kill().unwrap();
        child.wait().unwrap();
        let again = apply(&workspace, &service.endpoint()).run();
        assert_eq!(again.code, Some(0), "after kill {kill} of {KILLS}:\n{}", again.render());
        assert_converged(&workspace, &service);
    }
}

#[test]
fn one_account_survives_kill_after_kill() {
    let workspace = Workspace::new();
    let service = start(&workspace);
    for milliseconds in (40..=400).step_by(40) {
        let mut child = apply(&workspace, &service.endpoint()).spawn();
        thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
    }
    apply(&workspace, &service.endpoint()).run().expect_exit(0);
    assert_converged(&workspace, &service);
}

#[test]
fn an_apply_of_what_is_applied_writes_nothing() {
    let workspace = Workspace::new();
    let service = start(&workspace);
    apply(&workspace, &service.endpoint()).run().expect_exit(0);
    let recorder = Recorder::before(&service);
    apply(&workspace, &recorder.endpoint()).run().expect_exit(0);
    let operations = recorder.take();
    let writes: Vec<_> = operations
        .iter()
        .filter(|operation| !operation.starts_with("Get") && !operation.starts_with("List"))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// Starts an apply, sends it a signal while calls are in flight, and gives what it printed.
fn interrupted(workspace: &Workspace, endpoint: &str, signal: &str) -> std::process::Output {
    let child = apply(workspace, endpoint).spawn();
    // The journal's first line says that reading is over and writing has begun.
    let journals = workspace.path().join("../home/state/trueup/journal");
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::fs::read_dir(&journals).is_err() {
        assert!(Instant::now() < deadline, "no apply has begun");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(30));
    let status = std::process::Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    child.wait_with_output().unwrap()
}

#[test]
fn an_interrupted_apply_finishes_what_is_in_flight_and_says_so() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let workspace = Workspace::new();
        let service = start(&workspace);
        let output = interrupted(&workspace, &service.endpoint(), signal);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{printed}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(printed.contains("Apply interrupted."), "{printed}");
        apply(&workspace, &service.endpoint()).run().expect_exit(0);
        assert_converged(&workspace, &service);
    }
}
