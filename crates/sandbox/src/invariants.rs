//! What holds of an account after any calls whatever, refused ones included.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use crate::{
    caller::Caller,
    ops::{self, Handler},
    paging::PageShape,
    policy_text,
    quota::Quota,
    state::{Entity, State, fold},
    wire::{IAM_VERSION, Request},
};

/// Small worlds collide often: few names, in several spellings, and some that IAM refuses.
const USERS: [&str; 5] = ["ann", "Ann", "bob", "carl", "not a name"];
const GROUPS: [&str; 4] = ["team", "TEAM", "ops", "none!"];
const POLICIES: [&str; 4] = ["base", "Base", "other", "?"];
const ROLES: [&str; 3] = ["deploy", "Deploy", "build"];
const ARNS: [&str; 7] = [
    "arn:aws:iam::123456789012:policy/base",
    "arn:aws:iam::123456789012:policy/other",
    "arn:aws:iam::123456789012:policy/x/base",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::aws:policy/PowerUserAccess",
    "arn:aws:iam::aws:policy/aws-service-role/AmazonRDSServiceRolePolicy",
    "no arn, but long enough",
];
const PATHS: [&str; 4] = ["/", "/x/", "/y/z/", "bad"];
const KEYS: [&str; 5] = ["Owner", "owner", "Team", "aws:x", "k;"];
const VALUES: [&str; 3] = ["", "a value", "a;b"];
const VERSIONS: [&str; 5] = ["v1", "v2", "v3", "v7", "1"];
const TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":PRINCIPAL,"Action":"sts:AssumeRole"}]}"#;

const PRINCIPALS: [&str; 4] = [
    r#"{"Service":"ec2.amazonaws.com"}"#,
    r#"{"AWS":"arn:aws:iam::123456789012:user/ann"}"#,
    r#"{"AWS":["123456789012","arn:aws:iam::123456789012:role/deploy"]}"#,
    r#"{"Federated":"arn:aws:iam::123456789012:saml-provider/corp"}"#,
];
const METADATA: &str = r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="PADDING"><IDPSSODescriptor>
    <X509Certificate xmlns="http://www.w3.org/2000/09/xmldsig#">MAMCAQE=</X509Certificate><SingleSignOnService/></IDPSSODescriptor></EntityDescriptor>"#;

fn documents(index: usize) -> String {
    match index % 4 {
        3 => "{}".to_owned(),
        length => {
            let padding = "a".repeat(60 * length);
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:{padding}Get","Resource":"*"}}]}}"#
            )
        }
    }
}

/// The operations that change something.
fn writes() -> Vec<&'static str> {
    ops::names()
        .filter(|name| matches!(ops::find(name, IAM_VERSION), Some(Handler::Write(_))))
        .collect()
}

/// A call that changes something, drawn from numbers; ids are those of credentials that there are.
fn call(state: &State, operation: usize, draw: &[usize]) -> Request {
    let writes = writes();
    let action = writes[operation % writes.len()];
    let pick = |place: usize, from: &[&str]| from[draw[place] % from.len()].to_owned();
    let users = || state.users.values();
    let existing = |ids: Vec<&String>| {
        ids.get(draw[0] % ids.len().max(1))
            .map_or_else(String::new, |id| (*id).clone())
    };
    // Small numbers, so that a failing case shrinks to the usual.
    let flags = draw[4];
    let mut parameters = vec![
        ("UserName", pick(0, &USERS)),
        ("GroupName", pick(1, &GROUPS)),
        ("RoleName", pick(2, &ROLES)),
        ("PolicyName", pick(1, &POLICIES)),
        ("PolicyArn", pick(2, &ARNS)),
        ("VersionId", pick(3, &VERSIONS)),
        ("PolicyDocument", documents(draw[3])),
        (
            "AssumeRolePolicyDocument",
            TRUST.replace("PRINCIPAL", &pick(0, &PRINCIPALS)),
        ),
        ("TagKeys.member.1", pick(2, &KEYS)),
        ("Password", pick(3, &["Correct-Horse-7", "weak", "Other-Horse-8"])),
        (
            "ServiceName",
            pick(3, &["codecommit.amazonaws.com", "cassandra.amazonaws.com", "none"]),
        ),
        ("VirtualMFADeviceName", pick(1, &["phone", "key"])),
        (
            "SerialNumber",
            pick(
                1,
                &[
                    "arn:aws:iam::123456789012:mfa/phone",
                    "arn:aws:iam::123456789012:mfa/key",
                ],
            ),
        ),
        ("AuthenticationCode1", "000000".to_owned()),
        ("AuthenticationCode2", "000001".to_owned()),
        ("AccountAlias", pick(0, &["acme", "Acme", "acme-2"])),
        (
            "AccessKeyId",
            existing(users().flat_map(|user| user.access_keys.keys()).collect()),
        ),
        (
            "ServiceSpecificCredentialId",
            existing(users().flat_map(|user| user.service_credentials.keys()).collect()),
        ),
        ("SSHPublicKeyId", "APKAABCDEFGHIJKLMNOPQ".to_owned()),
        ("CertificateId", "ABCDEFGHIJKLMNOPQRSTUVWX".to_owned()),
        ("Status", pick(3, &["Active", "Inactive", "Expired"])),
        ("SSHPublicKeyBody", "ssh-rsa AAAA".to_owned()),
        (
            "CertificateBody",
            format!(
                "-----BEGIN CERTIFICATE-----\nMAA{}\n-----END CERTIFICATE-----",
                draw[3] % 4
            ),
        ),
        ("MinimumPasswordLength", (draw[0] % 20).to_string()),
        ("InstanceProfileName", pick(1, &["web", "Web", "worker"])),
        (
            "Url",
            pick(
                1,
                &[
                    "https://idp.example.com",
                    "https://idp.example.com:1",
                    "https://x.invalid",
                ],
            ),
        ),
        ("ClientID", pick(3, &["one", "two"])),
        (
            "ThumbprintList.member.1",
            pick(3, &["0123456789012345678901234567890123456789", "short"]),
        ),
        (
            "OpenIDConnectProviderArn",
            "arn:aws:iam::123456789012:oidc-provider/idp.example.com".to_owned(),
        ),
        ("Name", pick(1, &["corp", "Corp"])),
        (
            "SAMLMetadataDocument",
            METADATA.replace("PADDING", &"x".repeat(1000 * (draw[3] % 2))),
        ),
        (
            "SAMLProviderArn",
            "arn:aws:iam::123456789012:saml-provider/corp".to_owned(),
        ),
        (
            "AWSServiceName",
            pick(2, &["batch.amazonaws.com", "rds.amazonaws.com", "none"]),
        ),
        ("GlobalEndpointTokenVersion", pick(2, &["v1Token", "v2Token"])),
        ("OldPassword", "Correct-Horse-7".to_owned()),
        ("NewPassword", "Other-Horse-8".to_owned()),
    ];
    // What many operations take but few need is given now and then.
    let sometimes = [
        ("NewUserName", pick(3, &USERS)),
        ("NewGroupName", pick(3, &GROUPS)),
        ("NewPath", pick(1, &PATHS)),
        ("Path", pick(3, &PATHS)),
        ("SetAsDefault", pick(2, &["true", "false"])),
    ];
    let given = |bit: usize| flags >> bit & 1 == 1;
    parameters.extend(
        sometimes
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| given(*bit))
            .map(|(_, given)| given),
    );
    if given(5) || action.starts_with("Tag") {
        parameters.push(("Tags.member.1.Key", pick(2, &KEYS)));
        parameters.push(("Tags.member.1.Value", pick(3, &VALUES)));
    }
    if given(6) || action.starts_with("Put") {
        parameters.push(("PermissionsBoundary", pick(1, &ARNS)));
    }
    Request {
        action: action.to_owned(),
        version: IAM_VERSION.to_owned(),
        parameters: parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        now: Timestamp::UNIX_EPOCH,
        pages: PageShape::default(),
        caller: Caller::Root,
        session: None,
    }
}

fn check(state: &State) {
    let limit = |quota| state.quotas.limit(quota);
    let mut ids = BTreeSet::new();
    let mut check_entity = |key: &str, entity: &Entity, attached: usize, size: usize| {
        assert_eq!(key, fold(&entity.name));
        assert!(ids.insert(entity.id.clone()), "ids are unique");
        assert!(
            entity.attached.iter().all(|arn| state.has_policy(arn)),
            "what is attached exists"
        );
        assert!(entity.attached.len() <= attached);
        assert!(
            entity
                .inline
                .values()
                .map(|policy| policy_text::size(&policy.document))
                .sum::<usize>()
                <= size
        );
        assert!(entity.inline.iter().all(|(key, policy)| *key == fold(&policy.name)));
    };
    for (key, user) in &state.users {
        check_entity(
            key,
            &user.entity,
            limit(Quota::AttachedPoliciesPerUser),
            limit(Quota::UserPolicySize),
        );
        assert!(
            user.boundary.iter().all(|arn| state.has_policy(arn)),
            "a boundary exists"
        );
        assert!(user.groups.len() <= limit(Quota::GroupsPerUser));
        assert_eq!(state.groups_of(user).count(), user.groups.len(), "groups exist");
        assert!(user.access_keys.len() <= limit(Quota::AccessKeysPerUser));
        assert!(user.certificates.len() <= limit(Quota::SigningCertificatesPerUser));
        assert!(user.tags.len() <= limit(Quota::TagsPerResource));
        assert!(
            user.tags
                .iter()
                .all(|(key, tag)| *key == trueup_model::fold_tag_key(&tag.key))
        );
    }
    for (key, group) in &state.groups {
        check_entity(
            key,
            &group.entity,
            limit(Quota::AttachedPoliciesPerGroup),
            limit(Quota::GroupPolicySize),
        );
    }
    for (key, role) in &state.roles {
        check_entity(
            key,
            &role.entity,
            limit(Quota::AttachedPoliciesPerRole),
            limit(Quota::RolePolicySize),
        );
        assert!(role.boundary.iter().all(|arn| state.has_policy(arn)));
    }
    for role in state.roles.values() {
        let named = crate::trust::principals(&role.trust);
        let is_own = |text: &str| {
            text.starts_with("arn:aws:iam::123456789012:user/") || text.starts_with("arn:aws:iam::123456789012:role/")
        };
        assert!(
            !named.iter().any(|named| is_own(&named.text)),
            "users and roles stand in trust by their ids"
        );
    }
    for (key, profile) in &state.instance_profiles {
        assert_eq!(*key, fold(&profile.name));
        let held = |id: &String| state.roles.values().any(|role| role.entity.id == *id);
        assert!(profile.role.iter().all(held), "the role of a profile exists");
    }
    for (key, policy) in &state.policies {
        assert_eq!(*key, fold(&policy.name));
        assert!(
            policy.versions.contains_key(&policy.default_version),
            "the default version exists"
        );
        assert!(policy.versions.len() <= limit(Quota::VersionsPerPolicy));
        assert!(
            policy.versions.keys().all(|number| *number < policy.next_version),
            "numbers are never reused"
        );
        assert!(
            state.customer_policy(&state.policy_arn(policy)).is_some(),
            "it is found by its ARN"
        );
    }
    for assigned in state.mfa_devices.values().filter_map(|device| device.assigned.as_ref()) {
        assert!(
            state.users.values().any(|user| user.entity.id == assigned.owner),
            "a device's owner exists"
        );
    }
    let saved = serde_json::to_string(state).unwrap();
    assert_eq!(
        serde_json::from_str::<State>(&saved).unwrap(),
        *state,
        "the file holds everything"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No sequence of calls breaks the account, and a refused call changes nothing.
    #[test]
    fn accounts_stay_whole(calls in prop::collection::vec((any::<usize>(), prop::array::uniform5(0usize..1000)), 1..250)) {
        let mut state = State::new("123456789012", "aws", Timestamp::UNIX_EPOCH);
        for (key, limit) in [
            ("AttachedPoliciesPerUserQuota", 2), ("AttachedPoliciesPerGroupQuota", 2), ("GroupsPerUserQuota", 1),
            ("UserPolicySizeQuota", 300), ("GroupPolicySizeQuota", 300), ("VersionsPerPolicyQuota", 3),
        ] {
            state.quotas.set(key, limit);
        }
        // An account with one of each is where most calls have something to do.
        let creations = ["CreateUser", "CreateGroup", "CreateRole", "CreatePolicy"];
        let first = creations.map(|name| (writes().iter().position(|write| *write == name).unwrap_or_default(), [0; 5]));
        for (operation, draw) in first.into_iter().chain(calls) {
            let request = call(&state, operation, &draw);
            let Some(Handler::Write(write)) = ops::find(&request.action, &request.version) else { continue };
            let before = state.clone();
            if let Err(refusal) = write(&mut state, &request) {
                prop_assert_eq!(&before, &state, "{} {:?}", request.action, refusal);
            }
            check(&state);
        }
    }
}
