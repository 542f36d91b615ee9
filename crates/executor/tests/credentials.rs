//! Passwords: on the disk before they are sent, in no other place, and gone where they are not in force.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use std::{
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use common::*;
use trueup_executor::{
    CredentialFiles, CredentialsSink, DeliveryError, Journal, Outcome, Recipients, RunId, Secret, SignIn, Silent,
    check_plain_directory, execute, open_sealed,
};
use trueup_model::Alias;
use trueup_planner::Call;

/// The fields of a credential file's second line.
fn fields(file: &str) -> Vec<String> {
    let mut lines = file.split("\r\n");
    assert_eq!(
        lines.next(),
        Some("User name,Password,Console sign-in URL,Account ID,Alias sign-in URL")
    );
    lines.next().unwrap().split(',').map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_password_is_on_the_disk_before_it_is_sent_and_nowhere_else() {
    let mut bench = Bench::new();
    bench.prepare([create_user("alice")]).await;
    let directory = bench.credentials_directory();
    let sent = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&sent);
    bench.script(move |request| {
        if request.operation == "CreateLoginProfile" {
            let password = request.parameter("Password");
            let on_disk = std::fs::read_dir(&directory).unwrap().any(|file| {
                std::fs::read_to_string(file.unwrap().path())
                    .unwrap()
                    .contains(password)
            });
            assert!(on_disk, "the file comes first");
            password.clone_into(&mut seen.lock().unwrap());
        }
        Reaction::Pass
    });
    let plan = plan([(login_profile("alice"), vec![])]);
    let sink = CredentialsSink::Files(
        CredentialFiles::new(
            bench.credentials_directory(),
            SignIn::after(&plan, Some(&Alias::from_live("acme-prod")), "aws"),
            30,
        )
        .plain(),
    );
    let report = bench.run_with(&plan, &sink).await;
    assert_complete(&report);

    let password = sent.lock().unwrap().clone();
    let files = bench.credential_files();
    let (name, text) = files.first_key_value().unwrap();
    assert_eq!(*name, format!("{ACCOUNT}-alice-{}.csv", report.run));
    assert_eq!(
        fields(text),
        [
            "alice",
            password.as_str(),
            "https://123456789012.signin.aws.amazon.com/console",
            ACCOUNT,
            "https://acme-prod.signin.aws.amazon.com/console"
        ]
    );
    assert_eq!(password.len(), 30);
    assert!(!bench.journal().contains(&password), "the journal holds the password");
    assert!(bench.journal().contains(name.as_str()));
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains(&password) && !format!("{report:?}").contains(&password));
    assert_eq!(report.credential_files, [bench.credentials_directory().join(name)]);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn files_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
        ]))
        .await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.credentials_directory()), 0o700);
    assert_eq!(mode(&report.credential_files[0]), 0o600);
    let journals = bench.directory.path().join("journal");
    assert_eq!(mode(&journals), 0o700);
    for journal in std::fs::read_dir(journals).unwrap() {
        assert_eq!(mode(&journal.unwrap().path()), 0o600);
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_refused_is_withdrawn() {
    let bench = Bench::scripted(|request| match request.operation.as_str() {
        "CreateLoginProfile" => {
            let echo = format!("Value '{}' at 'password' is no good", request.parameter("Password"));
            refuse(400, "ValidationError", &echo)
        }
        _ => Reaction::Pass,
    });
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
        ]))
        .await;
    let message = &failure(&report, 2).message;
    assert_eq!(
        message,
        "ValidationError: the message repeated a secret and is withheld"
    );
    assert!(bench.credential_files().is_empty());
    assert!(report.credential_files.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_password_that_may_be_in_force_is_kept_and_said_to_be() {
    let bench = Bench::scripted(|request| match request.operation.as_str() {
        "CreateLoginProfile" | "GetLoginProfile" => Reaction::Break(std::io::ErrorKind::ConnectionReset),
        _ => Reaction::Pass,
    });
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
        ]))
        .await;
    let error = failure(&report, 2);
    assert!(
        error.outcome_unknown && error.message.contains("may be in force"),
        "{error:?}"
    );
    assert_eq!((bench.credential_files().len(), report.credential_files.len()), (1, 1));
    assert!(report.wrote_anything());
}

/// The answer is lost, the second attempt is told that there is a password, and reads do not show it yet.
#[tokio::test(start_paused = true)]
async fn a_password_that_exists_and_is_not_visible_yet_is_kept() {
    let mut bench = Bench::new();
    bench.prepare([create_user("alice")]).await;
    let mut sent = 0;
    bench.script(move |request| match request.operation.as_str() {
        "CreateLoginProfile" => {
            sent += 1;
            if sent == 1 { Reaction::Lose } else { Reaction::Pass }
        }
        "GetLoginProfile" => refuse(404, "NoSuchEntity", "Login Profile for User alice cannot be found."),
        _ => Reaction::Pass,
    });
    let report = bench.run(&plan([(login_profile("alice"), vec![])])).await;
    assert!(failure(&report, 1).outcome_unknown, "{report:#?}");
    assert_eq!(bench.credential_files().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_while_looking_for_a_password_keeps_it() {
    let mut bench = Bench::new();
    bench.prepare([create_user("alice")]).await;
    let (canceller, cancel) = trueup_executor::Cancel::pair();
    bench.cancel = cancel;
    let mut sent = 0;
    bench.script(move |request| match request.operation.as_str() {
        "CreateLoginProfile" => {
            sent += 1;
            if sent == 1 { Reaction::Lose } else { Reaction::Pass }
        }
        "GetLoginProfile" => {
            canceller.cancel();
            refuse(400, "Throttling", "Rate exceeded")
        }
        _ => Reaction::Pass,
    });
    let report = bench.run(&plan([(login_profile("alice"), vec![])])).await;
    assert!(failure(&report, 1).outcome_unknown, "{report:#?}");
    assert_eq!(bench.credential_files().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_place_for_it_no_password_is_made() {
    let bench = Bench::new();
    let plan = plan([(create_user("alice"), vec![]), (login_profile("alice"), vec![1])]);
    let report = bench.run_with(&plan, &CredentialsSink::None).await;
    assert_eq!(
        failure(&report, 2).message,
        "there is no place for the credentials of `alice`"
    );
    assert_eq!(bench.count("CreateLoginProfile"), 0);
    assert_eq!(
        outcome(&report, 1),
        &Outcome::Done {
            version: None,
            access_key: None,
        }
    );
}

#[tokio::test(start_paused = true)]
async fn names_are_made_safe_for_files_and_tables() {
    let bench = Bench::new();
    let hostile = Call::CreateLoginProfile {
        user_name: user("../a,b"),
        password_reset_required: false,
    };
    // IAM would not have such a user; the file is written before it says so.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&seen);
    let directory = bench.credentials_directory();
    let mut bench = bench;
    bench.script(move |_| {
        for file in std::fs::read_dir(&directory).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            names.lock().unwrap().push((path, text));
        }
        refuse(400, "ValidationError", "no")
    });
    bench.run(&plan([(hostile, vec![])])).await;
    let seen = seen.lock().unwrap();
    let (path, text) = &seen[0];
    assert!(
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("123456789012-.._a,b-")
    );
    assert!(text.contains("\r\n\"../a,b\","), "{text}");
}

fn git(directory: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn plain_files_are_kept_out_of_work_trees_that_would_take_them_up() {
    let root = tempfile::tempdir().unwrap();
    let outside = root.path().join("outside/credentials");
    check_plain_directory(&outside).unwrap();

    let tree = root.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    git(&tree, &["init", "--quiet"]);
    let inside = tree.join("deep/credentials");
    let error = check_plain_directory(&inside).unwrap_err();
    assert!(matches!(&error, DeliveryError::InWorkTree { .. }), "{error}");
    assert!(error.hint().unwrap().contains(".gitignore"));

    std::fs::write(tree.join(".gitignore"), "/deep/credentials/\n").unwrap();
    check_plain_directory(&inside).unwrap();
    assert!(check_plain_directory(&tree.join("deep")).is_err());

    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&tree, root.path().join("link")).unwrap();
        assert!(
            check_plain_directory(&root.path().join("link/other")).is_err(),
            "links are followed"
        );
    }

    // Not a work tree that git knows, which is no reason to trust it.
    let odd = root.path().join("odd");
    std::fs::create_dir_all(odd.join(".git")).unwrap();
    assert!(check_plain_directory(&odd).is_err());
}

fn sealing(bench: &Bench, plan: &trueup_planner::Plan, user_name: &str) -> (CredentialsSink, Secret) {
    let identity = age::x25519::Identity::generate();
    let mut recipients = Recipients::default();
    recipients
        .add(identity.to_public().to_string().as_bytes(), jiff::Timestamp::UNIX_EPOCH)
        .unwrap();
    let alias = Alias::from_live("acme-prod");
    let files = CredentialFiles::new(
        bench.credentials_directory(),
        SignIn::after(plan, Some(&alias), "aws"),
        24,
    );
    let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let sink = CredentialsSink::Files(files.sealed_to(user(user_name), recipients));
    (sink, Secret::from(text))
}

#[tokio::test(start_paused = true)]
async fn a_sealed_file_says_everything_to_its_owner_and_nothing_to_others() {
    let mut bench = Bench::new();
    bench.prepare([create_user("alice")]).await;
    let sent = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&sent);
    bench.script(move |request| {
        if request.operation == "CreateLoginProfile" {
            request.parameter("Password").clone_into(&mut seen.lock().unwrap());
        }
        Reaction::Pass
    });
    let plan = plan([(login_profile("alice"), vec![])]);
    let (sink, identity) = sealing(&bench, &plan, "alice");
    let report = bench.run_with(&plan, &sink).await;
    assert_complete(&report);
    let password = sent.lock().unwrap().clone();
    let files = bench.credential_files();
    let (name, sealed) = files.first_key_value().unwrap();
    assert_eq!((files.len(), name), (1, &format!("{ACCOUNT}-alice-{}.age", report.run)));
    assert!(!sealed.contains(&password) && !bench.journal().contains(&password));
    let opened = open_sealed(sealed.as_bytes(), &identity, "key", |_| None).unwrap();
    for expected in [
        ACCOUNT,
        "acme-prod",
        "alice",
        &password,
        "https://123456789012.signin.aws.amazon.com/console",
        "https://acme-prod.signin.aws.amazon.com/console",
        "trueup mfa enroll alice",
    ] {
        assert!(opened.expose().contains(expected), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_not_named_gets_no_password() {
    let bench = Bench::new();
    let plan = plan([
        (create_user("alice"), vec![]),
        (create_user("bob"), vec![]),
        (login_profile("alice"), vec![1]),
        (login_profile("bob"), vec![2]),
    ]);
    let (sink, _) = sealing(&bench, &plan, "alice");
    let report = bench.run_with(&plan, &sink).await;
    assert_eq!(
        failure(&report, 4).message,
        "there is no place for the credentials of `bob`"
    );
    assert_eq!(bench.count("CreateLoginProfile"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_is_never_written_over() {
    let bench = Bench::new();
    let plan = plan([(create_user("alice"), vec![]), (login_profile("alice"), vec![1])]);
    let run = RunId::generate(jiff::Timestamp::now());
    let journal = Journal::create(&bench.directory.path().join("journal"), &plan, &run).unwrap();
    let (sink, _) = sealing(&bench, &plan, "alice");
    std::fs::create_dir_all(bench.credentials_directory()).unwrap();
    let path = bench.credentials_directory().join(format!("{ACCOUNT}-alice-{run}.age"));
    std::fs::write(&path, "somebody's").unwrap();
    let report = execute(
        &plan,
        &bench.client,
        &bench.options,
        &journal,
        &sink,
        &Silent,
        &bench.cancel,
    )
    .await;
    assert!(failure(&report, 2).message.starts_with("cannot write"), "{report:#?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
    assert_eq!(bench.count("CreateLoginProfile"), 0);
}

#[test]
fn a_directory_that_cannot_be_written_to_is_found_out_beforehand() {
    let root = tempfile::tempdir().unwrap();
    let sign_in = SignIn::after(&plan([]), None, "aws");
    let files = |directory: &str| CredentialFiles::new(root.path().join(directory), sign_in.clone(), 0);
    files("new/credentials").prepare().unwrap();
    let made = root.path().join("new/credentials");
    assert_eq!(std::fs::read_dir(&made).unwrap().count(), 0, "it leaves nothing behind");
    std::fs::write(root.path().join("file"), "").unwrap();
    let error = files("file/credentials").prepare().unwrap_err();
    assert!(matches!(error, DeliveryError::Write { .. }), "{error}");
}
