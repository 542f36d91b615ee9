//! "Did you mean": the nearest of the words that would have been right.

/// The candidate nearest to `text`, where one is near enough to be meant. Case, `-` and `_` count for nothing.
pub(crate) fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let fold = |text: &str| -> String {
        text.chars()
            .filter(|c| !matches!(c, '-' | '_' | ' ' | '.'))
            .flat_map(char::to_lowercase)
            .collect()
    };
    // Longer texts are no names; comparing them would only cost time.
    const LONGEST: usize = 128;
    if text.len() > LONGEST {
        return None;
    }
    let wanted = fold(text);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= LONGEST / 8 && *candidate != text)
        .map(|candidate| (strsim::osa_distance(&wanted, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate.chars().count().min(wanted.chars().count())))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many edits may lie between what was written and what was meant.
fn allowed(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    }
}

/// A hint that names the nearest candidate.
pub(crate) fn did_you_mean<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(text, candidates).map(|found| format!("did you mean {}?", crate::diagnostic::quoted(found)))
}

/// Words of which one is meant: `` `a`, `b` or `c` ``.
pub(crate) fn alternatives<'c>(words: impl IntoIterator<Item = &'c str>) -> String {
    joined(words, "or")
}

/// Words that are all meant: `` `a`, `b` and `c` ``.
pub(crate) fn all_of<'c>(words: impl IntoIterator<Item = &'c str>) -> String {
    joined(words, "and")
}

fn joined<'c>(words: impl IntoIterator<Item = &'c str>, conjunction: &str) -> String {
    let words: Vec<String> = words.into_iter().map(crate::diagnostic::quoted).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let keys = ["groups", "managed_policies", "inline_policies", "tags", "path"];
        for (text, expected) in [
            ("goups", Some("groups")),
            ("group", Some("groups")),
            ("managedPolicies", Some("managed_policies")),
            ("ManagedPolicy", Some("managed_policies")),
            ("inline-policies", Some("inline_policies")),
            ("tgas", Some("tags")),
            ("zebra", None),
            ("x", None),
        ] {
            assert_eq!(nearest(text, keys), expected, "{text}");
        }
        assert_eq!(alternatives(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(["a", "b"]), "`a` and `b`");
        assert_eq!(alternatives(["a"]), "`a`");
    }
}
