//! Temporary policies, which hold denies where no document in between can.

use super::*;

/// Managed policies that are swapped and too long for anything in between.
fn too_long(first: usize, more_of_one: &[&str]) -> Desired {
    let denies = [
        format!("deny s3:{}", "b".repeat(300)),
        format!("deny s3:{}", "a".repeat(300)),
    ];
    let of = |side: usize| [SIDES[side][0], SIDES[side][1], denies[side].as_str()];
    let filler = filler(&[&of(0)[..], &["allow home"]].concat());
    let mut side = desired();
    for (name, which) in [("one", first), ("two", 1 - first)] {
        let more = if name == "one" { more_of_one } else { &[] };
        side.policy(name, &[&of(which)[..], &[&filler], more].concat());
        let reference = PolicyRef::Declared(policy(name));
        side.user("bob").managed_policies.insert(reference);
    }
    side
}

/// The same with another name for the user.
fn renamed(mut side: Desired) -> Desired {
    let mut bob = side.users.remove(&user("bob")).unwrap();
    bob.name = user("robert");
    bob.previously = vec![user("bob")];
    side.users.insert(user("robert"), bob);
    side
}

const HELD: &str = "deny s3:b, deny filler, deny s3:a, deny filler";

#[test]
fn where_nothing_in_between_fits_a_temporary_policy_holds_the_denies() {
    let made = safe(&too_long(1, &[]), &live_of(&too_long(0, &[])));
    assert_eq!(
        outline(&made),
        [
            "1 CreatePolicyVersion one: allow s3:b, deny s3:a, deny filler, allow filler",
            "2 CreatePolicyVersion two: allow s3:a, deny s3:b, deny filler, allow filler",
            &format!("3 PutUserPolicy trueup-transition of bob: {HELD}"),
            "4 SetDefaultPolicyVersion one of 1 <- 1 3",
            "5 SetDefaultPolicyVersion two of 2 <- 2 3 4",
            "6 DeleteUserPolicy trueup-transition of bob <- 3 4 5",
        ]
    );
}

#[test]
fn a_temporary_policy_is_put_under_the_name_that_the_user_has_then() {
    let made = safe(&renamed(too_long(1, &[])), &live_of(&too_long(0, &[])));
    let told = outline(&made);
    assert_eq!(told[0], "1 UpdateUser robert");
    assert_eq!(
        told[3..],
        [
            &format!("4 PutUserPolicy trueup-transition of robert: {HELD} <- 1"),
            "5 SetDefaultPolicyVersion one of 2 <- 2 4",
            "6 SetDefaultPolicyVersion two of 3 <- 3 4 5",
            "7 DeleteUserPolicy trueup-transition of robert <- 4 5 6",
        ]
    );
    // Under the new name its old document would give it another home.
    let made = safe(&renamed(too_long(1, &[])), &live_of(&too_long(0, &["allow home"])));
    assert_eq!(
        outline(&made)[2..],
        [
            &format!("3 PutUserPolicy trueup-transition of bob: {HELD}"),
            "4 SetDefaultPolicyVersion one of 1 <- 1 3",
            "5 SetDefaultPolicyVersion two of 2 <- 2 3 4",
            "6 UpdateUser robert <- 3 4 5",
            "7 DeleteUserPolicy trueup-transition of robert <- 3 4 5 6",
        ]
    );
}

/// What was left denies what nothing else does. It may go at once, and all else is held all the same.
#[test]
fn a_temporary_policy_that_was_left_is_replaced() {
    let mut live = live_of(&too_long(0, &[]));
    let bob = live.users.get_mut(&user("bob")).unwrap();
    let left = document(&["deny s3:old"]);
    bob.inline_policies.insert(inline("trueup-transition"), left);
    let made = safe(&too_long(1, &[]), &live);
    assert_eq!(
        outline(&made)[2..],
        [
            "3 DeleteUserPolicy trueup-transition of bob",
            &format!("4 PutUserPolicy trueup-transition of bob: {HELD}, deny s3:old <- 3"),
            "5 SetDefaultPolicyVersion one of 1 <- 1 4",
            "6 SetDefaultPolicyVersion two of 2 <- 2 4 5",
            "7 DeleteUserPolicy trueup-transition of bob <- 3 4 5 6",
        ]
    );
}

#[test]
fn where_there_is_no_room_for_a_temporary_policy_it_is_refused() {
    let (mut before, mut after) = (too_long(0, &[]), too_long(1, &[]));
    let room =
        document(&["deny s3:b", "deny s3:a"]).size() + 2 * document(&[&format!("deny s3:{}", "a".repeat(300))]).size();
    let filler = format!("allow s3:{}", "x".repeat(USER_INLINE_POLICY_SIZE - room));
    for side in [&mut before, &mut after] {
        let documents = &mut side.user("bob").inline_policies;
        documents.insert(inline("own"), document(&[&filler]));
    }
    let refused = try_plan(&after, &live_of(&before)).unwrap_err().to_string();
    assert!(
        refused.contains("no order of calls changes `policy/one`")
            && refused.contains("in which user `bob` can do more"),
        "{refused}"
    );
}

/// What goes makes room once it has gone, and no sooner.
#[test]
fn where_there_is_no_room_yet_there_is_no_temporary_policy() {
    let bare = document(&["deny s3:*", "deny s3:"]).size();
    let long = format!("deny s3:{}", "x".repeat(USER_INLINE_POLICY_SIZE - bare - 10));
    let mut before = too_long(0, &[]);
    let documents = &mut before.user("bob").inline_policies;
    documents.insert(inline("own"), document(&[&long, "deny s3:*"]));
    let told = outline(&safe(&too_long(1, &["deny s3:new"]), &live_of(&before)));
    assert!(!told.iter().any(|line| line.contains("trueup-transition")), "{told:#?}");
}

#[test]
fn who_is_deleted_holds_a_temporary_policy_until_then() {
    let mut gone = too_long(1, &[]);
    gone.users.clear();
    gone.absent.users.insert(user("bob"), "left".into());
    let mut live = live_of(&too_long(0, &[]));
    live.users.get_mut(&user("bob")).unwrap().credentials = everything_read();
    let made = safe(&gone, &live);
    assert_eq!(
        outline(&made)[3..],
        [
            &format!("4 PutUserPolicy trueup-transition of bob: {HELD}"),
            "5 SetDefaultPolicyVersion one of 2 <- 2 4",
            "6 SetDefaultPolicyVersion two of 3 <- 3 4 5",
            "7 DetachUserPolicy one <- 1 4 5 6",
            "8 DetachUserPolicy two <- 1 4 5 6 7",
            "9 DeleteUserPolicy trueup-transition of bob <- 4 5 6 7 8",
            "10 DeleteUser bob <- 1 7 8 9",
        ]
    );
}

/// It means another thing under the new name, and is one statement all the same.
#[test]
fn a_deny_that_depends_on_the_name_is_held_once() {
    let made = safe(
        &renamed(too_long(1, &["deny home"])),
        &live_of(&too_long(0, &["deny home"])),
    );
    let told = outline(&made);
    let puts = told
        .iter()
        .filter(|line| line.contains("PutUserPolicy trueup-transition"));
    let puts: Vec<usize> = puts.map(|line| line.matches("deny s3:home").count()).collect();
    assert_eq!(puts, [1], "{told:#?}");
}

/// A deny that is in force all the time, and so long that it can be held as well as the others, with so much left.
fn with_a_long_deny(left: isize, holds: bool) -> Desired {
    let bare = document(&["deny s3:", "deny s3:b", "deny s3:a"]).size();
    let long = format!(
        "deny s3:{}",
        "x".repeat((USER_INLINE_POLICY_SIZE - bare).strict_sub_signed(left))
    );
    let mut side = desired();
    side.policy("long", &[&long]);
    for (name, statements) in [("one", SIDES[0]), ("two", SIDES[1])] {
        side.policy(name, statements);
    }
    let names: &[&str] = if holds { &["long", "one", "two"] } else { &["long"] };
    side.user("bob").managed_policies = names.iter().map(|name| PolicyRef::Declared(policy(name))).collect();
    side
}

#[test]
fn all_denies_are_held_where_there_is_just_room_for_them() {
    let made = safe(&with_a_long_deny(0, true), &live_of(&with_a_long_deny(0, false)));
    assert_eq!(
        outline(&made)[0],
        "1 PutUserPolicy trueup-transition of bob: deny filler, deny s3:b, deny s3:a"
    );
}

#[test]
fn where_there_is_no_room_for_all_denies_those_are_held_that_are_not_in_force() {
    let made = safe(&with_a_long_deny(-1, true), &live_of(&with_a_long_deny(-1, false)));
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy trueup-transition of bob: deny s3:b, deny s3:a",
            "2 AttachUserPolicy one <- 1",
            "3 AttachUserPolicy two <- 1 2",
            "4 DeleteUserPolicy trueup-transition of bob <- 1 2 3",
        ]
    );
}

#[test]
fn a_temporary_policy_leaves_room_for_what_comes_while_it_is_there() {
    let own = document(&["allow s3:c"]);
    let left = isize::try_from(own.size()).unwrap();
    let plan = |left| {
        let mut after = with_a_long_deny(left, true);
        after.user("bob").inline_policies.insert(inline("own"), own.clone());
        outline(&safe(&after, &live_of(&with_a_long_deny(left, false))))
    };
    assert_eq!(
        plan(left)[0],
        "1 PutUserPolicy trueup-transition of bob: deny filler, deny s3:b, deny s3:a"
    );
    assert_eq!(
        plan(left - 1)[0],
        "1 PutUserPolicy trueup-transition of bob: deny s3:b, deny s3:a"
    );
}

#[test]
fn where_there_is_no_room_what_a_left_temporary_policy_holds_is_held_on() {
    let side = |holds| {
        let mut side = with_a_long_deny(-1, holds);
        let documents = &mut side.user("bob").inline_policies;
        documents.insert(inline("own"), document(&["allow s3:z"]));
        side
    };
    let mut live = live_of(&side(false));
    let bob = live.users.get_mut(&user("bob")).unwrap();
    bob.inline_policies
        .insert(inline("trueup-transition"), document(&["deny s3:old"]));
    let made = safe(&side(true), &live);
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy trueup-transition of bob: deny s3:b, deny s3:a, deny s3:old",
            "2 AttachUserPolicy one <- 1",
            "3 AttachUserPolicy two <- 1 2",
            "4 DeleteUserPolicy trueup-transition of bob <- 1 2 3",
        ]
    );
}
