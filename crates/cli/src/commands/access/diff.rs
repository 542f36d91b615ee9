//! `trueup access diff`: what one side allows that the other does not.

use std::{collections::BTreeSet, path::Path};

use trueup_access::{Engine, Holdings, IamData, Verdict};
use trueup_model::{GroupName, PolicyArn, PolicyDocument};
use trueup_report::access::{ACCESS_VERSION, Basis, DiffReport, Difference, PrincipalVerdict, render_diff};

use crate::{
    args::{AccountArgs, DiffArgs, FailOn, LiveSource},
    exit::{CliError, Exit},
    output,
    terminal::Terminal,
};

use super::{
    answer, no_such, principal,
    source::{self, Known},
};

/// One side of a comparison.
enum Side {
    /// One policy, user, role or group.
    One(Box<Holdings>, Basis),
    /// Everybody of an account.
    All(Box<Known>),
}

pub(super) async fn run(args: &DiffArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let data = source::iam_data(args.account.iam_data.as_deref())?;
    let mut engine = Engine::new(data);
    let old = open(&args.old, &args.account, data, terminal).await?;
    let new = open(&args.new, &args.account, data, terminal).await?;
    let report = match (old, new) {
        (Side::One(before, old), Side::One(after, new)) => one(&mut engine, (&before, old), (&after, new)),
        (Side::All(before), Side::All(after)) => all(&mut engine, *before, *after),
        _ => {
            return Err(CliError::refused(
                format!(
                    "`{}` and `{}` cannot be compared: one is a whole account",
                    args.old, args.new
                ),
                "compare two documents or principals, or two manifests, snapshots or live accounts",
            ));
        }
    };
    answer(args.format, terminal, &report, || {
        render_diff(&report, &terminal.text_options())
    })?;
    Ok(match args.fail_on {
        Some(FailOn::Broadening) if !report.verdict.is_no_new_access() => Exit::Strict,
        _ => Exit::Done,
    })
}

async fn open(text: &str, args: &AccountArgs, data: &IamData, terminal: &Terminal) -> Result<Side, CliError> {
    if let Some((kind @ ("user" | "role" | "group"), name)) = text.split_once(':') {
        let known = source::open(args, data, terminal).await?;
        let holdings = match kind {
            "group" => {
                let groups = known.account.groups.keys().map(GroupName::as_str);
                let held = known.account.of_group(&GroupName::from_live(name));
                held.ok_or_else(|| no_such("group", name, groups))?
            }
            _ => {
                let name = principal(&format!("{kind}/{name}"), &known.account)?;
                known.account.holdings(&name).cloned().unwrap_or_default()
            }
        };
        let basis = Basis {
            source: format!("{kind}/{name} of {}", known.basis.source),
            ..known.basis
        };
        return Ok(Side::One(Box::new(holdings), basis));
    }
    if let Ok(source) = text.parse::<LiveSource>() {
        let known = source::open_live(&source, &args.aws, data, terminal).await?;
        return Ok(Side::All(Box::new(known)));
    }
    if text.starts_with("arn:") {
        let document = PolicyArn::new(text).ok().and_then(|arn| source::aws_document(&arn));
        let document = document.ok_or_else(|| {
            CliError::refused(
                format!("there is no AWS managed policy `{text}`"),
                "name one as arn:aws:iam::aws:policy/ReadOnlyAccess, or a file with a policy document",
            )
        })?;
        let basis = Basis {
            aws_policies: Some(trueup_aws_policies::DATE.to_owned()),
            ..of_document(text, data)
        };
        return Ok(Side::One(Box::new(Holdings::of_document(text, document)), basis));
    }
    let path = Path::new(text);
    let is_manifest = path.is_dir() || path.extension().is_some_and(|it| it == "yaml" || it == "yml");
    if is_manifest {
        return source::open_manifest(Some(path), data, terminal).map(|known| Side::All(Box::new(known)));
    }
    let document = PolicyDocument::parse(&output::read_text(path)?).map_err(|error| CliError::Content {
        path: path.to_owned(),
        what: "policy document",
        problem: error.to_string(),
    })?;
    if document.statements().is_empty() {
        return Err(CliError::refused(
            format!("{text} has no statements, so it is no policy document"),
            "a snapshot is named as snapshot:FILE",
        ));
    }
    Ok(Side::One(
        Box::new(Holdings::of_document(text, document)),
        of_document(text, data),
    ))
}

fn of_document(name: &str, data: &IamData) -> Basis {
    Basis {
        source: format!("the document {name}"),
        account_id: None,
        action_data: data.date().to_owned(),
        aws_policies: None,
        notes: Vec::new(),
    }
}

fn one(engine: &mut Engine<'_>, (before, old): (&Holdings, Basis), (after, new): (&Holdings, Basis)) -> DiffReport {
    let comparison = engine.compare(before, after);
    let mut lines = |findings, facts| {
        let lines = engine.summarise(findings, facts).into_iter();
        let lines = lines.map(|line| Difference { principal: None, line });
        lines.collect()
    };
    DiffReport {
        format_version: ACCESS_VERSION,
        verdict: comparison.verdict,
        gained: lines(&comparison.gained, &after.facts),
        lost: lines(&comparison.lost, &before.facts),
        unknown: comparison.unknown,
        assumptions: comparison.assumptions.into_iter().map(str::to_owned).collect(),
        principals: None,
        old,
        new,
    }
}

fn all(engine: &mut Engine<'_>, before: Known, after: Known) -> DiffReport {
    let names: BTreeSet<_> = before
        .account
        .principals
        .keys()
        .chain(after.account.principals.keys())
        .collect();
    let mut report = DiffReport {
        format_version: ACCESS_VERSION,
        verdict: Verdict::Same,
        gained: Vec::new(),
        lost: Vec::new(),
        unknown: Vec::new(),
        assumptions: Vec::new(),
        principals: None,
        old: before.basis,
        new: after.basis,
    };
    let mut verdicts = Vec::new();
    for name in names {
        let (old, new) = (before.account.holdings(name), after.account.holdings(name));
        let nobody = |other: Option<&Holdings>| Holdings {
            facts: other.map(|other| other.facts.clone()).unwrap_or_default(),
            ..Holdings::default()
        };
        let (old, new) = (
            old.cloned().unwrap_or_else(|| nobody(new)),
            new.cloned().unwrap_or_else(|| nobody(old)),
        );
        let principal = name.to_string();
        let comparison = engine.compare(&old, &new);
        let mut lines = |findings, facts| {
            let lines = engine.summarise(findings, facts).into_iter();
            let own = lines.map(|line| Difference {
                principal: Some(principal.clone()),
                line,
            });
            own.collect::<Vec<_>>()
        };
        report.gained.extend(lines(&comparison.gained, &new.facts));
        report.lost.extend(lines(&comparison.lost, &old.facts));
        let causes = comparison.unknown.iter();
        report
            .unknown
            .extend(causes.map(|cause| format!("{principal}: {cause}")));
        report
            .assumptions
            .extend(comparison.assumptions.iter().map(|it| (*it).to_owned()));
        report.verdict = report.verdict.and(comparison.verdict);
        verdicts.push(PrincipalVerdict {
            principal,
            verdict: comparison.verdict,
        });
    }
    report.assumptions.sort_unstable();
    report.assumptions.dedup();
    report.principals = Some(verdicts);
    report
}
