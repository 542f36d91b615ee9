//! Manifests in every style that people write, put into canonical form.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use trueup_manifest::{MemoryFiles, format, parse, render};

/// Writes a manifest in a style of its own. Every comment names the key that it is about.
struct Author {
    state: u64,
    text: String,
    comments: usize,
}

impl Author {
    fn new(seed: u64) -> Self {
        Self {
            state: seed,
            text: String::new(),
            comments: 0,
        }
    }

    /// A number below `end`.
    fn pick(&mut self, end: u64) -> usize {
        // SplitMix64: small, and good enough to choose a style by.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end).unwrap()
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.pick(many) == 0
    }

    fn blanks(&mut self, most: u64) -> String {
        " ".repeat(self.pick(most) + 1)
    }

    fn some<T: Copy>(&mut self, from: &[T]) -> Vec<T> {
        let mut chosen: Vec<T> = from.iter().copied().filter(|_| !self.one_in(3)).collect();
        for at in (1..chosen.len()).rev() {
            let with = self.pick(at as u64 + 1);
            chosen.swap(at, with);
        }
        chosen
    }

    fn above(&mut self, indent: usize, key: &str) {
        while self.one_in(4) {
            self.text.push('\n');
        }
        while self.one_in(3) {
            self.comments += 1;
            let number = self.comments;
            let line = format!("{}# above {key} {number}\n", " ".repeat(indent));
            self.text.push_str(&line);
        }
    }

    fn end_of_line(&mut self, key: &str) {
        if self.one_in(4) {
            self.comments += 1;
            let line = format!("{}# beside {key} {}", self.blanks(4), self.comments);
            self.text.push_str(&line);
        }
        if self.one_in(6) {
            self.text.push_str("  ");
        }
        self.text.push('\n');
    }

    fn key(&mut self, indent: usize, key: &str) {
        self.above(indent, key);
        let line = format!("{}{key}:", " ".repeat(indent));
        self.text.push_str(&line);
    }

    fn short(&mut self, indent: usize, key: &str, value: &str) {
        self.key(indent, key);
        let blanks = self.blanks(3);
        self.text.push_str(&blanks);
        self.text.push_str(value);
        self.end_of_line(key);
    }

    fn list(&mut self, indent: usize, key: &str, items: &[&str]) {
        match self.pick(3) {
            0 => {
                let separator = [",", ", ", " ,  "][self.pick(3)];
                let value = format!("[{}]", items.join(separator));
                self.short(indent, key, &value);
            }
            1 => {
                let inner = " ".repeat(indent + self.pick(3) + 1);
                let value = format!("[\n{inner}{}\n{inner}]", items.join(&format!(", # in\n{inner}")));
                self.short(indent, key, &value);
            }
            _ => {
                self.key(indent, key);
                self.end_of_line(key);
                let inner = indent + self.pick(4);
                for item in items {
                    self.above(inner, "-");
                    let line = format!("{}-{}{item}", " ".repeat(inner), self.blanks(3));
                    self.text.push_str(&line);
                    self.end_of_line("-");
                }
            }
        }
    }

    fn text_of_lines(&mut self, indent: usize, key: &str) {
        self.key(indent, key);
        let inner = " ".repeat(indent + self.pick(4) + 1);
        let lines = match self.pick(5) {
            0 => format!(" |\n{inner}one\n{inner}  two\n\n{inner}# three"),
            1 => format!(" >-\n{inner}one\n{inner}two"),
            2 => format!(" \"one\n{inner}two # three\""),
            3 => format!(" one\n{inner}two"),
            _ => format!(" |2-\n{0}one\n{0}  two", " ".repeat(indent + 2)),
        };
        self.text.push_str(&lines);
        self.text.push('\n');
    }

    fn document(&mut self, indent: usize) {
        for key in self.some(&["Version", "Statement", "Statement2"]) {
            match key {
                "Version" => self.short(indent, "Version", "\"2012-10-17\""),
                "Statement" => {
                    let items = [
                        "{Resource: \"*\",Action: \"s3:*\" , Effect: Allow}",
                        "{Effect: Deny, Sid: B}",
                    ];
                    self.list(indent, "Statement", &items);
                }
                _ => {
                    self.key(indent, "Other");
                    self.end_of_line("Other");
                    let inner = indent + 1 + self.pick(3);
                    for sid in ["One", "Two"] {
                        self.above(inner, "-");
                        let rest = self.pick(3) + 1;
                        let line = format!("{}-{}Sid: {sid}", " ".repeat(inner), " ".repeat(rest));
                        self.text.push_str(&line);
                        self.end_of_line("Sid");
                        self.short(inner + 1 + rest, "Effect", "Allow");
                    }
                }
            }
        }
        self.short(indent, "Id", "x");
    }

    fn entity(&mut self, indent: usize, name: &str) {
        if self.one_in(4) {
            let value = ["{}", "{tags: {b: c, a: d},path: /x/}", "{groups: [ z, y ] , type: p}"][self.pick(3)];
            return self.short(indent, name, value);
        }
        self.key(indent, name);
        self.end_of_line(name);
        let inner = indent + 1 + self.pick(4);
        for key in self.some(&[
            "path",
            "groups",
            "tags",
            "inline_policies",
            "description",
            "managed_policies",
        ]) {
            match key {
                "path" => self.short(inner, "path", "/x/"),
                "groups" | "managed_policies" => self.list(inner, key, &["b", "a", "\"c d\""]),
                "description" => self.text_of_lines(inner, "description"),
                "tags" => {
                    self.key(inner, "tags");
                    self.end_of_line("tags");
                    let deeper = inner + 1 + self.pick(3);
                    for tag in self.some(&["b", "A", "c"]) {
                        self.short(deeper, tag, "'it''s'");
                    }
                    self.short(deeper, "last", "1");
                }
                _ => {
                    self.key(inner, "inline_policies");
                    self.end_of_line("inline_policies");
                    let deeper = inner + 1 + self.pick(3);
                    self.key(deeper, "access");
                    self.end_of_line("access");
                    let deepest = deeper + 1 + self.pick(3);
                    self.document(deepest);
                }
            }
        }
        self.short(inner, "type", "person");
    }

    fn manifest(mut self) -> String {
        let mark = self.one_in(5);
        let carriage_returns = self.one_in(5);
        if self.one_in(5) {
            self.text.push_str("---\n");
        }
        for section in self.some(&["users", "groups", "policies", "account", "version"]) {
            match section {
                "version" => self.short(0, "version", "1"),
                "account" => self.short(0, "account", "{alias: x , id: \"123456789012\"}"),
                _ => {
                    self.key(0, section);
                    self.end_of_line(section);
                    let indent = 1 + self.pick(4);
                    for name in self.some(&["bob", "Alice", "carol", "abe"]) {
                        self.entity(indent, name);
                    }
                    self.entity(indent, "zoe");
                }
            }
        }
        if self.one_in(4) {
            self.text.push_str("# the end");
        }
        let mut text = self.text;
        if carriage_returns {
            text = text.replace('\n', "\r\n");
        }
        if mark { format!("\u{feff}{text}") } else { text }
    }
}

/// The comments of a text that its author wrote, with the text that each is about: the key on its line, or below.
fn attached(text: &str) -> BTreeMap<String, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    // A list item is named by its dash, and a comment beside its first key by that key.
    let key = |line: &str| line.split([':', ' ']).next().unwrap_or_default().to_owned();
    let beside = |line: &str| match line.strip_prefix("- ") {
        Some(item) if item.contains(": ") && !item.starts_with('{') => key(item),
        _ => key(line),
    };
    let mut found = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some((before, comment)) = line.split_once("# beside ") {
            found.insert(format!("beside {comment}"), beside(before.trim()));
        } else if let Some(comment) = line.strip_prefix("# above ") {
            let below = lines[at..]
                .iter()
                .find(|line| !line.is_empty() && !line.starts_with('#'));
            found.insert(
                format!("above {comment}"),
                below.map(|line| key(line)).unwrap_or_default(),
            );
        }
    }
    found
}

fn value(text: &str) -> serde_json::Value {
    serde_yaml::from_str(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_style_becomes_one(seed in any::<u64>()) {
        let text = Author::new(seed).manifest();
        let files = MemoryFiles::single(&*text);
        let formatted = match format(&files) {
            Ok(files) => files.into_iter().next().unwrap().after,
            Err(problems) => return Err(TestCaseError::fail(format!("{text}\n{}", render(&problems, false)))),
        };
        let again = format(&MemoryFiles::single(&*formatted)).unwrap();
        prop_assert_eq!(&again[0].after, &formatted, "from {}", text);
        if !text.trim_start_matches('\u{feff}').trim().is_empty() && text.contains(": ") {
            prop_assert_eq!(value(&text), value(&formatted), "{}\n{}", text, formatted);
        }
        prop_assert_eq!(parse(&files).desired, parse(&MemoryFiles::single(&*formatted)).desired);
        prop_assert_eq!(text.matches('#').count(), formatted.matches('#').count(), "{}\n{}", text, formatted);
        for (comment, about) in attached(&formatted) {
            let named = comment.split(' ').nth(1).unwrap();
            // A heading stays where it is, above whatever comes first of its group.
            let lines: Vec<&str> = formatted.lines().map(str::trim).collect();
            let at = lines.iter().position(|line| line.contains(&format!("# {comment}")) && line.ends_with(&comment)).unwrap();
            let is_heading = comment.starts_with("above")
                && lines[at..].iter().take_while(|line| line.is_empty() || line.starts_with('#')).any(|line| line.is_empty());
            // The last line of a list between brackets names no key.
            prop_assert!(is_heading || about == named || about == "]", "{comment} is about {about}\n{}\n{}", text, formatted);
        }
        for line in formatted.lines() {
            prop_assert!(!line.ends_with(' '), "{}", formatted);
        }
    }

    #[test]
    fn nothing_that_is_no_manifest_is_harmed(text in "([ab]: |[-?:#|>{}\\[\\],'\"&*!%]|[ \n\t\r]|one|\u{e9}|---){0,30}") {
        if let Ok(files) = format(&MemoryFiles::single(&*text)) {
            let once = &files[0].after;
            let again = format(&MemoryFiles::single(once.as_str()));
            let again = again.map(|files| files[0].after.clone());
            prop_assert_eq!(again.as_ref().ok(), Some(once), "{:?}", text);
        }
    }
}
