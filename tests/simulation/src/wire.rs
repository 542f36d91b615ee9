//! The wire between the SDK and the sandbox: every call is seen here, and can be delayed, be answered by a replica that
//! lags behind, or be the last.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector, http_client_fn,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use tokio::{sync::Notify, time::Instant};
use trueup_sandbox::Sandbox;

use crate::{check::reseed, random::Random};

/// A call that was answered, or was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The operation.
    pub operation: String,
    /// Its parameters, secrets included: nothing here may be shown but on purpose.
    pub parameters: Vec<(String, String)>,
    /// The code of the refusal, if it was refused.
    pub refused: Option<String>,
}

impl Seen {
    /// Whether this operation changes an account.
    pub fn is_write(&self) -> bool {
        is_write(&self.operation)
    }

    /// A parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The call for a message, without what may be a secret.
    pub fn describe(&self) -> String {
        let shown = |(key, value): &(String, String)| match key.as_str() {
            "Password" => format!("{key}=…"),
            "Action" | "Version" => String::new(),
            _ => format!("{key}={value}"),
        };
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(shown)
            .filter(|text| !text.is_empty())
            .collect();
        let refused = self
            .refused
            .as_ref()
            .map(|code| format!(" -> {code}"))
            .unwrap_or_default();
        format!("{} {}{refused}", self.operation, parameters.join(" "))
    }
}

fn is_write(operation: &str) -> bool {
    !(operation.starts_with("Get") || operation.starts_with("List") || operation.starts_with("Generate"))
}

/// Where a run is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The number of the call, from 0.
    pub call: usize,
    /// Whether the call still takes effect; its answer never arrives.
    pub takes_effect: bool,
}

type Listener = Box<dyn FnMut(usize, &Seen) + Send>;

/// Told the operation, the status and the body of an answer.
type Keeper = Box<dyn FnMut(&str, u16, &str) + Send>;

/// The wire of one run.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    connector: SharedHttpClient,
    state: Mutex<State>,
    cut: Notify,
}

/// A second account that hears of every write some time later.
struct Replica {
    connector: SharedHttpClient,
    behind: Duration,
    /// Decides which reads it answers.
    random: Random,
    /// Writes that it has not heard of yet, and when it will.
    unheard: VecDeque<(Instant, HttpRequest)>,
}

struct State {
    seen: Vec<Seen>,
    begun: usize,
    answered: usize,
    cut: Option<Cut>,
    /// The first call that is never answered, nor any after it.
    silent_from: Option<usize>,
    latency: Option<(Random, Duration)>,
    replica: Option<Replica>,
    repeats_passwords: bool,
    /// What one operation is answered with, whatever it asks.
    answer: Option<(String, u16, String)>,
    /// From which call on everything is answered with this.
    answer_from: Option<(usize, u16, String)>,
    /// Every password that was sent, whether or not it arrived.
    passwords: Vec<String>,
    keeper: Option<Keeper>,
    before: Option<Listener>,
    after: Option<Listener>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    /// A wire to this sandbox that does nothing but look.
    pub fn to(sandbox: &Sandbox) -> Self {
        Self(Arc::new(Inner {
            connector: sandbox.http_client(),
            state: Mutex::new(State {
                seen: Vec::new(),
                begun: 0,
                answered: 0,
                cut: None,
                silent_from: None,
                latency: None,
                replica: None,
                repeats_passwords: false,
                answer: None,
                answer_from: None,
                passwords: Vec::new(),
                keeper: None,
                before: None,
                after: None,
            }),
            cut: Notify::new(),
        }))
    }

    /// Every request and every answer takes up to so long.
    #[must_use]
    pub fn with_latency(self, random: Random, most: Duration) -> Self {
        self.state().latency = Some((random, most));
        self
    }

    /// Half of all reads are answered by another account, equal to this one but for the writes of the last so many
    /// seconds.
    #[must_use]
    pub fn with_lag(self, random: Random, behind: Duration, replica: &Sandbox) -> Self {
        self.state().replica = Some(Replica {
            connector: replica.http_client(),
            behind,
            random,
            unheard: VecDeque::new(),
        });
        self
    }

    /// Every password is refused, and repeated in the refusal.
    #[must_use]
    pub fn repeating_passwords(self) -> Self {
        self.state().repeats_passwords = true;
        self
    }

    /// Every call of this operation is answered with this.
    #[must_use]
    pub fn answering(self, operation: &str, status: u16, body: &str) -> Self {
        self.state().answer = Some((operation.to_owned(), status, body.to_owned()));
        self
    }

    /// From this call on everything is answered with this.
    #[must_use]
    pub fn answering_from(self, call: usize, status: u16, body: &str) -> Self {
        self.state().answer_from = Some((call, status, body.to_owned()));
        self
    }

    /// Every password that was sent.
    pub fn passwords(&self) -> Vec<String> {
        self.state().passwords.clone()
    }

    /// The run ends at this call.
    #[must_use]
    pub fn cut_at(self, cut: Cut) -> Self {
        self.state().cut = Some(cut);
        self
    }

    /// From this call on nothing is answered and nothing takes effect: connections are made and stay silent.
    #[must_use]
    pub fn silent_from(self, call: usize) -> Self {
        self.state().silent_from = Some(call);
        self
    }

    /// Calls `listener` before each call reaches the sandbox, with the call's number.
    #[must_use]
    pub fn before_each(self, listener: impl FnMut(usize, &Seen) + Send + 'static) -> Self {
        self.state().before = Some(Box::new(listener));
        self
    }

    /// Calls `listener` after each call that the sandbox has answered, with the call's number.
    #[must_use]
    pub fn after_each(self, listener: impl FnMut(usize, &Seen) + Send + 'static) -> Self {
        self.state().after = Some(Box::new(listener));
        self
    }

    /// Calls `keeper` with every answer.
    #[must_use]
    pub fn keeping_answers(self, keeper: impl FnMut(&str, u16, &str) + Send + 'static) -> Self {
        self.state().keeper = Some(Box::new(keeper));
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that the sandbox was asked so far, in the order of its answers.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// Comes to an end when the run is cut off.
    pub async fn is_cut(&self) {
        self.0.cut.notified().await;
    }

    /// The wire as the HTTP client of an SDK client.
    pub fn http_client(&self) -> SharedHttpClient {
        let wire = self.clone();
        http_client_fn(
            move |settings: &HttpConnectorSettings, components: &RuntimeComponents| {
                let replica = wire.state().replica.as_ref().map(|replica| replica.connector.clone());
                End {
                    wire: wire.clone(),
                    connector: wire.0.connector.http_connector(settings, components),
                    replica: replica.map(|replica| replica.http_connector(settings, components)),
                }
                .into_shared()
            },
        )
    }

    async fn delay(&self) {
        let pause = self.state().latency.as_mut().map(|(random, most)| {
            let share = u32::try_from(random.below(1000)).unwrap_or(0);
            *most * share / 1000
        });
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }

    /// An answer that is not the sandbox's.
    fn made_up(&self, call: usize, operation: &str) -> Option<(u16, String)> {
        let state = self.state();
        let for_it = state.answer.clone().filter(|(answered, ..)| answered == operation);
        let from_here = state.answer_from.clone().filter(|(first, ..)| call >= *first);
        let for_it = for_it.map(|(_, status, body)| (status, body));
        for_it.or_else(|| from_here.map(|(_, status, body)| (status, body)))
    }

    /// Whether the replica answers this read.
    fn is_for_replica(&self, seen: &Seen) -> bool {
        let reads = !seen.is_write() && seen.operation != "GetCallerIdentity";
        let mut state = self.state();
        reads && state.replica.as_mut().is_some_and(|replica| replica.random.percent(50))
    }

    /// The next write that the replica has not heard of and should have by now.
    fn due(&self) -> Option<HttpRequest> {
        let mut state = self.state();
        let replica = state.replica.as_mut()?;
        let due = replica.unheard.front().is_some_and(|(due, _)| *due <= Instant::now());
        if due {
            replica.unheard.pop_front().map(|(_, request)| request)
        } else {
            None
        }
    }

    fn tell_replica(&self, request: Option<HttpRequest>) {
        if let (Some(replica), Some(request)) = (&mut self.state().replica, request) {
            replica.unheard.push_back((Instant::now() + replica.behind, request));
        }
    }

    /// Runs a listener outside of the lock, since it may look at the wire.
    fn tell(&self, listener: fn(&mut State) -> &mut Option<Listener>, call: usize, seen: &Seen) {
        let taken = listener(&mut self.state()).take();
        if let Some(mut told) = taken {
            told(call, seen);
            *listener(&mut self.state()) = Some(told);
        }
    }
}

struct End {
    wire: Wire,
    connector: SharedHttpConnector,
    replica: Option<SharedHttpConnector>,
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End")
    }
}

impl HttpConnector for End {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, connector, replica) = (self.wire.clone(), self.connector.clone(), self.replica.clone());
        HttpConnectorFuture::new(async move {
            let answer = call(&wire, &connector, replica.as_ref(), request).await;
            // Whoever gets this answer decides at once how long to wait before the next attempt.
            let answered = {
                let mut state = wire.state();
                state.answered += 1;
                state.answered
            };
            reseed(answered);
            answer
        })
    }
}

async fn call(
    wire: &Wire,
    connector: &SharedHttpConnector,
    replica: Option<&SharedHttpConnector>,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    wire.delay().await;
    let parameters: Vec<(String, String)> = form_urlencoded::parse(request.body().bytes().unwrap_or_default())
        .into_owned()
        .collect();
    let action = parameters.iter().find(|(key, _)| key == "Action");
    let mut seen = Seen {
        operation: action.map(|(_, value)| value.clone()).unwrap_or_default(),
        parameters,
        refused: None,
    };
    let password = seen.parameter("Password").map(str::to_owned);
    let (number, cut, repeats) = {
        let mut state = wire.state();
        state.passwords.extend(password.clone());
        let number = state.begun;
        state.begun += 1;
        let cut = state.cut.filter(|cut| number >= cut.call);
        (number, cut, password.filter(|_| state.repeats_passwords))
    };
    if cut.is_some_and(|cut| number > cut.call || !cut.takes_effect) {
        wire.0.cut.notify_one();
        return std::future::pending().await;
    }
    let silent = wire.state().silent_from.is_some_and(|first| number >= first);
    if silent {
        return std::future::pending().await;
    }
    wire.tell(|state| &mut state.before, number, &seen);
    if let Some(password) = repeats {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Value &apos;{password}&apos; \
             at &apos;password&apos; failed to satisfy constraint</Message></Error></ErrorResponse>"
        );
        return Ok(response(400, body));
    }
    if let Some((status, body)) = wire.made_up(number, &seen.operation) {
        return Ok(response(status, body));
    }
    let copy = request.try_clone().filter(|_| seen.is_write());
    let answer = match replica.filter(|_| wire.is_for_replica(&seen)) {
        None => connector.call(request).await,
        Some(replica) => {
            while let Some(write) = wire.due() {
                replica.call(write).await?;
            }
            replica.call(request).await
        }
    };
    if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
        wire.tell_replica(copy);
    }
    seen.refused = match &answer {
        Ok(response) if response.status().is_success() => None,
        Ok(response) => Some(code(response)),
        Err(_) => Some("ConnectionLost".to_owned()),
    };
    if let (Ok(answer), Some(keeper)) = (&answer, &mut wire.state().keeper) {
        let body = String::from_utf8_lossy(answer.body().bytes().unwrap_or_default());
        keeper(&seen.operation, answer.status().as_u16(), &body);
    }
    wire.state().seen.push(seen.clone());
    wire.tell(|state| &mut state.after, number, &seen);
    if cut.is_some() {
        wire.0.cut.notify_one();
        return std::future::pending().await;
    }
    wire.delay().await;
    answer
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

fn code(response: &HttpResponse) -> String {
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(|| response.status().to_string(), |(code, _)| code.to_owned())
}
