//! `trueup plan`: what differs, and what apply would do.

use trueup_report::Purpose;

use crate::{
    args::PlanArgs,
    commands::{apply::Reviewed, compare},
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &PlanArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    args.check_files()?;
    let reviewed = Reviewed::given(args.check_digest.as_deref())?;
    if reviewed.is_of_drift_alone() {
        return Err(CliError::refused(
            "the reviewed plan is of drift alone, and this plan is of everything",
            "check it with `drift --only drift --check-digest`, and --baseline as for the review",
        ));
    }
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
