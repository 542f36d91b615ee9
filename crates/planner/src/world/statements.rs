//! Numbers for statements, so that sets of them are cheap, and what of each decides whether one can stand in another's
//! way. Who holds them is none of this module's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trueup_model::{
    PolicyDocument,
    document::{Effect as StatementEffect, Statement},
    glob_matches,
};

use crate::identity::{Changed, Dependence};

/// Statements of one document, split by what they do and numbered by an [`Interner`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(super) allows: BTreeSet<u32>,
    pub(super) denies: BTreeSet<u32>,
    /// Non-white-space characters.
    pub(super) size: usize,
    /// What was read; `None` where nothing was.
    pub(super) document: Option<PolicyDocument>,
}

/// A permission that nobody is an administrator without.
const ADMINISTERS: &str = "iam:attachuserpolicy";

fn may_administer(statement: &Statement) -> bool {
    let matches = |patterns: Vec<&str>| {
        let mut patterns = patterns.into_iter();
        patterns.any(|pattern| glob_matches(&pattern.to_ascii_lowercase(), ADMINISTERS))
    };
    if statement.has("NotAction") {
        !matches(statement.not_actions())
    } else {
        matches(statement.actions())
    }
}

/// Numbers from here on are those of statements that mean something else than at first; far more than an account holds.
const MEANINGS: u32 = 1 << 24;

/// The number of a statement, whatever it means for somebody.
pub(crate) fn without_meaning(number: u32) -> u32 {
    number % MEANINGS
}

/// What is kept of a statement.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) statement: Option<Statement>,
    pub(super) dependence: Dependence,
    /// Whether it may allow what every administrator is allowed.
    pub(super) may_administer: bool,
    /// Whether nobody who holds it can do anything.
    pub(super) denies_everything: bool,
    /// The services of its actions; `None` where it may be about all.
    services: Option<BTreeSet<String>>,
}

impl Known {
    /// Whether there may be a request that both are about.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        match (&self.services, &other.services) {
            (Some(mine), Some(others)) => !mine.is_disjoint(others),
            _ => true,
        }
    }
}

/// The services of a statement's actions, without regard to case, as IAM has none; `None` where they are not all named.
fn services(statement: &Statement) -> Option<BTreeSet<String>> {
    if statement.has("NotAction") || !statement.has("Action") {
        return None;
    }
    let services = statement.actions().into_iter().map(|action| {
        let (service, _) = action.split_once(':')?;
        (!service.contains(['*', '?'])).then(|| service.to_ascii_lowercase())
    });
    services.collect()
}

/// Numbers of distinct statements, so that sets of them are cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct Interner {
    numbers: BTreeMap<String, u32>,
    statements: Vec<Known>,
    /// Contents of documents met before, by canonical text: reading one takes far longer than finding it.
    contents: BTreeMap<String, Arc<Content>>,
}

impl Interner {
    fn number(&mut self, key: String, statement: Option<&Statement>) -> u32 {
        let next = u32::try_from(self.statements.len()).unwrap_or(u32::MAX);
        if let Some(known) = self.numbers.get(&key) {
            return *known;
        }
        let dependence = match statement {
            Some(statement) => Dependence::of_statement(statement.canonical_text()),
            None => Dependence::Unknown,
        };
        self.statements.push(Known {
            statement: statement.cloned(),
            dependence,
            may_administer: statement.is_none_or(may_administer),
            denies_everything: statement.is_some_and(Statement::denies_everything),
            services: statement.and_then(services),
        });
        self.numbers.insert(key, next);
        next
    }

    /// The number of what the statement means for a user of whom so much has changed.
    pub(super) fn meaning(&self, number: u32, changed: &Changed) -> u32 {
        let meaning = self
            .statements
            .get(number as usize)
            .map_or(0, |known| known.dependence.meaning(changed));
        number + meaning * MEANINGS
    }

    /// What is kept of a statement, whatever it means for somebody.
    pub(super) fn known(&self, number: u32) -> Option<&Known> {
        self.statements.get(without_meaning(number) as usize)
    }

    /// The content of a document.
    pub(super) fn content(&mut self, document: &PolicyDocument) -> Arc<Content> {
        if let Some(known) = self.contents.get(document.canonical_text()) {
            // Layout and spelling count for quotas, not for meaning.
            let size = document.size();
            return if known.size == size {
                Arc::clone(known)
            } else {
                Arc::new(Content {
                    size,
                    ..(**known).clone()
                })
            };
        }
        let content = Arc::new(self.read_content(document));
        self.contents
            .insert(document.canonical_text().to_owned(), Arc::clone(&content));
        content
    }

    fn read_content(&mut self, document: &PolicyDocument) -> Content {
        let mut content = Content {
            size: document.size(),
            document: Some(document.clone()),
            ..Content::default()
        };
        if document.is_opaque() {
            // Nothing is known of it, so it counts as an allow and as a deny of its own.
            let number = self.number(format!("opaque {}", document.as_text()), None);
            content.allows.insert(number);
            content.denies.insert(number);
            return content;
        }
        for statement in document.statements() {
            // The id of a statement has no effect on access.
            let unnamed = statement.sid().map(|_| statement.without_sid());
            let text = unnamed.as_ref().unwrap_or(statement).canonical_text();
            // `${…}` is a variable under version 2012-10-17 and literal text before.
            let version = if text.contains("${") {
                document.effective_version().unwrap_or_default()
            } else {
                ""
            };
            let number = self.number(format!("{version} {text}"), Some(statement));
            match statement.effect() {
                StatementEffect::Allow => {
                    content.allows.insert(number);
                }
                StatementEffect::Deny => {
                    content.denies.insert(number);
                }
                StatementEffect::Other(_) => {
                    content.allows.insert(number);
                    content.denies.insert(number);
                }
            }
        }
        content
    }
}
