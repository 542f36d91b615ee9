//! Trees to YAML text that every parser reads alike.

use super::plain::{Plain, judge};

/// A value to write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Out {
    Text(String),
    Boolean(bool),
    Integer(u64),
    /// A list, an item a line.
    List(Vec<Out>),
    /// A list or mapping on one line where it fits, else as the others.
    Short(Box<Out>),
    /// Entries in the order to write.
    Map(Vec<(String, Out)>),
}

impl Out {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn short(value: Self) -> Self {
        Self::Short(Box::new(value))
    }

    /// A mapping of the entries that are there.
    pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Option<Out>)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .filter_map(|(key, value)| Some((key.into(), value?)))
                .collect(),
        )
    }
}

/// Columns up to which a list or mapping is written on one line.
const WIDTH: usize = 110;

/// Writes the entries of a mapping as lines, each ended by a line feed.
pub(crate) fn write_entries(entries: &[(String, Out)], indent: usize, text: &mut String) {
    for (key, value) in entries {
        text.extend(std::iter::repeat_n(' ', indent));
        text.push_str(&scalar(key));
        text.push(':');
        write_value(value, indent, text);
    }
}

/// Writes what follows `key:` or stands under `-`, up to the end of its last line.
fn write_value(value: &Out, indent: usize, text: &mut String) {
    let column = text.len() - text.rfind('\n').map_or(0, |at| at + 1);
    if let Some(line) = inline(value)
        && (column + 1 + line.len() <= WIDTH || !matches!(value, Out::Short(_)))
    {
        text.push(' ');
        text.push_str(&line);
        text.push('\n');
        return;
    }
    match value {
        Out::Short(value) => write_block(value, indent, text),
        value => write_block(value, indent, text),
    }
}

fn write_block(value: &Out, indent: usize, text: &mut String) {
    text.push('\n');
    match value {
        Out::Map(entries) => write_entries(entries, indent + 2, text),
        Out::List(items) => {
            for item in items {
                text.extend(std::iter::repeat_n(' ', indent + 2));
                text.push('-');
                let mut below = String::new();
                match item {
                    // The first key of a mapping stands beside the dash.
                    Out::Map(entries) if !entries.is_empty() => {
                        write_entries(entries, indent + 4, &mut below);
                        text.push(' ');
                        text.push_str(below.trim_start());
                    }
                    Out::Short(inner) if flow(inner).len() + indent + 4 > WIDTH => match &**inner {
                        Out::Map(entries) => {
                            write_entries(entries, indent + 4, &mut below);
                            text.push(' ');
                            text.push_str(below.trim_start());
                        }
                        inner => write_value(inner, indent + 2, text),
                    },
                    item => write_value(item, indent + 2, text),
                }
            }
        }
        Out::Short(value) => write_block(value, indent, text),
        Out::Text(_) | Out::Boolean(_) | Out::Integer(_) => {}
    }
}

/// A value on one line: scalars, empty lists and mappings, and what may be short.
fn inline(value: &Out) -> Option<String> {
    match value {
        Out::Text(text) => Some(scalar(text)),
        Out::Boolean(value) => Some(value.to_string()),
        Out::Integer(value) => Some(value.to_string()),
        Out::List(items) => items.is_empty().then(|| "[]".to_owned()),
        Out::Map(entries) => entries.is_empty().then(|| "{}".to_owned()),
        Out::Short(value) => Some(flow(value)),
    }
}

fn flow(value: &Out) -> String {
    match value {
        Out::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Out::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), flow(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Out::Short(value) => flow(value),
        Out::Text(text) => scalar(text),
        Out::Boolean(value) => value.to_string(),
        Out::Integer(value) => value.to_string(),
    }
}

/// A text as a YAML scalar: plain where every parser reads it as this text, in keys, lists and flow style alike.
pub(crate) fn scalar(text: &str) -> String {
    let harmless = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_./+=@:-*".contains(&b))
        // `a: b` and `a:` would be keys, and some parsers see a key in `{a:b}` already.
        && !text.ends_with(':')
        && judge(text) == Plain::Text;
    if harmless { text.to_owned() } else { double_quoted(text) }
}

/// A text between double quotes, with everything escaped that does not print.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() => quoted.push(c),
            c if u32::from(c) <= 0xff => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}
