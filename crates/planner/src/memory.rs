//! What trueup remembers of a user between runs, in tags of the user: they survive a lost machine, and whoever looks at
//! the account can read them. Keys begin with `trueup:`, which a manifest cannot name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use trueup_model::{Tags, fold_tag_key};

/// The keys that were there before a new one was made whose delivery is not recorded yet.
pub(crate) const NEW_KEY: &str = "trueup:new-access-key";
/// Begins the tags that say since when a key is inactive, and why; the key's id follows.
pub(crate) const INACTIVE: &str = "trueup:inactive:";
/// The request for a new password that was answered last.
pub(crate) const PASSWORD_RESET: &str = "trueup:password-reset";
/// The day on which a quarantine began.
pub(crate) const QUARANTINE: &str = "trueup:quarantine";

/// What stands for no keys at all, as a tag needs a readable value.
const NONE: &str = "none";

/// Why a key was made inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is to be deleted: replaced, or not wanted.
    Retired,
    /// Nobody used it for long; somebody has to say what becomes of it.
    Unused,
}

/// What is remembered of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// `Some`: a key besides these was made, or was about to be, and nothing says that it was delivered.
    pub(crate) besides: Option<BTreeSet<String>>,
    /// Keys that were made inactive.
    pub(crate) inactive: BTreeMap<String, (Why, Date)>,
    /// The request for a password that was answered.
    pub(crate) password_reset: Option<String>,
    /// When the quarantine began.
    pub(crate) quarantine: Option<Date>,
}

impl Memory {
    /// Reads tags. What somebody else wrote into them and makes no sense is as if it were not there.
    pub(crate) fn of(tags: &Tags) -> Self {
        let mut memory = Self::default();
        for (key, value) in tags {
            let folded = fold_tag_key(key);
            match folded.as_str() {
                NEW_KEY => {
                    let ids = value.split_ascii_whitespace().filter(|word| *word != NONE);
                    memory.besides = Some(ids.map(str::to_owned).collect());
                }
                PASSWORD_RESET => memory.password_reset = Some(value.clone()),
                QUARANTINE => memory.quarantine = value.parse().ok(),
                _ => {
                    if let Some(id) = folded.strip_prefix(INACTIVE)
                        && let Some(entry) = inactive(value)
                    {
                        memory.inactive.insert(id.to_ascii_uppercase(), entry);
                    }
                }
            }
        }
        memory
    }
}

fn inactive(value: &str) -> Option<(Why, Date)> {
    let (why, date) = value.split_once(' ')?;
    let why = match why {
        "retired" => Why::Retired,
        "unused" => Why::Unused,
        _ => return None,
    };
    Some((why, date.parse().ok()?))
}

/// The tag that says since when a key is inactive.
pub(crate) fn inactive_tag(id: &str, why: Why, since: Date) -> (String, String) {
    let why = match why {
        Why::Retired => "retired",
        Why::Unused => "unused",
    };
    (format!("{INACTIVE}{id}"), format!("{why} {since}"))
}

/// The tag that says which keys were there before a new one.
pub(crate) fn new_key_tag<'k>(besides: impl IntoIterator<Item = &'k String>) -> (String, String) {
    let ids: Vec<&str> = besides.into_iter().map(String::as_str).collect();
    let value = if ids.is_empty() { NONE.to_owned() } else { ids.join(" ") };
    (NEW_KEY.to_owned(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_again() {
        let day: Date = "2026-11-25".parse().unwrap();
        let ids = ["AKIAIOSFODNN7EXAMPLE".to_owned()];
        let tags: Tags = [
            inactive_tag("AKIAI44QH8DHBEXAMPLE", Why::Retired, day),
            new_key_tag(&ids),
            (PASSWORD_RESET.to_owned(), "TICKET-42".to_owned()),
            (QUARANTINE.to_owned(), day.to_string()),
            ("trueup:inactive:AKIAXXXXXXXXXEXAMPLE".to_owned(), "soon".to_owned()),
            ("owner".to_owned(), "alice".to_owned()),
        ]
        .into();
        let memory = Memory::of(&tags);
        assert_eq!(memory.besides, Some(ids.into()));
        assert_eq!(
            memory.inactive,
            BTreeMap::from([("AKIAI44QH8DHBEXAMPLE".to_owned(), (Why::Retired, day))])
        );
        assert_eq!(memory.password_reset.as_deref(), Some("TICKET-42"));
        assert_eq!(memory.quarantine, Some(day));
        assert_eq!(
            Memory::of(&Tags::from([new_key_tag([])])).besides,
            Some(BTreeSet::new())
        );
        assert!(
            tags.iter()
                .all(|(_, value)| trueup_model::check_tag_value(value).is_ok())
        );
    }
}
