//! The way to a collector: the SDK's own connector, which is linked for IAM already, in place of an HTTP client more.
//!
//! What a collector answers beside its status is not read, and why it could not be reached is told in fixed words: its
//! address and its headers hold tokens.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tokio::runtime::Handle;

/// What has arrived, and why the rest has not.
#[derive(Debug, Default)]
pub(super) struct Sent {
    spans: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Sent {
    /// How many spans the collector has accepted.
    pub(super) fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    /// Why the last request that failed did, in words.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, why: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// Where traces go.
#[derive(Debug)]
pub(super) struct Collector {
    connector: SharedHttpConnector,
    /// The exporter has a thread of its own, and the connector wants a runtime.
    runtime: Handle,
    timeout: Duration,
    sent: Arc<Sent>,
}

impl Collector {
    pub(super) fn new(runtime: Handle, timeout: Duration, sent: Arc<Sent>) -> Result<Self, &'static str> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(timeout)
            .read_timeout(timeout)
            .build();
        let sleep = aws_smithy_async::rt::sleep::default_async_sleep();
        let connector = aws_smithy_http_client::default_connector(&settings, sleep).ok_or("this build has no TLS")?;
        Ok(Self {
            connector,
            runtime,
            timeout,
            sent,
        })
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (connector, timeout) = (self.connector.clone(), self.timeout);
        let sending = async move { tokio::time::timeout(timeout, send(&connector, request)).await };
        let status = self.runtime.spawn(sending);
        let status = match status.await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err("it did not answer in time"),
            Err(_) => Err("the run was over"),
        };
        match status {
            Ok(status) => {
                if !(200..300).contains(&status) {
                    self.sent.failed(format!("it answered {status}"));
                }
                Ok(Response::builder().status(status).body(Bytes::new())?)
            }
            Err(why) => {
                self.sent.failed(why.to_owned());
                Err(why.into())
            }
        }
    }
}

/// Sends a request, and answers the status that came back.
async fn send(connector: &SharedHttpConnector, request: Request<Bytes>) -> Result<u16, &'static str> {
    const NO_ADDRESS: &str = "its address makes no sense";
    let (head, body) = request.into_parts();
    let mut sent = HttpRequest::new(SdkBody::from(body.to_vec()));
    sent.set_method(head.method.as_str()).map_err(|_| NO_ADDRESS)?;
    sent.set_uri(head.uri.to_string()).map_err(|_| NO_ADDRESS)?;
    for (name, value) in &head.headers {
        let value = value.to_str().map_err(|_| "a header is no text")?;
        sent.headers_mut().insert(name.as_str().to_owned(), value.to_owned());
    }
    match connector.call(sent).await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err("it did not answer in time"),
        Err(error) if error.is_user() => Err(NO_ADDRESS),
        Err(_) => Err("it could not be reached"),
    }
}

/// An exporter that counts what it gets rid of.
#[derive(Debug)]
pub(super) struct Watched {
    exporter: Otlp,
    sent: Arc<Sent>,
}

impl Watched {
    pub(super) fn new(exporter: Otlp, sent: Arc<Sent>) -> Self {
        Self { exporter, sent }
    }
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.exporter.export(batch).await?;
        self.sent.spans.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
