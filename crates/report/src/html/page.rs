//! What stands on the page, from the plan: everything but the rows of the list.

use std::collections::BTreeMap;

use askama::Template;
use data_encoding::BASE64;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use trueup_planner::{ChangeKind, Held, Ignored, Left, Listed, Note, Overview, Plan};

use super::{
    HtmlError, HtmlOptions,
    access::{Access, access},
    data::Data,
    decisions::{Decision, Span, decisions, spans},
    graph::Graph,
    outcome::outcome,
    picture::{self, Picture},
};
use crate::{
    access_words,
    markdown::Purpose,
    nightly,
    page::count,
    principals::{Kind, Principal, principals},
};

const STYLE: &str = include_str!("../../templates/style.css");
const SCRIPT: &str = include_str!("../../templates/script.js");

/// How many items of one decision, or names of one list, the page holds before the rest is counted.
pub(super) const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page {
    title: &'static str,
    account: String,
    alias: Option<String>,
    as_of: String,
    managed: u64,
    unchanged: u64,
    untouchable: u64,
    tool_version: String,
    mood: &'static str,
    line: String,
    applied: Vec<String>,
    tiles: Vec<Tile>,
    facts: Vec<Fact>,
    decisions: Vec<Decision>,
    access: Access,
    picture: Picture,
    map_words: String,
    kinds: Vec<&'static str>,
    rows: usize,
    alone: Vec<Alone>,
    notes: Vec<Vec<Span>>,
    who_did_it: &'static str,
    query: Vec<String>,
    heads: String,
    bodies: String,
    style: &'static str,
    script: &'static str,
    style_hash: String,
    script_hash: String,
}

/// How many of one kind are added, changed and removed.
struct Tile {
    kind: &'static str,
    fates: Vec<Fate>,
}

struct Fate {
    class: &'static str,
    sign: &'static str,
    number: usize,
}

struct Fact {
    name: &'static str,
    value: String,
    code: bool,
}

/// Names that the plan leaves alone for one reason.
struct Alone {
    title: &'static str,
    words: String,
    number: usize,
    names: Vec<String>,
    more: usize,
}

impl Page {
    pub(super) fn new(plan: &Plan, options: &HtmlOptions<'_>) -> Result<Self, HtmlError> {
        let Plan {
            format_version: _,
            tool_version,
            account_id,
            as_of,
            digest: _,
            transition_digest: _,
            overview,
            summary: _,
            changes,
            // Counted; their order is the text's and the JSON's business.
            actions: _,
            requirements: _,
            // The section about access, and the rows.
            access: _,
            action_data: _,
            unmanaged,
            ignored,
            held,
            only: _,
            left,
            guardrails: _,
            notes,
            facts: _,
            reads: _,
            cloudtrail_query,
        } = plan;
        let Overview {
            alias,
            scope: _,
            managed,
            unchanged,
            untouchable,
        } = overview;
        let principals = principals(changes);
        let data = Data::new(plan);
        let decisions = decisions(plan);
        let picture = picture::draw(&Graph::new(plan, options.live));
        let (line, applied) = outcome(plan, options);
        let is_bad = decisions.iter().any(|decision| decision.class == "bad")
            || options.refused.is_some()
            || options.outcome.is_some_and(|outcome| !outcome.is_complete());
        let mood = match (is_bad, decisions.is_empty()) {
            (true, _) => "bad",
            (false, false) => "warn",
            (false, true) => "good",
        };
        Ok(Self {
            title: match (options.purpose, options.outcome, options.refused) {
                (_, Some(_), _) | (_, _, Some(_)) => "trueup apply",
                (Purpose::Plan, ..) => "trueup plan",
                (Purpose::Drift, ..) => "trueup drift",
            },
            account: account_id.to_string(),
            alias: alias.clone(),
            as_of: as_of.to_string(),
            managed: *managed,
            unchanged: *unchanged,
            untouchable: *untouchable,
            tool_version: tool_version.clone(),
            mood,
            line,
            applied,
            tiles: tiles(&principals),
            facts: facts(plan),
            decisions,
            access: access(plan),
            map_words: map_words(options, &picture),
            picture,
            kinds: data.kinds(),
            rows: data.len(),
            alone: alone(unmanaged, ignored, left, held),
            notes: notes.iter().filter(|note| !note.strict).map(note).collect(),
            who_did_it: nightly::WHO_DID_IT,
            query: cloudtrail_query
                .as_deref()
                .map(nightly::query_lines)
                .unwrap_or_default(),
            heads: json(&data.heads)?,
            bodies: json(&data.bodies)?,
            style: STYLE,
            script: SCRIPT,
            style_hash: hash(STYLE),
            script_hash: hash(SCRIPT),
        })
    }
}

/// Data for the page's script. Inside of a script element nothing but its end is markup.
fn json(data: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(data)?.replace('<', "\\u003c"))
}

/// As a content security policy names what is inline.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text.as_bytes())))
}

fn tiles(principals: &[Principal<'_>]) -> Vec<Tile> {
    let fates: [(&'static str, &'static str, &[ChangeKind]); 3] = [
        ("added", "+", &[ChangeKind::Create]),
        ("changed", "~", &[ChangeKind::Update, ChangeKind::Rename]),
        ("removed", "−", &[ChangeKind::Delete]),
    ];
    let tile = |kind: Kind| {
        let number = |kinds: &[ChangeKind]| {
            let of_it = |principal: &&Principal<'_>| principal.kind() == kind && kinds.contains(&principal.fate);
            principals.iter().filter(of_it).count()
        };
        let fates = fates.into_iter().map(|(class, sign, kinds)| Fate {
            class,
            sign,
            number: number(kinds),
        });
        Tile {
            kind: kind.title(),
            fates: fates.filter(|fate| fate.number > 0).collect(),
        }
    };
    let tiles = Kind::ALL.into_iter().map(tile);
    tiles.filter(|tile| !tile.fates.is_empty()).collect()
}

fn facts(plan: &Plan) -> Vec<Fact> {
    let scope = plan.overview.scope.iter().map(|(kind, paths)| match paths.as_slice() {
        [] => format!("{kind} not managed"),
        paths => format!("{kind} below {}", paths.join(" and ")),
    });
    let scope: Vec<String> = scope.collect();
    let fact = |name, value, code| Fact { name, value, code };
    let mut facts = Vec::new();
    facts.extend(access_words::overall(&plan.access).map(|access| fact("Access", access, false)));
    facts.extend(nightly::origins(plan).map(|words| fact("Since apply", words, false)));
    facts.extend(nightly::left(plan).map(|words| fact("Left as it is", words, false)));
    if !scope.is_empty() {
        facts.push(fact("Scope", scope.join(", "), false));
    }
    facts.push(fact("Digest", plan.digest.clone(), true));
    if !plan.transition_digest.is_empty() {
        facts.push(fact("Transition", plan.transition_digest.clone(), true));
    }
    if !plan.actions.is_empty() {
        let calls = count(plan.actions.len() as u64, "IAM call", "IAM calls");
        facts.push(fact("Writes", calls, false));
    }
    let calls = count(plan.reads.total, "IAM call", "IAM calls");
    facts.push(fact("Reads", calls, false));
    facts
}

fn map_words(options: &HtmlOptions<'_>, picture: &Picture) -> String {
    let mut words = if options.live.is_some() {
        "Users on the left, the groups that they are members of, and the policies that both hold; users who hold the \
         same share a box. What roles hold is not drawn."
            .to_owned()
    } else {
        "What the plan changes, and what that is tied to by the plan; a saved plan does not hold the rest of the account."
            .to_owned()
    };
    if let Some(left_out) = &picture.left_out {
        words.push_str(&format!(" Not drawn for lack of room: {left_out}."));
    }
    words
}

fn note(note: &Note) -> Vec<Span> {
    match note.subject() {
        Some(resource) => spans(&format!("{resource}: {}", note.message)),
        None => spans(&note.message),
    }
}

fn alone(unmanaged: &[Listed], ignored: &[Ignored], left: &[Left], held: &[Held]) -> Vec<Alone> {
    let mut by_words: BTreeMap<(&'static str, String), Vec<String>> = BTreeMap::new();
    for Listed { resource, reason } in unmanaged {
        let names = by_words.entry(("Unmanaged", reason.clone())).or_default();
        names.push(resource.to_string());
    }
    for Ignored { resource, rule, reason } in ignored {
        let words = if reason.is_empty() {
            rule.clone()
        } else {
            format!("{rule} ({reason})")
        };
        by_words
            .entry(("Ignored", words))
            .or_default()
            .push(resource.to_string());
    }
    for Left {
        resource,
        change: _,
        origin: _,
        because,
        renamed_from: _,
    } in left
    {
        by_words
            .entry(("Left: only drift is corrected", because.clone()))
            .or_default()
            .push(resource.to_string());
    }
    for Held {
        resource,
        reason,
        until,
        change: _,
    } in held
    {
        by_words
            .entry((
                "Held: nightly runs leave these as they are",
                format!("until {until}: {reason}"),
            ))
            .or_default()
            .push(resource.to_string());
    }
    let lists = by_words.into_iter().map(|((title, words), mut names)| {
        let number = names.len();
        names.truncate(SHOWN);
        Alone {
            title,
            words,
            number,
            more: number - names.len(),
            names,
        }
    });
    lists.collect()
}
