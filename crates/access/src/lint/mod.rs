//! Mistakes and risks that can be seen in one policy, offline.
//!
//! A lint never makes a policy invalid: AWS takes all of these. What rests on the action data says so with its date,
//! since AWS adds names every day.

mod names;
mod statements;

pub use names::did_you_mean;

use std::fmt;

use serde::Serialize;
use trueup_model::PolicyDocument;
use trueup_model::document::{CURRENT_VERSION, Statement};

use crate::engine::Engine;
use crate::side::Documents;
use crate::tables::StatementId;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It lets people do what its author may not have meant.
    Security,
    /// Some of it has no effect.
    Warning,
    /// It could be written better.
    Suggestion,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Security => "security",
            Self::Warning => "warning",
            Self::Suggestion => "suggestion",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $severity:ident;)*) => {
        /// What a finding is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PolicyLintCode {
            $($(#[$doc])* $name,)*
        }

        impl PolicyLintCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as text, by which it can be ignored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    /// No service has this prefix.
    UnknownService "unknown-service" Warning;
    /// The service has no such action.
    UnknownAction "unknown-action" Warning;
    /// No action of the data matches the pattern.
    PatternWithoutAction "pattern-without-action" Warning;
    /// None of the resources is one that the action works on.
    ActionWithoutResource "action-without-resource" Warning;
    /// None of the actions works on this resource.
    ResourceWithoutAction "resource-without-action" Warning;
    /// An ARN with fewer than six fields.
    ShortArn "short-arn" Warning;
    /// Everything that the statement allows is denied by the same policy.
    UnreachableStatement "unreachable-statement" Warning;
    /// Another statement of the policy covers all of it.
    RedundantStatement "redundant-statement" Suggestion;
    /// An allowing statement names what it does not allow.
    AllowWithNotAction "allow-with-not-action" Security;
    /// An allowing statement names the resources that it is not about.
    AllowWithNotResource "allow-with-not-resource" Security;
    /// All actions of a service that can grant or take away everything.
    WildcardInSensitiveService "wildcard-in-sensitive-service" Security;
    /// Any role can be passed to any service.
    PassRoleOnEverything "pass-role-on-everything" Security;
    /// Any role can be assumed.
    AssumeRoleOnEverything "assume-role-on-everything" Security;
    /// Permissions can be changed without MFA.
    MissingMfaCondition "missing-mfa-condition" Suggestion;
}

impl PolicyLintCode {
    /// Whether it is about what a policy grants, which a permissions boundary does not.
    pub fn is_about_grants(self) -> bool {
        self.severity() == Severity::Security || self == Self::MissingMfaCondition
    }
}

impl fmt::Display for PolicyLintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PolicyLintCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A finding in a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PolicyLint {
    /// What it is about.
    pub code: PolicyLintCode,
    /// How much it matters.
    pub severity: Severity,
    /// Which statement, counted from 0.
    pub index: usize,
    /// What to call the statement.
    pub statement: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Gathers findings of one statement.
pub(super) struct Report<'r> {
    index: usize,
    statement: &'r Statement,
    found: &'r mut Vec<PolicyLint>,
}

impl Report<'_> {
    pub(super) fn add(&mut self, code: PolicyLintCode, message: String) {
        self.found.push(PolicyLint {
            code,
            severity: code.severity(),
            index: self.index,
            statement: self.statement.label(),
            message,
        });
    }
}

impl Engine<'_> {
    /// Findings in an identity policy, in the order of its statements.
    pub fn lint(&mut self, document: &PolicyDocument) -> Vec<PolicyLint> {
        let mut found = Vec::new();
        let ids = self.statement_ids(document);
        for (index, statement) in document.statements().iter().enumerate() {
            let has_variables = document.effective_version() == Some(CURRENT_VERSION);
            let mut report = Report {
                index,
                statement,
                found: &mut found,
            };
            self.lint_names(statement, has_variables, &mut report);
            lint_effect(statement, &mut report);
            self.lint_against_others(document, index, &ids, &mut report);
        }
        self.lint_mfa(document, &mut found);
        found.sort();
        found.sort_by_key(|lint| lint.index);
        found
    }

    /// The numbers of the statements, by place; `None` for what cannot be read.
    fn statement_ids(&mut self, document: &PolicyDocument) -> Vec<Option<StatementId>> {
        let mut documents = Documents::default();
        let holdings = crate::Holdings::of_document("policy", document.clone());
        let side = documents.side(&mut self.tables, &holdings);
        let mut ids = vec![None; document.statements().len()];
        for (id, places) in &side.places {
            for place in places {
                ids[place.statement] = Some(*id);
            }
        }
        ids
    }
}

/// Services of which all actions together are the means to everything, or to losing everything.
const SENSITIVE: &[&str] = &[
    "iam",
    "sts",
    "organizations",
    "account",
    "kms",
    "secretsmanager",
    "sso",
    "sso-directory",
    "cloudtrail",
];

fn lint_effect(statement: &Statement, report: &mut Report<'_>) {
    if !statement.is_allow() {
        return;
    }
    if statement.has("NotAction") {
        let message = "`Allow` with `NotAction` allows every action but those named, also of services that AWS adds \
                       later; name what is allowed, or deny the rest"
            .to_owned();
        report.add(PolicyLintCode::AllowWithNotAction, message);
    }
    if statement.has("NotResource") {
        let message =
            "`Allow` with `NotResource` allows every resource but those named, also those that are made later; \
                       name what is allowed, or deny the rest"
                .to_owned();
        report.add(PolicyLintCode::AllowWithNotResource, message);
    }
    for action in statement.actions() {
        if let Some((service, "*")) = action.split_once(':')
            && SENSITIVE.contains(&service)
            && !statement.has("Condition")
        {
            let message = format!(
                "`{action}` allows everything that `{service}` has and will have, without a condition; name the actions"
            );
            report.add(PolicyLintCode::WildcardInSensitiveService, message);
        }
    }
    let matches = |name: &str| {
        statement
            .actions()
            .iter()
            .any(|own| trueup_model::glob_matches(own, name))
    };
    // Statements that allow everything are about more than roles, and everybody sees it.
    let is_everything = statement.actions().contains(&"*");
    let is_open = statement.resources().iter().any(|resource| {
        let role = resource.rsplit(':').next().unwrap_or_default();
        *resource == "*" || (resource.contains(":iam:") && matches!(role, "role/*" | "*"))
    });
    if is_open && !is_everything && matches("iam:passrole") && !tests_key(statement, "iam:passedtoservice") {
        let message =
            "any role can be passed to any service, and with it whatever the role may do; name the roles, and \
                       the service with `iam:PassedToService`"
                .to_owned();
        report.add(PolicyLintCode::PassRoleOnEverything, message);
    }
    if is_open && !is_everything && matches("sts:assumerole") && !statement.has("Condition") {
        let message = "every role that trusts the account can be assumed; name the roles".to_owned();
        report.add(PolicyLintCode::AssumeRoleOnEverything, message);
    }
}

/// Whether a condition of the statement names a key, which is in lower case.
fn tests_key(statement: &Statement, key: &str) -> bool {
    statement.conditions().values().any(|block| block.contains_key(key))
}

impl Engine<'_> {
    /// Statements that let permissions be changed, where neither they nor a deny asks for MFA.
    fn lint_mfa(&mut self, document: &PolicyDocument, found: &mut Vec<PolicyLint>) {
        const KEYS: [&str; 2] = ["aws:multifactorauthpresent", "aws:multifactorauthage"];
        let asks = |statement: &Statement| KEYS.iter().any(|key| tests_key(statement, key));
        if document
            .statements()
            .iter()
            .any(|statement| statement.is_deny() && asks(statement))
        {
            return;
        }
        // A person who may grant something can grant everything.
        let grants = [
            "iam:attachuserpolicy",
            "iam:putuserpolicy",
            "iam:attachgrouppolicy",
            "iam:putgrouppolicy",
            "iam:createpolicyversion",
        ];
        for (index, statement) in document.statements().iter().enumerate() {
            let grants = |own: &&str| grants.iter().any(|name| trueup_model::glob_matches(own, name));
            if statement.is_allow() && !asks(statement) && statement.actions().iter().any(grants) {
                let message = "lets permissions be changed without MFA; ask for it with `\"Bool\": \
                               {\"aws:MultiFactorAuthPresent\": \"true\"}`, or deny what comes without"
                    .to_owned();
                Report {
                    index,
                    statement,
                    found,
                }
                .add(PolicyLintCode::MissingMfaCondition, message);
            }
        }
    }
}
