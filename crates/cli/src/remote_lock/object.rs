//! One object of S3: read, written and removed under a condition.
//!
//! Three requests do not need the largest SDK of all. They are signed by the SDK's own signer and sent by its own
//! connector, both of which are there for IAM already.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::{ProvideCredentials as _, error::CredentialsError};
use aws_sdk_iam::config::SharedCredentialsProvider;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use trueup_model::error_code::is_credentials_refused;

use crate::remote_lock::ObjectUrl;

/// How long a connection may take to be made, and a request to be answered.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);

/// How often a request is sent whose answer says that it may be sent again, or that did not get one.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What stands in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// What must hold for a write.
#[derive(Debug, Clone, Copy)]
pub(super) enum If<'e> {
    /// There is no such object.
    Absent,
    /// The object is still this version.
    Same(&'e str),
}

/// What came of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Answer),
    /// The condition does not hold.
    NotSo,
    /// There is no such object.
    Absent,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The object's version.
    pub(super) etag: String,
    pub(super) body: Vec<u8>,
    /// How long ago the object was written, by the clock of S3 alone.
    pub(super) age: Duration,
}

/// Why there is no answer, in words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There are no credentials, or S3 takes them for nobody's.
    #[error("{0}")]
    Credentials(String),
    #[error("{0}")]
    Other(String),
}

/// How S3 is reached.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) credentials: Option<SharedCredentialsProvider>,
    pub(crate) region: String,
    /// Another S3 than that of AWS, by path.
    pub(crate) endpoint: Option<String>,
}

/// The object.
#[derive(Debug)]
pub(super) struct Object {
    url: ObjectUrl,
    access: Access,
    /// Where the bucket is, which may differ from where the caller is.
    region: Mutex<String>,
    connector: SharedHttpConnector,
}

impl Object {
    pub(super) fn new(url: ObjectUrl, access: Access) -> Result<Self, Failure> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT)
            .read_timeout(ANSWER)
            .build();
        let sleep = aws_smithy_async::rt::sleep::default_async_sleep();
        let connector = aws_smithy_http_client::default_connector(&settings, sleep)
            .ok_or_else(|| Failure::Other("this build has no TLS".to_owned()))?;
        Ok(Self {
            region: Mutex::new(access.region.clone()),
            url,
            access,
            connector,
        })
    }

    pub(super) async fn read(&self) -> Result<Outcome, Failure> {
        self.send("GET", None, &[]).await
    }

    pub(super) async fn write(&self, condition: If<'_>, body: &[u8]) -> Result<Outcome, Failure> {
        self.send("PUT", Some(condition), body).await
    }

    pub(super) async fn remove(&self, etag: &str) -> Result<Outcome, Failure> {
        self.send("DELETE", Some(If::Same(etag)), &[]).await
    }

    /// Sends a request until there is an answer. A write may have happened although its answer was lost: whoever is
    /// then told that the condition does not hold reads what is there.
    async fn send(&self, method: &'static str, condition: Option<If<'_>>, body: &[u8]) -> Result<Outcome, Failure> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(method, condition, body).await {
                Ok(outcome) => return Ok(outcome),
                Err(Attempt::Final(failure)) => return Err(failure),
                Err(Attempt::Again(failure)) => failure,
            };
            if attempt >= ATTEMPTS {
                return Err(failure);
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn attempt(&self, method: &'static str, condition: Option<If<'_>>, body: &[u8]) -> Result<Outcome, Attempt> {
        let region = self.region.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = self
            .signed(method, condition, body, &region)
            .await
            .map_err(Attempt::Final)?;
        let again = |words: String| Attempt::Again(Failure::Other(words));
        let call = tokio::time::timeout(ANSWER, self.connector.call(request)).await;
        let mut response = match call {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(again(crate::exit::with_causes(&error))),
            Err(_) => return Err(again("no answer in time".to_owned())),
        };
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).map(str::to_owned);
        let (etag, date, modified, home) = (
            header("etag").unwrap_or_default(),
            header("date"),
            header("last-modified"),
            header("x-amz-bucket-region"),
        );
        let body = tokio::time::timeout(ANSWER, ByteStream::new(response.take_body()).collect()).await;
        let body = match body {
            Ok(Ok(body)) => body.to_vec(),
            Ok(Err(error)) => return Err(again(crate::exit::with_causes(&error))),
            Err(_) => return Err(again("no answer in time".to_owned())),
        };
        let text = String::from_utf8_lossy(&body);
        let code = element(&text, "Code").unwrap_or_default();
        match (status, code) {
            (200..=299, _) => Ok(Outcome::Done(Answer {
                etag,
                body,
                age: between(modified.as_deref(), date.as_deref()),
            })),
            (412, _) => Ok(Outcome::NotSo),
            (404, "NoSuchKey" | "") => Ok(Outcome::Absent),
            // Two conditional writes at the same moment: S3 asks for another try.
            (409, "ConditionalRequestConflict") | (408 | 429 | 500..=599, _) => Err(again(said(status, &text))),
            (301 | 307 | 400, _) if home.as_ref().is_some_and(|home| *home != region) => {
                *self.region.lock().unwrap_or_else(PoisonError::into_inner) = home.unwrap_or(region);
                Err(again(said(status, &text)))
            }
            (_, code) if is_credentials_refused(code) => Err(Attempt::Final(Failure::Credentials(said(status, &text)))),
            _ => Err(Attempt::Final(Failure::Other(said(status, &text)))),
        }
    }

    async fn signed(
        &self,
        method: &'static str,
        condition: Option<If<'_>>,
        body: &[u8],
        region: &str,
    ) -> Result<HttpRequest, Failure> {
        let provider = self.access.credentials.as_ref();
        let provider = provider.ok_or_else(|| Failure::Credentials("there are no credentials".to_owned()))?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials
            .map_err(|error| Failure::Credentials(why_none(&error)))?
            .into();
        let uri = self.uri(region);
        let mut request = HttpRequest::new(SdkBody::from(body.to_vec()));
        let wrong = |_| Failure::Other(format!("`{uri}` is no address"));
        request.set_method(method).map_err(wrong)?;
        request.set_uri(uri.as_str()).map_err(wrong)?;
        match condition {
            Some(If::Absent) => {
                request.headers_mut().insert("if-none-match", "*");
            }
            Some(If::Same(etag)) => {
                request.headers_mut().insert("if-match", etag.to_owned());
            }
            None => {}
        }
        if method == "PUT" {
            request.headers_mut().insert("content-type", "application/json");
            request.headers_mut().insert("content-length", body.len().to_string());
        }
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let unsigned = |error: &dyn std::error::Error| Failure::Other(format!("the request cannot be signed: {error}"));
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("s3")
            .time(SystemTime::from(Timestamp::now()))
            .settings(settings)
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let signable = SignableRequest::new(
            method,
            uri.as_str(),
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())),
            SignableBody::Bytes(body),
        )
        .map_err(|error| unsigned(&error))?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| unsigned(&error))?
            .into_parts();
        let (signed, _) = instructions.into_parts();
        for header in signed {
            request.headers_mut().insert(header.name(), header.value().to_owned());
        }
        Ok(request)
    }

    fn uri(&self, region: &str) -> String {
        let ObjectUrl { bucket, key } = &self.url;
        let key = utf8_percent_encode(key, PATH);
        if let Some(endpoint) = &self.access.endpoint {
            return format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/'));
        }
        let domain = domain(region);
        // A dot in the bucket's name is one level too many for the certificate.
        if bucket.contains('.') {
            format!("https://s3.{region}.{domain}/{bucket}/{key}")
        } else {
            format!("https://{bucket}.s3.{region}.{domain}/{key}")
        }
    }
}

/// Whether to send a request again.
enum Attempt {
    Again(Failure),
    Final(Failure),
}

/// The domain of a region's partition, as AWS's endpoint rules have it.
fn domain(region: &str) -> &'static str {
    const DOMAINS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-iso-", "c2s.ic.gov"),
        ("eusc-", "amazonaws.eu"),
    ];
    let found = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("amazonaws.com", |(_, domain)| domain)
}

/// How long a moment is before another; nothing where either is not known, so that what is there counts as new.
fn between(modified: Option<&str>, date: Option<&str>) -> Duration {
    let parse = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let (Some(modified), Some(date)) = (modified.and_then(parse), date.and_then(parse)) else {
        return Duration::ZERO;
    };
    Duration::try_from(date.duration_since(modified)).unwrap_or_default()
}

/// The text of an element of an error, which is all XML that has to be understood.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Why there are no credentials: what each provider of the chain lacks is no help to anybody.
fn why_none(error: &CredentialsError) -> String {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => "no provider of the AWS credential chain has any".to_owned(),
        other => crate::exit::with_causes(other),
    }
}

fn said(status: u16, body: &str) -> String {
    match (element(body, "Code"), element(body, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => format!("S3 answers {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(bucket: &str, key: &str, region: &str, endpoint: Option<&str>) -> String {
        let url = format!("s3://{bucket}/{key}").parse().unwrap();
        let access = Access {
            credentials: None,
            region: region.to_owned(),
            endpoint: endpoint.map(str::to_owned),
        };
        Object::new(url, access).unwrap().uri(region)
    }

    #[test]
    fn objects_have_the_addresses_of_their_partitions() {
        assert_eq!(
            uri("locks", "a b/ä.json", "eu-west-1", None),
            "https://locks.s3.eu-west-1.amazonaws.com/a%20b/%C3%A4.json"
        );
        assert_eq!(
            uri("my.locks", "x", "cn-north-1", None),
            "https://s3.cn-north-1.amazonaws.com.cn/my.locks/x"
        );
        assert_eq!(
            uri("locks", "x", "us-east-1", Some("http://127.0.0.1:9/")),
            "http://127.0.0.1:9/locks/x"
        );
    }

    #[test]
    fn ages_are_by_the_clock_of_the_store_alone() {
        let date = |seconds: u32| format!("Wed, 25 Nov 2026 09:38:{seconds:02} GMT");
        assert_eq!(between(Some(&date(1)), Some(&date(41))), Duration::from_secs(40));
        assert_eq!(between(Some(&date(41)), Some(&date(1))), Duration::ZERO);
        assert_eq!(between(None, Some(&date(1))), Duration::ZERO);
    }

    #[test]
    fn errors_are_said_in_the_words_of_the_store() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>Not there</Message></Error>";
        assert_eq!(said(404, xml), "NoSuchBucket: Not there");
        assert_eq!(said(403, ""), "S3 answers 403");
    }
}
