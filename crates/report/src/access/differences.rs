//! How what two documents, principals or accounts allow differs.

use serde::Serialize;
use trueup_access::{Line, Verdict};

use super::{Basis, causes, described, write_basis};
use crate::{
    TextOptions, Verbosity,
    page::{Page, Sign, count},
};

/// What is gained or lost, of whom.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Of whom; `None` where two documents or principals are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub line: Line,
}

/// How one principal's access differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalVerdict {
    /// Who, for example `user/alice`.
    pub principal: String,
    /// How NEW relates to OLD.
    pub verdict: Verdict,
}

/// The answer of `trueup access diff`.
#[derive(Debug, Clone, Serialize)]
pub struct DiffReport {
    /// [`super::ACCESS_VERSION`].
    pub format_version: &'static str,
    /// How NEW relates to OLD: `more` where NEW allows more.
    pub verdict: Verdict,
    /// What NEW allows and OLD does not.
    pub gained: Vec<Difference>,
    /// What OLD allows and NEW does not.
    pub lost: Vec<Difference>,
    /// What is not decided, and why.
    pub unknown: Vec<String>,
    /// What the verdict rests on beside the documented rules; mostly nothing.
    pub assumptions: Vec<String>,
    /// The verdict of each principal, where accounts are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principals: Option<Vec<PrincipalVerdict>>,
    /// What OLD is.
    pub old: Basis,
    /// What NEW is.
    pub new: Basis,
}

/// Renders the answer of `trueup access diff`.
pub fn render_diff(report: &DiffReport, options: &TextOptions) -> String {
    let DiffReport {
        format_version: _,
        verdict,
        gained,
        lost,
        unknown,
        assumptions,
        principals,
        old,
        new,
    } = report;
    let mut page = Page::new(options.color);
    let words = match verdict {
        Verdict::Same => ": the same is allowed (proved: any action name, any condition)",
        Verdict::More => ": NEW allows more than OLD, and nothing less",
        Verdict::Less => ": NEW allows less than OLD, and nothing more",
        Verdict::Both => ": NEW allows more of some and less of other",
        Verdict::Unknown => ": not decided; treat as new access",
    };
    let name = verdict.to_string();
    let line = page.line(0);
    match verdict {
        Verdict::Same | Verdict::Less => drop(line.good(&name).text(words)),
        Verdict::More | Verdict::Both | Verdict::Unknown => drop(line.warning(&name).text(words)),
    }
    if let Some(principals) = principals {
        let changed: Vec<&PrincipalVerdict> = principals.iter().filter(|it| it.verdict != Verdict::Same).collect();
        let all = count(principals.len() as u64, "principal", "principals");
        page.line(0)
            .text(&format!("{} of {all} with a difference", changed.len()));
        for PrincipalVerdict { principal, verdict } in changed {
            page.gap();
            page.line(2).bold(principal).text(&format!(": {verdict}"));
            let own = |it: &&Difference| it.principal.as_deref() == Some(principal);
            write_lines(&mut page, 4, Sign::Add, gained.iter().filter(own), options);
            write_lines(&mut page, 4, Sign::Remove, lost.iter().filter(own), options);
        }
    } else if !(gained.is_empty() && lost.is_empty()) {
        page.gap();
        write_lines(&mut page, 2, Sign::Add, gained.iter(), options);
        write_lines(&mut page, 2, Sign::Remove, lost.iter(), options);
    }
    if !(unknown.is_empty() && assumptions.is_empty()) {
        page.gap();
    }
    for cause in unknown {
        page.line(0).warning("Not decided: ").text(cause);
    }
    for assumption in assumptions {
        page.line(0).dim("Assumed: ").dim(assumption);
    }
    write_basis(&mut page, &[old, new], options);
    page.into_text()
}

fn write_lines<'a>(
    page: &mut Page,
    indent: usize,
    sign: Sign,
    differences: impl Iterator<Item = &'a Difference>,
    options: &TextOptions,
) {
    for Difference { principal: _, line } in differences {
        page.line(indent).sign(sign).text(&described(line));
        if options.verbosity == Verbosity::Quiet {
            continue;
        }
        if line.is_of_a_known_type || line.example.resource == "*" {
            page.line(indent + 4).dim(&format!("for example {}", line.example));
        }
        for cause in causes(&line.cause) {
            page.line(indent + 4).dim(&cause);
        }
    }
}
