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
    terminal::OnTerminal,
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
    let keys = "    access_keys: {count: 1, description: laptop}";
    workspace.write("trueup.yaml", format!("{before}{}\n{keys}\n{rest}", recipient.trim()));
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

/// What stands behind a word in all files that Alice got, whole files all of them.
fn delivered(workspace: &Workspace, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in sealed(workspace) {
        let run = workspace.command("age").args("--decrypt -i ../key").arg(file);
        let text = run.run().expect_exit(0).stdout;
        let values = text.lines().filter_map(|line| line.strip_prefix(word));
        found.extend(values.map(|value| value.trim().to_owned()));
    }
    found
}

fn passwords(workspace: &Workspace) -> Vec<String> {
    delivered(workspace, "Password:")
}

/// Alice's access keys, and whether the secret of each is in a file of hers.
fn keys(workspace: &Workspace) -> Vec<(String, bool)> {
    let state = account(workspace);
    let secrets = delivered(workspace, "Secret access key:");
    let keys = find(&state["account"]["users"], "access_keys").and_then(Value::as_object);
    keys.into_iter()
        .flatten()
        .map(|(id, key)| {
            let secret = key["secret"].as_str().unwrap();
            (id.clone(), secrets.iter().any(|delivered| delivered == secret))
        })
        .collect()
}

/// Whether the account itself tells of a key that nobody may have.
fn announces_a_key(workspace: &Workspace) -> bool {
    workspace.read("account.json").contains("trueup:new-access-key")
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
    passwords(workspace)
        .iter()
        .any(|password| digest_of(&state, password) == digest)
}

/// What the sandbox keeps of a password of Alice's.
fn digest_of(state: &Value, password: &str) -> String {
    let id = find(&state["account"]["users"], "id").and_then(Value::as_str).unwrap();
    let hash = Sha256::new().chain_update(id).chain_update([0]).chain_update(password);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
fn an_onboarding_that_is_killed_at_any_call_leaves_no_unknown_credential() {
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
    let mut lost = 0;
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
            let when = format!("call {kill}, {call}, which reaches the account: {reaches}");
            assert!(password_is_known(&workspace), "killed at {when}");
            let unknown = keys(&workspace).iter().any(|(_, is_delivered)| !is_delivered);
            assert!(!unknown || announces_a_key(&workspace), "killed at {when}");
            let plan = python::credentials(
                workspace
                    .trueup()
                    .args("plan")
                    .env("TRUEUP_ENDPOINT_URL", service.endpoint()),
            );
            let plan = plan.run().expect_exit(0);
            let says = plan.stdout.contains("(because its delivery was never recorded");
            assert!(!unknown || says, "after {when}: {}", plan.render());
            apply(&workspace, &service.endpoint()).run().expect_exit(0);
            drop(service);
            assert!(password_is_known(&workspace), "applied again after {when}");
            assert!(find(&account(&workspace), "digests").is_some());
            let found = keys(&workspace);
            assert!(matches!(found.as_slice(), [(_, true)]), "{found:?} after {when}");
            assert!(!announces_a_key(&workspace), "applied again after {when}");
            lost += u32::from(unknown);
        }
    }
    assert!(lost > 0, "no kill has lost a key");
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

#[test]
fn a_password_can_be_typed_and_is_in_no_file_in_clear() {
    const TYPED: &str = "Tr0ub4dor-and-3-more";
    let manifest = |deliver_to: &str| {
        format!(
            "version: 1\naccount: {{id: \"123456789012\", password_policy: {{minimum_password_length: 16, require_numbers: true, require_symbols: true, require_lowercase_characters: true, require_uppercase_characters: true}}}}\nusers: {{alice: {{login_profile: {{}}{deliver_to}}}}}\n"
        )
    };
    for sealed in [false, true] {
        let workspace = start();
        let recipient = workspace.command("age-keygen").args("-y ../key").run().expect_exit(0);
        let deliver_to = format!(", deliver_to: {}", recipient.stdout.trim());
        workspace.write("trueup.yaml", manifest(if sealed { &deliver_to } else { "" }));
        let apply = "apply --live sandbox:account.json --ask-password alice --credentials-dir ../sealed -vv";
        let mut terminal = OnTerminal::trueup(&workspace, apply);
        terminal.wait_for("Password of alice: ", 1);
        terminal.types("Short-1");
        terminal.wait_for("Not taken: it has to have at least 16 characters.", 1);
        terminal.wait_for("Password of alice: ", 2);
        terminal.types(TYPED);
        terminal.wait_for("Again: ", 1);
        terminal.types("Tr0ub4dor-and-4-more");
        terminal.wait_for("Not taken: it was not the same the second time.", 1);
        terminal.wait_for("Password of alice: ", 3);
        terminal.types(TYPED);
        terminal.wait_for("Again: ", 2);
        terminal.types(TYPED);
        terminal.wait_for("Enter a value: ", 1);
        terminal.types("yes");
        let (code, screen) = terminal.end();
        assert_eq!(code, Some(0), "{screen}");
        assert!(!screen.contains("Tr0ub4dor") && !screen.contains("Short-1"), "{screen}");
        let state = account(&workspace);
        let digests = find(&state, "digests").unwrap().as_array().unwrap();
        assert_eq!(digests.last().unwrap().as_str().unwrap(), digest_of(&state, TYPED));
        let expected: &[&str] = if sealed { &[TYPED] } else { &[] };
        assert_eq!(passwords(&workspace), expected);
        assert_eq!(workspace.path().join("../sealed").exists(), sealed);
        let journal = workspace.command("grep").args("-r Tr0ub4dor ..").run().expect_exit(1);
        assert_eq!(journal.stdout, "");
    }
}

#[test]
fn a_password_is_only_asked_for_where_there_is_one_and_somebody_to_type_it() {
    let workspace = start();
    let ask = |user: &str| {
        let line = format!("apply --live sandbox:account.json --auto-approve --ask-password {user} -q");
        workspace.trueup().args(&line).run().expect_exit(1)
    };
    for (user, why) in [
        (
            "alice",
            "there is no terminal to type a password on; nothing was written",
        ),
        ("bob", "this plan sets no password of `bob`"),
        ("b\u{f6}b", "is no user name"),
    ] {
        let refused = ask(user);
        assert!(refused.stderr.contains(why), "{}", refused.render());
    }
    let service = Service::sandbox(&workspace, "account.json");
    assert_eq!(service.call("GetUser", &[("UserName", "alice")]).status, 404);
}
