//! Looking at an account without calling it: for tests that have to know everything, at every moment.

use serde_json::Value;

use crate::{Sandbox, engine::Engine};

impl Sandbox {
    /// The whole account as it is kept in a file, what no read tells included. No call is counted, and no fault
    /// hides anything.
    ///
    /// # Errors
    ///
    /// Never for an account that a sandbox holds; the signature is that of `serde_json`.
    pub fn to_json(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self.engine().state())
    }

    /// An account of its own, kept in memory, that begins as this one is now: neither sees what becomes of the other.
    /// It has no faults, no calls so far, and the system's clock.
    #[must_use]
    pub fn fork(&self) -> Self {
        let state = self.engine().state().clone();
        Self::with_engine(Engine::new(state, None))
    }
}
