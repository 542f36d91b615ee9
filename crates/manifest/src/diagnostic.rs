//! What an author sees: problems with their place, the line itself, a caret and a way out.
//!
//! Whatever a manifest holds is hostile here: no control character of it reaches a terminal.

use std::{fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The manifest cannot be used.
    Error,
    /// The manifest can be used, and lets people do what its author may not have meant.
    Security,
    /// The manifest can be used, and something about it is doubtful.
    Warning,
    /// The manifest can be used, and could be written better.
    Suggestion,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Security => "security",
            Self::Warning => "warning",
            Self::Suggestion => "suggestion",
        })
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as an author can open it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the file that are meant.
    pub span: Range<usize>,
    /// The line itself; of a long one, what lies around the place.
    pub text: String,
    /// The bytes of `text` that are meant; what lies on later lines is left out.
    #[serde(skip)]
    within: Range<usize>,
}

/// Bytes of a line that is kept whole.
const WHOLE_LINE: usize = 160;
/// Of a longer line, characters that are kept on either side of what is meant, so that the problems of a huge line
/// stay small.
const MARGIN: usize = 60;

impl Place {
    /// A place in a file. `line` is the bytes of the whole line, and `span` begins in it.
    pub(crate) fn new(file: String, number: usize, text: &str, line: Range<usize>, span: Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start).clamp(line.start, line.end);
        // What is empty or ends on a later line is shown up to the end of its first line.
        let end = text.floor_char_boundary(span.end.clamp(start, line.end));
        let (before, after) = (&text[line.start..start], &text[end..line.end]);
        let meant = &text[start..end];
        let is_long = line.len() > WHOLE_LINE;
        let cut = |text: &str, length: usize| match text.char_indices().nth(length) {
            Some((at, _)) if is_long => at,
            _ => text.len(),
        };
        let left = match before.char_indices().rev().nth(MARGIN - 1) {
            Some((at, _)) if is_long => at,
            _ => 0,
        };
        let meant_end = cut(meant, 2 * MARGIN);
        let right = if meant_end < meant.len() { 0 } else { cut(after, MARGIN) };
        let mut shown = String::new();
        if left > 0 {
            shown.push_str("...");
        }
        shown.push_str(&before[left..]);
        let within = shown.len()..shown.len() + meant_end;
        shown.push_str(&meant[..meant_end]);
        shown.push_str(&after[..right]);
        if right < after.len() || meant_end < meant.len() {
            shown.push_str("...");
        }
        Self {
            file,
            line: number,
            column: before.chars().count() + 1,
            span,
            text: shown,
            within,
        }
    }
}

impl Place {
    /// A place in the text of a file that is no manifest.
    pub fn in_text(file: &str, text: &str, span: Range<usize>) -> Self {
        let at = text.floor_char_boundary(span.start.min(text.len()));
        let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let line = begin..begin + text[begin..end].trim_end_matches('\r').len();
        let number = text[..begin].matches('\n').count() + 1;
        Self::new(file.to_owned(), number, text, line, span)
    }
}

/// One problem of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind, stable: for example `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// Where; `None` where it is about the manifest as a whole.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Other places that belong to it, with what is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// Another place that belongs to a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What is there, for example "first declared here".
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// One line per problem, `file:line:column: severity: message`, for logs and other programs.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}:{}: ", harmless(&place.file), place.line, place.column)?;
        }
        write!(f, "{}[{}]: {}", self.severity, self.code, harmless(&self.message))
    }
}

/// Replaces whatever could steer a terminal or reorder text.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Control characters, and marks that reorder or hide text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{61c}' | '\u{180e}' | '\u{ad}')
}

/// A text of the manifest between backticks, made harmless and cut at a length that fits a line.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::with_capacity(text.len().min(LONGEST) + 2);
    shown.push('`');
    for (index, c) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('`');
    shown
}

/// A line with every character replaced that could steer a terminal, and the range moved accordingly.
fn shown_line(place: &Place) -> (String, Range<usize>) {
    let mut line = String::with_capacity(place.text.len());
    let mut range = None::<usize>..None::<usize>;
    for (at, c) in place.text.char_indices() {
        if at >= place.within.start && range.start.is_none() {
            range.start = Some(line.len());
        }
        if at >= place.within.end && range.end.is_none() {
            range.end = Some(line.len());
        }
        match c {
            '\t' => line.push('\t'),
            c if is_unsafe(c) => line.push(char::REPLACEMENT_CHARACTER),
            c => line.push(c),
        }
    }
    let end = line.len();
    let start = range.start.unwrap_or(end);
    (line, start..range.end.unwrap_or(end).max(start))
}

/// Renders problems as a compiler does: the message, the place, the line with a caret, the hint.
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    // Long lines are cut already, around what is meant.
    let renderer = renderer.term_width(6 * MARGIN);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render_one(diagnostic, &renderer));
        text.push_str("\n\n");
    }
    text
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Security => Level::WARNING.with_name("security"),
        Severity::Warning => Level::WARNING,
        Severity::Suggestion => Level::NOTE.with_name("suggestion"),
    };
    let mut group = Group::with_title(level.primary_title(harmless(&diagnostic.message)).id(diagnostic.code));
    let on_the_same_line = |related: &&Related| {
        diagnostic.place.as_ref().is_some_and(|place| {
            (&place.file, place.line, &place.text) == (&related.place.file, related.place.line, &related.place.text)
        })
    };
    if let Some(place) = &diagnostic.place {
        let mut primary = snippet(place, AnnotationKind::Primary, None);
        for related in diagnostic.related.iter().filter(on_the_same_line) {
            let (_, range) = shown_line(&related.place);
            primary = primary.annotation(AnnotationKind::Context.span(range).label(harmless(&related.message)));
        }
        group = group.element(primary);
    }
    for related in diagnostic.related.iter().filter(|related| !on_the_same_line(related)) {
        group = group.element(snippet(&related.place, AnnotationKind::Context, Some(&related.message)));
    }
    if let Some(hint) = &diagnostic.hint {
        for line in hint.lines() {
            group = group.element(Level::HELP.message(harmless(line)));
        }
    }
    let text = renderer.render(&[group]);
    let places = diagnostic
        .place
        .iter()
        .chain(diagnostic.related.iter().map(|related| &related.place));
    places.fold(text, with_its_column)
}

/// Of a line that was cut, the renderer counts the column in what is left of it.
fn with_its_column(text: String, place: &Place) -> String {
    let (line, range) = shown_line(place);
    let counted = line[..range.start].chars().count() + 1;
    if counted == place.column {
        return text;
    }
    let wrong = format!("{}:{}:{counted}\n", harmless(&place.file), place.line);
    let right = format!("{}:{}:{}\n", harmless(&place.file), place.line, place.column);
    text.replacen(&wrong, &right, 1)
}

fn snippet<'a>(
    place: &Place,
    kind: AnnotationKind,
    label: Option<&str>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let (line, range) = shown_line(place);
    Snippet::source(line)
        .line_start(place.line)
        .path(harmless(&place.file))
        .annotation(kind.span(range).label(label.map(harmless)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, span: Range<usize>) -> Place {
        Place::new("trueup.yaml".to_owned(), 7, text, 0..text.len(), span)
    }

    #[test]
    fn of_a_long_line_only_the_surroundings_are_kept() {
        let line = format!("{}[meant]{}", "é".repeat(5000), "x".repeat(5000));
        let at = line.find("[meant]").unwrap();
        let place = place(&line, at..at + 7);
        assert_eq!(place.column, 5001);
        assert_eq!(&place.text[place.within.clone()], "[meant]");
        assert_eq!(place.text.chars().count(), 3 + MARGIN + 7 + MARGIN + 3);
        let text = render_one(
            &Diagnostic {
                severity: Severity::Error,
                code: "test",
                message: "message".to_owned(),
                place: Some(place),
                hint: None,
                related: Vec::new(),
            },
            &Renderer::plain(),
        );
        assert!(text.contains("trueup.yaml:7:5001\n"), "{text}");
    }

    #[test]
    fn a_place_in_any_text_has_its_line_and_column() {
        let text = "one\r\ntwö three\r\n";
        let place = Place::in_text("a.txt", text, 10..15);
        assert_eq!((place.line, place.column, place.text.as_str()), (2, 5, "twö three"));
        let place = Place::in_text("a.txt", text, 99..120);
        assert_eq!((place.line, place.column), (3, 1));
    }

    #[test]
    fn a_problem_is_shown_with_its_line_and_a_caret() {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            code: "unknown-key",
            message: "unknown key `goups`".to_owned(),
            place: Some(place("    goups: [é]", 4..9)),
            hint: Some("did you mean `groups`?".to_owned()),
            related: vec![Related {
                message: "this user".to_owned(),
                place: Place {
                    line: 6,
                    ..place("  alice:", 2..7)
                },
            }],
        };
        let text = render(&[diagnostic], false);
        assert!(text.starts_with("error[unknown-key]: unknown key `goups`\n"), "{text}");
        assert!(text.contains("--> trueup.yaml:7:5\n"), "{text}");
        assert!(text.contains("7 |     goups: [é]\n"), "{text}");
        assert!(text.contains("  |     ^^^^^\n"), "{text}");
        assert!(text.contains("----- this user"), "{text}");
        assert!(text.contains("= help: did you mean `groups`?"), "{text}");
    }

    #[test]
    fn no_control_character_of_a_manifest_reaches_the_terminal() {
        let hostile = "\u{1b}[2Jx\u{7}\u{9b}31m\u{202e}\u{200b}y\rz";
        let diagnostic = Diagnostic {
            severity: Severity::Warning,
            code: "test",
            message: format!("{hostile}\nforged line"),
            place: Some(Place {
                file: hostile.to_owned(),
                ..place(&format!("a: {hostile}"), 3..5)
            }),
            hint: Some(hostile.to_owned()),
            related: vec![Related {
                message: hostile.to_owned(),
                place: place(hostile, 0..1),
            }],
        };
        let one_line = diagnostic.to_string();
        assert!(!one_line.chars().any(is_unsafe), "{one_line:?}");
        let text = render(std::slice::from_ref(&diagnostic), false);
        assert!(!text.chars().any(|c| c != '\n' && is_unsafe(c)), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{text}");
        assert_eq!(quoted("a\u{1b}b"), "`a\\u{1b}b`");
    }
}
