//! From a policy's texts to patterns and literals, with what is known about the principal filled in.

use serde_json::Value;
use trueup_model::document::Statement;

use super::values::{Network, Relation, moment, number};
use super::{Atom, Free, Literal, Test, Values};
use crate::facts::{Known, PrincipalFacts};
use crate::tables::{KeyId, PatternId, Tables};
use crate::text::{Piece, Token, pieces};

/// Compiles texts of one document for one principal.
pub(crate) struct Compilation<'t, 'd, 'f> {
    pub(crate) tables: &'t mut Tables<'d>,
    pub(crate) facts: &'f PrincipalFacts,
    /// Whether the document's version knows variables.
    pub(crate) has_variables: bool,
}

/// A condition that has become a literal, or that holds or does not hold for all requests of the principal.
pub(crate) enum Outcome {
    Literal(Literal),
    Always,
    Never,
}

/// How wildcards count in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// They are characters like others.
    None,
    /// They match any text.
    Plain,
    /// Before the fifth `:` they do not match `:`.
    ByField,
}

/// A text in tokens.
pub(crate) struct Compiled {
    pub(crate) tokens: Vec<Token>,
    /// The keys of the variables that are not known.
    pub(crate) variables: Vec<KeyId>,
    /// Whether a variable stands in it that no request of the principal has.
    pub(crate) is_unresolvable: bool,
}

/// An operator's name, taken apart.
struct Operator<'a> {
    base: &'a str,
    qualifier: Option<&'a str>,
    if_exists: bool,
}

impl<'a> Operator<'a> {
    fn parse(text: &'a str) -> Self {
        let (qualifier, rest) = match text.split_once(':') {
            Some((qualifier, rest)) => (Some(qualifier), rest),
            None => (None, text),
        };
        let base = rest.strip_suffix("IfExists");
        Self {
            base: base.unwrap_or(rest),
            qualifier,
            if_exists: base.is_some(),
        }
    }
}

impl Compilation<'_, '_, '_> {
    /// The tokens of a text, in lower case where `fold` is set.
    pub(crate) fn tokens(&mut self, text: &str, wildcards: Wildcards, fold: bool) -> Compiled {
        let mut tokens = Vec::with_capacity(text.len());
        let mut variables = Vec::new();
        let mut is_unresolvable = false;
        let character = |c: char| match fold && c.is_ascii_alphabetic() {
            true => Token::Fold(c.to_ascii_lowercase()),
            false => Token::Char(c),
        };
        for piece in pieces(text, self.has_variables) {
            match piece {
                Piece::Plain('*') if wildcards != Wildcards::None => tokens.push(Token::Many),
                Piece::Plain('?') if wildcards != Wildcards::None => tokens.push(Token::One),
                Piece::Plain(c) | Piece::Escaped(c) => tokens.push(character(c)),
                Piece::Variable { name, default } => match (self.facts.about(&name), default) {
                    (Known::Value(value), _) => tokens.extend(value.chars().map(character)),
                    (Known::Absent, Some(default)) => tokens.extend(default.chars().map(character)),
                    (known, default) => {
                        is_unresolvable |= known == Known::Absent;
                        let mut shown = match default {
                            Some(default) => format!("${{{name}, '{default}'}}"),
                            None => format!("${{{name}}}"),
                        };
                        // Texts that are read in different ways are different texts.
                        if fold {
                            shown.push_str("(in any case)");
                        }
                        if known == Known::Absent {
                            shown.push_str("(absent)");
                        }
                        tokens.push(Token::Unknown(self.tables.unknown(shown)));
                        variables.push(self.tables.key(&name));
                    }
                },
            }
        }
        if wildcards == Wildcards::ByField {
            let mut colons = 0;
            for token in &mut tokens {
                match token {
                    Token::Char(':') => colons += 1,
                    Token::Many if colons < 5 => *token = Token::ManyInField,
                    Token::One if colons < 5 => *token = Token::OneInField,
                    _ => {}
                }
            }
        }
        Compiled {
            tokens,
            variables,
            is_unresolvable,
        }
    }

    /// The literals of a statement's conditions; `None` where they hold for no request of the principal.
    pub(crate) fn condition(&mut self, statement: &Statement) -> Option<Vec<Literal>> {
        let mut literals = Vec::new();
        let conditions = statement.conditions();
        let mut is_understood = !statement.has("Condition") || !conditions.is_empty();
        for (operator, block) in &conditions {
            is_understood &= !block.is_empty();
            for (key, values) in block {
                let outcome = if values.is_empty() && !has_empty_list(statement, operator, key) {
                    is_understood = false;
                    Outcome::Always
                } else {
                    self.literal(operator, key, values)
                };
                match outcome {
                    Outcome::Literal(literal) => literals.push(literal),
                    Outcome::Always => {}
                    Outcome::Never => return None,
                }
            }
        }
        if !is_understood {
            let text = format!(
                "the condition of `{}`, which cannot be read",
                statement.canonical_text()
            );
            literals.push(self.free(text, Vec::new(), false));
        }
        Some(literals)
    }

    fn free(&mut self, text: String, keys: Vec<KeyId>, is_open: bool) -> Literal {
        let pattern = None;
        let free = Free {
            text,
            pattern,
            keys,
            is_open,
        };
        Literal::new(self.tables.atom(Atom::Free(free)), true)
    }

    /// An atom for a pattern that searches see larger than it is: whether it matches the text that was found.
    pub(crate) fn free_match(&mut self, compiled: &Compiled, pattern: PatternId) -> Literal {
        let free = Free {
            text: format!("the resource matches `{}`", self.tables.render(pattern)),
            pattern: Some(pattern),
            keys: compiled.variables.clone(),
            is_open: !compiled.is_unresolvable && !compiled.variables.is_empty(),
        };
        Literal::new(self.tables.atom(Atom::Free(free)), true)
    }

    fn literal(&mut self, operator: &str, key: &str, values: &[&str]) -> Outcome {
        let parsed = Operator::parse(operator);
        let lower = key.to_ascii_lowercase();
        // Two keys that differ in letter case alone keep their case: which one counts is not known.
        let is_ambiguous = lower != key;
        let every = match parsed.qualifier {
            None | Some("ForAnyValue") => false,
            Some("ForAllValues") => true,
            Some(_) => return self.not_understood(operator, key, values),
        };
        if is_ambiguous {
            return self.not_understood(operator, key, values);
        }
        if parsed.base == "Null" {
            if parsed.qualifier.is_some() || parsed.if_exists {
                return self.not_understood(operator, key, values);
            }
            return self.presence(operator, &lower, values);
        }
        let Some((positive, is_negated)) = positive_of(parsed.base) else {
            return self.not_understood(operator, key, values);
        };
        let mut keys = vec![self.tables.key(&lower)];
        let mut is_open = true;
        let Some(accepted) = self.values(positive, values, &mut keys, &mut is_open) else {
            return self.not_understood(operator, key, values);
        };
        if keys.len() > 1 {
            let is_text = matches!(accepted, Values::Texts(_));
            let known = self.facts.about(&lower);
            if known != Known::Nothing {
                keys.remove(0);
            }
            let text = self.describe(operator, key, values);
            let is_open = is_open && is_text && known != Known::Absent;
            return Outcome::Literal(self.free(text, keys, is_open));
        }
        // `ForAnyValue` of a negated operator is the negation of "every value is among them", and the other way round.
        let (every, is_negated) = match (every, is_negated) {
            (false, true) if parsed.qualifier.is_some() => (true, true),
            (true, true) => (false, true),
            (every, is_negated) => (every, is_negated),
        };
        let holds_if_absent = if parsed.if_exists {
            true
        } else {
            match parsed.qualifier {
                Some("ForAnyValue") => false,
                Some(_) => true,
                None => is_negated,
            }
        };
        let test = Test {
            key: keys[0],
            every,
            if_absent: holds_if_absent != is_negated,
            is_qualified: parsed.qualifier.is_some(),
            values: accepted,
        };
        match self.facts.about(&lower) {
            Known::Value(value) => decided(self.tables.accepts(&test.values, value) != is_negated),
            Known::Absent => decided(holds_if_absent),
            Known::Nothing => {
                let atom = self.tables.atom(Atom::Test(test));
                Outcome::Literal(Literal::new(atom, !is_negated))
            }
        }
    }

    fn presence(&mut self, operator: &str, key: &str, values: &[&str]) -> Outcome {
        let must_be_absent = match values {
            ["true"] => true,
            ["false"] => false,
            ["false", "true"] => return Outcome::Always,
            [] => return Outcome::Never,
            _ => return self.not_understood(operator, key, values),
        };
        match self.facts.about(key) {
            Known::Value(_) => decided(!must_be_absent),
            Known::Absent => decided(must_be_absent),
            Known::Nothing => {
                let key = self.tables.key(key);
                let atom = self.tables.atom(Atom::Present(key));
                Outcome::Literal(Literal::new(atom, !must_be_absent))
            }
        }
    }

    fn not_understood(&mut self, operator: &str, key: &str, values: &[&str]) -> Outcome {
        let text = self.describe(operator, key, values);
        let keys = vec![self.tables.key(key)];
        Outcome::Literal(self.free(text, keys, false))
    }

    /// Says what a condition demands, as written, and with what is known about the principal where it depends on that.
    fn describe(&mut self, operator: &str, key: &str, values: &[&str]) -> String {
        let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        let mut text = format!("{operator} `{key}` {}", quoted.join(", "));
        if !self.has_variables && values.iter().any(|value| value.contains("${")) {
            text.push_str(" without variables");
        }
        let variables = values.iter().flat_map(|value| pieces(value, self.has_variables));
        let names = variables.filter_map(|piece| match piece {
            Piece::Variable { name, .. } => Some(name),
            Piece::Plain(_) | Piece::Escaped(_) => None,
        });
        let mut names: Vec<String> = names.chain([key.to_ascii_lowercase()]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            match self.facts.about(&name) {
                Known::Value(value) => text.push_str(&format!(" where `{name}` is `{value}`")),
                Known::Absent => text.push_str(&format!(" where `{name}` is absent")),
                Known::Nothing => {}
            }
        }
        text
    }

    /// The values that an operator accepts; `None` where one of them is not understood.
    fn values(&mut self, operator: &str, texts: &[&str], keys: &mut Vec<KeyId>, is_open: &mut bool) -> Option<Values> {
        let relation = match operator {
            "NumericEquals" | "DateEquals" => Some(Relation::Equal),
            "NumericLessThan" | "DateLessThan" => Some(Relation::Less),
            "NumericLessThanEquals" | "DateLessThanEquals" => Some(Relation::LessOrEqual),
            "NumericGreaterThan" | "DateGreaterThan" => Some(Relation::Greater),
            "NumericGreaterThanEquals" | "DateGreaterThanEquals" => Some(Relation::GreaterOrEqual),
            _ => None,
        };
        if let Some(relation) = relation {
            let is_number = operator.starts_with("Numeric");
            let parse = |text: &&str| {
                let constant = if is_number { number(text) } else { moment(text) };
                constant.map(|constant| (relation, constant))
            };
            let mut relations: Vec<(Relation, i128)> = texts.iter().map(parse).collect::<Option<_>>()?;
            relations.sort_unstable();
            return Some(match is_number {
                true => Values::Numbers(relations),
                false => Values::Moments(relations),
            });
        }
        match operator {
            "Bool" => {
                let is = |text: &str| texts.iter().any(|own| own.eq_ignore_ascii_case(text));
                let (yes, no) = (is("true"), is("false"));
                let is_flag = |text: &&str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
                texts.iter().all(is_flag).then_some(Values::Flags { yes, no })
            }
            "IpAddress" => {
                let mut networks: Vec<Network> =
                    texts.iter().map(|text| Network::parse(text)).collect::<Option<_>>()?;
                networks.sort_unstable();
                Some(Values::Networks(networks))
            }
            _ => {
                let (wildcards, fold) = match operator {
                    "StringEquals" => (Wildcards::None, false),
                    "StringEqualsIgnoreCase" => (Wildcards::None, true),
                    "StringLike" => (Wildcards::Plain, false),
                    "ArnLike" => (Wildcards::ByField, false),
                    _ => return None,
                };
                let mut patterns = Vec::new();
                for text in texts {
                    let compiled = self.tokens(text, wildcards, fold);
                    *is_open &= !compiled.is_unresolvable;
                    let is_known = compiled.variables.is_empty();
                    keys.extend(compiled.variables);
                    if operator == "ArnLike" && field_count(&compiled.tokens) < 6 {
                        return None;
                    }
                    let pattern = self.tables.pattern(compiled.tokens);
                    if is_known && !self.tables.get_pattern(pattern).is_exact() {
                        return None;
                    }
                    patterns.push(pattern);
                }
                patterns.sort_unstable();
                Some(Values::Texts(patterns))
            }
        }
    }
}

/// How many fields a text has that `:` separates.
pub(crate) fn field_count(tokens: &[Token]) -> usize {
    1 + tokens.iter().filter(|token| **token == Token::Char(':')).count()
}

fn decided(holds: bool) -> Outcome {
    if holds { Outcome::Always } else { Outcome::Never }
}

/// The operator that this one is or negates.
fn positive_of(operator: &str) -> Option<(&str, bool)> {
    Some(match operator {
        "StringNotEquals" => ("StringEquals", true),
        "StringNotEqualsIgnoreCase" => ("StringEqualsIgnoreCase", true),
        "StringNotLike" => ("StringLike", true),
        "ArnNotEquals" | "ArnNotLike" => ("ArnLike", true),
        "ArnEquals" | "ArnLike" => ("ArnLike", false),
        "NotIpAddress" => ("IpAddress", true),
        "NumericNotEquals" => ("NumericEquals", true),
        "DateNotEquals" => ("DateEquals", true),
        "StringEquals"
        | "StringEqualsIgnoreCase"
        | "StringLike"
        | "IpAddress"
        | "Bool"
        | "NumericEquals"
        | "NumericLessThan"
        | "NumericLessThanEquals"
        | "NumericGreaterThan"
        | "NumericGreaterThanEquals"
        | "DateEquals"
        | "DateLessThan"
        | "DateLessThanEquals"
        | "DateGreaterThan"
        | "DateGreaterThanEquals" => (operator, false),
        _ => return None,
    })
}

/// Whether a key stands with a list without members; otherwise its values have a shape that conditions do not have.
fn has_empty_list(statement: &Statement, operator: &str, key: &str) -> bool {
    let value = statement.to_value();
    let block = value.get("Condition").and_then(|condition| condition.get(operator));
    let own = block.and_then(Value::as_object).and_then(|block| {
        let mut members = block.iter();
        members
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    });
    own.and_then(Value::as_array).is_some_and(Vec::is_empty)
}
