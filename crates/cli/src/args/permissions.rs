//! The arguments of `trueup permissions`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trueup_model::{AccountId, PARTITIONS};
use trueup_planner::permissions::Github;

use crate::remote_lock::ObjectUrl;

#[derive(Debug, Args)]
pub(crate) struct PermissionsArgs {
    #[command(subcommand)]
    pub(crate) command: PermissionsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PermissionsCommand {
    /// The policy of a role that plans: nothing but reads
    #[command(
        after_help = "Examples:\n  trueup permissions plan --manifest trueup.yaml\n  trueup permissions plan --account 123456789012 --github acme@123456/accounts@456789"
    )]
    Plan(PermissionsOf),
    /// The policy of a role that applies: the same reads, and what a plan can hold
    #[command(
        after_help = "Examples:\n  trueup permissions apply --manifest trueup.yaml --boundary team-boundary\n  trueup permissions apply --account 123456789012 --github acme@123456/accounts@456789 --environment production\n  trueup permissions apply --lock s3://acme-locks/prod/iam.lock"
    )]
    Apply(PermissionsOfApply),
}

#[derive(Debug, Args)]
pub(crate) struct PermissionsOfApply {
    /// Also allows what `apply --lock` does with this object, s3://BUCKET/KEY
    #[arg(long, value_name = "URL", env = "TRUEUP_LOCK")]
    pub(crate) lock: Option<ObjectUrl>,
    #[command(flatten)]
    pub(crate) of: PermissionsOf,
}

#[derive(Debug, Args)]
pub(crate) struct PermissionsOf {
    /// Narrows the policy to the account and the scope of a manifest [default: everything that trueup can manage]
    #[arg(long, value_name = "PATH", env = "TRUEUP_MANIFEST")]
    pub(crate) manifest: Option<PathBuf>,
    /// The account [default: the manifest's, or any]; with --manifest, no other than the manifest's
    #[arg(long, value_name = "ID", value_parser = account, env = "TRUEUP_ACCOUNT")]
    pub(crate) account: Option<AccountId>,
    /// The partition: aws, aws-cn, aws-us-gov and so on
    #[arg(long, value_name = "NAME", default_value = "aws", value_parser = partition, env = "TRUEUP_PARTITION")]
    pub(crate) partition: String,
    /// Gives nothing to users who do not have this permissions boundary: its ARN, or its name in the manifest
    #[arg(long, value_name = "POLICY", env = "TRUEUP_BOUNDARY")]
    pub(crate) boundary: Option<String>,
    /// The role that plans, which no plan may change, with its path where it has one
    #[arg(long, value_name = "ROLE", default_value = "trueup-plan", value_parser = role, env = "TRUEUP_PLAN_ROLE")]
    pub(crate) plan_role: String,
    /// The role that applies, which no plan may change
    #[arg(long, value_name = "ROLE", default_value = "trueup-apply", value_parser = role, env = "TRUEUP_APPLY_ROLE")]
    pub(crate) apply_role: String,
    /// Prints who may use the role instead: jobs of a GitHub repository, ORG/REPO or ORG@ID/REPO@ID
    #[arg(long, value_name = "REPOSITORY", env = "TRUEUP_GITHUB")]
    pub(crate) github: Option<Github>,
    /// The GitHub environment in which the jobs have to run
    #[arg(long, value_name = "NAME", requires = "github", env = "TRUEUP_ENVIRONMENT")]
    pub(crate) environment: Option<String>,
    /// The branch whose jobs are trusted where there is no environment
    #[arg(long, value_name = "NAME", default_value = "main", env = "TRUEUP_BRANCH")]
    pub(crate) branch: String,
}

fn account(text: &str) -> Result<AccountId, &'static str> {
    AccountId::new(text).map_err(|_| "expected twelve digits")
}

fn partition(text: &str) -> Result<String, String> {
    if PARTITIONS.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("expected one of {}", PARTITIONS.join(", ")))
}

fn role(text: &str) -> Result<String, &'static str> {
    let text = text.trim_start_matches('/');
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    let right = !text.is_empty() && !text.ends_with('/') && text.chars().all(is_name);
    right
        .then(|| text.to_owned())
        .ok_or("expected a role's name, or its path and name as in ci/trueup-apply")
}
