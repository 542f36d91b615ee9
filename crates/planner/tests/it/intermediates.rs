//! Changes that no single call can make safely.

mod room;
mod temporary;

use std::collections::BTreeMap;

use trueup_model::{
    Desired, Live, PolicyDocument,
    desired::PolicyRef,
    live::{AccessKey, Credentials, Needs, PolicyVersion},
    quota::{GROUP_INLINE_POLICY_SIZE, MANAGED_POLICY_SIZE, USER_INLINE_POLICY_SIZE},
};
use trueup_planner::{Call, Plan, VersionRef};

use crate::{
    build::{Declare, created, desired, document, group, inline, live_of, plan, policy, try_plan, user},
    oracle::{everything_read, run},
};

/// Two documents that each say the contrary of the other.
const SIDES: [&[&str]; 2] = [&["allow s3:a", "deny s3:b"], &["allow s3:b", "deny s3:a"]];

/// Every call with what it puts or makes the default, and the numbers of the calls that it waits for.
fn outline(plan: &Plan) -> Vec<String> {
    let version = |version: &VersionRef| match version {
        VersionRef::Id(id) => id.clone(),
        VersionRef::CreatedBy(id) => format!("of {id}"),
    };
    let what = |call: &Call| match call {
        Call::PutUserPolicy {
            user_name,
            policy_document,
            ..
        } => format!(" of {user_name}: {}", statements(policy_document)),
        Call::DeleteUserPolicy { user_name, .. } => format!(" of {user_name}"),
        Call::PutGroupPolicy { policy_document, .. } | Call::CreatePolicyVersion { policy_document, .. } => {
            format!(": {}", statements(policy_document))
        }
        Call::SetDefaultPolicyVersion { version: which, .. } | Call::DeletePolicyVersion { version: which, .. } => {
            format!(" {}", version(which))
        }
        _ => String::new(),
    };
    let actions = plan.actions.iter();
    actions
        .map(|action| {
            let after: Vec<String> = action.after.iter().map(ToString::to_string).collect();
            let name = action
                .resource
                .as_str()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            format!(
                "{} {} {name}{} <- {}",
                action.id,
                action.call.operation(),
                what(&action.call),
                after.join(" ")
            )
            .trim_end_matches(" <- ")
            .to_owned()
        })
        .collect()
}

/// The statements as [`document`] takes them; actions of more than ten characters are a filler.
fn statements(document: &PolicyDocument) -> String {
    let json: serde_json::Value = serde_json::from_str(document.as_text()).unwrap();
    let statements: Vec<String> = json["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| {
            let action = statement["Action"].as_str().unwrap();
            let shown = if action.len() > 10 { "filler" } else { action };
            format!("{} {shown}", statement["Effect"].as_str().unwrap().to_lowercase())
        })
        .collect();
    statements.join(", ")
}

/// The plan of `after` for `before`, which holds in every order that it allows.
fn safe(after: &Desired, live: &Live) -> Plan {
    let made = plan(after, live);
    for seed in 0..20 {
        run(live, &made, seed);
    }
    made
}

/// Documents of a user or of its group that are swapped.
fn swapped_inline(of_user: bool, first: usize) -> Desired {
    let mut side = desired();
    side.group("team");
    side.user("bob").groups.insert(group("team"));
    let documents = match of_user {
        true => &mut side.user("bob").inline_policies,
        false => &mut side.group("team").inline_policies,
    };
    documents.insert(inline("one"), document(SIDES[first]));
    documents.insert(inline("two"), document(SIDES[1 - first]));
    side
}

#[test]
fn a_document_of_a_user_goes_through_one_with_the_denies_of_both() {
    let made = safe(&swapped_inline(true, 1), &live_of(&swapped_inline(true, 0)));
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy one of bob: allow s3:a, deny s3:b, deny s3:a",
            "2 PutUserPolicy two of bob: allow s3:a, deny s3:b <- 1",
            "3 PutUserPolicy one of bob: allow s3:b, deny s3:a <- 1 2",
        ]
    );
}

#[test]
fn and_so_does_that_of_a_group() {
    let made = safe(&swapped_inline(false, 1), &live_of(&swapped_inline(false, 0)));
    assert_eq!(
        outline(&made),
        [
            "1 PutGroupPolicy one: allow s3:a, deny s3:b, deny s3:a",
            "2 PutGroupPolicy two: allow s3:a, deny s3:b <- 1",
            "3 PutGroupPolicy one: allow s3:b, deny s3:a <- 1 2",
        ]
    );
}

/// Managed policies that are swapped, with statements that stay.
fn swapped_managed(first: usize, stay: &[&str]) -> Desired {
    let mut side = desired();
    for (name, of) in [("one", first), ("two", 1 - first)] {
        side.policy(name, &[SIDES[of], stay].concat());
        let reference = PolicyRef::Declared(policy(name));
        side.user("bob").managed_policies.insert(reference);
    }
    side
}

fn add_version(live: &mut Live, name: &str, id: &str, statements: &[&str]) {
    let version = PolicyVersion {
        created: created(),
        document: document(statements),
    };
    let versions = &mut live.policies.get_mut(&policy(name)).unwrap().versions;
    versions.insert(id.to_owned(), version);
}

#[test]
fn a_version_in_between_is_made_the_default_and_goes_in_the_end() {
    let made = safe(&swapped_managed(1, &[]), &live_of(&swapped_managed(0, &[])));
    assert_eq!(
        outline(&made),
        [
            "1 CreatePolicyVersion one: allow s3:b, deny s3:a",
            "2 CreatePolicyVersion one: allow s3:a, deny s3:b, deny s3:a",
            "3 SetDefaultPolicyVersion one of 2 <- 1 2",
            "4 CreatePolicyVersion two: allow s3:a, deny s3:b",
            "5 SetDefaultPolicyVersion two of 4 <- 3 4",
            "6 SetDefaultPolicyVersion one of 1 <- 1 3 5",
            "7 DeletePolicyVersion one of 2 <- 6",
        ]
    );
}

#[test]
fn two_versions_make_room_where_two_are_made() {
    let mut live = live_of(&swapped_managed(0, &[]));
    for id in ["v3", "v4", "v5", "v6"] {
        add_version(&mut live, "one", id, &["allow s3:old"]);
    }
    let full = safe(&swapped_managed(1, &[]), &live);
    assert_eq!(
        outline(&full)[..5],
        [
            "1 DeletePolicyVersion v3 v3",
            "2 DeletePolicyVersion v4 v4",
            "3 CreatePolicyVersion one: allow s3:b, deny s3:a <- 1 2",
            "4 CreatePolicyVersion one: allow s3:a, deny s3:b, deny s3:a <- 2",
            "5 SetDefaultPolicyVersion one of 4 <- 3 4",
        ]
    );
    // What goes of another policy makes no room in this one.
    let mut both_full = live.clone();
    for id in ["v13", "v14", "v15", "v16"] {
        add_version(&mut both_full, "two", id, &["allow s3:old"]);
    }
    let both_full = safe(&swapped_managed(1, &[]), &both_full);
    let pruned = outline(&both_full);
    let pruned: Vec<&String> = pruned
        .iter()
        .filter(|call| call.contains("DeletePolicyVersion v"))
        .collect();
    assert_eq!(pruned.len(), 3, "{pruned:?}");
    // Room for one of the two.
    live.policies.get_mut(&policy("one")).unwrap().versions.remove("v6");
    let one_free = safe(&swapped_managed(1, &[]), &live);
    assert_eq!(
        outline(&one_free)[..3],
        [
            "1 DeletePolicyVersion v3 v3",
            "2 CreatePolicyVersion one: allow s3:b, deny s3:a <- 1",
            "3 CreatePolicyVersion one: allow s3:a, deny s3:b, deny s3:a <- 1",
        ]
    );
    live.policies.get_mut(&policy("one")).unwrap().versions.remove("v5");
    let both_free = safe(&swapped_managed(1, &[]), &live);
    assert!(!outline(&both_free)[0].contains("Delete"), "{:?}", outline(&both_free));
}

#[test]
fn versions_that_are_there_are_used_and_none_that_is_wanted_makes_room() {
    let mut live = live_of(&swapped_managed(0, &[]));
    add_version(&mut live, "one", "v2", SIDES[1]);
    for id in ["v4", "v5", "v6"] {
        add_version(&mut live, "one", id, &["allow s3:old"]);
    }
    add_version(&mut live, "two", "v2", SIDES[0]);
    let made = safe(&swapped_managed(1, &[]), &live);
    assert_eq!(
        outline(&made),
        [
            "1 DeletePolicyVersion v4 v4",
            "2 CreatePolicyVersion one: allow s3:a, deny s3:b, deny s3:a <- 1",
            "3 SetDefaultPolicyVersion one of 2 <- 2",
            "4 SetDefaultPolicyVersion two v2 <- 3",
            "5 SetDefaultPolicyVersion one v2 <- 3 4",
            "6 DeletePolicyVersion one of 2 <- 5",
        ]
    );
    // An apply that stopped half-way left what goes between.
    add_version(&mut live, "one", "v4", &["allow s3:a", "deny s3:b", "deny s3:a"]);
    let made = safe(&swapped_managed(1, &[]), &live);
    assert_eq!(
        outline(&made),
        [
            "1 SetDefaultPolicyVersion one v4",
            "2 SetDefaultPolicyVersion two v2 <- 1",
            "3 SetDefaultPolicyVersion one v2 <- 1 2",
            "4 DeletePolicyVersion one v4 <- 3",
        ]
    );
}

/// What fills a document of [`SIDES`] up to IAM's limit.
fn filler(of: &[&str]) -> String {
    let bare = document(&[of, &["allow s3:"]].concat()).size();
    format!("allow s3:{}", "x".repeat(MANAGED_POLICY_SIZE - bare))
}

#[test]
fn where_the_denies_of_both_are_too_long_the_allows_that_differ_go_too() {
    let filler = filler(SIDES[0]);
    let live = live_of(&swapped_managed(0, &[&filler]));
    let made = safe(&swapped_managed(1, &[&filler]), &live);
    assert_eq!(
        outline(&made)[1..3],
        [
            "2 CreatePolicyVersion one: deny s3:b, allow filler, deny s3:a",
            "3 SetDefaultPolicyVersion one of 2 <- 1 2",
        ]
    );
}

/// What `bob` holds where his documents or those of his group have ids.
fn with_sids(first: usize) -> Desired {
    let mut side = desired();
    for (name, of) in [("one", first), ("two", 1 - first)] {
        let text = document(SIDES[of])
            .as_text()
            .replacen("{\"Action", "{\"Sid\":\"Same\",\"Action", 2);
        // Only the denies have an id, and both the same.
        let text = text.replacen("{\"Sid\":\"Same\",\"Action", "{\"Action", 1);
        let text = PolicyDocument::parse(&text).unwrap();
        side.user("bob").inline_policies.insert(inline(name), text);
    }
    side
}

#[test]
fn an_id_is_given_to_one_statement_of_what_goes_in_between() {
    let made = safe(&with_sids(1), &live_of(&with_sids(0)));
    let Call::PutUserPolicy { policy_document, .. } = &made.actions[0].call else {
        panic!("another call")
    };
    assert_eq!(statements(policy_document), "allow s3:a, deny s3:b, deny s3:a");
    assert_eq!(policy_document.as_text().matches("\"Sid\":\"Same\"").count(), 1);
    let sids: Vec<Option<&str>> = policy_document
        .statements()
        .iter()
        .map(|statement| statement.sid())
        .collect();
    assert_eq!(sids, [None, Some("Same"), None]);
}

/// Documents that read `${…}` differently cannot be mixed: the denies are held apart from them.
#[test]
fn documents_of_two_versions_with_variables_are_not_mixed() {
    let side = |first: usize, version_of_one: &str| {
        let mut side = swapped_inline(true, first);
        let one = document(&[SIDES[first], &["allow home"]].concat());
        let one = one.as_text().replace("2012-10-17", version_of_one);
        let one = PolicyDocument::parse(&one).unwrap();
        side.user("bob").inline_policies.insert(inline("one"), one);
        side
    };
    let same = safe(&side(1, "2012-10-17"), &live_of(&side(0, "2012-10-17")));
    assert_eq!(
        outline(&same)[0],
        "1 PutUserPolicy one of bob: allow s3:a, deny s3:b, allow s3:home, deny s3:a"
    );
    // What is in between reads them as both do.
    for version in ["2012-10-17", "2008-10-17"] {
        let same = safe(&side(1, version), &live_of(&side(0, version)));
        let Call::PutUserPolicy { policy_document, .. } = &same.actions[0].call else {
            panic!("{:#?}", outline(&same))
        };
        assert_eq!(policy_document.effective_version(), Some(version));
    }
    // Also where only one of the two has any.
    for (before, after) in [(true, false), (false, true)] {
        let with = |first: usize, version: &str, home: bool| {
            let mut side = side(first, version);
            if !home {
                let bare = document(SIDES[first]).as_text().replace("2012-10-17", version);
                let bare = PolicyDocument::parse(&bare).unwrap();
                side.user("bob").inline_policies.insert(inline("one"), bare);
            }
            side
        };
        let made = plan(&with(1, "2012-10-17", after), &live_of(&with(0, "2008-10-17", before)));
        let told = outline(&made);
        assert!(!told[0].contains(" one of bob"), "{told:#?}");
    }
    let mixed = plan(&side(1, "2012-10-17"), &live_of(&side(0, "2008-10-17")));
    let told = outline(&mixed);
    assert!(
        told.iter()
            .all(|call| !call.contains("one of bob: allow s3:a, deny s3:b, allow s3:home, deny s3:a")),
        "{told:#?}"
    );
}

/// Whoever is denied everything can do nothing at any moment of it.
#[test]
fn who_is_denied_everything_needs_nothing_in_between() {
    let side = |first: usize, denied: bool| {
        let mut side = swapped_inline(true, first);
        if denied {
            let documents = &mut side.user("bob").inline_policies;
            documents.insert(inline("zero"), document(&["deny *"]));
        }
        side
    };
    let swapped = [
        "1 PutUserPolicy one of bob: allow s3:b, deny s3:a",
        "2 PutUserPolicy two of bob: allow s3:a, deny s3:b <- 1",
    ];
    let made = safe(&side(1, true), &live_of(&side(0, true)));
    assert_eq!(outline(&made), swapped);
    let made = safe(&side(1, false), &live_of(&side(0, true)));
    assert_eq!(outline(&made)[..2], swapped);
    assert_eq!(outline(&made)[2..], ["3 DeleteUserPolicy zero of bob <- 1 2"]);
    let made = safe(&side(1, true), &live_of(&side(0, false)));
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy zero of bob: deny *",
            "2 PutUserPolicy one of bob: allow s3:b, deny s3:a <- 1",
            "3 PutUserPolicy two of bob: allow s3:a, deny s3:b <- 1 2",
        ]
    );
}

/// What is denied of one service says nothing of what is allowed of another, wherever both name theirs.
#[test]
fn denies_of_other_services_need_nothing_in_between() {
    let plan = |service: &str| {
        let side = |first: usize| {
            let denies = ["b", "a"].map(|action| format!("deny {service}{action}"));
            let sides = [["allow s3:a", denies[0].as_str()], ["allow S3:b", &denies[1]]];
            let mut side = desired();
            let documents = &mut side.user("bob").inline_policies;
            documents.insert(inline("one"), document(&sides[first]));
            documents.insert(inline("two"), document(&sides[1 - first]));
            side
        };
        outline(&safe(&side(1), &live_of(&side(0)))).len()
    };
    assert_eq!(plan("ec2:"), 2);
    assert_eq!(plan("s:"), 2);
    for may_meet in ["s3:", "S3:", "s*:", "s?:", "*"] {
        assert_eq!(plan(may_meet), 3, "{may_meet}");
    }
}

/// Bob gets another tag, of which a deny asks, and other permissions: the old ones have to go before the tag comes, the
/// new ones come after it.
fn tagged(team: &str, one: PolicyDocument) -> Desired {
    let mut side = desired();
    let bob = side.user("bob");
    bob.tags = [("team".into(), team.into())].into();
    bob.inline_policies.insert(inline("limits"), document(&["deny team"]));
    bob.inline_policies.insert(inline("one"), one);
    side
}

#[test]
fn what_cannot_be_mixed_goes_before_the_rest_comes() {
    let with = |statements: &[&str], version: &str| {
        let one = document(statements);
        PolicyDocument::parse(&one.as_text().replace("2012-10-17", version)).unwrap()
    };
    let one = |action: &str, version: &str| {
        let allow = format!("allow s3:{action}");
        with(&[&allow, "deny s3:c", "allow home"], version)
    };
    let before = tagged("blue", one("a", "2012-10-17"));
    let made = safe(&tagged("red", one("b", "2008-10-17")), &live_of(&before));
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy one of bob: deny s3:c",
            "2 PutUserPolicy trueup-transition of bob: deny s3:team, deny s3:c",
            "3 TagUser bob <- 1 2",
            "4 PutUserPolicy one of bob: allow s3:b, deny s3:c, allow s3:home <- 1 2 3",
            "5 DeleteUserPolicy trueup-transition of bob <- 1 2 3 4",
        ]
    );
    // What stays is read as before.
    let before = tagged("blue", one("a", "2008-10-17"));
    let made = safe(&tagged("red", one("b", "2012-10-17")), &live_of(&before));
    let Call::PutUserPolicy { policy_document, .. } = &made.actions[0].call else {
        panic!("{:#?}", outline(&made))
    };
    assert_eq!(policy_document.effective_version(), Some("2008-10-17"));
    // Where nothing stays, the document says nothing.
    let before = tagged("blue", with(&["allow s3:a", "allow home"], "2012-10-17"));
    let after = tagged("red", with(&["allow s3:b", "allow home"], "2008-10-17"));
    assert_eq!(
        outline(&safe(&after, &live_of(&before)))[0],
        "1 PutUserPolicy one of bob: deny filler"
    );
}

#[test]
fn what_is_too_long_together_goes_before_the_rest_comes() {
    let side = |team: &str, action: &str| {
        let mut side = tagged(team, document(&["deny s3:c"]));
        let long = format!("deny s3:{}", action.repeat(MANAGED_POLICY_SIZE * 2 / 3));
        side.policy("long", &[&format!("allow s3:{action}"), &long]);
        side.user("bob").managed_policies = [PolicyRef::Declared(policy("long"))].into();
        side
    };
    let made = safe(&side("red", "b"), &live_of(&side("blue", "a")));
    assert_eq!(
        outline(&made),
        [
            "1 CreatePolicyVersion long: allow s3:b, deny filler",
            "2 CreatePolicyVersion long: deny filler",
            "3 SetDefaultPolicyVersion long of 2 <- 1 2",
            "4 TagUser bob <- 3",
            "5 SetDefaultPolicyVersion long of 1 <- 1 3 4",
            "6 DeletePolicyVersion long of 2 <- 5",
        ]
    );
}

/// A document with nothing but what goes is replaced by one that says nothing, since IAM takes none without statements.
#[test]
fn a_document_in_between_that_would_be_empty_allows_and_denies_nothing() {
    let side = |allow: &str, deny: &str| {
        let mut side = desired();
        let documents = &mut side.user("bob").inline_policies;
        documents.insert(inline("one"), document(&[allow]));
        documents.insert(inline("two"), document(&[deny]));
        side
    };
    let made = safe(
        &side("allow s3:b", "deny s3:a"),
        &live_of(&side("allow s3:a", "deny s3:b")),
    );
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy one of bob: deny filler",
            "2 PutUserPolicy two of bob: deny s3:a <- 1",
            "3 PutUserPolicy one of bob: allow s3:b <- 1 2",
        ]
    );
    let Call::PutUserPolicy { policy_document, .. } = &made.actions[0].call else {
        panic!("another call")
    };
    assert!(policy_document.as_text().contains("trueup:Nothing"));
}

/// A user with no room for a temporary policy, who may do everything that no deny keeps from it.
fn full_user(side: &mut Desired) {
    let bare = document(&["allow s3:*", "allow s3:"]).size();
    let filler = format!("allow s3:{}", "x".repeat(USER_INLINE_POLICY_SIZE - bare));
    let documents = &mut side.user("bob").inline_policies;
    documents.insert(inline("own"), document(&["allow s3:*", &filler]));
}

/// Two documents of a user or of its group, each of which gives something and takes something.
fn both_kinds(of_user: bool, there: bool) -> Desired {
    let mut side = desired();
    side.group("team");
    side.user("bob").groups.insert(group("team"));
    if there {
        let documents = match of_user {
            true => &mut side.user("bob").inline_policies,
            false => &mut side.group("team").inline_policies,
        };
        documents.insert(inline("one"), document(SIDES[0]));
        documents.insert(inline("two"), document(SIDES[1]));
    }
    side
}

#[test]
fn documents_that_come_take_what_they_deny_first() {
    let made = safe(&both_kinds(true, true), &live_of(&both_kinds(true, false)));
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy one of bob: deny s3:b",
            "2 PutUserPolicy two of bob: allow s3:b, deny s3:a <- 1",
            "3 PutUserPolicy one of bob: allow s3:a, deny s3:b <- 1 2",
        ]
    );
    let made = safe(&both_kinds(false, true), &live_of(&both_kinds(false, false)));
    assert_eq!(outline(&made)[0], "1 PutGroupPolicy one: deny s3:b");
}

#[test]
fn documents_that_go_leave_what_they_deny_to_the_last() {
    let made = safe(&both_kinds(true, false), &live_of(&both_kinds(true, true)));
    assert_eq!(
        outline(&made),
        [
            "1 PutUserPolicy one of bob: deny s3:b",
            "2 DeleteUserPolicy two of bob <- 1",
            "3 DeleteUserPolicy one of bob <- 1 2",
        ]
    );
    let made = safe(&both_kinds(false, false), &live_of(&both_kinds(false, true)));
    assert_eq!(
        outline(&made),
        [
            "1 PutGroupPolicy one: deny s3:b",
            "2 DeleteGroupPolicy two <- 1",
            "3 DeleteGroupPolicy one <- 1 2",
        ]
    );
}

/// Somebody who has nothing and gets what no order of calls gives safely.
fn newcomer(holds: bool) -> Desired {
    let mut side = desired();
    for (name, statements) in [("one", SIDES[0]), ("two", SIDES[1])] {
        side.policy(name, statements);
    }
    full_user(&mut side);
    if holds {
        for name in ["one", "two"] {
            let reference = PolicyRef::Declared(policy(name));
            side.user("bob").managed_policies.insert(reference);
        }
    }
    let bob = side.user("bob");
    bob.inline_policies = bob
        .inline_policies
        .iter()
        .map(|(name, text)| (name.clone(), without_everything(text)))
        .collect();
    side
}

/// The same document without what allows everything, as long as it was.
fn without_everything(text: &PolicyDocument) -> PolicyDocument {
    PolicyDocument::parse(&text.as_text().replace("s3:*", "s3:z")).unwrap()
}

#[test]
fn who_has_no_credentials_is_in_nobodys_way() {
    let mut live = live_of(&newcomer(false));
    let refused = try_plan(&newcomer(true), &live).unwrap_err();
    let needs = trueup_planner::needs_of_refused(&refused, &live);
    assert_eq!(needs.users.keys().collect::<Vec<_>>(), [&user("bob")]);
    assert!(needs.users[&user("bob")].everything);

    // With a key that does not work now, and may at any moment.
    let bob = live.users.get_mut(&user("bob")).unwrap();
    bob.credentials = nothing_to_sign_in_with();
    bob.credentials.access_keys = Some(BTreeMap::from([("AKIAAAAAAAAA1EXAMPLE".to_owned(), inactive_key())]));
    let refused = try_plan(&newcomer(true), &live).unwrap_err();
    assert_eq!(trueup_planner::needs_of_refused(&refused, &live), Needs::default());

    live.users.get_mut(&user("bob")).unwrap().credentials = nothing_to_sign_in_with();
    assert_eq!(
        outline(&plan(&newcomer(true), &live)),
        ["1 AttachUserPolicy one", "2 AttachUserPolicy two"]
    );
    // Nothing else is worth reading where something else is wrong.
    let mut elsewhere = newcomer(true);
    elsewhere.account.id = trueup_model::AccountId::new("999999999999").unwrap();
    let refused = try_plan(&elsewhere, &live).unwrap_err();
    assert_eq!(trueup_planner::needs_of_refused(&refused, &live), Needs::default());
}

fn nothing_to_sign_in_with() -> Credentials {
    Credentials {
        login_profile: Some(None),
        ..everything_read()
    }
}

fn inactive_key() -> AccessKey {
    AccessKey {
        active: false,
        created: created(),
        last_used: None,
    }
}

/// Documents of which none may allow what it comes to allow while another allows what it ceases to.
fn chained(later: bool) -> Desired {
    let mut side = desired();
    let (one, two) = match later {
        false => (["allow s3:a", "deny s3:b"], ["allow s3:e", "deny s3:f"]),
        true => (["allow s3:c", "deny s3:d"], ["allow s3:g", "deny s3:h"]),
    };
    for (name, statements) in [("one", one), ("two", two)] {
        side.policy(name, &statements);
        let reference = PolicyRef::Declared(policy(name));
        side.user("bob").managed_policies.insert(reference);
    }
    side
}

#[test]
fn a_document_goes_through_two_others_where_one_is_not_enough() {
    let made = safe(&chained(true), &live_of(&chained(false)));
    assert_eq!(
        outline(&made),
        [
            "1 CreatePolicyVersion one: allow s3:c, deny s3:d",
            "2 CreatePolicyVersion one: allow s3:a, deny s3:b, deny s3:d",
            "3 CreatePolicyVersion one: deny s3:b, deny s3:d",
            "4 SetDefaultPolicyVersion one of 2 <- 1 2",
            "5 SetDefaultPolicyVersion one of 3 <- 1 3 4",
            "6 CreatePolicyVersion two: allow s3:g, deny s3:h",
            "7 SetDefaultPolicyVersion two of 6 <- 4 5 6",
            "8 SetDefaultPolicyVersion one of 1 <- 1 4 5 7",
            "9 DeletePolicyVersion one of 2 <- 8",
            "10 DeletePolicyVersion one of 3 <- 8",
        ]
    );
    // The first of the two was left by an apply that died, and takes room to the end.
    let mut live = live_of(&chained(false));
    add_version(&mut live, "one", "v2", &["allow s3:c", "deny s3:d"]);
    add_version(&mut live, "one", "v4", &["allow s3:a", "deny s3:b", "deny s3:d"]);
    for id in ["v5", "v6"] {
        add_version(&mut live, "one", id, &["allow s3:old"]);
    }
    let made = safe(&chained(true), &live);
    assert_eq!(
        outline(&made),
        [
            "1 SetDefaultPolicyVersion one v4",
            "2 DeletePolicyVersion v5 v5",
            "3 CreatePolicyVersion one: deny s3:b, deny s3:d <- 2",
            "4 SetDefaultPolicyVersion one of 3 <- 1 3",
            "5 CreatePolicyVersion two: allow s3:g, deny s3:h",
            "6 SetDefaultPolicyVersion two of 5 <- 1 4 5",
            "7 SetDefaultPolicyVersion one v2 <- 1 4 6",
            "8 DeletePolicyVersion one v4 <- 7",
            "9 DeletePolicyVersion one of 3 <- 7",
        ]
    );
}

/// Nothing goes before a document without denies: it waits.
#[test]
fn a_document_that_only_allows_is_put_once() {
    let side = |holds: bool| {
        let mut side = desired();
        for (name, statements) in [("one", SIDES[0]), ("two", SIDES[1])] {
            side.policy(name, statements);
        }
        let bob = side.user("bob");
        if holds {
            bob.managed_policies = ["one", "two"].map(|name| PolicyRef::Declared(policy(name))).into();
            bob.inline_policies.insert(inline("own"), document(&["allow s3:z"]));
        }
        side
    };
    let made = safe(&side(true), &live_of(&side(false)));
    let told = outline(&made);
    assert_eq!(
        told.iter().filter(|call| call.contains(" own ")).count(),
        1,
        "{told:#?}"
    );
}

/// What cannot be read cannot be mixed with anything.
#[test]
fn a_document_that_cannot_be_read_is_replaced_in_one_call() {
    let mut live = live_of(&swapped_inline(true, 0));
    let bob = live.users.get_mut(&user("bob")).unwrap();
    bob.inline_policies
        .insert(inline("one"), PolicyDocument::from_live("nothing that IAM would take"));
    assert_eq!(
        outline(&safe(&swapped_inline(true, 1), &live)),
        [
            "1 PutUserPolicy two of bob: allow s3:b, deny s3:a, deny s3:b",
            "2 PutUserPolicy one of bob: allow s3:b, deny s3:a <- 1",
            "3 PutUserPolicy two of bob: allow s3:a, deny s3:b <- 1 2",
        ]
    );
}
