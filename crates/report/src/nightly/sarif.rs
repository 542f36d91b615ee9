//! A plan as SARIF 2.1.0, which code hosts list as findings: with places in the manifest where these are known.

use std::collections::BTreeMap;

use serde::Serialize;
use trueup_model::Resource;
use trueup_planner::{GuardrailCode, GuardrailFinding, Origin, Plan};

use super::{differences, kind_of};
use crate::{Position, escape, places::place, to_json};

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
struct Run<'a> {
    tool: Tool<'a>,
    results: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    semantic_version: &'a str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'a str,
    level: &'a str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    logical_locations: [Logical; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
}

const RULES: [(&str, &str); 7] = [
    ("difference", "The account differs from the manifest"),
    ("drift", "The account moved away from what was applied"),
    ("pending", "The manifest asks for what was not applied yet"),
    ("both", "Some of it is drift, some of it pending"),
    ("held", "A difference that nightly runs leave as it is"),
    ("requirement", "A requirement is not met"),
    ("guardrail", "A guardrail fires"),
];

/// Renders a plan as SARIF. `place_of` tells where something of the account, the manifest itself or an entry of it
/// stands; what has no line of its own stands at the top of the manifest.
///
/// # Errors
///
/// Never for a plan that was made or read by trueup.
pub fn render_sarif(
    plan: &Plan,
    place_of: impl Fn(&Resource) -> Option<Position>,
) -> Result<String, serde_json::Error> {
    // `about`: what it is about, the most telling first.
    let finding = |rule_id: &'static str, level: &'static str, about: &[Resource], text: String| {
        let resource = about
            .iter()
            .find(|resource| !resource.is_of_manifest())
            .map_or_else(Resource::manifest, Resource::clone);
        Finding {
            rule_id,
            level,
            message: Message {
                text: escape::text(&text).into_owned(),
            },
            locations: [Location {
                physical_location: place(about, &place_of).map(|place| Physical {
                    artifact_location: Artifact { uri: uri(&place.file) },
                    region: Region { start_line: place.line },
                }),
                logical_locations: [Logical {
                    fully_qualified_name: escape::text(resource.as_str()).into_owned(),
                }],
            }],
            partial_fingerprints: fingerprint(plan, rule_id, &resource, ""),
            suppressions: Vec::new(),
        }
    };
    let mut results = Vec::new();
    for change in &differences(plan) {
        let level = if change.destructive { "error" } else { "warning" };
        let text = format!("{}: {}", change.resource, change.reason);
        let mut found = finding(
            kind_of(plan, change),
            level,
            std::slice::from_ref(&change.resource),
            text,
        );
        if let Some(held) = plan.held.iter().find(|held| held.resource == change.resource) {
            found.suppressions.push(Suppression {
                kind: "inSource",
                justification: escape::text(&format!("until {}: {}", held.until, held.reason)).into_owned(),
            });
        }
        // Of what a correction leaves, only drift is for a job that looks for it.
        if plan.only.is_some() && change.origin == Some(Origin::Pending) {
            found.suppressions.push(Suppression {
                kind: "external",
                justification: escape::text(&change.reason).into_owned(),
            });
        }
        results.push(found);
    }
    for requirement in plan.requirements.iter().filter(|requirement| !requirement.met) {
        let text = format!("{}: {}", requirement.subject, requirement.detail);
        let about = std::slice::from_ref(&requirement.subject);
        let mut found = finding("requirement", "warning", about, text);
        // Several can be unmet for one user: each is a finding of its own.
        let what = &requirement.requirement;
        found.partial_fingerprints = fingerprint(plan, "requirement", &requirement.subject, what);
        results.push(found);
    }
    for guardrail in &plan.guardrails {
        let level = if guardrail.allowed { "note" } else { "error" };
        let text = format!("{}: {}", guardrail.code.as_str(), guardrail.message);
        let mut found = finding("guardrail", level, &guardrail.resources, text);
        let (resource, what) = identity(guardrail);
        found.partial_fingerprints = fingerprint(plan, "guardrail", &resource, &what);
        results.push(found);
    }
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "trueup",
                    semantic_version: &plan.tool_version,
                    rules: RULES
                        .map(|(id, text)| Rule {
                            id,
                            short_description: Message { text: text.to_owned() },
                        })
                        .into(),
                },
            },
            results,
        }],
    };
    to_json(&log)
}

/// What makes a finding the same in every run: nothing that may change while it lasts.
fn fingerprint(plan: &Plan, rule_id: &str, resource: &Resource, what: &str) -> BTreeMap<&'static str, String> {
    let text = format!("{} {rule_id} {resource} {what}", plan.account_id);
    BTreeMap::from([("trueup/v1", escape::text(text.trim_end()).into_owned())])
}

/// What a guardrail's finding is of, and which of them it is: several can fire for one thing, and what they list differs
/// from run to run.
fn identity(guardrail: &GuardrailFinding) -> (Resource, String) {
    let of_account = guardrail.resources.iter().find(|one| !one.is_of_manifest());
    let setting = guardrail.resources.iter().find(|one| one.is_of_manifest());
    let code = guardrail.code.as_str();
    // These are of a setting, and one of them lists what breaks it; the others are of what they name.
    let of_setting = matches!(guardrail.code, GuardrailCode::Deletions | GuardrailCode::Administrators);
    let resource = if of_setting { setting } else { of_account };
    let which = match guardrail.code {
        GuardrailCode::Deletions => of_account.map_or("", Resource::kind).to_owned(),
        GuardrailCode::PasswordPolicy => gist(guardrail.message.split_once(": ").map_or("", |(_, how)| how)),
        GuardrailCode::BreakGlass => gist(&guardrail.message),
        _ => String::new(),
    };
    (
        resource.map_or_else(Resource::manifest, Resource::clone),
        format!("{code} {which}"),
    )
}

/// The words of a message without its names, its numbers and its examples.
fn gist(message: &str) -> String {
    let words: String = message.split('`').step_by(2).collect();
    let head = words.split([':', ';', '(']).next().unwrap_or_default();
    let words = head.split_whitespace();
    let words = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-'));
    words.collect::<Vec<_>>().join("-")
}

/// A file's name as a relative reference: a name may hold anything.
fn uri(file: &str) -> String {
    let mut out = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'@' | b'+' | b',' | b'=' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A plan with these parts.
    fn plan(parts: &Value) -> Plan {
        let mut plan = json!({
            "format_version": "1.0", "tool_version": "1.0.0", "account_id": "123456789012", "as_of": "2026-11-20",
            "digest": "", "summary": {"create": 0, "update": 0, "delete": 0, "actions": 0},
            "overview": {"alias": null, "scope": {}, "managed": 0, "unchanged": 0, "untouchable": 0},
            "changes": [], "actions": [], "requirements": [], "access": [], "unmanaged": [], "ignored": [],
            "guardrails": [], "notes": [], "facts": {}, "reads": {"total": 0, "by_operation": {}},
        });
        for (key, value) in parts.as_object().unwrap() {
            plan[key] = value.clone();
        }
        serde_json::from_value(plan).unwrap()
    }

    fn results(plan: &Plan, place_of: impl Fn(&Resource) -> Option<Position>) -> Vec<Value> {
        let log: Value = serde_json::from_str(&render_sarif(plan, place_of).unwrap()).unwrap();
        log["runs"][0]["results"].as_array().unwrap().clone()
    }

    /// The fingerprints of guardrails: code, message, and what it is about.
    fn of_guardrails(fired: &[(&str, &str, &[&str])]) -> Vec<String> {
        let guardrails: Vec<Value> = fired
            .iter()
            .map(|(code, message, about)| json!({"code": code, "message": message, "resources": about, "allowed": false}))
            .collect();
        results(&plan(&json!({"guardrails": guardrails})), |_| None)
            .iter()
            .map(|found| found["partialFingerprints"]["trueup/v1"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn several_findings_of_one_code_are_told_apart_and_stay_the_same() {
        const GLASS: &[&str] = &["user/root-2", "manifest/guardrails.break_glass.root-2"];
        const POLICY: &[&str] = &["account/password-policy"];
        let first = of_guardrails(&[
            (
                "break-glass",
                "break-glass user `root-2` would be weakened: no longer allowed, for example, s3:GetObject on a",
                GLASS,
            ),
            (
                "break-glass",
                "break-glass user `root-2` would be under an MFA requirement; say `mfa: exempt`",
                GLASS,
            ),
            (
                "password-policy",
                "the password policy gets weaker: minimum length falls from 14 to 8",
                POLICY,
            ),
            (
                "password-policy",
                "the password policy gets weaker: symbols are no longer required",
                POLICY,
            ),
            (
                "password-policy",
                "the password policy gets weaker: numbers are no longer required",
                POLICY,
            ),
            (
                "deletions",
                "3 of 9 users in scope would be deleted; the limit is 2",
                &["manifest/guardrails.max_deletions", "user/alice", "user/bob"],
            ),
            (
                "deletions",
                "3 of 9 groups in scope would be deleted; the limit is 2",
                &["manifest/guardrails.max_deletions", "group/a"],
            ),
            (
                "administrators",
                "0 administrators would be left, 1 must be; no longer one: `ann`, `eve`",
                &["user/ann", "user/eve", "manifest/guardrails.minimum_administrators"],
            ),
        ]);
        let of = |rest: &str| format!("123456789012 guardrail {rest}");
        assert_eq!(
            first,
            [
                of("user/root-2 break-glass break-glass-user-would-be-weakened"),
                of("user/root-2 break-glass break-glass-user-would-be-under-an-MFA-requirement"),
                of("account/password-policy password-policy minimum-length-falls-from-to"),
                of("account/password-policy password-policy symbols-are-no-longer-required"),
                of("account/password-policy password-policy numbers-are-no-longer-required"),
                of("manifest/guardrails.max_deletions deletions user"),
                of("manifest/guardrails.max_deletions deletions group"),
                of("manifest/guardrails.minimum_administrators administrators"),
            ]
        );
        // The next night: other examples, other numbers, others who are deleted.
        let next = of_guardrails(&[
            (
                "break-glass",
                "break-glass user `root-2` would be weakened: no longer allowed, for example, ec2:RunInstances on b",
                GLASS,
            ),
            (
                "password-policy",
                "the password policy gets weaker: minimum length falls from 20 to 6",
                POLICY,
            ),
            (
                "deletions",
                "4 of 10 users in scope would be deleted; the limit is 20%",
                &["manifest/guardrails.max_deletions", "user/bob", "user/carol"],
            ),
            (
                "administrators",
                "1 administrators would be left, 2 must be; no longer one: `eve`",
                &["user/eve", "manifest/guardrails.minimum_administrators"],
            ),
        ]);
        assert_eq!(next, [&*first[0], &*first[2], &*first[5], &*first[7]]);
    }

    #[test]
    fn requirements_of_one_user_are_told_apart() {
        let unmet = |what: &str| json!({"subject": "account/root", "requirement": what, "met": false, "detail": "no", "remedy": null});
        let found = results(
            &plan(&json!({"requirements": [unmet("mfa"), unmet("access-keys")]})),
            |_| None,
        );
        let fingerprints: Vec<_> = found.iter().map(|it| &it["partialFingerprints"]["trueup/v1"]).collect();
        assert_eq!(
            fingerprints,
            [
                "123456789012 requirement account/root mfa",
                "123456789012 requirement account/root access-keys"
            ]
        );
    }

    #[test]
    fn no_part_of_a_finding_holds_what_a_reader_does_not_see() {
        let bad = "user/a\u{202e}b\u{2028}c\u{1b}";
        let plan = plan(&json!({
            "tool_version": bad,
            "changes": [{"resource": bad, "change": "create", "reason": bad, "destructive": false, "fields": []}],
        }));
        let name = "user/a\\u{202e}b\\u{2028}c\\u{1b}";
        let hostile = |_: &Resource| {
            Some(Position {
                file: "i\u{202e}am/a b\u{1b}?#%.yaml".to_owned(),
                line: 3,
            })
        };
        for text in [
            render_sarif(&plan, |_| None).unwrap(),
            render_sarif(&plan, hostile).unwrap(),
        ] {
            assert!(!text.contains(['\u{202e}', '\u{2028}', '\u{1b}']), "{text}");
        }
        // What has no place has a name all the same.
        let logical = json!([{"fullyQualifiedName": name}]);
        let finding = &results(&plan, |_| None)[0];
        assert_eq!(
            finding["partialFingerprints"]["trueup/v1"],
            format!("123456789012 difference {name}")
        );
        assert_eq!(finding["locations"], json!([{"logicalLocations": logical}]));
        assert_eq!(
            results(&plan, hostile)[0]["locations"],
            json!([{
                "physicalLocation": {
                    "artifactLocation": {"uri": "i%E2%80%AEam/a%20b%1B%3F%23%25.yaml"},
                    "region": {"startLine": 3}
                },
                "logicalLocations": logical
            }])
        );
    }

    #[test]
    fn a_files_name_is_a_reference() {
        assert_eq!(uri("iam/people.yaml"), "iam/people.yaml");
        assert_eq!(uri("a b/50%:é.yaml"), "a%20b/50%25%3A%C3%A9.yaml");
    }
}
