//! Whether assertions hold.

use serde::Serialize;
use trueup_access::Failure;

use super::{Basis, effect, write_basis, write_decision};
use crate::{
    TextOptions, Verbosity,
    page::{Page, count},
};

/// An assertion and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct AssertedReport {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The assertion as it was written, on one line.
    pub text: String,
    /// How many principals it is about.
    pub principals: usize,
    /// Whether it holds.
    pub holds: bool,
    /// Where it does not.
    pub failures: Vec<Failure>,
}

/// The answer of `trueup access assert`.
#[derive(Debug, Clone, Serialize)]
pub struct AssertReport {
    /// [`super::ACCESS_VERSION`].
    pub format_version: &'static str,
    /// How many hold.
    pub holding: usize,
    /// How many do not.
    pub failing: usize,
    /// All of them, in the order of the files.
    pub assertions: Vec<AssertedReport>,
    /// What the answer rests on.
    pub basis: Basis,
}

/// How many principals are shown for one assertion before the rest is counted.
const SHOWN: usize = 5;

/// Renders the answer of `trueup access assert`.
pub fn render_assertions(report: &AssertReport, options: &TextOptions) -> String {
    let AssertReport {
        format_version: _,
        holding,
        failing,
        assertions,
        basis,
    } = report;
    let mut page = Page::new(options.color);
    for it in assertions {
        let AssertedReport {
            file,
            line,
            column,
            text,
            principals,
            holds,
            failures,
        } = it;
        if *holds {
            if options.verbosity == Verbosity::Verbose {
                let of = count(*principals as u64, "principal", "principals");
                page.line(0)
                    .good("holds")
                    .text(&format!("  {file}:{line}:{column}: {text} ({of})"));
            }
            continue;
        }
        page.line(0)
            .bad("fails")
            .text(&format!("  {file}:{line}:{column}: {text}"));
        let shown = if options.verbosity == Verbosity::Verbose {
            failures.len()
        } else {
            SHOWN
        };
        for failure in failures.iter().take(shown) {
            write_failure(&mut page, failure);
        }
        let more = failures.len().saturating_sub(shown);
        if more > 0 {
            let more = count(more as u64, "other principal", "other principals");
            page.line(7).dim(&format!("and {more} (-v lists them)"));
        }
    }
    let holding = match holding {
        1 => "1 assertion holds".to_owned(),
        more => format!("{more} assertions hold"),
    };
    let line = page.line(0);
    match failing {
        0 => drop(line.good(&holding)),
        1 => drop(line.text(&holding).bad(", 1 fails")),
        more => drop(line.text(&holding).bad(&format!(", {more} fail"))),
    }
    write_basis(&mut page, &[basis], options);
    page.into_text()
}

fn write_failure(page: &mut Page, failure: &Failure) {
    let Failure {
        principal,
        request,
        decision,
        unknown,
    } = failure;
    let becomes = decision.as_ref().map(|decision| effect(decision.effect));
    match (request, becomes) {
        (Some(request), Some(becomes)) => {
            page.line(7).bold(principal).text(&format!(": {request}: {becomes}"));
        }
        _ => drop(page.line(7).bold(principal).text(": not known whether it is allowed")),
    }
    if let Some(decision) = decision {
        write_decision(page, 9, decision);
    }
    for cause in unknown {
        page.line(9).text(cause);
    }
}
