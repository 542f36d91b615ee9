//! What identity policies allow, and what a change of them lets people do: sets of requests, compared with a witness
//! request for every difference, or proved equal.
//!
//! ```
//! use trueup_access::{Engine, IamData, Verdict};
//! use trueup_model::PolicyDocument;
//!
//! let before = PolicyDocument::parse(
//!     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#,
//! )?;
//! let after = PolicyDocument::parse(
//!     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/*"}}"#,
//! )?;
//! let mut engine = Engine::new(IamData::embedded());
//! let comparison = engine.compare_documents(&before, &after);
//! assert_eq!(comparison.verdict, Verdict::Both);
//! assert!(comparison.gained[0].example.resource.starts_with("arn:aws:s3:::reports/"));
//! # Ok::<(), trueup_model::document::DocumentError>(())
//! ```
//!
//! Looked at are identity policies, those of groups included, and the permissions boundary. Resource policies (which
//! may grant more), service and resource control policies and session policies (which only take away) are not, nor are
//! trust and key policies.
//!
//! The engine never says that nothing is gained where something is: what it does not understand may be true or false,
//! names that the action data lacks are looked at as well, and a search that has to stop is no proof. It never does
//! input or output, never reads a clock, and never decides what to do about a finding.

mod account;
mod assertions;
mod bits;
mod comparison;
mod condition;
pub mod data;
mod decide;
mod direction;
mod engine;
mod facts;
mod holdings;
mod illustrate;
mod lint;
mod question;
mod reach;
mod search;
mod services;
mod side;
mod summary;
mod tables;
mod text;
mod unlisted;

pub use account::{Account, Group, PrincipalName};
pub use assertions::{Assertion, AssertionProblem, Failure, Outcome, Subject, Verb, Word, parse_assertions};
pub use comparison::{Actions, Cause, Certainty, Comparison, Finding, Judgement, ListedActions, StatementRef, Verdict};
pub use data::IamData;
pub use decide::{Decision, Effect};
pub use engine::Engine;
pub use holdings::{Holdings, Origin, PrincipalFacts, Request};
pub use lint::{PolicyLint, PolicyLintCode, Severity, did_you_mean};
pub use question::{Answer, Question};
pub use reach::{Administrator, Escalation, EscalationPath, Reached, escalation_paths};
pub use summary::Line;
