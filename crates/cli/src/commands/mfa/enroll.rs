//! `trueup mfa enroll`: from nothing to a device that its owner holds.
//!
//! INVARIANT: the seed is never on a disk in clear, but for a PNG that was asked for, which goes again. A device that
//! is not enabled at the end is deleted again; where even that is cut short, the next enrolment replaces it.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use trueup_executor::{MfaError, NewDevice, Recipients, RunId, write_new_file, write_sealed};
use trueup_report::escape;
use zeroize::Zeroizing;

use super::{
    Session,
    codes::{Codes, NoCodes, interrupted, seconds_left},
    serial, waiting,
};
use crate::{
    args::MfaEnrollArgs,
    delivery, environment,
    exit::{CliError, Exit},
    qr,
    signals::Signals,
    terminal::Terminal,
};

/// How many pairs of codes may be wrong.
const TRIES: u32 = 3;

pub(super) async fn run(args: &MfaEnrollArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    let seed_to = args.seed_to.as_deref().filter(|given| !given.is_empty());
    let recipients = seed_to.map(delivery::from_argument).transpose()?;
    if recipients.is_none() && stdout_is_a_file() {
        return Err(CliError::refused(
            "the seed would be written to a file in clear",
            "run it on a terminal; or seal the seed to somebody's key with --seed-to",
        ));
    }
    let session = Session::open(&args.live, &args.user, signals).await?;
    let name = args.device.clone().filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| session.user.to_string());
    check_name(&name)?;
    let wanted = serial(&session.identity.partition, &session.identity.account, &name);
    let writer = session.writer(args.live.aws.deadline);
    let waiting = waiting(terminal);
    if let Some(leftover) = signals.unless_caught(leftover(&session, &name, &wanted)).await? {
        writer.delete(&leftover, &waiting).await?;
        terminal.note(&format!(
            "note: replaced the device `{name}` that an earlier enrolment left unassigned"
        ));
    }
    let device = writer
        .create(&wanted, &name, &waiting)
        .await
        .map_err(|error| match error {
            MfaError::Exists => CliError::refused(
                format!("somebody else has just made an MFA device `{name}`"),
                "choose another name with --device",
            ),
            error => error.into(),
        })?;
    let mut enrolment = Enrolment {
        session: &session,
        name: &name,
        device: &device,
        files: Vec::new(),
    };
    let shown = match &recipients {
        Some(recipients) => enrolment.seal(recipients, args, terminal),
        None => enrolment.show(args.qr_png.as_deref(), terminal),
    };
    let ended = match shown {
        Ok(()) => enrolment.ask(&writer, &waiting, terminal, signals).await,
        Err(error) => Ended::Failed(error),
    };
    let png = args.qr_png.iter().filter(|path| !path.as_os_str().is_empty());
    png.for_each(|path| drop(std::fs::remove_file(path)));
    if let Ended::Enabled = ended {
        let account = &session.identity.account;
        terminal.result(&format!(
            "{} of account {account} has the MFA device {}.\nSign out and in again: a session that was there before knows nothing of it.\n",
            escape::text(session.user.as_str()),
            escape::text(&device.serial)
        ))?;
        return Ok(Exit::Done);
    }
    enrolment.clean_up(&writer, &waiting, terminal).await;
    match ended {
        Ended::Enabled => Ok(Exit::Done),
        Ended::Caught(signal) => Ok(interrupted(signal)),
        Ended::Failed(error) => Err(error),
        Ended::GivenUp => Err(CliError::refused(
            format!("there were no codes; `{}` has no new MFA device", session.user),
            "enrol again when the authenticator is at hand",
        )),
        Ended::Wrong => Err(CliError::refused(
            format!(
                "{TRIES} pairs of codes were not accepted; `{}` has no new MFA device",
                session.user
            ),
            "see that the clock of the authenticator is right, then enrol again",
        )),
    }
}

/// How an enrolment ends.
enum Ended {
    Enabled,
    GivenUp,
    Wrong,
    Caught(crate::exit::Signal),
    Failed(CliError),
}

struct Enrolment<'a> {
    session: &'a Session,
    name: &'a str,
    device: &'a NewDevice,
    /// Sealed seeds, which are of no use without the device.
    files: Vec<PathBuf>,
}

impl Enrolment<'_> {
    /// Shows the seed, as a code for an app to read and as text.
    fn show(&self, png: Option<&Path>, terminal: &Terminal) -> Result<(), CliError> {
        let account = self.session.identity.account.as_str();
        let code = qr::code(&qr::uri(self.name, account, self.device.seed.expose()));
        let mut text = Zeroizing::new(String::with_capacity(32 * 1024));
        if let Some(code) = &code {
            text.push_str(&qr::on_screen(code, terminal.text_options().color));
        }
        text.push_str("Scan the code with an authenticator app, or type the seed into it.\n");
        text.push_str("Seed: ");
        text.push_str(self.device.seed.expose());
        text.push('\n');
        if let (Some(path), Some(code)) = (png.filter(|path| !path.as_os_str().is_empty()), &code) {
            let unwritable = |source| CliError::File {
                action: "write",
                path: path.to_owned(),
                source,
            };
            let image = qr::png(code).map_err(|error| unwritable(io::Error::other(error)))?;
            write_new_file(path, &image).map_err(unwritable)?;
            terminal.note(&format!("note: {} is removed again at the end", path.display()));
        }
        terminal.result(&text)
    }

    /// Seals the seed to somebody, and shows nothing of it.
    fn seal(&mut self, recipients: &Recipients, args: &MfaEnrollArgs, terminal: &Terminal) -> Result<(), CliError> {
        let given = args.credentials_dir.clone().filter(|path| !path.as_os_str().is_empty());
        let directory = given
            .or_else(|| environment::state_directory().map(|state| state.join("credentials")))
            .ok_or_else(|| {
                CliError::refused(
                    "there is no place for the sealed seed: neither XDG_STATE_HOME nor HOME is set",
                    "name a directory with --credentials-dir",
                )
            })?;
        let account = &self.session.identity.account;
        let user = &self.session.user;
        let mut text = Zeroizing::new(String::with_capacity(1024));
        text.push_str(&format!(
            "MFA device of {user} in AWS account {account}\n\nDevice: {}\nSeed: ",
            self.device.serial
        ));
        text.push_str(self.device.seed.expose());
        text.push('\n');
        text.push_str(&qr::uri(self.name, account.as_str(), self.device.seed.expose()));
        text.push('\n');
        let seal = recipients.seal(&text);
        let sealed = seal.map_err(|error| CliError::refused(error.to_string(), "give another recipient"))?;
        let run = RunId::generate(Timestamp::now());
        let name = format!("{account}-{user}-mfa-{run}");
        self.files = write_sealed(&directory, &name, &sealed).map_err(|error| {
            CliError::refused(
                crate::exit::with_causes(&error),
                "name another place with --credentials-dir",
            )
        })?;
        for file in &self.files {
            terminal.result(&format!(
                "Seed, sealed: {}\n",
                escape::text(&file.display().to_string())
            ))?;
        }
        Ok(())
    }

    async fn ask(
        &self,
        writer: &trueup_executor::MfaDevices,
        waiting: trueup_executor::Waiting<'_>,
        terminal: &Terminal,
        signals: &Signals,
    ) -> Ended {
        let mut codes = Codes::new(terminal, signals);
        terminal.message("Two codes that follow each other show that it works.\n");
        for attempt in 1..=TRIES {
            let (first, second) = match codes.ask().await {
                Ok(pair) => pair,
                Err(NoCodes::GivenUp) => return Ended::GivenUp,
                Err(NoCodes::Caught(signal)) => return Ended::Caught(signal),
                Err(NoCodes::Failed(error)) => return Ended::Failed(error),
            };
            // Not to be cut short: what became of it would be unknown.
            let pair = (first.as_str(), second.as_str());
            match writer
                .enable(&self.session.user, &self.device.serial, pair, waiting)
                .await
            {
                Ok(()) => return Ended::Enabled,
                Err(MfaError::Codes) if attempt < TRIES => terminal.message(&format!(
                    "These codes are not accepted; a new one comes in {} seconds.\n",
                    seconds_left(Timestamp::now())
                )),
                Err(MfaError::Codes) => return Ended::Wrong,
                Err(error) => return Ended::Failed(error.into()),
            }
        }
        Ended::Wrong
    }

    /// Leaves nothing behind of an enrolment that came to nothing.
    async fn clean_up(
        &self,
        writer: &trueup_executor::MfaDevices,
        waiting: trueup_executor::Waiting<'_>,
        terminal: &Terminal,
    ) {
        match writer.delete(&self.device.serial, waiting).await {
            Ok(()) => {
                for file in &self.files {
                    let _ = std::fs::remove_file(file);
                }
                terminal.note("note: the unfinished device was removed again");
            }
            Err(MfaError::Assigned) => terminal.note("note: the device is enabled, although IAM's answer was lost"),
            Err(error) => terminal.note(&format!(
                "note: the unfinished device could not be removed ({error}); enrolling again replaces it"
            )),
        }
    }
}

/// The device of this name that an earlier enrolment left. A name that is taken otherwise is refused.
async fn leftover(session: &Session, name: &str, wanted: &str) -> Result<Option<String>, CliError> {
    let user = &session.user;
    let devices = session.api.reader.virtual_devices().await?;
    let Some((device, owner, root)) = devices.into_iter().find(|(device, _, _)| device.serial == wanted) else {
        return Ok(None);
    };
    match owner {
        Some(owner) if owner == *user => Err(CliError::refused(
            format!("`{user}` has the MFA device `{name}` already"),
            format!(
                "name a second one with --device, or take this one away first: trueup mfa reset {user} --device {name}"
            ),
        )),
        Some(owner) => Err(CliError::refused(
            format!("the MFA device `{name}` is that of `{owner}`"),
            "choose another name with --device",
        )),
        None if root => Err(CliError::refused(
            format!("the MFA device `{name}` is root's"),
            "choose another name with --device",
        )),
        // Somebody else may be in the middle of enrolling a device of any other name.
        None if is_own(name, user.as_str()) => Ok(Some(device.serial)),
        None => Err(CliError::refused(
            format!("there is an unassigned MFA device `{name}`, which may be somebody's enrolment under way"),
            format!("choose another name, such as --device {user}-phone"),
        )),
    }
}

/// Whether a device is called as those of this user are: `alice`, or `alice-phone`.
fn is_own(device: &str, user: &str) -> bool {
    match device.strip_prefix(user) {
        Some(rest) => rest.is_empty() || rest.starts_with('-'),
        None => false,
    }
}

fn check_name(name: &str) -> Result<(), CliError> {
    let is_good = name.len() <= 226
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if is_good {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "`{name}` is no name of an MFA device: letters, digits and any of _+=,.@- are"
    )))
}

/// Whether what is written to stdout ends up in a file.
fn stdout_is_a_file() -> bool {
    let stdout = io::stdout();
    let _ = stdout.lock().flush();
    let file = stdout.as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata())
        .is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_that_are_called_so_are_the_users_own() {
        for own in ["alice", "alice-phone", "alice-"] {
            assert!(is_own(own, "alice"), "{own}");
        }
        for other in ["alicent", "bob", "", "malice", "ALICE"] {
            assert!(!is_own(other, "alice"), "{other}");
        }
    }
}
