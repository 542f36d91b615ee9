//! `trueup mfa status`: people, their devices, and what is asked of them.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::Serialize;
use trueup_model::{
    Desired, Live, UserName,
    desired::{MfaLevel, MfaRequirement},
    live::LiveUser,
};
use trueup_reader::{MfaDevice, MfaState};
use trueup_report::{Verbosity, escape};

use crate::{
    args::{LiveSource, MfaStatusArgs},
    commands::{Written, compare, written},
    exit::{CliError, Exit},
    live::Source,
    manifest,
    root_user::RootUser,
    terminal::Terminal,
};

/// Everybody who was asked about. Minor versions of the format add, major versions break.
#[derive(Serialize)]
struct Status {
    format_version: &'static str,
    account_id: String,
    root: RootUser,
    users: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    user: String,
    console: bool,
    devices: Vec<Device>,
    /// `exempt`, `required` or `enforced`; `None`: the manifest asks for nothing.
    requirement: Option<&'static str>,
    /// `None`: nothing is asked.
    met: Option<bool>,
    /// Since when it is met: since the oldest device.
    since: Option<Date>,
    /// Until when it does not have to be met.
    due: Option<Date>,
}

#[derive(Serialize)]
struct Device {
    serial: String,
    kind: &'static str,
    name: String,
    enabled: Option<Timestamp>,
}

pub(super) async fn run(args: &MfaStatusArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let written = written(args.format)?;
    if matches!(args.live.live, LiveSource::Snapshot(_)) {
        return Err(CliError::refused(
            "a snapshot does not tell since when devices are in use",
            "name the account itself: --live aws",
        ));
    }
    let desired = match manifest::locate(args.manifest.as_deref()) {
        Ok(path) => Some(manifest::load(Some(&path), None, terminal)?.0),
        Err(CliError::NoManifest) => None,
        Err(error) => return Err(error),
    };
    let account = desired.as_ref().map(|desired| &desired.account.id);
    let Source::Api(api) = Source::open(&args.live, account).await? else {
        return Err(super::snapshot_refused());
    };
    let (live, states) = {
        let _activity = terminal.activity("reading the account");
        let identity = api.identity(account).await?;
        let live = api.read(&identity).await?;
        let states = {
            let declared = desired.iter().flat_map(|desired| desired.users.keys());
            let everybody = live.users.keys();
            if args.all || desired.is_none() {
                api.reader.mfa_states(&live, everybody).await?
            } else {
                api.reader.mfa_states(&live, declared).await?
            }
        };
        (live, states)
    };
    let as_of = args.as_of.unwrap_or_else(compare::today);
    let status = status(desired.as_ref(), &live, &states, as_of);
    terminal.result(&match written {
        Written::Json => trueup_report::to_json(&status)?,
        Written::Text if terminal.text_options().verbosity >= Verbosity::Verbose => {
            format!("{}\n{}", text(&status), status.root.checklist())
        }
        Written::Text => text(&status),
    })?;
    let unmet: Vec<String> = status
        .users
        .iter()
        .filter(|row| row.met == Some(false))
        .map(|row| format!("{} has no MFA device", row.user))
        .collect();
    if args.strict && !unmet.is_empty() {
        terminal.strict(&unmet);
        return Ok(Exit::Strict);
    }
    Ok(Exit::Done)
}

fn status(desired: Option<&Desired>, live: &Live, states: &BTreeMap<UserName, MfaState>, as_of: Date) -> Status {
    let users = states.iter().filter_map(|(name, state)| {
        let user = live.users.get(name)?;
        let requirement = desired.and_then(|desired| {
            let declared = desired.users.get(name)?;
            trueup_planner::mfa_requirement(desired, declared)
        });
        Some(row(user, state, requirement, as_of))
    });
    Status {
        format_version: "1.0",
        account_id: live.account.id.to_string(),
        root: RootUser::of(&live.account),
        users: users.collect(),
    }
}

fn row(user: &LiveUser, state: &MfaState, requirement: Option<MfaRequirement>, as_of: Date) -> Row {
    let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    let asked = requirement.filter(|requirement| requirement.level > MfaLevel::Exempt);
    let since = state.devices.iter().filter_map(|device| device.enabled).min().map(day);
    let is_met = !state.devices.is_empty() || !state.console;
    let due = asked.filter(|_| !is_met).and_then(|requirement| {
        let days = i64::from(requirement.grace_days).days();
        let due = day(user.created).checked_add(days).ok()?;
        (as_of < due).then_some(due)
    });
    Row {
        user: user.name.to_string(),
        console: state.console,
        devices: state.devices.iter().map(device).collect(),
        requirement: requirement.map(|requirement| match requirement.level {
            MfaLevel::Exempt => "exempt",
            MfaLevel::Required => "required",
            MfaLevel::Enforced => "enforced",
        }),
        met: asked.map(|_| is_met || due.is_some()),
        since: since.filter(|_| !state.devices.is_empty()),
        due,
    }
}

fn device(device: &MfaDevice) -> Device {
    Device {
        serial: device.serial.clone(),
        kind: device.kind().as_str(),
        name: device.name().to_owned(),
        enabled: device.enabled,
    }
}

fn text(status: &Status) -> String {
    let head = ["USER", "CONSOLE", "DEVICES", "REQUIREMENT", "MET"].map(str::to_owned);
    let mut table = vec![head];
    table.extend(status.users.iter().map(|row| {
        let devices: Vec<_> = row
            .devices
            .iter()
            .map(|device| format!("{} ({})", escape::text(&device.name), device.kind))
            .collect();
        let met = match (row.met, row.since, row.due) {
            (Some(false), _, _) => "no".to_owned(),
            (Some(true), _, Some(due)) => format!("due on {due}"),
            (Some(true), Some(since), None) => format!("since {since}"),
            (Some(true), None, None) => "no console password".to_owned(),
            (None, Some(since), _) => format!("(since {since})"),
            (None, None, _) => "-".to_owned(),
        };
        [
            escape::text(&row.user).into_owned(),
            if row.console { "yes" } else { "no" }.to_owned(),
            if devices.is_empty() {
                "-".to_owned()
            } else {
                devices.join(", ")
            },
            row.requirement.unwrap_or("-").to_owned(),
            met,
        ]
    }));
    let mut widths = [0; 5];
    for row in &table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &table {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.chars().count() + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str(&format!("\nroot: {}\n", status.root.in_words()));
    out
}
