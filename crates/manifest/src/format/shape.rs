//! What each mapping of a manifest is, as far as its order is concerned.

use std::cmp::Ordering;

use crate::read::keys;

/// The keys of a policy document, and of a statement.
const DOCUMENT: &[&str] = &["Version", "Id", "Statement"];
const STATEMENT: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// What stands at a place of the manifest. The items of a list are of the list's own shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Manifest,
    Account,
    PasswordPolicy,
    RootUser,
    Scope,
    KindScope,
    Ignore,
    Hold,
    Allowance,
    External,
    Guardrails,
    Files,
    FileLimits,
    Lints,
    LintRule,
    UserTypes,
    UserType,
    Policies,
    Policy,
    Groups,
    Group,
    Users,
    User,
    Absent,
    AbsentNames,
    AbsentEntry,
    LoginProfile,
    AccessKeys,
    Mfa,
    Expires,
    Tags,
    InlinePolicies,
    Document,
    Statement,
    /// Something whose order is its author's.
    Other,
}

/// How the entries of a mapping are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As the reference names the keys; others follow as they were.
    Keys(&'static [&'static str]),
    /// By name.
    Names,
    /// As the author wrote them.
    AsWritten,
}

impl Shape {
    /// What stands under a key.
    pub(super) fn under(self, key: &str) -> Self {
        match (self, key) {
            (Self::Manifest, "account") => Self::Account,
            (Self::Manifest, "scope") => Self::Scope,
            (Self::Manifest, "external") => Self::External,
            (Self::Manifest, "guardrails") => Self::Guardrails,
            (Self::Manifest, "hold") => Self::Hold,
            (Self::Guardrails, "allow") => Self::Allowance,
            (Self::Manifest, "files") => Self::Files,
            (Self::Manifest, "lints") => Self::Lints,
            (Self::Lints, "ignore") => Self::LintRule,
            (Self::Manifest, "user_types") => Self::UserTypes,
            (Self::Manifest, "policies") => Self::Policies,
            (Self::Manifest, "groups") => Self::Groups,
            (Self::Manifest, "users") => Self::Users,
            (Self::Manifest, "absent") => Self::Absent,
            (Self::Account, "password_policy") => Self::PasswordPolicy,
            (Self::Account, "root") => Self::RootUser,
            (Self::Scope, "users" | "groups" | "policies" | "roles") => Self::KindScope,
            (Self::Scope, "ignore") => Self::Ignore,
            (Self::Files, _) => Self::FileLimits,
            (Self::UserTypes, _) => Self::UserType,
            (Self::Policies, _) => Self::Policy,
            (Self::Groups, _) => Self::Group,
            (Self::Users, _) => Self::User,
            (Self::Absent, _) => Self::AbsentNames,
            (Self::AbsentNames, _) => Self::AbsentEntry,
            (Self::Policy | Self::User | Self::UserType, "tags") => Self::Tags,
            (Self::Policy, "document") | (Self::InlinePolicies, _) => Self::Document,
            (Self::Group | Self::User | Self::UserType, "inline_policies") => Self::InlinePolicies,
            (Self::User | Self::UserType, "login_profile") => Self::LoginProfile,
            (Self::User | Self::UserType, "access_keys") => Self::AccessKeys,
            (Self::User | Self::UserType | Self::Group, "mfa") => Self::Mfa,
            (Self::User | Self::UserType, "expires") => Self::Expires,
            (Self::Document, "Statement") => Self::Statement,
            _ => Self::Other,
        }
    }

    pub(super) fn order(self) -> Order {
        match self {
            Self::Manifest => Order::Keys(keys::TOP),
            Self::Account => Order::Keys(keys::ACCOUNT),
            Self::PasswordPolicy => Order::Keys(keys::PASSWORD_POLICY),
            Self::RootUser => Order::Keys(keys::ROOT_USER),
            Self::Scope => Order::Keys(keys::SCOPE),
            Self::KindScope => Order::Keys(keys::KIND_SCOPE),
            Self::Ignore => Order::Keys(keys::IGNORE),
            Self::Hold => Order::Keys(keys::HOLD),
            Self::Allowance => Order::Keys(keys::ALLOWANCE),
            Self::External => Order::Keys(keys::EXTERNAL),
            Self::Guardrails => Order::Keys(keys::GUARDRAILS),
            Self::FileLimits => Order::Keys(keys::FILE_LIMITS),
            Self::Lints => Order::Keys(keys::LINTS),
            Self::LintRule => Order::Keys(keys::LINT_RULE),
            Self::UserType => Order::Keys(keys::USER_TYPE),
            Self::Policy => Order::Keys(keys::POLICY),
            Self::Group => Order::Keys(keys::GROUP),
            Self::User => Order::Keys(keys::USER),
            Self::Absent => Order::Keys(keys::ABSENT),
            Self::AbsentEntry => Order::Keys(keys::ABSENT_ENTRY),
            Self::LoginProfile => Order::Keys(keys::LOGIN_PROFILE),
            Self::AccessKeys => Order::Keys(keys::ACCESS_KEYS),
            Self::Mfa => Order::Keys(keys::MFA),
            Self::Expires => Order::Keys(keys::EXPIRES),
            Self::Document => Order::Keys(DOCUMENT),
            Self::Statement => Order::Keys(STATEMENT),
            Self::Files
            | Self::UserTypes
            | Self::Policies
            | Self::Groups
            | Self::Users
            | Self::AbsentNames
            | Self::Tags
            | Self::InlinePolicies => Order::Names,
            Self::Other => Order::AsWritten,
        }
    }
}

impl Order {
    /// Which of two keys comes first. Keys that are equal here stay as they were.
    pub(super) fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Keys(table) => {
                let place = |key: &str| table.iter().position(|known| *known == key).unwrap_or(table.len());
                place(a).cmp(&place(b))
            }
            // As IAM compares names; those that differ in case alone still have an order.
            Self::Names => a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b)),
            Self::AsWritten => Ordering::Equal,
        }
    }
}
