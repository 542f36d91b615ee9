//! What becomes of one user's access keys on one day: a pure decision over the rules, the live keys, what is
//! remembered, and the day.
//!
//! INVARIANT: it never leads to more than two keys, and never makes the last working key inactive in order to rotate.
//! Each decision stands by itself, so that stopping anywhere is safe: the next run goes on from what it finds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use trueup_model::{
    desired::{AccessKeyRules, AccessKeysWish},
    live::{AccessKey, LastUse},
};

use crate::memory::{Memory, Why};

/// How many access keys IAM gives a user.
const KEYS_PER_USER: usize = 2;
/// How many days a key is inactive before it is deleted, so that whoever still needs it can say so.
pub(crate) const GRACE_DAYS: u32 = 7;

/// What is to be done. Nothing in here names a key twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Ids and reasons.
    pub(crate) delete: Vec<(String, String)>,
    pub(crate) deactivate: Vec<(String, Why, String)>,
    /// Keys that are inactive and of which nothing is remembered: from now on they wait for their deletion.
    pub(crate) begin_to_wait: Vec<(String, String)>,
    /// The reason for each new key.
    pub(crate) create: Vec<String>,
    /// What somebody has to know or decide.
    pub(crate) notes: Vec<String>,
    /// Whether keys that were not known before turn out to be delivered, or gone.
    pub(crate) delivery_is_settled: bool,
}

/// One live key with what matters of it.
struct Key<'k> {
    id: &'k String,
    key: &'k AccessKey,
    created: Date,
}

/// Decides about the keys of a user. `wish` is `None` where the manifest does not manage them: then only a key whose
/// delivery was never recorded is of concern.
pub(crate) fn decide(
    wish: Option<&AccessKeysWish>,
    live: &BTreeMap<String, AccessKey>,
    memory: &Memory,
    as_of: Date,
) -> Decision {
    let mut decision = Decision::default();
    let mut keys: Vec<Key<'_>> = Vec::new();
    let mut unsettled = false;
    for (id, key) in live {
        let unknown = memory.besides.as_ref().is_some_and(|besides| !besides.contains(id));
        unsettled |= unknown && key.last_used.is_none();
        if unknown && key.last_used == Some(LastUse::Never) {
            let reason = "its delivery was never recorded, so that nobody may have its secret";
            decision.delete.push((id.clone(), reason.to_owned()));
        } else {
            let created = key.created.to_zoned(TimeZone::UTC).date();
            keys.push(Key { id, key, created });
        }
    }
    decision.delivery_is_settled = memory.besides.is_some() && !unsettled;
    keys.sort_by(|a, b| (a.created, a.key.created, a.id).cmp(&(b.created, b.key.created, b.id)));
    match wish {
        None => {}
        Some(AccessKeysWish::Absent) => retire_all(&keys, memory, as_of, &mut decision),
        Some(AccessKeysWish::Present(rules)) => Day {
            rules,
            memory,
            as_of,
            decision: &mut decision,
        }
        .keep(keys),
    }
    decision
}

/// The keys whose last use has to be known for the decision.
pub(crate) fn asks_for_use(
    wish: Option<&AccessKeysWish>,
    live: &BTreeMap<String, AccessKey>,
    memory: &Memory,
    as_of: Date,
) -> BTreeSet<String> {
    let unknown = live
        .keys()
        .filter(|id| memory.besides.as_ref().is_some_and(|besides| !besides.contains(*id)));
    let mut asked: BTreeSet<String> = unknown.cloned().collect();
    let Some(AccessKeysWish::Present(rules)) = wish else {
        return asked;
    };
    let active: Vec<(&String, Date)> = live
        .iter()
        .filter(|(_, key)| key.active)
        .map(|(id, key)| (id, key.created.to_zoned(TimeZone::UTC).date()))
        .collect();
    let is_older = |created: Date, days: Option<u32>| days.is_some_and(|days| reached(created, days, as_of));
    let surplus = active.len() > rules.count as usize;
    let swap = active.len() == KEYS_PER_USER && active.iter().any(|(_, at)| is_older(*at, rules.rotate_after_days));
    for (id, created) in active {
        if surplus || swap || is_older(created, rules.maximum_unused_days) {
            asked.insert(id.clone());
        }
    }
    asked
}

/// `access_keys: none`: inactive first, deleted when the grace is over.
fn retire_all(keys: &[Key<'_>], memory: &Memory, as_of: Date, decision: &mut Decision) {
    for Key { id, key, .. } in keys {
        let since = memory.inactive.get(*id).map(|(_, since)| *since);
        match since {
            _ if key.active => {
                let reason = "the manifest says `access_keys: none`".to_owned();
                decision.deactivate.push(((*id).clone(), Why::Retired, reason));
            }
            None => {
                let reason = "the manifest says `access_keys: none`, and it is inactive".to_owned();
                decision.begin_to_wait.push(((*id).clone(), reason));
            }
            Some(since) if reached(since, GRACE_DAYS, as_of) => {
                decision.delete.push(((*id).clone(), format!("inactive since {since}")));
            }
            Some(_) => {}
        }
    }
}

struct Day<'d> {
    rules: &'d AccessKeyRules,
    memory: &'d Memory,
    as_of: Date,
    decision: &'d mut Decision,
}

impl Day<'_> {
    fn keep(mut self, keys: Vec<Key<'_>>) {
        let mut total = keys.len();
        let (active, inactive): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.key.active);
        let (active, mut unused) = self.retire_unused(active);
        let active = self.retire_surplus(active);
        let active = self.make_room_for_rotation(active, total);
        for key in inactive {
            match self.memory.inactive.get(key.id) {
                Some((Why::Retired, since)) => {
                    // With nothing else that works, the old key is what somebody may have to bring back.
                    if reached(*since, GRACE_DAYS, self.as_of) && !active.is_empty() {
                        total -= 1;
                        let reason = format!("inactive since {since}, and replaced");
                        self.decision.delete.push((key.id.clone(), reason));
                    }
                }
                Some((Why::Unused, since)) => {
                    unused += 1;
                    self.decision.notes.push(format!(
                        "`{}` was made inactive on {since}, since nobody used it; activate it, delete it, or take \
                         `access_keys` out of the manifest",
                        key.id
                    ));
                }
                None if active.len() >= self.rules.count as usize => {
                    let reason = "inactive, and one more than the manifest asks for".to_owned();
                    self.decision.begin_to_wait.push((key.id.clone(), reason));
                }
                None => {
                    unused += 1;
                    self.decision.notes.push(format!(
                        "`{}` was made inactive by somebody else and is left alone; activate it, or delete it to get \
                         a new one",
                        key.id
                    ));
                }
            }
        }
        self.create(&active, unused, total);
    }

    /// Makes keys inactive that nobody used for long. One that waits to take over from a key in use is spared.
    fn retire_unused<'k>(&mut self, active: Vec<Key<'k>>) -> (Vec<Key<'k>>, usize) {
        let Some(days) = self.rules.maximum_unused_days else {
            return (active, 0);
        };
        let wanted = self.rules.count as usize;
        let mut working = active.len();
        let replacement = active.last().filter(|_| working > wanted).map(|key| key.id);
        let (mut kept, mut unused) = (Vec::new(), Vec::new());
        for key in active {
            match self
                .unused_since(&key)
                .filter(|since| reached(*since, days.saturating_add(1), self.as_of))
            {
                Some(_) if replacement == Some(key.id) && !kept.is_empty() => kept.push(key),
                Some(since) => unused.push((key, since)),
                None => kept.push(key),
            }
        }
        let mut filling = 0;
        for (key, since) in unused {
            let reason = format!("not used since {since}, which is more than {days} days");
            let why = if working > wanted {
                Why::Retired
            } else {
                filling += 1;
                Why::Unused
            };
            working -= 1;
            self.decision.deactivate.push((key.id.clone(), why, reason));
        }
        (kept, filling)
    }

    /// The day from which on nobody has used a key; `None` where that was not read.
    fn unused_since(&self, key: &Key<'_>) -> Option<Date> {
        let used = match key.key.last_used? {
            LastUse::Never => key.created,
            LastUse::At(at) => at.to_zoned(TimeZone::UTC).date(),
        };
        // Somebody who activated it again gets the same time once more. One that was replaced has no such time: it works
        // either since a run died before it was made inactive, or since somebody uses it, and then its last use tells.
        let again = match self.memory.inactive.get(key.id) {
            Some((Why::Unused, since)) => Some(*since),
            Some((Why::Retired, _)) | None => None,
        };
        Some(again.map_or(used, |again| again.max(used)))
    }

    /// Makes the oldest inactive as long as there are more than wanted and the newest has taken over.
    fn retire_surplus<'k>(&mut self, mut active: Vec<Key<'k>>) -> Vec<Key<'k>> {
        while active.len() > self.rules.count as usize && active.len() > 1 {
            let (old, new) = (&active[0], &active[active.len() - 1]);
            if !reached(new.created, self.rules.overlap_days, self.as_of) {
                break;
            }
            if !is_used(new) {
                self.decision.notes.push(format!(
                    "`{}` still works, since `{}`, which replaces it and was made on {}, has not been used yet",
                    old.id, new.id, new.created
                ));
                break;
            }
            let reason = format!("replaced by {}, which is in use; {}", new.id, last_used(old));
            self.decision.deactivate.push((old.id.clone(), Why::Retired, reason));
            active.remove(0);
        }
        active
    }

    /// Two keys of which one is due leave no room for a third: the oldest goes first, where the other is in use.
    fn make_room_for_rotation<'k>(&mut self, mut active: Vec<Key<'k>>, total: usize) -> Vec<Key<'k>> {
        let is_full = total == KEYS_PER_USER && active.len() == KEYS_PER_USER && self.rules.count == 2;
        let Some(days) = self.rules.rotate_after_days.filter(|_| is_full) else {
            return active;
        };
        let (old, other) = (&active[0], &active[1]);
        if !reached(old.created, days, self.as_of) {
            return active;
        }
        if !is_used(other) {
            self.decision.notes.push(format!(
                "`{}` is {} days old and due for rotation; it stays, since `{}` has never been used",
                old.id,
                age(old, self.as_of),
                other.id
            ));
            return active;
        }
        let reason = format!(
            "{} days old, and rotated after {days}; its replacement comes when it is deleted; {}",
            age(old, self.as_of),
            last_used(old)
        );
        self.decision.deactivate.push((old.id.clone(), Why::Retired, reason));
        active.remove(0);
        active
    }

    fn create(&mut self, active: &[Key<'_>], filling: usize, total: usize) {
        let wanted = self.rules.count as usize;
        let places = active.len() + filling;
        for _ in places..wanted {
            self.decision
                .create
                .push("declared, and the user has fewer access keys".to_owned());
        }
        if let ([key], 1, Some(days)) = (active, wanted, self.rules.rotate_after_days)
            && reached(key.created, days, self.as_of)
        {
            self.decision.create.push(format!(
                "replaces {}, which is {} days old and rotated after {days}",
                key.id,
                age(key, self.as_of)
            ));
        }
        let room = KEYS_PER_USER - total.min(KEYS_PER_USER);
        if self.decision.create.len() > room {
            self.decision.create.truncate(room);
            self.decision.notes.push(
                "a new access key has to wait until an inactive one is deleted, since IAM gives a user two".to_owned(),
            );
        }
    }
}

fn is_used(key: &Key<'_>) -> bool {
    matches!(key.key.last_used, Some(LastUse::At(_)))
}

fn last_used(key: &Key<'_>) -> String {
    match key.key.last_used {
        Some(LastUse::At(at)) => format!("last used on {}", at.to_zoned(TimeZone::UTC).date()),
        Some(LastUse::Never) => "never used".to_owned(),
        None => "when it was last used was not read".to_owned(),
    }
}

/// Whole days since a key's creation.
fn age(key: &Key<'_>, as_of: Date) -> i32 {
    (as_of - key.created).get_days()
}

/// Whether so many days are over since a day.
pub(crate) fn reached(since: Date, days: u32, as_of: Date) -> bool {
    since.checked_add(i64::from(days).days()).is_ok_and(|due| due <= as_of)
}
