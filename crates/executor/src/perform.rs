//! One action, from its intent to its outcome.

use tokio::time::Instant;
use trueup_planner::{Action, Call, VersionRef};

use crate::{
    delivery::{Delivered, DeliveryError},
    failure::{CallError, Reach},
    look::Seen,
    report::{Because, Failure, Outcome},
    retry::{Before, SETTLING, TRIES_WITHOUT_ANSWER, Verdict, judge},
    run::{Run, Stuck},
    same::Leave,
    send::{Answer, Supplement, send},
    target::{self, Entity},
};

const INTERRUPTED: Outcome = Outcome::NotAttempted {
    because: Because::Interrupted,
};

const DONE: Outcome = Outcome::Done {
    version: None,
    access_key: None,
};

/// Why something that was made cannot be handed over.
pub(crate) fn undelivered(error: &DeliveryError) -> Failure {
    Failure::new(match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

impl Run<'_> {
    /// Does one action whose dependencies are done.
    pub(crate) async fn perform(&self, action: &Action) -> Outcome {
        if self.cancel.is_cancelled() {
            return INTERRUPTED;
        }
        match self.leave_to_destroy(action).await {
            Leave::Go => {}
            Leave::AlreadyDone(detail) => return self.write_down(action, Outcome::AlreadyDone { detail }),
            Leave::No(error) => return self.write_down(action, Outcome::Failed { error }),
            Leave::Interrupted => return INTERRUPTED,
        }
        let version = match self.version(&action.call).await {
            Ok(version) => version,
            Err(outcome) => return outcome,
        };
        let new_key = match self.new_key(&action.call) {
            Ok(id) => id,
            Err(outcome) => return self.write_down(action, outcome),
        };
        let delivered = match self.deliver(&action.call) {
            Ok(delivered) => delivered,
            Err(error) => {
                let error = undelivered(&error);
                return self.write_down(action, Outcome::Failed { error });
            }
        };
        let files = delivered.as_ref().map_or(&[][..], |delivered| &delivered.paths);
        if let Err(error) = self.journal.intent(action, files) {
            let reason = self.stop_without_journal(&error);
            if let Some(delivered) = delivered {
                self.credentials.withdraw_password(&delivered, self.journal.run());
            }
            return Outcome::Failed {
                error: Failure::new(format!("not sent, since the journal cannot be kept: {reason}")),
            };
        }
        let supplement = Supplement {
            password: delivered.as_ref().map(|delivered| &*delivered.password),
            version: version.as_deref(),
            access_key: new_key.as_deref(),
        };
        let mut outcome = match self.keys_before(action).await {
            Ok(()) => self.attempt_until_settled(action, &supplement).await,
            Err(outcome) => outcome,
        };
        if let Some(delivered) = delivered {
            self.keep_or_withdraw(action, &mut outcome, delivered);
        }
        if outcome.is_success() {
            self.remember(action, &outcome);
        }
        self.write_down(action, outcome)
    }

    fn write_down(&self, action: &Action, outcome: Outcome) -> Outcome {
        if let Err(error) = self.journal.outcome(action.id, &outcome) {
            self.stop_without_journal(&error);
        }
        outcome
    }

    /// The version that a call is about. A version made in this run is first given time to reach AWS's replicas:
    /// where it becomes the default before it is there, requests are denied for a while.
    async fn version(&self, call: &Call) -> Result<Option<String>, Outcome> {
        let (Call::SetDefaultPolicyVersion { version, .. } | Call::DeletePolicyVersion { version, .. }) = call else {
            return Ok(None);
        };
        match version {
            VersionRef::Id(id) => Ok(Some(id.clone())),
            VersionRef::CreatedBy(action) => {
                let Some((id, made)) = self.version_of(*action) else {
                    let error = Failure::new(format!("action {action} was answered without a version"));
                    return Err(Outcome::Failed { error });
                };
                let settled = made + self.options.version_settling;
                let pause = settled.saturating_duration_since(Instant::now());
                if !pause.is_zero() && !self.sleep(pause).await {
                    return Err(INTERRUPTED);
                }
                Ok(Some(id))
            }
        }
    }

    fn deliver(&self, call: &Call) -> Result<Option<Delivered>, DeliveryError> {
        match call {
            Call::CreateLoginProfile { user_name, .. } | Call::UpdateLoginProfile { user_name, .. } => self
                .credentials
                .deliver_password(user_name, self.journal.run())
                .map(Some),
            // The secret comes with the answer; that there is a place for it is seen before.
            Call::CreateAccessKey { user_name } => self.credentials.can_deliver(user_name).map(|()| None),
            _ => Ok(None),
        }
    }

    /// A password that may be in force stays; one that is known not to be goes.
    fn keep_or_withdraw(&self, action: &Action, outcome: &mut Outcome, delivered: Delivered) {
        match outcome {
            Outcome::Done { .. } | Outcome::AlreadyDone { .. } => {}
            Outcome::Failed { error } if error.outcome_unknown => {
                error.message += if delivered.paths.is_empty() {
                    "; the password that was typed may be in force"
                } else {
                    "; the password in the credential file may be in force"
                };
            }
            Outcome::Failed { .. } | Outcome::NotAttempted { .. } => {
                self.credentials.withdraw_password(&delivered, self.journal.run());
                return;
            }
        }
        self.note_credential_files(action.id, delivered.paths);
    }

    fn remember(&self, action: &Action, outcome: &Outcome) {
        if let Some(entity) = self.targets.made(&action.call) {
            self.note_made(entity);
        }
        if let Some(entity) = target::deleted(&action.call) {
            self.note_deleted(&entity);
        }
        let Outcome::Done { version, access_key } = outcome else {
            return;
        };
        if let Some(version) = version {
            self.note_version(action.id, version.clone());
        }
        if let Some(id) = access_key {
            self.note_key(action.id, id.clone());
        }
    }

    async fn attempt_until_settled(&self, action: &Action, supplement: &Supplement<'_>) -> Outcome {
        let mut attempts = Attempts::default();
        loop {
            if self.cancel.is_cancelled() && !attempts.may_have_happened {
                // Every attempt so far was turned away before anything happened.
                return INTERRUPTED;
            }
            self.leave_to_send(action.call.operation()).await;
            let error = match send(&self.iam, &action.call, supplement).await {
                Ok(Answer { version, access_key }) => {
                    self.limiter.passed();
                    self.note_answered(true);
                    return match access_key {
                        Some((id, secret)) => self.keep_key(action, id, secret, attempts.may_have_happened).await,
                        None => Outcome::Done {
                            version,
                            access_key: None,
                        },
                    };
                }
                Err(error) => error,
            };
            let verdict = judge(&error, &action.call, self.before(action, &error));
            if verdict == Verdict::Throttled {
                self.limiter.throttled();
            } else {
                self.limiter.passed();
            }
            if error.reach == Reach::Refused {
                self.note_answered(true);
            }
            tracing::debug!(action = %action.id, ?verdict, error = error.text(), "attempt failed");
            if let Some(outcome) = self.conclude(action, &mut attempts, verdict, error).await {
                return outcome;
            }
        }
    }

    /// Decides what follows a failed attempt: an outcome, or, after a pause, another attempt.
    async fn conclude(
        &self,
        action: &Action,
        attempts: &mut Attempts,
        verdict: Verdict,
        error: CallError,
    ) -> Option<Outcome> {
        let failed = match verdict {
            Verdict::Throttled => {
                attempts.throttled += 1;
                if Instant::now() >= self.deadline {
                    self.stop("the deadline is over and IAM still throttles");
                    return Some(attempts.failed(error, "still throttled at the deadline"));
                }
                attempts.throttled
            }
            Verdict::NoAnswer | Verdict::Unreachable => {
                attempts.may_have_happened |= verdict == Verdict::NoAnswer;
                attempts.unanswered += 1;
                if attempts.unanswered >= TRIES_WITHOUT_ANSWER {
                    self.note_answered(false);
                    return Some(self.give_up(action, attempts, verdict, error).await);
                }
                attempts.unanswered
            }
            Verdict::NotSettled => match attempts.still_settling() {
                Some(failed) => failed,
                None => return Some(self.unsettled(action, attempts, error).await),
            },
            Verdict::Gone if attempts.may_have_happened => return Some(DONE),
            Verdict::Gone => return Some(Outcome::AlreadyDone { detail: error.text() }),
            Verdict::CredentialsRefused => {
                self.stop(format!("the credentials are not accepted any more: {}", error.text()));
                return Some(attempts.failed(error, "the credentials are not accepted"));
            }
            Verdict::Exists | Verdict::Final => {
                return Some(self.settle_refusal(action, attempts, verdict, error).await);
            }
        };
        let pause = self.pause(verdict, failed);
        self.tell_waiting(action, verdict, pause);
        if !self.sleep(pause).await {
            if attempts.may_have_happened {
                return Some(self.give_up(action, attempts, verdict, error).await);
            }
            return Some(INTERRUPTED);
        }
        // A second version could not be told from the first, and the fifth would be the last: never sent again unseen.
        if attempts.may_have_happened
            && let Some(error) = self.sweep_lost_keys(action).await
        {
            return Some(Outcome::Failed { error });
        }
        let is_version = matches!(action.call, Call::CreatePolicyVersion { .. });
        if is_version && attempts.may_have_happened {
            return self.outcome_of_lost_creation(action, attempts, 2).await;
        }
        None
    }

    fn before(&self, action: &Action, error: &CallError) -> Before {
        let named = if target::is_removal(&action.call) {
            // What is to be taken away is only waited for where its owner is new, or has a new name.
            let mut named = self.targets.written(&action.call);
            named.retain(|entity| !matches!(entity, Entity::Policy(_)));
            named
        } else {
            self.targets.named(&action.call)
        };
        let (made, found): (Vec<_>, Vec<_>) = named.into_iter().partition(|entity| self.made(entity));
        // What this run did not make will not turn up by waiting.
        let is_foreign = found.iter().any(|entity| entity.is_missing_by(&error.message));
        Before {
            made_what_is_named: !made.is_empty() && !is_foreign,
            removed_what_was_in_the_way: !action.after.is_empty(),
            deleted_the_namesake: self
                .targets
                .made(&action.call)
                .is_some_and(|entity| self.deleted(&entity)),
        }
    }

    /// A refusal that is final, unless it only shows that an earlier attempt of ours did its work.
    async fn settle_refusal(
        &self,
        action: &Action,
        attempts: &mut Attempts,
        verdict: Verdict,
        error: CallError,
    ) -> Outcome {
        // What exists and is not seen yet is worth a few looks.
        let looks = if verdict == Verdict::Exists { 5 } else { 1 };
        if attempts.may_have_happened
            && let Some(outcome) = self.outcome_of_lost_creation(action, attempts, looks).await
        {
            return outcome;
        }
        // IAM refused this attempt, and nothing is to be seen of an earlier one. Where it says that there is something
        // all the same, that may be ours.
        attempts.may_have_happened &= verdict == Verdict::Exists;
        match verdict {
            Verdict::Exists if matches!(action.call, Call::CreateAccountAlias { .. }) => {
                attempts.failed(error, "the alias is taken, by this account or another")
            }
            Verdict::Exists => attempts.failed(error, "it exists already, which the plan did not expect"),
            _ => attempts.failed(error, ""),
        }
    }

    async fn unsettled(&self, action: &Action, attempts: &mut Attempts, error: CallError) -> Outcome {
        if error.is("NoSuchEntity") && target::is_removal(&action.call) {
            return Outcome::AlreadyDone { detail: error.text() };
        }
        if attempts.may_have_happened
            && let Some(outcome) = self.outcome_of_lost_creation(action, attempts, 1).await
        {
            return outcome;
        }
        attempts.failed(error, "not settled after two minutes")
    }

    /// The end of patience with an endpoint that does not answer.
    async fn give_up(&self, action: &Action, attempts: &mut Attempts, verdict: Verdict, error: CallError) -> Outcome {
        if attempts.may_have_happened
            && let Some(outcome) = self.outcome_of_lost_creation(action, attempts, 1).await
        {
            return outcome;
        }
        if verdict == Verdict::Unreachable {
            self.stop(format!("the endpoint cannot be reached: {}", error.text()));
        }
        attempts.failed(error, "no usable answer")
    }

    /// Looks, up to `looks` times, for what a creation made whose answer was lost. `None`: nothing is to be seen of
    /// it, or it is of no use to look. Interrupted, it stays unknown: what was delivered for it must be kept.
    async fn outcome_of_lost_creation(&self, action: &Action, attempts: &mut Attempts, looks: u32) -> Option<Outcome> {
        for look in 1..=looks {
            match self.look(&action.call).await {
                Ok(Some(Seen::AsWanted { version })) => {
                    return Some(Outcome::Done {
                        version,
                        access_key: None,
                    });
                }
                Ok(Some(Seen::Different(what))) => {
                    return Some(Outcome::Failed {
                        error: Failure::new(what),
                    });
                }
                Ok(None) => return None,
                Ok(Some(Seen::Nothing)) if look < looks => {
                    let pause = self.pause(Verdict::NotSettled, look + 1);
                    if !self.sleep(pause).await {
                        return Some(unknown());
                    }
                }
                Ok(Some(Seen::Nothing)) => return None,
                Err(Stuck::Interrupted) => return Some(unknown()),
                Err(Stuck::Failed(error)) => return Some(attempts.failed(error, "cannot see what became of it")),
            }
        }
        None
    }
}

/// The outcome of a creation that nobody waited to see.
fn unknown() -> Outcome {
    Outcome::Failed {
        error: Failure {
            outcome_unknown: true,
            ..Failure::new("the answer was lost, and the run was interrupted before anything was to be seen")
        },
    }
}

/// The failed attempts of one action, by kind.
#[derive(Debug, Default)]
struct Attempts {
    throttled: u32,
    unanswered: u32,
    unsettled: u32,
    unsettled_since: Option<Instant>,
    /// Whether one of them may have taken effect.
    may_have_happened: bool,
}

impl Attempts {
    /// Counts an attempt that met something unsettled; `None` when that has gone on for too long.
    fn still_settling(&mut self) -> Option<u32> {
        let since = *self.unsettled_since.get_or_insert_with(Instant::now);
        self.unsettled += 1;
        (since.elapsed() < SETTLING).then_some(self.unsettled)
    }

    fn failed(&self, error: CallError, why: &str) -> Outcome {
        let text = error.text();
        let message = match why {
            "" => text,
            why => format!("{why}: {text}"),
        };
        Outcome::Failed {
            error: Failure {
                message,
                code: error.code,
                request_id: error.request_id,
                outcome_unknown: self.may_have_happened,
            },
        }
    }
}
