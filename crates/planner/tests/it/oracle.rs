//! An account of single actions, which single calls act on as strictly as IAM, and random ones of its kind.
//!
//! It shares nothing with the planner, and asks of every person and every action whether it is allowed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trueup_model::{
    Desired, GroupName, Live, PolicyArn, PolicyDocument, UserName,
    desired::{BoundaryWish, PolicyRef},
    document::Statement,
};
use trueup_planner::{ActionId, Call, Plan, VersionRef};

use crate::build::{Declare, actions, arn, desired, document, inline, policy};

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

impl Account {
    /// Both runs must end alike.
    pub(crate) fn ends_like(self, other: Self) -> Self {
        assert_eq!(self.access(by_id), other.access(by_id));
        self
    }
}
