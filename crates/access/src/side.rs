//! From a principal's policies to numbered statements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trueup_model::PolicyDocument;
use trueup_model::document::{CURRENT_VERSION, Statement};

use crate::condition::{Compilation, Wildcards, field_count};
use crate::facts::{Known, PrincipalFacts};
use crate::holdings::Holdings;
use crate::tables::{Compiled, PatternId, PatternSet, ResourcesId, StatementId, Tables};
use crate::text::{Piece, Token, pieces};

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Which of the holdings' policies, the boundary after the others.
    pub(crate) policy: usize,
    /// Which statement of it.
    pub(crate) statement: usize,
}

/// All statements of a principal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    /// Allowing statements of the identity policies, and of the boundary if there is one.
    pub(crate) layers: Vec<BTreeSet<StatementId>>,
    pub(crate) denies: BTreeSet<StatementId>,
    pub(crate) places: BTreeMap<StatementId, Vec<Place>>,
    /// What cannot be read, and could allow or deny anything.
    pub(crate) unread: BTreeSet<String>,
    /// The texts of what is not read, by layer: where these are the same, so is what they mean.
    pub(crate) unread_texts: BTreeSet<(usize, String)>,
    /// The layers that it stands in.
    pub(crate) unread_layers: BTreeSet<usize>,
}

/// A document, compiled for principals that are alike in what it depends on.
#[derive(Debug, Default)]
struct CompiledDocument {
    allows: Vec<(StatementId, usize)>,
    denies: Vec<(StatementId, usize)>,
    /// What is not read, in words, and its text; of a document that is not known at all there is none.
    unread: Vec<(String, Option<String>)>,
}

/// What a document depends on: the facts about the keys that it names.
type Dependence = Vec<(String, Option<Option<String>>)>;

/// A document's number and the keys that it names.
type Numbered = (usize, Arc<Vec<String>>);

/// Documents that were compiled.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// By text: the document's number and the keys that it names.
    known: BTreeMap<(bool, String), Numbered>,
    compiled: BTreeMap<(usize, Dependence), Arc<CompiledDocument>>,
}

impl Documents {
    /// Numbers the statements of a principal.
    pub(crate) fn side(&mut self, tables: &mut Tables<'_>, holdings: &Holdings) -> Side {
        let mut side = Side::default();
        side.layers.push(BTreeSet::new());
        for (policy, (origin, document, is_boundary)) in holdings.all().enumerate() {
            let compiled = self.compiled(tables, document, &holdings.facts);
            let layer = if is_boundary {
                side.layers.push(BTreeSet::new());
                1
            } else {
                0
            };
            side.layers[layer].extend(compiled.allows.iter().map(|(id, _)| *id));
            side.denies.extend(compiled.denies.iter().map(|(id, _)| *id));
            for (id, statement) in compiled.allows.iter().chain(&compiled.denies) {
                let place = Place {
                    policy,
                    statement: *statement,
                };
                side.places.entry(*id).or_default().push(place);
            }
            if !compiled.unread.is_empty() {
                side.unread_layers.insert(layer);
            }
            for (what, text) in &compiled.unread {
                side.unread.insert(format!("{origin}: {what}"));
                let text = text.clone().unwrap_or_else(|| origin.policy.clone());
                side.unread_texts.insert((layer, text));
            }
        }
        side
    }

    fn compiled(
        &mut self,
        tables: &mut Tables<'_>,
        document: &PolicyDocument,
        facts: &PrincipalFacts,
    ) -> Arc<CompiledDocument> {
        let text = (document.is_opaque(), document.canonical_text().to_owned());
        let next = self.known.len();
        let (number, keys) = self
            .known
            .entry(text)
            .or_insert_with(|| (next, Arc::new(keys_of(document))))
            .clone();
        let dependence: Dependence = keys
            .iter()
            .map(|key| {
                let known = match facts.about(key) {
                    Known::Value(value) => Some(Some(value.to_owned())),
                    Known::Absent => Some(None),
                    Known::Nothing => None,
                };
                (key.clone(), known)
            })
            .collect();
        let question = (number, dependence);
        if let Some(compiled) = self.compiled.get(&question) {
            return compiled.clone();
        }
        let compiled = Arc::new(compile(tables, document, facts));
        self.compiled.insert(question, compiled.clone());
        compiled
    }
}

/// The condition keys and variables of a document, in lower case.
fn keys_of(document: &PolicyDocument) -> Vec<String> {
    let mut keys = BTreeSet::new();
    let has_variables = document.effective_version() == Some(CURRENT_VERSION);
    let mut add_variables = |text: &str| {
        if has_variables && text.contains("${") {
            for piece in pieces(text, true) {
                if let Piece::Variable { name, .. } = piece {
                    keys.insert(name);
                }
            }
        }
    };
    let mut compared = Vec::new();
    for statement in document.statements() {
        statement.resources().into_iter().for_each(&mut add_variables);
        statement.not_resources().into_iter().for_each(&mut add_variables);
        for (key, values) in statement.conditions().into_values().flatten() {
            compared.push(key.to_ascii_lowercase());
            values.into_iter().for_each(&mut add_variables);
        }
    }
    keys.extend(compared);
    keys.into_iter().collect()
}

fn compile(tables: &mut Tables<'_>, document: &PolicyDocument, facts: &PrincipalFacts) -> CompiledDocument {
    let mut compiled = CompiledDocument::default();
    if document.is_opaque() && document.as_text().is_empty() {
        compiled.unread.push(("its document is not known".to_owned(), None));
        return compiled;
    }
    if document.is_opaque() || document.statements().is_empty() {
        compiled.unread.push((
            "it is no policy document with statements".to_owned(),
            Some(document.canonical_text().to_owned()),
        ));
        return compiled;
    }
    let mut compilation = Compilation {
        tables,
        facts,
        has_variables: document.effective_version() == Some(CURRENT_VERSION),
    };
    for (index, statement) in document.statements().iter().enumerate() {
        match compile_statement(&mut compilation, statement) {
            Ok(Some(id)) if statement.is_allow() => compiled.allows.push((id, index)),
            Ok(Some(id)) => compiled.denies.push((id, index)),
            Ok(None) => {}
            Err(what) => compiled.unread.push((
                format!("statement `{}` {what}", statement.label()),
                Some(format!("{statement:?}")),
            )),
        }
    }
    compiled
}

/// `None` where the statement matches no request of the principal.
fn compile_statement(
    compilation: &mut Compilation<'_, '_, '_>,
    statement: &Statement,
) -> Result<Option<StatementId>, &'static str> {
    if !statement.is_allow() && !statement.is_deny() {
        return Err("neither allows nor denies");
    }
    if statement.has("Principal") || statement.has("NotPrincipal") {
        return Err("names principals, which an identity policy cannot do");
    }
    let actions = match (statement.has("Action"), statement.has("NotAction")) {
        (true, false) => (false, statement.actions()),
        (false, true) => (true, statement.not_actions()),
        _ => return Err("has not one of `Action` and `NotAction`"),
    };
    let resources = match (statement.has("Resource"), statement.has("NotResource")) {
        (true, false) => (false, statement.resources()),
        (false, true) => (true, statement.not_resources()),
        _ => return Err("has not one of `Resource` and `NotResource`"),
    };
    if actions.1.is_empty() || resources.1.is_empty() {
        return Err("has an empty or strange list of actions or resources");
    }
    let Some(condition) = compilation.condition(statement) else {
        return Ok(None);
    };
    let patterns = actions
        .1
        .iter()
        .map(|text| action_pattern(compilation.tables, text))
        .collect();
    let actions = compilation.tables.actions(set(actions.0, patterns));
    let by_field = resource_set(compilation, resources.0, &resources.1, Wildcards::ByField);
    let plain = resource_set(compilation, resources.0, &resources.1, Wildcards::Plain);
    let condition = compilation.tables.condition(condition);
    Ok(Some(compilation.tables.statement(Compiled {
        actions,
        by_field,
        plain,
        condition,
    })))
}

/// A set in a form that equal sets share: everything swallows its other members.
fn set(is_complement: bool, mut patterns: Vec<PatternId>) -> PatternSet {
    patterns.sort_unstable();
    patterns.dedup();
    if patterns.contains(&Tables::EVERYTHING) {
        patterns = vec![Tables::EVERYTHING];
    }
    PatternSet {
        is_complement,
        patterns,
    }
}

/// The pattern of an action in lower case. An action has one `:`, so wildcards beside it match none.
pub(crate) fn action_pattern(tables: &mut Tables<'_>, text: &str) -> PatternId {
    if text == "*:*" {
        return Tables::EVERYTHING;
    }
    let has_colon = text.contains(':');
    let tokens = text.chars().map(|c| match (c, has_colon) {
        ('*', true) => Token::ManyInField,
        ('*', false) => Token::Many,
        ('?', true) => Token::OneInField,
        ('?', false) => Token::One,
        (c, _) => Token::Char(c),
    });
    let tokens = tokens.collect();
    tables.pattern(tokens)
}

/// The resources that patterns name.
pub(crate) fn resource_set(
    compilation: &mut Compilation<'_, '_, '_>,
    is_complement: bool,
    texts: &[&str],
    wildcards: Wildcards,
) -> ResourcesId {
    let patterns = texts
        .iter()
        .map(|text| resource_pattern(compilation, text, wildcards))
        .collect();
    compilation.tables.resources(set(is_complement, patterns))
}

fn resource_pattern(compilation: &mut Compilation<'_, '_, '_>, text: &str, wildcards: Wildcards) -> PatternId {
    let mut compiled = compilation.tokens(text, wildcards, false);
    let is_everything = compiled
        .tokens
        .iter()
        .all(|token| matches!(token, Token::Many | Token::ManyInField));
    if is_everything {
        return Tables::EVERYTHING;
    }
    // What AWS does with an ARN of fewer fields is not documented.
    let is_readable = field_count(&compiled.tokens) >= 6;
    if !is_readable {
        compiled = compilation.tokens(text, Wildcards::Plain, false);
    }
    let pattern = compilation.tables.pattern(compiled.tokens.clone());
    if !is_readable || !compilation.tables.get_pattern(pattern).is_exact() {
        let literal = compilation.free_match(&compiled, pattern);
        compilation.tables.set_pattern_atom(pattern, literal);
    }
    pattern
}
