//! The environment variables that trueup reads beside those of its flags and of the AWS SDK.

use std::{ffi::OsString, path::PathBuf};

/// Variables as this process found them. An empty one counts as not set, as the XDG specification asks.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    variable(name).map(|value| value.to_string_lossy().into_owned())
}

/// Where runs leave journals, undo snapshots, locks and credentials: `$XDG_STATE_HOME/trueup`, or
/// `~/.local/state/trueup`. `None` where neither variable says.
pub(crate) fn state_directory() -> Option<PathBuf> {
    // The specification says that a relative path is to be ignored.
    let xdg = variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    xdg.or_else(home).map(|state| state.join("trueup"))
}

/// The home directory, where ssh keeps its keys.
pub(crate) fn home_directory() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from)
}

/// `AWS_MAX_ATTEMPTS`, as it was written.
pub(crate) fn aws_max_attempts() -> Option<String> {
    text("AWS_MAX_ATTEMPTS")
}

/// The files of the AWS configuration: the shared config, and the shared credentials.
pub(crate) fn aws_files() -> (PathBuf, PathBuf) {
    let file = |name: &str, usual: &str| {
        let named = variable(name).map(PathBuf::from);
        let path = named.unwrap_or_else(|| PathBuf::from("~/.aws").join(usual));
        match (path.strip_prefix("~"), home_directory()) {
            (Ok(below), Some(home)) => home.join(below),
            _ => path,
        }
    };
    (
        file("AWS_CONFIG_FILE", "config"),
        file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    )
}

/// The profile that the environment names, where nothing that the SDK looks at before it has credentials.
pub(crate) fn aws_profile() -> Option<String> {
    let has_keys = variable("AWS_ACCESS_KEY_ID").is_some() && variable("AWS_SECRET_ACCESS_KEY").is_some();
    text("AWS_PROFILE").filter(|_| !has_keys)
}

/// Whether the environment names an endpoint for STS itself.
pub(crate) fn names_sts_endpoint() -> bool {
    variable("AWS_ENDPOINT_URL_STS").is_some()
}

/// The endpoint that the environment names for S3 itself.
pub(crate) fn s3_endpoint() -> Option<String> {
    text("AWS_ENDPOINT_URL_S3")
}

/// A variable of OpenTelemetry. An empty one counts as not set there, too.
#[cfg(feature = "otel")]
pub(crate) fn opentelemetry(name: &str) -> Option<String> {
    text(name)
}

/// The faults that the sandbox should have, for tests and for trying things out.
pub(crate) fn sandbox_faults() -> Option<String> {
    text("TRUEUP_SANDBOX_FAULTS")
}

/// The time at which the sandbox should stand still, for tests and for examples that read the same every day.
pub(crate) fn sandbox_time() -> Option<String> {
    text("TRUEUP_SANDBOX_TIME")
}

/// The file of GitHub's runner that a step's summary is appended to.
pub(crate) fn github_step_summary() -> Option<PathBuf> {
    variable("GITHUB_STEP_SUMMARY").map(PathBuf::from)
}

/// The folder that GitHub's runner has checked the repository out into.
pub(crate) fn github_workspace() -> Option<PathBuf> {
    variable("GITHUB_WORKSPACE").map(PathBuf::from)
}

/// Whether the terminal says of itself that it can do nothing.
pub(crate) fn terminal_is_dumb() -> bool {
    variable("TERM").is_some_and(|term| term == "dumb")
}
