//! `trueup drift`: as plan, for a job that wants to know whether anything differs, and why.

use std::{collections::BTreeMap, time::Instant};

use jiff::{Timestamp, tz::TimeZone};
use trueup_manifest::Positions;
use trueup_planner::{Only, Plan};
use trueup_report::{
    ApplyOutcome, Measured, Purpose, cloudtrail_query, render_junit, render_line, render_metrics, render_sarif,
};

use crate::{
    annotations,
    args::{DriftArgs, Format, RequireApproval},
    commands::compare,
    exit::{CliError, Exit},
    output,
    terminal::Terminal,
};

pub(crate) async fn run(args: &DriftArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let began = Instant::now();
    let (plan, positions, lints, baseline) =
        compare::run(&args.compare, Purpose::Drift, None, Some(&args.since), terminal).await?;
    if let Some(receipt) = baseline.receipt() {
        who_did_it(args, receipt, &plan, terminal)?;
    }
    write(args, &plan, &positions, began)?;
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

/// Where text is read, the query stands below it.
fn who_did_it(args: &DriftArgs, receipt: &ApplyOutcome, plan: &Plan, terminal: &Terminal) -> Result<(), CliError> {
    // The id of a run begins with its time; nothing else of a receipt says when it was.
    let time = receipt.run_id.as_deref().and_then(|run| run.split('-').next());
    let from = time
        .and_then(|time| Timestamp::strptime("%Y%m%dT%H%M%S%z", time.replace('Z', "+0000")).ok())
        .map(words);
    let Some(query) = cloudtrail_query(plan, from.as_deref(), &words(Timestamp::now())) else {
        return Ok(());
    };
    if args.compare.format != Format::Text || terminal.is_quiet() {
        return Ok(());
    }
    terminal.result(&format!(
        "\nWho did it, asked of CloudTrail Lake (events of IAM are in us-east-1):\n\n{query}"
    ))
}

fn words(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn write(args: &DriftArgs, plan: &Plan, positions: &Positions, began: Instant) -> Result<(), CliError> {
    if let Some(path) = &args.line_into {
        output::write_text(path, &render_line(plan))?;
    }
    if let Some(path) = &args.junit_into {
        output::write_text(path, &render_junit(plan))?;
    }
    if let Some(path) = &args.sarif_into {
        let places: BTreeMap<_, _> = plan
            .changes
            .iter()
            .map(|change| change.resource.clone())
            .chain(plan.left.iter().map(|left| left.resource.clone()))
            .chain(plan.held.iter().map(|held| held.resource.clone()))
            .chain(plan.requirements.iter().map(|requirement| requirement.subject.clone()))
            .filter_map(|resource| annotations::place_of(positions, &resource).map(|place| (resource, place)))
            .collect();
        output::write_text(path, &render_sarif(plan, &places)?)?;
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
