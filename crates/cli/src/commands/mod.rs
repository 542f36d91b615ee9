//! What each command does. Commands wire the other crates together and hold no logic of their own about IAM.

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod credentials;
pub(crate) mod drift;
pub(crate) mod export;
pub(crate) mod fmt;
pub(crate) mod force_unlock;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod mfa;
pub(crate) mod permissions;
pub(crate) mod plan;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod snapshot;
pub(crate) mod validate;
pub(crate) mod version;
pub(crate) mod whoami;

use crate::{
    args::{Command, Format},
    exit::{CliError, Exit},
    signals::Signals,
    terminal::Terminal,
};

/// Runs a command.
pub(crate) async fn run(command: Command, terminal: &Terminal) -> Result<Exit, CliError> {
    let signals = Signals::listen()?;
    match command {
        Command::Init(args) => init::run(&args, terminal, &signals).await,
        Command::Validate(args) => validate::run(&args, terminal),
        Command::Show(args) => show::run(&args, terminal),
        Command::Permissions(args) => permissions::run(&args, terminal),
        Command::Schema(args) => schema::run(&args, terminal),
        Command::Fmt(args) => fmt::run(&args, terminal),
        Command::Completions(args) => completions::run(&args, terminal),
        Command::Man(args) => man::run(&args, terminal),
        Command::Plan(args) => signals.unless_caught(plan::run(&args, terminal)).await,
        Command::Drift(args) => signals.unless_caught(drift::run(&args, terminal)).await,
        Command::Access(args) => signals.unless_caught(access::run(&args, terminal)).await,
        Command::Export(args) => signals.unless_caught(export::run(&args, terminal)).await,
        Command::Snapshot(args) => signals.unless_caught(snapshot::run(&args, terminal)).await,
        Command::Whoami(args) => signals.unless_caught(whoami::run(&args, terminal)).await,
        Command::Apply(args) => apply::run(&args, terminal, &signals).await,
        Command::Mfa(args) => mfa::run(&args, terminal, &signals).await,
        Command::ForceUnlock(args) => signals.unless_caught(force_unlock::run(&args, terminal)).await,
        Command::Credentials(args) => signals.unless_caught(credentials::run(&args, terminal)).await,
        Command::Sandbox(args) => sandbox::run(&args, terminal, &signals).await,
    }
}

/// How a result is written that is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Text,
    Json,
}

/// Refuses the formats that only plans have.
pub(crate) fn written(format: Format) -> Result<Written, CliError> {
    match format {
        Format::Text => Ok(Written::Text),
        Format::Json => Ok(Written::Json),
        Format::Markdown | Format::Html => Err(CliError::Usage(
            "--format is text or json here: markdown and html are for plans".to_owned(),
        )),
    }
}
