//! Texts and values to documents and back.

use serde_json::{Value, json};
use trueup_model::PolicyDocument;
use trueup_model::document::{DEPTH_LIMIT, DocumentErrorKind, Effect, Position, SyntaxProblem};

fn document(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn errors_name_the_place() {
    for (text, line, column, problem) in [
        ("", 1, 1, SyntaxProblem::ValueMissing),
        ("policy", 1, 1, SyntaxProblem::Word),
        ("{\n  \"Version\" \"2012-10-17\"}", 2, 13, SyntaxProblem::Colon),
        (
            "{\n  \"Statement\": [\n    1,\n  ]\n}",
            4,
            3,
            SyntaxProblem::TrailingComma,
        ),
        ("{\"a\": 1,}", 1, 9, SyntaxProblem::TrailingComma),
        ("{\"a\": 1 \"b\": 2}", 1, 9, SyntaxProblem::CommaOrEnd('}')),
        ("{\"a\": [1 2]}", 1, 10, SyntaxProblem::CommaOrEnd(']')),
        ("{\"ä\": tru}", 1, 7, SyntaxProblem::Word),
        ("{\"a\": 01}", 1, 7, SyntaxProblem::Number),
        ("{\"a\": 1.}", 1, 7, SyntaxProblem::Number),
        ("{\"a\": -}", 1, 7, SyntaxProblem::Number),
        ("{\"a\": 1e}", 1, 7, SyntaxProblem::Number),
        ("{\"a\": 0x1F}", 1, 7, SyntaxProblem::Number),
        ("{\"a\": 'b'}", 1, 7, SyntaxProblem::SingleQuote),
        ("{a: 1}", 1, 2, SyntaxProblem::Key),
        ("{\"a\": 1} x", 1, 10, SyntaxProblem::AfterTheEnd),
        ("{\"a\": 1}\n// why", 2, 1, SyntaxProblem::Comment),
        ("{# why\n}", 1, 2, SyntaxProblem::Comment),
        ("{\"a\": \"b", 1, 7, SyntaxProblem::OpenString),
        ("{\"a\": \"b\n\"}", 1, 9, SyntaxProblem::ControlCharacter),
        ("{\"a\": \"\\x\"}", 1, 8, SyntaxProblem::Escape),
        ("{\"a\": \"\\u12\"}", 1, 8, SyntaxProblem::Escape),
        ("{\"a\": \"\\ud800\"}", 1, 8, SyntaxProblem::LoneSurrogate),
        ("{\"a\": \"\\ud800\\u0041\"}", 1, 8, SyntaxProblem::LoneSurrogate),
        ("{\"a\": \"\\udc00\"}", 1, 8, SyntaxProblem::LoneSurrogate),
        ("\u{feff}{}", 1, 1, SyntaxProblem::ByteOrderMark),
        ("{\"a\": NaN}", 1, 7, SyntaxProblem::Word),
        ("{\"a\":", 1, 6, SyntaxProblem::ValueMissing),
    ] {
        let error = PolicyDocument::parse(text).unwrap_err();
        assert_eq!(error.kind, DocumentErrorKind::Syntax(problem), "{text}");
        assert_eq!(error.position, Some(Position { line, column }), "{text}");
    }
}

#[test]
fn an_error_reads_well_and_hints() {
    let error = PolicyDocument::parse("{\n \"Action\": 1,\n \"Action\": 2\n}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3, column 2: duplicate key `Action`, first at line 2, column 2"
    );
    assert!(error.hint().is_some());
    let error = PolicyDocument::parse("[]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 1: a policy document is a JSON object, not a list"
    );
    let error = PolicyDocument::parse("{\"a\": 'b'}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 7: not JSON: a string in single quotes"
    );
    assert_eq!(error.hint(), Some("put it in double quotes"));
}

#[test]
fn of_several_repeated_keys_the_earliest_is_reported() {
    let error = PolicyDocument::parse(r#"{"z":1,"a":1,"z":2,"a":2}"#).unwrap_err();
    let DocumentErrorKind::DuplicateKey { key, first } = error.kind else {
        panic!("{error}")
    };
    assert_eq!(
        (key.as_str(), first.column, error.position.unwrap().column),
        ("z", 2, 14)
    );
}

#[test]
fn depth_is_limited_and_does_not_cost_the_stack() {
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(PolicyDocument::parse(&nested(DEPTH_LIMIT)).is_ok());
    let error = PolicyDocument::parse(&nested(DEPTH_LIMIT + 1)).unwrap_err();
    assert_eq!(error.kind, DocumentErrorKind::TooDeep);
    let bomb = "{\"a\":".repeat(200_000);
    assert_eq!(
        PolicyDocument::parse(&bomb).unwrap_err().kind,
        DocumentErrorKind::TooDeep
    );
    assert!(PolicyDocument::from_live(bomb).is_opaque());

    let value = |depth: usize| (1..depth).fold(json!({}), |value, _| json!({ "a": value }));
    assert!(PolicyDocument::from_value(value(DEPTH_LIMIT)).is_ok());
    let error = PolicyDocument::from_value(value(DEPTH_LIMIT + 1)).unwrap_err();
    assert_eq!((error.kind, error.position), (DocumentErrorKind::TooDeep, None));
}

#[test]
fn the_text_is_compact_in_the_authors_order() {
    let text = "{ \"Statement\": [ {\"Resource\": \"*\",\n \"Effect\":\"Allow\", \"Action\": [\"s3:GetObject\"] } ],\n \"Version\": \"2012-10-17\" }";
    let document = document(text);
    assert_eq!(
        document.as_text(),
        r#"{"Statement":[{"Resource":"*","Effect":"Allow","Action":["s3:GetObject"]}],"Version":"2012-10-17"}"#
    );
    assert_eq!(
        document.pretty(),
        "{\n  \"Statement\": [\n    {\n      \"Resource\": \"*\",\n      \"Effect\": \"Allow\",\n      \"Action\": [\n        \"s3:GetObject\"\n      ]\n    }\n  ],\n  \"Version\": \"2012-10-17\"\n}"
    );
    assert_eq!(PolicyDocument::parse(&document.pretty()).unwrap(), document);
}

#[test]
fn a_live_text_is_kept_to_the_letter() {
    let text = "{\n\t\"Statement\" : [ ],\"\\u0056ersion\":\"2012-10-17\"}";
    let live = PolicyDocument::from_live(text);
    assert_eq!(live.as_text(), text);
    assert_eq!(live.version(), Some("2012-10-17"));
    assert_eq!(live, document(r#"{"Version":"2012-10-17","Statement":[]}"#));
    let opaque = PolicyDocument::from_live("not JSON at all");
    assert_eq!(
        (opaque.as_text(), opaque.canonical_text()),
        ("not JSON at all", "not JSON at all")
    );
    assert_eq!(opaque.pretty(), "not JSON at all");
}

#[test]
fn numbers_keep_their_digits() {
    let text = r#"{"Statement":{"Condition":{"NumericEquals":{"a:x":[12345678901234567890123,1.50,-0,1E+2]}}}}"#;
    assert_eq!(document(text).as_text(), text);
    let error = PolicyDocument::from_value(json!({"a": 1.5})).unwrap_err();
    assert_eq!(error.to_string(), "the number 1.5 may have lost digits");
    let value = json!({"a": [u64::MAX, i64::MIN]});
    assert_eq!(
        PolicyDocument::from_value(value).unwrap().as_text(),
        r#"{"a":[18446744073709551615,-9223372036854775808]}"#
    );
}

#[test]
fn only_latin_1_goes_on_the_wire() {
    let text = "{\"Statement\":{\"Resource\":\"ä\u{ff} \u{100} \u{20ac} 😀 \\u0000\\n\\t\\b\\\"\\\\ \u{7f}\u{202e}\"}}";
    let document = document(text);
    assert_eq!(
        document.as_text(),
        "{\"Statement\":{\"Resource\":\"äÿ \\u0100 \\u20ac \\ud83d\\ude00 \\u0000\\n\\t\\u0008\\\"\\\\ \u{7f}\\u202e\"}}"
    );
    assert!(
        document
            .as_text()
            .chars()
            .all(|character| (' '..='\u{ff}').contains(&character))
    );
    let again = PolicyDocument::parse(document.as_text()).unwrap();
    assert_eq!((again.as_text(), &again), (document.as_text(), &document));
}

#[test]
fn a_document_from_yaml_stands_in_iams_usual_order() {
    let value = json!({
        "Statement": [{"Action": ["b:c", "a:b"], "Condition": {"Bool": {"a:x": true}}, "Effect": "Allow", "Resource": "*", "Sid": "S"}],
        "Id": "i",
        "Version": "2012-10-17",
    });
    assert_eq!(
        PolicyDocument::from_value(value).unwrap().as_text(),
        r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"S","Effect":"Allow","Action":["b:c","a:b"],"Resource":"*","Condition":{"Bool":{"a:x":true}}}]}"#
    );
    assert!(PolicyDocument::from_value(Value::Null).is_err());
    assert!(PolicyDocument::from_value(json!([{}])).is_err());
}

#[test]
fn white_space_does_not_count() {
    let compact = document(r#"{"Statement":[]}"#);
    assert_eq!(compact.size(), 16);
    assert_eq!(PolicyDocument::from_live("{\r\n \"Statement\" :\t[ ] }").size(), 16);
    assert_eq!(PolicyDocument::from_live("{\"Id\":\"a b\"}").size(), 11);
    assert_eq!(document("{\"Id\":\"\u{e4}\"}").size(), 10, "characters, not bytes");
    assert_eq!(document("{\"Id\":\"\u{20ac}\"}").size(), 15, "as it is sent");
}

#[test]
fn statements_can_be_asked() {
    let document = document(
        r#"{"Version":"2012-10-17","Id":"i","Statement":[
            {"Sid":"S","Effect":"Deny","NotAction":["IAM:List*","iam:Get*"],"NotResource":["b","a"],
             "NotPrincipal":{"AWS":["123456789012"]},
             "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":false},"Bool":{"a:X":["True"]},"Null":{}}},
            {"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},
            {"Effect":"allow","Action":7}]}"#,
    );
    let [deny, allow, odd] = document.statements() else {
        panic!()
    };
    assert_eq!((document.version(), document.id()), (Some("2012-10-17"), Some("i")));
    assert_eq!((deny.sid(), deny.effect()), (Some("S"), &Effect::Deny));
    assert!(deny.is_deny() && !deny.is_allow() && allow.is_allow());
    assert_eq!(deny.not_actions(), ["iam:get*", "iam:list*"]);
    assert_eq!(deny.not_resources(), ["a", "b"]);
    assert_eq!(deny.not_principals()["AWS"], ["arn:aws:iam::123456789012:root"]);
    assert!(deny.actions().is_empty() && deny.resources().is_empty() && deny.principals().is_empty());
    let conditions = deny.conditions();
    assert_eq!(conditions.keys().copied().collect::<Vec<_>>(), ["Bool", "BoolIfExists"]);
    assert_eq!(conditions["BoolIfExists"]["aws:multifactorauthpresent"], ["false"]);
    assert_eq!(conditions["Bool"]["a:x"], ["true"]);
    assert_eq!(allow.principals()["AWS"], ["*"]);
    assert_eq!(allow.actions(), ["sts:assumerole"]);
    assert_eq!(odd.effect(), &Effect::Other("allow".to_owned()));
    assert!(odd.actions().is_empty() && odd.has("Action"));
    assert_eq!(deny.to_value()["NotAction"], json!(["IAM:List*", "iam:Get*"]));
}

#[test]
fn labels_are_short() {
    let label = |members: &str| document(&format!(r#"{{"Statement":{{{members}}}}}"#)).statements()[0].label();
    assert_eq!(
        label(r#""Sid":"Read","Effect":"Allow","Action":"a:b","Resource":"*""#),
        "Read"
    );
    assert_eq!(
        label(r#""Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"*""#),
        "Allow s3:GetObject, s3:PutObject on *"
    );
    assert_eq!(
        label(r#""Sid":"","Effect":"Deny","NotAction":["a:5","a:1","a:2","a:3","a:4"],"NotResource":"r""#),
        "Deny all but a:1, a:2, a:3 and 2 more on all but r"
    );
    assert_eq!(
        label(r#""Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}"#),
        "Allow a:b on * if aws:SecureTransport"
    );
    assert_eq!(
        label(r#""Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole""#),
        "Allow sts:AssumeRole to ec2.amazonaws.com"
    );
    assert_eq!(label(""), "no effect");
}

#[test]
fn an_administrator_is_seen() {
    let everything = |members: &str| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{{members}}}}}"#);
        document(&text).statements()[0].allows_everything()
    };
    assert!(everything(r#""Effect":"Allow","Action":"*","Resource":"*""#));
    assert!(everything(
        r#""Effect":"Allow","Action":["s3:*","*:*"],"Resource":["a","*"],"Condition":{"Bool":{}}"#
    ));
    assert!(!everything(r#""Effect":"Deny","Action":"*","Resource":"*""#));
    assert!(!everything(r#""Effect":"Allow","Action":"iam:*","Resource":"*""#));
    assert!(!everything(
        r#""Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::*""#
    ));
    assert!(!everything(
        r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:x":true}}"#
    ));
    assert!(!everything(r#""Effect":"Allow","NotAction":"*","Resource":"*""#));
    assert!(!everything(r#""Effect":"Allow","Action":"*","NotResource":"*""#));
}

#[test]
fn a_deny_of_everything_is_seen() {
    let everything = |members: &str| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{{members}}}}}"#);
        document(&text).statements()[0].denies_everything()
    };
    assert!(everything(r#""Effect":"Deny","Action":"*","Resource":"*""#));
    assert!(!everything(r#""Effect":"Allow","Action":"*","Resource":"*""#));
    assert!(!everything(r#""Effect":"Deny","Action":"s3:*","Resource":"*""#));
    assert!(!everything(r#""Effect":"Deny","NotAction":"*","Resource":"*""#));
    assert!(!everything(
        r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":false}}"#
    ));
}

#[test]
fn a_document_is_serialised_as_its_text() {
    let document = document(r#"{"Statement":[]}"#);
    assert_eq!(serde_json::to_value(&document).unwrap(), json!("{\"Statement\":[]}"));
    let back: PolicyDocument = serde_json::from_value(json!("{ \"Statement\": [] }")).unwrap();
    assert_eq!(back, document);
    assert_eq!(back.as_text(), "{ \"Statement\": [] }");
}
