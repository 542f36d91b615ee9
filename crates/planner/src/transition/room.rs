//! Quotas on the way: what a call needs may be free only when another call is done.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::quota::{
    ATTACHED_POLICIES_PER_GROUP, GROUP_INLINE_POLICY_SIZE, GROUPS_PER_USER, USER_INLINE_POLICY_SIZE,
};

use crate::world::{Effect, World};

/// What the owner and the kind of a thing are: quotas count within one.
pub(super) type Owner = (u8, String);

/// What the placed steps of each owner take and leave.
pub(super) struct Room {
    attached_policies_per_user: usize,
    /// What all placed steps together take, as if none left anything.
    taken: BTreeMap<Owner, usize>,
    /// Placed steps that leave something.
    leaving: BTreeMap<Owner, BTreeSet<usize>>,
}

impl Room {
    /// No step placed yet.
    pub(super) fn new(attached_policies_per_user: usize) -> Self {
        Self {
            attached_policies_per_user,
            taken: BTreeMap::new(),
            leaving: BTreeMap::new(),
        }
    }

    /// The quota that the call just applied to `world` breaks, in words. A call that only takes away breaks none.
    pub(super) fn broken_by(&self, effect: &Effect, used_before: usize, world: &World) -> Option<String> {
        let limit = self.limit(effect)?;
        let used = used(world, effect);
        (used > limit && used > used_before).then(|| format!("{}, IAM allows {limit}", wish(effect)))
    }

    /// Takes note of a step just applied to `world`, and returns the earlier ones whose room it may need.
    ///
    /// Steps that leave room may be run late, so a step relies on all of them as soon as everything taken so far,
    /// with nothing left, would not fit.
    pub(super) fn place(
        &mut self,
        index: usize,
        effect: &Effect,
        used_before: usize,
        before: &World,
        world: &World,
    ) -> BTreeSet<usize> {
        let Some(limit) = self.limit(effect) else {
            return BTreeSet::new();
        };
        let owner = owner(effect);
        let used_now = used(world, effect);
        if used_now < used_before {
            self.leaving.entry(owner).or_default().insert(index);
            return BTreeSet::new();
        }
        let taken = self.taken.entry(owner.clone()).or_default();
        *taken += used_now - used_before;
        if used(before, effect) + *taken <= limit {
            return BTreeSet::new();
        }
        self.leaving.get(&owner).cloned().unwrap_or_default()
    }

    fn limit(&self, effect: &Effect) -> Option<usize> {
        match effect {
            Effect::Membership(..) => Some(GROUPS_PER_USER),
            Effect::UserAttachment(..) => Some(self.attached_policies_per_user),
            Effect::GroupAttachment(..) => Some(ATTACHED_POLICIES_PER_GROUP),
            Effect::UserInline(..) => Some(USER_INLINE_POLICY_SIZE),
            Effect::GroupInline(..) => Some(GROUP_INLINE_POLICY_SIZE),
            Effect::Boundary(..) | Effect::PolicyDefault(..) | Effect::Identity(..) => None,
        }
    }
}

/// What a call that needs room asks for.
fn wish(effect: &Effect) -> String {
    match effect {
        Effect::Membership(user, ..) => format!("user `{user}` in more groups at once"),
        Effect::UserAttachment(user, ..) => format!("more policies attached to user `{user}` at once"),
        Effect::GroupAttachment(group, ..) => format!("more policies attached to group `{group}` at once"),
        Effect::UserInline(user, ..) => format!("longer inline policies of user `{user}` at once"),
        Effect::GroupInline(group, ..) => format!("longer inline policies of group `{group}` at once"),
        Effect::Boundary(..) | Effect::PolicyDefault(..) | Effect::Identity(..) => String::new(),
    }
}

/// How much of the quota that a call counts against is used.
pub(super) fn used(world: &World, effect: &Effect) -> usize {
    match effect {
        Effect::Membership(user, ..) => world.groups_of(user),
        Effect::UserAttachment(user, ..) => world.attached_to_user(user),
        Effect::GroupAttachment(group, ..) => world.attached_to_group(group),
        Effect::UserInline(user, ..) => world.inline_size_of_user(user),
        Effect::GroupInline(group, ..) => world.inline_size_of_group(group),
        Effect::Boundary(..) | Effect::PolicyDefault(..) | Effect::Identity(..) => 0,
    }
}

/// The owner and the kind of what a call changes, within which quotas count.
pub(super) fn owner(effect: &Effect) -> Owner {
    match effect {
        Effect::UserInline(user, ..) => (0, user.as_str().to_ascii_lowercase()),
        Effect::GroupInline(group, ..) => (1, group.as_str().to_ascii_lowercase()),
        Effect::UserAttachment(user, ..) => (2, user.as_str().to_ascii_lowercase()),
        Effect::GroupAttachment(group, ..) => (3, group.as_str().to_ascii_lowercase()),
        Effect::Membership(user, ..) => (4, user.as_str().to_ascii_lowercase()),
        Effect::Boundary(user, _) => (5, user.as_str().to_ascii_lowercase()),
        Effect::PolicyDefault(arn, _) => (6, arn.as_str().to_owned()),
        Effect::Identity(user, _) => (7, user.as_str().to_ascii_lowercase()),
    }
}
