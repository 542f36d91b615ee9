//! Secrets in memory, and how passwords are made.

use rand::{CryptoRng, RngExt};
use zeroize::Zeroizing;

/// A secret: overwritten when dropped, and with no way to print, serialise or copy it but [`Secret::expose`].
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A text that was made to be overwritten already.
impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// A text that nobody else has a copy of.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
/// Of the symbols that count for a password policy, those that neither a shell nor a CSV file gives a meaning.
const SYMBOLS: &[u8] = b"@_+-=";

/// The shortest password that is made, whatever the account's policy allows. Twenty characters of this alphabet of 62
/// hold about 119 bits.
pub const SHORTEST_PASSWORD: usize = 20;
/// The longest password that IAM takes.
const LONGEST_PASSWORD: usize = 128;

/// Makes a password that any account's policy accepts: at least [`SHORTEST_PASSWORD`] and at least `minimum` characters
/// (128 at most), of all four classes, beginning with a letter, with no characters that are mistaken for one another,
/// and without any of `names` in it.
///
/// Passwords are uniform among those: characters are drawn uniformly, and a draw that breaks a rule is dropped as a
/// whole.
pub fn generate_password<R: CryptoRng>(minimum: usize, names: &[&str], rng: &mut R) -> Secret {
    let length = minimum.clamp(SHORTEST_PASSWORD, LONGEST_PASSWORD);
    let alphabet: Vec<u8> = [UPPER, LOWER, DIGITS, SYMBOLS].concat();
    loop {
        // The capacity is final, so that no copy is left behind by growing.
        let mut password = Secret(Zeroizing::new(String::with_capacity(length)));
        for _ in 0..length {
            let at = rng.random_range(0..alphabet.len());
            password.0.push(char::from(alphabet[at]));
        }
        if is_good(password.expose(), names) {
            return password;
        }
    }
}

fn is_good(password: &str, names: &[&str]) -> bool {
    let has = |class: &[u8]| password.bytes().any(|byte| class.contains(&byte));
    let begins_with_a_letter = password.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    // A name of one or two letters turns up in most passwords by chance and gives nothing away.
    let names_somebody = names.iter().filter(|name| name.len() >= 3).any(|name| {
        password
            .as_bytes()
            .windows(name.len())
            .any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    });
    begins_with_a_letter && [UPPER, LOWER, DIGITS, SYMBOLS].into_iter().all(has) && !names_somebody
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    /// The symbols that count for `RequireSymbols`.
    const IAM_SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

    proptest! {
        #[test]
        fn every_password_fits_every_policy(seed: u64, minimum in 0_usize..200, name in "[a-z]{3,5}") {
            let mut rng = StdRng::seed_from_u64(seed);
            let password = generate_password(minimum, &[&name], &mut rng);
            let text = password.expose();
            prop_assert!(text.len() >= 20 && text.len() >= minimum.min(128) && text.len() <= 128);
            prop_assert!(text.bytes().any(|b| b.is_ascii_uppercase()));
            prop_assert!(text.bytes().any(|b| b.is_ascii_lowercase()));
            prop_assert!(text.bytes().any(|b| b.is_ascii_digit()));
            prop_assert!(text.chars().any(|c| IAM_SYMBOLS.contains(c)));
            prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || IAM_SYMBOLS.contains(c)));
            prop_assert!(!text.chars().any(|c| ",\"'\\$`!&|;<>(){}[]*?#~% \t\n0O1lI".contains(c)), "{}", text);
            prop_assert!(text.starts_with(|c: char| c.is_ascii_alphabetic()));
            prop_assert!(!text.to_ascii_lowercase().contains(&name));
        }
    }

    #[test]
    fn all_characters_are_about_equally_likely() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut counts = std::collections::BTreeMap::<char, u32>::new();
        for _ in 0..2000 {
            // The first character is always a letter.
            for c in generate_password(20, &[], &mut rng).expose().chars().skip(1) {
                *counts.entry(c).or_default() += 1;
            }
        }
        assert_eq!(counts.len(), 62);
        let expected = 2000.0 * 19.0 / 62.0;
        for (c, count) in counts {
            let ratio = f64::from(count) / expected;
            // Symbols and digits are a little likelier, as passwords without any are dropped.
            assert!((0.75..1.4).contains(&ratio), "{c}: {count} of about {expected}");
        }
    }

    #[test]
    fn short_names_do_not_keep_a_password_from_being_made() {
        let mut rng = StdRng::seed_from_u64(2);
        generate_password(20, &["a", "b", ""], &mut rng);
    }
}
