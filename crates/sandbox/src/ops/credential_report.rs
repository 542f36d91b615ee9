//! The credential report: a table of all users that is made now and then, and kept for four hours.

use jiff::{SignedDuration, Timestamp};

use crate::{
    errors::ApiError,
    state::{AccessKey, CredentialReport, Kind, State, Upload, User},
    wire::{Request, Xml},
};

/// How long a report is answered again.
const KEPT: SignedDuration = SignedDuration::from_hours(4);
/// How long it takes to make one.
const MAKING: SignedDuration = SignedDuration::from_secs(2);
/// How many calls find it unfinished, where time stands still.
const POLLS: u8 = 1;

const COLUMNS: [&str; 22] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];

/// The cell of something that there is not, or that never happened.
const NONE: &str = "N/A";

pub(super) fn generate(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let current = state.report.take().filter(|report| !is_old(report, request.now));
    let (report, answer, description) = match current {
        None => {
            let report = CredentialReport {
                begun: request.now,
                polls: 0,
                content: content(state),
            };
            let description = "No report exists. Starting a new report generation task";
            (report, "STARTED", Some(description))
        }
        Some(report) if is_complete(&report, request.now) => (report, "COMPLETE", None),
        Some(mut report) => {
            report.polls += 1;
            (report, "INPROGRESS", None)
        }
    };
    state.report = Some(report);
    let mut xml = Xml::new();
    xml.text("State", answer).optional("Description", description);
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let Some(report) = &state.report else {
        // This refusal has no words.
        return Err(ApiError::report_not_present(""));
    };
    if is_old(report, request.now) {
        return Err(ApiError::report_expired("The report is older than four hours."));
    }
    if !is_complete(report, request.now) {
        return Err(ApiError::report_in_progress("The report is being generated."));
    }
    let mut xml = Xml::new();
    xml.text("Content", data_encoding::BASE64.encode(report.content.as_bytes()))
        .text("ReportFormat", "text/csv")
        .time("GeneratedTime", report.begun);
    Ok(xml)
}

fn is_old(report: &CredentialReport, now: Timestamp) -> bool {
    now.duration_since(report.begun) > KEPT
}

fn is_complete(report: &CredentialReport, now: Timestamp) -> bool {
    report.polls >= POLLS || now.duration_since(report.begun) >= MAKING
}

/// The table: root first, then the users by name. There is no line feed at its end.
fn content(state: &State) -> String {
    let mut users: Vec<&User> = state.users.values().collect();
    users.sort_by_key(|user| user.entity.name.to_lowercase());
    let rows = users.into_iter().map(|user| row(state, user));
    let lines = std::iter::once(COLUMNS.map(str::to_owned).to_vec())
        .chain(std::iter::once(root_row(state)))
        .chain(rows)
        .map(|row| row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
    lines.collect::<Vec<_>>().join("\n")
}

/// Names may hold commas.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn root_row(state: &State) -> Vec<String> {
    let root = state.root;
    let not_supported = || "not_supported".to_owned();
    let mut row = vec![
        "<root_account>".to_owned(),
        format!("arn:{}:iam::{}:root", state.partition, state.account_id),
        state.created.to_string(),
        not_supported(),
        if root.password { "no_information" } else { NONE }.to_owned(),
        not_supported(),
        not_supported(),
        root.mfa.to_string(),
    ];
    for number in 0..2 {
        let key = AccessKey {
            created: state.created,
            active: true,
            secret: None,
            used: None,
        };
        row.extend(key_cells((root.access_keys > number).then_some(&key)));
    }
    for number in 0..2 {
        let present = root.signing_certificates > number;
        let since = if present {
            state.created.to_string()
        } else {
            NONE.to_owned()
        };
        row.extend([present.to_string(), since]);
    }
    row
}

fn row(state: &State, user: &User) -> Vec<String> {
    let text = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let profile = user.login_profile.as_ref();
    let changed = profile.map(|profile| profile.changed.unwrap_or(profile.created));
    let max_age = state
        .password_policy
        .as_ref()
        .and_then(|policy| policy.max_password_age);
    let rotation = changed.zip(max_age).and_then(|(changed, days)| {
        changed
            .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
            .ok()
    });
    let mut row = vec![
        user.entity.name.clone(),
        state.entity_arn(Kind::User, &user.entity),
        user.entity.created.to_string(),
        profile.is_some().to_string(),
        // Nobody signs in to the console of a sandbox.
        if profile.is_some() { "no_information" } else { NONE }.to_owned(),
        text(changed.map(|changed| changed.to_string())),
        text(rotation.map(|rotation| rotation.to_string())),
        state.devices_of(&user.entity.id).next().is_some().to_string(),
    ];
    // Which key is the first follows from their ids.
    let mut keys = user.access_keys.values();
    row.extend(key_cells(keys.next()));
    row.extend(key_cells(keys.next()));
    let mut certificates = user.certificates.values();
    row.extend(certificate_cells(certificates.next()));
    row.extend(certificate_cells(certificates.next()));
    row
}

fn key_cells(key: Option<&AccessKey>) -> [String; 5] {
    let none = || NONE.to_owned();
    let Some(key) = key else {
        return ["false".to_owned(), none(), none(), none(), none()];
    };
    let used = key.used.as_ref();
    [
        key.active.to_string(),
        key.created.to_string(),
        used.map_or_else(none, |used| used.date.to_string()),
        used.map_or_else(none, |used| used.region.clone()),
        used.map_or_else(none, |used| used.service.clone()),
    ]
}

fn certificate_cells(certificate: Option<&Upload>) -> [String; 2] {
    match certificate {
        Some(certificate) => [certificate.active.to_string(), certificate.uploaded.to_string()],
        None => ["false".to_owned(), NONE.to_owned()],
    }
}
