//! The live account behind `--live`: AWS, the sandbox, or a snapshot.

use std::{path::Path, time::Duration};

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use serde::{Deserialize, Serialize};
use trueup_model::{AccountId, Live, live::Needs};
use trueup_reader::{Identity, ReadError, Reader};
use trueup_sandbox::{Faults, Sandbox, SandboxError};

use crate::{
    args::{LiveArgs, LiveSource},
    aws::{self, Clients},
    environment,
    exit::CliError,
    output,
    profiles::Profiles,
    telemetry,
};

/// The account of a sandbox that no manifest names.
pub(crate) const SANDBOX_ACCOUNT: &str = "123456789012";

/// The version of the snapshot file. Minor versions add, major versions break.
const SNAPSHOT_VERSION: &str = "1.0";

/// A live account that can be asked.
#[derive(Debug)]
pub(crate) enum Source {
    /// Something that speaks IAM.
    Api(Api),
    /// A file. Never writable.
    Snapshot(Box<Live>),
}

/// Something that speaks IAM.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) reader: Reader,
    pub(crate) clients: Clients,
    deadline: Duration,
    profile: Option<String>,
    /// Whether the credentials are those of the SDK's chain.
    may_use_a_profile: bool,
}

/// A snapshot's file.
#[derive(Serialize, Deserialize)]
struct Snapshot<L> {
    format_version: String,
    live: L,
}

/// The snapshot's file of an account, as JSON.
pub(crate) fn snapshot_json(live: &Live) -> Result<String, CliError> {
    Ok(trueup_report::to_json(&Snapshot {
        format_version: SNAPSHOT_VERSION.to_owned(),
        live,
    })?)
}

impl Source {
    /// Opens what `--live` names, without any call yet. A new sandbox is made for `account`.
    pub(crate) async fn open(args: &LiveArgs, account: Option<&AccountId>) -> Result<Self, CliError> {
        let clients = match &args.live {
            LiveSource::Snapshot(path) => return Ok(Self::Snapshot(Box::new(read_snapshot(path)?))),
            LiveSource::Sandbox(path) => sandbox_clients(&open_sandbox(path, account)?)?,
            LiveSource::Aws => aws::clients(&args.aws).await?,
        };
        Ok(Self::Api(Api::new(clients, args)))
    }
}

impl Api {
    fn new(clients: Clients, LiveArgs { live, aws: args }: &LiveArgs) -> Self {
        Self {
            reader: Reader::new(clients.iam.clone(), clients.sts.clone()),
            clients,
            deadline: args.deadline,
            profile: args.profile.clone().filter(|profile| !profile.is_empty()),
            may_use_a_profile: *live == LiveSource::Aws,
        }
    }

    /// Whose credentials these are; an error where they are not those of `expected`.
    pub(crate) async fn identity(&self, expected: Option<&AccountId>) -> Result<Identity, CliError> {
        let identity = self.bounded(self.reader.identity()).await?;
        telemetry::account(&identity.account);
        match expected {
            Some(expected) if *expected != identity.account => Err(CliError::WrongAccount {
                live: identity.account,
                expected: format!("the manifest is for {expected}"),
            }),
            _ => Ok(identity),
        }
    }

    /// The bulk read.
    pub(crate) async fn read(&self, identity: &Identity) -> Result<Live, CliError> {
        self.bounded(self.reader.read(identity)).await
    }

    /// What a plan needs beside the bulk read.
    pub(crate) async fn details(&self, live: &mut Live, needs: &Needs) -> Result<(), CliError> {
        self.bounded(self.reader.details(live, needs)).await
    }

    /// Everything that can be read beside the bulk read.
    pub(crate) async fn everything(&self, live: &mut Live) -> Result<(), CliError> {
        self.bounded(self.reader.everything(live)).await
    }

    /// The account's alias, where the caller may ask for it: some commands have to work with next to no permissions.
    pub(crate) async fn alias(&self) -> Option<trueup_model::Alias> {
        let answer = self.clients.iam.list_account_aliases().send().await.ok()?;
        answer
            .account_aliases
            .into_iter()
            .next()
            .map(trueup_model::Alias::from_live)
    }

    /// Which profile was meant is what the SDK does not say, nor that there is none of that name.
    fn of_profile(&self, source: ReadError) -> CliError {
        if !self.may_use_a_profile {
            return source.into();
        }
        let from_environment = self.profile.is_none();
        let Some(profile) = self.profile.clone().or_else(environment::aws_profile) else {
            return source.into();
        };
        let Profiles {
            config,
            credentials,
            names,
        } = Profiles::find();
        if names.contains(&profile) {
            return CliError::Profile {
                profile,
                source: Box::new(source),
            };
        }
        CliError::NoProfile {
            profile,
            from_environment,
            config: config.display().to_string(),
            credentials: credentials.display().to_string(),
            there: names.into_iter().collect(),
            source: Box::new(source),
        }
    }

    async fn bounded<T>(&self, read: impl Future<Output = Result<T, ReadError>>) -> Result<T, CliError> {
        match tokio::time::timeout(self.deadline, read).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(source)) => Err(match &source {
                ReadError::Credentials { .. } => self.of_profile(source),
                _ => CliError::from(source),
            }),
            Err(_) => Err(CliError::Deadline {
                throttled: self.clients.answers.throttled(),
            }),
        }
    }
}

/// Opens the sandbox in a file, with the faults and the time that the environment asks for.
pub(crate) fn open_sandbox(path: &Path, account: Option<&AccountId>) -> Result<Sandbox, CliError> {
    open_sandbox_in(path, account, "aws")
}

/// The same; a new one is made in this partition.
pub(crate) fn open_sandbox_in(path: &Path, account: Option<&AccountId>, partition: &str) -> Result<Sandbox, CliError> {
    let account = account.map_or(SANDBOX_ACCOUNT, AccountId::as_str);
    let sandbox = Sandbox::open_in(path, account, partition).map_err(sandbox_error)?;
    if let Some(faults) = environment::sandbox_faults() {
        sandbox.set_faults(parse_faults(&faults)?);
    }
    if let Some(time) = environment::sandbox_time() {
        sandbox.set_time(time.parse().map_err(|error: jiff::Error| {
            CliError::Usage(format!(
                "TRUEUP_SANDBOX_TIME is no time such as 2026-11-20T12:00:00Z: {error}"
            ))
        })?);
    }
    Ok(sandbox)
}

/// Reads the text of `TRUEUP_SANDBOX_FAULTS` or `--faults`.
pub(crate) fn parse_faults(text: &str) -> Result<Faults, CliError> {
    text.parse()
        .map_err(|error| CliError::Usage(format!("the sandbox's faults cannot be understood: {error}")))
}

/// Empties the sandbox in a file; `account` is the id that it has from then on.
pub(crate) fn reset_sandbox(path: &Path, account: Option<&AccountId>) -> Result<(), CliError> {
    let sandbox = open_sandbox(path, account)?;
    match account {
        Some(account) if sandbox.account_id() != account.as_str() => {
            // Another account is another sandbox in the same file.
            drop(sandbox);
            std::fs::remove_file(path).map_err(|source| CliError::File {
                action: "replace",
                path: path.to_owned(),
                source,
            })?;
            open_sandbox(path, Some(account)).map(drop)
        }
        _ => sandbox.reset().map_err(sandbox_error),
    }
}

/// A sandbox's error.
pub(crate) fn sandbox_error(error: SandboxError) -> CliError {
    CliError::Sandbox(Box::new(error))
}

/// SDK clients that reach the sandbox without a socket.
fn sandbox_clients(sandbox: &Sandbox) -> Result<Clients, CliError> {
    let credentials = || Credentials::new("AKIASANDBOX000000000", "sandbox", None, None, "sandbox");
    let iam = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .timeout_config(aws::timeouts())
        .http_client(sandbox.http_client());
    let sts = aws_sdk_sts::Config::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .timeout_config(aws::timeouts())
        .http_client(sandbox.http_client());
    aws::assemble(iam, sts)
}

fn read_snapshot(path: &Path) -> Result<Live, CliError> {
    let text = output::read_text(path)?;
    let problem = |problem: String| CliError::Content {
        path: path.to_owned(),
        what: "snapshot",
        problem,
    };
    let head: Snapshot<serde::de::IgnoredAny> =
        serde_json::from_str(&text).map_err(|error| problem(error.to_string()))?;
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(&head.format_version) != major(SNAPSHOT_VERSION) {
        return Err(problem(format!(
            "its format version is {}, this trueup reads {SNAPSHOT_VERSION}",
            head.format_version
        )));
    }
    let snapshot: Snapshot<Live> = serde_json::from_str(&text).map_err(|error| problem(error.to_string()))?;
    let mut live = snapshot.live;
    // The calls that were made then are not calls of this run.
    live.reads.clear();
    Ok(live)
}
