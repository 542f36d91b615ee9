//! How a run tells what it is doing, and how it is told to stop.

use std::time::Duration;

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

/// Tells a run that it is interrupted.
#[derive(Debug, Clone)]
pub struct Cancel(Option<watch::Receiver<bool>>);

impl Cancel {
    /// A run that nobody interrupts.
    pub fn never() -> Self {
        Self(None)
    }

    /// Both ends of an interruption.
    pub fn pair() -> (Canceller, Self) {
        let (sender, receiver) = watch::channel(false);
        (Canceller(sender), Self(Some(receiver)))
    }

    /// Whether the run is interrupted.
    pub fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|receiver| *receiver.borrow())
    }

    /// Returns once the run is interrupted.
    pub async fn cancelled(&self) {
        if let Some(receiver) = &self.0
            && receiver.clone().wait_for(|cancelled| *cancelled).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}
