//! `trueup plan`: what differs, and what apply would do.

use crate::{
    args::PlanArgs,
    commands::compare,
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &PlanArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let written = compare::check(&args.compare)?;
    let plan = compare::run(&args.compare, terminal).await?;
    compare::write_files(&plan, [&args.out, &args.compare.json_into])?;
    compare::show(&plan, written, terminal)?;
    Ok(compare::exit(
        &plan,
        args.compare.strict,
        args.detailed_exitcode,
        terminal,
    ))
}
