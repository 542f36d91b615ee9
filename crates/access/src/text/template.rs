//! Texts of policies with `${...}` in them.
//!
//! Source: the IAM user guide, "IAM policy elements: variables and tags".

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A character as written; wildcards are wildcards.
    Plain(char),
    /// A character that stands for itself, since it was written as `${*}`, `${?}` or `${$}`.
    Escaped(char),
    /// A variable, its name in lower case, with its default.
    Variable {
        /// For example `aws:username`.
        name: String,
        /// What it is where a request has no such key.
        default: Option<String>,
    },
}

/// Takes a text apart. Where `has_variables` is not set (version 2008-10-17), `${...}` is a text like any other.
pub(crate) fn pieces(text: &str, has_variables: bool) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if has_variables
            && let Some(inner) = rest.strip_prefix("${")
            && let Some(end) = inner.find('}')
        {
            pieces.push(variable(&inner[..end]));
            rest = &inner[end + 1..];
            continue;
        }
        pieces.push(Piece::Plain(character));
        rest = &rest[character.len_utf8()..];
    }
    pieces
}

fn variable(inner: &str) -> Piece {
    match inner {
        "*" => Piece::Escaped('*'),
        "?" => Piece::Escaped('?'),
        "$" => Piece::Escaped('$'),
        _ => {
            let (name, default) = match inner.split_once(',') {
                Some((name, default)) => (name, Some(default.trim())),
                None => (inner, None),
            };
            let unquote = |text: &str| text.strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
            Piece::Variable {
                name: name.trim().to_ascii_lowercase(),
                default: default.map(|text| unquote(text).unwrap_or_else(|| text.to_owned())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_where_the_version_has_them() {
        let name = |name: &str, default: Option<&str>| Piece::Variable {
            name: name.to_owned(),
            default: default.map(str::to_owned),
        };
        assert_eq!(
            pieces("a${aws:UserName}", true),
            [Piece::Plain('a'), name("aws:username", None)]
        );
        assert_eq!(pieces("${a, 'b c'}", true), [name("a", Some("b c"))]);
        assert_eq!(pieces("${*}*", true), [Piece::Escaped('*'), Piece::Plain('*')]);
        assert_eq!(pieces("${a", true).len(), 3);
        assert_eq!(pieces("${a}", false).len(), 4);
    }
}
