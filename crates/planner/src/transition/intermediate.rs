//! Documents between two, for changes that no single call can make safely.

use std::collections::BTreeSet;

use trueup_model::{PolicyDocument, document::Statement};

/// How far a document between two goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Split {
    /// The allows of the first, the denies of both.
    DeniesJoined,
    /// The allows that both have, the denies of both.
    AllowsCommon,
    /// The allows that both have, the denies of the first: where the denies of both are too long or cannot be mixed.
    AllowsGone,
}

/// A document between two, as far from the first as the level says.
///
/// `None` where one of the two cannot be read, or where they would be mixed and read `${…}` differently.
pub(super) fn intermediate(before: &PolicyDocument, after: &PolicyDocument, level: Split) -> Option<PolicyDocument> {
    if before.is_opaque() || after.is_opaque() {
        return None;
    }
    let variables = before.as_text().contains("${") || after.as_text().contains("${");
    let mixable = !variables || before.effective_version() == after.effective_version();
    if !mixable && level != Split::AllowsGone {
        return None;
    }
    let kept = before.statements().iter().filter(|statement| {
        statement.is_deny() || level == Split::DeniesJoined || mixable && after.statements().contains(*statement)
    });
    let mut statements: Vec<Statement> = kept.cloned().collect();
    let more = after.statements().iter();
    for deny in more.filter(|statement| statement.is_deny() && level != Split::AllowsGone) {
        if !statements.contains(deny) {
            statements.push(deny.clone());
        }
    }
    if statements.is_empty() {
        // IAM refuses a document without statements; this one allows nothing and denies nothing that exists.
        let nothing =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"trueup:Nothing","Resource":"*"}]}"#;
        return PolicyDocument::parse(nothing).ok();
    }
    // `${…}` goes on meaning what it means in the first, also under the old version, where it is no variable.
    let version = if variables {
        before.effective_version()
    } else {
        Some("2012-10-17")
    };
    // IAM refuses equal Sids in one document, which two versions of one statement would have.
    Some(PolicyDocument::from_statements(
        version,
        &without_repeated_sids(statements),
    ))
}

/// IAM refuses a document that gives one id to two statements.
pub(super) fn without_repeated_sids(statements: Vec<Statement>) -> Vec<Statement> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    statements
        .into_iter()
        .map(|statement| match statement.sid() {
            Some(sid) if !sid.is_empty() && !seen.insert(sid.to_owned()) => statement.without_sid(),
            _ => statement,
        })
        .collect()
}
