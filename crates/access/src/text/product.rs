//! A breadth-first walk through several patterns at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Automaton, Pattern};

/// Patterns to walk through: texts that all `guides` match, and which of the `others` match them.
pub(crate) struct Product<'a> {
    guides: Vec<&'a Automaton>,
    others: Vec<&'a Automaton>,
}

/// Where a walk stands after some text.
pub(crate) struct Position<'a> {
    product: &'a Product<'a>,
    states: &'a [u32],
    trail: &'a [(u32, char)],
    at: u32,
}

impl Position<'_> {
    /// Whether this is before the first character.
    pub(crate) fn is_empty(&self) -> bool {
        self.at == u32::MAX
    }

    /// The text so far.
    pub(crate) fn text(&self) -> String {
        spell(self.trail, self.at)
    }

    /// Whether all guides match the text so far.
    pub(crate) fn is_word(&self) -> bool {
        let guides = self.product.guides.iter().zip(self.states);
        guides.into_iter().all(|(guide, state)| guide.accepts_in(*state))
    }

    /// Whether the other pattern of this number matches the text so far.
    pub(crate) fn accepts(&self, other: usize) -> bool {
        self.product.others[other].accepts_in(self.states[self.product.guides.len() + other])
    }

    /// Whether it matches every text that begins like this.
    pub(crate) fn accepts_all(&self, other: usize) -> bool {
        self.product.others[other].accepts_all_from(self.states[self.product.guides.len() + other])
    }

    /// Whether it matches no text that begins like this.
    pub(crate) fn is_dead(&self, other: usize) -> bool {
        self.states[self.product.guides.len() + other] == Automaton::DEAD
    }
}

/// What to do at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Go on from here.
    Continue,
    /// Nothing that begins like this is of interest.
    Prune,
    /// This text is the one.
    Stop,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Explored {
    /// No text is of interest.
    Nothing,
    /// At this text, one of the shortest.
    Found(String),
    /// More positions than the budget allowed.
    OverBudget,
}

impl<'a> Product<'a> {
    pub(crate) fn new(
        guides: impl IntoIterator<Item = &'a Pattern>,
        others: impl IntoIterator<Item = &'a Pattern>,
    ) -> Self {
        Self {
            guides: guides.into_iter().map(Pattern::automaton).collect(),
            others: others.into_iter().map(Pattern::automaton).collect(),
        }
    }

    /// Visits every distinguishable position once, shortest texts first.
    pub(crate) fn explore(&self, budget: &mut usize, mut visit: impl FnMut(&Position<'_>) -> Step) -> Explored {
        let automata: Vec<&Automaton> = self.guides.iter().chain(&self.others).copied().collect();
        let start: Box<[u32]> = automata.iter().map(|automaton| automaton.start()).collect();
        let mut seen: BTreeSet<Box<[u32]>> = BTreeSet::from([start.clone()]);
        let mut trail: Vec<(u32, char)> = Vec::new();
        let mut queue: VecDeque<(Box<[u32]>, u32)> = VecDeque::from([(start, u32::MAX)]);
        while let Some((states, at)) = queue.pop_front() {
            let Some(left) = budget.checked_sub(1) else {
                return Explored::OverBudget;
            };
            *budget = left;
            let position = Position {
                product: self,
                states: &states,
                trail: &trail,
                at,
            };
            match visit(&position) {
                Step::Stop => return Explored::Found(spell(&trail, at)),
                Step::Prune => continue,
                Step::Continue => {}
            }
            for (character, next) in self.successors(&automata, &states) {
                if seen.insert(next.clone()) {
                    #[expect(clippy::cast_possible_truncation, reason = "the budget ends long before")]
                    let step = trail.len() as u32;
                    trail.push((at, character));
                    queue.push_back((next, step));
                }
            }
        }
        Explored::Nothing
    }

    /// Positions after one more character, of each kind of character one.
    fn successors(&self, automata: &[&Automaton], states: &[u32]) -> impl Iterator<Item = (char, Box<[u32]>)> {
        let guides = self.guides.len();
        let mut characters = BTreeSet::new();
        for (automaton, state) in automata.iter().zip(states) {
            characters.extend(automaton.explicit(*state));
        }
        let mut next: BTreeMap<Box<[u32]>, char> = BTreeMap::new();
        let mut order: Vec<Box<[u32]>> = Vec::new();
        let mut offer = |character: char, after: Box<[u32]>| {
            let is_dead = after[..guides].contains(&Automaton::DEAD);
            if !is_dead && !next.contains_key(&after) {
                next.insert(after.clone(), character);
                order.push(after);
            }
        };
        // A character that no pattern names keeps away from most patterns, so it comes first.
        let otherwise = automata
            .iter()
            .zip(states)
            .map(|(automaton, state)| automaton.otherwise(*state));
        offer(fresh(&characters), otherwise.collect());
        for character in &characters {
            let after = automata.iter().zip(states);
            offer(
                *character,
                after
                    .map(|(automaton, state)| automaton.next(*state, *character))
                    .collect(),
            );
        }
        order
            .into_iter()
            .map(move |after| (next.get(&after).copied().unwrap_or('x'), after))
    }
}

/// A character outside of a set, a plain one if possible.
fn fresh(taken: &BTreeSet<char>) -> char {
    let plain = "xyzabcdefghijklmnopqrstuvw0123456789-_".chars();
    let strange = ('\u{a1}'..=char::MAX).chain('!'..='~');
    plain.chain(strange).find(|c| !taken.contains(c)).unwrap_or('x')
}

fn spell(trail: &[(u32, char)], end: u32) -> String {
    let mut characters = Vec::new();
    let mut at = end;
    while let Some((before, character)) = trail.get(at as usize) {
        characters.push(*character);
        at = *before;
    }
    characters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Token;

    fn pattern(text: &str) -> Pattern {
        let token = |c| match c {
            '*' => Token::Many,
            '?' => Token::One,
            c => Token::Char(c),
        };
        Pattern::new(text.chars().map(token).collect())
    }

    fn first_outside(guides: &[&str], others: &[&str]) -> Explored {
        let guides: Vec<Pattern> = guides.iter().map(|text| pattern(text)).collect();
        let others: Vec<Pattern> = others.iter().map(|text| pattern(text)).collect();
        let product = Product::new(&guides, &others);
        product.explore(&mut 10_000, |position| {
            if (0..others.len()).any(|other| position.accepts_all(other)) {
                Step::Prune
            } else if position.is_word() && !(0..others.len()).any(|other| position.accepts(other)) {
                Step::Stop
            } else {
                Step::Continue
            }
        })
    }

    #[test]
    fn finds_a_shortest_text_that_no_other_pattern_matches() {
        assert_eq!(first_outside(&["a*"], &["a?*"]), Explored::Found("a".to_owned()));
        assert_eq!(first_outside(&["a*"], &["a", "a?*"]), Explored::Nothing);
        assert_eq!(first_outside(&["a*"], &["a", "a?"]), Explored::Found("axx".to_owned()));
        assert_eq!(first_outside(&["*a", "b*"], &["ba"]), Explored::Found("bxa".to_owned()));
        assert_eq!(first_outside(&["a", "b"], &[]), Explored::Nothing);
        assert_eq!(first_outside(&["x*"], &["xx*"]), Explored::Found("x".to_owned()));
        assert_eq!(first_outside(&["?"], &["x", "y"]), Explored::Found("z".to_owned()));
    }

    #[test]
    fn a_budget_ends_the_walk() {
        let many: Vec<Pattern> = (0..12).map(|n| pattern(&format!("*{n}a*b{n}*c"))).collect();
        let guide = pattern("*");
        let product = Product::new([&guide], &many);
        assert_eq!(product.explore(&mut 500, |_| Step::Continue), Explored::OverBudget);
    }
}
