//! Plans made by hand, and expectations kept in files.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::Path;

use serde_json::{Value, json};
use trueup_planner::Plan;

/// A plan document with these parts in place of empty ones.
pub(crate) fn plan(parts: Value) -> Plan {
    let mut document = json!({
        "format_version": "1.0", "tool_version": "0.1.0", "account_id": "123456789012", "as_of": "2026-11-22",
        "digest": format!("sha256:{}", "0a".repeat(32)),
        "overview": {
            "alias": "acme-prod",
            "scope": {"groups": ["/"], "policies": [], "users": ["/platform/"]},
            "managed": 61, "unchanged": 58, "untouchable": 139
        },
        "summary": {"create": 0, "update": 0, "delete": 0, "actions": 0},
        "changes": [], "actions": [], "requirements": [], "access": [], "action_data": "2026-09-26", "unmanaged": [],
        "ignored": [], "guardrails": [], "notes": [], "facts": {},
        "reads": {"total": 3, "by_operation": {"GetAccountAuthorizationDetails": 2, "GetAccountSummary": 1}}
    });
    for (key, value) in parts.as_object().unwrap() {
        document[key] = value.clone();
    }
    let count = |kinds: &[&str]| {
        let changes = document["changes"].as_array().unwrap();
        changes
            .iter()
            .filter(|change| kinds.contains(&change["change"].as_str().unwrap()))
            .count()
    };
    document["summary"] = json!({
        "create": count(&["create"]), "update": count(&["update", "rename"]), "delete": count(&["delete"]),
        "actions": document["actions"].as_array().unwrap().len()
    });
    serde_json::from_value(document).unwrap()
}

pub(crate) fn change(resource: &str, kind: &str, reason: &str, fields: Value) -> Value {
    let fields: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|field| json!({"path": field[0], "before": field[1], "after": field[2]}))
        .collect();
    let destructive = kind == "delete" && (resource.matches('/').count() == 1 || resource.ends_with("login-profile"));
    json!({"resource": resource, "change": kind, "reason": reason, "destructive": destructive, "fields": fields})
}

fn request(text: &str) -> Value {
    json!({"action": text, "resource": text, "context": {text: [text]}})
}

pub(crate) fn permissions(text: &str) -> Value {
    json!({
        "service": text, "services": 1, "service_names": [text], "other_services": [text], "levels": ["Write"], "count": 1, "actions": [text], "resources": [text],
        "partly": true, "conditions": [text], "cause": "allow", "via": [{"policy": text, "statement": text}],
        "certain": false, "assumed": [text], "example": request(text), "example_fits": true
    })
}

/// Every string of a plan, hostile.
pub(crate) fn hostile(bad: &str) -> Plan {
    plan(json!({
        "tool_version": bad, "account_id": bad, "digest": bad,
        "overview": {"alias": bad, "scope": {bad: [bad]}, "managed": 1, "unchanged": 1, "untouchable": 1},
        "changes": [
            change(&format!("user/{bad}"), "rename", bad, json!([
                ["name", bad, bad], [bad, bad, bad], [bad, null, bad], [bad, bad, null], [bad, [bad], [bad, bad]],
                [bad, null, [bad]], [bad, null, {bad: [bad], "a": bad, "b": {bad: bad}, "c": [[bad]]}],
                [bad, {bad: bad}, {bad: bad}],
            ])),
            change(&format!("user/{bad}/inline-policy/{bad}"), "delete", bad, json!([])),
            change(&format!("group/{bad}/member/{bad}"), "create", bad, json!([])),
            change(bad, "delete", bad, json!([])),
        ],
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
        "ignored": [{"resource": bad, "rule": bad, "reason": bad}, {"resource": bad, "rule": bad, "reason": ""}],
        "guardrails": [{"code": "alias", "message": bad, "allowed": false}],
        "notes": [{"strict": false, "resource": bad, "message": bad}, {"strict": true, "resource": null, "message": bad}],
        "facts": {bad: bad},
        "held": [{"resource": bad, "reason": bad, "until": "2026-12-31"}],
        "left": [{"resource": bad, "change": "rename", "origin": "both", "because": bad, "renamed_from": bad}],
        "cloudtrail_query": format!("SELECT {bad}\n{bad}\nFROM b\n"),
        "reads": {"total": 1, "by_operation": {bad: 1}},
    }))
}

/// Compares with `tests/NAME`; with `BLESS=1` writes it there instead.
pub(crate) fn golden(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(expected == found, "{name} differs (BLESS=1 rewrites it):\n{found}");
}

/// A change that a reviewer has something to decide about.
pub(crate) fn reviewed() -> Plan {
    let read = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    plan(json!({
        "changes": [
            change("account/alias", "update", "the manifest asks for another", json!([["alias", "acme", "acme-prod"]])),
            change("group/auditors/inline-policy/read", "update", "differs from the manifest", json!([
                ["statement ReadReports · Action", ["s3:Get*"], ["s3:GetObject", "s3:PutObject"]],
                ["statement Allow sqs:* on *", null, {"Effect": "Allow", "Action": ["sqs:*"], "Resource": ["*"],
                    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": ["true"]}}}],
            ])),
            change("group/auditors/member/carol", "create", "part of a new user", json!([])),
            change("group/auditors/member/dave", "delete", "absent: left on 2026-11-20", json!([])),
            change("policy/team-boundary", "update", "differs from the manifest", json!([
                ["statement Base · Action", null, ["iam:PassRole"]],
            ])),
            change("user/alice", "rename", "renamed from alice.smith", json!([
                ["name", "alice.smith", "alice"], ["tags.owner", "a@example.com", "alice@example.com"],
            ])),
            change("user/alice/login-profile", "delete", "the manifest says none", json!([])),
            change("user/carol", "create", "declared, and not in the account", json!([
                ["path", null, "/platform/"], ["tags.owner", null, "carol@example.com"],
            ])),
            change(&format!("user/carol/managed-policy/{read}"), "create", "part of a new user", json!([])),
            change("user/dave", "delete", "absent: left on 2026-11-20", json!([["path", "/platform/", null]])),
            change("user/dave/login-profile", "delete", "absent: left on 2026-11-20", json!([])),
        ],
        "requirements": [
            {"subject": "user/alice", "requirement": "mfa", "met": false, "detail": "has no MFA device",
             "remedy": "register one in the console"},
            {"subject": "account/root", "requirement": "mfa", "met": true, "detail": "has a device", "remedy": null}
        ],
        "access": [
            {"principal": "user/carol", "verdict": "more", "administrator": null, "unknown": [], "assumptions": [],
             "lost": [], "escalation": [{"path": "lambda-001", "category": "new-passrole", "permissions": [
                {"example": {"action": "iam:PassRole", "resource": "*", "context": {}}, "certain": true, "gained": true,
                 "roles": ["role/deploy"], "via": [{"policy": "group/auditors/inline-policy/read", "statement": "Base"}]}]}],
             "gained": [{
                "service": "s3", "services": 1, "service_names": [], "other_services": [], "levels": ["Write"], "count": 1, "actions": ["s3:PutObject"],
                "resources": ["arn:aws:s3:::reports/*"], "partly": false, "conditions": [], "cause": "allow",
                "via": [{"policy": "group/auditors/inline-policy/read", "statement": "ReadReports"}],
                "certain": true, "assumed": [],
                "example": {"action": "s3:PutObject", "resource": "arn:aws:s3:::reports/x", "context": {}},
                "example_fits": true
             }]},
            {"principal": "user/dave", "verdict": "less", "administrator": "unmade", "unknown": [], "assumptions": [],
             "gained": [], "escalation": [], "lost": [{
                "service": "*", "services": 457, "service_names": [], "other_services": [], "levels": ["Read", "Write"], "count": 12000, "actions": [],
                "resources": ["*"], "partly": false, "conditions": [], "cause": "allow", "via": [],
                "certain": true, "assumed": [],
                "example": {"action": "s3:GetObject", "resource": "*", "context": {}}, "example_fits": true
             }]}
        ],
        "unmanaged": [
            {"resource": "user/mallory", "reason": "in scope and not in the manifest"},
            {"resource": "user/trent", "reason": "in scope and not in the manifest"}
        ],
        "ignored": [{"resource": "user/legacy-1", "rule": "user legacy-*", "reason": "owned by payroll"}],
        "guardrails": [
            {"code": "alias", "message": "the alias `acme` is replaced by `acme-prod`", "allowed": false},
            {"code": "deletions", "message": "1 of 2 users would be deleted", "allowed": true}
        ],
        "notes": [
            {"strict": true, "resource": null, "message": "the ignore rule `user legacy-*` lapsed after 2026-10-31"},
            {"strict": false, "resource": "user/alice", "message": "the password keeps working until then"}
        ],
    }))
}
