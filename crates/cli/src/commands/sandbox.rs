//! `trueup sandbox`: the IAM that lives in a file, served on loopback or emptied.

use std::{net::Ipv4Addr, path::Path};

use tokio::net::TcpListener;
use trueup_model::AccountId;

use crate::{
    args::{LiveSource, ResetArgs, SandboxArgs, SandboxCommand, ServeArgs},
    authorizer::PolicyAuthorizer,
    exit::{CliError, Exit},
    live::{self, parse_faults, sandbox_error},
    signals::Signals,
    terminal::Terminal,
};

pub(crate) async fn run(args: &SandboxArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    match &args.command {
        SandboxCommand::Serve(args) => serve(args, terminal, signals).await,
        SandboxCommand::Reset(args) => reset(args, terminal),
    }
}

async fn serve(args: &ServeArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    let account = account(&args.account)?;
    let sandbox = live::open_sandbox_in(file_of(&args.live)?, Some(&account), &args.partition)?;
    if args.enforce {
        sandbox.enforce(PolicyAuthorizer);
    }
    let mut faults = args.faults.clone().filter(|text| !text.is_empty());
    if let Some(share) = args.throttle {
        let others = faults.map(|text| format!("{text},")).unwrap_or_default();
        faults = Some(format!("{others}throttle={share}"));
    }
    if let Some(faults) = faults {
        sandbox.set_faults(parse_faults(&faults)?);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .map_err(|source| CliError::Io {
            action: "listen on 127.0.0.1",
            source,
        })?;
    let address = listener.local_addr().map_err(|source| CliError::Io {
        action: "listen on 127.0.0.1",
        source,
    })?;
    terminal.result(&format!("listening on http://{address}\n"))?;
    tokio::select! {
        result = sandbox.serve(listener) => result.map(|()| Exit::Done).map_err(sandbox_error),
        // Ctrl-C is how a server is ended.
        signal = signals.wait() => Ok(Exit::Interrupted(signal)),
    }
}

fn reset(args: &ResetArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let path = file_of(&args.live)?;
    let account = args.account.as_deref().map(account).transpose()?;
    live::reset_sandbox(path, account.as_ref())?;
    terminal.note(&format!("{} is an empty account", path.display()));
    Ok(Exit::Done)
}

fn file_of(live: &LiveSource) -> Result<&Path, CliError> {
    match live {
        LiveSource::Sandbox(path) => Ok(path),
        LiveSource::Aws | LiveSource::Snapshot(_) => Err(CliError::Usage(
            "--live has to be sandbox or sandbox:FILE here".to_owned(),
        )),
    }
}

fn account(text: &str) -> Result<AccountId, CliError> {
    AccountId::new(text).map_err(|error| CliError::Usage(format!("--account is `{text}`: {error}")))
}
