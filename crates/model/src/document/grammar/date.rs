//! Dates as IAM's first parser takes them, which is wider than ISO 8601.
//!
//! Source: recorded answers of CreatePolicy. `01T` and `2016-12-13t2:00:00.593194+23` pass, a month 13, a zone `+1`,
//! ten digits of a fraction and a number beyond 64 bits do not.

/// Whether a condition value can be read as a date: epoch seconds, or a date with an optional time and zone.
pub(super) fn is_date(text: &str) -> bool {
    // What a policy variable becomes is known only when a request is evaluated.
    if text.contains("${") {
        return true;
    }
    let text = text.to_ascii_lowercase();
    if !text.contains(['t', '-']) {
        return number(&text).is_some();
    }
    let (date, time) = text.split_once('t').unwrap_or((&text, ""));
    is_day(date) && (time.is_empty() || is_time(time))
}

fn number(digits: &str) -> Option<i64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

fn is_within(digits: &str, range: std::ops::RangeInclusive<i64>) -> bool {
    digits.len() <= 2 && number(digits).is_some_and(|number| range.contains(&number))
}

fn is_day(text: &str) -> bool {
    let (latest, text) = match text.strip_prefix('-') {
        Some(rest) => (292_275_054, rest),
        None => (292_278_993, text),
    };
    let mut parts = text.split('-');
    let year = parts.next().and_then(number);
    year.is_some_and(|year| year <= latest)
        && parts.next().is_none_or(|month| is_within(month, 1..=12))
        && parts.next().is_none_or(|day| is_within(day, 1..=31))
        && parts.next().is_none()
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    is_clock(clock) && is_zone(zone)
}

fn is_clock(text: &str) -> bool {
    let (text, fraction) = match text.split_once('.') {
        Some((text, fraction)) => (text, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let whole = match parts.as_slice() {
        [hour] => is_within(hour, 0..=24),
        [hour, minute] => is_within(hour, 0..=24) && is_within(minute, 0..=59),
        [hour, minute, second] => is_within(hour, 0..=24) && is_within(minute, 0..=59) && is_within(second, 0..=59),
        _ => false,
    };
    let is_fraction = |digits: &str| parts.len() == 3 && digits.len() <= 9 && number(digits).is_some();
    whole && fraction.is_none_or(is_fraction)
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return matches!(text, "" | "z");
    };
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    hours.len() == 2 && is_within(hours, 0..=23) && minutes.len() == 2 && is_within(minutes, 0..=59)
}
