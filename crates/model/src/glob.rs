//! IAM's wildcards: `*` stands for any text, `?` for one character; nothing else is special.

/// Whether `text` matches `pattern`, letter case included.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    if pattern.is_ascii() && text.is_ascii() {
        return matches(pattern.as_bytes(), text.as_bytes(), b'*', b'?');
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    matches(&pattern, &text, '*', '?')
}

/// A pattern of characters, or of bytes where each is a character.
fn matches<C: Copy + PartialEq>(pattern: &[C], text: &[C], many: C, one: C) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == many {
            retry = Some((p + 1, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == one || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after_star, from)) = retry {
            p = after_star;
            t = from + 1;
            retry = Some((after_star, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == many)
}

/// Whether `text` matches `pattern`, ignoring ASCII case.
pub fn glob_matches_ignoring_case(pattern: &str, text: &str) -> bool {
    glob_matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*ab*ab", "abxabab", true),
            ("[a]", "a", false),
            ("", "", true),
            ("", "a", false),
            ("legacy-*", "legacy-", true),
            ("?", "é", true),
            ("é?*", "éa", true),
            ("?é", "éé", true),
            ("a?", "é", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(glob_matches_ignoring_case("LEGACY-*", "legacy-Bob"));
    }
}
