//! The order in which a run does its actions.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream::FuturesUnordered};
use trueup_planner::{Action, ActionId, Plan};

use crate::{
    report::{ActionReport, Because, Outcome},
    run::Run,
    target::Entity,
};

/// Actions that wait, and what they wait for.
struct Queue<'a> {
    actions: BTreeMap<ActionId, &'a Action>,
    /// Dependencies that are not done yet.
    waits_for: BTreeMap<ActionId, BTreeSet<ActionId>>,
    dependants: BTreeMap<ActionId, Vec<ActionId>>,
    ready: BTreeSet<ActionId>,
    /// Entities that an action in flight writes.
    busy: BTreeSet<Entity>,
    outcomes: BTreeMap<ActionId, Outcome>,
}

impl<'a> Queue<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut dependants: BTreeMap<ActionId, Vec<ActionId>> = BTreeMap::new();
        let mut waits_for = BTreeMap::new();
        let mut ready = BTreeSet::new();
        for action in &plan.actions {
            for dependency in &action.after {
                dependants.entry(*dependency).or_default().push(action.id);
            }
            if action.after.is_empty() {
                ready.insert(action.id);
            }
            waits_for.insert(action.id, action.after.iter().copied().collect());
        }
        Self {
            actions: plan.actions.iter().map(|action| (action.id, action)).collect(),
            waits_for,
            dependants,
            ready,
            busy: BTreeSet::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Takes the first action that can begin now: its dependencies are done, and nobody writes what it writes.
    fn take(&mut self, run: &Run<'_>) -> Option<(&'a Action, Vec<Entity>)> {
        let (id, action, entities) = self.ready.iter().find_map(|id| {
            let action = *self.actions.get(id)?;
            let entities = run.targets.written(&action.call);
            let is_free = entities.iter().all(|entity| !self.busy.contains(entity));
            is_free.then_some((*id, action, entities))
        })?;
        self.ready.remove(&id);
        self.busy.extend(entities.iter().cloned());
        Some((action, entities))
    }

    fn end(&mut self, id: ActionId, entities: &[Entity], outcome: Outcome) {
        for entity in entities {
            self.busy.remove(entity);
        }
        let is_success = outcome.is_success();
        let is_failure = matches!(outcome, Outcome::Failed { .. });
        self.outcomes.insert(id, outcome);
        if is_success {
            for dependant in self.dependants.remove(&id).unwrap_or_default() {
                if let Some(waits_for) = self.waits_for.get_mut(&dependant) {
                    waits_for.remove(&id);
                    if waits_for.is_empty() && !self.outcomes.contains_key(&dependant) {
                        self.ready.insert(dependant);
                    }
                }
            }
        } else if is_failure {
            self.abandon_dependants(id);
        }
    }

    /// Everything that depends on a failed action, directly or not, is not attempted because of that action.
    fn abandon_dependants(&mut self, failed: ActionId) {
        let mut open = self.dependants.remove(&failed).unwrap_or_default();
        while let Some(id) = open.pop() {
            if self.outcomes.contains_key(&id) {
                continue;
            }
            self.ready.remove(&id);
            let because = Because::Failed(failed);
            self.outcomes.insert(id, Outcome::NotAttempted { because });
            open.extend(self.dependants.remove(&id).unwrap_or_default());
        }
    }
}

/// Does the actions of a plan: each as soon as those before it are done, up to `parallelism` at once, and writes of one
/// entity one after the other.
pub(crate) async fn run_all(run: &Run<'_>, plan: &Plan) -> (Vec<ActionReport>, bool) {
    let mut queue = Queue::new(plan);
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < run.options.parallelism.max(1)
            && !run.cancel.is_cancelled()
            && run.stopped().is_none()
            && let Some((action, entities)) = queue.take(run)
        {
            run.progress.started(action);
            in_flight.push(async move { (action, entities, run.perform(action).await) });
        }
        let Some((action, entities, outcome)) = in_flight.next().await else {
            break;
        };
        run.progress.finished(action, &outcome);
        queue.end(action.id, &entities, outcome);
    }

    let stopped = run.stopped();
    let mut interrupted = false;
    let reports = plan
        .actions
        .iter()
        .map(|action| {
            let outcome = queue.outcomes.remove(&action.id).unwrap_or_else(|| {
                let because = stopped.clone().map_or(Because::Interrupted, Because::Stopped);
                Outcome::NotAttempted { because }
            });
            interrupted |= outcome
                == Outcome::NotAttempted {
                    because: Because::Interrupted,
                };
            ActionReport {
                id: action.id,
                operation: action.call.operation().to_owned(),
                resource: action.resource.clone(),
                outcome,
            }
        })
        .collect();
    (reports, interrupted)
}
