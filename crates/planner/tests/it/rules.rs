//! What the manifest means, rule by rule.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Desired, GroupName, IgnoreRule, IgnoreTarget, KindScope, Live, Path, Unmanaged, UserName,
    desired::{AfterExpiry, BoundaryWish, Expiry, LoginProfileWish, PolicyRef},
    live::{AccessKey, Credentials, LoginProfile},
};
use trueup_planner::{Applied, Call, ChangeKind, PlanError};

use crate::build::{
    ACCOUNT, Declare, actions, admin_arn, arn, changes, created, date, desired, document, group, inline, live_of,
    options, plan, policy, try_plan, user,
};

fn problems(error: PlanError) -> String {
    error.to_string()
}

#[test]
fn an_account_in_sync_needs_no_plan() {
    let mut desired = desired();
    desired
        .policy("base", &["allow s3:a"])
        .tags
        .insert("owner".into(), "x".into());
    desired
        .group("readers")
        .managed_policies
        .insert(PolicyRef::Declared(policy("base")));
    let alice = desired.user("alice");
    alice.groups.insert(group("readers"));
    alice.inline_policies.insert(inline("own"), document(&["allow s3:b"]));
    alice.login_profile = Some(LoginProfileWish::Present {
        password_reset_required: true,
    });
    let mut live = live_of(&desired);
    // The person has chosen a new password since, which is no drift.
    let profile = LoginProfile {
        created: created(),
        password_reset_required: false,
    };
    live.users.get_mut(&user("alice")).unwrap().credentials.login_profile = Some(Some(profile));
    let plan = plan(&desired, &live);
    assert!(plan.changes.is_empty() && plan.actions.is_empty());
    assert_eq!((plan.overview.managed, plan.overview.unchanged), (3, 3));
}

#[test]
fn another_account_is_refused() {
    let mut desired = desired();
    let live = live_of(&desired);
    desired.account.id = trueup_model::AccountId::new("999999999999").unwrap();
    assert!(matches!(try_plan(&desired, &live), Err(PlanError::WrongAccount { .. })));
}

#[test]
fn a_new_user_comes_with_boundary_and_tags_in_one_call_and_its_password_last() {
    let mut wanted = desired();
    wanted.policy("limit", &["allow s3:*"]);
    wanted
        .group("readers")
        .inline_policies
        .insert(inline("read"), document(&["allow s3:a"]));
    let alice = wanted.user("alice");
    alice.tags.insert("owner".into(), "a".into());
    alice.permissions_boundary = BoundaryWish::Present(PolicyRef::Declared(policy("limit")));
    alice.groups.insert(group("readers"));
    alice.login_profile = Some(LoginProfileWish::Present {
        password_reset_required: true,
    });
    let plan = plan(&wanted, &live_of(&desired()));
    assert_eq!(
        actions(&plan),
        [
            "CreatePolicy policy/limit",
            "CreateGroup group/readers",
            "PutGroupPolicy group/readers/inline-policy/read",
            "CreateUser user/alice",
            "AddUserToGroup group/readers/member/alice",
            "CreateLoginProfile user/alice/login-profile",
        ]
    );
    let Call::CreateUser {
        permissions_boundary,
        tags,
        ..
    } = &plan.actions[3].call
    else {
        panic!()
    };
    assert_eq!(permissions_boundary.as_ref(), Some(&arn("limit")));
    assert_eq!(tags.len(), 1);
    let last: Vec<u32> = plan.actions[5].after.iter().map(|id| id.0).collect();
    assert!([3, 4, 5].iter().all(|id| last.contains(id)), "{last:?}");
}

#[test]
fn what_an_entry_leaves_out_is_removed() {
    let mut before = desired();
    before.group("old");
    let alice = before.user("alice");
    alice.tags.insert("team".into(), "x".into());
    alice.groups.insert(group("old"));
    alice.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    alice.inline_policies.insert(inline("own"), document(&["allow s3:b"]));
    let mut after = desired();
    after.group("old");
    after.user("alice");
    assert_eq!(
        changes(&plan(&after, &live_of(&before))),
        [
            "- group/old/member/alice",
            "~ user/alice",
            "- user/alice/inline-policy/own",
            "- user/alice/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess",
        ]
    );
}

#[test]
fn an_inline_policy_is_replaced_in_place() {
    let mut before = desired();
    before
        .user("alice")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:b"]));
    let mut after = desired();
    after
        .user("alice")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:b", "allow s3:c"]));
    assert_eq!(
        actions(&plan(&after, &live_of(&before))),
        ["PutUserPolicy user/alice/inline-policy/own"]
    );
}

#[test]
fn a_stranger_leaves_a_managed_group_and_an_ignored_one_is_reported() {
    let mut wanted = desired();
    wanted.group("admins");
    let mut live_side = wanted.clone();
    live_side.user("mallory").groups.insert(group("admins"));
    live_side.user("legacy-1").groups.insert(group("admins"));
    wanted.scope.ignore.push(IgnoreRule {
        target: IgnoreTarget::User("legacy-*".into()),
        reason: "payroll's".into(),
        until: None,
    });
    let plan = plan(&wanted, &live_of(&live_side));
    assert_eq!(changes(&plan), ["- group/admins/member/mallory"]);
    assert_eq!(plan.unmanaged.len(), 1);
    let ignored: Vec<&str> = plan.ignored.iter().map(|ignored| ignored.resource.as_str()).collect();
    assert_eq!(ignored, ["group/admins/member/legacy-1", "user/legacy-1"]);
}

#[test]
fn a_membership_in_an_ignored_group_is_left() {
    let mut wanted = desired();
    wanted.user("alice");
    let mut live_side = wanted.clone();
    live_side.group("tf-x");
    live_side.user("alice").groups.insert(group("tf-x"));
    wanted.scope.ignore.push(IgnoreRule {
        target: IgnoreTarget::Group("TF-*".into()),
        reason: "terraform's".into(),
        until: None,
    });
    let plan = plan(&wanted, &live_of(&live_side));
    assert!(plan.changes.is_empty());
    assert_eq!(plan.ignored.len(), 2);
}

#[test]
fn a_membership_that_is_declared_is_there_although_a_rule_ignores_the_external_group() {
    let mut wanted = desired();
    wanted.user("alice").groups.insert(group("tf-x"));
    wanted.external.groups.insert(group("tf-x"));
    let mut live_side = wanted.clone();
    live_side.group("tf-x");
    wanted.scope.ignore.push(IgnoreRule {
        target: IgnoreTarget::Group("tf-*".into()),
        reason: "terraform's".into(),
        until: None,
    });
    assert!(plan(&wanted, &live_of(&live_side)).changes.is_empty());
}

#[test]
fn unmanaged_entities_are_reported_and_deleted_only_on_request() {
    let mut live_side = desired();
    live_side.group("extra");
    live_side.user("extra").groups.insert(group("extra"));
    live_side.policy("extra", &["allow s3:a"]);
    let live = live_of(&live_side);
    let mut wanted = desired();
    let report = plan(&wanted, &live);
    assert!(report.changes.is_empty());
    assert_eq!(report.unmanaged.len(), 3);
    for scope in [
        &mut wanted.scope.users,
        &mut wanted.scope.groups,
        &mut wanted.scope.policies,
    ] {
        scope.unmanaged = Unmanaged::Delete;
    }
    let sweep = plan(&wanted, &live);
    assert_eq!(
        actions(&sweep),
        [
            "RemoveUserFromGroup group/extra/member/extra",
            "DeleteUser user/extra",
            "DeleteGroup group/extra",
            "DeletePolicy policy/extra",
        ]
    );
}

#[test]
fn what_is_out_of_scope_is_counted_and_left() {
    let mut live_side = desired();
    live_side.user("inside").path = Some(Path::new("/platform/").unwrap());
    live_side.user("outside");
    let mut wanted = desired();
    wanted.scope.users = KindScope {
        paths: BTreeSet::from([Path::new("/platform/").unwrap()]),
        unmanaged: Unmanaged::Delete,
    };
    let plan = plan(&wanted, &live_of(&live_side));
    assert_eq!(changes(&plan), ["- user/inside"]);
    assert_eq!(plan.overview.untouchable, 1);
}

#[test]
fn a_declared_user_outside_the_scope_or_ignored_is_an_error() {
    let mut wanted = desired();
    wanted.user("alice");
    let mut live = live_of(&wanted);
    live.users.get_mut(&user("alice")).unwrap().path = Path::new("/elsewhere/").unwrap();
    wanted.scope.users.paths = BTreeSet::from([Path::new("/platform/").unwrap()]);
    assert!(problems(try_plan(&wanted, &live).unwrap_err()).contains("outside the scope"));

    let mut wanted = desired();
    wanted.user("alice");
    let mut live = live_of(&wanted);
    live.users
        .get_mut(&user("alice"))
        .unwrap()
        .tags
        .insert("Managed-By".into(), "terraform".into());
    wanted.scope.ignore.push(IgnoreRule {
        target: IgnoreTarget::Tag {
            key: "managed-by".into(),
            value: "terraform".into(),
        },
        reason: "terraform's".into(),
        until: None,
    });
    assert!(problems(try_plan(&wanted, &live).unwrap_err()).contains("the ignore rule"));
}

#[test]
fn nothing_is_created_outside_the_scope() {
    let mut wanted = desired();
    wanted.user("alice");
    wanted.scope.users.paths = BTreeSet::from([Path::new("/platform/").unwrap()]);
    let Err(PlanError::Impossible(found)) = try_plan(&wanted, &live_of(&desired())) else {
        panic!()
    };
    assert_eq!(
        found[0].message,
        "user `alice` would be created at path /, outside the scope"
    );
    assert_eq!(
        found[0].hint.as_deref(),
        Some("declare its path, for example `path: /platform/`")
    );
    wanted.user("alice").path = Some(Path::new("/platform/").unwrap());
    assert_eq!(changes(&plan(&wanted, &live_of(&desired()))), ["+ user/alice"]);
}

#[test]
fn a_lapsed_rule_still_protects_and_warns() {
    let mut live_side = desired();
    live_side.user("legacy-1");
    let mut wanted = desired();
    wanted.scope.users.unmanaged = Unmanaged::Delete;
    wanted.scope.ignore.push(IgnoreRule {
        target: IgnoreTarget::User("legacy-*".into()),
        reason: "payroll's".into(),
        until: Some(date("2026-11-21")),
    });
    let plan = plan(&wanted, &live_of(&live_side));
    assert!(plan.changes.is_empty());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.strict && note.message.contains("lapsed"))
    );
}

#[test]
fn what_cloudformation_made_is_never_swept() {
    let mut live_side = desired();
    live_side.user("made");
    let mut live = live_of(&live_side);
    live.users
        .get_mut(&user("made"))
        .unwrap()
        .tags
        .insert("aws:cloudformation:stack-name".into(), "network".into());
    let mut wanted = desired();
    wanted.scope.users.unmanaged = Unmanaged::Delete;
    let plan = plan(&wanted, &live);
    assert!(plan.changes.is_empty());
    assert_eq!(plan.ignored[0].reason, "made by the CloudFormation stack network");
}

#[test]
fn a_rename_keeps_everything_and_later_calls_use_the_new_name() {
    let mut before = desired();
    before.group("team");
    let old = before.user("bob.smith");
    old.groups.insert(group("team"));
    let mut after = desired();
    after.group("team");
    let bob = after.user("bob");
    bob.previously = vec![user("bob.smith")];
    bob.groups.insert(group("team"));
    bob.tags.insert("owner".into(), "bob".into());
    let plan = plan(&after, &live_of(&before));
    assert_eq!(changes(&plan), ["r user/bob"]);
    assert_eq!(actions(&plan), ["UpdateUser user/bob", "TagUser user/bob"]);
    let Call::TagUser { user_name, .. } = &plan.actions[1].call else {
        panic!()
    };
    assert_eq!(user_name.as_str(), "bob");
    assert_eq!(plan.actions[1].after, [plan.actions[0].id]);
}

#[test]
fn previously_with_only_the_new_name_does_nothing_and_with_both_is_an_error() {
    let mut wanted = desired();
    wanted.user("bob").previously = vec![user("bob.smith")];
    assert!(plan(&wanted, &live_of(&wanted)).changes.is_empty());
    assert_eq!(changes(&plan(&wanted, &live_of(&desired()))), ["+ user/bob"]);
    let mut both = wanted.clone();
    both.user("bob.smith");
    let mut live = live_of(&both);
    live.users.get_mut(&user("bob")).unwrap().tags.clear();
    assert!(problems(try_plan(&wanted, &live).unwrap_err()).contains("both in the account"));
}

#[test]
fn a_difference_in_case_is_a_rename_for_users_and_groups() {
    let mut before = desired();
    before.user("Alice");
    before.group("Admins");
    let mut after = desired();
    after.user("alice");
    after.group("admins");
    let plan = plan(&after, &live_of(&before));
    assert_eq!(changes(&plan), ["r group/admins", "r user/alice"]);
}

#[test]
fn a_move_is_destructive_since_the_arn_changes() {
    let mut wanted = desired();
    wanted.user("alice");
    let live = live_of(&wanted);
    wanted.user("alice").path = Some(Path::new("/platform/").unwrap());
    let plan = plan(&wanted, &live);
    assert!(plan.changes[0].destructive);
    assert_eq!(actions(&plan), ["UpdateUser user/alice"]);
}

#[test]
fn a_path_left_out_is_kept() {
    let mut wanted = desired();
    wanted.user("alice");
    wanted.group("team");
    let mut live = live_of(&wanted);
    live.users.get_mut(&user("alice")).unwrap().path = Path::new("/a/").unwrap();
    live.groups.get_mut(&group("team")).unwrap().path = Path::new("/b/").unwrap();
    assert!(plan(&wanted, &live).changes.is_empty());
}

#[test]
fn a_boundary_left_out_is_kept() {
    let mut wanted = desired();
    wanted.policy("limit", &["allow s3:*"]);
    wanted.user("alice");
    let mut live = live_of(&wanted);
    live.users.get_mut(&user("alice")).unwrap().permissions_boundary = Some(arn("limit"));
    assert!(plan(&wanted, &live).changes.is_empty());
}

#[test]
fn tag_keys_of_users_ignore_case_and_reserved_ones_are_not_compared() {
    let mut wanted = desired();
    wanted.user("alice").tags.insert("team".into(), "x".into());
    let mut live = live_of(&wanted);
    let tags = &mut live.users.get_mut(&user("alice")).unwrap().tags;
    tags.clear();
    for (key, value) in [
        ("Team", "x"),
        ("trueup:x", "1"),
        ("AKIAIOSFODNN7EXAMPLE", "laptop"),
        ("aws:x", "y"),
        ("CostCenter", "7"),
    ] {
        tags.insert(key.into(), value.into());
    }
    wanted.scope.ignore_tags.insert("costcenter".into());
    let plan = plan(&wanted, &live);
    // Only the spelling of `team` differs, which one TagUser mends.
    assert_eq!(actions(&plan), ["TagUser user/alice"]);
    assert_eq!(plan.changes[0].fields.len(), 1);
}

#[test]
fn an_empty_tag_value_is_a_value() {
    let mut wanted = desired();
    wanted.user("alice").tags.insert("flag".into(), String::new());
    assert!(plan(&wanted, &live_of(&wanted)).changes.is_empty());
}

#[test]
fn tag_keys_of_policies_heed_case() {
    let mut wanted = desired();
    wanted
        .policy("base", &["allow s3:a"])
        .tags
        .insert("Cost".into(), "1".into());
    let mut live = live_of(&wanted);
    let metadata = live
        .policies
        .get_mut(&policy("base"))
        .unwrap()
        .metadata
        .as_mut()
        .unwrap();
    metadata.tags = BTreeMap::from([("cost".to_owned(), "1".to_owned())]);
    assert_eq!(
        actions(&plan(&wanted, &live)),
        ["UntagPolicy policy/base", "TagPolicy policy/base"]
    );
}

fn all_credentials() -> Credentials {
    let key = |active| AccessKey {
        active,
        created: created(),
        last_used: None,
    };
    Credentials {
        login_profile: Some(Some(LoginProfile {
            created: created(),
            password_reset_required: false,
        })),
        access_keys: Some(BTreeMap::from([
            ("AKIA1".to_owned(), key(true)),
            ("AKIA2".to_owned(), key(false)),
        ])),
        mfa_devices: Some(BTreeSet::from([
            "arn:aws:iam::123456789012:mfa/carol".to_owned(),
            "arn:aws:iam::123456789012:u2f/user/carol/key".to_owned(),
        ])),
        ssh_public_keys: Some(BTreeMap::from([("APKA1".to_owned(), true)])),
        signing_certificates: Some(BTreeMap::from([("CERT1".to_owned(), true)])),
        service_specific_credentials: Some(BTreeMap::from([("ACCA1".to_owned(), true)])),
    }
}

#[test]
fn a_user_goes_completely_in_an_order_that_fails_safely() {
    let mut live_side = desired();
    live_side.group("team");
    let carol = live_side.user("carol");
    carol.groups.insert(group("team"));
    carol.managed_policies.insert(PolicyRef::Arn(admin_arn()));
    carol.inline_policies.insert(inline("own"), document(&["allow s3:a"]));
    let mut live = live_of(&live_side);
    live.users.get_mut(&user("carol")).unwrap().credentials = all_credentials();
    let mut wanted = desired();
    wanted.group("team");
    wanted.absent.users.insert(user("CAROL"), "left".into());
    let plan = plan(&wanted, &live);
    let order = actions(&plan);
    let at = |what: &str| {
        order
            .iter()
            .position(|action| action.starts_with(what))
            .unwrap_or_else(|| panic!("{what} in {order:#?}"))
    };
    assert_eq!(order.len(), 14, "{order:#?}");
    let disabled = at("UpdateAccessKey user/carol/access-key/AKIA1").max(at("DeleteLoginProfile"));
    for authority in ["RemoveUserFromGroup", "DetachUserPolicy", "DeleteUserPolicy"] {
        assert!(disabled < at(authority));
    }
    for credential in [
        "DeleteAccessKey user/carol/access-key/AKIA2",
        "DeleteSSHPublicKey",
        "DeleteServiceSpecificCredential",
        "DeleteSigningCertificate",
    ] {
        assert!(at("DetachUserPolicy") < at(credential) && at(credential) < at("DeactivateMFADevice"));
    }
    assert!(
        at("DeactivateMFADevice user/carol/mfa-device/arn:aws:iam::123456789012:mfa/carol")
            < at("DeleteVirtualMFADevice")
    );
    assert_eq!(at("DeleteUser user/carol"), order.len() - 1);
    assert!(
        plan.changes
            .iter()
            .any(|change| change.resource.as_str() == "user/carol"
                && change.change == ChangeKind::Delete
                && change.destructive)
    );
}

#[test]
fn after_the_last_day_a_user_is_disabled_or_deleted() {
    let mut wanted = desired();
    wanted.user("carol").expires = Some(Expiry {
        on: date("2026-11-22"),
        then: AfterExpiry::Disable,
    });
    let mut live = live_of(&wanted);
    live.users.get_mut(&user("carol")).unwrap().credentials = all_credentials();
    // Through that day.
    assert!(plan(&wanted, &live).changes.is_empty());
    wanted.user("carol").expires = Some(Expiry {
        on: date("2026-11-21"),
        then: AfterExpiry::Disable,
    });
    assert_eq!(
        changes(&plan(&wanted, &live)),
        [
            "~ user/carol/access-key/AKIA1",
            "- user/carol/login-profile",
            "~ user/carol/service-specific-credential/ACCA1",
            "~ user/carol/signing-certificate/CERT1",
            "~ user/carol/ssh-public-key/APKA1"
        ]
    );
    wanted.user("carol").expires = Some(Expiry {
        on: date("2026-11-21"),
        then: AfterExpiry::Delete,
    });
    assert!(changes(&plan(&wanted, &live)).contains(&"- user/carol".to_owned()));
    // An expired user is not made again.
    assert!(plan(&wanted, &live_of(&desired())).changes.is_empty());
}

#[test]
fn a_group_goes_after_its_members_and_policies() {
    let mut live_side = desired();
    live_side
        .group("old")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:a"]));
    live_side
        .group("old")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    live_side.user("alice").groups.insert(group("old"));
    let mut wanted = desired();
    wanted.user("alice");
    wanted.absent.groups.insert(group("old"), "merged".into());
    let plan = plan(&wanted, &live_of(&live_side));
    let order = actions(&plan);
    assert_eq!(order.first().unwrap(), "RemoveUserFromGroup group/old/member/alice");
    assert_eq!(order.last().unwrap(), "DeleteGroup group/old");
    assert_eq!(order.len(), 4);
}

#[test]
fn a_policy_that_a_stranger_holds_cannot_be_deleted() {
    let mut live_side = desired();
    live_side.policy("base", &["allow s3:a"]);
    live_side
        .user("stranger")
        .managed_policies
        .insert(PolicyRef::Declared(policy("base")));
    let live = live_of(&live_side);
    let mut wanted = desired();
    wanted.absent.policies.insert(policy("base"), "gone".into());
    assert!(problems(try_plan(&wanted, &live).unwrap_err()).contains("user/stranger still hold it"));
    let mut sweep = desired();
    sweep.scope.policies.unmanaged = Unmanaged::Delete;
    let plan = plan(&sweep, &live);
    assert!(plan.changes.is_empty());
    assert!(
        plan.unmanaged
            .iter()
            .any(|listed| listed.reason.contains("user/stranger"))
    );
}

#[test]
fn adjustable_quotas_are_the_accounts_own() {
    let mut wanted = desired();
    for index in 0..12 {
        let name = format!("p{index}");
        wanted.policy(&name, &["allow s3:a"]);
        wanted
            .user("alice")
            .managed_policies
            .insert(PolicyRef::Declared(policy(&name)));
    }
    let mut live = live_of(&desired());
    assert!(problems(try_plan(&wanted, &live).unwrap_err()).contains("12 attached policies"));
    live.account.summary.insert("AttachedPoliciesPerUserQuota".into(), 20);
    assert!(try_plan(&wanted, &live).is_ok());
    live.account.summary.insert("PoliciesQuota".into(), 11);
    assert!(problems(try_plan(&wanted, &live).unwrap_err()).contains("quota of 11"));
}

#[test]
fn another_partition_is_an_error_with_the_right_arn() {
    let mut wanted = desired();
    wanted
        .user("alice")
        .managed_policies
        .insert(PolicyRef::Arn(admin_arn()));
    let mut live = live_of(&desired());
    live.account.partition = "aws-cn".into();
    let Err(PlanError::Impossible(found)) = try_plan(&wanted, &live) else {
        panic!()
    };
    assert_eq!(
        found[0].hint.as_deref(),
        Some("write `arn:aws-cn:iam::aws:policy/AdministratorAccess`")
    );
}

#[test]
fn only_what_decides_is_read() {
    let mut wanted = desired();
    wanted.user("alice").login_profile = Some(LoginProfileWish::Absent);
    wanted.user("bob");
    wanted.absent.users.insert(user("carol"), "left".into());
    let mut live_side = wanted.clone();
    live_side.user("carol");
    live_side.user("dave");
    let mut live = live_of(&live_side);
    for live_user in live.users.values_mut() {
        live_user.credentials = Credentials::default();
    }
    let needs = trueup_planner::needs(&wanted, &live, &options());
    let names: Vec<&str> = needs.users.keys().map(UserName::as_str).collect();
    assert_eq!(names, ["alice", "carol"]);
    assert!(needs.users[&user("alice")].login_profile && !needs.users[&user("alice")].everything);
    assert!(needs.users[&user("carol")].everything);
    assert!(!needs.virtual_mfa_devices);
}

#[test]
fn the_transition_digest_is_the_same_in_every_account() {
    let mut wanted = desired();
    wanted.policy("deploy", &["allow s3:a"]);
    wanted
        .group("team")
        .managed_policies
        .insert(trueup_model::desired::PolicyRef::Declared(crate::build::policy(
            "deploy",
        )));
    let own = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": ["arn:aws:iam::{ACCOUNT}:role/x", "arn:aws:iam::200000000000:role/x"]}}]}}"#
    );
    let own = trueup_model::PolicyDocument::parse(&own).unwrap();
    wanted.user("alice").inline_policies.insert(inline("own"), own);
    wanted.user("alice").groups.insert(group("team"));
    let mut live = live_of(&wanted);
    wanted.user("bob").groups.insert(group("team"));
    wanted.user("alice").tags.insert("a".into(), "b".into());
    live.users
        .get_mut(&user("alice"))
        .unwrap()
        .managed_policies
        .insert(admin_arn());

    let elsewhere = |text: String| text.replace(ACCOUNT, "310987654321").replace("arn:aws:", "arn:aws-cn:");
    let there: Desired = serde_json::from_str(&elsewhere(serde_json::to_string(&wanted).unwrap())).unwrap();
    let mut live_there: Live = serde_json::from_str(&elsewhere(serde_json::to_string(&live).unwrap())).unwrap();
    live_there.account.partition = "aws-cn".to_owned();
    for live_user in live_there.users.values_mut() {
        live_user.id.push_str("THERE");
    }
    let here = plan(&wanted, &live);
    let other = trueup_planner::plan(&there, &live_there, &options()).unwrap();
    assert_eq!(here.transition_digest, other.transition_digest);
    assert_ne!(here.digest, other.digest);
    assert_ne!(here.digest, here.transition_digest);
    // Another state, or another wish, is another transition.
    live_there.users.get_mut(&user("alice")).unwrap().groups.clear();
    let other = trueup_planner::plan(&there, &live_there, &options()).unwrap();
    assert_ne!(here.transition_digest, other.transition_digest);
    wanted.user("bob").tags.insert("a".into(), "b".into());
    assert_ne!(here.transition_digest, plan(&wanted, &live).transition_digest);
}

#[test]
fn what_drifted_is_told_from_what_is_pending() {
    let mut applied = desired();
    applied.group("team");
    applied.user("alice").groups.insert(group("team"));
    applied.user("alice").tags.insert("owner".into(), "alice".into());
    applied.user("bob");
    let live = live_of(&applied);
    let facts = plan(&applied, &live).facts;
    let asked = trueup_planner::asked(&applied, &live, options().as_of);
    let baseline = Applied {
        facts: &facts,
        asked: &asked,
    };

    // The manifest moves on, and the account moves away.
    let mut wanted = applied.clone();
    wanted.user("alice").tags.insert("team".into(), "red".into());
    wanted.user("bob").groups.insert(group("team"));
    wanted.user("carol");
    let mut moved = live.clone();
    let alice = moved.users.get_mut(&user("alice")).unwrap();
    alice.groups.clear();
    alice.tags.insert("owner".into(), "mallory".into());
    alice.managed_policies.insert(admin_arn());

    let now = trueup_planner::plan_since(&wanted, &moved, &options(), &baseline, None).unwrap();
    let origin = |resource: &str| {
        let found = now.changes.iter().find(|change| change.resource.as_str() == resource);
        found.unwrap().origin.unwrap().as_str()
    };
    assert_eq!(origin("group/team/member/alice"), "drift");
    assert_eq!(
        origin("user/alice/managed-policy/arn:aws:iam::aws:policy/AdministratorAccess"),
        "drift"
    );
    assert_eq!(origin("user/alice"), "both");
    assert_eq!(origin("group/team/member/bob"), "pending");
    assert_eq!(origin("user/carol"), "pending");

    // Somebody who was applied and is gone is drift; so is somebody new where the manifest is the same.
    let mut gone = live.clone();
    gone.users.remove(&user("bob"));
    let now = trueup_planner::plan_since(&applied, &gone, &options(), &baseline, None).unwrap();
    assert!(
        now.changes
            .iter()
            .all(|change| change.origin == Some(trueup_planner::Origin::Drift))
    );
    assert!(!now.changes.is_empty());
}

#[test]
fn the_digest_covers_what_the_plan_rests_on_and_nothing_else() {
    let mut wanted = desired();
    wanted.group("team");
    wanted.user("alice").groups.insert(GroupName::new("team").unwrap());
    wanted
        .user("alice")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:a", "allow s3:b"]));
    let live = live_of(&wanted);
    let base = plan(&wanted, &live);
    let mut same = live.clone();
    same.reads.insert("GetUser".into(), 7);
    same.users.insert(user("zed"), {
        let mut zed = same.users[&user("alice")].clone();
        zed.name = user("zed");
        zed.groups.clear();
        zed
    });
    assert_eq!(plan(&wanted, &same).digest, base.digest);
    // A document laid out otherwise is the same document.
    let mut reordered = wanted.clone();
    reordered
        .user("alice")
        .inline_policies
        .insert(inline("own"), document(&["allow s3:b", "allow s3:a"]));
    assert_eq!(plan(&reordered, &live).digest, base.digest);
    fn alice(live: &mut trueup_model::Live) -> &mut trueup_model::live::LiveUser {
        live.users.get_mut(&user("alice")).unwrap()
    }
    let mutations: [&dyn Fn(&mut trueup_model::Live); 7] = [
        &|live| alice(live).tags.extend([("a".into(), "b".into())]),
        &|live| alice(live).path = Path::new("/x/").unwrap(),
        &|live| alice(live).id.push('2'),
        &|live| alice(live).groups.clear(),
        &|live| alice(live).inline_policies.clear(),
        &|live| alice(live).managed_policies.extend([admin_arn()]),
        &|live| {
            live.groups
                .get_mut(&group("team"))
                .unwrap()
                .managed_policies
                .extend([admin_arn()])
        },
    ];
    for (index, mutate) in mutations.iter().enumerate() {
        let mut moved = live.clone();
        mutate(&mut moved);
        let other = plan(&wanted, &moved);
        assert_ne!(other.digest, base.digest, "mutation {index}");
        assert_ne!(other.facts, base.facts, "mutation {index}");
    }
    let mut tomorrow = options();
    tomorrow.as_of = date("2026-11-23");
    assert_ne!(
        trueup_planner::plan(&wanted, &live, &tomorrow).unwrap().digest,
        base.digest
    );
}
