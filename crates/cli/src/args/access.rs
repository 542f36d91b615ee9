//! The arguments of `trueup access`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{AwsArgs, LiveSource};

#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    #[command(subcommand)]
    pub(crate) command: AccessCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Who can do something
    #[command(
        name = "who-can",
        after_help = "Examples:\n  trueup access who-can iam:CreateUser\n  trueup access who-can s3:DeleteObject 'arn:aws:s3:::reports/*' --live aws"
    )]
    WhoCan(WhoCanArgs),
    /// Whether somebody can do something, and which statements decide: exit 0 for yes, 3 for no, 1 for not known
    #[command(
        after_help = "Examples:\n  trueup access can alice s3:GetObject arn:aws:s3:::reports/x\n  trueup access can alice iam:CreateUser --context aws:MultiFactorAuthPresent=true\n  trueup access can role/deploy s3:PutObject arn:aws:s3:::site/* --live snapshot:account.json"
    )]
    Can(CanArgs),
    /// What one document, user, manifest or account allows that another does not
    #[command(
        after_help = "Examples:\n  trueup access diff old.json new.json --fail-on broadening\n  trueup access diff user:alice user:bob\n  trueup access diff snapshot:before.json snapshot:after.json --format json\n  trueup access diff aws trueup/\n\nOLD and NEW: a file with a policy document, a manifest (a .yaml file or a directory), snapshot:FILE,\nsandbox:FILE, aws, the ARN of an AWS managed policy, or user:NAME, role:NAME and group:NAME of the\nmanifest (--manifest) or the live account (--live)"
    )]
    Diff(DiffArgs),
    /// What somebody can do, by service and access level, and through what
    #[command(after_help = "Examples:\n  trueup access list alice\n  trueup access list role/deploy --live aws")]
    List(ListArgs),
    /// Checks assertions such as `alice cannot iam:*`: exit 3 where one does not hold
    #[command(
        after_help = "Examples:\n  trueup access assert access.txt\n  trueup access assert access.txt --live aws --format json\n\nIn a file:\n  alice can s3:GetObject on arn:aws:s3:::reports/*\n  bob cannot iam:*\n  nobody outside administrators can iam:*, organizations:*\n  members of developers cannot s3:DeleteObject on * with aws:SecureTransport=true"
    )]
    Assert(AssertArgs),
    /// Draws users, roles, groups, policies and services
    #[command(
        after_help = "Examples:\n  trueup access graph --out access.html\n  trueup access graph --only alice --live snapshot:account.json > alice.svg"
    )]
    Graph(GraphArgs),
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    Svg,
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// Draws only what this user, role/NAME or group/NAME holds; can be given several times
    #[arg(long, value_name = "NAME", env = "TRUEUP_ONLY")]
    pub(crate) only: Vec<String>,
    /// Writes a file instead of stdout
    #[arg(long, value_name = "FILE", env = "TRUEUP_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// How the picture is written [default: svg, or html where FILE ends so]
    #[arg(long, value_enum, value_name = "FORMAT", env = "TRUEUP_GRAPH_FORMAT")]
    pub(crate) format: Option<GraphFormat>,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

/// Whose access is asked about.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Account")]
pub(crate) struct AccountArgs {
    /// The manifest, a file or a directory [default: trueup.yaml or trueup/, looked for upwards to the git root]
    #[arg(long, value_name = "PATH", env = "TRUEUP_MANIFEST", conflicts_with = "live")]
    pub(crate) manifest: Option<PathBuf>,
    /// Asks a live account instead of the manifest: aws, sandbox, sandbox:FILE or snapshot:FILE
    #[arg(long, value_name = "SOURCE", env = "TRUEUP_ACCESS_LIVE")]
    pub(crate) live: Option<LiveSource>,
    /// Action data to use instead of the embedded one
    #[arg(long, value_name = "FILE", env = "TRUEUP_IAM_DATA")]
    pub(crate) iam_data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    Text,
    Json,
}

/// What a request is about beside its action.
#[derive(Debug, Clone, Args)]
pub(crate) struct QuestionArgs {
    /// The action, such as s3:GetObject, or a pattern of actions
    #[arg(value_parser = action)]
    pub(crate) action: String,
    /// The resource's ARN, a pattern of ARNs, or * for any resource and for actions that have none
    #[arg(default_value = "*", value_parser = resource)]
    pub(crate) resource: String,
    /// A condition key and its value, such as aws:SourceIp=203.0.113.7; can be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value, env = "TRUEUP_CONTEXT")]
    pub(crate) context: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct WhoCanArgs {
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CanArgs {
    /// A user, or role/NAME
    #[arg(value_name = "USER")]
    pub(crate) principal: String,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// A user, or role/NAME or group/NAME
    #[arg(value_name = "USER")]
    pub(crate) principal: String,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

/// What of a difference fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// NEW allows anything that OLD does not, or may do so
    Broadening,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// What was allowed
    pub(crate) old: String,
    /// What is allowed
    pub(crate) new: String,
    /// Exits 3 where that is the case
    #[arg(long, value_enum, value_name = "WHAT", env = "TRUEUP_FAIL_ON")]
    pub(crate) fail_on: Option<FailOn>,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AssertArgs {
    /// Files with assertions, or - for stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

fn action(text: &str) -> Result<String, &'static str> {
    let halves: Vec<&str> = text.split(':').collect();
    if text == "*" || (halves.len() == 2 && halves.iter().all(|half| !half.is_empty())) {
        Ok(text.to_owned())
    } else {
        Err("expected a service and a name, such as s3:GetObject or s3:*")
    }
}

fn resource(text: &str) -> Result<String, &'static str> {
    if text == "*" || (text.starts_with("arn:") && text.split(':').count() >= 6) {
        Ok(text.to_owned())
    } else {
        Err("expected an ARN such as arn:aws:s3:::reports/x, or *")
    }
}

fn key_and_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if key.contains(':') => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected a condition key and a value, such as aws:SecureTransport=true"),
    }
}
