//! Time-based one-time passwords (RFC 6238) with IAM's parameters: SHA-1, six digits, steps of 30 seconds.

use data_encoding::BASE32;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;

const STEP: i64 = 30;

/// A seed that is not base 32.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an MFA seed is base 32 without padding or with all of it")]
pub struct TotpError;

/// The code that a device with this seed shows at this time.
///
/// # Errors
///
/// [`TotpError`] where the seed is not base 32.
pub fn totp(seed: &str, time: Timestamp) -> Result<String, TotpError> {
    Ok(code(&decode(seed)?, step(time)))
}

/// Looks for two consecutive codes, the older first, from `first` to `last`; the step of the newer one.
pub(crate) fn find_pair(seed: &str, codes: (&str, &str), first: i64, last: i64) -> Option<i64> {
    let key = decode(seed).ok()?;
    let mut older = code(&key, first);
    for step in first + 1..=last {
        let newer = code(&key, step);
        if older == codes.0 && newer == codes.1 {
            return Some(step);
        }
        older = newer;
    }
    None
}

/// Looks for a code from `first` to `last`; its step.
pub(crate) fn find_code(seed: &str, wanted: &str, first: i64, last: i64) -> Option<i64> {
    let key = decode(seed).ok()?;
    (first..=last).find(|step| code(&key, *step) == wanted)
}

/// The time step that a time falls into.
pub(crate) fn step(time: Timestamp) -> i64 {
    time.as_second().div_euclid(STEP)
}

fn decode(seed: &str) -> Result<Vec<u8>, TotpError> {
    BASE32.decode(seed.as_bytes()).map_err(|_| TotpError)
}

fn code(key: &[u8], step: i64) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 0xf);
    let word = u32::from_be_bytes([
        digest[offset],
        digest[offset + 1],
        digest[offset + 2],
        digest[offset + 3],
    ]);
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-1 vectors of RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let seed = BASE32.encode(b"12345678901234567890");
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp(&seed, Timestamp::from_second(second).unwrap()).unwrap(), code);
        }
        assert_eq!(totp("not base 32", Timestamp::UNIX_EPOCH), Err(TotpError));
    }

    #[test]
    fn a_pair_is_found_only_in_its_order() {
        let seed = BASE32.encode(b"12345678901234567890");
        let at = |step: i64| totp(&seed, Timestamp::from_second(step * STEP).unwrap()).unwrap();
        assert_eq!(find_pair(&seed, (&at(100), &at(101)), 50, 150), Some(101));
        assert_eq!(find_pair(&seed, (&at(101), &at(100)), 50, 150), None);
        assert_eq!(find_pair(&seed, (&at(100), &at(102)), 50, 150), None);
        assert_eq!(find_pair(&seed, (&at(100), &at(101)), 101, 150), None);
    }
}
