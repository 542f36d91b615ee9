//! What a job that nobody watches needs of a plan: one line, test results, findings, numbers, and a query that finds who
//! did it.
//!
//! None of it says more than the plan does, and none of it decides whether the job fails: the exit code does.

mod cloudtrail;
mod junit;
mod metrics;
mod sarif;

use std::collections::BTreeMap;

pub use cloudtrail::cloudtrail_query;
pub use junit::render_junit;
pub use metrics::{Measured, render_metrics};
pub use sarif::render_sarif;
use trueup_model::Resource;
use trueup_planner::{Change, ChangeKind, Origin, Plan};

use crate::{changes::origin_words, escape, page::count};

/// What stands above the query.
pub(crate) const WHO_DID_IT: &str = "Who did it, asked of CloudTrail Lake (events of IAM are in us-east-1)";

/// The lines of a query, harmless where they stand on lines of their own: a saved plan can hold anything in its place.
pub(crate) fn query_lines(query: &str) -> Vec<String> {
    let lines = query.lines();
    lines
        .map(|line| escape::no_command(&escape::text(line)).into_owned())
        .collect()
}

/// How many changes are drift and how many are pending, in words; `None` where no earlier apply is known.
pub(crate) fn origins(plan: &Plan) -> Option<String> {
    let own = plan.changes.iter().filter_map(|change| change.origin);
    counted(own.chain(plan.left.iter().map(|left| left.origin)))
}

/// What a limited plan leaves, in words; `None` where it leaves nothing.
pub(crate) fn left(plan: &Plan) -> Option<String> {
    let held = plan.only.map_or(0, |_| plan.held.len());
    let held = (held > 0).then(|| format!("{held} held"));
    let said: Vec<String> = counted(plan.left.iter().map(|left| left.origin))
        .into_iter()
        .chain(held)
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What a plan without changes says: the first words, and the rest. The rest holds foreign text.
pub(crate) fn no_changes(plan: &Plan) -> (&'static str, String) {
    let Some(left) = left(plan) else {
        return ("No changes.", " The account matches the manifest.".to_owned());
    };
    let held = held(plan).map(|why| format!(" ({why})")).unwrap_or_default();
    let left = format!(" Left as it is: {left}{held}.");
    match waiting(plan) {
        None => ("No drift to correct.", left),
        Some(waiting) => ("Nothing can be corrected yet.", format!(" {waiting}.{left}")),
    }
}

/// How much of what drifted cannot be corrected by itself, and why; `None` where nothing waits. Holds foreign text.
fn waiting(plan: &Plan) -> Option<String> {
    let waiting = plan.left.iter().filter(|left| left.origin != Origin::Pending);
    let reasons: Vec<&str> = waiting.map(|left| left.because.as_str()).collect();
    let number = count(
        reasons.len() as u64,
        "difference that drifted waits",
        "differences that drifted wait",
    );
    (!reasons.is_empty()).then(|| format!("{number}: {}", distinct(reasons)))
}

/// Until when what is held is held, and why; `None` where nothing is. Holds foreign text.
pub(crate) fn held(plan: &Plan) -> Option<String> {
    let reasons = plan
        .held
        .iter()
        .map(|held| format!("until {}: {}", held.until, held.reason));
    let reasons: Vec<String> = reasons.collect();
    (!reasons.is_empty()).then(|| distinct(reasons.iter().map(String::as_str)))
}

/// Each reason once, the most frequent first; many are counted.
fn distinct<'r>(reasons: impl IntoIterator<Item = &'r str>) -> String {
    const SHOWN_REASONS: usize = 3;
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *numbers.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = numbers.into_iter().collect();
    reasons.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let more = reasons.len().saturating_sub(SHOWN_REASONS);
    let shown: Vec<&str> = reasons.iter().take(SHOWN_REASONS).map(|(reason, _)| *reason).collect();
    let more = (more > 0).then(|| format!("; and {}", count(more as u64, "other reason", "other reasons")));
    format!("{}{}", shown.join("; "), more.unwrap_or_default())
}

fn counted(origins: impl Iterator<Item = Origin>) -> Option<String> {
    let all: Vec<Origin> = origins.collect();
    let said = [Origin::Drift, Origin::Pending, Origin::Both].map(|origin| {
        let number = all.iter().filter(|one| **one == origin).count();
        (number > 0).then(|| format!("{number} {}", origin_words(origin)))
    });
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// Everything that differs: what the plan changes, and what it leaves since it is limited, what is held included. Of what
/// is held and left, a plan does not say in which way it differs.
fn differences(plan: &Plan) -> Vec<Change> {
    let left = plan.left.iter().map(|left| Change {
        resource: left.resource.clone(),
        change: left.change,
        reason: left.because.clone(),
        destructive: false,
        fields: Vec::new(),
        origin: Some(left.origin),
    });
    let is_known = |resource: &Resource| plan.changes.iter().any(|change| change.resource == *resource);
    let held = plan.held.iter().filter(|held| !is_known(&held.resource));
    let held = held.map(|held| Change {
        resource: held.resource.clone(),
        change: held.change.unwrap_or(ChangeKind::Update),
        reason: held.reason.clone(),
        destructive: false,
        fields: Vec::new(),
        origin: None,
    });
    plan.changes.iter().cloned().chain(left).chain(held).collect()
}

/// The plan in one line, for a chat: no markup, and nothing that a chat takes for a mention or a link.
pub fn render_line(plan: &Plan) -> String {
    let account = match &plan.overview.alias {
        Some(alias) => format!("{alias} ({})", plan.account_id),
        None => plan.account_id.to_string(),
    };
    let mut said = Vec::new();
    let differing = differences(plan).len();
    if differing == 0 {
        said.push("matches its manifest".to_owned());
    } else {
        let number = count(differing as u64, "difference", "differences");
        said.push(match origins(plan) {
            Some(words) => format!("{number} ({words})"),
            None => number,
        });
    }
    let destructive = plan.changes.iter().filter(|change| change.destructive).count();
    let unmet = plan.requirements.iter().filter(|requirement| !requirement.met).count();
    let refusing = plan.guardrails.iter().filter(|finding| !finding.allowed).count();
    let lapsed = plan.notes.iter().filter(|note| note.strict).count();
    for (number, one, many) in [
        (plan.held.len(), "of it held", "of them held"),
        (destructive, "destructive", "destructive"),
        (
            plan.broadened().count(),
            "principal would gain access",
            "principals would gain access",
        ),
        (refusing, "guardrail refuses", "guardrails refuse"),
        (unmet, "requirement not met", "requirements not met"),
        (lapsed, "thing to be looked at", "things to be looked at"),
    ] {
        if number > 0 {
            said.push(count(number as u64, one, many));
        }
    }
    let line = format!("trueup: account {account} as of {}: {}", plan.as_of, said.join(", "));
    // A name with one of these would call people, or lead somewhere.
    let calm: String = escape::text(&line)
        .replace(['@', '<', '>', '`', '*'], "·")
        .replace("://", ":");
    format!("{calm}\n")
}

/// Why a change counts or does not, for a reader of one finding.
fn kind_of(plan: &Plan, change: &Change) -> &'static str {
    match change.origin {
        _ if plan.is_held(change) => "held",
        Some(origin) => origin.as_str(),
        None => "difference",
    }
}
