//! The trueup manifest: YAML to [`Desired`], a live account back to YAML, and every message that an author sees.
//!
//! [`parse`] reads all files, reports all problems at once, and gives the desired state where there is no error.
//! This crate never knows AWS or a clock: the days of `expires` and `until` are compared by the planner. The only
//! input that it reads is the manifest's own directory, through [`Files`].

mod context;
mod diagnostic;
mod export;
mod files;
mod format;
mod lints;
mod positions;
mod read;
mod resolve;
mod schema;
mod yaml;

pub use diagnostic::{Diagnostic, Place, Related, Severity, render};
pub use export::{ExportOptions, Exported, export};
pub use files::{DiskFiles, Files, FilesError, MemoryFiles, discover};
pub use format::{Formatted, format};
pub use lints::{Found, LintRule, PlacedDocument};
pub use positions::{Position, Positions};
pub use schema::schema;

use context::Context;
use trueup_model::Desired;

/// What became of a manifest.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The desired state; `None` where there is any error.
    pub desired: Option<Desired>,
    /// All problems, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Where things are declared. Apart from the desired state, whose meaning does not depend on it.
    pub positions: Positions,
    /// All documents that could be read, with their places.
    pub documents: Vec<PlacedDocument>,
    /// Which lints are meant where.
    pub lint_rules: Vec<LintRule>,
}

impl Parsed {
    /// The problems that are nothing but keys that are known and have no effect yet.
    pub fn unsupported(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code == "unsupported")
    }
}

/// Reads a manifest. The answer does not depend on the order in which files are listed.
pub fn parse(files: &dyn Files) -> Parsed {
    let mut context = Context::new(files);
    let raw = read::read(&mut context);
    let mut lint_rules = lints::rules(&context, &raw);
    let desired = resolve::resolve(&mut context, &raw, &mut lint_rules).filter(|_| !context.has_errors());
    Parsed {
        documents: lints::documents(&context, &raw, desired.as_ref()),
        desired,
        positions: Positions::collect(&context, &raw),
        diagnostics: context.into_diagnostics(),
        lint_rules,
    }
}
