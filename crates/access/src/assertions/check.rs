//! Whether assertions hold in an account, with a request where they do not.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{GroupName, UserName};

use super::{Assertion, AssertionProblem, Failure, Outcome, Subject, Verb, Word};
use crate::account::{Account, PrincipalName};
use crate::data::IamData;
use crate::decide::Decision;
use crate::engine::Engine;
use crate::holdings::{Holdings, Request};
use crate::lint::did_you_mean;
use crate::question::{Answer, Question};

impl Assertion {
    /// Names that the account lacks, which are errors, and actions that the data lacks, which are warnings.
    pub fn problems(&self, account: &Account, data: &IamData) -> Vec<AssertionProblem> {
        let mut problems = Vec::new();
        let users = || {
            account
                .principals
                .keys()
                .filter(|name| matches!(name, PrincipalName::User(_)))
        };
        let roles = || {
            account
                .principals
                .keys()
                .filter(|name| matches!(name, PrincipalName::Role(_)))
        };
        let mut user = |word: &Word| {
            let is_there = account.principals.contains_key(&PrincipalName::user(&word.text));
            let others = users().map(PrincipalName::name);
            problems.extend((!is_there).then(|| missing("user", word, others)));
        };
        match &self.subject {
            Subject::User(word) => user(word),
            Subject::Everybody { but, .. } => {
                // What is excepted may be a role.
                let is_role = |word: &&Word| account.principals.contains_key(&PrincipalName::role(&word.text));
                but.iter().filter(|word| !is_role(word)).for_each(user);
            }
            Subject::Role(word) => {
                let is_there = account.principals.contains_key(&PrincipalName::role(&word.text));
                problems.extend((!is_there).then(|| missing("role", word, roles().map(PrincipalName::name))));
            }
            Subject::Group(_) | Subject::MembersOf(_) => {}
        }
        let groups = match &self.subject {
            Subject::Group(word) => std::slice::from_ref(word),
            Subject::MembersOf(words) | Subject::Everybody { outside: words, .. } => words,
            Subject::User(_) | Subject::Role(_) => &[],
        };
        for word in groups {
            if !account.groups.contains_key(&GroupName::from_live(word.text.as_str())) {
                problems.push(missing("group", word, account.groups.keys().map(GroupName::as_str)));
            }
        }
        for action in &self.actions {
            problems.extend(data.complaint(&action.text).map(|message| {
                let (message, hint) = split_hint(&message);
                AssertionProblem {
                    code: "unknown-action",
                    is_warning: true,
                    span: action.span.clone(),
                    message,
                    hint,
                }
            }));
        }
        problems
    }

    /// Whether it holds. Whom the account lacks is nobody: see [`Assertion::problems`].
    pub fn check(&self, engine: &mut Engine<'_>, account: &Account) -> Outcome {
        let subjects = self.subjects(account);
        let mut failures = Vec::new();
        for (name, holdings) in &subjects {
            failures.extend(self.failure(engine, name, holdings));
        }
        Outcome {
            principals: subjects.len(),
            failures,
        }
    }

    fn subjects(&self, account: &Account) -> BTreeMap<String, Holdings> {
        let named = |name: PrincipalName| {
            let holdings = account.principals.get(&name)?;
            Some((name.to_string(), holdings.clone()))
        };
        let members = |words: &[Word]| -> BTreeSet<UserName> {
            let groups = words.iter();
            let groups = groups.filter_map(|word| account.groups.get(&GroupName::from_live(word.text.as_str())));
            groups.flat_map(|group| group.members.iter().cloned()).collect()
        };
        match &self.subject {
            Subject::User(word) => named(PrincipalName::user(&word.text)).into_iter().collect(),
            Subject::Role(word) => named(PrincipalName::role(&word.text)).into_iter().collect(),
            Subject::Group(word) => {
                let name = GroupName::from_live(word.text.as_str());
                let group = account.of_group(&name);
                group
                    .map(|holdings| (format!("group/{name}"), holdings))
                    .into_iter()
                    .collect()
            }
            Subject::MembersOf(words) => members(words)
                .into_iter()
                .filter_map(|user| named(PrincipalName::User(user)))
                .collect(),
            Subject::Everybody { outside, but } => {
                let members = members(outside);
                let is_meant = |name: &&PrincipalName| {
                    let is_member = matches!(name, PrincipalName::User(user) if members.contains(user));
                    let is_named = |word: &Word| word.text.eq_ignore_ascii_case(name.name());
                    !is_member && !but.iter().any(is_named)
                };
                let everybody = account.principals.keys().filter(is_meant);
                everybody.filter_map(|name| named(name.clone())).collect()
            }
        }
    }

    /// The first of its requests that is not as it says.
    fn failure(&self, engine: &mut Engine<'_>, principal: &str, holdings: &Holdings) -> Option<Failure> {
        let fails = |shown: Option<(Request, Decision)>, unknown: Vec<String>| {
            let (request, decision) = shown.unzip();
            Failure {
                principal: principal.to_owned(),
                request,
                decision,
                unknown,
            }
        };
        let mut doubt = None;
        for action in &self.actions {
            for resource in &self.resources {
                let question = Question {
                    action: action.text.clone(),
                    resource: resource.text.clone(),
                    context: self.context.clone(),
                };
                let answer = match self.verb {
                    Verb::Can => engine.allows_all(holdings, &question),
                    Verb::Cannot => engine.allows_any(holdings, &question),
                };
                match (self.verb, answer) {
                    (Verb::Can, Answer::Yes(_)) | (Verb::Cannot, Answer::No(_)) => {}
                    (Verb::Can, Answer::No(shown)) | (Verb::Cannot, Answer::Yes(shown)) => {
                        return Some(fails(shown, Vec::new()));
                    }
                    (_, Answer::Unknown(causes)) => doubt = doubt.or_else(|| Some(fails(None, causes))),
                }
            }
        }
        doubt
    }
}

fn missing<'a>(kind: &str, word: &Word, known: impl Iterator<Item = &'a str>) -> AssertionProblem {
    let alike = did_you_mean(&word.text, known);
    let hint = alike.trim_start_matches("; ");
    AssertionProblem {
        code: match kind {
            "user" => "unknown-user",
            "role" => "unknown-role",
            _ => "unknown-group",
        },
        is_warning: false,
        span: word.span.clone(),
        message: format!("there is no {kind} `{}`", word.text),
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
    }
}

/// A message and the way out that stands behind its semicolon.
fn split_hint(message: &str) -> (String, Option<String>) {
    match message.rsplit_once("; ") {
        Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
        None => (message.to_owned(), None),
    }
}
