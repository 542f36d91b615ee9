//! Who gains and loses access, as a section of the page: principals of whom the same becomes together.

use trueup_access::Verdict;
use trueup_planner::{AccessChange, AdministratorChange, Plan};

use super::decisions::{Span, spans};
use crate::{
    access_folds::{Fold, folds},
    access_words::{self, Piece},
};

/// How many groups of principals, and lines of one kind, the section holds before the rest is counted.
const SHOWN: usize = 40;
/// How many lines of one kind are open to begin with.
const OPEN: usize = 6;
/// How many names of one group of principals are said before the rest is counted.
const NAMES: usize = 12;

/// The section; nothing of it is there where nobody's policies change.
#[derive(Default)]
pub(super) struct Access {
    /// All principals in one line.
    pub(super) overall: String,
    pub(super) groups: Vec<Group>,
    pub(super) more: usize,
    /// What is not looked at.
    pub(super) footnote: Vec<Span>,
}

/// Principals of whom the same becomes.
pub(super) struct Group {
    pub(super) class: &'static str,
    /// `12 users`; empty for one principal.
    pub(super) number: String,
    pub(super) names: Vec<String>,
    pub(super) more_names: usize,
    pub(super) verdict: &'static str,
    pub(super) administrator: Option<&'static str>,
    pub(super) lists: Vec<List>,
}

/// What is gained, what is lost, or what leads to more.
pub(super) struct List {
    pub(super) title: &'static str,
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) open: Vec<Vec<Span>>,
    pub(super) folded: Vec<Vec<Span>>,
    pub(super) more: usize,
}

pub(super) fn access(plan: &Plan) -> Access {
    let Some(overall) = access_words::overall(&plan.access) else {
        return Access::default();
    };
    let mut groups: Vec<Group> = folds(&plan.access).iter().map(group).collect();
    let more = groups.len().saturating_sub(SHOWN);
    groups.truncate(SHOWN);
    Access {
        overall,
        groups,
        more,
        footnote: sentence(&access_words::footnote(&plan.action_data)),
    }
}

fn group(fold: &Fold<'_>) -> Group {
    let AccessChange {
        principal: _,
        verdict,
        gained,
        lost,
        administrator,
        escalation,
        unknown,
        assumptions,
    } = fold.change;
    let names = fold.principals.iter().take(NAMES).map(ToString::to_string).collect();
    let class = match (administrator, verdict) {
        (Some(AdministratorChange::Made), _) | (_, Verdict::Unknown) => "bad",
        (_, Verdict::More | Verdict::Both) => "warn",
        (_, Verdict::Less | Verdict::Same) => "good",
    };
    let foreign = |words: &String| spans(words);
    let ways = escalation.iter().map(|line| sentence(&access_words::way(line)));
    let lists = [
        list(
            "Not decided, since",
            "unknown",
            "?",
            unknown.iter().map(foreign).collect(),
        ),
        list("Known ways to more access", "way", "!", ways.collect()),
        list(
            "Gained",
            "added",
            "+",
            gained
                .iter()
                .map(|line| sentence(&access_words::either(line)))
                .collect(),
        ),
        list(
            "Lost",
            "removed",
            "−",
            lost.iter().map(|line| sentence(&access_words::either(line))).collect(),
        ),
        list("Assumed", "kept", "", assumptions.iter().map(foreign).collect()),
    ];
    Group {
        class,
        number: if fold.principals.len() > 1 {
            fold.number()
        } else {
            String::new()
        },
        names,
        more_names: fold.principals.len().saturating_sub(NAMES),
        verdict: access_words::verdict(*verdict),
        administrator: administrator.map(access_words::administrator),
        lists: lists.into_iter().flatten().collect(),
    }
}

fn list(title: &'static str, class: &'static str, sign: &'static str, mut open: Vec<Vec<Span>>) -> Option<List> {
    let more = open.len().saturating_sub(SHOWN);
    open.truncate(SHOWN);
    // One line alone is not worth a fold.
    let folded = if open.len() > OPEN + 1 {
        open.split_off(OPEN)
    } else {
        Vec::new()
    };
    (!open.is_empty()).then_some(List {
        title,
        class,
        sign,
        open,
        folded,
        more,
    })
}

pub(super) fn sentence(pieces: &[Piece]) -> Vec<Span> {
    pieces
        .iter()
        .flat_map(|piece| match piece {
            Piece::Code(name) => vec![Span {
                code: true,
                text: name.clone(),
            }],
            Piece::Text(words) => vec![Span {
                code: false,
                text: words.clone(),
            }],
            Piece::Prose(words) => spans(words),
        })
        .collect()
}
