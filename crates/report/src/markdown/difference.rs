//! What changes for one principal, as the lines of a `diff` fence: the sign first, so that it is coloured.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use trueup_planner::{Change, ChangeKind, Field};

use super::Detail;
use crate::{
    changes::{earlier_name, goes_without_saying},
    escape::{self, markdown_code as code},
    page::count,
    principals::{Principal, whose},
    value,
};

/// How many members of a set, and lines of a principal, are shown before the rest is counted.
const SHOWN_MEMBERS: usize = 40;
const SHOWN_LINES: usize = 300;
/// How many parts of a principal are named in its one line.
const SHOWN_PARTS: usize = 6;

#[derive(Clone, Copy)]
enum Mark {
    Come,
    Go,
    Change,
    Context,
}

impl Mark {
    fn of(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Create => Self::Come,
            ChangeKind::Delete => Self::Go,
            ChangeKind::Update | ChangeKind::Rename => Self::Change,
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Come => '+',
            Self::Go => '-',
            // A renderer gives `!` the colour of a change.
            Self::Change => '!',
            Self::Context => ' ',
        }
    }
}

struct Lines {
    lines: Vec<String>,
    /// Whether a statement has one line.
    short: bool,
}

impl Lines {
    fn push(&mut self, mark: Mark, indent: usize, text: &str) {
        let line = format!("{} {:indent$}{}", mark.sign(), "", escape::text(text));
        self.lines.push(escape::no_command(line.trim_end()).into_owned());
    }
}

/// A fence with everything that changes; empty where the heading has said it.
pub(super) fn fence(principal: &Principal<'_>, detail: Detail) -> String {
    let Principal {
        resource: _,
        fate: _,
        own,
        parts,
    } = principal;
    let mut lines = Lines {
        lines: Vec::new(),
        short: detail != Detail::Full,
    };
    if let Some(own) = own {
        fields(&mut lines, 0, own);
    }
    for part in parts {
        write_part(&mut lines, part, *own);
    }
    let mut lines = lines.lines;
    if lines.is_empty() {
        return String::new();
    }
    if lines.len() > SHOWN_LINES + 1 {
        let more = lines.len() - SHOWN_LINES;
        lines.truncate(SHOWN_LINES);
        lines.push(format!("  … and {more} more lines"));
    }
    let longest = lines.iter().map(|line| escape::longest_run(line, '`')).max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    format!("{fence}diff\n{}\n{fence}\n", lines.join("\n"))
}

/// What changes, as the rest of one line: each part with its sign, and how many statements of a document differ.
pub(super) fn line(principal: &Principal<'_>) -> String {
    let mut said: Vec<String> = Vec::new();
    if let Some(own) = principal.own.filter(|own| own.change == ChangeKind::Update) {
        let fields = own.fields.iter().filter(|field| !is_of_statement(field));
        said.extend(fields.take(SHOWN_PARTS).map(|field| format!("~ {}", code(&field.path))));
        said.extend(statements(own).map(|statements| format!("~ {statements}")));
    }
    for part in &principal.parts {
        let sign = match part.change {
            ChangeKind::Create => '+',
            ChangeKind::Delete => '−',
            ChangeKind::Update | ChangeKind::Rename => '~',
        };
        let statements = statements(part).map(|statements| format!(" ({statements})"));
        said.push(format!(
            "{sign} {}{}",
            code(&whose(&part.resource).1),
            statements.unwrap_or_default()
        ));
    }
    let more = said.len().saturating_sub(SHOWN_PARTS);
    said.truncate(SHOWN_PARTS);
    if more > 0 {
        said.push(format!("{more} more"));
    }
    if said.is_empty() {
        String::new()
    } else {
        format!(": {}", said.join(", "))
    }
}

fn is_of_statement(field: &Field) -> bool {
    field.path.starts_with("statement ")
}

/// How many statements differ, in words.
fn statements(change: &Change) -> Option<String> {
    let fields = change.fields.iter().filter(|field| is_of_statement(field));
    let names: BTreeSet<&str> = fields
        .map(|field| field.path.split(" · ").next().unwrap_or_default())
        .collect();
    (!names.is_empty()).then(|| count(names.len() as u64, "statement", "statements"))
}

fn write_part(lines: &mut Lines, part: &Change, own: Option<&Change>) {
    let (_, mut label) = whose(&part.resource);
    if let Some(name) = earlier_name(part.change, &part.fields) {
        label.push_str(&format!(" (renamed from {name})"));
    }
    let told = part.reason.is_empty() || own.is_some_and(|own| goes_without_saying(part, own));
    if !told {
        label.push_str(&format!("  (because {})", part.reason));
    }
    if part.destructive {
        label.push_str("  (destructive)");
    }
    lines.push(Mark::of(part.change), 0, &label);
    fields(lines, 4, part);
}

fn fields(lines: &mut Lines, indent: usize, change: &Change) {
    let is_renamed = earlier_name(change.change, &change.fields).is_some();
    for Field { path, before, after } in &change.fields {
        // Which version of the language a new document has tells nothing.
        if lines.short && path == "Version" && before.is_null() {
            continue;
        }
        // The heading says it.
        if is_renamed && path == "name" {
            continue;
        }
        match (before, after) {
            (Value::Array(_), Value::Array(_) | Value::Null) | (Value::Null, Value::Array(_)) => {
                set(lines, indent, path, value::members(before), value::members(after));
            }
            _ => {
                one(lines, Mark::Go, indent, path, before);
                one(lines, Mark::Come, indent, path, after);
            }
        }
    }
}

fn set(lines: &mut Lines, indent: usize, path: &str, go: &[Value], come: &[Value]) {
    let all: Vec<(Mark, &Value)> = go
        .iter()
        .map(|value| (Mark::Go, value))
        .chain(come.iter().map(|value| (Mark::Come, value)))
        .collect();
    if let [(mark, only)] = all.as_slice() {
        return lines.push(*mark, indent, &format!("{path}: {}", value::member(only)));
    }
    lines.push(Mark::Context, indent, path);
    for (mark, member) in all.iter().take(SHOWN_MEMBERS) {
        lines.push(*mark, indent + 4, &value::member(member));
    }
    if all.len() > SHOWN_MEMBERS {
        lines.push(
            Mark::Context,
            indent + 4,
            &format!("… and {} more", all.len() - SHOWN_MEMBERS),
        );
    }
}

fn one(lines: &mut Lines, mark: Mark, indent: usize, path: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(statement) => whole(lines, mark, indent, path, statement),
        other => lines.push(mark, indent, &format!("{path}: {}", value::inline(other))),
    }
}

/// A statement that comes or goes as a whole.
fn whole(lines: &mut Lines, mark: Mark, indent: usize, path: &str, statement: &Map<String, Value>) {
    if lines.short {
        let mut text = format!("{path}:");
        for (key, value) in value::in_reading_order(path, statement) {
            let value = match value {
                Value::Array(list) if list.iter().all(|value| !value.is_array() && !value.is_object()) => {
                    list.iter().map(value::member).collect::<Vec<_>>().join(", ")
                }
                Value::String(_) => value::member(value),
                other => value::inline(other),
            };
            text.push_str(&match key.as_str() {
                "Effect" | "Action" => format!(" {value}"),
                "Resource" => format!(" on {value}"),
                key => format!(" {key} {value}"),
            });
        }
        return lines.push(mark, indent, &text);
    }
    lines.push(mark, indent, path);
    for (key, value) in value::in_reading_order(path, statement) {
        match value {
            Value::Array(list) if list.iter().all(|value| !value.is_array() && !value.is_object()) => {
                let shown: Vec<String> = list.iter().take(SHOWN_MEMBERS).map(value::member).collect();
                let mut text = format!("{key}: {}", shown.join(", "));
                if list.len() > shown.len() {
                    text.push_str(&format!(", … and {} more", list.len() - shown.len()));
                }
                lines.push(mark, indent + 4, &text);
            }
            Value::String(_) => lines.push(mark, indent + 4, &format!("{key}: {}", value::member(value))),
            other => lines.push(mark, indent + 4, &format!("{key}: {}", value::inline(other))),
        }
    }
}
