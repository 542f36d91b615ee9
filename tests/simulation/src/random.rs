//! Where all chance of a simulation comes from: one seed, one stream of numbers, the same on every machine.

/// The splitmix64 generator.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x7472_7565_7570_2121)
    }

    /// A stream of its own for one purpose, so that one more number drawn for one purpose changes no other.
    pub fn of(seed: u64, purpose: &str) -> Self {
        let mut random = Self::new(seed);
        for byte in purpose.bytes() {
            random.0 = random.draw() ^ u64::from(byte);
        }
        random
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() % bound as u64).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, share: u64) -> bool {
        self.draw() % 100 < share
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Some of these, `least` to `most`, each at most once, in their order.
    pub fn some<T: Clone>(&mut self, items: &[T], least: usize, most: usize) -> Vec<T> {
        let count = self.between(least, most).min(items.len());
        let mut places: Vec<usize> = (0..items.len()).collect();
        self.shuffle(&mut places);
        places.truncate(count);
        places.sort_unstable();
        places.into_iter().map(|place| items[place].clone()).collect()
    }

    /// Brings items into an order of chance.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_stream() {
        let draw = |seed| {
            let mut random = Random::of(seed, "test");
            (0..50).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(Random::of(7, "a").draw(), Random::of(7, "b").draw());
    }

    #[test]
    fn some_are_distinct() {
        let mut random = Random::new(1);
        let items: Vec<usize> = (0..10).collect();
        for _ in 0..100 {
            let some = random.some(&items, 2, 5);
            assert!((2..=5).contains(&some.len()) && some.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
