//! What is known of a call that did not succeed: what was answered, and whether it may have taken effect.

use std::{error::Error, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// A call that did not succeed.
#[derive(Debug, Clone)]
pub(crate) struct CallError {
    /// The code as it stood on the wire. IAM sends codes that its model does not list, so that typed errors are of no
    /// use here.
    pub(crate) code: Option<String>,
    /// IAM's message, or what went wrong on the way, in words.
    pub(crate) message: String,
    /// AWS's id of the request.
    pub(crate) request_id: Option<String>,
    /// How far the request came.
    pub(crate) reach: Reach,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// IAM answered and refused: nothing was changed.
    Refused,
    /// It may or may not have taken effect: a server error, an answer that was lost, a time-out.
    Unknown,
    /// It never left: nothing was changed, and the endpoint could not be reached.
    NotSent,
    /// There are no credentials to send it with.
    NoCredentials,
}

impl CallError {
    pub(crate) fn from_sdk<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match &error {
            SdkError::ServiceError(service) => Self::from_answer(service.err(), service.raw()),
            SdkError::ResponseError(response) => Self {
                code: None,
                message: format!("status {} and an answer that is not IAM's", response.raw().status()),
                request_id: header_id(response.raw()),
                reach: Reach::Unknown,
            },
            SdkError::TimeoutError(_) => Self::without_answer(Reach::Unknown, "no answer in time"),
            _ => Self::from_transport(&error),
        }
    }

    /// A request that could not even be built.
    pub(crate) fn not_built(error: &(dyn Error + 'static)) -> Self {
        Self {
            reach: Reach::Refused,
            ..Self::without_answer(Reach::Refused, &innermost(error))
        }
    }

    /// An answer that came and does not hold what it has to.
    pub(crate) fn unusable(message: &str) -> Self {
        Self::without_answer(Reach::Refused, message)
    }

    fn from_answer<E: ProvideErrorMetadata>(error: &E, raw: &HttpResponse) -> Self {
        let status = raw.status().as_u16();
        let message = match error.message() {
            Some(message) => message.to_owned(),
            None if error.code().is_some() => String::new(),
            None => format!("status {status} and an answer that is not IAM's"),
        };
        Self {
            code: error.code().map(str::to_owned),
            message,
            request_id: error.meta().request_id().map(str::to_owned).or_else(|| header_id(raw)),
            // A server error says nothing about whether the change was made before it.
            reach: if status >= 500 || error.code().is_none() {
                Reach::Unknown
            } else {
                Reach::Refused
            },
        }
    }

    fn from_transport(error: &(dyn Error + 'static)) -> Self {
        if causes(error).any(|cause| cause.is::<CredentialsError>()) {
            return Self::without_answer(Reach::NoCredentials, &innermost(error));
        }
        // A refused, timed out or unresolved connection carried nothing; the HTTP client says so in words alone.
        let refused = causes(error).any(|cause| {
            let io = cause.downcast_ref::<io::Error>();
            io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused)
                || cause.to_string() == "client error (Connect)"
        });
        let reach = if refused { Reach::NotSent } else { Reach::Unknown };
        Self::without_answer(reach, &innermost(error))
    }

    fn without_answer(reach: Reach, message: &str) -> Self {
        Self {
            code: None,
            message: message.to_owned(),
            request_id: None,
            reach,
        }
    }

    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The code and the message, for people.
    pub(crate) fn text(&self) -> String {
        match &self.code {
            Some(code) if self.message.is_empty() => code.clone(),
            Some(code) => format!("{code}: {}", self.message),
            None => self.message.clone(),
        }
    }

    /// Takes the message away where it repeats a secret, as IAM's validation messages once did.
    pub(crate) fn without(mut self, secret: &str) -> Self {
        if self.message.contains(secret) {
            "the message repeated a secret and is withheld".clone_into(&mut self.message);
        }
        self
    }
}

fn header_id(raw: &HttpResponse) -> Option<String> {
    raw.headers().get("x-amzn-requestid").map(str::to_owned)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_repeats_a_secret_is_withheld() {
        let error = CallError {
            code: Some("ValidationError".to_owned()),
            message: "Value 'hunter2hunter2' at 'password' failed".to_owned(),
            request_id: None,
            reach: Reach::Refused,
        };
        assert!(!error.clone().without("hunter2hunter2").text().contains("hunter2"));
        assert!(error.without("other").text().contains("at 'password'"));
    }
}
