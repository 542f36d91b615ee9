//! Traces of a run for OpenTelemetry, where the environment asks for them: a span for the run, and one below it for each
//! call of the AWS SDK.
//!
//! It never changes what a run does or how it ends, and what it holds is what its own lines name: names of calls, request
//! ids, statuses, error codes, the account, the digest. It never looks at a request's or an answer's content beside the
//! code of an error, since those hold secrets.

#[cfg(feature = "otel")]
mod calls;
#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
mod run;
#[cfg(feature = "otel")]
mod settings;
#[cfg(feature = "otel")]
pub(crate) use {
    calls::Calls,
    run::{account, begin, end, plan},
};

#[cfg(not(feature = "otel"))]
mod without;
#[cfg(not(feature = "otel"))]
pub(crate) use without::{Calls, account, begin, end, plan};
