//! Whether somebody can do something, and who can.

use serde::Serialize;
use trueup_access::{Effect, Question};

use super::{Basis, Shown, write_basis, write_decision};
use crate::{
    TextOptions,
    page::{Page, count},
};

/// Yes, no, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Yes {
    /// It is allowed.
    Yes,
    /// It is not.
    No,
    /// It depends on something that is not known.
    Unknown,
}

/// The answer of `trueup access can`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CanReport {
    /// [`super::ACCESS_VERSION`].
    pub format_version: &'static str,
    /// Who, for example `user/alice`.
    pub principal: String,
    /// What was asked.
    pub question: Question,
    /// Whether all of it is allowed.
    pub answer: Yes,
    /// The request itself; of a pattern, one that is not allowed.
    pub shown: Option<Shown>,
    /// Where the answer is no: what is allowed all the same, of a pattern or under other conditions.
    pub allowed_otherwise: Option<Shown>,
    /// Why it is not known.
    pub unknown: Vec<String>,
    /// What the answer rests on.
    pub basis: Basis,
}

/// Somebody who can, or who may be able to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who, for example `user/alice`.
    pub principal: String,
    /// Yes or unknown.
    pub answer: Yes,
    /// A request that is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// The answer of `trueup access who-can`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhoCanReport {
    /// [`super::ACCESS_VERSION`].
    pub format_version: &'static str,
    /// What was asked.
    pub question: Question,
    /// Of how many principals.
    pub asked: usize,
    /// Those who can, or may be able to.
    pub principals: Vec<Holder>,
    /// What the answer rests on.
    pub basis: Basis,
}

/// What was asked, in words.
fn asked(question: &Question) -> String {
    let mut text = format!("{} on {}", question.action, question.resource);
    for (index, (key, values)) in question.context.iter().enumerate() {
        text.push_str(if index == 0 { " where " } else { " and " });
        text.push_str(&format!("{key} is {}", values.join(" and ")));
    }
    text
}

/// The conditions of an example that were not asked for.
fn conditions(shown: &Shown, question: &Question) -> Vec<String> {
    let is_asked = |key: &str| question.context.keys().any(|asked| asked.eq_ignore_ascii_case(key));
    let context = shown.request.context.iter().filter(|(key, _)| !is_asked(key));
    context
        .map(|(key, values)| format!("{key} is {}", values.join(" and ")))
        .collect()
}

/// Renders the answer of `trueup access can`.
pub fn render_can(report: &CanReport, options: &TextOptions) -> String {
    let CanReport {
        format_version: _,
        principal,
        question,
        answer,
        shown,
        allowed_otherwise,
        unknown,
        basis,
    } = report;
    let mut page = Page::new(options.color);
    let what = asked(question);
    let is_pattern = shown
        .as_ref()
        .is_none_or(|shown| shown.request.action != question.action || shown.request.resource != question.resource);
    match answer {
        Yes::Yes => {
            let all = if is_pattern { "all of " } else { "" };
            page.line(0)
                .good("yes")
                .text(&format!(": {principal} is allowed {all}{what}"));
        }
        Yes::No => {
            let all = if is_pattern && allowed_otherwise.is_some() {
                "all of "
            } else {
                ""
            };
            page.line(0)
                .bad("no")
                .text(&format!(": {principal} is not allowed {all}{what}"));
        }
        Yes::Unknown => {
            page.line(0)
                .warning("not known")
                .text(&format!(": whether {principal} is allowed {what}"));
        }
    }
    if let Some(shown) = shown {
        if is_pattern {
            page.line(2).text(&format!("for example {}", shown.request));
        }
        match shown.decision.effect {
            Effect::NotAllowed | Effect::OutsideBoundary => {
                page.line(2).text(&shown.decision.effect.to_string());
            }
            Effect::Allowed | Effect::ExplicitlyDenied | Effect::Unknown => {}
        }
        write_decision(&mut page, 2, &shown.decision);
    }
    for cause in unknown {
        page.line(2).text(cause);
    }
    if let Some(other) = allowed_otherwise {
        let conditions = conditions(other, question);
        page.line(0).text(&match conditions.is_empty() || is_pattern {
            true => format!("some of it is allowed, for example {}", other.request),
            false => format!("it would be allowed where {}", conditions.join(" and ")),
        });
        write_decision(&mut page, 2, &other.decision);
    }
    write_basis(&mut page, &[basis], options);
    page.into_text()
}

/// Renders the answer of `trueup access who-can`.
pub fn render_who_can(report: &WhoCanReport, options: &TextOptions) -> String {
    let WhoCanReport {
        format_version: _,
        question,
        asked: total,
        principals,
        basis,
    } = report;
    let mut page = Page::new(options.color);
    let what = asked(question);
    let known = principals.iter().filter(|holder| holder.answer == Yes::Yes).count();
    let of = count(*total as u64, "principal", "principals");
    page.line(0).bold(&format!("{known} of {of} can {what}"));
    for holder in principals {
        let Holder {
            principal,
            answer,
            shown,
            unknown,
        } = holder;
        let line = page.line(2);
        match answer {
            Yes::Yes | Yes::No => drop(line.text(principal)),
            Yes::Unknown => drop(line.text(principal).warning("  not known")),
        }
        if let Some(shown) = shown {
            let is_it = shown.request.action == question.action && shown.request.resource == question.resource;
            if !is_it {
                page.line(4).text(&format!("for example {}", shown.request));
            } else {
                let conditions = conditions(shown, question);
                if !conditions.is_empty() {
                    page.line(4).text(&format!("where {}", conditions.join(" and ")));
                }
            }
            write_decision(&mut page, 4, &shown.decision);
        }
        for cause in unknown {
            page.line(4).text(cause);
        }
    }
    write_basis(&mut page, &[basis], options);
    page.into_text()
}
