//! Faults on purpose, as a client sees them.

use std::time::Duration;

use aws_sdk_iam::error::SdkError;

use crate::{ALLOW_LIST, PASSWORD, done, refused, sandbox};

#[tokio::test]
async fn throttled_and_failed_calls_have_no_effect() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("throttle=1".parse().unwrap());
    refused!(iam.create_user().user_name("u"), "Throttling", "Rate exceeded");
    sandbox.set_faults("server-error=1".parse().unwrap());
    refused!(iam.create_user().user_name("u"), "ServiceFailure");
    sandbox.set_faults("".parse().unwrap());
    refused!(iam.get_user().user_name("u"), "NoSuchEntity");
    let refusals: Vec<_> = sandbox.calls().iter().map(|call| call.refused).collect();
    assert_eq!(
        refusals,
        [Some("Throttling"), Some("ServiceFailure"), Some("NoSuchEntity")]
    );
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("lost-answer=1,seed=3".parse().unwrap());
    let (mut replaced, mut dropped) = (0, 0);
    for number in 0..20 {
        match iam
            .create_user()
            .user_name(format!("u{number}"))
            .send()
            .await
            .unwrap_err()
        {
            SdkError::DispatchFailure(failure) if failure.is_io() => dropped += 1,
            SdkError::ServiceError(error) if error.raw().status().as_u16() == 500 => replaced += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(replaced > 0 && dropped > 0, "{replaced} {dropped}");
    sandbox.set_faults("".parse().unwrap());
    assert_eq!(iam.list_users().send().await.unwrap().users().len(), 20);
}

#[tokio::test]
async fn reads_can_lag_behind_writes() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("stale-reads=2".parse().unwrap());
    done!(iam.create_user().user_name("u"));
    refused!(iam.get_user().user_name("u"), "NoSuchEntity");
    assert!(iam.list_users().send().await.unwrap().users().is_empty());
    done!(iam.get_user().user_name("u"));
    done!(iam.tag_user().user_name("u").tags(crate::tags::tag("a", "b")));
    let tags = async || {
        iam.get_user()
            .user_name("u")
            .send()
            .await
            .unwrap()
            .user
            .unwrap()
            .tags()
            .len()
    };
    assert_eq!((tags().await, tags().await, tags().await), (0, 0, 1));
}

#[tokio::test]
async fn writes_can_fail_to_find_what_was_made_just_now() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("stale-writes=2".parse().unwrap());
    done!(iam.create_user().user_name("u"));
    let put = || {
        iam.put_user_policy()
            .user_name("u")
            .policy_name("p")
            .policy_document(ALLOW_LIST)
    };
    refused!(put(), "NoSuchEntity", "The user with name u cannot be found.");
    // A call that does not need the user goes through, and makes the lag begin again.
    done!(iam.create_group().group_name("g"));
    done!(put());
}

#[tokio::test]
async fn a_fresh_login_profile_cannot_be_modified_for_a_while() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("unmodifiable=2".parse().unwrap());
    done!(
        iam.create_user().user_name("u"),
        iam.create_login_profile().user_name("u").password(PASSWORD)
    );
    refused!(
        iam.update_login_profile().user_name("u").password_reset_required(true),
        "EntityTemporarilyUnmodifiable",
        "Login Profile for User u cannot be modified while login profile is being created."
    );
    refused!(
        iam.enable_mfa_device()
            .user_name("u")
            .serial_number("arn:aws:iam::123456789012:mfa/d")
            .authentication_code1("111111")
            .authentication_code2("222222"),
        "EntityTemporarilyUnmodifiable"
    );
    done!(iam.delete_login_profile().user_name("u"));
}

#[tokio::test(start_paused = true)]
async fn latency_and_rate_run_on_tokios_clock() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("latency-ms=2000".parse().unwrap());
    let start = tokio::time::Instant::now();
    done!(iam.list_users());
    assert!(start.elapsed() >= Duration::from_secs(2));

    sandbox.set_faults("rate=2".parse().unwrap());
    done!(iam.list_users(), iam.list_users());
    refused!(iam.list_users(), "Throttling");
    tokio::time::advance(Duration::from_millis(500)).await;
    done!(iam.list_users());
    refused!(iam.list_users(), "Throttling");
}

#[tokio::test(start_paused = true)]
async fn overlapping_writes_of_one_principal_can_be_refused() {
    let (sandbox, iam) = sandbox();
    done!(iam.create_user().user_name("u"), iam.create_user().user_name("v"));
    sandbox.set_faults("latency-ms=100,concurrent=true".parse().unwrap());
    let attach = |user: &str, policy: &str| {
        iam.attach_user_policy()
            .user_name(user)
            .policy_arn(format!("arn:aws:iam::aws:policy/{policy}"))
            .send()
    };
    let (first, second, other) = tokio::join!(
        attach("u", "ReadOnlyAccess"),
        attach("U", "PowerUserAccess"),
        attach("v", "ReadOnlyAccess")
    );
    assert!(first.is_ok() && other.is_ok());
    assert_eq!(crate::refusal(second).0, "ConcurrentModification");
    // One after the other they pass, also after a caller gave up in between.
    let given_up = tokio::time::timeout(Duration::from_millis(10), attach("u", "SecurityAudit")).await;
    assert!(given_up.is_err());
    attach("u", "PowerUserAccess").await.unwrap();
}

#[tokio::test]
async fn the_log_tells_reads_from_writes_and_holds_no_parameter() {
    let (sandbox, iam) = sandbox();
    done!(
        iam.create_user().user_name("u"),
        iam.create_login_profile().user_name("u").password(PASSWORD),
        iam.list_users()
    );
    let calls = sandbox.calls();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.is_write))
        .collect();
    assert_eq!(
        told,
        [("CreateUser", true), ("CreateLoginProfile", true), ("ListUsers", false)]
    );
    assert!(!format!("{calls:?}").contains(PASSWORD));
    sandbox.clear_calls();
    assert!(sandbox.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn reads_can_lag_for_a_while() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("stale-seconds=10".parse().unwrap());
    let count = async || iam.list_users().send().await.unwrap().users().len();
    let seconds = async |seconds| tokio::time::advance(Duration::from_secs(seconds)).await;
    done!(iam.create_user().user_name("a"));
    seconds(6).await;
    done!(iam.create_user().user_name("b"));
    // Writes find what reads do not see yet.
    done!(iam.tag_user().user_name("a").tags(crate::tags::tag("x", "y")));
    assert_eq!(count().await, 0);
    seconds(5).await;
    assert_eq!(count().await, 1);
    seconds(5).await;
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn a_connection_can_break_before_anything_happens() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("lost-request=1".parse().unwrap());
    let error = iam.create_user().user_name("u").send().await.unwrap_err();
    assert!(
        matches!(&error, SdkError::DispatchFailure(failure) if failure.is_io()),
        "{error:?}"
    );
    sandbox.set_faults("".parse().unwrap());
    refused!(iam.get_user().user_name("u"), "NoSuchEntity");
    assert_eq!(sandbox.calls()[0].refused, Some("ConnectionLost"));
}

#[tokio::test(start_paused = true)]
async fn a_new_principal_is_unknown_to_trust_for_a_while() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("unknown-principal-seconds=5".parse().unwrap());
    done!(iam.create_user().user_name("u"));
    let user = crate::arn("user/u");
    let trust = crate::TRUST.replace(r#"{"Service":"ec2.amazonaws.com"}"#, &format!(r#"{{"AWS":"{user}"}}"#));
    let create = |name: &str| iam.create_role().role_name(name).assume_role_policy_document(&trust);
    let unknown = format!("Invalid principal in policy: \"AWS\":\"{user}\"");
    refused!(create("r"), "MalformedPolicyDocument", unknown);
    tokio::time::advance(Duration::from_secs(6)).await;
    done!(create("r"));
    let itself = trust.replace(&user, &crate::arn("role/r"));
    let update = || iam.update_assume_role_policy().role_name("r").policy_document(&itself);
    refused!(update(), "MalformedPolicyDocument");
    tokio::time::advance(Duration::from_secs(6)).await;
    done!(update());
}

#[tokio::test]
async fn somebody_else_can_change_the_account_in_between() {
    let (sandbox, iam) = sandbox();
    sandbox.set_faults("foreign-change=2".parse().unwrap());
    let alias = async || iam.list_account_aliases().send().await.unwrap().account_aliases;
    // There is nobody yet whom to tag.
    assert!(alias().await.is_empty());
    assert!(alias().await[0].starts_with("somebody-else-"));
    done!(iam.create_user().user_name("u"));
    let tags = async || iam.list_user_tags().user_name("u").send().await.unwrap().tags;
    sandbox.set_faults("foreign-change=2,seed=9".parse().unwrap());
    assert!(tags().await.is_empty());
    assert_eq!(tags().await[0].key(), "changed-by");
    let calls = sandbox.calls().len();
    assert_eq!(calls, 5, "what somebody else does is no call of ours");
}
