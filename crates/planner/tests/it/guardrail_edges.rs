//! What guardrails count and whom they mean, at the edges: the sentence tells the numbers, so the sentence is compared.

use std::collections::BTreeMap;

use trueup_model::{
    Alias, Arn, Desired, IgnoreRule, IgnoreTarget, Live, PolicyDocument, RoleName, Tags,
    desired::{
        AccessKeyRules, AccessKeysWish, AliasWish, BoundaryWish, LoginProfileWish, PasswordPolicyWish, PolicyRef,
    },
    live::{AccessKey, Credentials, LastUse, LiveRole},
};
use trueup_planner::{Applied, GuardrailCode, Only, Plan};

use crate::build::{
    ACCOUNT, Declare, admin_arn, arn, created, desired, document, group, inline, live_of, options, plan, policy, user,
};

fn messages(plan: &Plan, code: GuardrailCode) -> Vec<&str> {
    let findings = plan.guardrails.iter().filter(|finding| finding.code == code);
    findings.map(|finding| finding.message.as_str()).collect()
}

fn key(active: bool) -> AccessKey {
    AccessKey {
        active,
        created: created(),
        last_used: Some(LastUse::Never),
    }
}

fn keys(live: &mut Live, name: &str, keys: &[(&str, bool)]) {
    let keys = keys.iter().map(|(id, active)| ((*id).to_owned(), key(*active)));
    let credentials = &mut live.users.get_mut(&user(name)).unwrap().credentials;
    credentials.access_keys = Some(keys.collect());
    credentials.login_profile.get_or_insert(None);
}

const PRESENT: Option<LoginProfileWish> = Some(LoginProfileWish::Present {
    password_reset_required: false,
});

/// Four people and two groups, each with one of everything, and a user and a group that are left alone.
fn everything() -> Desired {
    let mut before = desired();
    for name in ["team", "ignored"] {
        let group = before.group(name);
        group.managed_policies.insert(PolicyRef::Arn(admin_arn()));
        group.inline_policies.insert(inline("work"), document(&["allow s3:a"]));
    }
    for name in ["a", "b", "c", "d", "stranger"] {
        let user = before.user(name);
        user.managed_policies.insert(PolicyRef::Arn(admin_arn()));
        user.inline_policies.insert(inline("work"), document(&["allow s3:a"]));
        user.groups.extend([group("team"), group("ignored")]);
        user.login_profile = PRESENT;
    }
    before
}

fn leave_alone(desired: &mut Desired) {
    desired.users.remove(&user("stranger"));
    desired.groups.remove(&group("ignored"));
    for user in desired.users.values_mut() {
        user.groups.remove(&group("ignored"));
    }
    for target in [
        IgnoreTarget::User("stranger".into()),
        IgnoreTarget::Group("ignored".into()),
    ] {
        desired.scope.ignore.push(IgnoreRule {
            target,
            reason: "somebody else's".into(),
            until: None,
        });
    }
}

#[test]
fn each_kind_is_counted_among_what_is_owned() {
    let mut wanted = everything();
    let live = live_of(&wanted);
    leave_alone(&mut wanted);
    assert_eq!(messages(&plan(&wanted, &live), GuardrailCode::Deletions), [""; 0]);
    let mut less = wanted.clone();
    for name in ["a", "b", "c"] {
        let user = less.user(name);
        user.managed_policies.clear();
        user.inline_policies.clear();
        user.login_profile = Some(LoginProfileWish::Absent);
        user.groups.clear();
        // What is changed in other ways as well still loses these.
        user.tags.insert("team".to_owned(), "red".to_owned());
    }
    let limit = "in scope would be deleted; the limit is 2 where there are fewer than 10";
    assert_eq!(
        messages(&plan(&less, &live), GuardrailCode::Deletions),
        [
            // The stranger is a member of an owned group, and counts as such.
            format!("3 of 5 memberships {limit}"),
            format!("3 of 5 attachments {limit}"),
            format!("3 of 5 inline policies {limit}"),
            format!("3 of 4 login profiles {limit}"),
        ]
    );
}

#[test]
fn access_keys_are_counted_one_by_one() {
    let wanted = {
        let mut wanted = desired();
        for name in ["a", "b", "c", "d"] {
            wanted.user(name);
        }
        wanted
    };
    let mut live = live_of(&wanted);
    // A key whose delivery was never recorded goes, whatever the manifest says about keys.
    for (name, id) in [
        ("a", "AKIAAAAAAAAA1EXAMPLE"),
        ("b", "AKIAAAAAAAAA2EXAMPLE"),
        ("c", "AKIAAAAAAAAA3EXAMPLE"),
    ] {
        keys(&mut live, name, &[(id, true)]);
        live.users.get_mut(&user(name)).unwrap().tags =
            Tags::from([("trueup:new-access-key".to_owned(), "none".to_owned())]);
    }
    keys(
        &mut live,
        "d",
        &[("AKIAAAAAAAAA4EXAMPLE", true), ("AKIAAAAAAAAA5EXAMPLE", true)],
    );
    assert_eq!(
        messages(&plan(&wanted, &live), GuardrailCode::Deletions),
        ["3 of 5 access keys in scope would be deleted; the limit is 2 where there are fewer than 10"]
    );
}

#[test]
fn what_goes_with_a_deleted_entity_is_no_deletion_of_its_own() {
    let mut before = everything();
    for name in ["x", "y", "z"] {
        before
            .user("a")
            .inline_policies
            .insert(inline(name), document(&["allow s3:a"]));
    }
    let live = live_of(&before);
    let mut gone = before.clone();
    gone.users.remove(&user("a"));
    gone.absent.users.insert(user("a"), "left".into());
    assert_eq!(messages(&plan(&gone, &live), GuardrailCode::Deletions), [""; 0]);
    // Those who stay lose what a deleted group gave them.
    let mut dissolved = before.clone();
    for user in dissolved.users.values_mut() {
        user.groups.remove(&group("team"));
    }
    dissolved.groups.remove(&group("team"));
    dissolved.absent.groups.insert(group("team"), "dissolved".into());
    assert_eq!(
        messages(&plan(&dissolved, &live), GuardrailCode::Deletions),
        ["5 of 10 memberships in scope would be deleted; the limit is 25%"]
    );
}

#[test]
fn ten_are_counted_by_share() {
    let mut before = desired();
    for index in 0..10 {
        before.user(&format!("user{index}"));
    }
    let live = live_of(&before);
    for (name, expected) in [
        ("user0", None),
        ("user1", None),
        (
            "user2",
            Some("3 of 10 users in scope would be deleted; the limit is 25%"),
        ),
    ] {
        before.users.remove(&user(name));
        before.absent.users.insert(user(name), "left".into());
        let found = plan(&before, &live);
        assert_eq!(
            messages(&found, GuardrailCode::Deletions),
            expected.into_iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn no_password_policy_is_as_good_as_the_one_aws_has() {
    let mut wanted = desired();
    wanted.account.password_policy = Some(PasswordPolicyWish::AwsDefault);
    let mut live = live_of(&wanted);
    let same = trueup_model::PasswordPolicy {
        minimum_password_length: 8,
        require_numbers: true,
        require_uppercase_characters: true,
        require_lowercase_characters: true,
        ..trueup_model::PasswordPolicy::default()
    };
    live.account.password_policy = Some(same.clone());
    let found = plan(&wanted, &live);
    assert!(!found.actions.is_empty());
    assert_eq!(messages(&found, GuardrailCode::PasswordPolicy), [""; 0]);
    live.account.password_policy = Some(trueup_model::PasswordPolicy {
        require_symbols: true,
        ..same
    });
    assert_eq!(messages(&plan(&wanted, &live), GuardrailCode::PasswordPolicy).len(), 1);
}

fn role(name: &str) -> LiveRole {
    LiveRole {
        name: RoleName::new(name).unwrap(),
        id: "AROA1".into(),
        arn: Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:role/{name}")),
        path: trueup_model::Path::root(),
        tags: Tags::new(),
        managed_policies: std::collections::BTreeSet::new(),
        inline_policies: BTreeMap::new(),
        permissions_boundary: None,
    }
}

#[test]
fn a_shared_policy_names_one_holder_and_counts_the_others() {
    let mut before = desired();
    before.policy("base", &["allow s3:a"]);
    let base = || PolicyRef::Declared(policy("base"));
    before.user("ours").managed_policies.insert(base());
    before.group("ours").managed_policies.insert(base());
    let mut changed = before.clone();
    changed.policies.get_mut(&policy("base")).unwrap().document = document(&["allow s3:b"]);
    assert_eq!(
        messages(&plan(&changed, &live_of(&before)), GuardrailCode::SharedPolicy),
        [""; 0]
    );
    // One more holder in every step, the first by kind and name in front.
    let rest = "which the manifest does not own, hold it";
    let mut live = live_of(&before);
    let mut bounded = role("bounded");
    bounded.permissions_boundary = Some(arn("base"));
    live.roles.insert(bounded.name.clone(), bounded);
    let says = |live: &Live| messages(&plan(&changed, live), GuardrailCode::SharedPolicy).join("; ");
    assert_eq!(
        says(&live),
        "policy `base` would change, and role `bounded`, which the manifest does not own, holds it"
    );
    before.group("theirs").managed_policies.insert(base());
    live.groups = live_of(&before).groups;
    assert_eq!(
        says(&live),
        format!("policy `base` would change, and group `theirs` and 1 more, {rest}")
    );
    before.user("theirs").permissions_boundary = BoundaryWish::Present(base());
    live.users = live_of(&before).users;
    assert_eq!(
        says(&live),
        format!("policy `base` would change, and user `theirs` and 2 more, {rest}")
    );
    before.user("attached").managed_policies.insert(base());
    live.users = live_of(&before).users;
    assert_eq!(
        says(&live),
        format!("policy `base` would change, and user `attached` and 3 more, {rest}")
    );
}

/// Two administrators with a password; the first runs the plan.
fn me_and_another() -> (Desired, Live) {
    let mut before = desired();
    for name in ["me", "other"] {
        let user = before.user(name);
        user.managed_policies.insert(PolicyRef::Arn(admin_arn()));
        user.login_profile = PRESENT;
    }
    let mut live = live_of(&before);
    live.caller = Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:user/me"));
    (before, live)
}

#[test]
fn only_the_last_working_key_or_the_password_disables() {
    const DISABLED: [&str; 1] = ["user `me`, which runs this, would be disabled"];
    let (before, live) = me_and_another();
    let own = |wanted: &Desired, live: &Live| {
        let plan = plan(wanted, live);
        assert!(!plan.actions.is_empty());
        let found = messages(&plan, GuardrailCode::OwnAccess);
        found.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut theirs = before.clone();
    theirs.user("other").login_profile = Some(LoginProfileWish::Absent);
    assert_eq!(own(&theirs, &live), [""; 0]);
    let mut mine = before.clone();
    mine.user("me").login_profile = Some(LoginProfileWish::Absent);
    assert_eq!(own(&mine, &live), DISABLED);

    let (one, two) = ("AKIAAAAAAAAA1EXAMPLE", "AKIAAAAAAAAA2EXAMPLE");
    let mut live = live;
    keys(&mut live, "other", &[]);
    let mut no_keys = before.clone();
    no_keys.user("me").access_keys = Some(AccessKeysWish::Absent);
    keys(&mut live, "me", &[(one, true), (two, true)]);
    assert_eq!(own(&no_keys, &live), DISABLED);
    // A key that another user gets replaces none of mine.
    no_keys.user("other").access_keys = Some(AccessKeysWish::Present(AccessKeyRules {
        count: 1,
        rotate_after_days: None,
        overlap_days: 7,
        maximum_unused_days: None,
        description: None,
    }));
    assert_eq!(own(&no_keys, &live), DISABLED);
    // A key that did not work is no loss.
    let mut lost = live.clone();
    keys(&mut lost, "me", &[(one, false)]);
    assert_eq!(own(&no_keys, &lost), [""; 0]);
    // One of two that work goes: the delivery of the younger one was never recorded.
    let mut half = live.clone();
    let me = half.users.get_mut(&user("me")).unwrap();
    me.tags.insert("trueup:new-access-key".to_owned(), one.to_owned());
    assert_eq!(own(&before, &half), [""; 0]);
    // The only one goes, for the same reason, and another one comes with the same plan.
    let mut replaced = live.clone();
    keys(&mut replaced, "me", &[(one, true)]);
    let me = replaced.users.get_mut(&user("me")).unwrap();
    me.tags.insert("trueup:new-access-key".to_owned(), "none".to_owned());
    assert_eq!(own(&before, &replaced), DISABLED);
    let mut wanted = before;
    wanted.user("me").access_keys = no_keys.user("other").access_keys.clone();
    assert_eq!(own(&wanted, &replaced), [""; 0]);
}

#[test]
fn who_runs_a_plan_is_not_deleted_by_it_also_without_a_password() {
    let (before, mut live) = me_and_another();
    live.users.get_mut(&user("me")).unwrap().credentials = Credentials::default();
    let mut wanted = before;
    wanted.users.remove(&user("me"));
    wanted.absent.users.insert(user("me"), "left".into());
    assert_eq!(
        messages(&plan(&wanted, &live), GuardrailCode::OwnAccess),
        ["user `me`, which runs this, would be deleted"]
    );
}

#[test]
fn a_name_of_another_account_is_somebody_else() {
    let (before, mut live) = me_and_another();
    let mut after = before.clone();
    after.user("me").managed_policies.clear();
    assert_eq!(messages(&plan(&after, &live), GuardrailCode::OwnAccess).len(), 1);
    let unchecked = |plan: &Plan| {
        plan.notes
            .iter()
            .any(|note| note.message.contains("its own access is not checked"))
    };
    for caller in [
        "arn:aws:iam::999999999999:user/me",
        "arn:aws:iam::123456789012:user/nobody",
        "arn:aws:sts::123456789012:assumed-role/nobody/session",
    ] {
        live.caller = Arn::from_live(caller);
        let found = plan(&after, &live);
        assert_eq!(messages(&found, GuardrailCode::OwnAccess), [""; 0], "{caller}");
        assert!(unchecked(&found), "{caller}");
        assert!(!unchecked(&plan(&before, &live)), "{caller}");
    }
    live.caller = Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:root"));
    assert!(!unchecked(&plan(&after, &live)));
}

#[test]
fn administrators_below_the_minimum_are_this_plans_doing_only_where_they_get_fewer() {
    let (mut before, mut live) = me_and_another();
    live.caller = Arn::from_live(format!("arn:aws:iam::{ACCOUNT}:root"));
    before.guardrails.minimum_administrators = 3;
    let mut fewer = before.clone();
    fewer.user("other").managed_policies.clear();
    assert_eq!(
        messages(&plan(&fewer, &live), GuardrailCode::Administrators),
        ["1 administrators would be left, 3 must be; no longer one: `other`"]
    );
    // One goes and one comes.
    fewer.user("new").managed_policies.insert(PolicyRef::Arn(admin_arn()));
    assert_eq!(messages(&plan(&fewer, &live), GuardrailCode::Administrators), [""; 0]);
}

#[test]
fn a_wider_boundary_counts_the_users_and_roles_that_it_bounds() {
    let mut before = desired();
    before.policy("limit", &["allow s3:a"]);
    before.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    before.user("free");
    let mut live = live_of(&before);
    let mut bounded = role("bounded");
    bounded.permissions_boundary = Some(arn("limit"));
    live.roles.insert(bounded.name.clone(), bounded);
    for name in ["free", "freer"] {
        let free = role(name);
        live.roles.insert(free.name.clone(), free);
    }
    let mut wider = before.clone();
    wider.policies.get_mut(&policy("limit")).unwrap().document = document(&["allow s3:*"]);
    let found = plan(&wider, &live);
    let found = messages(&found, GuardrailCode::Boundary);
    assert!(
        found.len() == 1
            && found[0]
                .starts_with("policy `limit`, the permissions boundary of 2, would let more through, for example s3:"),
        "{found:?}"
    );
}

/// What is not interpreted may take everything away or nothing, and neither is claimed.
#[test]
fn a_break_glass_user_that_may_lose_something_is_said_to() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*","Condition":{"BinaryEquals":{"kms:RecipientAttestation:ImageSha384":"QmluYXJ5"}}}]}"#;
    let mut before = desired();
    before.guardrails.break_glass.insert(user("glass"));
    let glass = before.user("glass");
    glass
        .inline_policies
        .insert(inline("keys"), PolicyDocument::parse(text).unwrap());
    let live = live_of(&before);
    before.user("glass").inline_policies.remove(&inline("keys"));
    let found = plan(&before, &live);
    let found = messages(&found, GuardrailCode::BreakGlass);
    assert!(
        found.len() == 1 && found[0].contains("might be weakened: kms:Encrypt on"),
        "{found:?}"
    );
}

#[test]
fn a_deny_of_old_mfa_asks_for_mfa_too() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:a","Resource":"*","Condition":{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"3600"}}}]}"#;
    let mut before = desired();
    let bob = before.user("bob");
    bob.inline_policies
        .insert(inline("mfa"), PolicyDocument::parse(text).unwrap());
    bob.inline_policies.insert(inline("work"), document(&["allow s3:a"]));
    let live = live_of(&before);
    before.user("bob").inline_policies.remove(&inline("mfa"));
    assert_eq!(
        messages(&plan(&before, &live), GuardrailCode::Mfa),
        ["user `bob` would be allowed without MFA what a deny keeps from it now, for example s3:a on *"]
    );
    // Denies that ask for something else, or for nothing: what goes with them has nothing to do with MFA.
    let other = text
        .replace("NumericGreaterThan", "StringEquals")
        .replace("aws:MultiFactorAuthAge", "aws:PrincipalTag/team");
    for deny in [PolicyDocument::parse(&other).unwrap(), document(&["deny s3:a"])] {
        let mut live = live.clone();
        let bob = live.users.get_mut(&user("bob")).unwrap();
        bob.inline_policies.insert(inline("mfa"), deny);
        assert_eq!(messages(&plan(&before, &live), GuardrailCode::Mfa), [""; 0]);
    }
}

#[test]
fn another_alias_is_told_from_a_removed_one() {
    let mut wanted = desired();
    wanted.account.alias = Some(AliasWish::Present(Alias::new("acme").unwrap()));
    let mut live = live_of(&wanted);
    live.account.alias = Some(Alias::new("old").unwrap());
    assert_eq!(
        messages(&plan(&wanted, &live), GuardrailCode::Alias),
        ["the alias `old` would become `acme`: the old sign-in URL stops working, and anybody can take the old name"]
    );
    wanted.account.alias = Some(AliasWish::Absent);
    assert_eq!(
        messages(&plan(&wanted, &live), GuardrailCode::Alias),
        ["the alias `old` would be removed: its sign-in URL stops working, and anybody can take the name"]
    );
}

/// A plan of drift alone has no call for what is pending, and nothing to warn of.
#[test]
fn what_the_manifest_asks_and_the_plan_leaves_fires_nothing() {
    let custom = |minimum_password_length| trueup_model::PasswordPolicy {
        minimum_password_length,
        ..trueup_model::PasswordPolicy::default()
    };
    let mut applied = desired();
    applied.policy("limit", &["allow s3:a"]);
    applied.user("bob").permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    applied.account.alias = Some(AliasWish::Present(Alias::new("acme").unwrap()));
    applied.account.password_policy = Some(PasswordPolicyWish::Custom(custom(14)));
    let mut then = live_of(&applied);
    then.account.alias = Some(Alias::new("acme").unwrap());
    then.account.password_policy = Some(custom(14));
    let mut wanted = applied.clone();
    wanted.policies.get_mut(&policy("limit")).unwrap().document = document(&["allow s3:*"]);
    wanted.account.alias = Some(AliasWish::Absent);
    wanted.account.password_policy = Some(PasswordPolicyWish::Custom(custom(8)));
    let all: Vec<_> = plan(&wanted, &then)
        .guardrails
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(
        all,
        [
            GuardrailCode::PasswordPolicy,
            GuardrailCode::Boundary,
            GuardrailCode::Alias
        ]
    );
    let mut now = then.clone();
    now.users
        .get_mut(&user("bob"))
        .unwrap()
        .managed_policies
        .insert(admin_arn());
    let applied = Applied {
        facts: &plan(&applied, &then).facts,
        asked: &trueup_planner::asked(&applied, &then, options().as_of),
    };
    let found = trueup_planner::plan_since(&wanted, &now, &options(), &applied, Some(Only::Drift)).unwrap();
    assert_eq!(found.actions.len(), 1);
    assert!(found.guardrails.is_empty(), "{:?}", found.guardrails);
}

/// Who is taken out of a group that is not managed is counted, and so is everybody who could be.
#[test]
fn memberships_in_groups_that_are_not_managed_count_on_both_sides() {
    let mut wanted = desired();
    wanted.scope.groups.paths.clear();
    for name in ["alice", "bob", "carol"] {
        wanted.user(name);
    }
    let mut before = wanted.clone();
    before.group("operators");
    let mut live = live_of(&before);
    for name in ["alice", "bob", "carol"] {
        live.users
            .get_mut(&user(name))
            .unwrap()
            .groups
            .insert(group("operators"));
    }
    let found = plan(&wanted, &live);
    assert_eq!(
        messages(&found, GuardrailCode::Deletions),
        ["3 of 3 memberships in scope would be deleted; the limit is 2 where there are fewer than 10"]
    );
}
