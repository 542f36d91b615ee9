//! Several credentials of one person are one file.

use jiff::Timestamp;
use trueup_model::{AccountId, UserName};

use super::*;

fn files(directory: &Path) -> CredentialFiles {
    let sign_in = SignIn::of(AccountId::new("123456789012").unwrap(), None, "aws");
    CredentialFiles::new(directory, sign_in, 20)
}

fn run() -> RunId {
    RunId::generate(Timestamp::UNIX_EPOCH)
}

/// The names and texts of all files.
fn found(directory: &Path) -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_password_and_a_key_of_one_run_are_in_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let sink = CredentialsSink::Files(files(directory.path()).plain());
    let (alice, run) = (UserName::from_live("alice"), run());
    let delivered = sink.deliver_password(&alice, &run).unwrap();
    let first = found(directory.path());
    assert!(
        first[0]
            .1
            .starts_with("User name,Password,Console sign-in URL,Account ID,Alias sign-in URL\r\nalice,")
    );
    let secret = Secret::from("the/secret+key".to_owned());
    let paths = sink.deliver_key(&alice, &run, "AKIAEXAMPLE", secret).unwrap();
    assert_eq!(paths, delivered.paths);
    let both = found(directory.path());
    assert_eq!(both.len(), 1);
    let row = both[0].1.lines().nth(1).unwrap();
    assert_eq!(
        row,
        format!(
            "alice,{},AKIAEXAMPLE,the/secret+key,https://123456789012.signin.aws.amazon.com/console,123456789012,",
            delivered.password.expose()
        )
    );

    // The password turned out not to be in force; the key stays.
    sink.withdraw_password(&delivered, &run);
    let left = found(directory.path());
    assert!(left[0].1.lines().nth(1).unwrap().starts_with("alice,,AKIAEXAMPLE,"));
}

#[test]
fn a_second_key_has_a_row_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let sink = CredentialsSink::Files(files(directory.path()).plain());
    let (robot, run) = (UserName::from_live("robot"), run());
    sink.can_deliver(&robot).unwrap();
    for id in ["AKIAONE", "AKIATWO"] {
        sink.deliver_key(&robot, &run, id, Secret::from(format!("secret-of-{id}")))
            .unwrap();
    }
    let text = &found(directory.path())[0].1;
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains("\r\nrobot,,AKIATWO,secret-of-AKIATWO,"), "{text}");
}

#[test]
fn a_named_recipient_wins_over_plain_files() {
    let directory = tempfile::tempdir().unwrap();
    let identity = age::x25519::Identity::generate();
    let mut recipients = Recipients::default();
    recipients
        .add(identity.to_public().to_string().as_bytes(), Timestamp::UNIX_EPOCH)
        .unwrap();
    let alice = UserName::from_live("alice");
    let sink = CredentialsSink::Files(files(directory.path()).plain().sealed_to(alice.clone(), recipients));
    sink.deliver_password(&alice, &run()).unwrap();
    let found = found(directory.path());
    assert_eq!(found.len(), 1);
    assert!(found[0].0.ends_with(".age") && found[0].1.contains("AGE ENCRYPTED"));
}

#[test]
fn nobody_is_reached_without_a_way() {
    let directory = tempfile::tempdir().unwrap();
    let sink = CredentialsSink::Files(files(directory.path()));
    let error = sink.can_deliver(&UserName::from_live("alice")).unwrap_err();
    assert!(matches!(error, DeliveryError::NoPlace(_)));
    assert!(error.hint().unwrap().contains("deliver_to"));
}
