//! Fields of a change: scalars, sets and whole statements.

use serde_json::Value;
use trueup_planner::{ChangeKind, Field};

use crate::{
    TextOptions, Verbosity, escape,
    page::{Page, Sign},
};

/// How many members of one list are shown before the rest is counted.
const SHOWN_MEMBERS: usize = 20;

/// The members of a statement in the order in which people read them; others follow by name.
const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// A value on one line, strings quoted.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escape::quoted(text),
        Value::Array(members) => format!("[{}]", members.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| format!("{}: {}", escape::quoted(key), inline(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A member of a set: text without quotes where it cannot be mistaken for something else.
pub(crate) fn member(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', ',', '"', '\\']) => text.clone(),
        other => inline(other),
    }
}

/// The members of a set; none where it is `null`.
pub(crate) fn members(value: &Value) -> &[Value] {
    match value {
        Value::Array(members) => members,
        _ => &[],
    }
}

/// Writes one field.
pub(crate) fn field(page: &mut Page, indent: usize, kind: ChangeKind, field: &Field, options: &TextOptions) {
    let Field { path, before, after } = field;
    match (before, after) {
        (Value::Array(_), Value::Array(_) | Value::Null) | (Value::Null, Value::Array(_)) => {
            let sign = match kind {
                ChangeKind::Create => Sign::Add,
                ChangeKind::Delete => Sign::Remove,
                ChangeKind::Update | ChangeKind::Rename => Sign::Change,
            };
            set(page, indent, sign, path, members(before), members(after), options);
        }
        (Value::Null, Value::Object(object)) => whole(page, indent, Sign::Add, path, object, options),
        (Value::Object(object), Value::Null) => whole(page, indent, Sign::Remove, path, object, options),
        (Value::Object(gone), Value::Object(comes)) => {
            whole(page, indent, Sign::Remove, path, gone, options);
            whole(page, indent, Sign::Add, path, comes, options);
        }
        (Value::Null, after) => {
            page.line(indent)
                .sign(Sign::Add)
                .text(path)
                .text(": ")
                .text(&inline(after));
        }
        (before, Value::Null) => {
            page.line(indent)
                .sign(Sign::Remove)
                .text(path)
                .text(": ")
                .text(&inline(before));
        }
        (before, after) => {
            page.line(indent)
                .sign(Sign::Change)
                .text(path)
                .text(": ")
                .text(&inline(before))
                .dim(" -> ")
                .text(&inline(after));
        }
    }
}

fn set(page: &mut Page, indent: usize, sign: Sign, path: &str, gone: &[Value], comes: &[Value], options: &TextOptions) {
    let all: Vec<(Sign, &Value)> = gone
        .iter()
        .map(|value| (Sign::Remove, value))
        .chain(comes.iter().map(|value| (Sign::Add, value)))
        .collect();
    if let [(member_sign, only)] = all.as_slice() {
        page.line(indent)
            .sign(sign)
            .text(path)
            .text(": ")
            .sign(*member_sign)
            .text(&member(only));
        return;
    }
    page.line(indent).sign(sign).text(path);
    let shown = shown(all.len(), SHOWN_MEMBERS, options);
    for (sign, value) in &all[..shown] {
        page.line(indent + 4).sign(*sign).text(&member(value));
    }
    if shown < all.len() {
        page.line(indent + 4).dim(&more(all.len() - shown));
    }
}

/// How many of `total` to show: one more line than the limit is as short as saying that one is left out.
pub(crate) fn shown(total: usize, limit: usize, options: &TextOptions) -> usize {
    if options.verbosity == Verbosity::Verbose || total <= limit + 1 {
        total
    } else {
        limit
    }
}

/// What stands in place of what is left out.
pub(crate) fn more(left_out: usize) -> String {
    format!("… and {left_out} more (-v shows all)")
}

/// The members of what comes or goes as a whole, without a `Sid` that its path names already.
pub(crate) fn in_reading_order<'a>(
    path: &str,
    object: &'a serde_json::Map<String, Value>,
) -> Vec<(&'a String, &'a Value)> {
    let said =
        |key: &str, value: &Value| key == "Sid" && matches!(value, Value::String(sid) if path.ends_with(sid.as_str()));
    let mut members: Vec<(&String, &Value)> = object.iter().filter(|(key, value)| !said(key, value)).collect();
    members.sort_by_key(|(key, _)| {
        STATEMENT
            .iter()
            .position(|known| known == key)
            .unwrap_or(STATEMENT.len())
    });
    members
}

/// A statement that comes or goes as a whole.
fn whole(
    page: &mut Page,
    indent: usize,
    sign: Sign,
    path: &str,
    object: &serde_json::Map<String, Value>,
    options: &TextOptions,
) {
    page.line(indent).sign(sign).text(path);
    for (key, value) in in_reading_order(path, object) {
        match value {
            Value::Array(list) if list.iter().all(|value| !value.is_array() && !value.is_object()) => {
                let texts: Vec<String> = list.iter().map(member).collect();
                let joined = texts.join(", ");
                if indent + 4 + key.len() + 2 + joined.chars().count() <= options.width {
                    page.line(indent + 4).text(key).text(": ").text(&joined);
                    continue;
                }
                page.line(indent + 4).text(key).text(":");
                let shown = shown(texts.len(), SHOWN_MEMBERS, options);
                for text in &texts[..shown] {
                    page.line(indent + 6).text(text);
                }
                if shown < texts.len() {
                    page.line(indent + 6).dim(&more(texts.len() - shown));
                }
            }
            Value::String(text) => {
                page.line(indent + 4)
                    .text(key)
                    .text(": ")
                    .text(&member(&Value::String(text.clone())));
            }
            other => {
                page.line(indent + 4).text(key).text(": ").text(&inline(other));
            }
        }
    }
}
