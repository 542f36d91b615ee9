//! Customer managed policies: created, changed by version, tagged, deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::{
    PolicyArn, PolicyDocument, Resource, Tags, UserName,
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
            draft.problem_of(
                &Resource::policy(&live.name),
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
pub(crate) fn versions_by_age(live: &LivePolicy) -> Vec<&String> {
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
            Fate::Declared { .. } | Fate::Quarantined { .. } => None,
        })
        .collect();
    if doomed.is_empty() {
        return;
    }
    let holds = holds(resolved, draft);
    for (live, reason) in doomed {
        let holds = holds.get(&live.arn).map_or(&[][..], Vec::as_slice);
        let mut held: Vec<String> = holds
            .iter()
            .filter(|hold| hold.freed_by.is_none())
            .map(|hold| hold.holder.to_string())
            .collect();
        held.dedup();
        if !held.is_empty() {
            if resolved.desired.absent.policies.contains_key(&live.name) {
                draft.problem_of(
                    &Resource::policy(&live.name),
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
        let mut before: BTreeSet<usize> = holds.iter().filter_map(|hold| hold.freed_by).collect();
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

/// One attachment or boundary.
struct Hold {
    /// Who holds the policy, by its live name.
    holder: Resource,
    /// The step by which it lets go, if it does.
    freed_by: Option<usize>,
}

/// Who holds which policy. Roles are not managed, so they never let go.
fn holds<'a>(resolved: &Resolved<'a>, draft: &Draft) -> BTreeMap<&'a PolicyArn, Vec<Hold>> {
    let mut detached: BTreeMap<(Resource, &PolicyArn), usize> = BTreeMap::new();
    let mut unbounded: BTreeMap<&UserName, (usize, Option<&PolicyArn>)> = BTreeMap::new();
    for (index, step) in draft.steps.iter().enumerate() {
        match &step.call {
            Call::DetachUserPolicy { user_name, policy_arn } => {
                detached.insert((Resource::user(user_name), policy_arn), index);
            }
            Call::DetachGroupPolicy { group_name, policy_arn } => {
                detached.insert((Resource::group(group_name), policy_arn), index);
            }
            Call::DeleteUserPermissionsBoundary { user_name } | Call::DeleteUser { user_name } => {
                unbounded.insert(user_name, (index, None));
            }
            Call::PutUserPermissionsBoundary {
                user_name,
                permissions_boundary,
            } => {
                unbounded.insert(user_name, (index, Some(permissions_boundary)));
            }
            _ => {}
        }
    }
    let mut holds: BTreeMap<&PolicyArn, Vec<Hold>> = BTreeMap::new();
    let mut add = |arn: &'a PolicyArn, holder: Resource, freed_by: Option<usize>| {
        holds.entry(arn).or_default().push(Hold { holder, freed_by });
    };
    for group in resolved.live.groups.values() {
        let after = Resource::group(&resolved.group_after(&group.name));
        for arn in &group.managed_policies {
            let freed_by = detached.get(&(after.clone(), arn)).copied();
            add(arn, Resource::group(&group.name), freed_by);
        }
    }
    for user in resolved.live.users.values() {
        let name = resolved.user_after(&user.name);
        let after = Resource::user(&name);
        for arn in &user.managed_policies {
            let freed_by = detached.get(&(after.clone(), arn)).copied();
            add(arn, Resource::user(&user.name), freed_by);
        }
        if let Some(arn) = &user.permissions_boundary {
            let freed_by = unbounded.get(&name).filter(|(_, next)| *next != Some(arn));
            add(arn, Resource::user(&user.name), freed_by.map(|(step, _)| *step));
        }
    }
    for role in resolved.live.roles.values() {
        for arn in role.managed_policies.iter().chain(&role.permissions_boundary) {
            add(arn, Resource::role(&role.name), None);
        }
    }
    holds
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
