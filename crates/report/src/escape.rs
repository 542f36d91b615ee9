//! What makes foreign text harmless where it is shown: a terminal, the log of a job, a Markdown comment, a page.
//! Whatever a terminal would obey, or a reader would not see, is written as a visible escape; what else the place would
//! take for its own is quoted by the rules of that place. Printable text of every script stays as it is.

use std::{borrow::Cow, fmt::Write as _};

/// What begins a command of GitHub's runner wherever it stands in a line of a job's log. The other form, `::`, is a
/// command at the beginning of a line only, white space aside: see [`no_command`].
/// Source: actions/runner, `ActionCommand.cs`.
const COMMAND: &str = "##[";

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
    if !foreign.chars().any(is_hostile) && !foreign.contains(COMMAND) {
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
    Cow::Owned(out.replace(COMMAND, "#\\u{23}["))
}

/// A whole line that a job's log may hold: one that the runner would obey has its first colon written as an escape.
pub(crate) fn no_command(line: &str) -> Cow<'_, str> {
    let command = line.trim_start();
    match command.strip_prefix("::") {
        Some(rest) => Cow::Owned(format!("{}\\u{{3a}}:{rest}", &line[..line.len() - command.len()])),
        None => Cow::Borrowed(line),
    }
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
    if out.contains(COMMAND) {
        out = out.replace(COMMAND, "#\\u{23}[");
    }
    out
}

/// As [`text`], but line feeds stay: for messages of several lines that were put together by trueup itself.
pub fn lines(foreign: &str) -> String {
    let lines = foreign.split('\n').map(|line| no_command(&text(line)).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// JSON text whose strings hold hostile characters as `\uXXXX`: the same value, harmless when it is shown.
pub(crate) fn json(json: &str) -> Cow<'_, str> {
    // A line feed stands only between JSON's tokens here, since inside strings it is escaped already.
    let hostile = |c: char| c != '\n' && is_hostile(c);
    if !json.chars().any(hostile) && !json.contains(COMMAND) {
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
    // `#` is no token of JSON: it stands inside of strings only.
    Cow::Owned(out.replace(COMMAND, "#\\u0023["))
}

/// As [`text`], with what HTML takes for its own as references, in content and in quoted attributes.
pub fn html(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len() + 16);
    for c in text(foreign).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// As [`text`], as a code span of Markdown: nothing in it is a link, a mention, an issue or a tag to GitHub or GitLab.
pub(crate) fn markdown_code(foreign: &str) -> String {
    let shown = text(foreign);
    if shown.trim().is_empty() {
        return format!("`\"{shown}\"`");
    }
    let fence = "`".repeat(longest_run(&shown, '`') + 1);
    if shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) {
        format!("{fence} {shown} {fence}")
    } else {
        format!("{fence}{shown}{fence}")
    }
}

/// The length of the longest run of a character.
pub(crate) fn longest_run(text: &str, of: char) -> usize {
    let runs = text.split(|c| c != of).map(|run| run.chars().count());
    runs.max().unwrap_or_default()
}

/// As [`text`], as prose of Markdown: what stands between backticks, and every word in which a renderer could find
/// more than letters, is a code span. The first word cannot begin a list, a heading or a quotation.
pub(crate) fn markdown(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len() + 16);
    let parts: Vec<&str> = foreign.split('`').collect();
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 0 {
            for (index, word) in part.split(' ').enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                push_word(&mut out, word);
            }
        } else if index + 1 < parts.len() {
            push_span(&mut out, &markdown_code(part));
        } else {
            // A backtick that no other one closes.
            push_span(&mut out, &markdown_code(&format!("`{part}")));
        }
    }
    out
}

/// Two code spans that touch would be read as another one.
fn push_span(out: &mut String, span: &str) {
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(span);
}

fn push_word(out: &mut String, word: &str) {
    const STOPS: [char; 8] = ['"', '\'', ',', '.', ';', ':', '!', '?'];
    let opened = word.trim_start_matches(['(', '"', '\'']);
    let opening = &word[..word.len() - opened.len()];
    let plain = opened.trim_end_matches(|c| c == ')' || STOPS.contains(&c));
    // A closing bracket belongs to a word that opens one itself.
    let core = if plain.is_empty() || is_plain(plain) || !opened.contains('(') {
        plain
    } else {
        opened.trim_end_matches(STOPS)
    };
    let closing = &opened[core.len()..];
    let begins_a_list = core.bytes().all(|b| b.is_ascii_digit()) && closing.starts_with(['.', ')']);
    out.push_str(opening);
    if core.is_empty() || is_plain(core) && !begins_a_list {
        out.push_str(core);
    } else {
        push_span(out, &markdown_code(core));
    }
    out.push_str(closing);
}

/// Whether no renderer sees more in a word than its letters: no markup, address, mention, issue or commit.
fn is_plain(word: &str) -> bool {
    if !word.is_ascii() && !word.chars().any(|c| c.is_ascii() || is_hostile(c)) {
        return true;
    }
    let letters = word
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '\'' | ','));
    let is_number = word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    let could_be_issue = word
        .split('-')
        .skip(1)
        .any(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let could_be_commit = word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit());
    letters
        && word.starts_with(char::is_alphanumeric)
        && !word.to_ascii_lowercase().starts_with("www.")
        && !could_be_commit
        && (is_number || !could_be_issue)
}

/// As [`text`], as the message of a command of GitHub's runner.
pub(crate) fn command_data(foreign: &str) -> String {
    text(foreign).replace('%', "%25")
}

/// As [`text`], as the value of a property of a command of GitHub's runner.
pub(crate) fn command_property(foreign: &str) -> String {
    command_data(foreign).replace(':', "%3A").replace(',', "%2C")
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

    #[test]
    fn the_runner_of_a_job_finds_no_command() {
        assert_eq!(text("x ##[set-output name=a]b"), "x #\\u{23}[set-output name=a]b");
        assert_eq!(quoted("##[error]"), "\"#\\u{23}[error]\"");
        assert_eq!(no_command("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(no_command("a ::error::x"), "a ::error::x");
        assert_eq!(lines("a\n::stop-commands::x"), "a\n\\u{3a}:stop-commands::x");
        let shown = json(r###"{"a": "##[error]x"}"###).into_owned();
        assert_eq!(shown, r###"{"a": "#\u0023[error]x"}"###);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap()["a"],
            "##[error]x"
        );
    }

    #[test]
    fn messages_and_properties_of_commands_end_where_they_should() {
        assert_eq!(command_data("50%\r\n::error::"), "50%25\\r\\n::error::");
        assert_eq!(command_property("a,b:c%"), "a%2Cb%3Ac%25");
    }

    #[test]
    fn code_spans_hold_any_text() {
        assert_eq!(markdown_code("user/alice"), "`user/alice`");
        assert_eq!(markdown_code("a`b``c"), "```a`b``c```");
        assert_eq!(markdown_code("`a"), "`` `a ``");
        assert_eq!(markdown_code(""), "`\"\"`");
    }

    #[test]
    fn prose_stays_prose_and_everything_else_is_code() {
        for (foreign, shown) in [
            ("left on 2026-11-20", "left on 2026-11-20"),
            ("not in the entry for `alice`.", "not in the entry for `alice`."),
            ("ask alice@example.com, please", "ask `alice@example.com`, please"),
            ("@acme/admins see #12", "`@acme/admins` see `#12`"),
            ("GH-12 and 1a2b3c4d5e", "`GH-12` and `1a2b3c4d5e`"),
            ("(see https://evil.example/)", "(see `https://evil.example/`)"),
            ("WWW.evil.example", "`WWW.evil.example`"),
            ("<img src=x> &lt; **b**", "`<img` `src=x>` `&lt`; `**b**`"),
            ("# no heading", "`#` no heading"),
            ("1. no list", "`1`. no list"),
            ("- no list", "`-` no list"),
            ("[a](b), c", "`[a](b)`, c"),
            ("it's größer — 名前", "it's größer — 名前"),
            ("one ` tick", "one `` ` tick ``"),
            ("`a``b`", "`a` `b`"),
            ("x\n::error::", "`x\\n::error`::"),
        ] {
            assert_eq!(markdown(foreign), shown, "{foreign:?}");
        }
    }

    #[test]
    fn nothing_is_markup_in_html() {
        assert_eq!(
            html("<b a=\"x\" b='y'>&amp;"),
            "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;"
        );
    }
}
