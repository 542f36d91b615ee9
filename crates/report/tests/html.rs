//! Plans made by hand as a page. What a browser makes of it is tested with the browser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;

use common::{golden, hostile, plan, reviewed};
use serde_json::{Value, json};
use trueup_model::Live;
use trueup_planner::Plan;
use trueup_report::{HtmlOptions, Purpose, render_plan_html};

/// An account with as many users, of whom all but three hold the same.
fn live(users: usize) -> Live {
    let arn = |kind: &str, name: &str| format!("arn:aws:iam::123456789012:{kind}/{name}");
    let created = "2026-01-01T00:00:00Z";
    let user = |name: String, groups: Value| {
        let details = json!({
            "name": name, "id": name, "arn": arn("user", &name), "path": "/", "created": created, "tags": {},
            "groups": groups, "managed_policies": [], "inline_policies": {},
            "permissions_boundary": arn("policy", "team-boundary")
        });
        (name, details)
    };
    let group = |name: &str, managed: Value| {
        json!({
            "name": name, "id": name, "arn": arn("group", name), "path": "/", "created": created,
            "managed_policies": managed, "inline_policies": {"read": "{}"}
        })
    };
    let named = ["alice.smith", "dave", "mallory"].map(|name| user(name.to_owned(), json!(["auditors"])));
    let many = (0..users).map(|n| user(format!("user-{n:04}"), json!(["developers"])));
    let users: BTreeMap<String, Value> = named.into_iter().chain(many).collect();
    serde_json::from_value(json!({
        "account": {"id": "123456789012", "partition": "aws", "alias": null, "password_policy": null, "summary": {}},
        "caller": "arn:aws:iam::123456789012:root", "users": users,
        "groups": {
            "auditors": group("auditors", json!(["arn:aws:iam::aws:policy/SecurityAudit"])),
            "developers": group("developers", json!([arn("policy", "deploy")]))
        },
        "policies": {}, "aws_policies": {}, "roles": {}, "virtual_mfa_devices": null
    }))
    .unwrap()
}

fn page(plan: &Plan, live: Option<&Live>) -> String {
    let options = HtmlOptions {
        live,
        ..HtmlOptions::default()
    };
    render_plan_html(plan, &options).unwrap()
}

/// The page without its style and its script, which have files of their own.
fn without_assets(page: &str) -> String {
    let style = include_str!("../templates/style.css");
    let script = include_str!("../templates/script.js");
    let hash = |name: &str| {
        let rest = page.split(&format!("{name} 'sha256-")).nth(1).unwrap();
        rest.split('\'').next().unwrap().to_owned()
    };
    page.replace(style, "[STYLE]")
        .replace(script, "[SCRIPT]")
        .replace(&hash("style-src"), "[HASH]")
        .replace(&hash("script-src"), "[HASH]")
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

#[test]
fn a_plan_to_decide_about() {
    golden(
        "html/reviewed.html",
        &without_assets(&page(&reviewed(), Some(&live(40)))),
    );
}

#[test]
fn a_saved_plan_has_the_map_of_what_it_names() {
    let page = page(&reviewed(), None);
    assert!(
        page.contains("a saved plan does not hold the rest of the account"),
        "{page}"
    );
    assert!(
        page.contains(">+ carol</text>") && !page.contains("SecurityAudit"),
        "{page}"
    );
}

#[test]
fn an_account_in_sync() {
    let options = HtmlOptions {
        purpose: Purpose::Drift,
        ..HtmlOptions::default()
    };
    let page = render_plan_html(&plan(json!({})), &options).unwrap();
    assert!(page.contains("trueup drift") && page.contains("No changes. The account matches the manifest."));
    assert!(!page.contains("<svg") && !page.contains("id=\"list\""), "{page}");
}

#[test]
fn the_query_for_who_did_it_is_text() {
    let query = "SELECT a\nFROM b -- </code><script>\u{202e}\n";
    let found = without_assets(&page(&plan(json!({"cloudtrail_query": query})), None));
    let shown = "<code>SELECT a\nFROM b -- &lt;/code&gt;&lt;script&gt;\\u{202e}\n</code>";
    assert!(found.contains(shown), "{found}");
    assert!(!page(&plan(json!({})), None).contains("Who did it"));
}

#[test]
fn a_map_of_five_thousand_users_is_a_picture() {
    let page = page(&reviewed(), Some(&live(5_000)));
    assert!(page.contains(">5000 users</text>"), "{page}");
    assert!(page.matches("<rect").count() < 30, "{}", page.matches("<rect").count());
    // The renamed user is not there twice, and the removed one takes its ties along.
    assert!(page.contains(">~ alice</text>") && !page.contains(">alice.smith</text>"));
    assert!(page.contains("− dave</text>") && page.contains("class=\"tie removed boundary\""));
}

#[test]
fn a_map_with_too_many_groups_says_what_is_left_out() {
    let changes: Vec<_> = (0..100)
        .map(|n| common::change(&format!("group/g-{n}/member/u-{n}"), "create", "", json!([])))
        .collect();
    let page = page(&plan(json!({ "changes": changes })), None);
    assert!(
        page.contains("Not drawn for lack of room: 20 boxes of users, 20 groups."),
        "{page}"
    );
}

#[test]
fn hostile_text_is_no_markup() {
    const TAGS: &str = "a article b body button code dd details div dl dt fieldset footer form g h1 h2 h3 head header html \
        input label legend li main meta noscript ol p path pre rect script section span style summary svg table tbody td text th \
        thead time title tr ul";
    for bad in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "</svg><b>",
        "<!--<script>",
        "\u{202e}\u{1b}[31m\u{200b}",
        "'-alert(1)-'",
        "&lt;b&gt;",
        "\n::error::x",
        "##[error]x",
        "{{ 7*7 }}",
    ] {
        let found = without_assets(&page(&hostile(bad), None));
        for piece in found.split('<').skip(1) {
            let name = piece
                .trim_start_matches('/')
                .split(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap();
            assert!(
                piece.starts_with("!doctype") || TAGS.split_whitespace().any(|tag| tag == name),
                "{bad:?}: <{piece}"
            );
        }
        assert_eq!(found.matches("<script").count(), 3, "{bad:?}");
        assert!(!found.contains(['\u{202e}', '\u{1b}', '\u{200b}']), "{bad:?}");
        assert!(!found.contains("##["), "{bad:?}");
        let commands = found.lines().filter(|line| line.trim_start().starts_with("::")).count();
        assert_eq!(commands, 0, "{bad:?}");
        for id in ["heads", "bodies"] {
            let data = found.split(&format!("id=\"{id}\">")).nth(1).unwrap();
            let data = data.split("</script>").next().unwrap();
            serde_json::from_str::<Value>(data).unwrap();
        }
    }
}
