//! What statements ask of the user itself: `${aws:username}` and the like, and tags through `aws:PrincipalTag`.
//!
//! A rename, a move or another tag changes what such a statement means for that user, so it counts as another statement
//! from then on.

use std::collections::BTreeSet;

use trueup_model::fold_tag_key;

/// What of a user a call changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Facet {
    /// Name or path, and so the ARN.
    Name,
    /// These tags go; keys folded.
    TagsGone(BTreeSet<String>),
    /// These tags come or get another value; keys folded.
    TagsCome(BTreeSet<String>),
}

/// What of a user has changed so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    name: bool,
    tags_gone: BTreeSet<String>,
    tags_come: BTreeSet<String>,
}

impl Changed {
    pub(crate) fn add(&mut self, facet: &Facet) {
        match facet {
            Facet::Name => self.name = true,
            Facet::TagsGone(keys) => self.tags_gone.extend(keys.iter().cloned()),
            Facet::TagsCome(keys) => self.tags_come.extend(keys.iter().cloned()),
        }
    }
}

/// What of its user a statement depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dependence {
    /// On nothing or on the named things.
    On { name: bool, tags: BTreeSet<String> },
    /// The text could not be read, so on everything.
    Unknown,
}

const PRINCIPAL_TAG: &str = "aws:principaltag/";

impl Dependence {
    /// What the canonical text of a statement depends on.
    pub(crate) fn of_statement(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let tags = text
            .match_indices(PRINCIPAL_TAG)
            .map(|(at, _)| {
                let rest = &text[at + PRINCIPAL_TAG.len()..];
                // A key ends where the condition key or the variable does, or where a default value begins.
                fold_tag_key(rest.split(['"', '}', ',']).next().unwrap_or_default().trim_end())
            })
            .collect();
        Self::On {
            name: text.contains("aws:username") || text.contains("aws:principalarn"),
            tags,
        }
    }

    pub(crate) fn is_on(&self, facet: &Facet) -> bool {
        match (self, facet) {
            (Self::Unknown, _) => true,
            (Self::On { name, .. }, Facet::Name) => *name,
            (Self::On { tags, .. }, Facet::TagsGone(keys) | Facet::TagsCome(keys)) => {
                tags.intersection(keys).next().is_some()
            }
        }
    }

    /// Whether it depends on anything of its user.
    pub(crate) fn is_on_anything(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::On { name, tags } => *name || !tags.is_empty(),
        }
    }

    /// Which of the meanings that the statement can have for one user it has now, from 0 to 7.
    pub(crate) fn meaning(&self, changed: &Changed) -> u32 {
        let (name, gone, come) = match self {
            Self::Unknown => (
                changed.name,
                !changed.tags_gone.is_empty(),
                !changed.tags_come.is_empty(),
            ),
            Self::On { name, tags } => (
                *name && changed.name,
                tags.intersection(&changed.tags_gone).next().is_some(),
                tags.intersection(&changed.tags_come).next().is_some(),
            ),
        };
        u32::from(name) | u32::from(gone) << 1 | u32::from(come) << 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn statements_tell_what_they_depend_on() {
        let plain = Dependence::of_statement(r#"{"Action":["s3:*"]}"#);
        assert!(!plain.is_on(&Facet::Name) && !plain.is_on(&Facet::TagsGone(keys(&["team"]))));
        let name = Dependence::of_statement(r#"{"Resource":["arn:aws:s3:::home/${aws:username}"]}"#);
        assert!(name.is_on(&Facet::Name) && !name.is_on(&Facet::TagsCome(keys(&["team"]))));
        for text in [
            r#"{"Condition":{"StringEquals":{"aws:principaltag/team":["a"]}}}"#,
            r#"{"Resource":["arn:aws:s3:::x/${aws:PrincipalTag/Team}/*"]}"#,
            r#"{"Resource":["arn:aws:s3:::x/${aws:PrincipalTag/Team, 'none'}"]}"#,
        ] {
            let tag = Dependence::of_statement(text);
            assert!(
                tag.is_on(&Facet::TagsGone(keys(&["team"]))) && tag.is_on(&Facet::TagsCome(keys(&["team"]))),
                "{text}"
            );
            assert!(
                !tag.is_on(&Facet::TagsCome(keys(&["tea"]))) && !tag.is_on(&Facet::Name),
                "{text}"
            );
        }
        assert!(Dependence::Unknown.is_on(&Facet::Name));
    }

    #[test]
    fn a_statement_has_one_meaning_until_what_it_depends_on_changes() {
        let mut changed = Changed::default();
        let tag = Dependence::of_statement(r#""aws:principaltag/team""#);
        changed.add(&Facet::Name);
        changed.add(&Facet::TagsCome(keys(&["owner"])));
        assert_eq!(tag.meaning(&changed), 0);
        changed.add(&Facet::TagsGone(keys(&["team"])));
        assert_eq!(tag.meaning(&changed), 2);
        assert_eq!(Dependence::Unknown.meaning(&changed), 7);
    }
}
