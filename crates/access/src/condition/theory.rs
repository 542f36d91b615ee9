//! Whether one condition key can have values that make some atoms true and others false.

use super::values::{Wish, find_address, find_moment, find_number};
use super::{Atom, Literal, Test, Values};
use crate::tables::{KeyId, PatternId, Tables};
use crate::text::Explored;

/// Values of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyModel {
    /// `None` where the request lacks the key.
    pub(crate) values: Option<Vec<String>>,
    /// Whether a request can surely have them; otherwise they rest on something that is not known.
    pub(crate) is_certain: bool,
}

/// Whether there is something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// There is nothing.
    Nothing,
    /// There is this.
    Something(T),
    /// The search had to stop.
    Undecided,
}

/// How many positions one search for a value may visit.
const BUDGET: usize = 20_000;
/// How many ways to pick one pattern from each of several sets are tried.
const CHOICES: usize = 512;

/// A test and whether a value is to be among its values.
type Demand<'a> = (&'a Values, bool);

impl Tables<'_> {
    /// Values of a key under which all these literals hold. Literals of other keys must not be among them.
    pub(super) fn key_model(&mut self, key: KeyId, literals: &[Literal], may_have_many: bool) -> Found<KeyModel> {
        let mut tests: Vec<(Test, bool)> = Vec::new();
        let (mut must_be_present, mut must_be_absent) = (false, false);
        for literal in literals {
            match &**self.get_atom(literal.atom) {
                Atom::Present(_) if literal.is_true => must_be_present = true,
                Atom::Present(_) => must_be_absent = true,
                Atom::Test(test) => tests.push((test.clone(), literal.is_true)),
                Atom::Free(_) => {}
            }
        }
        if !must_be_present && tests.iter().all(|(test, wanted)| test.if_absent == *wanted) {
            return Found::Something(KeyModel {
                values: None,
                is_certain: true,
            });
        }
        if must_be_absent {
            return Found::Nothing;
        }
        let demands: Vec<Demand<'_>> = tests.iter().map(|(test, wanted)| (&test.values, *wanted)).collect();
        let single = self.value(&demands);
        match single {
            Found::Something((value, is_certain)) => Found::Something(KeyModel {
                values: Some(vec![value]),
                is_certain,
            }),
            Found::Nothing if may_have_many => self.several_values(key, &tests),
            Found::Nothing => Found::Nothing,
            Found::Undecided => Found::Undecided,
        }
    }

    fn several_values(&mut self, key: KeyId, tests: &[(Test, bool)]) -> Found<KeyModel> {
        // What all values must fulfil, and what one of them must, which may be another one each time.
        let (mut all, mut some) = (Vec::new(), Vec::new());
        for (test, wanted) in tests {
            match (test.every, *wanted) {
                (true, true) => all.push((&test.values, true)),
                (true, false) => some.push((&test.values, false)),
                (false, true) => some.push((&test.values, true)),
                (false, false) => all.push((&test.values, false)),
            }
        }
        let mut values = Vec::new();
        let mut is_certain = true;
        for one in some {
            let mut demands = all.clone();
            demands.push(one);
            match self.value(&demands) {
                Found::Something((value, certain)) => {
                    values.push(value);
                    is_certain &= certain;
                }
                Found::Nothing => return Found::Nothing,
                Found::Undecided => return Found::Undecided,
            }
        }
        if values.is_empty() {
            // No value at all is the same as no key.
            return Found::Nothing;
        }
        values.sort_unstable();
        values.dedup();
        if values.len() > 1 {
            let has_one = self.data.may_have_many(self.get_key(key)) == Some(false);
            is_certain &= !has_one && tests.iter().all(|(test, _)| test.is_qualified);
        }
        Found::Something(KeyModel {
            values: Some(values),
            is_certain,
        })
    }

    /// One value that fulfils all demands, and whether it surely does.
    fn value(&mut self, demands: &[Demand<'_>]) -> Found<(String, bool)> {
        // A key of booleans has two values, however else it is compared.
        if demands.iter().any(|(values, _)| matches!(values, Values::Flags { .. })) {
            let fits = |text: &&str| {
                demands
                    .iter()
                    .all(|(values, wanted)| self.accepts(values, text) == *wanted)
            };
            return match ["true", "false"].iter().find(|text| fits(text)) {
                Some(text) => Found::Something(((*text).to_owned(), true)),
                None => Found::Nothing,
            };
        }
        let (mut texts, mut numbers, mut moments, mut networks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (values, wanted) in demands {
            match values {
                Values::Texts(patterns) => texts.push((patterns.as_slice(), *wanted)),
                Values::Numbers(relations) => numbers.push((relations.as_slice(), *wanted)),
                Values::Moments(relations) => moments.push((relations.as_slice(), *wanted)),
                Values::Networks(known) => networks.push((known.as_slice(), *wanted)),
                Values::Flags { .. } => {}
            }
        }
        let mut found: Vec<Option<String>> = Vec::new();
        if !numbers.is_empty() {
            found.push(find_number(&numbers));
        }
        if !moments.is_empty() {
            found.push(find_moment(&moments));
        }
        if !networks.is_empty() {
            found.push(find_address(&networks));
        }
        if !texts.is_empty() {
            match self.find_text(&texts) {
                Found::Something(text) => found.push(Some(text)),
                Found::Nothing => found.push(None),
                Found::Undecided => return Found::Undecided,
            }
        }
        // Where a key is compared as several kinds of values, each kind was looked at as if it were alone.
        let is_certain = found.len() < 2;
        match found.into_iter().collect::<Option<Vec<String>>>() {
            None => Found::Nothing,
            Some(found) => Found::Something((found.into_iter().next().unwrap_or_else(|| "x".to_owned()), is_certain)),
        }
    }

    /// Whether a text is among the values.
    pub(crate) fn accepts(&self, values: &Values, text: &str) -> bool {
        match values {
            Values::Texts(patterns) => self.any_matches(patterns, text),
            other => other.accept_parsed(text),
        }
    }

    fn any_matches(&self, patterns: &[PatternId], text: &str) -> bool {
        patterns.iter().any(|pattern| self.get_pattern(*pattern).matches(text))
    }

    /// A text that is in all wanted sets and in no unwanted one.
    fn find_text(&mut self, wishes: &[Wish<'_, PatternId>]) -> Found<String> {
        let mut wanted: Vec<&[PatternId]> = wishes
            .iter()
            .filter(|(_, wanted)| *wanted)
            .map(|(set, _)| *set)
            .collect();
        let mut unwanted: Vec<PatternId> = wishes
            .iter()
            .filter(|(_, wanted)| !wanted)
            .flat_map(|(set, _)| *set)
            .copied()
            .collect();
        unwanted.sort_unstable();
        unwanted.dedup();
        let fits = |tables: &Self, text: &str| {
            wishes
                .iter()
                .all(|(set, wanted)| tables.any_matches(set, text) == *wanted)
        };
        // A set of plain texts can be tried through.
        for set in &wanted {
            let texts: Option<Vec<String>> = set.iter().map(|pattern| self.get_pattern(*pattern).literal()).collect();
            if let Some(texts) = texts {
                return match texts.into_iter().find(|text| fits(self, text)) {
                    Some(text) => Found::Something(text),
                    None => Found::Nothing,
                };
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut choices: Vec<Vec<PatternId>> = vec![Vec::new()];
        for set in wanted {
            choices = choices
                .iter()
                .flat_map(|choice| set.iter().map(move |pattern| [choice.as_slice(), &[*pattern]].concat()))
                .collect();
            if choices.len() > CHOICES {
                return Found::Undecided;
            }
        }
        let mut budget = BUDGET;
        let mut is_undecided = false;
        for choice in choices {
            match self.text_between(&choice, &unwanted, &mut budget) {
                Explored::Found(text) => return Found::Something(text),
                Explored::Nothing => {}
                Explored::OverBudget => is_undecided = true,
            }
        }
        if is_undecided { Found::Undecided } else { Found::Nothing }
    }
}
