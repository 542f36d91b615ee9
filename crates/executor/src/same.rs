//! Before something of an entity is destroyed, the entity is read again: a name can belong to somebody else by now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use trueup_model::{GroupName, Resource, UserName};
use trueup_planner::{Action, Call, Plan};

use crate::{
    report::Failure,
    run::{Run, Stuck},
    target::{self, Entity, Targets, fold},
};

/// The unique ids that entities must have, and what was found of them.
pub(crate) struct Identities {
    expected: BTreeMap<String, String>,
    /// Entities that the plan deletes as a whole: of these, everything counts as destruction.
    doomed: BTreeSet<Entity>,
    found: Mutex<BTreeMap<Entity, Found>>,
}

/// What was found of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// The entity that the plan was made from.
    Same,
    /// Nothing.
    Gone,
    /// Another entity of the same name.
    Other,
}

/// Whether an action may go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    Go,
    /// What it would take away is gone, with the entity.
    AlreadyDone(String),
    No(Failure),
    Interrupted,
}

impl Identities {
    pub(crate) fn new(plan: &Plan, targets: &Targets, expected: &BTreeMap<Resource, String>) -> Self {
        let mut expected: BTreeMap<String, String> = expected
            .iter()
            .filter(|(_, id)| !id.is_empty())
            .map(|(resource, id)| (fold(resource), id.clone()))
            .collect();
        let mut doomed = BTreeSet::new();
        for action in &plan.actions {
            doomed.extend(target::deleted(&action.call));
            // A unique id survives a rename.
            if let Some((old, new)) = renamed(&action.call)
                && let Some(id) = expected.get(&fold(&old)).cloned()
            {
                expected.insert(fold(&new), id);
            }
        }
        debug_assert!(
            plan.actions
                .iter()
                .all(|action| targets.written(&action.call).len() <= 2)
        );
        Self {
            expected,
            doomed,
            found: Mutex::default(),
        }
    }

    fn expected(&self, entity: &Entity) -> Option<&str> {
        self.expected.get(&entity.name()?).map(String::as_str)
    }

    fn found(&self) -> MutexGuard<'_, BTreeMap<Entity, Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run<'_> {
    /// Reads every entity that an action destroys, or destroys something of, once in a run.
    pub(crate) async fn leave_to_destroy(&self, action: &Action) -> Leave {
        for entity in self.targets.written(&action.call) {
            let is_at_stake = self.identities.doomed.contains(&entity) || action.call.is_destructive();
            let Some(expected) = self.identities.expected(&entity).filter(|_| is_at_stake) else {
                continue;
            };
            let found = match self.find(&entity, expected).await {
                Ok(found) => found,
                Err(Stuck::Interrupted) => return Leave::Interrupted,
                Err(Stuck::Failed(error)) => {
                    let name = describe(&entity);
                    return Leave::No(Failure {
                        message: format!("cannot make sure that {name} is still the same: {}", error.text()),
                        code: error.code,
                        request_id: error.request_id,
                        outcome_unknown: false,
                    });
                }
            };
            match found {
                Found::Same => {}
                Found::Gone if target::is_removal(&action.call) => {
                    return Leave::AlreadyDone(format!("{} does not exist", describe(&entity)));
                }
                Found::Gone => {}
                Found::Other => {
                    return Leave::No(Failure::new(format!(
                        "{} is no longer the same: it was deleted and created again after the plan was made",
                        describe(&entity)
                    )));
                }
            }
        }
        Leave::Go
    }

    async fn find(&self, entity: &Entity, expected: &str) -> Result<Found, Stuck> {
        if let Some(found) = self.identities.found().get(entity) {
            return Ok(found.clone());
        }
        // Writes of one entity come one after the other, so that nobody else is asking at this moment.
        let found = match self.unique_id(entity).await? {
            Some(Some(id)) if id == expected || id.is_empty() => Found::Same,
            Some(Some(_)) => Found::Other,
            // Renamed by this run and not visible yet under its new name: the call itself waits for that.
            Some(None) if self.made(entity) => return Ok(Found::Same),
            Some(None) => Found::Gone,
            None => Found::Same,
        };
        self.identities.found().insert(entity.clone(), found.clone());
        Ok(found)
    }
}

fn renamed(call: &Call) -> Option<(Resource, Resource)> {
    let user = |old: &UserName, new: &UserName| (Resource::user(old), Resource::user(new));
    let group = |old: &GroupName, new: &GroupName| (Resource::group(old), Resource::group(new));
    match call {
        Call::UpdateUser {
            user_name,
            new_user_name: Some(new),
            ..
        } => Some(user(user_name, new)),
        Call::UpdateGroup {
            group_name,
            new_group_name: Some(new),
            ..
        } => Some(group(group_name, new)),
        _ => None,
    }
}

fn describe(entity: &Entity) -> String {
    entity
        .resource()
        .map(|resource| format!("`{resource}`"))
        .unwrap_or_default()
}
