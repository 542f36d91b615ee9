//! Events of the YAML parser to a tree, without recursion, so that no input can exhaust the stack.

use std::ops::Range;

use serde_yaml::granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span as Mark, Tag, options};

use super::{DEEPEST, Entry, Key, Kind, Node, Scalar};
use crate::{
    context::{Context, SourceId, Span},
    diagnostic::quoted,
};

/// A mapping or list that is still open.
enum Open {
    Mapping {
        start: usize,
        entries: Vec<Entry>,
        key: Pending,
    },
    Sequence {
        start: usize,
        items: Vec<Node>,
    },
    /// A mapping or list that cannot stand where it does; what is in it is dropped.
    Misplaced,
}

/// The key that the next value belongs to.
enum Pending {
    Nothing,
    Key(Key),
    /// Something that cannot be a key and was complained about; its value is dropped.
    Broken,
}

/// Aliases and anchors of a file that are complained about one by one.
const TOLD: usize = 10;

/// Builds the tree of the one document in a file. `None`: there is no document, or a syntax error was reported.
pub(crate) fn parse(context: &mut Context<'_>, source: SourceId) -> Option<Node> {
    build(context, source, None)
}

/// As [`parse`], and says where the comments are, in the order in which they stand.
pub(crate) fn parse_with_comments(context: &mut Context<'_>, source: SourceId) -> (Option<Node>, Vec<Range<usize>>) {
    let mut comments = Vec::new();
    let root = build(context, source, Some(&mut comments));
    // A comment beside the header of a block scalar is reported after it.
    comments.sort_by_key(|comment| comment.start);
    (root, comments)
}

fn build(context: &mut Context<'_>, source: SourceId, comments: Option<&mut Vec<Range<usize>>>) -> Option<Node> {
    let text = context.source(source).text.clone();
    let mut builder = Builder {
        context,
        source,
        text: &text,
        comments,
        open: Vec::new(),
        root: None,
        last_byte: 0,
        references: 0,
    };
    let root = builder.run();
    builder.tell_of_more_references();
    root
}

struct Builder<'c, 'f, 't> {
    context: &'c mut Context<'f>,
    source: SourceId,
    text: &'t str,
    /// Where comments go, if anybody wants them.
    comments: Option<&'c mut Vec<Range<usize>>>,
    open: Vec<Open>,
    root: Option<Node>,
    last_byte: usize,
    /// Anchors and aliases so far.
    references: usize,
}

impl Builder<'_, '_, '_> {
    fn run(&mut self) -> Option<Node> {
        let limits = options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            emit_comments: self.comments.is_some(),
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: DEEPEST,
            block_nesting_limit: DEEPEST,
        };
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.text, limits) {
            let (event, mark) = match event {
                Ok(event) => event,
                Err(error) => {
                    self.syntax_error(&error);
                    return None;
                }
            };
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        let span = self.span(mark);
                        self.context
                            .error(
                                "yaml-documents",
                                span,
                                "a file holds one YAML document, a second one begins here",
                            )
                            .hint("put it into a file of its own");
                        break;
                    }
                }
                Event::Scalar(text, style, _, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    self.refuse_tag(tag.as_deref(), mark);
                    let span = self.span(mark);
                    self.scalar(text.into_owned(), plain, span);
                }
                Event::Alias(_) | Event::UnresolvedAlias(_) => self.alias(mark),
                Event::Anchor(..) => self.anchor(mark),
                Event::SequenceStart(_, _, tag) => {
                    self.refuse_tag(tag.as_deref(), mark);
                    self.begin(mark, false)?;
                }
                Event::MappingStart(_, _, tag) => {
                    self.refuse_tag(tag.as_deref(), mark);
                    self.begin(mark, true)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(mark),
                Event::Comment(..) => {
                    let range = self.byte(mark.start)..self.byte(mark.end);
                    if let Some(comments) = &mut self.comments {
                        comments.push(range);
                    }
                }
                _ => {}
            }
        }
        self.root.take()
    }

    fn byte(&self, marker: Marker) -> usize {
        let byte = marker.byte_offset().unwrap_or_else(|| {
            self.context
                .source(self.source)
                .byte_at(marker.line(), marker.col() + 1)
        });
        byte.min(self.text.len())
    }

    fn span(&self, mark: Mark) -> Span {
        Span::new(self.source, self.byte(mark.start)..self.byte(mark.end))
    }

    fn scalar(&mut self, text: String, plain: bool, span: Span) {
        self.last_byte = self.last_byte.max(span.range().end);
        // Where nothing is written the parser reports `~`; what is meant is the key, or the dash.
        let (text, span) = match self.open.last() {
            Some(open) if span.start == span.end && plain => (String::new(), self.owner_of_nothing(open, span)),
            _ => (text, span),
        };
        if let Some(Open::Mapping {
            key: key @ Pending::Nothing,
            ..
        }) = self.open.last_mut()
        {
            *key = Pending::Key(Key { text, plain, span });
            return;
        }
        self.place(Node {
            span,
            kind: Kind::Scalar(Scalar { text, plain }),
        });
    }

    fn owner_of_nothing(&self, open: &Open, span: Span) -> Span {
        match open {
            Open::Mapping {
                key: Pending::Key(key), ..
            } => key.span,
            Open::Sequence { .. } => {
                let before = self.text[..span.range().start].trim_end();
                Span::new(self.source, before.len().saturating_sub(1)..before.len())
            }
            _ => Span::new(
                self.source,
                span.range().start..(span.range().start + 1).min(self.text.len()),
            ),
        }
    }

    fn anchor(&mut self, mark: Mark) {
        self.references += 1;
        if self.references > TOLD {
            return;
        }
        let span = self.span(mark);
        let written = quoted(self.context.text(span));
        self.context
            .error(
                "yaml-anchor",
                span,
                format!("{written} is a YAML anchor, which a manifest does not use"),
            )
            .hint("write the value out where it is needed; types and `same_permissions_as` share settings");
    }

    fn tell_of_more_references(&mut self) {
        if self.references > TOLD {
            let more = self.references - TOLD;
            let span = Span::new(self.source, 0..0);
            self.context.error(
                "yaml-anchor",
                span,
                format!("there are {more} more YAML anchors and aliases in this file"),
            );
        }
    }

    /// An alias stands for a key or a value; either way the place is filled so that the rest keeps its structure.
    fn alias(&mut self, mark: Mark) {
        let span = self.span(mark);
        self.references += 1;
        if self.references <= TOLD {
            let written = self.context.text(span).to_owned();
            let line = self
                .context
                .corrected_line(span, &super::write::double_quoted(&written));
            self.context
                .error(
                    "yaml-anchor",
                    span,
                    format!("{} is a YAML alias, which a manifest does not use", quoted(&written)),
                )
                .hint(format!("if the text itself is meant, quote it: `{line}`"));
        }
        if let Some(Open::Mapping {
            key: key @ Pending::Nothing,
            ..
        }) = self.open.last_mut()
        {
            *key = Pending::Broken;
        } else {
            self.place(Node {
                span,
                kind: Kind::Broken,
            });
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, mark: Mark) {
        let Some(tag) = tag else { return };
        let written = tag.original();
        let start = mark
            .tag_start
            .map_or_else(|| self.byte(mark.start), |start| self.byte(start));
        let span = Span::new(self.source, start..(start + written.len()).min(self.text.len()));
        self.context
            .error(
                "yaml-tag",
                span,
                format!("{} is a YAML tag, which a manifest does not use", quoted(&written)),
            )
            .hint("leave it out; a text that begins with `!` needs quotes");
    }

    fn begin(&mut self, mark: Mark, mapping: bool) -> Option<()> {
        let start = self.byte(mark.start);
        let is_key = matches!(
            self.open.last(),
            Some(Open::Mapping {
                key: Pending::Nothing,
                ..
            })
        );
        if self.open.len() >= DEEPEST {
            self.too_deep(start);
            return None;
        }
        if is_key {
            let span = self.span(mark);
            self.context
                .error("wrong-type", span, "a key is a text, not a list or a mapping");
            self.open.push(Open::Misplaced);
        } else if mapping {
            self.open.push(Open::Mapping {
                start,
                entries: Vec::new(),
                key: Pending::Nothing,
            });
        } else {
            self.open.push(Open::Sequence {
                start,
                items: Vec::new(),
            });
        }
        Some(())
    }

    fn end(&mut self, mark: Mark) {
        // The end of a block mapping is reported where the next token begins; what is meant ends with its last value.
        let end = if self
            .text
            .as_bytes()
            .get(self.byte(mark.start))
            .is_some_and(|b| matches!(b, b']' | b'}'))
        {
            self.byte(mark.end)
        } else {
            self.last_byte
        };
        self.last_byte = self.last_byte.max(end);
        match self.open.pop() {
            Some(Open::Mapping { start, entries, .. }) => self.place(Node {
                span: Span::new(self.source, start..end),
                kind: Kind::Mapping(entries),
            }),
            Some(Open::Sequence { start, items }) => self.place(Node {
                span: Span::new(self.source, start..end),
                kind: Kind::Sequence(items),
            }),
            Some(Open::Misplaced) => {
                if let Some(Open::Mapping {
                    key: key @ Pending::Nothing,
                    ..
                }) = self.open.last_mut()
                {
                    *key = Pending::Broken;
                }
            }
            None => {}
        }
    }

    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open::Mapping { entries, key, .. }) => {
                if let Pending::Key(key) = std::mem::replace(key, Pending::Nothing) {
                    entries.push(Entry { key, value: node });
                }
            }
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Misplaced) => {}
            None => self.root = Some(node),
        }
    }

    fn too_deep(&mut self, at: usize) {
        let span = Span::new(self.source, at..at + 1);
        self.context.incomplete = true;
        self.context.error(
            "yaml-depth",
            span,
            format!("lists and mappings are nested more than {DEEPEST} deep here"),
        );
    }

    fn syntax_error(&mut self, error: &ScanError) {
        self.context.incomplete = true;
        let at = self.byte(*error.marker());
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return self.too_deep(at);
        }
        // The parser points behind the character that it could not make sense of.
        let at = match error.kind() {
            ErrorKind::MissingAnchorOrAliasName if self.text[..at].ends_with(['*', '&']) => at - 1,
            _ => at,
        };
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let span = Span::new(self.source, at..at + length);
        let (message, hint) = explain(error, &self.text[at..]);
        self.context.error("yaml-syntax", span, message).maybe_hint(hint);
    }
}

/// A syntax error in words that help, where the parser's own words do not.
fn explain(error: &ScanError, rest: &str) -> (String, Option<String>) {
    let with = |message: &str, hint: &str| (message.to_owned(), Some(hint.to_owned()));
    match error.kind() {
        ErrorKind::MissingAnchorOrAliasName => with(
            "`*` and `&` have a meaning of their own at the beginning of a YAML value",
            "quote it, for example `\"*\"`",
        ),
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => with(
            "a tab stands where YAML wants blanks",
            "indent with blanks, two for each level",
        ),
        ErrorKind::UnexpectedCharacter { character } => with(
            &format!("a YAML value cannot begin with {}", quoted(&character.to_string())),
            "put the value between double quotes",
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => with(
            "a `:` is not expected here",
            "quote a text that holds `: `, and check that keys of one level are indented alike",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => with(
            "a `key: value` is expected here, and there is no `:`",
            "a key is followed by `: ` and stands on one line",
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed => with(
            "this line does not fit to the lines above it",
            "keys and list items of one level are indented alike",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::UnexpectedEofFlowMapping => with(
            "a `,` or `}` is expected here",
            "close what begins with `{`, and quote a text that holds `: `",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::UnexpectedEofFlowSequence => with(
            "a `,` or `]` is expected here",
            "close what begins with `[`, and quote a text that holds `: ` or `]`",
        ),
        ErrorKind::UnclosedQuotedScalar => with("a quoted text is not closed", "add the missing quote"),
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            with(
                &format!("`{open}` is never closed"),
                &format!("add the missing `{close}`"),
            )
        }
        ErrorKind::DirectiveDisallowed => with(
            "a line that begins with `%` is a YAML directive, which a manifest does not use",
            "leave it out",
        ),
        ErrorKind::UnknownQuotedScalarEscape => with(
            "this backslash begins no escape that YAML knows",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        _ if rest.is_empty() => (format!("the file ends too early: {}", error.info()), None),
        _ => (format!("this is not YAML: {}", error.info()), None),
    }
}
