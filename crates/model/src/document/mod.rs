//! IAM policy documents: parsed once, compared in canonical form, sent as they were written.
//!
//! Equality is the canonical form's and nothing else's: see `canonical.rs` for what it folds. What a policy allows is
//! not decided here; two documents that differ in text and agree in effect differ.

mod canonical;
mod diff;
mod grammar;
mod json;
mod lint;
mod parse;
mod statement;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use canonical::{Elements, Folded};
use json::{Json, Members};

pub use diff::{DocumentChange, diff};
pub use grammar::{DocumentKind, Owner, Refusal, Stage};
pub use lint::{LINT_CODES, Lint, LintContext};
pub use parse::{DEPTH_LIMIT, DocumentError, DocumentErrorKind, Position, SyntaxProblem};
pub use statement::{Conditions, Effect, Statement};

/// The version that a document without one has. Under it `${aws:username}` is literal text.
pub const OLD_VERSION: &str = "2008-10-17";
/// The version of the policy language that knows variables.
pub const CURRENT_VERSION: &str = "2012-10-17";

/// A policy document: its text, and the canonical form by which it is compared. Cheap to clone.
///
/// A text that is no JSON object, or that has the same key twice in one object, is *opaque*: it equals only the same
/// text. Only [`PolicyDocument::from_live`] makes opaque documents.
#[derive(Clone)]
pub struct PolicyDocument(Arc<Inner>);

struct Inner {
    text: String,
    /// `None` for an opaque text.
    content: Option<Content>,
}

struct Content {
    /// What stands beside the statements, `Version` with its default; `Statement` only where it has no statements.
    elements: Elements,
    /// Whether the author wrote a `Version`.
    has_version: bool,
    /// In the author's order.
    statements: Vec<Statement>,
    canonical: String,
}

impl PolicyDocument {
    /// Parses JSON that an author wrote.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] with the place, where the text is not JSON, not an object, nested too deep, or has the same
    /// key twice in one object. Whether IAM takes the document is for [`PolicyDocument::refusal`] to say.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        parse::parse_object(text).map(|tree| Self::from_tree(tree, None))
    }

    /// Takes a document that an author wrote in another notation. Its text has the members in IAM's usual order.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] without a place, where the value is not an object, nested too deep, or holds a number that is
    /// no 64-bit integer: such numbers may have lost digits already.
    pub fn from_value(value: Value) -> Result<Self, DocumentError> {
        parse::object_of_value(value).map(|tree| Self::from_tree(in_usual_order(tree), None))
    }

    /// Takes what a live account reported. Never fails: what cannot be parsed stays opaque.
    pub fn from_live(text: impl Into<String>) -> Self {
        let text = text.into();
        match parse::parse_object(&text) {
            Ok(tree) => Self::from_tree(tree, Some(text)),
            Err(_) => Self(Arc::new(Inner { text, content: None })),
        }
    }

    /// Makes a document of statements that other documents hold. Without a version it means [`OLD_VERSION`].
    pub fn from_statements(version: Option<&str>, statements: &[Statement]) -> Self {
        let mut members = Members::new();
        if let Some(version) = version {
            members.push(("Version".to_owned(), Json::String(version.to_owned())));
        }
        let statements = statements
            .iter()
            .map(|statement| Json::Object(statement.source().clone()));
        members.push(("Statement".to_owned(), Json::List(statements.collect())));
        Self::from_tree(Json::Object(members), None)
    }

    /// The same document as an account of this partition means it: there an account id in a `Principal` stands for
    /// the ARN of that partition's root. Other constructors assume `aws`.
    #[must_use]
    pub fn in_partition(&self, partition: &str) -> Self {
        let text = self.0.text.clone();
        let content = self.tree().map(|tree| Content::new(tree, partition));
        Self(Arc::new(Inner { text, content }))
    }

    fn from_tree(tree: Json, text: Option<String>) -> Self {
        let text = text.unwrap_or_else(|| tree.to_compact());
        let content = Some(Content::new(tree, "aws"));
        Self(Arc::new(Inner { text, content }))
    }

    /// The text to send: what a live account reported, or compact JSON in the author's order of members, in which
    /// everything that IAM does not take on the wire is escaped.
    pub fn as_text(&self) -> &str {
        &self.0.text
    }

    /// Indented JSON in the author's order of members; an opaque text as it is.
    pub fn pretty(&self) -> String {
        self.tree().map_or_else(|| self.0.text.clone(), |tree| tree.to_pretty())
    }

    /// The characters of the text that IAM counts against its quotas: all but white space. Source: the IAM user
    /// guide's page on quotas. What IAM does with white space inside JSON strings is not documented.
    pub fn size(&self) -> usize {
        let is_white_space = |character: &char| matches!(character, ' ' | '\t' | '\n' | '\r');
        self.0
            .text
            .chars()
            .filter(|character| !is_white_space(character))
            .count()
    }

    /// The canonical form as compact JSON; the text itself where it is opaque. Equal for equal documents, and only for
    /// those.
    pub fn canonical_text(&self) -> &str {
        match &self.0.content {
            Some(content) => &content.canonical,
            None => &self.0.text,
        }
    }

    /// Whether this is a text that cannot be read as a document.
    pub fn is_opaque(&self) -> bool {
        self.0.content.is_none()
    }

    /// The statements in the author's order; none where the document is opaque or has none that can be read.
    pub fn statements(&self) -> &[Statement] {
        match &self.0.content {
            Some(content) => &content.statements,
            None => &[],
        }
    }

    /// `Version` as written; `None` where the document has none or it cannot be read.
    pub fn version(&self) -> Option<&str> {
        self.effective_version().filter(|_| self.has_version())
    }

    /// The version by whose rules IAM reads the document: [`OLD_VERSION`] where it names none.
    pub fn effective_version(&self) -> Option<&str> {
        self.element("Version")
    }

    fn has_version(&self) -> bool {
        self.0.content.as_ref().is_some_and(|content| content.has_version)
    }

    /// `Id` as written.
    pub fn id(&self) -> Option<&str> {
        self.element("Id")
    }

    fn element(&self, name: &str) -> Option<&str> {
        match self.0.content.as_ref()?.elements.get(name)? {
            (_, Folded::Verbatim(value)) => value.as_str(),
            _ => None,
        }
    }

    /// The document with everything that the canonical form leaves out, read again since few callers want it.
    fn tree(&self) -> Option<Json> {
        if self.is_opaque() {
            return None;
        }
        parse::parse_object(&self.0.text).ok()
    }
}

impl Content {
    fn new(tree: Json, partition: &str) -> Self {
        let mut elements = Elements::new();
        let mut statements = Vec::new();
        for (name, value) in tree.into_members() {
            if name == "Statement" && is_statements(&value) {
                statements = statements_of(value, partition);
            } else {
                elements.insert(name.clone(), (name, Folded::verbatim(&value)));
            }
        }
        let has_version = elements.contains_key("Version");
        elements.entry("Version".to_owned()).or_insert_with(|| {
            (
                "Version".to_owned(),
                Folded::Verbatim(Json::String(OLD_VERSION.to_owned())),
            )
        });
        let canonical = canonical_text_of(&elements, &statements);
        Self {
            elements,
            has_version,
            statements,
            canonical,
        }
    }
}

/// Whether this is one statement or a list of them, however odd each may be.
fn is_statements(value: &Json) -> bool {
    value
        .as_members_of_a_list()
        .iter()
        .all(|statement| statement.as_object().is_some())
}

fn statements_of(value: Json, partition: &str) -> Vec<Statement> {
    let statements = match value {
        Json::List(statements) => statements,
        single => vec![single],
    };
    let statements = statements.into_iter();
    statements
        .map(|statement| Statement::new(statement.into_members(), partition))
        .collect()
}

/// The statements are a set: their order and repetition have no effect.
fn canonical_text_of(elements: &Elements, statements: &[Statement]) -> String {
    let mut texts: Vec<&str> = statements.iter().map(Statement::canonical_text).collect();
    texts.sort_unstable();
    texts.dedup();
    let mut members = BTreeMap::from([("Statement", format!("[{}]", texts.join(",")))]);
    for (name, (_, element)) in elements {
        let mut text = String::new();
        element.write_canonical(&mut text);
        members.insert(name, text);
    }
    let mut out = String::from("{");
    for (index, (name, text)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::write_string(name, &mut out);
        out.push(':');
        out.push_str(text);
    }
    out.push('}');
    out
}

/// Objects of another notation come without an order that means anything; IAM's own is the one that people know.
fn in_usual_order(tree: Json) -> Json {
    const DOCUMENT: &[&str] = &["Version", "Id", "Statement"];
    const STATEMENT: &[&str] = &[
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    let sort = |members: &mut Members, order: &[&str]| {
        members.sort_by_key(|(name, _)| order.iter().position(|known| known == name).unwrap_or(order.len()));
    };
    let sort_statement = |statement: &mut Json| {
        if let Json::Object(members) = statement {
            sort(members, STATEMENT);
        }
    };
    let mut tree = tree;
    if let Json::Object(members) = &mut tree {
        sort(members, DOCUMENT);
        for (_, value) in members.iter_mut().filter(|(name, _)| name == "Statement") {
            match value {
                Json::List(statements) => statements.iter_mut().for_each(sort_statement),
                statement => sort_statement(statement),
            }
        }
    }
    tree
}

impl fmt::Debug for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PolicyDocument").field(&self.0.text).finish()
    }
}

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        self.is_opaque() == other.is_opaque() && self.canonical_text() == other.canonical_text()
    }
}

impl Eq for PolicyDocument {}

impl Hash for PolicyDocument {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical_text().hash(state);
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.text)
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_live)
    }
}
