//! Plans and the outcome of applying them: text, Markdown and HTML for people, JSON for programs.
//!
//! This crate is pure: it never prints, never reads the environment or the clock, and never asks whether there is a
//! terminal; [`TextOptions`] says it. It decides nothing about the account: what it shows is in the data already.
//!
//! INVARIANT: names, tags, Sids, descriptions and documents come from a live account or from a manifest and can hold
//! anything. All text reaches the terminal through the module `page`, which escapes everything that is not its own;
//! the other formats say at their beginning how they do it.

pub mod access;
mod access_folds;
mod access_text;
mod access_words;
mod annotations;
mod apply;
mod changes;
mod document;
pub mod escape;
mod html;
mod markdown;
mod nightly;
mod page;
mod places;
mod plan_text;
mod principals;
mod stale;
mod value;

pub use annotations::{Annotation, Level, github_commands, plan_annotations};
pub use apply::{ActionOutcome, ActionResult, ApplyOutcome, RECEIPT_VERSION, Verification, render_apply_text};
pub use document::{ReadPlanError, plan_json, read_plan, to_json};
pub use html::{HtmlError, HtmlOptions, render_plan_html};
pub use markdown::{
    COMMENT_BUDGET, MarkdownOptions, Purpose, render_apply_markdown, render_plan_markdown, render_refusal_markdown,
};
pub use nightly::{Measured, cloudtrail_query, render_junit, render_line, render_metrics, render_sarif};
pub use places::Position;
pub use plan_text::{render_guardrails, render_plan_text};
pub use stale::{Moved, what_moved};

/// The JSON Schema of the plan document, as JSON text with a final line feed.
pub const PLAN_SCHEMA: &str = include_str!("../schema/plan.schema.json");

/// How text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether ANSI colours are used.
    pub color: bool,
    /// How much is said.
    pub verbosity: Verbosity,
    /// The columns that lists may fill before they are broken into lines.
    pub width: usize,
}

impl Default for TextOptions {
    /// Plain text of 100 columns.
    fn default() -> Self {
        Self {
            color: false,
            verbosity: Verbosity::Normal,
            width: 100,
        }
    }
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// The result, and what stands in its way.
    Quiet,
    /// What a reviewer needs; long lists are shortened, with a count of what is left out.
    #[default]
    Normal,
    /// Everything.
    Verbose,
}
