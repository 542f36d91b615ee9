//! Renames that are left, and those that drifted.

use super::*;

#[test]
fn a_pending_rename_does_not_hide_drift() {
    let mut applied = desired();
    applied.group("developers");
    applied.user("bob.smith").groups.insert(group("developers"));
    let then = live_of(&applied);
    let mut wanted = desired();
    wanted.group("engineers").previously = vec![group("developers")];
    let bob = wanted.user("bob");
    bob.previously = vec![user("bob.smith")];
    bob.groups.insert(group("engineers"));
    let mut now = then.clone();
    now.groups
        .get_mut(&group("developers"))
        .unwrap()
        .managed_policies
        .insert(admin_arn());
    now.users.get_mut(&user("bob.smith")).unwrap().groups.clear();

    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(actions(&found), [""; 0]);
    assert_eq!(
        left(&found),
        [
            "group/engineers: pending, not applied yet",
            "group/engineers/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess: drift, it waits for \
             group/engineers, which is left",
            "group/engineers/member/bob: drift, it waits for group/engineers, which is left",
            "user/bob: pending, not applied yet",
        ]
    );
    assert_eq!(found.drifted(), 2);
}

#[test]
fn who_is_not_renamed_goes_on_under_its_name() {
    let mut applied = desired();
    applied.policy("shared", &["allow s3:Get*"]);
    applied
        .user("bob.smith")
        .managed_policies
        .insert(PolicyRef::Declared(policy("shared")));
    let then = live_of(&applied);
    let mut wanted = applied.clone();
    wanted.users.clear();
    let bob = wanted.user("bob");
    bob.previously = vec![user("bob.smith")];
    bob.managed_policies.insert(PolicyRef::Declared(policy("shared")));
    wanted.guardrails.break_glass = BTreeSet::from([user("bob")]);
    // The policy drifts: one document for another.
    let mut now = then.clone();
    let live = now.policies.get_mut(&policy("shared")).unwrap();
    *live = live_policy("shared", &document(&["allow s3:Put*", "deny s3:Get*"]), &Tags::new());
    let found = only_drift(&applied, &then, &wanted, &now);
    let named = |text: &str| text.contains("user/bob/") || text.ends_with("user/bob");
    assert!(
        actions(&found)
            .iter()
            .any(|action| action.starts_with("CreatePolicyVersion"))
    );
    assert!(
        !actions(&found).iter().any(|action| named(action)),
        "{:?}",
        actions(&found)
    );
    let who: Vec<&str> = found.access.iter().map(|change| change.principal.as_str()).collect();
    assert_eq!(who, ["user/bob.smith"]);
    assert!(
        found
            .guardrails
            .iter()
            .all(|finding| !finding.message.contains("does not own"))
    );
    for action in &found.actions {
        if let Call::PutUserPolicy { user_name, .. } | Call::DeleteUserPolicy { user_name, .. } = &action.call {
            assert_eq!(*user_name, user("bob.smith"));
        }
    }
}

#[test]
fn a_group_whose_rename_is_left_goes_on_under_its_name() {
    let mut applied = desired();
    applied.group("ops");
    applied
        .group("developers")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    for name in ["alice", "bob"] {
        applied.user(name).groups.insert(group("developers"));
    }
    let then = live_of(&applied);
    let mut wanted = applied.clone();
    wanted.groups.remove(&group("developers"));
    let engineers = wanted.group("engineers");
    engineers.previously = vec![group("developers")];
    engineers.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    for name in ["alice", "bob"] {
        wanted.user(name).groups = [group("engineers")].into();
    }
    // Nothing drifted: neither memberships nor attachments are, and the group has its live name.
    let found = only_drift(&applied, &then, &wanted, &then);
    assert_eq!(left(&found), ["group/engineers: pending, not applied yet"]);
    assert_eq!(found.left[0].change, ChangeKind::Rename);
    assert_eq!(found.left[0].renamed_from.as_deref(), Some("developers"));

    // One member goes, and somebody else is gone as a whole: the one waits, the other comes back where it can.
    let mut now = then.clone();
    now.users.get_mut(&user("alice")).unwrap().groups.clear();
    now.users.get_mut(&user("alice")).unwrap().groups.insert(group("ops"));
    now.groups
        .get_mut(&group("ops"))
        .unwrap()
        .managed_policies
        .insert(admin_arn());
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(
        actions(&found),
        [
            "DetachGroupPolicy group/ops/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess",
            "RemoveUserFromGroup group/ops/member/alice",
        ]
    );
    assert_eq!(
        left(&found),
        [
            "group/engineers: pending, not applied yet",
            "group/engineers/member/alice: drift, it waits for group/engineers, which is left",
        ]
    );
    // Who may do what is told by what is there afterwards.
    let who: Vec<&str> = found.access.iter().map(|change| change.principal.as_str()).collect();
    assert_eq!(who, ["user/alice"]);
}

#[test]
fn a_rename_in_the_account_is_drift_and_is_taken_back() {
    let mut applied = desired();
    let bob = applied.user("bob");
    bob.previously = vec![user("bob.smith")];
    let team = applied.group("team");
    team.previously = vec![group("old-team")];
    applied.user("bob").groups.insert(group("team"));
    let then = live_of(&applied);
    // Somebody gives both the names of before.
    let mut now = then.clone();
    let mut bob = now.users.remove(&user("bob")).unwrap();
    bob.name = user("bob.smith");
    bob.groups = [group("old-team")].into();
    now.users.insert(user("bob.smith"), bob);
    let mut team = now.groups.remove(&group("team")).unwrap();
    team.name = group("old-team");
    now.groups.insert(group("old-team"), team);
    let found = only_drift(&applied, &then, &applied, &now);
    assert_eq!(changes(&found), ["r group/team", "r user/bob"]);
    assert!(found.left.is_empty(), "{:?}", left(&found));
    assert_eq!(actions(&found), ["UpdateGroup group/team", "UpdateUser user/bob"]);

    // What else was done to them is told by the names that they have afterwards.
    let team = now.groups.get_mut(&group("old-team")).unwrap();
    team.managed_policies.insert(admin_arn());
    let bob = now.users.get_mut(&user("bob.smith")).unwrap();
    bob.inline_policies.insert(inline("own"), document(&["allow s3:home"]));
    let found = only_drift(&applied, &then, &applied, &now);
    assert!(found.left.is_empty(), "{:?}", left(&found));
    let who: Vec<&str> = found.access.iter().map(|change| change.principal.as_str()).collect();
    assert_eq!(who, ["user/bob"]);
    assert_eq!(found.access[0].administrator, Some(AdministratorChange::Unmade));
    for operation in ["DetachGroupPolicy", "DeleteUserPolicy"] {
        let find = |operation| found.actions.iter().find(|action| action.call.operation() == operation);
        let action = find(operation).unwrap();
        assert!(["group/team", "user/bob"].contains(&action.resource.entity().to_string().as_str()));
    }
}
