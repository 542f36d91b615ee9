//! `trueup apply`: makes the account match the manifest.

mod approve;
mod lock;
mod outcome;
mod typed;
mod verify;

pub(crate) use approve::Reviewed;

use std::path::PathBuf;

use jiff::Timestamp;
use trueup_executor::{
    Cancel, CredentialFiles, CredentialsSink, Journal, Outcome, Progress, RunId, Secret, SignIn, execute, expected_ids,
    write_snapshot,
};
use trueup_manifest::Positions;
use trueup_model::{Desired, Live, UserName};
use trueup_planner::{Action, Call, Options, Plan};
use trueup_reader::Identity;
use trueup_report::{
    ActionOutcome, ActionResult, ApplyOutcome, COMMENT_BUDGET, HtmlOptions, MarkdownOptions, Verification,
    render_apply_markdown, render_apply_text, render_plan_html, render_plan_text, render_refusal_markdown, to_json,
};

use crate::{
    annotations,
    args::{ApplyArgs, Format, LiveSource},
    aws,
    baseline::Baseline,
    commands::compare,
    delivery, environment,
    exit::{CliError, Exit, with_causes},
    live::{Api, Source},
    manifest, markdown, output,
    remote_lock::{Owner, RemoteLock},
    signals::Signals,
    telemetry,
    terminal::{Activity, Terminal},
};

pub(crate) async fn run(args: &ApplyArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    args.check_files()?;
    let format = args.compare.format;
    if format != Format::Text && !args.approval.auto_approve {
        return Err(CliError::refused(
            format!("--format {} leaves no place to ask for approval", word(format)),
            "say --auto-approve, and --plan or --expect-digest where a plan was reviewed",
        ));
    }
    if matches!(args.compare.live.live, LiveSource::Snapshot(_)) {
        return Err(snapshot_refused());
    }
    let (desired, positions) = manifest::load(args.compare.manifest.as_deref(), args.compare.annotations, terminal)?;
    let baseline = Baseline::read(&args.since, &desired.account.id)?;
    let reviewed = approve::Reviewed::read(&args.approval)?;
    reviewed.check_extent(baseline.only)?;
    let asked = typed::user(args.credentials.ask_password.as_deref())?;
    let options = compare::options(&args.compare, reviewed.as_of());
    let directories = Directories::of(args)?;
    let source = signals
        .unless_caught(Source::open(&args.compare.live, Some(&desired.account.id)))
        .await?;
    let Source::Api(api) = source else {
        return Err(snapshot_refused());
    };
    let identity = signals.unless_caught(api.identity(Some(&desired.account.id))).await?;
    let _lock = lock::take(&identity.account, &args.compare.live.live, &directories.state)?;
    let remote = match &args.lock.lock {
        Some(url) => {
            let access = aws::s3(&args.compare.live.aws).await?;
            let owner = Owner::this(identity.arn.to_string());
            Some(RemoteLock::take(url, access, &identity.account, owner, args.lock.lock_lease).await?)
        }
        None => None,
    };
    let applied = locked(
        Prepared {
            args,
            desired,
            positions,
            baseline,
            reviewed,
            asked,
            options,
            directories,
            api,
            identity,
        },
        remote.as_ref(),
        terminal,
        signals,
    )
    .await;
    // Whatever came of it. What was done is done, also where the lock is not given back.
    if let Some(remote) = remote
        && let Err(error) = remote.release().await
    {
        terminal.error(&error);
    }
    applied
}

/// What an apply needs before it reads the account.
struct Prepared<'a> {
    args: &'a ApplyArgs,
    desired: Desired,
    positions: Positions,
    baseline: Baseline,
    reviewed: approve::Reviewed,
    asked: Option<UserName>,
    options: Options,
    directories: Directories,
    api: Api,
    identity: Identity,
}

/// Everything that only one run does at a time.
async fn locked(
    prepared: Prepared<'_>,
    lock: Option<&RemoteLock>,
    terminal: &Terminal,
    signals: &Signals,
) -> Result<Exit, CliError> {
    let Prepared {
        args,
        desired,
        positions,
        baseline,
        reviewed,
        asked,
        options,
        directories,
        api,
        identity,
    } = prepared;
    let began = whole_second(Timestamp::now());
    let format = args.compare.format;
    // What is written when all is done is tried before anything is: a receipt that is lost cannot be made again.
    let later = [&args.receipt, &args.compare.html_into];
    later
        .into_iter()
        .flatten()
        .try_for_each(|path| output::try_text(path))?;
    args.compare
        .markdown_into
        .iter()
        .try_for_each(|path| markdown::try_place(path))?;
    let read_and_plan = async || {
        let _activity = terminal.activity("reading the account");
        let (plan, live) = compare::read_and_plan(&api, &identity, &desired, &options, &baseline).await?;
        telemetry::plan(&plan);
        Ok((plan, live))
    };
    let (plan, mut live) = signals.unless_caught(read_and_plan()).await?;
    compare::write_files(&plan, [&args.compare.json_into])?;
    annotations::of_plan(args.compare.annotations, &plan, &positions, terminal);
    if format == Format::Text {
        let options = if args.approval.auto_approve {
            terminal.text_options()
        } else {
            terminal.text_options_to_approve()
        };
        terminal.result(&render_plan_text(&plan, &options))?;
    }
    let approve = async || {
        reviewed.check(&plan, terminal)?;
        approve::check_guardrails(&plan, args.compare.strict, terminal)?;
        approve::check_approval(&plan, &args.approval, &reviewed, terminal)?;
        let plain = args.credentials.plain_credentials;
        if let Some(user) = &asked {
            typed::check(user, &plan, terminal)?;
        }
        approve::check_credentials(&plan, &desired, plain, asked.as_ref(), &directories.credentials)?;
        if plan.actions.is_empty() || args.approval.auto_approve && asked.is_none() {
            return Ok((None, None));
        }
        let password = match &asked {
            Some(user) => Some(typed::ask(user, &plan, &live, signals).await?),
            None => None,
        };
        if !args.approval.auto_approve {
            approve::ask(&plan, terminal, signals).await?;
        }
        // Somebody may have thought about it for long: what was approved must still be what would be done.
        let (now, read_again) = signals.unless_caught(read_and_plan()).await?;
        approve::Reviewed::of(&plan).check(&now, terminal)?;
        Ok((Some(read_again), password))
    };
    let password = match approve().await {
        Ok((read_again, password)) => {
            live = read_again.unwrap_or(live);
            asked.clone().zip(password)
        }
        Err(error) => {
            tell_refusal(args, &plan, &live, &error, terminal)?;
            return Err(error);
        }
    };
    let run = Run {
        args,
        desired: &desired,
        options: &options,
        baseline: &baseline,
        api: &api,
        identity: &identity,
        plan: &plan,
        live: &live,
        directories: &directories,
        lock,
        began,
    };
    if let Some(lock) = lock {
        lock.check(false)?;
    }
    let outcome = if plan.actions.is_empty() {
        run.nothing_to_do()
    } else {
        run.execute(password, terminal, signals).await?
    };
    let told = run.tell(&outcome, terminal);
    if told.is_err() && outcome.wrote_something() {
        terminal.warning(
            "the account was changed; only what this run says of it could not be written",
            "look at the journal, or plan again: what was done is not done twice",
        );
    }
    match (exit(&outcome, signals, lock), told) {
        (Ok(exit), Ok(())) => Ok(exit),
        (Ok(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        (Err(error), Err(not_told)) => {
            terminal.error(&not_told);
            Err(error)
        }
    }
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Text => "text",
        Format::Json => "json",
        Format::Markdown => "markdown",
        Format::Html => "html",
    }
}

/// Leaves the plan, and why it was not applied, where Markdown or a page was asked for. The error itself is told by the
/// caller.
fn tell_refusal(
    args: &ApplyArgs,
    plan: &Plan,
    live: &Live,
    error: &CliError,
    terminal: &Terminal,
) -> Result<(), CliError> {
    let why = why_refused(error);
    let markdown = |budget| {
        let options = MarkdownOptions {
            budget,
            ..MarkdownOptions::default()
        };
        render_refusal_markdown(plan, &why, &options)
    };
    let html = HtmlOptions {
        live: Some(live),
        refused: Some(&why),
        ..HtmlOptions::default()
    };
    if let Some(path) = &args.compare.markdown_into {
        markdown::write(path, terminal, markdown)?;
    }
    if let Some(path) = &args.compare.html_into {
        output::write_text(path, &render_plan_html(plan, &html)?)?;
    }
    match args.compare.format {
        Format::Text | Format::Json => Ok(()),
        Format::Markdown => terminal.result(&markdown(COMMENT_BUDGET)),
        Format::Html => terminal.result(&render_plan_html(plan, &html)?),
    }
}

/// The second in which a moment lies: nobody looks for less.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Why a plan was not applied, for who does not see stderr: what moved included.
fn why_refused(error: &CliError) -> String {
    let why = with_causes(error);
    match error {
        CliError::Stale { moved } if !moved.is_empty() => {
            let shown = &moved[..moved.len().min(SHOWN_MOVES)];
            let more = match moved.len() - shown.len() {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!("{why}; {}{more}", shown.join("; "))
        }
        _ => why,
    }
}

fn snapshot_refused() -> CliError {
    CliError::refused(
        "a snapshot cannot be applied to",
        "apply to the account itself: --live aws",
    )
}

/// Where an apply leaves what it has to leave.
struct Directories {
    state: PathBuf,
    credentials: PathBuf,
}

impl Directories {
    fn of(args: &ApplyArgs) -> Result<Self, CliError> {
        let given = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let state = given(&args.state_dir)
            .or_else(environment::state_directory)
            .ok_or_else(|| {
                CliError::refused(
                    "there is no place for the journal: neither XDG_STATE_HOME nor HOME is set",
                    "name a directory with --state-dir",
                )
            })?;
        let credentials = given(&args.credentials.credentials_dir).unwrap_or_else(|| state.join("credentials"));
        Ok(Self { state, credentials })
    }

    fn journals(&self) -> PathBuf {
        self.state.join("journal")
    }
}

/// How much of what moved is told with a refusal before the rest is counted.
const SHOWN_MOVES: usize = 10;

/// One apply, from the moment that nothing speaks against it.
struct Run<'a> {
    args: &'a ApplyArgs,
    desired: &'a Desired,
    options: &'a Options,
    baseline: &'a Baseline,
    api: &'a Api,
    identity: &'a Identity,
    plan: &'a Plan,
    live: &'a Live,
    directories: &'a Directories,
    lock: Option<&'a RemoteLock>,
    /// Before the account was read.
    began: Timestamp,
}

impl Run<'_> {
    fn nothing_to_do(&self) -> ApplyOutcome {
        let mut outcome = outcome::nothing_to_do(self.plan);
        self.remember(&mut outcome, Some(self.plan));
        outcome
    }

    /// What the receipt says of the account and of what was asked for. `now`: the plan of what was read after the apply.
    fn remember(&self, outcome: &mut ApplyOutcome, now: Option<&Plan>) {
        let asked = trueup_planner::asked(self.desired, self.live, self.options.as_of);
        let measure = self.baseline.after(self.plan, now, asked, self.began);
        (outcome.facts, outcome.asked) = (measure.facts, measure.asked);
        outcome.measured_since = measure.since;
    }

    async fn execute(
        &self,
        password: Option<(UserName, Secret)>,
        terminal: &Terminal,
        signals: &Signals,
    ) -> Result<ApplyOutcome, CliError> {
        let mut receivers = delivery::receivers(self.plan, self.desired)?;
        if let Some((user, _)) = &password
            && delivery::only_a_password(self.plan, user)
        {
            receivers.retain(|name, recipients| name != user || recipients.is_some());
        }
        let sink = self.sink(password)?;
        if !receivers.is_empty() {
            approve::prepare(&sink)?;
        }
        let run_id = RunId::generate(Timestamp::now());
        let journals = self.directories.journals();
        let journal = Journal::create(&journals, self.plan, &run_id)?;
        let before = journals.join(format!("{}-{run_id}.before.json", self.plan.account_id));
        write_snapshot(&before, self.live)?;
        let report = {
            let progress = Shown(terminal.steps(self.plan.actions.len() as u64));
            let (canceller, mut cancel) = Cancel::pair();
            if let Some(lock) = self.lock {
                cancel = cancel.fenced(lock.fence());
            }
            let executor_options = self.executor_options();
            let execution = execute(
                self.plan,
                &self.api.clients.iam,
                &executor_options,
                &journal,
                &sink,
                &progress,
                &cancel,
            );
            tokio::pin!(execution);
            tokio::select! {
                report = &mut execution => report,
                _ = signals.wait() => {
                    canceller.cancel();
                    terminal.note("interrupted: finishing what is in flight; once more ends at once");
                    execution.await
                }
                () = self.lose_lock() => {
                    canceller.cancel();
                    terminal.note("the lock is lost: finishing what is in flight");
                    execution.await
                }
            }
        };
        let mut outcome = outcome::of(self.plan, report, journal.path(), &before);
        let mut now = None;
        if outcome.is_complete() && signals.caught().is_none() {
            let verify = verify::verify(
                self.plan,
                self.api,
                self.identity,
                self.desired,
                self.options,
                self.baseline,
                terminal,
            );
            tokio::select! {
                (verification, plan) = verify => {
                    outcome.verification = verification;
                    // Where not all is seen yet, what is seen is not what was corrected.
                    let is_seen = self.baseline.only.is_none() || outcome.verification == Verification::Clean;
                    now = plan.filter(|_| is_seen);
                }
                _ = signals.wait() => outcome.verification = skipped("the run was interrupted"),
            }
        } else {
            outcome.verification = skipped(if outcome.interrupted {
                "the run was interrupted"
            } else {
                "not everything was done"
            });
        }
        self.remember(&mut outcome, now.as_ref());
        Ok(outcome)
    }

    /// Returns once the lock of all machines is lost.
    async fn lose_lock(&self) {
        match self.lock {
            Some(lock) => lock.lost().await,
            None => std::future::pending().await,
        }
    }

    fn executor_options(&self) -> trueup_executor::Options {
        let options = trueup_executor::Options {
            expected_ids: expected_ids(self.live),
            deadline: self.args.compare.live.aws.deadline,
            ..trueup_executor::Options::new(self.identity.partition.as_str())
        };
        let sandbox = matches!(self.args.compare.live.live, LiveSource::Sandbox(_));
        if sandbox || self.api.clients.are_local() {
            options.local()
        } else {
            options
        }
    }

    fn sink(&self, password: Option<(UserName, Secret)>) -> Result<CredentialsSink, CliError> {
        let account = &self.live.account;
        let sign_in = SignIn::after(self.plan, account.alias.as_ref(), &account.partition);
        let longest = longest_minimum(self.plan, self.live);
        let mut files = CredentialFiles::new(&self.directories.credentials, sign_in, longest);
        if self.args.credentials.plain_credentials {
            files = files.plain();
        }
        if let Some((user, password)) = password {
            files = files.with_password(user, password);
        }
        for (user, recipients) in delivery::receivers(self.plan, self.desired)? {
            if let Some(recipients) = recipients {
                files = files.sealed_to(user, recipients);
            }
        }
        Ok(CredentialsSink::Files(files))
    }

    /// Writes the receipt and says what happened. A file that cannot be written keeps nothing from being said.
    fn tell(&self, outcome: &ApplyOutcome, terminal: &Terminal) -> Result<(), CliError> {
        let receipt = to_json(outcome)?;
        let render = |budget| {
            let options = MarkdownOptions {
                budget,
                ..MarkdownOptions::default()
            };
            render_apply_markdown(outcome, self.plan, &options)
        };
        let kept = match &self.args.receipt {
            Some(path) => output::write_text(path, &receipt),
            None => Ok(()),
        };
        let html = HtmlOptions {
            live: Some(self.live),
            outcome: Some(outcome),
            ..HtmlOptions::default()
        };
        let kept = kept.and(match &self.args.compare.markdown_into {
            Some(path) => markdown::write(path, terminal, render),
            None => Ok(()),
        });
        let kept = kept.and(match &self.args.compare.html_into {
            Some(path) => output::write_text(path, &render_plan_html(self.plan, &html)?),
            None => Ok(()),
        });
        terminal.result(&match self.args.compare.format {
            Format::Text => format!("\n{}", render_apply_text(outcome, self.plan, &terminal.text_options())),
            Format::Json => receipt,
            Format::Markdown => render(COMMENT_BUDGET),
            Format::Html => render_plan_html(self.plan, &html)?,
        })?;
        kept
    }
}

/// The longest that the account's password policy asks for, before the plan or after it.
fn longest_minimum(plan: &Plan, live: &Live) -> u32 {
    let before = live.account.password_policy.iter();
    let after = plan.actions.iter().filter_map(|action| match &action.call {
        Call::UpdateAccountPasswordPolicy { policy } => Some(policy),
        _ => None,
    });
    before
        .chain(after)
        .map(|policy| policy.minimum_password_length)
        .max()
        .unwrap_or_default()
}

fn skipped(because: &str) -> Verification {
    Verification::Skipped {
        because: because.to_owned(),
    }
}

fn exit(outcome: &ApplyOutcome, signals: &Signals, lock: Option<&RemoteLock>) -> Result<Exit, CliError> {
    if let Some(signal) = signals.caught() {
        return Ok(Exit::Interrupted(signal));
    }
    if !outcome.is_complete() {
        if let Some(lock) = lock {
            lock.check(outcome.wrote_something())?;
        }
        let count = |failed: bool| {
            let of_kind = |action: &&ActionOutcome| match action.result {
                ActionResult::Failed { .. } => failed,
                ActionResult::NotAttempted { .. } => !failed,
                ActionResult::Done | ActionResult::AlreadyDone => false,
            };
            outcome.actions.iter().filter(of_kind).count()
        };
        return Err(CliError::Incomplete {
            failed: count(true),
            not_attempted: count(false),
            written: outcome.wrote_something(),
        });
    }
    match &outcome.verification {
        Verification::Wrong(_) => Err(CliError::StillDiffers),
        // What was acknowledged is done, whether or not reads show it yet.
        Verification::Clean | Verification::NotVisibleYet(_) | Verification::Skipped { .. } => Ok(Exit::Done),
    }
}

/// Progress as a bar on a terminal.
struct Shown(Activity);

impl Progress for Shown {
    fn started(&self, _: &Action) {}

    fn finished(&self, action: &Action, _: &Outcome) {
        self.0.step(&format!("{} {}", action.call.operation(), action.resource));
    }
}
