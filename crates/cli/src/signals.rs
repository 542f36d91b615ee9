//! Ctrl-C and SIGTERM: the first asks the run to end in good order, the second ends it at once.

use tokio::sync::watch;

use crate::exit::{CliError, Signal};

/// The signals of this process.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    first: watch::Receiver<Option<Signal>>,
}

impl Signals {
    /// Begins to listen. Needs a runtime.
    pub(crate) fn listen() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |source| CliError::Io {
            action: "listen for signals",
            source,
        };
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let (sender, first) = watch::channel(None);
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                }
            };
            let signal = next().await;
            // Nobody waits any more where the run is over.
            let _ = sender.send(Some(signal));
            let again = next().await;
            std::process::exit(i32::from(again.code()));
        });
        Ok(Self { first })
    }

    /// The signal that was caught, if any.
    pub(crate) fn caught(&self) -> Option<Signal> {
        *self.first.borrow()
    }

    /// Waits for the first signal.
    pub(crate) async fn wait(&self) -> Signal {
        let mut first = self.first.clone();
        let caught = first.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        match caught {
            Some(signal) => signal,
            // The listening task ends with the process only.
            None => std::future::pending().await,
        }
    }

    /// Does something that can be given up at any moment, such as reading.
    pub(crate) async fn unless_caught<T>(
        &self,
        work: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        tokio::select! {
            result = work => result,
            signal = self.wait() => Err(CliError::Interrupted(signal)),
        }
    }
}
