//! What every stage of reading shares: the sources read so far, and the problems found so far.

use std::{cmp::Ordering, collections::BTreeMap, ops::Range};

use crate::{
    diagnostic::{Diagnostic, Place, Related, Severity},
    files::Files,
    read::document::DocumentFile,
};

/// One file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the manifest's directory.
    pub(crate) name: String,
    /// As messages name it.
    display_name: String,
    pub(crate) text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

impl Source {
    fn new(name: String, display_name: String, text: String) -> Self {
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            name,
            display_name,
            text,
            lines,
        }
    }

    /// The line that holds a byte, counted from 0, and its bytes without the line's end.
    fn line_at(&self, byte: usize) -> (usize, Range<usize>) {
        let line = self.lines.partition_point(|begin| *begin <= byte).saturating_sub(1);
        let begin = self.lines[line];
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let end = if self.text[begin..end].ends_with('\r') {
            end - 1
        } else {
            end
        };
        (line, begin..end.max(begin))
    }

    /// The byte of a line and column, both from 1; columns count characters.
    pub(crate) fn byte_at(&self, line: usize, column: usize) -> usize {
        let begin = self
            .lines
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(self.text.len());
        let (_, range) = self.line_at(begin);
        self.text[range.clone()]
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(range.end, |(at, _)| range.start + at)
    }
}

/// Which file a span is of: an index into [`Context::sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceId(u32);

/// Bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) source: SourceId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(source: SourceId, range: Range<usize>) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            source,
            start: narrow(range.start),
            end: narrow(range.end.max(range.start)),
        }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the place that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> At<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A problem that is being described.
#[derive(Debug)]
pub(crate) struct Draft {
    severity: Severity,
    code: &'static str,
    message: String,
    span: Option<Span>,
    hint: Option<String>,
    related: Vec<(String, Span)>,
}

impl Draft {
    /// Adds the way out.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the way out, where there is one to name.
    pub(crate) fn maybe_hint(&mut self, hint: Option<String>) -> &mut Self {
        if hint.is_some() {
            self.hint = hint;
        }
        self
    }

    /// Adds another place that belongs to the problem.
    pub(crate) fn related(&mut self, message: impl Into<String>, span: Span) -> &mut Self {
        self.related.push((message.into(), span));
        self
    }
}

/// The sources and problems of one manifest.
pub(crate) struct Context<'f> {
    pub(crate) files: &'f dyn Files,
    sources: Vec<Source>,
    drafts: Vec<Draft>,
    /// Documents that `file:` named, by path, so that each is read and complained about once.
    pub(crate) documents: BTreeMap<String, Option<DocumentFile>>,
    /// Whether some text could not be read at all, so that what it declares is unknown.
    pub(crate) incomplete: bool,
}

impl<'f> Context<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            sources: Vec::new(),
            drafts: Vec::new(),
            documents: BTreeMap::new(),
            incomplete: false,
        }
    }

    pub(crate) fn add_source(&mut self, name: &str, text: String) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        let display_name = self.files.display_name(name);
        self.sources.push(Source::new(name.to_owned(), display_name, text));
        id
    }

    pub(crate) fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    /// The first line of what a span covers: where the caret stands for something long.
    pub(crate) fn first_line(&self, span: Span) -> Span {
        let length = self.text(span).lines().next().map_or(0, |line| line.trim_end().len());
        Span::new(span.source, span.range().start..span.range().start + length)
    }

    /// The bytes that a span covers.
    pub(crate) fn text(&self, span: Span) -> &str {
        self.source(span.source).text.get(span.range()).unwrap_or_default()
    }

    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Draft {
        self.draft(Severity::Error, code, Some(span), message.into())
    }

    pub(crate) fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Draft {
        self.draft(Severity::Warning, code, Some(span), message.into())
    }

    /// An error that is about the manifest as a whole.
    pub(crate) fn error_overall(&mut self, code: &'static str, message: impl Into<String>) -> &mut Draft {
        self.draft(Severity::Error, code, None, message.into())
    }

    fn draft(&mut self, severity: Severity, code: &'static str, span: Option<Span>, message: String) -> &mut Draft {
        self.drafts.push(Draft {
            severity,
            code,
            message,
            span,
            hint: None,
            related: Vec::new(),
        });
        let last = self.drafts.len() - 1;
        &mut self.drafts[last]
    }

    /// How many problems there are so far, to tell whether a step found any.
    pub(crate) fn problems(&self) -> usize {
        self.drafts.len()
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.drafts.iter().any(|draft| draft.severity == Severity::Error)
    }

    /// The line that holds `span`, with the span's bytes replaced: what an author could write instead.
    pub(crate) fn corrected_line(&self, span: Span, replacement: &str) -> String {
        const LONGEST: usize = 100;
        let source = self.source(span.source);
        let (_, line) = source.line_at(span.range().start);
        if line.len() > 4 * LONGEST {
            return replacement.to_owned();
        }
        let start = source.text.floor_char_boundary(span.range().start);
        let end = source
            .text
            .floor_char_boundary(span.range().end.clamp(start, line.end.max(start)));
        let corrected = format!(
            "{}{replacement}{}",
            source.text[line.start..start].trim_start(),
            source.text[end..line.end].trim_end()
        );
        let corrected = corrected.strip_prefix("- ").unwrap_or(&corrected);
        if corrected.chars().count() > LONGEST {
            replacement.to_owned()
        } else {
            corrected.to_owned()
        }
    }

    /// The file as messages name it, and the line from 1.
    pub(crate) fn line_of(&self, span: Span) -> (&str, usize) {
        let source = self.source(span.source);
        let (line, _) = source.line_at(source.text.floor_char_boundary(span.range().start));
        (&source.display_name, line + 1)
    }

    pub(crate) fn place(&self, span: Span) -> Place {
        let source = self.source(span.source);
        let (line, range) = source.line_at(source.text.floor_char_boundary(span.range().start));
        Place::new(source.display_name.clone(), line + 1, &source.text, range, span.range())
    }

    /// All problems, ordered by file and place; each is said once.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        let drafts = std::mem::take(&mut self.drafts);
        let mut diagnostics: Vec<Diagnostic> = drafts
            .into_iter()
            .map(|draft| Diagnostic {
                severity: draft.severity,
                code: draft.code,
                message: draft.message,
                place: draft.span.map(|span| self.place(span)),
                hint: draft.hint,
                related: draft
                    .related
                    .into_iter()
                    .map(|(message, span)| Related {
                        message,
                        place: self.place(span),
                    })
                    .collect(),
            })
            .collect();
        diagnostics.sort_by(by_place);
        diagnostics.dedup_by(|a, b| (a.code, &a.message, &a.place) == (b.code, &b.message, &b.place));
        diagnostics
    }
}

/// By file and place; of one place the worst first.
pub(crate) fn by_place(a: &Diagnostic, b: &Diagnostic) -> Ordering {
    let key = |d: &Diagnostic| d.place.as_ref().map(|place| (place.file.clone(), place.span.start));
    key(a)
        .cmp(&key(b))
        .then_with(|| a.severity.cmp(&b.severity))
        .then_with(|| a.code.cmp(b.code))
        .then_with(|| a.message.cmp(&b.message))
}
