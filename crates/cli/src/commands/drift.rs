//! `trueup drift`: as plan, for a job that wants to know whether anything differs.

use crate::{
    args::DriftArgs,
    commands::compare,
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &DriftArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    if args.baseline.is_some() {
        return Err(CliError::NotSupportedYet { what: "--baseline" });
    }
    let written = compare::check(&args.compare)?;
    let plan = compare::run(&args.compare, terminal).await?;
    compare::write_files(&plan, [&args.compare.json_into])?;
    compare::show(&plan, written, terminal)?;
    Ok(compare::exit(&plan, args.compare.strict, true, terminal))
}
