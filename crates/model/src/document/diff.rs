//! What differs between two documents, statement by statement and set by set.
//!
//! INVARIANT: the difference is empty if and only if the documents are equal.

use std::collections::BTreeSet;

use serde_json::Value;
use similar::{DiffTag, TextDiff};

use super::canonical::{Elements, Folded, TextSet};
use super::{PolicyDocument, Statement};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentChange {
    /// Where, for example `statement ReadReports · Action`.
    pub path: String,
    /// What goes; `null` where nothing does. For sets: only the members that go.
    pub before: Value,
    /// What comes; `null` where nothing does. For sets: only the members that come.
    pub after: Value,
    /// Whether it has no effect on what the document allows: a `Sid` or `Id`.
    pub cosmetic: bool,
}

/// What differs, ordered by path. `None` stands for a document that does not exist.
///
/// Statements are paired by `Sid`, then by what they share. A paired statement yields one change for each member that
/// differs, an unpaired one is a change as a whole. Where a document cannot be read, its lines are compared.
pub fn diff(before: Option<&PolicyDocument>, after: Option<&PolicyDocument>) -> Vec<DocumentChange> {
    if before == after {
        return Vec::new();
    }
    let is_opaque = |document: Option<&PolicyDocument>| document.is_some_and(PolicyDocument::is_opaque);
    if is_opaque(before) || is_opaque(after) {
        return diff_lines(before, after);
    }
    let mut changes = Vec::new();
    diff_elements("", elements_of(before), elements_of(after), &mut changes);
    diff_statements(statements_of(before), statements_of(after), &mut changes);
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn elements_of(document: Option<&PolicyDocument>) -> &Elements {
    static NONE: Elements = Elements::new();
    let content = document.and_then(|document| document.0.content.as_ref());
    content.map_or(&NONE, |content| &content.elements)
}

fn statements_of(document: Option<&PolicyDocument>) -> BTreeSet<&Statement> {
    document.map_or_else(BTreeSet::new, |document| document.statements().iter().collect())
}

/// Compares parts by name. A part that only one side has is a change as a whole, members of a set apart.
fn diff_elements(path: &str, before: &Elements, after: &Elements, changes: &mut Vec<DocumentChange>) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        let written = new.or(old).map_or(name, |(written, _)| written);
        let path = match path {
            "" => written.clone(),
            _ => format!("{path} · {written}"),
        };
        let cosmetic = matches!(name.as_str(), "Sid" | "Id");
        let (old, new) = (old.map(|(_, part)| part), new.map(|(_, part)| part));
        diff_part(&path, cosmetic, old, new, changes);
    }
}

fn diff_part(
    path: &str,
    cosmetic: bool,
    before: Option<&Folded>,
    after: Option<&Folded>,
    changes: &mut Vec<DocumentChange>,
) {
    if canonical(before) == canonical(after) {
        return;
    }
    let (gone, come) = match (before, after) {
        (Some(Folded::Parts(before)), Some(Folded::Parts(after))) => {
            return diff_elements(path, before, after, changes);
        }
        (Some(Folded::Parts(before)), None) if !before.is_empty() => {
            return diff_elements(path, before, &Elements::new(), changes);
        }
        (None, Some(Folded::Parts(after))) if !after.is_empty() => {
            return diff_elements(path, &Elements::new(), after, changes);
        }
        (Some(Folded::Texts(before)), Some(Folded::Texts(after))) => (only_in(before, after), only_in(after, before)),
        _ => (whole(before), whole(after)),
    };
    changes.push(DocumentChange {
        path: path.to_owned(),
        before: gone,
        after: come,
        cosmetic,
    });
}

fn canonical(part: Option<&Folded>) -> Option<String> {
    part.map(|part| {
        let mut out = String::new();
        part.write_canonical(&mut out);
        out
    })
}

fn whole(part: Option<&Folded>) -> Value {
    part.map_or(Value::Null, Folded::to_value)
}

/// The members of one set that the other lacks, as written; `null` where there is none.
fn only_in(set: &TextSet, other: &TextSet) -> Value {
    match set.without(other) {
        members if members.is_empty() => Value::Null,
        members => members.into_iter().collect(),
    }
}

/// A statement that differs: both sides where they are taken for the same one.
type Pair<'a> = (Option<&'a Statement>, Option<&'a Statement>);

fn diff_statements(before: BTreeSet<&Statement>, after: BTreeSet<&Statement>, changes: &mut Vec<DocumentChange>) {
    let mut names = Names::default();
    let mut pairs = pair_up(&before, &after);
    pairs.sort_by_key(|pair| {
        pair.0
            .or(pair.1)
            .map(|statement| (statement.label(), statement.clone()))
    });
    for (before, after) in pairs {
        let Some(named) = before.or(after) else { continue };
        let path = format!("statement {}", names.distinct(&named.label()));
        if let (Some(before), Some(after)) = (before, after) {
            diff_elements(&path, before.elements(), after.elements(), changes);
        } else {
            changes.push(DocumentChange {
                path,
                before: before.map_or(Value::Null, Statement::to_value),
                after: after.map_or(Value::Null, Statement::to_value),
                cosmetic: false,
            });
        }
    }
}

/// Tells statements of the same label apart.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn distinct(&mut self, label: &str) -> String {
        let mut name = label.to_owned();
        let mut count = 1;
        while !self.0.insert(name.clone()) {
            count += 1;
            name = format!("{label} ({count})");
        }
        name
    }
}

/// Pairs the statements that one side has and the other lacks.
fn pair_up<'a>(before: &BTreeSet<&'a Statement>, after: &BTreeSet<&'a Statement>) -> Vec<Pair<'a>> {
    let mut gone: BTreeSet<&Statement> = before.difference(after).copied().collect();
    let mut come: BTreeSet<&Statement> = after.difference(before).copied().collect();
    let new: Vec<Measured<'_>> = come.iter().copied().map(Measured::new).collect();
    let mut candidates: Vec<Candidate<'_>> = gone
        .iter()
        .copied()
        .map(Measured::new)
        .flat_map(|before| {
            new.iter()
                .filter_map(move |after| Candidate::new(&before, after))
                .collect::<Vec<_>>()
        })
        .collect();
    candidates.sort_by(Candidate::best_first);
    let mut pairs = Vec::new();
    for candidate in candidates {
        if gone.contains(candidate.before) && come.contains(candidate.after) {
            gone.remove(candidate.before);
            come.remove(candidate.after);
            pairs.push((Some(candidate.before), Some(candidate.after)));
        }
    }
    pairs.extend(gone.into_iter().map(|statement| (Some(statement), None)));
    pairs.extend(come.into_iter().map(|statement| (None, Some(statement))));
    pairs
}

/// A statement and the smallest parts of it that matter for measuring what two of them share.
struct Measured<'a> {
    statement: &'a Statement,
    atoms: BTreeSet<String>,
}

impl<'a> Measured<'a> {
    fn new(statement: &'a Statement) -> Self {
        let mut atoms = BTreeSet::new();
        for (name, (_, part)) in statement.elements() {
            if !matches!(name.as_str(), "Sid" | "Effect") {
                collect_atoms(name, part, &mut atoms);
            }
        }
        Self { statement, atoms }
    }
}

/// Two statements that may be the same one, changed.
struct Candidate<'a> {
    before: &'a Statement,
    after: &'a Statement,
    same_sid: bool,
    shared: usize,
    total: usize,
}

impl<'a> Candidate<'a> {
    /// Statements with the same `Sid`, or of the same effect with a third of their members in common.
    fn new(before: &Measured<'a>, after: &Measured<'a>) -> Option<Self> {
        let (old, new) = (before.statement, after.statement);
        let same_sid = old.sid().is_some_and(|sid| !sid.is_empty()) && old.sid() == new.sid();
        if !same_sid && old.effect() != new.effect() {
            return None;
        }
        let shared = before.atoms.intersection(&after.atoms).count();
        let total = before.atoms.union(&after.atoms).count();
        (same_sid || shared * 3 >= total).then_some(Self {
            before: old,
            after: new,
            same_sid,
            shared,
            total,
        })
    }

    fn best_first(&self, other: &Self) -> std::cmp::Ordering {
        let share = (other.shared * self.total).cmp(&(self.shared * other.total));
        other
            .same_sid
            .cmp(&self.same_sid)
            .then(share)
            .then_with(|| self.before.cmp(other.before))
            .then_with(|| self.after.cmp(other.after))
    }
}

fn collect_atoms(path: &str, part: &Folded, atoms: &mut BTreeSet<String>) {
    match part {
        Folded::Texts(texts) if !texts.is_empty() => {
            atoms.extend(texts.canonical().map(|text| format!("{path}\n{text}")));
        }
        Folded::Parts(parts) if !parts.is_empty() => {
            for (name, (_, part)) in parts {
                collect_atoms(&format!("{path}\n{name}"), part, atoms);
            }
        }
        other => {
            let mut atom = format!("{path}\n\n");
            other.write_canonical(&mut atom);
            atoms.insert(atom);
        }
    }
}

/// The fallback where a side cannot be read: the regions of lines that differ.
fn diff_lines(before: Option<&PolicyDocument>, after: Option<&PolicyDocument>) -> Vec<DocumentChange> {
    let (old, new) = (before.map(PolicyDocument::pretty), after.map(PolicyDocument::pretty));
    let (Some(old), Some(new)) = (&old, &new) else {
        let lines = |text: &Option<String>| text.as_ref().map_or(Value::Null, |text| text.lines().collect());
        return vec![DocumentChange {
            path: "text".to_owned(),
            before: lines(&old),
            after: lines(&new),
            cosmetic: false,
        }];
    };
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    let changed = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    changed
        .map(|op| {
            let gone: String = op.old_range().filter_map(|index| diff.old_slice(index)).collect();
            let come: String = op.new_range().filter_map(|index| diff.new_slice(index)).collect();
            // Lines that differ only in how they end are shown with their ends.
            let with_ends = gone.lines().eq(come.lines());
            DocumentChange {
                path: format!("text · line {}", op.old_range().start + 1),
                before: lines_of(&gone, with_ends),
                after: lines_of(&come, with_ends),
                cosmetic: false,
            }
        })
        .collect()
}

fn lines_of(text: &str, with_ends: bool) -> Value {
    match text {
        "" => Value::Null,
        text if with_ends => text.split_inclusive('\n').collect(),
        text => text.lines().collect(),
    }
}
