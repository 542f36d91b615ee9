//! Facts of an account as a whole: its id, alias and password policy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A twelve-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(String);

/// A text that is no account id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account id is twelve digits in quotes")]
pub struct AccountIdError;

impl AccountId {
    /// Checks an account id.
    ///
    /// # Errors
    ///
    /// [`AccountIdError`] where the text is not twelve digits.
    pub fn new(text: impl Into<String>) -> Result<Self, AccountIdError> {
        let text = text.into();
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(AccountIdError)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account alias, the name in the sign-in URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Alias(String);

/// Why a text is no account alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// Not 3 to 63 characters.
    #[error("an account alias has 3 to 63 characters, this one has {0}")]
    Length(usize),
    /// Not lower-case letters, digits and single inner hyphens.
    #[error("an account alias has lower-case letters, digits and single hyphens between them")]
    Form,
    /// Twelve digits, which would read as an account id.
    #[error("an account alias is not twelve digits, since that reads as an account id")]
    AccountId,
}

impl Alias {
    /// Checks an alias by IAM's rule `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`, not twelve digits.
    ///
    /// # Errors
    ///
    /// [`AliasError`], as IAM would answer `ValidationError`.
    pub fn new(text: impl Into<String>) -> Result<Self, AliasError> {
        let text = text.into();
        let length = text.chars().count();
        if !(3..=63).contains(&length) {
            return Err(AliasError::Length(length));
        }
        let characters = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !characters || text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return Err(AliasError::Form);
        }
        if AccountId::new(text.as_str()).is_ok() {
            return Err(AliasError::AccountId);
        }
        Ok(Self(text))
    }

    /// Takes an alias that a live account reported.
    pub fn from_live(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole custom password policy of an account. Fields and ranges are the IAM API's.
///
/// The API replaces the policy as a whole: what an update leaves out goes back to its default, so both sides of a
/// comparison hold every field. `None` stands for "not set", which the API expresses by omission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPolicy {
    /// Shortest password, 6 to 128 characters.
    pub minimum_password_length: u32,
    /// At least one of the symbols ``! @ # $ % ^ & * ( ) _ + - = [ ] { } | '``.
    pub require_symbols: bool,
    /// At least one digit.
    pub require_numbers: bool,
    /// At least one upper-case Latin letter.
    pub require_uppercase_characters: bool,
    /// At least one lower-case Latin letter.
    pub require_lowercase_characters: bool,
    /// Whether every user may change their own password.
    pub allow_users_to_change_password: bool,
    /// Days until a password expires, 1 to 1095; `None`: never.
    pub max_password_age: Option<u32>,
    /// How many earlier passwords cannot be used again, 1 to 24; `None`: no limit.
    pub password_reuse_prevention: Option<u32>,
    /// Whether only an administrator can let a person with an expired password in again.
    pub hard_expiry: bool,
}

impl Default for PasswordPolicy {
    /// What the API makes of an update that names no field. It is weaker than having no custom policy at all.
    fn default() -> Self {
        Self {
            minimum_password_length: 6,
            require_symbols: false,
            require_numbers: false,
            require_uppercase_characters: false,
            require_lowercase_characters: false,
            allow_users_to_change_password: false,
            max_password_age: None,
            password_reuse_prevention: None,
            hard_expiry: false,
        }
    }
}

impl PasswordPolicy {
    /// How this policy is weaker than `before`, in words; empty where it is not.
    ///
    /// `None` for `before` is an account without a custom policy, where AWS asks for 8 characters of 3 of the 4
    /// classes.
    pub fn weaker_than(&self, before: Option<&Self>) -> Vec<String> {
        let mut found = Vec::new();
        let classes = [
            (self.require_symbols, "symbols"),
            (self.require_numbers, "numbers"),
            (self.require_uppercase_characters, "upper-case letters"),
            (self.require_lowercase_characters, "lower-case letters"),
        ];
        let Some(before) = before else {
            if self.minimum_password_length < 8 {
                found.push(format!(
                    "minimum length {} is below the 8 of the AWS default",
                    self.minimum_password_length
                ));
            }
            let asked = classes.iter().filter(|(asked, _)| *asked).count();
            if asked < 3 {
                found.push(format!("{asked} character classes are below the 3 of the AWS default"));
            }
            return found;
        };
        if self.minimum_password_length < before.minimum_password_length {
            found.push(format!(
                "minimum length falls from {} to {}",
                before.minimum_password_length, self.minimum_password_length
            ));
        }
        let asked_before = [
            before.require_symbols,
            before.require_numbers,
            before.require_uppercase_characters,
            before.require_lowercase_characters,
        ];
        for ((asked, what), before) in classes.into_iter().zip(asked_before) {
            if before && !asked {
                found.push(format!("{what} are no longer required"));
            }
        }
        match (before.max_password_age, self.max_password_age) {
            (Some(from), None) => found.push(format!("passwords no longer expire (before: after {from} days)")),
            (Some(from), Some(to)) if to > from => found.push(format!("maximum age rises from {from} to {to} days")),
            _ => {}
        }
        match (before.password_reuse_prevention, self.password_reuse_prevention) {
            (Some(from), None) => found.push(format!("old passwords can be used again (before: not the last {from})")),
            (Some(from), Some(to)) if to < from => found.push(format!("reuse prevention falls from {from} to {to}")),
            _ => {}
        }
        if before.hard_expiry && !self.hard_expiry {
            found.push("expired passwords can be replaced by their owners again".to_owned());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_follow_iam() {
        for good in ["abc", "acme-prod", "a1-b2", "12345678901"] {
            assert!(Alias::new(good).is_ok(), "{good}");
        }
        for bad in [
            "ab",
            "Acme",
            "-abc",
            "abc-",
            "a--b",
            "123456789012",
            "a_b",
            &"a".repeat(64),
        ] {
            assert!(Alias::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_custom_policy_is_weaker_than_none() {
        assert_eq!(PasswordPolicy::default().weaker_than(None).len(), 2);
    }

    #[test]
    fn every_weakening_is_named() {
        let strong = PasswordPolicy {
            minimum_password_length: 14,
            require_symbols: true,
            require_numbers: true,
            require_uppercase_characters: true,
            require_lowercase_characters: true,
            allow_users_to_change_password: true,
            max_password_age: Some(90),
            password_reuse_prevention: Some(24),
            hard_expiry: true,
        };
        assert!(strong.weaker_than(Some(&strong)).is_empty());
        assert!(strong.weaker_than(None).is_empty());
        assert_eq!(PasswordPolicy::default().weaker_than(Some(&strong)).len(), 8);
    }
}
