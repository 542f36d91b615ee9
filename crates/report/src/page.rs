//! The only way for text to reach a reader: a page of lines that escapes everything it is given and adds colours of
//! its own.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use crate::escape;

/// The sign at the beginning of what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Add,
    Change,
    Remove,
}

impl Sign {
    fn text(self) -> &'static str {
        match self {
            Self::Add => "+ ",
            Self::Change => "~ ",
            Self::Remove => "- ",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Add => AnsiColor::Green.on_default(),
            Self::Change => AnsiColor::Yellow.on_default(),
            Self::Remove => AnsiColor::Red.on_default(),
        }
    }
}

/// Lines of text.
pub(crate) struct Page {
    out: String,
    color: bool,
}

impl Page {
    pub(crate) fn new(color: bool) -> Self {
        Self {
            out: String::new(),
            color,
        }
    }

    /// Begins a line; it ends when the returned value is dropped.
    pub(crate) fn line(&mut self, indent: usize) -> Line<'_> {
        self.out.extend(std::iter::repeat_n(' ', indent));
        Line { page: self }
    }

    /// An empty line, unless the page is empty or ends with one.
    pub(crate) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.out
    }
}

/// A line that is being written.
pub(crate) struct Line<'a> {
    page: &'a mut Page,
}

impl Line<'_> {
    fn push(self, style: Style, foreign: &str) -> Self {
        let styled = self.page.color && style != Style::new() && !foreign.is_empty();
        if styled {
            self.page.out.push_str(&style.render().to_string());
        }
        self.page.out.push_str(&escape::text(foreign));
        if styled {
            self.page.out.push_str(&style.render_reset().to_string());
        }
        self
    }

    pub(crate) fn text(self, foreign: &str) -> Self {
        self.push(Style::new(), foreign)
    }

    pub(crate) fn sign(self, sign: Sign) -> Self {
        self.push(sign.style(), sign.text())
    }

    pub(crate) fn bold(self, foreign: &str) -> Self {
        self.push(Style::new().bold(), foreign)
    }

    pub(crate) fn dim(self, foreign: &str) -> Self {
        self.push(Style::new().dimmed(), foreign)
    }

    pub(crate) fn good(self, foreign: &str) -> Self {
        self.push(AnsiColor::Green.on_default().bold(), foreign)
    }

    pub(crate) fn warning(self, foreign: &str) -> Self {
        self.push(AnsiColor::Yellow.on_default().bold(), foreign)
    }

    pub(crate) fn bad(self, foreign: &str) -> Self {
        self.push(AnsiColor::Red.on_default().bold(), foreign)
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let end = self.page.out.trim_end_matches(' ').len();
        self.page.out.truncate(end);
        let start = self.page.out.rfind('\n').map_or(0, |at| at + 1);
        if let Cow::Owned(line) = escape::no_command(&self.page.out[start..]) {
            self.page.out.replace_range(start.., &line);
        }
        self.page.out.push('\n');
    }
}

/// `1 user`, `2 users`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
