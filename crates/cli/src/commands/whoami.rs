//! `trueup whoami`: whose credentials these are, before anything is done with them.

use serde::Serialize;
use trueup_report::escape;

use crate::{
    args::{LiveSource, WhoamiArgs},
    commands::{Written, written},
    exit::{CliError, Exit},
    live::Source,
    terminal::Terminal,
};

#[derive(Serialize)]
struct Caller {
    account: String,
    alias: Option<String>,
    arn: String,
    partition: String,
    live: String,
    endpoint: Option<String>,
    credentials: Option<String>,
}

pub(crate) async fn run(args: &WhoamiArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let written = written(args.format)?;
    let live = match &args.live.live {
        LiveSource::Aws => "aws".to_owned(),
        LiveSource::Sandbox(path) => format!("sandbox:{}", path.display()),
        LiveSource::Snapshot(path) => format!("snapshot:{}", path.display()),
    };
    let caller = match Source::open(&args.live, None).await? {
        Source::Snapshot(snapshot) => Caller {
            account: snapshot.account.id.to_string(),
            alias: snapshot.account.alias.as_ref().map(ToString::to_string),
            arn: snapshot.caller.to_string(),
            partition: snapshot.account.partition.clone(),
            live,
            endpoint: None,
            credentials: None,
        },
        Source::Api(api) => {
            let identity = api.identity(None).await?;
            Caller {
                account: identity.account.to_string(),
                alias: api.alias().await.map(|alias| alias.to_string()),
                arn: identity.arn.to_string(),
                partition: identity.partition,
                live,
                endpoint: api.clients.endpoint.clone(),
                credentials: api.clients.credentials_from().await,
            }
        }
    };
    terminal.result(&match written {
        Written::Json => trueup_report::to_json(&caller)?,
        Written::Text => text(&caller),
    })?;
    Ok(Exit::Done)
}

fn text(caller: &Caller) -> String {
    let Caller {
        account,
        alias,
        arn,
        partition,
        live,
        endpoint,
        credentials,
    } = caller;
    let account = match alias {
        Some(alias) => format!("{account} ({alias})"),
        None => account.clone(),
    };
    let lines = [
        ("account", Some(&account)),
        ("caller", Some(arn)),
        ("partition", Some(partition)),
        ("live", Some(live)),
        ("endpoint", endpoint.as_ref()),
        ("credentials", credentials.as_ref()),
    ];
    lines
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name:<12}{}\n", escape::text(value))))
        .collect()
}
