//! How two documents differ.

use serde_json::{Value, json};
use trueup_model::PolicyDocument;
use trueup_model::document::{DocumentChange, diff};

fn document(value: Value) -> PolicyDocument {
    PolicyDocument::from_value(value).unwrap()
}

fn of(statements: Value) -> PolicyDocument {
    document(json!({"Version": "2012-10-17", "Statement": statements}))
}

fn change(path: &str, before: Value, after: Value) -> DocumentChange {
    DocumentChange {
        path: path.to_owned(),
        before,
        after,
        cosmetic: false,
    }
}

#[track_caller]
fn differs(before: &PolicyDocument, after: &PolicyDocument, expected: &[DocumentChange]) {
    assert_eq!(diff(Some(before), Some(after)), expected);
    let swapped: Vec<DocumentChange> = diff(Some(after), Some(before));
    assert_eq!(swapped.len(), expected.len(), "the way back has as many changes");
}

#[test]
fn one_action_more_is_one_change() {
    let read =
        |actions: Value| of(json!([{"Sid": "ReadReports", "Effect": "Allow", "Action": actions, "Resource": "*"}]));
    differs(
        &read(json!(["s3:GetObject", "s3:ListBucket"])),
        &read(json!(["s3:PutObject", "s3:listbucket", "S3:GetObject"])),
        &[change(
            "statement ReadReports · Action",
            Value::Null,
            json!(["s3:PutObject"]),
        )],
    );
    differs(
        &read(json!("s3:GetObject")),
        &read(json!("s3:PutObject")),
        &[change(
            "statement ReadReports · Action",
            json!(["s3:GetObject"]),
            json!(["s3:PutObject"]),
        )],
    );
}

#[test]
fn each_member_is_a_change_of_its_own() {
    let before = of(
        json!([{"Sid": "S", "Effect": "Allow", "Action": "a:b", "Resource": "arn:aws:s3:::a",
        "Condition": {"StringEquals": {"aws:SourceVpc": ["v1", "v2"], "a:old": "1"}}}]),
    );
    let after = of(
        json!([{"Sid": "S", "Effect": "Deny", "NotAction": "a:b", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"],
        "Condition": {"StringEquals": {"aws:sourcevpc": ["v2", "v3"]}, "Bool": {"aws:SecureTransport": true}}}]),
    );
    differs(
        &before,
        &after,
        &[
            change("statement S · Action", json!(["a:b"]), Value::Null),
            change(
                "statement S · Condition · Bool · aws:SecureTransport",
                Value::Null,
                json!(["true"]),
            ),
            change(
                "statement S · Condition · StringEquals · a:old",
                json!(["1"]),
                Value::Null,
            ),
            change(
                "statement S · Condition · StringEquals · aws:sourcevpc",
                json!(["v1"]),
                json!(["v3"]),
            ),
            change("statement S · Effect", json!("Allow"), json!("Deny")),
            change("statement S · NotAction", Value::Null, json!(["a:b"])),
            change("statement S · Resource", Value::Null, json!(["arn:aws:s3:::b"])),
        ],
    );
}

#[test]
fn statements_that_come_and_go_are_shown_whole() {
    let keep = json!({"Sid": "Keep", "Effect": "Allow", "Action": "a:b", "Resource": "*"});
    let gone = json!({"Effect": "Deny", "Action": ["iam:*", "Organizations:*"], "Resource": "*"});
    let come = json!({"Sid": "Come", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"});
    differs(
        &of(json!([keep, gone])),
        &of(json!([come, keep])),
        &[
            change("statement Come", Value::Null, come),
            change("statement Deny iam:*, Organizations:* on *", gone, Value::Null),
        ],
    );
}

#[test]
fn statements_without_an_id_are_paired_by_what_they_share() {
    let before = of(json!([
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::a"},
        {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": "arn:aws:sqs:::q"},
    ]));
    let after = of(json!([
        {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:SendMessage", "sqs:DeleteMessage"], "Resource": "arn:aws:sqs:::q"},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
    ]));
    differs(
        &before,
        &after,
        &[
            change(
                "statement Allow s3:GetObject, s3:ListBucket on arn:aws:s3:::a · Resource",
                Value::Null,
                json!(["arn:aws:s3:::b"]),
            ),
            change(
                "statement Allow sqs:ReceiveMessage, sqs:SendMessage on arn:aws:sqs:::q · Action",
                Value::Null,
                json!(["sqs:DeleteMessage"]),
            ),
        ],
    );
}

#[test]
fn an_id_pairs_before_a_likeness() {
    let a = json!({"Sid": "A", "Effect": "Allow", "Action": ["a:1", "a:2"], "Resource": "*"});
    let b = json!({"Sid": "B", "Effect": "Allow", "Action": ["b:1", "b:2"], "Resource": "*"});
    let (mut swapped_a, mut swapped_b) = (b.clone(), a.clone());
    swapped_a["Sid"] = json!("A");
    swapped_b["Sid"] = json!("B");
    differs(
        &of(json!([a, b])),
        &of(json!([swapped_a, swapped_b])),
        &[
            change("statement A · Action", json!(["a:1", "a:2"]), json!(["b:1", "b:2"])),
            change("statement B · Action", json!(["b:1", "b:2"]), json!(["a:1", "a:2"])),
        ],
    );
}

#[test]
fn an_id_alone_is_cosmetic() {
    let with = |sid: &str| of(json!([{"Sid": sid, "Effect": "Allow", "Action": "a:b", "Resource": "*"}]));
    let changes = diff(Some(&with("Old")), Some(&with("New")));
    let expected = DocumentChange {
        cosmetic: true,
        ..change("statement Old · Sid", json!("Old"), json!("New"))
    };
    assert_eq!(changes, [expected]);
    let id = |id: Value| document(json!({"Version": "2012-10-17", "Id": id, "Statement": []}));
    let changes = diff(Some(&id(json!("a"))), Some(&id(json!("b"))));
    assert_eq!(
        (changes.len(), changes[0].path.as_str(), changes[0].cosmetic),
        (1, "Id", true)
    );
}

#[test]
fn an_opposite_effect_is_another_statement() {
    let with = |effect: &str| json!({"Effect": effect, "Action": "a:b", "Resource": "*"});
    differs(
        &of(json!([with("Allow")])),
        &of(json!([with("Deny")])),
        &[
            change("statement Allow a:b on *", with("Allow"), Value::Null),
            change("statement Deny a:b on *", Value::Null, with("Deny")),
        ],
    );
}

#[test]
fn the_version_is_a_change() {
    let statement = json!([{"Effect": "Allow", "Action": "a:b", "Resource": "*"}]);
    differs(
        &document(json!({"Statement": statement})),
        &of(statement.clone()),
        &[change("Version", json!("2008-10-17"), json!("2012-10-17"))],
    );
}

#[test]
fn a_document_that_comes_or_goes_is_shown_whole() {
    let statement = json!({"Sid": "S", "Effect": "Allow", "Action": "a:b", "Resource": "*"});
    let document = of(json!([statement]));
    assert_eq!(
        diff(None, Some(&document)),
        [
            change("Version", Value::Null, json!("2012-10-17")),
            change("statement S", Value::Null, statement.clone()),
        ]
    );
    assert_eq!(
        diff(Some(&document), None),
        [
            change("Version", json!("2012-10-17"), Value::Null),
            change("statement S", statement, Value::Null),
        ]
    );
    assert!(diff(None, None).is_empty());
    assert!(
        !diff(None, Some(&of(json!([])))).is_empty(),
        "even an empty document is one"
    );
}

#[test]
fn statements_of_the_same_name_are_told_apart() {
    let with = |values: [&str; 2]| {
        let one = |value: &str| json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"StringEquals": {"a:x": value}}});
        of(json!([one(values[0]), one(values[1])]))
    };
    let paths = |changes: Vec<DocumentChange>| changes.into_iter().map(|change| change.path).collect::<Vec<_>>();
    let expected = [
        "statement Allow a:b on * if a:x (2) · Condition · StringEquals · a:x",
        "statement Allow a:b on * if a:x · Condition · StringEquals · a:x",
    ];
    assert_eq!(paths(diff(Some(&with(["1", "2"])), Some(&with(["3", "4"])))), expected);
    assert_eq!(paths(diff(Some(&with(["2", "1"])), Some(&with(["4", "3"])))), expected);
}

#[test]
fn principals_differ_by_kind() {
    let trust = |principal: Value| {
        document(
            json!({"Statement": [{"Sid": "T", "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}),
        )
    };
    differs(
        &trust(json!({"AWS": "123456789012", "Service": "ec2.amazonaws.com"})),
        &trust(json!({"AWS": ["arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/x"]})),
        &[
            change(
                "statement T · Principal · AWS",
                Value::Null,
                json!(["arn:aws:iam::123456789012:user/x"]),
            ),
            change(
                "statement T · Principal · Service",
                json!(["ec2.amazonaws.com"]),
                Value::Null,
            ),
        ],
    );
    differs(
        &trust(json!("*")),
        &trust(json!({"AWS": "123456789012"})),
        &[change(
            "statement T · Principal · AWS",
            json!(["*"]),
            json!(["123456789012"]),
        )],
    );
}

#[test]
fn a_set_that_becomes_empty_is_a_change() {
    let with = |condition: Value| {
        of(json!([{"Sid": "S", "Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": condition}]))
    };
    let path = "statement S · Condition · StringEquals · a:x";
    let empty = with(json!({"StringEquals": {"a:x": []}}));
    differs(&with(json!({})), &empty, &[change(path, Value::Null, json!([]))]);
    differs(
        &with(json!({"StringEquals": {"a:x": "1"}})),
        &empty,
        &[change(path, json!(["1"]), Value::Null)],
    );
}

#[test]
fn what_cannot_be_read_differs_by_lines() {
    let live = PolicyDocument::from_live("{\n  \"Statement\": [],\n  \"Statement\": []\n}");
    let wanted = document(json!({"Statement": []}));
    assert_eq!(
        diff(Some(&live), Some(&wanted)),
        [change("text · line 2", json!(["  \"Statement\": [],"]), Value::Null)]
    );
    let lines = |before: &str, after: &str| {
        let (before, after) = (PolicyDocument::from_live(before), PolicyDocument::from_live(after));
        diff(Some(&before), Some(&after))
    };
    assert_eq!(
        lines("a\nb\nc\n", "a\nx\nc\ny\n"),
        [
            change("text · line 2", json!(["b"]), json!(["x"])),
            change("text · line 4", Value::Null, json!(["y"])),
        ]
    );
    assert_eq!(
        lines("a", "a\n"),
        [change("text · line 1", json!(["a"]), json!(["a\n"]))]
    );
    assert_eq!(
        diff(None, Some(&PolicyDocument::from_live("a\nb"))),
        [change("text", Value::Null, json!(["a", "b"]))]
    );
    assert_eq!(
        diff(Some(&PolicyDocument::from_live("")), None),
        [change("text", json!([]), Value::Null)]
    );
}

#[test]
fn large_documents_do_not_take_long() {
    let many = |resource: &str| {
        let statements: Vec<Value> = (0..400)
            .map(|index| json!({"Effect": "Allow", "Action": format!("s{index}:Get"), "Resource": format!("{resource}{index}")}))
            .collect();
        of(Value::Array(statements))
    };
    let changes = diff(Some(&many("arn:aws:s3:::a")), Some(&many("arn:aws:s3:::b")));
    assert_eq!(changes.len(), 400);
}

/// Parts that come or go as a whole are told member by member, and an empty one as it stands.
#[test]
fn parts_that_come_or_go_are_told_by_their_members() {
    let statement = |more: Value| {
        let mut statement = json!({"Sid": "S", "Effect": "Allow", "Action": "a:b", "Resource": "*"});
        statement
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        of(json!([statement]))
    };
    let bare = statement(json!({}));
    let two = statement(json!({"Condition": {"Bool": {"a:x": "true"}, "StringEquals": {"a:y": "1"}}}));
    let path = |rest: &str| format!("statement S · Condition · {rest}");
    differs(
        &bare,
        &two,
        &[
            change(&path("Bool · a:x"), Value::Null, json!(["true"])),
            change(&path("StringEquals · a:y"), Value::Null, json!(["1"])),
        ],
    );
    differs(
        &two,
        &bare,
        &[
            change(&path("Bool · a:x"), json!(["true"]), Value::Null),
            change(&path("StringEquals · a:y"), json!(["1"]), Value::Null),
        ],
    );
    // Conditions without a condition are none.
    for none in [json!({"Condition": {}}), json!({"Condition": {"Bool": {}}})] {
        differs(&bare, &statement(none), &[]);
    }
    let nobody = statement(json!({"Principal": {}}));
    let path = "statement S · Principal";
    differs(&bare, &nobody, &[change(path, Value::Null, json!({}))]);
    differs(&nobody, &bare, &[change(path, json!({}), Value::Null)]);
}

/// A statement goes with the one that shares most of what both have together, wherever each stands.
#[test]
fn the_greatest_share_decides_and_not_the_greatest_number() {
    let statement = |actions: &[&str]| json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    let live = of(json!([statement(&["s:a", "s:b", "s:c"])]));
    for first in ["s:0", "s:d"] {
        // Shares 3 of 4 with what is there, and 4 of 7.
        let (near, far) = (
            statement(&["s:a", "s:b"]),
            statement(&["s:a", "s:b", "s:c", first, "s:e", "s:f"]),
        );
        for after in [of(json!([near, far])), of(json!([far, near]))] {
            let changes = diff(Some(&live), Some(&after));
            assert_eq!(changes.len(), 2, "{changes:?}");
            assert!(
                changes.contains(&change(
                    "statement Allow s:a, s:b, s:c on * · Action",
                    json!(["s:c"]),
                    Value::Null
                )),
                "{changes:?}"
            );
        }
    }
}

/// The same where the one that shares most comes first.
#[test]
fn the_greatest_share_decides_whatever_comes_first() {
    let statement = |actions: &[&str]| json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    let live = of(json!([statement(&["s:a", "s:b", "s:c"])]));
    // Shares 4 of 5 with what is there, and 4 of 7.
    let near = statement(&["s:0", "s:a", "s:b", "s:c"]);
    let far = statement(&["s:a", "s:b", "s:c", "s:d", "s:e", "s:f"]);
    let changes = diff(Some(&live), Some(&of(json!([far, near]))));
    assert!(
        changes.contains(&change(
            "statement Allow s:a, s:b, s:c on * · Action",
            Value::Null,
            json!(["s:0"])
        )),
        "{changes:?}"
    );
}

#[test]
fn conditions_share_key_by_key() {
    let statement = |keys: &[&str]| {
        let keys: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!("1"))).collect();
        json!({"Effect": "Allow", "Action": "s:a", "Resource": "*", "Condition": {"StringEquals": keys}})
    };
    let live = of(json!([statement(&["k:1", "k:2", "k:3"])]));
    for first in ["k:0", "k:4"] {
        let far = statement(&["k:1", "k:2", "k:3", first, "k:5", "k:6"]);
        let changes = diff(Some(&live), Some(&of(json!([statement(&["k:1", "k:2"]), far]))));
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(
            changes
                .iter()
                .any(|change| change.path.ends_with("Condition · StringEquals · k:3") && change.after.is_null()),
            "{changes:?}"
        );
    }
}

/// What is empty on both sides is something that they share.
#[test]
fn empty_parts_are_shared_too() {
    let pairs = [
        (
            json!({"Effect": "Allow", "Action": [], "Resource": "a"}),
            json!({"Effect": "Allow", "Action": [], "Resource": "b"}),
        ),
        (
            json!({"Effect": "Allow", "Principal": {}, "Action": "s:a"}),
            json!({"Effect": "Allow", "Principal": {}, "Action": "s:b"}),
        ),
    ];
    for (before, after) in pairs {
        let changes = diff(Some(&of(json!([before]))), Some(&of(json!([after]))));
        assert_eq!(changes.len(), 1, "{changes:?}");
    }
}
