//! What `trueup apply` does, with the library crates and without the terminal: identity, read, plan, check, execute,
//! verify. The clients are configured as the command line configures its own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use aws_sdk_iam::config::{
    BehaviorVersion, Credentials, Region,
    retry::{RetryConfig, RetryPartition, TokenBucket},
    timeout::TimeoutConfig,
};
use aws_smithy_async::time::TimeSource;
use jiff::{Timestamp, civil::Date};
use tokio::time::Instant;
use trueup_executor::{
    Cancel, CredentialFiles, CredentialsSink, Journal, JournalError, Report, RunId, SignIn, Silent, execute,
    expected_ids, write_snapshot,
};
use trueup_model::{Desired, Live, live::Needs};
use trueup_planner::{Call, GuardrailCode, Options, Plan, PlanError};
use trueup_reader::{Identity, ReadError, Reader};

use crate::wire::Wire;

/// When every simulation begins.
pub const BEGIN: &str = "2026-11-20T12:00:00Z";

/// The day of [`BEGIN`].
pub fn today() -> Date {
    jiff::civil::date(2026, 11, 20)
}

/// Tokio's clock as a time of day, so that pausing the one pauses the other.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// A clock that says [`BEGIN`] now.
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let begin: Timestamp = BEGIN.parse().expect("the beginning is a time");
        begin + self.began.elapsed()
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        Self::now(self).into()
    }
}

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The seed of the executor's jitter.
    pub seed: u64,
    /// The digest of the plan that was reviewed, if one was.
    pub expected_digest: Option<String>,
    /// Where journals, undo snapshots and credentials go.
    pub directory: PathBuf,
    /// Whether the executor paces itself as it does for AWS.
    pub paced: bool,
    /// How long throttled calls are tried again.
    pub deadline: Duration,
}

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The live account that it was planned from.
    pub live: Live,
    /// The plan.
    pub plan: Plan,
    /// What became of it; `None` where there was nothing to do.
    pub report: Option<Report>,
    /// What was still planned when the account was read again, after an execution without failures.
    pub left: Option<Plan>,
    /// Where the journal is.
    pub journal: Option<PathBuf>,
}

impl Run {
    /// Whether everything was done, and the account is as the manifest says.
    pub fn is_converged(&self) -> bool {
        let done = self.report.as_ref().is_none_or(Report::is_complete);
        let verified = self.left.as_ref().unwrap_or(&self.plan);
        done && verified.changes.is_empty() && verified.actions.is_empty()
    }
}

/// Why a run stopped before it wrote anything.
#[derive(Debug)]
pub enum Stop {
    /// The account could not be read.
    Read(ReadError),
    /// There is no plan.
    Plan(PlanError),
    /// The plan is not the one that was reviewed.
    Stale(Box<Plan>),
    /// The journal could not be begun.
    Journal(JournalError),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first: &dyn std::error::Error = match self {
            Self::Read(error) => error,
            Self::Plan(error) => error,
            Self::Journal(error) => error,
            Self::Stale(_) => return f.write_str("the plan is not the one that was reviewed"),
        };
        let chain = std::iter::successors(Some(first), |error| error.source());
        f.write_str(&chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

/// Planner options that let every guardrail pass: what they refuse is not what is simulated here.
pub fn options() -> Options {
    use GuardrailCode as Code;
    Options {
        as_of: today(),
        allow: BTreeSet::from([
            Code::Deletions,
            Code::OwnAccess,
            Code::Administrators,
            Code::BreakGlass,
            Code::PasswordPolicy,
            Code::Mfa,
            Code::Boundary,
            Code::Alias,
            Code::SharedPolicy,
        ]),
        tool_version: "simulation".to_owned(),
    }
}

/// A session with an account: its clients, and a clock.
#[derive(Debug)]
pub struct Session {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    clock: Clock,
}

impl Session {
    /// Clients over this wire.
    pub fn over(wire: &Wire, clock: Clock) -> Self {
        let credentials = || Credentials::new("AKIASIMULATION000000", "simulation", None, None, "simulation");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(30))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(20)
            .with_initial_backoff(Duration::from_millis(200))
            .with_max_backoff(Duration::from_secs(3));
        let partition = RetryPartition::custom("reads")
            .token_bucket(TokenBucket::unlimited())
            .build();
        let iam = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .timeout_config(timeouts.clone())
            .retry_config(retries.clone())
            .retry_partition(partition.clone())
            .time_source(clock)
            .http_client(wire.http_client())
            .build();
        let sts = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .timeout_config(timeouts)
            .retry_config(retries)
            .retry_partition(partition)
            .time_source(clock)
            .http_client(wire.http_client())
            .build();
        Self {
            iam: aws_sdk_iam::Client::from_conf(iam),
            sts: aws_sdk_sts::Client::from_conf(sts),
            clock,
        }
    }

    /// The IAM client.
    pub fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }

    /// Reads as far as a plan needs it.
    ///
    /// # Errors
    ///
    /// [`ReadError`] of the reader.
    pub async fn read(&self, desired: &Desired) -> Result<Live, ReadError> {
        let (reader, identity) = self.identify().await?;
        self.read_for(&reader, &identity, desired).await
    }

    /// Asks who is calling.
    ///
    /// # Errors
    ///
    /// [`ReadError`] of the reader.
    pub async fn identity(&self) -> Result<Identity, ReadError> {
        Ok(self.identify().await?.1)
    }

    async fn identify(&self) -> Result<(Reader, Identity), ReadError> {
        let reader = Reader::new(self.iam.clone(), self.sts.clone());
        let identity = reader.identity().await?;
        Ok((reader, identity))
    }

    async fn read_for(&self, reader: &Reader, identity: &Identity, desired: &Desired) -> Result<Live, ReadError> {
        let mut live = reader.read(identity).await?;
        // As the command does: what cannot be read in a few rounds is told in the plan.
        for _ in 0..4 {
            let needs = trueup_planner::needs(desired, &live, &options());
            if needs == Needs::default() {
                break;
            }
            reader.details(&mut live, &needs).await?;
        }
        Ok(live)
    }

    /// Reads the account, and then what `needs` asks for.
    ///
    /// # Errors
    ///
    /// [`ReadError`] of the reader.
    pub async fn read_with(&self, needs: impl Fn(&Live) -> Needs) -> Result<Live, ReadError> {
        let (reader, identity) = self.identify().await?;
        let mut live = reader.read(&identity).await?;
        let needs = needs(&live);
        reader.details(&mut live, &needs).await?;
        Ok(live)
    }

    /// Reads and plans.
    ///
    /// # Errors
    ///
    /// [`Stop`].
    pub async fn plan(&self, desired: &Desired) -> Result<(Plan, Live), Stop> {
        let mut live = self.read(desired).await.map_err(Stop::Read)?;
        let plan = match trueup_planner::plan(desired, &live, &options()) {
            Err(refused) => {
                let needs = trueup_planner::needs_of_refused(&refused, &live);
                if needs == Needs::default() {
                    return Err(Stop::Plan(refused));
                }
                let (reader, _) = self.identify().await.map_err(Stop::Read)?;
                reader.details(&mut live, &needs).await.map_err(Stop::Read)?;
                trueup_planner::plan(desired, &live, &options()).map_err(Stop::Plan)?
            }
            Ok(plan) => plan,
        };
        Ok((plan, live))
    }

    /// The whole road.
    ///
    /// # Errors
    ///
    /// [`Stop`], where nothing was written.
    pub async fn reconcile(&self, desired: &Desired, settings: &Settings) -> Result<Run, Stop> {
        let (plan, live) = self.plan(desired).await?;
        if settings
            .expected_digest
            .as_ref()
            .is_some_and(|digest| *digest != plan.digest)
        {
            return Err(Stop::Stale(Box::new(plan)));
        }
        let mut run = self.carry_out(plan, live, settings).await?;
        if run.report.as_ref().is_some_and(Report::is_complete) {
            run.left = Some(self.verify(desired).await?);
        }
        Ok(run)
    }

    /// Does what is planned, and does not look at it afterwards.
    ///
    /// # Errors
    ///
    /// [`Stop`], where nothing was written.
    pub async fn carry_out(&self, plan: Plan, live: Live, settings: &Settings) -> Result<Run, Stop> {
        let mut run = Run {
            live,
            plan,
            report: None,
            left: None,
            journal: None,
        };
        if run.plan.actions.is_empty() {
            return Ok(run);
        }
        let id = RunId::generate(self.clock.now());
        let journals = settings.directory.join("journal");
        let journal = Journal::create(&journals, &run.plan, &id).map_err(Stop::Journal)?;
        run.journal = Some(journal.path().to_owned());
        let before = journals.join(format!("{}-{id}.before.json", run.plan.account_id));
        write_snapshot(&before, &run.live).map_err(Stop::Journal)?;
        let mut executor = trueup_executor::Options {
            expected_ids: expected_ids(&run.live),
            deadline: settings.deadline,
            seed: settings.seed,
            ..trueup_executor::Options::new(run.live.account.partition.as_str())
        };
        if !settings.paced {
            executor = executor.local();
        }
        let sink = sink(&run.plan, &run.live, &settings.directory);
        let (_canceller, cancel) = Cancel::pair();
        let report = execute(&run.plan, &self.iam, &executor, &journal, &sink, &Silent, &cancel).await;
        run.report = Some(report);
        Ok(run)
    }

    /// Reads the account until it is as the manifest says, or until waiting longer makes no sense.
    async fn verify(&self, desired: &Desired) -> Result<Plan, Stop> {
        for pause in [0, 1, 2, 4, 8] {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            let (plan, _) = self.plan(desired).await?;
            if plan.changes.is_empty() {
                return Ok(plan);
            }
        }
        tokio::time::sleep(Duration::from_secs(15)).await;
        Ok(self.plan(desired).await?.0)
    }
}

fn sink(plan: &Plan, live: &Live, directory: &Path) -> CredentialsSink {
    let account = &live.account;
    let sign_in = SignIn::after(plan, account.alias.as_ref(), &account.partition);
    let after = plan.actions.iter().filter_map(|action| match &action.call {
        Call::UpdateAccountPasswordPolicy { policy } => Some(policy),
        _ => None,
    });
    let longest = account.password_policy.iter().chain(after);
    let longest = longest.map(|policy| policy.minimum_password_length).max().unwrap_or(0);
    CredentialsSink::Files(CredentialFiles::new(directory.join("credentials"), sign_in, longest).plain())
}
