//! What changes for one principal, as the lines of a `diff` fence: the sign first, so that it is coloured.

use serde_json::{Map, Value};
use trueup_planner::{Change, ChangeKind, Field};

use crate::{
    changes::{earlier_name, goes_without_saying},
    escape,
    principals::{Principal, whose},
    value,
};

/// How many members of a set, and lines of a principal, are shown before the rest is counted.
const SHOWN_MEMBERS: usize = 40;
const SHOWN_LINES: usize = 300;

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

#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn push(&mut self, mark: Mark, indent: usize, text: &str) {
        let line = format!("{} {:indent$}{}", mark.sign(), "", escape::text(text));
        self.0.push(escape::no_command(line.trim_end()).into_owned());
    }
}

/// A fence with everything that changes; empty where the heading has said it.
pub(crate) fn fence(principal: &Principal<'_>) -> String {
    let Principal {
        resource: _,
        fate: _,
        own,
        parts,
    } = principal;
    let mut lines = Lines::default();
    if let Some(own) = own {
        fields(&mut lines, 0, own);
    }
    for part in parts {
        write_part(&mut lines, part, *own);
    }
    let mut lines = lines.0;
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
