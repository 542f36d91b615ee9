//! Passwords that a person typed: whether the account would take one, before anything is written.

use trueup_model::PasswordPolicy;

use crate::secret::Secret;

/// The symbols that count for `require_symbols`.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";
/// What an account without a policy of its own asks for.
const DEFAULT_LENGTH: u32 = 8;
const DEFAULT_CLASSES: usize = 3;
/// The longest password that IAM takes.
const LONGEST: usize = 128;

/// Why the account would not take a password, in words; `None` where it would, as far as can be known beforehand.
/// `policy` is the one that will be in force, `None` where the account has none of its own.
pub fn why_refused(password: &Secret, policy: Option<&PasswordPolicy>, user: &str) -> Option<String> {
    let text = password.expose();
    let length = text.chars().count();
    let shortest = policy.map_or(DEFAULT_LENGTH, |policy| policy.minimum_password_length);
    if length < usize::try_from(shortest).unwrap_or(usize::MAX) {
        return Some(format!("it has to have at least {shortest} characters"));
    }
    if length > LONGEST {
        return Some(format!("it can have {LONGEST} characters at most"));
    }
    if !text.chars().all(|c| (' '..='\u{ff}').contains(&c) && !c.is_control()) {
        return Some("it has characters that IAM does not take; those of western European languages are".to_owned());
    }
    if text.eq_ignore_ascii_case(user) {
        return Some("it is the user's name".to_owned());
    }
    let classes = [
        ("an upper-case letter", text.bytes().any(|b| b.is_ascii_uppercase())),
        ("a lower-case letter", text.bytes().any(|b| b.is_ascii_lowercase())),
        ("a digit", text.bytes().any(|b| b.is_ascii_digit())),
        (
            "one of the symbols ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '",
            text.contains(|c| SYMBOLS.contains(c)),
        ),
    ];
    let Some(policy) = policy else {
        let found = classes.iter().filter(|(_, found)| *found).count();
        return (found < DEFAULT_CLASSES).then(|| {
            "it has to have three of these: upper-case letters, lower-case letters, digits, symbols".to_owned()
        });
    };
    let required = [
        policy.require_uppercase_characters,
        policy.require_lowercase_characters,
        policy.require_numbers,
        policy.require_symbols,
    ];
    let missing: Vec<&str> = classes
        .into_iter()
        .zip(required)
        .filter(|((_, found), required)| *required && !found)
        .map(|((words, _), _)| words)
        .collect();
    (!missing.is_empty()).then(|| format!("it has to have {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, policy: Option<&PasswordPolicy>) -> Option<String> {
        why_refused(&Secret::from(text.to_owned()), policy, "alice.smith")
    }

    #[test]
    fn without_a_policy_aws_has_one() {
        assert_eq!(refused("Tr0ub4dor", None), None);
        assert_eq!(refused("correct horse 1 '", None), None);
        for (bad, why) in [
            ("Tr0ub4d", "at least 8"),
            ("troubador7", "three of these"),
            ("Alice.Smith", "the user's name"),
            ("Tr0ub4dor\u{20ac}", "does not take"),
            ("Tr0ub4dor\t", "does not take"),
        ] {
            let found = refused(bad, None).unwrap();
            assert!(found.contains(why), "{bad}: {found}");
        }
        assert!(refused(&"aA1".repeat(43), None).unwrap().contains("128"));
    }

    #[test]
    fn a_policy_says_what_it_misses() {
        let policy = PasswordPolicy {
            minimum_password_length: 6,
            require_symbols: true,
            require_numbers: true,
            ..PasswordPolicy::default()
        };
        assert_eq!(refused("abcd-1", Some(&policy)), None);
        assert_eq!(
            refused("abcdef", Some(&policy)).unwrap(),
            "it has to have a digit, one of the symbols ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '"
        );
        let lax = PasswordPolicy::default();
        assert_eq!(refused("alice.smith", Some(&lax)).unwrap(), "it is the user's name");
    }
}
