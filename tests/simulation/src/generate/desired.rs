//! Random desired states, most of them made from what is live: a manifest describes an account that exists.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use trueup_model::{
    GroupName, IgnoreRule, IgnoreTarget, InlinePolicyName, KindScope, Live, Path, PolicyArn, PolicyDocument,
    PolicyName, Scope, Unmanaged, UserName,
    desired::{
        Absent, AbsentUser, AccessKeyRules, AccessKeysWish, AfterExpiry, AliasWish, BoundaryWish, DeletionLimit,
        Desired, DesiredAccount, DesiredGroup, DesiredPolicy, DesiredUser, Expiry, External, Guardrails,
        LoginProfileWish, MfaLevel, MfaRequirement, PasswordPolicyWish, PolicyRef, RootRequirements,
    },
    live::{LiveGroup, LivePolicy, LiveUser},
};

use super::{Profile, documents, live as living, names};
use crate::{random::Random, reconcile::today};

/// One manifest's meaning. It still has to be [closed](crate::case::Case::close).
pub(super) fn desired(random: &mut Random, profile: &Profile, live: &Live) -> Desired {
    let mut desired = Desired {
        account: account(random),
        scope: scope(random),
        external: External::default(),
        guardrails: Guardrails {
            max_deletions: *random.pick(&[DeletionLimit::Percent(25), DeletionLimit::Count(3)]),
            ..Guardrails::default()
        },
        hold: Vec::new(),
        policies: BTreeMap::new(),
        groups: BTreeMap::new(),
        users: BTreeMap::new(),
        absent: Absent::default(),
    };
    policies(random, profile, live, &mut desired);
    groups(random, profile, live, &mut desired);
    users(random, profile, live, &mut desired);
    desired
}

fn account(random: &mut Random) -> DesiredAccount {
    DesiredAccount {
        id: living::account_id(),
        alias: match random.below(5) {
            0 => Some(AliasWish::Absent),
            1 | 2 => Some(AliasWish::Present(living::alias(random))),
            _ => None,
        },
        password_policy: match random.below(5) {
            0 => Some(PasswordPolicyWish::AwsDefault),
            1 | 2 => Some(PasswordPolicyWish::Custom(living::password_policy(random))),
            _ => None,
        },
        root: RootRequirements {
            mfa_required: random.percent(30),
            access_keys_forbidden: random.percent(30),
            signing_certificates_forbidden: random.percent(30),
        },
    }
}

fn kind_scope(random: &mut Random, paths: &[&str]) -> KindScope {
    KindScope {
        paths: paths.iter().map(|path| Path::from_live(*path)).collect(),
        unmanaged: if random.percent(35) {
            Unmanaged::Delete
        } else {
            Unmanaged::Report
        },
    }
}

fn scope(random: &mut Random) -> Scope {
    let owned = |random: &mut Random| -> KindScope {
        let choices: [&[&str]; 4] = [&["/"], &["/"], &["/platform/"], &["/platform/", "/payroll/"]];
        let paths = *random.pick(&choices);
        kind_scope(random, paths)
    };
    let mut ignore = Vec::new();
    let targets = [
        IgnoreTarget::User("LEGACY-*".to_owned()),
        IgnoreTarget::User("f*".to_owned()),
        IgnoreTarget::Group("tf-*".to_owned()),
        IgnoreTarget::Policy("tf-*".to_owned()),
        IgnoreTarget::Tag {
            key: "owner".to_owned(),
            value: "terra*".to_owned(),
        },
    ];
    for target in random.some(&targets, 0, 2) {
        ignore.push(IgnoreRule {
            target,
            reason: "somebody else's".to_owned(),
            until: random.percent(30).then(|| {
                let days = i64::try_from(random.below(20)).unwrap_or(0) - 10;
                today().saturating_add(days.days())
            }),
        });
    }
    let of_policies: &[&str] = if random.percent(75) { &["/"] } else { &["/platform/"] };
    Scope {
        users: owned(random),
        groups: owned(random),
        policies: kind_scope(random, of_policies),
        ignore_tags: match random.below(4) {
            0 => BTreeSet::from(["aws:*".to_owned(), "costcenter".to_owned()]),
            1 => BTreeSet::from(["cost*".to_owned()]),
            _ => BTreeSet::new(),
        },
        ignore,
    }
}

fn managed(profile: &Profile) -> documents::Style {
    documents::Style {
        managed: true,
        ..profile.style
    }
}

fn policies(random: &mut Random, profile: &Profile, live: &Live, desired: &mut Desired) {
    for name in &names::POLICIES[..profile.policies] {
        let name = PolicyName::from_live(living::spelt(random, name));
        let found = live.policies.get(&name);
        match (random.below(10), found) {
            (0..=4, Some(found)) => {
                let policy = policy_like(random, profile, name, found);
                desired.policies.insert(policy.name.clone(), policy);
            }
            (5, Some(found)) => {
                desired.external.policies.insert(found.arn.clone());
            }
            (6, _) => {
                desired.absent.policies.insert(name, "no longer needed".to_owned());
            }
            (7, Some(_)) => {}
            (0..=2 | 8, _) => {
                let policy = DesiredPolicy {
                    name,
                    path: random
                        .percent(50)
                        .then(|| Path::from_live(*random.pick(&["/", "/platform/"]))),
                    description: random.percent(30).then(|| "made by the simulation: {\"a\"}".to_owned()),
                    tags: living::tags(random),
                    document: documents::document(random, managed(profile), 0),
                };
                desired.policies.insert(policy.name.clone(), policy);
            }
            _ => {}
        }
    }
}

fn policy_like(random: &mut Random, profile: &Profile, name: PolicyName, live: &LivePolicy) -> DesiredPolicy {
    let metadata = live.metadata.clone().unwrap_or_default();
    let older: Vec<&PolicyDocument> = live.versions.values().map(|version| &version.document).collect();
    let now = live.document().expect("the default version is there");
    DesiredPolicy {
        name,
        path: random.percent(60).then(|| live.path.clone()),
        description: if random.percent(70) {
            metadata.description
        } else {
            Some("another".to_owned())
        },
        tags: if random.percent(60) {
            metadata.tags
        } else {
            living::tags(random)
        },
        document: match random.below(10) {
            0..=3 => now.clone(),
            4..=6 => documents::changed(random, managed(profile), now),
            // A version that is there already, so that no new one is needed.
            7 => (*random.pick(&older)).clone(),
            _ => documents::document(random, managed(profile), 0),
        },
    }
}

/// Something to attach that the manifest can name.
fn attachments(random: &mut Random, profile: &Profile, desired: &Desired) -> BTreeSet<PolicyRef> {
    let all = policy_refs(desired);
    let least = if profile.crowded { all.len().min(8) } else { 0 };
    random.some(&all, least, profile.attachments).into_iter().collect()
}

fn policy_refs(desired: &Desired) -> Vec<PolicyRef> {
    let declared = desired.policies.keys().cloned().map(PolicyRef::Declared);
    let external = desired.external.policies.iter().cloned().map(PolicyRef::Arn);
    let aws = (0..names::AWS.len()).map(|place| PolicyRef::Arn(living::aws(place)));
    aws.chain(declared).chain(external).collect()
}

fn reference(desired: &Desired, arn: &PolicyArn) -> PolicyRef {
    match desired.policies.get_key_value(&arn.policy_name()) {
        Some((name, _)) if !arn.is_aws_managed() => PolicyRef::Declared(name.clone()),
        _ => PolicyRef::Arn(arn.clone()),
    }
}

fn attachments_like(
    random: &mut Random,
    profile: &Profile,
    desired: &Desired,
    live: &BTreeSet<PolicyArn>,
) -> BTreeSet<PolicyRef> {
    let mut found: BTreeSet<PolicyRef> = live.iter().map(|arn| reference(desired, arn)).collect();
    if random.percent(40) {
        found.retain(|_| random.percent(60));
        let more = attachments(random, profile, desired);
        found.extend(more.into_iter().take(random.between(0, 2)));
    }
    found
}

fn inline_like(
    random: &mut Random,
    profile: &Profile,
    quota: usize,
    live: &BTreeMap<InlinePolicyName, PolicyDocument>,
) -> BTreeMap<InlinePolicyName, PolicyDocument> {
    let mut found = BTreeMap::new();
    for (name, document) in live {
        match random.below(10) {
            0..=4 => {
                found.insert(name.clone(), document.clone());
            }
            5..=7 => {
                found.insert(name.clone(), documents::changed(random, profile.style, document));
            }
            _ => {}
        }
    }
    if random.percent(25) {
        for (name, document) in living::inline(random, profile, quota) {
            found.entry(name).or_insert(document);
        }
    }
    found
}

fn groups(random: &mut Random, profile: &Profile, live: &Live, desired: &mut Desired) {
    for name in &names::GROUPS[..profile.groups] {
        let name = GroupName::from_live(living::spelt(random, name));
        let found = live.groups.get(&name);
        match (random.below(10), found) {
            (0..=4, Some(found)) => {
                let group = group_like(random, profile, desired, name, found);
                desired.groups.insert(group.name.clone(), group);
            }
            (5, Some(found)) => {
                desired.external.groups.insert(found.name.clone());
            }
            (6, _) => {
                desired.absent.groups.insert(name, "merged".to_owned());
            }
            (0..=3 | 8, _) => {
                let group = DesiredGroup {
                    name,
                    path: random.percent(50).then(|| living::path(random)),
                    // Whoever is live and not declared; what does not fit is dropped later.
                    previously: previous(random, &names::GROUPS)
                        .into_iter()
                        .map(GroupName::from_live)
                        .collect(),
                    managed_policies: attachments(random, profile, desired),
                    inline_policies: living::inline(random, profile, 5120),
                    mfa: mfa(random),
                };
                desired.groups.insert(group.name.clone(), group);
            }
            _ => {}
        }
    }
}

fn previous(random: &mut Random, names: &[&str]) -> Vec<String> {
    if random.percent(50) {
        let found = random.some(names, 1, 2);
        found.into_iter().map(|name| living::spelt(random, name)).collect()
    } else {
        Vec::new()
    }
}

fn mfa(random: &mut Random) -> Option<MfaRequirement> {
    random.percent(25).then(|| MfaRequirement {
        level: *random.pick(&[MfaLevel::Required, MfaLevel::Required, MfaLevel::Exempt]),
        grace_days: u32::try_from(random.below(2) * 7).unwrap_or(0),
    })
}

fn group_like(
    random: &mut Random,
    profile: &Profile,
    desired: &Desired,
    name: GroupName,
    live: &LiveGroup,
) -> DesiredGroup {
    DesiredGroup {
        name,
        path: match random.below(4) {
            0 => Some(living::path(random)),
            1 => None,
            _ => Some(live.path.clone()),
        },
        previously: Vec::new(),
        managed_policies: attachments_like(random, profile, desired, &live.managed_policies),
        inline_policies: inline_like(random, profile, 5120, &live.inline_policies),
        mfa: mfa(random),
    }
}

fn users(random: &mut Random, profile: &Profile, live: &Live, desired: &mut Desired) {
    let joinable: Vec<GroupName> = desired.groups.keys().chain(&desired.external.groups).cloned().collect();
    let least = if profile.crowded { joinable.len().min(9) } else { 0 };
    for name in names::USERS {
        let name = UserName::from_live(living::spelt(random, name));
        let found = live.users.get(&name);
        match (random.below(12), found) {
            (0..=6, Some(found)) => {
                let mut user = user_like(random, profile, desired, name, found);
                user.groups.retain(|group| joinable.contains(group));
                if random.percent(40) {
                    user.groups = random.some(&joinable, least, profile.memberships).into_iter().collect();
                }
                desired.users.insert(user.name.clone(), user);
            }
            (7, _) => {
                let gone = AbsentUser {
                    reason: "left".to_owned(),
                    quarantine_days: random.percent(40).then_some(30),
                };
                desired.absent.users.insert(name, gone);
            }
            (8, Some(_)) => {}
            (0..=2 | 9, _) if desired.users.len() < profile.users => {
                let user = DesiredUser {
                    path: random.percent(70).then(|| living::path(random)),
                    previously: previous(random, &names::USERS)
                        .into_iter()
                        .map(UserName::from_live)
                        .collect(),
                    tags: living::tags(random),
                    groups: random.some(&joinable, least, profile.memberships).into_iter().collect(),
                    managed_policies: attachments(random, profile, desired),
                    inline_policies: living::inline(random, profile, 2048),
                    permissions_boundary: boundary(random, desired),
                    login_profile: login_profile(random),
                    mfa: mfa(random),
                    expires: expires(random),
                    deliver_to: Vec::new(),
                    reset_password: None,
                    access_keys: access_keys(random),
                    name,
                };
                desired.users.insert(user.name.clone(), user);
            }
            _ => {}
        }
    }
}

fn boundary(random: &mut Random, desired: &Desired) -> BoundaryWish {
    match random.below(5) {
        0 => BoundaryWish::Absent,
        1 | 2 => BoundaryWish::Present(random.pick(&policy_refs(desired)).clone()),
        _ => BoundaryWish::Keep,
    }
}

fn login_profile(random: &mut Random) -> Option<LoginProfileWish> {
    match random.below(10) {
        0..=3 => Some(LoginProfileWish::Present {
            password_reset_required: random.percent(70),
        }),
        4 => Some(LoginProfileWish::Absent),
        _ => None,
    }
}

fn access_keys(random: &mut Random) -> Option<AccessKeysWish> {
    match random.below(8) {
        0 => Some(AccessKeysWish::Absent),
        1 | 2 => Some(AccessKeysWish::Present(AccessKeyRules {
            count: u32::try_from(random.between(1, 2)).unwrap_or(1),
            rotate_after_days: random.percent(50).then_some(90),
            overlap_days: *random.pick(&[0, 7]),
            maximum_unused_days: random.percent(30).then_some(45),
            description: random.percent(30).then(|| "made by the simulation".to_owned()),
        })),
        _ => None,
    }
}

fn expires(random: &mut Random) -> Option<Expiry> {
    random.percent(12).then(|| Expiry {
        on: today().saturating_add((i64::try_from(random.below(5)).unwrap_or(0) - 2).days()),
        then: *random.pick(&[AfterExpiry::Disable, AfterExpiry::Delete]),
    })
}

fn user_like(
    random: &mut Random,
    profile: &Profile,
    desired: &Desired,
    name: UserName,
    live: &LiveUser,
) -> DesiredUser {
    DesiredUser {
        name,
        path: match random.below(5) {
            0 => Some(living::path(random)),
            1 => None,
            _ => Some(live.path.clone()),
        },
        previously: Vec::new(),
        tags: if random.percent(60) {
            live.tags.clone()
        } else {
            living::tags(random)
        },
        groups: live.groups.clone(),
        managed_policies: attachments_like(random, profile, desired, &live.managed_policies),
        inline_policies: inline_like(random, profile, 2048, &live.inline_policies),
        permissions_boundary: match &live.permissions_boundary {
            Some(arn) if random.percent(60) => BoundaryWish::Present(reference(desired, arn)),
            _ => boundary(random, desired),
        },
        login_profile: login_profile(random),
        mfa: mfa(random),
        expires: expires(random),
        deliver_to: Vec::new(),
        reset_password: None,
        access_keys: access_keys(random),
    }
}
