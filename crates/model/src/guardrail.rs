//! The codes of guardrails, which manifests, commands and plans name.

use serde::{Deserialize, Serialize};

/// A guardrail's code, as `--allow` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum GuardrailCode {
    Deletions,
    OwnAccess,
    Administrators,
    BreakGlass,
    PasswordPolicy,
    Mfa,
    Boundary,
    Alias,
    SharedPolicy,
}

impl GuardrailCode {
    /// All codes.
    pub const ALL: [Self; 9] = [
        Self::Deletions,
        Self::OwnAccess,
        Self::Administrators,
        Self::BreakGlass,
        Self::PasswordPolicy,
        Self::Mfa,
        Self::Boundary,
        Self::Alias,
        Self::SharedPolicy,
    ];

    /// The code that a text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The code as text, for example `own-access`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deletions => "deletions",
            Self::OwnAccess => "own-access",
            Self::Administrators => "administrators",
            Self::BreakGlass => "break-glass",
            Self::PasswordPolicy => "password-policy",
            Self::Mfa => "mfa",
            Self::Boundary => "boundary",
            Self::Alias => "alias",
            Self::SharedPolicy => "shared-policy",
        }
    }
}
