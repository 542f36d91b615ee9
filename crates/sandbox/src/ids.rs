//! Unique ids and secrets. They come from a counter that is kept with the account, so that the same calls on a new
//! account give the same ids: runs can be compared. Nothing here is fit to guard anything.

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Where ids come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdSource {
    seed: u64,
    issued: u64,
}

impl IdSource {
    /// Every account has ids of its own.
    pub(crate) fn new(account_id: &str) -> Self {
        Self {
            seed: account_id.parse().unwrap_or_default(),
            issued: 0,
        }
    }

    /// An id of 21 characters, for example `AIDA` and 17 more.
    pub(crate) fn unique_id(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.letters(17))
    }

    /// The id of an access key: 20 characters.
    pub(crate) fn access_key_id(&mut self) -> String {
        format!("AKIA{}", self.letters(16))
    }

    /// A UUID as AWS writes those of tasks.
    pub(crate) fn uuid(&mut self) -> String {
        self.issued += 1;
        let mut random = Random::new(self.seed ^ self.issued.rotate_left(40));
        let (high, low) = (random.next(), random.next());
        // Version 4, variant 1.
        let (third, fourth) = (high & 0xfff | 0x4000, low >> 48 & 0x3fff | 0x8000);
        format!(
            "{:08x}-{:04x}-{third:04x}-{fourth:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            low & 0xffff_ffff_ffff
        )
    }

    /// Random-looking characters of base 32.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        self.issued += 1;
        let mut random = Random::new(self.seed ^ self.issued.rotate_left(40));
        (0..count)
            .map(|_| char::from(ALPHABET[(random.next() % 32) as usize]))
            .collect()
    }
}

/// The splitmix64 generator: small, seeded, and the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        // 53 bits are what an f64 can hold exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64")]
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        unit < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_reproducible_distinct_and_well_formed() {
        let mut first = IdSource::new("123456789012");
        let mut again = IdSource::new("123456789012");
        let ids: Vec<String> = (0..1000).map(|_| first.unique_id("AIDA")).collect();
        assert!(
            ids.iter()
                .all(|id| id.len() == 21 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
        );
        assert_eq!(ids, (0..1000).map(|_| again.unique_id("AIDA")).collect::<Vec<_>>());
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 1000);
        assert_ne!(IdSource::new("210987654321").unique_id("AIDA"), ids[0]);
        assert_eq!(first.access_key_id().len(), 20);
    }

    #[test]
    fn chances_are_about_right() {
        let mut random = Random::new(7);
        let hits = (0..10_000).filter(|_| random.chance(0.2)).count();
        assert!((1_900..2_100).contains(&hits), "{hits}");
    }
}
