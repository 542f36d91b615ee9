//! Which documents are equal. Every row has pairs that must be equal and near misses that must differ, and every pair
//! is compared both ways, by `==`, by canonical text and by the difference.

use trueup_model::PolicyDocument;
use trueup_model::document::diff;

fn document(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A document of one statement that allows `s3:GetObject` on `*`, with these members beside or instead.
fn allow(members: &str) -> String {
    let own = |name: &str, default: &str| match members.contains(&format!("\"{name}\":")) {
        true => String::new(),
        false => format!(",\"{name}\":{default}"),
    };
    let (effect, action, resource) = (
        own("Effect", r#""Allow""#),
        own("Action", r#""s3:GetObject""#),
        own("Resource", r#""*""#),
    );
    let action = if members.contains("\"NotAction\":") {
        String::new()
    } else {
        action
    };
    let resource = if members.contains("\"NotResource\":") {
        String::new()
    } else {
        resource
    };
    let rest = format!("{members}{effect}{action}{resource}");
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{{}}}]}}"#,
        rest.trim_start_matches(',')
    )
}

fn condition(block: &str) -> String {
    allow(&format!(r#""Condition":{block}"#))
}

#[track_caller]
fn check(row: &str, equal: &[(String, String)], different: &[(String, String)]) {
    assert!(!equal.is_empty() || !different.is_empty(), "row {row} checks nothing");
    for (pairs, expected) in [(equal, true), (different, false)] {
        for (left, right) in pairs {
            let (a, b) = (document(left), document(right));
            let what = format!("row {row}, expected equal = {expected}\n{left}\n{right}");
            assert_eq!(a == b, expected, "{what}");
            assert_eq!(b == a, expected, "{what}");
            assert_eq!(a.canonical_text() == b.canonical_text(), expected, "{what}");
            assert_eq!(diff(Some(&a), Some(&b)).is_empty(), expected, "{what}");
            assert_eq!(diff(Some(&b), Some(&a)).is_empty(), expected, "{what}");
        }
    }
}

fn pair(left: impl Into<String>, right: impl Into<String>) -> (String, String) {
    (left.into(), right.into())
}

fn actions(left: &str, right: &str) -> (String, String) {
    pair(
        allow(&format!(r#""Action":{left}"#)),
        allow(&format!(r#""Action":{right}"#)),
    )
}

fn resources(left: &str, right: &str) -> (String, String) {
    pair(
        allow(&format!(r#""Resource":{left}"#)),
        allow(&format!(r#""Resource":{right}"#)),
    )
}

fn conditions(left: &str, right: &str) -> (String, String) {
    pair(condition(left), condition(right))
}

fn principals(effect: &str, left: &str, right: &str) -> (String, String) {
    let one = |value: &str| {
        format!(r#"{{"Statement":{{"Effect":"{effect}","Principal":{value},"Action":"sts:AssumeRole"}}}}"#)
    };
    pair(one(left), one(right))
}

fn statements(left: &str, right: &str) -> (String, String) {
    let one = |value: &str| format!(r#"{{"Version":"2012-10-17","Statement":{value}}}"#);
    pair(one(left), one(right))
}

const A: &str = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
const B: &str = r#"{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}"#;

#[test]
fn row_1_member_order_and_white_space() {
    check(
        "1",
        &[
            pair(
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"}]}"#,
                "{ \"Statement\" : [\n\t{\"Resource\": \"*\", \"Action\":\"a:b\",\r\n\"Effect\":\"Allow\"} ] , \"Version\":\"2012-10-17\"}",
            ),
            conditions(
                r#"{"StringEquals":{"a:x":"1","a:y":"2"},"Bool":{"a:z":"true"}}"#,
                r#"{"Bool":{"a:z":"true"},"StringEquals":{"a:y":"2","a:x":"1"}}"#,
            ),
        ],
        &[
            // White space inside a text is part of it.
            actions(r#""s3:GetObject""#, r#""s3:GetObject ""#),
            conditions(r#"{"StringEquals":{"a:x":"1 2"}}"#, r#"{"StringEquals":{"a:x":"12"}}"#),
        ],
    );
}

#[test]
fn row_2_one_value_or_a_list_of_one() {
    check(
        "2",
        &[
            actions(r#""s3:GetObject""#, r#"["s3:GetObject"]"#),
            pair(allow(r#""NotAction":"iam:*""#), allow(r#""NotAction":["iam:*"]"#)),
            resources(r#""arn:aws:s3:::a""#, r#"["arn:aws:s3:::a"]"#),
            pair(
                allow(r#""NotResource":"arn:aws:s3:::a""#),
                allow(r#""NotResource":["arn:aws:s3:::a"]"#),
            ),
            principals(
                "Allow",
                r#"{"Service":"ec2.amazonaws.com"}"#,
                r#"{"Service":["ec2.amazonaws.com"]}"#,
            ),
            conditions(r#"{"StringEquals":{"a:x":"1"}}"#, r#"{"StringEquals":{"a:x":["1"]}}"#),
            statements(A, &format!("[{A}]")),
        ],
        &[
            // Only in those places: a list of lists is something else.
            actions(r#"["s3:GetObject"]"#, r#"[["s3:GetObject"]]"#),
            pair(allow(r#""Sid":"x""#), allow(r#""Sid":["x"]"#)),
            pair(allow(r#""Effect":"Allow""#), allow(r#""Effect":["Allow"]"#)),
            actions("[]", r#"[""]"#),
        ],
    );
}

#[test]
fn row_3_lists_are_sets() {
    check(
        "3",
        &[
            actions(r#"["a:b","c:d"]"#, r#"["c:d","a:b"]"#),
            actions(r#"["a:b","c:d","a:b"]"#, r#"["a:b","c:d"]"#),
            resources(
                r#"["arn:aws:s3:::a","arn:aws:s3:::b"]"#,
                r#"["arn:aws:s3:::b","arn:aws:s3:::a","arn:aws:s3:::b"]"#,
            ),
            principals("Allow", r#"{"Service":["a","b"]}"#, r#"{"Service":["b","a","a"]}"#),
            conditions(
                r#"{"StringEquals":{"a:x":["1","2"]}}"#,
                r#"{"StringEquals":{"a:x":["2","1","2"]}}"#,
            ),
        ],
        &[
            actions(r#"["a:b","c:d"]"#, r#"["a:b"]"#),
            resources(r#"["arn:aws:s3:::a","arn:aws:s3:::b"]"#, r#"["arn:aws:s3:::a"]"#),
            conditions(
                r#"{"StringEquals":{"a:x":["1","2"]}}"#,
                r#"{"StringEquals":{"a:x":["1","3"]}}"#,
            ),
        ],
    );
}

#[test]
fn row_4_letter_case_of_actions() {
    check(
        "4",
        &[
            actions(r#""s3:GetObject""#, r#""S3:getobject""#),
            actions(r#"["s3:GetObject","s3:getObject"]"#, r#""s3:getobject""#),
            pair(allow(r#""NotAction":"IAM:*""#), allow(r#""NotAction":"iam:*""#)),
        ],
        &[
            resources(r#""arn:aws:s3:::Bucket""#, r#""arn:aws:s3:::bucket""#),
            // ASCII case only.
            actions(r#""s3:\u00C4""#, r#""s3:\u00E4""#),
            pair(allow(r#""Action":"iam:*""#), allow(r#""NotAction":"iam:*""#)),
        ],
    );
}

#[test]
fn row_5_letter_case_of_condition_keys() {
    check(
        "5",
        &[
            conditions(
                r#"{"StringEquals":{"aws:SourceVpc":"v"}}"#,
                r#"{"StringEquals":{"AWS:sourcevpc":"v"}}"#,
            ),
            conditions(
                r#"{"StringEquals":{"aws:A":"1","aws:a":"2"}}"#,
                r#"{"StringEquals":{"aws:a":"2","aws:A":"1"}}"#,
            ),
        ],
        &[
            conditions(
                r#"{"StringEquals":{"aws:SourceVpc":"v"}}"#,
                r#"{"StringEquals":{"aws:SourceVpce":"v"}}"#,
            ),
            // Which of the two counts is not known: they are compared as they stand.
            conditions(
                r#"{"StringEquals":{"aws:A":"1","aws:a":"2"}}"#,
                r#"{"StringEquals":{"aws:A":"2","aws:a":"1"}}"#,
            ),
            conditions(
                r#"{"StringEquals":{"aws:A":"1","aws:a":"1"}}"#,
                r#"{"StringEquals":{"aws:a":"1"}}"#,
            ),
        ],
    );
}

#[test]
fn row_6_condition_operators_are_exact() {
    check(
        "6",
        &[conditions(
            r#"{"StringEquals":{"a:x":"1"}}"#,
            r#"{"StringEquals":{"a:x":"1"}}"#,
        )],
        &[
            conditions(r#"{"StringEquals":{"a:x":"1"}}"#, r#"{"stringequals":{"a:x":"1"}}"#),
            conditions(
                r#"{"StringEquals":{"a:x":"1"}}"#,
                r#"{"StringEqualsIfExists":{"a:x":"1"}}"#,
            ),
            conditions(
                r#"{"StringEquals":{"a:x":"1"}}"#,
                r#"{"ForAnyValue:StringEquals":{"a:x":"1"}}"#,
            ),
            conditions(
                r#"{"ForAllValues:StringEquals":{"a:x":"1"}}"#,
                r#"{"ForAnyValue:StringEquals":{"a:x":"1"}}"#,
            ),
        ],
    );
}

#[test]
fn row_7_scalars_in_conditions_are_texts() {
    check(
        "7",
        &[
            conditions(r#"{"Bool":{"a:x":true}}"#, r#"{"Bool":{"a:x":"true"}}"#),
            conditions(r#"{"NumericEquals":{"a:x":5}}"#, r#"{"NumericEquals":{"a:x":["5"]}}"#),
            conditions(r#"{"NumericEquals":{"a:x":[5,"5"]}}"#, r#"{"NumericEquals":{"a:x":5}}"#),
            conditions(
                r#"{"NumericEquals":{"a:x":12345678901234567890}}"#,
                r#"{"NumericEquals":{"a:x":"12345678901234567890"}}"#,
            ),
        ],
        &[
            conditions(
                r#"{"NumericEquals":{"a:x":12345678901234567890}}"#,
                r#"{"NumericEquals":{"a:x":12345678901234567891}}"#,
            ),
            conditions(r#"{"NumericEquals":{"a:x":"05"}}"#, r#"{"NumericEquals":{"a:x":5}}"#),
            conditions(r#"{"NumericEquals":{"a:x":5.0}}"#, r#"{"NumericEquals":{"a:x":5}}"#),
            conditions(r#"{"Bool":{"a:x":true}}"#, r#"{"Bool":{"a:x":false}}"#),
            conditions(r#"{"StringEquals":{"a:x":null}}"#, r#"{"StringEquals":{"a:x":"null"}}"#),
            conditions(r#"{"StringEquals":{"a:x":"[]"}}"#, r#"{"StringEquals":{"a:x":[]}}"#),
        ],
    );
}

#[test]
fn row_8_letter_case_of_values() {
    check(
        "8",
        &[
            conditions(r#"{"Bool":{"a:x":"True"}}"#, r#"{"Bool":{"a:x":true}}"#),
            conditions(
                r#"{"BoolIfExists":{"a:x":"FALSE"}}"#,
                r#"{"BoolIfExists":{"a:x":"false"}}"#,
            ),
            conditions(r#"{"Null":{"a:x":"True"}}"#, r#"{"Null":{"a:x":"true"}}"#),
            conditions(
                r#"{"StringEqualsIgnoreCase":{"a:x":"Ops"}}"#,
                r#"{"StringEqualsIgnoreCase":{"a:x":"ops"}}"#,
            ),
            conditions(
                r#"{"ForAnyValue:StringNotEqualsIgnoreCaseIfExists":{"a:x":"Ops"}}"#,
                r#"{"ForAnyValue:StringNotEqualsIgnoreCaseIfExists":{"a:x":"OPS"}}"#,
            ),
        ],
        &[
            conditions(r#"{"StringEquals":{"a:x":"Ops"}}"#, r#"{"StringEquals":{"a:x":"ops"}}"#),
            conditions(r#"{"StringLike":{"a:x":"Ops*"}}"#, r#"{"StringLike":{"a:x":"ops*"}}"#),
            conditions(
                r#"{"StringEquals":{"a:x":"True"}}"#,
                r#"{"StringEquals":{"a:x":"true"}}"#,
            ),
        ],
    );
}

#[test]
fn row_9_blocks_are_never_merged() {
    check(
        "9",
        &[conditions(
            r#"{"StringEquals":{"a:x":["1","2"]}}"#,
            r#"{"StringEquals":{"a:x":["2","1"]}}"#,
        )],
        &[
            conditions(
                r#"{"StringEquals":{"a:x":["1","2"]}}"#,
                r#"{"StringEquals":{"a:x":"1","a:y":"2"}}"#,
            ),
            conditions(
                r#"{"StringEquals":{"a:x":"1"},"StringLike":{"a:x":"2"}}"#,
                r#"{"StringEquals":{"a:x":["1","2"]}}"#,
            ),
        ],
    );
}

#[test]
fn row_10_everybody() {
    check(
        "10",
        &[
            principals("Allow", r#""*""#, r#"{"AWS":"*"}"#),
            principals("Allow", r#""*""#, r#"{"AWS":["*"]}"#),
        ],
        &[
            principals("Deny", r#""*""#, r#"{"AWS":"*"}"#),
            principals("Allow", r#""*""#, r#"{"Service":"*"}"#),
            principals("Allow", r#""*""#, r#"{"AWS":["*","123456789012"]}"#),
            pair(
                r#"{"Statement":{"Effect":"Allow","NotPrincipal":"*","Action":"sts:AssumeRole"}}"#,
                r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#,
            ),
        ],
    );
}

#[test]
fn row_11_an_account_is_its_root() {
    let (id, root) = (
        r#"{"AWS":"123456789012"}"#,
        r#"{"AWS":"arn:aws:iam::123456789012:root"}"#,
    );
    let china = r#"{"AWS":"arn:aws-cn:iam::123456789012:root"}"#;
    check(
        "11",
        &[principals("Allow", id, root), principals("Deny", id, root)],
        &[
            principals("Allow", id, china),
            principals("Allow", root, china),
            principals(
                "Allow",
                r#"{"AWS":"12345678901"}"#,
                r#"{"AWS":"arn:aws:iam::12345678901:root"}"#,
            ),
            principals(
                "Allow",
                r#"{"Federated":"123456789012"}"#,
                r#"{"Federated":"arn:aws:iam::123456789012:root"}"#,
            ),
        ],
    );
    let (id, china) = principals("Allow", id, china);
    let in_china = |text: &str| document(text).in_partition("aws-cn");
    assert_eq!(in_china(&id), in_china(&china));
    assert_eq!(in_china(&id).as_text(), id, "the text is sent as it was written");
}

#[test]
fn row_12_other_principals_are_case_sensitive_sets() {
    check(
        "12",
        &[principals(
            "Allow",
            r#"{"Federated":["a","b"]}"#,
            r#"{"Federated":["b","a"]}"#,
        )],
        &[
            principals(
                "Allow",
                r#"{"Service":"ec2.amazonaws.com"}"#,
                r#"{"Service":"EC2.amazonaws.com"}"#,
            ),
            principals("Allow", r#"{"CanonicalUser":"ab"}"#, r#"{"CanonicalUser":"AB"}"#),
            principals("Allow", r#"{"Service":"a"}"#, r#"{"Federated":"a"}"#),
        ],
    );
}

#[test]
fn rows_13_to_15_sid_id_and_effect() {
    let with_id = |id: &str| format!(r#"{{"Version":"2012-10-17",{id}"Statement":[{A}]}}"#);
    check(
        "13 to 15",
        &[
            pair(allow(r#""Sid":"Read""#), allow(r#""Sid":"Read""#)),
            pair(with_id(r#""Id":"x","#), with_id(r#""Id":"x","#)),
        ],
        &[
            pair(allow(r#""Sid":"Read""#), allow(r#""Sid":"read""#)),
            pair(allow(r#""Sid":"Read""#), allow("")),
            pair(allow(r#""Sid":"""#), allow("")),
            pair(with_id(r#""Id":"x","#), with_id(r#""Id":"y","#)),
            pair(with_id(r#""Id":"x","#), with_id("")),
            pair(allow(r#""Effect":"Allow""#), allow(r#""Effect":"allow""#)),
            pair(allow(r#""Effect":"Allow""#), allow(r#""Effect":"Deny""#)),
        ],
    );
}

#[test]
fn row_16_statements_are_a_set() {
    check(
        "16",
        &[
            statements(&format!("[{A},{B}]"), &format!("[{B},{A}]")),
            statements(&format!("[{A},{A}]"), &format!("[{A}]")),
            statements(&format!("[{A},{A},{B}]"), &format!("[{A},{B},{B}]")),
        ],
        &[
            statements(&format!("[{A},{B}]"), &format!("[{A}]")),
            statements(&format!("[{A}]"), &format!("[{B}]")),
        ],
    );
}

#[test]
fn row_17_empty_conditions() {
    check(
        "17",
        &[
            pair(condition("{}"), allow("")),
            pair(condition(r#"{"StringEquals":{}}"#), allow("")),
            pair(condition(r#"{"x":{},"y":{}}"#), condition("{}")),
            conditions(r#"{"x":{},"Bool":{"a:x":true}}"#, r#"{"Bool":{"a:x":true}}"#),
        ],
        &[
            // A key without values never matches, which is not the same as no condition.
            pair(condition(r#"{"StringEquals":{"a:x":[]}}"#), allow("")),
            conditions(r#"{"StringEquals":{"a:x":[]}}"#, r#"{"StringEquals":{}}"#),
            conditions(r#"{"StringEquals":{"a:x":[]}}"#, r#"{"StringNotEquals":{"a:x":[]}}"#),
            pair(condition("[]"), allow("")),
            pair(condition("null"), allow("")),
        ],
    );
}

#[test]
fn row_18_the_version_that_is_not_written() {
    let with = |version: &str, resource: &str| {
        format!(r#"{{{version}"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}}}"#)
    };
    let (old, new) = (r#""Version":"2008-10-17","#, r#""Version":"2012-10-17","#);
    let (plain, variable) = ("*", "arn:aws:s3:::${aws:username}");
    check(
        "18",
        &[
            pair(with("", plain), with(old, plain)),
            pair(with("", variable), with(old, variable)),
        ],
        &[
            pair(with("", variable), with(new, variable)),
            pair(with(old, variable), with(new, variable)),
            pair(with("", plain), with(new, plain)),
            pair(with(old, plain), with(new, plain)),
            pair(with(r#""Version":"","#, plain), with("", plain)),
        ],
    );
}

#[test]
fn row_19_escapes() {
    check(
        "19",
        &[
            actions(r#""s3:\u0047etObject""#, r#""s3:GetObject""#),
            resources(r#""arn:aws:s3:::a\/b""#, r#""arn:aws:s3:::a/b""#),
            resources(r#""\ud83d\ude00""#, r#""😀""#),
        ],
        &[
            resources(r#""a\\/b""#, r#""a/b""#),
            resources(r#""\u00e4""#, r#""a\u0308""#),
        ],
    );
}

#[test]
fn row_20_a_key_twice_is_no_document() {
    for text in [
        r#"{"Version":"2012-10-17","Statement":[],"Version":"2012-10-17"}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"a:b","Action":"a:b","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","\u0041ction":"a:b","Action":"a:b","Resource":"*"}}"#,
        r#"{"Statement":{"Condition":{"Bool":{"a:x":true},"Bool":{"a:y":true}}}}"#,
    ] {
        assert!(PolicyDocument::parse(text).is_err(), "{text}");
        let live = PolicyDocument::from_live(text);
        assert!(live.is_opaque());
        assert!(live.statements().is_empty());
        assert_eq!(live, PolicyDocument::from_live(text));
        assert_ne!(live, PolicyDocument::from_live(format!("{text} ")));
    }
    // The same key in two objects is no repetition.
    document(r#"{"Statement":{"Condition":{"Bool":{"a:x":true},"Null":{"a:x":true}}}}"#);
}

#[test]
fn rows_21_and_22_nothing_is_subsumed() {
    check(
        "21, 22",
        &[resources(r#""arn:aws:s3:::a""#, r#"["arn:aws:s3:::a"]"#)],
        &[
            actions(r#"["s3:Get*","s3:GetObject"]"#, r#""s3:Get*""#),
            actions(r#""*""#, r#""*:*""#),
            statements(
                r#"[{"Effect":"Allow","Action":["a:b","c:d"],"Resource":"*"}]"#,
                r#"[{"Effect":"Allow","Action":"a:b","Resource":"*"},{"Effect":"Allow","Action":"c:d","Resource":"*"}]"#,
            ),
            resources(r#""*""#, r#""arn:aws:s3:::*""#),
            resources(r#""arn:aws:s3:::a""#, r#""ARN:aws:s3:::a""#),
        ],
    );
}

#[test]
fn rows_23_and_24_deleted_principals_and_empty_members() {
    check(
        "23, 24",
        &[actions(r#"["","s3:Get*"]"#, r#"["s3:Get*",""]"#)],
        &[
            principals(
                "Allow",
                r#"{"AWS":"AROAEXAMPLEEXAMPLE123"}"#,
                r#"{"AWS":"arn:aws:iam::123456789012:role/deploy"}"#,
            ),
            actions(r#"["","s3:Get*"]"#, r#"["s3:Get*"]"#),
        ],
    );
    let (deleted, _) = principals("Allow", r#"{"AWS":["AROAEXAMPLEEXAMPLE123","123456789012"]}"#, "{}");
    assert_eq!(
        document(&deleted).dangling_principals().into_iter().collect::<Vec<_>>(),
        ["AROAEXAMPLEEXAMPLE123"]
    );
}

/// Where a widespread comparison of policies is known to be wrong.
#[test]
fn what_another_equality_gets_wrong() {
    check(
        "false drift elsewhere",
        &[
            actions(r#""s3:getobject""#, r#""s3:GetObject""#),
            conditions(
                r#"{"StringEquals":{"aws:sourcevpc":"v"}}"#,
                r#"{"StringEquals":{"aws:SourceVpc":"v"}}"#,
            ),
            actions(r#"["a:b","a:b"]"#, r#"["a:b"]"#),
            resources(r#"["*","*"]"#, r#"["*"]"#),
            conditions(
                r#"{"StringEquals":{"a:x":["1","1"]}}"#,
                r#"{"StringEquals":{"a:x":["1"]}}"#,
            ),
            principals("Allow", r#""*""#, r#"{"AWS":"*"}"#),
            pair(
                format!(r#"{{"Statement":[{A}]}}"#),
                format!(r#"{{"Version":"2008-10-17","Statement":[{A}]}}"#),
            ),
            pair(condition("{}"), allow("")),
            statements(&format!("[{A},{A}]"), &format!("[{A}]")),
            statements(&format!("[{A},{A},{B}]"), &format!("[{A},{B},{B}]")),
            conditions(
                r#"{"NumericEquals":{"a:x":98765432109876543210}}"#,
                r#"{"NumericEquals":{"a:x":"98765432109876543210"}}"#,
            ),
        ],
        &[],
    );
    let without_principal = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#;
    let with_principal = |name: &str| {
        format!(r#"{{"Statement":{{"Effect":"Allow","{name}":"123456789012","Action":"sts:AssumeRole"}}}}"#)
    };
    check(
        "dangerous elsewhere",
        &[],
        &[
            principals("Allow", r#""*""#, r#""123456789012""#),
            pair(with_principal("Principal"), without_principal),
            pair(with_principal("NotPrincipal"), without_principal),
            pair(allow(r#""Resources":"x""#), allow("")),
            pair(allow(r#""Effect":"allow""#), allow(r#""Effect":"Allow""#)),
            principals(
                "Allow",
                r#"{"AWS":"arn:aws:iam::123456789012:root"}"#,
                r#"{"AWS":"arn:aws-cn:iam::123456789012:root"}"#,
            ),
            pair(allow(r#""Sid":"a""#), allow(r#""Sid":"b""#)),
            pair(allow(r#""action":"s3:GetObject""#), allow("")),
        ],
    );
    let twice = r#"{"Statement":{"Effect":"Allow","Action":"iam:*","Action":"s3:Get*","Resource":"*"}}"#;
    let once = r#"{"Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#;
    assert_ne!(PolicyDocument::from_live(twice), PolicyDocument::from_live(once));
}

#[test]
fn members_out_of_shape_are_compared_as_they_stand() {
    check(
        "odd shapes",
        &[
            statements(r#"["x"]"#, r#"[ "x" ]"#),
            conditions(
                r#"{"StringEquals":[{"b":1,"a":2}]}"#,
                r#"{"StringEquals":[{"a":2,"b":1}]}"#,
            ),
        ],
        &[
            statements(r#"["x"]"#, r#"["y"]"#),
            statements(r#"["x"]"#, "[]"),
            statements(&format!(r#"[{A},"x"]"#), &format!("[{A}]")),
            statements("null", "[]"),
            actions("[5]", r#"["5"]"#),
            conditions(
                r#"{"StringEquals":{"a:x":{"b":1}}}"#,
                r#"{"StringEquals":{"a:x":["b"]}}"#,
            ),
            conditions(r#"{"StringEquals":"x"}"#, r#"{"StringEquals":{}}"#),
            pair(r#"{"Statement":[],"Foo":1}"#, r#"{"Statement":[],"Foo":2}"#),
        ],
    );
}
