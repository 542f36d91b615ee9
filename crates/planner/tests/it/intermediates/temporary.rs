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

/// A deny that is in force all the time, and too long to be held as well.
#[test]
fn where_there_is_no_room_for_all_denies_those_are_held_that_are_not_in_force() {
    let long = format!("deny s3:{}", "x".repeat(USER_INLINE_POLICY_SIZE - 150));
    let side = |holds: bool| {
        let mut side = desired();
        side.policy("long", &[&long]);
        for (name, statements) in [("one", SIDES[0]), ("two", SIDES[1])] {
            side.policy(name, statements);
        }
        let names: &[&str] = if holds { &["long", "one", "two"] } else { &["long"] };
        side.user("bob").managed_policies = names.iter().map(|name| PolicyRef::Declared(policy(name))).collect();
        side
    };
    let made = safe(&side(true), &live_of(&side(false)));
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
