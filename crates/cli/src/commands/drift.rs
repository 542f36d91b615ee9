//! `trueup drift`: as plan, for a job that wants to know whether anything differs, and why.

use std::time::Instant;

use jiff::Timestamp;
use trueup_manifest::Positions;
use trueup_planner::{Only, Plan};
use trueup_report::{Measured, Purpose, render_junit, render_line, render_metrics, render_sarif};

use crate::{
    annotations,
    args::{DriftArgs, RequireApproval},
    commands::{apply::Reviewed, compare},
    exit::{CliError, Exit},
    output,
    terminal::Terminal,
};

pub(crate) async fn run(args: &DriftArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    args.check_files()?;
    let began = Instant::now();
    let reviewed = Reviewed::given(args.check_digest.as_deref())?;
    reviewed.check_extent(args.since.only)?;
    let since = Some(&args.since);
    let (plan, positions, lints) =
        compare::run(&args.compare, Purpose::Drift, reviewed.as_of(), since, terminal).await?;
    write(args, &plan, &positions, began)?;
    reviewed.check(&plan, terminal)?;
    let counted = match plan.only {
        Some(Only::Drift) => plan.drifted(),
        None => plan.changes.iter().filter(|change| !plan.is_held(change)).count(),
    };
    Ok(compare::exit(
        &plan,
        lints,
        args.compare.strict,
        RequireApproval::Never,
        counted,
        terminal,
    ))
}

fn write(args: &DriftArgs, plan: &Plan, positions: &Positions, began: Instant) -> Result<(), CliError> {
    if let Some(path) = &args.line_into {
        output::write_text(path, &render_line(plan))?;
    }
    if let Some(path) = &args.junit_into {
        output::write_text(path, &render_junit(plan))?;
    }
    if let Some(path) = &args.sarif_into {
        let text = render_sarif(plan, |resource| annotations::place_of(positions, resource))?;
        output::write_text(path, &text)?;
    }
    if let Some(path) = &args.metrics_into {
        let measured = Measured {
            ended: Timestamp::now().as_second(),
            seconds: began.elapsed().as_secs_f64(),
        };
        output::write_text(path, &render_metrics(plan, measured))?;
    }
    Ok(())
}
