//! Expectations kept in files: compared, or rewritten with `BLESS=1`.

use std::{path::Path, sync::LazyLock};

use regex_lite::{Captures, Regex};
use similar::TextDiff;

use crate::variable;

/// Whether expectations are rewritten instead of compared.
pub fn blessing() -> bool {
    variable("BLESS").is_some_and(|value| value != "0" && !value.is_empty())
}

/// Compares `found` with the file's text; with `BLESS=1` writes it there instead.
///
/// # Errors
///
/// The difference, for a person to read.
pub fn check(file: &Path, found: &str) -> Result<(), String> {
    let expected = std::fs::read_to_string(file).ok();
    if expected.as_deref() == Some(found) {
        return Ok(());
    }
    if blessing() {
        std::fs::write(file, found).map_err(|error| format!("{}: {error}", file.display()))?;
        return Ok(());
    }
    Err(difference(
        &file.display().to_string(),
        expected.as_deref().unwrap_or_default(),
        found,
    ))
}

/// A unified difference, from what was expected to what was found.
pub fn difference(name: &str, expected: &str, found: &str) -> String {
    format!(
        "{name} differs (BLESS=1 rewrites it):\n{}",
        TextDiff::from_lines(expected, found)
            .unified_diff()
            .context_radius(3)
            .header("expected", "found")
    )
}

/// Takes digests, ports, ids of runs and of access keys, times, and what is secret and random out of an output; everything
/// else is part of the interface.
pub fn redact(text: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"sha256:[0-9a-f]{64}", "sha256:[DIGEST]"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
            (r"\b\d{8}T\d{6}Z?(-[0-9a-f]+)?\b", "[RUN]"),
            (r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", "[TIME]"),
            (r"\bin \d+(\.\d+)? ?(ms|s)\b", "in [TIME]"),
            (r"\bin \d+ seconds\b", "in [TIME]"),
            (r"(?m)^Seed: [A-Z2-7]{64}$", "Seed: [SEED]"),
            (r"(?m)^(Password: +)\S+$", "$1[PASSWORD]"),
            (r"(?m)^(Secret access key: +)\S+$", "$1[SECRET]"),
            (r"\bage1[0-9a-z]{58}\b", "[AGE RECIPIENT]"),
            // A QR code, whatever it says.
            (
                r"(?m)(^[\u{2580}\u{2584}\u{2588}][ \u{2580}\u{2584}\u{2588}]{20,}\n)+",
                "[QR CODE]\n",
            ),
        ]
        .into_iter()
        .map(|(pattern, instead)| (Regex::new(pattern).expect("the pattern is valid"), instead))
        .collect()
    });
    let text = RULES.iter().fold(text.to_owned(), |text, (pattern, instead)| {
        pattern.replace_all(&text, *instead).into_owned()
    });
    number_access_keys(&text)
}

/// Numbers ids of access keys by their first appearance. They are the sandbox's own, but whoever scans a repository
/// for leaked keys cannot know that.
fn number_access_keys(text: &str) -> String {
    static KEY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bAKIA[A-Z0-9]{16}\b").expect("the pattern is valid"));
    let mut keys: Vec<String> = Vec::new();
    KEY.replace_all(text, |found: &Captures<'_>| {
        let known = keys.iter().position(|key| *key == found[0]);
        let number = known.unwrap_or_else(|| {
            keys.push(found[0].to_owned());
            keys.len() - 1
        });
        format!("[KEY {}]", number + 1)
    })
    .into_owned()
}
