//! The manifest reference, written from the JSON Schema that the program prints, so that it cannot say anything else.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const HEAD: &str = "\
# Manifest reference

Every key, with what it takes. This page is made from the schema that `trueup schema manifest` prints; what the keys mean together is on the
page [The manifest](manifest.md).

A key marked *required* must be there. Keys that are not listed are errors. \"Left out\" always says what happens without the key.
";

/// The page for a schema.
///
/// # Panics
///
/// When the schema is not one of JSON Schema's, as this page needs it.
pub fn page(schema: &Value) -> String {
    let definitions = schema["$defs"].as_object().expect("a schema has definitions");
    let mut text = HEAD.to_owned();
    section(&mut text, "The whole manifest", schema, definitions);
    for (name, definition) in definitions {
        if definition.get("properties").is_some() {
            section(&mut text, name, definition, definitions);
        }
    }
    text.push_str("\n## Words and shapes\n\n");
    for (name, definition) in definitions {
        if definition.get("properties").is_none() {
            let description = definition["description"].as_str().unwrap_or_default();
            let kind = kind(definition);
            let _ = writeln!(text, "### `{name}`\n\n{}\n", sentence(&kind, description));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn sentence(kind: &str, description: &str) -> String {
    let mut first = kind.chars();
    let kind: String = first
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(first)
        .collect();
    format!("{kind}. {description}").trim_end().to_owned()
}

fn section(text: &mut String, name: &str, object: &Value, definitions: &Map<String, Value>) {
    let title = if name.contains(' ') {
        name.to_owned()
    } else {
        format!("`{name}`")
    };
    let _ = write!(text, "\n## {title}\n\n");
    if let Some(description) = object["description"].as_str() {
        let _ = write!(text, "{description}\n\n");
    }
    text.push_str("| key | takes | meaning |\n|---|---|---|\n");
    let required: Vec<_> = object["required"].as_array().into_iter().flatten().collect();
    for (key, value) in object["properties"].as_object().into_iter().flatten() {
        let meant = value
            .get("description")
            .or_else(|| definitions.get(referred(value)?)?.get("description"));
        let mut meaning = meant.and_then(Value::as_str).unwrap_or_default().to_owned();
        if required.iter().any(|name| *name == key) {
            meaning = format!("*Required.* {meaning}").trim_end().to_owned();
        }
        if let Some(default) = value.get("default") {
            meaning = format!("{meaning} Default: `{}`.", plain(default))
                .trim_start()
                .to_owned();
        }
        let _ = writeln!(text, "| `{key}` | {} | {} |", cell(&kind(value)), cell(&meaning));
    }
    alternatives(text, object);
}

/// Keys of which exactly one must be there.
fn alternatives(text: &mut String, object: &Value) {
    let choices = object["oneOf"].as_array().into_iter().flatten();
    let keys: Vec<_> = choices
        .filter_map(|choice| choice["required"][0].as_str())
        .map(|key| format!("`{key}`"))
        .collect();
    if !keys.is_empty() {
        let _ = writeln!(text, "\nExactly one of {}.", keys.join(", "));
    }
}

/// The definition that a value is of.
fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.rsplit('/').next()
}

/// What a value can be, in a few words.
fn kind(value: &Value) -> String {
    if let Some(name) = referred(value) {
        return format!("[{name}](#{name})");
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = value[choice].as_array() {
            return choices.iter().map(kind).collect::<Vec<_>>().join(", or ");
        }
    }
    if let Some(constant) = value.get("const") {
        return if constant == "" {
            "`\"\"`".to_owned()
        } else {
            format!("`{}`", plain(constant))
        };
    }
    if let Some(words) = value["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|word| format!("`{}`", plain(word))).collect();
        return match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.join(""),
        };
    }
    match value["type"].as_str() {
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => number(value),
        Some("array") => {
            let items = kind(&value["items"]);
            let least = if value["minItems"] == 1 { "at least one " } else { "" };
            format!("a list of {least}{items}")
        }
        Some("object") => object(value),
        Some("string") => string(value),
        _ => "anything".to_owned(),
    }
}

fn number(value: &Value) -> String {
    match (value["minimum"].as_i64(), value["maximum"].as_i64()) {
        (Some(low), Some(high)) => format!("a number from {low} to {high}"),
        (Some(low), None) => format!("a number from {low}"),
        _ => "a number".to_owned(),
    }
}

fn object(value: &Value) -> String {
    if let Some(keys) = value["properties"].as_object().filter(|keys| !keys.is_empty()) {
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, value)| format!("`{key}` ({})", kind(value)))
            .collect();
        return format!("a mapping of {}", keys.join(", "));
    }
    match &value["additionalProperties"] {
        inner @ Value::Object(_) if inner["type"] != "object" || inner.get("properties").is_some() => {
            format!("{}, by name", kind(inner))
        }
        _ => "a mapping".to_owned(),
    }
}

fn string(value: &Value) -> String {
    let length = match (value["minLength"].as_u64(), value["maxLength"].as_u64()) {
        (Some(low), Some(high)) if low > 0 => format!(" of {low} to {high} characters"),
        (_, Some(high)) => format!(" of at most {high} characters"),
        _ => String::new(),
    };
    match value["pattern"].as_str() {
        Some(r"\S") => format!("text{length} that is not blank"),
        Some(pattern) => format!("text{length}, matching `{pattern}`"),
        None => format!("text{length}"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text in a table's cell, in which a bar would begin the next one.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
