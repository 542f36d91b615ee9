//! `trueup show`: a saved plan again.

use trueup_report::{Purpose, ReadPlanError};

use crate::{
    args::ShowArgs,
    commands::compare,
    exit::{CliError, Exit},
    output,
    terminal::Terminal,
};

pub(crate) fn run(args: &ShowArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let plan = read(&args.plan)?;
    compare::show(&plan, args.format, Purpose::Plan, None, terminal)?;
    Ok(Exit::Done)
}

/// Reads a saved plan.
pub(crate) fn read(path: &std::path::Path) -> Result<trueup_planner::Plan, CliError> {
    let text = output::read_text(path)?;
    trueup_report::read_plan(&text).map_err(|error| CliError::Content {
        path: path.to_owned(),
        what: "plan",
        problem: match error {
            ReadPlanError::NotAPlan(problem) => problem,
            error => error.to_string(),
        },
    })
}
