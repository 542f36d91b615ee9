//! Nobody can do more at any moment than before or after, in whatever order an executor takes that the plan allows.

use proptest::prelude::*;
use trueup_model::{
    Desired, PolicyDocument,
    desired::{BoundaryWish, LoginProfileWish, PolicyRef},
};
use trueup_planner::{ActionId, Call, Plan, PlanError, VersionRef};

use crate::build::{
    Declare, actions, admin_arn, desired, document, group, inline, live_of, live_policy, plan, policy, try_plan, user,
};

use crate::oracle::{Account, Side, build, by_name, everything_read, run, side};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn nobody_can_do_more_in_between(before in side(), after in side(), seed in any::<u64>()) {
        let live = live_of(&build(&before, true));
        let mut wanted = build(&after, false);
        wanted.scope.users.unmanaged = trueup_model::Unmanaged::Delete;
        wanted.scope.groups.unmanaged = trueup_model::Unmanaged::Delete;
        let mut live = live;
        for user in live.users.values_mut() {
            user.credentials = everything_read();
        }
        match try_plan(&wanted, &live) {
            Ok(plan) => {
                let mut ended = run(&live, &plan, seed);
                ended = run(&live, &plan, seed.wrapping_add(1)).ends_like(ended);
                let target = Account::of(&live_of(&wanted)).access(by_name);
                prop_assert_eq!(ended.access(by_name), target);
            }
            Err(PlanError::Impossible(problems)) => {
                prop_assert!(problems.iter().all(|p| p.message.contains("no order of calls") || p.message.contains("has to come before")), "{problems:?}");
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn refusals_are_rare() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut same_people, mut other_names_and_tags) = (0, 0);
    for _ in 0..400 {
        let mut before = side().new_tree(&mut runner).unwrap().current();
        let after = side().new_tree(&mut runner).unwrap().current();
        let refused = |before: &Side| try_plan(&build(&after, false), &live_of(&build(before, true))).is_err();
        other_names_and_tags += usize::from(refused(&before));
        before.facts.clone_from(&after.facts);
        before
            .facts
            .iter_mut()
            .for_each(|(has_old_name, ..)| *has_old_name = false);
        same_people += usize::from(refused(&before));
    }
    // Two unrelated accounts over the same names are far wilder than any real change.
    assert_eq!(same_people, 0, "of 400 refused");
    assert!(other_names_and_tags <= 12, "{other_names_and_tags} of 400 refused");
}

#[test]
fn a_deny_that_moves_between_two_documents_goes_through_an_intermediate_one() {
    let mut before = desired();
    let bob = before.user("bob");
    bob.inline_policies
        .insert(inline("one"), document(&["allow s3:a", "deny s3:b"]));
    bob.inline_policies
        .insert(inline("two"), document(&["allow s3:b", "deny s3:a"]));
    let mut after = desired();
    let bob = after.user("bob");
    bob.inline_policies
        .insert(inline("one"), document(&["allow s3:b", "deny s3:a"]));
    bob.inline_policies
        .insert(inline("two"), document(&["allow s3:a", "deny s3:b"]));
    let live = live_of(&before);
    let plan = plan(&after, &live);
    for seed in 0..50 {
        run(&live, &plan, seed);
    }
}

#[test]
fn what_the_text_of_statements_does_not_prove_the_access_engine_does() {
    let mut before = desired();
    for index in 0..=10 {
        before.group(&format!("g{index}"));
    }
    let deny = |account: &mut Desired, group: &str, statement: &str| {
        let inline_policies = &mut account.group(group).inline_policies;
        inline_policies.insert(inline("deny"), document(&[statement]));
    };
    deny(&mut before, "g0", "deny s3:b");
    deny(&mut before, "g1", "deny s3:b*");
    deny(&mut before, "g10", "deny s3:c");
    let mut after = before.clone();
    for (account, first) in [(&mut before, 0), (&mut after, 1)] {
        let bob = account.user("bob");
        bob.groups = (first..first + 10).map(|index| group(&format!("g{index}"))).collect();
        // No room for a temporary policy, and none for an eleventh group.
        let filler = format!("allow s3:{}", "x".repeat(1850));
        bob.inline_policies
            .insert(inline("own"), document(&["allow s3:*", &filler]));
    }
    let live = live_of(&before);
    let plan = plan(&after, &live);
    assert_eq!(
        actions(&plan),
        [
            "RemoveUserFromGroup group/g0/member/bob",
            "AddUserToGroup group/g10/member/bob"
        ]
    );
    assert_eq!(plan.actions[1].after, [ActionId(1)]);
    run(&live, &plan, 0);
}

#[test]
fn a_boundary_comes_before_the_policies_it_limits_and_goes_after_them() {
    let mut before = desired();
    before.policy("limit", &["allow s3:*"]);
    before.user("bob");
    let mut after = before.clone();
    let bob = after.user("bob");
    bob.permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    bob.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    let there = plan(&after, &live_of(&before));
    let position = |plan: &Plan, operation: &str| {
        plan.actions
            .iter()
            .position(|a| a.call.operation() == operation)
            .unwrap()
    };
    assert!(position(&there, "PutUserPermissionsBoundary") < position(&there, "AttachUserPolicy"));
    let attach = &there.actions[position(&there, "AttachUserPolicy")];
    assert!(
        attach
            .after
            .contains(&there.actions[position(&there, "PutUserPermissionsBoundary")].id)
    );

    let mut without = before.clone();
    without.user("bob").permissions_boundary = BoundaryWish::Absent;
    let back = plan(&without, &live_of(&after));
    let delete = &back.actions[position(&back, "DeleteUserPermissionsBoundary")];
    assert!(
        delete
            .after
            .contains(&back.actions[position(&back, "DetachUserPolicy")].id)
    );
}

#[test]
fn a_new_version_comes_first_and_becomes_the_default_then() {
    let mut before = desired();
    before.policy("base", &["allow s3:a"]);
    let mut after = desired();
    after.policy("base", &["allow s3:a", "allow s3:b"]);
    let plan = plan(&after, &live_of(&before));
    assert_eq!(
        actions(&plan),
        ["CreatePolicyVersion policy/base", "SetDefaultPolicyVersion policy/base"]
    );
    assert_eq!(plan.actions[1].after, [ActionId(1)]);
    let Call::SetDefaultPolicyVersion { version, .. } = &plan.actions[1].call else {
        panic!()
    };
    assert_eq!(*version, VersionRef::CreatedBy(ActionId(1)));
}

#[test]
fn the_oldest_version_that_is_not_the_default_makes_room() {
    let mut after = desired();
    after.policy("base", &["allow s3:new"]);
    let mut live = live_of(&after);
    let mut base = live_policy("base", &document(&["allow s3:a"]), &trueup_model::Tags::new());
    base.versions.clear();
    for id in ["v2", "v9", "v10", "v11", "v12"] {
        let version = trueup_model::live::PolicyVersion {
            created: crate::build::created(),
            document: document(&[&format!("allow s3:{id}")]),
        };
        base.versions.insert(id.to_owned(), version);
    }
    base.default_version = "v2".to_owned();
    live.policies.insert(policy("base"), base);
    let plan = plan(&after, &live);
    assert_eq!(
        actions(&plan),
        [
            "DeletePolicyVersion policy/base/version/v9",
            "CreatePolicyVersion policy/base",
            "SetDefaultPolicyVersion policy/base"
        ]
    );
    assert_eq!(plan.actions[1].after, [ActionId(1)]);
}

#[test]
fn a_version_left_by_an_interrupted_run_is_used() {
    let mut after = desired();
    after.policy("base", &["allow s3:new"]);
    let mut live = live_of(&after);
    let mut base = live_policy("base", &document(&["allow s3:a"]), &trueup_model::Tags::new());
    let version = trueup_model::live::PolicyVersion {
        created: crate::build::created(),
        document: document(&["allow s3:new"]),
    };
    base.versions.insert("v2".to_owned(), version);
    live.policies.insert(policy("base"), base);
    assert_eq!(actions(&plan(&after, &live)), ["SetDefaultPolicyVersion policy/base"]);
}

#[test]
fn at_the_quota_something_goes_before_something_comes() {
    let mut before = desired();
    let mut after = desired();
    for index in 0..12 {
        before.group(&format!("g{index}"));
        after.group(&format!("g{index}"));
    }
    for index in 0..10 {
        before
            .user("bob")
            .groups
            .insert(crate::build::group(&format!("g{index}")));
        after
            .user("bob")
            .groups
            .insert(crate::build::group(&format!("g{}", index + 2)));
    }
    let live = live_of(&before);
    let plan = plan(&after, &live);
    for seed in 0..50 {
        run(&live, &plan, seed);
    }
    assert!(user("bob") == user("BOB"));
}

/// A document of about so many characters.
fn long(size: usize) -> PolicyDocument {
    document(&[&format!("allow s3:{}", "x".repeat(size - 80))])
}

#[test]
fn room_that_one_policy_leaves_is_there_before_another_takes_it() {
    let mut before = desired();
    let mut after = desired();
    for (name, from, to) in [("a", 3000, 1200), ("b", 1500, 3200)] {
        before.group("g").inline_policies.insert(inline(name), long(from));
        after.group("g").inline_policies.insert(inline(name), long(to));
    }
    let live = live_of(&before);
    // In the order of names nothing has to wait, so the edge must not come from waiting.
    let plan = plan(&after, &live);
    for seed in 0..50 {
        run(&live, &plan, seed);
    }
}

#[test]
fn a_document_takes_the_room_of_its_own_spelling() {
    let spelled = |action: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{action},"Resource":"*"}}]}}"#
        );
        PolicyDocument::parse(&text).unwrap()
    };
    let rest = spelled(r#""s3:""#).size();
    let action = format!(r#""s3:{}""#, "x".repeat(2560 - rest));
    let (short, longer) = (spelled(&action), spelled(&format!("[{action}]")));
    // Two of the shorter one are as much as a group may have; one of each is two characters more.
    assert_eq!((short.size(), longer.size()), (2560, 2562));
    assert_eq!(short.canonical_text(), longer.canonical_text());
    let (mut before, mut after) = (desired(), desired());
    before.group("g").inline_policies.insert(inline("b"), short);
    after.group("g").inline_policies.insert(inline("a"), longer);
    let plan = plan(&after, &live_of(&before));
    let calls: Vec<_> = plan.actions.iter().map(|action| action.call.operation()).collect();
    assert_eq!(calls, ["DeleteGroupPolicy", "PutGroupPolicy"]);
    assert_eq!(plan.actions[1].after.len(), 1, "{:?}", plan.actions[1]);
}

#[test]
fn a_call_goes_under_the_old_name_where_the_rename_would_widen_something() {
    let mut before = desired();
    before
        .user("bob.smith")
        .inline_policies
        .insert(inline("own"), document(&["allow home"]));
    let mut after = desired();
    after.user("bob").previously = vec![user("bob.smith")];
    let plan = plan(&after, &live_of(&before));
    assert_eq!(
        actions(&plan),
        ["DeleteUserPolicy user/bob/inline-policy/own", "UpdateUser user/bob"]
    );
    let Call::DeleteUserPolicy { user_name, .. } = &plan.actions[0].call else {
        panic!()
    };
    assert_eq!(user_name.as_str(), "bob.smith");
    assert_eq!(plan.actions[1].after, [ActionId(1)]);
}

#[test]
fn a_password_comes_after_the_policies_of_an_external_group() {
    let mut was = desired();
    was.policy("limits", &["allow s3:*"]);
    was.group("ops")
        .managed_policies
        .insert(PolicyRef::Declared(policy("limits")));
    let live = live_of(&was);
    let mut wanted = desired();
    wanted.policy("limits", &["allow s3:*", "deny s3:b"]);
    wanted.external.groups.insert(group("ops"));
    let alice = wanted.user("alice");
    alice.groups.insert(group("ops"));
    alice.login_profile = Some(LoginProfileWish::Present {
        password_reset_required: true,
    });
    let plan = plan(&wanted, &live);
    let id_of = |operation| {
        let found = plan
            .actions
            .iter()
            .find(|action| action.call.operation() == operation)
            .unwrap();
        found.id
    };
    let (limited, password) = (id_of("SetDefaultPolicyVersion"), id_of("CreateLoginProfile"));
    let waits_for = |id| &plan.actions.iter().find(|action| action.id == id).unwrap().after;
    assert!(waits_for(password).contains(&limited), "{:#?}", plan.actions);
}

#[test]
fn a_tag_that_widens_comes_after_the_deny_that_limits_it() {
    let mut before = desired();
    before
        .user("bob")
        .inline_policies
        .insert(inline("own"), document(&["allow team"]));
    let mut after = before.clone();
    let bob = after.user("bob");
    bob.tags.insert("team".into(), "red".into());
    bob.inline_policies.insert(inline("limit"), document(&["deny s3:*"]));
    let plan = plan(&after, &live_of(&before));
    assert_eq!(
        actions(&plan),
        ["PutUserPolicy user/bob/inline-policy/limit", "TagUser user/bob"]
    );
}
