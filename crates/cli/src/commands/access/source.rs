//! Whose access is asked about: the manifest, or a live account.

use std::path::Path;

use trueup_access::{Account, IamData};
use trueup_model::{Live, PolicyArn, PolicyDocument};
use trueup_report::access::Basis;

use crate::{
    args::{AccountArgs, AwsArgs, LiveArgs, LiveSource},
    exit::CliError,
    live::Source,
    manifest,
    terminal::Terminal,
};

/// An account and what is known of where it comes from.
pub(crate) struct Known {
    pub(crate) account: Account,
    pub(crate) basis: Basis,
}

/// The action data that was asked for, kept for as long as the program runs.
pub(crate) fn iam_data(file: Option<&Path>) -> Result<&'static IamData, CliError> {
    let Some(path) = file.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(IamData::embedded());
    };
    let bytes = std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let data = IamData::parse(&bytes).map_err(|error| CliError::Content {
        path: path.to_owned(),
        what: "action data",
        problem: crate::exit::with_causes(&error)
            .trim_start_matches("this is no action data: ")
            .to_owned(),
    })?;
    Ok(Box::leak(Box::new(data)))
}

/// The document of an AWS managed policy, as of the catalogue's day.
pub(crate) fn aws_document(arn: &PolicyArn) -> Option<PolicyDocument> {
    let policy = trueup_aws_policies::find_arn(arn.as_str())?;
    Some(PolicyDocument::from_live(policy.document))
}

/// The account that the flags name.
pub(crate) async fn open(args: &AccountArgs, data: &IamData, terminal: &Terminal) -> Result<Known, CliError> {
    match &args.live {
        Some(live) => open_live(live, &args.aws, data, terminal).await,
        None => open_manifest(args.manifest.as_deref(), data, terminal),
    }
}

/// What a manifest asks for.
pub(crate) fn open_manifest(named: Option<&Path>, data: &IamData, terminal: &Terminal) -> Result<Known, CliError> {
    let path = manifest::locate(named)?;
    let (desired, _) = manifest::load(Some(&path), None, terminal)?;
    let mut account = Account::of_desired(&desired, &aws_document);
    let basis = Basis {
        source: format!("the manifest {}", from_here(&path).display()),
        account_id: Some(account.id.clone()),
        action_data: data.date().to_owned(),
        aws_policies: Some(trueup_aws_policies::DATE.to_owned()),
        notes: std::mem::take(&mut account.notes),
    };
    Ok(Known { account, basis })
}

/// A path as somebody who is here would write it.
fn from_here(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

/// A live account.
pub(crate) async fn open_live(
    source: &LiveSource,
    aws: &AwsArgs,
    data: &IamData,
    terminal: &Terminal,
) -> Result<Known, CliError> {
    let args = LiveArgs {
        live: source.clone(),
        aws: aws.clone(),
    };
    let live: Live = match Source::open(&args, None).await? {
        Source::Snapshot(live) => *live,
        Source::Api(api) => {
            let _activity = terminal.activity("reading the account");
            let identity = api.identity(None).await?;
            api.read(&identity).await?
        }
    };
    let name = match source {
        LiveSource::Aws => "the live account".to_owned(),
        LiveSource::Sandbox(path) => format!("the sandbox {}", path.display()),
        LiveSource::Snapshot(path) => format!("the snapshot {}", path.display()),
    };
    let mut account = Account::of_live(&live);
    let basis = Basis {
        source: name,
        account_id: Some(account.id.clone()),
        action_data: data.date().to_owned(),
        aws_policies: None,
        notes: std::mem::take(&mut account.notes),
    };
    Ok(Known { account, basis })
}
