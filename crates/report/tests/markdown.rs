//! Plans made by hand as Markdown, and what no text in them can do. The witness of the latter is a Markdown parser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{change, golden, hostile, permissions, plan, reviewed};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::json;
use trueup_planner::Plan;
use trueup_report::{
    COMMENT_BUDGET, MarkdownOptions, Purpose, github_commands, plan_annotations, plan_json, render_plan_markdown,
    render_refusal_markdown,
};

fn shown(plan: &Plan) -> String {
    render_plan_markdown(plan, &MarkdownOptions::default())
}

#[test]
fn a_plan_to_decide_about() {
    golden("markdown/reviewed.md", &shown(&reviewed()));
}

#[test]
fn an_account_in_sync() {
    let options = MarkdownOptions {
        purpose: Purpose::Drift,
        ..MarkdownOptions::default()
    };
    golden(
        "markdown/no-changes.md",
        &render_plan_markdown(&plan(json!({})), &options),
    );
}

#[test]
fn the_query_for_who_did_it_is_folded_and_cannot_end_its_fence() {
    let query = "SELECT eventTime\nFROM EVENT_DATA_STORE_ID\n````\n::error::x\u{202e}\n";
    let found = shown(&plan(json!({"cloudtrail_query": query})));
    assert!(
        found.ends_with(
            "`````sql\nSELECT eventTime\nFROM EVENT_DATA_STORE_ID\n````\n\\u{3a}:error::x\\u{202e}\n`````\n\n</details>\n"
        ),
        "{found}"
    );
    assert!(found.contains("#### Who did it\n\n<details><summary>Who did it, asked of CloudTrail Lake"));
}

#[test]
fn why_nothing_is_corrected_is_no_markup() {
    let left = json!({"resource": "user/a", "change": "update", "origin": "drift", "because": "it waits for <b> @all"});
    let found = shown(&plan(json!({"only": "drift", "left": [left]})));
    let line = found.lines().find(|line| line.starts_with("**Nothing"));
    assert_eq!(
        line,
        Some(
            "**Nothing can be corrected yet.** 1 difference that drifted waits: it waits for `<b>` `@all`. Left as it is: \
             1 drift."
        )
    );
}

#[test]
fn a_refusal_says_why() {
    let why = "a guardrail refuses this plan; nothing was written";
    golden(
        "markdown/refused.md",
        &render_refusal_markdown(&reviewed(), why, &MarkdownOptions::default()),
    );
}

#[test]
fn hostile_text_is_quoted() {
    let bad = "@acme #1 ``` <b> \u{1b}[2J\u{202e}\n::error::x ##[error]y [a](https://evil.example) -->";
    golden("markdown/hostile.md", &shown(&hostile(bad)));
}

/// Forty users who join, change or leave, with what such a change has in practice.
fn forty_users() -> Plan {
    let mut changes = Vec::new();
    for n in 0..40 {
        let user = format!("user/first.lastname-{n:02}");
        let member = |group: &str| format!("group/{group}/member/first.lastname-{n:02}");
        if n < 20 {
            changes.push(change(
                &user,
                "create",
                "declared, and not in the account",
                json!([
                    ["path", null, "/platform/engineering/"],
                    ["tags.owner", null, format!("first.lastname-{n:02}@example.com")],
                    ["tags.team", null, "payments"],
                    ["tags.cost-center", null, "4711"],
                    [
                        "permissions_boundary",
                        null,
                        "arn:aws:iam::123456789012:policy/team-boundary"
                    ],
                ]),
            ));
            for part in [
                "login-profile",
                "managed-policy/arn:aws:iam::aws:policy/IAMUserChangePassword",
            ] {
                changes.push(change(
                    &format!("{user}/{part}"),
                    "create",
                    "part of a new user",
                    json!([]),
                ));
            }
            for group in ["developers", "on-call", "readers-of-reports"] {
                changes.push(change(&member(group), "create", "part of a new user", json!([])));
            }
        } else if n < 35 {
            changes.push(change(&format!("{user}/inline-policy/reports"), "update", "differs from the manifest", json!([
                ["statement ReadReports · Action", ["s3:Get*"], ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]],
                ["statement ReadReports · Resource", ["*"], ["arn:aws:s3:::acme-reports-production/*"]],
                ["statement Decrypt", null, {"Sid": "Decrypt", "Effect": "Allow", "Action": ["kms:Decrypt"],
                    "Resource": ["arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]}],
            ])));
            changes.push(change(
                &member("readers-of-reports"),
                "delete",
                "not in the manifest's entry",
                json!([]),
            ));
        } else {
            for part in ["", "/login-profile", "/inline-policy/reports"] {
                changes.push(change(
                    &format!("{user}{part}"),
                    "delete",
                    "absent: left on 2026-11-20",
                    json!([]),
                ));
            }
            changes.push(change(
                &member("developers"),
                "delete",
                "absent: left on 2026-11-20",
                json!([]),
            ));
        }
    }
    plan(json!({ "changes": changes }))
}

#[test]
fn a_change_of_forty_users_fits_one_comment() {
    let text = shown(&forty_users());
    assert!(text.chars().count() < 65_536, "{}", text.chars().count());
    assert!(!text.contains("Left out"), "{text}");
    for n in 0..40 {
        assert!(
            text.contains(&format!("<code>user/first.lastname-{n:02}</code>")),
            "{n}"
        );
    }
}

#[test]
fn the_summary_is_never_cut_and_what_is_left_out_is_counted() {
    let full = forty_users();
    let mut before = None;
    for budget in [0, 2_000, 10_000, COMMENT_BUDGET] {
        let options = MarkdownOptions {
            budget,
            ..MarkdownOptions::default()
        };
        let text = render_plan_markdown(&full, &options);
        let summary = text
            .split("\n#### ")
            .next()
            .unwrap()
            .split("\n**Left out")
            .next()
            .unwrap();
        let summary = summary.trim_end().to_owned();
        assert!(summary.contains("Plan: ") && summary.contains("Digest: "), "{summary}");
        assert_eq!(*before.get_or_insert(summary.clone()), summary);
        assert!(
            text.chars().count() <= budget.max(3_000),
            "{budget}: {}",
            text.chars().count()
        );
        if budget < COMMENT_BUDGET {
            assert!(
                text.contains("**Left out, since a comment has no room for more:**"),
                "{text}"
            );
        }
        if budget == 0 {
            assert!(text.contains("10 destructive changes, 40 users"), "{text}");
        }
    }
}

#[test]
fn who_loses_access_is_told_in_fewer_words_before_being_left_out() {
    let access: Vec<_> = (0..40)
        .map(|n| {
            json!({
                "principal": format!("user/first.lastname-{n:02}"), "verdict": "less", "administrator": null,
                "gained": [], "lost": [permissions(&format!("own{n}"))], "escalation": [], "unknown": [],
                "assumptions": [],
            })
        })
        .collect();
    let plan = plan(json!({ "access": access }));
    let within = |budget| {
        let options = MarkdownOptions {
            budget,
            ..MarkdownOptions::default()
        };
        render_plan_markdown(&plan, &options)
    };
    let all = within(usize::MAX / 200).chars().count();
    let text = within(all * 3 / 4);
    assert!(!text.contains("changes of access"), "{text}");
    for n in 0..40 {
        assert!(text.contains(&format!("user/first.lastname-{n:02}")), "{n}: {text}");
    }
}

#[test]
fn a_huge_plan_stays_within_the_budget() {
    let changes: Vec<_> = (0..5_000)
        .map(|n| {
            change(
                &format!("user/{}-{n:05}", "n".repeat(100)),
                "delete",
                "absent: left",
                json!([]),
            )
        })
        .collect();
    let text = shown(&plan(json!({ "changes": changes })));
    let length = text.chars().count();
    assert!((COMMENT_BUDGET * 9 / 10..=COMMENT_BUDGET).contains(&length), "{length}");
    let policy: Vec<_> = (0..3_000)
        .map(|n| json!([format!("statement S{n}"), null, {"Effect": "Allow"}]))
        .collect();
    let text = shown(&plan(
        json!({"changes": [change("policy/p", "update", "differs", json!(policy))]}),
    ));
    assert!(text.contains("… and 5700 more lines"), "{text}");
}

/// What a Markdown parser sees that is not one of our own words.
fn seen(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM,
    ) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_fence = true,
            Event::End(TagEnd::CodeBlock) => in_fence = false,
            Event::Text(_) if in_fence => {}
            Event::Text(text) => found.extend(
                text.split_whitespace()
                    .filter(|word| {
                        word.contains(['@', '#', '<', '>', '[', ']', '`', '*', '_', '/', '\\', '&', '$', '~'])
                    })
                    .filter(|word| !["~", "[!CAUTION]", "[!WARNING]"].contains(word))
                    .map(|word| format!("text {word}")),
            ),
            Event::Html(html) | Event::InlineHtml(html) => found.extend(tags(&html).map(|tag| format!("tag {tag}"))),
            Event::Start(
                tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Table(_) | Tag::Strikethrough),
            ) => found.push(format!("{tag:?}")),
            _ => {}
        }
    }
    found
}

/// The tags of HTML that are none of ours.
fn tags(html: &str) -> impl Iterator<Item = String> {
    const OURS: [&str; 10] = [
        "details", "/details", "summary", "/summary", "code", "/code", "b", "/b", "sub", "/sub",
    ];
    html.split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap_or_default().to_owned())
        .filter(|tag| !OURS.contains(&tag.as_str()) && !is_marker(tag))
}

fn is_marker(tag: &str) -> bool {
    tag.strip_prefix("!-- trueup:")
        .and_then(|rest| rest.strip_suffix(" --"))
        .is_some_and(|id| id.bytes().all(|b| b.is_ascii_digit()))
}

/// Lines that GitHub's runner would obey.
fn commands(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
        .collect()
}

fn invisible(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| {
            *c != '\n'
                && (c.is_control() || ('\u{200b}'..='\u{200f}').contains(c) || ('\u{202a}'..='\u{202e}').contains(c))
        })
        .collect()
}

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("@acme/admins".to_owned()),
        Just("#12".to_owned()),
        Just("GH-1".to_owned()),
        Just("```".to_owned()),
        Just("`".to_owned()),
        Just("``````".to_owned()),
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("::error::".to_owned()),
        Just("\n::set-output name=a::b".to_owned()),
        Just("##[error]".to_owned()),
        Just("<script>".to_owned()),
        Just("</details>".to_owned()),
        Just("<img src=x onerror=y>".to_owned()),
        Just("[a](https://evil.example)".to_owned()),
        Just("![a](x)".to_owned()),
        Just("https://evil.example".to_owned()),
        Just("www.evil.example".to_owned()),
        Just("-->".to_owned()),
        Just("<!--".to_owned()),
        Just("&lt;".to_owned()),
        Just("**b**".to_owned()),
        Just("_i_".to_owned()),
        Just("~~s~~".to_owned()),
        Just("|a|b|".to_owned()),
        Just("> q".to_owned()),
        Just("# h".to_owned()),
        Just("1. l".to_owned()),
        Just("- l".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\u{200b}".to_owned()),
        Just("    ".to_owned()),
        Just(":smile:".to_owned()),
        Just("$x$".to_owned()),
        Just("\\".to_owned()),
        Just("~~~".to_owned()),
        "[ -~]{0,12}",
        "\\PC{0,4}",
        "[a-f0-9]{7,12}",
    ];
    proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_markup_or_a_command(bad in hostile_text()) {
        let plan = hostile(&bad);
        let markdown = shown(&plan);
        prop_assert_eq!(seen(&markdown), Vec::<String>::new(), "{}", markdown);
        prop_assert_eq!(commands(&markdown), Vec::<&str>::new());
        prop_assert_eq!(invisible(&markdown), Vec::<char>::new());

        let text = trueup_report::render_plan_text(&plan, &trueup_report::TextOptions::default());
        prop_assert_eq!(commands(&text), Vec::<&str>::new());
        let json = plan_json(&plan).unwrap();
        prop_assert_eq!(commands(&json), Vec::<&str>::new());
        prop_assert_eq!(&trueup_report::read_plan(&json).unwrap(), &plan);

        let annotations = github_commands(&plan_annotations(&plan, |_| None));
        for line in annotations.lines() {
            let ours = ["::error title=trueup", "::warning title=trueup", "::notice title=trueup"];
            prop_assert!(ours.iter().any(|begin| line.starts_with(begin)) && !line.contains("##["), "{}", line);
            prop_assert_eq!(line.split("::").nth(1).unwrap().matches(',').count(), 0, "{}", line);
        }
        prop_assert_eq!(invisible(&annotations), Vec::<char>::new());
    }
}
