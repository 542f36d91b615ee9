//! From files to [`Raw`]: finds the files, tells the root file from the others, and reads every section.
//!
//! It never compares one declaration with another: that is `resolve`'s.

pub(crate) mod document;
mod entities;
pub(crate) mod keys;
mod lints;
pub(crate) mod raw;
mod recipients;
mod root;
mod settings;
pub(crate) mod suggest;
mod walk;

pub(crate) use raw::Raw;

use crate::{
    context::{Context, SourceId, Span},
    diagnostic::quoted,
    yaml::{self, Entry, Kind, Node},
};

/// Reads all files of the manifest. Problems are in the context; what could be read is in the answer.
pub(crate) fn read(context: &mut Context<'_>) -> Raw {
    let mut raw = Raw::default();
    let mut trees = read_files(context);
    let Some(root_place) = find_root(context, &trees) else {
        return raw;
    };
    let root = root_place.source;
    raw.root = Some(root_place);
    raw.files = trees.iter().map(|(source, _)| *source).collect();
    // The root file first: what it says about limits is then known whatever the order of names.
    trees.sort_by_key(|(source, _)| *source != root);
    for (source, tree) in &trees {
        context.read_file(*source, tree, root, &mut raw);
    }
    raw
}

/// The files that could be read and hold a document, in the order of their names.
fn read_files(context: &mut Context<'_>) -> Vec<(SourceId, Node)> {
    let mut names = match context.files.list() {
        Ok(names) => names,
        Err(error) => {
            context.incomplete = true;
            context.error_overall("file", with_source(&error));
            return Vec::new();
        }
    };
    names.sort();
    if names.is_empty() {
        let whole = context.files.whole();
        context
            .error_overall("no-manifest", format!("there is no YAML file in {whole}"))
            .hint("a manifest is one file, or a folder of files, that end in `.yaml` or `.yml`");
    }
    let mut trees = Vec::new();
    for name in names {
        let Some(source) = context.read_source(&name) else {
            continue;
        };
        let problems_before = context.problems();
        match yaml::parse(context, source) {
            Some(tree) => trees.push((source, tree)),
            None if context.problems() > problems_before => {}
            None => trees.push((
                source,
                Node {
                    span: Span::new(source, 0..0),
                    kind: Kind::Mapping(Vec::new()),
                },
            )),
        }
    }
    trees
}

/// An error with what caused it, on one line.
pub(crate) fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The root file is the one with `version`; where that stands, or the file begins.
fn find_root(context: &mut Context<'_>, trees: &[(SourceId, Node)]) -> Option<Span> {
    let has = |tree: &Node, key: &str| {
        top_entries(tree)
            .iter()
            .find(|entry| entry.key.text == key)
            .map(|e| e.key.span)
    };
    let mut versions = trees.iter().filter_map(|(_, tree)| has(tree, "version"));
    if let Some(first) = versions.next() {
        for other in versions {
            context
                .error(
                    "declared-twice",
                    other,
                    "`version` stands in two files, and a manifest has one root file",
                )
                .related("the root file, because `version` stands here first", first)
                .hint("leave `version` out here, or take this file out of the folder if it is a manifest of its own");
        }
        return Some(first);
    }
    let account = trees.iter().find_map(|(_, tree)| has(tree, "account"));
    let place = account.or_else(|| trees.first().map(|(source, _)| Span::new(*source, 0..0)))?;
    // A file that could not be read may be the root file, and one that is no mapping is complained about anyway.
    let is_mapping = |tree: &Node| matches!(tree.kind, Kind::Mapping(_));
    if !context.incomplete && trees.iter().all(|(_, tree)| is_mapping(tree)) {
        let message = if trees.len() == 1 {
            "`version` is missing"
        } else {
            "no file of the manifest has `version`, so there is no root file"
        };
        context
            .error("missing-key", place, message)
            .hint("the root file begins with `version: 1`");
    }
    Some(place)
}

fn top_entries(tree: &Node) -> &[Entry] {
    match &tree.kind {
        Kind::Mapping(entries) => entries,
        _ => &[],
    }
}

impl Context<'_> {
    /// Reads a file as UTF-8 and keeps it as a source.
    pub(crate) fn read_source(&mut self, name: &str) -> Option<SourceId> {
        let bytes = match self.files.read(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.incomplete = true;
                self.error_overall("file", with_source(&error));
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => Some(self.add_source(name, text)),
            Err(error) => {
                self.incomplete = true;
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let source = self.add_source(name, text);
                let span = Span::new(source, valid..valid + char::REPLACEMENT_CHARACTER.len_utf8());
                self.error("not-utf8", span, "the file is not UTF-8 from here on")
                    .hint("save it as UTF-8");
                None
            }
        }
    }

    fn read_file(&mut self, source: SourceId, tree: &Node, root: SourceId, raw: &mut Raw) {
        let begin = Span::new(source, 0..0);
        if matches!(&tree.kind, Kind::Scalar(scalar) if scalar.plain && scalar.text.is_empty()) || tree.span == begin {
            if source != root {
                self.warning("empty-file", begin, "this file declares nothing");
            }
            return;
        }
        let Some(fields) = self.fields(tree, "the manifest", keys::TOP, begin) else {
            return;
        };
        if source != root {
            // A file with a `version` of its own has been complained about as a whole.
            if fields.get("version").is_none() {
                self.refuse_root_only(&fields, root);
            }
        } else {
            self.read_root(&fields, raw);
        }
        if let Some(node) = fields.get("policies") {
            self.read_policies(node, raw);
        }
        if let Some(node) = fields.get("groups") {
            self.read_groups(node, raw);
        }
        if let Some(node) = fields.get("users") {
            self.read_users(node, raw);
        }
        if let (Some(node), Some(span)) = (fields.get("absent"), fields.key_span("absent")) {
            self.read_absent(node, span, raw);
        }
        if let (Some(node), Some(span)) = (fields.get("roles"), fields.key_span("roles")) {
            self.read_roles(node, span);
        }
    }

    fn refuse_root_only(&mut self, fields: &walk::Fields<'_>, root: SourceId) {
        let root_name = self.source(root).name.clone();
        for key in keys::ROOT_ONLY.iter().filter(|key| **key != "version") {
            if let Some(span) = fields.key_span(key) {
                self.error("root-only", span, format!("`{key}` stands in the root file only"))
                    .hint(format!("move it to {}, the file with `version`", quoted(&root_name)));
            }
        }
    }

    /// Says that a key is known and has no effect yet.
    pub(crate) fn unsupported(&mut self, span: Span, key: &str) {
        self.error("unsupported", span, format!("`{key}` is not supported yet"))
            .hint("leave it out for now: nothing of a manifest is silently ignored");
    }
}
