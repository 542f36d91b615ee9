//! What falls due by its date is done by a whole apply alone.

use super::*;

/// The plan of what drifted from `then` since `applied` was applied to it on its day, on a later day.
fn only_drift_later(applied: &Desired, then: &Live, now: &Live, day: &str) -> Plan {
    let facts = plan(applied, then).facts;
    let asked = trueup_planner::asked(applied, then, options().as_of);
    let before = Applied {
        facts: &facts,
        asked: &asked,
    };
    let later = Options {
        as_of: date(day),
        ..options()
    };
    trueup_planner::plan_since(applied, now, &later, &before, Some(Only::Drift)).unwrap()
}

#[test]
fn what_falls_due_is_neither_drift_nor_merged() {
    for after in [AfterExpiry::Disable, AfterExpiry::Delete] {
        let mut applied = desired();
        applied.user("alice").expires = Some(Expiry {
            on: date("2026-11-30"),
            then: after,
        });
        let mut then = live_of(&applied);
        let credentials = &mut then.users.get_mut(&user("alice")).unwrap().credentials;
        credentials.login_profile = Some(Some(LoginProfile {
            created: created(),
            password_reset_required: false,
        }));
        credentials.access_keys = Some(BTreeMap::from([("AKIAAAAAAAAA1EXAMPLE".to_owned(), active_key())]));
        credentials.mfa_devices = Some(BTreeSet::new());
        credentials.ssh_public_keys = Some(BTreeMap::new());
        credentials.signing_certificates = Some(BTreeMap::new());
        credentials.service_specific_credentials = Some(BTreeMap::new());
        let facts = plan(&applied, &then).facts;
        let asked = trueup_planner::asked(&applied, &then, options().as_of);
        let before = Applied {
            facts: &facts,
            asked: &asked,
        };
        let later = Options {
            as_of: date("2026-12-01"),
            ..options()
        };
        let found = trueup_planner::plan_since(&applied, &then, &later, &before, Some(Only::Drift)).unwrap();
        assert_eq!(all_pending(&found), DUE.into());
    }
}

#[test]
fn a_rotation_and_the_deletion_of_what_it_replaced_fall_due() {
    let mut applied = desired();
    applied.group("team");
    let ci = applied.user("ci");
    ci.groups.insert(group("team"));
    ci.access_keys = Some(AccessKeysWish::Present(AccessKeyRules {
        count: 1,
        rotate_after_days: Some(90),
        overlap_days: 7,
        maximum_unused_days: None,
        description: None,
    }));
    let mut then = live_of(&applied);
    let keys = BTreeMap::from([("AKIAAAAAAAAA1EXAMPLE".to_owned(), active_key())]);
    then.users.get_mut(&user("ci")).unwrap().credentials.access_keys = Some(keys);
    // Somebody takes it out of its group, on a day on which its key is due.
    let mut now = then.clone();
    now.users.get_mut(&user("ci")).unwrap().groups.clear();
    let found = only_drift_later(&applied, &then, &now, "2027-11-20");
    assert_eq!(actions(&found), ["AddUserToGroup group/team/member/ci"]);
    assert_eq!(
        left(&found),
        ["user/ci/access-key/new: pending, due by its date, which a whole apply does"]
    );
    assert_eq!(found.drifted(), 1);

    // The replaced key was made inactive, and its grace is over.
    let old = "AKIAAAAAAAAA0EXAMPLE";
    let ci = then.users.get_mut(&user("ci")).unwrap();
    ci.tags
        .insert(format!("trueup:inactive:{old}"), "retired 2026-11-20".into());
    let inactive = AccessKey {
        active: false,
        ..active_key()
    };
    let fresh = AccessKey {
        created: "2026-11-10T00:00:00Z".parse().unwrap(),
        ..active_key()
    };
    ci.credentials.access_keys = Some(BTreeMap::from([
        (old.to_owned(), inactive),
        ("AKIAAAAAAAAA1EXAMPLE".to_owned(), fresh),
    ]));
    let found = only_drift_later(&applied, &then, &then, "2026-12-31");
    assert_eq!(all_pending(&found), DUE.into());
    assert_eq!(
        found.left[0].resource,
        Resource::user(&user("ci")).access_key(old),
        "{:?}",
        left(&found)
    );
    assert_eq!(found.left[0].change, ChangeKind::Delete);
}

#[test]
fn the_end_of_a_quarantine_falls_due_and_what_drifts_in_it_does_not_end_it() {
    let mut applied = desired();
    applied.user("alice");
    let mut with_carol = applied.clone();
    with_carol.user("carol");
    applied.absent.users.insert(
        user("carol"),
        AbsentUser {
            reason: "left".to_owned(),
            quarantine_days: Some(30),
        },
    );
    let mut then = live_of(&with_carol);
    let carol = then.users.get_mut(&user("carol")).unwrap();
    carol.credentials.login_profile = Some(None);
    carol.credentials.access_keys = Some(BTreeMap::new());
    carol.credentials.mfa_devices = Some(BTreeSet::new());
    carol.credentials.ssh_public_keys = Some(BTreeMap::new());
    carol.credentials.signing_certificates = Some(BTreeMap::new());
    carol.credentials.service_specific_credentials = Some(BTreeMap::new());
    // What quarantine does: a policy that denies everything, and a tag with its day.
    for action in &plan(&applied, &then).actions {
        let carol = then.users.get_mut(&user("carol")).unwrap();
        match &action.call {
            Call::PutUserPolicy {
                policy_name,
                policy_document,
                ..
            } => drop(
                carol
                    .inline_policies
                    .insert(policy_name.clone(), policy_document.clone()),
            ),
            Call::TagUser { tags, .. } => carol.tags.extend(tags.clone()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(changes(&plan(&applied, &then)), [""; 0]);
    let early = only_drift_later(&applied, &then, &then, "2026-12-01");
    assert!(early.changes.is_empty() && early.left.is_empty(), "{:?}", left(&early));
    let found = only_drift_later(&applied, &then, &then, "2027-01-15");
    assert_eq!(all_pending(&found), DUE.into());
    assert!(
        found
            .left
            .iter()
            .any(|left| left.resource == Resource::user(&user("carol")))
    );

    // The policy that denies everything is taken away in the meantime: that is drift, and is put back.
    let mut now = then.clone();
    now.users.get_mut(&user("carol")).unwrap().inline_policies.clear();
    let found = only_drift_later(&applied, &then, &now, "2026-12-01");
    assert_eq!(
        actions(&found),
        ["PutUserPolicy user/carol/inline-policy/trueup-quarantine"]
    );
    assert!(found.left.is_empty());
}
