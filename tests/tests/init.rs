//! `trueup init`: what it writes is a manifest that validates, plans and applies.

use trueup_tests::{binary::Workspace, service::Service, setup, terminal::OnTerminal};

const LIVE: &str = "--live sandbox:account.json";

/// What `init` has written, planned; it is in the form that `fmt` writes, whatever was asked for.
fn plan(workspace: &Workspace) -> String {
    workspace.trueup().args("fmt --check").run().expect_exit(0);
    workspace.trueup().args("validate --strict").run().expect_exit(0);
    workspace.trueup().args("plan").args(LIVE).run().expect_exit(0).stdout
}

#[test]
fn the_walk_on_a_terminal_writes_a_manifest_that_makes_an_administrator() {
    let workspace = Workspace::new();
    let mut terminal = OnTerminal::trueup(&workspace, &format!("init --from-live {LIVE}"));
    for (question, answer) in [
        ("Account alias: ", "acme-prod"),
        ("Password policy (recommended, keep or none) [recommended]: ", ""),
        ("Group of administrators [administrators]: ", ""),
        ("First administrator [admin]: ", "al ice"),
        ("First administrator [admin]: ", "alice"),
        ("MFA (required, enforced or exempt) [required]: ", ""),
        ("an OpenPGP file): ", ""),
    ] {
        let times = if answer == "alice" { 2 } else { 1 };
        terminal.wait_for(question, times);
        terminal.types(answer);
    }
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    for expected in [
        "Account 123456789012: no users, no groups, no password policy of its own",
        "Wrote trueup.yaml.",
        "to add, 0 to change, 0 to destroy.",
        "trueup mfa enroll alice",
        "[ ] root has an MFA device",
    ] {
        assert!(screen.contains(expected), "{expected}:\n{screen}");
    }
    let planned = plan(&workspace);
    for expected in [
        "+ user/alice",
        "alias: \"acme-prod\"",
        "AdministratorAccess",
        "minimum_password_length: 14",
    ] {
        assert!(planned.contains(expected), "{expected}:\n{planned}");
    }
    let apply = "apply --auto-approve --plain-credentials --credentials-dir ../credentials";
    workspace.trueup().args(apply).args(LIVE).run().expect_exit(0);
    assert!(plan(&workspace).contains("No changes."));
}

#[test]
fn every_answer_can_be_given_and_nothing_is_written_over() {
    let workspace = Workspace::new();
    let flags = "--alias acme --password-policy none --administrators admins --administrator root-of-all --mfa exempt --deliver-to age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";
    let init = format!("init --from-live {LIVE} {flags}");
    workspace.trueup().args(&init).run().expect_exit(0);
    let written = workspace.read("trueup.yaml");
    assert!(
        !written.contains("password_policy") && written.contains("mfa: exempt"),
        "{written}"
    );
    assert!(
        written.contains("deliver_to: age1") || written.contains("deliver_to: \"age1"),
        "{written}"
    );
    assert!(plan(&workspace).contains("+ user/root-of-all"));
    let again = workspace.trueup().args(&init).run().expect_exit(1);
    assert!(
        again.stderr.contains("trueup.yaml is there already"),
        "{}",
        again.render()
    );
    assert_eq!(workspace.read("trueup.yaml"), written);
}

#[test]
fn an_account_that_has_something_keeps_it() {
    let workspace = Workspace::new();
    let service = Service::sandbox(&workspace, "account.json");
    let calls = "
CreateAccountAlias AccountAlias=acme-old
UpdateAccountPasswordPolicy MinimumPasswordLength=20 RequireNumbers=true MaxPasswordAge=30
CreateGroup GroupName=administrators
AttachGroupPolicy GroupName=administrators PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess
CreateUser UserName=founder
AddUserToGroup UserName=founder GroupName=administrators";
    setup::run(calls, &workspace.path(), service.address()).unwrap();
    drop(service);
    let taken = format!("init --from-live --defaults --administrator founder {LIVE}");
    let taken = workspace.trueup().args(&taken).run().expect_exit(1);
    assert!(
        taken.stderr.contains("there is a user `founder` already"),
        "{}",
        taken.render()
    );
    let init = format!("init --from-live --defaults {LIVE}");
    workspace.trueup().args(&init).run().expect_exit(0);
    let planned = plan(&workspace);
    // The founder stays an administrator, and the policy and the alias are as they were.
    assert!(
        planned.contains("Plan: 3 to add, 0 to change, 0 to destroy."),
        "{planned}\n{}",
        workspace.read("trueup.yaml")
    );
}

/// What a command says to go on with, without its indentation.
fn suggested(stdout: &str) -> Vec<String> {
    let lines = stdout
        .lines()
        .map(str::trim)
        .map(|line| line.trim_start_matches("Next: "));
    lines
        .filter_map(|line| line.strip_prefix("trueup "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_init_says_to_go_on_with_works_as_it_stands() {
    let workspace = Workspace::new();
    let init = workspace.trueup().args("init team.yaml --live sandbox:account.json");
    let said = suggested(&init.run().expect_exit(0).stdout);
    assert_eq!(said, ["plan team.yaml --live sandbox:account.json"]);
    assert!(
        workspace
            .trueup()
            .args(&said[0])
            .run()
            .expect_exit(0)
            .stdout
            .contains("No changes.")
    );

    let workspace = Workspace::new();
    let init = workspace.trueup().args("init --from-live --defaults").args(LIVE);
    let said = suggested(&init.run().expect_exit(0).stdout);
    assert_eq!(
        said,
        [
            "plan trueup.yaml --live sandbox:account.json",
            "apply trueup.yaml --live sandbox:account.json --plain-credentials",
            "mfa enroll admin --live sandbox:account.json",
        ]
    );
    workspace.trueup().args(&said[0]).run().expect_exit(0);
    let apply = format!("{} --auto-approve --credentials-dir ../credentials", said[1]);
    workspace.trueup().args(&apply).run().expect_exit(0);
    assert!(plan(&workspace).contains("No changes."));
}

#[test]
fn whatever_is_answered_the_manifest_is_in_canonical_form() {
    let groups = "CreateGroup GroupName=administrators\nCreateGroup GroupName=Ops-1\nUpdateAccountPasswordPolicy MaxPasswordAge=30";
    let key = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";
    for answers in [
        String::new(),
        "--administrators Ops-1 --password-policy keep --mfa enforced".to_owned(),
        format!("--administrators new --alias acme --password-policy none --mfa exempt --deliver-to {key}"),
    ] {
        for calls in ["", groups] {
            let workspace = Workspace::new();
            let service = Service::sandbox(&workspace, "account.json");
            setup::run(calls, &workspace.path(), service.address()).unwrap();
            drop(service);
            let init = format!("init --from-live --defaults {answers} {LIVE}");
            workspace.trueup().args(&init).run().expect_exit(0);
            let checked = workspace.trueup().args("fmt --check --diff").run();
            assert_eq!(checked.expect_exit(0).stdout, "", "{answers}\n{calls}");
        }
    }
}

#[test]
fn without_answers_nothing_is_written() {
    let workspace = Workspace::new();
    let refused = workspace
        .trueup()
        .args("init --from-live")
        .args(LIVE)
        .run()
        .expect_exit(1);
    assert!(
        refused
            .stderr
            .contains("there is no answer to `Account alias`; nothing was written"),
        "{}",
        refused.render()
    );
    assert!(!workspace.path().join("trueup.yaml").exists());
}

#[test]
fn the_least_manifest_validates_and_plans() {
    let workspace = Workspace::new();
    workspace
        .trueup()
        .args("init --account 123456789012")
        .run()
        .expect_exit(0);
    assert!(plan(&workspace).contains("No changes."));
    let checklist = workspace
        .trueup()
        .args("init --checklist")
        .args(LIVE)
        .run()
        .expect_exit(0)
        .stdout;
    assert!(checklist.contains("[ ] root has an MFA device") && checklist.contains("[?] IAM users may see billing"));
}
