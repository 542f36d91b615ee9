//! Policy documents of a manifest: written in it as YAML, or in a JSON file beside it.
//!
//! What a document means, and what IAM thinks of it, is the model's to say; here is only where to point.

use std::collections::BTreeMap;

use trueup_model::{
    PolicyDocument,
    document::{DocumentErrorKind, DocumentKind},
};

use super::with_source;
use crate::{
    context::{Context, SourceId, Span},
    diagnostic::quoted,
    files::FilesError,
    yaml::{
        Kind, Node,
        plain::{Plain, judge},
    },
};

/// A document and the place that messages about it point to.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) document: PolicyDocument,
    pub(crate) span: Span,
    /// The place of each statement.
    pub(crate) statements: Vec<Span>,
}

/// A document that `file:` named.
#[derive(Debug, Clone)]
pub(crate) struct DocumentFile {
    document: PolicyDocument,
    source: SourceId,
}

/// The way out where a file that the manifest names cannot be read.
pub(super) fn file_hint(error: &FilesError) -> Option<&'static str> {
    match error {
        FilesError::Outside(_) => Some("a manifest reads files of its own folder and below, and nothing else"),
        FilesError::NotFound(_) => Some("the name is relative to the folder of the manifest"),
        _ => None,
    }
}

/// JSON text that is being written from YAML, with the place of every value by its JSON pointer.
#[derive(Default)]
struct Written {
    json: String,
    places: BTreeMap<String, Span>,
    failed: bool,
}

impl Context<'_> {
    /// A document: a mapping that is one, or `{file: name.json}`.
    pub(super) fn read_document(&mut self, node: &Node, what: &str, kind: DocumentKind) -> Option<Document> {
        let example = "{file: policies/name.json}";
        let entries = self.mapping(node, &format!("the document of {what}"), example)?;
        let (document, span, places) = match entries.iter().find(|entry| entry.key.text == "file") {
            Some(entry) => {
                if let Some(other) = entries.iter().find(|other| other.key.text != "file") {
                    self.error(
                        "file-and-document",
                        other.key.span,
                        format!(
                            "a document stands here or in a file, and {} stands beside `file`",
                            quoted(&other.key.text)
                        ),
                    )
                    .related("the file", entry.key.span)
                    .hint("keep either `file` or the document itself");
                    return None;
                }
                let name = self.filled_text(&entry.value, "`file`")?;
                let file = self.document_file(&name.value, name.span)?;
                (file.document, name.span, Err(file.source))
            }
            None => {
                let mut written = Written::default();
                self.write_json(node, String::new(), &mut written);
                if written.failed {
                    return None;
                }
                let document = match PolicyDocument::parse(&written.json) {
                    Ok(document) => document,
                    Err(error) => {
                        self.error("document", node.span, error.to_string());
                        return None;
                    }
                };
                (document, node.span, Ok(written.places))
            }
        };
        let at = |context: &Self, pointer: &str| {
            context.first_line(match &places {
                Ok(places) => nearest_place(places, pointer).unwrap_or(span),
                Err(source) => Span::new(*source, json_place(&context.source(*source).text, pointer)),
            })
        };
        if let Some(refusal) = document.refusal(kind) {
            let place = at(self, &refusal.pointer);
            let words = refusal.message.trim_end_matches('.').to_owned();
            let draft = self.error(
                "document-refused",
                place,
                format!("IAM refuses the document of {what}: {words}"),
            );
            draft.maybe_hint(refusal.detail);
            if place.source != span.source {
                draft.related("used here", span);
            }
            return None;
        }
        if document.version().is_none() {
            let place = at(self, "");
            self.warning(
                "document-version",
                place,
                format!("the document of {what} has no `Version`, which means 2008-10-17"),
            )
            .hint("add `Version: \"2012-10-17\"`, without which policy variables are literal text");
        }
        let statements = (0..document.statements().len())
            .map(|index| at(self, &format!("/Statement/{index}")))
            .collect();
        Some(Document {
            document,
            span,
            statements,
        })
    }

    /// Reads a document that `file:` names. What is wrong with it is said once, however often it is named.
    fn document_file(&mut self, name: &str, used: Span) -> Option<DocumentFile> {
        if let Some(known) = self.documents.get(name) {
            return known.clone();
        }
        let read = self.read_document_file(name, used);
        self.documents.insert(name.to_owned(), read.clone());
        read
    }

    fn read_document_file(&mut self, name: &str, used: Span) -> Option<DocumentFile> {
        let bytes = match self.files.read(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.error("file", used, with_source(&error))
                    .maybe_hint(file_hint(&error).map(str::to_owned));
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            self.error("not-utf8", used, format!("{} is not UTF-8", quoted(name)))
                .hint("save it as UTF-8");
            return None;
        };
        let parsed = PolicyDocument::parse(&text);
        let source = self.add_source(name, text);
        match parsed {
            Ok(document) => Some(DocumentFile { document, source }),
            Err(error) => {
                let is_duplicate = matches!(error.kind, DocumentErrorKind::DuplicateKey { .. });
                let byte_at = |position: trueup_model::document::Position| {
                    self.source(source).byte_at(position.line, position.column)
                };
                let span_at = |at: usize| {
                    let text = &self.source(source).text;
                    let end = match text[at..].chars().next() {
                        Some('"') if is_duplicate => skip_string(text, at),
                        first => at + first.map_or(0, char::len_utf8),
                    };
                    Span::new(source, at..end)
                };
                let span = span_at(error.position.map_or(0, byte_at));
                let first = match &error.kind {
                    DocumentErrorKind::DuplicateKey { first, .. } => Some(span_at(byte_at(*first))),
                    _ => None,
                };
                let message = match &error.kind {
                    DocumentErrorKind::DuplicateKey { key, .. } => {
                        format!("the key {} stands here twice", quoted(key))
                    }
                    kind => kind.to_string(),
                };
                let code = if first.is_some() { "duplicate-key" } else { "document" };
                let draft = self.error(code, span, message);
                if let Some(first) = first {
                    draft.related("it stands here already", first);
                }
                let hint = match std::path::Path::new(name)
                    .extension()
                    .and_then(|extension| extension.to_str())
                {
                    Some("yaml" | "yml") => {
                        Some("documents in files are JSON; in YAML they stand in the manifest itself")
                    }
                    _ => error.hint(),
                };
                draft.related("used here", used).maybe_hint(hint.map(str::to_owned));
                None
            }
        }
    }

    /// Writes a tree as JSON, in the author's order, and complains about what is not the same for every YAML parser.
    fn write_json(&mut self, node: &Node, pointer: String, written: &mut Written) {
        written.places.insert(pointer.clone(), node.span);
        match &node.kind {
            Kind::Broken => written.failed = true,
            Kind::Mapping(entries) => {
                written.json.push('{');
                let mut first: BTreeMap<&str, Span> = BTreeMap::new();
                for entry in entries {
                    let key = entry.key.text.as_str();
                    if let Some(first) = first.get(key) {
                        self.duplicate_key(&entry.key, *first);
                        written.failed = true;
                        continue;
                    }
                    if !first.is_empty() {
                        written.json.push(',');
                    }
                    first.insert(key, entry.key.span);
                    let problems_before = self.problems();
                    self.free_key(&entry.key);
                    written.failed |= self.problems() > problems_before;
                    push_json_string(key, &mut written.json);
                    written.json.push(':');
                    let step = key.replace('~', "~0").replace('/', "~1");
                    self.write_json(&entry.value, format!("{pointer}/{step}"), written);
                }
                written.json.push('}');
            }
            Kind::Sequence(items) => {
                written.json.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        written.json.push(',');
                    }
                    self.write_json(item, format!("{pointer}/{at}"), written);
                }
                written.json.push(']');
            }
            Kind::Scalar(scalar) => {
                let reading = if scalar.plain { judge(&scalar.text) } else { Plain::Text };
                match reading {
                    Plain::Boolean(value) => written.json.push_str(if value { "true" } else { "false" }),
                    // Twelve digits are an account id, whatever they look like.
                    Plain::Integer if scalar.text.len() != 12 => written.json.push_str(&scalar.text),
                    _ => {
                        let problems_before = self.problems();
                        let text = self.text_value(node, "this element");
                        written.failed |= text.is_none() || self.problems() > problems_before;
                        push_json_string(&scalar.text, &mut written.json);
                    }
                }
            }
        }
    }
}

fn push_json_string(text: &str, json: &mut String) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

/// The place of a JSON pointer, or of the nearest thing that holds it.
fn nearest_place(places: &BTreeMap<String, Span>, pointer: &str) -> Option<Span> {
    let mut pointer = pointer;
    loop {
        if let Some(span) = places.get(pointer) {
            return Some(*span);
        }
        pointer = &pointer[..pointer.rfind('/')?];
    }
}

/// The bytes of what a JSON pointer names, or of the nearest thing that holds it. The text is known to be JSON.
fn json_place(text: &str, pointer: &str) -> std::ops::Range<usize> {
    let mut at = skip_space(text, 0);
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        match json_child(text, at, &step) {
            Some(child) => at = child,
            None => break,
        }
    }
    at..skip_value(text, at)
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len())
}

fn skip_string(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The end of the value that begins at `at`.
fn skip_value(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (at, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = skip_string(text, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 0 { at } else { at + 1 },
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Where the member or item begins that one step of a pointer names.
fn json_child(text: &str, at: usize, step: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_object = match bytes.get(at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut index = 0;
    let mut at = skip_space(text, at + 1);
    while !matches!(bytes.get(at)?, b'}' | b']') {
        let mut found = index.to_string() == step;
        if is_object {
            let end = skip_string(text, at);
            found = serde_json::from_str::<String>(&text[at..end]).is_ok_and(|key| key == step);
            at = skip_space(text, skip_space(text, end) + 1);
        }
        if found {
            return Some(at);
        }
        at = skip_space(text, skip_value(text, at));
        if bytes.get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
        index += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_pointer_finds_its_text() {
        let text = r#" {"Version": "2012-10-17",
            "Statement" : [ {"Action":["a:b", "c\"]:d"], "x/y": 12 , "Effect":true} , {} ] }"#;
        for (pointer, expected) in [
            ("", text.trim()),
            ("/Version", "\"2012-10-17\""),
            ("/Statement/0/Action/1", r#""c\"]:d""#),
            ("/Statement/0/x~1y", "12"),
            ("/Statement/0/Effect", "true"),
            ("/Statement/1", "{}"),
            ("/Statement/1/Resource", "{}"),
            (
                "/Statement/7",
                &text[text.find('[').unwrap()..=text.rfind(']').unwrap()],
            ),
        ] {
            assert_eq!(&text[json_place(text, pointer)], expected, "{pointer}");
        }
    }
}
