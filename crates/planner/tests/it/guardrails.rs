//! Each guardrail: what makes it fire, and what does not.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Alias, Arn, Desired, Live, PolicyDocument, RoleName, Tags,
    desired::{
        AliasWish, Allowance, BoundaryWish, DeletionLimit, LoginProfileWish, MfaLevel, MfaRequirement,
        PasswordPolicyWish, PolicyRef,
    },
    live::{Credentials, LiveRole, LoginProfile},
};
use trueup_planner::GuardrailCode;

use crate::build::{
    ACCOUNT, Declare, admin_arn, arn, created, date, desired, document, group, inline, live_of, options, plan, policy,
    user,
};

fn fired(desired: &Desired, live: &Live) -> Vec<(GuardrailCode, String)> {
    plan(desired, live)
        .guardrails
        .into_iter()
        .map(|finding| (finding.code, finding.message))
        .collect()
}

fn codes(desired: &Desired, live: &Live) -> BTreeSet<&'static str> {
    fired(desired, live)
        .into_iter()
        .map(|(code, _)| code.as_str())
        .collect()
}

fn crowd(count: usize) -> Desired {
    let mut crowd = desired();
    for index in 0..count {
        crowd.user(&format!("user{index:02}"));
    }
    crowd
}

fn without(desired: &Desired, count: usize) -> Desired {
    let mut fewer = desired.clone();
    for index in 0..count {
        let name = user(&format!("user{index:02}"));
        fewer.users.remove(&name);
        fewer.absent.users.insert(name, "left".into());
    }
    fewer
}

#[test]
fn deletions_by_share_by_small_number_and_by_count() {
    let everyone = crowd(20);
    let live = live_of(&everyone);
    assert!(!codes(&without(&everyone, 5), &live).contains("deletions"));
    assert!(codes(&without(&everyone, 6), &live).contains("deletions"));
    let few = crowd(9);
    let live_few = live_of(&few);
    assert!(!codes(&without(&few, 2), &live_few).contains("deletions"));
    assert!(codes(&without(&few, 3), &live_few).contains("deletions"));
    let mut counted = without(&everyone, 6);
    counted.guardrails.max_deletions = DeletionLimit::Count(6);
    assert!(!codes(&counted, &live).contains("deletions"));
    counted.guardrails.max_deletions = DeletionLimit::Count(5);
    assert!(codes(&counted, &live).contains("deletions"));
}

#[test]
fn memberships_of_people_who_stay_count_and_those_of_the_deleted_do_not() {
    let mut before = crowd(4);
    for name in ["a", "b", "c", "d"] {
        before.group(name);
        before.user("user00").groups.insert(group(name));
    }
    let live = live_of(&before);
    assert!(!codes(&without(&before, 1), &live).contains("deletions"));
    let mut stays = before.clone();
    stays.user("user00").groups.clear();
    let found = fired(&stays, &live);
    assert!(
        found.iter().any(|(_, message)| message
            == "4 of 4 memberships in scope would be deleted; the limit is 2 where there are fewer than 10"),
        "{found:?}"
    );
}

fn with_caller(desired: &Desired, caller: &str) -> Live {
    let mut live = live_of(desired);
    live.caller = Arn::from_live(caller);
    live
}

#[test]
fn own_access_of_a_user() {
    let mut before = desired();
    before.user("me").managed_policies.insert(PolicyRef::Arn(admin_arn()));
    before
        .user("other")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    let live = with_caller(&before, &format!("arn:aws:iam::{ACCOUNT}:user/me"));
    let mut after = before.clone();
    after.user("other").managed_policies.clear();
    assert!(!codes(&after, &live).contains("own-access"));
    let mut after = before.clone();
    after.user("me").managed_policies.clear();
    assert!(codes(&after, &live).contains("own-access"));
    let mut bounded = before.clone();
    bounded.policy("limit", &["allow s3:*"]);
    bounded.user("me").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    assert!(codes(&bounded, &live).contains("own-access"));
    // An administrator who loses something else keeps everything.
    let mut rich = before.clone();
    rich.user("me")
        .inline_policies
        .insert(inline("extra"), document(&["allow s3:a"]));
    let live_rich = with_caller(&rich, &format!("arn:aws:iam::{ACCOUNT}:user/me"));
    assert!(!codes(&before, &live_rich).contains("own-access"));
    let mut gone = before.clone();
    gone.users.remove(&user("me"));
    gone.absent.users.insert(user("me"), "left".into());
    assert!(codes(&gone, &live).contains("own-access"));
}

fn role(name: &str, policies: &[&str]) -> LiveRole {
    LiveRole {
        name: RoleName::new(name).unwrap(),
        id: "AROA1".into(),
        arn: Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:role/{name}")),
        path: trueup_model::Path::root(),
        tags: Tags::new(),
        managed_policies: policies.iter().map(|name| arn(name)).collect(),
        inline_policies: BTreeMap::new(),
        permissions_boundary: None,
    }
}

#[test]
fn own_access_and_shared_policy_of_a_role() {
    let mut before = desired();
    before.policy(
        "base",
        &["allow iam:Get*", "allow iam:SetDefaultPolicyVersion", "allow s3:b"],
    );
    let mut live = with_caller(&before, &format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/session"));
    live.roles
        .insert(RoleName::new("deploy").unwrap(), role("deploy", &["base"]));
    // What it loses is what would put the policy back.
    let mut after = desired();
    after.policy("base", &["allow iam:Get*", "allow s3:b"]);
    let found = fired(&after, &live);
    assert!(
        found.iter().any(|(_, message)| message
            == "role `deploy`, which runs this, would no longer be allowed what undoing this plan takes, for example \
                iam:SetDefaultPolicyVersion on arn:aws:iam::123456789012:policy/base"),
        "{found:?}"
    );
    assert!(codes(&after, &live).contains("shared-policy"));
    // What it loses is not needed, or it only gains.
    for statements in [
        &["allow iam:Get*", "allow iam:SetDefaultPolicyVersion"][..],
        &["allow iam:*", "allow s3:*"],
    ] {
        after.policy("base", statements).document = document(statements);
        assert!(!codes(&after, &live).contains("own-access"), "{statements:?}");
    }
    assert!(codes(&before, &live).is_empty());
}

/// Text that differs and allows the same, or more, weakens nobody.
#[test]
fn widening_a_statement_is_no_weakening() {
    let mut before = desired();
    let glass = before.user("glass");
    glass
        .inline_policies
        .insert(inline("work"), document(&["allow s3:Get*", "allow iam:*"]));
    before.guardrails.break_glass.insert(user("glass"));
    let mut live = with_caller(&before, &format!("arn:aws:iam::{ACCOUNT}:user/glass"));
    let mut after = before.clone();
    let put = |after: &mut Desired, statements: &[&str]| {
        after
            .user("glass")
            .inline_policies
            .insert(inline("work"), document(statements));
    };
    put(&mut after, &["allow s3:*", "allow iam:*"]);
    assert!(codes(&after, &live).is_empty());
    put(&mut after, &["allow s3:Get*", "allow iam:*", "deny s3:Put*"]);
    assert!(codes(&after, &live).is_empty());
    put(&mut after, &["allow s3:GetObject", "allow iam:*"]);
    let found = codes(&after, &live);
    assert!(
        found.contains("break-glass") && !found.contains("own-access"),
        "{found:?}"
    );
    let said = fired(&after, &live);
    assert!(
        said.iter()
            .any(|(_, message)| message.contains("would be weakened: no longer allowed, for example, s3:Get")),
        "{said:?}"
    );
    put(&mut after, &["allow s3:Get*"]);
    assert!(codes(&after, &live).contains("own-access"));
    // A boundary that takes nothing away.
    let mut bounded = before.clone();
    bounded.policy("wide", &["allow *"]);
    bounded.user("glass").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("wide")));
    live.caller = Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:root"));
    assert!(codes(&bounded, &live).is_empty());
}

#[test]
fn a_caller_from_elsewhere_passes_with_a_note() {
    let mut wanted = desired();
    wanted.user("new");
    let live = with_caller(&desired(), "arn:aws:sts::999999999999:assumed-role/x/y");
    let plan = plan(&wanted, &live);
    assert!(plan.guardrails.is_empty());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.message.contains("its own access is not checked"))
    );
}

#[test]
fn administrators_by_every_way_and_only_where_the_plan_takes_them() {
    let mut before = desired();
    before
        .group("admins")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    before.user("by-group").groups.insert(group("admins"));
    before
        .user("by-inline")
        .inline_policies
        .insert(inline("all"), document(&["allow *"]));
    let live = live_of(&before);
    let mut one_left = before.clone();
    one_left.user("by-group").groups.clear();
    assert!(!codes(&one_left, &live).contains("administrators"));
    let mut none_left = one_left.clone();
    none_left.user("by-inline").inline_policies.clear();
    let found = fired(&none_left, &live);
    assert!(
        found.iter().any(
            |(code, message)| *code == GuardrailCode::Administrators && message.contains("`by-group`, `by-inline`")
        ),
        "{found:?}"
    );
    let mut two = one_left.clone();
    two.guardrails.minimum_administrators = 2;
    assert!(codes(&two, &live).contains("administrators"));
    // No administrator before, none after: not this plan's doing.
    let nobody = desired();
    assert!(!codes(&nobody, &live_of(&desired())).contains("administrators"));
    // A boundary takes the administrator away.
    let mut bounded = one_left.clone();
    bounded.policy("limit", &["allow s3:*"]);
    bounded.user("by-inline").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    assert!(codes(&bounded, &live).contains("administrators"));
}

#[test]
fn break_glass_users_are_not_touched() {
    let mut before = desired();
    before
        .group("admins")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    before.user("glass").groups.insert(group("admins"));
    before.user("glass").login_profile = Some(LoginProfileWish::Present {
        password_reset_required: false,
    });
    before.user("other").groups.insert(group("admins"));
    before.guardrails.break_glass.insert(user("glass"));
    let live = live_of(&before);
    assert!(codes(&before, &live).is_empty());
    let mut no_password = before.clone();
    no_password.user("glass").login_profile = Some(LoginProfileWish::Absent);
    assert!(codes(&no_password, &live).contains("break-glass"));
    let mut weaker = before.clone();
    weaker.user("glass").groups.clear();
    assert!(codes(&weaker, &live).contains("break-glass"));
    let mut denied = before.clone();
    denied
        .user("glass")
        .inline_policies
        .insert(inline("no"), document(&["deny iam:*"]));
    assert!(codes(&denied, &live).contains("break-glass"));
    let mut asked = before.clone();
    asked.group("admins").mfa = Some(MfaRequirement {
        level: MfaLevel::Required,
        grace_days: 0,
    });
    assert!(codes(&asked, &live).contains("break-glass"));
    asked.user("glass").mfa = Some(MfaRequirement {
        level: MfaLevel::Exempt,
        grace_days: 0,
    });
    assert!(!codes(&asked, &live).contains("break-glass"));
    // A sweep that would take an undeclared break-glass user.
    let mut sweep = before.clone();
    sweep.users.remove(&user("glass"));
    sweep.scope.users.unmanaged = trueup_model::Unmanaged::Delete;
    assert!(codes(&sweep, &live).contains("break-glass"));
}

#[test]
fn a_break_glass_user_is_found_by_either_of_its_names() {
    let mut before = desired();
    before
        .user("glass")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    before
        .user("other")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    let live = live_of(&before);
    let mut renamed = before.clone();
    let mut glass = renamed.users.remove(&user("glass")).unwrap();
    glass.name = user("emergency");
    glass.previously = vec![user("glass")];
    glass.managed_policies.clear();
    renamed.users.insert(user("emergency"), glass);
    for listed in ["glass", "emergency"] {
        renamed.guardrails.break_glass = BTreeSet::from([user(listed)]);
        let found = fired(&renamed, &live);
        assert!(
            found.iter().any(|(_, message)| message
                == &format!("break-glass user `{listed}` would be weakened: no longer an administrator")),
            "{found:?}"
        );
        assert!(
            found
                .iter()
                .any(|(_, message)| message == "break-glass user `glass` would be renamed to `emergency`"),
            "{found:?}"
        );
    }
}

#[test]
fn a_weaker_password_policy() {
    let mut wanted = desired();
    wanted.account.password_policy = Some(PasswordPolicyWish::Custom(trueup_model::PasswordPolicy::default()));
    let mut live = live_of(&wanted);
    assert!(codes(&wanted, &live).contains("password-policy"));
    live.account.password_policy = Some(trueup_model::PasswordPolicy {
        minimum_password_length: 14,
        ..trueup_model::PasswordPolicy::default()
    });
    assert!(codes(&wanted, &live).contains("password-policy"));
    wanted.account.password_policy = Some(PasswordPolicyWish::AwsDefault);
    assert!(codes(&wanted, &live).contains("password-policy"));
    live.account.password_policy = Some(trueup_model::PasswordPolicy::default());
    assert!(!codes(&wanted, &live).contains("password-policy"));
}

#[test]
fn a_deny_without_mfa_that_goes() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"iam:ListMFADevices","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;
    let mut before = desired();
    let bob = before.user("bob");
    bob.inline_policies
        .insert(inline("mfa"), PolicyDocument::parse(text).unwrap());
    bob.inline_policies.insert(inline("work"), document(&["allow s3:a"]));
    let live = live_of(&before);
    let mut after = before.clone();
    after.user("bob").inline_policies.remove(&inline("mfa"));
    assert!(codes(&after, &live).contains("mfa"));
    let mut moved = after.clone();
    moved
        .user("bob")
        .inline_policies
        .insert(inline("elsewhere"), PolicyDocument::parse(text).unwrap());
    assert!(!codes(&moved, &live).contains("mfa"));
    // A deny that asks for MFA in fewer cases is none in the others.
    let mut narrower = before.clone();
    let narrow = text.replace(r#""NotAction":"iam:ListMFADevices""#, r#""Action":"ec2:*""#);
    narrower
        .user("bob")
        .inline_policies
        .insert(inline("mfa"), PolicyDocument::parse(&narrow).unwrap());
    assert!(codes(&narrower, &live).contains("mfa"));
}

#[test]
fn a_stranger_who_is_taken_out_of_a_group_that_asks_for_mfa() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"iam:ListMFADevices","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;
    let mut before = desired();
    before
        .group("careful")
        .inline_policies
        .insert(inline("mfa"), PolicyDocument::parse(text).unwrap());
    let stranger = before.user("stranger");
    stranger.groups.insert(group("careful"));
    stranger.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    let live = live_of(&before);
    let mut left = before.clone();
    left.users.remove(&user("stranger"));
    assert!(codes(&left, &live).contains("mfa"));
    // Who is deleted can do nothing without MFA either.
    left.absent.users.insert(user("stranger"), "left".into());
    assert!(!codes(&left, &live).contains("mfa"));
}

#[test]
fn boundaries_removed_replaced_or_widened() {
    let mut before = desired();
    before.policy("limit", &["allow s3:*"]);
    before.policy("other", &["allow s3:*"]);
    before.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    let live = live_of(&before);
    let mut removed = before.clone();
    removed.user("bob").permissions_boundary = BoundaryWish::Absent;
    assert!(codes(&removed, &live).contains("boundary"));
    let mut replaced = before.clone();
    replaced.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("other")));
    assert!(codes(&replaced, &live).contains("boundary"));
    let mut widened = before.clone();
    widened.policies.get_mut(&policy("limit")).unwrap().document = document(&["allow s3:*", "allow ec2:*"]);
    assert!(codes(&widened, &live).contains("boundary"));
    // More statements that let nothing more through.
    let mut respelt = before.clone();
    respelt.policies.get_mut(&policy("limit")).unwrap().document = document(&["allow s3:Get*", "allow s3:*"]);
    assert!(!codes(&respelt, &live).contains("boundary"));
    let mut narrowed = before.clone();
    narrowed.policies.get_mut(&policy("limit")).unwrap().document = document(&["allow s3:*", "deny s3:b"]);
    assert!(!codes(&narrowed, &live).contains("boundary"));
    let mut first = before.clone();
    first.user("new").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    assert!(!codes(&first, &live).contains("boundary"));
}

#[test]
fn an_alias_replaced_or_removed_but_not_first_set() {
    let mut wanted = desired();
    wanted.account.alias = Some(AliasWish::Present(Alias::new("acme").unwrap()));
    let mut live = live_of(&wanted);
    assert!(codes(&wanted, &live).is_empty());
    live.account.alias = Some(Alias::new("old").unwrap());
    assert!(codes(&wanted, &live).contains("alias"));
    wanted.account.alias = Some(AliasWish::Absent);
    assert!(codes(&wanted, &live).contains("alias"));
}

#[test]
fn an_allowed_code_is_marked_and_one_that_does_not_fire_is_no_error() {
    let mut wanted = desired();
    wanted.account.alias = Some(AliasWish::Present(Alias::new("acme").unwrap()));
    let mut live = live_of(&wanted);
    live.account.alias = Some(Alias::new("old").unwrap());
    let mut options = options();
    options.allow = GuardrailCode::ALL.into_iter().collect();
    let plan = trueup_planner::plan(&wanted, &live, &options).unwrap();
    assert!(plan.guardrails.iter().all(|finding| finding.allowed) && plan.guardrails.len() == 1);
}

#[test]
fn a_disabled_administrator_is_none() {
    let mut before = desired();
    before.user("only").managed_policies.insert(PolicyRef::Arn(admin_arn()));
    let mut live = live_of(&before);
    live.users.get_mut(&user("only")).unwrap().credentials = Credentials {
        login_profile: Some(Some(LoginProfile {
            created: created(),
            password_reset_required: false,
        })),
        access_keys: Some(BTreeMap::new()),
        ..Credentials::default()
    };
    before.user("only").expires = Some(trueup_model::desired::Expiry {
        on: crate::build::date("2026-01-01"),
        then: trueup_model::desired::AfterExpiry::Disable,
    });
    assert!(codes(&before, &live).contains("administrators"));
}

#[test]
fn a_break_glass_name_that_protects_nobody_is_said() {
    let mut wanted = desired();
    wanted.user("glass");
    wanted.guardrails.break_glass.extend([user("glass"), user("galss")]);
    let notes = plan(&wanted, &live_of(&desired())).notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].strict && notes[0].message.contains("`galss`"));
}

#[test]
fn the_manifest_lets_a_guardrail_pass_until_a_day() {
    let everyone = crowd(20);
    let live = live_of(&everyone);
    let mut wanted = without(&everyone, 6);
    let finding = |wanted: &Desired| plan(wanted, &live).guardrails[0].clone();
    assert!(!finding(&wanted).allowed);
    let allow = |until: &str| Allowance {
        code: GuardrailCode::Deletions,
        reason: "a team leaves".into(),
        until: date(until),
    };
    let last_day = options().as_of.to_string();
    wanted.guardrails.allow = vec![allow("2020-01-01"), allow(&last_day)];
    let found = finding(&wanted);
    assert!(found.allowed);
    assert_eq!(found.allowance.unwrap().until.to_string(), last_day);
    // What is over counts no longer, and is said.
    wanted.guardrails.allow = vec![allow("2020-01-01")];
    assert!(!finding(&wanted).allowed);
    let notes = plan(&wanted, &live).notes;
    assert!(
        notes
            .iter()
            .any(|note| note.strict && note.message.contains("counts no longer")),
        "{notes:?}"
    );
    // Another code lets nothing pass.
    wanted.guardrails.allow = vec![Allowance {
        code: GuardrailCode::Alias,
        ..allow(&last_day)
    }];
    assert!(!finding(&wanted).allowed);
}
