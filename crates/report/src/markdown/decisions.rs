//! What a reviewer has to decide: guardrails, what is lost for good, access that is gained, and what is not met.

use trueup_planner::{AccessChange, GuardrailFinding, Note, Plan, Requirement};

use super::{Detail, sheet::Sheet};
use crate::{
    access_folds::{Fold, folds},
    access_words::{self, Piece},
    escape::{markdown, markdown_code as code},
    page::count,
    plan_text::{allowed_words, to_apply},
    principals::whose,
};

/// How much of the budget the decisions may take, in hundredths: the details need room too.
const SHARE: usize = 60;
/// How many lines are said of one principal's access before the rest is counted.
const SHOWN_LINES: usize = 8;
/// What is left out where gains of access do not fit.
pub(super) const GAINS: (&str, &str) = ("gain of access", "gains of access");
/// How many names of principals of whom the same becomes.
const SHOWN_NAMES: usize = 12;

pub(super) fn write(sheet: &mut Sheet, plan: &Plan, detail: Detail) {
    let guardrails = plan.guardrails.iter().map(guardrail);
    let refuses = plan.guardrails.iter().any(|finding| !finding.allowed);
    let heading = match to_apply(&plan.guardrails) {
        _ if refuses => "#### Guardrails: apply refuses\n\n".to_owned(),
        Some(flag) => format!("#### Guardrails: all allowed (to apply: {})\n\n", code(&flag)),
        None => "#### Guardrails: all allowed\n\n".to_owned(),
    };
    sheet.list(&heading, guardrails, SHARE, ("guardrail", "guardrails"));

    let destructive = plan.changes.iter().filter(|change| change.destructive).map(|change| {
        let (whose, part) = whose(&change.resource);
        let what = if part.is_empty() {
            code(whose.as_str())
        } else {
            format!("{} {}", code(whose.as_str()), code(&part))
        };
        format!("- {what}: {}\n", markdown(&change.reason))
    });
    let kind = ("destructive change", "destructive changes");
    sheet.list("#### Destructive: cannot be brought back\n\n", destructive, SHARE, kind);

    let gaining = folds(plan.access.iter().filter(|change| change.may_gain()));
    let gaining = gaining.iter().map(|fold| access(fold, detail));
    sheet.list("#### Access that is gained\n\n", gaining, SHARE, GAINS);

    let unmet = plan
        .requirements
        .iter()
        .filter(|requirement| !requirement.met)
        .map(unmet);
    let kind = ("unmet requirement", "unmet requirements");
    sheet.list("#### Requirements that are not met\n\n", unmet, SHARE, kind);

    let strict = plan.notes.iter().filter(|note| note.strict).map(note);
    sheet.list("#### To be looked at\n\n", strict, SHARE, ("note", "notes"));
}

fn guardrail(finding: &GuardrailFinding) -> String {
    let GuardrailFinding {
        code: name,
        message,
        resources: _,
        allowed,
        allowance: _,
    } = finding;
    let flag = code(&format!("--allow {}", name.as_str()));
    let end = if finding.is_allowed_by_flag() {
        format!("allowed by {flag}")
    } else if *allowed {
        markdown(&allowed_words(finding))
    } else {
        format!("{flag} lets it pass")
    };
    format!("- {}: {} ({end})\n", code(name.as_str()), markdown(message))
}

fn unmet(requirement: &Requirement) -> String {
    let Requirement {
        subject,
        requirement,
        met: _,
        detail,
        remedy,
    } = requirement;
    let mut item = format!(
        "- {} {}: {}",
        code(subject.as_str()),
        markdown(requirement),
        markdown(detail)
    );
    if let Some(remedy) = remedy {
        item.push_str(&format!("; {}", markdown(remedy)));
    }
    item.push('\n');
    item
}

pub(super) fn note(note: &Note) -> String {
    let Note {
        strict: _,
        resource: _,
        message,
    } = note;
    match note.subject() {
        Some(resource) => format!("- {}: {}\n", code(resource.as_str()), markdown(message)),
        None => format!("- {}\n", markdown(message)),
    }
}

/// What changes in the access of principals of whom the same becomes.
pub(super) fn access(fold: &Fold<'_>, detail: Detail) -> String {
    let AccessChange {
        principal: _,
        verdict,
        gained,
        lost,
        administrator,
        escalation,
        unknown,
        assumptions,
    } = fold.change;
    let mut names: Vec<String> = fold
        .principals
        .iter()
        .take(SHOWN_NAMES)
        .map(|one| code(one.as_str()))
        .collect();
    if fold.principals.len() > SHOWN_NAMES {
        names.push(format!("{} more", fold.principals.len() - SHOWN_NAMES));
    }
    let number = match fold.principals.len() {
        1 => String::new(),
        _ => format!("{}, ", fold.number()),
    };
    let mut item = format!("- {number}{}: {}", names.join(", "), access_words::verdict(*verdict));
    if let Some(administrator) = administrator {
        item.push_str(&format!("; **{}**", access_words::administrator(*administrator)));
    }
    if detail == Detail::Line {
        for (head, lines) in [(": ", gained), ("; no longer: ", lost)] {
            if !lines.is_empty() {
                item.push_str(&format!("{head}{}", sentence(&access_words::actions(lines))));
            }
        }
        if !escalation.is_empty() {
            let ways = count(escalation.len() as u64, "known way", "known ways");
            item.push_str(&format!("; **{ways} to more access**"));
        }
        if !unknown.is_empty() {
            item.push_str(&format!("; {} not decided", unknown.len()));
        }
        item.push('\n');
        return item;
    }
    item.push('\n');
    let ways = escalation.iter().map(access_words::escalation);
    let pieces: Vec<Vec<Piece>> = match detail {
        Detail::Full => ways
            .chain(gained.iter().map(access_words::gained))
            .chain(lost.iter().map(access_words::lost))
            .collect(),
        Detail::Short | Detail::Line => ways
            .chain(access_words::gained_briefly(gained))
            .chain(access_words::lost_briefly(lost))
            .collect(),
    };
    let mut lines: Vec<String> = pieces.iter().map(|pieces| sentence(pieces)).collect();
    lines.extend(unknown.iter().map(|why| format!("not decided: {}", markdown(why))));
    lines.extend(assumptions.iter().map(|what| format!("assumed: {}", markdown(what))));
    for line in lines.iter().take(SHOWN_LINES) {
        item.push_str(&format!("  - {line}\n"));
    }
    if lines.len() > SHOWN_LINES {
        item.push_str(&format!("  - … and {} more\n", lines.len() - SHOWN_LINES));
    }
    item
}

pub(super) fn sentence(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(words) => words.clone(),
            Piece::Code(name) => code(name),
            Piece::Prose(words) => markdown(words),
        })
        .collect()
}
