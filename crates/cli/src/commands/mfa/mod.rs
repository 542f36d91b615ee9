//! `trueup mfa`: who has which devices, and what a person does with one of them.

mod codes;
mod enroll;
mod reset;
mod resync;
mod status;

use std::time::Duration;

use trueup_executor::{MfaDevices, RetryCause};
use trueup_model::{AccountId, UserName};
use trueup_reader::{Identity, MfaDevice};

use crate::{
    args::{LiveArgs, LiveSource, MfaArgs, MfaCommand},
    exit::{CliError, Exit},
    live::{Api, Source},
    signals::Signals,
    terminal::Terminal,
};

pub(crate) async fn run(args: &MfaArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    match &args.command {
        MfaCommand::Status(args) => signals.unless_caught(status::run(args, terminal)).await,
        MfaCommand::Enroll(args) => enroll::run(args, terminal, signals).await,
        MfaCommand::Resync(args) => resync::run(args, terminal, signals).await,
        MfaCommand::Reset(args) => reset::run(args, terminal, signals).await,
    }
}

/// An account in which something about one user's devices is changed.
struct Session {
    api: Api,
    identity: Identity,
    user: UserName,
    /// What the user has.
    devices: Vec<MfaDevice>,
}

impl Session {
    /// Opens the account and looks the user up, without any call that writes.
    async fn open(args: &LiveArgs, user: &str, signals: &Signals) -> Result<Self, CliError> {
        let user =
            UserName::new(user).map_err(|error| CliError::Usage(format!("`{user}` is no user name: {error}")))?;
        if matches!(args.live, LiveSource::Snapshot(_)) {
            return Err(snapshot_refused());
        }
        let look = async {
            let Source::Api(api) = Source::open(args, None).await? else {
                return Err(snapshot_refused());
            };
            let identity = api.identity(None).await?;
            let devices = api.reader.devices_of(&user).await?;
            Ok((api, identity, devices))
        };
        let (api, identity, devices) = signals.unless_caught(look).await?;
        let Some(devices) = devices else {
            return Err(CliError::refused(
                format!("there is no user `{user}` in account {}", identity.account),
                "`trueup mfa status --all` lists the users of the account",
            ));
        };
        Ok(Self {
            api,
            identity,
            user,
            devices,
        })
    }

    fn writer(&self, deadline: Duration) -> MfaDevices {
        MfaDevices::new(&self.api.clients.iam, deadline)
    }

    /// The device that is meant: the one that is named, or the only one.
    fn device(&self, named: Option<&str>) -> Result<&MfaDevice, CliError> {
        let names: Vec<_> = self
            .devices
            .iter()
            .map(|device| format!("`{}`", device.name()))
            .collect();
        match (named.filter(|name| !name.is_empty()), &self.devices[..]) {
            (Some(name), devices) => devices
                .iter()
                .find(|device| device.serial == name || device.name() == name)
                .ok_or_else(|| {
                    let hint = if names.is_empty() {
                        format!("`{}` has no MFA device at all", self.user)
                    } else {
                        format!("`{}` has {}", self.user, names.join(", "))
                    };
                    CliError::refused(format!("`{}` has no MFA device `{name}`", self.user), hint)
                }),
            (None, [device]) => Ok(device),
            (None, []) => Err(CliError::refused(
                format!("`{}` has no MFA device", self.user),
                format!("`trueup mfa enroll {}` adds one", self.user),
            )),
            (None, _) => Err(CliError::refused(
                format!("`{}` has {} MFA devices: {}", self.user, names.len(), names.join(", ")),
                "say which with --device",
            )),
        }
    }
}

fn snapshot_refused() -> CliError {
    CliError::refused("a snapshot cannot be changed", "name the account itself: --live aws")
}

/// Says why a call takes its time, once for each reason.
fn waiting(terminal: &Terminal) -> impl Fn(RetryCause, Duration) + Sync {
    let told = std::sync::atomic::AtomicBool::new(false);
    let terminal = terminal.clone();
    move |cause, _| {
        if !told.swap(true, std::sync::atomic::Ordering::Relaxed) {
            terminal.note(match cause {
                RetryCause::Throttled => "IAM throttles its callers; trying again",
                RetryCause::NotSettled => "IAM is still busy with an earlier change of this user; trying again",
                RetryCause::NoAnswer | RetryCause::Unreachable => "IAM does not answer; trying again",
            });
        }
    }
}

/// The serial that a virtual device of this name has.
fn serial(partition: &str, account: &AccountId, name: &str) -> String {
    format!("arn:{partition}:iam::{account}:mfa/{name}")
}
