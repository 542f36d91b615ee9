//! Callers who are who they sign as, and may do what their policies allow.

use std::sync::{Arc, Mutex};

use aws_sdk_iam::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use serde_json::Value;
use trueup_sandbox::{AccessDecision, AccessRequest, Authorizer, HeldPolicy, Layer, Sandbox};

use crate::{ACCOUNT, PASSWORD, TRUST, allow, arn, done, mfa, refused};

/// Enough of IAM's policy language for these tests: literal texts, `*`, and one value by condition key. What it was asked
/// is kept.
#[derive(Clone, Default)]
struct Literal(Arc<Mutex<Vec<AccessRequest>>>);

impl Literal {
    fn asked(&self) -> Vec<AccessRequest> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn matches(policy: &HeldPolicy, asked: &AccessRequest, effect: &str) -> bool {
        let policy: Value = serde_json::from_str(&policy.document).unwrap();
        policy["Statement"].as_array().unwrap().iter().any(|statement| {
            let text = |element: &str, asked: &str| statement[element] == "*" || statement[element] == asked;
            let holds = |condition: &serde_json::Map<String, Value>| {
                condition
                    .iter()
                    .all(|(key, value)| asked.context.get(key).is_some_and(|found| *value == found[0]))
            };
            let conditions = statement["Condition"].as_object();
            statement["Effect"] == effect
                && text("Action", &asked.action)
                && text("Resource", &asked.resource)
                && conditions.is_none_or(|all| all.values().all(|condition| holds(condition.as_object().unwrap())))
        })
    }
}

impl Authorizer for Literal {
    fn decide(&self, asked: &AccessRequest) -> AccessDecision {
        self.0.lock().unwrap().push(asked.clone());
        let any = |effect: &str| asked.policies.iter().any(|policy| Self::matches(policy, asked, effect));
        let boundary = |effect: &str| {
            asked
                .boundary
                .as_ref()
                .map(|policy| Self::matches(policy, asked, effect))
        };
        if any("Deny") {
            AccessDecision::Denied(Layer::Identity)
        } else if boundary("Deny") == Some(true) {
            AccessDecision::Denied(Layer::Boundary)
        } else if !any("Allow") {
            AccessDecision::NotAllowed(Layer::Identity)
        } else if boundary("Allow") == Some(false) {
            AccessDecision::NotAllowed(Layer::Boundary)
        } else {
            AccessDecision::Allowed
        }
    }
}

type Keys = (String, String, Option<String>);

fn client(sandbox: &Sandbox, (key, secret, token): &Keys) -> Client {
    let credentials = Credentials::new(key, secret, token.clone(), None, "test");
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .http_client(sandbox.http_client());
    Client::from_conf(config.build())
}

fn sts(sandbox: &Sandbox, (key, secret, token): &Keys) -> aws_sdk_sts::Client {
    use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
    let credentials = Credentials::new(key, secret, token.clone(), None, "test");
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .http_client(sandbox.http_client());
    aws_sdk_sts::Client::from_conf(config.build())
}

/// The account with a user `ann` who holds `document`, still called as root by the client.
async fn account(document: &str) -> (Sandbox, Client, Keys) {
    let sandbox = Sandbox::new(ACCOUNT).unwrap();
    let root = sandbox.iam_client();
    done!(
        root.create_user()
            .user_name("ann")
            .path("/team/")
            .tags(crate::tags::tag("Team", "a")),
        root.put_user_policy()
            .user_name("ann")
            .policy_name("p")
            .policy_document(document)
    );
    let key = root
        .create_access_key()
        .user_name("ann")
        .send()
        .await
        .unwrap()
        .access_key
        .unwrap();
    (sandbox, root, (key.access_key_id, key.secret_access_key, None))
}

fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

#[tokio::test]
async fn a_caller_is_who_signed() {
    let (sandbox, root, keys) = account(&statement("Allow", "*", "*")).await;
    let id = root
        .get_user()
        .user_name("ann")
        .send()
        .await
        .unwrap()
        .user
        .unwrap()
        .user_id;
    sandbox.enforce(Literal::default());
    let ann = client(&sandbox, &keys);
    assert_eq!(ann.get_user().send().await.unwrap().user.unwrap().user_name(), "ann");
    // Where no user is named, the caller is meant.
    let listed = ann.list_access_keys().send().await.unwrap().access_key_metadata;
    assert_eq!(listed[0].user_name(), Some("ann"));
    let identity = sts(&sandbox, &keys).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some(arn("user/team/ann").as_str()));
    assert_eq!(identity.user_id(), Some(id.as_str()));

    let with = |key: &str, secret: &str, token: Option<&str>| {
        client(&sandbox, &(key.to_owned(), secret.to_owned(), token.map(str::to_owned)))
    };
    refused!(
        with("AKIAIOSFODNN7EXAMPLE", "x", None).list_users(),
        "InvalidClientTokenId",
        "The security token included in the request is invalid."
    );
    refused!(with(&keys.0, "x", None).list_users(), "SignatureDoesNotMatch");
    refused!(
        with(&keys.0, &keys.1, Some("token")).list_users(),
        "InvalidClientTokenId"
    );
    // The client that stands for root has a key that nobody knows.
    refused!(root.list_users(), "InvalidClientTokenId");
    done!(ann.update_access_key().access_key_id(&keys.0).status("Inactive".into()));
    refused!(ann.list_users(), "InvalidClientTokenId");
}

#[tokio::test]
async fn a_clock_may_be_minutes_off() {
    let (sandbox, _, keys) = account(&statement("Allow", "*", "*")).await;
    sandbox.enforce(Literal::default());
    let ann = client(&sandbox, &keys);
    let minutes = |minutes: i64| {
        let now = jiff::Timestamp::now()
            .checked_add(jiff::SignedDuration::from_mins(minutes))
            .unwrap();
        sandbox.set_time(now);
    };
    minutes(4);
    done!(ann.get_user());
    for off in [6, -6] {
        minutes(off);
        refused!(ann.get_user(), "SignatureDoesNotMatch");
    }
}

#[tokio::test]
async fn refusals_say_which_kind_of_policy_is_in_the_way() {
    let (sandbox, root, keys) = account(&statement("Allow", "*", "*")).await;
    let boundary = arn("policy/boundary");
    let me = format!(
        "User: {} is not authorized to perform: iam:CreateUser",
        arn("user/team/ann")
    );
    let on = format!("{me} on resource: {}", arn("user/x/carl"));
    let ann = client(&sandbox, &keys);
    let create = || ann.create_user().user_name("carl").path("/x/");
    let only_read = statement("Allow", "iam:GetUser", "*");
    done!(
        root.put_user_policy()
            .user_name("ann")
            .policy_name("p")
            .policy_document(only_read)
    );
    sandbox.enforce(Literal::default());
    refused!(
        create(),
        "AccessDenied",
        format!("{on} because no identity-based policy allows the iam:CreateUser action")
    );
    // What is wrong with a request is told only to those who may make it.
    refused!(ann.create_user().user_name("not a name"), "AccessDenied");

    let (sandbox, root, keys) = account(&statement("Allow", "*", "*")).await;
    done!(
        root.put_user_policy()
            .user_name("ann")
            .policy_name("q")
            .policy_document(statement("Deny", "iam:CreateUser", "*"))
    );
    sandbox.enforce(Literal::default());
    let ann = client(&sandbox, &keys);
    refused!(
        ann.create_user().user_name("carl").path("/x/"),
        "AccessDenied",
        format!("{on} with an explicit deny in an identity-based policy")
    );

    let (sandbox, root, keys) = account(&statement("Allow", "*", "*")).await;
    done!(
        root.create_policy()
            .policy_name("boundary")
            .policy_document(statement("Allow", "iam:GetUser", "*")),
        root.put_user_permissions_boundary()
            .user_name("ann")
            .permissions_boundary(&boundary)
    );
    sandbox.enforce(Literal::default());
    let ann = client(&sandbox, &keys);
    done!(ann.get_user());
    refused!(
        ann.create_user().user_name("carl").path("/x/"),
        "AccessDenied",
        format!("{on} because no permissions boundary allows the iam:CreateUser action")
    );
}

#[tokio::test]
async fn what_is_looked_at_for_each_operation() {
    let (sandbox, root, keys) = account(&statement("Allow", "*", "*")).await;
    done!(
        root.create_group().group_name("g").path("/x/"),
        root.add_user_to_group().user_name("ann").group_name("g"),
        root.put_group_policy()
            .group_name("g")
            .policy_name("of-group")
            .policy_document(allow("s3:Get")),
        root.attach_user_policy()
            .user_name("ann")
            .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        root.create_role().role_name("r").assume_role_policy_document(TRUST),
        root.create_instance_profile().instance_profile_name("web"),
        root.create_user().user_name("Bob").tags(crate::tags::tag("Team", "b"))
    );
    let literal = Literal::default();
    sandbox.enforce(literal.clone());
    let ann = client(&sandbox, &keys);
    let asked = || -> Vec<(String, String)> {
        literal
            .asked()
            .into_iter()
            .map(|asked| (asked.action, asked.resource))
            .collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(action, resource)| ((*action).to_owned(), (*resource).to_owned()))
            .collect()
    };

    done!(ann.tag_user().user_name("bob").tags(crate::tags::tag("Owner", "me")));
    let first = literal.asked().remove(0);
    assert_eq!(
        (first.action.as_str(), first.resource.as_str()),
        ("iam:TagUser", arn("user/Bob").as_str())
    );
    let held: Vec<_> = first
        .policies
        .iter()
        .map(|policy| (policy.name.as_str(), policy.group.as_deref()))
        .collect();
    assert_eq!(
        held,
        [
            ("p", None),
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
            ("of-group", Some("g"))
        ]
    );
    let value = |key: &str| first.context.get(key).map(|values| values.join(","));
    for (key, expected) in [
        ("aws:username", "ann"),
        ("aws:PrincipalArn", &arn("user/team/ann")),
        ("aws:PrincipalTag/Team", "a"),
        ("aws:ResourceTag/Team", "b"),
        ("aws:RequestTag/Owner", "me"),
        ("aws:TagKeys", "Owner"),
        ("aws:PrincipalType", "User"),
    ] {
        assert_eq!(value(key).as_deref(), Some(expected), "{key}");
    }
    assert_eq!(value("aws:MultiFactorAuthPresent"), None);

    done!(ann.list_users().path_prefix("/team/"));
    assert_eq!(asked(), pairs(&[("iam:ListUsers", &arn("user/team/"))]));
    done!(ann.get_account_summary());
    assert_eq!(asked(), pairs(&[("iam:GetAccountSummary", "*")]));
    done!(ann.remove_user_from_group().user_name("ann").group_name("G"));
    assert_eq!(asked(), pairs(&[("iam:RemoveUserFromGroup", &arn("group/x/g"))]));
    done!(ann.update_user().user_name("bob").new_user_name("Rob").new_path("/y/"));
    let both = [arn("user/Bob"), arn("user/y/Rob")];
    assert_eq!(
        asked(),
        pairs(&[("iam:UpdateUser", &both[0]), ("iam:UpdateUser", &both[1])])
    );
    done!(
        ann.add_role_to_instance_profile()
            .role_name("r")
            .instance_profile_name("web")
    );
    let both = [arn("instance-profile/web"), arn("role/r")];
    assert_eq!(
        asked(),
        pairs(&[("iam:AddRoleToInstanceProfile", &both[0]), ("iam:PassRole", &both[1])])
    );
    let attach = ann
        .attach_user_policy()
        .user_name("ann")
        .policy_arn("arn:aws:iam::aws:policy/PowerUserAccess");
    done!(attach);
    let attached = literal.asked().remove(0);
    assert_eq!(attached.resource, arn("user/team/ann"));
    assert_eq!(
        attached.context["iam:PolicyARN"],
        ["arn:aws:iam::aws:policy/PowerUserAccess"]
    );
    // Nobody needs leave to ask who they are.
    sts(&sandbox, &keys).get_caller_identity().send().await.unwrap();
    assert!(literal.asked().is_empty());
}

#[tokio::test]
async fn the_password_policy_can_let_everybody_change_their_own() {
    let (sandbox, root, keys) = account(&statement("Allow", "iam:GetUser", "*")).await;
    done!(root.create_login_profile().user_name("ann").password(PASSWORD));
    let admin = statement("Allow", "*", "*");
    done!(
        root.create_user().user_name("admin"),
        root.put_user_policy()
            .user_name("admin")
            .policy_name("p")
            .policy_document(admin)
    );
    let key = root
        .create_access_key()
        .user_name("admin")
        .send()
        .await
        .unwrap()
        .access_key
        .unwrap();
    sandbox.enforce(Literal::default());
    let (ann, admin) = (
        client(&sandbox, &keys),
        client(&sandbox, &(key.access_key_id, key.secret_access_key, None)),
    );
    let change = |old: &str, new: &str| ann.change_password().old_password(old).new_password(new);
    refused!(change(PASSWORD, "Correct-Horse-8"), "AccessDenied");
    done!(
        admin
            .update_account_password_policy()
            .allow_users_to_change_password(true)
    );
    done!(change(PASSWORD, "Correct-Horse-8"));
    refused!(
        change(PASSWORD, "Correct-Horse-9"),
        "AccessDenied",
        "The old password was incorrect."
    );
    done!(ann.get_account_password_policy());
    refused!(ann.list_users(), "AccessDenied");
}

#[tokio::test]
async fn the_use_of_a_key_is_told() {
    let (sandbox, root, keys) = account(&statement("Allow", "*", "*")).await;
    let fork = sandbox.fork();
    sandbox.enforce(Literal::default());
    let ann = client(&sandbox, &keys);
    done!(ann.get_user());
    let used = ann
        .get_access_key_last_used()
        .access_key_id(&keys.0)
        .send()
        .await
        .unwrap();
    let used = used.access_key_last_used.unwrap();
    assert_eq!((used.service_name(), used.region()), ("iam", "us-east-1"));
    assert!(used.last_used_date().is_some());
    // Where nobody looks who signs, no key is used.
    drop(root);
    let unused = fork
        .iam_client()
        .get_access_key_last_used()
        .access_key_id(&keys.0)
        .send()
        .await
        .unwrap();
    assert_eq!(unused.access_key_last_used.unwrap().last_used_date(), None);
}

fn trusting(principal: &str, more: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"{more}}}]}}"#
    )
}

async fn assume(sandbox: &Sandbox, keys: &Keys, role: &str) -> Result<Keys, (String, String)> {
    let call = sts(sandbox, keys).assume_role().role_arn(arn(&format!("role/{role}")));
    match call.role_session_name("session").send().await {
        Ok(made) => {
            let made = made.credentials.unwrap();
            Ok((made.access_key_id, made.secret_access_key, Some(made.session_token)))
        }
        refused => Err(crate::refusal(refused)),
    }
}

#[tokio::test]
async fn a_role_is_assumed_by_those_whom_it_trusts() {
    let (sandbox, root, keys) = account(&statement("Allow", "iam:GetUser", "*")).await;
    let create = |name: &str, trust: String| root.create_role().role_name(name).assume_role_policy_document(trust);
    let deny = trusting(&arn("user/team/ann"), "").replace(
        "]}",
        &format!(r#",{{"Effect":"Deny","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#),
    );
    done!(
        create("named", trusting(&arn("user/team/ann"), "")),
        create("account", trusting(ACCOUNT, "")),
        create("others", TRUST.to_owned()),
        create("denied", deny),
        create("chained", trusting(&arn("role/named"), "")),
        root.put_role_policy()
            .role_name("named")
            .policy_name("p")
            .policy_document(statement("Allow", "iam:ListUsers", "*"))
    );
    let id = root
        .get_role()
        .role_name("named")
        .send()
        .await
        .unwrap()
        .role
        .unwrap()
        .role_id;
    // Root cannot assume roles.
    let as_root = ("sandbox".to_owned(), "sandbox".to_owned(), None);
    let (code, message) = assume(&sandbox, &as_root, "named").await.unwrap_err();
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("AccessDenied", "Roles may not be assumed by root accounts.")
    );

    sandbox.enforce(Literal::default());
    let session = assume(&sandbox, &keys, "named").await.unwrap();
    assert!(session.0.starts_with("ASIA"));
    for role in ["account", "others", "denied", "none", "Named"] {
        let (code, message) = assume(&sandbox, &keys, role).await.unwrap_err();
        let expected = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            arn("user/team/ann"),
            arn(&format!("role/{role}"))
        );
        assert_eq!((code.as_str(), message), ("AccessDenied", expected));
    }
    let identity = sts(&sandbox, &session).get_caller_identity().send().await.unwrap();
    assert_eq!(
        identity.arn(),
        Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/named/session").as_str())
    );
    assert_eq!(identity.user_id(), Some(format!("{id}:session").as_str()));
    let as_role = client(&sandbox, &session);
    done!(as_role.list_users());
    let who =
        format!("User: arn:aws:sts::{ACCOUNT}:assumed-role/named/session is not authorized to perform: iam:ListGroups");
    let why = "because no identity-based policy allows the iam:ListGroups action";
    refused!(
        as_role.list_groups(),
        "AccessDenied",
        format!("{who} on resource: {} {why}", arn("group/"))
    );
    assert!(assume(&sandbox, &session, "chained").await.is_ok());
    let without_token = (session.0.clone(), session.1.clone(), None);
    refused!(client(&sandbox, &without_token).list_users(), "InvalidClientTokenId");
    sandbox.set_time(jiff::Timestamp::now() + jiff::SignedDuration::from_mins(61));
    refused!(as_role.list_users(), "ExpiredToken");
}

#[tokio::test]
async fn sessions_have_limits_of_their_own() {
    let (sandbox, root, keys) = account(&statement("Allow", "sts:AssumeRole", "*")).await;
    let tagging = format!(r#"}},{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:TagSession""#);
    done!(
        root.create_role()
            .role_name("r")
            .assume_role_policy_document(trusting(ACCOUNT, "")),
        root.put_role_policy()
            .role_name("r")
            .policy_name("p")
            .policy_document(statement("Allow", "*", "*")),
        root.create_role()
            .role_name("tagged")
            .assume_role_policy_document(trusting(ACCOUNT, &tagging)),
        root.put_user_policy()
            .user_name("ann")
            .policy_name("tags")
            .policy_document(statement("Allow", "sts:TagSession", "*"))
    );
    sandbox.enforce(Literal::default());
    let ann = sts(&sandbox, &keys);
    let assume = || ann.assume_role().role_arn(arn("role/r")).role_session_name("session");
    refused!(assume().duration_seconds(3601), "ValidationError");
    refused!(assume().duration_seconds(899), "ValidationError");
    refused!(assume().role_session_name("a b"), "ValidationError");
    refused!(assume().policy("{"), "MalformedPolicyDocument");
    refused!(assume().source_identity("ann"), "ValidationError");
    let made = assume()
        .policy(statement("Allow", "iam:ListUsers", "*"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        made.assumed_role_user().unwrap().arn(),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/session")
    );
    let made = made.credentials.unwrap();
    let limited = client(
        &sandbox,
        &(made.access_key_id, made.secret_access_key, Some(made.session_token)),
    );
    done!(limited.list_users());
    let (code, message) = crate::refusal(limited.list_groups().send().await);
    assert_eq!(code, "AccessDenied");
    assert!(
        message.ends_with("because no session policy allows the iam:ListGroups action"),
        "{message}"
    );
    // Tags of a session have to be allowed by themselves.
    let tag = |key: String| {
        aws_sdk_sts::types::Tag::builder()
            .key(key)
            .value("v".repeat(256))
            .build()
            .unwrap()
    };
    refused!(assume().tags(tag("a".to_owned())), "AccessDenied");
    // Policies and tags share their room.
    let assume = || assume().role_arn(arn("role/tagged"));
    let with = |keys: &[usize]| {
        keys.iter().enumerate().fold(assume(), |call, (number, length)| {
            call.tags(tag(format!("{number}{}", "k".repeat(length - 1))))
        })
    };
    // Seven values of 256 characters leave room for 256 of keys.
    let packed = with(&[128, 123, 1, 1, 1, 1, 1]).send().await.unwrap();
    #[expect(deprecated, reason = "what takes its place says nothing that is known")]
    let percent = packed.packed_policy_size();
    assert_eq!(percent, Some(100));
    refused!(
        with(&[128, 124, 1, 1, 1, 1, 1]),
        "PackedPolicyTooLarge",
        "Packed policy consumes 101% of allotted space, please use smaller policy."
    );
    refused!(
        (0..51).fold(assume(), |call, number| call.tags(tag(number.to_string()))),
        "ValidationError",
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or \
         equal to 50"
    );
}

#[tokio::test]
async fn a_role_can_ask_for_a_code() {
    let (sandbox, root, keys) = account(&statement("Allow", "iam:GetUser", "*")).await;
    let condition = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    done!(
        root.create_role()
            .role_name("r")
            .assume_role_policy_document(trusting(&arn("user/team/ann"), condition)),
        root.put_role_policy()
            .role_name("r")
            .policy_name("p")
            .policy_document(statement("Allow", "*", "*"))
    );
    let device = mfa::new_device(&root, "phone").await;
    let now = jiff::Timestamp::now();
    let earlier = jiff::Timestamp::from_second(now.as_second() - 300).unwrap().to_string();
    let (first, second) = device.codes(&earlier);
    done!(device.enable(&root, "ann", &first, &second));
    sandbox.enforce(Literal::default());
    let ann = sts(&sandbox, &keys);
    let assume = || ann.assume_role().role_arn(arn("role/r")).role_session_name("session");
    refused!(assume(), "AccessDenied");
    let with = |code: &str| assume().serial_number(&device.serial).token_code(code);
    let (code, _) = device.codes(&now.to_string());
    refused!(with(&first), "AccessDenied");
    done!(with(&code));
    // A code works once.
    refused!(with(&code), "AccessDenied");
}
