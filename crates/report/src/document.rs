//! The plan document as JSON, written and read.

use serde::{Deserialize, Serialize};
use trueup_planner::{FORMAT_VERSION, Plan};

use crate::escape;

/// Why a plan document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadPlanError {
    /// Not JSON, or not a JSON object with a `format_version`.
    #[error("this is not a plan document: {0}")]
    NotAPlan(String),
    /// Another major version of the format.
    #[error("this plan document has format version {found}, this trueup reads {FORMAT_VERSION}")]
    Version {
        /// The version that was found.
        found: String,
    },
    /// The right version, but not what it should hold.
    #[error("this plan document, written by trueup {tool_version}, cannot be read: {problem}")]
    Content {
        /// The version of trueup that wrote it, as it says.
        tool_version: String,
        /// What is wrong, and where.
        problem: String,
    },
}

/// Any document as indented JSON with a final line feed, harmless when it is shown on a terminal.
///
/// # Errors
///
/// Where the value has no JSON form, such as a map whose keys are no text.
pub fn to_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = escape::json(&serde_json::to_string_pretty(value)?).into_owned();
    text.push('\n');
    Ok(text)
}

/// The plan document: indented, in the order of its description, with a final line feed.
///
/// # Errors
///
/// Never for a plan that was made or read by trueup; the signature is that of [`to_json`].
pub fn plan_json(plan: &Plan) -> Result<String, serde_json::Error> {
    to_json(plan)
}

/// Reads a plan document of the same major version of the format. What a later minor version has added is ignored.
///
/// # Errors
///
/// [`ReadPlanError`].
pub fn read_plan(text: &str) -> Result<Plan, ReadPlanError> {
    #[derive(Deserialize)]
    struct Head {
        format_version: String,
        #[serde(default)]
        tool_version: String,
    }
    if text.trim().is_empty() {
        return Err(ReadPlanError::NotAPlan("it is empty".to_owned()));
    }
    let head: Head = serde_json::from_str(text).map_err(|error| ReadPlanError::NotAPlan(error.to_string()))?;
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(&head.format_version) != major(FORMAT_VERSION) {
        return Err(ReadPlanError::Version {
            found: escape::quoted(&head.format_version),
        });
    }
    serde_json::from_str(text).map_err(|error| ReadPlanError::Content {
        tool_version: escape::text(&head.tool_version).into_owned(),
        problem: escape::text(&error.to_string()).into_owned(),
    })
}
