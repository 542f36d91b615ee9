//! Mistakes that can be seen in a document: statements that are meant to require MFA, and own-user resources that
//! match too little or too much.
//!
//! A lint never makes a document invalid. Each is about a statement that cannot do what it is written for; where
//! that depends on who the document is for, the caller says so in a [`LintContext`].
//!
//! Source: the IAM user guide, "Allow users to self-manage MFA" and "IAM and MFA condition keys".

use std::collections::BTreeSet;

use super::canonical::base_operator;
use super::{CURRENT_VERSION, PolicyDocument, Statement};
use crate::{glob_matches, glob_matches_ignoring_case};

const MFA_PRESENT: &str = "aws:multifactorauthpresent";
const MFA_AGE: &str = "aws:multifactorauthage";

/// What is known about those whom a document is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LintContext<'a> {
    /// The account's partition, for example `aws`.
    pub partition: Option<&'a str>,
    /// Some of the users have a path other than `/`.
    pub users_have_paths: bool,
    /// Some of the users must change their password at the next sign-in.
    pub password_reset_required: bool,
    /// It is attached to a role.
    pub attached_to_role: bool,
}

/// Every code of a [`Lint`].
pub const LINT_CODES: &[&str] = &[
    "mfa-allow-with-ifexists",
    "mfa-bool-without-ifexists",
    "mfa-deny-blocks-first-password-change",
    "mfa-deny-exempts-device-removal",
    "mfa-deny-on-role",
    "mfa-device-named-after-user",
    "resource-in-other-partition",
    "username-matches-others",
    "username-misses-paths",
    "variable-under-old-version",
];

/// A mistake in a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// What it is called, for example `mfa-bool-without-ifexists`.
    pub code: &'static str,
    /// What is wrong and, after a semicolon, what to write instead.
    pub message: String,
    /// The statement's label.
    pub statement: String,
    /// The statement's place in [`PolicyDocument::statements`].
    pub index: usize,
}

impl PolicyDocument {
    /// Known pitfalls of documents that require MFA or let users manage themselves, in the order of the statements.
    pub fn mfa_pitfalls(&self, context: &LintContext<'_>) -> Vec<Lint> {
        let mut lints = Lints::default();
        let sessions_without_mfa_are_denied = self.statements().iter().any(denies_where_mfa_is_absent);
        let old_version = self.version() != Some(CURRENT_VERSION);
        for (index, statement) in self.statements().iter().enumerate() {
            lints.index = index;
            if !sessions_without_mfa_are_denied {
                lints.bool_without_if_exists(statement);
            }
            lints.allow_where_mfa_is_absent(statement);
            lints.mfa_deny(statement, context);
            lints.own_user_resources(statement, context);
            lints.own_device_resources(statement);
            if old_version {
                lints.variables_without_meaning(statement);
            }
            if let Some(partition) = context.partition {
                lints.other_partitions(statement, partition);
            }
        }
        if context.partition.is_none() {
            lints.mixed_partitions(self.statements());
        }
        lints.found
    }

    /// Unique ids that stand where an ARN was: their user or role was deleted, and one of the same name made later
    /// does not get its trust.
    pub fn dangling_principals(&self) -> BTreeSet<&str> {
        let is_unique_id = |text: &str| {
            let known = ["AIDA", "AROA", "AGPA", "AIPA"]
                .iter()
                .any(|prefix| text.starts_with(prefix));
            known
                && text.len() >= 16
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        let statements = self.statements().iter();
        statements
            .flat_map(|statement| [statement.principals(), statement.not_principals()])
            .flat_map(|mut principals| principals.remove("AWS").unwrap_or_default())
            .filter(|principal| is_unique_id(principal))
            .collect()
    }
}

#[derive(Default)]
struct Lints {
    found: Vec<Lint>,
    /// The statement that is looked at.
    index: usize,
}

impl Lints {
    fn push(&mut self, code: &'static str, statement: &Statement, message: impl Into<String>) {
        debug_assert!(LINT_CODES.contains(&code), "{code} is not listed");
        self.found.push(Lint {
            code,
            message: message.into(),
            statement: statement.label(),
            index: self.index,
        });
    }

    fn bool_without_if_exists(&mut self, statement: &Statement) {
        let misses_absent_keys = |operator: &str| matches!(operator, "Bool" | "ForAnyValue:Bool");
        if statement.is_deny() && tests(statement, misses_absent_keys, MFA_PRESENT, "false") {
            let message = "`Bool` does not deny requests that are signed with an access key, since these have no \
                           `aws:MultiFactorAuthPresent` at all; write `BoolIfExists`";
            self.push("mfa-bool-without-ifexists", statement, message);
        }
    }

    fn allow_where_mfa_is_absent(&mut self, statement: &Statement) {
        let holds_for_absent_keys = |operator: &str| {
            matches!(
                operator,
                "BoolIfExists" | "ForAllValues:Bool" | "ForAnyValue:BoolIfExists"
            )
        };
        let demands_the_key = tests(statement, |operator| operator == "Null", MFA_PRESENT, "false");
        if statement.is_allow() && tests(statement, holds_for_absent_keys, MFA_PRESENT, "true") && !demands_the_key {
            let message = "`BoolIfExists` allows requests that are signed with an access key and have no MFA at all; \
                           write `Bool`";
            self.push("mfa-allow-with-ifexists", statement, message);
        }
    }

    fn mfa_deny(&mut self, statement: &Statement, context: &LintContext<'_>) {
        if !is_mfa_deny(statement) {
            return;
        }
        if context.attached_to_role {
            let message = "sessions of a role carry no MFA unless the role was assumed with a code: services and \
                           chained roles are denied everything";
            self.push("mfa-deny-on-role", statement, message);
        }
        for action in ["iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice"] {
            if let Some(pattern) = exempting_pattern(statement, action) {
                let message = format!(
                    "`{pattern}` lets somebody who has only the password take the MFA device away (`{action}`); \
                     remove it from `NotAction`"
                );
                self.push("mfa-deny-exempts-device-removal", statement, message);
            }
        }
        if context.password_reset_required && denies_action(statement, "iam:ChangePassword") {
            let message = "a user who must change the password at the first sign-in has no MFA yet and cannot change \
                           it; hand the password out without a reset, or add the user to this group after the first \
                           sign-in";
            self.push("mfa-deny-blocks-first-password-change", statement, message);
        }
    }

    fn own_user_resources(&mut self, statement: &Statement, context: &LintContext<'_>) {
        let resources = statement.resources();
        let names = |end: &str| resources.iter().copied().find(|resource| ends_with(resource, end));
        if let Some(resource) = names(":user/*${aws:username}") {
            let message = format!(
                "`{resource}` also matches every user whose name ends in the same letters; write \
                 `user/${{aws:username}}` and `user/*/${{aws:username}}`"
            );
            self.push("username-matches-others", statement, message);
        }
        let with_paths = [":user/*/${aws:username}", ":user/*", ":*"];
        let covers_paths = resources.contains(&"*") || with_paths.iter().any(|end| names(end).is_some());
        if let Some(resource) = names(":user/${aws:username}")
            && context.users_have_paths
            && !covers_paths
        {
            let message = format!(
                "`{resource}` does not match users that have a path; add the same with `user/*/${{aws:username}}`"
            );
            self.push("username-misses-paths", statement, message);
        }
    }

    fn own_device_resources(&mut self, statement: &Statement) {
        let resources = statement.resources();
        let covers_all = resources
            .iter()
            .any(|resource| *resource == "*" || ends_with(resource, ":mfa/*"));
        let own_name = resources
            .iter()
            .find(|resource| ends_with(resource, ":mfa/${aws:username}"));
        if let Some(resource) = own_name
            && statement.is_allow()
            && !covers_all
        {
            let message = format!(
                "`{resource}` allows only one device, and only if it is named like the user; write `mfa/*` (a device \
                 can be enabled for its own user only)"
            );
            self.push("mfa-device-named-after-user", statement, message);
        }
    }

    fn variables_without_meaning(&mut self, statement: &Statement) {
        let conditions = statement.conditions();
        let values = conditions.values().flat_map(|keys| keys.values().flatten()).copied();
        let resources = statement.resources().into_iter().chain(statement.not_resources());
        let has_variable = |text: &&str| text.split_once("${").is_some_and(|(_, rest)| rest.contains('}'));
        if let Some(text) = resources.chain(values).find(has_variable) {
            let message = format!(
                "without `\"Version\": \"{CURRENT_VERSION}\"` the variable in `{text}` is literal text and matches \
                 nobody"
            );
            self.push("variable-under-old-version", statement, message);
        }
    }

    fn other_partitions(&mut self, statement: &Statement, own: &str) {
        for resource in resources_of(statement) {
            if partition_of(resource).is_some_and(|partition| !glob_matches(partition, own)) {
                let message = format!("`{resource}` is in another partition than the account, which is in `{own}`");
                self.push("resource-in-other-partition", statement, message);
            }
        }
    }

    fn mixed_partitions(&mut self, statements: &[Statement]) {
        let mut first = None;
        for (index, statement) in statements.iter().enumerate() {
            self.index = index;
            for partition in resources_of(statement).filter_map(partition_of) {
                let first = *first.get_or_insert(partition);
                if first != partition {
                    let message = format!(
                        "names resources in the partitions `{first}` and `{partition}`, and an account is in one only"
                    );
                    return self.push("resource-in-other-partition", statement, message);
                }
            }
        }
    }
}

/// Whether a condition compares a key (in lower case) with a value, under an operator of some kind.
fn tests(statement: &Statement, operator: impl Fn(&str) -> bool, key: &str, value: &str) -> bool {
    let conditions = statement.conditions();
    let mut blocks = conditions
        .iter()
        .filter(|(name, _)| operator(name))
        .map(|(_, block)| block);
    blocks.any(|block| block.get(key).is_some_and(|values| values.contains(&value)))
}

/// Whether this denies what comes without MFA, with or without the key.
fn is_mfa_deny(statement: &Statement) -> bool {
    statement.is_deny()
        && (tests(
            statement,
            |operator| base_operator(operator) == "Bool",
            MFA_PRESENT,
            "false",
        ) || denies_where_mfa_is_absent(statement))
}

/// Whether this denies requests that have no MFA key at all, those of access keys.
fn denies_where_mfa_is_absent(statement: &Statement) -> bool {
    let is_null = |operator: &str| operator == "Null";
    let holds_for_absent_keys = |operator: &str| matches!(operator, "BoolIfExists" | "ForAllValues:Bool");
    statement.is_deny()
        && (tests(statement, holds_for_absent_keys, MFA_PRESENT, "false")
            || tests(statement, is_null, MFA_PRESENT, "true")
            || tests(statement, is_null, MFA_AGE, "true"))
}

/// The `NotAction` that takes an action out of a statement.
fn exempting_pattern<'a>(statement: &'a Statement, action: &str) -> Option<&'a str> {
    let patterns = statement.not_actions();
    patterns
        .into_iter()
        .find(|pattern| glob_matches_ignoring_case(pattern, action))
}

fn denies_action(statement: &Statement, action: &str) -> bool {
    let matches = |pattern: &&str| glob_matches_ignoring_case(pattern, action);
    if statement.has("NotAction") {
        exempting_pattern(statement, action).is_none()
    } else {
        statement.actions().iter().any(matches)
    }
}

/// Names of variables ignore letter case.
fn ends_with(resource: &str, end: &str) -> bool {
    resource.to_ascii_lowercase().ends_with(end)
}

fn resources_of(statement: &Statement) -> impl Iterator<Item = &str> {
    statement.resources().into_iter().chain(statement.not_resources())
}

/// The partition of an ARN; `None` for `*` and other texts.
fn partition_of(resource: &str) -> Option<&str> {
    let (partition, _) = resource.strip_prefix("arn:")?.split_once(':')?;
    (!partition.contains(['*', '?', '$'])).then_some(partition)
}
