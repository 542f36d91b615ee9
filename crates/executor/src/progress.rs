//! How a run tells what it is doing, and how it is told to stop.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::watch;
use trueup_planner::Action;

use crate::report::{Outcome, RetryCause};

/// Hears what a run is doing, while it does it.
pub trait Progress: Sync {
    /// An action begins.
    fn started(&self, action: &Action);

    /// An action will be tried again after `pause`.
    fn waiting(&self, action: &Action, cause: RetryCause, pause: Duration) {
        let _ = (action, cause, pause);
    }

    /// An action that began has ended.
    fn finished(&self, action: &Action, outcome: &Outcome);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn started(&self, _: &Action) {}
    fn finished(&self, _: &Action, _: &Outcome) {}
}

/// Interrupts a run: see [`Cancel::pair`].
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

impl Canceller {
    /// Asks the run to finish what is in flight and to begin nothing new.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

/// Whether a run may still write.
type Fence = Arc<dyn Fn() -> bool + Send + Sync>;

/// Tells a run that it is interrupted.
#[derive(Clone)]
pub struct Cancel {
    interrupted: Option<watch::Receiver<bool>>,
    fence: Option<Fence>,
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel")
            .field("interrupted", &self.interrupted)
            .field("fenced", &self.fence.is_some())
            .finish()
    }
}

impl Cancel {
    /// A run that nobody interrupts.
    pub fn never() -> Self {
        Self {
            interrupted: None,
            fence: None,
        }
    }

    /// Both ends of an interruption.
    pub fn pair() -> (Canceller, Self) {
        let (sender, receiver) = watch::channel(false);
        let cancel = Self {
            interrupted: Some(receiver),
            fence: None,
        };
        (Canceller(sender), cancel)
    }

    /// The same, and nothing new begins while `fence` says no: it is asked before each write, and may lean on what the
    /// run itself cannot see, such as a lease.
    #[must_use]
    pub fn fenced(self, fence: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        Self {
            fence: Some(fence),
            ..self
        }
    }

    /// Whether the run is interrupted.
    pub fn is_cancelled(&self) -> bool {
        self.interrupted.as_ref().is_some_and(|receiver| *receiver.borrow())
            || self.fence.as_ref().is_some_and(|fence| !fence())
    }

    /// Returns once the run is interrupted.
    pub async fn cancelled(&self) {
        if let Some(receiver) = &self.interrupted
            && receiver.clone().wait_for(|cancelled| *cancelled).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}
