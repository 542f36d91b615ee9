//! `trueup mfa reset`: a device that is lost, so that its owner can enrol another.

use trueup_reader::MfaKind;
use trueup_report::escape;

use super::{Session, waiting};
use crate::{
    args::MfaResetArgs,
    exit::{CliError, Exit},
    signals::Signals,
    terminal::Terminal,
};

pub(super) async fn run(args: &MfaResetArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    let session = Session::open(&args.live, &args.user, signals).await?;
    let device = session.device(args.device.as_deref())?;
    if !args.auto_approve {
        ask(&session, device.name(), terminal, signals).await?;
    }
    let writer = session.writer(args.live.aws.deadline);
    let waiting = waiting(terminal);
    writer.deactivate(&session.user, &device.serial, &waiting).await?;
    // Others are gone once they are deactivated.
    if device.kind() == MfaKind::Virtual {
        writer.delete(&device.serial, &waiting).await?;
    }
    let left = session.devices.len() - 1;
    terminal.result(&format!(
        "{} is removed; {} has {} now.\n",
        escape::text(&device.serial),
        escape::text(session.user.as_str()),
        match left {
            0 => "no MFA device".to_owned(),
            1 => "one MFA device".to_owned(),
            more => format!("{more} MFA devices"),
        }
    ))?;
    if left == 0 {
        terminal.note(&format!("next: trueup mfa enroll {}", session.user));
    }
    Ok(Exit::Done)
}

async fn ask(session: &Session, device: &str, terminal: &Terminal, signals: &Signals) -> Result<(), CliError> {
    if !terminal.can_ask() {
        return Err(CliError::refused(
            "there is no terminal to ask for approval; nothing was changed",
            "say --auto-approve",
        ));
    }
    let question = format!(
        "Take the MFA device `{device}` away from `{}` in account {}? Until another is enrolled, the password alone is enough.",
        session.user, session.identity.account
    );
    let asking = terminal.clone();
    let answer = tokio::task::spawn_blocking(move || asking.asks_for_yes(&question));
    let approved = signals
        .unless_caught(async {
            answer.await.map_err(|error| CliError::Io {
                action: "read the answer",
                source: std::io::Error::other(error),
            })?
        })
        .await?;
    if approved { Ok(()) } else { Err(CliError::Cancelled) }
}
