//! What the endpoint answers, attempt by attempt: a line in the log for each, and whether callers are throttled.
//!
//! It tells of operations, statuses and error codes alone: requests and answers hold secrets and do not belong here.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_sdk_iam::config::{
    ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef,
};
use aws_smithy_runtime_api::{box_error::BoxError, client::orchestrator::Metadata};
use trueup_model::error_code::is_throttling;

/// Looks at the answers of the clients that it is given to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    throttled: Arc<AtomicBool>,
}

impl Answers {
    /// Whether an answer has been that callers are too many or too fast.
    pub(crate) fn throttled(&self) -> bool {
        self.throttled.load(Ordering::Relaxed)
    }
}

impl Intercept for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("?", |metadata| metadata.name());
        let status = context.response().status().as_u16();
        let code = match status {
            200..=299 => None,
            _ => context.response().body().bytes().and_then(error_code),
        };
        if status == 429 || code.is_some_and(is_throttling) {
            self.throttled.store(true, Ordering::Relaxed);
        }
        tracing::debug!(operation, status, code, "answered");
        Ok(())
    }
}

/// The code of an answer that is an IAM error.
pub(crate) fn error_code(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_found() {
        let body = b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>";
        assert_eq!(error_code(body), Some("Throttling"));
        for other in [
            &b"<html>"[..],
            b"<Code>a\x1b[31m</Code>",
            b"<Code>\xff</Code>",
            b"<Code>x",
        ] {
            assert_eq!(error_code(other), None);
        }
    }
}
