//! The one line that says what the plan does, or what applying it did, and what else there is to say of an apply.

use trueup_planner::{Plan, Summary};

use super::{HtmlOptions, page::SHOWN};
use crate::{
    apply::{ActionResult, ApplyOutcome, Verification},
    nightly,
    page::count,
};

pub(super) fn outcome(plan: &Plan, options: &HtmlOptions<'_>) -> (String, Vec<String>) {
    if let Some(outcome) = options.outcome {
        return applied(plan, outcome);
    }
    let Summary {
        create,
        update,
        delete,
        actions: _,
    } = plan.summary;
    let line = if plan.changes.is_empty() {
        let (first, rest) = nightly::no_changes(plan);
        format!("{first}{rest}")
    } else {
        format!("Plan: {create} to add, {update} to change, {delete} to destroy.")
    };
    match options.refused {
        Some(why) => (format!("Not applied: {why}."), vec![line]),
        None => (line, Vec::new()),
    }
}

fn applied(plan: &Plan, outcome: &ApplyOutcome) -> (String, Vec<String>) {
    let done = outcome.done(plan);
    let counts = format!(
        "{} added, {} changed, {} destroyed.",
        done.create, done.update, done.delete
    );
    let line = match (outcome.is_complete(), outcome.interrupted) {
        (true, _) => format!("Apply complete! {counts}"),
        (false, true) => format!("Apply interrupted. {counts}"),
        (false, false) => format!("Apply incomplete. {counts}"),
    };
    let calls = count(outcome.actions.len() as u64, "call", "calls");
    let mut said = vec![format!(
        "{} of {calls} done; {} repeated.",
        done.actions, outcome.retries
    )];
    if let Some(left) = nightly::left(plan) {
        said.push(format!("Only drift was corrected. Left as it is: {left}."));
    }
    match &outcome.verification {
        Verification::Clean => {}
        Verification::Skipped { because } => said.push(format!("Not verified: {because}.")),
        Verification::NotVisibleYet(resources) => said.push(format!(
            "Written and acknowledged, but not visible yet in what IAM reports: {}.",
            count(resources.len() as u64, "resource", "resources")
        )),
        Verification::Wrong(resources) => said.push(format!(
            "Differs from the manifest after the apply, and not because of a delay: {}.",
            count(resources.len() as u64, "resource", "resources")
        )),
    }
    let problems = outcome.actions.iter().filter_map(|action| match &action.result {
        ActionResult::Done | ActionResult::AlreadyDone => None,
        ActionResult::Failed { error } => Some(format!("Failed: {} {}: {error}", action.operation, action.resource)),
        ActionResult::NotAttempted { because } => Some(format!(
            "Not attempted: {} {}: {because}",
            action.operation, action.resource
        )),
    });
    let mut problems: Vec<String> = problems.collect();
    let more = problems.len().saturating_sub(SHOWN);
    problems.truncate(SHOWN);
    said.extend(problems);
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    (line, said)
}
