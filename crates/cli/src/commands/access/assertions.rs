//! `trueup access assert`: whether assertions hold.

use std::path::Path;

use trueup_access::{Assertion, AssertionProblem, Engine, parse_assertions};
use trueup_manifest::{Diagnostic, Place, Severity};
use trueup_report::access::{ACCESS_VERSION, AssertReport, AssertedReport, render_assertions};

use crate::{
    args::AssertArgs,
    exit::{CliError, Exit},
    manifest, output,
    terminal::Terminal,
};

use super::{answer, source};

pub(super) async fn run(args: &AssertArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let data = source::iam_data(args.account.iam_data.as_deref())?;
    let mut engine = Engine::new(data);
    // What is wrong with the text needs no account to be told.
    let mut files = Vec::new();
    let mut diagnostics = Vec::new();
    for path in &args.files {
        let text = output::read_text(path)?;
        let name = name_of(path);
        let (assertions, problems) = parse_assertions(&text);
        diagnostics.extend(problems.into_iter().map(|problem| diagnostic(&name, &text, problem)));
        files.push((name, text, assertions));
    }
    refuse(&diagnostics, terminal)?;
    let known = source::open(&args.account, data, terminal).await?;
    for (name, text, assertions) in &files {
        let problems = assertions.iter().flat_map(|it| it.problems(&known.account, data));
        diagnostics.extend(problems.map(|problem| diagnostic(name, text, problem)));
    }
    manifest::show(&diagnostics, terminal);
    refuse_errors(&diagnostics)?;
    let mut report = AssertReport {
        format_version: ACCESS_VERSION,
        holding: 0,
        failing: 0,
        assertions: Vec::new(),
        basis: known.basis,
    };
    for (name, text, assertions) in &files {
        for assertion in assertions {
            let outcome = assertion.check(&mut engine, &known.account);
            let holds = outcome.failures.is_empty();
            *if holds {
                &mut report.holding
            } else {
                &mut report.failing
            } += 1;
            let place = place(name, text, assertion);
            report.assertions.push(AssertedReport {
                file: place.file,
                line: place.line,
                column: place.column,
                text: assertion.text.clone(),
                principals: outcome.principals,
                holds,
                failures: outcome.failures,
            });
        }
    }
    answer(args.format, terminal, &report, || {
        render_assertions(&report, &terminal.text_options())
    })?;
    Ok(if report.failing == 0 { Exit::Done } else { Exit::Strict })
}

fn name_of(path: &Path) -> String {
    match path == Path::new("-") {
        true => "stdin".to_owned(),
        false => path.display().to_string(),
    }
}

fn place(name: &str, text: &str, assertion: &Assertion) -> Place {
    Place::in_text(name, text, assertion.span.clone())
}

fn diagnostic(name: &str, text: &str, problem: AssertionProblem) -> Diagnostic {
    let AssertionProblem {
        code,
        is_warning,
        span,
        message,
        hint,
    } = problem;
    Diagnostic {
        severity: if is_warning { Severity::Warning } else { Severity::Error },
        code,
        message,
        place: Some(Place::in_text(name, text, span)),
        hint,
        related: Vec::new(),
    }
}

/// Shows what is wrong, and ends there if it is an error.
fn refuse(diagnostics: &[Diagnostic], terminal: &Terminal) -> Result<(), CliError> {
    if manifest::count(diagnostics, Severity::Error) > 0 {
        manifest::show(diagnostics, terminal);
    }
    refuse_errors(diagnostics)
}

fn refuse_errors(diagnostics: &[Diagnostic]) -> Result<(), CliError> {
    match manifest::count(diagnostics, Severity::Error) {
        0 => Ok(()),
        errors => Err(CliError::Assertions { errors }),
    }
}
