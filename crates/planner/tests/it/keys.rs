//! Access keys over days: rotation, disuse, keys that nobody may have, and a clock that goes on.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use proptest::prelude::*;
use trueup_model::{
    Desired, Live, Tags,
    desired::{AccessKeyRules, AccessKeysWish},
    live::{AccessKey, LastUse},
};
use trueup_planner::{Action, Call, KeyStatus, NewKeyTag, Options, Plan};

use crate::build::{Declare, actions, changes, date, desired, live_of, options, user};

fn rules(count: u32) -> AccessKeyRules {
    AccessKeyRules {
        count,
        rotate_after_days: Some(90),
        overlap_days: 7,
        maximum_unused_days: None,
        description: None,
    }
}

fn wanting(wish: AccessKeysWish) -> Desired {
    let mut wanted = desired();
    wanted.user("ci").access_keys = Some(wish);
    wanted
}

fn key(created: Date, last_used: Option<Date>) -> AccessKey {
    let at = |date: Date| date.to_zoned(TimeZone::UTC).unwrap().timestamp();
    AccessKey {
        active: true,
        created: at(created),
        last_used: Some(last_used.map_or(LastUse::Never, |date| LastUse::At(at(date)))),
    }
}

fn account(wanted: &Desired, keys: &[(&str, AccessKey)], tags: &[(&str, &str)]) -> Live {
    let mut live = live_of(wanted);
    let ci = live.users.get_mut(&user("ci")).unwrap();
    let keys = keys.iter().map(|(id, key)| ((*id).to_owned(), key.clone()));
    ci.credentials.access_keys = Some(keys.collect());
    ci.credentials.login_profile = Some(None);
    ci.tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    live
}

fn plan_on(wanted: &Desired, live: &Live, day: Date) -> Plan {
    let options = Options {
        as_of: day,
        ..options()
    };
    trueup_planner::plan(wanted, live, &options).unwrap()
}

const OLD: &str = "AKIAAAAAAAAA1EXAMPLE";
const NEW: &str = "AKIAAAAAAAAA2EXAMPLE";

#[test]
fn a_key_is_announced_made_and_recorded_as_delivered() {
    let wanted = wanting(AccessKeysWish::Present(AccessKeyRules {
        description: Some("the build".to_owned()),
        ..rules(1)
    }));
    let plan = plan_on(&wanted, &account(&wanted, &[], &[]), date("2026-11-22"));
    assert_eq!(
        actions(&plan),
        [
            "TagUser user/ci",
            "CreateAccessKey user/ci/access-key/new",
            "UntagUser user/ci",
            "TagUser user/ci/access-key/new",
        ]
    );
    let Call::TagUser { tags, .. } = &plan.actions[0].call else {
        panic!("a tag comes first")
    };
    assert_eq!(
        tags,
        &Tags::from([("trueup:new-access-key".to_owned(), "none".to_owned())])
    );
    let Call::TagUser {
        new_key: Some(NewKeyTag { created_by, value }),
        ..
    } = &plan.actions[3].call
    else {
        panic!("the description comes last")
    };
    assert_eq!((*created_by, value.as_str()), (plan.actions[1].id, "the build"));
}

#[test]
fn an_old_key_goes_only_when_the_new_one_was_used_and_the_overlap_is_over() {
    let wanted = wanting(AccessKeysWish::Present(rules(1)));
    let today = date("2026-11-22");
    let old = key(date("2026-08-01"), Some(date("2026-11-21")));
    let on = |new: AccessKey| {
        let live = account(&wanted, &[(OLD, old.clone()), (NEW, new)], &[]);
        let plan = plan_on(&wanted, &live, today);
        (changes(&plan), plan.notes.iter().filter(|note| note.strict).count())
    };
    let goes = vec![format!("~ user/ci/access-key/{OLD}")];
    // Used, within the overlap; not used, after it; used, after it.
    assert_eq!(on(key(date("2026-11-16"), Some(date("2026-11-17")))), (vec![], 0));
    assert_eq!(on(key(date("2026-11-10"), None)), (vec![], 1));
    assert_eq!(on(key(date("2026-11-15"), Some(date("2026-11-16")))), (goes, 0));
}

#[test]
fn keys_of_two_are_rotated_one_after_the_other() {
    let wanted = wanting(AccessKeysWish::Present(rules(2)));
    let today = date("2026-11-22");
    let old = key(date("2026-08-01"), Some(date("2026-11-21")));
    let unused = account(
        &wanted,
        &[(OLD, old.clone()), (NEW, key(date("2026-08-02"), None))],
        &[],
    );
    let plan = plan_on(&wanted, &unused, today);
    assert_eq!(changes(&plan), [""; 0]);
    assert_eq!(plan.notes.len(), 1);
    let used = key(date("2026-08-02"), Some(date("2026-11-20")));
    let used = account(&wanted, &[(OLD, old), (NEW, used)], &[]);
    assert_eq!(
        changes(&plan_on(&wanted, &used, today)),
        [format!("~ user/ci/access-key/{OLD}")]
    );
}

#[test]
fn a_key_whose_delivery_is_not_recorded_is_replaced_unless_somebody_uses_it() {
    let wanted = wanting(AccessKeysWish::Present(rules(1)));
    let today = date("2026-11-22");
    let announced = [("trueup:new-access-key", "none")];
    let lost = account(&wanted, &[(NEW, key(today, None))], &announced);
    assert_eq!(
        actions(&plan_on(&wanted, &lost, today)),
        [
            format!("DeleteAccessKey user/ci/access-key/{NEW}"),
            "CreateAccessKey user/ci/access-key/new".to_owned(),
            "UntagUser user/ci".to_owned(),
        ]
    );
    let used = account(&wanted, &[(NEW, key(today, Some(today)))], &announced);
    assert_eq!(actions(&plan_on(&wanted, &used, today)), ["UntagUser user/ci"]);
    // Where the manifest no longer manages keys, the lost one goes all the same.
    let mut unmanaged = wanted.clone();
    unmanaged.user("ci").access_keys = None;
    assert_eq!(
        changes(&plan_on(&unmanaged, &lost, today)),
        [format!("- user/ci/access-key/{NEW}")]
    );
}

#[test]
fn none_makes_keys_inactive_and_deletes_them_after_the_grace() {
    let wanted = wanting(AccessKeysWish::Absent);
    let mut world = account(&wanted, &[(OLD, key(date("2026-08-01"), None))], &[]);
    let first = plan_on(&wanted, &world, date("2026-11-22"));
    assert_eq!(changes(&first), [format!("~ user/ci/access-key/{OLD}")]);
    apply(&mut world, &first.actions, &mut 0, date("2026-11-22"));
    assert_eq!(changes(&plan_on(&wanted, &world, date("2026-11-28"))), [""; 0]);
    let last = plan_on(&wanted, &world, date("2026-11-29"));
    assert_eq!(changes(&last), [format!("- user/ci/access-key/{OLD}")]);
    apply(&mut world, &last.actions, &mut 0, date("2026-11-29"));
    assert_eq!(world.users[&user("ci")].tags, Tags::new());
}

#[test]
fn an_unused_key_becomes_inactive_and_is_not_replaced() {
    let wanted = wanting(AccessKeysWish::Present(AccessKeyRules {
        rotate_after_days: None,
        maximum_unused_days: Some(45),
        ..rules(1)
    }));
    let mut world = account(
        &wanted,
        &[(OLD, key(date("2026-08-01"), Some(date("2026-10-08"))))],
        &[],
    );
    assert_eq!(changes(&plan_on(&wanted, &world, date("2026-11-22"))), [""; 0]);
    let plan = plan_on(&wanted, &world, date("2026-11-23"));
    assert_eq!(changes(&plan), [format!("~ user/ci/access-key/{OLD}")]);
    apply(&mut world, &plan.actions, &mut 0, date("2026-11-23"));
    let later = plan_on(&wanted, &world, date("2027-11-23"));
    assert_eq!(changes(&later), [""; 0]);
    assert_eq!(later.notes.iter().filter(|note| note.strict).count(), 1);
    // Whoever activates it again has as long once more.
    let keys = world
        .users
        .get_mut(&user("ci"))
        .unwrap()
        .credentials
        .access_keys
        .as_mut();
    keys.unwrap().get_mut(OLD).unwrap().active = true;
    assert_eq!(changes(&plan_on(&wanted, &world, date("2026-12-30"))), [""; 0]);
}

#[test]
fn of_several_unused_keys_all_become_inactive_at_once_but_for_a_replacement_that_waits() {
    let today = date("2026-11-23");
    let unused = key(date("2026-08-01"), None);
    let both = [(OLD, unused.clone()), (NEW, unused.clone())];
    let first = [
        format!("~ user/ci/access-key/{OLD}"),
        format!("~ user/ci/access-key/{NEW}"),
    ];
    for count in [1, 2] {
        let wanted = wanting(AccessKeysWish::Present(AccessKeyRules {
            rotate_after_days: None,
            maximum_unused_days: Some(45),
            ..rules(count)
        }));
        let mut world = account(&wanted, &both, &[]);
        let plan = plan_on(&wanted, &world, today);
        assert_eq!(changes(&plan), first, "{count}");
        apply(&mut world, &plan.actions, &mut 0, today);
        assert_eq!(changes(&plan_on(&wanted, &world, today)), [""; 0], "{count}");

        // Nor is anything left once a run that died between two of the calls is run again.
        let is_update = |action: &&Action| matches!(action.call, Call::UpdateAccessKey { .. });
        let updates: Vec<&Action> = plan.actions.iter().filter(is_update).collect();
        assert_eq!(updates.len(), 2);
        for done in 0..4 {
            let mut world = account(&wanted, &both, &[]);
            let tag = plan.actions.iter().find(|action| !is_update(action)).unwrap();
            let mut before = vec![tag.clone()];
            before.extend((0..2).filter(|n| done & (1 << n) != 0).map(|n| updates[n].clone()));
            apply(&mut world, &before, &mut 0, today);
            let rest = plan_on(&wanted, &world, today).actions;
            apply(&mut world, &rest, &mut 0, today);
            assert_eq!(actions(&plan_on(&wanted, &world, today)), [""; 0], "{count} {done}");
        }

        // The older one is in use: the newer one waits to take over, unless both are wanted.
        let in_use = key(date("2026-08-01"), Some(date("2026-11-22")));
        let world = account(&wanted, &[(OLD, in_use), (NEW, unused.clone())], &[]);
        let expected = if count == 1 { &[][..] } else { &first[1..] };
        assert_eq!(changes(&plan_on(&wanted, &world, today)), expected, "{count}");
    }
}

#[test]
fn a_key_that_somebody_else_made_inactive_is_left_alone_where_it_fills_a_place() {
    let wanted = wanting(AccessKeysWish::Present(rules(1)));
    let inactive = AccessKey {
        active: false,
        ..key(date("2026-08-01"), None)
    };
    let alone = account(&wanted, &[(OLD, inactive.clone())], &[]);
    let plan = plan_on(&wanted, &alone, date("2026-11-22"));
    assert_eq!((changes(&plan).len(), plan.notes.len()), (0, 1));
    let working = key(date("2026-11-01"), Some(date("2026-11-21")));
    let surplus = account(&wanted, &[(OLD, inactive), (NEW, working)], &[]);
    assert_eq!(
        actions(&plan_on(&wanted, &surplus, date("2026-11-22"))),
        ["TagUser user/ci"]
    );
}

/// Does some actions on the model of the account: what of it access keys are.
fn apply(live: &mut Live, actions: &[Action], made: &mut u32, day: Date) -> usize {
    let ci = live.users.get_mut(&user("ci")).unwrap();
    let mut ids: BTreeMap<u32, String> = BTreeMap::new();
    let mut most = 0;
    for action in actions {
        let keys = ci.credentials.access_keys.as_mut().unwrap();
        match &action.call {
            Call::TagUser { tags, new_key, .. } => {
                ci.tags.extend(tags.clone());
                if let Some(NewKeyTag { created_by, value }) = new_key {
                    ci.tags.insert(ids[&created_by.0].clone(), value.clone());
                }
            }
            Call::UntagUser { tag_keys, .. } => ci.tags.retain(|key, _| !tag_keys.contains(key)),
            Call::UpdateAccessKey {
                access_key_id, status, ..
            } => keys.get_mut(access_key_id).unwrap().active = *status == KeyStatus::Active,
            Call::DeleteAccessKey { access_key_id, .. } => drop(keys.remove(access_key_id).unwrap()),
            Call::CreateAccessKey { .. } => {
                *made += 1;
                let id = format!("AKIA{made:016}");
                ids.insert(action.id.0, id.clone());
                keys.insert(id, key(day, None));
            }
            other => panic!("{} is no call about access keys", other.operation()),
        }
        most = most.max(keys.len());
    }
    most
}

#[derive(Debug, Clone)]
struct Story {
    count: u32,
    rotate: Option<u32>,
    overlap: u32,
    described: bool,
    /// Days from a key's delivery until its owner uses it; `None`: never.
    lag: Option<u32>,
    /// Days on which the run stops after so many actions.
    crashes: BTreeMap<u32, usize>,
    /// Days on which nobody runs anything.
    idle: BTreeMap<u32, ()>,
}

fn story() -> impl Strategy<Value = Story> {
    (
        1..=2_u32,
        prop::option::of(5..40_u32),
        0..5_u32,
        any::<bool>(),
        prop::option::weighted(0.8, 0..6_u32),
        prop::collection::btree_map(0..160_u32, 0..5_usize, 0..12),
        prop::collection::btree_map(0..160_u32, Just(()), 0..40),
    )
        .prop_map(|(count, rotate, overlap, described, lag, crashes, idle)| Story {
            count,
            rotate,
            overlap,
            described,
            lag,
            crashes,
            idle,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is interrupted: never more than two keys, never a working one taken from somebody who uses it before
    /// another is in use, and every complete run leaves nothing to do that day.
    #[test]
    fn rotation_goes_on_from_wherever_it_was_stopped(story in story()) {
        let wanted = wanting(AccessKeysWish::Present(AccessKeyRules {
            count: story.count,
            rotate_after_days: story.rotate,
            overlap_days: story.overlap,
            maximum_unused_days: None,
            description: story.described.then(|| "the build".to_owned()),
        }));
        let mut live = account(&wanted, &[], &[]);
        let begin = date("2026-01-01");
        let mut made = 0;
        // Keys whose file its owner got.
        let mut delivered: BTreeMap<String, Date> = BTreeMap::new();
        let mut in_use = false;
        for offset in 0..160_u32 {
            let day = begin.checked_add(i64::from(offset).days()).unwrap();
            if !story.idle.contains_key(&offset) {
                let plan = plan_on(&wanted, &live, day);
                let stop = story.crashes.get(&offset).copied().unwrap_or(usize::MAX).min(plan.actions.len());
                let before = made;
                let most = apply(&mut live, &plan.actions[..stop], &mut made, day);
                prop_assert!(most <= 2, "more than two keys on {}", day);
                let recorded = plan.actions[..stop].iter().any(|a| matches!(a.call, Call::UntagUser { .. }));
                if recorded {
                    delivered.extend((before + 1..=made).map(|n| (format!("AKIA{n:016}"), day)));
                }
                if stop == plan.actions.len() {
                    let again = plan_on(&wanted, &live, day);
                    prop_assert_eq!(actions(&again), Vec::<String>::new());
                }
            }
            let ci = live.users.get_mut(&user("ci")).unwrap();
            let keys = ci.credentials.access_keys.as_mut().unwrap();
            // The owner uses the newest key that was delivered long enough ago and works.
            let now = day.to_zoned(TimeZone::UTC).unwrap().timestamp();
            let usable = |id: &String| {
                let since = delivered.get(id)?;
                let lag = story.lag?;
                (*since + i64::from(lag).days() <= day).then_some(())
            };
            let mut working = 0;
            for (id, key) in keys.iter_mut().filter(|(_, key)| key.active) {
                if usable(id).is_some() {
                    key.last_used = Some(LastUse::At(now));
                    working += 1;
                }
            }
            prop_assert!(working > 0 || !in_use, "nothing works on {}", day);
            in_use |= working > 0;
            let announced = ci.tags.keys().any(|key| key == "trueup:new-access-key");
            prop_assert!(
                announced || keys.keys().all(|id| delivered.contains_key(id)),
                "a key that nobody has and nobody knows of on {}", day
            );
        }
        // Two runs without a crash, and everybody has what the manifest says.
        let end = begin.checked_add(160_i64.days()).unwrap();
        for _ in 0..2 {
            let plan = plan_on(&wanted, &live, end);
            apply(&mut live, &plan.actions, &mut made, end);
        }
        let keys = live.users[&user("ci")].credentials.access_keys.as_ref().unwrap();
        prop_assert!(!keys.is_empty());
        prop_assert!(keys.values().filter(|key| key.active).count() <= 2);
    }
}
