//! The search for a request: a resource that some patterns match, in a context that some conditions hold in, and that
//! none of several parts of statements matches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::condition::{Answer, Literal, Model, Problem};
use crate::tables::{ConditionId, Part, PatternId, ResourcesId, Tables};
use crate::text::{Explored, Pattern, Product, Step, Token};

/// What a request has to be, its action apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Question {
    /// Its resource matches all of these.
    pub(crate) guides: Vec<PatternId>,
    /// All of these hold in its context.
    pub(crate) conditions: Vec<ConditionId>,
    /// None of these matches it.
    pub(crate) avoided: Vec<Part>,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is no such request.
    Nothing,
    /// This one is.
    Found {
        /// Its resource.
        resource: String,
        /// Its context.
        model: Model,
    },
    /// The search had to stop.
    Undecided,
}

/// Questions that were answered.
#[derive(Debug, Default)]
pub(crate) struct SearchMemo {
    outcomes: BTreeMap<Question, Arc<Outcome>>,
    covers: BTreeMap<(ResourcesId, ResourcesId), bool>,
    implied: BTreeMap<(ConditionId, Vec<ConditionId>), bool>,
}

/// How many positions one search may visit.
const BUDGET: usize = 60_000;

impl Tables<'_> {
    /// Whether every text that `inner` matches is one that `outer` matches; `false` may be wrong.
    pub(crate) fn pattern_covers(&self, outer: PatternId, inner: PatternId) -> bool {
        if outer == inner {
            return true;
        }
        let (outer_pattern, inner_pattern) = (self.get_pattern(outer), self.get_pattern(inner));
        if outer_pattern.is_everything() {
            return true;
        }
        !self.is_unreadable(outer) && !self.is_unreadable(inner) && outer_pattern.covers(inner_pattern)
    }

    /// Whether a pattern's meaning is not known at all, which is more than that of a variable in it.
    fn is_unreadable(&self, pattern: PatternId) -> bool {
        self.pattern_atom(pattern).is_some() && self.get_pattern(pattern).is_exact()
    }

    /// Whether no text matches both; `false` may be wrong.
    pub(crate) fn patterns_are_apart(&self, one: PatternId, other: PatternId) -> bool {
        self.get_pattern(one).differs_at_the_beginning(self.get_pattern(other))
    }

    /// Whether every resource of `inner` is one of `outer`; `false` may be wrong.
    pub(crate) fn resources_cover(&mut self, outer: ResourcesId, inner: ResourcesId) -> bool {
        if outer == inner {
            return true;
        }
        if let Some(covers) = self.searched.covers.get(&(outer, inner)) {
            return *covers;
        }
        let (outer_set, inner_set) = (self.get_resources(outer).clone(), self.get_resources(inner).clone());
        let covers = if inner_set.is_complement {
            if outer_set.is_complement {
                let mut patterns = outer_set.patterns.iter();
                patterns.all(|out| inner_set.patterns.iter().any(|own| self.pattern_covers(*own, *out)))
            } else {
                outer_set.patterns.contains(&Tables::EVERYTHING)
            }
        } else {
            inner_set
                .patterns
                .iter()
                .all(|pattern| self.resources_cover_pattern(outer, *pattern))
        };
        self.searched.covers.insert((outer, inner), covers);
        covers
    }

    /// Whether every resource that a pattern matches is one of `outer`; `false` may be wrong.
    pub(crate) fn resources_cover_pattern(&self, outer: ResourcesId, pattern: PatternId) -> bool {
        let set = self.get_resources(outer);
        if set.is_complement {
            set.patterns.iter().all(|out| self.patterns_are_apart(*out, pattern))
        } else {
            set.patterns.binary_search(&pattern).is_ok()
                || set.patterns.iter().any(|own| self.pattern_covers(*own, pattern))
        }
    }

    /// Whether a condition holds wherever all the others hold; `false` may be wrong.
    pub(crate) fn is_implied(&mut self, condition: ConditionId, by: &[ConditionId]) -> bool {
        if condition == Tables::ALWAYS || by.contains(&condition) {
            return true;
        }
        let question = (condition, by.to_vec());
        if let Some(implied) = self.searched.implied.get(&question) {
            return *implied;
        }
        let units: Vec<Literal> = by
            .iter()
            .flat_map(|id| self.get_condition(*id).iter().copied())
            .collect();
        let literals = self.get_condition(condition).clone();
        let implied = literals.iter().all(|literal| {
            units.contains(literal) || {
                let mut units = units.clone();
                units.push(literal.negated());
                let problem = Problem {
                    units,
                    clauses: Vec::new(),
                };
                *self.solve(problem) == Answer::Impossible
            }
        });
        self.searched.implied.insert(question, implied);
        implied
    }

    /// A text that all `guides` match and no `other` does, as searches see them.
    pub(crate) fn text_between(&self, guides: &[PatternId], others: &[PatternId], budget: &mut usize) -> Explored {
        let everything = [Tables::EVERYTHING];
        let guides = if guides.is_empty() { &everything } else { guides };
        let is_match = |text: &str| {
            guides.iter().all(|guide| self.get_pattern(*guide).matches(text))
                && !others.iter().any(|other| self.get_pattern(*other).matches(text))
        };
        let star = self.unused_character(guides.iter().chain(others)).to_string();
        for guide in guides {
            let text = self.get_pattern(*guide).example(&star, 'y');
            if is_match(&text) {
                return Explored::Found(text);
            }
        }
        let pattern = |id: &PatternId| -> &Pattern { self.get_pattern(*id) };
        let product = Product::new(guides.iter().map(pattern), others.iter().map(pattern));
        product.explore(budget, |position| {
            if (0..others.len()).any(|other| position.accepts_all(other)) {
                Step::Prune
            } else if position.is_word() && !(0..others.len()).any(|other| position.accepts(other)) {
                Step::Stop
            } else {
                Step::Continue
            }
        })
    }

    /// A character that none of the patterns has, a letter if possible.
    fn unused_character<'a>(&self, patterns: impl Iterator<Item = &'a PatternId>) -> char {
        let mut used = BTreeSet::new();
        for id in patterns {
            for token in self.get_pattern(*id).tokens() {
                match token {
                    Token::Char(c) => drop(used.insert(*c)),
                    Token::Fold(c) => used.extend([*c, c.to_ascii_uppercase()]),
                    _ => {}
                }
            }
        }
        let plain = "xyzabcdefghijklmnopqrstuvw0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-".chars();
        plain
            .chain('\u{a1}'..=char::MAX)
            .find(|c| !used.contains(c))
            .unwrap_or('x')
    }

    /// Answers a question, or remembers the answer.
    pub(crate) fn search(&mut self, mut question: Question) -> Arc<Outcome> {
        self.reduce(&mut question);
        if let Some(outcome) = self.searched.outcomes.get(&question) {
            return outcome.clone();
        }
        let outcome = Arc::new(self.answer(&question));
        self.searched.outcomes.insert(question, outcome.clone());
        outcome
    }

    /// Leaves out what does not matter, so that equal questions are mostly the same.
    fn reduce(&self, question: &mut Question) {
        question.guides.sort_unstable();
        question.guides.dedup();
        let all = question.guides.clone();
        question.guides.retain(|guide| {
            // Of two patterns that cover each other the first stays.
            let is_superfluous = |other: &PatternId| {
                other != guide
                    && self.pattern_covers(*guide, *other)
                    && (!self.pattern_covers(*other, *guide) || other < guide)
                    && self.pattern_atom(*guide).is_none()
            };
            !all.iter().any(is_superfluous)
        });
        question.conditions.sort_unstable();
        question.conditions.dedup();
        question.conditions.retain(|condition| *condition != Tables::ALWAYS);
        question.avoided.sort_unstable();
        question.avoided.dedup();
        let guides = &question.guides;
        question.avoided.retain(|part| {
            let set = self.get_resources(part.resources);
            let is_apart = |pattern: &PatternId| guides.iter().any(|guide| self.patterns_are_apart(*guide, *pattern));
            set.is_complement || !set.patterns.iter().all(is_apart)
        });
    }

    fn answer(&mut self, question: &Question) -> Outcome {
        for part in &question.avoided {
            let is_covered = question
                .guides
                .iter()
                .any(|guide| self.resources_cover_pattern(part.resources, *guide));
            if is_covered && self.is_implied(part.condition, &question.conditions) {
                return Outcome::Nothing;
            }
        }
        if let [one, other] = question.guides[..]
            && self.patterns_are_apart(one, other)
        {
            return Outcome::Nothing;
        }
        let mut scene = Scene::new(self, question);
        let decided = match question.guides[..] {
            [guide] => scene.try_example(guide),
            _ => false,
        };
        if !decided {
            scene.walk();
        }
        scene.outcome()
    }
}

/// A question with its patterns numbered.
struct Scene<'t, 'd> {
    tables: &'t mut Tables<'d>,
    guides: Vec<PatternId>,
    /// What holds at every answer.
    units: Vec<Literal>,
    /// All patterns of the avoided parts.
    patterns: Vec<PatternId>,
    avoided: Vec<Avoided>,
    /// The sets of matching patterns that were looked at.
    seen: BTreeSet<Vec<bool>>,
    /// The surest answer so far, with its resource.
    best: Option<(String, Model)>,
    is_undecided: bool,
}

struct Avoided {
    is_complement: bool,
    /// Indexes of patterns.
    patterns: Vec<usize>,
    /// What its condition says.
    literals: Vec<Literal>,
    /// Whether its condition holds at every answer.
    is_implied: bool,
}

impl<'t, 'd> Scene<'t, 'd> {
    fn new(tables: &'t mut Tables<'d>, question: &Question) -> Self {
        let mut patterns: Vec<PatternId> = Vec::new();
        for part in &question.avoided {
            patterns.extend(&tables.get_resources(part.resources).patterns);
        }
        patterns.sort_unstable();
        patterns.dedup();
        let mut avoided = Vec::new();
        for part in &question.avoided {
            let set = tables.get_resources(part.resources).clone();
            let index = |pattern: &PatternId| patterns.binary_search(pattern).ok();
            avoided.push(Avoided {
                is_complement: set.is_complement,
                patterns: set.patterns.iter().filter_map(index).collect(),
                literals: tables.get_condition(part.condition).to_vec(),
                is_implied: tables.is_implied(part.condition, &question.conditions),
            });
        }
        let conditions = question.conditions.iter();
        let mut units: Vec<Literal> = conditions
            .flat_map(|id| tables.get_condition(*id).iter().copied())
            .collect();
        units.extend(question.guides.iter().filter_map(|guide| tables.pattern_atom(*guide)));
        Self {
            tables,
            guides: question.guides.clone(),
            units,
            patterns,
            avoided,
            seen: BTreeSet::new(),
            best: None,
            is_undecided: false,
        }
    }

    /// Tries the text that matches the guide and nothing that need not match; says whether that decides the question.
    fn try_example(&mut self, guide: PatternId) -> bool {
        let star = self
            .tables
            .unused_character(self.patterns.iter().chain([&guide]))
            .to_string();
        let text = self.tables.get_pattern(guide).example(&star, 'y');
        let matches: Vec<bool> = self
            .patterns
            .iter()
            .map(|pattern| self.tables.get_pattern(*pattern).matches(&text))
            .collect();
        if !text.is_empty() {
            self.look_at(matches.clone(), || text);
            if self.is_certain() {
                return true;
            }
        }
        // Where every pattern that matches the example matches all texts of the guide, any other text is matched by
        // more of the avoided parts, unless leaving a pattern out is what makes a part match.
        let is_inevitable: Vec<bool> = self
            .patterns
            .iter()
            .map(|pattern| {
                self.tables
                    .get_pattern(*pattern)
                    .covers_in_searches(self.tables.get_pattern(guide))
            })
            .collect();
        let is_minimal = is_inevitable == matches;
        let is_fixed =
            |index: usize| is_inevitable[index] || self.tables.patterns_are_apart(self.patterns[index], guide);
        is_minimal
            && self
                .avoided
                .iter()
                .all(|part| !part.is_complement || part.patterns.iter().all(|index| is_fixed(*index)))
    }

    fn is_certain(&self) -> bool {
        self.best.as_ref().is_some_and(|(_, model)| model.is_certain)
    }

    /// Looks at texts that match these patterns and no others.
    fn look_at(&mut self, matches: Vec<bool>, text: impl FnOnce() -> String) {
        if self.seen.contains(&matches) {
            return;
        }
        let clauses = self.clauses(&matches);
        self.seen.insert(matches);
        let Some(clauses) = clauses else { return };
        let units = self.units.clone();
        match &*self.tables.solve(Problem { units, clauses }) {
            Answer::Impossible => {}
            Answer::Undecided => self.is_undecided = true,
            Answer::Possible(model) => {
                if self
                    .best
                    .as_ref()
                    .is_none_or(|(_, best)| model.is_certain && !best.is_certain)
                {
                    self.best = Some((text(), model.clone()));
                }
            }
        }
    }

    /// What has to hold so that no avoided part matches; `None` where one does in any context.
    fn clauses(&self, matches: &[bool]) -> Option<Vec<Vec<Literal>>> {
        let mut clauses = Vec::new();
        for part in &self.avoided {
            let matching = part.patterns.iter().filter(|index| matches[**index]);
            let atoms: Vec<Option<Literal>> = matching
                .map(|index| self.tables.pattern_atom(self.patterns[*index]))
                .collect();
            let is_sure = atoms.contains(&None);
            let not_condition = part.literals.iter().map(|literal| literal.negated());
            match (part.is_complement, is_sure) {
                (true, true) => {}
                (true, false) => clauses.push(atoms.into_iter().flatten().chain(not_condition).collect()),
                (false, true) => clauses.push(not_condition.collect()),
                (false, false) => {
                    for atom in atoms.into_iter().flatten() {
                        clauses.push(not_condition.clone().chain([atom.negated()]).collect());
                    }
                }
            }
        }
        (!clauses.iter().any(Vec::is_empty)).then_some(clauses)
    }

    /// Looks at every kind of text that the guides match.
    fn walk(&mut self) {
        let owned = |tables: &Tables<'d>, ids: &[PatternId]| -> Vec<Arc<Pattern>> {
            ids.iter().map(|id| tables.get_pattern(*id).clone()).collect()
        };
        let (guides, others) = (owned(self.tables, &self.guides), owned(self.tables, &self.patterns));
        let is_sure: Vec<bool> = self
            .patterns
            .iter()
            .map(|id| self.tables.pattern_atom(*id).is_none())
            .collect();
        let product = Product::new(guides.iter().map(|p| &**p), others.iter().map(|p| &**p));
        let mut budget = BUDGET;
        let explored = product.explore(&mut budget, |position| {
            let is_lost = self.avoided.iter().any(|part| {
                part.is_implied
                    && if part.is_complement {
                        part.patterns.iter().all(|index| position.is_dead(*index))
                    } else {
                        part.patterns
                            .iter()
                            .any(|index| is_sure[*index] && position.accepts_all(*index))
                    }
            });
            if is_lost {
                return Step::Prune;
            }
            if position.is_word() && !position.is_empty() {
                let matches = (0..others.len()).map(|other| position.accepts(other)).collect();
                self.look_at(matches, || position.text());
                if self.is_certain() {
                    return Step::Stop;
                }
            }
            Step::Continue
        });
        if explored == Explored::OverBudget {
            self.is_undecided = true;
        }
    }

    fn outcome(self) -> Outcome {
        match self.best {
            Some((resource, model)) if model.is_certain || !self.is_undecided => Outcome::Found { resource, model },
            None if !self.is_undecided => Outcome::Nothing,
            _ => Outcome::Undecided,
        }
    }
}
