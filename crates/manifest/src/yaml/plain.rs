//! What YAML parsers make of a plain scalar, as far as they disagree.

/// What a scalar without quotes can be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// The same text for every parser.
    Text,
    /// `true` or `false`, for every parser.
    Boolean(bool),
    /// A plain decimal number, the same for every parser.
    Integer,
    /// `2027-06-30`: a text or a date, with the same meaning.
    Date,
    /// Nothing at all: empty, `~`, `null`.
    Null,
    /// A text for some parsers and something else for others; the word says what.
    Ambiguous(&'static str),
}

/// Judges a plain scalar. YAML 1.1 and 1.2, PyYAML, libyaml, Ruby and Go are meant by "every parser".
pub(crate) fn judge(text: &str) -> Plain {
    if text.is_empty() || text == "~" || text.eq_ignore_ascii_case("null") {
        return Plain::Null;
    }
    match text {
        "true" => return Plain::Boolean(true),
        "false" => return Plain::Boolean(false),
        "=" | "<<" => return Plain::Ambiguous("a YAML instruction"),
        _ => {}
    }
    const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    if BOOLEANS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Plain::Ambiguous("true or false");
    }
    // The readings below all begin with one of these; names and ARNs leave here.
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-._".contains(c))
        && !["inf", "nan"].iter().any(|word| text.eq_ignore_ascii_case(word))
    {
        return Plain::Text;
    }
    if is_plain_integer(text) {
        return Plain::Integer;
    }
    if is_date(text) {
        return Plain::Date;
    }
    if is_timestamp(text) {
        return Plain::Ambiguous("a time");
    }
    if is_number(text) {
        return Plain::Ambiguous("a number");
    }
    Plain::Text
}

/// Decimal, without leading zeros, and small enough that no parser rounds it (below 2^53).
fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text != "-0"
        && digits.len() <= 15
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        })
}

/// `2026-01-05T10:00:00Z` and its variants.
fn is_timestamp(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: &str, length: std::ops::RangeInclusive<usize>| {
        length.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Some(end_of_day) = rest.find(['T', 't', ' ', '\t']) else {
        // Go reads single-digit months and days as dates, others as text.
        return digits(year, 4..=4) && digits(month, 1..=2) && digits(rest, 1..=2);
    };
    let time = rest[end_of_day..].trim_start_matches(['T', 't', ' ', '\t']);
    digits(year, 4..=4)
        && digits(month, 1..=2)
        && digits(&rest[..end_of_day], 1..=2)
        && time.contains(':')
        && time.bytes().all(|b| b.is_ascii_digit() || b":.,+-Z \t".contains(&b))
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan" | "inf" | "nan" | ".") {
        return true;
    }
    let run = |text: &str, allowed: fn(u8) -> bool| {
        !text.is_empty() && text.bytes().any(|b| b != b'_') && text.bytes().all(|b| allowed(b) || b == b'_')
    };
    let decimal = |text: &str| run(text, |b| b.is_ascii_digit());
    let radix = [
        ("0x", (|b| b.is_ascii_hexdigit()) as fn(u8) -> bool),
        ("0o", |b| (b'0'..=b'7').contains(&b)),
        ("0b", |b| b == b'0' || b == b'1'),
    ];
    if radix
        .iter()
        .any(|(prefix, allowed)| lower.strip_prefix(prefix).is_some_and(|rest| run(rest, *allowed)))
    {
        return true;
    }
    // Base 60 of YAML 1.1: 190:20:30.
    if let Some((first, rest)) = unsigned.split_once(':') {
        let whole = rest.split_once('.').map_or(rest, |(whole, _)| whole);
        return decimal(first)
            && whole
                .split(':')
                .all(|part| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty());
    }
    // Ruby takes commas for separators of thousands.
    let unsigned = unsigned.replace(',', "_");
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned.as_str(), None),
    };
    if exponent.is_some_and(|exponent| !decimal(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))) {
        return false;
    }
    match mantissa.split_once('.') {
        None => decimal(mantissa),
        Some((whole, fraction)) => {
            (whole.is_empty() || decimal(whole))
                && (fraction.is_empty() || decimal(fraction))
                && !(whole.is_empty() && fraction.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_all_parsers_read_alike_are_texts() {
        for text in [
            "administrators",
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "/platform/",
            "25%",
            "alice@example.com",
            "s3:*",
            "none",
            "10.0.0.0/8",
            "10.0.0.1",
            "1.2.3",
            "3-tier",
            "2fa",
            "0xy",
            "e5",
            "-",
            "--",
            "+one",
            "_",
            "1e",
            "yesterday",
            "2026-W10",
            "192.168.0.1:80",
        ] {
            assert_eq!(judge(text), Plain::Text, "{text}");
        }
    }

    #[test]
    fn what_parsers_read_differently_is_ambiguous() {
        for text in [
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "True",
            "FALSE",
            "=",
            "<<",
            "0042",
            "00",
            "-0",
            "+1",
            "1_000",
            "1,000",
            "0x1F",
            "0o17",
            "0b11",
            "190:20:30",
            "1:30",
            "1.5",
            ".5e3",
            "1e3",
            "12e03",
            "1.",
            ".inf",
            "-.INF",
            ".NaN",
            "nan",
            "1234567890123456",
            "2026-01-05T10:00:00Z",
            "2026-01-05 10:00:00",
            "2026-1-5",
            ".",
        ] {
            assert!(matches!(judge(text), Plain::Ambiguous(_)), "{text}: {:?}", judge(text));
        }
    }

    #[test]
    fn the_rest_is_what_it_looks_like() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(judge(text), Plain::Null, "{text}");
        }
        for text in ["0", "7", "-5", "123456789012"] {
            assert_eq!(judge(text), Plain::Integer, "{text}");
        }
        assert_eq!(judge("true"), Plain::Boolean(true));
        assert_eq!(judge("2027-06-30"), Plain::Date);
    }
}
