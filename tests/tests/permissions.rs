//! `trueup permissions`, held to the calls that the code makes: in the sources, in the golden plans, and on the wire.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::Value;
use trueup_tests::{binary::Workspace, python, recorder::Recorder, root, service::Service, setup};

fn policy(workspace: &Workspace, arguments: &str) -> Value {
    let output = workspace.trueup().args("permissions").args(arguments).run();
    serde_json::from_str(&output.expect_exit(0).stdout).unwrap()
}

/// The IAM actions that a policy allows, without their prefix.
fn allowed(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let allows = statements.filter(|statement| statement["Effect"] == "Allow");
    let actions = allows.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().strip_prefix("iam:").unwrap().to_owned())
        .collect()
}

fn everything(purpose: &str) -> BTreeSet<String> {
    allowed(&policy(&Workspace::new(), purpose))
}

/// The IAM operations that a crate's sources call on the SDK's client, but for what is done for one person at a time.
fn called_in(krate: &str) -> BTreeSet<String> {
    called_in_files(krate, |name| name != "mfa.rs")
}

fn called_in_files(krate: &str, is_meant: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let verbs = "add|attach|change|create|deactivate|delete|detach|enable|generate|get|list|put|remove|reset|resync|set|\
                 simulate|tag|untag|update|upload";
    let call = Regex::new(&format!(
        r"\b(?:iam|client)(?:\(\))?\s*\.(({verbs})_[a-z_]+)\(\)|\biam\.(({verbs})_[a-z_]+) ->"
    ));
    let call = call.unwrap();
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("crates").join(krate).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !is_meant(&path.file_name().unwrap().to_string_lossy()) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in call.captures_iter(&text) {
                found.insert(camel_case(call.get(1).or(call.get(3)).unwrap().as_str()));
            }
        }
    }
    assert!(!found.is_empty(), "{krate} calls nothing");
    found
}

fn camel_case(snake: &str) -> String {
    snake
        .split('_')
        .map(|word| match word {
            "mfa" | "ssh" => word.to_uppercase(),
            word => word[..1].to_uppercase() + &word[1..],
        })
        .collect()
}

#[test]
fn the_policies_name_exactly_what_the_sources_call() {
    let plan = everything("plan");
    assert_eq!(plan, called_in("reader"));
    let beside = called_in("cli");
    assert!(beside.is_subset(&plan), "{:?}", &beside - &plan);
    let apply = everything("apply");
    assert_eq!(apply, &plan | &called_in("executor"));
}

/// The requests for a lock are S3's own, so that what they take is told by their methods.
#[test]
fn the_policy_for_a_lock_names_exactly_what_its_requests_take() {
    let sources = std::fs::read_to_string(root().join("crates/cli/src/remote_lock/object.rs")).unwrap();
    let sent = Regex::new(r#"\.send\("([A-Z]+)""#).unwrap();
    let requested: BTreeSet<String> = sent
        .captures_iter(&sources)
        .map(|method| match &method[1] {
            "GET" => "s3:GetObject".to_owned(),
            "PUT" => "s3:PutObject".to_owned(),
            "DELETE" => "s3:DeleteObject".to_owned(),
            other => panic!("{other} is a request of another kind"),
        })
        .collect();
    // Every other request would have to be signed, and to be counted here.
    assert_eq!(sources.matches("SignableRequest::new(").count(), 1);

    let printed = policy(&Workspace::new(), "apply --lock s3://acme-locks/prod/iam.lock");
    let statements = printed["Statement"].as_array().unwrap();
    let locks: Vec<&Value> = statements.iter().filter(|one| one["Sid"] == "TrueupLock").collect();
    let [lock] = locks[..] else { panic!("{printed}") };
    let allowed: BTreeSet<String> = lock["Action"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(allowed, requested);
    assert_eq!(
        lock["Resource"],
        serde_json::json!(["arn:aws:s3:::acme-locks/prod/iam.lock"])
    );
    assert_eq!(lock["Effect"], "Allow");

    // Without it nothing else changes, and whoever plans holds no lock.
    let without = policy(&Workspace::new(), "apply");
    let rest: Vec<&Value> = statements.iter().filter(|one| one["Sid"] != "TrueupLock").collect();
    assert_eq!(
        rest,
        without["Statement"].as_array().unwrap().iter().collect::<Vec<_>>()
    );
    let refused = Workspace::new()
        .trueup()
        .args("permissions plan --lock s3://acme-locks/prod/iam.lock")
        .run();
    assert_eq!(refused.code, Some(1));

    // What the page about locks shows is what is printed.
    let page = std::fs::read_to_string(root().join("docs/lock.md")).unwrap();
    let shown = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let shown: Value = serde_json::from_str(shown.unwrap()).unwrap();
    assert_eq!(shown["Statement"], serde_json::json!([lock]));
}

/// Enrolling and resetting is another job than applying, and whoever does it needs nothing else.
#[test]
fn the_policy_for_devices_names_exactly_what_they_take() {
    let document = std::fs::read_to_string(root().join("docs/mfa.md")).unwrap();
    let policy = document
        .split("```json\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let documented = allowed(&serde_json::from_str(policy.unwrap()).unwrap());
    let mut called = called_in_files("executor", |name| name == "mfa.rs");
    called.extend(["ListMFADevices", "ListVirtualMFADevices"].map(str::to_owned));
    assert_eq!(documented, called);
}

/// The operations of a case's plan.
fn operations_of(folder: &std::path::Path) -> BTreeSet<String> {
    let order = std::fs::read_to_string(folder.join("order.txt")).unwrap_or_default();
    let lines = order.lines().filter_map(|line| line.split_whitespace().nth(1));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_plan_of_the_cases_can_be_applied_with_the_policy_of_its_manifest() {
    let workspace = Workspace::new();
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("tests/cases")).unwrap() {
        let folder = entry.unwrap().path();
        let operations = operations_of(&folder);
        if operations.is_empty() {
            continue;
        }
        let manifest = match folder.join("manifest") {
            directory if directory.is_dir() => directory,
            _ => folder.join("manifest.yaml"),
        };
        let output = workspace
            .trueup()
            .args("permissions apply --manifest")
            .arg(manifest)
            .run()
            .expect_exit(0);
        let allowed = allowed(&serde_json::from_str(&output.stdout).unwrap());
        assert!(
            operations.is_subset(&allowed),
            "{}: {:?}",
            folder.display(),
            &operations - &allowed
        );
        seen.extend(operations);
    }
    // Nothing is allowed that no plan needs.
    let writes = &everything("apply") - &everything("plan");
    let looks = ["GetGroup", "GetUser", "ListPolicyVersions"].map(str::to_owned);
    assert_eq!(&writes - &BTreeSet::from(looks), seen);
}

#[test]
fn an_apply_sends_nothing_that_its_policy_does_not_allow() {
    let workspace = Workspace::new();
    workspace.write(
        "trueup.yaml",
        r#"
version: 1
account: {id: "123456789012", alias: acme-prod, password_policy: {minimum_password_length: 14}}
policies: {base: {document: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}}}
groups: {developers: {managed_policies: [base], inline_policies: {}}}
users:
  alice: {login_profile: {}, mfa: required, groups: [developers], tags: {owner: alice}}
  robert: {previously: [bob]}
absent: {users: {carol: {reason: left}}, groups: {old: {reason: gone}}}
"#,
    );
    let service = Service::sandbox(&workspace, "account.json");
    let script = r#"
CreatePolicy PolicyName=base PolicyDocument='Allow s3:PutObject on *'
CreateGroup GroupName=developers
CreateGroup GroupName=old
CreateUser UserName=bob
CreateUser UserName=carol
CreateAccessKey UserName=carol
CreateLoginProfile UserName=carol Password=Correct-horse-7-battery
AddUserToGroup UserName=carol GroupName=old
"#;
    setup::run(script, &workspace.path(), service.address()).unwrap();
    let recorder = Recorder::before(&service);
    let (plan, apply) = ("plan --manifest trueup.yaml", "apply --manifest trueup.yaml");
    for (command, purpose) in [
        ("plan", plan),
        ("drift", plan),
        ("snapshot --out s.json", "plan"),
        (
            "apply --auto-approve --plain-credentials --credentials-dir ../credentials --allow deletions,password-policy",
            apply,
        ),
    ] {
        let run = workspace
            .trueup()
            .args(command)
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint());
        let output = python::credentials(run).run();
        assert!(matches!(output.code, Some(0 | 2)), "{}", output.render());
        let sent: BTreeSet<_> = recorder
            .take()
            .into_iter()
            .filter(|name| name != "GetCallerIdentity")
            .collect();
        let allowed = allowed(&policy(&workspace, purpose));
        assert!(
            !sent.is_empty() && sent.is_subset(&allowed),
            "{command}: {:?}",
            &sent - &allowed
        );
    }
}
