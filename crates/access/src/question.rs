//! Questions about what is allowed: one request, or all that patterns match.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use trueup_model::PolicyDocument;

use crate::comparison::{Judgement, Verdict};
use crate::decide::{Decision, Effect};
use crate::engine::Engine;
use crate::holdings::{Holdings, Origin, Request};

/// Requests that are asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Question {
    /// An action, or a pattern of actions.
    pub action: String,
    /// An ARN, a pattern of ARNs, or `*` for any resource and for actions that have none. Policy variables stand for
    /// what they are for the principal.
    pub resource: String,
    /// Values by condition key.
    pub context: BTreeMap<String, Vec<String>>,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes. With the request itself, or one of those that are allowed, and the statements that decide it; `None`
    /// where the answer is about all requests of a pattern.
    Yes(Option<(Request, Decision)>),
    /// No. With the request itself, or one of those that are not allowed; `None` where no request of a pattern is.
    No(Option<(Request, Decision)>),
    /// It is not known, for these reasons.
    Unknown(Vec<String>),
}

impl Question {
    /// A question without context.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    /// The same with a value for a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.context.entry(key.to_owned()).or_default().push(value.to_owned());
        self
    }

    fn has_pattern(&self) -> bool {
        self.action.contains(['*', '?']) || self.resource.contains(['*', '?']) || self.resource.contains("${")
    }

    fn request(&self) -> Request {
        Request {
            action: self.action.clone(),
            resource: self.resource.clone(),
            context: self.context.clone(),
        }
    }

    /// A policy that denies everything else.
    fn deny_of_all_others(&self) -> PolicyDocument {
        document(json!([
            {"Effect": "Deny", "NotAction": self.action, "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "NotResource": self.resource},
        ]))
    }

    /// A policy that allows exactly this.
    fn allow(&self) -> PolicyDocument {
        document(json!([{"Effect": "Allow", "Action": self.action, "Resource": self.resource}]))
    }
}

#[expect(clippy::expect_used, reason = "an object without numbers is a document")]
fn document(statements: serde_json::Value) -> PolicyDocument {
    PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": statements})).expect("an object")
}

const QUESTION: &str = "the question";

impl Engine<'_> {
    /// Whether all these requests are allowed. Condition keys that are neither in the context nor known of the
    /// principal are absent.
    pub fn allows_all(&mut self, holdings: &Holdings, question: &Question) -> Answer {
        if !question.has_pattern() || self.is_without_resource(question) {
            let request = question.request();
            let decision = self.decide(holdings, &request);
            return match decision.effect {
                Effect::Allowed => Answer::Yes(Some((request, decision))),
                Effect::Unknown => Answer::Unknown(decision.unknown),
                _ => Answer::No(Some((request, decision))),
            };
        }
        let mut known = holdings.clone();
        known.facts = holdings.facts.at(&question.context);
        let asked = Holdings {
            facts: known.facts.clone(),
            policies: vec![(Origin::own(QUESTION), question.allow())],
            boundary: None,
        };
        // What the question asks for and the principal has not is lost on the way from the one to the other.
        let Judgement {
            verdict, lost, unknown, ..
        } = self.verdict(&asked, &known);
        match (verdict, lost) {
            (_, Some(request)) => Answer::No(Some(self.decided_at(holdings, question, request))),
            (Verdict::Same | Verdict::More, None) => Answer::Yes(None),
            _ => Answer::Unknown(about("no longer allowed", "not allowed", unknown)),
        }
    }

    /// Whether any of these requests is allowed, where condition keys that are not in the context may have any value.
    pub fn allows_any(&mut self, holdings: &Holdings, question: &Question) -> Answer {
        if !question.has_pattern() || self.is_without_resource(question) {
            let request = question.request();
            let decision = self.decide(holdings, &request);
            if decision.effect == Effect::Allowed {
                return Answer::Yes(Some((request, decision)));
            }
        }
        let mut limited = holdings.clone();
        let several = question.context.values().any(|values| values.len() != 1);
        limited.facts = match several {
            // Facts cannot say that a key has several values; a request can.
            true => holdings.facts.at(&question.context),
            false => question
                .context
                .iter()
                .fold(holdings.facts.clone(), |facts, (key, values)| {
                    facts.with(key, values.first().map(String::as_str))
                }),
        };
        let nothing = Holdings {
            facts: limited.facts.clone(),
            ..Holdings::default()
        };
        limited
            .policies
            .push((Origin::own(QUESTION), question.deny_of_all_others()));
        let Judgement {
            verdict,
            gained,
            unknown,
            ..
        } = self.verdict(&nothing, &limited);
        match (verdict, gained) {
            (_, Some(request)) => Answer::Yes(Some(self.decided_at(holdings, question, request))),
            (Verdict::Same, None) => Answer::No(None),
            _ => Answer::Unknown(about("newly allowed", "allowed", unknown)),
        }
    }

    /// Whether the question is about one action that has no resource: its requests name `*`.
    fn is_without_resource(&self, question: &Question) -> bool {
        let action = self.tables.data.action(&question.action);
        question.resource == "*" && action.is_some_and(|action| self.tables.data.resources_of(action).next().is_none())
    }

    /// An example with the context of its question, and what decides it.
    fn decided_at(&mut self, holdings: &Holdings, question: &Question, mut request: Request) -> (Request, Decision) {
        for (key, values) in &question.context {
            request.context.retain(|known, _| !known.eq_ignore_ascii_case(key));
            request.context.insert(key.clone(), values.clone());
        }
        let decision = self.decide(holdings, &request);
        (request, decision)
    }
}

/// Causes of doubt of one direction, in the words of a question.
fn about(compared: &str, asked: &str, causes: Vec<String>) -> Vec<String> {
    let own = causes.into_iter().filter(|cause| cause.contains(compared));
    own.map(|cause| match cause.strip_prefix(&format!("{compared}: ")) {
        Some(cause) => cause.to_owned(),
        None => cause.replace(compared, asked),
    })
    .collect()
}
