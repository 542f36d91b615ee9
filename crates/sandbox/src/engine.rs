//! One call from its bytes to its answer: the log, the faults, the operation, the file.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{
    Sandbox,
    authentication::{Authenticated, authenticate},
    authorization::{Authorizer, authorize},
    caller::Caller,
    connector::{Answer, ConnectionLost, Incoming},
    errors::{ApiError, SandboxError},
    faults::{self, Fate, FaultState, Faults},
    ops::{self, Handler},
    state::{State, Tag, Use},
    store::Store,
    wire::{self, Request, Xml},
};

/// How long a use of a key is not noted again. IAM itself tells of uses minutes later.
const NOTED_FOR: SignedDuration = SignedDuration::from_mins(5);

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
    /// The account as it was before each write that reads do not see yet, the oldest first.
    unseen: VecDeque<(Instant, State)>,
    /// Who decides what callers may do; `None` where nobody looks.
    authorizer: Option<Arc<dyn Authorizer>>,
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
            unseen: VecDeque::new(),
            authorizer: None,
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
        self.show_everything();
    }

    pub(crate) fn enforce(&mut self, authorizer: Arc<dyn Authorizer>) {
        self.authorizer = Some(authorizer);
    }

    fn show_everything(&mut self) {
        self.lagging = None;
        self.unseen.clear();
    }

    pub(crate) fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    pub(crate) fn clear_calls(&mut self) {
        self.calls.clear();
    }

    /// Changes the account from outside of IAM.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut State) -> T) -> Result<T, SandboxError> {
        self.show_everything();
        let Some(store) = &mut self.store else {
            return Ok(change(&mut self.state));
        };
        store
            .update(&mut self.state, |state| Ok::<_, Infallible>(change(state)))
            .map(|Ok(result)| result)
    }

    /// Runs an operation that was let through.
    fn run(&mut self, request: &mut Request, incoming: &Incoming<'_>) -> Result<Xml, ApiError> {
        self.refresh()?;
        let authorizer = self.authorizer.clone();
        if authorizer.is_some() {
            let who = authenticate(&self.state, incoming, request.now)?;
            request.session = self.state.sessions.get(&who.key).cloned();
            request.caller = who.caller.clone();
            self.note_use(&who, request.now)?;
        }
        let handler = ops::find(&request.action, &request.version).ok_or_else(|| {
            ApiError::invalid_action(format!(
                "Could not find operation {} for version {}",
                request.action, request.version
            ))
        })?;
        if let Some(authorizer) = authorizer {
            authorize(&self.state, &*authorizer, request)?;
        }
        if matches!(handler, Handler::Write(_)) {
            self.faults.check_principals(&self.state, request)?;
        }
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
                self.show_everything();
            }
        }
        Ok(())
    }

    /// Notes that a key, and the role whose session it is, was used.
    fn note_use(&mut self, who: &Authenticated, now: Timestamp) -> Result<(), ApiError> {
        let used = match &who.caller {
            Caller::User { name, .. } => self.state.user(name)?.access_keys.get(&who.key).map(|key| &key.used),
            Caller::Session { role, .. } => Some(&self.state.role(role)?.used),
            Caller::Root => None,
        };
        let is_recent = |used: &Use| now.duration_since(used.date) < NOTED_FOR;
        if used.is_none_or(|used| used.as_ref().is_some_and(is_recent)) {
            return Ok(());
        }
        let note = |state: &mut State| {
            let used = Some(Use {
                date: now,
                region: who.region.clone(),
                service: who.service.clone(),
            });
            match &who.caller {
                Caller::User { name, .. } => {
                    if let Some(key) = state.user_mut(name)?.access_keys.get_mut(&who.key) {
                        key.used = used;
                    }
                }
                Caller::Session { role, .. } => state.role_mut(role)?.used = used,
                Caller::Root => {}
            }
            Ok::<_, ApiError>(())
        };
        match &mut self.store {
            None => note(&mut self.state),
            Some(store) => store.update(&mut self.state, note).map_err(|error| broken(&error))?,
        }
    }

    /// Somebody else changes the account: a tag of a user, or the alias where there are no users.
    fn change_by_somebody_else(&mut self) -> Result<(), SandboxError> {
        let drawn = self.faults.draw();
        self.change(|state| {
            let count = u64::try_from(state.users.len()).unwrap_or(u64::MAX);
            let place = drawn.checked_rem(count).and_then(|place| usize::try_from(place).ok());
            match place.and_then(|place| state.users.values_mut().nth(place)) {
                Some(user) => {
                    let tag = Tag {
                        key: "changed-by".to_owned(),
                        value: format!("somebody else {drawn:x}"),
                    };
                    user.tags.insert(tag.key.clone(), tag);
                }
                None => state.alias = Some(format!("somebody-else-{drawn:x}")),
            }
        })
    }

    fn state_for_reading(&mut self) -> &State {
        let lag = self.faults.faults().stale_for;
        while self.unseen.front().is_some_and(|(since, _)| since.elapsed() >= lag) {
            self.unseen.pop_front();
        }
        if let Some((_, before)) = self.unseen.front() {
            return before;
        }
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
        let is_delayed = faults.stale_for > Duration::ZERO;
        let before = (reads > 0 || writes > 0 || is_delayed).then(|| self.state.clone());
        let state = &mut self.state;
        let result = match &mut self.store {
            None => write(state, request)?,
            Some(store) => store
                .update(state, |state| write(state, request))
                .map_err(|error| broken(&error))??,
        };
        if let Some(before) = before.as_ref().filter(|_| is_delayed) {
            self.unseen.push_back((Instant::now(), before.clone()));
        }
        self.faults.principal_created(&self.state, request);
        self.lagging = before
            .filter(|_| reads > 0 || writes > 0)
            .map(|state| Lagging { state, reads, writes });
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
    /// Answers one request.
    pub(crate) async fn answer(&self, incoming: &Incoming<'_>) -> Result<Answer, ConnectionLost> {
        let (mut request, index, request_id, fate, latency, subject, alone) = {
            let mut engine = self.engine();
            let request = Request::parse(incoming.body, engine.now(), engine.faults.faults().page_shape());
            let is_write = matches!(ops::find(&request.action, &request.version), Some(Handler::Write(_)));
            let index = engine.calls.len();
            engine.calls.push(CallRecord {
                operation: request.action.clone(),
                is_write,
                refused: None,
            });
            let request_id = format!("5a4db0c5-0000-4000-8000-{index:012x}");
            if engine.faults.is_somebody_elses_turn() {
                // A file that cannot be written is told to whoever calls next.
                let _ = engine.change_by_somebody_else();
            }
            let fate = engine.faults.next_fate();
            let goes_out = is_write && !fate.is_before_effect();
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
        let mut outcome = if fate.is_before_effect() {
            Err(fate.refusal())
        } else if alone {
            self.engine().run(&mut request, incoming).map_err(Some)
        } else {
            Err(Some(ApiError::concurrent_modification(
                "Request was rejected because it was made while a change to the same entity was in progress.",
            )))
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
