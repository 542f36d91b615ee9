//! From text to assertions. All problems are reported, the first of each assertion.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Assertion, AssertionProblem, Subject, Verb, Word};

/// A word or a comma of one assertion.
#[derive(Debug, Clone)]
struct Token {
    word: Word,
    is_quoted: bool,
    /// A comma stands behind it.
    is_followed: bool,
}

/// Reads assertions. Whether whom they name is there is not looked at.
pub fn parse_assertions(text: &str) -> (Vec<Assertion>, Vec<AssertionProblem>) {
    let mut assertions = Vec::new();
    let mut problems = Vec::new();
    for lines in blocks(text, &mut problems) {
        let parsed = tokens(text, &lines).and_then(|tokens| match tokens.is_empty() {
            true => Ok(None),
            false => Parser::new(&tokens).assertion(text).map(Some),
        });
        match parsed {
            Ok(assertion) => assertions.extend(assertion),
            Err(problem) => problems.push(problem),
        }
    }
    (assertions, problems)
}

/// The lines of each assertion: one that begins at the margin, and the indented ones below it.
fn blocks(text: &str, problems: &mut Vec<AssertionProblem>) -> Vec<Vec<Range<usize>>> {
    let mut blocks: Vec<Vec<Range<usize>>> = Vec::new();
    let mut can_go_on = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let range = start..start + content.len();
        start += line.len();
        let is_nothing = content.trim_start().is_empty() || content.trim_start().starts_with('#');
        if is_nothing {
            // A blank line ends an assertion, a comment does not.
            can_go_on &= !content.trim_start().is_empty();
        } else if !content.starts_with([' ', '\t']) {
            blocks.push(vec![range]);
            can_go_on = true;
        } else if let Some(block) = blocks.last_mut().filter(|_| can_go_on) {
            block.push(range);
        } else {
            problems.push(problem(
                range,
                "an indented line goes on with an assertion, and none stands above it",
                Some("begin an assertion at the margin".to_owned()),
            ));
        }
    }
    blocks
}

fn problem(span: Range<usize>, message: impl Into<String>, hint: Option<String>) -> AssertionProblem {
    AssertionProblem {
        code: "assertion-syntax",
        is_warning: false,
        span,
        message: message.into(),
        hint,
    }
}

fn tokens(text: &str, lines: &[Range<usize>]) -> Result<Vec<Token>, AssertionProblem> {
    let mut found: Vec<Token> = Vec::new();
    for line in lines {
        let mut at = line.start;
        while at < line.end {
            let rest = &text[at..line.end];
            let Some(first) = rest.chars().next() else { break };
            if first.is_whitespace() {
                at += first.len_utf8();
            } else if first == '#' {
                break;
            } else if first == ',' {
                match found.last_mut().filter(|token| !token.is_followed) {
                    Some(token) => token.is_followed = true,
                    None => return Err(problem(at..at + 1, "nothing stands before this comma", None)),
                }
                at += 1;
            } else {
                let (token, end) = word(text, at, line.end)?;
                found.push(token);
                at = end;
            }
        }
    }
    Ok(found)
}

/// A word: quotes may stand in it, and a comma ends it where white space follows.
fn word(text: &str, start: usize, end: usize) -> Result<(Token, usize), AssertionProblem> {
    let mut value = String::new();
    let mut is_quoted = false;
    let mut open: Option<usize> = None;
    let mut characters = text[start..end].char_indices().peekable();
    let mut stop = end;
    while let Some((offset, c)) = characters.next() {
        let at = start + offset;
        if open.is_some() {
            match c {
                '"' => open = None,
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    _ => {
                        return Err(problem(
                            at..at + 1,
                            "in quotes, `\\` stands before `\"` or `\\` alone",
                            Some("write `\\\\` for a backslash".to_owned()),
                        ));
                    }
                },
                _ => value.push(c),
            }
        } else if c == '"' {
            open = Some(at);
            is_quoted = true;
        } else if c.is_whitespace() || (c == ',' && characters.peek().is_none_or(|(_, next)| next.is_whitespace())) {
            stop = at;
            break;
        } else {
            value.push(c);
        }
    }
    if let Some(at) = open {
        return Err(problem(
            at..end,
            "this quote is not closed",
            Some("add a `\"`".to_owned()),
        ));
    }
    let word = Word {
        text: value,
        span: start..stop,
    };
    let token = Token {
        word,
        is_quoted,
        is_followed: false,
    };
    Ok((token, stop))
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Parser<'t> {
    fn new(tokens: &'t [Token]) -> Self {
        Self { tokens, at: 0 }
    }

    fn whole(&self) -> Range<usize> {
        let first = self.tokens.first().map_or(0, |token| token.word.span.start);
        first..self.tokens.last().map_or(first, |token| token.word.span.end)
    }

    /// What is missing is missing behind the last word.
    fn end(&self) -> Range<usize> {
        let end = self.whole().end;
        end..end
    }

    fn is_next(&self, keyword: &str) -> bool {
        self.tokens
            .get(self.at)
            .is_some_and(|token| !token.is_quoted && token.word.text == keyword)
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let is_next = self.is_next(keyword);
        self.at += usize::from(is_next);
        is_next
    }

    fn take(&mut self, what: &str) -> Result<&'t Token, AssertionProblem> {
        let token = self
            .tokens
            .get(self.at)
            .ok_or_else(|| problem(self.end(), format!("{what} is missing here"), Some(FORM.to_owned())))?;
        self.at += 1;
        Ok(token)
    }

    /// One or more words with commas between them.
    fn list(&mut self, what: &str) -> Result<Vec<&'t Token>, AssertionProblem> {
        let mut list = vec![self.take(what)?];
        while list.last().is_some_and(|token| token.is_followed) {
            list.push(self.take(what)?);
        }
        Ok(list)
    }

    fn words(&mut self, what: &str) -> Result<Vec<Word>, AssertionProblem> {
        let list = self.list(what)?;
        Ok(list.into_iter().map(|token| token.word.clone()).collect())
    }

    fn assertion(mut self, text: &str) -> Result<Assertion, AssertionProblem> {
        let (subject, is_nobody) = self.subject()?;
        let verb = self.verb(is_nobody)?;
        let actions = self.words("an action")?;
        actions.iter().try_for_each(check_action)?;
        let resources = match self.takes("on") {
            true => self.words("a resource")?,
            false => vec![Word {
                text: "*".to_owned(),
                span: self.end(),
            }],
        };
        resources.iter().try_for_each(check_resource)?;
        let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if self.takes("with") {
            for token in self.list("a condition key and its value")? {
                let (key, value) = key_and_value(token)?;
                context.entry(key).or_default().push(value);
            }
        }
        if let Some(token) = self.tokens.get(self.at) {
            let hint = match self.at.checked_sub(1).and_then(|before| self.tokens.get(before)) {
                Some(before) if !["can", "cannot", "on", "with"].contains(&token.word.text.as_str()) => {
                    format!(
                        "a comma goes between items: `{}, {}`",
                        before.word.text, token.word.text
                    )
                }
                _ => FORM.to_owned(),
            };
            return Err(problem(
                token.word.span.clone(),
                format!("`{}` does not belong here", shown(&token.word.text)),
                Some(hint),
            ));
        }
        if let Some(last) = self.tokens.last().filter(|token| token.is_followed) {
            let end = last.word.span.end;
            return Err(problem(end..end + 1, "nothing stands behind this comma", None));
        }
        let span = self.whole();
        let written = &text[span.clone()];
        Ok(Assertion {
            text: written.split_whitespace().collect::<Vec<_>>().join(" "),
            span,
            subject,
            verb,
            actions,
            resources,
            context,
        })
    }

    /// The subject, and whether it is `nobody`.
    fn subject(&mut self) -> Result<(Subject, bool), AssertionProblem> {
        for (keyword, is_nobody) in [("everybody", false), ("nobody", true)] {
            if self.takes(keyword) {
                let (mut outside, mut but) = (Vec::new(), Vec::new());
                loop {
                    if self.takes("outside") {
                        outside.extend(self.words("a group")?);
                    } else if self.takes("but") {
                        but.extend(self.words("a user")?);
                    } else {
                        return Ok((Subject::Everybody { outside, but }, is_nobody));
                    }
                }
            }
        }
        if self.takes("members") {
            if !self.takes("of") {
                let token = self.take("`of`")?;
                return Err(problem(
                    token.word.span.clone(),
                    "after `members` comes `of`",
                    Some(FORM.to_owned()),
                ));
            }
            return Ok((Subject::MembersOf(self.words("a group")?), false));
        }
        type Kind = fn(Word) -> Subject;
        let kinds: [(&str, Kind); 3] = [
            ("user", Subject::User),
            ("role", Subject::Role),
            ("group", Subject::Group),
        ];
        for (keyword, kind) in kinds {
            if self.takes(keyword) {
                return Ok((kind(self.take("a name")?.word.clone()), false));
            }
        }
        if self.is_next("can") || self.is_next("cannot") {
            let token = &self.tokens[self.at];
            return Err(problem(
                token.word.span.clone(),
                "nobody is named before this",
                Some(FORM.to_owned()),
            ));
        }
        Ok((Subject::User(self.take("a user")?.word.clone()), false))
    }

    fn verb(&mut self, is_nobody: bool) -> Result<Verb, AssertionProblem> {
        let token = self.take("`can` or `cannot`")?;
        let span = token.word.span.clone();
        match (token.word.text.as_str(), is_nobody) {
            ("can", true) => Ok(Verb::Cannot),
            ("cannot", true) => Err(problem(
                span,
                "`nobody cannot` denies twice",
                Some("write `everybody can`".to_owned()),
            )),
            ("can", false) if self.is_next("not") => {
                let span = span.start..self.tokens[self.at].word.span.end;
                Err(problem(
                    span,
                    "`can not` is one word here",
                    Some("write `cannot`".to_owned()),
                ))
            }
            ("can", false) => Ok(Verb::Can),
            ("cannot", false) => Ok(Verb::Cannot),
            (other, _) => Err(problem(
                span,
                format!("`can` or `cannot` is missing before `{}`", shown(other)),
                Some(FORM.to_owned()),
            )),
        }
    }
}

const FORM: &str = "an assertion reads `alice can s3:GetObject on arn:aws:s3:::reports/*`";

/// A word for a message, of a length that fits a line.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn check_action(word: &Word) -> Result<(), AssertionProblem> {
    let text = word.text.as_str();
    let halves: Vec<&str> = text.split(':').collect();
    let is_part = |part: &&str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '?'))
    };
    if text == "*" || (halves.len() == 2 && halves.iter().all(is_part)) {
        return Ok(());
    }
    let hint = match text.contains(',') {
        true => "put a space behind each comma",
        false => "an action is a service and a name, such as `s3:GetObject` or `s3:*`; `*` is every action",
    };
    let message = format!("`{}` is no action", shown(text));
    Err(problem(word.span.clone(), message, Some(hint.to_owned())))
}

fn check_resource(word: &Word) -> Result<(), AssertionProblem> {
    let text = word.text.as_str();
    if text == "*" || (text.starts_with("arn:") && text.split(':').count() >= 6) {
        return Ok(());
    }
    let message = format!("`{}` is no ARN", shown(text));
    let hint = "a resource is an ARN such as `arn:aws:s3:::reports/*`; `*` is every resource, and none";
    Err(problem(word.span.clone(), message, Some(hint.to_owned())))
}

fn key_and_value(token: &Token) -> Result<(String, String), AssertionProblem> {
    let word = &token.word;
    match word.text.split_once('=') {
        Some((key, value)) if key.contains(':') && !key.starts_with(':') => Ok((key.to_owned(), value.to_owned())),
        _ => Err(problem(
            word.span.clone(),
            format!("`{}` is no condition key with a value", shown(&word.text)),
            Some("write it as in `aws:SecureTransport=true`; quote what has spaces".to_owned()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Assertion {
        let (mut assertions, problems) = parse_assertions(text);
        assert_eq!((assertions.len(), problems.as_slice()), (1, [].as_slice()), "{text}");
        assertions.remove(0)
    }

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn every_form_is_read() {
        let plain = one("alice can s3:GetObject, s3:PutObject on arn:aws:s3:::a/*, arn:aws:s3:::b\n");
        assert_eq!(
            (plain.verb, texts(&plain.actions)),
            (Verb::Can, vec!["s3:GetObject", "s3:PutObject"])
        );
        assert_eq!(texts(&plain.resources), ["arn:aws:s3:::a/*", "arn:aws:s3:::b"]);
        assert!(matches!(&plain.subject, Subject::User(word) if word.text == "alice" && word.span == (0..5)));
        let nobody = one("nobody outside administrators, auditors but bob can iam:*");
        assert_eq!((nobody.verb, texts(&nobody.resources)), (Verb::Cannot, vec!["*"]));
        let Subject::Everybody { outside, but } = &nobody.subject else {
            panic!("{nobody:?}")
        };
        assert_eq!(
            (texts(outside), texts(but)),
            (vec!["administrators", "auditors"], vec!["bob"])
        );
        for (text, verb) in [
            ("everybody can iam:ChangePassword", Verb::Can),
            ("members of developers cannot iam:*", Verb::Cannot),
            ("group developers can sqs:SendMessage", Verb::Can),
            ("role deploy cannot *", Verb::Cannot),
            ("user nobody can s3:*", Verb::Can),
            ("\"nobody\" can s3:*", Verb::Can),
        ] {
            assert_eq!(one(text).verb, verb, "{text}");
        }
        assert!(matches!(one("\"nobody\" can s3:*").subject, Subject::User(_)));
    }

    #[test]
    fn context_comments_and_long_assertions() {
        let long = one(
            "# first\nalice can s3:GetObject # because\n    on arn:aws:s3:::a\n  # more\n  with aws:SecureTransport=true, aws:RequestTag/x=\"a, \\\"b\\\"\"\n",
        );
        assert_eq!(long.context["aws:RequestTag/x"], ["a, \"b\""]);
        assert_eq!(long.context["aws:SecureTransport"], ["true"]);
        let twice = one("alice can s3:x with aws:TagKeys=a, aws:TagKeys=b");
        assert_eq!(twice.context["aws:TagKeys"], ["a", "b"]);
    }

    #[test]
    fn all_problems_are_told_with_their_place() {
        let text = "alice s3:GetObject\n\nbob can\n  indented: no\n\n  lost\nnobody cannot x:y\ncarol can not x:y\n\
                    dave can s3:Get,s3:Put\neve can s3:Get on bucket\nfrank can s3:Get with x\ngrace can s3:Get s3:Put\n\
                    can x:y\nhenry can x:y,\n\"ivan can x:y\nmembers developers can x:y\n";
        let (assertions, problems) = parse_assertions(text);
        assert_eq!(assertions, []);
        let at = |problem: &AssertionProblem| &text[problem.span.clone()];
        let told: BTreeMap<&str, &str> = problems.iter().map(|p| (at(p), p.message.as_str())).collect();
        assert_eq!(problems.len(), 13, "{problems:#?}");
        assert_eq!(
            told["s3:GetObject"],
            "`can` or `cannot` is missing before `s3:GetObject`"
        );
        assert_eq!(told["indented:"], "`indented:` is no action");
        assert!(told["  lost"].contains("goes on"));
        assert!(told["cannot"].contains("twice"));
        assert!(told["can not"].contains("one word"));
        assert!(told["bucket"].contains("no ARN"));
        assert!(told["s3:Put"].contains("does not belong"));
        assert!(problems.iter().all(|problem| problem.message.lines().count() == 1));
    }
}
