//! Remarks beside the lines of a manifest, for a runner that shows them.

use std::path::Path;

use trueup_manifest::{Diagnostic, Positions, Severity};
use trueup_model::Resource;
use trueup_planner::Plan;
use trueup_report::{Annotation, Level, Position, github_commands, plan_annotations};

use crate::{args::Annotations, environment, terminal::Terminal};

/// Says what is wrong with a manifest.
pub(crate) fn of_manifest(wanted: Option<Annotations>, diagnostics: &[Diagnostic], terminal: &Terminal) {
    let said = diagnostics.iter().map(|diagnostic| Annotation {
        level: match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Security | Severity::Warning => Level::Warning,
            Severity::Suggestion => Level::Notice,
        },
        title: diagnostic.code.to_owned(),
        message: match &diagnostic.hint {
            Some(hint) => format!("{} (hint: {hint})", diagnostic.message),
            None => diagnostic.message.clone(),
        },
        position: diagnostic.place.as_ref().map(|place| position(&place.file, place.line)),
    });
    say(wanted, &said.collect::<Vec<_>>(), terminal);
}

/// Says what a plan does, beside the lines that ask for it.
pub(crate) fn of_plan(wanted: Option<Annotations>, plan: &Plan, positions: &Positions, terminal: &Terminal) {
    say(
        wanted,
        &plan_annotations(plan, |resource| place_of(positions, resource)),
        terminal,
    );
}

/// The line of the manifest that asks for something.
pub(crate) fn place_of(positions: &Positions, resource: &Resource) -> Option<Position> {
    let found = positions.of(resource)?;
    Some(position(&found.file, found.line))
}

/// On stderr, which the runner reads as it reads stdout, so that a result on stdout stays whole.
fn say(wanted: Option<Annotations>, annotations: &[Annotation], terminal: &Terminal) {
    match wanted {
        Some(Annotations::Github) => terminal.message(&github_commands(annotations)),
        None => {}
    }
}

/// A place as the runner names it: from the root of the repository, wherever the command was started.
fn position(file: &str, line: usize) -> Position {
    let root = environment::github_workspace().or_else(|| std::env::current_dir().ok());
    let below_root = || {
        let root = root?.canonicalize().ok()?;
        let file = Path::new(file).canonicalize().ok()?;
        Some(file.strip_prefix(root).ok()?.to_string_lossy().into_owned())
    };
    Position {
        file: below_root().unwrap_or_else(|| file.to_owned()),
        line,
    }
}
