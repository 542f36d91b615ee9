//! The manifest: found, read, and its problems shown.

use std::path::{Path, PathBuf};

use trueup_access::IamData;
use trueup_manifest::{Diagnostic, DiskFiles, Files as _, Parsed, Positions, Severity};
use trueup_model::Desired;

use crate::{annotations, args::Annotations, exit::CliError, lints, terminal::Terminal};

/// The manifest that was named, or the one that is found from here upwards.
pub(crate) fn locate(named: Option<&Path>) -> Result<PathBuf, CliError> {
    // A pipeline's empty variable is no name.
    if let Some(path) = named.filter(|path| !path.as_os_str().is_empty()) {
        return Ok(path.to_owned());
    }
    let here = std::env::current_dir().map_err(|source| CliError::Io {
        action: "find out the current directory",
        source,
    })?;
    trueup_manifest::discover(&here).ok_or(CliError::NoManifest)
}

/// The YAML files of a manifest, unread; none where they cannot be listed.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let listed = DiskFiles::open(path).and_then(|files| files.list());
    let names = listed.unwrap_or_default();
    names.into_iter().map(|name| path.join(name)).collect()
}

/// Reads a manifest with all of its problems.
pub(crate) fn parse(path: &Path) -> Result<Parsed, CliError> {
    let files = DiskFiles::open(path).map_err(|error| CliError::ManifestFiles(Box::new(error)))?;
    let mut parsed = trueup_manifest::parse(&files);
    lints::check_rules(&mut parsed);
    Ok(parsed)
}

/// How many problems are of this severity.
pub(crate) fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == severity)
        .count()
}

/// Shows problems on stderr.
pub(crate) fn show(diagnostics: &[Diagnostic], terminal: &Terminal) {
    if !diagnostics.is_empty() {
        terminal.message(&trueup_manifest::render(diagnostics, terminal.color_stderr()));
    }
}

/// The desired state, and the lines at which things are declared. Every problem is shown on stderr, and said beside its
/// line where that is wanted; an error where there is no use in going on.
pub(crate) fn load(
    named: Option<&Path>,
    annotations: Option<Annotations>,
    terminal: &Terminal,
) -> Result<(Desired, Positions), CliError> {
    usable(parse(&locate(named)?)?, annotations, terminal)
}

/// The same, with what lints find that a strict run does not accept: shown too, and counted in words.
pub(crate) fn load_strictly(
    named: Option<&Path>,
    annotations: Option<Annotations>,
    terminal: &Terminal,
) -> Result<(Desired, Positions, Option<String>), CliError> {
    let mut parsed = parse(&locate(named)?)?;
    let before = parsed.diagnostics.len();
    lints::add(&mut parsed, IamData::embedded());
    let suggestions = count(&parsed.diagnostics, Severity::Suggestion);
    let found = (parsed.diagnostics.len() - suggestions).saturating_sub(before);
    parsed.diagnostics.retain(|it| it.severity != Severity::Suggestion);
    let (desired, positions) = usable(parsed, annotations, terminal)?;
    let refused = match found {
        0 => None,
        1 => Some("1 lint of the policies".to_owned()),
        more => Some(format!("{more} lints of the policies")),
    };
    Ok((desired, positions, refused))
}

fn usable(
    parsed: Parsed,
    annotations: Option<Annotations>,
    terminal: &Terminal,
) -> Result<(Desired, Positions), CliError> {
    let Parsed {
        desired,
        diagnostics,
        positions,
        documents: _,
        lint_rules: _,
    } = parsed;
    show(&diagnostics, terminal);
    annotations::of_manifest(annotations, &diagnostics, terminal);
    match (count(&diagnostics, Severity::Error), desired) {
        (0, Some(desired)) => Ok((desired, positions)),
        (errors, _) => Err(CliError::Manifest { errors: errors.max(1) }),
    }
}
