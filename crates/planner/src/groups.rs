//! Groups and what hangs off them. Memberships are declared on users and planned there.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{GroupName, Path, Resource, UserName, desired::DesiredGroup, live::LiveGroup};

use crate::{
    Call, ChangeKind,
    draft::{Draft, field, rank},
    holdings::{self, Holdings, Owner},
    resolve::{Fate, Resolved},
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
    let wanted = Holdings {
        attached: &resolved.arns(managed_policies),
        inline: inline_policies,
    };
    holdings::plan(Owner::Group(name), Holdings::NONE, wanted, "part of a new group", draft);
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
    let wanted = Holdings {
        attached: &resolved.arns(managed_policies),
        inline: inline_policies,
    };
    let entry = format!("in the manifest's entry for `{name}`");
    holdings::plan(Owner::Group(name), held_by(live), wanted, &entry, draft);
}

fn held_by(group: &LiveGroup) -> Holdings<'_> {
    Holdings {
        attached: &group.managed_policies,
        inline: &group.inline_policies,
    }
}

/// Groups that are to be deleted and have members whom a rule leaves alone cannot go.
pub(crate) fn keep_those_of_ignored_members(resolved: &mut Resolved<'_>) {
    let blocked: BTreeMap<GroupName, UserName> = resolved
        .live
        .users
        .values()
        .filter(|user| resolved.ignored_users.contains_key(&user.name))
        .flat_map(|user| user.groups.iter().map(|group| (group.clone(), user.name.clone())))
        .filter(|(group, _)| matches!(resolved.groups.get(group), Some(Fate::Deleted { .. })))
        .collect();
    for (group, user) in blocked {
        resolved.groups.remove(&group);
        if resolved.desired.absent.groups.contains_key(&group) {
            resolved.problem(
                format!("group `{group}` cannot be deleted: its member `{user}` is ignored by a rule"),
                format!("take `{user}` out of it by hand, or narrow the rule"),
            );
        } else {
            resolved.unmanaged.push(crate::Listed {
                resource: Resource::group(&group),
                reason: format!("not in the manifest, and kept since its member `{user}` is ignored"),
            });
        }
    }
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
        let stripped = holdings::strip(Owner::Group(&live.name), held_by(live), reason, draft);
        for step in &stripped {
            draft.after(*step, leaving.iter().copied());
        }
        let step = draft.step(
            rank::DELETE_GROUP,
            Call::DeleteGroup {
                group_name: live.name.clone(),
            },
            &resource,
            reason,
        );
        draft.after(step, leaving.into_iter().chain(stripped));
    }
}
