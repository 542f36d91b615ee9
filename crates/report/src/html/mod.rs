//! A plan as one HTML page: for whoever wants to look at a change closely, offline, in any browser.
//!
//! INVARIANT: nothing is fetched, and nothing runs but the page's own script: the policy in the page's head names the
//! hash of its one script and its one style. Foreign text reaches the page through [`Escaped`], through the picture's
//! own escaping, or as JSON that the script sets as text.

mod access;
mod data;
mod decisions;
mod graph;
mod outcome;
mod page;
mod picture;

use std::fmt;

use askama::{Template as _, filters::Escaper};
use trueup_model::Live;
use trueup_planner::Plan;

use crate::{apply::ApplyOutcome, escape, markdown::Purpose};

/// What a page is made of beside the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlOptions<'a> {
    /// What the plan was made for.
    pub purpose: Purpose,
    /// The account as it was read, for the map. Without it, the map holds what the plan names.
    pub live: Option<&'a Live>,
    /// What applying the plan did.
    pub outcome: Option<&'a ApplyOutcome>,
    /// Why the plan was not applied.
    pub refused: Option<&'a str>,
}

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// The template failed.
    #[error("the page cannot be written")]
    Template(#[from] askama::Error),
    /// The data have no JSON form.
    #[error("the page's data cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Renders a plan as one page that needs nothing else.
///
/// # Errors
///
/// Never for a plan that was made or read by trueup.
pub fn render_plan_html(plan: &Plan, options: &HtmlOptions<'_>) -> Result<String, HtmlError> {
    let mut page = page::Page::new(plan, options)?.render()?;
    page.push('\n');
    Ok(page)
}

/// How templates escape what they are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Escaped;

impl Escaper for Escaped {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        dest.write_str(&escape::html(string))
    }
}
