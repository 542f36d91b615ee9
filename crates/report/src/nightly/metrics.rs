//! Numbers in the format of Prometheus, for the node exporter's folder of text files.

use std::{collections::BTreeMap, fmt::Write as _};

use trueup_planner::{ChangeKind, Plan};

use super::{differences as all, kind_of};

/// What only whoever ran it knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// When it ended, seconds since 1970.
    pub ended: i64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Renders a plan's numbers. Names of users and groups are not in it: they would make a series each.
pub fn render_metrics(plan: &Plan, measured: Measured) -> String {
    let mut out = String::new();
    let mut metric = |name: &str, help: &str, values: &[(String, String)]| {
        let _ = writeln!(out, "# HELP trueup_{name} {help}\n# TYPE trueup_{name} gauge");
        for (labels, value) in values {
            let _ = writeln!(
                out,
                "trueup_{name}{{account=\"{}\"{labels}}} {value}",
                label(plan.account_id.as_str())
            );
        }
    };
    let mut differences: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let all = all(plan);
    for change in &all {
        let how = match change.change {
            ChangeKind::Create => "create",
            ChangeKind::Update => "update",
            ChangeKind::Delete => "delete",
            ChangeKind::Rename => "rename",
        };
        *differences
            .entry((change.resource.kind(), how, kind_of(plan, change)))
            .or_default() += 1;
    }
    let one = |value: usize| vec![(String::new(), value.to_string())];
    metric("changes", "Differences between account and manifest.", &one(all.len()));
    let by_kind: Vec<(String, String)> = differences
        .into_iter()
        .map(|((kind, how, origin), number)| {
            let labels = format!(",kind=\"{}\",change=\"{how}\",origin=\"{origin}\"", label(kind));
            (labels, number.to_string())
        })
        .collect();
    metric(
        "changes_by_kind",
        "Differences, by kind, by what would be done, and by where they come from.",
        &by_kind,
    );
    metric(
        "held_changes",
        "Differences that nightly runs leave as they are.",
        &one(plan.held.len()),
    );
    metric(
        "principals_gaining_access",
        "Principals that would gain access, or of whom that is not known.",
        &one(plan.broadened().count()),
    );
    let unmet = plan.requirements.iter().filter(|requirement| !requirement.met).count();
    metric("unmet_requirements", "Requirements that are not met.", &one(unmet));
    let refusing = plan.guardrails.iter().filter(|finding| !finding.allowed).count();
    metric(
        "refusing_guardrails",
        "Guardrails that fire and are not allowed.",
        &one(refusing),
    );
    metric(
        "unmanaged_resources",
        "What is in scope and not in the manifest.",
        &one(plan.unmanaged.len()),
    );
    metric(
        "read_calls",
        "IAM calls that reading took.",
        &[(String::new(), plan.reads.total.to_string())],
    );
    metric(
        "duration_seconds",
        "How long the run took.",
        &[(String::new(), format!("{:.3}", measured.seconds))],
    );
    metric(
        "last_run_timestamp_seconds",
        "When the run ended.",
        &[(String::new(), measured.ended.to_string())],
    );
    out
}

/// As the format escapes values of labels.
fn label(foreign: &str) -> String {
    foreign.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
