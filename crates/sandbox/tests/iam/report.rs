//! The credential report.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use trueup_sandbox::{RootFacts, Sandbox};

use crate::{PASSWORD, done, mfa, refused, sandbox};

fn at(sandbox: &Sandbox, time: &str) {
    sandbox.set_time(time.parse().unwrap());
}

async fn state(iam: &Client) -> String {
    let answer = iam.generate_credential_report().send().await.unwrap();
    answer.state.unwrap().as_str().to_owned()
}

async fn report(iam: &Client) -> String {
    let report = iam.get_credential_report().send().await.unwrap();
    assert_eq!(report.report_format().unwrap().as_str(), "text/csv");
    String::from_utf8(report.content.unwrap().into_inner()).unwrap()
}

#[tokio::test]
async fn a_report_is_kept_for_four_hours() {
    let (sandbox, iam) = sandbox();
    refused!(iam.get_credential_report(), "ReportNotPresent");
    let begun = iam.generate_credential_report().send().await.unwrap();
    assert_eq!(
        begun.description(),
        Some("No report exists. Starting a new report generation task")
    );
    refused!(iam.get_credential_report(), "ReportInProgress");
    // Two seconds later it is there by itself; where time stands still, after asking once more.
    assert_eq!(
        (state(&iam).await, state(&iam).await),
        ("INPROGRESS".into(), "COMPLETE".into())
    );
    let first = report(&iam).await;
    assert_eq!(first.lines().count(), 2);
    assert!(!first.ends_with('\n'));

    // What changes in the meantime is not in it.
    done!(iam.create_user().user_name("u"));
    at(&sandbox, "2026-11-22T14:00:00Z");
    assert_eq!(state(&iam).await, "COMPLETE");
    assert_eq!(report(&iam).await, first);
    at(&sandbox, "2026-11-22T14:00:01Z");
    refused!(iam.get_credential_report(), "ReportExpired");
    assert_eq!(state(&iam).await, "STARTED");
    at(&sandbox, "2026-11-22T14:00:03Z");
    assert_eq!(report(&iam).await.lines().count(), 3);
    let generated = iam
        .get_credential_report()
        .send()
        .await
        .unwrap()
        .generated_time
        .unwrap();
    assert_eq!(generated.to_string(), "2026-11-22T14:00:01Z");
}

#[tokio::test]
async fn what_the_report_tells() {
    let (sandbox, iam) = sandbox();
    let root = RootFacts {
        mfa: true,
        access_keys: 1,
        ..RootFacts::default()
    };
    sandbox.set_root(root).unwrap();
    done!(
        iam.create_user().user_name("bare"),
        iam.create_user().user_name("Ann").path("/team/"),
        iam.create_login_profile().user_name("Ann").password(PASSWORD),
        iam.update_account_password_policy().max_password_age(90)
    );
    mfa::enabled_device(&sandbox, &iam, "Ann", "phone").await;
    let key = iam
        .create_access_key()
        .user_name("Ann")
        .send()
        .await
        .unwrap()
        .access_key
        .unwrap();
    done!(
        iam.update_access_key()
            .user_name("Ann")
            .access_key_id(key.access_key_id())
            .status("Inactive".into()),
        iam.upload_signing_certificate()
            .user_name("Ann")
            .certificate_body(crate::credentials::certificate(1))
    );
    at(&sandbox, "2026-11-23T10:00:00Z");
    done!(iam.update_login_profile().user_name("Ann").password("Correct-Horse-8"));
    state(&iam).await;
    at(&sandbox, "2026-11-23T10:00:05Z");
    let text = report(&iam).await;
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    assert_eq!(
        (columns.len(), columns[0], columns[21]),
        (22, "user", "cert_2_last_rotated")
    );
    let rows: Vec<BTreeMap<&str, &str>> = lines.map(|row| columns.iter().copied().zip(row).collect()).collect();
    // Root first, the others by name whatever its case.
    let users: Vec<_> = rows.iter().map(|row| row["user"]).collect();
    assert_eq!(users, ["<root_account>", "Ann", "bare"]);
    let cells = |row: usize, names: &[&str]| names.iter().map(|name| rows[row][name]).collect::<Vec<_>>();
    let password = [
        "password_enabled",
        "password_last_used",
        "password_last_changed",
        "password_next_rotation",
    ];
    assert_eq!(
        cells(0, &password),
        ["not_supported", "no_information", "not_supported", "not_supported"]
    );
    assert_eq!(
        cells(1, &password),
        ["true", "no_information", "2026-11-23T10:00:00Z", "2027-02-21T10:00:00Z"]
    );
    assert_eq!(cells(2, &password), ["false", "N/A", "N/A", "N/A"]);
    let credentials = [
        "mfa_active",
        "access_key_1_active",
        "access_key_1_last_rotated",
        "access_key_2_active",
        "cert_1_active",
    ];
    assert_eq!(cells(0, &credentials)[..2], ["true", "true"]);
    assert_eq!(
        cells(1, &credentials),
        ["true", "false", "2026-11-22T10:00:00Z", "false", "true"]
    );
    assert_eq!(cells(2, &credentials), ["false", "false", "N/A", "false", "false"]);
    assert_eq!(
        cells(1, &["access_key_1_last_used_date", "cert_2_last_rotated"]),
        ["N/A", "N/A"]
    );
}
