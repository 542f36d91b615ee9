//! Markdown into files: replaced as a whole, but for the summary of a step of GitHub's runner, which is appended to.
//!
//! A summary that has no room or cannot be written never decides how a run ends: it is a warning, quiet or not.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use trueup_report::COMMENT_BUDGET;

use crate::{environment, exit::CliError, output, terminal::Terminal};

/// Bytes that the summary of one step must stay below: GitHub drops a larger one as a whole.
const STEP_SUMMARY_LIMIT: usize = 1024 * 1024;

/// Writes what `render` makes of a number of characters.
pub(crate) fn write(path: &Path, terminal: &Terminal, render: impl Fn(usize) -> String) -> Result<(), CliError> {
    if !is_step_summary(path) {
        return output::write_text(path, &render(COMMENT_BUDGET));
    }
    let before = fs::metadata(path).map_or(0, |metadata| metadata.len());
    let Some(text) = fitting(usize::try_from(before).unwrap_or(usize::MAX), render) else {
        terminal.warning(
            &format!(
                "nothing was appended to the step's summary: it has {before} bytes, and with more GitHub would drop all of it: it takes less than 1 MiB"
            ),
            "run this in a step of its own, which has a summary of its own, or name another file with --markdown-into",
        );
        return Ok(());
    };
    let append = || {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    if let Err(error) = append() {
        terminal.warning(
            &format!(
                "nothing was appended to the step's summary: cannot write {}: {error}",
                path.display()
            ),
            "see that GITHUB_STEP_SUMMARY names a file that this user can write, or name another file with --markdown-into",
        );
    }
    Ok(())
}

/// Sees whether Markdown could be written there later. The summary of a step is the runner's own.
pub(crate) fn try_place(path: &Path) -> Result<(), CliError> {
    if is_step_summary(path) {
        return Ok(());
    }
    output::try_text(path)
}

/// What fits behind so many bytes.
fn fitting(before: usize, render: impl Fn(usize) -> String) -> Option<String> {
    // A block of Markdown ends at an empty line, whatever the step has written before.
    let gap = if before == 0 { "" } else { "\n\n" };
    let room = STEP_SUMMARY_LIMIT.checked_sub(before + gap.len() + 1)?;
    // A character takes four bytes at most.
    [COMMENT_BUDGET, COMMENT_BUDGET.min(room / 4)]
        .into_iter()
        .map(&render)
        .find(|text| text.len() <= room)
        .map(|text| format!("{gap}{text}"))
}

fn is_step_summary(path: &Path) -> bool {
    let Some(summary) = environment::github_step_summary() else {
        return false;
    };
    let same_file = || Some(fs::canonicalize(path).ok()? == fs::canonicalize(&summary).ok()?);
    path == summary || same_file().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_summary_stays_below_its_limit() {
        let render = |budget: usize| "é".repeat(budget.max(1_000));
        for before in [0, 1_000_000, 1_040_000, 1_046_000] {
            let text = fitting(before, render).unwrap();
            assert!(before + text.len() < STEP_SUMMARY_LIMIT, "{before}");
            assert_eq!(text.starts_with("\n\n"), before > 0);
        }
        assert_eq!(fitting(1_048_000, render), None);
        assert_eq!(fitting(2_000_000, render), None);
    }
}
