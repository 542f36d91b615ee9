//! `trueup fmt`: one way to write a manifest. Keys stand in the order of the reference, names in that of the alphabet,
//! and comments stay with what they are about.
//!
//! INVARIANT: it never changes what a manifest means. Before a text is given back it is read again, and has the same
//! values and the same comments, and the manifest as a whole the same desired state and the same problems.

mod build;
mod layout;
mod shape;

use std::{collections::BTreeMap, ops::Range};

use crate::{
    context::{Context, SourceId, Span},
    diagnostic::{Diagnostic, Severity},
    files::{Files, FilesError},
    parse,
    yaml::{self, Kind, Node},
};
use build::Builder;
use shape::Shape;

/// A file of a manifest in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// Relative to the manifest's directory.
    pub name: String,
    /// The text as it is.
    pub before: String,
    /// The text as it should be.
    pub after: String,
}

impl Formatted {
    /// Whether the file is in canonical form already.
    pub fn is_canonical(&self) -> bool {
        self.before == self.after
    }
}

/// All files of a manifest in canonical form. A manifest may have problems, as long as each file can be read as YAML.
///
/// # Errors
///
/// The problems of files that cannot be formatted. Nothing of a manifest is to be written where there are any.
pub fn format(files: &dyn Files) -> Result<Vec<Formatted>, Vec<Diagnostic>> {
    let mut context = Context::new(files);
    let names = match files.list() {
        Ok(names) => names,
        Err(error) => {
            context.error_overall("file", crate::read::with_source(&error));
            return Err(context.into_diagnostics());
        }
    };
    let mut formatted = Vec::new();
    for name in names {
        let Some(source) = context.read_source(&name) else {
            continue;
        };
        let before = context.source(source).text.clone();
        if let Some(after) = file(&mut context, source) {
            formatted.push(Formatted { name, before, after });
        }
    }
    if !context.has_errors() && !same_meaning(files, &formatted) {
        context.error_overall(
            "fmt-meaning",
            format!("{} would have another meaning, and is left as it is", files.whole()),
        );
    }
    if context.has_errors() {
        return Err(context.into_diagnostics());
    }
    Ok(formatted)
}

/// One file in canonical form. `None`: a problem was reported.
fn file(context: &mut Context<'_>, source: SourceId) -> Option<String> {
    let before = context.source(source).text.clone();
    let problems = context.problems();
    if let Some((at, _)) = lone_carriage_return(&before) {
        context
            .error(
                "fmt",
                Span::new(source, at..at + 1),
                "cannot format a carriage return without a line feed",
            )
            .hint("end lines with a line feed");
        return None;
    }
    // Lines end as the first one does.
    let ends = if before.split('\n').next().is_some_and(|line| line.ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    };
    // Places in messages are those of the file itself.
    let (tree, ranges) = yaml::parse_with_comments(context, source);
    if context.problems() > problems {
        return None;
    }
    let Some(tree) = tree else {
        return Some(only_comments(&before, ends));
    };
    let text = before.strip_prefix('\u{feff}').unwrap_or(&before).replace("\r\n", "\n");
    let after = match write(&text) {
        Ok(after) => after,
        Err(refusal) => {
            let range = refusal.span.range();
            let place = place_in(&before, &text, range.start)..place_in(&before, &text, range.end);
            context
                .error("fmt", Span::new(source, place), refusal.message)
                .hint(refusal.hint);
            return None;
        }
    };
    let same = with_tree(&after, |_, other, others| {
        same_values(&tree, other) && comments(&before, ranges) == comments(&after, others)
    });
    if same != Some(true) {
        context
            .error(
                "fmt",
                Span::new(source, 0..0),
                "this file cannot be formatted without changing what it says",
            )
            .hint(
                "`trueup fmt` does not know something in it: write that in a plainer way, or leave the file as it is",
            );
        return None;
    }
    Some(if ends == "\n" { after } else { after.replace('\n', ends) })
}

fn lone_carriage_return(text: &str) -> Option<(usize, char)> {
    text.char_indices()
        .find(|(at, c)| *c == '\r' && !text[at + 1..].starts_with('\n'))
}

/// A byte of the text without byte order mark and carriage returns, in the text with them.
fn place_in(before: &str, text: &str, at: usize) -> usize {
    let line = text[..at].matches('\n').count();
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let old_begin = before.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let mark = if line == 0 && before.starts_with('\u{feff}') {
        3
    } else {
        0
    };
    (old_begin + mark + at - begin).min(before.len())
}

/// A file without any declaration.
fn only_comments(text: &str, ends: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    match lines.as_slice() {
        [] => String::new(),
        lines => lines.join(ends) + ends,
    }
}

/// Writes a text in canonical form; its lines end with line feeds alone.
fn write(text: &str) -> Result<String, build::Refusal> {
    let mut out = String::new();
    with_tree(text, |source, tree, comments| {
        let range = tree.span.range();
        if text[range.start..].starts_with(['{', '[']) || !matches!(tree.kind, Kind::Mapping(_)) {
            // JSON, or no manifest: its order and lines are its author's.
            out = only_comments(text, "\n");
            return Ok(());
        }
        let mut file = Builder::new(source, text, 0, comments).file(tree)?;
        file.root.sort(Shape::Manifest);
        if let Some((above, line)) = &file.begin {
            layout::write_lines(above, 0, &mut out, true);
            out.push_str(line);
            out.push('\n');
        }
        file.root.write(0, &mut out);
        Ok(())
    })
    .unwrap_or(Ok(()))?;
    Ok(out)
}

/// Reads a text of its own, apart from any manifest. `None`: it is no YAML, or holds nothing.
fn with_tree<T>(text: &str, then: impl FnOnce(SourceId, &Node, Vec<Range<usize>>) -> T) -> Option<T> {
    let nothing = crate::MemoryFiles::default();
    let mut context = Context::new(&nothing);
    let source = context.add_source("", text.to_owned());
    let (tree, comments) = yaml::parse_with_comments(&mut context, source);
    tree.filter(|_| !context.has_errors())
        .map(|tree| then(source, &tree, comments))
}

/// The comments of a text, in any order.
fn comments(text: &str, ranges: Vec<Range<usize>>) -> Vec<&str> {
    let mut comments: Vec<_> = ranges.into_iter().map(|range| text[range].trim_end()).collect();
    comments.sort_unstable();
    comments
}

/// Whether two trees hold the same, whatever the order of keys. Keys that are written twice keep theirs.
fn same_values(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar(a), Kind::Scalar(b)) => (&a.text, a.plain) == (&b.text, b.plain),
        (Kind::Sequence(a), Kind::Sequence(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_values(a, b)),
        (Kind::Mapping(a), Kind::Mapping(b)) => {
            let sorted = |entries: &'_ [yaml::Entry]| {
                let mut order: Vec<usize> = (0..entries.len()).collect();
                order.sort_by(|a, b| entries[*a].key.text.cmp(&entries[*b].key.text));
                order
            };
            let pairs = sorted(a).into_iter().zip(sorted(b));
            a.len() == b.len()
                && pairs.into_iter().all(|(at, bt)| {
                    let (a, b) = (&a[at], &b[bt]);
                    (&a.key.text, a.key.plain) == (&b.key.text, b.key.plain) && same_values(&a.value, &b.value)
                })
        }
        _ => false,
    }
}

/// Whether a manifest means the same with other texts for some of its files.
fn same_meaning(files: &dyn Files, formatted: &[Formatted]) -> bool {
    let after = Overlay {
        files,
        texts: formatted
            .iter()
            .map(|file| (file.name.as_str(), file.after.as_str()))
            .collect(),
    };
    let (before, after) = (parse(files), parse(&after));
    let problems = |diagnostics: &[Diagnostic]| {
        let mut problems: Vec<(Severity, &'static str, String)> = diagnostics
            .iter()
            .map(|diagnostic| (diagnostic.severity, diagnostic.code, diagnostic.message.clone()))
            .collect();
        problems.sort();
        problems
    };
    before.desired == after.desired && problems(&before.diagnostics) == problems(&after.diagnostics)
}

/// A manifest with other texts for some of its files.
struct Overlay<'f> {
    files: &'f dyn Files,
    texts: BTreeMap<&'f str, &'f str>,
}

impl Files for Overlay<'_> {
    fn list(&self) -> Result<Vec<String>, FilesError> {
        self.files.list()
    }

    fn read(&self, relative: &str) -> Result<Vec<u8>, FilesError> {
        match self.texts.get(relative) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => self.files.read(relative),
        }
    }

    fn display_name(&self, relative: &str) -> String {
        self.files.display_name(relative)
    }

    fn whole(&self) -> String {
        self.files.whole()
    }
}
