//! What plan, apply and drift share: the manifest, the live account, and the plan between them.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use trueup_access::Verdict;
use trueup_manifest::Positions;
use trueup_model::{Desired, Live, live::Needs};
use trueup_planner::{Options, Plan};
use trueup_reader::ReadError;
use trueup_report::{
    HtmlOptions, MarkdownOptions, Purpose, cloudtrail_query, plan_json, render_plan_html, render_plan_markdown,
    render_plan_text,
};

use crate::{
    annotations,
    args::{CompareArgs, Format, RequireApproval, SinceArgs},
    baseline::Baseline,
    exit::{CliError, Exit},
    live::{Api, Source},
    manifest, markdown, output, telemetry,
    terminal::Terminal,
};

/// The day that it is, UTC.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// What a plan depends on beside the two states. `reviewed` is the day of a plan that was reviewed.
pub(crate) fn options(args: &CompareArgs, reviewed: Option<Date>) -> Options {
    Options {
        as_of: args.as_of.or(reviewed).unwrap_or_else(today),
        allow: args.allow.iter().copied().collect(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Reads the account as far as a plan needs it, and plans.
pub(crate) async fn plan_live(
    source: &Source,
    desired: &Desired,
    options: &Options,
    baseline: &Baseline,
    terminal: &Terminal,
) -> Result<(Plan, Live), CliError> {
    let (plan, live) = match source {
        Source::Snapshot(live) => (baseline.plan(desired, live, options)?, (**live).clone()),
        Source::Api(api) => {
            let identity = api.identity(Some(&desired.account.id)).await?;
            let _activity = terminal.activity("reading the account");
            read_and_plan(api, &identity, desired, options, baseline).await?
        }
    };
    telemetry::plan(&plan);
    Ok((plan, live))
}

/// Reads the account as far as a plan needs it, and makes the plan.
///
/// A plan that no order of calls is safe for may be possible when more is known of those who are in the way.
pub(crate) async fn read_and_plan(
    api: &Api,
    identity: &trueup_reader::Identity,
    desired: &Desired,
    options: &Options,
    baseline: &Baseline,
) -> Result<(Plan, Live), CliError> {
    let mut live = read_for(api, identity, desired, options).await?;
    let plan = match baseline.plan(desired, &live, options) {
        Err(CliError::Plan(refused)) => {
            let needs = trueup_planner::needs_of_refused(&refused, &live);
            if needs == Needs::default() {
                return Err(refused.into());
            }
            match api.details(&mut live, &needs).await {
                // Who may not look closer is told what is wrong with the plan all the same.
                Err(CliError::Read(error)) if matches!(*error, ReadError::AccessDenied { .. }) => {
                    return Err(refused.into());
                }
                looked => looked?,
            }
            baseline.plan(desired, &live, options)?
        }
        made => made?,
    };
    Ok((plan, live))
}

/// Reads the account as far as a plan needs it.
async fn read_for(
    api: &Api,
    identity: &trueup_reader::Identity,
    desired: &Desired,
    options: &Options,
) -> Result<Live, CliError> {
    let mut live = api.read(identity).await?;
    // What is read can raise another question, whose answer raises none: three rounds at most.
    for _ in 0..3 {
        let needs = trueup_planner::needs(desired, &live, options);
        if needs == Needs::default() {
            break;
        }
        api.details(&mut live, &needs).await?;
    }
    Ok(live)
}

/// Compares the manifest with the live account, and writes the plan to wherever it was asked for: one reading, one
/// plan.
///
/// `reviewed`: the day of the plan that it will be compared with. `since`: what tells drift from what is pending. Answered
/// with it: where the manifest asks for what, and what lints found in a strict run.
pub(crate) async fn run(
    args: &CompareArgs,
    purpose: Purpose,
    reviewed: Option<Date>,
    since: Option<&SinceArgs>,
    terminal: &Terminal,
) -> Result<(Plan, Positions, Option<String>), CliError> {
    let (desired, positions, lints) = if args.strict {
        manifest::load_strictly(args.manifest.as_deref(), args.annotations, terminal)?
    } else {
        let (desired, positions) = manifest::load(args.manifest.as_deref(), args.annotations, terminal)?;
        (desired, positions, None)
    };
    let baseline = match since {
        Some(since) => Baseline::read(since, &desired.account.id)?,
        None => Baseline::default(),
    };
    let source = Source::open(&args.live, Some(&desired.account.id)).await?;
    let (mut plan, live) = plan_live(&source, &desired, &options(args, reviewed), &baseline, terminal).await?;
    if baseline.receipt().is_some() {
        plan.cloudtrail_query = cloudtrail_query(&plan, baseline.since().as_deref());
    }
    write_files(&plan, [&args.json_into])?;
    if let Some(path) = &args.markdown_into {
        markdown::write(path, terminal, |budget| {
            render_plan_markdown(&plan, &MarkdownOptions { budget, purpose })
        })?;
    }
    if let Some(path) = &args.html_into {
        output::write_text(path, &page(&plan, purpose, Some(&live))?)?;
    }
    annotations::of_plan(args.annotations, &plan, &positions, terminal);
    show(&plan, args.format, purpose, Some(&live), terminal)?;
    Ok((plan, positions, lints))
}

/// Writes a plan document to the files that were asked for.
pub(crate) fn write_files<'a>(
    plan: &Plan,
    files: impl IntoIterator<Item = &'a Option<PathBuf>>,
) -> Result<(), CliError> {
    for file in files.into_iter().flatten() {
        output::write_text(file, &plan_json(plan)?)?;
    }
    Ok(())
}

fn page(plan: &Plan, purpose: Purpose, live: Option<&Live>) -> Result<String, CliError> {
    let options = HtmlOptions {
        purpose,
        live,
        ..HtmlOptions::default()
    };
    Ok(render_plan_html(plan, &options)?)
}

/// Writes a plan to stdout. `live` is the account that it was made from, where it is at hand.
pub(crate) fn show(
    plan: &Plan,
    format: Format,
    purpose: Purpose,
    live: Option<&Live>,
    terminal: &Terminal,
) -> Result<(), CliError> {
    let text = match format {
        Format::Text => render_plan_text(plan, &terminal.text_options()),
        Format::Json => plan_json(plan)?,
        Format::Markdown => render_plan_markdown(
            plan,
            &MarkdownOptions {
                purpose,
                ..MarkdownOptions::default()
            },
        ),
        Format::Html => page(plan, purpose, live)?,
    };
    terminal.result(&text)
}

/// What a strict run does not accept, in words. Notes are given whole, since a quiet run has not shown them.
pub(crate) fn strict_findings(plan: &Plan) -> Vec<String> {
    let unmet = plan.requirements.iter().filter(|requirement| !requirement.met).count();
    // One can find several things.
    let fired = plan.guardrails.iter().filter(|finding| !finding.allowed);
    let guardrails = fired.map(|finding| finding.code).collect::<BTreeSet<_>>().len();
    let counted = [
        (unmet, "requirement not met", "requirements not met"),
        (guardrails, "guardrail", "guardrails"),
    ]
    .into_iter()
    .filter(|(count, _, _)| *count > 0)
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
    let notes = plan.notes.iter().filter(|note| note.strict);
    counted.chain(notes.map(|note| note.message.clone())).collect()
}

/// How many names are told before the rest is counted.
const NAMES: usize = 5;

/// Why a plan takes a person's approval, in words; empty where it takes none.
pub(crate) fn approval_findings(plan: &Plan, required: RequireApproval) -> Vec<String> {
    let names = |verdict: fn(Verdict) -> bool, words: &str| -> Option<String> {
        let those: Vec<&str> = plan
            .broadened()
            .filter(|change| verdict(change.verdict))
            .map(|change| change.principal.as_str())
            .collect();
        let named: Vec<&str> = those.iter().take(NAMES).copied().collect();
        let rest = match those.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!those.is_empty()).then(|| format!("{words}: {}{rest}", named.join(", ")))
    };
    match required {
        RequireApproval::Never => Vec::new(),
        RequireApproval::AnyChange if plan.changes.is_empty() => Vec::new(),
        RequireApproval::AnyChange => vec![format!(
            "{} {}",
            plan.changes.len(),
            if plan.changes.len() == 1 { "change" } else { "changes" }
        )],
        RequireApproval::Broadening => {
            let gain = names(|verdict| verdict != Verdict::Unknown, "gain access");
            let unknown = names(
                |verdict| verdict == Verdict::Unknown,
                "not decided whether they gain access",
            );
            gain.into_iter().chain(unknown).collect()
        }
    }
}

/// How plan and drift end. `lints` is what lints found in a strict run, in words; `counted` are the changes that an exit
/// code tells of.
pub(crate) fn exit(
    plan: &Plan,
    lints: Option<String>,
    strict: bool,
    required: RequireApproval,
    counted: usize,
    terminal: &Terminal,
) -> Exit {
    let mut refused = if strict { strict_findings(plan) } else { Vec::new() };
    refused.extend(lints);
    terminal.strict(&refused);
    let unapproved = approval_findings(plan, required);
    terminal.approval(&unapproved);
    if !refused.is_empty() || !unapproved.is_empty() {
        Exit::Strict
    } else if counted > 0 {
        Exit::Changes
    } else {
        Exit::Done
    }
}
