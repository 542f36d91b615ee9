//! What an apply did: the receipt as data, and the same as text.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trueup_model::{AccountId, Resource};
use trueup_planner::{ActionId, ChangeKind, GuardrailFinding, Left, Only, Plan, Summary};

use crate::{
    TextOptions, Verbosity, nightly,
    page::{Page, count},
    value::{more, shown},
};

/// How many actions that were not attempted are shown before the rest is counted.
const SHOWN_ACTIONS: usize = 10;

/// The version of the receipt. Minor versions add, major versions break.
pub const RECEIPT_VERSION: &str = "1.0";

/// The outcome of an apply. Serialised, it is the receipt; it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyOutcome {
    /// [`RECEIPT_VERSION`].
    pub format_version: String,
    /// The version of trueup that applied it.
    pub tool_version: String,
    /// The account.
    pub account_id: AccountId,
    /// The digest of the plan that was applied.
    pub digest: String,
    /// A short hash of every live entity that the manifest rests on, as it was read after the apply; as before it
    /// where it was not read again. Where only drift was corrected, what was left has the hash of the earlier receipt.
    pub facts: BTreeMap<Resource, String>,
    /// A short hash of every wish of the manifest that was applied, so that a later run knows which are new. Empty in
    /// receipts of versions that did not write it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<Resource, String>,
    /// Since when the account is measured by `facts`: the beginning of this run, or, where only drift was corrected and
    /// something was left, that of the earlier receipt. `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_since: Option<Timestamp>,
    /// What the apply was limited to, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// What it left since it was limited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
    /// Guardrails that fired and were let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<GuardrailFinding>,
    /// The id of the run, which also names its journal and its credential files; `None` where there was nothing to do.
    pub run_id: Option<String>,
    /// What became of each action, in the plan's order.
    pub actions: Vec<ActionOutcome>,
    /// Whether a signal ended the run early.
    pub interrupted: bool,
    /// What reading the account again has shown.
    pub verification: Verification,
    /// The files that hold new credentials.
    pub credentials: Vec<String>,
    /// The journal of the run.
    pub journal: Option<String>,
    /// The snapshot of what was about to change.
    pub undo_snapshot: Option<String>,
    /// Calls that were answered, and how many of them were repetitions.
    pub calls: u64,
    /// Calls that were sent again.
    pub retries: u64,
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionOutcome {
    /// The action's id in the plan.
    pub id: ActionId,
    /// The IAM operation.
    pub operation: String,
    /// What it acted on.
    pub resource: Resource,
    /// What happened.
    pub result: ActionResult,
}

/// What happened to an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// The call was made and acknowledged.
    Done,
    /// The account was in that state already.
    AlreadyDone,
    /// IAM refused, or never answered.
    Failed {
        /// Why, with the request id where there is one.
        error: String,
    },
    /// It was never sent.
    NotAttempted {
        /// Why.
        because: String,
    },
}

/// What reading the account again after the last action has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// The account matches the manifest.
    Clean,
    /// What was written is acknowledged but not yet seen by reads; this is what is missing.
    NotVisibleYet(Vec<Resource>),
    /// These differ, and it is not what this run wrote.
    Wrong(Vec<Resource>),
    /// It was not done.
    Skipped {
        /// Why.
        because: String,
    },
}

impl ApplyOutcome {
    /// Whether every action was done.
    pub fn is_complete(&self) -> bool {
        self.actions
            .iter()
            .all(|action| matches!(action.result, ActionResult::Done | ActionResult::AlreadyDone))
    }

    /// Whether what this receipt says of the account is known to be what was asked for, so that a difference from it is
    /// drift: everything was done, and reading the account again has shown it. An apply of only what drifted that was not
    /// finished says what the receipt before it said, which holds still.
    pub fn is_a_measure(&self) -> bool {
        self.only.is_some() || self.is_complete() && self.verification == Verification::Clean
    }

    /// Whether anything was written.
    pub fn wrote_something(&self) -> bool {
        self.actions
            .iter()
            .any(|action| matches!(action.result, ActionResult::Done))
    }

    /// The changes that are completely done, counted as in the plan's summary. `actions` counts the calls that were
    /// acknowledged.
    pub fn done(&self, plan: &Plan) -> Summary {
        // A change is done when every action on it is; actions on a part that is no change of its own, such as a
        // version of a policy, belong to the entity's change.
        let mut finished: BTreeMap<&Resource, bool> =
            plan.changes.iter().map(|change| (&change.resource, true)).collect();
        let mut done = Summary::default();
        for action in &self.actions {
            let acknowledged = matches!(action.result, ActionResult::Done | ActionResult::AlreadyDone);
            done.actions += u64::from(acknowledged);
            let entity = action.resource.entity();
            let key = if finished.contains_key(&action.resource) {
                &action.resource
            } else {
                &entity
            };
            if let Some(finished) = finished.get_mut(key) {
                *finished &= acknowledged;
            }
        }
        for change in &plan.changes {
            if finished.get(&change.resource) == Some(&true) {
                match change.change {
                    ChangeKind::Create => done.create += 1,
                    ChangeKind::Update | ChangeKind::Rename => done.update += 1,
                    ChangeKind::Delete => done.delete += 1,
                }
            }
        }
        done
    }
}

/// Renders the outcome of applying `plan`.
pub fn render_apply_text(outcome: &ApplyOutcome, plan: &Plan, options: &TextOptions) -> String {
    let ApplyOutcome {
        format_version: _,
        tool_version: _,
        account_id: _,
        digest: _,
        facts: _,
        asked: _,
        measured_since: _,
        only: _,
        left: _,
        // The plan has said it.
        allowed: _,
        run_id: _,
        actions,
        interrupted,
        verification,
        credentials,
        journal,
        undo_snapshot,
        calls,
        retries,
    } = outcome;
    let mut page = Page::new(options.color);
    write_problems(&mut page, actions, options);
    write_verification(&mut page, verification);
    let Summary {
        create,
        update,
        delete,
        actions: acknowledged,
    } = outcome.done(plan);
    page.gap();
    let counts = format!(" {create} added, {update} changed, {delete} destroyed.");
    if outcome.is_complete() {
        page.line(0).good("Apply complete!").text(&counts);
    } else {
        let word = if *interrupted {
            "Apply interrupted."
        } else {
            "Apply incomplete."
        };
        page.line(0).bad(word).text(&counts).text(&format!(
            " {acknowledged} of {} done.",
            count(actions.len() as u64, "call", "calls")
        ));
    }
    if let Some(left) = nightly::left(plan) {
        page.line(0)
            .text(&format!("Only drift was corrected. Left as it is: {left}."));
    }
    for path in credentials {
        page.line(0).text("Credentials: ").text(path);
    }
    if options.verbosity > Verbosity::Quiet {
        if let Some(path) = journal {
            page.line(0).dim("Journal: ").text(path);
        }
        if let Some(path) = undo_snapshot {
            page.line(0).dim("Undo snapshot: ").text(path);
        }
        if *retries > 0 || options.verbosity == Verbosity::Verbose {
            page.line(0)
                .dim("Calls:   ")
                .text(&format!("{calls}, {retries} repeated"));
        }
    }
    page.into_text()
}

fn write_problems(page: &mut Page, actions: &[ActionOutcome], options: &TextOptions) {
    let mut untouched: BTreeMap<&str, Vec<&ActionOutcome>> = BTreeMap::new();
    for action in actions {
        match &action.result {
            ActionResult::Done | ActionResult::AlreadyDone => {}
            ActionResult::Failed { error } => {
                page.line(0)
                    .bad("failed: ")
                    .text(&action.operation)
                    .text(" ")
                    .bold(action.resource.as_str())
                    .text(": ")
                    .text(error);
            }
            ActionResult::NotAttempted { because } => untouched.entry(because).or_default().push(action),
        }
    }
    for (because, actions) in untouched {
        page.line(0)
            .warning("not attempted")
            .text(" (")
            .text(because)
            .text("):");
        let shown = shown(actions.len(), SHOWN_ACTIONS, options);
        for action in &actions[..shown] {
            page.line(2)
                .text(&action.operation)
                .text(" ")
                .text(action.resource.as_str());
        }
        if shown < actions.len() {
            page.line(2).dim(&more(actions.len() - shown));
        }
    }
}

fn write_verification(page: &mut Page, verification: &Verification) {
    let (words, resources) = match verification {
        Verification::Clean => return,
        Verification::NotVisibleYet(resources) => (
            "written and acknowledged, but not visible yet in what IAM reports; plan again in a minute:",
            resources,
        ),
        Verification::Wrong(resources) => (
            "differs from the manifest after the apply, and not because of a delay:",
            resources,
        ),
        Verification::Skipped { because } => {
            page.gap();
            page.line(0).warning("not verified: ").text(because);
            return;
        }
    };
    page.gap();
    page.line(0).warning(words);
    for resource in resources {
        page.line(2).text(resource.as_str());
    }
}
