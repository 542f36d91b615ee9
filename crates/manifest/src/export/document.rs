//! Policy documents as YAML, in the order of their author.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use trueup_model::PolicyDocument;

use crate::yaml::write::Out;

/// A document as a mapping; `None` where it is not JSON.
pub(super) fn to_out(document: &PolicyDocument) -> Option<Out> {
    let Parsed(out) = serde_json::from_str(document.as_text()).ok()?;
    Some(shortened(out))
}

/// Lists of texts, and mappings of conditions, go on one line where they fit.
fn shortened(out: Out) -> Out {
    match out {
        Out::List(items) if items.iter().all(is_scalar) => Out::short(Out::List(items)),
        Out::List(items) => Out::List(items.into_iter().map(shortened).collect()),
        Out::Map(entries) => Out::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let value = match key.as_str() {
                        "Condition" | "Principal" | "NotPrincipal" => Out::short(shortened(value)),
                        _ => shortened(value),
                    };
                    (key, value)
                })
                .collect(),
        ),
        other => other,
    }
}

fn is_scalar(out: &Out) -> bool {
    matches!(out, Out::Text(_) | Out::Boolean(_) | Out::Integer(_))
}

/// The JSON that the manifest's reader makes of what is written.
pub(super) fn to_json(out: &Out) -> String {
    match out {
        Out::Text(text) => json_string(text),
        Out::Boolean(value) => value.to_string(),
        Out::Integer(value) => value.to_string(),
        Out::Short(value) => to_json(value),
        Out::List(items) => format!("[{}]", items.iter().map(to_json).collect::<Vec<_>>().join(",")),
        Out::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", json_string(key), to_json(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON in its own order; numbers that YAML parsers may round become texts, which IAM reads alike.
struct Parsed(Out);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy document")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed(Out::Boolean(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        let text = value.to_string();
        // Twelve digits are an account id, which is written with quotes; sixteen may be rounded.
        Ok(Parsed(if text.len() == 12 || text.len() > 15 {
            Out::Text(text)
        } else {
            Out::Integer(value)
        }))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed(Out::Text(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed(Out::Text(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Parsed, E> {
        Ok(Parsed(Out::text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let mut list = Vec::new();
        while let Some(Parsed(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Parsed(Out::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parsed, A::Error> {
        let mut map = Vec::new();
        while let Some((key, Parsed(value))) = entries.next_entry::<String, Parsed>()? {
            map.push((key, value));
        }
        Ok(Parsed(Out::Map(map)))
    }
}
