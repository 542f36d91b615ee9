//! `trueup --version`: which program this is, and of what.

use serde::Serialize;
use trueup_access::IamData;

use crate::{
    exit::{CliError, Exit},
    terminal::Terminal,
};

/// The answer as JSON. Fields may be added.
#[derive(Serialize)]
struct Build {
    name: &'static str,
    version: &'static str,
    /// Of the sources, where whoever built it said so.
    commit: Option<&'static str>,
    rustc: Option<&'static str>,
    target: Option<&'static str>,
    profile: &'static str,
    features: Vec<&'static str>,
    /// The days of what it knows about AWS.
    data: Knowledge,
}

#[derive(Serialize)]
struct Knowledge {
    actions: &'static str,
    aws_managed_policies: &'static str,
}

pub(crate) fn run(json: bool, terminal: &Terminal) -> Result<Exit, CliError> {
    let build = build();
    if json {
        terminal.result(&trueup_report::to_json(&build)?)?;
    } else {
        terminal.result(&format!("{} {}\n", build.name, build.version))?;
    }
    Ok(Exit::Done)
}

fn build() -> Build {
    Build {
        name: "trueup",
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("TRUEUP_BUILD_COMMIT"),
        rustc: option_env!("TRUEUP_BUILD_RUSTC"),
        target: option_env!("TRUEUP_BUILD_TARGET"),
        profile: if cfg!(debug_assertions) { "debug" } else { "release" },
        features: if cfg!(feature = "otel") {
            vec!["otel"]
        } else {
            Vec::new()
        },
        data: Knowledge {
            actions: IamData::embedded().date(),
            aws_managed_policies: trueup_aws_policies::DATE,
        },
    }
}
