//! Quotas on the way: which calls wait for others, and which do not.

use super::*;

/// Calls on different things of one owner wait for each other only where access or room asks for it.
#[test]
fn independent_calls_wait_for_nothing() {
    let mut before = desired();
    for name in ["p", "q"] {
        before.policy(name, &["allow s3:c"]);
        before.group(name);
    }
    before.group("team");
    before.user("bob");
    let live = live_of(&before);
    let mut after = before;
    for name in ["p", "q"] {
        let reference = PolicyRef::Declared(policy(name));
        after.group("team").managed_policies.insert(reference.clone());
        after.user("bob").managed_policies.insert(reference);
        after.user("bob").groups.insert(group(name));
        for documents in [
            &mut after.groups.get_mut(&group("team")).unwrap().inline_policies,
            &mut after.users.get_mut(&user("bob")).unwrap().inline_policies,
        ] {
            documents.insert(inline(name), document(&["allow s3:d"]));
        }
    }
    let made = safe(&after, &live);
    assert_eq!(made.actions.len(), 10);
    assert!(
        made.actions.iter().all(|action| action.after.is_empty()),
        "{:#?}",
        outline(&made)
    );
}

/// What refuses a plan in which one deny has to come before another goes, where there is no room for both.
#[test]
fn what_there_is_no_room_for_is_named() {
    let refused = |side: &dyn Fn(bool) -> Desired| {
        let error = try_plan(&side(true), &live_of(&side(false))).unwrap_err().to_string();
        let (_, needs) = error
            .split_once("has to come before something else goes, and that needs ")
            .unwrap();
        needs.split('\n').next().unwrap().trim_end_matches(';').to_owned()
    };
    let deny = ["deny s3:b"];
    // The first of eleven goes and the last comes, both of which say the same.
    let members = |later: bool| usize::from(later)..10 + usize::from(later);
    let names = || (0..11).map(|index| format!("p{index}"));
    let groups = |later| {
        let mut side = desired();
        for name in names() {
            side.group(&name);
        }
        for name in ["p0", "p10"] {
            let documents = &mut side.group(name).inline_policies;
            documents.insert(inline("deny"), document(&deny));
        }
        full_user(&mut side);
        side.user("bob").groups = names()
            .skip(members(later).start)
            .take(10)
            .map(|name| group(&name))
            .collect();
        side
    };
    assert_eq!(refused(&groups), "user `bob` in more groups at once, IAM allows 10");
    let attached = |of_user: bool| {
        move |later: bool| {
            let mut side = desired();
            for name in names() {
                let statements = if ["p0", "p10"].contains(&name.as_str()) {
                    deny
                } else {
                    ["allow s3:c"]
                };
                side.policy(&name, &statements);
            }
            full_user(&mut side);
            side.group("team");
            side.user("bob").groups.insert(group("team"));
            let holds = names().skip(usize::from(later)).take(10);
            let holds = holds.map(|name| PolicyRef::Declared(policy(&name))).collect();
            match of_user {
                true => side.user("bob").managed_policies = holds,
                false => side.group("team").managed_policies = holds,
            }
            side
        }
    };
    assert_eq!(
        refused(&attached(true)),
        "more policies attached to user `bob` at once, IAM allows 10"
    );
    assert_eq!(
        refused(&attached(false)),
        "more policies attached to group `team` at once, IAM allows 10"
    );
    let documents = |of_user: bool| {
        move |later: bool| {
            let limit = if of_user {
                USER_INLINE_POLICY_SIZE
            } else {
                GROUP_INLINE_POLICY_SIZE
            };
            let bare = document(&["deny s3:", "deny s3:b"]).size() + document(&["allow s3:*"]).size();
            let filler = format!("deny s3:{}", "x".repeat(limit - bare));
            let mut side = desired();
            side.group("team");
            side.user("bob").groups.insert(group("team"));
            let (one, two) = match later {
                false => (document(&[&filler, deny[0]]), document(&["allow s3:*"])),
                true => (document(&[&filler]), document(&["allow s3:*", deny[0]])),
            };
            if !of_user {
                full_user(&mut side);
            }
            let holds = match of_user {
                true => &mut side.user("bob").inline_policies,
                false => &mut side.group("team").inline_policies,
            };
            holds.insert(inline("one"), one);
            holds.insert(inline("two"), two);
            side
        }
    };
    assert_eq!(
        refused(&documents(true)),
        format!("longer inline policies of user `bob` at once, IAM allows {USER_INLINE_POLICY_SIZE}")
    );
    assert_eq!(
        refused(&documents(false)),
        format!("longer inline policies of group `team` at once, IAM allows {GROUP_INLINE_POLICY_SIZE}")
    );
}

#[test]
fn nothing_waits_where_there_is_room_for_all_of_it() {
    let side = |groups: std::ops::Range<usize>| {
        let mut side = desired();
        for index in 0..12 {
            side.group(&format!("g{index}"));
        }
        side.user("bob").groups = groups.map(|index| group(&format!("g{index}"))).collect();
        side
    };
    // Eight, of which one goes and two come: ten at most.
    let made = safe(&side(1..10), &live_of(&side(0..8)));
    assert_eq!(made.actions.len(), 3);
    assert!(
        made.actions.iter().all(|action| action.after.is_empty()),
        "{:#?}",
        outline(&made)
    );
    // The tenth is allowed.
    let made = safe(&side(0..10), &live_of(&side(0..9)));
    assert_eq!(outline(&made), ["1 AddUserToGroup bob"]);
    // The same where the one that goes is known to go first, since it takes something away.
    let with_something = |groups| {
        let mut side = side(groups);
        let documents = &mut side.group("g0").inline_policies;
        documents.insert(inline("own"), document(&["allow s3:a"]));
        side
    };
    let made = safe(&with_something(1..10), &live_of(&with_something(0..8)));
    assert_eq!(made.actions.len(), 3);
    assert!(
        made.actions.iter().all(|action| action.after.is_empty()),
        "{:#?}",
        outline(&made)
    );
    // Nine, of which one goes and two come: one has to wait.
    let made = safe(&side(1..11), &live_of(&side(0..9)));
    let waiting = made.actions.iter().filter(|action| !action.after.is_empty());
    assert_eq!(waiting.count(), 1, "{:#?}", outline(&made));
}
