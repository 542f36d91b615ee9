//! Clients of a sandbox, and an endpoint that answers as a test tells it to.

#![expect(dead_code, reason = "every test file uses its own part of this")]

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_iam::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, http::HttpResponse, retry::RetryConfig,
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::HttpRequest,
        result::ConnectorError,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use trueup_reader::Reader;
use trueup_sandbox::Sandbox;

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIAEXAMPLE", "secret", None, None, "test")
}

pub(crate) fn reader_of(sandbox: &Sandbox) -> Reader {
    reader_over(sandbox.http_client())
}

pub(crate) fn reader_over(http: SharedHttpClient) -> Reader {
    reader_with(http, credentials())
}

pub(crate) fn reader_with(http: SharedHttpClient, credentials: impl ProvideCredentials + Clone + 'static) -> Reader {
    let retries = RetryConfig::standard().with_max_attempts(3);
    let iam = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .retry_config(retries.clone())
        .credentials_provider(credentials.clone())
        .http_client(http.clone());
    let sts = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .retry_config(retries)
        .credentials_provider(credentials)
        .http_client(http);
    Reader::new(
        aws_sdk_iam::Client::from_conf(iam.build()),
        aws_sdk_sts::Client::from_conf(sts.build()),
    )
}

/// What an endpoint does with a request.
pub(crate) enum Reaction {
    /// Lets the sandbox answer.
    Pass,
    /// Answers this.
    Answer(u16, String),
    /// Breaks the connection.
    Break(std::io::ErrorKind),
    /// Lets the sandbox answer, and replaces one text in it by another.
    Replace(&'static str, String),
}

type Script = dyn FnMut(&str) -> Reaction + Send;

/// A sandbox behind a script, which sees every operation before the sandbox does.
#[derive(Clone)]
struct Scripted {
    behind: SharedHttpConnector,
    script: Arc<Mutex<Box<Script>>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let operation = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
            .unwrap_or_default();
        let reaction = (self.script.lock().unwrap())(operation);
        let behind = self.behind.clone();
        HttpConnectorFuture::new(async move {
            match reaction {
                Reaction::Pass => behind.call(request).await,
                Reaction::Answer(status, text) => {
                    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text));
                    response.headers_mut().insert("x-amzn-requestid", "the-request-id");
                    Ok(response)
                }
                Reaction::Break(kind) => Err(ConnectorError::io(Box::new(std::io::Error::from(kind)))),
                Reaction::Replace(from, to) => {
                    let response = behind.call(request).await?;
                    let text = String::from_utf8(response.body().bytes().unwrap().to_vec()).unwrap();
                    assert!(text.contains(from), "{from} is not in {text}");
                    Ok(HttpResponse::new(
                        response.status(),
                        SdkBody::from(text.replacen(from, &to, 1)),
                    ))
                }
            }
        })
    }
}

pub(crate) fn scripted(sandbox: &Sandbox, script: impl FnMut(&str) -> Reaction + Send + 'static) -> SharedHttpClient {
    let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
    let sandbox = sandbox.http_client();
    http_client_fn(move |settings, components| {
        let behind = sandbox.http_connector(settings, components);
        Scripted {
            behind,
            script: Arc::clone(&script),
        }
        .into_shared()
    })
}

/// An IAM error as it stands on the wire.
pub(crate) fn iam_error(status: u16, code: &str, message: &str) -> Reaction {
    Reaction::Answer(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}
