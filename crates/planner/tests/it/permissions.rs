//! The policies for the tool itself: taken by IAM's rules, free of findings, and no wider than they have to be.

use std::collections::BTreeSet;

use trueup_access::{Engine, IamData};
use trueup_model::{AccountId, Desired, GroupName, KindScope, Path, PolicyArn, PolicyDocument, document::DocumentKind};
use trueup_planner::{
    Call,
    permissions::{Github, Job, Lock, Purpose, Request, policy, trust_of_github},
};

use crate::build::{ACCOUNT, arn, desired};

const READS: [&str; 13] = [
    "GetAccountAuthorizationDetails",
    "GetAccountPasswordPolicy",
    "GetAccountSummary",
    "GetLoginProfile",
    "GetPolicy",
    "GetPolicyVersion",
    "ListAccessKeys",
    "ListAccountAliases",
    "ListMFADevices",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
    "ListSigningCertificates",
    "ListVirtualMFADevices",
];

const LOOKS: [&str; 4] = ["GetGroup", "GetLoginProfile", "GetUser", "ListPolicyVersions"];

fn made(purpose: Purpose, manifest: Option<&Desired>, boundary: Option<&PolicyArn>) -> PolicyDocument {
    with_lock(purpose, manifest, boundary, None)
}

fn with_lock(
    purpose: Purpose,
    manifest: Option<&Desired>,
    boundary: Option<&PolicyArn>,
    lock: Option<Lock<'_>>,
) -> PolicyDocument {
    policy(&Request {
        purpose,
        reads: READS.into(),
        looks: LOOKS.into(),
        partition: "aws",
        account: Some(&AccountId::new(ACCOUNT).unwrap()),
        manifest,
        boundary,
        own_roles: &["trueup-plan".to_owned(), "ci/trueup-apply".to_owned()],
        lock,
    })
    .unwrap()
}

/// Every action that some statement allows, in the canonical form, which is lower case.
fn allowed(document: &PolicyDocument) -> BTreeSet<String> {
    let allows = document.statements().iter().filter(|statement| statement.is_allow());
    allows
        .flat_map(|statement| statement.actions().into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn resources(document: &PolicyDocument, sid: &str) -> Vec<String> {
    let statement = document
        .statements()
        .iter()
        .find(|statement| statement.sid() == Some(sid));
    let resources = statement.map(|statement| statement.resources()).unwrap_or_default();
    resources.into_iter().map(str::to_owned).collect()
}

fn narrowed() -> Desired {
    let mut desired = desired();
    desired.account.alias = None;
    desired.account.password_policy = None;
    desired.scope.users.paths = ["/platform/", "/odd*path/"].map(|path| Path::new(path).unwrap()).into();
    desired.scope.groups.paths = [Path::root()].into();
    desired.scope.policies = KindScope::implied(false);
    desired.external.groups = [GroupName::new("Admins").unwrap()].into();
    desired
}

#[test]
fn iam_would_take_them_and_the_lint_finds_nothing() {
    let narrowed = narrowed();
    let boundary = arn("team-boundary");
    for purpose in [Purpose::Plan, Purpose::Apply] {
        for manifest in [None, Some(&narrowed)] {
            for boundary in [None, Some(&boundary)] {
                let document = made(purpose, manifest, boundary);
                assert_eq!(document.refusal(DocumentKind::Managed), None, "{}", document.pretty());
                assert!(
                    document.size() <= trueup_model::quota::MANAGED_POLICY_SIZE,
                    "{}",
                    document.size()
                );
                let found = Engine::new(IamData::embedded()).lint(&document);
                // Asking the tool's own role for MFA would lock it out: a job has no device.
                let found: Vec<_> = found
                    .iter()
                    .filter(|lint| lint.code.as_str() != "missing-mfa-condition")
                    .collect();
                assert!(found.is_empty(), "{found:#?}\n{}", document.pretty());
            }
        }
    }
}

#[test]
fn planning_allows_the_reads_and_applying_every_call_of_a_plan_as_well() {
    let named = |operations: &[&str]| {
        operations
            .iter()
            .map(|name| format!("iam:{name}").to_lowercase())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(allowed(&made(Purpose::Plan, None, None)), named(&READS));
    let calls: Vec<_> = Call::OPERATIONS.iter().map(|(operation, _)| *operation).collect();
    let everything = [&READS[..], &LOOKS, &calls].concat();
    assert_eq!(allowed(&made(Purpose::Apply, None, None)), named(&everything));
}

#[test]
fn the_lock_is_one_object_and_only_for_those_who_apply() {
    let lock = Lock {
        bucket: "acme-locks",
        // S3 allows all of these in keys, and a policy would take them for wildcards.
        key: "prod/what*is?$this.lock",
        actions: &["s3:GetObject", "s3:PutObject"],
    };
    let document = with_lock(Purpose::Apply, None, None, Some(lock));
    assert_eq!(
        resources(&document, "TrueupLock"),
        ["arn:aws:s3:::acme-locks/prod/what${*}is${?}${$}this.lock"]
    );
    assert_eq!(document.refusal(DocumentKind::Managed), None, "{}", document.pretty());
    let with = allowed(&document);
    let without = allowed(&made(Purpose::Apply, None, None));
    let added: Vec<&String> = with.difference(&without).collect();
    assert_eq!(added, ["s3:getobject", "s3:putobject"]);
    assert_eq!(
        with_lock(Purpose::Plan, None, None, Some(lock)),
        made(Purpose::Plan, None, None)
    );
}

#[test]
fn a_manifest_narrows_to_its_scope() {
    let document = made(Purpose::Apply, Some(&narrowed()), None);
    let here = |resource: &str| format!("arn:aws:iam::{ACCOUNT}:{resource}");
    // IAM allows stars in paths, and a policy would take one for a wildcard.
    let users = [here("user/odd${*}path/*"), here("user/platform/*")];
    assert_eq!(resources(&document, "TrueupUsers"), users);
    let groups = [here("group/*"), here("group/*/Admins"), here("group/Admins")];
    assert_eq!(resources(&document, "TrueupGroups"), groups);
    // Nothing is said of the account's own settings, and no policies are owned.
    assert_eq!(resources(&document, "TrueupAccount"), [""; 0]);
    assert_eq!(resources(&document, "TrueupPolicies"), [""; 0]);
    assert_eq!(
        resources(&document, "TrueupReadsPolicies"),
        ["arn:aws:iam::aws:policy/*"]
    );
}

#[test]
fn the_roles_that_hold_them_stay_out_of_reach() {
    let document = made(Purpose::Apply, None, None);
    let denied = resources(&document, "TrueupLeavesItselfAlone");
    for own in [
        "role/trueup-plan",
        "policy/trueup-plan",
        "role/ci/trueup-apply",
        "policy/ci/trueup-apply",
    ] {
        assert!(
            denied.contains(&format!("arn:aws:iam::{ACCOUNT}:{own}")),
            "{own}: {denied:?}"
        );
    }
    assert!(!allowed(&document).iter().any(|action| action.contains("role")));
}

#[test]
fn with_a_boundary_nobody_without_it_is_given_anything() {
    let boundary = arn("team-boundary");
    let document = made(Purpose::Apply, None, Some(&boundary));
    for statement in document.statements().iter().filter(|statement| statement.is_allow()) {
        let gives = statement.actions().into_iter().any(|action| {
            [
                "iam:createuser",
                "iam:attachuserpolicy",
                "iam:putuserpolicy",
                "iam:putuserpermissionsboundary",
            ]
            .contains(&action)
        });
        assert_eq!(gives, statement.has("Condition"), "{}", statement.canonical_text());
    }
    assert!(!allowed(&document).contains("iam:deleteuserpermissionsboundary"));
    assert_eq!(
        resources(&document, "TrueupLeavesTheBoundaryAlone"),
        [boundary.as_str()]
    );
}

fn subjects(repository: &str, purpose: Purpose, environment: Option<&str>) -> Vec<String> {
    let account = AccountId::new(ACCOUNT).unwrap();
    let job = Job {
        purpose,
        branch: "main",
        environment,
    };
    let document = trust_of_github("aws", &account, &repository.parse().unwrap(), job).unwrap();
    assert_eq!(document.refusal(DocumentKind::Trust), None, "{}", document.pretty());
    let text: serde_json::Value = serde_json::from_str(document.as_text()).unwrap();
    let claims = &text["Statement"][0]["Condition"]["StringEquals"];
    assert_eq!(claims["token.actions.githubusercontent.com:aud"], "sts.amazonaws.com");
    let subjects = claims["token.actions.githubusercontent.com:sub"]
        .as_array()
        .unwrap()
        .iter();
    subjects.map(|subject| subject.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_repository_is_trusted_in_both_forms_and_without_wildcards() {
    let subject = |purpose, environment| subjects("acme@123456/accounts@456789", purpose, environment);
    assert_eq!(
        subject(Purpose::Apply, Some("prod:eu")),
        [
            "repo:acme/accounts:environment:prod%3Aeu",
            "repo:acme@123456/accounts@456789:environment:prod%3Aeu"
        ]
    );
    assert_eq!(
        subject(Purpose::Plan, None),
        [
            "repo:acme/accounts:pull_request",
            "repo:acme/accounts:ref:refs/heads/main",
            "repo:acme@123456/accounts@456789:pull_request",
            "repo:acme@123456/accounts@456789:ref:refs/heads/main",
        ]
    );
    assert_eq!(
        subjects("acme/accounts", Purpose::Apply, None),
        ["repo:acme/accounts:ref:refs/heads/main"]
    );
    for bad in [
        "acme",
        "acme/",
        "/accounts",
        "acme/*",
        "acme@1/accounts",
        "acme@x/accounts@1",
        "a:b/c",
        "a/b/c",
    ] {
        assert!(bad.parse::<Github>().is_err(), "{bad}");
    }
}
