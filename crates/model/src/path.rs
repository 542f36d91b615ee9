//! Paths of IAM entities.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path such as `/` or `/platform/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(String);

/// Why a path is not one that IAM accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No slash at the beginning or at the end.
    #[error("a path begins and ends with `/`")]
    Slashes,
    /// `//`, which IAM refuses.
    #[error("the path `//` is refused by IAM")]
    DoubleSlash,
    /// More than 512 characters.
    #[error("a path has at most 512 characters, this one has {0}")]
    TooLong(usize),
    /// A character that IAM does not accept there.
    #[error("the character {0:?} is not allowed in this path")]
    Character(char),
}

impl Path {
    /// The root path, `/`.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Checks the path of a user, group or role: `/` or `/…/` of U+0021 to U+007E, at most 512 characters.
    ///
    /// # Errors
    ///
    /// [`PathError`], as IAM would answer `ValidationError`.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        Self::check(text.into(), |c| ('\u{21}'..='\u{7e}').contains(&c))
    }

    /// Checks the path of a managed policy, for which IAM allows fewer characters than elsewhere.
    ///
    /// # Errors
    ///
    /// [`PathError`], as IAM would answer `ValidationError`.
    pub fn for_policy(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        if text.contains("//") {
            return Err(PathError::DoubleSlash);
        }
        Self::check(text, |c| c.is_ascii_alphanumeric() || ".,+@=_-/".contains(c))
    }

    fn check(text: String, allowed: impl Fn(char) -> bool) -> Result<Self, PathError> {
        if !text.starts_with('/') || !text.ends_with('/') {
            return Err(PathError::Slashes);
        }
        if text == "//" {
            return Err(PathError::DoubleSlash);
        }
        if let Some(found) = text.chars().find(|c| !allowed(*c)) {
            return Err(PathError::Character(found));
        }
        let length = text.chars().count();
        if length > 512 {
            return Err(PathError::TooLong(length));
        }
        Ok(Self(text))
    }

    /// Takes a path that a live account reported, without judging it.
    pub fn from_live(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The path as text, slashes included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this path is `ancestor` or lies below it.
    pub fn is_under(&self, ancestor: &Self) -> bool {
        self.0.starts_with(&ancestor.0)
    }

    /// Whether AWS keeps what lies here for itself: service-linked and Identity Center roles.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with("/aws-service-role/") || self.0.starts_with("/aws-reserved/")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_iam() {
        for good in ["/", "/a/", "/a//b/", "/a*:b/"] {
            assert!(Path::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "/a", "a/", "//", "/a b/", "/é/"] {
            assert!(Path::new(bad).is_err(), "{bad}");
        }
        assert!(Path::for_policy("/a/b/").is_ok());
        for bad in ["/a//b/", "/a*/", "/a:b/"] {
            assert!(Path::for_policy(bad).is_err(), "{bad}");
        }
        assert!(Path::new(format!("/{}/", "a".repeat(510))).is_ok());
        assert_eq!(
            Path::new(format!("/{}/", "a".repeat(511))),
            Err(PathError::TooLong(513))
        );
    }

    #[test]
    fn a_path_lies_under_itself_and_its_ancestors() {
        let path = Path::from_live("/platform/core/");
        assert!(path.is_under(&Path::root()) && path.is_under(&Path::from_live("/platform/")));
        assert!(!path.is_under(&Path::from_live("/plat/")));
    }
}
