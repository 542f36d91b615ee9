//! A JSON tree that loses nothing: members stay in the author's order and numbers stay text, since an account id or
//! an epoch of twenty digits does not survive a float.
//!
//! It knows nothing of policies.

use serde_json::Value;

/// A JSON value. An object never holds the same key twice: the parser refuses such a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    List(Vec<Json>),
    Object(Members),
}

/// The members of an object, in the author's order.
pub(super) type Members = Vec<(String, Json)>;

impl Json {
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Members> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The members of an object; none of anything else.
    pub(super) fn into_members(self) -> Members {
        match self {
            Self::Object(members) => members,
            _ => Members::new(),
        }
    }

    /// The text of a string, number or boolean, as IAM compares condition values.
    pub(super) fn scalar_text(&self) -> Option<&str> {
        match self {
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Number(text) | Self::String(text) => Some(text),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// A list as its members, anything else as the only member of a list.
    pub(super) fn as_members_of_a_list(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            single => std::slice::from_ref(single),
        }
    }

    /// The same value with the members of every object sorted, since their order says nothing.
    pub(super) fn sorted(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::sorted).collect()),
            Self::Object(members) => {
                let mut members: Members = members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.sorted()))
                    .collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Object(members)
            }
            scalar => scalar.clone(),
        }
    }

    /// For plans and messages. A number that does not fit 64 bits becomes a string, since it would lose digits.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(text) => match text.parse::<i64>() {
                Ok(number) if number.to_string() == *text => Value::from(number),
                _ => Value::String(text.clone()),
            },
            Self::String(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_value()))
                    .collect(),
            ),
        }
    }

    pub(super) fn to_compact(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out);
        out
    }

    pub(super) fn write_compact(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_compact(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write_compact(out);
                }
                out.push('}');
            }
        }
    }

    pub(super) fn to_pretty(&self) -> String {
        let mut out = String::new();
        self.write_pretty(0, &mut out);
        out
    }

    fn write_pretty(&self, depth: usize, out: &mut String) {
        let line = |depth: usize, out: &mut String| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        match self {
            Self::List(items) if !items.is_empty() => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    line(depth + 1, out);
                    item.write_pretty(depth + 1, out);
                }
                line(depth, out);
                out.push(']');
            }
            Self::Object(members) if !members.is_empty() => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    line(depth + 1, out);
                    write_string(key, out);
                    out.push_str(": ");
                    value.write_pretty(depth + 1, out);
                }
                line(depth, out);
                out.push('}');
            }
            other => other.write_compact(out),
        }
    }
}

/// Writes a JSON string. IAM takes nothing above U+00FF on the wire, so that is escaped, in UTF-16 as JSON has it.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='\u{ff}' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}
