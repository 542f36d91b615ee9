//! No input makes the reader panic, hang, or say something without a place to look at.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use trueup_manifest::{MemoryFiles, Parsed, parse, render};

fn check(text: &str) -> Parsed {
    let parsed = parse(&MemoryFiles::new([("trueup.yaml", text), ("d.json", text)]));
    assert_eq!(
        parsed.desired.is_some(),
        parsed
            .diagnostics
            .iter()
            .all(|d| d.severity == trueup_manifest::Severity::Warning)
    );
    for diagnostic in &parsed.diagnostics {
        assert!(
            !diagnostic.message.ends_with('.') && !diagnostic.message.is_empty(),
            "{diagnostic:?}"
        );
        for rust in ["Option", "String", "Vec<", "usize", "unwrap", "enum ", "struct "] {
            assert!(!diagnostic.message.contains(rust), "{diagnostic:?}");
        }
        if let Some(place) = &diagnostic.place {
            assert!(place.line >= 1 && place.column >= 1);
            assert!(place.span.start <= place.span.end);
        }
    }
    let shown = render(&parsed.diagnostics, false);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    parsed
}

const EXAMPLE: &str = include_str!("diagnostics/good-everything.yaml");

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn texts_of_yaml_characters(text in "([a-z]{1,4}|[0-9]{1,3}|[\\[\\]{}:,&*!|>'\"%@`#?~<=-]|\n|  |\t|: |- |é|\u{1b}|\u{202e}){0,80}") {
        check(&text);
    }

    /// A good manifest with one thing cut out, or put in.
    #[test]
    fn damaged_manifests(at in 0..EXAMPLE.len(), length in 0..40usize, put in "([\\[\\]{}:,&*!|>'\"%@`#?~-]|\n|  |no|null|0x1|é){0,3}") {
        let start = EXAMPLE.floor_char_boundary(at);
        let end = EXAMPLE.floor_char_boundary((at + length).min(EXAMPLE.len()));
        check(&format!("{}{put}{}", &EXAMPLE[..start], &EXAMPLE[end..]));
    }
}

#[test]
fn hostile_texts_end_soon() {
    let head = "version: 1\naccount: {id: \"123456789012\"}\n";
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, next) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        bomb.push_str(&format!(
            "{next}: &{next} [{}]\n",
            vec![format!("*{one}"); 9].join(", ")
        ));
    }
    let texts = [
        format!("{head}users: {}", "[".repeat(20_000)),
        format!("{head}users: {}", "{a: ".repeat(20_000)),
        format!("{head}users: {}", "{? ".repeat(20_000)),
        format!("{head}users:\n  {}", "- ".repeat(20_000)),
        format!("{head}users: {}", "\"".repeat(20_001)),
        format!("{head}users: {{{}}}", "a: {}, ".repeat(10_000)),
        format!(
            "{head}users: {{a: {{tags: {{{}}}}}}}",
            (0..5_000).map(|n| format!("t{n}: x, ")).collect::<String>()
        ),
        format!(
            "{head}users: {{a: {{groups: [{}]}}}}",
            (0..5_000).map(|n| format!("grp{n}, ")).collect::<String>()
        ),
        format!("{head}{bomb}"),
        format!("{head}users: {{a: {{path: \"{}\"}}}}", "/x".repeat(10_000)),
        "&a ".repeat(20_000),
        "!t ".repeat(20_000),
        "? ".repeat(20_000),
        "\n".repeat(50_000),
    ];
    for text in texts {
        let begin = Instant::now();
        let parsed = check(&text);
        assert!(parsed.desired.is_none());
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{} took {:?}",
            &text[..80],
            begin.elapsed()
        );
    }
}

/// As large as an account can be.
fn large(users: usize) -> String {
    let mut text =
        "version: 1\naccount: {id: \"123456789012\"}\nuser_types:\n  person: {login_profile: {}, mfa: required}\n"
            .to_owned();
    text.push_str("groups:\n");
    for n in 0..300 {
        text.push_str(&format!(
            "  group-{n}:\n    managed_policies: [arn:aws:iam::aws:policy/ReadOnlyAccess, policy-{n}]\n    inline_policies:\n      own: {{Version: 2012-10-17, Statement: [{{Effect: Allow, Action: [\"s3:GetObject\", \"s3:PutObject\"], Resource: \"arn:aws:s3:::bucket-{n}/*\"}}]}}\n"
        ));
    }
    text.push_str("policies:\n");
    for n in 0..300 {
        text.push_str(&format!(
            "  policy-{n}:\n    path: /team/\n    tags: {{owner: team-{n}}}\n    document:\n      Version: \"2012-10-17\"\n      Statement:\n        - Sid: Read\n          Effect: Allow\n          Action: [\"ec2:Describe*\", \"s3:Get*\"]\n          Resource: \"*\"\n"
        ));
    }
    text.push_str("users:\n");
    for n in 0..users {
        text.push_str(&format!(
            "  user-{n}@example.com:\n    type: person\n    path: /people/team-{}/\n    tags: {{owner: team-{}, cost-centre: \"{n}\"}}\n    groups: [group-{}, group-{}]\n    expires: 2027-06-30\n    permissions_boundary: policy-{}\n",
            n % 90, n % 90, n % 300, (n + 7) % 300, n % 300
        ));
    }
    text
}

#[test]
fn an_account_of_5000_users_is_read_in_time() {
    let text = large(5000);
    let begin = Instant::now();
    let parsed = check(&text);
    let took = begin.elapsed();
    assert_eq!(parsed.desired.unwrap().users.len(), 5000);
    // Far below a second when optimised; this bound catches anything quadratic even in an unoptimised build.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn mistakes_in_5000_users_are_told_in_time() {
    let text = large(5000)
        .replace("type: person", "typ: person")
        .replace("group-1,", "grup-1,");
    let parsed = check(&text);
    assert!(parsed.diagnostics.len() >= 5000);
}
