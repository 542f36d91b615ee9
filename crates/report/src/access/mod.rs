//! Answers of `trueup access`, as text and, by serialising them, as JSON.

mod answers;
mod assertions;
mod differences;
pub mod graph;
mod holdings;

use std::collections::BTreeSet;

use serde::Serialize;
use trueup_access::{Cause, Decision, Effect, Line, Request, StatementRef};

pub use answers::{CanReport, Holder, WhoCanReport, Yes, render_can, render_who_can};
pub use assertions::{AssertReport, AssertedReport, render_assertions};
pub use differences::{DiffReport, Difference, PrincipalVerdict, render_diff};
pub use holdings::{ListReport, render_list};

use crate::{TextOptions, Verbosity, page::Page};

/// The version of these answers as JSON. Minor versions add, major versions break.
pub const ACCESS_VERSION: &str = "1.0";

/// What an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Whose access it is, for example `the manifest trueup.yaml`.
    pub source: String,
    /// The account's id; `None` for a document by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The day of the action data.
    pub action_data: String,
    /// The day of the documents of AWS managed policies, where they are not the account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_policies: Option<String>,
    /// What else is not looked at or not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A request and what decides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The request.
    pub request: Request,
    /// What becomes of it, and through which statements.
    pub decision: Decision,
}

impl From<(Request, Decision)> for Shown {
    fn from((request, decision): (Request, Decision)) -> Self {
        Self { request, decision }
    }
}

/// A statement in words: which one, of which policy, and through which group. What has no ARN is an inline policy, or
/// a document by itself.
fn statement(statement: &StatementRef) -> String {
    let StatementRef { origin, index, label } = statement;
    let group = origin
        .group
        .as_ref()
        .map_or_else(String::new, |group| format!(" of group `{group}`"));
    format!("statement {} `{label}` of policy `{}`{group}", index + 1, origin.policy)
}

/// Why a line is there, one statement a line.
fn causes(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::Allow(statements) => statements
            .iter()
            .map(|it| format!("allowed by {}", statement(it)))
            .collect(),
        Cause::Deny(statements) => statements
            .iter()
            .map(|it| format!("denied by {}", statement(it)))
            .collect(),
        Cause::NoBoundary => vec!["without a permissions boundary".to_owned()],
    }
}

/// What becomes of a request, in a word or some.
fn effect(effect: Effect) -> String {
    match effect {
        // The statement follows.
        Effect::ExplicitlyDenied => "denied".to_owned(),
        other => other.to_string(),
    }
}

/// What decides a request, one statement a line.
fn write_decision(page: &mut Page, indent: usize, decision: &Decision) {
    let verb = match decision.effect {
        Effect::ExplicitlyDenied => "denied",
        _ => "allowed",
    };
    for it in &decision.statements {
        page.line(indent).text(&format!("{verb} by {}", statement(it)));
    }
    for cause in &decision.unknown {
        page.line(indent).text("not known: ").text(cause);
    }
}

/// What a line is about, without a sign: `Read, Write (s3:GetObject) on arn:... when ...`.
fn described(line: &Line) -> String {
    // Whoever reads the sign has it in front of the line.
    line.render('\u{0}').replace('\u{0}', "")
}

/// What an answer rests on and what it leaves out, unless the run is quiet.
fn write_basis(page: &mut Page, bases: &[&Basis], options: &TextOptions) {
    if options.verbosity == Verbosity::Quiet {
        return;
    }
    page.gap();
    let mut told = BTreeSet::new();
    for basis in bases {
        let Basis {
            source,
            account_id,
            action_data,
            aws_policies,
            notes: _,
        } = basis;
        let account = account_id
            .as_ref()
            .map_or_else(String::new, |account| format!(" (account {account})"));
        let aws = aws_policies
            .as_ref()
            .map_or_else(String::new, |date| format!("; AWS managed policies as of {date}"));
        page.line(0).dim(&format!(
            "Asked of {source}{account}; action data of {action_data}{aws}."
        ));
    }
    for note in bases.iter().flat_map(|basis| &basis.notes) {
        if told.insert(note) {
            page.line(0).dim("Not looked at: ").dim(note).dim(".");
        }
    }
    page.line(0).dim(
        "Not looked at: resource policies (may grant more); service control, resource control and session policies (only take away).",
    );
}
