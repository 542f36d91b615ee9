//! A plan of only what drifted: which changes go, before anything is ordered.
//!
//! It takes changes with their steps out of a draft. It never touches an order: what is left of the draft is checked,
//! ordered and guarded as a plan of its own.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::Resource;

use crate::{
    ActionId, Call, Change, ChangeKind, Held, Left, NewKeyTag, Origin, VersionRef,
    draft::{Draft, Step},
};

/// Takes out everything that is not drift, that is held, or that cannot be done without what is taken out. Answers what
/// that was, without what is held.
pub(crate) fn keep_drift(draft: &mut Draft, held: &[Held], is_due: impl Fn(&Change) -> bool) -> Vec<Left> {
    let mut left: BTreeMap<Resource, String> = BTreeMap::new();
    for change in &draft.changes {
        let because = match change.origin {
            _ if is_held(held, &change.resource) => "held".to_owned(),
            Some(Origin::Drift) => continue,
            Some(Origin::Both) => "drift and pending in one, and they cannot be told apart".to_owned(),
            // Neither merged nor moved: an expiry, a rotation, or the end of a quarantine.
            _ if is_due(change) => "due by its date, which a whole apply does".to_owned(),
            Some(Origin::Pending) | None => "not applied yet".to_owned(),
        };
        left.insert(change.resource.clone(), because);
    }
    let units = Units::of(draft);
    // Each round leaves one more change, or is the last.
    while let Some((resource, because)) = next_to_leave(draft, &units, &left) {
        left.insert(resource, because);
    }
    let listed = draft.changes.iter().filter(|change| !is_held(held, &change.resource));
    let listed = listed.filter_map(|change| {
        left.get(&change.resource).map(|because| Left {
            resource: change.resource.clone(),
            change: change.change,
            origin: change.origin.unwrap_or(Origin::Pending),
            because: because.clone(),
            renamed_from: earlier_name(change).map(str::to_owned),
        })
    });
    let mut listed: Vec<Left> = listed.collect();
    listed.sort_by(|a, b| a.resource.cmp(&b.resource));
    take_out(draft, &units, &left);
    listed
}

/// The live name of what would be renamed.
fn earlier_name(change: &Change) -> Option<&str> {
    let is_rename = change.change == ChangeKind::Rename;
    let name = change.fields.iter().find(|field| is_rename && field.path == "name")?;
    name.before.as_str()
}

fn is_held(held: &[Held], resource: &Resource) -> bool {
    held.iter().any(|held| held.resource == *resource)
}

/// Which change each step belongs to.
struct Units {
    /// By step; `None`: what trueup tidies up for itself.
    change: Vec<Option<Resource>>,
    /// Changes that share steps, so that all of them go or none.
    together: Vec<BTreeSet<Resource>>,
}

impl Units {
    fn of(draft: &Draft) -> Self {
        let known: BTreeSet<&Resource> = draft.changes.iter().map(|change| &change.resource).collect();
        // What trueup remembers of a user's keys stands in the tags of the user, which one call sets for all of them.
        let mut keys: BTreeMap<Resource, BTreeSet<Resource>> = BTreeMap::new();
        for change in draft
            .changes
            .iter()
            .filter(|change| change.resource.kind() == "access-key")
        {
            let user = change.resource.entity();
            let own = known.get(&user).map(|user| (*user).clone());
            let entry = keys.entry(user).or_default();
            entry.insert(change.resource.clone());
            entry.extend(own);
        }
        let owner = |step: &Step| -> Option<Resource> {
            if known.contains(&step.resource) {
                return Some(step.resource.clone());
            }
            let entity = step.resource.entity();
            let of_keys = keys.get(&entity).and_then(|changes| changes.first());
            known.get(&entity).map(|entity| (*entity).clone()).or(of_keys.cloned())
        };
        Self {
            change: draft.steps.iter().map(owner).collect(),
            together: keys.into_values().filter(|changes| changes.len() > 1).collect(),
        }
    }
}

/// A change that cannot be made without one that is left.
fn next_to_leave(draft: &Draft, units: &Units, left: &BTreeMap<Resource, String>) -> Option<(Resource, String)> {
    for (index, step) in draft.steps.iter().enumerate() {
        let Some(change) = units.change[index]
            .as_ref()
            .filter(|change| !left.contains_key(*change))
        else {
            continue;
        };
        for first in &step.after {
            let waits_for = match &units.change[*first] {
                Some(other) if left.contains_key(other) => other,
                // Nothing that is shown is done without a step of no change; were it so, that step would be missing.
                None => &draft.steps[*first].resource,
                Some(_) => continue,
            };
            return Some((change.clone(), format!("it waits for {waits_for}, which is left")));
        }
    }
    units.together.iter().find_map(|together| {
        let gone = together.iter().find(|change| left.contains_key(*change))?;
        let stays = together.iter().find(|change| !left.contains_key(*change))?;
        Some((stays.clone(), format!("it is done together with {gone}, which is left")))
    })
}

/// Takes changes out of the draft, with their steps, and names the rest of the steps anew.
fn take_out(draft: &mut Draft, units: &Units, left: &BTreeMap<Resource, String>) {
    // What is said of a change that is left, and of the parts of what does not come or go.
    let whole: BTreeSet<Resource> = draft
        .changes
        .iter()
        .filter(|change| matches!(change.change, ChangeKind::Create | ChangeKind::Delete))
        .map(|change| change.resource.clone())
        .filter(|resource| !resource.is_part() && left.contains_key(resource))
        .collect();
    let is_left = |about: &Resource| left.contains_key(about) || whole.contains(&about.entity());
    draft.changes.retain(|change| !left.contains_key(&change.resource));
    let stays = |index: usize| {
        units.change[index]
            .as_ref()
            .is_some_and(|change| !left.contains_key(change))
    };
    let mut names: BTreeMap<usize, usize> = BTreeMap::new();
    for index in (0..draft.steps.len()).filter(|index| stays(*index)) {
        names.insert(index, names.len());
    }
    let steps = std::mem::take(&mut draft.steps);
    let kept = steps
        .into_iter()
        .enumerate()
        .filter(|(index, _)| names.contains_key(index));
    draft.steps = kept
        .map(|(_, mut step)| {
            step.after = step
                .after
                .iter()
                .filter_map(|first| names.get(first).copied())
                .collect();
            rename(&mut step.call, &names);
            step
        })
        .collect();
    // Of what waits for a step that went, nothing waits any more.
    let still = |step: &mut usize| match names.get(step) {
        Some(new) => {
            *step = *new;
            true
        }
        None => false,
    };
    draft.user_ready.retain(|_, step| still(step));
    draft.group_ready.retain(|_, step| still(step));
    draft.policy_ready.retain(|_, step| still(step));
    draft.new_users.retain(|name| !left.contains_key(&Resource::user(name)));
    draft
        .notes
        .retain(|note| note.resource.as_ref().is_none_or(|about| !is_left(about)));
    // The tags of a user change with the user and with its keys.
    let has = |about: &Resource| {
        let mut changes = draft.changes.iter().map(|change| &change.resource);
        changes.any(|changed| changed == about || changed.kind() == "access-key" && changed.entity() == *about)
    };
    let problems = std::mem::take(&mut draft.problems);
    let problems = problems.into_iter().filter(|(about, _)| about.as_ref().is_none_or(has));
    draft.problems = problems.collect();
}

/// What another step makes is named by that step.
fn rename(call: &mut Call, names: &BTreeMap<usize, usize>) {
    let anew = |id: &mut ActionId| {
        let new = usize::try_from(id.0).ok().and_then(|step| names.get(&step));
        if let Some(new) = new.and_then(|step| u32::try_from(*step).ok()) {
            *id = ActionId(new);
        }
    };
    match call {
        Call::TagUser {
            new_key: Some(NewKeyTag { created_by, .. }),
            ..
        } => anew(created_by),
        Call::SetDefaultPolicyVersion {
            version: VersionRef::CreatedBy(id),
            ..
        }
        | Call::DeletePolicyVersion {
            version: VersionRef::CreatedBy(id),
            ..
        } => anew(id),
        _ => {}
    }
}
