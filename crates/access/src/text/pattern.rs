//! A pattern as a sequence of tokens, and inclusion of one pattern in another.

use std::sync::OnceLock;

use super::Automaton;

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    /// This character.
    Char(char),
    /// This letter, which is a lower case one, in either case.
    Fold(char),
    /// Any one character.
    One,
    /// Any text.
    Many,
    /// Any one character but `:`.
    OneInField,
    /// Any text without `:`.
    ManyInField,
    /// A text that is not known, the same wherever this number stands.
    Unknown(u32),
}

impl Token {
    pub(crate) fn is_star(self) -> bool {
        matches!(self, Self::Many | Self::ManyInField)
    }

    /// Whether every text of this token, as one step, is one that `other` takes in one step.
    fn takes(self, other: Self) -> bool {
        match self {
            Self::Char(own) => other == Self::Char(own),
            Self::Fold(own) => match other {
                Self::Char(other) => other.to_ascii_lowercase() == own,
                other => other == self,
            },
            Self::One => matches!(other, Self::Char(_) | Self::Fold(_) | Self::One | Self::OneInField),
            Self::Many => true,
            Self::OneInField => match other {
                Self::Char(other) => other != ':',
                other => matches!(other, Self::Fold(_) | Self::OneInField),
            },
            Self::ManyInField => match other {
                Self::Char(other) => other != ':',
                other => matches!(other, Self::Fold(_) | Self::OneInField | Self::ManyInField),
            },
            Self::Unknown(_) => other == self,
        }
    }

    /// Whether a text that this token matches may have a `:`.
    pub(super) fn may_hold_colon(self) -> bool {
        matches!(self, Self::Char(':') | Self::One | Self::Many | Self::Unknown(_))
    }
}

/// Patterns whose automaton would have more states are looked at as if each `?` were `*`.
const STATE_LIMIT: usize = 2_000;

/// A pattern: what it matches is the set of texts that its tokens spell.
#[derive(Debug)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
    /// What stands for it in searches: the same, or more where parts are not known or too many states are needed.
    searched: Vec<Token>,
    automaton: OnceLock<Automaton>,
    /// How many tokens at the beginning are characters.
    prefix: usize,
    is_exact: bool,
}

impl Pattern {
    pub(crate) fn new(tokens: Vec<Token>) -> Self {
        let tokens = normalise(tokens);
        let mut searched = tokens.clone();
        for token in &mut searched {
            if matches!(token, Token::Unknown(_)) {
                *token = Token::Many;
            }
        }
        searched = normalise(searched);
        let automaton = OnceLock::new();
        if may_need_many_states(&searched) {
            match Automaton::new(&searched, STATE_LIMIT) {
                Some(built) => drop(automaton.set(built)),
                None => {
                    for token in &mut searched {
                        match token {
                            Token::One => *token = Token::Many,
                            Token::OneInField => *token = Token::ManyInField,
                            _ => {}
                        }
                    }
                    searched = normalise(searched);
                }
            }
        }
        let prefix = searched
            .iter()
            .take_while(|token| matches!(token, Token::Char(_)))
            .count();
        let is_exact = searched == tokens;
        Self {
            tokens,
            searched,
            automaton,
            prefix,
            is_exact,
        }
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether searches see it as it is; otherwise they see more texts than it matches.
    pub(crate) fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Whether it matches every text.
    pub(crate) fn is_everything(&self) -> bool {
        self.tokens == [Token::Many]
    }

    /// The one text that it matches.
    pub(crate) fn literal(&self) -> Option<String> {
        self.tokens
            .iter()
            .map(|token| match token {
                Token::Char(c) => Some(*c),
                _ => None,
            })
            .collect()
    }

    /// The automaton of what searches see.
    pub(crate) fn automaton(&self) -> &Automaton {
        self.automaton
            .get_or_init(|| Automaton::new(&self.searched, usize::MAX).unwrap_or_default())
    }

    /// Whether searches see it match this text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        // Most patterns differ from most texts at the beginning.
        let mut characters = text.chars();
        for token in &self.searched[..self.prefix] {
            if characters.next().map(Token::Char) != Some(*token) {
                return false;
            }
        }
        runs(&self.searched[self.prefix..], characters.map(Token::Char))
    }

    /// Whether every text that `other` matches is one that this matches: never `true` where that is not so. Without
    /// `?` in this pattern `false` is exact as well, since the alphabet has no end.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let shared = self.prefix.min(other.prefix);
        if self.searched[..shared] != other.searched[..shared] || other.prefix < self.prefix {
            return false;
        }
        runs(&self.tokens, other.tokens.iter().copied())
    }

    /// The same for what searches see of both.
    pub(crate) fn covers_in_searches(&self, other: &Self) -> bool {
        runs(&self.searched, other.searched.iter().copied())
    }

    /// Whether no text can match both, as far as the beginnings tell.
    pub(crate) fn differs_at_the_beginning(&self, other: &Self) -> bool {
        let shared = self.prefix.min(other.prefix);
        self.searched[..shared] != other.searched[..shared]
            || (self.prefix == self.searched.len() && other.prefix > self.prefix)
            || (other.prefix == other.searched.len() && self.prefix > other.prefix)
    }

    /// A text that it matches and that matches no pattern without need: stars stand for `star`.
    pub(crate) fn example(&self, star: &str, one: char) -> String {
        let mut text = String::new();
        for token in &self.searched {
            match token {
                Token::Char(c) | Token::Fold(c) => text.push(*c),
                Token::One | Token::OneInField => text.push(one),
                Token::Many | Token::ManyInField | Token::Unknown(_) => text.push_str(star),
            }
        }
        text
    }
}

/// Runs of wildcards in one order: `*?*` is `?*`.
fn normalise(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match (out.last().copied(), token) {
            (Some(last), token) if last.is_star() && last == token => {}
            (Some(Token::Many), Token::ManyInField) => {}
            (Some(Token::Many), Token::One) | (Some(Token::ManyInField), Token::OneInField) => {
                let at = out.len() - 1;
                out.insert(at, token);
            }
            _ => out.push(token),
        }
    }
    out
}

/// A star before some `?`: only there the number of states may grow faster than the pattern.
fn may_need_many_states(tokens: &[Token]) -> bool {
    let star = tokens.iter().position(|token| token.is_star());
    star.is_some_and(|star| {
        tokens[star..]
            .iter()
            .any(|token| matches!(token, Token::One | Token::OneInField))
    })
}

/// Whether `pattern` can take all of `text`, of which each token is one step.
fn runs(pattern: &[Token], text: impl Iterator<Item = Token>) -> bool {
    let mut current: Vec<usize> = Vec::with_capacity(4);
    let mut next: Vec<usize> = Vec::with_capacity(4);
    enter(pattern, 0, &mut current);
    for step in text {
        next.clear();
        for &position in &current {
            let Some(token) = pattern.get(position) else { continue };
            if token.takes(step) {
                enter(
                    pattern,
                    if token.is_star() { position } else { position + 1 },
                    &mut next,
                );
            }
        }
        if next.is_empty() {
            return false;
        }
        std::mem::swap(&mut current, &mut next);
    }
    current.contains(&pattern.len())
}

/// Adds a position and those that stars let it pass to. What a star further on takes as well is left out.
fn enter(pattern: &[Token], position: usize, positions: &mut Vec<usize>) {
    if positions.contains(&position) {
        return;
    }
    match pattern.get(position) {
        Some(Token::Many) => {
            positions.retain(|earlier| *earlier > position);
            if positions.iter().any(|later| pattern.get(*later) == Some(&Token::Many)) {
                return;
            }
            positions.push(position);
            enter(pattern, position + 1, positions);
        }
        Some(Token::ManyInField) => {
            positions.push(position);
            enter(pattern, position + 1, positions);
        }
        _ => positions.push(position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let token = |c| match c {
            '*' => Token::Many,
            '?' => Token::One,
            '#' => Token::ManyInField,
            '$' => Token::Unknown(7),
            c => Token::Char(c),
        };
        Pattern::new(text.chars().map(token).collect())
    }

    #[test]
    fn matching_agrees_with_the_plain_definition() {
        let alphabet = ['a', 'b', '*', '?'];
        let words = ["", "a", "b", "ab", "ba", "aab", "abab", "bbab", "aaaa"];
        for number in 0..4_usize.pow(5) {
            let text: String = (0..5).map(|i| alphabet[number / 4_usize.pow(i) % 4]).collect();
            let built = pattern(&text);
            for word in words {
                let expected = trueup_model::glob_matches(&text, word);
                assert_eq!(built.matches(word), expected, "{text} {word}");
                assert_eq!(built.automaton().accepts(word), expected, "{text} {word}");
            }
        }
    }

    #[test]
    fn inclusion_is_sound() {
        let alphabet = ['a', '*', '?', ':', '#'];
        let words: Vec<String> = (0..3_usize.pow(5))
            .flat_map(|n| (0..=5).map(move |len| (0..len).map(|i| ['a', ':', 'x'][n / 3_usize.pow(i) % 3]).collect()))
            .collect();
        let patterns: Vec<(String, Pattern)> = (0..125)
            .map(|n: usize| (0..3).map(|i| alphabet[n / 5_usize.pow(i) % 5]).collect::<String>())
            .map(|text| (text.clone(), pattern(&text)))
            .collect();
        for (a_text, a) in &patterns {
            for (b_text, b) in &patterns {
                if a.covers(b) {
                    for word in &words {
                        assert!(
                            !b.matches(word) || a.matches(word),
                            "{a_text} covers {b_text} but not {word}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn inclusion_finds_what_it_should() {
        for (outer, inner, expected) in [
            ("*", "a", true),
            ("a*", "a*", true),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("*b*", "ab*c", true),
            ("a?", "a*", false),
            ("?*", "a?", true),
            ("#", "a*", false),
            ("#", "a#", true),
            ("a#", "a:b", false),
            ("a$b", "a$b", true),
            ("a*b", "a$b", true),
            ("a#b", "a$b", false),
            ("a$*", "a$b", true),
            ("$", "a", false),
            ("a:*", "a:$", true),
        ] {
            assert_eq!(pattern(outer).covers(&pattern(inner)), expected, "{outer} {inner}");
        }
    }

    #[test]
    fn a_pattern_with_too_many_states_is_widened_for_searches() {
        let wide = pattern("*a??????????????????");
        assert!(!wide.is_exact() && wide.matches("a"));
        assert!(!wide.covers(&pattern("a")));
        assert!(pattern("restapis/??????????").is_exact());
        assert!(pattern("x*:/restapis/??????????").is_exact());
    }
}
