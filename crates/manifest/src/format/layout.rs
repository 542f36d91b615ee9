//! A manifest's text with its comments attached to what they are about, put into order and written out again.
//!
//! It copies scalars as they are written; it never decides what a text means.

use super::shape::{Order, Shape};

/// A comment on a line of its own.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether an empty line stands before it.
    pub(super) blank: bool,
}

/// A comment behind something, with the blanks before it, so that columns of comments stay columns.
#[derive(Debug, Default)]
pub(super) struct Beside(pub(super) String);

/// An entry of a mapping, or an item of a list.
#[derive(Debug)]
pub(super) struct Entry {
    /// Comments that an empty line separates from the entry: the heading of what follows.
    pub(super) heading: Vec<Line>,
    /// Comments that belong to the entry.
    pub(super) above: Vec<Line>,
    /// Whether an empty line stands before all of this.
    pub(super) blank: bool,
    /// The key, as it is written and as it is meant; `None`: an item of a list.
    pub(super) key: Option<(String, String)>,
    pub(super) value: Value,
    pub(super) beside: Beside,
}

/// What stands behind a key or a dash.
#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    /// One line.
    Short(String),
    /// A scalar that goes on for several lines. How these are indented means nothing.
    Folded(Vec<String>),
    /// A list or mapping between brackets that goes on for several lines, each with the blanks before it. They move
    /// with their owner, which stood at a column.
    Brackets {
        lines: Vec<String>,
        owner: usize,
    },
    /// A block scalar: its header, and its lines.
    Literal {
        header: String,
        lines: Vec<String>,
        /// By how much its lines are indented; with an indicator in the header, by how much more than their owner.
        indent: Indent,
    },
    Block(Block),
}

/// How the lines of a block scalar are indented.
#[derive(Debug, Clone, Copy)]
pub(super) enum Indent {
    /// By so many blanks, which parsers find out for themselves.
    Found(usize),
    /// So many more than the column of their owner, as the header says.
    Said { owner: usize },
}

/// A mapping or list of which each entry begins a line.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) entries: Vec<Entry>,
    /// Comments behind the last entry.
    pub(super) tail: Vec<Line>,
}

impl Block {
    /// Puts entries into order. What is ordered by name is so between empty lines: an empty line begins a new group.
    pub(super) fn sort(&mut self, shape: Shape) {
        for entry in &mut self.entries {
            let under = match &entry.key {
                Some((_, key)) => shape.under(key),
                None => shape,
            };
            if let Value::Block(block) = &mut entry.value {
                block.sort(under);
            }
        }
        if self.entries.iter().any(|entry| entry.key.is_none()) {
            return;
        }
        let order = shape.order();
        let entries = std::mem::take(&mut self.entries);
        let mut groups: Vec<Vec<Entry>> = Vec::new();
        for entry in entries {
            let begins = order == Order::Names && (entry.blank || !entry.heading.is_empty());
            match groups.last_mut() {
                Some(group) if !begins => group.push(entry),
                _ => groups.push(vec![entry]),
            }
        }
        for mut group in groups {
            // What stands above a group stays there, whichever entry is the first of it.
            let heading = std::mem::take(&mut group[0].heading);
            let blank = group[0].blank;
            if order == Order::Names {
                group[0].blank = false;
            }
            group.sort_by(|a, b| order.compare(key(a), key(b)));
            let first = &mut group[0];
            if order == Order::Names {
                first.blank = blank;
            }
            let own = std::mem::replace(&mut first.heading, heading);
            first.heading.extend(own);
            self.entries.append(&mut group);
        }
        if shape == Shape::Manifest {
            for entry in &mut self.entries {
                entry.blank = true;
            }
        }
    }

    /// Writes the block, each line ended by a line feed.
    pub(super) fn write(&self, indent: usize, out: &mut String) {
        for (at, entry) in self.entries.iter().enumerate() {
            if entry.blank && at > 0 {
                out.push('\n');
            }
            write_lines(&entry.heading, indent, out, true);
            if !entry.heading.is_empty() {
                out.push('\n');
            }
            write_lines(&entry.above, indent, out, true);
            entry.write(indent, out);
        }
        write_lines(&self.tail, indent, out, false);
    }
}

fn key(entry: &Entry) -> &str {
    entry.key.as_ref().map_or("", |(_, meant)| meant)
}

/// Comments on lines of their own; `first`: whoever writes them has dealt with the empty line before.
pub(super) fn write_lines(lines: &[Line], indent: usize, out: &mut String, first: bool) {
    for (at, line) in lines.iter().enumerate() {
        if line.blank && !(first && at == 0) {
            out.push('\n');
        }
        push_line(indent, &line.text, out);
    }
}

fn push_line(indent: usize, text: &str, out: &mut String) {
    if !text.is_empty() {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(text);
    }
    out.push('\n');
}

impl Entry {
    fn write(&self, indent: usize, out: &mut String) {
        let before = match &self.key {
            Some((written, _)) => format!("{written}:"),
            None => "-".to_owned(),
        };
        let beside = &self.beside.0;
        match &self.value {
            Value::Nothing => push_line(indent, &format!("{before}{beside}"), out),
            Value::Short(text) => push_line(indent, &format!("{before} {text}{beside}"), out),
            Value::Folded(lines) => {
                let last = lines.len() - 1;
                for (at, line) in lines.iter().enumerate() {
                    let beside = if at == last { beside } else { "" };
                    match at {
                        0 => push_line(indent, &format!("{before} {line}{beside}"), out),
                        _ => push_line(indent + 2, &format!("{line}{beside}"), out),
                    }
                }
            }
            Value::Brackets { lines, owner } => {
                let last = lines.len() - 1;
                for (at, line) in lines.iter().enumerate() {
                    let beside = if at == last { beside } else { "" };
                    let content = line.trim_start();
                    match at {
                        0 => push_line(indent, &format!("{before} {line}{beside}"), out),
                        _ if content.is_empty() => out.push_str(&format!("{beside}\n")),
                        _ => {
                            let moved = (line.len() - content.len() + indent).saturating_sub(*owner);
                            push_line(moved, &format!("{content}{beside}"), out);
                        }
                    }
                }
            }
            Value::Literal {
                header,
                lines,
                indent: found,
            } => {
                push_line(indent, &format!("{before} {header}{beside}"), out);
                for line in lines {
                    let blanks = line.len() - line.trim_start_matches(' ').len();
                    let (old, new) = match found {
                        Indent::Found(old) => (*old, indent + 2),
                        Indent::Said { owner } => (*owner, indent),
                    };
                    // A line of nothing but blanks may hold fewer of them.
                    let moved = (blanks + new).saturating_sub(old);
                    let content = &line[blanks..];
                    if content.is_empty() && blanks <= old {
                        out.push('\n');
                    } else {
                        out.extend(std::iter::repeat_n(' ', moved));
                        out.push_str(content);
                        out.push('\n');
                    }
                }
            }
            Value::Block(block) => {
                let first = block.entries.first();
                let stands_alone = self.key.is_none()
                    && beside.is_empty()
                    && first.is_some_and(|first| first.heading.is_empty() && first.above.is_empty());
                if stands_alone {
                    // The first entry stands beside the dash.
                    let mut lines = String::new();
                    block.write(indent + 2, &mut lines);
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str("- ");
                    out.push_str(lines.trim_start_matches(' '));
                } else {
                    push_line(indent, &format!("{before}{beside}"), out);
                    block.write(indent + 2, out);
                }
            }
        }
    }
}
