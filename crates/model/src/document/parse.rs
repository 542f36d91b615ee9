//! JSON text to a tree, stricter than most parsers: the same key twice in one object is an error, since whichever of
//! the two a parser keeps, half of the policy is lost without a word.
//!
//! It does not judge whether the tree is a policy.

use std::fmt;

use serde_json::Value;

use super::json::{Json, Members};

/// How deep objects and lists may stand in each other. A policy needs seven levels.
pub const DEPTH_LIMIT: usize = 64;

/// A place in a text, counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text or value is no policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", .position.map(|position| format!("{position}: ")).unwrap_or_default())]
pub struct DocumentError {
    /// What is wrong.
    pub kind: DocumentErrorKind,
    /// Where; `None` for a value that has no text.
    pub position: Option<Position>,
}

/// What is wrong with a text or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentErrorKind {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(SyntaxProblem),
    /// The same key twice in one object.
    #[error("duplicate key `{key}`, first at {first}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Position,
    },
    /// JSON, but no object.
    #[error("a policy document is a JSON object, not {0}")]
    NotAnObject(&'static str),
    /// Objects and lists too deep in each other.
    #[error("nested deeper than {DEPTH_LIMIT} levels")]
    TooDeep,
    /// A number with a fraction or an exponent in a value, whose digits are already lost.
    #[error("the number {0} may have lost digits")]
    InexactNumber(String),
}

/// Why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SyntaxProblem {
    #[error("a value is missing")]
    ValueMissing,
    #[error("expected `,` or `{0}`")]
    CommaOrEnd(char),
    #[error("expected `:`")]
    Colon,
    #[error("expected a key in double quotes")]
    Key,
    #[error("a comma stands before the end")]
    TrailingComma,
    #[error("a string is not closed")]
    OpenString,
    #[error("a control character stands in a string without an escape")]
    ControlCharacter,
    #[error("no such escape")]
    Escape,
    #[error("an escape names half a character")]
    LoneSurrogate,
    #[error("not a number as JSON writes it")]
    Number,
    #[error("a word other than `true`, `false` and `null`")]
    Word,
    #[error("a string in single quotes")]
    SingleQuote,
    #[error("a comment")]
    Comment,
    #[error("a byte order mark")]
    ByteOrderMark,
    #[error("something stands after the end of the document")]
    AfterTheEnd,
}

impl DocumentError {
    /// What the author can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.kind {
            DocumentErrorKind::Syntax(problem) => match problem {
                SyntaxProblem::TrailingComma => Some("remove the comma"),
                SyntaxProblem::SingleQuote | SyntaxProblem::Key => Some("put it in double quotes"),
                SyntaxProblem::Comment => Some("JSON has no comments; a `Sid` can say what a statement is for"),
                SyntaxProblem::ControlCharacter => Some("write a line feed as `\\n` and a tab as `\\t`"),
                SyntaxProblem::Word => Some("put texts in double quotes"),
                SyntaxProblem::ByteOrderMark => Some("save the file as UTF-8 without a byte order mark"),
                SyntaxProblem::LoneSurrogate => Some("write both halves of the character, or the character itself"),
                _ => None,
            },
            DocumentErrorKind::DuplicateKey { .. } => {
                Some("merge the two into one: most parsers would silently keep only one of them")
            }
            DocumentErrorKind::NotAnObject(_) => {
                Some("a policy document is `{\"Version\": ..., \"Statement\": [...]}`")
            }
            DocumentErrorKind::TooDeep => None,
            DocumentErrorKind::InexactNumber(_) => Some("put the number in quotes"),
        }
    }
}

/// Parses one JSON object.
pub(super) fn parse_object(text: &str) -> Result<Json, DocumentError> {
    let mut parser = Parser { text, at: 0 };
    parser.skip_white_space();
    let start = parser.at;
    let tree = parser.value(0)?;
    parser.skip_white_space();
    if parser.at < text.len() {
        return Err(parser.stray_character(SyntaxProblem::AfterTheEnd));
    }
    match tree {
        Json::Object(_) => Ok(tree),
        other => Err(parser.error_at(start, DocumentErrorKind::NotAnObject(name_of(&other)))),
    }
}

fn name_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::List(_) => "a list",
        Json::Object(_) => "an object",
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error_at(&self, at: usize, kind: DocumentErrorKind) -> DocumentError {
        DocumentError {
            kind,
            position: Some(self.position(at)),
        }
    }

    fn syntax(&self, problem: SyntaxProblem) -> DocumentError {
        self.error_at(self.at, DocumentErrorKind::Syntax(problem))
    }

    /// An error at the next character, named better where people often make the same mistake.
    fn stray_character(&self, otherwise: SyntaxProblem) -> DocumentError {
        let rest = &self.text[self.at..];
        self.syntax(match rest.chars().next() {
            Some('/' | '#') => SyntaxProblem::Comment,
            Some('\'') => SyntaxProblem::SingleQuote,
            Some('\u{feff}') => SyntaxProblem::ByteOrderMark,
            _ => otherwise,
        })
    }

    fn position(&self, at: usize) -> Position {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, DocumentError> {
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_LIMIT => Err(self.error_at(self.at, DocumentErrorKind::TooDeep)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word(),
            _ => Err(self.stray_character(SyntaxProblem::ValueMissing)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, DocumentError> {
        self.at += 1;
        let mut members = Members::new();
        let mut keys_at = Vec::new();
        self.skip_white_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_white_space();
            if self.peek() != Some(b'"') {
                return Err(match self.peek() {
                    Some(b'}') => self.syntax(SyntaxProblem::TrailingComma),
                    _ => self.stray_character(SyntaxProblem::Key),
                });
            }
            keys_at.push(self.at);
            let key = self.string()?;
            self.skip_white_space();
            if self.peek() != Some(b':') {
                return Err(self.stray_character(SyntaxProblem::Colon));
            }
            self.at += 1;
            self.skip_white_space();
            let value = self.value(depth + 1)?;
            members.push((key, value));
            if self.ends_with('}')? {
                self.check_keys(&members, &keys_at)?;
                return Ok(Json::Object(members));
            }
        }
    }

    /// Refuses the earliest key that repeats another.
    fn check_keys(&self, members: &Members, keys_at: &[usize]) -> Result<(), DocumentError> {
        let mut keys: Vec<(&str, usize)> = members
            .iter()
            .map(|(key, _)| key.as_str())
            .zip(keys_at.iter().copied())
            .collect();
        keys.sort_unstable();
        let repeated = keys.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let Some(pair) = repeated.min_by_key(|pair| pair[1].1) else {
            return Ok(());
        };
        let (key, first) = (pair[0].0.to_owned(), self.position(pair[0].1));
        Err(self.error_at(pair[1].1, DocumentErrorKind::DuplicateKey { key, first }))
    }

    fn list(&mut self, depth: usize) -> Result<Json, DocumentError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_white_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::List(items));
        }
        loop {
            self.skip_white_space();
            if self.peek() == Some(b']') {
                return Err(self.syntax(SyntaxProblem::TrailingComma));
            }
            items.push(self.value(depth + 1)?);
            if self.ends_with(']')? {
                return Ok(Json::List(items));
            }
        }
    }

    /// Steps over a comma (`false`) or the end of a list or object (`true`).
    fn ends_with(&mut self, end: char) -> Result<bool, DocumentError> {
        self.skip_white_space();
        let next = self.text[self.at..].chars().next();
        if next != Some(',') && next != Some(end) {
            return Err(self.stray_character(SyntaxProblem::CommaOrEnd(end)));
        }
        self.at += 1;
        Ok(next == Some(end))
    }

    fn word(&mut self) -> Result<Json, DocumentError> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let value = match &rest[..length] {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            _ => return Err(self.syntax(SyntaxProblem::Word)),
        };
        self.at += length;
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, DocumentError> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let text = &rest[..length];
        if !is_number(text) {
            return Err(self.syntax(SyntaxProblem::Number));
        }
        let number = Json::Number(text.to_owned());
        self.at += length;
        Ok(number)
    }

    fn string(&mut self) -> Result<String, DocumentError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err(self.error_at(start, DocumentErrorKind::Syntax(SyntaxProblem::OpenString)));
            };
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.syntax(SyntaxProblem::ControlCharacter)),
            }
        }
    }

    /// Reads one escape, both halves of it where it names a character outside the basic plane.
    fn escape(&mut self) -> Result<char, DocumentError> {
        let simple = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.code_unit(self.at)?;
                let second = (0xd800..0xdc00)
                    .contains(&first)
                    .then(|| self.code_unit(self.at + 6))
                    .and_then(Result::ok);
                let units = [Some(first), second].into_iter().flatten();
                let Some(Ok(character)) = char::decode_utf16(units).next() else {
                    return Err(self.syntax(SyntaxProblem::LoneSurrogate));
                };
                self.at += 6 * character.len_utf16();
                return Ok(character);
            }
            _ => return Err(self.syntax(SyntaxProblem::Escape)),
        };
        self.at += 2;
        Ok(simple)
    }

    /// The number of an escape of the form `\uXXXX` that begins at `at`.
    fn code_unit(&self, at: usize) -> Result<u16, DocumentError> {
        self.text
            .get(at..at + 6)
            .and_then(|escape| escape.strip_prefix("\\u"))
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.syntax(SyntaxProblem::Escape))
    }
}

/// Whether a text is a number as JSON writes it: no leading zero, no bare point, no plus in front.
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Takes a value that was written in another notation, such as YAML.
pub(super) fn tree_of_value(value: Value, depth: usize) -> Result<Json, DocumentError> {
    let without_position = |kind| DocumentError { kind, position: None };
    if depth > DEPTH_LIMIT && matches!(value, Value::Array(_) | Value::Object(_)) {
        return Err(without_position(DocumentErrorKind::TooDeep));
    }
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(flag),
        Value::Number(number) if number.is_f64() => {
            return Err(without_position(DocumentErrorKind::InexactNumber(number.to_string())));
        }
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::String(text),
        Value::Array(items) => Json::List(
            items
                .into_iter()
                .map(|item| tree_of_value(item, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(members) => Json::Object(
            members
                .into_iter()
                .map(|(key, value)| Ok((key, tree_of_value(value, depth + 1)?)))
                .collect::<Result<_, DocumentError>>()?,
        ),
    })
}

/// Takes a value that must be an object.
pub(super) fn object_of_value(value: Value) -> Result<Json, DocumentError> {
    match tree_of_value(value, 1)? {
        tree @ Json::Object(_) => Ok(tree),
        other => Err(DocumentError {
            kind: DocumentErrorKind::NotAnObject(name_of(&other)),
            position: None,
        }),
    }
}
