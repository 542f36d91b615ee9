//! The sandbox over TCP.

use aws_sdk_iam::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::SdkError,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_runtime_api::shared::IntoShared;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use tokio::net::{TcpListener, TcpStream};
use trueup_sandbox::{Sandbox, SandboxError};

use crate::{ACCOUNT, allow, done, refused, sandbox};

/// A client over plain TCP, one connection for each call.
#[derive(Debug)]
struct Tcp;

impl HttpConnector for Tcp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(async move {
            let failed =
                |error: &dyn std::fmt::Display| ConnectorError::io(Box::new(std::io::Error::other(error.to_string())));
            let request = request.try_into_http1x().map_err(|error| failed(&error))?;
            let address = request.uri().authority().unwrap().to_string();
            let (mut head, body) = request.into_parts();
            head.uri = head.uri.path().parse().unwrap();
            head.headers.insert("host", address.parse().unwrap());
            let body = Full::new(Bytes::copy_from_slice(body.bytes().unwrap()));
            let stream = TcpStream::connect(&address).await.map_err(|error| failed(&error))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream))
                .await
                .map_err(|error| failed(&error))?;
            tokio::spawn(connection);
            let answer = sender.send_request(hyper::Request::from_parts(head, body)).await;
            let answer = answer.map_err(|error| failed(&error))?;
            let status = answer.status().as_u16().try_into().unwrap();
            let body = answer
                .into_body()
                .collect()
                .await
                .map_err(|error| failed(&error))?
                .to_bytes();
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

async fn served(sandbox: &Sandbox) -> (Client, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(sandbox.clone().serve(listener));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(Credentials::new("any", "key", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(|_, _| Tcp.into_shared()))
        .build();
    (Client::from_conf(config), address)
}

#[tokio::test]
async fn the_sdk_works_over_tcp_on_the_same_account() {
    let (sandbox, in_process) = sandbox();
    let (iam, _) = served(&sandbox).await;
    done!(
        iam.create_user().user_name("u"),
        in_process.create_user().user_name("v")
    );
    assert_eq!(iam.list_users().send().await.unwrap().users().len(), 2);
    refused!(
        iam.create_user().user_name("V"),
        "EntityAlreadyExists",
        "User with name V already exists."
    );
    let document = allow("s3:Get+%20é");
    done!(
        iam.put_user_policy()
            .user_name("u")
            .policy_name("p")
            .policy_document(&document)
    );
    let got = in_process
        .get_user_policy()
        .user_name("u")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    let decoded = percent_encoding::percent_decode_str(got.policy_document())
        .decode_utf8()
        .unwrap();
    assert_eq!(decoded, document);
}

#[tokio::test]
async fn lost_answers_break_the_connection() {
    let (sandbox, _) = sandbox();
    let (iam, _) = served(&sandbox).await;
    sandbox.set_faults("lost-answer=1,seed=3".parse().unwrap());
    let mut broken = 0;
    for number in 0..10 {
        let error = iam
            .create_user()
            .user_name(format!("u{number}"))
            .send()
            .await
            .unwrap_err();
        broken += usize::from(matches!(error, SdkError::DispatchFailure(_)));
    }
    assert!(broken > 0);
    sandbox.set_faults("".parse().unwrap());
    assert_eq!(iam.list_users().send().await.unwrap().users().len(), 10);
}

#[tokio::test]
async fn requests_without_any_signature_are_refused() {
    let (sandbox, _) = sandbox();
    let (_, address) = served(&sandbox).await;
    let stream = TcpStream::connect(&address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let body = Full::new(Bytes::from_static(
        b"Action=CreateUser&Version=2010-05-08&UserName=evil",
    ));
    let request = hyper::Request::post("/").header("host", address).body(body).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 403);
    assert!(sandbox.calls().is_empty());
}

#[tokio::test]
async fn only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = Sandbox::new(ACCOUNT).unwrap().serve(listener).await;
    assert!(matches!(refused, Err(SandboxError::NotLoopback(_))));
}
