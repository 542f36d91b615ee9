//! Which names are declared where, and which names must not meet.

use std::{collections::BTreeMap, fmt};

use trueup_model::{GroupName, Path, PolicyArn, PolicyName, UserName};

use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    read::{
        Raw,
        raw::{RawAbsent, RawUserType},
        suggest::did_you_mean,
    },
};

/// Everything that can be named, with the place of its declaration.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) users: BTreeMap<UserName, Span>,
    pub(crate) groups: BTreeMap<GroupName, Span>,
    pub(crate) policies: BTreeMap<PolicyName, (Span, Option<Path>)>,
    pub(crate) external_groups: BTreeMap<GroupName, Span>,
    pub(crate) external_policies: BTreeMap<PolicyArn, Span>,
    /// By index into [`Raw::user_types`].
    pub(crate) types: BTreeMap<String, usize>,
}

/// Keeps the first declaration of a name, and complains about any other.
fn declare<N: Ord + Clone + fmt::Display>(
    context: &mut Context<'_>,
    kind: &str,
    first: &mut BTreeMap<N, Span>,
    name: &At<N>,
) {
    let Some(first_span) = first.get(&name.value) else {
        first.insert(name.value.clone(), name.span);
        return;
    };
    let first_span = *first_span;
    let same_spelling = context.text(first_span).trim_matches(['"', '\'']) == name.value.to_string();
    let hint = if same_spelling {
        "keep one of them"
    } else {
        "names are the same to IAM if they differ in case alone; keep one of them"
    };
    context
        .error(
            "declared-twice",
            name.span,
            format!("{kind} {} is declared twice", quoted(&name.value.to_string())),
        )
        .related("first declared here", first_span)
        .hint(hint);
}

impl Names {
    pub(crate) fn collect(context: &mut Context<'_>, raw: &Raw) -> Self {
        let mut names = Self::default();
        for user in &raw.users {
            declare(context, "user", &mut names.users, &user.name);
        }
        for group in &raw.groups {
            declare(context, "group", &mut names.groups, &group.name);
        }
        let mut policies = BTreeMap::new();
        for policy in &raw.policies {
            declare(context, "policy", &mut policies, &policy.name);
            let path = policy.path.as_ref().map(|path| path.value.clone());
            names
                .policies
                .entry(policy.name.value.clone())
                .or_insert((policy.name.span, path));
        }
        for (index, user_type) in raw.user_types.iter().enumerate() {
            names.types.insert(user_type.name.value.clone(), index);
        }
        for group in &raw.external_groups {
            if let Some(declared) = names.groups.get(&group.value) {
                conflict(
                    context,
                    group.span,
                    &format!("group {} is external", quoted(group.value.as_str())),
                    *declared,
                );
            }
            names.external_groups.insert(group.value.clone(), group.span);
        }
        let account = raw.account.as_ref().and_then(|account| account.id.as_ref());
        for arn in &raw.external_policies {
            let is_ours = account.is_some_and(|id| id.value.as_str() == arn.value.account());
            if let Some((declared, _)) = names.policies.get(&arn.value.policy_name()).filter(|_| is_ours) {
                let what = format!("policy {} is external", quoted(arn.value.policy_name().as_str()));
                conflict(context, arn.span, &what, *declared);
            }
            names.external_policies.insert(arn.value.clone(), arn.span);
        }
        names
    }

    /// What is absent is neither declared, nor external, nor absent twice.
    pub(crate) fn check_absent(&self, context: &mut Context<'_>, raw: &Raw) {
        let groups = self.groups.iter().chain(&self.external_groups);
        check_absent_kind(context, "user", &raw.absent_users, self.users.iter());
        check_absent_kind(context, "group", &raw.absent_groups, groups);
        let policies: Vec<_> = self
            .policies
            .iter()
            .map(|(name, (span, _))| (name.clone(), *span))
            .collect();
        let external = self
            .external_policies
            .iter()
            .map(|(arn, span)| (arn.policy_name(), *span));
        let policies: BTreeMap<_, _> = external.chain(policies).collect();
        check_absent_kind(context, "policy", &raw.absent_policies, policies.iter());
    }

    /// An earlier name belongs to one entity, and to nothing that the manifest still names.
    pub(crate) fn check_previous(&self, context: &mut Context<'_>, raw: &Raw) {
        let users = raw.users.iter().map(|user| (&user.name, user.previously.as_slice()));
        check_previous_kind(context, "user", users, &self.users, &raw.absent_users);
        let mut taken = self.groups.clone();
        taken.extend(self.external_groups.iter().map(|(name, span)| (name.clone(), *span)));
        let groups = raw
            .groups
            .iter()
            .map(|group| (&group.name, group.previously.as_slice()));
        check_previous_kind(context, "group", groups, &taken, &raw.absent_groups);
    }

    /// Whether users may be members of a group; complains where they may not.
    pub(crate) fn check_group(&self, context: &mut Context<'_>, raw: &Raw, group: &At<GroupName>) {
        let known = self.groups.contains_key(&group.value) || self.external_groups.contains_key(&group.value);
        if known || context.incomplete {
            return;
        }
        let shown = quoted(group.value.as_str());
        if let Some(absent) = raw.absent_groups.iter().find(|absent| absent.name.value == group.value) {
            context
                .error("unknown-group", group.span, format!("group {shown} is declared absent"))
                .related("declared absent here", absent.name.span);
            return;
        }
        let candidates = self.groups.keys().chain(self.external_groups.keys());
        let hint = did_you_mean(group.value.as_str(), candidates.map(GroupName::as_str))
            .unwrap_or_else(|| "declare it under `groups`, or name it under `external.groups`".to_owned());
        context
            .error(
                "unknown-group",
                group.span,
                format!("there is no group {shown} in this manifest"),
            )
            .hint(hint);
    }

    /// The type of a user; complains where there is none of that name.
    pub(crate) fn user_type<'r>(
        &self,
        context: &mut Context<'_>,
        raw: &'r Raw,
        name: &At<String>,
    ) -> Option<&'r RawUserType> {
        if let Some(index) = self.types.get(&name.value) {
            return raw.user_types.get(*index);
        }
        if !context.incomplete {
            let hint = did_you_mean(&name.value, self.types.keys().map(String::as_str))
                .unwrap_or_else(|| "declare it under `user_types`".to_owned());
            context
                .error(
                    "unknown-type",
                    name.span,
                    format!("there is no type {} in this manifest", quoted(&name.value)),
                )
                .hint(hint);
        }
        None
    }
}

fn conflict(context: &mut Context<'_>, span: Span, what: &str, declared: Span) {
    context
        .error("declared-twice", span, format!("{what}, and declared as well"))
        .related("declared here", declared)
        .hint("what is external is never edited; keep one of the two");
}

fn check_absent_kind<'n, N: Ord + Clone + fmt::Display + 'n>(
    context: &mut Context<'_>,
    kind: &str,
    absent: &[RawAbsent<N>],
    named: impl Iterator<Item = (&'n N, &'n Span)>,
) {
    let named: BTreeMap<&N, Span> = named.map(|(name, span)| (name, *span)).collect();
    let mut first = BTreeMap::new();
    for entry in absent {
        declare(context, &format!("absent {kind}"), &mut first, &entry.name);
        if let Some(span) = named.get(&entry.name.value) {
            let shown = quoted(&entry.name.value.to_string());
            context
                .error(
                    "absent-and-declared",
                    entry.name.span,
                    format!("{kind} {shown} is absent, and declared as well"),
                )
                .related("declared here", *span)
                .hint("take the entry out of one of the two places");
        }
    }
}

fn check_previous_kind<'n, N: Ord + Clone + fmt::Display + 'n>(
    context: &mut Context<'_>,
    kind: &str,
    entities: impl Iterator<Item = (&'n At<N>, &'n [At<N>])>,
    taken: &BTreeMap<N, Span>,
    absent: &[RawAbsent<N>],
) {
    let mut claimed: BTreeMap<N, Span> = BTreeMap::new();
    for (name, previously) in entities {
        for old in previously {
            let shown = quoted(&old.value.to_string());
            if old.value == name.value {
                context
                    .error(
                        "previously",
                        old.span,
                        format!("{shown} is the name that this {kind} has now"),
                    )
                    .hint("leave it out: a difference in case alone is a rename anyway");
            } else if let Some(span) = taken.get(&old.value) {
                context
                    .error(
                        "previously",
                        old.span,
                        format!("{shown} is still the name of another {kind}"),
                    )
                    .related("declared here", *span)
                    .hint("an earlier name is one that nothing has any more");
            } else if let Some(entry) = absent.iter().find(|entry| entry.name.value == old.value) {
                context
                    .error(
                        "previously",
                        old.span,
                        format!("{kind} {shown} is to be renamed, and absent as well"),
                    )
                    .related("declared absent here", entry.name.span)
                    .hint("take it out of `absent`: after the rename it does not exist");
            } else if let Some(first) = claimed.get(&old.value) {
                let first = *first;
                context
                    .error(
                        "previously",
                        old.span,
                        format!("{shown} is the earlier name of two {kind}s"),
                    )
                    .related("named here already", first);
            } else {
                claimed.insert(old.value.clone(), old.span);
            }
        }
    }
}
