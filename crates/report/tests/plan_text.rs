//! Plans made by hand, rendered.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::json;
use trueup_planner::Plan;
use trueup_report::{TextOptions, Verbosity, plan_json, read_plan, render_plan_text, what_moved};

/// A plan document with these parts in place of empty ones.
fn plan(parts: serde_json::Value) -> Plan {
    let mut document = json!({
        "format_version": "1.0",
        "tool_version": "0.1.0",
        "account_id": "123456789012",
        "as_of": "2026-11-22",
        "digest": "sha256:00",
        "overview": {
            "alias": "acme-prod",
            "scope": {"groups": ["/"], "policies": [], "users": ["/platform/"]},
            "managed": 61, "unchanged": 58, "untouchable": 139
        },
        "summary": {"create": 0, "update": 0, "delete": 0, "actions": 0},
        "changes": [], "actions": [], "requirements": [], "access": [], "unmanaged": [], "ignored": [],
        "guardrails": [], "notes": [], "facts": {},
        "reads": {"total": 3, "by_operation": {"GetAccountAuthorizationDetails": 2, "GetAccountSummary": 1}}
    });
    for (key, value) in parts.as_object().unwrap() {
        document[key] = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

fn change(resource: &str, kind: &str, reason: &str, fields: serde_json::Value) -> serde_json::Value {
    let fields: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|field| json!({"path": field[0], "before": field[1], "after": field[2]}))
        .collect();
    json!({"resource": resource, "change": kind, "reason": reason, "destructive": kind == "delete", "fields": fields})
}

fn plain(plan: &Plan) -> String {
    render_plan_text(plan, &TextOptions::default())
}

#[test]
fn an_account_in_sync_is_said_to_be() {
    assert_eq!(
        plain(&plan(json!({}))),
        "\
Account 123456789012 (acme-prod), as of 2026-11-22
Scope: groups below /, policies not managed, users below /platform/
61 managed, 58 unchanged, 139 out of reach

No changes. The account matches the manifest.
Digest: sha256:00
Reads: 3 (GetAccountAuthorizationDetails 2, GetAccountSummary 1)
"
    );
}

#[test]
fn changes_stand_under_their_entity() {
    let shown = plain(&plan(json!({
        "summary": {"create": 2, "update": 3, "delete": 1, "actions": 6},
        "changes": [
            change("account/alias", "update", "the manifest asks for another", json!([["alias", "acme", "acme-prod"]])),
            change("group/auditors/inline-policy/read", "update", "the manifest asks for another", json!([
                ["statement ReadReports · Action", null, ["s3:PutObject"]],
            ])),
            change("user/alice", "rename", "previously bob", json!([["name", "bob", "alice"], ["path", "/", "/x/"]])),
            change("user/alice/login-profile", "delete", "previously bob", json!([])),
            change("user/carol", "create", "declared, not live", json!([
                ["path", null, "/platform/"], ["tags.owner", null, "carol@example.com"],
            ])),
            change("user/carol/managed-policy/arn:aws:iam::aws:policy/ReadOnlyAccess", "create", "declared, not live",
                json!([])),
        ],
    })));
    let body = shown.split("out of reach\n").nth(1).unwrap();
    assert!(
        body.starts_with(
            "
  ~ account/alias (because the manifest asks for another)
      ~ alias: \"acme\" -> \"acme-prod\"

    group/auditors
      ~ inline-policy/read (because the manifest asks for another)
          ~ statement ReadReports · Action: + s3:PutObject

  ~ user/alice (renamed from bob) (because previously bob)
      ~ path: \"/\" -> \"/x/\"
      - login-profile (destructive)

  + user/carol (because declared, not live)
      + path: \"/platform/\"
      + tags.owner: \"carol@example.com\"
      + managed-policy/arn:aws:iam::aws:policy/ReadOnlyAccess

Plan: 2 to add, 3 to change, 1 to destroy.
"
        ),
        "{shown}"
    );
}

#[test]
fn sets_and_statements_are_shown_by_member() {
    let many: Vec<_> = (0..30).map(|n| format!("s3:Action{n}")).collect();
    let document = plan(json!({
        "changes": [change("policy/p", "update", "", json!([
            ["statement A · Action", ["s3:Get*"], ["s3:GetObject", "s3:List Me"]],
            ["statement B", null, {"Effect": "Allow", "Action": ["a:B", "c:D"], "Resource": "*", "Condition": {"Bool": {"k": ["v"]}}}],
            ["statement C", {"Effect": "Deny", "Action": many.clone(), "Resource": "*"}, null],
            ["statement D · Action", null, many],
        ]))],
    }));
    let shown = plain(&document);
    assert!(
        shown.contains(
            "
      ~ statement A · Action
          - s3:Get*
          + s3:GetObject
          + \"s3:List Me\"
      + statement B
          Effect: Allow
          Action: a:B, c:D
          Resource: *
          Condition: {\"Bool\": {\"k\": [\"v\"]}}
      - statement C
"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("            s3:Action19\n            … and 10 more (-v shows all)\n"),
        "{shown}"
    );
    let verbose = TextOptions {
        verbosity: Verbosity::Verbose,
        ..TextOptions::default()
    };
    let all = render_plan_text(&document, &verbose);
    assert!(all.contains("+ s3:Action29\n") && !all.contains("more"), "{all}");
}

#[test]
fn what_stands_in_the_way_is_always_said() {
    let document = plan(json!({
        "requirements": [
            {"subject": "user/alice", "requirement": "mfa", "met": true, "detail": "1 device", "remedy": null},
            {"subject": "user/bob", "requirement": "mfa", "met": false, "detail": "no device", "remedy": "assign one"},
        ],
        "guardrails": [
            {"code": "own-access", "message": "the plan takes AdministratorAccess from alice", "allowed": false},
            {"code": "alias", "message": "acme is replaced", "allowed": true},
        ],
    }));
    let quiet = TextOptions {
        verbosity: Verbosity::Quiet,
        ..TextOptions::default()
    };
    assert_eq!(
        render_plan_text(&document, &quiet),
        "\
Requirements: 1 met, 1 not met
  ! user/bob · mfa: no device
      assign one

Guardrails: apply refuses
  ! own-access: the plan takes AdministratorAccess from alice (--allow own-access lets it pass)
  ! alias: acme is replaced (allowed by --allow alias)

No changes. The account matches the manifest.
"
    );
}

#[test]
fn long_lists_of_names_are_counted() {
    let unmanaged: Vec<_> = (10..40)
        .map(|n| json!({"resource": format!("user/u{n}"), "reason": "not in the manifest"}))
        .collect();
    let document = plan(json!({
        "unmanaged": unmanaged,
        "ignored": [{"resource": "user/legacy-1", "rule": "user: legacy-*", "reason": "owned by payroll"}],
        "notes": [{"strict": true, "resource": "user/legacy-1", "message": "the rule has lapsed"}],
    }));
    let shown = plain(&document);
    assert!(
        shown.contains("Unmanaged: 30\n  not in the manifest:\n    user/u10\n"),
        "{shown}"
    );
    assert!(
        shown.contains("    user/u19\n    … and 20 more (-v shows all)\n"),
        "{shown}"
    );
    assert!(
        shown.contains("Ignored: 1\n  user: legacy-* (owned by payroll):\n    user/legacy-1\n"),
        "{shown}"
    );
    assert!(
        shown.contains("Notes\n  ! user/legacy-1: the rule has lapsed\n"),
        "{shown}"
    );
}

#[test]
fn long_lists_of_unmet_requirements_are_counted() {
    let requirements: Vec<_> = (10..40)
        .map(|n| json!({"subject": format!("user/u{n}"), "requirement": "mfa", "met": false, "detail": "no device", "remedy": null}))
        .collect();
    let shown = plain(&plan(json!({ "requirements": requirements })));
    assert!(
        shown.contains("Requirements: 0 met, 30 not met\n  ! user/u10 · mfa: no device\n"),
        "{shown}"
    );
    assert!(
        shown.contains("  ! user/u19 · mfa: no device\n  … and 20 more (-v shows all)\n"),
        "{shown}"
    );
}

#[test]
fn a_rename_is_said_once() {
    let renamed = change(
        "user/bob",
        "rename",
        "renamed from rob",
        json!([["name", "rob", "bob"]]),
    );
    let shown = plain(&plan(json!({ "changes": [renamed] })));
    assert!(shown.contains("\n  ~ user/bob (renamed from rob)\n"), "{shown}");
}

fn request(text: &str) -> serde_json::Value {
    json!({"action": text, "resource": text, "context": {text: [text]}})
}

fn permissions(text: &str) -> serde_json::Value {
    json!({
        "service": text, "services": 1, "service_names": [text], "other_services": [text], "levels": ["Write"], "count": 1, "actions": [text], "resources": [text],
        "partly": true, "conditions": [text], "cause": "allow", "via": [{"policy": text, "statement": text}],
        "certain": false, "assumed": [text], "example": request(text), "example_fits": true
    })
}

/// Every string of a plan, hostile.
fn hostile() -> Plan {
    let bad = "x\u{1b}[2J\u{202e}\r\n\u{9b}31m\u{200b}y";
    let mut document = json!({
        "digest": bad,
        "transition_digest": bad,
        "overview": {"alias": bad, "scope": {"users": [bad]}, "managed": 1, "unchanged": 1, "untouchable": 1},
        "changes": [
            change(&format!("user/{bad}"), "rename", bad, json!([
                ["name", bad, bad], [bad, bad, bad], [bad, null, bad], [bad, bad, null], [bad, [bad], [bad, bad]],
                [bad, null, [bad]], [bad, null, {bad: [bad], "a": bad, "b": {bad: bad}, "c": [[bad]]}],
                [bad, {bad: bad}, {bad: bad}],
            ])),
            change(&format!("user/{bad}/inline-policy/{bad}"), "delete", bad, json!([])),
        ],
        "actions": [{
            "id": 1, "operation": "DeleteUser", "arguments": {"user_name": bad}, "resource": format!("user/{bad}"),
            "after": [], "reason": bad
        }],
        "requirements": [{"subject": bad, "requirement": bad, "met": false, "detail": bad, "remedy": bad}],
        "access": [{
            "principal": bad, "verdict": "both", "administrator": "made", "unknown": [bad], "assumptions": [bad],
            "gained": [permissions(bad)], "lost": [permissions(bad)],
            "escalation": [{"path": bad, "category": bad, "permissions": [
                {"example": request(bad), "certain": true, "gained": true, "roles": [bad],
                 "via": [{"policy": bad, "statement": bad}]}
            ]}]
        }],
        "action_data": bad,
        "unmanaged": [{"resource": bad, "reason": bad}],
        "ignored": [{"resource": bad, "rule": bad, "reason": bad}],
        "held": [{"resource": bad, "reason": bad, "until": "2026-12-31", "change": "update"}], "only": "drift",
        "left": [{"resource": bad, "change": "create", "origin": "pending", "because": bad, "renamed_from": bad}],
        "cloudtrail_query": bad,
        "guardrails": [{"code": "alias", "message": bad, "resources": [bad], "allowed": true, "allowance": {
            "code": "alias", "reason": bad, "until": "2026-12-31"
        }}],
        "notes": [{"strict": false, "resource": bad, "message": bad}],
        "facts": {bad: bad},
        "reads": {"total": 1, "by_operation": {bad: 1}},
    });
    document["changes"][0]["origin"] = json!("both");
    plan(document)
}

#[test]
fn hostile_text_is_harmless_everywhere() {
    let harmless = |text: &str| {
        text.chars()
            .all(|c| c == '\n' || !(c.is_control() || ['\u{202e}', '\u{200b}'].contains(&c)))
    };
    for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
        let options = TextOptions {
            verbosity,
            ..TextOptions::default()
        };
        let shown = render_plan_text(&hostile(), &options);
        assert!(harmless(&shown), "{shown:?}");
        assert!(
            shown.contains("x\\u{1b}[2J\\u{202e}\\r\\n\\u{9b}31m\\u{200b}y"),
            "{shown}"
        );
    }
    assert!(harmless(&plan_json(&hostile()).unwrap()));
}

#[test]
fn colours_are_ours_alone() {
    let options = TextOptions {
        color: true,
        ..TextOptions::default()
    };
    let shown = render_plan_text(&hostile(), &options);
    for sequence in shown.split('\u{1b}').skip(1) {
        let end = sequence.find('m').unwrap();
        assert!(
            sequence[1..end].chars().all(|c| c.is_ascii_digit() || c == ';'),
            "{sequence:?}"
        );
    }
    let colourless: String = {
        let mut out = String::new();
        let mut rest = shown.as_str();
        while let Some(at) = rest.find('\u{1b}') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            rest = &rest[rest.find('m').unwrap() + 1..];
        }
        out + rest
    };
    assert_eq!(colourless, plain(&hostile()));
}

#[test]
fn a_plan_document_is_read_as_it_was_written() {
    for document in [hostile(), plan(json!({}))] {
        let text = plan_json(&document).unwrap();
        assert!(text.ends_with("}\n"));
        assert_eq!(read_plan(&text).unwrap(), document);
    }
}

#[test]
fn a_later_minor_version_is_read_and_another_major_is_refused() {
    let mut later = serde_json::to_value(plan(json!({}))).unwrap();
    later["format_version"] = json!("1.7");
    later["something_new"] = json!({"a": 1});
    assert!(read_plan(&later.to_string()).is_ok());
    later["format_version"] = json!("2.0");
    assert_eq!(
        read_plan(&later.to_string()).unwrap_err().to_string(),
        "this plan document has format version \"2.0\", this trueup reads 1.0"
    );
    later["format_version"] = json!("1.0");
    later["changes"] = json!("\u{1b}");
    let message = read_plan(&later.to_string()).unwrap_err().to_string();
    assert!(
        message.starts_with("this plan document, written by trueup 0.1.0, cannot be read: ")
            && !message.contains('\u{1b}'),
        "{message}"
    );
    for no_plan in ["", "[]", "{}", "{\"format_version\": 1}"] {
        assert!(
            read_plan(no_plan)
                .unwrap_err()
                .to_string()
                .starts_with("this is not a plan document: "),
            "{no_plan}"
        );
    }
}

#[test]
fn what_moved_is_named() {
    let reviewed = plan(json!({
        "facts": {"user/alice": "1", "user/bob": "1", "user/same": "1"},
        "changes": [change("user/dora", "create", "", json!([])), change("user/alice", "update", "", json!([]))],
    }));
    let now = plan(json!({
        "as_of": "2026-11-23",
        "facts": {"user/alice": "2", "user/carol": "1", "user/same": "1"},
        "changes": [change("user/dora", "create", "", json!([["path", null, "/"]]))],
    }));
    assert_eq!(
        moved(&reviewed, &now),
        [
            "the date is another one: 2026-11-23, and it was 2026-11-22",
            "user/alice has changed in the account",
            "user/bob is gone, or looked at no longer",
            "user/carol is looked at now, and was not",
            "user/dora is asked for otherwise than in the reviewed plan",
        ]
    );
    assert!(what_moved(&now, &now).is_empty());
}

/// What moved, a line each.
fn moved(reviewed: &Plan, now: &Plan) -> Vec<String> {
    let moved = what_moved(reviewed, now).into_iter();
    moved
        .map(|moved| match moved.resource {
            Some(resource) => format!("{resource} {}", moved.how),
            None => moved.how,
        })
        .collect()
}

#[test]
fn who_was_deleted_is_named_and_what_follows_from_it_is_not() {
    let joins = |reason| change("group/ops/member/alice", "create", reason, json!([]));
    let reviewed = plan(json!({
        "facts": {"manifest": "1", "group/ops": "1", "user/alice": "1"},
        "changes": [joins("in the manifest's entry for `alice`")],
    }));
    let now = plan(json!({
        "facts": {"manifest": "1", "group/ops": "1", "user/alice": "absent"},
        "changes": [joins("part of a new user"), change("user/alice", "create", "declared", json!([]))],
    }));
    assert_eq!(moved(&reviewed, &now), ["user/alice was live and is gone"]);

    // Neither other words nor a baseline are another wish.
    let mut told = joins("part of a new user");
    told["origin"] = json!("drift");
    let told = plan(json!({"facts": {"manifest": "1"}, "changes": [told]}));
    let plain = plan(json!({"facts": {"manifest": "1"}, "changes": [joins("in the manifest's entry for `alice`")]}));
    assert_eq!(moved(&plain, &told), [""; 0]);
}

#[test]
fn a_change_that_comes_or_goes_says_whether_the_account_moved() {
    // Somebody who is not managed held the policy that is to go, and is gone.
    let detach = change(
        "user/eve/managed-policy/arn:aws:iam::1:policy/x",
        "delete",
        "",
        json!([]),
    );
    let tag = change("user/bob", "update", "", json!([["tags.a", null, "b"]]));
    let facts = json!({"manifest": "1"});
    let reviewed = plan(json!({"digest": "sha256:11", "facts": facts, "changes": [detach]}));
    let now = plan(json!({"facts": facts, "changes": [tag]}));
    assert_eq!(
        moved(&reviewed, &now),
        [
            "user/bob is to be changed now and was not: it has changed in the account",
            "user/eve/managed-policy/arn:aws:iam::1:policy/x was to be deleted and is not any more: it is gone from the \
             account",
        ]
    );
    assert_eq!(
        moved(&now, &reviewed),
        [
            "user/bob was to be changed and is not any more: it has changed in the account, or is gone",
            "user/eve/managed-policy/arn:aws:iam::1:policy/x is to be deleted now and was not: it is live now",
        ]
    );
    // Another manifest can be why, and so can another receipt.
    let other = plan(json!({"facts": {"manifest": "2"}, "changes": [tag]}));
    let of_other = moved(&reviewed, &other);
    assert_eq!(of_other[1], "user/bob is to be changed now and was not");
    let limited = |changes| plan(json!({"facts": facts, "only": "drift", "changes": changes}));
    let of_limited = moved(&limited(json!([detach])), &limited(json!([])));
    assert_eq!(
        of_limited,
        ["user/eve/managed-policy/arn:aws:iam::1:policy/x was to be deleted and is not any more"]
    );
}

#[test]
fn a_run_with_nothing_to_correct_says_what_waits_and_what_is_held() {
    let left = |name: &str, origin: &str, because: &str| {
        json!({
            "resource": name, "change": "update", "origin": origin, "because": because
        })
    };
    let held = json!([{"resource": "user/eve", "reason": "incident 4711", "until": "2026-12-01"}]);
    let quiet = TextOptions {
        verbosity: Verbosity::Quiet,
        ..TextOptions::default()
    };
    let last = |plan: &Plan| {
        let text = render_plan_text(plan, &quiet);
        text.lines().last().unwrap_or_default().to_owned()
    };
    let pending = left("user/bob", "pending", "not applied yet");
    let only_held = plan(json!({"only": "drift", "left": [pending], "held": held}));
    assert_eq!(
        last(&only_held),
        "No drift to correct. Left as it is: 1 pending, 1 held (until 2026-12-01: incident 4711)."
    );
    let because = ["a", "b", "b", "c", "d"].into_iter().enumerate();
    let because = because.map(|(number, because)| left(&format!("user/u{number}"), "drift", because));
    let mut waiting: Vec<_> = because.collect();
    waiting.push(pending);
    assert_eq!(
        last(&plan(json!({"only": "drift", "left": waiting}))),
        "Nothing can be corrected yet. 5 differences that drifted wait: b; a; c; and 1 other reason. Left as it is: 5 drift, \
         1 pending."
    );
    // A whole run says why what it shows does not count.
    let shown = plan(json!({
        "changes": [change("user/bob", "create", "", json!([])), change("user/eve", "create", "", json!([]))],
        "held": held,
    }));
    assert_eq!(
        last(&shown),
        "Held: 1 of 2, which nightly runs leave as they are (until 2026-12-01: incident 4711)"
    );
}

#[test]
fn the_query_stands_below_the_plan_and_not_in_the_result_of_a_quiet_run() {
    let plan = plan(json!({"cloudtrail_query": "SELECT a\nFROM b\u{202e}\n"}));
    let text = render_plan_text(&plan, &TextOptions::default());
    assert!(text.ends_with("us-east-1):\n\nSELECT a\nFROM b\\u{202e}\n"), "{text}");
    let quiet = TextOptions {
        verbosity: Verbosity::Quiet,
        ..TextOptions::default()
    };
    assert!(!render_plan_text(&plan, &quiet).contains("SELECT"));
}

/// The names of the members of an object, or of what a schema says of one.
fn names(object: &serde_json::Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}

#[test]
fn the_schema_describes_every_member_and_no_other() {
    let schema: serde_json::Value = serde_json::from_str(trueup_report::PLAN_SCHEMA).unwrap();
    let document = serde_json::to_value(hostile()).unwrap();
    let same = |value: &serde_json::Value, schema: &serde_json::Value| {
        assert_eq!(names(value), names(&schema["properties"]));
        let mut required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
        required.sort_by_key(|name| name.to_string());
        // Documents may lack these.
        let optional = [
            "held",
            "only",
            "left",
            "renamed_from",
            "transition_digest",
            "origin",
            "allowance",
            "cloudtrail_query",
            "resources",
            "change",
        ];
        let required: Vec<&str> = required.into_iter().filter_map(serde_json::Value::as_str).collect();
        let named = names(value);
        let always = named.into_iter().map(String::as_str);
        let always = always.filter(|name| required.contains(name) || !optional.contains(name));
        assert_eq!(always.collect::<Vec<_>>(), required);
    };
    same(&document, &schema);
    for object in ["overview", "summary", "reads"] {
        same(&document[object], &schema["properties"][object]);
    }
    for list in [
        "changes",
        "actions",
        "requirements",
        "unmanaged",
        "ignored",
        "held",
        "left",
        "guardrails",
        "notes",
    ] {
        same(&document[list][0], &schema["properties"][list]["items"]);
    }
    same(
        &document["changes"][0]["fields"][0],
        &schema["properties"]["changes"]["items"]["properties"]["fields"]["items"],
    );
    let codes = &schema["properties"]["guardrails"]["items"]["properties"]["code"]["enum"];
    assert_eq!(
        codes,
        &serde_json::to_value(trueup_planner::GuardrailCode::ALL).unwrap()
    );
}
