//! Names of IAM entities. They compare ignoring ASCII case, as IAM does, and keep the spelling that was given.

use std::{cmp::Ordering, fmt, hash};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a name is not one that IAM accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty.
    #[error("{kind} is empty")]
    Empty {
        /// What was being named, for example "user name".
        kind: &'static str,
    },
    /// The name is longer than IAM accepts.
    #[error("{kind} has {length} characters, IAM allows at most {max}")]
    TooLong {
        /// What was being named.
        kind: &'static str,
        /// Its length in characters.
        length: usize,
        /// The longest length that IAM accepts.
        max: usize,
    },
    /// The name has a character outside `[A-Za-z0-9_+=,.@-]`.
    #[error("{kind} has the character {found:?}; IAM allows letters, digits and _+=,.@-")]
    Character {
        /// What was being named.
        kind: &'static str,
        /// The first character that is not allowed.
        found: char,
    },
}

fn check(kind: &'static str, max: usize, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if let Some(found) = text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c)))
    {
        return Err(NameError::Character { kind, found });
    }
    let length = text.chars().count();
    if length > max {
        return Err(NameError::TooLong { kind, length, max });
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $max:literal) => {
        $(#[$doc])*
        ///
        /// Equality, order and hash ignore ASCII case; [`as_str`](Self::as_str) keeps the spelling.
        #[derive(Clone)]
        pub struct $type(String);

        impl $type {
            /// The longest name that IAM accepts at creation, in characters.
            pub const MAX_LENGTH: usize = $max;

            /// Checks a name against IAM's rules for creation.
            ///
            /// # Errors
            ///
            /// [`NameError`] where the name is empty, too long or has a character that IAM refuses.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check($kind, $max, &text)?;
                Ok(Self(text))
            }

            /// Takes a name that a live account reported, without judging it.
            pub fn from_live(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as it was spelt.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether both are spelt alike, letter case included.
            pub fn same_spelling(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }
        impl Eq for $type {}
        impl Ord for $type {
            fn cmp(&self, other: &Self) -> Ordering {
                let fold = |s: &Self| s.0.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
                if self.0.is_ascii() && other.0.is_ascii() {
                    self.0.bytes().map(|b| b.to_ascii_lowercase()).cmp(other.0.bytes().map(|b| b.to_ascii_lowercase()))
                } else {
                    fold(self).cmp(&fold(other))
                }
            }
        }
        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl hash::Hash for $type {
            fn hash<H: hash::Hasher>(&self, state: &mut H) {
                for byte in self.0.bytes() {
                    state.write_u8(byte.to_ascii_lowercase());
                }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self)
            }
        }
    };
}

name!(
    /// The name of an IAM user.
    UserName, "user name", 64
);
name!(
    /// The name of an IAM group.
    GroupName, "group name", 128
);
name!(
    /// The name of an IAM role.
    RoleName, "role name", 64
);
name!(
    /// The name of a customer managed policy.
    PolicyName, "policy name", 128
);
name!(
    /// The name of an inline policy; unique within the user or group that holds it.
    InlinePolicyName, "inline policy name", 128
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_ignoring_case_and_keep_their_spelling() {
        let (a, b) = (UserName::from_live("Alice"), UserName::from_live("alice"));
        assert_eq!(a, b);
        assert_eq!(a.cmp(&b), Ordering::Equal);
        assert!(!a.same_spelling(&b));
        assert_eq!(a.as_str(), "Alice");
    }

    #[test]
    fn limits_are_iams() {
        assert!(UserName::new("a".repeat(64)).is_ok());
        assert_eq!(
            UserName::new("a".repeat(65)).unwrap_err().to_string(),
            "user name has 65 characters, IAM allows at most 64"
        );
        assert!(GroupName::new("a".repeat(128)).is_ok());
        assert!(UserName::new("a_b+c=d,e.f@g-h").is_ok());
        assert!(matches!(
            UserName::new("zoë"),
            Err(NameError::Character { found: 'ë', .. })
        ));
        assert!(matches!(
            UserName::new("a b"),
            Err(NameError::Character { found: ' ', .. })
        ));
        assert!(matches!(UserName::new(""), Err(NameError::Empty { .. })));
    }
}
