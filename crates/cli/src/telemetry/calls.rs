//! A span for each call of the AWS SDK.
//!
//! A call that the SDK repeats by itself, as reads are, is one span that says how often; the executor repeats writes
//! itself, each a call and a span of its own.

use std::sync::{Mutex, PoisonError};

use aws_sdk_iam::config::{
    ConfigBag, Intercept, RuntimeComponents,
    interceptors::{
        BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
    },
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::orchestrator::{HttpResponse, Metadata, OrchestratorError},
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use opentelemetry::{
    KeyValue,
    trace::{Span as _, Status},
};
use opentelemetry_sdk::trace::Span;

use super::run;
use crate::answers::error_code;

/// How long the id of a request may be, and what it may consist of: it comes from whoever answers.
const LONGEST_ID: usize = 64;

/// Looks at the calls of the clients that it is given to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls;

/// A call that is under way.
#[derive(Debug)]
struct Call(Mutex<Open>);

#[derive(Debug)]
struct Open {
    span: Span,
    attempts: u32,
    ended: bool,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

impl Call {
    fn with(&self, what: impl FnOnce(&mut Open)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Open {
    fn fail(&mut self, kind: impl Into<String>) {
        self.span.set_attribute(KeyValue::new("error.type", kind.into()));
        self.span.set_status(Status::error(""));
    }

    fn end(&mut self) {
        if self.attempts > 1 {
            let again = KeyValue::new("http.request.resend_count", i64::from(self.attempts - 1));
            self.span.set_attribute(again);
        }
        self.span.end();
        self.ended = true;
    }
}

impl Drop for Open {
    /// Nobody waits for the call any more.
    fn drop(&mut self) {
        if !self.ended {
            self.fail("cancelled");
            self.end();
        }
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "calls"
    }

    // The first hook that knows the operation.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(run) = run::current() else { return Ok(()) };
        let Some(metadata) = config.load::<Metadata>() else {
            return Ok(());
        };
        let (service, operation) = (metadata.service().to_owned(), metadata.name().to_owned());
        let span = run.call(
            format!("{service}.{operation}"),
            [
                KeyValue::new("rpc.system", "aws-api"),
                KeyValue::new("rpc.service", service),
                KeyValue::new("rpc.method", operation),
            ],
        );
        config.interceptor_state().store_put(Call(Mutex::new(Open {
            span,
            attempts: 0,
            ended: false,
        })));
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Call>() {
            call.with(|open| open.attempts += 1);
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = config.load::<Call>() else {
            return Ok(());
        };
        let failed = context.output_or_error().and_then(Result::err);
        call.with(|open| {
            if let Some(response) = context.response() {
                let status = KeyValue::new("http.response.status_code", i64::from(response.status().as_u16()));
                open.span.set_attribute(status);
                if let Some(id) = request_id(response) {
                    open.span.set_attribute(KeyValue::new("aws.request_id", id));
                }
            }
            if let Some(error) = failed {
                open.fail(kind(error, context.response()));
            }
            open.end();
        });
        Ok(())
    }
}

/// The id that the endpoint gave a request.
fn request_id(response: &HttpResponse) -> Option<String> {
    let id = response.headers().get("x-amzn-requestid")?;
    let plain = id.len() <= LONGEST_ID && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain.then(|| id.to_owned())
}

/// What an error is, in one word: its code where it has one.
fn kind<E>(error: &OrchestratorError<E>, response: Option<&HttpResponse>) -> String {
    let failed = response.filter(|response| !response.status().is_success());
    let code = failed.and_then(|response| response.body().bytes()).and_then(error_code);
    match (code, failed) {
        (Some(code), _) => code.to_owned(),
        (None, Some(response)) => response.status().as_u16().to_string(),
        (None, None) => {
            let connector = error.as_connector_error();
            let late = error.is_timeout_error() || connector.is_some_and(|error| error.is_timeout());
            if late {
                "timeout"
            } else if connector.is_some() {
                "connection"
            } else {
                "_OTHER"
            }
            .to_owned()
        }
    }
}
