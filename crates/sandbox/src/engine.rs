//! One call from its bytes to its answer: the log, the faults, the operation, the file.

use std::convert::Infallible;

use jiff::Timestamp;

use crate::{
    Sandbox,
    connector::{Answer, ConnectionLost},
    errors::{ApiError, SandboxError},
    faults::{self, Fate, FaultState, Faults},
    ops::{self, Handler},
    state::State,
    store::Store,
    wire::{self, Request, Xml},
};

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// A call that arrived. Parameters are not kept, since some are secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The operation, as named by the caller.
    pub operation: String,
    /// Whether it is one that changes the account.
    pub is_write: bool,
    /// The code of its refusal; `None` where it succeeded, or is still on its way.
    pub refused: Option<&'static str>,
}

/// What a sandbox is made of.
pub(crate) struct Engine {
    state: State,
    store: Option<Store>,
    clock: Clock,
    faults: FaultState,
    /// The account as it was before the last write, while it is still shown.
    lagging: Option<Lagging>,
    calls: Vec<CallRecord>,
}

struct Lagging {
    state: State,
    reads: u32,
    writes: u32,
}

impl Engine {
    pub(crate) fn new(state: State, store: Option<Store>) -> Self {
        Self {
            state,
            store,
            clock: Box::new(Timestamp::now),
            faults: FaultState::new(Faults::default()),
            lagging: None,
            calls: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.faults = FaultState::new(faults);
        self.lagging = None;
    }

    pub(crate) fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    pub(crate) fn clear_calls(&mut self) {
        self.calls.clear();
    }

    /// Changes the account from outside of IAM.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut State) -> T) -> Result<T, SandboxError> {
        self.lagging = None;
        let Some(store) = &mut self.store else {
            return Ok(change(&mut self.state));
        };
        store
            .update(&mut self.state, |state| Ok::<_, Infallible>(change(state)))
            .map(|Ok(result)| result)
    }

    /// Runs an operation that was let through.
    fn run(&mut self, request: &Request) -> Result<Xml, ApiError> {
        let handler = ops::find(&request.action, &request.version).ok_or_else(|| {
            ApiError::invalid_action(format!(
                "Could not find operation {} for version {}",
                request.action, request.version
            ))
        })?;
        self.refresh()?;
        match handler {
            Handler::Read(read) => read(self.state_for_reading(), request),
            Handler::Write(write) => self.write(*write, request),
        }
    }

    /// Takes over what another process has written.
    fn refresh(&mut self) -> Result<(), ApiError> {
        if let Some(store) = &mut self.store {
            let changed = store.exclusively(Store::changed).and_then(|changed| changed);
            if let Some(newer) = changed.map_err(|error| broken(&error))? {
                self.state = newer;
                self.lagging = None;
            }
        }
        Ok(())
    }

    fn state_for_reading(&mut self) -> &State {
        match &mut self.lagging {
            Some(lagging) if lagging.reads > 0 => {
                lagging.reads -= 1;
                &lagging.state
            }
            _ => &self.state,
        }
    }

    fn write(&mut self, write: ops::Write, request: &Request) -> Result<Xml, ApiError> {
        if let Some(user) = request
            .parameter("UserName")
            .and_then(|name| self.state.user(name).ok())
        {
            let (id, name) = (user.entity.id.clone(), user.entity.name.clone());
            if let Some(refusal) = self.faults.still_unmodifiable(&request.action, &id, &name) {
                return Err(refusal);
            }
        }
        if let Some(lagging) = self.lagging.as_mut().filter(|lagging| lagging.writes > 0) {
            lagging.writes -= 1;
            // A replica that has not heard of an entity yet cannot change it.
            if let Err(refusal) = write(&mut lagging.state.clone(), request)
                && refusal.code == "NoSuchEntity"
            {
                return Err(refusal);
            }
        }
        let faults = self.faults.faults();
        let (reads, writes) = (faults.stale_reads, faults.stale_writes);
        let before = (reads > 0 || writes > 0).then(|| self.state.clone());
        let state = &mut self.state;
        let result = match &mut self.store {
            None => write(state, request)?,
            Some(store) => store
                .update(state, |state| write(state, request))
                .map_err(|error| broken(&error))??,
        };
        self.lagging = before.map(|state| Lagging { state, reads, writes });
        if request.action == "CreateLoginProfile"
            && let Some(Ok(user)) = request.parameter("UserName").map(|name| self.state.user(name))
        {
            self.faults.login_profile_created(&user.entity.id);
        }
        Ok(result)
    }
}

/// The sandbox itself failed. Nothing was changed, but the caller cannot know that.
fn broken(error: &SandboxError) -> ApiError {
    let source = std::error::Error::source(error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    ApiError::internal_failure(format!("{error}{source}"))
}

/// Takes a write out of the set of those on their way, also where its caller gave up waiting.
struct OnItsWay {
    sandbox: Sandbox,
    principal: String,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.sandbox.engine().faults.arrive(&self.principal);
    }
}

impl Sandbox {
    /// Answers one request, given its body.
    pub(crate) async fn answer(&self, body: &[u8]) -> Result<Answer, ConnectionLost> {
        let (request, index, request_id, fate, latency, subject, alone) = {
            let mut engine = self.engine();
            let request = Request::parse(body, engine.now(), engine.faults.faults().page_shape());
            let is_write = matches!(ops::find(&request.action, &request.version), Some(Handler::Write(_)));
            let index = engine.calls.len();
            engine.calls.push(CallRecord {
                operation: request.action.clone(),
                is_write,
                refused: None,
            });
            let request_id = format!("5a4db0c5-0000-4000-8000-{index:012x}");
            let fate = engine.faults.next_fate();
            let goes_out = is_write && !matches!(fate, Fate::Throttled | Fate::Failed);
            let subject = faults::subject(&request).filter(|_| goes_out);
            let alone = subject.as_ref().is_none_or(|subject| engine.faults.set_out(subject));
            (
                request,
                index,
                request_id,
                fate,
                engine.faults.faults().latency,
                subject,
                alone,
            )
        };
        let on_its_way = subject.map(|principal| OnItsWay {
            sandbox: self.clone(),
            principal,
        });
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let mut outcome = match fate {
            Fate::Throttled | Fate::Failed => Err(fate.refusal()),
            _ if !alone => Err(Some(ApiError::concurrent_modification(
                "Request was rejected because it was made while a change to the same entity was in progress.",
            ))),
            _ => self.engine().run(&request).map_err(Some),
        };
        drop(on_its_way);
        if matches!(fate, Fate::AnswerReplaced | Fate::AnswerDropped) {
            outcome = Err(fate.refusal());
        }
        // A log that was cleared in the meantime has no place for the outcome any more.
        if let (Err(refusal), Some(record)) = (&outcome, self.engine().calls.get_mut(index)) {
            record.refused = Some(refusal.as_ref().map_or("ConnectionLost", |refusal| refusal.code));
        }
        match outcome {
            Ok(result) => Ok(Answer {
                status: 200,
                body: wire::success(&request, &result, &request_id),
                request_id,
            }),
            Err(Some(refusal)) => Ok(Answer {
                status: refusal.status,
                body: wire::failure(&request, &refusal, &request_id),
                request_id,
            }),
            Err(None) => Err(ConnectionLost),
        }
    }
}
