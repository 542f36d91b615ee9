//! What an apply did, as Markdown: the outcome first, then what failed, then where things are.

use std::collections::BTreeMap;

use trueup_model::Resource;
use trueup_planner::{Plan, Summary};

use super::sheet::Sheet;
use crate::{
    apply::{ActionOutcome, ActionResult, ApplyOutcome, Verification},
    escape::{markdown, markdown_code as code},
    nightly,
    page::count,
};

/// How much of the budget failures may take, in hundredths.
const SHARE: usize = 60;
/// How many names are said in one line before the rest is counted.
const SHOWN_NAMES: usize = 10;

pub(super) fn write(sheet: &mut Sheet, outcome: &ApplyOutcome, plan: &Plan) {
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
        // What follows says it: the plan is below.
        allowed: _,
        run_id,
        actions,
        interrupted,
        verification,
        credentials,
        journal,
        undo_snapshot,
        calls,
        retries,
    } = outcome;
    let Summary {
        create,
        update,
        delete,
        actions: acknowledged,
    } = outcome.done(plan);
    let counts = format!("{create} added, {update} changed, {delete} destroyed.");
    sheet.must(&if outcome.is_complete() {
        format!("**Apply complete!** {counts}\n\n")
    } else {
        let word = if *interrupted { "interrupted" } else { "incomplete" };
        format!(
            "> [!CAUTION]\n> **Apply {word}.** {counts} {acknowledged} of {} done.\n\n",
            count(actions.len() as u64, "call", "calls")
        )
    });
    if let Some(left) = nightly::left(plan) {
        sheet.must(&format!("Only drift was corrected. Left as it is: {left}.\n\n"));
    }
    sheet.must(&verified(verification));
    let places = [("Run", run_id), ("Journal", journal), ("Undo snapshot", undo_snapshot)];
    for (title, place) in places {
        if let Some(place) = place {
            sheet.must(&format!("- {title}: {}\n", code(place)));
        }
    }
    sheet.must(&format!("- Calls: {calls}, {retries} repeated\n"));
    if !credentials.is_empty() {
        sheet.must(&format!(
            "- Credentials: {}, named in the receipt\n",
            count(credentials.len() as u64, "file", "files")
        ));
    }
    problems(sheet, actions);
}

fn verified(verification: &Verification) -> String {
    let (words, resources) = match verification {
        Verification::Clean => return String::new(),
        Verification::Skipped { because } => return format!("Not verified: {}.\n\n", markdown(because)),
        Verification::NotVisibleYet(resources) => (
            "Written and acknowledged, but not visible yet in what IAM reports; plan again in a minute",
            resources,
        ),
        Verification::Wrong(resources) => (
            "Differs from the manifest after the apply, and not because of a delay",
            resources,
        ),
    };
    let names: Vec<&str> = resources.iter().map(Resource::as_str).collect();
    format!("> [!WARNING]\n> {words}: {}\n\n", listed(&names))
}

fn listed(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(SHOWN_NAMES).map(|name| code(name)).collect();
    if names.len() > SHOWN_NAMES {
        shown.push(format!("{} more", names.len() - SHOWN_NAMES));
    }
    shown.join(", ")
}

fn problems(sheet: &mut Sheet, actions: &[ActionOutcome]) {
    let mut untouched: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut failed = Vec::new();
    for ActionOutcome {
        id: _,
        operation,
        resource,
        result,
    } in actions
    {
        match result {
            ActionResult::Done | ActionResult::AlreadyDone => {}
            ActionResult::Failed { error } => failed.push(format!(
                "- {} {}: {}\n",
                code(operation),
                code(resource.as_str()),
                markdown(error)
            )),
            ActionResult::NotAttempted { because } => untouched.entry(because).or_default().push(resource.as_str()),
        }
    }
    sheet.must("\n");
    sheet.list("#### Failed\n\n", failed, SHARE, ("failed call", "failed calls"));
    let untouched = untouched
        .into_iter()
        .map(|(because, names)| format!("- {}: {}\n", markdown(because), listed(&names)));
    let kind = ("reason for calls not attempted", "reasons for calls not attempted");
    sheet.list("#### Not attempted\n\n", untouched, SHARE, kind);
}
