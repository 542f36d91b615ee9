//! From the tree and the comments of a file to its layout.

use std::ops::Range;

use super::{
    layout::{Beside, Block, Entry, Indent, Line, Value},
    shape::{Order, Shape},
};
use crate::{
    context::{SourceId, Span},
    yaml::{Key, Kind, Node},
};

/// What a file looks like, top to bottom.
#[derive(Debug)]
pub(super) struct File {
    /// Comments above the line that begins the document, and that line itself.
    pub(super) begin: Option<(Vec<Line>, String)>,
    pub(super) root: Block,
}

/// Something that is YAML and cannot be written out again: where it is, and what.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: String,
}

pub(super) struct Builder<'t> {
    source: SourceId,
    text: &'t str,
    comments: Vec<Range<usize>>,
    /// The first comment that has no place yet.
    next: usize,
    /// Where the last thing ends that has one.
    last: usize,
}

impl<'t> Builder<'t> {
    /// `text` is the file's, and begins at a byte where a byte order mark is over.
    pub(super) fn new(source: SourceId, text: &'t str, begin: usize, comments: Vec<Range<usize>>) -> Self {
        Self {
            source,
            text,
            comments,
            next: 0,
            last: begin,
        }
    }

    /// A file whose root is a block mapping.
    pub(super) fn file(mut self, root: &Node) -> Result<File, Refusal> {
        let begin = self.begin(root.span.range().start)?;
        let root = self.block(root, Shape::Manifest, None)?;
        let rest = self.text[self.last..].trim_start();
        if !rest.is_empty() {
            let at = self.text.len() - rest.len();
            return Err(self.refuse(at, "cannot format a line that ends a document", "leave `...` out"));
        }
        Ok(File { begin, root })
    }

    /// The line `---`, if there is one.
    fn begin(&mut self, root: usize) -> Result<Option<(Vec<Line>, String)>, Refusal> {
        let mut at = self.last;
        let mut comments = self.comments.iter().peekable();
        while at < root {
            if let Some(comment) = comments.next_if(|comment| comment.start == at) {
                at = comment.end;
                continue;
            }
            let rest = &self.text[at..root];
            if rest.starts_with("---") {
                let above = self.lines_until(at);
                self.last = at + 3;
                let beside = self.beside();
                if !self.text[self.last..].starts_with('\n') {
                    return Err(self.refuse(
                        at,
                        "cannot format what stands beside `---`",
                        "give it a line of its own",
                    ));
                }
                return Ok(Some((above, format!("---{}", beside.0))));
            }
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        Ok(None)
    }

    fn refuse(&self, at: usize, message: impl Into<String>, hint: &str) -> Refusal {
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        Refusal {
            span: Span::new(self.source, at..at + length),
            message: message.into(),
            hint: hint.to_owned(),
        }
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_begin(at)
    }

    fn line_begin(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    fn is_blank_before(&self, at: usize) -> bool {
        self.text[self.last.min(at)..at].matches('\n').count() > 1
    }

    /// The next comment, if it begins before a byte.
    fn comment_before(&self, end: usize) -> Option<Range<usize>> {
        self.comments
            .get(self.next)
            .filter(|comment| comment.start < end)
            .cloned()
    }

    fn take_line(&mut self, comment: &Range<usize>) -> Line {
        let line = Line {
            text: self.text[comment.clone()].trim_end().to_owned(),
            blank: self.is_blank_before(comment.start),
        };
        self.next += 1;
        self.last = comment.end;
        line
    }

    /// Comments up to a byte, wherever they stand.
    fn lines_until(&mut self, end: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(comment) = self.comment_before(end) {
            lines.push(self.take_line(&comment));
        }
        lines
    }

    /// Comments between a key and its value, which go above the key.
    fn take_above(&mut self, end: usize, above: &mut Vec<Line>) {
        let lines = self.lines_until(end);
        above.extend(lines.into_iter().map(|line| Line { blank: false, ..line }));
    }

    /// The comment on the line of what was looked at last.
    fn beside(&mut self) -> Beside {
        let Some(comment) = self.comments.get(self.next).cloned() else {
            return Beside::default();
        };
        let between = &self.text[self.last.min(comment.start)..comment.start];
        if !between.chars().all(|c| c == ' ' || c == '\t') {
            return Beside::default();
        }
        let line = self.take_line(&comment);
        Beside(format!("{}{}", " ".repeat(between.len().max(1)), line.text))
    }

    /// Where one of these stands between the last thing and a byte, comments apart.
    fn sign(&self, end: usize, signs: &[char]) -> Option<usize> {
        let mut at = self.last.min(end);
        let mut comments = self.comments[self.next..].iter();
        loop {
            let comment = comments.next().filter(|comment| comment.start < end);
            let stop = comment.map_or(end, |comment| comment.start.max(at));
            if let Some(found) = self.text[at..stop].find(signs) {
                return Some(at + found);
            }
            at = comment?.end.clamp(at, end);
        }
    }

    /// A mapping or list of which each entry begins a line, and whose owner stands at a column.
    fn block(&mut self, node: &Node, shape: Shape, owner: Option<usize>) -> Result<Block, Refusal> {
        let mut entries = Vec::new();
        let mut column = None;
        match &node.kind {
            Kind::Mapping(items) => {
                for item in items {
                    let start = item.key.span.range().start;
                    column.get_or_insert(self.column(start));
                    entries.push(self.mapping_entry(&item.key, &item.value, shape)?);
                }
            }
            Kind::Sequence(items) => {
                for item in items {
                    let (dash, entry) = self.list_item(item, shape)?;
                    column.get_or_insert(self.column(dash));
                    entries.push(entry);
                }
            }
            Kind::Scalar(_) | Kind::Broken => {}
        }
        let column = column.unwrap_or_default();
        // At the column of the owner, a comment behind a list is about what comes next.
        let least = owner.filter(|owner| *owner >= column).map_or(column, |_| column + 1);
        let mut tail = Vec::new();
        while let Some(comment) = self.comment_before(self.text.len()) {
            let between = &self.text[self.last.min(comment.start)..comment.start];
            let ours = self.column(comment.start) >= least;
            if !between.trim().is_empty() || !ours {
                break;
            }
            tail.push(self.take_line(&comment));
        }
        Ok(Block { entries, tail })
    }

    /// The comments above an entry that begins at a byte: its heading, its own, and whether all of it follows an empty
    /// line.
    fn above(&mut self, start: usize) -> (Vec<Line>, Vec<Line>, bool) {
        let mut lines = self.lines_until(start);
        if lines.is_empty() {
            return (Vec::new(), Vec::new(), self.is_blank_before(start));
        }
        let blank = lines[0].blank;
        let split = if self.is_blank_before(start) {
            lines.len()
        } else {
            // The last empty line between comments.
            lines.iter().skip(1).rposition(|line| line.blank).map_or(0, |at| at + 1)
        };
        let mut own = lines.split_off(split);
        if let Some(first) = own.first_mut() {
            first.blank = false;
        }
        (lines, own, blank)
    }

    fn mapping_entry(&mut self, key: &Key, value: &Node, shape: Shape) -> Result<Entry, Refusal> {
        let range = key.span.range();
        if let Some(at) = self.sign(range.start, &['?']) {
            return Err(self.refuse(
                at,
                "cannot format a key that begins with `?`",
                "write it as `key: value`",
            ));
        }
        let (heading, mut above, blank) = self.above(range.start);
        let written = self.text[range.clone()].to_owned();
        let owner = self.column(range.start);
        self.last = range.end;
        let colon = self.text[range.end..].find(':').map_or(range.end, |at| range.end + at);
        self.last = (colon + 1).min(self.text.len());
        let (value, beside) = self.value(value, shape.under(&key.text), owner, &mut above)?;
        Ok(Entry {
            heading,
            above,
            blank,
            key: Some((written, key.text.clone())),
            value,
            beside,
        })
    }

    fn list_item(&mut self, item: &Node, shape: Shape) -> Result<(usize, Entry), Refusal> {
        let start = item.span.range().start.max(self.last);
        // Where nothing is written, the item's place is that of the dash.
        let dash = self
            .sign(start, &['-'])
            .or_else(|| self.text[start..].starts_with('-').then_some(start))
            .ok_or_else(|| self.refuse(start, "cannot format this list", "give each item a line"))?;
        let (heading, mut above, blank) = self.above(dash);
        self.last = dash + 1;
        let owner = self.column(dash);
        let (value, beside) = self.value(item, shape, owner, &mut above)?;
        let entry = Entry {
            heading,
            above,
            blank,
            key: None,
            value,
            beside,
        };
        Ok((dash, entry))
    }

    /// A value whose owner, a key or a dash, stands at a column. Comments that find no place in it go above.
    fn value(
        &mut self,
        node: &Node,
        shape: Shape,
        owner: usize,
        above: &mut Vec<Line>,
    ) -> Result<(Value, Beside), Refusal> {
        let range = node.span.range();
        match &node.kind {
            Kind::Scalar(scalar) if scalar.plain && scalar.text.is_empty() => Ok((Value::Nothing, self.beside())),
            Kind::Scalar(scalar) => {
                let sign = self.sign(range.start, &['|', '>']);
                if let Some(header) = sign.filter(|_| !scalar.plain) {
                    return Ok(self.literal(header, &range, owner, above));
                }
                self.take_above(range.start, above);
                self.last = range.end;
                let lines: Vec<String> = self.text[range].lines().map(|line| line.trim().to_owned()).collect();
                let value = match <[String; 1]>::try_from(lines) {
                    Ok([line]) => Value::Short(line),
                    Err(lines) => Value::Folded(lines),
                };
                Ok((value, self.beside()))
            }
            // A list without indentation begins at its first item, which may stand between brackets, behind a dash.
            _ if self.text[range.start..].starts_with(['[', '{']) && self.sign(range.start, &['-']).is_none() => {
                self.take_above(range.start, above);
                let inside = self.comments[self.next..].iter();
                self.next += inside.take_while(|comment| comment.start < range.end).count();
                self.last = range.end;
                let value = self.brackets(node, shape, owner);
                Ok((value, self.beside()))
            }
            Kind::Mapping(_) | Kind::Sequence(_) => {
                let beside = self.beside();
                Ok((Value::Block(self.block(node, shape, Some(owner))?), beside))
            }
            Kind::Broken => Err(self.refuse(range.start, "cannot format this", "see the other messages")),
        }
    }

    fn literal(
        &mut self,
        header: usize,
        content: &Range<usize>,
        owner: usize,
        above: &mut Vec<Line>,
    ) -> (Value, Beside) {
        self.take_above(header, above);
        let line_end = self.text[header..].find('\n').map_or(self.text.len(), |at| header + at);
        let word = self.text[header..line_end]
            .split([' ', '\t'])
            .next()
            .unwrap_or_default()
            .to_owned();
        self.last = header + word.len();
        let beside = self.beside();
        let begin = (line_end + 1).min(self.text.len());
        let mut end = content.end.max(begin);
        // What follows the last line's end is the next line's indentation.
        if let Some(at) = self.text[begin..end].rfind('\n') {
            end = begin + at + 1;
        }
        let mut lines: Vec<String> = self.text[begin..end].lines().map(str::to_owned).collect();
        if !word.contains('+') {
            while lines.last().is_some_and(|line| line.trim().is_empty()) {
                lines.pop();
            }
        }
        // Up to the end of the last line, without its line feed.
        self.last = begin + lines.iter().map(|line| line.len() + 1).sum::<usize>();
        self.last = self.last.saturating_sub(1).clamp(line_end, self.text.len());
        let blanks = |line: &String| line.len() - line.trim_start_matches(' ').len();
        let found = lines
            .iter()
            .find(|line| !line.trim_matches(' ').is_empty())
            .map_or(0, blanks);
        let indent = if word.contains(|c: char| c.is_ascii_digit()) {
            Indent::Said { owner }
        } else {
            Indent::Found(found)
        };
        let value = Value::Literal {
            header: word,
            lines,
            indent,
        };
        (value, beside)
    }

    /// What stands between brackets: in order where it stands on one line, else as it is.
    fn brackets(&self, node: &Node, shape: Shape, owner: usize) -> Value {
        let written = &self.text[node.span.range()];
        if !written.contains('\n') {
            return Value::Short(self.flow(node, shape).unwrap_or_else(|| written.to_owned()));
        }
        let lines = written.lines().map(|line| line.trim_end().to_owned()).collect();
        Value::Brackets { lines, owner }
    }

    /// `None`: something is left out, such as the value in `{a}`.
    fn flow(&self, node: &Node, shape: Shape) -> Option<String> {
        let written = &self.text[node.span.range()];
        match &node.kind {
            Kind::Mapping(entries) if written.starts_with('{') => {
                let order = shape.order();
                let mut entries: Vec<_> = entries.iter().collect();
                if order != Order::AsWritten {
                    entries.sort_by(|a, b| order.compare(&a.key.text, &b.key.text));
                }
                let entries: Option<Vec<String>> = entries
                    .into_iter()
                    .map(|entry| {
                        let key = &self.text[entry.key.span.range()];
                        let value = self.flow(&entry.value, shape.under(&entry.key.text))?;
                        (!key.is_empty()).then(|| format!("{key}: {value}"))
                    })
                    .collect();
                Some(format!("{{{}}}", entries?.join(", ")))
            }
            Kind::Sequence(items) if written.starts_with('[') => {
                let items: Option<Vec<String>> = items.iter().map(|item| self.flow(item, shape)).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Kind::Scalar(scalar) if !(scalar.plain && scalar.text.is_empty()) => Some(written.to_owned()),
            _ => None,
        }
    }
}
