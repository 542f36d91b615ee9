//! The command line as it is typed. What the words mean is decided by the commands.

mod access;
mod files;
mod init;
#[cfg(test)]
mod invocations;
mod people;
mod permissions;
mod tools;

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use trueup_planner::{GuardrailCode, Only};

pub(crate) use self::access::{
    AccessArgs, AccessCommand, AccountArgs, AnswerFormat, AssertArgs, CanArgs, DiffArgs, FailOn, GraphArgs,
    GraphFormat, ListArgs, QuestionArgs, WhoCanArgs,
};
pub(crate) use self::{
    init::{InitAnswers, InitArgs, MfaAnswer, PasswordPolicyAnswer},
    people::{
        CredentialsCommand, CredentialsCommandArgs, CredentialsInstructionsArgs, CredentialsOpenArgs, MfaArgs,
        MfaCommand, MfaEnrollArgs, MfaResetArgs, MfaResyncArgs, MfaStatusArgs,
    },
    permissions::{PermissionsArgs, PermissionsCommand, PermissionsOf},
    tools::{CompletionsArgs, FmtArgs, ManArgs},
};
use crate::{exit, remote_lock::ObjectUrl};

const EXAMPLES: &str = "\
Examples:
  trueup plan                         what differs from ./trueup.yaml or ./trueup/
  trueup plan people/ --live sandbox  the same without an AWS account
  trueup apply --plan reviewed.json   apply exactly what was reviewed
  trueup drift --format json          for a nightly job: exit 2 on a difference
  trueup export > trueup.yaml         a manifest of the account as it is";

/// trueup keeps the IAM of AWS accounts true to a manifest in git.
#[derive(Debug, Parser)]
#[command(
    name = "trueup",
    version,
    disable_version_flag = true,
    arg_required_else_help = true,
    override_usage = "trueup [OPTIONS] <COMMAND>",
    about = "Keeps the IAM of AWS accounts true to a manifest in git",
    after_help = format!("{EXAMPLES}\n\n{}", exit::TABLE),
    disable_help_subcommand = true,
    infer_long_args = false,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Print version
    #[arg(short = 'V', long, action = ArgAction::SetTrue)]
    pub(crate) version: bool,
    /// With --version: how it was built, and of what, as JSON
    #[arg(long, action = ArgAction::SetTrue, requires = "version")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes the first manifest of an account
    #[command(
        after_help = "Examples:\n  trueup init                              a manifest to begin from\n  trueup init --from-live                  asks for what a first account needs\n  trueup init --from-live --defaults --administrator alice --deliver-to 'ssh-ed25519 AAAA…'\n  trueup init --checklist                  what only root can do, and how much of it is done"
    )]
    Init(InitArgs),
    /// Checks a manifest, without any network
    #[command(after_help = "Examples:\n  trueup validate\n  trueup validate trueup/ --format json")]
    Validate(ValidateArgs),
    /// Writes manifests in canonical form: one order, one layout, comments kept
    #[command(
        after_help = "Examples:\n  trueup fmt                        writes, and says which files have changed\n  trueup fmt --check --diff         for a pipeline: exit 1 where a file would change\n  trueup fmt - < trueup.yaml        from stdin to stdout"
    )]
    Fmt(FmtArgs),
    /// Shows what differs and what apply would do; writes nothing to AWS
    #[command(
        after_help = "Examples:\n  trueup plan --out reviewed.json\n  trueup plan --live snapshot:account.json --detailed-exitcode\n  trueup plan --json-into plan.json --markdown-into comment.md --annotations github"
    )]
    Plan(PlanArgs),
    /// Makes the account match the manifest
    #[command(
        after_help = "Examples:\n  trueup apply\n  trueup apply --plan reviewed.json\n  trueup apply --expect-digest sha256:… --auto-approve --allow deletions\n  trueup apply --only drift --baseline receipt.json --auto-approve"
    )]
    Apply(ApplyArgs),
    /// As plan, and exits 2 when there are changes
    #[command(
        after_help = "Examples:\n  trueup drift --format json\n  trueup drift --strict -q\n  trueup drift --only drift --baseline receipt.json"
    )]
    Drift(DriftArgs),
    /// Shows a saved plan
    #[command(after_help = "Examples:\n  trueup show reviewed.json\n  trueup plan --format json | trueup show -")]
    Show(ShowArgs),
    /// Writes a manifest of the account as it is
    #[command(after_help = "Examples:\n  trueup export > trueup.yaml\n  trueup export --dir trueup/ --path /platform/")]
    Export(ExportArgs),
    /// Writes down the live account, to plan from without credentials
    #[command(
        after_help = "Examples:\n  trueup snapshot --out account.json\n  trueup plan --live snapshot:account.json"
    )]
    Snapshot(SnapshotArgs),
    /// Answers who can do what: of the manifest, or of a live account
    #[command(
        after_help = "Examples:\n  trueup access can alice s3:GetObject arn:aws:s3:::reports/x\n  trueup access who-can iam:CreateUser --live aws\n  trueup access assert access.txt"
    )]
    Access(AccessArgs),
    /// Shows whose credentials are used, and of which account
    #[command(after_help = "Examples:\n  trueup whoami\n  trueup whoami --profile prod --format json")]
    Whoami(WhoamiArgs),
    /// Prints the least IAM policies that trueup itself needs, and who may use them
    Permissions(PermissionsArgs),
    /// Prints a JSON Schema
    #[command(after_help = "Examples:\n  trueup schema manifest > trueup.schema.json")]
    Schema(SchemaArgs),
    /// Shows who has which MFA devices, and adds, resynchronises or removes them
    Mfa(MfaArgs),
    /// Opens sealed credentials, and writes sign-in instructions
    Credentials(CredentialsCommandArgs),
    /// Runs, or empties, the IAM that lives in a file
    #[command(
        after_help = "Examples:\n  trueup sandbox serve --port 4566\n  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws iam list-users\n  trueup sandbox reset --live sandbox:a.json"
    )]
    Sandbox(SandboxArgs),
    /// Removes the lock of a run that is gone
    #[command(
        after_help = "Examples:\n  trueup force-unlock 20261120T120000Z-0badcafe --lock s3://acme-locks/prod.lock"
    )]
    ForceUnlock(ForceUnlockArgs),
    /// Prints what a shell needs to complete trueup's commands and options
    #[command(
        after_help = "Examples:\n  trueup completions bash > ~/.local/share/bash-completion/completions/trueup\n  trueup completions zsh > ~/.zfunc/_trueup\n  trueup completions fish > ~/.config/fish/completions/trueup.fish"
    )]
    Completions(CompletionsArgs),
    /// Prints manual pages
    #[command(after_help = "Examples:\n  trueup man | man -l -\n  trueup man --out /usr/local/share/man/man1")]
    Man(ManArgs),
}

impl Command {
    /// The name of a command that asks a live account, or may do so; `None` for one that never does, and for the sandbox,
    /// which answers.
    pub(crate) fn asks_an_account(&self) -> Option<&'static str> {
        match self {
            Self::Init(_) => Some("init"),
            Self::Plan(_) => Some("plan"),
            Self::Apply(_) => Some("apply"),
            Self::Drift(_) => Some("drift"),
            Self::Export(_) => Some("export"),
            Self::Snapshot(_) => Some("snapshot"),
            Self::Access(_) => Some("access"),
            Self::Whoami(_) => Some("whoami"),
            Self::Mfa(_) => Some("mfa"),
            Self::ForceUnlock(_) => Some("force-unlock"),
            Self::Validate(_)
            | Self::Fmt(_)
            | Self::Show(_)
            | Self::Permissions(_)
            | Self::Schema(_)
            | Self::Credentials(_)
            | Self::Sandbox(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// How results, progress and logs are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Whether to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", env = "TRUEUP_COLOR")]
    pub(crate) color: Color,
    /// Says more: long lists whole and the calls in order; twice and three times: logs
    #[arg(short, long, global = true, action = ArgAction::Count, env = "TRUEUP_VERBOSE")]
    pub(crate) verbose: u8,
    /// Says only the result, and what stands in its way
    #[arg(short, long, global = true, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_QUIET")]
    pub(crate) quiet: bool,
    /// How logs are written to stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT", env = "TRUEUP_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    /// For the comment of a pull request or the summary of a job; of plans and applies
    Markdown,
    /// One page that needs nothing else; of plans and applies
    Html,
}

/// Who shows remarks beside the lines of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Annotations {
    Github,
}

/// Where the live account is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Live account")]
pub(crate) struct LiveArgs {
    /// Where the live account is: aws, sandbox, sandbox:FILE or snapshot:FILE
    #[arg(long, default_value = "aws", value_name = "SOURCE", env = "TRUEUP_LIVE")]
    pub(crate) live: LiveSource,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// How AWS is reached.
#[derive(Debug, Clone, Args)]
pub(crate) struct AwsArgs {
    /// The profile of the AWS configuration to use instead of AWS_PROFILE
    #[arg(long, value_name = "NAME", env = "TRUEUP_PROFILE")]
    pub(crate) profile: Option<String>,
    /// The region that requests are signed for and that picks the partition
    #[arg(long, value_name = "REGION", env = "TRUEUP_REGION")]
    pub(crate) region: Option<String>,
    /// Another endpoint for IAM, and for STS unless AWS_ENDPOINT_URL_STS names one
    #[arg(long, value_name = "URL", env = "TRUEUP_ENDPOINT_URL")]
    pub(crate) endpoint_url: Option<String>,
    /// A role to assume before anything else
    #[arg(long, value_name = "ARN", env = "TRUEUP_ROLE_ARN")]
    pub(crate) role_arn: Option<String>,
    /// How long reading, and apply's retries, may take altogether, such as 90s, 30m or 1h
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration, env = "TRUEUP_DEADLINE")]
    pub(crate) deadline: Duration,
}

/// The value of `--live`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LiveSource {
    Aws,
    Sandbox(PathBuf),
    Snapshot(PathBuf),
}

impl std::str::FromStr for LiveSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "aws" => Ok(Self::Aws),
            None if text == "sandbox" => Ok(Self::Sandbox(PathBuf::from(".trueup/sandbox.json"))),
            Some(("sandbox", file)) if !file.is_empty() => Ok(Self::Sandbox(PathBuf::from(file))),
            Some(("snapshot", file)) if !file.is_empty() => Ok(Self::Snapshot(PathBuf::from(file))),
            _ => Err("expected aws, sandbox, sandbox:FILE or snapshot:FILE"),
        }
    }
}

impl std::fmt::Display for LiveSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Aws => f.write_str("aws"),
            Self::Sandbox(file) => write!(f, "sandbox:{}", file.display()),
            Self::Snapshot(file) => write!(f, "snapshot:{}", file.display()),
        }
    }
}

impl LiveArgs {
    /// The words that say the same again, with another command. How long it may take is each command's own.
    pub(crate) fn words(&self) -> Vec<String> {
        let Self {
            live,
            aws:
                AwsArgs {
                    profile,
                    region,
                    endpoint_url,
                    role_arn,
                    deadline: _,
                },
        } = self;
        let live = (*live != LiveSource::Aws).then(|| live.to_string());
        let flags = [
            ("--live", &live),
            ("--profile", profile),
            ("--region", region),
            ("--endpoint-url", endpoint_url),
            ("--role-arn", role_arn),
        ];
        let given = flags.into_iter().filter_map(|(flag, value)| {
            let value = value.as_ref().filter(|value| !value.is_empty())?;
            Some([flag.to_owned(), value.clone()])
        });
        given.flatten().collect()
    }
}

/// What plan, apply and drift share.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    /// The manifest, a file or a directory [default: trueup.yaml or trueup/, looked for upwards to the git root]
    #[arg(env = "TRUEUP_MANIFEST")]
    pub(crate) manifest: Option<PathBuf>,
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: Format,
    /// Also writes the plan document to a file
    #[arg(long, value_name = "FILE", env = "TRUEUP_JSON_INTO")]
    pub(crate) json_into: Option<PathBuf>,
    /// Also writes Markdown to a file; appends where it is $GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE", env = "TRUEUP_MARKDOWN_INTO")]
    pub(crate) markdown_into: Option<PathBuf>,
    /// Also writes an HTML page to a file, which needs nothing else
    #[arg(long, value_name = "FILE", env = "TRUEUP_HTML_INTO")]
    pub(crate) html_into: Option<PathBuf>,
    /// Also writes remarks to stderr that are shown beside the lines of the manifest
    #[arg(long, value_enum, value_name = "WHERE", env = "TRUEUP_ANNOTATIONS")]
    pub(crate) annotations: Option<Annotations>,
    /// The day that `expires` and `until` are compared with [default: today, UTC]
    #[arg(long, value_name = "DATE", env = "TRUEUP_AS_OF")]
    pub(crate) as_of: Option<Date>,
    /// Exits 3 on an unmet requirement, a guardrail, a lapsed rule or (plan and drift) a lint that is no
    /// suggestion
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_STRICT")]
    pub(crate) strict: bool,
    /// Lets a guardrail pass; can be given several times
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = guardrail, env = "TRUEUP_ALLOW")]
    pub(crate) allow: Vec<GuardrailCode>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Saves the plan document for `apply --plan` and `show`
    #[arg(long, value_name = "FILE", env = "TRUEUP_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// Exits 2 when there are changes
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_DETAILED_EXITCODE")]
    pub(crate) detailed_exitcode: bool,
    /// Exits 4 and names what moved unless this reviewed plan still holds: a saved plan, or its digest, which cannot tell
    /// what moved
    #[arg(long, value_name = "PLAN|DIGEST", env = "TRUEUP_CHECK_DIGEST")]
    pub(crate) check_digest: Option<String>,
    /// Exits 3 on a plan that takes a person's approval: where somebody may gain access, or on any change
    #[arg(long, value_enum, default_value_t = RequireApproval::Never, value_name = "WHEN", env = "TRUEUP_REQUIRE_APPROVAL")]
    pub(crate) require_approval: RequireApproval,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
}

/// Which plans take a person's approval, whatever else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequireApproval {
    /// None
    Never,
    /// Those that let somebody do more, or of which that is not known
    Broadening,
    /// Those that change anything
    AnyChange,
}

/// What tells drift from what is not applied yet.
#[derive(Debug, Args)]
pub(crate) struct SinceArgs {
    /// The receipt of the last apply: tells what has drifted since from what is not applied yet
    #[arg(long, value_name = "RECEIPT", env = "TRUEUP_BASELINE")]
    pub(crate) baseline: Option<PathBuf>,
    /// With --baseline: only what has drifted. What is not applied yet, what falls due by its date, and what is held is
    /// listed and left; a whole apply does it
    #[arg(long, value_name = "WHAT", value_parser = only, env = "TRUEUP_ONLY")]
    pub(crate) only: Option<Only>,
}

/// `drift` is all that an apply can be limited to.
fn only(text: &str) -> Result<Only, &'static str> {
    match text {
        "drift" => Ok(Only::Drift),
        _ => Err("expected drift"),
    }
}

#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) since: SinceArgs,
    /// Exits 4 and names what moved unless this reviewed plan of a drift still holds, made with the same --baseline and
    /// --only: a saved plan, or its digest, which cannot tell what moved
    #[arg(long, value_name = "PLAN|DIGEST", env = "TRUEUP_CHECK_DIGEST")]
    pub(crate) check_digest: Option<String>,
    /// Also writes one line for a chat to a file
    #[arg(long, value_name = "FILE", env = "TRUEUP_LINE_INTO")]
    pub(crate) line_into: Option<PathBuf>,
    /// Also writes test results to a file, as JUnit's XML
    #[arg(long, value_name = "FILE", env = "TRUEUP_JUNIT_INTO")]
    pub(crate) junit_into: Option<PathBuf>,
    /// Also writes findings to a file, as SARIF
    #[arg(long, value_name = "FILE", env = "TRUEUP_SARIF_INTO")]
    pub(crate) sarif_into: Option<PathBuf>,
    /// Also writes numbers to a file, in the format of Prometheus
    #[arg(long, value_name = "FILE", env = "TRUEUP_METRICS_INTO")]
    pub(crate) metrics_into: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Writes what was applied, as JSON
    #[arg(long, value_name = "FILE", env = "TRUEUP_RECEIPT")]
    pub(crate) receipt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) since: SinceArgs,
    /// Where journals, undo snapshots and locks are kept [default: $XDG_STATE_HOME/trueup or ~/.local/state/trueup]
    #[arg(long, value_name = "DIR", env = "TRUEUP_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    // These have headings of their own, which would hold for what comes after them, too.
    #[command(flatten)]
    pub(crate) approval: ApprovalArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialsArgs,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
}

/// What keeps other machines' runs from applying at the same time.
#[derive(Debug, Args)]
#[command(next_help_heading = "Lock")]
pub(crate) struct LockArgs {
    /// An object that is the lock of runs on all machines, s3://BUCKET/KEY
    #[arg(long, value_name = "URL", env = "TRUEUP_LOCK")]
    pub(crate) lock: Option<ObjectUrl>,
    /// How long the lock outlives a run that has died
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, env = "TRUEUP_LOCK_LEASE")]
    pub(crate) lock_lease: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct ForceUnlockArgs {
    /// The id of the lock, as the refused run has shown it
    pub(crate) id: String,
    /// The lock, s3://BUCKET/KEY
    #[arg(long, value_name = "URL", env = "TRUEUP_LOCK")]
    pub(crate) lock: ObjectUrl,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// What lets an apply go ahead.
#[derive(Debug, Args)]
#[command(next_help_heading = "Approval")]
pub(crate) struct ApprovalArgs {
    /// The reviewed plan: goes on only if the plan of now is the same
    #[arg(long, value_name = "FILE", env = "TRUEUP_PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// The reviewed plan's digest: goes on only if the plan of now has it
    #[arg(long, value_name = "DIGEST", env = "TRUEUP_EXPECT_DIGEST")]
    pub(crate) expect_digest: Option<String>,
    /// Does not ask
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_AUTO_APPROVE")]
    pub(crate) auto_approve: bool,
    /// Which plans --auto-approve does not cover: those take a reviewed plan or an answer, or exit 3
    #[arg(long, value_enum, default_value_t = RequireApproval::Never, value_name = "WHEN", env = "TRUEUP_REQUIRE_APPROVAL")]
    pub(crate) require_approval: RequireApproval,
}

/// Where new credentials go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct CredentialsArgs {
    /// Where new credentials go [default: credentials in the state directory]
    #[arg(long, value_name = "DIR", env = "TRUEUP_CREDENTIALS_DIR")]
    pub(crate) credentials_dir: Option<PathBuf>,
    /// Writes new credentials as plain files, readable by this user alone
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_PLAIN_CREDENTIALS")]
    pub(crate) plain_credentials: bool,
    /// Asks on the terminal for the password that the plan sets for this user, instead of making one
    #[arg(long, value_name = "USER", env = "TRUEUP_ASK_PASSWORD")]
    pub(crate) ask_password: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The manifest, a file or a directory [default: trueup.yaml or trueup/, looked for upwards to the git root]
    #[arg(env = "TRUEUP_MANIFEST")]
    pub(crate) manifest: Option<PathBuf>,
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: Format,
    /// Also writes remarks to stderr that are shown beside the lines of the manifest
    #[arg(long, value_enum, value_name = "WHERE", env = "TRUEUP_ANNOTATIONS")]
    pub(crate) annotations: Option<Annotations>,
    /// Exits 3 on a warning, a lint that is no suggestion, or a lapsed rule
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_STRICT")]
    pub(crate) strict: bool,
    /// Action data to use instead of the embedded one
    #[arg(long, value_name = "FILE", env = "TRUEUP_IAM_DATA")]
    pub(crate) iam_data: Option<PathBuf>,
    /// The day that `until` is compared with [default: today, UTC]
    #[arg(long, value_name = "DATE", env = "TRUEUP_AS_OF")]
    pub(crate) as_of: Option<Date>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The saved plan, or - for stdin
    pub(crate) plan: PathBuf,
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Writes one file instead of stdout
    #[arg(long, short, value_name = "FILE", conflicts_with = "dir", env = "TRUEUP_OUTPUT")]
    pub(crate) output: Option<PathBuf>,
    /// Writes into a directory instead of stdout
    #[arg(long, value_name = "DIR", env = "TRUEUP_DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Only what lies below a path; can be given several times
    #[arg(long = "path", value_name = "PATH", value_delimiter = ',', env = "TRUEUP_PATH")]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    /// Writes a file instead of stdout
    #[arg(long, value_name = "FILE", env = "TRUEUP_OUT")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WhoamiArgs {
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

/// What there are schemas of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The manifest, for editors
    Manifest,
    /// The plan document
    Plan,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serves the sandbox on 127.0.0.1
    Serve(ServeArgs),
    /// Empties the sandbox
    Reset(ResetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The sandbox: sandbox or sandbox:FILE
    #[arg(long, default_value = "sandbox", value_name = "SOURCE", env = "TRUEUP_LIVE")]
    pub(crate) live: LiveSource,
    /// The port; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "N", env = "TRUEUP_PORT")]
    pub(crate) port: u16,
    /// The account id of a new sandbox
    #[arg(long, default_value = "123456789012", value_name = "ID", env = "TRUEUP_ACCOUNT")]
    pub(crate) account: String,
    /// The partition of a new sandbox, such as aws-cn or aws-us-gov
    #[arg(long, default_value = "aws", value_name = "PARTITION", env = "TRUEUP_PARTITION")]
    pub(crate) partition: String,
    /// Let callers do what their own policies allow, by the keys that they sign with; without it, any key and signature
    /// pass, as root
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_ENFORCE")]
    pub(crate) enforce: bool,
    /// Faults to make, such as throttle=0.2,seed=7 (TRUEUP_SANDBOX_FAULTS)
    #[arg(long, value_name = "FAULTS", env = "TRUEUP_SANDBOX_FAULTS")]
    pub(crate) faults: Option<String>,
    /// The share of calls to throttle, from 0 to 1: short for --faults throttle=…
    #[arg(long, value_name = "SHARE", env = "TRUEUP_THROTTLE")]
    pub(crate) throttle: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The sandbox: sandbox or sandbox:FILE
    #[arg(long, default_value = "sandbox", value_name = "SOURCE", env = "TRUEUP_LIVE")]
    pub(crate) live: LiveSource,
    /// The account id of the emptied sandbox [default: as before]
    #[arg(long, value_name = "ID", env = "TRUEUP_ACCOUNT")]
    pub(crate) account: Option<String>,
}

/// A switch from the environment: what says neither yes nor no is an error, since `--auto-approve` is one of them.
pub(crate) fn flag(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "" | "0" | "false" | "no" | "off" | "n" | "f" => Ok(false),
        "1" | "true" | "yes" | "on" | "y" | "t" => Ok(true),
        _ => Err("expected true or false"),
    }
}

fn guardrail(text: &str) -> Result<GuardrailCode, String> {
    GuardrailCode::ALL
        .into_iter()
        .find(|code| code.as_str() == text)
        .ok_or_else(|| {
            let codes: Vec<_> = GuardrailCode::ALL.into_iter().map(GuardrailCode::as_str).collect();
            format!("expected one of {}", codes.join(", "))
        })
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a time such as 90s, 30m or 1h";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| EXPECTED)?;
    let seconds = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(EXPECTED),
    };
    let seconds = number
        .checked_mul(seconds)
        .filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or("expected between 1s and 24h")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("trueup").chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_variable() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                // `--json` is a word of `--version`, which stands alone.
                if argument.is_positional() || ["help", "version", "json"].contains(&id) {
                    continue;
                }
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                assert!(
                    variable.is_some_and(|name| name.starts_with("TRUEUP_")),
                    "{} --{id}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn live_sources_are_read() {
        let cases = [
            ("aws", Some(LiveSource::Aws)),
            ("sandbox", Some(LiveSource::Sandbox(".trueup/sandbox.json".into()))),
            ("sandbox:a:b.json", Some(LiveSource::Sandbox("a:b.json".into()))),
            ("snapshot:s.json", Some(LiveSource::Snapshot("s.json".into()))),
            ("snapshot", None),
            ("snapshot:", None),
            ("sandbox:", None),
            ("AWS", None),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_was_said_about_the_account_can_be_said_again() {
        let line = "init --live sandbox:a.json --profile p --region r --endpoint-url http://x --role-arn arn:x";
        let Some(Command::Init(init)) = parse(line).unwrap().command else {
            panic!("not an init")
        };
        assert_eq!(format!("init {}", init.live.words().join(" ")), line);
        let Some(Command::Init(init)) = parse("init").unwrap().command else {
            panic!("not an init")
        };
        assert!(init.live.words().is_empty());
    }

    #[test]
    fn switches_from_the_environment_say_yes_or_no() {
        assert_eq!((flag("1"), flag("TRUE"), flag("")), (Ok(true), Ok(true), Ok(false)));
        assert!(flag("flase").is_err());
    }

    #[test]
    fn times_have_units_and_bounds() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for bad in [
            "",
            "90",
            "s",
            "1d",
            "0s",
            "25h",
            "-1s",
            "99999999999999999999h",
            "18446744073709551615h",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn guardrails_are_named() {
        let cli = parse("plan --allow deletions,alias --allow mfa").unwrap();
        let Some(Command::Plan(plan)) = cli.command else {
            panic!("not a plan")
        };
        assert_eq!(plan.compare.allow.len(), 3);
        let message = parse("plan --allow everything").unwrap_err().to_string();
        assert!(message.contains("own-access"), "{message}");
    }

    #[test]
    fn unknown_words_are_refused() {
        for line in [
            "",
            "paln",
            "plan --lvie aws",
            "plan a b",
            "schema x",
            "plan --color maybe",
        ] {
            let kind = parse(line).unwrap_err().kind();
            assert!(
                !matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion),
                "{line}"
            );
        }
    }
}
