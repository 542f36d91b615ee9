//! Whether some context makes some literals true, and of each of several groups of literals at least one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::theory::{Found, KeyModel};
use super::{Atom, Literal};
use crate::tables::{KeyId, Tables};

/// What a context has to fulfil.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// All of these.
    pub(crate) units: Vec<Literal>,
    /// Of each of these at least one.
    pub(crate) clauses: Vec<Vec<Literal>>,
}

/// A context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    /// Values by key; keys that do not matter are left out.
    pub(crate) keys: BTreeMap<KeyId, KeyModel>,
    /// The free atoms that it rests on.
    pub(crate) assumed: Vec<Literal>,
    /// Whether a request can surely have this context.
    pub(crate) is_certain: bool,
}

/// The answer to a [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No context does.
    Impossible,
    /// This one does.
    Possible(Model),
    /// The search had to stop.
    Undecided,
}

/// Problems that were solved.
#[derive(Debug, Default)]
pub(crate) struct SolveMemo {
    answers: BTreeMap<Problem, Arc<Answer>>,
    keys: BTreeMap<(Vec<Literal>, bool), Found<KeyModel>>,
}

/// How many choices one search may make.
const BUDGET: usize = 20_000;

impl Problem {
    /// Brings it into a form in which equal problems are mostly equal; `None` where it has no solution.
    fn simplify(mut self) -> Option<Self> {
        self.units.sort_unstable();
        self.units.dedup();
        let units: BTreeSet<Literal> = self.units.iter().copied().collect();
        if units.iter().any(|literal| units.contains(&literal.negated())) {
            return None;
        }
        let mut clauses: Vec<Vec<Literal>> = Vec::new();
        for mut clause in self.clauses {
            if clause.iter().any(|literal| units.contains(literal)) {
                continue;
            }
            clause.retain(|literal| !units.contains(&literal.negated()));
            if clause.is_empty() {
                return None;
            }
            clause.sort_unstable();
            clause.dedup();
            clauses.push(clause);
        }
        // What has fewer ways to be fulfilled comes first, and makes what contains it superfluous.
        clauses.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        clauses.dedup();
        let mut kept: Vec<Vec<Literal>> = Vec::new();
        for clause in clauses {
            let is_implied = |smaller: &Vec<Literal>| smaller.iter().all(|literal| clause.contains(literal));
            if !kept.iter().any(is_implied) {
                kept.push(clause);
            }
        }
        Some(Self {
            units: self.units,
            clauses: kept,
        })
    }
}

impl Tables<'_> {
    /// Solves a problem, or remembers how it was solved.
    pub(crate) fn solve(&mut self, problem: Problem) -> Arc<Answer> {
        let Some(problem) = problem.simplify() else {
            return Arc::new(Answer::Impossible);
        };
        if let Some(answer) = self.solved.answers.get(&problem) {
            return answer.clone();
        }
        let mut answer = Solver::new(self, &problem, false).run();
        if matches!(&answer, Answer::Possible(model) if !model.is_certain)
            && let Answer::Possible(model) = Solver::new(self, &problem, true).run()
        {
            answer = Answer::Possible(model);
        }
        let answer = Arc::new(answer);
        self.solved.answers.insert(problem, answer.clone());
        answer
    }

    fn remembered_key_model(&mut self, key: KeyId, literals: &[Literal], may_have_many: bool) -> Found<KeyModel> {
        let question = (literals.to_vec(), may_have_many);
        if let Some(found) = self.solved.keys.get(&question) {
            return found.clone();
        }
        let found = self.key_model(key, literals, may_have_many);
        self.solved.keys.insert(question, found.clone());
        found
    }
}

struct Solver<'t, 'd> {
    tables: &'t mut Tables<'d>,
    problem: &'t Problem,
    /// Whether only models count that a request can surely have.
    is_strict: bool,
    /// Keys that may have several values in one request.
    with_many: BTreeSet<KeyId>,
    chosen: BTreeSet<Literal>,
    by_key: BTreeMap<KeyId, Vec<Literal>>,
    models: BTreeMap<KeyId, KeyModel>,
    budget: usize,
    is_undecided: bool,
}

impl<'t, 'd> Solver<'t, 'd> {
    fn new(tables: &'t mut Tables<'d>, problem: &'t Problem, is_strict: bool) -> Self {
        let mut with_many = BTreeSet::new();
        for literal in problem.units.iter().chain(problem.clauses.iter().flatten()) {
            if let Atom::Test(test) = &**tables.get_atom(literal.atom)
                && (test.is_qualified || tables.data.may_have_many(tables.get_key(test.key)) == Some(true))
            {
                with_many.insert(test.key);
            }
        }
        Self {
            tables,
            problem,
            is_strict,
            with_many,
            chosen: BTreeSet::new(),
            by_key: BTreeMap::new(),
            models: BTreeMap::new(),
            budget: BUDGET,
            is_undecided: false,
        }
    }

    fn run(mut self) -> Answer {
        let problem = self.problem;
        let fits = problem.units.iter().all(|literal| self.choose(*literal));
        let model = if fits { self.fulfil(0) } else { None };
        match model {
            Some(model) => Answer::Possible(model),
            None if self.is_undecided => Answer::Undecided,
            None => Answer::Impossible,
        }
    }

    /// Fulfils the clauses from this one on.
    fn fulfil(&mut self, from: usize) -> Option<Model> {
        let problem = self.problem;
        let Some(clause) = problem.clauses.get(from) else {
            let model = self.model();
            return (model.is_certain || !self.is_strict).then_some(model);
        };
        if clause.iter().any(|literal| self.chosen.contains(literal)) {
            return self.fulfil(from + 1);
        }
        for literal in clause {
            if self.chosen.contains(&literal.negated()) {
                continue;
            }
            let Some(budget) = self.budget.checked_sub(1) else {
                self.is_undecided = true;
                return None;
            };
            self.budget = budget;
            let before = (self.by_key.clone(), self.models.clone());
            if self.choose(*literal)
                && let Some(model) = self.fulfil(from + 1)
            {
                return Some(model);
            }
            self.chosen.remove(literal);
            (self.by_key, self.models) = before;
        }
        None
    }

    /// Adds a literal; `false` where no values of its key allow that.
    fn choose(&mut self, literal: Literal) -> bool {
        if !self.chosen.insert(literal) {
            return true;
        }
        let key = match &**self.tables.get_atom(literal.atom) {
            Atom::Present(key) => *key,
            Atom::Test(test) => test.key,
            Atom::Free(_) => return true,
        };
        let literals = self.by_key.entry(key).or_default();
        literals.push(literal);
        literals.sort_unstable();
        match self
            .tables
            .remembered_key_model(key, literals, self.with_many.contains(&key))
        {
            Found::Something(model) => {
                self.models.insert(key, model);
                true
            }
            Found::Nothing => false,
            Found::Undecided => {
                self.is_undecided = true;
                false
            }
        }
    }

    fn model(&self) -> Model {
        let mut uses: BTreeMap<KeyId, usize> = BTreeMap::new();
        for literal in &self.chosen {
            for key in self.tables.get_atom(literal.atom).keys() {
                *uses.entry(*key).or_default() += 1;
            }
        }
        let mut assumed = Vec::new();
        let mut is_certain = self.models.values().all(|model| model.is_certain);
        for literal in &self.chosen {
            if let Atom::Free(free) = &**self.tables.get_atom(literal.atom) {
                assumed.push(*literal);
                is_certain &= free.is_open && free.keys.iter().all(|key| uses.get(key) == Some(&1));
            }
        }
        Model {
            keys: self.models.clone(),
            assumed,
            is_certain,
        }
    }
}
