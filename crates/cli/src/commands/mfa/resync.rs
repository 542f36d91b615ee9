//! `trueup mfa resync`: a device whose clock has run away.

use jiff::Timestamp;
use trueup_executor::MfaError;
use trueup_report::escape;

use super::{
    Session,
    codes::{Codes, NoCodes, interrupted, seconds_left},
    waiting,
};
use crate::{
    args::MfaResyncArgs,
    exit::{CliError, Exit},
    signals::Signals,
    terminal::Terminal,
};

const TRIES: u32 = 3;

pub(super) async fn run(args: &MfaResyncArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    let session = Session::open(&args.live, &args.user, signals).await?;
    let device = session.device(args.device.as_deref())?;
    if matches!(
        device.kind(),
        trueup_reader::MfaKind::Fido | trueup_reader::MfaKind::Sms
    ) {
        return Err(CliError::refused(
            format!(
                "`{}` is a {}, which has no clock",
                device.name(),
                device.kind().as_str()
            ),
            "name a virtual or hardware device with --device",
        ));
    }
    let writer = session.writer(args.live.aws.deadline);
    let waiting = waiting(terminal);
    let mut codes = Codes::new(terminal, signals);
    terminal.message(&format!(
        "Two codes of `{}` that follow each other.\n",
        escape::text(device.name())
    ));
    for attempt in 1..=TRIES {
        let (first, second) = match codes.ask().await {
            Ok(pair) => pair,
            Err(NoCodes::Caught(signal)) => return Ok(interrupted(signal)),
            Err(NoCodes::Failed(error)) => return Err(error),
            Err(NoCodes::GivenUp) => {
                return Err(CliError::refused(
                    "there were no codes; nothing was changed",
                    "run it again",
                ));
            }
        };
        match writer
            .resync(&session.user, &device.serial, (&first, &second), &waiting)
            .await
        {
            Ok(()) => {
                terminal.result(&format!("{} is back in step.\n", escape::text(&device.serial)))?;
                return Ok(Exit::Done);
            }
            Err(MfaError::Codes) if attempt < TRIES => terminal.message(&format!(
                "These codes are not accepted; a new one comes in {} seconds.\n",
                seconds_left(Timestamp::now())
            )),
            Err(MfaError::Codes) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Err(CliError::refused(
        format!("{TRIES} pairs of codes were not accepted; nothing was changed"),
        format!(
            "`trueup mfa reset {0}` and `trueup mfa enroll {0}` begin anew",
            session.user
        ),
    ))
}
