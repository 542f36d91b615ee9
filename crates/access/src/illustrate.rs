//! Examples that look like what AWS knows, with names that a reader takes for names: ARNs of the action's resource
//! types. For wording only, never for a proof; every text is asked for again before it is shown.

use crate::condition::Model;
use crate::data::{IamData, ResourceType};
use crate::direction::Example;
use crate::facts::PrincipalFacts;
use crate::search::{Outcome, Question};
use crate::tables::{PatternId, Tables};
use crate::text::{Pattern, Piece, Token, pieces};

/// An account for examples where none is known: the one of AWS's documentation.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// What stands for a wildcard.
const WORD: &str = "example";

/// Where a request is made, for the fields of ARNs that say so.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    partition: &'a str,
    account: &'a str,
}

impl<'a> Setting<'a> {
    fn of(facts: &'a PrincipalFacts) -> Self {
        let partition = facts.arn().and_then(|arn| arn.split(':').nth(1));
        Self {
            partition: partition.unwrap_or("aws"),
            account: facts.account().unwrap_or(ACCOUNT),
        }
    }
}

impl Tables<'_> {
    /// A resource of a type that the action has, and a context, for the same question; otherwise what was found, and
    /// `false`.
    pub(crate) fn illustrate(&mut self, example: &Example, facts: &PrincipalFacts) -> (String, Model, bool) {
        let setting = Setting::of(facts);
        let types = resource_types(self.data, &example.action);
        let shapes: Vec<PatternId> = types.iter().map(|it| self.template(&it.arn, None)).collect();
        let has_types = !types.is_empty() || self.data.action(&example.action).is_none();
        let mut fallback = None;
        for text in self.readable(&example.question, &types, setting) {
            let fits = match has_types {
                true => shapes.iter().any(|shape| self.get_pattern(*shape).matches(&text)),
                false => text == "*",
            };
            if !fits && fallback.is_some() {
                continue;
            }
            let exact = self.pattern(text.chars().map(Token::Char).collect());
            let Some((_, model)) = self.narrowed(example, exact) else {
                continue;
            };
            if fits {
                return (text, model, true);
            }
            fallback = Some((text, model));
        }
        let filled = types.iter().map(|it| self.template(&it.arn, Some(setting)));
        let filled: Vec<PatternId> = filled.collect();
        for pattern in filled.into_iter().chain(shapes) {
            if let Some((resource, model)) = self.narrowed(example, pattern) {
                return (resource, model, true);
            }
        }
        let (text, model) = fallback.unwrap_or_else(|| (example.resource.clone(), example.model.clone()));
        (text, model, false)
    }

    /// An answer to an example's question that this pattern matches too, as sure as the example.
    fn narrowed(&mut self, example: &Example, pattern: PatternId) -> Option<(String, Model)> {
        let mut question: Question = example.question.clone();
        question.guides.push(pattern);
        match &*self.search(question) {
            Outcome::Found { resource, model } if model.is_certain == example.model.is_certain => {
                Some((resource.clone(), model.clone()))
            }
            _ => None,
        }
    }

    /// Texts that may answer a question, the plainest first: the shapes of the types with words in them, and the
    /// question's own patterns.
    fn readable(&self, question: &Question, types: &[&ResourceType], setting: Setting<'_>) -> Vec<String> {
        let mut texts: Vec<String> = types.iter().map(|it| in_words(&it.arn, setting)).collect();
        if types.is_empty() {
            texts.push("*".to_owned());
        }
        for guide in &question.guides {
            let pattern = self.get_pattern(*guide);
            for last in [WORD, "example/example"] {
                texts.push(filled(pattern, last, setting));
            }
        }
        texts
    }

    /// The pattern of a resource type's ARNs, with partition, region and account filled in or left open.
    pub(crate) fn template(&mut self, arn: &str, filled: Option<Setting<'_>>) -> PatternId {
        let mut tokens = Vec::new();
        let mut colons = 0;
        for piece in pieces(arn, true) {
            match piece {
                Piece::Plain('*') => tokens.push(if colons < 5 { Token::ManyInField } else { Token::Many }),
                Piece::Plain(c) | Piece::Escaped(c) => {
                    colons += usize::from(c == ':');
                    tokens.push(Token::Char(c));
                }
                Piece::Variable { name, .. } => {
                    let known = filled.and_then(|setting| match name.as_str() {
                        "partition" => Some(setting.partition),
                        "account" => Some(setting.account),
                        "region" => Some(REGION),
                        _ => None,
                    });
                    match known {
                        Some(text) => tokens.extend(text.chars().map(Token::Char)),
                        None if colons < 5 => tokens.push(Token::ManyInField),
                        // A name is not empty.
                        None => tokens.extend([Token::One, Token::Many]),
                    }
                }
            }
        }
        self.pattern(tokens)
    }
}

/// The resource types of an action, those that a request must name first, and of these the plainest: that is what
/// people think of.
fn resource_types<'d>(data: &'d IamData, action: &str) -> Vec<&'d ResourceType> {
    let Some(action) = data.action(action) else {
        return Vec::new();
    };
    let mut types: Vec<(&ResourceType, bool)> = data.resources_of(action).collect();
    types.sort_by_key(|(it, is_required)| (!is_required, it.arn.matches("${").count(), it.arn.len()));
    types.into_iter().map(|(it, _)| it).collect()
}

/// Examples of resources that an action has, the plainest first.
pub(crate) fn resources_in_words(data: &IamData, action: &str) -> Vec<String> {
    let facts = PrincipalFacts::nobody();
    let types = resource_types(data, action);
    types
        .into_iter()
        .map(|it| in_words(&it.arn, Setting::of(&facts)))
        .collect()
}

/// `arn:${Partition}:s3:::${BucketName}/${ObjectName}` as `arn:aws:s3:::example-bucket/example-object`.
fn in_words(shape: &str, setting: Setting<'_>) -> String {
    let mut text = String::new();
    let mut rest = shape;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(&before.replace('*', WORD));
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        match name.to_ascii_lowercase().as_str() {
            "partition" => text.push_str(setting.partition),
            "account" => text.push_str(setting.account),
            "region" => text.push_str(REGION),
            _ => text.push_str(&word(name)),
        }
        rest = after;
    }
    text.push_str(&rest.replace('*', WORD));
    text
}

/// `BucketName` as `example-bucket`.
fn word(name: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut after_capital = true;
    for c in name.chars().filter(char::is_ascii_alphanumeric) {
        if parts.is_empty() || (c.is_ascii_uppercase() && !after_capital) {
            parts.push(String::new());
        }
        after_capital = c.is_ascii_uppercase();
        if let Some(part) = parts.last_mut() {
            part.push(c.to_ascii_lowercase());
        }
    }
    let says_nothing = ["name", "id", "with", "path", "full", "unique"];
    while parts.last().is_some_and(|part| says_nothing.contains(&part.as_str())) {
        parts.pop();
    }
    parts.insert(0, WORD.to_owned());
    parts.join("-")
}

/// A text of a pattern: words for its wildcards, and in the first fields of an ARN what these fields have.
fn filled(pattern: &Pattern, last: &str, setting: Setting<'_>) -> String {
    let is_arn = pattern.example("", 'x').starts_with("arn:");
    let stars = |tokens: &[Token]| tokens.iter().any(|token| token.is_star());
    let tokens = pattern.tokens();
    let mut text = String::new();
    let mut colons = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Char(c) | Token::Fold(c) => {
                colons += usize::from(*c == ':');
                text.push(*c);
            }
            Token::One | Token::OneInField => text.push('x'),
            Token::Unknown(_) => text.push_str(WORD),
            Token::Many | Token::ManyInField => text.push_str(match colons {
                1 if is_arn => setting.partition,
                3 if is_arn => REGION,
                4 if is_arn => setting.account,
                _ if stars(&tokens[index + 1..]) => WORD,
                _ => last,
            }),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: Setting<'static> = Setting {
        partition: "aws",
        account: ACCOUNT,
    };

    #[test]
    fn shapes_are_words() {
        for (shape, expected) in [
            (
                "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
                "arn:aws:s3:::example-bucket/example-object",
            ),
            (
                "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}",
                "arn:aws:iam::123456789012:user/example-user",
            ),
            (
                "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}",
                "arn:aws:kms:us-east-1:123456789012:key/example-key",
            ),
            ("arn:${Partition}:x:::${ID}/*", "arn:aws:x:::example/example"),
            ("arn:${Partition}:x:::${VPCEndpoint}", "arn:aws:x:::example-vpcendpoint"),
            ("${Broken", "example-broken"),
        ] {
            assert_eq!(in_words(shape, SETTING), expected);
        }
    }

    #[test]
    fn every_shape_of_the_data_is_in_words() {
        let data = IamData::embedded();
        for resource in data.services().iter().flat_map(|service| &service.resources) {
            let text = in_words(&resource.arn, SETTING);
            assert!(!text.contains(['$', '*']), "{} {text}", resource.arn);
        }
    }
}
