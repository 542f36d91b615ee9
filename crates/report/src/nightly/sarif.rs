//! A plan as SARIF 2.1.0, which code hosts list as findings: with places in the manifest where these are known.

use std::collections::BTreeMap;

use serde::Serialize;
use trueup_model::Resource;
use trueup_planner::Plan;

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
    locations: Vec<Location>,
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
    physical_location: Physical,
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
            locations: place(about, &place_of)
                .map(|place| Location {
                    physical_location: Physical {
                        artifact_location: Artifact { uri: uri(&place.file) },
                        region: Region { start_line: place.line },
                    },
                    logical_locations: [Logical {
                        fully_qualified_name: escape::text(resource.as_str()).into_owned(),
                    }],
                })
                .into_iter()
                .collect(),
            partial_fingerprints: BTreeMap::from([(
                "trueup/v1",
                escape::text(&format!("{} {rule_id} {resource}", plan.account_id)).into_owned(),
            )]),
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
        results.push(found);
    }
    for requirement in plan.requirements.iter().filter(|requirement| !requirement.met) {
        let text = format!("{}: {}", requirement.subject, requirement.detail);
        let about = std::slice::from_ref(&requirement.subject);
        results.push(finding("requirement", "warning", about, text));
    }
    for guardrail in &plan.guardrails {
        let level = if guardrail.allowed { "note" } else { "error" };
        let text = format!("{}: {}", guardrail.code.as_str(), guardrail.message);
        let mut found = finding("guardrail", level, &guardrail.resources, text);
        // Several can fire for one user: each is a finding of its own.
        for fingerprint in found.partial_fingerprints.values_mut() {
            fingerprint.push_str(&format!(" {}", guardrail.code.as_str()));
        }
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

    #[test]
    fn no_part_of_a_finding_holds_what_a_reader_does_not_see() {
        let bad = "user/a\u{202e}b\u{2028}c\u{1b}";
        let plan: Plan = serde_json::from_value(json!({
            "format_version": "1.0", "tool_version": bad, "account_id": "123456789012", "as_of": "2026-11-20",
            "digest": "", "summary": {"create": 0, "update": 0, "delete": 0, "actions": 0},
            "overview": {"alias": null, "scope": {}, "managed": 0, "unchanged": 0, "untouchable": 0},
            "changes": [{"resource": bad, "change": "create", "reason": bad, "destructive": false, "fields": []}],
            "actions": [], "requirements": [], "access": [], "unmanaged": [], "ignored": [], "guardrails": [],
            "notes": [], "facts": {}, "reads": {"total": 0, "by_operation": {}},
        }))
        .unwrap();
        let text = render_sarif(&plan, |_| None).unwrap();
        assert!(!text.contains(['\u{202e}', '\u{2028}', '\u{1b}']), "{text}");
        let log: Value = serde_json::from_str(&text).unwrap();
        let finding = &log["runs"][0]["results"][0];
        assert_eq!(
            finding["partialFingerprints"]["trueup/v1"],
            "123456789012 difference user/a\\u{202e}b\\u{2028}c\\u{1b}"
        );
    }

    #[test]
    fn a_files_name_is_a_reference() {
        assert_eq!(uri("iam/people.yaml"), "iam/people.yaml");
        assert_eq!(uri("a b/50%:é.yaml"), "a%20b/50%25%3A%C3%A9.yaml");
    }
}
