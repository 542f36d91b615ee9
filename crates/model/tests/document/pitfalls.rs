//! Lints for documents that require MFA.

use serde_json::{Value, json};
use trueup_model::PolicyDocument;
use trueup_model::document::LintContext;

const NOBODY_SPECIAL: LintContext<'static> = LintContext {
    partition: Some("aws"),
    users_have_paths: false,
    password_reset_required: false,
    attached_to_role: false,
};

/// The statement that the guide gives.
fn documented() -> Value {
    json!({
        "Sid": "DenyAllExceptListedIfNoMFA",
        "Effect": "Deny",
        "NotAction": [
            "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetMFADevice", "iam:GetUser", "iam:ListMFADevices",
            "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken",
        ],
        "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    })
}

fn codes_of(version: &str, statements: Value, context: &LintContext<'_>) -> Vec<&'static str> {
    let document = PolicyDocument::from_value(json!({"Version": version, "Statement": statements})).unwrap();
    document
        .mfa_pitfalls(context)
        .into_iter()
        .map(|lint| lint.code)
        .collect()
}

fn codes(statements: Value) -> Vec<&'static str> {
    codes_of("2012-10-17", statements, &NOBODY_SPECIAL)
}

fn allow(resource: Value) -> Value {
    json!([{"Effect": "Allow", "Action": ["iam:GetUser", "iam:EnableMFADevice"], "Resource": resource}])
}

#[test]
fn the_documented_policy_is_fine() {
    let allows = [
        json!({"Effect": "Allow", "Action": ["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"], "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "iam:CreateVirtualMFADevice", "Resource": "arn:aws:iam::*:mfa/*"}),
        json!({"Effect": "Allow", "Action": ["iam:ChangePassword", "iam:GetUser"],
               "Resource": ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]}),
        json!({"Effect": "Allow", "Action": "iam:DeactivateMFADevice", "Resource": "*",
               "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
        documented(),
    ];
    assert!(codes(json!(allows)).is_empty());
    let with_paths = LintContext {
        users_have_paths: true,
        ..NOBODY_SPECIAL
    };
    assert!(codes_of("2012-10-17", json!(allows), &with_paths).is_empty());
    assert!(codes_of("2012-10-17", json!(allows), &LintContext::default()).is_empty());
}

#[test]
fn a_deny_that_forgets_access_keys() {
    let mut statement = documented();
    statement["Condition"] = json!({"Bool": {"aws:multifactorauthpresent": false}});
    assert_eq!(codes(json!([statement])), ["mfa-bool-without-ifexists"]);
    // A second statement that denies what has no key closes the hole.
    let absent = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:MultiFactorAuthAge": "true"}}});
    assert!(codes(json!([statement, absent])).is_empty());
    statement["Effect"] = json!("Allow");
    assert!(codes(json!([statement])).is_empty());
}

#[test]
fn an_allow_that_forgets_access_keys() {
    let allow =
        |condition: Value| json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}]);
    let if_exists = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}});
    assert_eq!(codes(allow(if_exists)), ["mfa-allow-with-ifexists"]);
    assert!(codes(allow(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}))).is_empty());
    let both = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}, "Null": {"aws:MultiFactorAuthPresent": "false"}});
    assert!(codes(allow(both)).is_empty());
    assert!(codes(allow(json!({"BoolIfExists": {"aws:SecureTransport": "true"}}))).is_empty());
}

#[test]
fn a_deny_that_lets_the_device_be_taken_away() {
    for action in [
        "iam:DeactivateMFADevice",
        "iam:deletevirtualmfadevice",
        "iam:Deactivate*",
        "iam:Delete*MFA*",
    ] {
        let mut statement = documented();
        statement["NotAction"] = json!(["iam:EnableMFADevice", action]);
        assert_eq!(
            codes(json!([statement])),
            ["mfa-deny-exempts-device-removal"],
            "{action}"
        );
    }
    let mut without_condition = documented();
    without_condition["NotAction"] = json!(["iam:*"]);
    without_condition["Condition"] = json!({});
    assert!(codes(json!([without_condition])).is_empty(), "no statement about MFA");
}

#[test]
fn a_deny_that_stops_the_first_password_change() {
    let reset = LintContext {
        password_reset_required: true,
        ..NOBODY_SPECIAL
    };
    let first = |statement: &Value| codes_of("2012-10-17", json!([statement]), &reset);
    assert_eq!(first(&documented()), ["mfa-deny-blocks-first-password-change"]);
    let mut exempt = documented();
    exempt["NotAction"] = json!(["iam:ChangePassword", "iam:GetAccountPasswordPolicy"]);
    assert!(first(&exempt).is_empty());
    let narrow = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}});
    assert!(first(&narrow).is_empty());
}

#[test]
fn a_deny_on_a_role() {
    let role = LintContext {
        attached_to_role: true,
        ..NOBODY_SPECIAL
    };
    assert_eq!(
        codes_of("2012-10-17", json!([documented()]), &role),
        ["mfa-deny-on-role"]
    );
}

#[test]
fn own_user_resources() {
    let own = json!("arn:aws:iam::*:user/${aws:username}");
    let with_paths = LintContext {
        users_have_paths: true,
        ..NOBODY_SPECIAL
    };
    assert_eq!(
        codes_of("2012-10-17", allow(own.clone()), &with_paths),
        ["username-misses-paths"]
    );
    assert!(codes(allow(own.clone())).is_empty(), "nobody has a path");
    let both = json!([own, "arn:aws:iam::*:user/*/${aws:UserName}"]);
    assert!(codes_of("2012-10-17", allow(both), &with_paths).is_empty());
    let everybody = json!([own, "arn:aws:iam::123456789012:user/*"]);
    assert!(codes_of("2012-10-17", allow(everybody), &with_paths).is_empty());
    assert_eq!(
        codes(allow(json!("arn:aws:iam::*:user/*${aws:username}"))),
        ["username-matches-others"]
    );
}

#[test]
fn own_device_resources() {
    let own = "arn:aws:iam::*:mfa/${aws:username}";
    assert_eq!(codes(allow(json!([own]))), ["mfa-device-named-after-user"]);
    assert!(codes(allow(json!([own, "arn:aws:iam::*:mfa/*"]))).is_empty());
    assert!(codes(allow(json!("arn:aws:iam::*:mfa/*"))).is_empty());
}

#[test]
fn variables_under_the_old_version() {
    let own = || allow(json!(["arn:aws:iam::*:user/${aws:username}"]));
    assert_eq!(
        codes_of("2008-10-17", own(), &NOBODY_SPECIAL),
        ["variable-under-old-version"]
    );
    let absent = PolicyDocument::from_value(json!({"Statement": own()})).unwrap();
    assert_eq!(
        absent.mfa_pitfalls(&NOBODY_SPECIAL)[0].code,
        "variable-under-old-version"
    );
    let condition = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "${aws:username}/*"}}}]);
    assert_eq!(
        codes_of("2008-10-17", condition.clone(), &NOBODY_SPECIAL),
        ["variable-under-old-version"]
    );
    assert!(codes(condition).is_empty());
    assert!(codes_of("2008-10-17", allow(json!("arn:aws:s3:::a$")), &NOBODY_SPECIAL).is_empty());
}

#[test]
fn partitions() {
    let (here, there, any) = ("arn:aws:iam::*:mfa/*", "arn:aws-cn:iam::*:mfa/*", "arn:*:iam::*:mfa/*");
    assert_eq!(codes(allow(json!([here, there]))), ["resource-in-other-partition"]);
    assert!(codes(allow(json!([here, any, "*"]))).is_empty());
    let unknown = LintContext::default();
    assert_eq!(
        codes_of("2012-10-17", allow(json!([here, there, any])), &unknown),
        ["resource-in-other-partition"]
    );
    assert!(codes_of("2012-10-17", allow(json!([there, any])), &unknown).is_empty());
}

#[test]
fn a_lint_names_its_statement_and_what_to_write() {
    let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let mut statement = documented();
    statement["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}});
    let document =
        PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": [allow, statement]})).unwrap();
    let lints = document.mfa_pitfalls(&NOBODY_SPECIAL);
    assert_eq!(lints[0].index, 1);
    assert_eq!(lints[0].statement, "DenyAllExceptListedIfNoMFA");
    assert!(lints[0].message.contains("write `BoolIfExists`"));
    assert!(
        PolicyDocument::from_live("no document")
            .mfa_pitfalls(&NOBODY_SPECIAL)
            .is_empty()
    );
}
