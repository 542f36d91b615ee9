//! What a reviewer has to decide, as lists of the page.

use trueup_planner::Plan;

use super::{data, page::SHOWN};
use crate::{
    access_folds::folds,
    access_words,
    page::count,
    plan_text::{allowed_words, to_apply},
    principals::whose,
};

/// Things of one kind that somebody has to decide about.
pub(super) struct Decision {
    pub(super) title: String,
    pub(super) class: &'static str,
    pub(super) number: usize,
    pub(super) items: Vec<Item>,
    pub(super) more: usize,
}

pub(super) struct Item {
    pub(super) name: String,
    pub(super) words: Vec<Span>,
}

/// Some words, or a name between them.
pub(super) struct Span {
    pub(super) code: bool,
    pub(super) text: String,
}

/// What stands between backticks is a name.
pub(super) fn spans(words: &str) -> Vec<Span> {
    let parts: Vec<&str> = words.split('`').collect();
    let spans = parts.iter().enumerate().map(|(index, part)| Span {
        code: index % 2 == 1 && index + 1 < parts.len(),
        text: (*part).to_owned(),
    });
    spans.filter(|span| !span.text.is_empty()).collect()
}

pub(super) fn decisions(plan: &Plan) -> Vec<Decision> {
    let refuses = plan.guardrails.iter().any(|finding| !finding.allowed);
    let (title, class) = match to_apply(&plan.guardrails) {
        _ if refuses => ("Guardrails: apply refuses".to_owned(), "bad"),
        Some(flag) => (format!("Guardrails: all allowed (to apply: {flag})"), "warn"),
        None => ("Guardrails: all allowed".to_owned(), "warn"),
    };
    [
        decision(&title, class, guardrails(plan)),
        decision("Destructive: cannot be brought back", "warn", destructive(plan)),
        decision("Access that is gained", "warn", gaining(plan)),
        decision("Requirements that are not met", "warn", unmet(plan)),
        decision("To be looked at", "warn", strict(plan)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn decision(title: &str, class: &'static str, mut items: Vec<Item>) -> Option<Decision> {
    let number = items.len();
    items.truncate(SHOWN);
    (number > 0).then(|| Decision {
        title: title.to_owned(),
        class,
        number,
        more: number - items.len(),
        items,
    })
}

fn guardrails(plan: &Plan) -> Vec<Item> {
    let items = plan.guardrails.iter().map(|finding| Item {
        name: finding.code.as_str().to_owned(),
        words: spans(&if finding.is_allowed_by_flag() {
            format!("{} (allowed by `--allow {}`)", finding.message, finding.code.as_str())
        } else if finding.allowed {
            format!("{} ({})", finding.message, allowed_words(finding))
        } else {
            format!("{} (`--allow {}` lets it pass)", finding.message, finding.code.as_str())
        }),
    });
    items.collect()
}

fn destructive(plan: &Plan) -> Vec<Item> {
    let changes = plan.changes.iter().filter(|change| change.destructive);
    let items = changes.map(|change| {
        let (whose, part) = whose(&change.resource);
        Item {
            name: whose.to_string(),
            words: spans(&if part.is_empty() {
                change.reason.clone()
            } else {
                format!("{part}: {}", change.reason)
            }),
        }
    });
    items.collect()
}

/// Who gains, in short: the section about access says what.
fn gaining(plan: &Plan) -> Vec<Item> {
    let gaining = plan.access.iter().filter(|change| change.may_gain());
    let items = folds(gaining).into_iter().map(|fold| {
        let change = fold.change;
        let mut said = vec![access_words::verdict(change.verdict).to_owned()];
        said.extend(
            change
                .administrator
                .map(|change| access_words::administrator(change).to_owned()),
        );
        if !change.escalation.is_empty() {
            let number = change.escalation.len() as u64;
            said.push(count(number, "known way to more", "known ways to more"));
        }
        let others = match fold.principals.len() - 1 {
            0 => String::new(),
            others => format!("and {} alike: ", count(others as u64, "other", "others")),
        };
        Item {
            name: change.principal.to_string(),
            words: spans(&format!("{others}{}", said.join("; "))),
        }
    });
    items.collect()
}

fn unmet(plan: &Plan) -> Vec<Item> {
    let unmet = plan.requirements.iter().filter(|requirement| !requirement.met);
    let items = unmet.map(|requirement| Item {
        name: requirement.subject.to_string(),
        words: spans(&data::unmet_words(requirement)),
    });
    items.collect()
}

fn strict(plan: &Plan) -> Vec<Item> {
    let notes = plan.notes.iter().filter(|note| note.strict);
    let items = notes.map(|note| Item {
        name: note
            .subject()
            .map_or("manifest", |resource| resource.as_str())
            .to_owned(),
        words: spans(&note.message),
    });
    items.collect()
}
