//! `trueup permissions`: the IAM policies that trueup itself needs, and who may use them.

use trueup_model::{AccountId, Desired, Path, PolicyArn, PolicyDocument, PolicyName, quota};
use trueup_planner::permissions::{Job, Lock, Purpose, Request, policy, trust_of_github};

use crate::{
    args::{PermissionsArgs, PermissionsCommand, PermissionsOf},
    exit::{CliError, Exit},
    manifest,
    remote_lock::ObjectUrl,
    terminal::Terminal,
};

pub(crate) fn run(args: &PermissionsArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let (purpose, args, lock) = match &args.command {
        PermissionsCommand::Plan(args) => (Purpose::Plan, args, None),
        PermissionsCommand::Apply(args) => (Purpose::Apply, &args.of, args.lock.as_ref()),
    };
    let manifest = match &args.manifest {
        Some(path) if !path.as_os_str().is_empty() => Some(manifest::load(Some(path), None, terminal)?.0),
        _ => None,
    };
    if let (Some(given), Some(manifest)) = (&args.account, &manifest)
        && *given != manifest.account.id
    {
        return Err(CliError::AnotherAccount {
            given: given.clone(),
            manifest: manifest.account.id.clone(),
        });
    }
    let account = args
        .account
        .as_ref()
        .or(manifest.as_ref().map(|desired| &desired.account.id));
    let document = match &args.github {
        Some(_) => trust(purpose, args, account, terminal)?,
        None => permissions(purpose, args, lock, account, manifest.as_ref(), terminal)?,
    };
    terminal.result(&format!("{}\n", document.pretty().trim_end()))?;
    Ok(Exit::Done)
}

fn permissions(
    purpose: Purpose,
    args: &PermissionsOf,
    lock: Option<&ObjectUrl>,
    account: Option<&AccountId>,
    manifest: Option<&Desired>,
    terminal: &Terminal,
) -> Result<PolicyDocument, CliError> {
    let boundary = args
        .boundary
        .as_deref()
        .map(|text| boundary(text, args, account, manifest))
        .transpose()?;
    let document = policy(&Request {
        purpose,
        reads: trueup_reader::operations().collect(),
        looks: trueup_executor::LOOKS.into_iter().collect(),
        partition: &args.partition,
        account,
        manifest,
        boundary: boundary.as_ref(),
        own_roles: &[args.plan_role.clone(), args.apply_role.clone()],
        lock: lock.map(|url| Lock {
            bucket: url.bucket(),
            key: url.key(),
            actions: &ObjectUrl::ACTIONS,
        }),
    })
    .map_err(built)?;
    if document.size() > quota::MANAGED_POLICY_SIZE {
        terminal.note(&format!(
            "this has {} characters, and a managed policy at most {}; a role's inline policies have room for 10240",
            document.size(),
            quota::MANAGED_POLICY_SIZE
        ));
    }
    Ok(document)
}

/// A boundary by its ARN, or by its name in the manifest.
fn boundary(
    text: &str,
    args: &PermissionsOf,
    account: Option<&AccountId>,
    manifest: Option<&Desired>,
) -> Result<PolicyArn, CliError> {
    let by_name = manifest.zip(PolicyName::new(text).ok()).and_then(|(manifest, name)| {
        let policy = manifest.policies.get(&name)?;
        Some(PolicyArn::customer(
            &args.partition,
            account.unwrap_or(&manifest.account.id),
            &policy.path.clone().unwrap_or_else(Path::root),
            &name,
        ))
    });
    match (by_name, PolicyArn::new(text)) {
        (Some(arn), _) | (None, Ok(arn)) => Ok(arn),
        (None, Err(_)) => Err(CliError::refused(
            format!("`{text}` is neither a policy's ARN nor a policy that the manifest declares"),
            "give the ARN, or --manifest with the name of one of its policies",
        )),
    }
}

fn trust(
    purpose: Purpose,
    args: &PermissionsOf,
    account: Option<&AccountId>,
    terminal: &Terminal,
) -> Result<PolicyDocument, CliError> {
    let (Some(repository), Some(account)) = (&args.github, account) else {
        return Err(CliError::refused(
            "a trust policy names the account, and nothing says which".to_owned(),
            "give --account, or --manifest",
        ));
    };
    if !repository.has_ids() {
        terminal.note(&format!(
            "only tokens that name the repository without its ids are trusted; GitHub writes ids for repositories made, \
             renamed or moved since July 2026, and for those that opted in. Give them as ORG@ID/REPO@ID: \
             gh api repos/{} --jq '\"\\(.owner.id) \\(.id)\"'",
            repository.name()
        ));
    }
    if purpose == Purpose::Apply && args.environment.is_none() {
        terminal.note(&format!(
            "every job on the branch `{}` can use this role; an --environment with reviewers asks a person first",
            args.branch
        ));
    }
    let job = Job {
        purpose,
        branch: &args.branch,
        environment: args.environment.as_deref(),
    };
    trust_of_github(&args.partition, account, repository, job).map_err(built)
}

fn built(error: trueup_model::document::DocumentError) -> CliError {
    CliError::Usage(format!("the policy cannot be built: {error}"))
}
