//! What makes foreign text harmless on a terminal: whatever a terminal would obey, or a reader would not see, is
//! written as a visible escape. Printable text of every script stays as it is.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a character could move the cursor, reorder what stands around it, or not be seen at all.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

/// Text with control, bidirectional and invisible characters as visible escapes, such as `\n` and `\u{1b}`.
pub fn text(foreign: &str) -> Cow<'_, str> {
    if !foreign.chars().any(is_hostile) {
        return Cow::Borrowed(foreign);
    }
    let mut out = String::with_capacity(foreign.len() + 16);
    for c in foreign.chars() {
        if is_hostile(c) {
            push_escaped(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// As [`text`], in double quotes, with quotes and backslashes escaped, so that where it ends is never in doubt.
pub fn quoted(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len() + 2);
    out.push('"');
    for c in foreign.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if is_hostile(c) => push_escaped(&mut out, c),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// As [`text`], but line feeds stay: for messages of several lines that were put together by trueup itself.
pub fn lines(foreign: &str) -> String {
    foreign.split('\n').map(text).collect::<Vec<_>>().join("\n")
}

/// JSON text whose strings hold hostile characters as `\uXXXX`: the same value, harmless when it is shown.
pub(crate) fn json(json: &str) -> Cow<'_, str> {
    // A line feed stands only between JSON's tokens here, since inside strings it is escaped already.
    let hostile = |c: char| c != '\n' && is_hostile(c);
    if !json.chars().any(hostile) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_of_every_script_stays() {
        for kept in ["alice", "größe", "名前", "s3:*", r"back\slash", "a b", "…·—"] {
            assert_eq!(text(kept), kept);
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        assert_eq!(text("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(text("a\r\n\tb\u{7}\u{7f}\u{9b}"), "a\\r\\n\\tb\\u{7}\\u{7f}\\u{9b}");
    }

    #[test]
    fn what_a_reader_cannot_see_is_shown() {
        assert_eq!(text("\u{202e}evil\u{2066}"), "\\u{202e}evil\\u{2066}");
        assert_eq!(
            text("ad\u{200b}min\u{e0041}\u{2028}"),
            "ad\\u{200b}min\\u{e0041}\\u{2028}"
        );
    }

    #[test]
    fn quotes_end_where_they_should() {
        assert_eq!(quoted("a\" -> \"b\\"), r#""a\" -> \"b\\""#);
        assert_eq!(quoted("x\ny"), r#""x\ny""#);
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({"a": "x\u{202e}y\u{9b}\u{e0041}\u{1b}"});
        let shown = serde_json::to_string_pretty(&value).unwrap();
        let shown = json(&shown);
        assert!(shown.chars().all(|c| c == '\n' || !is_hostile(c)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
