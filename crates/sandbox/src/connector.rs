//! The sandbox as the HTTP client of the AWS SDK: no socket is opened, everything else of the SDK runs.

use std::{fmt, io};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;

use crate::Sandbox;

/// What a caller of the sandbox gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) request_id: String,
}

/// A request as it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Incoming<'r> {
    pub(crate) method: &'r str,
    /// With scheme and host.
    pub(crate) uri: String,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: &'r [u8],
}

impl Incoming<'_> {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The connection broke before an answer arrived.
#[derive(Debug)]
pub(crate) struct ConnectionLost;

struct Connector(Sandbox);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxConnector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move {
            let headers = request.headers().iter();
            let incoming = Incoming {
                method: request.method(),
                uri: request.uri().to_owned(),
                headers: headers
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                    .collect(),
                body: request.body().bytes().unwrap_or_default(),
            };
            let answer = sandbox.answer(&incoming).await.map_err(|ConnectionLost| {
                ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)))
            })?;
            let status =
                StatusCode::try_from(answer.status).map_err(|error| ConnectorError::other(Box::new(error), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
            response.headers_mut().insert("content-type", "text/xml");
            response.headers_mut().insert("x-amzn-requestid", answer.request_id);
            Ok(response)
        })
    }
}

impl Sandbox {
    /// The HTTP client that leads every call of an SDK client, of IAM or STS, into this sandbox.
    pub fn http_client(&self) -> SharedHttpClient {
        let sandbox = self.clone();
        http_client_fn(move |_, _| Connector(sandbox.clone()).into_shared())
    }

    /// An IAM client of this sandbox that calls as root and never retries.
    pub fn iam_client(&self) -> aws_sdk_iam::Client {
        use aws_sdk_iam::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "sandbox"))
            .retry_config(RetryConfig::disabled())
            .http_client(self.http_client())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }
}
