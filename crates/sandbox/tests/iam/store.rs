//! The file of an account.

use trueup_sandbox::Sandbox;

use crate::{ACCOUNT, PASSWORD, done, mfa, refused};

#[tokio::test]
async fn every_answered_write_is_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/deep/account.json");
    let first = Sandbox::open(&path, ACCOUNT).unwrap();
    assert!(path.exists());
    let iam = first.iam_client();
    done!(
        iam.create_user().user_name("u"),
        iam.create_login_profile().user_name("u").password(PASSWORD)
    );
    let device = mfa::new_device(&iam, "d").await;
    assert!(!device.serial.is_empty());
    drop(first);
    // The id of an account that exists counts, not the one that a new one would have.
    let second = Sandbox::open(&path, "210987654321").unwrap();
    assert_eq!(second.account_id(), ACCOUNT);
    done!(second.iam_client().get_login_profile().user_name("u"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("AIDA") && !text.contains(PASSWORD));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn two_that_use_one_file_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("account.json");
    let (first, second) = (
        Sandbox::open(&path, ACCOUNT).unwrap(),
        Sandbox::open(&path, ACCOUNT).unwrap(),
    );
    let (one, two) = (first.iam_client(), second.iam_client());
    done!(
        one.create_user().user_name("a"),
        two.create_user().user_name("b"),
        one.create_user().user_name("c")
    );
    refused!(one.create_user().user_name("B"), "EntityAlreadyExists");
    assert_eq!(two.list_users().send().await.unwrap().users().len(), 3);
    first.reset().unwrap();
    assert!(two.list_users().send().await.unwrap().users().is_empty());
}

#[tokio::test]
async fn ids_are_the_same_in_every_run() {
    let run = async || {
        let iam = Sandbox::new(ACCOUNT).unwrap().iam_client();
        done!(iam.create_user().user_name("a"), iam.create_user().user_name("b"));
        iam.get_user()
            .user_name("b")
            .send()
            .await
            .unwrap()
            .user
            .unwrap()
            .user_id
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn a_refused_write_leaves_the_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("account.json");
    let iam = Sandbox::open(&path, ACCOUNT).unwrap().iam_client();
    done!(iam.create_user().user_name("a"));
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    refused!(iam.create_user().user_name("a"), "EntityAlreadyExists");
    done!(iam.list_users());
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let (path, aside) = (
        directory.path().join("here/account.json"),
        directory.path().join("aside"),
    );
    let iam = Sandbox::open(&path, ACCOUNT).unwrap().iam_client();
    done!(iam.create_user().user_name("a"));
    std::fs::rename(path.parent().unwrap(), &aside).unwrap();
    for _ in 0..2 {
        let error = iam.create_user().user_name("b").send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 500);
    }
    assert!(iam.list_users().send().await.is_err());
    std::fs::rename(&aside, path.parent().unwrap()).unwrap();
    assert_eq!(iam.list_users().send().await.unwrap().users().len(), 1);
    done!(iam.create_user().user_name("b"));
}

#[test]
fn other_files_are_not_taken_for_accounts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("account.json");
    std::fs::write(&path, "{}").unwrap();
    let message = Sandbox::open(&path, ACCOUNT).unwrap_err().to_string();
    assert_eq!(message, format!("{} is not a sandbox account", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
    assert_eq!(
        Sandbox::new("12").unwrap_err().to_string(),
        "`12` cannot be the id of a sandbox account"
    );
}
