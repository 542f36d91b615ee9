//! An exported manifest, parsed again, asks for exactly what is live.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use serde_json::json;
use trueup_manifest::{ExportOptions, Exported, MemoryFiles, export, parse, render};
use trueup_model::{
    Desired, Live, Path, PolicyName, UserName,
    desired::{AliasWish, BoundaryWish, PasswordPolicyWish, PolicyRef},
};

const BOUNDARY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":["ec2:*","s3:*"],"Resource":"*"}]}"#;
const OLD: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

fn policy(name: &str, path: &str, document: &str) -> serde_json::Value {
    json!({
        "name": name, "id": "ANPA1", "arn": format!("arn:aws:iam::123456789012:policy{path}{name}"), "path": path,
        "created": "2026-01-01T00:00:00Z", "default_version": "v2",
        "versions": {
            "v1": {"created": "2026-01-01T00:00:00Z", "document": "{}"},
            "v2": {"created": "2026-01-01T00:00:00Z", "document": document},
        },
        "attachment_count": 0, "boundary_count": 0,
        "metadata": {"tags": {"Team": "a", "team": "b", "aws:cloudformation:stack-name": "x"}, "description": "What: it's # 1"},
    })
}

fn group(name: &str, path: &str, managed: &[&str], inline: serde_json::Value) -> serde_json::Value {
    json!({
        "name": name, "id": "AGPA1", "arn": format!("arn:aws:iam::123456789012:group{path}{name}"), "path": path,
        "created": "2026-01-01T00:00:00Z", "managed_policies": managed, "inline_policies": inline,
    })
}

fn user(name: &str, path: &str, changes: serde_json::Value) -> serde_json::Value {
    let mut user = json!({
        "name": name, "id": "AIDA1", "arn": format!("arn:aws:iam::123456789012:user{path}{name}"), "path": path,
        "created": "2026-01-01T00:00:00Z", "tags": {}, "groups": [], "managed_policies": [], "inline_policies": {},
        "permissions_boundary": null,
    });
    for (key, value) in changes.as_object().unwrap() {
        user[key] = value.clone();
    }
    user
}

fn named(entities: &[serde_json::Value]) -> serde_json::Value {
    entities
        .iter()
        .map(|entity| (entity["name"].as_str().unwrap().to_owned(), entity.clone()))
        .collect()
}

fn live(users: &[serde_json::Value], groups: &[serde_json::Value], policies: &[serde_json::Value]) -> Live {
    serde_json::from_value(json!({
        "account": {
            "id": "123456789012", "partition": "aws", "alias": "acme-prod",
            "password_policy": {
                "minimum_password_length": 14, "require_symbols": true, "require_numbers": true,
                "require_uppercase_characters": false, "require_lowercase_characters": true,
                "allow_users_to_change_password": true, "max_password_age": null,
                "password_reuse_prevention": 24, "hard_expiry": false,
            },
            "summary": {},
        },
        "caller": "arn:aws:iam::123456789012:root",
        "users": named(users), "groups": named(groups), "policies": named(policies),
        "aws_policies": {}, "roles": {}, "virtual_mfa_devices": null,
    }))
    .unwrap()
}

fn text(exported: &Exported) -> &str {
    &exported.files["trueup.yaml"]
}

fn read_back(exported: &Exported) -> Desired {
    let parsed = parse(&MemoryFiles::new(exported.files.clone()));
    parsed
        .desired
        .unwrap_or_else(|| panic!("{}\n{}", text(exported), render(&parsed.diagnostics, false)))
}

/// Everything that is compared between desired and live is the same.
fn assert_same(live: &Live, desired: &Desired) {
    for user in desired.users.values() {
        let found = &live.users[&user.name];
        assert!(found.name.same_spelling(&user.name));
        assert_eq!(user.path.clone().unwrap_or_else(Path::root), found.path);
        let own = |tags: &trueup_model::Tags| -> trueup_model::Tags {
            tags.clone()
                .into_iter()
                .filter(|(key, _)| !trueup_model::is_reserved_tag_key(key))
                .collect()
        };
        assert_eq!(user.tags, own(&found.tags));
        assert_eq!(user.groups, found.groups);
        assert_eq!(user.inline_policies, found.inline_policies);
        let arns = |refs: &BTreeSet<PolicyRef>| -> BTreeSet<String> {
            refs.iter().map(|reference| arn(live, reference)).collect()
        };
        let attached: BTreeSet<String> = found
            .managed_policies
            .iter()
            .map(|arn| arn.as_str().to_owned())
            .collect();
        assert_eq!(arns(&user.managed_policies), attached);
        match (&user.permissions_boundary, &found.permissions_boundary) {
            (BoundaryWish::Keep, None) => {}
            (BoundaryWish::Present(reference), Some(boundary)) => assert_eq!(arn(live, reference), boundary.as_str()),
            other => panic!("{other:?}"),
        }
        assert_eq!((user.login_profile, user.mfa, user.expires), (None, None, None));
    }
    for group in desired.groups.values() {
        let found = &live.groups[&group.name];
        assert!(found.name.same_spelling(&group.name));
        assert_eq!(group.path.clone().unwrap_or_else(Path::root), found.path);
        assert_eq!(group.inline_policies, found.inline_policies);
        assert_eq!(group.managed_policies.len(), found.managed_policies.len());
    }
    for policy in desired.policies.values() {
        let found = &live.policies[&policy.name];
        assert_eq!(policy.path.clone().unwrap_or_else(Path::root), found.path);
        assert_eq!(Some(&policy.document), found.document());
        assert_eq!(policy.description, found.metadata.as_ref().unwrap().description);
    }
}

fn arn(live: &Live, reference: &PolicyRef) -> String {
    match reference {
        PolicyRef::Declared(name) => live.policies[name].arn.as_str().to_owned(),
        PolicyRef::Arn(arn) => arn.as_str().to_owned(),
    }
}

fn messy() -> Live {
    let awkward = r##"{"Version":"2012-10-17","Id":"yes","Statement":{"Effect":"Deny","NotAction":"iam:*","Resource":
        ["arn:aws:s3:::b/${aws:username}/*","*"],"Condition":{"StringEquals":{"aws:RequestTag/0042":["no","~","","<<","=",
        "1_000","2026-01-05T10:00:00Z","a: b","- x","#y","\u00e9\u2028\u0001 \"q\" \\ '"],"aws:PrincipalAccount":12345678901,
        "n":123456789012,"big":12345678901234567},"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"x":1.5,"y":-3}}}}"##;
    live(
        &[
            user(
                "no",
                "/",
                json!({"groups": ["Admins"], "tags": {"null": "yes", "k e y": "0x1F", "trueup:x": "1", "AKIAIOSFODNN7EXAMPLE": "x"}}),
            ),
            user(
                "1234",
                "/people/",
                json!({"managed_policies": ["arn:aws:iam::aws:policy/job-function/Billing", "arn:aws:iam::123456789012:policy/team/boundary"]}),
            ),
            user(
                "0042",
                "/people/x//y/",
                json!({"inline_policies": {"a": awkward, "On": BOUNDARY}}),
            ),
            user(
                "bob@example.com",
                "/a*:b/",
                json!({"permissions_boundary": "arn:aws:iam::123456789012:policy/old"}),
            ),
            user("-x", "/", json!({})),
            user("=", "/", json!({"tags": {"": "x"}})),
            user(
                "foreign",
                "/",
                json!({"managed_policies": ["arn:aws:iam::999999999999:policy/x"]}),
            ),
            user(
                "opaque",
                "/",
                json!({"inline_policies": {"a": "{\"Version\": 1, \"Version\": 2}"}}),
            ),
        ],
        &[
            group(
                "Admins",
                "/",
                &["arn:aws:iam::aws:policy/AdministratorAccess"],
                json!({}),
            ),
            group(
                "odd",
                "/g/",
                &[],
                json!({"refused": "{\"Version\":\"2012-10-17\",\"Statement\":[]}"}),
            ),
            group(
                "y",
                "/g/",
                &["arn:aws:iam::123456789012:policy/team/boundary"],
                json!({"p": BOUNDARY}),
            ),
        ],
        &[
            policy("boundary", "/team/", BOUNDARY),
            policy("old", "/", OLD),
            policy("true", "/", BOUNDARY),
        ],
    )
}

#[test]
fn a_messy_account_comes_back_as_it_is() {
    let live = messy();
    let exported = export(&live, &ExportOptions::default());
    let desired = read_back(&exported);
    assert_same(&live, &desired);
    assert_eq!(desired.users.len(), 5, "{}", text(&exported));
    assert_eq!(desired.groups.len(), 2);
    assert_eq!(desired.policies.len(), 2);
    assert_eq!(
        desired.account.alias,
        live.account.alias.clone().map(AliasWish::Present)
    );
    assert_eq!(
        desired.account.password_policy,
        live.account.password_policy.clone().map(PasswordPolicyWish::Custom)
    );
    // What cannot be expressed is named, with a note.
    let external: Vec<_> = desired.external.policies.iter().map(|arn| arn.as_str()).collect();
    assert_eq!(external, ["arn:aws:iam::123456789012:policy/old"]);
    assert!(
        desired
            .external
            .groups
            .contains(&trueup_model::GroupName::from_live("odd"))
    );
    for name in ["=", "foreign", "opaque"] {
        assert!(
            desired.scope.ignores_user(name, &Default::default()).is_some(),
            "{name}"
        );
    }
    assert_eq!(exported.notes.len(), 5, "{:#?}", exported.notes);
    assert_eq!(export(&live, &ExportOptions::default()), exported);
}

#[test]
fn other_yaml_readers_read_the_same() {
    let live = messy();
    let exported = export(&live, &ExportOptions::default());
    let read: serde_json::Value = serde_yaml::from_str(text(&exported)).unwrap();
    let users: Vec<&str> = read["users"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(users, ["-x", "0042", "1234", "bob@example.com", "no"]);
    assert_eq!(read["users"]["no"]["tags"], json!({"null": "yes", "k e y": "0x1F"}));
    let condition = &read["users"]["0042"]["inline_policies"]["a"]["Statement"]["Condition"];
    let odd = &condition["StringEquals"]["aws:RequestTag/0042"];
    assert_eq!(odd[10], "é\u{2028}\u{1} \"q\" \\ '");
    assert_eq!(condition["StringEquals"]["n"], "123456789012");
    assert_eq!(condition["Bool"]["aws:SecureTransport"], false);
}

#[test]
fn a_part_of_the_account_names_the_rest_as_external() {
    let live = live(
        &[
            user(
                "pat",
                "/payments/core/",
                json!({
                    "groups": ["payments", "everybody"],
                    "managed_policies": ["arn:aws:iam::123456789012:policy/base"],
                }),
            ),
            user("root-admin", "/", json!({"groups": ["payments"]})),
            user("elsewhere", "/", json!({"groups": ["everybody"]})),
        ],
        &[
            group(
                "payments",
                "/payments/",
                &["arn:aws:iam::123456789012:policy/payments/own"],
                json!({}),
            ),
            group("everybody", "/", &[], json!({})),
        ],
        &[
            policy("own", "/payments/", BOUNDARY),
            policy("base", "/", BOUNDARY),
            policy("other", "/", BOUNDARY),
        ],
    );
    let options = ExportOptions {
        paths: BTreeSet::from([Path::new("/payments/").unwrap()]),
    };
    let exported = export(&live, &options);
    let desired = read_back(&exported);
    assert_same(&live, &desired);
    assert_eq!(desired.users.keys().collect::<Vec<_>>(), [&UserName::from_live("pat")]);
    assert_eq!(
        desired.policies.keys().collect::<Vec<_>>(),
        [&PolicyName::from_live("own")]
    );
    assert_eq!(desired.groups.len(), 1);
    assert_eq!(desired.account.alias, None);
    assert_eq!(desired.account.password_policy, None);
    assert_eq!(desired.external.groups.len(), 1);
    assert_eq!(desired.external.policies.len(), 1);
    for scope in [&desired.scope.users, &desired.scope.groups, &desired.scope.policies] {
        assert_eq!(scope.paths, options.paths);
    }
    // A member from elsewhere stays a member.
    assert!(desired.scope.ignores_user("root-admin", &Default::default()).is_some());
    assert!(desired.scope.ignores_user("elsewhere", &Default::default()).is_none());
    assert_eq!(exported.notes.len(), 1, "{:?}", exported.notes);
}

#[test]
fn an_empty_account_still_makes_a_manifest() {
    let mut live = live(&[], &[], &[]);
    live.account.alias = None;
    live.account.password_policy = None;
    let nothing_below = ExportOptions {
        paths: BTreeSet::from([Path::new("/nobody/").unwrap()]),
    };
    for options in [ExportOptions::default(), nothing_below] {
        let desired = read_back(&export(&live, &options));
        assert_eq!(desired.account.password_policy, Some(PasswordPolicyWish::AwsDefault));
    }
}
