//! What all actions of a run share: the client, the rate limit, the journal, and what happened so far.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sdk_iam::{Client, config::retry::RetryConfig};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use tokio::time::{Instant, sleep};
use trueup_model::error_code::is_throttling;
use trueup_planner::{Action, ActionId, Plan};

use crate::{
    Options,
    delivery::CredentialsSink,
    failure::{CallError, Reach},
    journal::{Journal, JournalError},
    limiter::Limiter,
    progress::{Cancel, Progress},
    report::RetryCause,
    retry::{self, TRIES_WITHOUT_ANSWER, Verdict},
    same::Identities,
    target::{Entity, Targets},
};

/// How many actions in a row are given up without any answer before the run is.
const SILENCE: u32 = 3;

/// One run.
pub(crate) struct Run<'a> {
    pub(crate) iam: Client,
    pub(crate) targets: Targets,
    pub(crate) options: &'a Options,
    pub(crate) journal: &'a Journal,
    pub(crate) credentials: &'a CredentialsSink,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancel: &'a Cancel,
    pub(crate) limiter: Limiter,
    pub(crate) identities: Identities,
    pub(crate) deadline: Instant,
    state: Mutex<State>,
}

struct State {
    /// What this run made, renamed, or gave a new version to.
    made: BTreeSet<Entity>,
    /// What this run deleted, as plans name it, ignoring case.
    deleted: BTreeSet<String>,
    /// Actions in a row that were given up without any answer.
    unanswered: u32,
    /// The versions that `CreatePolicyVersion` actions were answered with, and when.
    versions: BTreeMap<ActionId, (String, Instant)>,
    /// The ids of the keys that `CreateAccessKey` actions made.
    keys: BTreeMap<ActionId, String>,
    /// The keys that users had before such an action was first sent.
    keys_before: BTreeMap<ActionId, BTreeSet<String>>,
    calls: BTreeMap<String, u64>,
    retries: BTreeMap<RetryCause, u64>,
    credential_files: BTreeMap<ActionId, Vec<PathBuf>>,
    stopped: Option<String>,
    rng: Xoshiro256PlusPlus,
}

/// What is left of a run when it ends.
pub(crate) struct Tally {
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) retries: BTreeMap<RetryCause, u64>,
    pub(crate) credential_files: Vec<PathBuf>,
    pub(crate) stopped: Option<String>,
}

/// Why a read did not come to an answer.
#[derive(Debug)]
pub(crate) enum Stuck {
    /// It failed for good.
    Failed(CallError),
    /// The run was interrupted while it waited to be sent again.
    Interrupted,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        plan: &Plan,
        iam: &Client,
        options: &'a Options,
        journal: &'a Journal,
        credentials: &'a CredentialsSink,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Self {
        // INVARIANT: nothing below this crate sends a request twice. The SDK does not know which calls must not be.
        let config = iam.config().to_builder().retry_config(RetryConfig::disabled()).build();
        let targets = Targets {
            account: plan.account_id.clone(),
            partition: options.partition.clone(),
        };
        Self {
            iam: Client::from_conf(config),
            identities: Identities::new(plan, &targets, &options.expected_ids),
            targets,
            options,
            journal,
            credentials,
            progress,
            cancel,
            limiter: Limiter::new(options.rate),
            deadline: Instant::now() + options.deadline,
            state: Mutex::new(State {
                made: BTreeSet::new(),
                deleted: BTreeSet::new(),
                unanswered: 0,
                versions: BTreeMap::new(),
                keys: BTreeMap::new(),
                keys_before: BTreeMap::new(),
                calls: BTreeMap::new(),
                retries: BTreeMap::new(),
                credential_files: BTreeMap::new(),
                stopped: None,
                rng: Xoshiro256PlusPlus::seed_from_u64(options.seed),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for leave to send a request, and counts it.
    pub(crate) async fn leave_to_send(&self, operation: &str) {
        self.limiter.acquire().await;
        *self.state().calls.entry(operation.to_owned()).or_default() += 1;
    }

    /// Counts a request that will be sent again, and says how long to wait before.
    pub(crate) fn pause(&self, verdict: Verdict, failed: u32) -> Duration {
        let mut state = self.state();
        *state.retries.entry(cause(verdict)).or_default() += 1;
        retry::pause(verdict, failed, &mut state.rng)
    }

    /// Sleeps. `false`: the run was interrupted meanwhile.
    pub(crate) async fn sleep(&self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = sleep(pause) => true,
        }
    }

    pub(crate) fn note_made(&self, entity: Entity) {
        self.state().made.insert(entity);
    }

    pub(crate) fn made(&self, entity: &Entity) -> bool {
        self.state().made.contains(entity)
    }

    pub(crate) fn note_deleted(&self, entity: &Entity) {
        self.state().deleted.extend(entity.name());
    }

    pub(crate) fn deleted(&self, entity: &Entity) -> bool {
        entity.name().is_some_and(|name| self.state().deleted.contains(&name))
    }

    /// Notes whether an action got any answer. An endpoint that leaves several in a row without one is not asked by
    /// all the others too.
    pub(crate) fn note_answered(&self, answered: bool) {
        let mut state = self.state();
        state.unanswered = if answered { 0 } else { state.unanswered + 1 };
        let is_silent = state.unanswered >= SILENCE;
        drop(state);
        if is_silent {
            self.stop("the endpoint does not answer");
        }
    }

    pub(crate) fn note_version(&self, action: ActionId, version: String) {
        self.state().versions.insert(action, (version, Instant::now()));
    }

    pub(crate) fn version_of(&self, action: ActionId) -> Option<(String, Instant)> {
        self.state().versions.get(&action).cloned()
    }

    pub(crate) fn note_key(&self, action: ActionId, id: String) {
        self.state().keys.insert(action, id);
    }

    pub(crate) fn key_of(&self, action: ActionId) -> Option<String> {
        self.state().keys.get(&action).cloned()
    }

    /// Whether this run made a key and delivered it.
    pub(crate) fn made_key(&self, id: &str) -> bool {
        self.state().keys.values().any(|made| made == id)
    }

    pub(crate) fn note_keys_before(&self, action: ActionId, ids: BTreeSet<String>) {
        self.state().keys_before.insert(action, ids);
    }

    /// The keys of a user before an action; the one that it made is not among them.
    pub(crate) fn had_before(&self, action: ActionId, id: &str) -> bool {
        let state = self.state();
        state.keys_before.get(&action).is_none_or(|ids| ids.contains(id))
    }

    pub(crate) fn note_credential_files(&self, action: ActionId, paths: Vec<PathBuf>) {
        self.state().credential_files.insert(action, paths);
    }

    /// Has the run begin nothing new. The first reason stays.
    pub(crate) fn stop(&self, reason: impl Into<String>) {
        self.state().stopped.get_or_insert_with(|| reason.into());
    }

    pub(crate) fn stop_without_journal(&self, error: &JournalError) -> String {
        let reason = format!("{error}: {}", error.source);
        self.stop(format!("the journal cannot be kept: {reason}"));
        reason
    }

    pub(crate) fn stopped(&self) -> Option<String> {
        self.state().stopped.clone()
    }

    pub(crate) fn tally(&self) -> Tally {
        let state = self.state();
        // One file may hold what several actions made.
        let mut credential_files: Vec<PathBuf> = Vec::new();
        for path in state.credential_files.values().flatten() {
            if !credential_files.contains(path) {
                credential_files.push(path.clone());
            }
        }
        Tally {
            calls: state.calls.clone(),
            retries: state.retries.clone(),
            credential_files,
            stopped: state.stopped.clone(),
        }
    }

    pub(crate) fn tell_waiting(&self, action: &Action, verdict: Verdict, pause: Duration) {
        self.progress.waiting(action, cause(verdict), pause);
    }

    /// Sends a read until it is answered: throttled, until the run's deadline; without an answer, a few times. `None`:
    /// there is no such thing.
    pub(crate) async fn read_patiently<T, F>(
        &self,
        operation: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<Option<T>, Stuck>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let (mut throttled, mut unanswered) = (0, 0);
        loop {
            self.leave_to_send(operation).await;
            let error = match attempt().await {
                Ok(answer) => {
                    self.limiter.passed();
                    return Ok(Some(answer));
                }
                Err(error) => error,
            };
            let (verdict, failed) = if error.code.as_deref().is_some_and(is_throttling) {
                self.limiter.throttled();
                throttled += 1;
                (Verdict::Throttled, throttled)
            } else if matches!(error.reach, Reach::Unknown | Reach::NotSent) {
                unanswered += 1;
                (Verdict::NoAnswer, unanswered)
            } else if error.is("NoSuchEntity") {
                return Ok(None);
            } else {
                return Err(Stuck::Failed(error));
            };
            let is_hopeless = match verdict {
                Verdict::Throttled => Instant::now() >= self.deadline,
                _ => failed >= TRIES_WITHOUT_ANSWER,
            };
            if is_hopeless {
                return Err(Stuck::Failed(error));
            }
            let pause = self.pause(verdict, failed);
            if !self.sleep(pause).await {
                return Err(Stuck::Interrupted);
            }
        }
    }
}

fn cause(verdict: Verdict) -> RetryCause {
    match verdict {
        Verdict::Throttled => RetryCause::Throttled,
        Verdict::Unreachable => RetryCause::Unreachable,
        Verdict::NotSettled | Verdict::Exists | Verdict::Gone => RetryCause::NotSettled,
        Verdict::NoAnswer | Verdict::CredentialsRefused | Verdict::Final => RetryCause::NoAnswer,
    }
}
