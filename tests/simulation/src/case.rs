//! One case: a live account and what a manifest says of it, with everything consistent that IAM or the manifest's own
//! checks would insist on.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Desired, IgnoreTarget, InlinePolicyName, Live, Path, PolicyArn, PolicyDocument, Scope, Tags,
    desired::{BoundaryWish, LoginProfileWish, PasswordPolicyWish, PolicyRef},
    document::Statement,
    fold_tag_key, is_reserved_tag_key, quota,
};

/// A live account and a desired state.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The seed of everything that happens.
    pub seed: u64,
    /// The account.
    pub live: Live,
    /// What the manifest says.
    pub desired: Desired,
}

impl Case {
    /// Takes away, or bends, whatever IAM would not hold or a manifest could not say.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.close_live();
        self.close_names();
        self.close_scope();
        self.close_references();
        self.close_quotas();
        self.close_sign_ins();
        if self.declares_nothing() {
            self.desired.account.password_policy = Some(PasswordPolicyWish::AwsDefault);
        }
        self
    }

    fn declares_nothing(&self) -> bool {
        let Desired {
            account,
            policies,
            groups,
            users,
            absent,
            ..
        } = &self.desired;
        account.alias.is_none()
            && account.password_policy.is_none()
            && policies.is_empty()
            && groups.is_empty()
            && users.is_empty()
            && absent.users.is_empty()
            && absent.groups.is_empty()
            && absent.policies.is_empty()
    }

    fn close_live(&mut self) {
        let live = &mut self.live;
        let policies: BTreeSet<PolicyArn> = live.policies.values().map(|policy| policy.arn.clone()).collect();
        let exists = |arn: &PolicyArn| arn.is_aws_managed() || policies.contains(arn);
        let groups: BTreeSet<_> = live.groups.keys().cloned().collect();
        let per_user = live
            .account
            .summary
            .get("AttachedPoliciesPerUserQuota")
            .copied()
            .unwrap_or(10);
        for group in live.groups.values_mut() {
            group.managed_policies.retain(exists);
            truncate_set(&mut group.managed_policies, quota::ATTACHED_POLICIES_PER_GROUP);
            fit(&mut group.inline_policies, quota::GROUP_INLINE_POLICY_SIZE);
        }
        for user in live.users.values_mut() {
            user.managed_policies.retain(exists);
            truncate_set(&mut user.managed_policies, usize::try_from(per_user).unwrap_or(10));
            fit(&mut user.inline_policies, quota::USER_INLINE_POLICY_SIZE);
            user.permissions_boundary = user.permissions_boundary.take().filter(exists);
            user.groups.retain(|group| groups.contains(group));
            truncate_set(&mut user.groups, quota::GROUPS_PER_USER);
            one_key_each(&mut user.tags);
        }
        for role in live.roles.values_mut() {
            role.managed_policies.retain(exists);
            fit(&mut role.inline_policies, 10_240);
            role.permissions_boundary = role.permissions_boundary.take().filter(exists);
            one_key_each(&mut role.tags);
        }
        let users = &live.users;
        let devices = live.virtual_mfa_devices.get_or_insert_default();
        devices.retain(|device| {
            device.user.as_ref().is_none_or(|user| {
                let user = users.get(user).and_then(|user| user.credentials.mfa_devices.as_ref());
                user.is_some_and(|serials| serials.contains(&device.serial))
            })
        });
    }

    /// One name, one meaning: declared, formerly used, external or absent.
    fn close_names(&mut self) {
        let Self { live, desired, .. } = self;
        let mut taken = BTreeSet::new();
        let declared: BTreeSet<_> = desired.users.keys().cloned().collect();
        for user in desired.users.values_mut() {
            let found = live.users.contains_key(&user.name);
            user.previously
                .retain(|old| !declared.contains(old) && taken.insert(old.clone()));
            let mut lives = found;
            user.previously
                .retain(|old| !live.users.contains_key(old) || !std::mem::replace(&mut lives, true));
        }
        desired
            .absent
            .users
            .retain(|name, _| !declared.contains(name) && !taken.contains(name));

        let mut taken = BTreeSet::new();
        let declared: BTreeSet<_> = desired.groups.keys().cloned().collect();
        desired
            .external
            .groups
            .retain(|name| live.groups.contains_key(name) && !declared.contains(name));
        for group in desired.groups.values_mut() {
            let found = live.groups.contains_key(&group.name);
            let external = &desired.external.groups;
            group
                .previously
                .retain(|old| !declared.contains(old) && !external.contains(old) && taken.insert(old.clone()));
            let mut lives = found;
            group
                .previously
                .retain(|old| !live.groups.contains_key(old) || !std::mem::replace(&mut lives, true));
        }
        let external = &desired.external.groups;
        desired
            .absent
            .groups
            .retain(|name, _| !declared.contains(name) && !taken.contains(name) && !external.contains(name));

        let declared: BTreeSet<_> = desired.policies.keys().cloned().collect();
        desired.external.policies.retain(|arn| {
            live.policies.values().any(|policy| policy.arn == *arn) && !declared.contains(&arn.policy_name())
        });
        let external: BTreeSet<_> = desired.external.policies.iter().map(PolicyArn::policy_name).collect();
        desired
            .absent
            .policies
            .retain(|name, _| !declared.contains(name) && !external.contains(name));
    }

    /// What is declared or absent is in scope, and no rule ignores it.
    fn close_scope(&mut self) {
        let Self { live, desired, .. } = self;
        let Desired {
            scope,
            policies,
            groups,
            users,
            absent,
            ..
        } = desired;
        let home = |kind: &trueup_model::KindScope| kind.paths.first().cloned().unwrap_or_else(Path::root);

        policies.retain(|name, policy| match live.policies.get(name) {
            Some(found) => {
                policy.path = policy.path.take().filter(|path| *path == found.path);
                scope.policies.contains(&found.path)
            }
            None => {
                if !policy.path.as_ref().is_some_and(|path| scope.policies.contains(path)) {
                    policy.path = Some(home(&scope.policies));
                }
                true
            }
        });
        absent.policies.retain(|name, _| {
            live.policies
                .get(name)
                .is_none_or(|found| scope.policies.contains(&found.path))
        });
        for group in groups.values_mut() {
            let names = std::iter::once(&group.name).chain(&group.previously);
            let mut found = false;
            for name in names {
                if let Some(found_group) = live.groups.get_mut(name) {
                    found = true;
                    if !scope.groups.contains(&found_group.path) {
                        found_group.path = home(&scope.groups);
                    }
                }
            }
            let outside = group.path.as_ref().is_some_and(|path| !scope.groups.contains(path));
            if outside || (!found && group.path.is_none() && !scope.groups.contains(&Path::root())) {
                group.path = Some(home(&scope.groups));
            }
        }
        absent.groups.retain(|name, _| {
            live.groups
                .get(name)
                .is_none_or(|found| scope.groups.contains(&found.path))
        });
        for user in users.values_mut() {
            let names = std::iter::once(&user.name).chain(&user.previously);
            let mut found = false;
            for name in names {
                if let Some(found_user) = live.users.get_mut(name) {
                    found = true;
                    if !scope.users.contains(&found_user.path) {
                        found_user.path = home(&scope.users);
                    }
                }
            }
            let outside = user.path.as_ref().is_some_and(|path| !scope.users.contains(path));
            if outside || (!found && user.path.is_none() && !scope.users.contains(&Path::root())) {
                user.path = Some(home(&scope.users));
            }
        }
        absent.users.retain(|name, _| {
            live.users
                .get(name)
                .is_none_or(|found| scope.users.contains(&found.path))
        });

        for user in users.values_mut() {
            user.tags
                .retain(|key, _| !is_reserved_tag_key(key) && !scope.ignores_tag(key));
            one_key_each(&mut user.tags);
        }
        for policy in policies.values_mut() {
            policy
                .tags
                .retain(|key, _| !is_reserved_tag_key(key) && !scope.ignores_tag(key));
        }
        self.close_rules();
    }

    fn close_rules(&mut self) {
        let Self { live, desired, .. } = self;
        let Desired {
            scope,
            policies,
            groups,
            users,
            absent,
            ..
        } = desired;
        let rules = std::mem::take(&mut scope.ignore);
        for rule in rules {
            let alone = Scope {
                ignore: vec![rule.clone()],
                ..scope.clone()
            };
            let none = Tags::new();
            let user_names = users
                .values()
                .flat_map(|user| std::iter::once(&user.name).chain(&user.previously));
            let hits_user = user_names.chain(absent.users.keys()).any(|name| {
                let live_tags = live.users.get(name).map_or(&none, |found| &found.tags);
                let tags = users.get(name).map_or(&none, |user| &user.tags);
                [&none, live_tags, tags]
                    .iter()
                    .any(|tags| alone.ignores_user(name.as_str(), tags).is_some())
            });
            let group_names = groups
                .values()
                .flat_map(|group| std::iter::once(&group.name).chain(&group.previously));
            let hits_group = group_names
                .chain(absent.groups.keys())
                .any(|name| alone.ignores_group(name.as_str()).is_some());
            let hits_policy = policies.keys().chain(absent.policies.keys()).any(|name| {
                let metadata = live.policies.get(name).and_then(|found| found.metadata.as_ref());
                let live_tags = metadata.map_or(&none, |metadata| &metadata.tags);
                let tags = policies.get(name).map_or(&none, |policy| &policy.tags);
                [live_tags, tags]
                    .iter()
                    .any(|tags| alone.ignores_policy(name.as_str(), tags).is_some())
            });
            // A tag's rule is written for one kind of thing, and would be an error where it hits what is declared.
            let hits = match &rule.target {
                IgnoreTarget::User(_) => hits_user,
                IgnoreTarget::Group(_) => hits_group,
                IgnoreTarget::Policy(_) => hits_policy,
                IgnoreTarget::Tag { .. } => hits_user || hits_policy,
            };
            if !hits {
                scope.ignore.push(rule);
            }
        }
    }

    fn close_references(&mut self) {
        let Desired {
            policies,
            groups,
            users,
            external,
            ..
        } = &mut self.desired;
        let nameable = |reference: &PolicyRef| match reference {
            PolicyRef::Declared(name) => policies.contains_key(name),
            PolicyRef::Arn(arn) => arn.is_aws_managed() || external.policies.contains(arn),
        };
        let joinable: BTreeSet<_> = groups.keys().chain(&external.groups).cloned().collect();
        for group in groups.values_mut() {
            group.managed_policies.retain(nameable);
        }
        for user in users.values_mut() {
            user.managed_policies.retain(nameable);
            user.groups.retain(|group| joinable.contains(group));
            if matches!(&user.permissions_boundary, BoundaryWish::Present(reference) if !nameable(reference)) {
                user.permissions_boundary = BoundaryWish::Keep;
            }
        }
    }

    fn close_quotas(&mut self) {
        let Desired { groups, users, .. } = &mut self.desired;
        for group in groups.values_mut() {
            truncate_set(&mut group.managed_policies, quota::ATTACHED_POLICIES_PER_GROUP);
            fit(&mut group.inline_policies, quota::GROUP_INLINE_POLICY_SIZE);
        }
        for user in users.values_mut() {
            truncate_set(&mut user.managed_policies, quota::ATTACHED_POLICIES_PER_USER);
            truncate_set(&mut user.groups, quota::GROUPS_PER_USER);
            fit(&mut user.inline_policies, quota::USER_INLINE_POLICY_SIZE);
        }
    }

    /// A first sign-in that has to change the password, and may be denied it, is an error of the manifest.
    fn close_sign_ins(&mut self) {
        let Self { live, desired, .. } = self;
        let denies = |document: &PolicyDocument| document.statements().iter().any(Statement::is_deny);
        let has_denies = |reference: &PolicyRef| match reference {
            PolicyRef::Declared(name) => desired
                .policies
                .get(name)
                .is_some_and(|policy| denies(&policy.document)),
            PolicyRef::Arn(arn) if arn.is_aws_managed() => arn.as_str().ends_with("/AWSDenyAll"),
            PolicyRef::Arn(arn) => {
                let mut policies = live.policies.values().filter(|policy| policy.arn == *arn);
                policies.any(|policy| policy.document().is_some_and(denies))
            }
        };
        for user in desired.users.values_mut() {
            let mut groups = user.groups.iter();
            let may_be_denied = user.inline_policies.values().any(denies)
                || user.managed_policies.iter().any(has_denies)
                || !matches!(user.permissions_boundary, BoundaryWish::Absent)
                || groups.any(|name| match desired.groups.get(name) {
                    Some(group) => {
                        group.inline_policies.values().any(denies) || group.managed_policies.iter().any(has_denies)
                    }
                    None => true,
                });
            if let (
                true,
                Some(LoginProfileWish::Present {
                    password_reset_required,
                }),
            ) = (may_be_denied, &mut user.login_profile)
            {
                *password_reset_required = false;
            }
        }
    }

    /// Everything that stands in a policy on either side, and can be in force at some moment.
    pub fn documents(&self) -> impl Iterator<Item = &PolicyDocument> {
        let Live {
            users,
            groups,
            policies,
            roles,
            ..
        } = &self.live;
        let live = users.values().flat_map(|user| user.inline_policies.values());
        let live = live.chain(groups.values().flat_map(|group| group.inline_policies.values()));
        let live = live.chain(roles.values().flat_map(|role| role.inline_policies.values()));
        let versions = policies.values().flat_map(|policy| policy.versions.values());
        let live = live.chain(versions.map(|version| &version.document));
        let Desired {
            users,
            groups,
            policies,
            ..
        } = &self.desired;
        let desired = users.values().flat_map(|user| user.inline_policies.values());
        let desired = desired.chain(groups.values().flat_map(|group| group.inline_policies.values()));
        live.chain(desired)
            .chain(policies.values().map(|policy| &policy.document))
    }

    /// The AWS managed policies that either side names.
    pub fn aws_policies(&self) -> BTreeSet<&str> {
        let Live {
            users, groups, roles, ..
        } = &self.live;
        let live = users
            .values()
            .flat_map(|user| user.managed_policies.iter().chain(&user.permissions_boundary));
        let live = live.chain(groups.values().flat_map(|group| &group.managed_policies));
        let roles = roles
            .values()
            .flat_map(|role| role.managed_policies.iter().chain(&role.permissions_boundary));
        let Desired { users, groups, .. } = &self.desired;
        let boundaries = users.values().filter_map(|user| match &user.permissions_boundary {
            BoundaryWish::Present(reference) => Some(reference),
            BoundaryWish::Keep | BoundaryWish::Absent => None,
        });
        let attached = users.values().flat_map(|user| &user.managed_policies);
        let attached = attached.chain(groups.values().flat_map(|group| &group.managed_policies));
        let desired = attached.chain(boundaries).filter_map(|reference| match reference {
            PolicyRef::Arn(arn) => Some(arn),
            PolicyRef::Declared(_) => None,
        });
        let all = live.chain(roles).chain(desired);
        all.filter(|arn| arn.is_aws_managed()).map(PolicyArn::as_str).collect()
    }
}

fn truncate_set<T: Ord + Clone>(set: &mut BTreeSet<T>, most: usize) {
    while set.len() > most {
        set.pop_last();
    }
}

fn fit(policies: &mut BTreeMap<InlinePolicyName, PolicyDocument>, quota: usize) {
    while policies.values().map(PolicyDocument::size).sum::<usize>() > quota {
        policies.pop_last();
    }
}

/// Keys of users' and roles' tags that differ in case alone are one key.
fn one_key_each(tags: &mut Tags) {
    let mut seen = BTreeSet::new();
    tags.retain(|key, _| seen.insert(fold_tag_key(key)));
}
