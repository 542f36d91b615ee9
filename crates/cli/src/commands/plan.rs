//! `trueup plan`: what differs, and what apply would do.

use trueup_report::Purpose;

use crate::{
    args::PlanArgs,
    commands::compare,
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &PlanArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let (plan, lints) = compare::run(&args.compare, Purpose::Plan, terminal).await?;
    compare::write_files(&plan, [&args.out])?;
    Ok(compare::exit(
        &plan,
        lints,
        args.compare.strict,
        args.require_approval,
        args.detailed_exitcode,
        terminal,
    ))
}
