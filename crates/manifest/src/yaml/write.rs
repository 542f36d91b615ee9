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
        Out::Short(inner) => write_block(inner, indent, text),
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
                match item {
                    Out::Short(inner) if flow(inner).len() + indent + 4 > WIDTH => write_item(inner, indent + 4, text),
                    item => write_item(item, indent + 4, text),
                }
            }
        }
        // Scalars stand on their key's line, and nothing short is within something short.
        Out::Short(_) | Out::Text(_) | Out::Boolean(_) | Out::Integer(_) => {}
    }
}

/// Writes what stands behind the dash of a list item, whose own lines are indented by `indent`.
fn write_item(item: &Out, indent: usize, text: &mut String) {
    match item {
        // The first key of a mapping stands beside the dash.
        Out::Map(entries) if !entries.is_empty() => {
            let mut lines = String::new();
            write_entries(entries, indent, &mut lines);
            text.push(' ');
            text.push_str(lines.trim_start());
        }
        item => write_value(item, indent - 2, text),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(entries: &[(&str, Out)]) -> String {
        let entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        let mut text = String::new();
        write_entries(&entries, 0, &mut text);
        text
    }

    #[test]
    fn values_are_laid_out_for_people() {
        let map = |key: &str, value: &str| Out::map([(key, Some(Out::text(value)))]);
        let long = "x".repeat(120);
        let text = written(&[
            ("flag", Out::Boolean(true)),
            ("number", Out::Integer(7)),
            ("nothing", Out::List(Vec::new())),
            ("no", Out::Map(Vec::new())),
            (
                "list",
                Out::List(vec![
                    Out::text("a"),
                    map("b", "c"),
                    Out::short(map("d", "e")),
                    Out::short(map("f", &long)),
                ]),
            ),
            ("short", Out::short(Out::List(vec![Out::text("a"), Out::text("1")]))),
            ("long", Out::short(Out::List(vec![Out::text(&*long), Out::text("b")]))),
            ("deep", Out::map([("down", Some(map("a", "b")))])),
        ]);
        let expected = format!(
            "flag: true\nnumber: 7\nnothing: []\n\"no\": {{}}\nlist:\n  - a\n  - b: c\n  - {{d: e}}\n  - f: {long}\n\
             short: [a, \"1\"]\nlong:\n  - {long}\n  - b\ndeep:\n  down:\n    a: b\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn texts_come_back_from_yaml_as_they_are() {
        let mut texts: Vec<String> = [
            "",
            " ",
            "a b",
            "no",
            "~",
            "- x",
            "a: b",
            "a #b",
            "\"",
            "'",
            "\\",
            "*",
            "&x",
            "!t",
            "{",
            "]",
            ",",
            "%",
            "@",
            "`",
            "0x1F",
            "1e3",
            "=",
            "<<",
            "---",
            "a:",
            ":a",
            "é",
            "\u{1f600}",
        ]
        .map(str::to_owned)
        .to_vec();
        texts.extend(
            (0..=0x2ff)
                .chain(0x2000..=0x206f)
                .filter_map(char::from_u32)
                .map(|c| format!("{c}a{c}")),
        );
        for text in texts {
            let yaml = written(&[
                ("key", Out::text(&*text)),
                (&text, Out::text("value")),
                ("flow", Out::short(Out::List(vec![Out::text(&*text)]))),
            ]);
            let read: serde_json::Value =
                serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(read["key"], *text, "{yaml}");
            assert_eq!(read["flow"][0], *text, "{yaml}");
            assert_eq!(read[&text], "value", "{yaml}");
        }
    }
}
