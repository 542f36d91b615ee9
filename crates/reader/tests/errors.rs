//! Every kind of failure, as the caller gets to see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::ErrorKind;

use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use common::{ACCOUNT, Reaction, iam_error, reader_over, reader_with, scripted};
use trueup_reader::ReadError;
use trueup_sandbox::Sandbox;

/// A credential chain that finds nothing, or something that is no good.
#[derive(Debug, Clone, Copy)]
enum NoCredentials {
    NotLoaded,
    Broken,
}

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(match self {
            Self::NotLoaded => CredentialsError::not_loaded("nothing here"),
            Self::Broken => CredentialsError::provider_error("the profile `team` is not there"),
        }))
    }
}

/// What `identity` and `read` end in, where one operation goes wrong.
async fn error_where(operation: &'static str, reaction: impl Fn() -> Reaction + Send + 'static) -> ReadError {
    let sandbox = Sandbox::new(ACCOUNT).unwrap();
    let http = scripted(
        &sandbox,
        move |asked| if asked == operation { reaction() } else { Reaction::Pass },
    );
    let reader = reader_over(http);
    match reader.identity().await {
        Ok(identity) => reader.read(&identity).await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn refused_credentials_are_told_apart_from_missing_permissions() {
    for code in ["InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch"] {
        let error = error_where("GetCallerIdentity", move || iam_error(403, code, "No.")).await;
        assert!(matches!(error, ReadError::Credentials { .. }), "{error:?}");
        assert!(error.to_string().contains(code), "{error}");
    }
    let error = error_where("GetAccountSummary", || {
        iam_error(403, "AccessDenied", "User x is not authorized.")
    })
    .await;
    assert!(matches!(error, ReadError::AccessDenied { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "access denied to GetAccountSummary (request id the-request-id): AccessDenied: User x is not authorized."
    );
    assert_eq!(error.hint().unwrap(), "the caller needs `iam:GetAccountSummary`");
}

#[tokio::test]
async fn no_credentials_at_all_are_named_as_such() {
    let sandbox = Sandbox::new(ACCOUNT).unwrap();
    let found = [
        (
            NoCredentials::NotLoaded,
            "no provider of the AWS credential chain has any",
        ),
        (NoCredentials::Broken, "the profile `team` is not there"),
    ];
    for (kind, detail) in found {
        let error = reader_with(sandbox.http_client(), kind).identity().await.unwrap_err();
        assert!(matches!(error, ReadError::Credentials { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("no usable AWS credentials for GetCallerIdentity: {detail}")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_ends_with_the_clients_attempts() {
    let error = error_where("ListAccountAliases", || iam_error(400, "Throttling", "Rate exceeded")).await;
    assert!(matches!(error, ReadError::Throttled { .. }), "{error:?}");
    assert!(error.to_string().starts_with("ListAccountAliases"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_not_there_is_unreachable() {
    let error = error_where("GetCallerIdentity", || Reaction::Break(ErrorKind::ConnectionRefused)).await;
    assert!(matches!(error, ReadError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert!(error.hint().unwrap().contains("endpoint"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_iams_is_said_to_be_so() {
    let error = error_where("GetAccountSummary", || {
        Reaction::Answer(502, "<html>Bad gateway</html>".to_owned())
    })
    .await;
    assert!(matches!(error, ReadError::Unexpected { .. }), "{error:?}");
    assert!(error.to_string().contains("502"), "{error}");
    let error = error_where("GetAccountSummary", || iam_error(500, "ServiceFailure", "Oops.")).await;
    assert!(matches!(error, ReadError::Unexpected { .. }), "{error:?}");
    assert!(error.to_string().contains("ServiceFailure: Oops."), "{error}");
}
