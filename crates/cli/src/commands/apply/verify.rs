//! After the last action: the account is read again, and the plan must be empty.

use std::{collections::BTreeMap, time::Duration};

use trueup_model::{Desired, Resource};
use trueup_planner::{Change, Options, Plan};
use trueup_reader::Identity;
use trueup_report::Verification;

use crate::{baseline::Baseline, commands::compare, exit::CliError, live::Api, terminal::Terminal};

/// The pauses between readings. IAM is eventually consistent: what was acknowledged is usually seen within seconds.
const PAUSES: [u64; 6] = [0, 1, 2, 4, 8, 15];

/// Reads the account until the plan is empty, or until waiting longer makes no sense. Also gives the plan of the last
/// reading.
pub(crate) async fn verify(
    applied: &Plan,
    api: &Api,
    identity: &Identity,
    desired: &Desired,
    options: &Options,
    baseline: &Baseline,
    terminal: &Terminal,
) -> (Verification, Option<Plan>) {
    let _activity = terminal.activity("reading the account again");
    let mut last = None;
    for pause in PAUSES {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        match read(api, identity, desired, options, baseline).await {
            Ok(plan) if plan.changes.is_empty() => return (Verification::Clean, Some(plan)),
            Ok(plan) => last = Some(plan),
            Err(error) => {
                let because = crate::exit::with_causes(&error);
                return (Verification::Skipped { because }, last);
            }
        }
    }
    let verification = last.as_ref().map_or(
        Verification::Skipped {
            because: "the account was not read again".to_owned(),
        },
        |plan| judge(applied, plan),
    );
    (verification, last)
}

async fn read(
    api: &Api,
    identity: &Identity,
    desired: &Desired,
    options: &Options,
    baseline: &Baseline,
) -> Result<Plan, CliError> {
    let (plan, _) = compare::read_and_plan(api, identity, desired, options, baseline).await?;
    Ok(plan)
}

/// Tells "not visible yet" from "wrong": what is still to be done exactly as it was planned is what reads do not show
/// yet; anything else was changed by somebody else, or did not do what it should.
fn judge(applied: &Plan, left: &Plan) -> Verification {
    let planned: BTreeMap<&Resource, &Change> = applied
        .changes
        .iter()
        .map(|change| (&change.resource, change))
        .collect();
    let (late, wrong): (Vec<&Change>, Vec<&Change>) = left
        .changes
        .iter()
        .partition(|change| planned.get(&change.resource).is_some_and(|was| is_part_of(change, was)));
    let names = |changes: Vec<&Change>| changes.into_iter().map(|change| change.resource.clone()).collect();
    if wrong.is_empty() {
        Verification::NotVisibleYet(names(late))
    } else {
        Verification::Wrong(names(wrong))
    }
}

/// Whether a change that is left is one that was planned, or some of its fields.
fn is_part_of(left: &Change, planned: &Change) -> bool {
    left.change == planned.change && left.fields.iter().all(|field| planned.fields.contains(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(changes: serde_json::Value) -> Plan {
        serde_json::from_value(json!({
            "format_version": "1.0", "tool_version": "0.1.0", "account_id": "123456789012", "as_of": "2026-11-22",
            "digest": "", "overview": {"alias": null, "scope": {}, "managed": 0, "unchanged": 0, "untouchable": 0},
            "summary": {"create": 0, "update": 0, "delete": 0, "actions": 0}, "changes": changes, "actions": [],
            "requirements": [], "access": [], "unmanaged": [], "ignored": [], "guardrails": [], "notes": [],
            "facts": {}, "reads": {"total": 0, "by_operation": {}}
        }))
        .unwrap()
    }

    fn update(resource: &str, fields: &[&str]) -> serde_json::Value {
        let fields: Vec<_> = fields
            .iter()
            .map(|path| json!({"path": path, "before": "a", "after": "b"}))
            .collect();
        json!({"resource": resource, "change": "update", "reason": "", "destructive": false, "fields": fields})
    }

    #[test]
    fn what_was_planned_and_is_left_is_late() {
        let applied = plan(json!([
            update("user/a", &["path", "tags.x"]),
            update("user/b", &["path"])
        ]));
        let left = plan(json!([update("user/a", &["path"])]));
        assert!(matches!(judge(&applied, &left), Verification::NotVisibleYet(names) if names.len() == 1));
    }

    #[test]
    fn what_was_not_planned_is_wrong() {
        let applied = plan(json!([update("user/a", &["path"])]));
        for left in [
            json!([update("user/a", &["path"]), update("user/c", &["path"])]),
            json!([update("user/a", &["tags.x"])]),
        ] {
            assert!(matches!(judge(&applied, &plan(left)), Verification::Wrong(names) if names.len() == 1));
        }
    }
}
