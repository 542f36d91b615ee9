//! `trueup validate`: a manifest's problems, without any network.

use jiff::civil::Date;
use serde::Serialize;
use trueup_manifest::{Diagnostic, Severity};
use trueup_model::Desired;
use trueup_report::escape;

use crate::{
    annotations,
    args::ValidateArgs,
    commands::{Written, compare, written},
    exit::{CliError, Exit},
    manifest,
    terminal::Terminal,
};

/// The result as JSON. Minor versions of the format add, major versions break.
#[derive(Serialize)]
struct Verdict<'a> {
    format_version: &'static str,
    valid: bool,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

pub(crate) fn run(args: &ValidateArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let written = written(args.format)?;
    let path = manifest::locate(args.manifest.as_deref())?;
    let parsed = manifest::parse(&path)?;
    let errors = manifest::count(&parsed.diagnostics, Severity::Error);
    let warnings = manifest::count(&parsed.diagnostics, Severity::Warning);
    annotations::of_manifest(args.annotations, &parsed.diagnostics, terminal);
    let desired = parsed.desired.filter(|_| errors == 0);
    match written {
        Written::Json => terminal.result(&trueup_report::to_json(&Verdict {
            format_version: "1.0",
            valid: desired.is_some(),
            errors,
            warnings,
            diagnostics: &parsed.diagnostics,
        })?)?,
        Written::Text => {
            manifest::show(&parsed.diagnostics, terminal);
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
            let counted = match warnings {
                0 => None,
                1 => Some("1 warning".to_owned()),
                more => Some(format!("{more} warnings")),
            };
            let as_of = args.as_of.unwrap_or_else(compare::today);
            let refused: Vec<String> = counted.into_iter().chain(lapsed(&desired, as_of)).collect();
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

fn contents(desired: &Desired) -> String {
    [
        (desired.users.len(), "user", "users"),
        (desired.groups.len(), "group", "groups"),
        (desired.policies.len(), "policy", "policies"),
    ]
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
    .join(", ")
}
