//! What is read, and in how many calls. Everything goes through the real SDK.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::Tag;
use common::{ACCOUNT, Reaction, reader_of, reader_over, scripted};
use trueup_model::{
    GroupName, InlinePolicyName, Live, PolicyArn, PolicyName, UserName,
    live::{CredentialNeeds, Needs},
};
use trueup_sandbox::Sandbox;

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"A1","Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

async fn read(sandbox: &Sandbox) -> Live {
    let reader = reader_of(sandbox);
    let identity = reader.identity().await.unwrap();
    reader.read(&identity).await.unwrap()
}

/// An account with a little of everything.
async fn small_account() -> Sandbox {
    let sandbox = Sandbox::new(ACCOUNT).unwrap();
    let iam = sandbox.iam_client();
    let policy = iam
        .create_policy()
        .policy_name("base")
        .path("/team/")
        .description("What a team may do")
        .policy_document(DOCUMENT)
        .tags(Tag::builder().key("owner").value("platform").build().unwrap())
        .send()
        .await
        .unwrap();
    let arn = policy.policy.unwrap().arn.unwrap();
    iam.create_policy_version()
        .policy_arn(&arn)
        .policy_document(DOCUMENT.replace("Get*", "List*"))
        .send()
        .await
        .unwrap();
    iam.create_group().group_name("Team").path("/").send().await.unwrap();
    iam.attach_group_policy()
        .group_name("Team")
        .policy_arn("arn:aws:iam::aws:policy/IAMUserChangePassword")
        .send()
        .await
        .unwrap();
    iam.create_user()
        .user_name("alice")
        .path("/platform/")
        .permissions_boundary(&arn)
        .tags(Tag::builder().key("owner").value("a+b@example.com").build().unwrap())
        .send()
        .await
        .unwrap();
    iam.put_user_policy()
        .user_name("alice")
        .policy_name("own")
        .policy_document(DOCUMENT.replace("A1", "100"))
        .send()
        .await
        .unwrap();
    iam.add_user_to_group()
        .group_name("Team")
        .user_name("alice")
        .send()
        .await
        .unwrap();
    iam.create_login_profile()
        .user_name("alice")
        .password("Correct-horse-battery-1")
        .password_reset_required(true)
        .send()
        .await
        .unwrap();
    iam.create_access_key().user_name("alice").send().await.unwrap();
    iam.create_user().user_name("bob").send().await.unwrap();
    iam.create_account_alias()
        .account_alias("acme-prod")
        .send()
        .await
        .unwrap();
    iam.update_account_password_policy()
        .minimum_password_length(14)
        .require_numbers(true)
        .max_password_age(90)
        .send()
        .await
        .unwrap();
    sandbox
}

#[tokio::test]
async fn the_bulk_read_sees_everything_but_credentials() {
    let live = read(&small_account().await).await;
    assert_eq!(live.account.alias.as_ref().unwrap().as_str(), "acme-prod");
    let password_policy = live.account.password_policy.as_ref().unwrap();
    assert_eq!(
        (
            password_policy.minimum_password_length,
            password_policy.max_password_age
        ),
        (14, Some(90))
    );
    assert_eq!(password_policy.password_reuse_prevention, None);
    assert_eq!(live.account.summary["Users"], 2);

    let alice = &live.users[&UserName::from_live("alice")];
    assert_eq!(alice.path.as_str(), "/platform/");
    assert!(alice.id.starts_with("AIDA"));
    assert_eq!(alice.tags["owner"], "a+b@example.com");
    assert_eq!(alice.groups, BTreeSet::from([GroupName::from_live("Team")]));
    assert_eq!(
        alice.permissions_boundary.as_ref().unwrap().as_str(),
        "arn:aws:iam::123456789012:policy/team/base"
    );
    let own = &alice.inline_policies[&InlinePolicyName::from_live("own")];
    assert_eq!(own.as_text(), DOCUMENT.replace("A1", "100"));
    assert_eq!(alice.credentials, trueup_model::live::Credentials::default());

    let base = &live.policies[&PolicyName::from_live("base")];
    assert_eq!((base.versions.len(), base.default_version.as_str()), (2, "v1"));
    assert_eq!(base.document().unwrap().as_text(), DOCUMENT);
    assert_eq!(base.boundary_count, 1);
    assert_eq!(base.metadata, None);
    let in_use: Vec<_> = live.aws_policies.keys().map(|arn| arn.policy_name()).collect();
    assert_eq!(in_use, [PolicyName::from_live("IAMUserChangePassword")]);
    assert_eq!(live.notes, Vec::<String>::new());
}

#[tokio::test]
async fn short_and_empty_pages_change_nothing() {
    let sandbox = small_account().await;
    let whole = read(&sandbox).await;
    sandbox.set_faults("page-size=1,empty-pages=true".parse().unwrap());
    let in_pieces = read(&sandbox).await;
    assert!(in_pieces.reads["GetAccountAuthorizationDetails"] > 5);
    let in_pieces = Live {
        reads: whole.reads.clone(),
        ..in_pieces
    };
    assert_eq!(in_pieces, whole);
}

#[tokio::test]
async fn details_read_what_is_needed_and_nothing_else() {
    let sandbox = small_account().await;
    let reader = reader_of(&sandbox);
    let identity = reader.identity().await.unwrap();
    let mut live = reader.read(&identity).await.unwrap();
    let needs = Needs {
        users: [
            (
                UserName::from_live("ALICE"),
                CredentialNeeds {
                    login_profile: true,
                    access_keys: true,
                    ..CredentialNeeds::default()
                },
            ),
            (
                UserName::from_live("bob"),
                CredentialNeeds {
                    everything: true,
                    ..CredentialNeeds::default()
                },
            ),
            (UserName::from_live("nobody"), CredentialNeeds::default()),
        ]
        .into(),
        policies: [PolicyName::from_live("base")].into(),
        aws_policies: BTreeSet::new(),
        virtual_mfa_devices: false,
    };
    sandbox.clear_calls();
    reader.details(&mut live, &needs).await.unwrap();

    let alice = &live.users[&UserName::from_live("alice")].credentials;
    assert!(
        alice
            .login_profile
            .as_ref()
            .unwrap()
            .as_ref()
            .unwrap()
            .password_reset_required
    );
    assert_eq!(alice.access_keys.as_ref().unwrap().len(), 1);
    assert!(alice.access_keys.as_ref().unwrap().values().all(|key| key.active));
    assert_eq!((&alice.mfa_devices, &alice.ssh_public_keys), (&None, &None));

    let bob = &live.users[&UserName::from_live("bob")].credentials;
    assert_eq!(bob.login_profile, Some(None));
    assert_eq!(bob.mfa_devices, Some(BTreeSet::new()));
    assert_eq!(bob.service_specific_credentials, Some(BTreeMap::new()));

    let metadata = live.policies[&PolicyName::from_live("base")].metadata.as_ref().unwrap();
    assert_eq!(metadata.description.as_deref(), Some("What a team may do"));
    assert_eq!(metadata.tags["owner"], "platform");

    // Two for alice, six for bob, one for the policy.
    assert_eq!(sandbox.calls().len(), 9);
    let calls = live.reads.values().sum::<u64>();
    reader.details(&mut live, &needs).await.unwrap();
    assert_eq!(
        live.reads.values().sum::<u64>(),
        calls,
        "what is known is not read again"
    );
}

#[tokio::test]
async fn the_totals_answer_for_mfa_devices_where_they_can() {
    let sandbox = small_account().await;
    let iam = sandbox.iam_client();
    let device = iam
        .create_virtual_mfa_device()
        .virtual_mfa_device_name("alice")
        .send()
        .await
        .unwrap();
    let device = device.virtual_mfa_device.unwrap();
    let seed = String::from_utf8(device.base32_string_seed.unwrap().into_inner()).unwrap();
    let now = aws_smithy_types::DateTime::from(std::time::SystemTime::UNIX_EPOCH).secs() + 1_000_000;
    sandbox.set_time(jiff::Timestamp::from_second(now).unwrap());
    let code = |offset: i64| trueup_sandbox::totp(&seed, jiff::Timestamp::from_second(now + offset).unwrap()).unwrap();
    iam.enable_mfa_device()
        .user_name("alice")
        .serial_number(&device.serial_number)
        .authentication_code1(code(0))
        .authentication_code2(code(30))
        .send()
        .await
        .unwrap();

    let need = CredentialNeeds {
        mfa_devices: true,
        ..CredentialNeeds::default()
    };
    let needs = Needs {
        users: ["alice", "bob"].map(|name| (UserName::from_live(name), need)).into(),
        ..Needs::default()
    };
    let reader = reader_of(&sandbox);
    let identity = reader.identity().await.unwrap();
    let mut live = reader.read(&identity).await.unwrap();
    let mut with_a_key = live.clone();
    reader.details(&mut live, &needs).await.unwrap();
    assert_eq!(live.reads.get("ListMFADevices"), None);
    assert_eq!(live.reads["ListVirtualMFADevices"], 1);
    let devices_of = |live: &Live, name: &str| live.users[&UserName::from_live(name)].credentials.mfa_devices.clone();
    let alices = Some(BTreeSet::from([device.serial_number.clone()]));
    assert_eq!(
        (devices_of(&live, "alice"), devices_of(&live, "bob")),
        (alices.clone(), Some(BTreeSet::new()))
    );

    // One more device in use than there are virtual ones: somebody has a security key.
    *with_a_key.account.summary.get_mut("MFADevicesInUse").unwrap() += 1;
    reader.details(&mut with_a_key, &needs).await.unwrap();
    assert_eq!(with_a_key.reads["ListMFADevices"], 2);
    assert_eq!(devices_of(&with_a_key, "alice"), alices);
}

#[tokio::test]
async fn everything_is_everything() {
    let sandbox = small_account().await;
    let iam = sandbox.iam_client();
    iam.create_service_specific_credential()
        .user_name("bob")
        .service_name("codecommit.amazonaws.com")
        .send()
        .await
        .unwrap();
    let reader = reader_of(&sandbox);
    let mut live = read(&sandbox).await;
    reader.everything(&mut live).await.unwrap();
    for user in live.users.values() {
        let known = &user.credentials;
        assert!(known.login_profile.is_some() && known.access_keys.is_some() && known.mfa_devices.is_some());
        assert!(known.ssh_public_keys.is_some() && known.signing_certificates.is_some());
    }
    let bob = &live.users[&UserName::from_live("bob")].credentials;
    assert_eq!(bob.service_specific_credentials.as_ref().unwrap().len(), 1);
    assert!(live.policies.values().all(|policy| policy.metadata.is_some()));
    assert_eq!(live.virtual_mfa_devices, Some(Vec::new()));
}

#[tokio::test]
async fn a_thousand_users_take_few_calls() {
    let sandbox = Sandbox::new(ACCOUNT).unwrap();
    let iam = sandbox.iam_client();
    for number in 0..1000 {
        let name = format!("user-{number:04}");
        iam.create_user().user_name(&name).send().await.unwrap();
    }
    for number in 0..20 {
        iam.create_group()
            .group_name(format!("group-{number}"))
            .send()
            .await
            .unwrap();
    }
    sandbox.clear_calls();
    let reader = reader_of(&sandbox);
    let identity = reader.identity().await.unwrap();
    let mut live = reader.read(&identity).await.unwrap();
    let everybody_mfa = CredentialNeeds {
        mfa_devices: true,
        ..CredentialNeeds::default()
    };
    let mut needs = Needs {
        users: live.users.keys().map(|name| (name.clone(), everybody_mfa)).collect(),
        virtual_mfa_devices: true,
        ..Needs::default()
    };
    reader.details(&mut live, &needs).await.unwrap();
    assert!(sandbox.calls().len() <= 10, "{:?}", live.reads);

    for need in needs.users.values_mut().take(50) {
        need.login_profile = true;
    }
    reader.details(&mut live, &needs).await.unwrap();
    let calls = sandbox.calls();
    assert!(calls.len() <= 60, "{:?}", live.reads);
    assert_eq!(live.reads.values().sum::<u64>(), calls.len() as u64);
    assert_eq!(live.reads["GetCallerIdentity"], 1);
    assert_eq!(live.users.len(), 1000);
}

#[tokio::test]
async fn nothing_that_is_sent_writes() {
    let sandbox = small_account().await;
    sandbox.clear_calls();
    let reader = reader_of(&sandbox);
    let identity = reader.identity().await.unwrap();
    let mut live = reader.read(&identity).await.unwrap();
    reader.everything(&mut live).await.unwrap();
    for call in sandbox.calls() {
        assert!(!call.is_write, "{}", call.operation);
        assert!(
            call.operation.starts_with("Get") || call.operation.starts_with("List"),
            "{}",
            call.operation
        );
    }
}

#[tokio::test(start_paused = true)]
async fn totals_that_differ_are_read_again_and_then_noted() {
    let sandbox = small_account().await;
    let mut wrong_answers = 1;
    let once = scripted(&sandbox, move |operation| {
        if operation == "GetAccountSummary" && wrong_answers > 0 {
            wrong_answers -= 1;
            return Reaction::Replace(
                "<key>Users</key><value>2</value>",
                "<key>Users</key><value>3</value>".to_owned(),
            );
        }
        Reaction::Pass
    });
    let reader = reader_over(once);
    let identity = reader.identity().await.unwrap();
    let live = reader.read(&identity).await.unwrap();
    assert_eq!(live.notes, Vec::<String>::new());
    assert_eq!(live.reads["GetAccountSummary"], 2);
    assert_eq!(live.reads["GetAccountPasswordPolicy"], 1);

    let always = scripted(&sandbox, |operation| match operation {
        "GetAccountSummary" => Reaction::Replace(
            "<key>Users</key><value>2</value>",
            "<key>Users</key><value>3</value>".to_owned(),
        ),
        _ => Reaction::Pass,
    });
    let reader = reader_over(always);
    let identity = reader.identity().await.unwrap();
    let live = reader.read(&identity).await.unwrap();
    assert_eq!(live.notes, ["2 users were read, GetAccountSummary counts 3"]);
    assert_eq!(live.reads["GetAccountSummary"], 3);
}

#[tokio::test]
async fn an_endpoint_without_service_specific_credentials_has_none() {
    let sandbox = small_account().await;
    let page = "<!doctype html><html lang=en><title>500 Internal Server Error</title></html>";
    let http = scripted(&sandbox, move |operation| match operation {
        "ListServiceSpecificCredentials" => Reaction::Answer(500, page.to_owned()),
        _ => Reaction::Pass,
    });
    let reader = reader_over(http);
    let identity = reader.identity().await.unwrap();
    let mut live = reader.read(&identity).await.unwrap();
    let mut by_user = live.clone();
    reader.everything(&mut live).await.unwrap();
    assert!(
        live.users
            .values()
            .all(|user| user.credentials.service_specific_credentials == Some(BTreeMap::new()))
    );
    assert_eq!(live.notes.len(), 1, "{:?}", live.notes);

    let everything = CredentialNeeds {
        everything: true,
        ..CredentialNeeds::default()
    };
    let needs = Needs {
        users: by_user.users.keys().map(|name| (name.clone(), everything)).collect(),
        ..Needs::default()
    };
    reader.details(&mut by_user, &needs).await.unwrap();
    assert_eq!(by_user.notes, live.notes);
    assert_eq!(
        by_user.reads["ListServiceSpecificCredentials"], 2,
        "asked once for each user, never again"
    );
}

#[tokio::test]
async fn aws_policies_that_nobody_holds_yet_are_read_where_they_matter() {
    let sandbox = small_account().await;
    let reader = reader_of(&sandbox);
    let identity = reader.identity().await.unwrap();
    let mut live = reader.read(&identity).await.unwrap();
    let known = PolicyArn::from_live("arn:aws:iam::aws:policy/AWSDenyAll");
    let unknown = PolicyArn::from_live("arn:aws:iam::aws:policy/AWSDenyAlll");
    let needs = Needs {
        aws_policies: BTreeSet::from([known.clone(), unknown.clone()]),
        ..Needs::default()
    };
    reader.details(&mut live, &needs).await.unwrap();
    assert!(live.aws_policies[&known].statements()[0].is_deny());
    assert_eq!(live.missing_aws_policies, BTreeSet::from([unknown]));
    let reads = live.reads.clone();
    reader.details(&mut live, &needs).await.unwrap();
    assert_eq!(reads["GetPolicyVersion"], 1);
    assert_eq!(live.reads["GetPolicyVersion"], 1, "what is known is not read again");
}
