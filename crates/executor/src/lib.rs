//! Applies a plan to an account. This is the only crate that writes to AWS.
//!
//! It decides nothing: which calls are made, with which arguments and in which order, is the [`Plan`]'s. What is its
//! own is how a call comes to its end: rate limit, retries by the meaning of an error, what became of an answer that
//! was lost, whether the entity to be destroyed is still the same, the journal, and where generated passwords go.
//!
//! Beside plans, it makes and takes away MFA devices for a person who is there ([`MfaDevices`]).
//!
//! It never reads the environment or a manifest, never plans, and never writes a secret to anything but a credential
//! file.

mod delivery;
mod failure;
mod files;
mod journal;
mod keys;
mod limiter;
mod look;
mod mfa;
mod perform;
mod progress;
mod report;
mod retry;
mod run;
mod same;
mod schedule;
mod secret;
mod send;
mod signin;
mod target;
mod typed;

use std::{collections::BTreeMap, time::Duration};

use trueup_model::{Live, Resource};
use trueup_planner::Plan;

pub use delivery::{
    AskPassphrase, CredentialFiles, CredentialsSink, DeliveryError, OpenError, RecipientError, Recipients, Sealed,
    check_plain_directory, open_sealed, write_new_file, write_sealed,
};
pub use journal::{Journal, JournalError, RunId, write_snapshot};
pub use limiter::Rate;
pub use look::LOOKS;
pub use mfa::{MfaDevices, MfaError, NewDevice, Waiting};
pub use progress::{Cancel, Canceller, Progress, Silent};
pub use report::{ActionReport, Because, Failure, Outcome, Report, RetryCause};
pub use secret::{SHORTEST_PASSWORD, Secret, generate_password};
pub use signin::SignIn;
pub use typed::why_refused;

use crate::run::{Run, Tally};

/// How a plan is applied.
#[derive(Debug, Clone)]
pub struct Options {
    /// The partition of the account, for example `aws`.
    pub partition: String,
    /// The unique ids of the entities that the plan was made from, see [`expected_ids`]. An entity of which something
    /// is destroyed is read again first, and must still have its id. Entities that are not named here are not read.
    pub expected_ids: BTreeMap<Resource, String>,
    /// How long throttled calls are tried again, from the beginning of the run.
    pub deadline: Duration,
    /// How many actions are in flight at once.
    pub parallelism: usize,
    /// The rate limit that all requests share.
    pub rate: Rate,
    /// How long a new version of a managed policy is left to replicate before it becomes the default.
    pub version_settling: Duration,
    /// The seed of the jitter between attempts.
    pub seed: u64,
}

impl Options {
    /// What suits AWS: a deadline of 30 minutes, 8 actions at once, 5 seconds for a version to replicate.
    pub fn new(partition: impl Into<String>) -> Self {
        Self {
            partition: partition.into(),
            expected_ids: BTreeMap::new(),
            deadline: Duration::from_secs(30 * 60),
            parallelism: 8,
            rate: Rate::AWS,
            version_settling: Duration::from_secs(5),
            seed: rand::random(),
        }
    }

    /// What suits an IAM of one's own that answers at once and never lags, such as the sandbox.
    #[must_use]
    pub fn local(self) -> Self {
        Self {
            rate: Rate::LOCAL,
            version_settling: Duration::ZERO,
            ..self
        }
    }
}

/// The unique ids of all users, groups and customer managed policies of an account, for [`Options::expected_ids`].
pub fn expected_ids(live: &Live) -> BTreeMap<Resource, String> {
    let users = live.users.values().map(|user| (Resource::user(&user.name), &user.id));
    let groups = live
        .groups
        .values()
        .map(|group| (Resource::group(&group.name), &group.id));
    let policies = live
        .policies
        .values()
        .map(|policy| (Resource::policy(&policy.name), &policy.id));
    users
        .chain(groups)
        .chain(policies)
        .map(|(resource, id)| (resource, id.clone()))
        .collect()
}

/// Applies a plan, and says what became of each of its actions.
///
/// Independent actions run at the same time; writes of one entity come one after the other; what depends on a failed
/// action is not attempted, and the rest goes on. Once `cancel` says so, what is in flight is finished and nothing new
/// begins. The run also stops early where going on is of no use: the credentials are refused, the endpoint is gone, or
/// the journal cannot be kept.
///
/// The client's own retries are switched off, since only the executor knows which calls must not be sent twice. Its
/// connect and attempt time-outs must be set: they are what ends a request that nobody answers.
pub async fn execute(
    plan: &Plan,
    iam: &aws_sdk_iam::Client,
    options: &Options,
    journal: &Journal,
    credentials: &CredentialsSink,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Report {
    let run = Run::new(plan, iam, options, journal, credentials, progress, cancel);
    let (actions, interrupted) = schedule::run_all(&run, plan).await;
    if let Err(error) = journal.end(interrupted, run.stopped().as_deref()) {
        run.stop_without_journal(&error);
    }
    let Tally {
        calls,
        retries,
        credential_files,
        stopped,
    } = run.tally();
    Report {
        run: journal.run().to_string(),
        account_id: plan.account_id.clone(),
        plan_digest: plan.digest.clone(),
        actions,
        calls,
        retries,
        interrupted,
        stopped,
        credential_files,
    }
}
