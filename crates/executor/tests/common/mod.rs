//! Plans made by hand, and a sandbox behind a script.

#![expect(dead_code, reason = "every test file uses its own part of this")]

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_iam::{
    Client,
    config::{BehaviorVersion, Credentials, Region, http::HttpResponse},
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
use jiff::Timestamp;
use trueup_executor::{
    Cancel, CredentialFiles, CredentialsSink, Journal, Options, Outcome, Report, RunId, SignIn, Silent, execute,
};
use trueup_model::{
    AccountId, GroupName, InlinePolicyName, Path, PolicyArn, PolicyDocument, PolicyName, Resource, Tags, UserName,
};
use trueup_planner::{Action, ActionId, Call, FORMAT_VERSION, Overview, Plan, Reads, Summary, VersionRef};
use trueup_sandbox::Sandbox;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
pub(crate) const OTHER_DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}"#;

pub(crate) fn user(name: &str) -> UserName {
    UserName::from_live(name)
}

pub(crate) fn group(name: &str) -> GroupName {
    GroupName::from_live(name)
}

pub(crate) fn document(text: &str) -> PolicyDocument {
    PolicyDocument::from_live(text)
}

pub(crate) fn policy_arn(name: &str) -> PolicyArn {
    PolicyArn::from_live(format!("arn:aws:iam::{ACCOUNT}:policy/{name}"))
}

pub(crate) fn tags(list: &[(&str, &str)]) -> Tags {
    list.iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn create_user(name: &str) -> Call {
    Call::CreateUser {
        user_name: user(name),
        path: Path::root(),
        permissions_boundary: None,
        tags: Tags::new(),
    }
}

pub(crate) fn create_group(name: &str) -> Call {
    Call::CreateGroup {
        group_name: group(name),
        path: Path::root(),
    }
}

pub(crate) fn create_policy(name: &str) -> Call {
    Call::CreatePolicy {
        policy_name: PolicyName::from_live(name),
        path: Path::root(),
        description: Some("What it is for".to_owned()),
        policy_document: document(DOCUMENT),
        tags: tags(&[("owner", "platform")]),
    }
}

pub(crate) fn create_version(policy: &str, text: &str) -> Call {
    Call::CreatePolicyVersion {
        policy_arn: policy_arn(policy),
        policy_document: document(text),
    }
}

pub(crate) fn set_default(policy: &str, made_by: u32) -> Call {
    Call::SetDefaultPolicyVersion {
        policy_arn: policy_arn(policy),
        version: VersionRef::CreatedBy(ActionId(made_by)),
    }
}

pub(crate) fn add_to_group(user_name: &str, group_name: &str) -> Call {
    Call::AddUserToGroup {
        group_name: group(group_name),
        user_name: user(user_name),
    }
}

pub(crate) fn remove_from_group(user_name: &str, group_name: &str) -> Call {
    Call::RemoveUserFromGroup {
        group_name: group(group_name),
        user_name: user(user_name),
    }
}

pub(crate) fn put_user_policy(name: &str, policy: &str, text: &str) -> Call {
    Call::PutUserPolicy {
        user_name: user(name),
        policy_name: InlinePolicyName::from_live(policy),
        policy_document: document(text),
    }
}

pub(crate) fn login_profile(name: &str) -> Call {
    Call::CreateLoginProfile {
        user_name: user(name),
        password_reset_required: true,
    }
}

pub(crate) fn delete_user(name: &str) -> Call {
    Call::DeleteUser { user_name: user(name) }
}

/// A plan of calls, each with the ids (from 1) of those before it.
pub(crate) fn plan(calls: impl IntoIterator<Item = (Call, Vec<u32>)>) -> Plan {
    let actions: Vec<_> = calls
        .into_iter()
        .zip(1..)
        .map(|((call, after), id)| Action {
            id: ActionId(id),
            resource: Resource::user(&user(call.operation())),
            call,
            after: after.into_iter().map(ActionId).collect(),
            reason: "a test says so".to_owned(),
        })
        .collect();
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: "0.0.0".to_owned(),
        account_id: AccountId::new(ACCOUNT).unwrap(),
        as_of: jiff::civil::date(2026, 11, 20),
        digest: "sha256:0".to_owned(),
        transition_digest: String::new(),
        overview: Overview::default(),
        summary: Summary {
            actions: actions.len() as u64,
            ..Summary::default()
        },
        changes: Vec::new(),
        actions,
        requirements: Vec::new(),
        access: Vec::new(),
        action_data: String::new(),
        unmanaged: Vec::new(),
        ignored: Vec::new(),
        held: Vec::new(),
        only: None,
        left: Vec::new(),
        cloudtrail_query: None,
        guardrails: Vec::new(),
        notes: Vec::new(),
        facts: BTreeMap::new(),
        reads: Reads::default(),
    }
}

/// Everything that an execution needs, with a directory of its own.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) options: Options,
    pub(crate) cancel: Cancel,
    pub(crate) client: Client,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::over(Sandbox::new(ACCOUNT).unwrap())
    }

    pub(crate) fn over(sandbox: Sandbox) -> Self {
        Self {
            client: sandbox.iam_client(),
            sandbox,
            directory: tempfile::tempdir().unwrap(),
            options: Options {
                seed: 7,
                ..Options::new("aws")
            },
            cancel: Cancel::never(),
        }
    }

    /// As [`Self::new`], with a script between the client and the sandbox.
    pub(crate) fn scripted(script: impl FnMut(&Request) -> Reaction + Send + 'static) -> Self {
        let mut bench = Self::new();
        bench.script(script);
        bench
    }

    pub(crate) fn script(&mut self, script: impl FnMut(&Request) -> Reaction + Send + 'static) {
        self.client = scripted(&self.sandbox, script);
    }

    pub(crate) fn credentials_directory(&self) -> PathBuf {
        self.directory.path().join("credentials")
    }

    /// All credential files, as text by name.
    pub(crate) fn credential_files(&self) -> BTreeMap<String, String> {
        let Ok(entries) = std::fs::read_dir(self.credentials_directory()) else {
            return BTreeMap::new();
        };
        entries
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read_to_string(&path).unwrap())
            })
            .collect()
    }

    /// The journal of the last run, as text.
    pub(crate) fn journal(&self) -> String {
        let journals = self.directory.path().join("journal");
        let newest = std::fs::read_dir(journals)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .max_by_key(|path| path.metadata().unwrap().modified().unwrap());
        std::fs::read_to_string(newest.unwrap()).unwrap()
    }

    pub(crate) async fn run(&self, plan: &Plan) -> Report {
        let sign_in = SignIn::after(plan, None, "aws");
        let sink = CredentialsSink::Files(CredentialFiles::new(self.credentials_directory(), sign_in, 24).plain());
        self.run_with(plan, &sink).await
    }

    pub(crate) async fn run_with(&self, plan: &Plan, sink: &CredentialsSink) -> Report {
        let run = RunId::generate(Timestamp::now());
        let journal = Journal::create(&self.directory.path().join("journal"), plan, &run).unwrap();
        execute(plan, &self.client, &self.options, &journal, sink, &Silent, &self.cancel).await
    }

    /// How often an operation was called since the sandbox was made or its log cleared.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.sandbox
            .calls()
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// Runs calls one after the other, outside of any test's interest.
    pub(crate) async fn prepare(&self, calls: impl IntoIterator<Item = Call>) {
        let calls = calls.into_iter().zip(0_u32..).map(|(call, before)| {
            let after = if before == 0 { Vec::new() } else { vec![before] };
            (call, after)
        });
        let preparation = Self {
            client: self.sandbox.iam_client(),
            sandbox: self.sandbox.clone(),
            directory: tempfile::tempdir().unwrap(),
            options: Options::new("aws").local(),
            cancel: Cancel::never(),
        };
        let report = preparation.run(&plan(calls)).await;
        assert_complete(&report);
        self.sandbox.clear_calls();
    }

    /// The unique id of a user, as the sandbox has it.
    pub(crate) async fn user_id(&self, name: &str) -> Option<String> {
        let answer = self.sandbox.iam_client().get_user().user_name(name).send().await;
        answer.ok().and_then(|answer| answer.user).map(|user| user.user_id)
    }
}

#[track_caller]
pub(crate) fn assert_complete(report: &Report) {
    let failures: Vec<_> = report.failures().collect();
    assert!(report.is_complete(), "{failures:#?}, stopped: {:?}", report.stopped);
}

/// The outcome of the action with this id.
pub(crate) fn outcome(report: &Report, id: u32) -> &Outcome {
    &report.actions[id as usize - 1].outcome
}

/// The message of the failure of the action with this id.
pub(crate) fn failure(report: &Report, id: u32) -> &trueup_executor::Failure {
    match outcome(report, id) {
        Outcome::Failed { error } => error,
        other => panic!("action {id} did not fail: {other:?}"),
    }
}

/// A request on its way.
pub(crate) struct Request {
    pub(crate) operation: String,
    parameters: BTreeMap<String, String>,
}

impl Request {
    fn parse(body: &str) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let parameters: BTreeMap<_, _> = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect();
        Self {
            operation: parameters.get("Action").cloned().unwrap_or_default(),
            parameters,
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// What becomes of a request.
pub(crate) enum Reaction {
    /// The sandbox answers it.
    Pass,
    /// The sandbox does not see it; this is the answer.
    Answer(u16, String),
    /// The sandbox does it, and then the connection breaks.
    Lose,
    /// The sandbox does not see it; the connection breaks.
    Break(std::io::ErrorKind),
    /// The sandbox answers it after a while.
    Slow(Duration),
}

/// An IAM error as it stands on the wire.
pub(crate) fn refuse(status: u16, code: &str, message: &str) -> Reaction {
    Reaction::Answer(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

type Script = dyn FnMut(&Request) -> Reaction + Send;

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
        let parsed = Request::parse(&String::from_utf8_lossy(request.body().bytes().unwrap_or_default()));
        let reaction = (self.script.lock().unwrap())(&parsed);
        let behind = self.behind.clone();
        HttpConnectorFuture::new(async move {
            let broken = |kind| ConnectorError::io(Box::new(std::io::Error::from(kind)));
            match reaction {
                Reaction::Pass => behind.call(request).await,
                Reaction::Answer(status, text) => {
                    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text));
                    response.headers_mut().insert("x-amzn-requestid", "the-request-id");
                    Ok(response)
                }
                Reaction::Lose => {
                    behind.call(request).await?;
                    Err(broken(std::io::ErrorKind::ConnectionReset))
                }
                Reaction::Break(kind) => Err(broken(kind)),
                Reaction::Slow(time) => {
                    tokio::time::sleep(time).await;
                    behind.call(request).await
                }
            }
        })
    }
}

fn scripted(sandbox: &Sandbox, script: impl FnMut(&Request) -> Reaction + Send + 'static) -> Client {
    let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
    let http = sandbox.http_client();
    let client = http_client_fn(move |settings, components| {
        let behind = http.http_connector(settings, components);
        Scripted {
            behind,
            script: Arc::clone(&script),
        }
        .into_shared()
    });
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIAEXAMPLE", "secret", None, None, "test"))
        .http_client(client)
        .build();
    Client::from_conf(config)
}
