//! Nobody can do more at any moment than before or after, in whatever order an executor takes that the plan allows.
//!
//! The oracle shares nothing with the planner: it keeps an account of single actions and asks of every person and every
//! action whether it is allowed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trueup_model::{
    Desired, GroupName, Live, PolicyArn, PolicyDocument, UserName,
    desired::{BoundaryWish, LoginProfileWish, PolicyRef},
    document::Statement,
};
use trueup_planner::{ActionId, Call, Plan, PlanError, VersionRef};

use crate::build::{
    Declare, actions, admin_arn, arn, desired, document, group, inline, live_of, live_policy, plan, policy, try_plan,
    user,
};

/// An account that single calls act on.
#[derive(Clone, Default)]
pub(crate) struct Account {
    pub(crate) users: BTreeMap<UserName, User>,
    pub(crate) groups: BTreeMap<GroupName, Group>,
    pub(crate) policies: BTreeMap<PolicyArn, (String, BTreeMap<String, PolicyDocument>, usize)>,
    pub(crate) made: BTreeMap<ActionId, String>,
}

#[derive(Clone, Default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) tags: trueup_model::Tags,
    pub(crate) groups: BTreeSet<GroupName>,
    pub(crate) attached: BTreeSet<PolicyArn>,
    pub(crate) inline: BTreeMap<String, PolicyDocument>,
    pub(crate) boundary: Option<PolicyArn>,
}

#[derive(Clone, Default)]
pub(crate) struct Group {
    pub(crate) attached: BTreeSet<PolicyArn>,
    pub(crate) inline: BTreeMap<String, PolicyDocument>,
}

impl Account {
    pub(crate) fn of(live: &Live) -> Self {
        let text = |documents: &BTreeMap<trueup_model::InlinePolicyName, PolicyDocument>| {
            documents
                .iter()
                .map(|(name, document)| (name.as_str().to_owned(), document.clone()))
                .collect()
        };
        Self {
            users: live
                .users
                .values()
                .map(|user| {
                    let holds = User {
                        id: user.id.clone(),
                        tags: user.tags.clone(),
                        groups: user.groups.clone(),
                        attached: user.managed_policies.clone(),
                        inline: text(&user.inline_policies),
                        boundary: user.permissions_boundary.clone(),
                    };
                    (user.name.clone(), holds)
                })
                .collect(),
            groups: live
                .groups
                .values()
                .map(|group| {
                    (
                        group.name.clone(),
                        Group {
                            attached: group.managed_policies.clone(),
                            inline: text(&group.inline_policies),
                        },
                    )
                })
                .collect(),
            policies: live
                .policies
                .values()
                .map(|policy| {
                    let versions: BTreeMap<String, PolicyDocument> = policy
                        .versions
                        .iter()
                        .map(|(id, version)| (id.clone(), version.document.clone()))
                        .collect();
                    let count = versions.len();
                    (policy.arn.clone(), (policy.default_version.clone(), versions, count))
                })
                .collect(),
            made: BTreeMap::new(),
        }
    }

    fn version(&self, version: &VersionRef) -> String {
        match version {
            VersionRef::Id(id) => id.clone(),
            VersionRef::CreatedBy(action) => self.made[action].clone(),
        }
    }

    /// As strict as IAM about what is missing, what is in the way and how much fits.
    pub(crate) fn call(&mut self, id: ActionId, call: &Call) {
        match call {
            Call::CreateUser {
                user_name,
                permissions_boundary,
                tags,
                ..
            } => {
                let user = User {
                    id: format!("new {user_name}"),
                    tags: tags.clone(),
                    boundary: permissions_boundary.clone(),
                    ..User::default()
                };
                assert!(self.users.insert(user_name.clone(), user).is_none());
            }
            Call::DeleteUser { user_name } => {
                let user = self.users.remove(user_name).unwrap();
                assert!(
                    user.groups.is_empty() && user.attached.is_empty() && user.inline.is_empty(),
                    "DeleteConflict"
                );
            }
            Call::CreateGroup { group_name, .. } => {
                assert!(self.groups.insert(group_name.clone(), Group::default()).is_none())
            }
            Call::DeleteGroup { group_name } => {
                let group = self.groups.remove(group_name).unwrap();
                assert!(group.attached.is_empty() && group.inline.is_empty(), "DeleteConflict");
                assert!(
                    self.users.values().all(|user| !user.groups.contains(group_name)),
                    "DeleteConflict"
                );
            }
            Call::AddUserToGroup { group_name, user_name } => {
                assert!(self.groups.contains_key(group_name));
                let user = self.users.get_mut(user_name).unwrap();
                user.groups.insert(group_name.clone());
                assert!(user.groups.len() <= 10, "LimitExceeded");
            }
            Call::RemoveUserFromGroup { group_name, user_name } => {
                assert!(self.users.get_mut(user_name).unwrap().groups.remove(group_name));
            }
            Call::AttachUserPolicy { user_name, policy_arn } => {
                assert!(policy_arn.is_aws_managed() || self.policies.contains_key(policy_arn));
                let user = self.users.get_mut(user_name).unwrap();
                user.attached.insert(policy_arn.clone());
                assert!(user.attached.len() <= 10, "LimitExceeded");
            }
            Call::DetachUserPolicy { user_name, policy_arn } => {
                assert!(self.users.get_mut(user_name).unwrap().attached.remove(policy_arn));
            }
            Call::AttachGroupPolicy { group_name, policy_arn } => {
                assert!(policy_arn.is_aws_managed() || self.policies.contains_key(policy_arn));
                let group = self.groups.get_mut(group_name).unwrap();
                group.attached.insert(policy_arn.clone());
                assert!(group.attached.len() <= 10, "LimitExceeded");
            }
            Call::DetachGroupPolicy { group_name, policy_arn } => {
                assert!(self.groups.get_mut(group_name).unwrap().attached.remove(policy_arn));
            }
            Call::PutUserPolicy {
                user_name,
                policy_name,
                policy_document,
            } => {
                let user = self.users.get_mut(user_name).unwrap();
                user.inline
                    .insert(policy_name.as_str().to_owned(), policy_document.clone());
                assert!(
                    user.inline.values().map(PolicyDocument::size).sum::<usize>() <= 2048,
                    "LimitExceeded"
                );
            }
            Call::DeleteUserPolicy { user_name, policy_name } => {
                assert!(
                    self.users
                        .get_mut(user_name)
                        .unwrap()
                        .inline
                        .remove(policy_name.as_str())
                        .is_some()
                );
            }
            Call::PutGroupPolicy {
                group_name,
                policy_name,
                policy_document,
            } => {
                let group = self.groups.get_mut(group_name).unwrap();
                group
                    .inline
                    .insert(policy_name.as_str().to_owned(), policy_document.clone());
                assert!(
                    group.inline.values().map(PolicyDocument::size).sum::<usize>() <= 5120,
                    "LimitExceeded"
                );
            }
            Call::DeleteGroupPolicy {
                group_name,
                policy_name,
            } => {
                assert!(
                    self.groups
                        .get_mut(group_name)
                        .unwrap()
                        .inline
                        .remove(policy_name.as_str())
                        .is_some()
                );
            }
            Call::PutUserPermissionsBoundary {
                user_name,
                permissions_boundary,
            } => {
                assert!(self.policies.contains_key(permissions_boundary));
                self.users.get_mut(user_name).unwrap().boundary = Some(permissions_boundary.clone());
            }
            Call::DeleteUserPermissionsBoundary { user_name } => {
                assert!(self.users.get_mut(user_name).unwrap().boundary.take().is_some());
            }
            Call::CreatePolicy {
                policy_name,
                policy_document,
                ..
            } => {
                let versions = BTreeMap::from([("v1".to_owned(), policy_document.clone())]);
                assert!(
                    self.policies
                        .insert(arn(policy_name.as_str()), ("v1".to_owned(), versions, 1))
                        .is_none()
                );
            }
            Call::CreatePolicyVersion {
                policy_arn,
                policy_document,
            } => {
                let (_, versions, count) = self.policies.get_mut(policy_arn).unwrap();
                *count += 1;
                let version = format!("v{count}");
                versions.insert(version.clone(), policy_document.clone());
                assert!(versions.len() <= 5, "LimitExceeded");
                self.made.insert(id, version);
            }
            Call::SetDefaultPolicyVersion { policy_arn, version } => {
                let version = self.version(version);
                let (default, versions, _) = self.policies.get_mut(policy_arn).unwrap();
                assert!(versions.contains_key(&version));
                *default = version;
            }
            Call::DeletePolicyVersion { policy_arn, version } => {
                let version = self.version(version);
                let (default, versions, _) = self.policies.get_mut(policy_arn).unwrap();
                assert_ne!(*default, version, "DeleteConflict");
                assert!(versions.remove(&version).is_some());
            }
            Call::DeletePolicy { policy_arn } => {
                let (_, versions, _) = self.policies.remove(policy_arn).unwrap();
                assert_eq!(versions.len(), 1, "DeleteConflict");
                assert!(
                    self.groups.values().all(|group| !group.attached.contains(policy_arn)),
                    "DeleteConflict"
                );
                assert!(
                    self.users
                        .values()
                        .all(|user| !user.attached.contains(policy_arn) && user.boundary.as_ref() != Some(policy_arn)),
                    "DeleteConflict"
                );
            }
            Call::UpdateUser {
                user_name,
                new_user_name,
                ..
            } => {
                let user = self.users.remove(user_name).unwrap();
                assert!(self.users.insert(new_user_name.clone().unwrap(), user).is_none());
            }
            Call::TagUser { user_name, tags, .. } => {
                self.users.get_mut(user_name).unwrap().tags.extend(tags.clone());
            }
            Call::UntagUser { user_name, tag_keys } => {
                let user = self.users.get_mut(user_name).unwrap();
                user.tags.retain(|key, _| !tag_keys.contains(key));
            }
            // Whether somebody can sign in is no matter here: everybody counts as if they could.
            Call::DeleteLoginProfile { .. } => {}
            other => panic!("{} is not part of this test", other.operation()),
        }
    }

    fn managed(&self, arn: &PolicyArn) -> PolicyDocument {
        match self.policies.get(arn) {
            Some((default, versions, _)) => versions[default].clone(),
            None => document(&["allow *"]),
        }
    }

    fn may(&self, name: &UserName, user: &User, (action, resource): (&str, &str)) -> bool {
        let mut documents: Vec<PolicyDocument> = user.inline.values().cloned().collect();
        documents.extend(user.attached.iter().map(|arn| self.managed(arn)));
        for group in user.groups.iter().filter_map(|group| self.groups.get(group)) {
            documents.extend(group.inline.values().cloned());
            documents.extend(group.attached.iter().map(|arn| self.managed(arn)));
        }
        let boundary = user.boundary.as_ref().map(|arn| self.managed(arn));
        let applies = |statement: &Statement| {
            let glob = trueup_model::glob_matches_ignoring_case;
            let home = statement
                .resources()
                .iter()
                .any(|pattern| pattern.contains("${aws:username}"));
            let team = !statement.conditions().is_empty();
            statement.actions().iter().any(|pattern| glob(pattern, action))
                && (!home || resource == name.as_str())
                && (!team || user.tags.get("team").is_some_and(|team| team == "red"))
        };
        let matches = |document: &PolicyDocument, allow: bool| {
            document
                .statements()
                .iter()
                .any(|statement| statement.is_allow() == allow && applies(statement))
        };
        let allowed = documents.iter().any(|document| matches(document, true));
        let denied = documents
            .iter()
            .chain(&boundary)
            .any(|document| matches(document, false));
        allowed && !denied && boundary.as_ref().is_none_or(|boundary| matches(boundary, true))
    }

    /// What everybody may do, people told apart by `who`.
    pub(crate) fn access(
        &self,
        who: fn(&UserName, &User) -> String,
    ) -> BTreeSet<(String, (&'static str, &'static str))> {
        let mut access = BTreeSet::new();
        for (name, user) in &self.users {
            for request in REQUESTS {
                if self.may(name, user, request) {
                    access.insert((who(name, user), request));
                }
            }
        }
        access
    }
}

pub(crate) fn by_id(_: &UserName, user: &User) -> String {
    user.id.clone()
}

pub(crate) fn by_name(name: &UserName, _: &User) -> String {
    name.to_string()
}

/// Actions and resources; only folders are told apart.
const REQUESTS: [(&str, &str); 10] = [
    ("s3:a", ""),
    ("s3:b", ""),
    ("s3:c", ""),
    ("s3:d", ""),
    ("ec2:x", ""),
    ("s3:team", ""),
    ("s3:home", "u0"),
    ("s3:home", "u1"),
    ("s3:home", "old0"),
    ("s3:home", "old1"),
];
const STATEMENTS: [&str; 18] = [
    "allow s3:a",
    "allow s3:b",
    "allow s3:c",
    "allow s3:d",
    "allow s3:*",
    "allow *",
    "allow ec2:x",
    "allow home",
    "allow team",
    "deny s3:a",
    "deny s3:b",
    "deny s3:c",
    "deny s3:d",
    "deny s3:*",
    "deny ec2:x",
    "deny *",
    "deny home",
    "deny team",
];

/// Runs the plan in an order that `seed` picks among those that the edges allow, and checks every moment.
pub(crate) fn run(live: &Live, plan: &Plan, seed: u64) -> Account {
    let mut account = Account::of(live);
    let before = account.access(by_id);
    let existing: BTreeSet<String> = account.users.values().map(|user| user.id.clone()).collect();
    let mut end = account.clone();
    for action in &plan.actions {
        end.call(action.id, &action.call);
    }
    let after = end.access(by_id);
    let mut open: Vec<_> = plan.actions.iter().collect();
    let mut done: BTreeSet<ActionId> = BTreeSet::new();
    let mut state = seed;
    while !open.is_empty() {
        let ready: Vec<usize> = (0..open.len())
            .filter(|i| open[*i].after.iter().all(|id| done.contains(id)))
            .collect();
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let pick = ready[usize::try_from(state >> 33).unwrap() % ready.len()];
        let action = open.remove(pick);
        account.call(action.id, &action.call);
        done.insert(action.id);
        for (who, what) in account.access(by_id) {
            // People whom the plan creates have no credentials yet.
            let fine = !existing.contains(&who)
                || before.contains(&(who.clone(), what))
                || after.contains(&(who.clone(), what));
            assert!(
                fine,
                "after {} {}: {who} may {what:?}\n{:#?}",
                action.call.operation(),
                action.resource,
                actions(plan)
            );
        }
    }
    account
}

fn documents() -> impl Strategy<Value = PolicyDocument> {
    proptest::sample::subsequence(STATEMENTS.to_vec(), 1..=3).prop_map(|statements| document(&statements))
}

#[derive(Debug, Clone)]
pub(crate) struct Side {
    policies: Vec<PolicyDocument>,
    groups: Vec<(Vec<Option<PolicyDocument>>, Vec<bool>)>,
    users: Vec<(Vec<Option<PolicyDocument>>, Vec<bool>, Vec<bool>, Option<usize>)>,
    /// Of each user: whether it has another name before, and its tags `team` and `cost`.
    pub(crate) facts: Vec<(bool, Option<bool>, bool)>,
    present: Vec<bool>,
}

pub(crate) fn side() -> impl Strategy<Value = Side> {
    let flags = |n: usize| proptest::collection::vec(any::<bool>(), n);
    let inlines = || proptest::collection::vec(proptest::option::of(documents()), 2);
    (
        proptest::collection::vec(documents(), 3),
        proptest::collection::vec((inlines(), flags(3)), 2),
        proptest::collection::vec(
            (
                inlines(),
                flags(3),
                flags(2),
                proptest::option::weighted(0.4, 0..3_usize),
            ),
            2,
        ),
        proptest::collection::vec(
            (
                proptest::bool::weighted(0.3),
                proptest::option::of(any::<bool>()),
                any::<bool>(),
            ),
            2,
        ),
        proptest::collection::vec(proptest::bool::weighted(0.85), 4),
    )
        .prop_map(|(policies, groups, users, facts, present)| Side {
            policies,
            groups,
            users,
            facts,
            present,
        })
}

/// The state of one side; `old` where people may still have their former names.
pub(crate) fn build(side: &Side, old: bool) -> Desired {
    let mut desired = desired();
    for (index, document) in side.policies.iter().enumerate() {
        desired.policy(&format!("p{index}"), &["allow *"]).document = document.clone();
    }
    let chosen = |flags: &[bool]| -> BTreeSet<PolicyRef> {
        flags
            .iter()
            .enumerate()
            .filter(|(_, on)| **on)
            .map(|(index, _)| PolicyRef::Declared(policy(&format!("p{index}"))))
            .collect()
    };
    let named = |documents: &[Option<PolicyDocument>]| {
        documents
            .iter()
            .enumerate()
            .filter_map(|(i, d)| d.clone().map(|d| (inline(&format!("i{i}")), d)))
            .collect()
    };
    for (index, (documents, attached)) in side.groups.iter().enumerate().filter(|(index, _)| side.present[*index]) {
        let group = desired.group(&format!("g{index}"));
        group.inline_policies = named(documents);
        group.managed_policies = chosen(attached);
    }
    for (index, (documents, attached, groups, boundary)) in
        side.users.iter().enumerate().filter(|(i, _)| side.present[2 + *i])
    {
        let member_of = groups
            .iter()
            .enumerate()
            .filter(|(i, on)| **on && side.present[*i])
            .map(|(i, _)| crate::build::group(&format!("g{i}")))
            .collect();
        let (has_old_name, team, cost) = side.facts[index];
        let user = if old && has_old_name {
            desired.user(&format!("old{index}"))
        } else {
            desired.user(&format!("u{index}"))
        };
        if !old {
            user.previously = vec![crate::build::user(&format!("old{index}"))];
        }
        if let Some(red) = team {
            user.tags.insert("team".into(), if red { "red" } else { "blue" }.into());
        }
        if cost {
            user.tags.insert("cost".into(), "1".into());
        }
        user.inline_policies = named(documents);
        user.managed_policies = chosen(attached);
        user.groups = member_of;
        user.permissions_boundary = match boundary {
            Some(index) => BoundaryWish::Present(PolicyRef::Declared(policy(&format!("p{index}")))),
            None => BoundaryWish::Absent,
        };
    }
    desired
}

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
                ended = run(&live, &plan, seed.wrapping_add(1)).max_users(ended);
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

impl Account {
    /// Both runs must end alike.
    fn max_users(self, other: Self) -> Self {
        assert_eq!(self.access(by_id), other.access(by_id));
        self
    }
}

/// Somebody with a password and nothing else.
pub(crate) fn everything_read() -> trueup_model::live::Credentials {
    trueup_model::live::Credentials {
        login_profile: Some(Some(trueup_model::live::LoginProfile {
            created: crate::build::created(),
            password_reset_required: false,
        })),
        access_keys: Some(BTreeMap::new()),
        mfa_devices: Some(BTreeSet::new()),
        ssh_public_keys: Some(BTreeMap::new()),
        signing_certificates: Some(BTreeMap::new()),
        service_specific_credentials: Some(BTreeMap::new()),
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
