//! Steps to actions: one order that satisfies every edge, and the ids that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Action, ActionId, Call, NewKeyTag, VersionRef, draft::Step};

/// Orders the steps. Ties break by rank, resource and operation, so that the same steps give the same bytes.
///
/// Returns `None` where the edges form a circle, which would be a bug of this crate.
pub(crate) fn actions(steps: Vec<Step>) -> Option<Vec<Action>> {
    let mut open: Vec<usize> = steps.iter().map(|step| step.after.len()).collect();
    let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        for first in &step.after {
            followers.entry(*first).or_default().push(index);
        }
    }
    let key = |index: usize| {
        (
            steps[index].rank,
            steps[index].resource.clone(),
            steps[index].call.operation(),
            index,
        )
    };
    let mut ready: BTreeSet<_> = (0..steps.len()).filter(|index| open[*index] == 0).map(key).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some((.., index)) = ready.pop_first() {
        order.push(index);
        for follower in followers.get(&index).into_iter().flatten() {
            open[*follower] -= 1;
            if open[*follower] == 0 {
                ready.insert(key(*follower));
            }
        }
    }
    if order.len() < steps.len() {
        return None;
    }
    let mut ids = vec![ActionId(0); steps.len()];
    for (position, index) in order.iter().enumerate() {
        ids[*index] = ActionId(u32::try_from(position + 1).unwrap_or(u32::MAX));
    }
    let mut actions: Vec<Action> = steps
        .into_iter()
        .enumerate()
        .map(|(index, step)| {
            let mut after: Vec<ActionId> = step.after.iter().map(|first| ids[*first]).collect();
            after.sort();
            Action {
                id: ids[index],
                call: with_ids(step.call, &ids),
                resource: step.resource,
                after,
                reason: step.reason,
            }
        })
        .collect();
    actions.sort_by_key(|action| action.id);
    Some(actions)
}

/// Turns the step index in a reference to what another step makes into the id of the action.
fn with_ids(mut call: Call, ids: &[ActionId]) -> Call {
    if let Call::TagUser {
        new_key: Some(NewKeyTag { created_by, .. }),
        ..
    } = &mut call
        && let Some(id) = ids.get(created_by.0 as usize)
    {
        *created_by = *id;
    }
    if let Call::SetDefaultPolicyVersion { version, .. } | Call::DeletePolicyVersion { version, .. } = &mut call
        && let VersionRef::CreatedBy(ActionId(step)) = version
        && let Some(id) = ids.get(*step as usize)
    {
        *version = VersionRef::CreatedBy(*id);
    }
    call
}
