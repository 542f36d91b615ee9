//! The deterministic automaton of a pattern.

use std::collections::{BTreeMap, BTreeSet};

use super::Token;

/// A complete deterministic automaton. State 0 is the dead one.
#[derive(Debug, Default)]
pub(crate) struct Automaton {
    states: Vec<State>,
    start: u32,
}

#[derive(Debug, Default)]
struct State {
    /// Where characters lead that do not lead to `otherwise`, sorted.
    edges: Vec<(char, u32)>,
    otherwise: u32,
    accepts: bool,
}

impl Automaton {
    pub(crate) const DEAD: u32 = 0;

    /// `None` where more than `limit` states are needed.
    pub(crate) fn new(tokens: &[Token], limit: usize) -> Option<Self> {
        let mut builder = Builder {
            tokens,
            states: vec![State::default()],
            known: BTreeMap::from([(Vec::new(), Self::DEAD)]),
            open: Vec::new(),
        };
        let start = builder.state(BTreeSet::from([0]));
        while let Some((positions, state)) = builder.open.pop() {
            if builder.states.len() > limit {
                return None;
            }
            builder.connect(&positions, state);
        }
        Some(Self {
            states: builder.states,
            start,
        })
    }

    pub(crate) fn start(&self) -> u32 {
        self.start
    }

    pub(crate) fn accepts_in(&self, state: u32) -> bool {
        self.states.get(state as usize).is_some_and(|state| state.accepts)
    }

    /// Whether every text is accepted from here.
    pub(crate) fn accepts_all_from(&self, state: u32) -> bool {
        self.states
            .get(state as usize)
            .is_some_and(|own| own.accepts && own.otherwise == state && own.edges.is_empty())
    }

    pub(crate) fn next(&self, state: u32, character: char) -> u32 {
        let Some(state) = self.states.get(state as usize) else {
            return Self::DEAD;
        };
        match state.edges.binary_search_by(|(edge, _)| edge.cmp(&character)) {
            Ok(at) => state.edges[at].1,
            Err(_) => state.otherwise,
        }
    }

    /// Where all characters lead that `explicit` does not name.
    pub(crate) fn otherwise(&self, state: u32) -> u32 {
        self.states
            .get(state as usize)
            .map_or(Self::DEAD, |state| state.otherwise)
    }

    /// The characters that lead elsewhere than all others.
    pub(crate) fn explicit(&self, state: u32) -> impl Iterator<Item = char> {
        let edges = self.states.get(state as usize).map_or(&[][..], |state| &state.edges);
        edges.iter().map(|(character, _)| *character)
    }

    #[cfg(test)]
    pub(crate) fn accepts(&self, text: &str) -> bool {
        let end = text
            .chars()
            .fold(self.start, |state, character| self.next(state, character));
        self.accepts_in(end)
    }
}

struct Builder<'a> {
    tokens: &'a [Token],
    states: Vec<State>,
    known: BTreeMap<Vec<usize>, u32>,
    open: Vec<(Vec<usize>, u32)>,
}

impl Builder<'_> {
    /// The state of a set of positions; its edges are made later.
    fn state(&mut self, positions: BTreeSet<usize>) -> u32 {
        let positions = self.reduce(positions);
        if let Some(state) = self.known.get(&positions) {
            return *state;
        }
        #[expect(clippy::cast_possible_truncation, reason = "limits and memory end long before")]
        let state = self.states.len() as u32;
        self.states.push(State {
            accepts: positions.last() == Some(&self.tokens.len()),
            ..State::default()
        });
        self.known.insert(positions.clone(), state);
        self.open.push((positions, state));
        state
    }

    /// Passes stars, and drops positions from which nothing more can be reached than from a star further on.
    fn reduce(&self, mut positions: BTreeSet<usize>) -> Vec<usize> {
        let mut open: Vec<usize> = positions.iter().copied().collect();
        while let Some(position) = open.pop() {
            if self.is_star(position) && positions.insert(position + 1) {
                open.push(position + 1);
            }
        }
        let is_needed = |position: &usize| {
            !positions
                .range(position + 1..)
                .any(|later| match self.tokens.get(*later) {
                    Some(Token::Many) => true,
                    Some(Token::ManyInField) => !self.tokens[*position..*later].iter().any(|t| t.may_hold_colon()),
                    _ => false,
                })
        };
        positions.iter().copied().filter(is_needed).collect()
    }

    fn is_star(&self, position: usize) -> bool {
        matches!(self.tokens.get(position), Some(Token::Many | Token::ManyInField))
    }

    fn connect(&mut self, positions: &[usize], state: u32) {
        let mut characters = BTreeSet::new();
        for position in positions {
            match self.tokens.get(*position) {
                Some(Token::Char(c)) => drop(characters.insert(*c)),
                Some(Token::Fold(c)) => characters.extend([*c, c.to_ascii_uppercase()]),
                Some(Token::OneInField | Token::ManyInField) => drop(characters.insert(':')),
                Some(Token::One | Token::Many | Token::Unknown(_)) | None => {}
            }
        }
        let otherwise = self.after(positions, None);
        let mut edges = Vec::new();
        for character in characters {
            let next = self.after(positions, Some(character));
            if next != otherwise {
                edges.push((character, next));
            }
        }
        let state = &mut self.states[state as usize];
        state.edges = edges;
        state.otherwise = otherwise;
    }

    /// The state after a character; `None` is one that no token names.
    fn after(&mut self, positions: &[usize], character: Option<char>) -> u32 {
        let mut next = BTreeSet::new();
        for position in positions {
            match self.tokens.get(*position) {
                Some(Token::Char(own)) if character == Some(*own) => drop(next.insert(position + 1)),
                Some(Token::Fold(own)) if character.map(|c| c.to_ascii_lowercase()) == Some(*own) => {
                    next.insert(position + 1);
                }
                Some(Token::One) => drop(next.insert(position + 1)),
                Some(Token::OneInField) if character != Some(':') => drop(next.insert(position + 1)),
                Some(Token::Many | Token::Unknown(_)) => drop(next.insert(*position)),
                Some(Token::ManyInField) if character != Some(':') => drop(next.insert(*position)),
                _ => {}
            }
        }
        self.state(next)
    }
}
