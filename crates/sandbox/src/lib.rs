//! An AWS IAM that runs in process: strict, deterministic, and with faults on purpose where they are asked for.
//!
//! It is reached through the real AWS SDK, either by its [HTTP client](Sandbox::http_client), which opens no socket,
//! or [served](Sandbox::serve) on loopback for clients of any language. What it accepts, refuses, returns and leaves
//! out is what recorded answers of real accounts show; where nothing is known of AWS's behaviour it takes the
//! stricter reading.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = trueup_sandbox::Sandbox::new("123456789012")?;
//! let iam = sandbox.iam_client();
//! iam.create_user().user_name("alice").path("/platform/").send().await?;
//! let again = iam.create_user().user_name("ALICE").send().await.unwrap_err();
//! assert!(again.into_service_error().is_entity_already_exists_exception());
//! # Ok(())
//! # }
//! ```
//!
//! Every caller is the account's root, until [`Sandbox::enforce`] makes it look who signed and what their policies
//! allow; what policies mean is not decided here but by the [`Authorizer`] that it is given.
//!
//! This crate never talks to AWS, never opens a socket of its own, and never decides what a plan means. Nothing in it is
//! fit to guard a secret: ids, keys and seeds are made up from a counter, so that runs can be compared.

mod authentication;
mod authorization;
mod caller;
mod connector;
mod engine;
mod errors;
mod faults;
mod from_live;
mod ids;
mod inspect;
#[cfg(test)]
mod invariants;
mod managed;
mod needs;
mod ops;
mod paging;
mod passwords;
mod policy_text;
mod qr;
mod quota;
mod saml;
mod serve;
mod ssh_key_text;
mod state;
mod store;
mod totp;
mod trust;
mod validate;
mod wire;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use trueup_model::{AccountId, PARTITIONS};

use engine::Engine;
use state::State;
use store::Store;

pub use authorization::{AccessDecision, AccessRequest, Authorizer, HeldPolicy, Layer};
pub use engine::CallRecord;
pub use errors::SandboxError;
pub use faults::{Faults, FaultsError};
pub use state::RootFacts;
pub use totp::{TotpError, totp};

/// One account of a simulated IAM. Clones are handles of the same account.
#[derive(Clone)]
pub struct Sandbox(Arc<Mutex<Engine>>);

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("account_id", &self.account_id())
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// An empty account that is kept in memory.
    ///
    /// # Errors
    ///
    /// [`SandboxError::AccountId`] where the id is not twelve digits.
    pub fn new(account_id: &str) -> Result<Self, SandboxError> {
        let state = empty_account(account_id, "aws")?;
        Ok(Self::with_engine(Engine::new(state, None)))
    }

    /// The account that is kept in a file. Where there is no file yet, it is made, with its directories, for an empty
    /// account of the id given. Several processes can use one file at once.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] where the file cannot be read or written, or holds something else.
    pub fn open(path: impl AsRef<Path>, default_account_id: &str) -> Result<Self, SandboxError> {
        Self::open_in(path, default_account_id, "aws")
    }

    /// The same, where a new account is one of another partition, for example `aws-cn`. One that exists stays in its own.
    ///
    /// # Errors
    ///
    /// As for [`Sandbox::open`], and [`SandboxError::Partition`] where there is no such partition.
    pub fn open_in(path: impl AsRef<Path>, default_account_id: &str, partition: &str) -> Result<Self, SandboxError> {
        let (mut store, found) = Store::open(path.as_ref())?;
        let state = match found {
            Some(state) => state,
            None => {
                let state = empty_account(default_account_id, partition)?;
                store.exclusively(|store| match store.changed()? {
                    // Another process was faster.
                    Some(state) => Ok(state),
                    None => store.save(&state).map(|()| state),
                })??
            }
        };
        Ok(Self::with_engine(Engine::new(state, Some(store))))
    }

    fn with_engine(engine: Engine) -> Self {
        Self(Arc::new(Mutex::new(engine)))
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        // Operations check everything before they change anything, so a panic leaves no half-made change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account's id.
    pub fn account_id(&self) -> String {
        self.engine().state().account_id.clone()
    }

    /// From now on, these faults.
    pub fn set_faults(&self, faults: Faults) {
        self.engine().set_faults(faults);
    }

    /// From now on, this clock; by default the system's.
    pub fn set_clock(&self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) {
        self.engine().set_clock(Box::new(clock));
    }

    /// From now on, it is this time.
    pub fn set_time(&self, time: Timestamp) {
        self.set_clock(move || time);
    }

    /// From now on, callers are who they sign as, and may do what their own policies allow: a key that there is not, or
    /// that is inactive, is refused, and so is what `authorizer` does not allow. Root's requests cannot be signed, so that
    /// somebody who may do something has to exist before.
    pub fn enforce(&self, authorizer: impl Authorizer + 'static) {
        self.engine().enforce(Arc::new(authorizer));
    }

    /// Sets a quota by its name in `GetAccountSummary`, for example `AttachedPoliciesPerUserQuota`. What already
    /// exceeds it stays, as in AWS. Returns whether there is such a quota.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] where the account cannot be written.
    pub fn set_quota(&self, summary_key: &str, limit: usize) -> Result<bool, SandboxError> {
        self.engine().change(|state| state.quotas.set(summary_key, limit))
    }

    /// Sets what is known of root, which no call of IAM can change.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] where the account cannot be written.
    pub fn set_root(&self, root: RootFacts) -> Result<(), SandboxError> {
        self.engine().change(|state| state.root = root)
    }

    /// Empties the account. Its id, clock and faults stay.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] where the account cannot be written.
    pub fn reset(&self) -> Result<(), SandboxError> {
        let mut engine = self.engine();
        let now = engine.now();
        engine.change(|state| *state = State::new(&state.account_id, &state.partition, now))
    }

    /// All calls so far, in the order in which they arrived, refused ones included.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.engine().calls().to_vec()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.engine().clear_calls();
    }
}

/// The operations that a sandbox knows, of IAM and then of STS, each in alphabetical order: `iam:AddUserToGroup` and so
/// on. All others are answered `InvalidAction`.
pub fn operations() -> Vec<String> {
    let iam = ops::names().map(|name| format!("iam:{name}"));
    iam.chain(ops::sts_names().map(|name| format!("sts:{name}"))).collect()
}

fn empty_account(account_id: &str, partition: &str) -> Result<State, SandboxError> {
    if !PARTITIONS.contains(&partition) {
        return Err(SandboxError::Partition(partition.to_owned()));
    }
    AccountId::new(account_id).map_err(|error| SandboxError::AccountId(account_id.to_owned(), error))?;
    Ok(State::new(account_id, partition, Timestamp::now()))
}
