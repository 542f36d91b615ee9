//! From what the executor did to the receipt.

use std::{collections::BTreeMap, path::Path};

use trueup_executor::{Because, Failure, Outcome, Report};
use trueup_planner::Plan;
use trueup_report::{ActionOutcome, ActionResult, ApplyOutcome, RECEIPT_VERSION, Verification};

/// The outcome of a plan without actions. What the receipt says of the wishes, and since when, is the caller's.
pub(crate) fn nothing_to_do(plan: &Plan) -> ApplyOutcome {
    ApplyOutcome {
        format_version: RECEIPT_VERSION.to_owned(),
        tool_version: plan.tool_version.clone(),
        account_id: plan.account_id.clone(),
        digest: plan.digest.clone(),
        facts: plan.facts.clone(),
        asked: BTreeMap::new(),
        measured_since: None,
        only: plan.only,
        left: plan.left.clone(),
        allowed: plan
            .guardrails
            .iter()
            .filter(|finding| finding.allowed)
            .cloned()
            .collect(),
        run_id: None,
        actions: Vec::new(),
        interrupted: false,
        verification: Verification::Clean,
        credentials: Vec::new(),
        journal: None,
        undo_snapshot: None,
        calls: 0,
        retries: 0,
    }
}

/// The outcome of a run that is not verified yet.
pub(crate) fn of(plan: &Plan, report: Report, journal: &Path, before: &Path) -> ApplyOutcome {
    let actions = report
        .actions
        .into_iter()
        .map(|action| ActionOutcome {
            id: action.id,
            operation: action.operation,
            resource: action.resource,
            result: result(action.outcome),
        })
        .collect();
    ApplyOutcome {
        run_id: Some(report.run),
        actions,
        interrupted: report.interrupted,
        credentials: report.credential_files.iter().map(|path| shown(path)).collect(),
        journal: Some(shown(journal)),
        undo_snapshot: Some(shown(before)),
        calls: report.calls.values().sum(),
        retries: report.retries.values().sum(),
        ..nothing_to_do(plan)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn result(outcome: Outcome) -> ActionResult {
    match outcome {
        Outcome::Done { .. } => ActionResult::Done,
        Outcome::AlreadyDone { detail: _ } => ActionResult::AlreadyDone,
        Outcome::Failed { error } => ActionResult::Failed { error: words(&error) },
        Outcome::NotAttempted { because } => ActionResult::NotAttempted {
            because: match because {
                Because::Failed(action) => format!("it depends on call {action}, which failed"),
                Because::Interrupted => "the run was interrupted".to_owned(),
                Because::Stopped(reason) => format!("the run stopped: {reason}"),
            },
        },
    }
}

fn words(failure: &Failure) -> String {
    let Failure {
        message,
        code: _,
        request_id,
        outcome_unknown,
    } = failure;
    let mut words = message.clone();
    if let Some(id) = request_id {
        words.push_str(&format!(" (request id {id})"));
    }
    if *outcome_unknown {
        words.push_str("; it may have taken effect all the same");
    }
    words
}
