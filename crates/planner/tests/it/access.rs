use trueup_access::Verdict;
use trueup_model::{
    Desired, Live, PolicyArn,
    desired::{BoundaryWish, PolicyRef},
};
use trueup_planner::{AccessCause, AccessChange, AdministratorChange, Plan};

use crate::build::{Declare, admin_arn, arn, desired, document, group, inline, live_of, plan, policy, user};

fn of<'a>(plan: &'a Plan, principal: &str) -> &'a AccessChange {
    let found = plan.access.iter().find(|change| change.principal.as_str() == principal);
    found.unwrap_or_else(|| panic!("{principal} is not in {:?}", plan.access))
}

fn listed(plan: &Plan) -> Vec<(String, Verdict)> {
    plan.access
        .iter()
        .map(|change| (change.principal.as_str().to_owned(), change.verdict))
        .collect()
}

fn put(desired: &mut Desired, name: &str, statements: &[&str]) {
    desired
        .user(name)
        .inline_policies
        .insert(inline("work"), document(statements));
}

#[test]
fn only_who_holds_something_else_is_listed() {
    let mut before = desired();
    before.policy("shared", &["allow s3:Get*"]);
    for name in ["by-group", "by-own", "elsewhere"] {
        before.user(name).tags.insert("owner".into(), name.into());
    }
    let shared = || PolicyRef::Declared(policy("shared"));
    before.group("readers").managed_policies.insert(shared());
    before.user("by-group").groups.insert(group("readers"));
    before.user("by-own").managed_policies.insert(shared());
    put(&mut before, "elsewhere", &["allow sqs:*"]);
    let live = live_of(&before);
    let mut after = before.clone();
    // A tag for which no policy asks changes nobody's access.
    after.user("elsewhere").tags.insert("owner".into(), "somebody".into());
    assert_eq!(listed(&plan(&after, &live)), []);
    after.policies.get_mut(&policy("shared")).unwrap().document = document(&["allow s3:*"]);
    let planned = plan(&after, &live);
    assert_eq!(
        listed(&planned),
        [
            ("user/by-group".to_owned(), Verdict::More),
            ("user/by-own".to_owned(), Verdict::More)
        ]
    );
    assert_eq!(planned.broadened().count(), 2);
    let place = |principal: &str| of(&planned, principal).gained[0].via[0].policy.as_str().to_owned();
    let held = format!("managed-policy/{}", arn("shared"));
    assert_eq!(place("user/by-group"), format!("group/readers/{held}"));
    assert_eq!(place("user/by-own"), format!("user/by-own/{held}"));
    assert_eq!(planned, plan(&after, &live));
}

#[test]
fn new_users_gain_and_deleted_ones_lose_all_that_they_hold() {
    let mut before = desired();
    put(&mut before, "old", &["allow s3:*"]);
    let live = live_of(&before);
    let mut after = desired();
    put(&mut after, "new", &["allow s3:*"]);
    after.user("bare");
    after.absent.users.insert(user("old"), "left".into());
    let planned = plan(&after, &live);
    assert_eq!(
        listed(&planned),
        [
            ("user/new".to_owned(), Verdict::More),
            ("user/old".to_owned(), Verdict::Less)
        ]
    );
    assert_eq!(
        of(&planned, "user/old").lost[0].via[0].policy.as_str(),
        "user/old/inline-policy/work"
    );
}

#[test]
fn a_rename_and_a_tag_substitute_variables() {
    let mut before = desired();
    put(&mut before, "bob.smith", &["allow home", "allow team"]);
    let live = live_of(&before);
    let mut after = before.clone();
    let mut bob = after.users.remove(&user("bob.smith")).unwrap();
    bob.name = user("bob");
    bob.previously = vec![user("bob.smith")];
    after.users.insert(user("bob"), bob);
    let planned = plan(&after, &live);
    let bob = of(&planned, "user/bob");
    assert_eq!(bob.verdict, Verdict::Both);
    assert_eq!(bob.gained[0].resources, ["arn:aws:s3:::home/bob"]);
    assert_eq!(bob.lost[0].resources, ["arn:aws:s3:::home/bob.smith"]);

    let mut tagged = before.clone();
    tagged.user("bob.smith").tags.insert("Team".into(), "red".into());
    let planned = plan(&tagged, &live);
    assert_eq!(of(&planned, "user/bob.smith").verdict, Verdict::More);
    let mut other = before.clone();
    other.user("bob.smith").tags.insert("team".into(), "blue".into());
    assert_eq!(of(&plan(&other, &live), "user/bob.smith").verdict, Verdict::Same);
}

#[test]
fn a_boundary_takes_and_gives() {
    let mut free = desired();
    free.policy("limit", &["allow s3:*"]);
    put(&mut free, "bob", &["allow s3:a", "allow sqs:*"]);
    let mut bounded = free.clone();
    bounded.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    let planned = plan(&bounded, &live_of(&free));
    let bob = of(&planned, "user/bob");
    assert_eq!((bob.verdict, bob.lost[0].cause), (Verdict::Less, AccessCause::Boundary));
    assert_eq!(bob.lost[0].service, "sqs");
    free.user("bob").permissions_boundary = BoundaryWish::Absent;
    let planned = plan(&free, &live_of(&bounded));
    let bob = of(&planned, "user/bob");
    assert_eq!(
        (bob.verdict, bob.gained[0].cause),
        (Verdict::More, AccessCause::Boundary)
    );
}

#[test]
fn administrators_are_made_and_unmade_by_what_is_allowed() {
    let mut before = desired();
    before.user("bob");
    let mut by_group = before.clone();
    by_group
        .group("admins")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    by_group.user("bob").groups.insert(group("admins"));
    let administrator = |desired: &Desired, live: &Live| of(&plan(desired, live), "user/bob").administrator;
    let live = live_of(&before);
    assert_eq!(administrator(&by_group, &live), Some(AdministratorChange::Made));
    assert_eq!(of(&plan(&by_group, &live), "user/bob").escalation, []);
    // A boundary keeps it from being one, and so does a deny of all means.
    let mut bounded = by_group.clone();
    bounded.policy("limit", &["allow s3:*"]);
    bounded.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    assert_eq!(administrator(&bounded, &live), None);
    assert_eq!(
        administrator(&bounded, &live_of(&by_group)),
        Some(AdministratorChange::Unmade)
    );
    let mut denied = by_group.clone();
    put(&mut denied, "bob", &["deny iam:*"]);
    assert_eq!(administrator(&denied, &live), None);
}

#[test]
fn an_escalation_path_tells_what_the_plan_brings() {
    let mut before = desired();
    put(
        &mut before,
        "bob",
        &["allow lambda:CreateFunction", "allow lambda:InvokeFunction"],
    );
    let mut after = before.clone();
    put(
        &mut after,
        "bob",
        &[
            "allow lambda:CreateFunction",
            "allow lambda:InvokeFunction",
            "allow iam:PassRole",
        ],
    );
    let planned = plan(&after, &live_of(&before));
    let bob = of(&planned, "user/bob");
    let path = bob.escalation.iter().find(|path| path.path == "lambda-001").unwrap();
    let gained: Vec<(&str, bool)> = path
        .permissions
        .iter()
        .map(|permission| (permission.example.action.as_str(), permission.gained))
        .collect();
    assert!(gained.contains(&("iam:PassRole", true)), "{gained:?}");
    assert!(gained.contains(&("lambda:CreateFunction", false)), "{gained:?}");
    // Who holds the path already does not gain it.
    put(&mut before, "bob", &["allow lambda:*", "allow iam:PassRole"]);
    assert_eq!(of(&plan(&after, &live_of(&before)), "user/bob").escalation, []);
}

/// A document that was not read may allow or deny anything.
#[test]
fn what_was_not_read_is_named_and_never_the_same() {
    let unknown = || PolicyArn::new("arn:aws:iam::aws:policy/Unknown").unwrap();
    let mut before = desired();
    put(&mut before, "bob", &["allow s3:Get*", "deny sqs:*"]);
    before.user("bob").managed_policies.insert(PolicyRef::Arn(unknown()));
    let live = live_of(&before);
    let verdict = |after: &Desired, live: &Live| {
        let planned = plan(after, live);
        let bob = of(&planned, "user/bob").clone();
        (bob.verdict, bob.unknown)
    };
    let cause = ["the document of `arn:aws:iam::aws:policy/Unknown` was not read".to_owned()];
    for statements in [&["allow s3:*", "deny sqs:*"][..], &["allow s3:Get*"], &["deny sqs:*"]] {
        let mut after = before.clone();
        put(&mut after, "bob", statements);
        assert_eq!(
            verdict(&after, &live),
            (Verdict::Unknown, cause.to_vec()),
            "{statements:?}"
        );
    }
    let mut detached = before.clone();
    detached.user("bob").managed_policies.clear();
    assert_eq!(verdict(&detached, &live), (Verdict::Unknown, cause.to_vec()));
    assert_eq!(
        verdict(&before, &live_of(&detached)),
        (Verdict::Unknown, cause.to_vec())
    );
    // What does not hang on it is proved all the same.
    let mut respelt = before.clone();
    put(
        &mut respelt,
        "bob",
        &["allow s3:Get*", "allow s3:GetObject", "deny sqs:*"],
    );
    assert_eq!(verdict(&respelt, &live), (Verdict::Same, Vec::new()));
    // As a boundary it may let anything through.
    let mut bounded = before.clone();
    bounded.user("bob").managed_policies.clear();
    bounded.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Arn(unknown()));
    let mut more = bounded.clone();
    put(&mut more, "bob", &["allow s3:*", "deny sqs:*"]);
    assert_eq!(verdict(&more, &live_of(&bounded)), (Verdict::Unknown, cause.to_vec()));
}

#[test]
fn a_role_is_listed_where_a_policy_that_it_holds_changes() {
    let mut before = desired();
    before.policy("base", &["allow s3:a"]);
    let mut live = live_of(&before);
    let name = trueup_model::RoleName::new("deploy").unwrap();
    let role = trueup_model::live::LiveRole {
        name: name.clone(),
        id: "AROA1".into(),
        arn: trueup_model::Arn::from_live("arn:aws:iam::123456789012:role/deploy"),
        path: trueup_model::Path::root(),
        tags: trueup_model::Tags::new(),
        managed_policies: std::collections::BTreeSet::from([arn("base")]),
        inline_policies: std::collections::BTreeMap::new(),
        permissions_boundary: None,
    };
    live.roles.insert(name, role);
    let mut after = desired();
    after.policy("base", &["allow s3:*"]);
    assert_eq!(
        listed(&plan(&after, &live)),
        [("role/deploy".to_owned(), Verdict::More)]
    );
}

/// What somebody holds by another way is found by looking at everything together.
#[test]
fn what_is_held_elsewhere_is_no_gain_and_no_loss() {
    let mut before = desired();
    put(&mut before, "bob", &["allow s3:*"]);
    before
        .group("readers")
        .inline_policies
        .insert(inline("read"), document(&["allow s3:Get*"]));
    let mut member = before.clone();
    member.user("bob").groups.insert(group("readers"));
    for (after, live) in [(&member, live_of(&before)), (&before, live_of(&member))] {
        let planned = plan(after, &live);
        let bob = of(&planned, "user/bob");
        assert_eq!((bob.verdict, bob.gained.len(), bob.lost.len()), (Verdict::Same, 0, 0));
        assert_eq!(planned.broadened().count(), 0);
    }
}
