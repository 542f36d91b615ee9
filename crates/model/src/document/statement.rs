//! One statement of a policy document.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;

use super::canonical::{Elements, Folded, fold_statement, write_canonical_elements};
use super::json::{Json, Members};

/// What a statement does with the requests that it matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Allows them, where no other statement denies.
    Allow,
    /// Denies them, whatever allows them.
    Deny,
    /// A word that IAM refuses, kept as written; empty where there is none.
    Other(String),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
            Self::Other(word) => word,
        })
    }
}

/// Condition values by folded key, by operator.
pub type Conditions<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a str>>>;

/// One statement. Compared, ordered and hashed by its canonical text; cheap to clone.
///
/// The texts that its accessors give are canonical: actions and condition keys in lower case, sets sorted and without
/// repetition. [`Statement::to_value`] has the author's spelling.
#[derive(Clone)]
pub struct Statement(Arc<Parts>);

struct Parts {
    source: Members,
    elements: Elements,
    effect: Effect,
    canonical: String,
}

impl Statement {
    pub(super) fn new(source: Members, partition: &str) -> Self {
        let elements = fold_statement(&source, partition);
        let word = source.iter().find(|(name, _)| name == "Effect");
        let effect = match word.and_then(|(_, value)| value.as_str()) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            other => Effect::Other(other.unwrap_or_default().to_owned()),
        };
        let mut canonical = String::new();
        write_canonical_elements(&elements, &mut canonical);
        Self(Arc::new(Parts {
            source,
            elements,
            effect,
            canonical,
        }))
    }

    pub(super) fn elements(&self) -> &Elements {
        &self.0.elements
    }

    pub(super) fn source(&self) -> &Members {
        &self.0.source
    }

    fn element(&self, name: &str) -> Option<&Folded> {
        self.0.elements.get(name).map(|(_, element)| element)
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.element(name)
            .map_or_else(Vec::new, |element| element.texts().collect())
    }

    /// Whether the statement has this member, for example `NotResource`. An empty condition counts as none.
    pub fn has(&self, member: &str) -> bool {
        self.0.elements.contains_key(member)
    }

    /// The id that its author gave it, which may be empty.
    pub fn sid(&self) -> Option<&str> {
        match self.element("Sid") {
            Some(Folded::Verbatim(value)) => value.as_str(),
            _ => None,
        }
    }

    /// What it does.
    pub fn effect(&self) -> &Effect {
        &self.0.effect
    }

    /// Whether it allows.
    pub fn is_allow(&self) -> bool {
        self.0.effect == Effect::Allow
    }

    /// Whether it denies.
    pub fn is_deny(&self) -> bool {
        self.0.effect == Effect::Deny
    }

    /// `Action`: patterns in lower case, sorted.
    pub fn actions(&self) -> Vec<&str> {
        self.texts("Action")
    }

    /// `NotAction`: patterns in lower case, sorted.
    pub fn not_actions(&self) -> Vec<&str> {
        self.texts("NotAction")
    }

    /// `Resource`: patterns, sorted.
    pub fn resources(&self) -> Vec<&str> {
        self.texts("Resource")
    }

    /// `NotResource`: patterns, sorted.
    pub fn not_resources(&self) -> Vec<&str> {
        self.texts("NotResource")
    }

    /// `Principal` by kind (`AWS`, `Service`, `Federated`, `CanonicalUser`); `"*"` is `{"AWS": ["*"]}` here.
    pub fn principals(&self) -> BTreeMap<&str, Vec<&str>> {
        self.principals_of("Principal")
    }

    /// `NotPrincipal` by kind.
    pub fn not_principals(&self) -> BTreeMap<&str, Vec<&str>> {
        self.principals_of("NotPrincipal")
    }

    fn principals_of(&self, name: &str) -> BTreeMap<&str, Vec<&str>> {
        match self.element(name) {
            Some(Folded::Verbatim(value)) if value.as_str() == Some("*") => BTreeMap::from([("AWS", vec!["*"])]),
            Some(kinds) => sets_of(kinds),
            None => BTreeMap::new(),
        }
    }

    /// `Condition`: operator, key in lower case, sorted values. All keys must hold; of the values of one key, any.
    pub fn conditions(&self) -> Conditions<'_> {
        let operators = self.element("Condition").into_iter().flat_map(Folded::parts);
        operators.map(|(operator, keys)| (operator, sets_of(keys))).collect()
    }

    /// Whether it allows every action on every resource, without a condition.
    pub fn allows_everything(&self) -> bool {
        self.is_allow() && self.is_about_everything()
    }

    /// Whether it denies every action on every resource, without a condition.
    pub fn denies_everything(&self) -> bool {
        self.is_deny() && self.is_about_everything()
    }

    fn is_about_everything(&self) -> bool {
        self.actions().iter().any(|action| matches!(*action, "*" | "*:*"))
            && self.resources().contains(&"*")
            && !self.has("Condition")
    }

    /// The canonical form as compact JSON.
    pub fn canonical_text(&self) -> &str {
        &self.0.canonical
    }

    /// The statement as its author wrote it.
    pub fn to_value(&self) -> Value {
        Json::Object(self.0.source.clone()).to_value()
    }

    /// The same statement without an id, as which it allows and denies the same.
    ///
    /// For identity policies: account ids in a `Principal` would be read as those of the partition `aws`.
    pub fn without_sid(&self) -> Self {
        let unnamed: Members = self
            .0
            .source
            .iter()
            .filter(|(name, _)| name != "Sid")
            .cloned()
            .collect();
        Self::new(unnamed, "aws")
    }

    /// What to call it: its id, or a short description such as `Allow s3:GetObject, s3:PutObject on *`.
    pub fn label(&self) -> String {
        if let Some(sid) = self.sid().filter(|sid| !sid.is_empty()) {
            return sid.to_owned();
        }
        let mut label = match self.effect() {
            Effect::Other(word) if word.is_empty() => "no effect".to_owned(),
            effect => effect.to_string(),
        };
        if let Some(what) = self.describe("Action", "NotAction") {
            label.push(' ');
            label.push_str(&what);
        }
        if let Some(to) = self.describe_principals() {
            label.push_str(" to ");
            label.push_str(&to);
        }
        if let Some(on) = self.describe("Resource", "NotResource") {
            label.push_str(" on ");
            label.push_str(&on);
        }
        if self.has("Condition") {
            label.push_str(" if");
            for (index, key) in self.condition_keys().enumerate() {
                label.push_str(if index == 0 { " " } else { ", " });
                label.push_str(key);
            }
        }
        label
    }

    fn describe(&self, positive: &str, negative: &str) -> Option<String> {
        match (self.element(positive), self.element(negative)) {
            (Some(Folded::Texts(texts)), _) => Some(shorten(texts.written())),
            (None, Some(Folded::Texts(texts))) => Some(format!("all but {}", shorten(texts.written()))),
            _ => None,
        }
    }

    fn describe_principals(&self) -> Option<String> {
        let principals = self.principals();
        let names: Vec<&str> = principals.into_values().flatten().collect();
        (!names.is_empty()).then(|| shorten(names.into_iter()))
    }

    /// The condition keys as written.
    fn condition_keys(&self) -> impl Iterator<Item = &str> {
        let blocks = self.element("Condition").into_iter().flat_map(Folded::parts);
        blocks.flat_map(|(_, block)| match block {
            Folded::Parts(keys) => keys.values().map(|(written, _)| written.as_str()).collect(),
            Folded::Texts(_) | Folded::Verbatim(_) => Vec::new(),
        })
    }
}

fn sets_of(parts: &Folded) -> BTreeMap<&str, Vec<&str>> {
    parts
        .parts()
        .map(|(name, texts)| (name, texts.texts().collect()))
        .collect()
}

/// The first texts of a set, and how many more there are.
fn shorten<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let total = texts.len();
    let shown: Vec<&str> = texts.take(SHOWN).collect();
    match total {
        0 => "nothing".to_owned(),
        _ if total > SHOWN => format!("{} and {} more", shown.join(", "), total - SHOWN),
        _ => shown.join(", "),
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.0.canonical).finish()
    }
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.0.canonical == other.0.canonical
    }
}

impl Eq for Statement {}

impl PartialOrd for Statement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Statement {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.canonical.cmp(&other.0.canonical)
    }
}

impl Hash for Statement {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.canonical.hash(state);
    }
}
