//! `trueup plan`: what differs, and what apply would do.

use trueup_report::Purpose;

use crate::{
    args::PlanArgs,
    commands::{apply::Reviewed, compare},
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &PlanArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let given = args.check_digest.as_deref().filter(|given| !given.is_empty());
    let reviewed = given.map(Reviewed::digest_or_file).transpose()?.unwrap_or_default();
    let (plan, _, lints) = compare::run(&args.compare, Purpose::Plan, reviewed.as_of(), None, terminal).await?;
    compare::write_files(&plan, [&args.out])?;
    reviewed.check(&plan, terminal)?;
    Ok(compare::exit(
        &plan,
        lints,
        args.compare.strict,
        args.require_approval,
        if args.detailed_exitcode { plan.changes.len() } else { 0 },
        terminal,
    ))
}
