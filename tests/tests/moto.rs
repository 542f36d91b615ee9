//! The real binary against moto, with boto3 as the witness. moto is somebody else's idea of IAM, so it finds what the
//! sandbox and trueup could have misunderstood together.

use std::fmt::Write as _;

use serde_json::{Value, json};
use trueup_tests::{
    binary::{Run, Workspace},
    python,
    service::Service,
};

const USERS: usize = 100;
const GROUPS: usize = 10;

/// A hundred users in ten groups, some with policies, tags, console passwords and access keys.
fn manifest() -> String {
    let mut text = String::from(
        r#"version: 1
account:
  id: "123456789012"
  alias: acme-moto
  password_policy: {minimum_password_length: 14, require_symbols: true, require_numbers: true, require_lowercase_characters: true, max_password_age: 90}
scope: {users: {paths: [/]}, groups: {paths: [/]}}
policies:
  baseline:
    path: /
    document: {Version: "2012-10-17", Statement: [{Sid: Base, Effect: Allow, Action: ["s3:ListBucket", "s3:GetObject"], Resource: "*"}]}
groups:
"#,
    );
    for group in 0..GROUPS {
        let _ = writeln!(
            text,
            "  team-{group}:\n    managed_policies: [baseline]\n    inline_policies:\n      work: {{Version: \"2012-10-17\", Statement: [{{Effect: Allow, Action: \"sqs:*\", Resource: \"arn:aws:sqs:*:*:team-{group}-*\"}}]}}"
        );
    }
    text.push_str("users:\n");
    for user in 0..USERS {
        let _ = writeln!(
            text,
            "  user-{user:03}:\n    path: /people/\n    tags: {{team: \"{0}\"}}\n    groups: [team-{0}]",
            user % GROUPS
        );
        if user % 20 == 0 {
            text.push_str("    login_profile: {}\n    access_keys: {count: 1, rotate_after_days: 90}\n    inline_policies:\n      reports: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: [\"s3:GetObject\"], Resource: \"*\"}]}\n");
        }
    }
    text
}

/// What boto3 should see of it.
fn expected() -> Value {
    let baseline = "arn:aws:iam::123456789012:policy/baseline";
    let users = (0..USERS).map(|user| {
        let special = user % 20 == 0;
        let inline = if special {
            json!({"reports": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}})
        } else {
            json!({})
        };
        let details = json!({
            "path": "/people/", "tags": {"team": (user % GROUPS).to_string()}, "permissions_boundary": null,
            "groups": [format!("team-{}", user % GROUPS)], "managed_policies": [], "inline_policies": inline,
            "login_profile": special, "access_keys": usize::from(special),
        });
        (format!("user-{user:03}"), details)
    });
    let groups = (0..GROUPS).map(|group| {
        let members: Vec<_> = (0..USERS)
            .filter(|user| user % GROUPS == group)
            .map(|user| format!("user-{user:03}"))
            .collect();
        let details = json!({
            "path": "/", "members": members, "managed_policies": [baseline],
            "inline_policies": {"work": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "sqs:*", "Resource": format!("arn:aws:sqs:*:*:team-{group}-*")}]}},
        });
        (format!("team-{group}"), details)
    });
    json!({
        "alias": "acme-moto",
        "password_policy": {"MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true, "RequireLowercaseCharacters": true, "MaxPasswordAge": 90},
        "users": users.collect::<serde_json::Map<_, _>>(),
        "groups": groups.collect::<serde_json::Map<_, _>>(),
        "policies": {"baseline": {"path": "/", "tags": {}, "versions": 1, "document": {"Version": "2012-10-17", "Statement": [
            {"Sid": "Base", "Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}]}}},
    })
}

fn trueup<'a>(workspace: &'a Workspace, moto: &Service) -> Run<'a> {
    python::credentials(workspace.trueup().env("TRUEUP_ENDPOINT_URL", moto.endpoint()))
}

fn dump(workspace: &Workspace, moto: &Service) -> Value {
    serde_json::from_str(&python::boto3(workspace, &moto.endpoint(), "dump.py", &[]).stdout).unwrap()
}

#[track_caller]
fn assert_same(found: &Value, expected: &Value) {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let (found, expected) = (pretty(found), pretty(expected));
    assert!(
        found == expected,
        "{}",
        trueup_tests::golden::difference("what boto3 sees", &expected, &found)
    );
}

#[test]
fn an_account_on_moto_becomes_and_stays_what_the_manifest_says() {
    let workspace = Workspace::new();
    let moto = Service::moto();
    workspace.write("trueup.yaml", manifest());

    let apply = "apply --auto-approve --plain-credentials --credentials-dir ../credentials";
    trueup(&workspace, &moto).args(apply).run().expect_exit(0);
    assert_same(&dump(&workspace, &moto), &expected());
    let plan = trueup(&workspace, &moto)
        .args("plan --detailed-exitcode")
        .run()
        .expect_exit(0);
    assert!(plan.stdout.contains("No changes."), "{}", plan.render());

    python::boto3(&workspace, &moto.endpoint(), "meddle.py", &[]);
    let drift = trueup(&workspace, &moto)
        .args("drift --format json")
        .run()
        .expect_exit(2);
    let drift: Value = serde_json::from_str(&drift.stdout).unwrap();
    let mut changes: Vec<_> = drift["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            format!(
                "{} {}",
                change["change"].as_str().unwrap(),
                change["resource"].as_str().unwrap()
            )
        })
        .collect();
    changes.sort();
    let stray = "arn:aws:iam::123456789012:policy/stray";
    let mut every_one = vec![
        "create group/team-4/member/user-014".to_owned(),
        "create group/team-5/managed-policy/arn:aws:iam::123456789012:policy/baseline".to_owned(),
        "create group/team-9/member/user-099".to_owned(),
        "create user/user-000/inline-policy/reports".to_owned(),
        "create user/user-099".to_owned(),
        "delete group/team-1/member/stranger".to_owned(),
        "delete group/team-2/member/user-010".to_owned(),
        "delete group/team-3/inline-policy/extra".to_owned(),
        format!("delete group/team-4/managed-policy/{stray}"),
        "delete user/user-011/inline-policy/extra".to_owned(),
        format!("delete user/user-012/managed-policy/{stray}"),
        "update account/alias".to_owned(),
        "update account/password-policy".to_owned(),
        "update policy/baseline".to_owned(),
        "update user/user-013".to_owned(),
        "update user/user-015".to_owned(),
        "update user/user-016".to_owned(),
        "update user/user-020/inline-policy/reports".to_owned(),
    ];
    every_one.sort();
    assert_eq!(changes, every_one);
    let unmanaged: Vec<_> = drift["unmanaged"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource"].as_str().unwrap())
        .collect();
    assert_eq!(unmanaged, ["group/strangers", "policy/stray", "user/stranger"]);

    trueup(&workspace, &moto).args(apply).run().expect_exit(3);
    trueup(&workspace, &moto)
        .args(apply)
        .args("--allow alias --allow shared-policy")
        .run()
        .expect_exit(0);
    let mut corrected = dump(&workspace, &moto);
    let left = |kind: &str, name: &str, corrected: &mut Value| corrected[kind].as_object_mut().unwrap().remove(name);
    assert_eq!(
        left("users", "stranger", &mut corrected).unwrap()["groups"],
        json!(["strangers"])
    );
    assert_eq!(
        left("groups", "strangers", &mut corrected).unwrap()["members"],
        json!(["stranger"])
    );
    assert!(left("policies", "stray", &mut corrected).is_some());
    // The edited policy was corrected by a version of its own.
    corrected["policies"]["baseline"]["versions"] = json!(1);
    assert_same(&corrected, &expected());
}

#[test]
fn an_export_of_an_account_on_moto_plans_empty() {
    let workspace = Workspace::new();
    let moto = Service::moto();
    workspace.write("trueup.yaml", manifest());
    let apply = "apply --auto-approve --plain-credentials --credentials-dir ../credentials";
    trueup(&workspace, &moto).args(apply).run().expect_exit(0);
    python::boto3(&workspace, &moto.endpoint(), "meddle.py", &[]);

    let exported = trueup(&workspace, &moto).args("export").run().expect_exit(0);
    workspace.write("exported.yaml", &exported.stdout);
    let plan = trueup(&workspace, &moto)
        .args("plan exported.yaml --detailed-exitcode")
        .run()
        .expect_exit(0);
    assert!(plan.stdout.contains("No changes."), "{}", plan.render());
}
