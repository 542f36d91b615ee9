//! What is verified and never changed.

use std::collections::BTreeSet;

use trueup_model::{
    Live,
    desired::{LoginProfileWish, MfaLevel, MfaRequirement, RootRequirements},
    live::Credentials,
};

use crate::build::{Declare, desired, group, live_of, options, plan, policy, user};

const REQUIRED: Option<MfaRequirement> = Some(MfaRequirement {
    level: MfaLevel::Required,
    grace_days: 0,
});
const PASSWORD: Option<LoginProfileWish> = Some(LoginProfileWish::Present {
    password_reset_required: true,
});

fn set(live: &mut Live, name: &str, change: impl FnOnce(&mut Credentials)) {
    change(&mut live.users.get_mut(&user(name)).unwrap().credentials);
}

fn met(desired: &trueup_model::Desired, live: &Live) -> Vec<(String, bool)> {
    plan(desired, live)
        .requirements
        .into_iter()
        .map(|r| (format!("{} {}", r.subject, r.requirement), r.met))
        .collect()
}

#[test]
fn a_person_with_a_password_needs_a_device() {
    let mut wanted = desired();
    wanted.user("alice").mfa = REQUIRED;
    wanted.user("alice").login_profile = PASSWORD;
    let mut live = live_of(&wanted);
    set(&mut live, "alice", |credentials| {
        credentials.mfa_devices = Some(BTreeSet::new())
    });
    assert_eq!(met(&wanted, &live), [("user/alice mfa".to_owned(), false)]);
    set(&mut live, "alice", |credentials| {
        credentials.mfa_devices = Some(BTreeSet::from(["GAHT12345678".to_owned()]))
    });
    assert_eq!(met(&wanted, &live), [("user/alice mfa".to_owned(), true)]);
}

#[test]
fn without_a_password_none_is_needed_and_one_call_settles_it() {
    let mut wanted = desired();
    wanted.user("alice").mfa = REQUIRED;
    let mut live = live_of(&wanted);
    live.virtual_mfa_devices = None;
    let first = trueup_planner::needs(&wanted, &live, &options());
    assert!(
        first.virtual_mfa_devices
            && first.users[&user("alice")].mfa_devices
            && !first.users[&user("alice")].login_profile
    );
    live.virtual_mfa_devices = Some(Vec::new());
    set(&mut live, "alice", |credentials| {
        credentials.mfa_devices = Some(BTreeSet::new())
    });
    let second = trueup_planner::needs(&wanted, &live, &options());
    assert!(second.users[&user("alice")].login_profile && !second.users[&user("alice")].mfa_devices);
    set(&mut live, "alice", |credentials| credentials.login_profile = Some(None));
    assert!(trueup_planner::needs(&wanted, &live, &options()).users.is_empty());
    assert_eq!(met(&wanted, &live), [("user/alice mfa".to_owned(), true)]);
}

#[test]
fn a_group_asks_its_members_and_a_user_can_be_exempt() {
    let mut wanted = desired();
    wanted.group("admins").mfa = REQUIRED;
    for name in ["alice", "glass"] {
        wanted.user(name).groups.insert(group("admins"));
        wanted.user(name).login_profile = PASSWORD;
    }
    wanted.user("glass").mfa = Some(MfaRequirement {
        level: MfaLevel::Exempt,
        grace_days: 0,
    });
    let mut live = live_of(&wanted);
    set(&mut live, "alice", |credentials| {
        credentials.mfa_devices = Some(BTreeSet::new())
    });
    assert_eq!(met(&wanted, &live), [("user/alice mfa".to_owned(), false)]);
}

#[test]
fn a_grace_period_counts_from_creation() {
    let mut wanted = desired();
    wanted.user("alice").login_profile = PASSWORD;
    // Created on 2026-01-01; the plan is of 2026-11-22, day 325.
    for (grace_days, expected) in [(325, false), (326, true)] {
        wanted.user("alice").mfa = Some(MfaRequirement {
            level: MfaLevel::Required,
            grace_days,
        });
        let mut live = live_of(&wanted);
        set(&mut live, "alice", |credentials| {
            credentials.mfa_devices = Some(BTreeSet::new())
        });
        assert_eq!(met(&wanted, &live)[0].1, expected, "{grace_days}");
    }
}

#[test]
fn root_by_the_account_summary() {
    let mut wanted = desired();
    wanted.account.root = RootRequirements {
        mfa_required: true,
        access_keys_forbidden: true,
        signing_certificates_forbidden: false,
    };
    let mut live = live_of(&wanted);
    let mut check = |mfa: i64, password: Option<i64>, keys: i64| {
        live.account.summary.clear();
        live.account.summary.insert("AccountMFAEnabled".into(), mfa);
        live.account.summary.insert("AccountAccessKeysPresent".into(), keys);
        live.account
            .summary
            .extend(password.map(|value| ("AccountPasswordPresent".to_owned(), value)));
        let found = met(&wanted, &live);
        (found[0].1, found[1].1)
    };
    assert_eq!(check(1, Some(1), 0), (true, true));
    assert_eq!(check(0, Some(1), 0), (false, true));
    // Root credentials managed centrally: there are none.
    assert_eq!(check(0, Some(0), 0), (true, true));
    assert_eq!(check(0, None, 0), (false, true));
    assert_eq!(check(0, Some(0), 1), (false, false));
}

#[test]
fn signing_certificates_of_root_are_found() {
    let mut wanted = desired();
    wanted.account.root.signing_certificates_forbidden = true;
    let mut live = live_of(&wanted);
    for (present, expected) in [(0, true), (1, false)] {
        let summary = &mut live.account.summary;
        summary.insert("AccountSigningCertificatesPresent".into(), present);
        let found = plan(&wanted, &live).requirements;
        assert_eq!(found[0].requirement, "signing-certificates");
        assert_eq!((found[0].met, found[0].remedy.is_none()), (expected, expected));
    }
}

#[test]
fn what_was_not_read_is_said_and_fails_a_strict_run() {
    let mut wanted = desired();
    wanted.user("alice").login_profile = PASSWORD;
    wanted.policy("base", &["allow s3:a"]);
    let mut live = live_of(&wanted);
    assert_eq!(plan(&wanted, &live).notes, []);
    live.users.get_mut(&user("alice")).unwrap().credentials = Credentials::default();
    live.policies.get_mut(&policy("base")).unwrap().metadata = None;
    let notes = plan(&wanted, &live).notes;
    let said: Vec<String> = notes
        .iter()
        .map(|note| format!("{} {}", note.strict, note.resource.as_ref().unwrap()))
        .collect();
    assert_eq!(
        said,
        ["true user/alice", "true policy/base", "true user/alice/login-profile"]
    );
}
