//! `trueup validate`: a manifest's problems, without any network.

use jiff::civil::Date;
use serde::Serialize;
use trueup_manifest::{Diagnostic, LintRule, Severity};
use trueup_model::Desired;
use trueup_report::escape;

use crate::{
    annotations,
    args::ValidateArgs,
    commands::{Written, access::source, compare, written},
    exit::{CliError, Exit},
    lints, manifest,
    terminal::Terminal,
};

/// The result as JSON. Minor versions of the format add, major versions break.
#[derive(Serialize)]
struct Verdict<'a> {
    format_version: &'static str,
    valid: bool,
    errors: usize,
    /// Lints about what lets people do too much.
    security: usize,
    warnings: usize,
    suggestions: usize,
    /// The day of the action data that lints rest on.
    action_data: &'a str,
    diagnostics: &'a [Diagnostic],
}

pub(crate) fn run(args: &ValidateArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let written = written(args.format)?;
    let path = manifest::locate(args.manifest.as_deref())?;
    let data = source::iam_data(args.iam_data.as_deref())?;
    let mut parsed = manifest::parse(&path)?;
    lints::add(&mut parsed, data);
    let count = |severity| manifest::count(&parsed.diagnostics, severity);
    let (errors, suggestions) = (count(Severity::Error), count(Severity::Suggestion));
    let (security, warnings) = (count(Severity::Security), count(Severity::Warning));
    annotations::of_manifest(args.annotations, &parsed.diagnostics, terminal);
    let desired = parsed.desired.filter(|_| errors == 0);
    match written {
        Written::Json => terminal.result(&trueup_report::to_json(&Verdict {
            format_version: "1.0",
            valid: desired.is_some(),
            errors,
            security,
            warnings,
            suggestions,
            action_data: data.date(),
            diagnostics: &parsed.diagnostics,
        })?)?,
        Written::Text => {
            // A quiet run says what stands in the way; a suggestion does not.
            let is_said = |it: &&Diagnostic| it.severity != Severity::Suggestion || !terminal.is_quiet();
            let said: Vec<Diagnostic> = parsed.diagnostics.iter().filter(is_said).cloned().collect();
            manifest::show(&said, terminal);
            if let Some(desired) = &desired {
                let path = escape::text(&path.display().to_string()).into_owned();
                terminal.result(&format!("{path} is valid: {}\n", contents(desired)))?;
            }
        }
    }
    match desired {
        None if written == Written::Json => Ok(Exit::Failed),
        None => Err(CliError::Manifest { errors: errors.max(1) }),
        Some(desired) if args.strict => {
            let counted = |number: usize, one: &str, many: &str| match number {
                0 => None,
                1 => Some(format!("1 {one}")),
                more => Some(format!("{more} {many}")),
            };
            let found = [
                counted(security, "security lint", "security lints"),
                counted(warnings, "warning", "warnings"),
            ];
            let as_of = args.as_of.unwrap_or_else(compare::today);
            let refused = found.into_iter().flatten().chain(lapsed(&desired, as_of));
            let refused: Vec<String> = refused.chain(lapsed_lints(&parsed.lint_rules, as_of)).collect();
            terminal.strict(&refused);
            Ok(if refused.is_empty() { Exit::Done } else { Exit::Strict })
        }
        Some(_) => Ok(Exit::Done),
    }
}

/// The rules whose last day is over, in words.
fn lapsed(desired: &Desired, as_of: Date) -> impl Iterator<Item = String> {
    let rules = desired.scope.ignore.iter().filter(move |rule| rule.lapsed(as_of));
    rules.map(|rule| {
        let until = rule.until.map(|date| date.to_string()).unwrap_or_default();
        format!("the ignore rule `{}` lapsed after {until}", rule.target)
    })
}

/// The rules about lints whose last day is over, in words. They still hold.
fn lapsed_lints(rules: &[LintRule], as_of: Date) -> impl Iterator<Item = String> {
    let rules = rules.iter().filter(move |rule| rule.lapsed(as_of));
    rules.map(|rule| {
        let until = rule.until.map(|date| date.to_string()).unwrap_or_default();
        format!(
            "the lint rule for `{}` at line {} lapsed after {until}",
            rule.code, rule.place.line
        )
    })
}

fn contents(desired: &Desired) -> String {
    [
        (desired.users.len(), "user", "users"),
        (desired.groups.len(), "group", "groups"),
        (desired.policies.len(), "policy", "policies"),
    ]
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
    .join(", ")
}
