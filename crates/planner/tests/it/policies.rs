//! Customer managed policies that go.

use trueup_model::{
    Unmanaged,
    desired::{BoundaryWish, PolicyRef},
};
use trueup_planner::Call;

use crate::build::{Declare, desired, group, live_of, plan, policy, user};

#[test]
fn a_policy_goes_after_everybody_has_let_go_of_it() {
    let base = || PolicyRef::Declared(policy("base"));
    let mut before = desired();
    before.policy("base", &["allow s3:a"]);
    before.policy("other", &["allow s3:a"]);
    before.group("team").managed_policies.insert(base());
    before.user("leaves").managed_policies.insert(base());
    before.user("leaves").permissions_boundary = BoundaryWish::Present(base());
    before.user("renamed").managed_policies.insert(base());
    before.user("bounded").permissions_boundary = BoundaryWish::Present(base());
    let live = live_of(&before);

    let mut wanted = before.clone();
    wanted.scope.policies.unmanaged = Unmanaged::Delete;
    wanted.policies.remove(&policy("base"));
    wanted.groups.remove(&group("team"));
    wanted.absent.groups.insert(group("team"), "merged".into());
    wanted.users.remove(&user("leaves"));
    wanted.absent.users.insert(user("leaves"), "left".into());
    let mut renamed = wanted.users.remove(&user("renamed")).unwrap();
    renamed.name = user("robert");
    renamed.previously = vec![user("renamed")];
    renamed.managed_policies.clear();
    wanted.users.insert(user("robert"), renamed);
    wanted.user("bounded").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("other")));

    let made = plan(&wanted, &live);
    let last = made
        .actions
        .iter()
        .find(|action| matches!(action.call, Call::DeletePolicy { .. }))
        .unwrap();
    let first: Vec<&str> = last
        .after
        .iter()
        .map(|id| made.actions[id.0 as usize - 1].call.operation())
        .collect();
    for operation in [
        "DetachGroupPolicy",
        "DetachUserPolicy",
        "DeleteUser",
        "PutUserPermissionsBoundary",
    ] {
        assert!(first.contains(&operation), "{operation} in {first:?}");
    }
    assert_eq!(
        first
            .iter()
            .filter(|operation| **operation == "DetachUserPolicy")
            .count(),
        2
    );

    // One of them keeps it as a boundary: it stays, and that is said once.
    wanted.user("bounded").permissions_boundary = BoundaryWish::Keep;
    let kept = plan(&wanted, &live);
    let listed: Vec<&str> = kept.unmanaged.iter().map(|listed| listed.reason.as_str()).collect();
    assert_eq!(listed, ["not in the manifest, and kept since user/bounded hold it"]);
}
