//! What the page's script lists: every principal with its changes, as JSON in the page.
//!
//! Rows are made by the script when they are looked at: five thousand of them as markup take seconds to open. Every
//! text is escaped for the eye here, and set as text there, never as markup. Each is written once and named by its
//! number, and what stands inside of rows is apart from what a closed row shows: half of what it takes to open a large
//! page is to read it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use trueup_model::Resource;
use trueup_planner::{AccessChange, Change, ChangeKind, Field, Plan, Requirement};

use crate::{
    access_words::{self, Piece},
    changes::{earlier_name, goes_without_saying, origin_words},
    escape,
    principals::{Kind, Principal, principals, whose},
    value,
};

/// Lines of one side of a difference before the rest is counted.
const SHOWN_LINES: usize = 400;

/// Sentences about one row's access before the rest is counted: the section about access has them all.
const SHOWN_SENTENCES: usize = 4;

/// The number of a text.
type Text = usize;

/// All texts, each once.
#[derive(Debug, Default)]
struct Texts {
    known: BTreeMap<String, Text>,
    all: Vec<String>,
}

impl Texts {
    fn add(&mut self, foreign: &str) -> Text {
        let shown = escape::text(foreign).into_owned();
        if let Some(known) = self.known.get(&shown) {
            return *known;
        }
        self.all.push(shown.clone());
        self.known.insert(shown, self.all.len() - 1);
        self.all.len() - 1
    }

    /// Nothing, where there are no words.
    fn some(&mut self, foreign: &str) -> Option<Text> {
        (!foreign.is_empty()).then(|| self.add(foreign))
    }
}

/// What the page's script reads: closed rows at once, what they hold when somebody asks for it.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) heads: Rows<Head>,
    pub(super) bodies: Rows<Body>,
}

/// Rows and the texts that they name.
#[derive(Debug, Serialize)]
pub(super) struct Rows<R> {
    texts: Vec<String>,
    rows: Vec<R>,
}

impl Data {
    pub(super) fn new(plan: &Plan) -> Self {
        let (mut of_heads, mut of_bodies) = (Texts::default(), Texts::default());
        let (heads, bodies) = rows(plan, &mut of_heads, &mut of_bodies).into_iter().unzip();
        Self {
            heads: Rows {
                texts: of_heads.all,
                rows: heads,
            },
            bodies: Rows {
                texts: of_bodies.all,
                rows: bodies,
            },
        }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.heads.rows.len()
    }

    /// The kinds that the list holds, as filters name them.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        let kinds = Kind::ALL.into_iter().map(kind);
        kinds
            .filter(|kind| self.heads.rows.iter().any(|row| row.k == *kind))
            .collect()
    }
}

/// A closed row of the list. Keys are short: there can be thousands.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    /// `user/alice`.
    n: Text,
    /// The kind, as the filter names it.
    k: &'static str,
    /// The fate: `added`, `changed`, `removed`.
    f: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<Text>,
    /// What filters can ask for beside: `destructive`, `access`, `lost`, `unmet`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    t: Vec<&'static str>,
}

/// What a row holds.
#[derive(Debug, Serialize)]
pub(super) struct Body {
    /// What changes of the entity itself, and of its parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    p: Vec<Part>,
    /// What changes in its access, sentences of pieces: `t` words, `c` a name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    a: Vec<Vec<(char, Text)>>,
    /// Requirements that it does not meet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    u: Vec<Text>,
}

#[derive(Debug, Serialize)]
struct Part {
    /// The fate.
    f: &'static str,
    /// Its name; empty for the entity itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<Text>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    d: bool,
    /// Fields: the path, the lines of the live side and those of the desired one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    v: Vec<(Text, Vec<Text>, Vec<Text>)>,
}

fn fate(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Create => "added",
        ChangeKind::Update | ChangeKind::Rename => "changed",
        ChangeKind::Delete => "removed",
    }
}

/// A row for every principal that changes, gains or loses access, or does not meet a requirement.
fn rows(plan: &Plan, of_heads: &mut Texts, of_bodies: &mut Texts) -> Vec<(Head, Body)> {
    let access: BTreeMap<&Resource, &AccessChange> =
        plan.access.iter().map(|change| (&change.principal, change)).collect();
    let mut unmet: BTreeMap<&Resource, Vec<&Requirement>> = BTreeMap::new();
    for requirement in plan.requirements.iter().filter(|requirement| !requirement.met) {
        unmet.entry(&requirement.subject).or_default().push(requirement);
    }
    let mut principals = principals(&plan.changes);
    let known: BTreeSet<Resource> = principals.iter().map(|one| one.resource.clone()).collect();
    let others: BTreeSet<&Resource> = access.keys().chain(unmet.keys()).copied().collect();
    principals.extend(
        others
            .into_iter()
            .filter(|one| !known.contains(*one))
            .map(|one| Principal {
                resource: one.clone(),
                fate: ChangeKind::Update,
                own: None,
                parts: Vec::new(),
            }),
    );
    principals.sort_by(|a, b| (a.kind(), &a.resource).cmp(&(b.kind(), &b.resource)));
    principals
        .iter()
        .map(|principal| {
            let unmet = unmet.get(&principal.resource).map_or(&[] as &[_], Vec::as_slice);
            let access = access.get(&principal.resource).copied();
            (
                head(principal, access, !unmet.is_empty(), of_heads),
                body(principal, access, unmet, of_bodies),
            )
        })
        .collect()
}

fn head(principal: &Principal<'_>, access: Option<&AccessChange>, is_unmet: bool, texts: &mut Texts) -> Head {
    let Principal {
        resource,
        fate: how,
        own,
        parts,
    } = principal;
    let tags = [
        ("destructive", principal.is_destructive()),
        ("access", access.is_some_and(AccessChange::may_gain)),
        ("lost", access.is_some_and(|access| !access.lost.is_empty())),
        ("unmet", is_unmet),
    ];
    Head {
        n: texts.add(resource.as_str()),
        k: kind(principal.kind()),
        f: if own.is_none() && parts.is_empty() {
            "kept"
        } else {
            fate(*how)
        },
        r: own.and_then(|own| texts.some(&own.reason)),
        t: tags
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(tag, _)| tag)
            .chain(principal.origins().into_iter().map(origin_words))
            .collect(),
    }
}

fn body(principal: &Principal<'_>, access: Option<&AccessChange>, unmet: &[&Requirement], texts: &mut Texts) -> Body {
    let Principal {
        resource: _,
        fate: _,
        own,
        parts,
    } = principal;
    let itself = own.filter(|own| !own.fields.is_empty()).map(|own| Part {
        f: fate(own.change),
        n: None,
        r: None,
        d: false,
        v: fields(own, texts),
    });
    let parts_of_it: Vec<Part> = parts.iter().map(|change| part(change, *own, texts)).collect();
    Body {
        p: itself.into_iter().chain(parts_of_it).collect(),
        a: access.map(|access| sentences(access, texts)).unwrap_or_default(),
        u: unmet
            .iter()
            .map(|requirement| texts.add(&unmet_words(requirement)))
            .collect(),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => "users",
        Kind::Groups => "groups",
        Kind::Roles => "roles",
        Kind::Policies => "policies",
        Kind::Account => "account",
    }
}

fn part(change: &Change, own: Option<&Change>, texts: &mut Texts) -> Part {
    let (_, mut name) = whose(&change.resource);
    if let Some(before) = earlier_name(change.change, &change.fields) {
        name.push_str(&format!(" (renamed from {before})"));
    }
    let told = own.is_some_and(|own| goes_without_saying(change, own));
    Part {
        f: fate(change.change),
        n: Some(texts.add(&name)),
        r: if told { None } else { texts.some(&change.reason) },
        d: change.destructive,
        v: fields(change, texts),
    }
}

fn fields(change: &Change, texts: &mut Texts) -> Vec<(Text, Vec<Text>, Vec<Text>)> {
    let mut fields = Vec::new();
    for Field { path, before, after } in &change.fields {
        let [before, after] =
            [before, after].map(|side| lines(path, side).iter().map(|line| texts.add(line)).collect());
        fields.push((texts.add(path), before, after));
    }
    fields
}

/// One side of a difference: a set by member, a statement by element.
fn lines(path: &str, side: &Value) -> Vec<String> {
    let mut lines: Vec<String> = match side {
        Value::Null => Vec::new(),
        Value::Array(members) => members.iter().map(value::member).collect(),
        Value::Object(statement) => elements(path, statement),
        other => vec![value::inline(other)],
    };
    let more = lines.len().saturating_sub(SHOWN_LINES);
    if more > 0 {
        lines.truncate(SHOWN_LINES);
        lines.push(format!("… and {more} more"));
    }
    lines
}

fn elements(path: &str, statement: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, value) in value::in_reading_order(path, statement) {
        match value {
            Value::Array(members) if members.len() > 1 => {
                lines.push(format!("{key}:"));
                lines.extend(members.iter().map(|member| format!("  {}", value::member(member))));
            }
            Value::Array(members) => {
                let only: Vec<String> = members.iter().map(value::member).collect();
                lines.push(format!("{key}: {}", only.concat()));
            }
            Value::String(_) => lines.push(format!("{key}: {}", value::member(value))),
            other => lines.push(format!("{key}: {}", value::inline(other))),
        }
    }
    lines
}

fn sentences(access: &AccessChange, texts: &mut Texts) -> Vec<Vec<(char, Text)>> {
    let AccessChange {
        principal: _,
        verdict,
        gained,
        lost,
        administrator,
        escalation,
        unknown,
        assumptions,
    } = access;
    let ours = |words: &str| vec![Piece::Text(words.to_owned())];
    let foreign = |head: &str, words: &String| vec![Piece::Text(head.to_owned()), Piece::Prose(words.clone())];
    let mut sentences = vec![ours(access_words::verdict(*verdict))];
    sentences.extend(administrator.map(|change| ours(access_words::administrator(change))));
    let own = sentences.len();
    sentences.extend(escalation.iter().map(access_words::escalation));
    sentences.extend(gained.iter().map(access_words::gained));
    sentences.extend(lost.iter().map(access_words::lost));
    sentences.extend(unknown.iter().map(|why| foreign("not decided: ", why)));
    sentences.extend(assumptions.iter().map(|what| foreign("assumed: ", what)));
    let more = sentences.len().saturating_sub(own + SHOWN_SENTENCES);
    if more > 1 {
        sentences.truncate(own + SHOWN_SENTENCES);
        sentences.push(ours(&format!("and {more} more: see who gains and loses access, above")));
    }
    sentences
        .iter()
        .map(|pieces| pieces.iter().map(|piece| number(piece, texts)).collect())
        .collect()
}

fn number(piece: &Piece, texts: &mut Texts) -> (char, Text) {
    match piece {
        Piece::Text(words) | Piece::Prose(words) => ('t', texts.add(words)),
        Piece::Code(name) => ('c', texts.add(name)),
    }
}

pub(super) fn unmet_words(requirement: &Requirement) -> String {
    let Requirement {
        subject: _,
        requirement,
        met: _,
        detail,
        remedy,
    } = requirement;
    let remedy = remedy.iter().map(|remedy| format!("; {remedy}")).collect::<String>();
    format!("{requirement}: {detail}{remedy}")
}
