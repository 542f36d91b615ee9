//! What a job that nobody watches needs of a plan: one line, test results, findings, numbers, and a query that finds who
//! did it.
//!
//! None of it says more than the plan does, and none of it decides whether the job fails: the exit code does.

mod cloudtrail;
mod junit;
mod metrics;
mod sarif;

pub use cloudtrail::cloudtrail_query;
pub use junit::render_junit;
pub use metrics::{Measured, render_metrics};
pub use sarif::render_sarif;
use trueup_planner::{Change, Origin, Plan};

use crate::{changes::origin_words, escape, page::count};

/// How many changes are drift and how many are pending, in words; `None` where no earlier apply is known.
pub(crate) fn origins(changes: &[Change]) -> Option<String> {
    if changes.iter().all(|change| change.origin.is_none()) {
        return None;
    }
    let said = [Origin::Drift, Origin::Pending, Origin::Both].map(|origin| {
        let number = changes.iter().filter(|change| change.origin == Some(origin)).count();
        (number > 0).then(|| format!("{number} {}", origin_words(origin)))
    });
    Some(said.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// The plan in one line, for a chat: no markup, and nothing that a chat takes for a mention or a link.
pub fn render_line(plan: &Plan) -> String {
    let account = match &plan.overview.alias {
        Some(alias) => format!("{alias} ({})", plan.account_id),
        None => plan.account_id.to_string(),
    };
    let mut said = Vec::new();
    if plan.changes.is_empty() {
        said.push("matches its manifest".to_owned());
    } else {
        let number = count(plan.changes.len() as u64, "difference", "differences");
        said.push(match origins(&plan.changes) {
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
