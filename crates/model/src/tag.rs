//! Tags. Keys of users and roles ignore case, keys of policies do not: the caller says which rule holds.

use std::collections::BTreeMap;

/// Tags by key, as spelt.
pub type Tags = BTreeMap<String, String>;

/// Why a tag is not one that IAM accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// An empty or all-blank key.
    #[error("a tag key is not blank")]
    BlankKey,
    /// A key of more than 128 characters.
    #[error("a tag key has at most 128 characters, this one has {0}")]
    KeyLength(usize),
    /// A value of more than 256 characters.
    #[error("a tag value has at most 256 characters, this one has {0}")]
    ValueLength(usize),
    /// A key that begins with `aws:`.
    #[error("tag keys that begin with `aws:` belong to AWS")]
    AwsKey,
    /// A key that begins with `trueup:`.
    #[error("tag keys that begin with `trueup:` are kept by trueup itself")]
    ToolKey,
    /// A character that IAM does not accept in tags.
    #[error("the character {0:?} is not allowed in tags; IAM allows letters, digits, blanks and _.:/=+-@")]
    Character(char),
}

fn check_characters(text: &str) -> Result<(), TagError> {
    // IAM's pattern is [\p{L}\p{Z}\p{N}_.:/=+\-@]. `char::is_alphabetic` is wider than \p{L} (it takes some
    // marks), so a few scripts' vowel signs pass here and are left to IAM to refuse.
    match text
        .chars()
        .find(|c| !(c.is_alphabetic() || c.is_numeric() || is_separator(*c) || "_.:/=+-@".contains(*c)))
    {
        Some(found) => Err(TagError::Character(found)),
        None => Ok(()),
    }
}

/// Unicode category Z: separators, among them the blank and the no-break space, but not tab or line feed.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Checks a tag key that a manifest names.
///
/// # Errors
///
/// [`TagError`] where IAM would refuse the key, or where trueup keeps it for itself.
pub fn check_tag_key(key: &str) -> Result<(), TagError> {
    if key.chars().all(is_separator) {
        return Err(TagError::BlankKey);
    }
    let length = key.chars().count();
    if length > 128 {
        return Err(TagError::KeyLength(length));
    }
    let folded = key.to_ascii_lowercase();
    if folded.starts_with("aws:") {
        return Err(TagError::AwsKey);
    }
    if folded.starts_with("trueup:") {
        return Err(TagError::ToolKey);
    }
    check_characters(key)
}

/// Checks a tag value.
///
/// # Errors
///
/// [`TagError`] where IAM would refuse the value.
pub fn check_tag_value(value: &str) -> Result<(), TagError> {
    let length = value.chars().count();
    if length > 256 {
        return Err(TagError::ValueLength(length));
    }
    check_characters(value)
}

/// The form under which tag keys of users and roles are one and the same.
pub fn fold_tag_key(key: &str) -> String {
    key.to_lowercase()
}

/// Whether a live tag is never compared: trueup's own (`trueup:`), AWS's (`aws:`), and those that the console names
/// after an access key id (`AKIA` and sixteen more letters or digits).
pub fn is_reserved_tag_key(key: &str) -> bool {
    let folded = key.to_ascii_lowercase();
    folded.starts_with("trueup:") || folded.starts_with("aws:") || is_access_key_id(key)
}

/// Whether a tag's key is the id of an access key, which is how the console keeps a key's description.
pub fn is_access_key_id(key: &str) -> bool {
    key.len() == 20 && key.starts_with("AKIA") && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_follow_iam() {
        assert!(check_tag_key("cost centre").is_ok());
        assert!(check_tag_key("größe").is_ok());
        assert_eq!(check_tag_key(" "), Err(TagError::BlankKey));
        assert_eq!(check_tag_key("AWS:x"), Err(TagError::AwsKey));
        assert_eq!(check_tag_key("trueup:x"), Err(TagError::ToolKey));
        assert_eq!(check_tag_key("a\tb"), Err(TagError::Character('\t')));
        assert_eq!(check_tag_key(&"k".repeat(129)), Err(TagError::KeyLength(129)));
        assert!(check_tag_value("").is_ok());
        assert!(check_tag_value("aws:x").is_ok());
        assert_eq!(check_tag_value("a;b"), Err(TagError::Character(';')));
        assert_eq!(check_tag_value(&"v".repeat(257)), Err(TagError::ValueLength(257)));
    }

    #[test]
    fn the_consoles_key_tags_are_reserved() {
        assert!(is_reserved_tag_key("AKIAIOSFODNN7EXAMPLE"));
        assert!(is_reserved_tag_key("trueup:reset"));
        assert!(!is_reserved_tag_key("owner"));
    }
}
