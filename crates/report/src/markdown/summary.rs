//! The part of a comment that is never cut: the account, who is added, changed and removed, and what has to be decided.

use std::collections::BTreeMap;

use trueup_planner::{ChangeKind, Overview, Plan, Summary};

use crate::{
    access_words,
    escape::{markdown, markdown_code as code},
    nightly,
    page::count,
    principals::{Kind, Principal},
};

/// How many names of one kind and fate are said before the rest is counted.
const SHOWN_NAMES: usize = 10;
/// How many paths of a scope.
const SHOWN_PATHS: usize = 6;

/// Who is added, changed and removed, a line for each kind.
pub(crate) fn who(principals: &[Principal<'_>]) -> String {
    let mut out = String::new();
    for kind in Kind::ALL {
        let fates = [
            ("added", &[ChangeKind::Create] as &[ChangeKind]),
            ("changed", &[ChangeKind::Update, ChangeKind::Rename]),
            ("removed", &[ChangeKind::Delete]),
        ];
        let mut said = Vec::new();
        for (word, fates) in fates {
            let of_it: Vec<_> = principals
                .iter()
                .filter(|principal| principal.kind() == kind && fates.contains(&principal.fate))
                .collect();
            if of_it.is_empty() {
                continue;
            }
            let mut names: Vec<String> = of_it.iter().take(SHOWN_NAMES).map(|one| code(one.name())).collect();
            if of_it.len() > SHOWN_NAMES {
                names.push(format!("{} more", of_it.len() - SHOWN_NAMES));
            }
            said.push(format!("**{} {word}** {}", of_it.len(), names.join(", ")));
        }
        if !said.is_empty() {
            out.push_str(&format!("- {}: {}\n", kind.title(), said.join(" · ")));
        }
    }
    out
}

/// The account and how much of it is owned.
pub(crate) fn account(plan: &Plan) -> String {
    let Overview {
        alias,
        scope: _,
        managed,
        unchanged,
        untouchable,
    } = &plan.overview;
    let mut out = format!("Account {}", code(plan.account_id.as_str()));
    if let Some(alias) = alias {
        out.push_str(&format!(" ({})", code(alias)));
    }
    out.push_str(&format!(
        " as of {} · {managed} managed, {unchanged} unchanged, {untouchable} out of reach\n",
        plan.as_of
    ));
    out
}

fn scope(scope: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let scopes: Vec<String> = scope
        .iter()
        .take(Kind::ALL.len())
        .map(|(kind, paths)| {
            if paths.is_empty() {
                return format!("{} not managed", code(kind));
            }
            let mut shown: Vec<String> = paths.iter().take(SHOWN_PATHS).map(|path| code(path)).collect();
            if paths.len() > SHOWN_PATHS {
                shown.push(format!("{} more", paths.len() - SHOWN_PATHS));
            }
            format!("{} below {}", code(kind), shown.join(", "))
        })
        .collect();
    if scopes.is_empty() {
        None
    } else {
        Some(scopes.join(" · "))
    }
}

/// The line that scripts and eyes know.
pub(crate) fn counts(plan: &Plan) -> String {
    let Summary {
        create,
        update,
        delete,
        actions: _,
    } = plan.summary;
    if plan.changes.is_empty() {
        let (first, rest) = nightly::no_changes(plan);
        format!("**{first}** {}\n", markdown(rest.trim_start()))
    } else {
        format!("**Plan: {create} to add, {update} to change, {delete} to destroy.**\n")
    }
}

/// What somebody has to decide, counted; `None` where there is nothing.
pub(crate) fn decisions(plan: &Plan) -> Option<String> {
    let refusing = plan.guardrails.iter().filter(|finding| !finding.allowed).count();
    let destructive = plan.changes.iter().filter(|change| change.destructive).count();
    let gaining = plan.access.iter().filter(|change| change.may_gain()).count();
    let unmet = plan.requirements.iter().filter(|requirement| !requirement.met).count();
    let said: Vec<String> = [
        (refusing, "guardrail refuses", "guardrails refuse"),
        (destructive, "destructive change", "destructive changes"),
        (
            gaining,
            "principal gains access or may",
            "principals gain access or may",
        ),
        (unmet, "requirement is not met", "requirements are not met"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| count(number as u64, one, many))
    .collect();
    if said.is_empty() {
        return None;
    }
    let alert = if refusing > 0 { "CAUTION" } else { "WARNING" };
    Some(format!("> [!{alert}]\n> Needs a decision: {}.\n", said.join(" · ")))
}

/// What changes in access, the digest, and what it takes.
pub(crate) fn facts(plan: &Plan) -> String {
    let mut out = String::new();
    if let Some(access) = access_words::overall(&plan.access) {
        out.push_str(&format!("- Access: {access}\n"));
    }
    if let Some(words) = nightly::origins(plan) {
        out.push_str(&format!("- Since the last apply: {words}\n"));
    }
    if let Some(words) = nightly::left(plan) {
        out.push_str(&format!("- Left as it is: {words}\n"));
    }
    if let Some(scope) = scope(&plan.overview.scope) {
        out.push_str(&format!("- Scope: {scope}\n"));
    }
    out.push_str(&format!("- Digest: {}\n", code(&plan.digest)));
    if !plan.transition_digest.is_empty() {
        out.push_str(&format!("- Transition: {}\n", code(&plan.transition_digest)));
    }
    let writes = if plan.actions.is_empty() {
        "nothing".to_owned()
    } else {
        count(plan.actions.len() as u64, "IAM call", "IAM calls")
    };
    out.push_str(&format!(
        "- Writes: {writes} · Reads: {} · trueup {}\n",
        count(plan.reads.total, "IAM call", "IAM calls"),
        code(&plan.tool_version)
    ));
    out
}
