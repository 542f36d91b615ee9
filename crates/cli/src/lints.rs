//! Lints of a manifest's policies: found by the engine, placed and sifted by the manifest.

use trueup_access::{Engine, IamData, PolicyLint, PolicyLintCode, Severity as Weight};
use trueup_manifest::{Found, Parsed, PlacedDocument, Severity};

/// Adds what is found in a manifest's policies to its problems.
pub(crate) fn add(parsed: &mut Parsed, data: &IamData) {
    let mut engine = Engine::new(data);
    parsed.lint(&mut |placed: &PlacedDocument| {
        let lints = engine.lint(&placed.document).into_iter();
        // What only limits cannot give too much.
        let lints = lints.filter(|lint| !(placed.is_boundary_alone && lint.code.is_about_grants()));
        lints.map(found).collect()
    });
}

/// Complains about rules for lints that there are not.
pub(crate) fn check_rules(parsed: &mut Parsed) {
    let codes: Vec<&str> = PolicyLintCode::ALL.iter().map(|code| code.as_str()).collect();
    parsed.check_lint_codes(&codes);
}

fn found(lint: PolicyLint) -> Found {
    let PolicyLint {
        code,
        severity,
        index,
        statement,
        message,
    } = lint;
    // Messages say what is wrong, and after a semicolon what to write instead.
    let (message, hint) = match message.rsplit_once("; ") {
        Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
        None => (message, None),
    };
    Found {
        severity: match severity {
            Weight::Security => Severity::Security,
            Weight::Warning => Severity::Warning,
            Weight::Suggestion => Severity::Suggestion,
        },
        code: code.as_str(),
        index,
        statement,
        message,
        hint,
    }
}
