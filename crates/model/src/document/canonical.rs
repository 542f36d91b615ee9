//! The canonical form: what stands the same in two documents that mean the same text.
//!
//! Folded are differences that IAM's evaluation does not see: order and repetition in sets, one value or a list of
//! one, letter case of actions and condition keys, numbers and booleans as strings, empty conditions. Nothing is
//! folded that needs knowledge of what a pattern covers: `s3:Get*` and `s3:GetObject` stay two members.
//!
//! What does not have the shape that the grammar gives it is compared as it stands, so that a strange document never
//! equals a sound one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{Json, write_string};

/// A part of a statement in canonical form. Beside each folded text stands the one that the author wrote.
#[derive(Debug, Clone)]
pub(super) enum Folded {
    /// A set of texts.
    Texts(TextSet),
    /// Parts by canonical name, each with its name as written.
    Parts(BTreeMap<String, (String, Folded)>),
    /// Compared as it stands, the order of members apart.
    Verbatim(Json),
}

/// A set of texts, sorted by their canonical form.
#[derive(Debug, Clone, Default)]
pub(super) struct TextSet(Vec<Text>);

#[derive(Debug, Clone)]
struct Text {
    canonical: String,
    /// Where that is not how the author wrote it.
    written: Option<String>,
}

impl TextSet {
    /// Of texts that fold to the same, the first one's spelling is kept.
    fn new(mut texts: Vec<Text>) -> Self {
        texts.sort_by(|a, b| a.canonical.cmp(&b.canonical));
        texts.dedup_by(|later, first| later.canonical == first.canonical);
        Self(texts)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn canonical(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|text| text.canonical.as_str())
    }

    pub(super) fn written(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(Text::written)
    }

    /// The members that another set lacks, as written.
    pub(super) fn without<'a>(&'a self, other: &TextSet) -> Vec<&'a str> {
        let is_missing = |text: &&Text| {
            other
                .0
                .binary_search_by(|known| known.canonical.cmp(&text.canonical))
                .is_err()
        };
        self.0.iter().filter(is_missing).map(Text::written).collect()
    }
}

impl Text {
    fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.canonical)
    }
}

/// The members of a statement by name.
pub(super) type Elements = BTreeMap<String, (String, Folded)>;

impl Folded {
    pub(super) fn verbatim(value: &Json) -> Self {
        Self::Verbatim(value.sorted())
    }

    /// The canonical members of a set; empty for anything else.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::Texts(texts) => Some(texts),
            Self::Parts(_) | Self::Verbatim(_) => None,
        };
        texts.into_iter().flat_map(TextSet::canonical)
    }

    /// The parts by canonical name; empty for anything else.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, &Folded)> {
        let parts = match self {
            Self::Parts(parts) => Some(parts),
            Self::Texts(_) | Self::Verbatim(_) => None,
        };
        parts
            .into_iter()
            .flat_map(|parts| parts.iter().map(|(name, (_, part))| (name.as_str(), part)))
    }

    /// The part as its author wrote it, sets as lists.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Texts(texts) => texts.written().collect(),
            Self::Parts(parts) => Value::Object(
                parts
                    .values()
                    .map(|(name, part)| (name.clone(), part.to_value()))
                    .collect(),
            ),
            Self::Verbatim(value) => value.to_value(),
        }
    }

    pub(super) fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Texts(texts) => {
                out.push('[');
                for (index, text) in texts.canonical().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(text, out);
                }
                out.push(']');
            }
            Self::Parts(parts) => write_canonical_elements(parts, out),
            Self::Verbatim(value) => value.write_compact(out),
        }
    }
}

/// Writes parts as an object, ordered by canonical name.
pub(super) fn write_canonical_elements(parts: &Elements, out: &mut String) {
    out.push('{');
    for (index, (name, (_, part))) in parts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        part.write_canonical(out);
    }
    out.push('}');
}

/// Folds the members of a statement. An account id in `Principal` stands for the account's root in `partition`.
pub(super) fn fold_statement(members: &[(String, Json)], partition: &str) -> Elements {
    let is_allow = members
        .iter()
        .any(|(name, value)| name == "Effect" && value.as_str() == Some("Allow"));
    let mut elements = Elements::new();
    for (name, value) in members {
        let folded = match name.as_str() {
            "Action" | "NotAction" => Some(fold_texts(value, str::to_ascii_lowercase)),
            "Resource" | "NotResource" => Some(fold_texts(value, str::to_owned)),
            // Only where a statement allows is `*` documented to mean the same as `{"AWS": "*"}`.
            "Principal" if is_allow && value.as_str() == Some("*") => Some(everybody()),
            "Principal" | "NotPrincipal" => Some(fold_principals(value, partition)),
            "Condition" => fold_conditions(value),
            _ => Some(Folded::verbatim(value)),
        };
        if let Some(folded) = folded {
            elements.insert(name.clone(), (name.clone(), folded));
        }
    }
    elements
}

/// One text or a list of texts, as a set.
fn fold_texts(value: &Json, fold: impl Fn(&str) -> String) -> Folded {
    let texts = value.as_members_of_a_list().iter().map(Json::as_str);
    collect_texts(texts, fold).unwrap_or_else(|| Folded::verbatim(value))
}

fn collect_texts<'a>(texts: impl Iterator<Item = Option<&'a str>>, fold: impl Fn(&str) -> String) -> Option<Folded> {
    let fold = |text: &str| {
        let canonical = fold(text);
        let written = (canonical != text).then(|| text.to_owned());
        Text { canonical, written }
    };
    let texts: Option<Vec<Text>> = texts.map(|text| text.map(fold)).collect();
    texts.map(|texts| Folded::Texts(TextSet::new(texts)))
}

fn everybody() -> Folded {
    let star = fold_texts(&Json::String("*".to_owned()), str::to_owned);
    Folded::Parts(BTreeMap::from([("AWS".to_owned(), ("AWS".to_owned(), star))]))
}

fn fold_principals(value: &Json, partition: &str) -> Folded {
    let Some(kinds) = value.as_object() else {
        return Folded::verbatim(value);
    };
    let fold_kind = |(kind, value): &(String, Json)| {
        let folded = match kind.as_str() {
            "AWS" => fold_texts(value, |principal| account_root(principal, partition)),
            _ => fold_texts(value, str::to_owned),
        };
        (kind.clone(), (kind.clone(), folded))
    };
    Folded::Parts(kinds.iter().map(fold_kind).collect())
}

/// IAM keeps an account id as the ARN of the account's root.
fn account_root(principal: &str, partition: &str) -> String {
    if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("arn:{partition}:iam::{principal}:root")
    } else {
        principal.to_owned()
    }
}

/// `None` where no operator has a key: such a condition always holds.
fn fold_conditions(value: &Json) -> Option<Folded> {
    let Some(operators) = value.as_object() else {
        return Some(Folded::verbatim(value));
    };
    let blocks: Elements = operators
        .iter()
        .filter(|(_, block)| block.as_object().is_none_or(|keys| !keys.is_empty()))
        .map(|(operator, block)| (operator.clone(), (operator.clone(), fold_block(operator, block))))
        .collect();
    (!blocks.is_empty()).then_some(Folded::Parts(blocks))
}

fn fold_block(operator: &str, block: &Json) -> Folded {
    let Some(keys) = block.as_object() else {
        return Folded::verbatim(block);
    };
    let mut spellings: BTreeMap<String, usize> = BTreeMap::new();
    for (key, _) in keys {
        *spellings.entry(key.to_ascii_lowercase()).or_default() += 1;
    }
    let fold_key = |(key, values): &(String, Json)| {
        // Which of two keys that differ in case alone IAM looks at is not known: they keep their spelling.
        let folded_key = match key.to_ascii_lowercase() {
            folded if spellings.get(&folded) == Some(&1) => folded,
            _ => key.clone(),
        };
        (folded_key, (key.clone(), fold_condition_values(operator, values)))
    };
    Folded::Parts(keys.iter().map(fold_key).collect())
}

fn fold_condition_values(operator: &str, values: &Json) -> Folded {
    let texts = values.as_members_of_a_list().iter().map(Json::scalar_text);
    let folded = if ignores_case_of_values(operator) {
        collect_texts(texts, str::to_ascii_lowercase)
    } else {
        collect_texts(texts, str::to_owned)
    };
    folded.unwrap_or_else(|| Folded::verbatim(values))
}

/// The operator itself, without what says how several values or a missing key count.
pub(super) fn base_operator(operator: &str) -> &str {
    let operator = operator
        .strip_prefix("ForAnyValue:")
        .or_else(|| operator.strip_prefix("ForAllValues:"))
        .unwrap_or(operator);
    operator.strip_suffix("IfExists").unwrap_or(operator)
}

fn ignores_case_of_values(operator: &str) -> bool {
    matches!(
        base_operator(operator),
        "Bool" | "Null" | "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase"
    )
}
