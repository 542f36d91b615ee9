//! The values that a condition compares with, by kind, and a value inside some sets and outside others.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::tables::PatternId;

/// What values a test accepts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Values {
    /// Texts that one of these patterns matches.
    Texts(Vec<PatternId>),
    /// Booleans.
    Flags {
        /// Whether `true` is accepted.
        yes: bool,
        /// Whether `false` is accepted.
        no: bool,
    },
    /// Numbers in one of these relations to a constant.
    Numbers(Vec<(Relation, i128)>),
    /// Moments in one of these relations to a constant.
    Moments(Vec<(Relation, i128)>),
    /// Addresses in one of these networks.
    Networks(Vec<Network>),
}

/// How a value compares with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn holds(self, value: i128, constant: i128) -> bool {
        match self {
            Self::Equal => value == constant,
            Self::Less => value < constant,
            Self::LessOrEqual => value <= constant,
            Self::Greater => value > constant,
            Self::GreaterOrEqual => value >= constant,
        }
    }
}

/// Steps of one whole number; a step is half of the smallest difference of constants, so that there is always a value
/// between two of them.
const NUMBER: i128 = 2_000_000_000;
/// Steps of one second.
const SECOND: i128 = 2;

/// A decimal number in steps; `None` where it has more digits than steps can hold.
pub(crate) fn number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 24 || fraction.len() > 9 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    let value = whole.parse::<i128>().ok()? * NUMBER + fraction * 2;
    Some(if negative { -value } else { value })
}

/// A moment in steps: ISO 8601 or seconds since 1970; `None` for other forms and for parts of seconds.
pub(crate) fn moment(text: &str) -> Option<i128> {
    let seconds = if text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse::<i64>().ok()?
    } else {
        let stamp = match text.parse::<Timestamp>() {
            Ok(stamp) => stamp,
            Err(_) => {
                let date = text.parse::<civil::Date>().ok().filter(|_| text.len() == 10)?;
                date.to_zoned(TimeZone::UTC).ok()?.timestamp()
            }
        };
        if stamp.subsec_nanosecond() != 0 {
            return None;
        }
        stamp.as_second()
    };
    Some(i128::from(seconds) * SECOND)
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network {
    is_v6: bool,
    /// The address with its first bit at the top.
    bits: u128,
    length: u32,
}

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (is_v6, bits, most) = match address.parse().ok()? {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let length = length.unwrap_or(most);
        (length <= most).then(|| Self {
            is_v6,
            bits: bits & mask(length),
            length,
        })
    }

    fn all(is_v6: bool) -> Self {
        Self {
            is_v6,
            bits: 0,
            length: 0,
        }
    }

    fn contains(self, other: Self) -> bool {
        self.is_v6 == other.is_v6 && self.length <= other.length && other.bits & mask(self.length) == self.bits
    }

    fn width(self) -> u32 {
        if self.is_v6 { 128 } else { 32 }
    }

    /// A network inside this one of which no part is in any of the others.
    fn outside(self, others: &[Self]) -> Option<Self> {
        let near: Vec<Self> = others
            .iter()
            .copied()
            .filter(|other| other.contains(self) || self.contains(*other))
            .collect();
        if near.is_empty() {
            return Some(self);
        }
        if near.iter().any(|other| other.contains(self)) || self.length == self.width() {
            return None;
        }
        [0, 1].into_iter().find_map(|half: u128| {
            let length = self.length + 1;
            let bits = self.bits | (half << (128 - length));
            Self { length, bits, ..self }.outside(&near)
        })
    }

    fn first_address(&self) -> String {
        if self.is_v6 {
            Ipv6Addr::from(self.bits).to_string()
        } else {
            // A version 4 address stands in the upper 32 bits.
            Ipv4Addr::from((self.bits >> 96) as u32).to_string()
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first_address(), self.length)
    }
}

fn mask(length: u32) -> u128 {
    if length == 0 { 0 } else { u128::MAX << (128 - length) }
}

/// A wish: to be among some values, or not to be.
pub(crate) type Wish<'a, T> = (&'a [T], bool);

/// Whether a value in steps has one of the relations.
fn relates(relations: &[(Relation, i128)], value: i128) -> bool {
    relations
        .iter()
        .any(|(relation, constant)| relation.holds(value, *constant))
}

fn find_steps(wishes: &[Wish<'_, (Relation, i128)>], unit: i128) -> Option<i128> {
    let constants = || {
        wishes
            .iter()
            .flat_map(|(relations, _)| relations.iter().map(|(_, constant)| *constant))
    };
    // Whole numbers make better examples, so they come first.
    let mut candidates = std::iter::once(0)
        .chain(constants())
        .chain(constants().flat_map(|constant| [constant - unit, constant + unit]))
        .chain(constants().flat_map(|constant| [constant - 1, constant + 1]));
    let fits = |value: &i128| {
        wishes
            .iter()
            .all(|(relations, wanted)| relates(relations, *value) == *wanted)
    };
    candidates.find(fits)
}

/// A number of steps as a decimal number.
pub(crate) fn show_number(steps: i128) -> String {
    let unit = NUMBER.unsigned_abs();
    let (whole, rest) = (steps.unsigned_abs() / unit, steps.unsigned_abs() % unit);
    let sign = if steps < 0 { "-" } else { "" };
    match rest {
        0 => format!("{sign}{whole}"),
        // A step is half of the ninth decimal place.
        _ => format!("{sign}{whole}.{}", format!("{:010}", rest * 5).trim_end_matches('0')),
    }
}

/// A moment as a date and time.
pub(crate) fn show_moment(steps: i128) -> String {
    let nanoseconds = steps * (1_000_000_000 / SECOND);
    Timestamp::from_nanosecond(nanoseconds).map_or_else(|_| (steps / SECOND).to_string(), |stamp| stamp.to_string())
}

/// A number that fulfils all wishes.
pub(crate) fn find_number(wishes: &[Wish<'_, (Relation, i128)>]) -> Option<String> {
    find_steps(wishes, NUMBER).map(show_number)
}

/// A moment that fulfils all wishes.
pub(crate) fn find_moment(wishes: &[Wish<'_, (Relation, i128)>]) -> Option<String> {
    find_steps(wishes, SECOND).map(show_moment)
}

/// An address that fulfils all wishes.
pub(crate) fn find_address(wishes: &[Wish<'_, Network>]) -> Option<String> {
    let wanted: Vec<&[Network]> = wishes
        .iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(set, _)| *set)
        .collect();
    let unwanted: Vec<Network> = wishes
        .iter()
        .filter(|(_, wanted)| !wanted)
        .flat_map(|(set, _)| *set)
        .copied()
        .collect();
    // Two networks are nested or apart, so that what several sets share is made of members of one of them.
    let bases: Vec<Network> = match wanted.is_empty() {
        true => vec![Network::all(false), Network::all(true)],
        false => wanted.iter().flat_map(|set| *set).copied().collect(),
    };
    bases
        .into_iter()
        .filter(|base| {
            wanted
                .iter()
                .all(|set| set.iter().any(|network| network.contains(*base)))
        })
        .find_map(|base| base.outside(&unwanted))
        .map(|network| network.first_address())
}

impl Values {
    /// Whether a text is among them, those that are compared as texts apart.
    pub(crate) fn accept_parsed(&self, text: &str) -> bool {
        match self {
            Self::Texts(_) => false,
            Self::Flags { yes, no } => {
                (*yes && text.eq_ignore_ascii_case("true")) || (*no && text.eq_ignore_ascii_case("false"))
            }
            Self::Numbers(relations) => number(text).is_some_and(|value| relates(relations, value)),
            Self::Moments(relations) => moment(text).is_some_and(|value| relates(relations, value)),
            Self::Networks(networks) => {
                Network::parse(text).is_some_and(|address| networks.iter().any(|network| network.contains(address)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_between_their_neighbours() {
        use Relation::{Equal, Greater, GreaterOrEqual, Less};
        let at = |text: &str| number(text).unwrap();
        let find = |wishes: &[(Vec<(Relation, i128)>, bool)]| {
            let wishes: Vec<_> = wishes.iter().map(|(set, wanted)| (set.as_slice(), *wanted)).collect();
            find_number(&wishes)
        };
        assert_eq!(
            find(&[(vec![(Greater, at("2"))], true), (vec![(Less, at("3"))], true)]).unwrap(),
            "2.0000000005"
        );
        assert_eq!(
            find(&[(vec![(Greater, at("2"))], true), (vec![(Less, at("2"))], true)]),
            None
        );
        assert_eq!(find(&[(vec![(Equal, at("0"))], false)]).unwrap(), "-1");
        assert_eq!(find(&[(vec![(GreaterOrEqual, at("2")), (Less, at("2"))], false)]), None);
        assert_eq!(number("1.0"), number("1"));
        assert_eq!(number("one"), None);
    }

    #[test]
    fn moments_have_several_spellings() {
        assert_eq!(moment("2020-01-01T00:00:00Z"), moment("2020-01-01"));
        assert_eq!(moment("2020-01-01T01:00:00+01:00"), moment("1577836800"));
        assert_eq!(moment("yesterday"), None);
        let after = [(Relation::Greater, moment("2020-01-01").unwrap())];
        assert_eq!(find_moment(&[(&after, true)]).unwrap(), "2020-01-01T00:00:01Z");
    }

    #[test]
    fn addresses_are_found_in_the_gaps() {
        let net = |text: &str| Network::parse(text).unwrap();
        let ten = [net("10.0.0.0/8")];
        assert_eq!(
            find_address(&[(&ten, true), (&[net("10.0.0.0/9")], false)]).unwrap(),
            "10.128.0.0"
        );
        assert_eq!(
            find_address(&[(&ten, true), (&[net("10.0.0.0/9"), net("10.128.0.0/9")], false)]),
            None
        );
        assert_eq!(find_address(&[(&ten, true), (&[net("::/0")], true)]), None);
        assert_eq!(find_address(&[(&[net("0.0.0.0/0")], false)]).unwrap(), "::");
        assert!(net("10.0.0.0/8").contains(net("10.2.3.4")) && !net("::/0").contains(net("10.2.3.4")));
        assert_eq!(Network::parse("10.0.0.0/33"), None);
    }
}
