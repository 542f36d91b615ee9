//! Groups and what hangs off them. Memberships are declared on users and planned there.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    GroupName, InlinePolicyName, Path, PolicyArn, PolicyDocument, Resource, desired::DesiredGroup, live::LiveGroup,
};

use crate::{
    Call, ChangeKind,
    draft::{Draft, field, rank},
    policies::document_fields,
    resolve::{Fate, Resolved},
    world::Effect,
};

/// Plans every declared group. Deletions come later, when memberships are planned: [`deletions`].
pub(crate) fn declared(resolved: &Resolved<'_>, draft: &mut Draft) {
    for fate in resolved.groups.values() {
        if let Fate::Declared { desired, live } = fate {
            match live {
                None => create(resolved, desired, draft),
                Some(live) => update(resolved, desired, live, draft),
            }
        }
    }
}

fn create(resolved: &Resolved<'_>, desired: &DesiredGroup, draft: &mut Draft) {
    // `previously` found nothing live, `mfa` is a requirement: both are dealt with elsewhere.
    let DesiredGroup {
        name,
        path,
        previously: _,
        managed_policies,
        inline_policies,
        mfa: _,
    } = desired;
    let resource = Resource::group(name);
    let reason = "declared, and not in the account";
    let path = path.clone().unwrap_or_else(Path::root);
    draft.change(
        resource.clone(),
        ChangeKind::Create,
        reason,
        vec![field("path", None::<String>, path.as_str())],
    );
    let step = draft.step(
        rank::GROUP,
        Call::CreateGroup {
            group_name: name.clone(),
            path,
        },
        &resource,
        reason,
    );
    draft.group_ready.insert(name.clone(), step);
    let arns = managed_policies
        .iter()
        .map(|reference| resolved.arn(reference))
        .collect();
    contents(
        name,
        &resource,
        (&BTreeSet::new(), &arns),
        (&BTreeMap::new(), inline_policies),
        "part of a new group",
        draft,
    );
}

fn update(resolved: &Resolved<'_>, desired: &DesiredGroup, live: &LiveGroup, draft: &mut Draft) {
    let DesiredGroup {
        name,
        path,
        previously: _,
        managed_policies,
        inline_policies,
        mfa: _,
    } = desired;
    let resource = Resource::group(name);
    let renamed = !name.same_spelling(&live.name);
    let moved = path.as_ref().filter(|path| **path != live.path);
    if renamed || moved.is_some() {
        let mut fields = Vec::new();
        if renamed {
            fields.push(field("name", live.name.as_str(), name.as_str()));
        }
        if let Some(path) = moved {
            fields.push(field("path", live.path.as_str(), path.as_str()));
        }
        let (change, reason) = if renamed {
            (ChangeKind::Rename, format!("renamed from {}", live.name))
        } else {
            (ChangeKind::Update, "the manifest names another path".to_owned())
        };
        draft.change(resource.clone(), change, &reason, fields);
        let call = Call::UpdateGroup {
            group_name: live.name.clone(),
            new_group_name: renamed.then(|| name.clone()),
            new_path: moved.cloned(),
        };
        let step = draft.step(rank::RENAME, call, &resource, &reason);
        draft.group_ready.insert(name.clone(), step);
    }
    let arns = managed_policies
        .iter()
        .map(|reference| resolved.arn(reference))
        .collect();
    contents(
        name,
        &resource,
        (&live.managed_policies, &arns),
        (&live.inline_policies, inline_policies),
        &format!("in the manifest's entry for `{name}`"),
        draft,
    );
}

/// Plans attachments and inline policies from what is to what should be.
fn contents(
    name: &GroupName,
    group: &Resource,
    (attached, wanted): (&BTreeSet<PolicyArn>, &BTreeSet<PolicyArn>),
    (inline, wanted_inline): (
        &BTreeMap<InlinePolicyName, PolicyDocument>,
        &BTreeMap<InlinePolicyName, PolicyDocument>,
    ),
    reason: &str,
    draft: &mut Draft,
) {
    for arn in wanted.difference(attached) {
        let resource = group.attachment(arn);
        draft.change(resource.clone(), ChangeKind::Create, reason, Vec::new());
        attach(name, arn, &resource, reason, draft);
    }
    let missing = format!("not in the manifest's entry for `{name}`");
    for arn in attached.difference(wanted) {
        let resource = group.attachment(arn);
        draft.change(resource.clone(), ChangeKind::Delete, &missing, Vec::new());
        detach(name, arn, &resource, &missing, draft);
    }
    for (policy, document) in wanted_inline {
        let before = inline.get(policy);
        if before == Some(document) {
            continue;
        }
        let resource = group.inline_policy(policy);
        let (change, why) = match before {
            None => (ChangeKind::Create, reason),
            Some(_) => (ChangeKind::Update, "differs from the manifest"),
        };
        draft.change(resource.clone(), change, why, document_fields(before, Some(document)));
        let call = Call::PutGroupPolicy {
            group_name: name.clone(),
            policy_name: policy.clone(),
            policy_document: document.clone(),
        };
        let effect = Effect::GroupInline(name.clone(), policy.clone(), Some(document.clone()));
        let step = draft.step_with(rank::GROUP_POLICY, call, &resource, why, effect);
        draft.needs_group(step, name);
    }
    for (policy, document) in inline.iter().filter(|(policy, _)| !wanted_inline.contains_key(*policy)) {
        let resource = group.inline_policy(policy);
        draft.change(
            resource.clone(),
            ChangeKind::Delete,
            &missing,
            document_fields(Some(document), None),
        );
        delete_inline(name, policy, &resource, &missing, draft);
    }
}

fn attach(name: &GroupName, arn: &PolicyArn, resource: &Resource, reason: &str, draft: &mut Draft) {
    let call = Call::AttachGroupPolicy {
        group_name: name.clone(),
        policy_arn: arn.clone(),
    };
    let effect = Effect::GroupAttachment(name.clone(), arn.clone(), true);
    let step = draft.step_with(rank::GROUP_POLICY, call, resource, reason, effect);
    draft.needs_group(step, name);
    draft.needs_policy(step, arn);
}

fn detach(name: &GroupName, arn: &PolicyArn, resource: &Resource, reason: &str, draft: &mut Draft) -> usize {
    let call = Call::DetachGroupPolicy {
        group_name: name.clone(),
        policy_arn: arn.clone(),
    };
    let effect = Effect::GroupAttachment(name.clone(), arn.clone(), false);
    let step = draft.step_with(rank::REMOVE, call, resource, reason, effect);
    draft.needs_group(step, name);
    step
}

fn delete_inline(
    name: &GroupName,
    policy: &InlinePolicyName,
    resource: &Resource,
    reason: &str,
    draft: &mut Draft,
) -> usize {
    let call = Call::DeleteGroupPolicy {
        group_name: name.clone(),
        policy_name: policy.clone(),
    };
    let effect = Effect::GroupInline(name.clone(), policy.clone(), None);
    let step = draft.step_with(rank::REMOVE, call, resource, reason, effect);
    draft.needs_group(step, name);
    step
}

/// Plans the deletion of groups: members first, then what hangs off the group, then the group.
///
/// Must come after users, whose own plans take members out of dying groups.
pub(crate) fn deletions(resolved: &Resolved<'_>, draft: &mut Draft) {
    for fate in resolved.groups.values() {
        let Fate::Deleted { live, reason } = fate else { continue };
        let resource = Resource::group(&live.name);
        let leaving: BTreeSet<usize> = draft
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| matches!(&step.call, Call::RemoveUserFromGroup { group_name, .. } if *group_name == live.name))
            .map(|(index, _)| index)
            .collect();
        draft.change(resource.clone(), ChangeKind::Delete, reason, Vec::new());
        let mut before = leaving.clone();
        for arn in &live.managed_policies {
            let part = resource.attachment(arn);
            draft.change(part.clone(), ChangeKind::Delete, reason, Vec::new());
            let step = detach(&live.name, arn, &part, reason, draft);
            draft.after(step, leaving.iter().copied());
            before.insert(step);
        }
        for (policy, document) in &live.inline_policies {
            let part = resource.inline_policy(policy);
            draft.change(
                part.clone(),
                ChangeKind::Delete,
                reason,
                document_fields(Some(document), None),
            );
            let step = delete_inline(&live.name, policy, &part, reason, draft);
            draft.after(step, leaving.iter().copied());
            before.insert(step);
        }
        let step = draft.step(
            rank::DELETE_GROUP,
            Call::DeleteGroup {
                group_name: live.name.clone(),
            },
            &resource,
            reason,
        );
        draft.after(step, before);
    }
}
