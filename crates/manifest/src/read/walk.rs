//! From tree to values: every way in which a value can have the wrong form is told here, in an author's words.

use std::collections::BTreeMap;

use jiff::civil::Date;
use trueup_model::{GroupName, InlinePolicyName, NameError, PolicyName, UserName};

use super::{
    keys,
    suggest::{all_of, alternatives, did_you_mean, nearest},
};
use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    yaml::{
        Entry, Key, Kind, Node, Scalar,
        plain::{Plain, judge},
        write::double_quoted,
    },
};

/// The entries of a mapping with fixed keys, each at most once.
pub(crate) struct Fields<'n> {
    found: BTreeMap<&'static str, &'n Entry>,
    /// Where to point when something is missing.
    owner: Span,
}

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.found.get(key).map(|entry| &entry.value)
    }

    /// Where the key itself stands.
    pub(crate) fn key_span(&self, key: &str) -> Option<Span> {
        self.found.get(key).map(|entry| entry.key.span)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The keys that are there, in the order of the alphabet, with their places.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'static str, Span)> {
        self.found.iter().map(|(key, entry)| (*key, entry.key.span))
    }

    /// A key that must be there.
    pub(crate) fn require(&self, context: &mut Context<'_>, key: &str, what: &str, example: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            context
                .error("missing-key", self.owner, format!("{what} has no `{key}`"))
                .hint(format!("add `{example}`"));
        }
        found
    }
}

/// A name with IAM's rules for it.
pub(crate) trait Name: Sized {
    fn check(text: &str) -> Result<Self, NameError>;
}

macro_rules! names {
    ($($type:ty),*) => { $(impl Name for $type {
        fn check(text: &str) -> Result<Self, NameError> { Self::new(text) }
    })* };
}
names!(UserName, GroupName, PolicyName, InlinePolicyName);

impl Context<'_> {
    /// Complains that a value has the wrong form. `wanted` continues "must be".
    fn wrong_form(&mut self, node: &Node, what: &str, wanted: &str, example: &str) {
        let found = match &node.kind {
            Kind::Broken => return,
            Kind::Mapping(_) => "a mapping",
            Kind::Sequence(_) => "a list",
            Kind::Scalar(scalar) if is_null(scalar) => return self.null(node, what, example),
            Kind::Scalar(scalar) => {
                let shown = quoted(&scalar.text);
                self.error("wrong-type", node.span, format!("{what} must be {wanted}, not {shown}"))
                    .maybe_hint(for_example(example));
                return;
            }
        };
        let span = self.first_line(node.span);
        self.error("wrong-type", span, format!("{what} must be {wanted}, not {found}"))
            .maybe_hint(for_example(example));
    }

    /// Complains that a value is missing; an empty `example` is none.
    pub(super) fn null(&mut self, node: &Node, what: &str, example: &str) {
        let hint = match example {
            "" => "write a value, or leave it out".to_owned(),
            example => format!("write a value as in `{example}`, or leave it out"),
        };
        self.error("null", node.span, format!("{what} has no value")).hint(hint);
    }

    pub(crate) fn mapping<'n>(&mut self, node: &'n Node, what: &str, example: &str) -> Option<&'n [Entry]> {
        if let Kind::Mapping(entries) = &node.kind {
            return Some(entries);
        }
        self.wrong_form(node, what, "a mapping (`key: value`)", example);
        None
    }

    pub(crate) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        if let Kind::Sequence(items) = &node.kind {
            return Some(items);
        }
        let key = what.trim_matches('`');
        let example = match &node.kind {
            Kind::Scalar(scalar) if !is_null(scalar) => {
                format!("{key}: [{}]", crate::yaml::write::scalar(&scalar.text))
            }
            _ => format!("{key}: []"),
        };
        self.wrong_form(node, what, "a list", &example);
        None
    }

    /// A mapping whose keys are fixed: unknown keys and keys that come twice are errors.
    pub(crate) fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        allowed: &'static [&'static str],
        owner: Span,
    ) -> Option<Fields<'n>> {
        let key = self.text(owner).trim_matches(['"', '\'']).to_owned();
        let no_key = key.is_empty() || key.contains('\n') || owner == node.span;
        let example = match (allowed.first(), no_key) {
            (Some(first), true) => format!("{first}: …"),
            // Users and groups may well have nothing to say.
            _ if allowed == keys::USER || allowed == keys::GROUP => format!("{key}: {{}}"),
            (first, _) => format!("{key}: {{{}: …}}", first.copied().unwrap_or_default()),
        };
        let entries = self.mapping(node, what, &example)?;
        let mut found: BTreeMap<&'static str, &'n Entry> = BTreeMap::new();
        for entry in entries {
            let Some(key) = allowed.iter().find(|key| **key == entry.key.text) else {
                self.unknown_key(&entry.key, what, allowed);
                continue;
            };
            if let Some(first) = found.get(key) {
                let first = first.key.span;
                self.duplicate_key(&entry.key, first);
            } else {
                found.insert(key, entry);
            }
        }
        Some(Fields { found, owner })
    }

    fn unknown_key(&mut self, key: &Key, what: &str, allowed: &[&str]) {
        if key.plain && key.text == "<<" {
            return self.merge_key(key.span);
        }
        let folded = key.text.to_ascii_lowercase().replace('-', "_");
        let other_word = keys::OTHER_WORDS
            .iter()
            .find(|(word, meant)| *word == folded && allowed.contains(meant))
            .map(|(_, meant)| *meant);
        if allowed == keys::TOP {
            self.incomplete = true;
        }
        let hint = match nearest(&key.text, allowed.iter().copied()).or(other_word) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if allowed == keys::GROUP && key.text == "tags" => "IAM groups have no tags".to_owned(),
            None if allowed == keys::GROUP && matches!(key.text.as_str(), "users" | "members") => {
                "members are declared on users, under `groups`".to_owned()
            }
            None if allowed == keys::GROUP && key.text == "permissions_boundary" => {
                "IAM groups have no boundary; users have".to_owned()
            }
            None if allowed == keys::POLICY && key.text == "previously" => {
                "IAM cannot rename a policy: declare the new one, and name the old one under `absent`".to_owned()
            }
            None if allowed.len() == 1 => format!("the only key here is {}", all_of(allowed.iter().copied())),
            None => format!("the keys here are {}", all_of(allowed.iter().copied())),
        };
        self.error(
            "unknown-key",
            key.span,
            format!("unknown key {} in {what}", quoted(&key.text)),
        )
        .hint(hint);
    }

    pub(crate) fn duplicate_key(&mut self, key: &Key, first: Span) {
        self.error(
            "duplicate-key",
            key.span,
            format!("the key {} stands here twice", quoted(&key.text)),
        )
        .related("it stands here already", first)
        .hint("keep one of them; YAML readers silently take the one or the other");
    }

    /// A mapping whose keys are the author's: names, tag keys, file names. Keys that come twice are errors.
    pub(crate) fn entries<'n>(&mut self, node: &'n Node, what: &str, example: &str) -> Vec<(At<&'n str>, &'n Node)> {
        let Some(entries) = self.mapping(node, what, example) else {
            // What was meant to be declared here is unknown, so nothing that names it is complained about.
            self.incomplete = true;
            return Vec::new();
        };
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(first) = first.get(entry.key.text.as_str()) {
                self.duplicate_key(&entry.key, *first);
                continue;
            }
            first.insert(&entry.key.text, entry.key.span);
            if self.free_key(&entry.key) {
                found.push((At::new(entry.key.text.as_str(), entry.key.span), &entry.value));
            }
        }
        found
    }

    /// Whether a key that an author chose can be used; complains about keys that parsers read differently.
    pub(crate) fn free_key(&mut self, key: &Key) -> bool {
        if !key.plain {
            return true;
        }
        match judge(&key.text) {
            Plain::Text | Plain::Date => true,
            Plain::Null if key.text.is_empty() => {
                self.error("null", key.span, "a key is missing here")
                    .hint("write a name before the `:`");
                false
            }
            Plain::Ambiguous(_) if key.text == "<<" => {
                self.merge_key(key.span);
                false
            }
            reading => {
                self.unquoted(&key.text, key.span, reading);
                true
            }
        }
    }

    fn merge_key(&mut self, span: Span) {
        self.error(
            "yaml-merge",
            span,
            "`<<` is a YAML merge key, which a manifest does not use",
        )
        .hint("write the entries out; types and `same_permissions_as` share settings");
    }

    /// Complains about a plain scalar that is no text for every parser, where a text is wanted.
    fn unquoted(&mut self, text: &str, span: Span, reading: Plain) {
        let shown = quoted(text);
        let (code, message) = match reading {
            Plain::Ambiguous(reading) => (
                "ambiguous-scalar",
                format!("{shown} without quotes is a text to some YAML parsers and {reading} to others"),
            ),
            Plain::Integer => (
                "wrong-type",
                format!("{shown} without quotes is a number, and a text is needed"),
            ),
            Plain::Null => ("null", format!("{shown} without quotes is no value at all")),
            _ => (
                "wrong-type",
                format!("{shown} without quotes is true or false, and a text is needed"),
            ),
        };
        let line = self.corrected_line(span, &double_quoted(text));
        self.error(code, span, message).hint(format!("quote it: `{line}`"));
    }

    /// A text. What lacks its quotes is complained about and used as if it had them, so that one mistake is told once.
    pub(crate) fn text_value(&mut self, node: &Node, what: &str) -> Option<At<String>> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_form(node, what, "a text", &example_of(what, ""));
            return None;
        };
        if scalar.plain {
            match judge(&scalar.text) {
                Plain::Text | Plain::Date => {}
                Plain::Null => {
                    self.null(node, what, &example_of(what, ""));
                    return None;
                }
                reading => self.unquoted(&scalar.text, node.span, reading),
            }
        }
        Some(At::new(scalar.text.clone(), node.span))
    }

    /// A text that says something: neither empty nor blank.
    pub(crate) fn filled_text(&mut self, node: &Node, what: &str) -> Option<At<String>> {
        let text = self.text_value(node, what)?;
        if text.value.trim().is_empty() {
            self.error("bad-value", node.span, format!("{what} is empty"));
            return None;
        }
        Some(text)
    }

    pub(crate) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Kind::Scalar(scalar) = &node.kind
            && !is_null(scalar)
        {
            if scalar.plain
                && let Plain::Boolean(value) = judge(&scalar.text)
            {
                return Some(value);
            }
            let meant = match scalar.text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" | "1" => Some("true"),
                "false" | "no" | "off" | "n" | "0" => Some("false"),
                _ => None,
            };
            let line = meant.map(|meant| format!("write `{}`", self.corrected_line(node.span, meant)));
            let shown = quoted(self.text(node.span));
            self.error(
                "wrong-type",
                node.span,
                format!("{what} is `true` or `false`, not {shown}"),
            )
            .maybe_hint(line);
            return None;
        }
        self.wrong_form(node, what, "`true` or `false`", &example_of(what, "true"));
        None
    }

    /// A whole number of a range.
    pub(crate) fn integer(&mut self, node: &Node, what: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let (low, high) = (*range.start(), *range.end());
        let wanted = match high {
            u32::MAX => "a whole number".to_owned(),
            _ => format!("a whole number from {low} to {high}"),
        };
        if let Kind::Scalar(scalar) = &node.kind
            && !is_null(scalar)
        {
            let number = scalar.text.parse::<u32>().ok().filter(|number| range.contains(number));
            let is_integer = judge(&scalar.text) == Plain::Integer;
            if let Some(number) = number.filter(|_| scalar.plain && is_integer) {
                return Some(number);
            }
            let shown = quoted(self.text(node.span));
            let hint = (!scalar.plain && number.is_some())
                .then(|| format!("without quotes: `{}`", self.corrected_line(node.span, &scalar.text)));
            let code = if is_integer && scalar.plain {
                "out-of-range"
            } else {
                "wrong-type"
            };
            self.error(code, node.span, format!("{what} is {wanted}, not {shown}"))
                .maybe_hint(hint);
            return None;
        }
        self.wrong_form(node, what, &wanted, &example_of(what, &low.max(1).to_string()));
        None
    }

    pub(crate) fn date(&mut self, node: &Node, what: &str) -> Option<Date> {
        if let Kind::Scalar(scalar) = &node.kind
            && !is_null(scalar)
        {
            // Only `2027-06-30`: the date parser also knows other forms.
            let written_so = scalar.text.len() == 10 && scalar.text.as_bytes().get(4) == Some(&b'-');
            if let Some(date) = scalar.text.parse::<Date>().ok().filter(|_| written_so) {
                return Some(date);
            }
            let shown = quoted(&scalar.text);
            self.error("bad-date", node.span, format!("{what} is a date, and {shown} is none"))
                .hint("a date is written as in `2027-06-30`");
            return None;
        }
        self.wrong_form(node, what, "a date", &example_of(what, "2027-06-30"));
        None
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&'static str, T)]) -> Option<At<T>> {
        let known = || words.iter().map(|(word, _)| *word);
        if let Kind::Scalar(scalar) = &node.kind
            && !is_null(scalar)
        {
            if let Some((_, value)) = words.iter().find(|(word, _)| *word == scalar.text) {
                return Some(At::new(*value, node.span));
            }
            let hint = did_you_mean(&scalar.text, known());
            let shown = quoted(&scalar.text);
            self.error(
                "bad-value",
                node.span,
                format!("{what} is {}, not {shown}", alternatives(known())),
            )
            .maybe_hint(hint);
            return None;
        }
        let example = example_of(what, words.first().map_or("", |(word, _)| word));
        self.wrong_form(node, what, &alternatives(known()), &example);
        None
    }

    pub(crate) fn name<N: Name>(&mut self, text: &At<String>) -> Option<At<N>> {
        match N::check(&text.value) {
            Ok(name) => Some(At::new(name, text.span)),
            Err(error) => {
                self.error("bad-name", text.span, error.to_string());
                None
            }
        }
    }

    /// A list of names, each at most once.
    pub(crate) fn names<N: Name + Ord + Clone>(&mut self, node: &Node, what: &str) -> Vec<At<N>> {
        let mut first: BTreeMap<N, Span> = BTreeMap::new();
        let mut found = Vec::new();
        for item in self.list(node, what).unwrap_or_default() {
            let Some(text) = self.text_value(item, &format!("an item of {what}")) else {
                continue;
            };
            let Some(name) = self.name::<N>(&text) else { continue };
            if let Some(first) = first.get(&name.value) {
                let first = *first;
                self.error(
                    "listed-twice",
                    name.span,
                    format!("{} is listed twice", quoted(&text.value)),
                )
                .related("it is listed here already", first);
            } else {
                first.insert(name.value.clone(), name.span);
                found.push(name);
            }
        }
        found
    }

    /// The entries of a mapping by name, for example of `users`.
    pub(crate) fn named<'n, N: Name>(&mut self, node: &'n Node, what: &str, example: &str) -> Vec<(At<N>, &'n Node)> {
        self.entries(node, what, example)
            .into_iter()
            .filter_map(|(key, value)| {
                let name = self.name::<N>(&At::new(key.value.to_owned(), key.span))?;
                Some((name, value))
            })
            .collect()
    }
}

pub(super) fn is_null(scalar: &Scalar) -> bool {
    scalar.plain && judge(&scalar.text) == Plain::Null
}

fn for_example(example: &str) -> Option<String> {
    (!example.is_empty()).then(|| format!("for example `{example}`"))
}

/// `` `mfa` `` and `required` to `mfa: required`. No value: one that is usual for the key, if any.
fn example_of(what: &str, value: &str) -> String {
    let Some(key) = what.strip_prefix('`').and_then(|what| what.strip_suffix('`')) else {
        return value.to_owned();
    };
    let usual = EXAMPLES
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, example)| *example);
    match (value, usual) {
        ("", None) => String::new(),
        ("", Some(usual)) => format!("{key}: {usual}"),
        (value, _) => format!("{key}: {value}"),
    }
}

/// Texts that show the form of a key's value.
const EXAMPLES: &[(&str, &str)] = &[
    ("id", "\"123456789012\""),
    ("alias", "acme-prod"),
    ("path", "/platform/"),
    ("permissions_boundary", "team-boundary"),
    ("type", "person"),
    ("same_permissions_as", "alice"),
    ("file", "policies/name.json"),
    ("reason", "left on 2026-11-20"),
    ("description", "what a team may do"),
    ("user", "\"legacy-*\""),
    ("group", "\"legacy-*\""),
    ("policy", "\"legacy-*\""),
];
