//! What IAM refuses and what it takes, by recorded answers.

use trueup_model::PolicyDocument;
use trueup_model::document::{DocumentKind, Owner, Stage};

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const OLD: &str = "Policy document must be version 2012-10-17 or greater.";
const NO_ACTIONS: &str = "Policy statement must contain actions.";
const NO_RESOURCES: &str = "Policy statement must contain resources.";
const NO_VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const COLONS: &str = "Actions/Condition can contain only one colon.";
const UNIQUE: &str = "Statement IDs (SID) in a single policy must be unique.";
const FULLY_QUALIFIED: &str = "Resource vendor must be fully qualified and cannot contain regexes.";
const IAM_PATH: &str = "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, \
                        group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, \
                        oidc-provider/, report/, access-report/.";

fn of(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#)
}

fn allow(members: &str) -> String {
    of(&format!(r#"{{"Effect":"Allow",{members}}}"#))
}

fn action(value: &str) -> String {
    allow(&format!(r#""Action":{value},"Resource":"*""#))
}

fn resource(value: &str) -> String {
    allow(&format!(r#""Action":"s3:ListBucket","Resource":{value}"#))
}

fn condition(value: &str) -> String {
    allow(&format!(
        r#""Action":"s3:ListBucket","Resource":"*","Condition":{value}"#
    ))
}

fn date(value: &str) -> String {
    condition(&format!(r#"{{"DateLessThanEquals":{{"a":{value}}}}}"#))
}

#[track_caller]
fn refused(kind: DocumentKind, text: &str, stage: Stage, message: &str, pointer: &str) {
    let refusal = PolicyDocument::from_live(text).refusal(kind);
    let refusal = refusal.unwrap_or_else(|| panic!("taken: {text}"));
    assert_eq!((refusal.message.as_str(), refusal.stage), (message, stage), "{text}");
    assert_eq!(refusal.pointer, pointer, "{text}");
    let code = if stage == Stage::Request {
        "ValidationError"
    } else {
        "MalformedPolicyDocument"
    };
    assert_eq!(refusal.code(), code);
}

#[track_caller]
fn refused_as_managed(text: &str, stage: Stage, message: &str, pointer: &str) {
    refused(DocumentKind::Managed, text, stage, message, pointer);
}

#[track_caller]
fn taken(kind: DocumentKind, text: &str) {
    let refusal = PolicyDocument::from_live(text).refusal(kind);
    assert_eq!(refusal, None, "{text}");
}

#[test]
fn the_grammar() {
    const OK: &str = r#""Effect":"Allow","Action":"s3:ListBucket","Resource":"*""#;
    for (text, pointer) in [
        ("This is not a json document", ""),
        ("[]", ""),
        (r#"{"Version":"2012-10-17"}"#, ""),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "/Statement"),
        (r#"{"Version":"2012-10-17","Statement":["afd"]}"#, "/Statement/0"),
        (
            &format!(r#"{{"Version":"2013-10-17","Statement":{{{OK}}}}}"#),
            "/Version",
        ),
        (&format!(r#"{{"Version":20121017,"Statement":{{{OK}}}}}"#), "/Version"),
        (
            &format!(r#"{{"Version":"2012-10-17","Statement":{{{OK}}},"Extra/field":"value"}}"#),
            "/Extra~1field",
        ),
        (
            &format!(r#"{{"version":"2012-10-17","Statement":{{{OK}}}}}"#),
            "/version",
        ),
        (
            &format!(r#"{{"Version":"2012-10-17","Id":["a"],"Statement":{{{OK}}}}}"#),
            "/Id",
        ),
        (
            &format!(r#"{{"Version":"2012-10-17","Id":{{}},"Statement":{{{OK}}}}}"#),
            "/Id",
        ),
        (&of(&format!(r#"{{{OK},"Extra":"value"}}"#)), "/Statement/Extra"),
        (
            &of(&format!(r#"[{{{OK}}},{{{OK},"action":"a:b"}}]"#)),
            "/Statement/1/action",
        ),
        (
            &of(r#"{"Effect":"invalid","Action":"a:b","Resource":"*"}"#),
            "/Statement/Effect",
        ),
        (&of(r#"{"Action":"a:b","Resource":"*"}"#), "/Statement"),
        (&of(&format!(r#"{{{OK},"Sid":{{}}}}"#)), "/Statement/Sid"),
        (&of(&format!(r#"{{{OK},"Sid":[]}}"#)), "/Statement/Sid"),
        (&resource(r#"{"a":"arn:aws:s3:::b"}"#), "/Statement/Resource"),
        (&resource(r#"["adfdf",{}]"#), "/Statement/Resource"),
        (&action("[[]]"), "/Statement/Action"),
        (&action("{}"), "/Statement/Action"),
        (&action("5"), "/Statement/Action"),
        (
            &allow(r#""NotAction":"a:b","Action":[],"Resource":"*""#),
            "/Statement/NotAction",
        ),
        (
            &allow(r#""NotAction":"a:b","Action":"a:b","Resource":"*""#),
            "/Statement/NotAction",
        ),
        (
            &allow(r#""Action":"a:b","Resource":"*","NotResource":[]"#),
            "/Statement/NotResource",
        ),
        (
            &allow(r#""Action":"a:b","Resource":"*","NotResource":"*""#),
            "/Statement/NotResource",
        ),
        (&condition("[]"), "/Statement/Condition"),
        (&condition(r#""a""#), "/Statement/Condition"),
        (&condition(r#"{"a":"b"}"#), "/Statement/Condition/a"),
        (
            &condition(r#"{"DateGreaterThan":"b"}"#),
            "/Statement/Condition/DateGreaterThan",
        ),
        (
            &condition(r#"{"DateGreaterThan":[]}"#),
            "/Statement/Condition/DateGreaterThan",
        ),
        (
            &condition(r#"{"DateGreaterThan":{"a/b":{}}}"#),
            "/Statement/Condition/DateGreaterThan/a~1b",
        ),
        (
            &condition(r#"{"StringEquals":{"a":null}}"#),
            "/Statement/Condition/StringEquals/a",
        ),
        (
            &condition(r#"{"StringEquals":{"a":[["b"]]}}"#),
            "/Statement/Condition/StringEquals/a",
        ),
        (&condition(r#"{"x":{"a":"1"}}"#), "/Statement/Condition/x"),
        (
            &condition(r#"{"stringequals":{"a":"1"}}"#),
            "/Statement/Condition/stringequals",
        ),
        (
            &condition(r#"{"ForAnyValue::StringEquals":{"a":"1"}}"#),
            "/Statement/Condition/ForAnyValue::StringEquals",
        ),
        (&condition(r#"[{"StringEquals":{"a":"b"}}]"#), "/Statement/Condition"),
        (
            &condition(r#"{"NullIfExists":{"a":"true"}}"#),
            "/Statement/Condition/NullIfExists",
        ),
        // The grammar comes before everything else that is wrong.
        (
            &allow(r#""Resource":"*","Condition":{"DateGreaterThan":{"a":{}}}"#),
            "/Statement/Condition/DateGreaterThan/a",
        ),
    ] {
        refused_as_managed(text, Stage::Grammar, SYNTAX, pointer);
    }
    for twice in [
        r#"{"Version":"2012-10-17","Version":"2012-10-17"}"#,
        "{\"Statement\":{\"Action\":1,\"Action\":1}}",
    ] {
        let refusal = PolicyDocument::from_live(twice).refusal(DocumentKind::Managed).unwrap();
        assert!(refusal.detail.unwrap().contains("duplicate key"), "{twice}");
    }
}

#[test]
fn the_version_of_a_managed_policy() {
    const STATEMENT: &str = r#""Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}"#;
    for version in ["", r#""Version":"2008-10-17","#] {
        let text = format!("{{{version}{STATEMENT}}}");
        refused_as_managed(&text, Stage::Version, OLD, "/Version");
        taken(DocumentKind::Inline(Owner::User), &text);
    }
    // Before the older parser, ids and dates.
    for statement in [
        r#"[{"Sid":"a","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"a","Effect":"Allow"}]"#,
        r#"{"Effect":"denY","Action":"a:b","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"DateGreaterThan":{"a":"x"}}}"#,
    ] {
        refused_as_managed(
            &format!(r#"{{"Statement":{statement}}}"#),
            Stage::Version,
            OLD,
            "/Version",
        );
    }
}

#[test]
fn the_older_parser() {
    for (text, pointer) in [
        (
            of(r#"{"Effect":"denY","Action":"a:b","Resource":"*"}"#),
            "/Statement/Effect",
        ),
        (
            of(r#"{"Effect":"allow","Resource":"arn:aws:s3:us-east-1::b"}"#),
            "/Statement/Effect",
        ),
        (
            of(r#"[{"Sid":"a","Effect":"aLLow","Action":"a:b","Resource":"*"},{"Sid":"a","Effect":"Allow"}]"#),
            "/Statement/0/Effect",
        ),
        (resource(r#""arn:aws:s3::b""#), "/Statement/Resource"),
        (allow(r#""Resource":"arn:aws:s3::b""#), "/Statement/Resource"),
        (resource(r#"["*","arn:aws::::b"]"#), "/Statement/Resource/1"),
        (resource(r#""arn:aws::b""#), "/Statement/Resource"),
        (
            allow(r#""Action":"a:b","NotResource":"arn:aws:s3::b""#),
            "/Statement/NotResource",
        ),
    ] {
        refused_as_managed(&text, Stage::LegacyParser, LEGACY, pointer);
    }
    for bad in [
        r#""sdfdsf""#,
        r#""234-13""#,
        r#""2016-12-13t2:00:00.593194+1""#,
        r#""2016-12-13t2:00:00.1999999999+10:59""#,
        r#""9223372036854775808""#,
        "9223372036854775808",
        r#""2016-02-32""#,
        r#""2016-1-1-1""#,
        r#""292278994-01""#,
        r#""2016-01-01T25:00""#,
        r#""2016-01-01T10:60""#,
        r#""2016-01-01T10.5""#,
        r#""2016-01-01T10:00Zz""#,
        r#""""#,
        "true",
    ] {
        let text = date(bad);
        refused_as_managed(
            &text,
            Stage::LegacyParser,
            LEGACY,
            "/Statement/Condition/DateLessThanEquals/a",
        );
    }
    // Before a partition that is not known, and before actions that are missing.
    let both = r#""Action":"a:b","Resource":"arn:error:s3:::b","Condition":{"DateGreaterThan":{"a":"x"}}"#;
    let pointer = "/Statement/Condition/DateGreaterThan/a";
    refused_as_managed(&allow(both), Stage::LegacyParser, LEGACY, pointer);
    let missing = r#""Condition":{"DateGreaterThan":{"a":"x"}}"#;
    refused_as_managed(&allow(missing), Stage::LegacyParser, LEGACY, pointer);
}

#[test]
fn dates_that_pass() {
    for good in [
        r#""2017-07-01T00:00:00Z""#,
        r#""2017-12-31T23:59:59Z""#,
        r#""01T""#,
        r#""2019-07-01T13:20:15Z""#,
        r#""2016-12-13T21:20:37.593194+00:00""#,
        r#""2016-12-13t2:00:00.593194+23""#,
        r#""-292275054""#,
        r#""2016""#,
        r#""2016-12""#,
        r#""2016-12-13""#,
        "1600000000",
        r#"["2016-12-13","2017-12-13"]"#,
        "[]",
        r#""${aws:PrincipalTag/until}""#,
    ] {
        taken(DocumentKind::Managed, &date(good));
    }
}

#[test]
fn statement_ids() {
    let two = |first: &str, second: &str| {
        let one = |sid: &str| format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":"a:b","Resource":"*"}}"#);
        of(&format!("[{},{}]", one(first), one(second)))
    };
    refused_as_managed(&two("sdf", "sdf"), Stage::StatementIds, UNIQUE, "/Statement/1/Sid");
    let incomplete = r#"[{"Sid":"sdf","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"sdf","Effect":"Allow"}]"#;
    refused_as_managed(&of(incomplete), Stage::StatementIds, UNIQUE, "/Statement/1/Sid");
    let message = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
                   [0-9A-Za-z]*";
    refused_as_managed(
        &two("autogenerated-id", "b"),
        Stage::StatementIds,
        message,
        "/Statement/0/Sid",
    );
    refused_as_managed(
        &two("a", "with space"),
        Stage::StatementIds,
        message,
        "/Statement/1/Sid",
    );
    taken(DocumentKind::Managed, &two("", ""));
    taken(DocumentKind::Managed, &two("a", "A"));
}

#[test]
fn actions() {
    for (text, pointer) in [
        (allow(r#""Resource":"arn:aws:s3:::b""#), "/Statement"),
        (of(r#"{"Effect":"Allow"}"#), "/Statement"),
        (allow(r#""Action":[],"Resource":"*""#), "/Statement/Action"),
        (
            of(r#"[{"Effect":"Deny"},{"Effect":"Allow","Action":"a:b","Resource":"*"}]"#),
            "/Statement/0",
        ),
    ] {
        refused_as_managed(&text, Stage::Actions, NO_ACTIONS, pointer);
    }
}

#[test]
fn resources() {
    for (text, pointer) in [
        (allow(r#""Action":"s3:ListBucket""#), "/Statement"),
        (allow(r#""Action":"invalid""#), "/Statement"),
        (resource("[]"), "/Statement/Resource"),
        (allow(r#""Action":"a:b","NotResource":[]"#), "/Statement/NotResource"),
    ] {
        refused_as_managed(&text, Stage::Resources, NO_RESOURCES, pointer);
    }
    for (value, message) in [
        (
            "invalid resource",
            r#"Resource invalid resource must be in ARN format or "*"."#,
        ),
        ("", r#"Resource  must be in ARN format or "*"."#),
        ("adf", r#"Resource adf must be in ARN format or "*"."#),
        (
            "a:bsdf",
            r#"Partition "bsdf" is not valid for resource "arn:bsdf:*:*:*:*"."#,
        ),
        (
            "a:b:cadf",
            r#"Partition "b" is not valid for resource "arn:b:cadf:*:*:*"."#,
        ),
        (
            "a:b:c:d:e:f:g:h",
            r#"Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h"."#,
        ),
        (
            "aws:s3:::b",
            r#"Partition "s3" is not valid for resource "arn:s3:::b:*"."#,
        ),
        (
            "arn:error:s3:::b",
            r#"Partition "error" is not valid for resource "arn:error:s3:::b"."#,
        ),
        (
            "arn:error:s3::b",
            r#"Partition "error" is not valid for resource "arn:error:s3::b:*"."#,
        ),
        ("arn:aws", FULLY_QUALIFIED),
        ("arn:aws:*:us-east-1:123456789012:x", FULLY_QUALIFIED),
        ("arn:aws:iam:::example_bucket", IAM_PATH),
        ("arn:aws:iam::123456789012:alice", IAM_PATH),
        (
            "arn:aws:iam:us-east-1::x",
            "IAM resource arn:aws:iam:us-east-1::x cannot contain region information.",
        ),
        (
            "arn:aws:s3:us-east-1::x",
            "Resource arn:aws:s3:us-east-1::x can not contain region information.",
        ),
    ] {
        let pointer = "/Statement/Resource";
        refused_as_managed(&resource(&format!("\"{value}\"")), Stage::Resources, message, pointer);
    }
    // The first of several, and before the actions are looked at.
    let several = resource(r#"["*","arn:error:s3:::b","adf"]"#);
    let message = r#"Partition "error" is not valid for resource "arn:error:s3:::b"."#;
    refused_as_managed(&several, Stage::Resources, message, "/Statement/Resource/1");
    let both = allow(r#""Action":"s:3:ListBucket","Resource":"sdf""#);
    let message = r#"Resource sdf must be in ARN format or "*"."#;
    refused_as_managed(&both, Stage::Resources, message, "/Statement/Resource");
}

#[test]
fn vendors() {
    let wildcard = "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.";
    for (value, message) in [
        ("invalid", NO_VENDOR),
        ("", NO_VENDOR),
        ("a a:ListBucket", "Vendor a a is not valid"),
        ("s3:List:Bucket", COLONS),
        ("*:Untag*", wildcard),
        (":x", "Vendor  is not valid"),
    ] {
        refused_as_managed(
            &action(&format!("\"{value}\"")),
            Stage::Vendors,
            message,
            "/Statement/Action",
        );
        let not_action = allow(&format!(r#""NotAction":["a:b","{value}"],"Resource":"*""#));
        refused_as_managed(&not_action, Stage::Vendors, message, "/Statement/NotAction/1");
    }
    let second = of(r#"[{"Effect":"Allow","Action":"s3s:ListBucket","Resource":"*"},
            {"Effect":"Allow","Action":"s:3s:ListBucket","Resource":"*"}]"#);
    refused_as_managed(&second, Stage::Vendors, COLONS, "/Statement/1/Action");
}

#[test]
fn principals_of_identity_policies() {
    let text = allow(r#""Principal":"*","Action":"s3:ListBucket","Resource":"*""#);
    let message = "Policy document should not specify a principal.";
    for kind in [DocumentKind::Managed, DocumentKind::Inline(Owner::Group)] {
        refused(kind, &text, Stage::Principals, message, "/Statement/Principal");
    }
}

#[test]
fn trust_policies() {
    let refused = |text: &str, stage, message: &str, pointer: &str| {
        refused(DocumentKind::Trust, text, stage, message, pointer);
    };
    let trust = |members: &str| allow(&format!(r#""Principal":{{"Service":"ec2.amazonaws.com"}},{members}"#));
    taken(DocumentKind::Trust, &trust(r#""Action":"sts:AssumeRole""#));
    taken(
        DocumentKind::Trust,
        &trust(r#""Action":["sts:AssumeRole","sts:TagSession"],"Condition":{}"#),
    );
    taken(
        DocumentKind::Trust,
        r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#,
    );
    let with_resource = trust(r#""Action":"sts:AssumeRole","Resource":"*""#);
    refused(
        &with_resource,
        Stage::Trust,
        "Has prohibited field Resource",
        "/Statement/Resource",
    );
    let other_action = trust(r#""Action":["sts:AssumeRole","s3:GetObject"]"#);
    let message = "AssumeRole policy may only specify STS AssumeRole actions.";
    refused(&other_action, Stage::Trust, message, "/Statement/Action/1");
    for action in ["sts:AssumeRoles", "sts:GetFederationToken", "sts:Get*"] {
        let other_action = trust(&format!(r#""Action":"{action}""#));
        refused(&other_action, Stage::Trust, message, "/Statement/Action");
    }
    for action in ["sts:*", "STS:Assume*", "sts:setsourceidentity"] {
        taken(DocumentKind::Trust, &trust(&format!(r#""Action":"{action}""#)));
    }
    refused("not json", Stage::Grammar, "This policy contains invalid Json", "");
    refused(&trust(r#""Condition":{}"#), Stage::Actions, NO_ACTIONS, "/Statement");
    let nobody = allow(r#""Action":"sts:AssumeRole""#);
    refused(
        &nobody,
        Stage::Principals,
        "Missing required field Principal",
        "/Statement",
    );
    let unknown = allow(r#""Principal":{"aws":"*"},"Action":"sts:AssumeRole""#);
    refused(&unknown, Stage::Grammar, SYNTAX, "/Statement/Principal/aws");
    let text = allow(r#""Principal":"everybody","Action":"sts:AssumeRole""#);
    refused(&text, Stage::Grammar, SYNTAX, "/Statement/Principal");
}

#[test]
fn the_request_itself() {
    let long = |length: usize| {
        let frame = allow(r#""Action":"a:b","Resource":"*""#);
        format!("{frame}{}", " ".repeat(length - frame.len()))
    };
    taken(DocumentKind::Managed, &long(131_072));
    let message = "Value at 'policyDocument' failed to satisfy constraint: Member must have length less than or \
                   equal to 131072";
    refused_as_managed(&long(131_073), Stage::Request, message, "");
    let message = "Value at 'policyDocument' failed to satisfy constraint: Member must satisfy regular expression \
                   pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    refused_as_managed(&resource("\"arn:aws:s3:::\u{20ac}\""), Stage::Request, message, "");
    // Written by us, the same document is escaped.
    let ours = PolicyDocument::parse(&resource("\"arn:aws:s3:::\u{20ac}\"")).unwrap();
    assert_eq!(ours.refusal(DocumentKind::Managed), None);
    taken(DocumentKind::Managed, &resource("\"arn:aws:s3:::\u{fc}\""));
}

#[test]
fn what_iam_takes_although_it_surprises() {
    for text in [
        // Unknown services and actions, odd characters in actions, vendors with dots and hyphens.
        action(r#""service-prefix:action-name""#),
        action(r#""aaaaaadsfdsafsadfsadfaaaaa:ListBucket""#),
        action(r#""iam: asdf safdsf af ""#),
        action(r#""s3-s:ListBucket""#),
        action(r#""s3.s:ListBucket""#),
        action(r#""*""#),
        action(r#""*:*""#),
        // Repetition and mixed forms.
        action(r#"["s3:ListBucket","s3:ListBucket","S3:listbucket"]"#),
        resource(r#"["arn:aws:s3:::b","*","*"]"#),
        of(r#"[{"Effect":"Allow","Action":["a:b"],"Resource":"*"}]"#),
        of(r#"[{"Sid":"","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"a:c","Resource":"*"}]"#),
        // Conditions that say nothing, whatever the operator is called.
        condition("{}"),
        condition(r#"{"DateGreaterThan":{}}"#),
        condition(r#"{"a":{}}"#),
        condition(r#"{"x":{},"y":{}}"#),
        condition(r#"{"DateGreaterThan":{"a":[]}}"#),
        // Numbers and booleans without quotes.
        condition(r#"{"NumericLessThan":{"a":5},"Bool":{"b":true}}"#),
        condition(r#"{"NumericLessThan":{"a":[5,"6"]}}"#),
        condition(r#"{"StringEqualsIfExists":{"a":"b"}}"#),
        condition(r#"{"ForAnyValue:StringEqualsIfExists":{"a":"b"}}"#),
        condition(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"Department"}}"#),
        condition(r#"{"Null":{"a":"true"},"ForAllValues:Null":{"a":"true"}}"#),
        condition(r#"{"ArnEquals":{"a":"arn:aws:ec2:*:*:instance/x"},"NotIpAddressIfExists":{"b":"10.0.0.0/8"},"BinaryEquals":{"c":"QUJD"}}"#),
        // Resources.
        resource(r#""arn:aws:s33:::b""#),
        resource(r#""arn:aws:fdsasf""#),
        resource(r#""arn:aws:waf:*""#),
        resource(r#""arn:aws:invalid-service:us-east-1::b""#),
        resource(r#""arn:aws:ec2:region:account-id:instance/*""#),
        resource(r#""arn:aws:iam:::user/x""#),
        resource(r#""arn:aws:iam::*:user/${aws:username}""#),
        resource(r#""arn:aws:iam::123456789012:root""#),
        resource(r#""arn:aws:iam::123456789012:*""#),
        resource(r#""arn:*:s3:::b""#),
        resource(r#""arn:aws-cn:s3:::b""#),
        resource(r#""arn:aws:s3:us-west-2:123456789012:accesspoint/x/object/*""#),
        allow(r#""NotAction":"s3:ListBucket","NotResource":"*""#),
        r#"{"Version":"2012-10-17","Id":"x","Statement":{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::a/*"]}}"#.to_owned(),
    ] {
        for kind in [DocumentKind::Managed, DocumentKind::Inline(Owner::User)] {
            taken(kind, &text);
        }
    }
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let detail = |text: &str| {
        PolicyDocument::from_live(text)
            .refusal(DocumentKind::Managed)
            .unwrap()
            .detail
            .unwrap()
    };
    assert_eq!(
        detail(&of(r#"{"effect":"Allow","Action":"a:b","Resource":"*"}"#)),
        "`effect` must be written `Effect`"
    );
    assert_eq!(
        detail(&allow(r#""Action":"a:b","Resources":"*""#)),
        "`Resources` is no member of a statement"
    );
    assert_eq!(
        detail(&condition(r#"{"StringEqual":{"a":"b"}}"#)),
        "`StringEqual` is no condition operator"
    );
    assert_eq!(detail(&date(r#""soon""#)), "\"soon\" is not a date");
    assert_eq!(detail("{\"a\":}"), "line 1, column 6: not JSON: a value is missing");
}
