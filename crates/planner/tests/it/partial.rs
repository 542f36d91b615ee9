//! Plans of only what drifted.

mod due;
mod renames;

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Arn, Desired, IgnoreRule, IgnoreTarget, Live, PolicyDocument, Resource, Tags,
    desired::{
        AbsentUser, AccessKeyRules, AccessKeysWish, AfterExpiry, BoundaryWish, Expiry, Hold, LoginProfileWish,
        PolicyRef,
    },
    live::{AccessKey, LastUse, LoginProfile},
};
use trueup_planner::{AdministratorChange, Applied, Call, Change, ChangeKind, Only, Options, Origin, Plan};

use crate::build::{
    ACCOUNT, Declare, actions, admin_arn, changes, created, date, desired, document, group, inline, live_of,
    live_policy, options, plan, policy, user,
};

/// The plan of what drifted from `live` since `applied` was applied to it.
fn only_drift(applied: &Desired, then: &Live, wanted: &Desired, now: &Live) -> Plan {
    let facts = plan(applied, then).facts;
    let asked = trueup_planner::asked(applied, then, options().as_of);
    let applied = Applied {
        facts: &facts,
        asked: &asked,
    };
    trueup_planner::plan_since(wanted, now, &options(), &applied, Some(Only::Drift)).unwrap()
}

/// `resource: origin, because`.
fn left(plan: &Plan) -> Vec<String> {
    let left = plan.left.iter();
    left.map(|left| format!("{}: {}, {}", left.resource, left.origin.as_str(), left.because))
        .collect()
}

#[test]
fn what_is_pending_has_no_call_and_is_named() {
    let mut applied = desired();
    applied.group("team");
    applied.user("alice").groups.insert(group("team"));
    let then = live_of(&applied);
    let mut wanted = applied.clone();
    wanted.user("bob").groups.insert(group("team"));
    let mut now = then.clone();
    let alice = now.users.get_mut(&user("alice")).unwrap();
    alice.groups.clear();
    alice.managed_policies.insert(admin_arn());

    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(found.only, Some(Only::Drift));
    assert_eq!(
        actions(&found),
        [
            "AddUserToGroup group/team/member/alice",
            "DetachUserPolicy user/alice/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess"
        ]
    );
    assert_eq!(
        left(&found),
        [
            "group/team/member/bob: pending, not applied yet",
            "user/bob: pending, not applied yet"
        ]
    );
    assert_eq!(found.drifted(), 2);
    // The whole plan does more, and its digest approves other calls.
    assert_ne!(found.digest, plan(&wanted, &now).digest);
    // Where all of it is drift, the same calls have the same digest.
    let all = only_drift(&applied, &then, &applied, &now);
    assert_eq!(all.digest, plan(&applied, &now).digest);
    assert!(all.left.is_empty());
}

#[test]
fn a_part_that_the_manifest_changes_too_is_left() {
    let mut applied = desired();
    applied.policy("limit", &["allow s3:*"]);
    let alice = applied.user("alice");
    alice.inline_policies.insert(inline("own"), document(&["allow s3:a"]));
    alice.permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    let then = live_of(&applied);
    let mut wanted = applied.clone();
    let alice = wanted.user("alice");
    alice.inline_policies.insert(inline("own"), document(&["allow s3:b"]));
    alice.permissions_boundary = BoundaryWish::Absent;

    let mut now = then.clone();
    let alice = now.users.get_mut(&user("alice")).unwrap();
    alice.inline_policies.insert(inline("own"), document(&["allow s3:*"]));
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(actions(&found), [""; 0]);
    assert_eq!(
        left(&found),
        [
            "user/alice: pending, not applied yet",
            "user/alice/inline-policy/own: both, drift and pending in one, and they cannot be told apart",
        ]
    );
    assert_eq!(found.drifted(), 1);

    // Somebody who is gone would come back with what is pending: the boundary is no longer asked for.
    now.users.remove(&user("alice"));
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(changes(&found), [""; 0]);
    assert_eq!(found.left[0].origin, Origin::Both);
}

#[test]
fn what_is_held_is_left_and_does_not_count() {
    let mut applied = desired();
    applied.group("team");
    applied.user("alice").groups.insert(group("team"));
    applied.user("bob").groups.insert(group("team"));
    let then = live_of(&applied);
    applied.hold.push(Hold {
        target: IgnoreTarget::User("bob".to_owned()),
        reason: "an incident".to_owned(),
        until: date("2027-01-01"),
    });
    let mut now = then.clone();
    for live in now.users.values_mut() {
        live.groups.clear();
    }
    let found = only_drift(&applied, &then, &applied, &now);
    assert_eq!(actions(&found), ["AddUserToGroup group/team/member/alice"]);
    assert_eq!(found.held.len(), 1);
    assert!(found.left.is_empty());
    assert_eq!(found.drifted(), 1);
}

#[test]
fn keys_and_the_tags_that_remember_them_are_done_together_or_not_at_all() {
    let mut applied = desired();
    applied.user("ci").access_keys = Some(AccessKeysWish::Absent);
    let mut then = live_of(&applied);
    then.users.get_mut(&user("ci")).unwrap().credentials.access_keys = Some(BTreeMap::new());
    // Somebody makes a key. It becomes inactive, and a tag remembers since when.
    let mut now = then.clone();
    let keys = BTreeMap::from([("AKIAAAAAAAAA1EXAMPLE".to_owned(), active_key())]);
    now.users.get_mut(&user("ci")).unwrap().credentials.access_keys = Some(keys);
    let found = only_drift(&applied, &then, &applied, &now);
    assert_eq!(
        actions(&found),
        [
            "TagUser user/ci",
            "UpdateAccessKey user/ci/access-key/AKIAAAAAAAAA1EXAMPLE"
        ]
    );
    assert!(found.left.is_empty(), "{:?}", found.left);

    // The manifest adds a tag, which the same call would set.
    let mut wanted = applied.clone();
    wanted.user("ci").tags.insert("team".into(), "red".into());
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(actions(&found), [""; 0]);
    let origins: BTreeSet<Origin> = found.left.iter().map(|left| left.origin).collect();
    assert_eq!(origins, [Origin::Drift, Origin::Pending].into());

    // Somebody who comes back has no tag that announces a key whose creation is left.
    let mut wanted = applied.clone();
    wanted.user("ci").access_keys = Some(AccessKeysWish::Present(AccessKeyRules {
        count: 1,
        rotate_after_days: None,
        overlap_days: 7,
        maximum_unused_days: None,
        description: None,
    }));
    let mut gone = then.clone();
    gone.users.remove(&user("ci"));
    let found = only_drift(&applied, &then, &wanted, &gone);
    assert_eq!(actions(&found), [""; 0]);
    assert_eq!(found.left.len(), 2);
}

#[test]
fn a_receipt_of_a_correction_keeps_what_was_left_as_it_was() {
    let mut applied = desired();
    applied.group("team");
    for name in ["alice", "bob"] {
        applied.user(name).groups.insert(group("team"));
        applied.user(name).tags.insert("owner".into(), name.into());
        applied.user(name).access_keys = Some(AccessKeysWish::Absent);
    }
    let mut then = live_of(&applied);
    for live in then.users.values_mut() {
        live.credentials.access_keys = Some(BTreeMap::new());
    }
    let facts = plan(&applied, &then).facts;
    let asked = trueup_planner::asked(&applied, &then, options().as_of);
    let before = Applied {
        facts: &facts,
        asked: &asked,
    };
    let mut wanted = applied.clone();
    wanted.user("bob").tags.insert("owner".into(), "carol".into());
    // Both of them drift; what drifted of bob cannot be told from what is pending.
    let mut now = then.clone();
    now.users.get_mut(&user("alice")).unwrap().groups.clear();
    let bob = now.users.get_mut(&user("bob")).unwrap();
    bob.tags.insert("owner".into(), "mallory".into());
    let mut with_a_key = now.clone();
    let since = |live: &Live, applied: &Applied<'_>| {
        trueup_planner::plan_since(&wanted, live, &options(), applied, Some(Only::Drift)).unwrap()
    };
    let corrected = since(&now, &before);
    assert_eq!(changes(&corrected), ["+ group/team/member/alice"]);

    now.users.get_mut(&user("alice")).unwrap().groups.insert(group("team"));
    let after = since(&now, &before);
    assert!(after.changes.is_empty());
    let carried = trueup_planner::carried_forward(&before, &corrected, &after);
    let again = Applied {
        facts: &carried,
        asked: &asked,
    };
    let found = since(&now, &again);
    assert_eq!(left(&found), left(&corrected));
    assert_eq!(found.left[0].resource, Resource::user(&user("bob")));
    assert_eq!(found.left[0].origin, Origin::Both);

    // A key that is corrected brings and takes the tags that are about it, and no others: alice's own tag is held.
    let mut wanted = applied.clone();
    wanted.user("bob").tags.insert("owner".into(), "carol".into());
    let id = "AKIAAAAAAAAA1EXAMPLE";
    let inactive = format!("trueup:inactive:{id}");
    let alice = with_a_key.users.get_mut(&user("alice")).unwrap();
    alice.credentials.access_keys = Some(BTreeMap::from([(id.to_owned(), active_key())]));
    alice.tags.insert(inactive.clone(), "retired 2026-11-20".into());
    let corrected = Plan {
        changes: vec![change_of(&Resource::user(&user("alice")).access_key(id))],
        ..since(&with_a_key, &before)
    };
    assert!(!corrected.left.is_empty());
    let alice = with_a_key.users.get_mut(&user("alice")).unwrap();
    alice.tags.insert("owner".into(), "mallory".into());
    let now = plan(&applied, &with_a_key);
    let facts_after = trueup_planner::carried_forward(&before, &corrected, &now);
    let alice = Resource::user(&user("alice"));
    let of = |facts: &BTreeMap<Resource, String>, key: &str| facts.get(&alice.tag(key)).cloned();
    assert_eq!(of(&facts_after, "owner"), of(&facts, "owner"));
    assert_eq!(of(&facts_after, &inactive), of(&now.facts, &inactive));
    assert_ne!(of(&facts_after, &inactive), None);
}

fn change_of(resource: &Resource) -> Change {
    Change {
        resource: resource.clone(),
        change: ChangeKind::Update,
        reason: String::new(),
        destructive: false,
        fields: Vec::new(),
        origin: Some(Origin::Drift),
    }
}

fn active_key() -> AccessKey {
    AccessKey {
        active: true,
        created: created(),
        last_used: Some(LastUse::Never),
    }
}

#[test]
fn an_intruder_is_drift_also_while_something_is_pending() {
    let mut applied = desired();
    applied.user("alice");
    applied.scope.users.unmanaged = trueup_model::Unmanaged::Delete;
    let then = live_of(&applied);
    let mut wanted = applied.clone();
    wanted.user("alice").tags.insert("team".into(), "red".into());
    let mut with_mallory = applied.clone();
    with_mallory.user("mallory");
    let now = live_of(&with_mallory);
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(changes(&found), ["- user/mallory"]);
    assert_eq!(left(&found), ["user/alice: pending, not applied yet"]);

    // Where the manifest begins to delete what it does not name, that is pending.
    applied.scope.users.unmanaged = trueup_model::Unmanaged::Report;
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(changes(&found), [""; 0]);
    assert_eq!(found.drifted(), 0);
}

#[test]
fn somebody_whose_deletion_is_left_is_there_for_access_and_guardrails() {
    let mut applied = desired();
    applied
        .group("team")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    for name in ["carol", "dave"] {
        applied.user(name).groups.insert(group("team"));
    }
    let then = live_of(&applied);
    // Carol is to go, which is not applied yet. Somebody detached the team's policy.
    let mut wanted = applied.clone();
    wanted.users.remove(&user("carol"));
    wanted.absent.users.insert(user("carol"), absent());
    wanted.guardrails.break_glass = BTreeSet::from([user("carol")]);
    let mut now = then.clone();
    now.groups.get_mut(&group("team")).unwrap().managed_policies.clear();
    now.caller = Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:user/carol"));

    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(
        actions(&found),
        ["AttachGroupPolicy group/team/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess"]
    );
    let made: Vec<(&str, Option<AdministratorChange>)> = found
        .access
        .iter()
        .map(|change| (change.principal.as_str(), change.administrator))
        .collect();
    let made_administrator = Some(AdministratorChange::Made);
    assert_eq!(
        made,
        [("user/carol", made_administrator), ("user/dave", made_administrator)]
    );
    // Nobody goes, so nothing speaks against it.
    assert_eq!(found.guardrails, []);

    // The deny that asks for MFA goes: carol, who stays, is told of as dave is.
    let mut now = then.clone();
    let team = now.groups.get_mut(&group("team")).unwrap();
    team.inline_policies.insert(inline("mfa"), require_mfa());
    let found = only_drift(&applied, &then, &wanted, &now);
    let told = found.guardrails.iter().map(|finding| finding.message.clone());
    let told: Vec<String> = told.filter(|message| message.contains("without MFA")).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("user `carol`"), "{told:?}");
}

fn absent() -> AbsentUser {
    AbsentUser {
        reason: "left".to_owned(),
        quarantine_days: None,
    }
}

fn require_mfa() -> PolicyDocument {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",
        "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;
    PolicyDocument::parse(text).unwrap()
}

/// Whether all that differs is left as pending, with the reasons.
fn all_pending(plan: &Plan) -> BTreeSet<&str> {
    assert_eq!(changes(plan), [""; 0]);
    assert_eq!(plan.drifted(), 0, "{:?}", left(plan));
    assert!(!plan.left.is_empty());
    plan.left.iter().map(|left| left.because.as_str()).collect()
}

const NOT_APPLIED: [&str; 1] = ["not applied yet"];
const DUE: [&str; 1] = ["due by its date, which a whole apply does"];

#[test]
fn what_the_receipt_did_not_look_at_is_no_drift() {
    // Tags that are no longer ignored.
    let mut applied = desired();
    applied.user("alice");
    let mut wanted = applied.clone();
    applied.scope.ignore_tags = BTreeSet::from(["cost".to_owned()]);
    let mut then = live_of(&applied);
    then.users
        .get_mut(&user("alice"))
        .unwrap()
        .tags
        .insert("cost".into(), "red".into());
    assert_eq!(
        all_pending(&only_drift(&applied, &then, &wanted, &then)),
        NOT_APPLIED.into()
    );
    // One that comes while they are compared is drift, as ever.
    let clean = live_of(&wanted);
    assert_eq!(changes(&only_drift(&wanted, &clean, &wanted, &then)), ["~ user/alice"]);

    // Somebody is to go, and has what nobody managed.
    let applied = wanted.clone();
    let mut then = live_of(&applied);
    let credentials = &mut then.users.get_mut(&user("alice")).unwrap().credentials;
    credentials.login_profile = Some(Some(LoginProfile {
        created: created(),
        password_reset_required: false,
    }));
    credentials.access_keys = Some(BTreeMap::from([("AKIAAAAAAAAA1EXAMPLE".to_owned(), active_key())]));
    credentials.mfa_devices = Some(BTreeSet::from([format!("arn:aws:iam::{ACCOUNT}:mfa/alice")]));
    credentials.ssh_public_keys = Some(BTreeMap::from([("APKAEXAMPLE".to_owned(), true)]));
    credentials.signing_certificates = Some(BTreeMap::new());
    credentials.service_specific_credentials = Some(BTreeMap::new());
    wanted.users.clear();
    wanted.absent.users.insert(user("alice"), absent());
    assert_eq!(
        all_pending(&only_drift(&applied, &then, &wanted, &then)),
        NOT_APPLIED.into()
    );

    // The manifest begins to manage a password and keys that are there.
    let mut wanted = applied.clone();
    wanted.user("alice").login_profile = Some(LoginProfileWish::Absent);
    wanted.user("alice").access_keys = Some(AccessKeysWish::Absent);
    assert_eq!(
        all_pending(&only_drift(&applied, &then, &wanted, &then)),
        NOT_APPLIED.into()
    );
    // Once it does, a password that comes is drift.
    let mut without = then.clone();
    let credentials = &mut without.users.get_mut(&user("alice")).unwrap().credentials;
    credentials.login_profile = Some(None);
    let found = only_drift(&wanted, &without, &wanted, &then);
    assert!(changes(&found).contains(&"- user/alice/login-profile".to_owned()));
}

#[test]
fn what_is_left_brings_neither_notes_nor_problems() {
    let mut applied = desired();
    applied.user("alice");
    applied.user("ops").managed_policies.insert(PolicyRef::Arn(admin_arn()));
    let then = live_of(&applied);
    let mut wanted = applied.clone();
    let tags = (0..60).map(|number| (format!("k{number}"), "v".to_owned()));
    wanted.user("alice").tags = tags.collect();
    let mut now = then.clone();
    now.users.get_mut(&user("ops")).unwrap().managed_policies.clear();
    assert!(trueup_planner::plan(&wanted, &now, &options()).is_err());
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(
        changes(&found),
        ["+ user/ops/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess"]
    );
    assert_eq!(left(&found), ["user/alice: pending, not applied yet"]);
}

#[test]
fn whoever_is_to_leave_a_group_that_is_not_managed_stays_until_that_is_applied() {
    let mut applied = desired();
    applied.external.groups.insert(group("shared"));
    applied.user("alice").groups.insert(group("shared"));
    applied.user("bob");
    let mut with_shared = applied.clone();
    with_shared.group("shared");
    let then = live_of(&with_shared);
    let mut wanted = applied.clone();
    wanted.user("alice").groups.clear();
    wanted.user("bob").groups.insert(group("shared"));
    assert_eq!(
        all_pending(&only_drift(&applied, &then, &wanted, &then)),
        NOT_APPLIED.into()
    );

    // What somebody else did to such memberships is drift, as it is to others.
    let mut now = then.clone();
    now.users.get_mut(&user("alice")).unwrap().groups.clear();
    now.users.get_mut(&user("bob")).unwrap().groups.insert(group("shared"));
    let found = only_drift(&applied, &then, &applied, &now);
    assert_eq!(
        actions(&found),
        [
            "AddUserToGroup group/shared/member/alice",
            "RemoveUserFromGroup group/shared/member/bob"
        ]
    );
}

/// Somebody who joined while a rule left it alone did nothing that was not meant: that the rule goes is for review.
#[test]
fn who_joined_under_an_ignore_rule_leaves_once_that_is_applied() {
    let rule = |target| IgnoreRule {
        target,
        reason: "terraform".to_owned(),
        until: None,
    };
    // A group that was ignored, and a declared user; and the other way round.
    let mut applied = desired();
    applied.user("alice");
    applied.group("ops");
    let mut with_others = applied.clone();
    with_others.group("tf-x");
    with_others.user("legacy-1");
    let then = live_of(&with_others);
    let wanted = applied.clone();
    applied.scope.ignore = vec![
        rule(IgnoreTarget::Group("tf-*".to_owned())),
        rule(IgnoreTarget::User("legacy-*".to_owned())),
    ];
    let mut now = then.clone();
    now.users.get_mut(&user("alice")).unwrap().groups.insert(group("tf-x"));
    now.users
        .get_mut(&user("legacy-1"))
        .unwrap()
        .groups
        .insert(group("ops"));
    assert_eq!(actions(&only_drift(&applied, &then, &applied, &now)), [""; 0]);
    assert_eq!(
        all_pending(&only_drift(&applied, &then, &wanted, &now)),
        NOT_APPLIED.into()
    );

    // Between two that were managed then, it is drift whatever became of the rules.
    now.users.get_mut(&user("alice")).unwrap().groups.insert(group("ops"));
    let found = only_drift(&applied, &then, &wanted, &now);
    assert_eq!(actions(&found), ["RemoveUserFromGroup group/ops/member/alice"]);
}
