//! Customer managed policies: created, changed by version, tagged, deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::{
    PolicyArn, PolicyDocument, Resource, Tags,
    desired::DesiredPolicy,
    live::LivePolicy,
    quota::{TAGS_PER_RESOURCE, VERSIONS_PER_POLICY},
};

use crate::{
    Call, ChangeKind, Field, VersionRef,
    draft::{Draft, field, rank},
    resolve::{Fate, Resolved},
    world::Effect,
};

/// Plans everything declared. Deletions come later, when it is known who is left holding a policy: [`deletions`].
pub(crate) fn declared(resolved: &Resolved<'_>, draft: &mut Draft) {
    for fate in resolved.policies.values() {
        if let Fate::Declared { desired, live } = fate {
            match live {
                None => create(resolved, desired, draft),
                Some(live) => update(resolved, desired, live, draft),
            }
        }
    }
}

fn create(resolved: &Resolved<'_>, desired: &DesiredPolicy, draft: &mut Draft) {
    let DesiredPolicy {
        name,
        path,
        description,
        tags,
        document,
    } = desired;
    let resource = Resource::policy(name);
    let reason = "declared, and not in the account";
    let path = path.clone().unwrap_or_else(trueup_model::Path::root);
    let mut fields = vec![field("path", None::<String>, path.as_str())];
    if let Some(description) = description {
        fields.push(field("description", None::<String>, description.as_str()));
    }
    fields.extend(tag_fields(&Tags::new(), tags));
    fields.extend(document_fields(None, Some(document)));
    draft.change(resource.clone(), ChangeKind::Create, reason, fields);
    let arn = PolicyArn::customer(&resolved.live.account.partition, &resolved.live.account.id, &path, name);
    let call = Call::CreatePolicy {
        policy_name: name.clone(),
        path,
        description: description.clone(),
        policy_document: document.clone(),
        tags: tags.clone(),
    };
    let effect = Effect::PolicyDefault(arn.clone(), document.clone());
    let step = draft.step_with(rank::POLICY, call, &resource, reason, effect);
    draft.policy_ready.insert(arn, step);
}

fn update(resolved: &Resolved<'_>, desired: &DesiredPolicy, live: &LivePolicy, draft: &mut Draft) {
    // The path was compared while matching: IAM cannot change it.
    let DesiredPolicy {
        name: _,
        path: _,
        description,
        tags,
        document,
    } = desired;
    let resource = Resource::policy(&live.name);
    let reason = "differs from the manifest";
    let mut fields = Vec::new();
    if let Some(metadata) = &live.metadata {
        if let Some(description) = description
            && metadata.description.as_deref().unwrap_or_default() != description
        {
            draft.note(
                Some(resource.clone()),
                "its description differs from the manifest's; IAM cannot change a policy's description".to_owned(),
            );
        }
        let compared = |tags: &Tags| -> Tags {
            tags.iter()
                .filter(|(key, _)| !resolved.desired.scope.ignores_tag(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        let before = compared(&metadata.tags);
        let gone: Vec<String> = before.keys().filter(|key| !tags.contains_key(*key)).cloned().collect();
        let new: Tags = tags
            .iter()
            .filter(|(key, value)| before.get(*key) != Some(value))
            .map(own_pair)
            .collect();
        let kept = metadata.tags.len() - gone.len();
        let added = new.keys().filter(|key| !metadata.tags.contains_key(*key)).count();
        if kept + added > TAGS_PER_RESOURCE {
            draft.problem(
                format!(
                    "policy `{}` would have {} tags with those that are ignored, IAM allows {TAGS_PER_RESOURCE}",
                    live.name,
                    kept + added
                ),
                None,
            );
        }
        fields.extend(tag_fields(&before, tags));
        let mut untagged = None;
        if !gone.is_empty() {
            let call = Call::UntagPolicy {
                policy_arn: live.arn.clone(),
                tag_keys: gone,
            };
            untagged = Some(draft.step(rank::POLICY, call, &resource, reason));
        }
        if !new.is_empty() {
            let call = Call::TagPolicy {
                policy_arn: live.arn.clone(),
                tags: new,
            };
            let step = draft.step(rank::POLICY, call, &resource, reason);
            draft.after(step, untagged);
        }
    }
    if live.document() != Some(document) {
        fields.extend(document_fields(live.document(), Some(document)));
        new_default(live, document, &resource, reason, draft);
    }
    if !fields.is_empty() {
        draft.change(resource, ChangeKind::Update, reason, fields);
    }
}

/// Makes `document` the default: with a version that already says it, else with a new one, for which the oldest
/// version that is not the default makes room.
///
/// The new version is made first and becomes the default in a second call, since IAM answered with denials where a
/// version that had not reached every replica was made the default at once.
pub(crate) fn new_default(
    live: &LivePolicy,
    document: &PolicyDocument,
    resource: &Resource,
    reason: &str,
    draft: &mut Draft,
) -> usize {
    let arn = live.arn.clone();
    let effect = Effect::PolicyDefault(arn.clone(), document.clone());
    let existing = live
        .versions
        .iter()
        .find(|(id, version)| **id != live.default_version && version.document == *document);
    if let Some((id, _)) = existing {
        let call = Call::SetDefaultPolicyVersion {
            policy_arn: arn,
            version: VersionRef::Id(id.clone()),
        };
        return draft.step_with(rank::POLICY, call, resource, reason, effect);
    }
    let mut pruned = None;
    if live.versions.len() >= VERSIONS_PER_POLICY
        && let Some(oldest) = versions_by_age(live)
            .into_iter()
            .find(|id| **id != live.default_version)
    {
        let call = Call::DeletePolicyVersion {
            policy_arn: arn.clone(),
            version: VersionRef::Id(oldest.clone()),
        };
        let why = format!("room for a new version: IAM keeps {VERSIONS_PER_POLICY}");
        pruned = Some(draft.step(rank::POLICY, call, &resource.version(oldest), &why));
    }
    let call = Call::CreatePolicyVersion {
        policy_arn: arn.clone(),
        policy_document: document.clone(),
    };
    let created = draft.step(rank::POLICY, call, resource, reason);
    draft.after(created, pruned);
    let version = VersionRef::CreatedBy(crate::ActionId(u32::try_from(created).unwrap_or(u32::MAX)));
    let call = Call::SetDefaultPolicyVersion {
        policy_arn: arn,
        version,
    };
    let set = draft.step_with(rank::POLICY, call, resource, reason, effect);
    draft.after(set, [created]);
    set
}

/// Version ids, oldest first. Ids are never reused and grow, which tells more than dates of one-second resolution.
fn versions_by_age(live: &LivePolicy) -> Vec<&String> {
    let number = |id: &str| {
        id.trim_start_matches('v')
            .split('.')
            .next()
            .and_then(|n| n.parse::<u64>().ok())
    };
    let mut ids: Vec<&String> = live.versions.keys().collect();
    ids.sort_by_key(|id| (number(id), (*id).clone()));
    ids
}

/// Plans the deletion of policies, once everything that detaches them is planned.
///
/// A policy that somebody else still holds afterwards cannot go: an error where the manifest asks for it by name,
/// and a line in the plan where it is only swept.
pub(crate) fn deletions(resolved: &mut Resolved<'_>, draft: &mut Draft) {
    let doomed: Vec<(LivePolicy, String)> = resolved
        .policies
        .values()
        .filter_map(|fate| match fate {
            Fate::Deleted { live, reason } => Some(((*live).clone(), reason.clone())),
            Fate::Declared { .. } => None,
        })
        .collect();
    for (live, reason) in doomed {
        let freed = freeing_steps(&live.arn, resolved, draft);
        let held: Vec<String> = direct_holders(resolved, &live.arn)
            .into_iter()
            .filter(|holder| !freed.contains_key(holder))
            .map(|holder| holder.to_string())
            .collect();
        if !held.is_empty() {
            if resolved.desired.absent.policies.contains_key(&live.name) {
                draft.problem(
                    format!(
                        "policy `{}` cannot be deleted: {} still hold it",
                        live.name,
                        held.join(", ")
                    ),
                    "detach it there first, or declare these entities".to_owned(),
                );
            } else {
                resolved.unmanaged.push(crate::Listed {
                    resource: Resource::policy(&live.name),
                    reason: format!("not in the manifest, and kept since {} hold it", held.join(", ")),
                });
            }
            resolved.policies.remove(&live.name);
            continue;
        }
        let resource = Resource::policy(&live.name);
        let fields = document_fields(live.document(), None);
        draft.change(resource.clone(), ChangeKind::Delete, &reason, fields);
        let mut before: BTreeSet<usize> = freed.into_values().flatten().collect();
        for id in versions_by_age(&live)
            .into_iter()
            .filter(|id| **id != live.default_version)
        {
            let call = Call::DeletePolicyVersion {
                policy_arn: live.arn.clone(),
                version: VersionRef::Id(id.clone()),
            };
            let step = draft.step(rank::DELETE_POLICY, call, &resource.version(id), &reason);
            let steps: Vec<usize> = before.iter().copied().collect();
            // Versions go only when nobody holds the policy any more, so that a failure leaves it as it was.
            draft.after(step, steps);
            before.insert(step);
        }
        let step = draft.step(
            rank::DELETE_POLICY,
            Call::DeletePolicy {
                policy_arn: live.arn.clone(),
            },
            &resource,
            &reason,
        );
        draft.after(step, before);
    }
}

/// Live entities to which a policy is attached, or whose boundary it is, by their live names.
fn direct_holders(resolved: &Resolved<'_>, arn: &PolicyArn) -> Vec<Resource> {
    let live = resolved.live;
    let groups = live
        .groups
        .values()
        .filter(|group| group.managed_policies.contains(arn))
        .map(|group| Resource::group(&group.name));
    let users = live
        .users
        .values()
        .filter(|user| user.managed_policies.contains(arn) || user.permissions_boundary.as_ref() == Some(arn))
        .map(|user| Resource::user(&user.name));
    let roles = live
        .roles
        .values()
        .filter(|role| role.managed_policies.contains(arn) || role.permissions_boundary.as_ref() == Some(arn))
        .map(|role| Resource::role(&role.name));
    groups.chain(users).chain(roles).collect()
}

/// Which holders let go of a policy in this plan, and by which steps.
fn freeing_steps(arn: &PolicyArn, resolved: &Resolved<'_>, draft: &Draft) -> BTreeMap<Resource, BTreeSet<usize>> {
    let mut freed: BTreeMap<Resource, BTreeSet<usize>> = BTreeMap::new();
    for holder in direct_holders(resolved, arn) {
        let mut steps = BTreeSet::new();
        let mut attached_freed = true;
        let mut boundary_freed = true;
        let find = |matches: &dyn Fn(&Call) -> bool| draft.steps.iter().position(|step| matches(&step.call));
        if let Some(user) = resolved
            .live
            .users
            .values()
            .find(|user| Resource::user(&user.name) == holder)
        {
            let name = resolved.user_after(&user.name);
            if user.managed_policies.contains(arn) {
                let step = find(
                    &|call| matches!(call, Call::DetachUserPolicy { user_name, policy_arn } if *user_name == name && policy_arn == arn),
                );
                attached_freed = step.is_some();
                steps.extend(step);
            }
            if user.permissions_boundary.as_ref() == Some(arn) {
                let step = find(&|call| match call {
                    Call::DeleteUserPermissionsBoundary { user_name } | Call::DeleteUser { user_name } => {
                        *user_name == name
                    }
                    Call::PutUserPermissionsBoundary {
                        user_name,
                        permissions_boundary,
                    } => *user_name == name && permissions_boundary != arn,
                    _ => false,
                });
                boundary_freed = step.is_some();
                steps.extend(step);
            }
        } else if let Some(group) = resolved
            .live
            .groups
            .values()
            .find(|group| Resource::group(&group.name) == holder)
        {
            let name = resolved.group_after(&group.name);
            let step = find(
                &|call| matches!(call, Call::DetachGroupPolicy { group_name, policy_arn } if *group_name == name && policy_arn == arn),
            );
            attached_freed = step.is_some();
            steps.extend(step);
        } else {
            // Roles are not managed, so they never let go.
            continue;
        }
        if attached_freed && boundary_freed {
            freed.insert(holder, steps);
        }
    }
    freed
}

pub(crate) fn own_pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// The tags that differ, one field each.
pub(crate) fn tag_fields(before: &Tags, after: &Tags) -> Vec<Field> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| field(format!("tags.{key}"), before.get(key).cloned(), after.get(key).cloned()))
        .collect()
}

/// What differs between two documents, statement by statement.
pub(crate) fn document_fields(before: Option<&PolicyDocument>, after: Option<&PolicyDocument>) -> Vec<Field> {
    trueup_model::document::diff(before, after)
        .into_iter()
        .map(|change| {
            let path = if change.cosmetic {
                format!("{} (no effect on access)", change.path)
            } else {
                change.path
            };
            let null_if_empty = |value: Value| {
                if value.as_array().is_some_and(Vec::is_empty) {
                    Value::Null
                } else {
                    value
                }
            };
            Field {
                path,
                before: null_if_empty(change.before),
                after: null_if_empty(change.after),
            }
        })
        .collect()
}
