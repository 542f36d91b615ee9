//! Why a read failed, in kinds that decide what the user can do about it.

use std::{error::Error, fmt, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use trueup_model::error_code::{is_credentials_refused, is_throttling};

/// Why an account could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There are no credentials, or AWS does not accept them.
    #[error("no usable AWS credentials for {during}: {detail}")]
    Credentials {
        /// The call.
        during: During,
        /// What was found, in words.
        detail: String,
    },
    /// The credentials work, and may not make this call.
    #[error("access denied to {during}: {detail}")]
    AccessDenied {
        /// The call.
        during: During,
        /// IAM's own message.
        detail: String,
    },
    /// Every attempt that the client was configured to make was throttled.
    #[error("{during} was throttled until the last attempt: {detail}")]
    Throttled {
        /// The call.
        during: During,
        /// IAM's own message.
        detail: String,
    },
    /// No answer came: the endpoint cannot be reached, or is too slow.
    #[error("no answer to {during}: {detail}")]
    Unreachable {
        /// The call.
        during: During,
        /// The cause, as the operating system names it.
        detail: String,
    },
    /// Anything else, such as a server error or an answer that makes no sense.
    #[error("{during} failed: {detail}")]
    Unexpected {
        /// The call.
        during: During,
        /// What was answered.
        detail: String,
    },
}

/// A call: what was asked, of what, and AWS's id of the request where one was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct During {
    service: &'static str,
    operation: &'static str,
    object: Option<String>,
    request_id: Option<String>,
}

impl During {
    pub(crate) fn sts(operation: &'static str) -> Self {
        Self {
            service: "sts",
            operation,
            object: None,
            request_id: None,
        }
    }

    pub(crate) fn iam(operation: &'static str) -> Self {
        Self {
            service: "iam",
            operation,
            object: None,
            request_id: None,
        }
    }

    pub(crate) fn of(mut self, object: impl fmt::Display) -> Self {
        self.object = Some(object.to_string());
        self
    }

    /// The operation, for example `GetLoginProfile`.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The permission that the call needs, for example `iam:GetLoginProfile`.
    pub fn permission(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// What was asked about, for example `user/alice`.
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// AWS's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        if let Some(object) = &self.object {
            write!(f, " of {object}")?;
        }
        if let Some(request_id) = &self.request_id {
            write!(f, " (request id {request_id})")?;
        }
        Ok(())
    }
}

impl ReadError {
    pub(crate) fn unexpected(during: &During, detail: impl Into<String>) -> Self {
        Self::Unexpected {
            during: during.clone(),
            detail: detail.into(),
        }
    }

    pub(crate) fn from_sdk<E>(during: &During, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let mut during = during.clone();
        during.request_id = request_id(error);
        match error {
            SdkError::ServiceError(service) => Self::from_answer(during, service.err(), service.raw()),
            SdkError::ResponseError(response) => {
                let detail = format!("status {} and an answer that is not IAM's", response.raw().status());
                Self::Unexpected { during, detail }
            }
            _ if has_no_credentials(error) => Self::from_before_sending(during, error),
            SdkError::TimeoutError(_) => Self::Unreachable {
                during,
                detail: "it took too long".to_owned(),
            },
            SdkError::DispatchFailure(failure)
                if failure.is_io() || failure.is_timeout() || causes(error).any(|cause| cause.is::<io::Error>()) =>
            {
                Self::Unreachable {
                    during,
                    detail: innermost(error),
                }
            }
            _ => Self::from_before_sending(during, error),
        }
    }

    fn from_answer<E: ProvideErrorMetadata>(during: During, error: &E, raw: &HttpResponse) -> Self {
        let Some(code) = error.code() else {
            let detail = format!("status {} and an answer that is not IAM's", raw.status());
            return Self::Unexpected { during, detail };
        };
        let detail = match error.message() {
            Some(message) if !message.is_empty() => format!("{code}: {message}"),
            _ => code.to_owned(),
        };
        if is_throttling(code) {
            Self::Throttled { during, detail }
        } else if is_credentials_refused(code) {
            Self::Credentials { during, detail }
        } else if matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation") {
            Self::AccessDenied { during, detail }
        } else {
            Self::Unexpected { during, detail }
        }
    }

    fn from_before_sending(during: During, error: &(dyn Error + 'static)) -> Self {
        let credentials = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_)) => Self::Credentials {
                during,
                detail: "no provider of the AWS credential chain has any".to_owned(),
            },
            Some(other) => Self::Credentials {
                during,
                detail: innermost(other),
            },
            None => Self::Unexpected {
                during,
                detail: innermost(error),
            },
        }
    }

    /// The call that failed.
    pub fn during(&self) -> &During {
        match self {
            Self::Credentials { during, .. }
            | Self::AccessDenied { during, .. }
            | Self::Throttled { during, .. }
            | Self::Unreachable { during, .. }
            | Self::Unexpected { during, .. } => during,
        }
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Credentials { .. } => Some(
                "set AWS_PROFILE or --profile, or sign in again (`aws sso login`); \
                 `aws sts get-caller-identity` shows what the chain finds"
                    .to_owned(),
            ),
            Self::AccessDenied { during, .. } => Some(format!("the caller needs `{}`", during.permission())),
            Self::Throttled { .. } => Some(
                "something else uses up the account's request rate; try again later, or raise AWS_MAX_ATTEMPTS"
                    .to_owned(),
            ),
            Self::Unreachable { .. } => {
                Some("check the endpoint (--endpoint-url, AWS_ENDPOINT_URL_IAM) and the network".to_owned())
            }
            Self::Unexpected { .. } => None,
        }
    }
}

fn request_id<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let from_body = error.as_service_error().and_then(|service| service.meta().request_id());
    let from_headers = || {
        error
            .raw_response()
            .and_then(|response| response.headers().get("x-amzn-requestid"))
    };
    from_body.or_else(from_headers).map(str::to_owned)
}

/// Providers fetch credentials over the network too, and their failures are not the endpoint's.
fn has_no_credentials(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<CredentialsError>())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The text of the innermost cause: the SDK's own layers only say that something went wrong.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
