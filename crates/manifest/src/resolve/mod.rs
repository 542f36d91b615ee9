//! From [`Raw`] to [`Desired`]: what declarations mean together. Types, copies and defaults are filled in, references
//! are followed, and everything that only two places together make wrong is told with both places.

mod limits;
mod names;
mod pitfalls;
mod policies;
mod quotas;
mod scope;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Desired, GroupName, PolicyName, Tags,
    desired::{Absent, AbsentUser, DesiredAccount, DesiredGroup, DesiredPolicy, External},
    fold_tag_key,
};

use crate::{
    LintRule,
    context::Context,
    diagnostic::quoted,
    read::{
        Raw,
        raw::{RawAbsent, RawAccount, RawTag},
    },
};
use names::Names;

/// Makes the desired state. Problems are in the context; where it has errors, the answer is of no use.
pub(crate) fn resolve(context: &mut Context<'_>, raw: &Raw, lint_rules: &mut [LintRule]) -> Option<Desired> {
    let names = Names::collect(context, raw);
    names.check_absent(context, raw);
    names.check_previous(context, raw);
    refuse_nearly_empty(context, raw);
    let mut resolver = Resolver {
        context,
        raw,
        names: &names,
    };
    let desired = resolver.resolve();
    scope::check(resolver.context, raw, desired.as_ref());
    limits::check(resolver.context, raw, desired.as_ref());
    quotas::check(resolver.context, raw, desired.as_ref());
    pitfalls::check(resolver.context, raw, desired.as_ref(), lint_rules);
    desired
}

pub(crate) struct Resolver<'r, 'f> {
    context: &'r mut Context<'f>,
    raw: &'r Raw,
    names: &'r Names,
}

impl Resolver<'_, '_> {
    /// `None` only where there is no account id, which every other part is independent of.
    fn resolve(&mut self) -> Option<Desired> {
        let raw = self.raw;
        let policies = self.policies();
        let groups = self.groups();
        let users = self.users();
        let external = self.external();
        let RawAccount {
            id,
            alias,
            password_policy,
            root,
            declares_anything: _,
        } = raw.account.as_ref()?;
        Some(Desired {
            account: DesiredAccount {
                id: id.as_ref()?.value.clone(),
                alias: alias.clone(),
                password_policy: password_policy.clone(),
                root: *root,
            },
            scope: scope::resolve(raw),
            external,
            guardrails: raw.guardrails.clone(),
            hold: raw.hold.clone(),
            policies,
            groups,
            users,
            absent: Absent {
                users: raw
                    .absent_users
                    .iter()
                    .map(|entry| {
                        let absent = AbsentUser {
                            reason: entry.reason.clone(),
                            quarantine_days: raw.quarantine_days.get(&entry.name.value).copied(),
                        };
                        (entry.name.value.clone(), absent)
                    })
                    .collect(),
                groups: reasons(&raw.absent_groups),
                policies: reasons(&raw.absent_policies),
            },
        })
    }

    fn policies(&mut self) -> BTreeMap<PolicyName, DesiredPolicy> {
        let mut policies = BTreeMap::new();
        for policy in &self.raw.policies {
            let tags = tags_by_key(&policy.tags);
            let Some(document) = &policy.document else { continue };
            policies
                .entry(policy.name.value.clone())
                .or_insert_with(|| DesiredPolicy {
                    name: policy.name.value.clone(),
                    path: policy.path.as_ref().map(|path| path.value.clone()),
                    description: policy.description.clone(),
                    tags,
                    document: document.document.clone(),
                });
        }
        policies
    }

    fn groups(&mut self) -> BTreeMap<GroupName, DesiredGroup> {
        let mut groups = BTreeMap::new();
        for group in &self.raw.groups {
            let managed_policies = self.policy_refs(&group.managed_policies);
            groups.entry(group.name.value.clone()).or_insert_with(|| DesiredGroup {
                name: group.name.value.clone(),
                path: group.path.as_ref().map(|path| path.value.clone()),
                previously: group.previously.iter().map(|name| name.value.clone()).collect(),
                managed_policies,
                inline_policies: users::documents(&group.inline_policies),
                mfa: group.mfa,
            });
        }
        groups
    }

    /// AWS managed policies need no leave to be named, and policies of other accounts cannot be attached.
    fn external(&mut self) -> External {
        let account = self.account_id();
        let mut policies = BTreeSet::new();
        for arn in &self.raw.external_policies {
            if arn.value.is_aws_managed() {
                self.context
                    .warning(
                        "external",
                        arn.span,
                        "AWS managed policies may be named without being listed here",
                    )
                    .hint("leave it out");
                continue;
            }
            if let Some(account) = &account
                && arn.value.account() != account
            {
                let owner = arn.value.account().to_owned();
                self.context
                    .error(
                        "foreign-policy",
                        arn.span,
                        format!("this policy belongs to account {owner}, not to {account}"),
                    )
                    .hint("users and groups can have policies of their own account and of AWS only");
                continue;
            }
            policies.insert(arn.value.clone());
        }
        External {
            groups: self.raw.external_groups.iter().map(|name| name.value.clone()).collect(),
            policies,
        }
    }

    fn account_id(&self) -> Option<String> {
        let id = self.raw.account.as_ref()?.id.as_ref()?;
        Some(id.value.as_str().to_owned())
    }

    /// Tags of a user, whose keys ignore letter case.
    fn user_tags(&mut self, tags: &[RawTag]) -> Tags {
        let mut first: BTreeMap<String, &RawTag> = BTreeMap::new();
        for tag in tags {
            if let Some(first) = first.insert(fold_tag_key(&tag.key.value), tag) {
                self.context
                    .error(
                        "declared-twice",
                        tag.key.span,
                        format!("the tag {} stands here twice", quoted(&tag.key.value)),
                    )
                    .related("it stands here already", first.key.span)
                    .hint("tag keys of users are the same to IAM if they differ in case alone");
            }
        }
        tags_by_key(tags)
    }
}

fn tags_by_key(tags: &[RawTag]) -> Tags {
    tags.iter()
        .map(|tag| (tag.key.value.clone(), tag.value.clone()))
        .collect()
}

fn reasons<N: Clone + Ord>(entries: &[RawAbsent<N>]) -> BTreeMap<N, String> {
    entries
        .iter()
        .map(|entry| (entry.name.value.clone(), entry.reason.clone()))
        .collect()
}

/// A manifest that lost its contents must not pass for one that wants nothing.
fn refuse_nearly_empty(context: &mut Context<'_>, raw: &Raw) {
    let Some(root) = raw.root else { return };
    let declares = raw.account.as_ref().is_none_or(|account| account.declares_anything)
        || !(raw.users.is_empty() && raw.groups.is_empty() && raw.policies.is_empty())
        || !(raw.absent_users.is_empty() && raw.absent_groups.is_empty() && raw.absent_policies.is_empty());
    if !declares && !context.incomplete && !context.has_errors() {
        context
            .error(
                "declares-nothing",
                root,
                "this manifest declares nothing beside `version` and `account.id`",
            )
            .hint("declare users, groups, policies, or something of the account such as `password_policy`");
    }
}
