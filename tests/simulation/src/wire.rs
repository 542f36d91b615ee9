//! The wire between the SDK and the sandbox: every call is seen here, and can be delayed, or be the last.

use std::{
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
    shared::IntoShared,
};
use tokio::sync::Notify;
use trueup_sandbox::Sandbox;

use crate::random::Random;

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
        let parameters: Vec<String> = self.parameters.iter().map(shown).filter(|text| !text.is_empty()).collect();
        let refused = self.refused.as_ref().map(|code| format!(" -> {code}")).unwrap_or_default();
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

/// The wire of one run.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    connector: SharedHttpClient,
    state: Mutex<State>,
    cut: Notify,
}

struct State {
    seen: Vec<Seen>,
    begun: usize,
    cut: Option<Cut>,
    latency: Option<(Random, Duration)>,
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
                cut: None,
                latency: None,
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

    /// The run ends at this call.
    #[must_use]
    pub fn cut_at(self, cut: Cut) -> Self {
        self.state().cut = Some(cut);
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
        http_client_fn(move |settings: &HttpConnectorSettings, components: &RuntimeComponents| {
            let connector = wire.0.connector.http_connector(settings, components);
            End {
                wire: wire.clone(),
                connector,
            }
            .into_shared()
        })
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
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End")
    }
}

impl HttpConnector for End {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, connector) = (self.wire.clone(), self.connector.clone());
        HttpConnectorFuture::new(async move { call(&wire, &connector, request).await })
    }
}

async fn call(wire: &Wire, connector: &SharedHttpConnector, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    wire.delay().await;
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(request.body().bytes().unwrap_or_default()).into_owned().collect();
    let action = parameters.iter().find(|(key, _)| key == "Action");
    let mut seen = Seen {
        operation: action.map(|(_, value)| value.clone()).unwrap_or_default(),
        parameters,
        refused: None,
    };
    let (number, cut) = {
        let mut state = wire.state();
        let number = state.begun;
        state.begun += 1;
        (number, state.cut.filter(|cut| number >= cut.call))
    };
    if cut.is_some_and(|cut| number > cut.call || !cut.takes_effect) {
        wire.0.cut.notify_one();
        return std::future::pending().await;
    }
    wire.tell(|state| &mut state.before, number, &seen);
    let answer = connector.call(request).await;
    seen.refused = match &answer {
        Ok(response) if response.status().is_success() => None,
        Ok(response) => Some(code(response)),
        Err(_) => Some("ConnectionLost".to_owned()),
    };
    wire.state().seen.push(seen.clone());
    wire.tell(|state| &mut state.after, number, &seen);
    if cut.is_some() {
        wire.0.cut.notify_one();
        return std::future::pending().await;
    }
    wire.delay().await;
    answer
}

fn code(response: &HttpResponse) -> String {
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(|| response.status().to_string(), |(code, _)| code.to_owned())
}
