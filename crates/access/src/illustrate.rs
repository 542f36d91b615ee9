//! Examples that look like what AWS knows: ARNs of the action's resource types. For wording only, never for a proof.

use crate::condition::Model;
use crate::direction::Example;
use crate::facts::PrincipalFacts;
use crate::search::{Outcome, Question};
use crate::tables::{PatternId, Tables};
use crate::text::{Piece, Token, pieces};

/// An account for examples where none is known: the one of AWS's documentation.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

impl Tables<'_> {
    /// A resource of a type that the action has, and a context, for the same question; otherwise what was found, and
    /// `false`.
    pub(crate) fn illustrate(&mut self, example: &Example, facts: &PrincipalFacts) -> (String, Model, bool) {
        for pattern in self.real_resources(&example.action, facts) {
            let mut question: Question = example.question.clone();
            question.guides.push(pattern);
            if let Outcome::Found { resource, model } = &*self.search(question)
                && model.is_certain == example.model.is_certain
            {
                return (resource.clone(), model.clone(), true);
            }
        }
        (example.resource.clone(), example.model.clone(), false)
    }

    /// Patterns of the resources that an action can have, the plainest first.
    fn real_resources(&mut self, action: &str, facts: &PrincipalFacts) -> Vec<PatternId> {
        let data = self.data;
        let Some(action) = data.action(action) else {
            return Vec::new();
        };
        let partition = facts
            .arn()
            .and_then(|arn| arn.split(':').nth(1))
            .unwrap_or("aws")
            .to_owned();
        let account = facts.account().unwrap_or(ACCOUNT).to_owned();
        let mut types: Vec<_> = data.resources_of(action).collect();
        // What a request must name is what people think of.
        types.sort_by_key(|(_, is_required)| !is_required);
        let mut patterns = Vec::new();
        for is_filled in [true, false] {
            for (resource, _) in &types {
                patterns.push(self.template(&resource.arn, is_filled.then_some((&partition, &account))));
            }
        }
        if types.is_empty() {
            patterns.push(self.pattern(vec![Token::Char('*')]));
        }
        patterns
    }

    /// The pattern of a resource type's ARNs, with partition, region and account filled in or left open.
    pub(crate) fn template(&mut self, arn: &str, filled: Option<(&str, &str)>) -> PatternId {
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
                    let known = filled.and_then(|(partition, account)| match name.as_str() {
                        "partition" => Some(partition),
                        "account" => Some(account),
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
