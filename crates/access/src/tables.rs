//! Everything that occurs in policies, once: patterns, sets, conditions, statements, by number. Equal things have
//! equal numbers, so that what was decided about them once holds for every principal.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bits::Bits;
use crate::condition::{Atom, Literal, SolveMemo};
use crate::data::IamData;
use crate::search::SearchMemo;
use crate::text::{Pattern, Token};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u32);
    )*};
}

ids! {
    /// A pattern.
    PatternId,
    /// A set of actions.
    ActionsId,
    /// A set of resources.
    ResourcesId,
    /// A conjunction of literals.
    ConditionId,
    /// A condition of which only truth or falsehood matters.
    AtomId,
    /// A condition key.
    KeyId,
    /// A statement.
    StatementId
}

/// Things by number, numbers by thing.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    items: Vec<Arc<T>>,
    numbers: BTreeMap<Arc<T>, u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }
}

impl<T: Ord> Interner<T> {
    fn number(&mut self, item: T) -> u32 {
        if let Some(number) = self.numbers.get(&item) {
            return *number;
        }
        #[expect(clippy::cast_possible_truncation, reason = "memory ends long before")]
        let number = self.items.len() as u32;
        let item = Arc::new(item);
        self.items.push(item.clone());
        self.numbers.insert(item, number);
        number
    }

    fn get(&self, number: u32) -> &Arc<T> {
        &self.items[number as usize]
    }
}

/// A union of patterns, or what none of them matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PatternSet {
    /// Whether it is what the patterns do not match.
    pub(crate) is_complement: bool,
    /// Sorted.
    pub(crate) patterns: Vec<PatternId>,
}

/// A key of conditions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// In lower case.
    pub(crate) name: String,
}

/// What a statement matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Compiled {
    pub(crate) actions: ActionsId,
    /// Where wildcards in the first five fields of an ARN do not match `:`.
    pub(crate) by_field: ResourcesId,
    /// Where they do.
    pub(crate) plain: ResourcesId,
    pub(crate) condition: ConditionId,
}

/// Resources under a condition: a statement without its actions, in one of the two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) resources: ResourcesId,
    pub(crate) condition: ConditionId,
}

/// How far wildcards reach in the first five fields of a resource's ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    /// To the next `:`.
    ByField,
    /// Over any text.
    Plain,
}

impl Compiled {
    pub(crate) fn part(&self, reading: Reading) -> Part {
        Part {
            resources: match reading {
                Reading::ByField => self.by_field,
                Reading::Plain => self.plain,
            },
            condition: self.condition,
        }
    }
}

/// All that has a number, and all that was decided about it.
#[derive(Debug)]
pub(crate) struct Tables<'d> {
    pub(crate) data: &'d IamData,
    patterns: Vec<Arc<Pattern>>,
    pattern_numbers: BTreeMap<Vec<Token>, PatternId>,
    actions: Interner<PatternSet>,
    action_bits: BTreeMap<ActionsId, Arc<Bits>>,
    pattern_bits: BTreeMap<PatternId, Arc<Bits>>,
    resources: Interner<PatternSet>,
    conditions: Interner<Vec<Literal>>,
    atoms: Interner<Atom>,
    keys: Interner<Key>,
    statements: Interner<Compiled>,
    unknowns: Interner<String>,
    /// Patterns that match less than searches see: with the atom that says whether they do match.
    pattern_atoms: BTreeMap<PatternId, Literal>,
    pub(crate) solved: SolveMemo,
    pub(crate) searched: SearchMemo,
}

impl<'d> Tables<'d> {
    pub(crate) const EVERYTHING: PatternId = PatternId(0);
    pub(crate) const ALWAYS: ConditionId = ConditionId(0);

    pub(crate) fn new(data: &'d IamData) -> Self {
        let mut tables = Self {
            data,
            patterns: Vec::new(),
            pattern_numbers: BTreeMap::new(),
            actions: Interner::default(),
            action_bits: BTreeMap::new(),
            pattern_bits: BTreeMap::new(),
            resources: Interner::default(),
            conditions: Interner::default(),
            atoms: Interner::default(),
            keys: Interner::default(),
            statements: Interner::default(),
            unknowns: Interner::default(),
            pattern_atoms: BTreeMap::new(),
            solved: SolveMemo::default(),
            searched: SearchMemo::default(),
        };
        tables.pattern(vec![Token::Many]);
        tables.condition(Vec::new());
        tables
    }

    pub(crate) fn pattern(&mut self, tokens: Vec<Token>) -> PatternId {
        let pattern = Pattern::new(tokens);
        if let Some(id) = self.pattern_numbers.get(pattern.tokens()) {
            return *id;
        }
        #[expect(clippy::cast_possible_truncation, reason = "memory ends long before")]
        let id = PatternId(self.patterns.len() as u32);
        self.pattern_numbers.insert(pattern.tokens().to_vec(), id);
        self.patterns.push(Arc::new(pattern));
        id
    }

    pub(crate) fn get_pattern(&self, id: PatternId) -> &Arc<Pattern> {
        &self.patterns[id.0 as usize]
    }

    /// Says that a pattern matches a text that searches see it match only if an atom holds.
    pub(crate) fn set_pattern_atom(&mut self, pattern: PatternId, literal: Literal) {
        self.pattern_atoms.insert(pattern, literal);
    }

    pub(crate) fn pattern_atom(&self, pattern: PatternId) -> Option<Literal> {
        self.pattern_atoms.get(&pattern).copied()
    }

    pub(crate) fn actions(&mut self, set: PatternSet) -> ActionsId {
        ActionsId(self.actions.number(set))
    }

    pub(crate) fn get_actions(&self, id: ActionsId) -> &Arc<PatternSet> {
        self.actions.get(id.0)
    }

    pub(crate) fn resources(&mut self, set: PatternSet) -> ResourcesId {
        ResourcesId(self.resources.number(set))
    }

    pub(crate) fn get_resources(&self, id: ResourcesId) -> &Arc<PatternSet> {
        self.resources.get(id.0)
    }

    pub(crate) fn condition(&mut self, mut literals: Vec<Literal>) -> ConditionId {
        literals.sort_unstable();
        literals.dedup();
        ConditionId(self.conditions.number(literals))
    }

    pub(crate) fn get_condition(&self, id: ConditionId) -> &Arc<Vec<Literal>> {
        self.conditions.get(id.0)
    }

    pub(crate) fn atom(&mut self, atom: Atom) -> AtomId {
        AtomId(self.atoms.number(atom))
    }

    pub(crate) fn get_atom(&self, id: AtomId) -> &Arc<Atom> {
        self.atoms.get(id.0)
    }

    pub(crate) fn key(&mut self, name: &str) -> KeyId {
        let name = name.to_ascii_lowercase();
        KeyId(self.keys.number(Key { name }))
    }

    pub(crate) fn get_key(&self, id: KeyId) -> &str {
        &self.keys.get(id.0).name
    }

    /// The number of a text that is not known, by what it is called.
    pub(crate) fn unknown(&mut self, name: String) -> u32 {
        self.unknowns.number(name)
    }

    pub(crate) fn statement(&mut self, statement: Compiled) -> StatementId {
        StatementId(self.statements.number(statement))
    }

    pub(crate) fn get_statement(&self, id: StatementId) -> Compiled {
        **self.statements.get(id.0)
    }

    /// The listed actions that a pattern matches.
    pub(crate) fn bits_of_pattern(&mut self, id: PatternId) -> Arc<Bits> {
        if let Some(bits) = self.pattern_bits.get(&id) {
            return bits.clone();
        }
        let bits = Arc::new(self.data.expand(&self.render(id)));
        self.pattern_bits.insert(id, bits.clone());
        bits
    }

    /// The listed actions of a set.
    pub(crate) fn bits_of(&mut self, id: ActionsId) -> Arc<Bits> {
        if let Some(bits) = self.action_bits.get(&id) {
            return bits.clone();
        }
        let set = self.get_actions(id).clone();
        let count = self.data.actions().len();
        let mut bits = Bits::new(count);
        for pattern in &set.patterns {
            let literal = self.get_pattern(*pattern).literal();
            match literal.map(|name| self.data.index_of(&name)) {
                Some(Some(index)) => bits.insert(index),
                Some(None) => {}
                None => bits.unite(&self.bits_of_pattern(*pattern)),
            }
        }
        if set.is_complement {
            bits = bits.complement(count);
        }
        let bits = Arc::new(bits);
        self.action_bits.insert(id, bits.clone());
        bits
    }

    /// Whether a set has an action of this name, which is in lower case.
    pub(crate) fn has_name(&self, id: ActionsId, name: &str) -> bool {
        let set = self.get_actions(id);
        set.patterns
            .iter()
            .any(|pattern| self.get_pattern(*pattern).matches(name))
            != set.is_complement
    }

    /// A pattern as a policy's author would write it.
    pub(crate) fn render(&self, id: PatternId) -> String {
        self.render_tokens(self.get_pattern(id).tokens())
    }

    pub(crate) fn render_tokens(&self, tokens: &[Token]) -> String {
        let mut text = String::new();
        for token in tokens {
            match token {
                Token::Char(c) | Token::Fold(c) => text.push(*c),
                Token::One | Token::OneInField => text.push('?'),
                Token::Many | Token::ManyInField => text.push('*'),
                Token::Unknown(number) => text.push_str(self.unknowns.get(*number)),
            }
        }
        text
    }

    /// How much the tables hold, for measurements.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.patterns.len(), self.statements.items.len())
    }
}
