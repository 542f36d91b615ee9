//! The sandbox over HTTP on loopback, for clients of any language.

use std::io;

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, body::Bytes, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::{
    Sandbox,
    connector::{Answer, ConnectionLost, Incoming},
    errors::{ApiError, SandboxError},
    wire,
};

/// The longest request that is read; IAM's own longest has the metadata of a SAML provider, 10,000,000 characters, encoded.
const LONGEST_REQUEST: usize = 32 << 20;

impl Sandbox {
    /// Serves the sandbox until the listener fails or the future is dropped.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotLoopback`] where the listener can be reached from other machines, and
    /// [`SandboxError::Serve`] where it fails.
    pub async fn serve(self, listener: TcpListener) -> Result<(), SandboxError> {
        let address = listener.local_addr().map_err(SandboxError::Serve)?;
        if !address.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(address));
        }
        // Dropping the set ends the connections together with the server.
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // A client that gave up before it was let in.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(SandboxError::Serve(error)),
            };
            while connections.try_join_next().is_some() {}
            let sandbox = self.clone();
            connections.spawn(async move {
                let service = service_fn(move |request| respond(sandbox.clone(), request));
                // A connection that breaks is its client's concern.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }
}

/// Answers one request. The error ends the connection with no answer.
async fn respond(
    sandbox: Sandbox,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, ConnectionLost> {
    // A web page can make a browser post a form to loopback, but not with this header.
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(refuse(&ApiError::missing_token(
            "Request is missing Authentication Token",
        )));
    }
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let host = request.headers().get(header::HOST).map(text).unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("http://{host}{path}");
    let method = request.method().clone();
    let body = match Limited::new(request.into_body(), LONGEST_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(refuse(&ApiError::validation("The request is too long."))),
    };
    let incoming = Incoming {
        method: method.as_str(),
        uri,
        headers,
        body: &body,
    };
    sandbox.answer(&incoming).await.map(|answer| response(&answer))
}

fn refuse(error: &ApiError) -> Response<Full<Bytes>> {
    let request = wire::Request::parse(b"", jiff::Timestamp::UNIX_EPOCH, crate::paging::PageShape::default());
    let request_id = "00000000-0000-0000-0000-000000000000".to_owned();
    response(&Answer {
        status: error.status,
        body: wire::failure(&request, error, &request_id),
        request_id,
    })
}

fn response(answer: &Answer) -> Response<Full<Bytes>> {
    let built = Response::builder()
        .status(answer.status)
        .header(header::CONTENT_TYPE, "text/xml")
        .header("x-amzn-requestid", &answer.request_id)
        .body(Full::new(Bytes::from(answer.body.clone())));
    built.unwrap_or_default()
}

impl std::fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was broken on purpose")
    }
}

impl std::error::Error for ConnectionLost {}
