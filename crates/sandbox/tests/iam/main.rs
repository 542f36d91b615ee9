//! The sandbox against recorded behaviour of IAM, through the real SDK.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod boundaries;
mod conflicts;
mod credentials;
mod details;
mod enforce;
mod faults;
mod instance_profiles;
mod live;
mod mfa;
mod names;
mod page;
mod paging;
mod passwords;
mod policies;
mod providers;
mod quotas;
mod report;
mod roles;
mod serve;
mod store;
mod tags;
mod trust;
mod validation;

use aws_sdk_iam::{Client, error::ProvideErrorMetadata, error::SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use trueup_sandbox::Sandbox;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ALLOW_LIST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(crate) const PASSWORD: &str = "Correct-Horse-7";

/// A sandbox at a fixed time, and a client of it.
pub(crate) fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::new(ACCOUNT).unwrap();
    sandbox.set_time("2026-11-22T10:00:00Z".parse().unwrap());
    let client = sandbox.iam_client();
    (sandbox, client)
}

pub(crate) fn arn(resource: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}")
}

/// A valid document of a given size without white space.
pub(crate) fn document_of_size(size: usize) -> String {
    let empty = ALLOW_LIST.replace("s3:ListBucket", "s3:");
    ALLOW_LIST.replace("s3:ListBucket", &format!("s3:{}", "a".repeat(size - empty.len())))
}

/// A document that allows one action.
pub(crate) fn allow(action: &str) -> String {
    ALLOW_LIST.replace("s3:ListBucket", action)
}

/// Code and message of a refusal, after checking that it has the HTTP status that IAM gives to its code.
pub(crate) fn refusal<T: std::fmt::Debug, E>(result: Result<T, SdkError<E, HttpResponse>>) -> (String, String)
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    let error = result.expect_err("the call has to be refused");
    let code = error.code().unwrap_or_default().to_owned();
    let status = error.raw_response().map(|response| response.status().as_u16());
    let expected = match code.as_str() {
        "NoSuchEntity" | "ReportInProgress" => 404,
        "ReportNotPresent" | "ReportExpired" => 410,
        "EntityAlreadyExists" | "DeleteConflict" | "LimitExceeded" | "ConcurrentModification" => 409,
        "EntityTemporarilyUnmodifiable" | "DuplicateCertificate" => 409,
        "InvalidAuthenticationCode" | "AccessDenied" | "MissingAuthenticationToken" => 403,
        "InvalidClientTokenId" | "SignatureDoesNotMatch" | "ExpiredToken" => 403,
        "ServiceFailure" => 500,
        _ => 400,
    };
    assert_eq!(status, Some(expected), "{error:?}");
    (code, error.message().unwrap_or_default().to_owned())
}

/// Sends a call that has to be refused with this code and, where given, exactly this message.
macro_rules! refused {
    ($call:expr, $code:literal) => {{
        let (code, message) = $crate::refusal($call.send().await);
        assert_eq!(code, $code, "{message}");
    }};
    ($call:expr, $code:literal, $message:expr) => {{
        let (code, message) = $crate::refusal($call.send().await);
        assert_eq!(
            (code.as_str(), message.as_str()),
            ($code, $message.to_string().as_str())
        );
    }};
}
pub(crate) use refused;

/// Sends calls that have to succeed, one after the other.
macro_rules! done {
    ($($call:expr),+ $(,)?) => {{ $($call.send().await.unwrap();)+ }};
}
pub(crate) use done;
