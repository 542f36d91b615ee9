//! A Markdown document that never grows beyond a number of characters: what does not fit is counted by kind.

use std::collections::BTreeMap;

use crate::page::count;

/// What the end of the document may take: the counts of what is left out.
const RESERVE: usize = 1_000;

/// A document that is being written.
pub(crate) struct Sheet {
    out: String,
    characters: usize,
    budget: usize,
    /// By the words for one and for many.
    left_out: BTreeMap<(&'static str, &'static str), u64>,
    shortened: bool,
}

impl Sheet {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            out: String::new(),
            characters: 0,
            budget: budget.saturating_sub(RESERVE),
            left_out: BTreeMap::new(),
            shortened: false,
        }
    }

    /// Writes what may never be left out.
    pub(crate) fn must(&mut self, block: &str) {
        self.out.push_str(block);
        self.characters += block.chars().count();
    }

    /// Writes a block where it fits within a share of the budget, in hundredths.
    fn fits(&mut self, block: &str, share: usize) -> bool {
        let fits = self.characters + block.chars().count() <= self.budget / 100 * share;
        if fits {
            self.must(block);
        }
        fits
    }

    /// Writes items below a heading while they fit, and counts the others.
    pub(crate) fn list(
        &mut self,
        heading: &str,
        items: impl IntoIterator<Item = String>,
        share: usize,
        kind: (&'static str, &'static str),
    ) {
        let mut heading = Some(heading);
        for item in items {
            let block = format!("{}{item}", heading.unwrap_or_default());
            if self.fits(&block, share) {
                heading = None;
            } else {
                self.leave_out(kind);
            }
        }
        if heading.is_none() && !self.out.ends_with("\n\n") {
            self.must("\n");
        }
    }

    /// Whether anything of a kind did not fit.
    pub(crate) fn lacks(&self, kind: (&'static str, &'static str)) -> bool {
        self.left_out.contains_key(&kind)
    }

    /// Says at the end that what is in it has fewer words than there are.
    pub(crate) fn shorten(&mut self) {
        self.shortened = true;
    }

    pub(crate) fn leave_out(&mut self, kind: (&'static str, &'static str)) {
        *self.left_out.entry(kind).or_default() += 1;
    }

    /// The document, with what was left out at its end.
    pub(crate) fn into_text(mut self) -> String {
        if !self.left_out.is_empty() {
            let counts: Vec<String> = self
                .left_out
                .iter()
                .map(|((one, many), number)| count(*number, one, many))
                .collect();
            self.out.push_str(&format!(
                "**Left out, since a comment has no room for more:** {}. The plan document and the HTML page hold everything.\n",
                counts.join(", ")
            ));
        } else if self.shortened {
            self.out
                .push_str("<sub>Shortened, so that everybody is in it. The plan document and the HTML page hold everything.</sub>\n");
        }
        self.out.truncate(self.out.trim_end_matches('\n').len());
        self.out.push('\n');
        self.out
    }
}
