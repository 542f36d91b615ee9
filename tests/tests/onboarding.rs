//! Onboarding, killed at every call that it makes: no credential is left that nobody has and nobody knows of.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trueup_tests::{
    binary::{Run, Workspace},
    programs, python,
    recorder::Recorder,
    root,
    service::Service,
};

/// The example's manifest, sealed to a key of this workspace.
fn start() -> Workspace {
    programs::age();
    let workspace = Workspace::new();
    let line = "age-keygen -o ../key 2> keygen.log && age-keygen -y ../key";
    let recipient = workspace.command("sh").arg("-c").arg(line).run().expect_exit(0).stdout;
    let manifest = std::fs::read_to_string(root().join("examples/onboarding/trueup.yaml")).unwrap();
    let (before, rest) = manifest.split_once("age1").unwrap();
    let rest = rest.split_once('\n').unwrap().1;
    workspace.write("trueup.yaml", format!("{before}{}\n{rest}", recipient.trim()));
    workspace
}

fn apply<'a>(workspace: &'a Workspace, endpoint: &str) -> Run<'a> {
    let apply = "apply --auto-approve --credentials-dir ../sealed";
    python::credentials(workspace.trueup().args(apply).env("TRUEUP_ENDPOINT_URL", endpoint))
}

fn sealed(workspace: &Workspace) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(workspace.path().join("../sealed"));
    entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "age"))
        .collect()
}

/// The passwords in all files that Alice got, whole files all of them.
fn passwords(workspace: &Workspace) -> Vec<String> {
    let opened = sealed(workspace).into_iter().map(|file| {
        let run = workspace.command("age").args("--decrypt -i ../key").arg(file);
        run.run().expect_exit(0).stdout
    });
    opened
        .map(|text| {
            let password = text.lines().find_map(|line| line.strip_prefix("Password:"));
            password.unwrap().trim().to_owned()
        })
        .collect()
}

fn account(workspace: &Workspace) -> Value {
    serde_json::from_str(&workspace.read("account.json")).unwrap()
}

/// Whether Alice's password, if she has one, is in a file of hers. The sandbox keeps nothing but its digest.
fn password_is_known(workspace: &Workspace) -> bool {
    let state = account(workspace);
    let found = find(&state, "digests");
    let Some(digest) = found.and_then(|digests| digests.as_array()?.last()?.as_str()) else {
        return true;
    };
    let id = find(&state["account"]["users"], "id").and_then(Value::as_str).unwrap();
    passwords(workspace).iter().any(|password| {
        let hash = Sha256::new().chain_update(id).chain_update([0]).chain_update(password);
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        hash == digest
    })
}

/// The first value of this name, wherever it is.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => fields
            .get(name)
            .or_else(|| fields.values().find_map(|value| find(value, name))),
        Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}

#[test]
fn an_onboarding_that_is_killed_at_any_call_leaves_no_unknown_password() {
    // How many calls there are.
    let workspace = start();
    let service = Service::sandbox(&workspace, "account.json");
    let recorder = Recorder::before(&service);
    apply(&workspace, &recorder.endpoint()).run().expect_exit(0);
    let calls = recorder.take();
    let made = calls.iter().position(|call| call == "CreateLoginProfile").unwrap();
    drop(service);
    assert!(password_is_known(&workspace) && passwords(&workspace).len() == 1);
    // From the first write on; before it nothing can be left.
    let first = calls
        .iter()
        .position(|call| !call.starts_with("Get") && !call.starts_with("List"))
        .unwrap();
    assert!(first < made);
    for (kill, call) in calls.iter().enumerate().skip(first) {
        for reaches in [false, true] {
            let workspace = start();
            let service = Service::sandbox(&workspace, "account.json");
            let recorder = Recorder::hanging(&service, kill, reaches);
            let mut child = apply(&workspace, &recorder.endpoint()).spawn();
            let deadline = Instant::now() + Duration::from_secs(60);
            while !recorder.hangs() && child.try_wait().unwrap().is_none() {
                assert!(Instant::now() < deadline, "call {kill} does not come");
                thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            child.wait().unwrap();
            assert!(password_is_known(&workspace), "killed at call {kill}, {call}");
            apply(&workspace, &service.endpoint()).run().expect_exit(0);
            drop(service);
            assert!(password_is_known(&workspace), "applied again after call {kill}, {call}");
            assert!(find(&account(&workspace), "digests").is_some());
        }
    }
}

#[test]
fn what_a_person_does_with_their_own_credentials_is_no_drift() {
    let workspace = start();
    let service = Service::sandbox(&workspace, "account.json");
    apply(&workspace, &service.endpoint()).run().expect_exit(0);
    let changed = [
        ("UserName", "alice"),
        ("Password", "My-own-and-nobody-elses-7"),
        ("PasswordResetRequired", "false"),
    ];
    assert_eq!(service.call("UpdateLoginProfile", &changed).status, 200);
    drop(service);
    // A passkey, which no API can enrol: the sandbox's file is the account.
    let mut state = account(&workspace);
    let id = find(&state["account"]["users"], "id").unwrap().clone();
    let serial = "arn:aws:iam::123456789012:u2f/user/alice/key-EXAMPLE";
    let passkey = json!({
        "seed": null, "is_virtual": false, "last_step": null,
        "assigned": {"owner": id, "since": "2026-11-20T12:00:00Z"},
    });
    state["account"]["mfa_devices"][serial] = passkey;
    workspace.write("account.json", state.to_string());
    let drift = workspace
        .trueup()
        .args("drift --live sandbox:account.json --strict")
        .run()
        .expect_exit(0);
    assert!(drift.stdout.contains("No changes."), "{}", drift.render());
    assert!(drift.stdout.contains("Requirements: "), "{}", drift.render());
    let status = workspace
        .trueup()
        .args("mfa status --live sandbox:account.json")
        .run()
        .expect_exit(0);
    assert!(status.stdout.contains("(passkey)"), "{}", status.render());
}
