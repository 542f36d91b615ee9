//! Lint of policies.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails to set up its case has failed"
)]

#[path = "managed/mod.rs"]
mod managed;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_access::{Engine, IamData, PolicyLint, PolicyLintCode, Severity};
use trueup_model::PolicyDocument;

fn lint(statements: Value) -> Vec<PolicyLint> {
    let document = PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap();
    Engine::new(IamData::embedded()).lint(&document)
}

fn codes(statements: Value) -> Vec<&'static str> {
    lint(statements).iter().map(|lint| lint.code.as_str()).collect()
}

fn one(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

#[test]
fn sound_statements_have_no_findings() {
    assert_eq!(codes(one("s3:GetObject", "arn:aws:s3:::reports/*")), [""; 0]);
    assert_eq!(codes(one("s3:ListAllMyBuckets", "*")), [""; 0]);
    assert_eq!(codes(one("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*")), [""; 0]);
    assert_eq!(codes(one("*", "*")), ["missing-mfa-condition"]);
}

#[test]
fn names_that_nobody_has_are_warnings_with_the_date() {
    let found = lint(one("s3:GetObjekt", "*"));
    assert_eq!(found[0].code, PolicyLintCode::UnknownAction);
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(
        found[0].message,
        "Amazon S3 has no action `s3:getobjekt`, as of the action data of 2026-09-26; did you mean `s3:GetObject`?"
    );
    let found = lint(one("s33:GetObject", "*"));
    assert!(found[0].message.ends_with("did you mean `s3`?"), "{found:?}");
    assert_eq!(found[0].code, PolicyLintCode::UnknownService);
    assert_eq!(codes(one("s3:Fetch*", "*")), ["pattern-without-action"]);
    // Nothing is guessed where nothing is alike.
    assert!(!lint(one("s3:Frobnicate", "*"))[0].message.contains("did you mean"));
}

#[test]
fn actions_and_resources_have_to_fit() {
    let found = lint(one("s3:GetObject", "arn:aws:s3:::reports"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].code, PolicyLintCode::ActionWithoutResource);
    assert!(
        found[0]
            .message
            .contains("; it works on such as `arn:aws:s3:::example-bucket/example-object`"),
        "{found:?}"
    );
    assert_eq!(found[1].code, PolicyLintCode::ResourceWithoutAction);
    let found = lint(one("s3:ListAllMyBuckets", "arn:aws:s3:::*"));
    assert!(found[0].message.contains("takes no resource"), "{found:?}");
    let both = json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]});
    assert_eq!(codes(both), [""; 0]);
    let other = json!({"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::reports/*", "arn:aws:sqs:*:*:queue"]});
    assert_eq!(codes(other), ["resource-without-action"]);
    assert_eq!(codes(one("s3:GetObject", "arn:aws:s3")), ["short-arn"]);
}

#[test]
fn statements_without_effect_beside_the_others() {
    let covered = json!([one("s3:*", "*"), one("s3:GetObject", "arn:aws:s3:::a/*")]);
    let found = lint(covered);
    assert_eq!(
        found.iter().map(|lint| (lint.code, lint.index)).collect::<Vec<_>>(),
        [(PolicyLintCode::RedundantStatement, 1)]
    );
    let twice = json!([one("s3:GetObject", "*"), one("s3:GetObject", "*")]);
    assert_eq!(lint(twice).iter().map(|lint| lint.index).collect::<Vec<_>>(), [1]);
    let denied =
        json!([one("s3:GetObject", "arn:aws:s3:::a/*"), {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]);
    assert_eq!(codes(denied), ["unreachable-statement"]);
    let partly = json!([one("s3:GetObject", "arn:aws:s3:::a/*"),
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]);
    assert_eq!(codes(partly), [""; 0]);
    // Two halves cover a whole.
    let halves = json!([
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "x"}}}
    ]);
    assert_eq!(codes(halves), ["redundant-statement"]);
}

#[test]
fn risks() {
    let not_action = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    assert_eq!(codes(not_action), ["allow-with-not-action"]);
    let not_resource = json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::secret/*"});
    assert_eq!(codes(not_resource), ["allow-with-not-resource"]);
    assert_eq!(codes(one("kms:*", "*")), ["wildcard-in-sensitive-service"]);
    assert_eq!(codes(one("iam:PassRole", "*")), ["pass-role-on-everything"]);
    assert_eq!(
        codes(one("iam:Pass*", "arn:aws:iam::111122223333:role/*")),
        ["pass-role-on-everything"]
    );
    assert_eq!(
        codes(one("iam:PassRole", "arn:aws:iam::111122223333:role/app")),
        [""; 0]
    );
    assert_eq!(codes(one("sts:AssumeRole", "*")), ["assume-role-on-everything"]);
    assert_eq!(codes(one("iam:AttachUserPolicy", "*")), ["missing-mfa-condition"]);
    let with_mfa = json!({"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    assert_eq!(codes(with_mfa), [""; 0]);
}

#[test]
fn every_code_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<&str> = PolicyLintCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), PolicyLintCode::ALL.len());
}

#[test]
fn managed_policies_name_few_actions_that_the_data_lacks() {
    let mut engine = Engine::new(IamData::embedded());
    let mut counts: BTreeMap<PolicyLintCode, usize> = BTreeMap::new();
    for (_, document) in managed::managed_policies().iter().step_by(3) {
        for lint in engine.lint(document) {
            *counts.entry(lint.code).or_default() += 1;
        }
    }
    let unknown = counts.get(&PolicyLintCode::UnknownAction).copied().unwrap_or(0);
    assert!((1..200).contains(&unknown), "{counts:?}");
    assert_eq!(counts.get(&PolicyLintCode::ShortArn), None, "{counts:?}");
}

/// The page that explains every code names all of them, with their severities, and no others.
#[test]
fn every_code_is_documented() {
    let page = include_str!("../../../docs/lints.md");
    let rows: BTreeMap<&str, &str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let mut cells = line.split(" | ");
            (cells.next().unwrap().trim_end_matches('`'), cells.next().unwrap())
        })
        .collect();
    let own = PolicyLintCode::ALL
        .iter()
        .map(|code| (code.as_str(), code.severity().to_string()));
    let of_documents = trueup_model::document::LINT_CODES
        .iter()
        .map(|code| (*code, Severity::Warning.to_string()));
    let expected: BTreeMap<&str, String> = own.chain(of_documents).collect();
    let found: BTreeMap<&str, String> = rows
        .iter()
        .map(|(code, severity)| (*code, (*severity).to_owned()))
        .collect();
    assert_eq!(found, expected);
}

/// What the page says that a lint is found in has it.
#[test]
fn documented_examples_have_their_lint() {
    let allow = |action: &str| one(action, "*");
    for (code, statements) in [
        ("unknown-service", json!([allow("s33:GetObject")])),
        ("unknown-action", json!([allow("s3:GetObjekt")])),
        ("pattern-without-action", json!([allow("s3:Fetch*")])),
        (
            "action-without-resource",
            json!([one("s3:GetObject", "arn:aws:s3:::reports")]),
        ),
        (
            "resource-without-action",
            json!([{"Effect": "Allow", "Action": "s3:GetObject",
                "Resource": ["arn:aws:s3:::reports/*", "arn:aws:sqs:*:*:jobs"]}]),
        ),
        ("short-arn", json!([one("s3:GetObject", "arn:aws:s3")])),
        (
            "unreachable-statement",
            json!([allow("s3:GetObject"), {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]),
        ),
        ("redundant-statement", json!([allow("s3:GetObject"), allow("s3:*")])),
        (
            "allow-with-not-action",
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
        ),
        (
            "allow-with-not-resource",
            json!([{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::secret/*"}]),
        ),
        ("wildcard-in-sensitive-service", json!([allow("kms:*")])),
        ("pass-role-on-everything", json!([allow("iam:PassRole")])),
        ("assume-role-on-everything", json!([allow("sts:AssumeRole")])),
        ("missing-mfa-condition", json!([allow("iam:AttachUserPolicy")])),
    ] {
        assert!(codes(statements.clone()).contains(&code), "{code}: {statements}");
    }
}
