//! `trueup drift`: as plan, for a job that wants to know whether anything differs.

use trueup_report::Purpose;

use crate::{
    args::{DriftArgs, RequireApproval},
    commands::compare,
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &DriftArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    if args.baseline.is_some() {
        return Err(CliError::NotSupportedYet { what: "--baseline" });
    }
    let (plan, lints) = compare::run(&args.compare, Purpose::Drift, terminal).await?;
    Ok(compare::exit(
        &plan,
        lints,
        args.compare.strict,
        RequireApproval::Never,
        true,
        terminal,
    ))
}
