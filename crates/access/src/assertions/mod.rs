//! Assertions about who can do what: tests that stand beside a manifest. `docs/access-commands.md` has the grammar.
//!
//! `can` holds where all requests that are named are allowed, `cannot` where none is. What is not known makes an
//! assertion fail: nothing passes that is not proved.

mod check;
mod parse;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::decide::Decision;
use crate::holdings::Request;

pub use parse::parse_assertions;

/// A text and the bytes of the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text, without quotes.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// One assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// As it was written, on one line.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range<usize>,
    /// About whom it is.
    pub subject: Subject,
    /// What it says of them.
    pub verb: Verb,
    /// Actions, or patterns of actions.
    pub actions: Vec<Word>,
    /// ARNs, patterns of ARNs, or `*`.
    pub resources: Vec<Word>,
    /// Values by condition key.
    pub context: BTreeMap<String, Vec<String>>,
}

/// About whom an assertion is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One user.
    User(Word),
    /// One role.
    Role(Word),
    /// Whoever holds nothing but a group's policies.
    Group(Word),
    /// Each member of these groups, with everything that they hold.
    MembersOf(Vec<Word>),
    /// Every user and role, those apart who are members of some groups or are named.
    Everybody {
        /// Groups whose members it is not about.
        outside: Vec<Word>,
        /// Users and roles that it is not about.
        but: Vec<Word>,
    },
}

/// What an assertion says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// All of it is allowed.
    Can,
    /// None of it is allowed.
    Cannot,
}

/// Something that is wrong with the text of assertions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionProblem {
    /// Its kind, stable.
    pub code: &'static str,
    /// Whether the assertions can be used all the same.
    pub is_warning: bool,
    /// The bytes that are meant.
    pub span: Range<usize>,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// What became of an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many principals it is about.
    pub principals: usize,
    /// Where it does not hold; it does where there is none.
    pub failures: Vec<Failure>,
}

/// Where an assertion does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Of whom, for example `user/alice`.
    pub principal: String,
    /// A request that shows it, and what decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What decides that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why it is not known whether it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}
