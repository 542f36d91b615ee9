//! A small model of who holds which policy statements, on which single calls can be tried before they are planned.
//!
//! Statements are compared as text, and nothing more is read from them than which services they name and whether they
//! deny everything: what is called safe here is safe, some of what is refused may be safe too. The model never forgets
//! a holder: roles and users that the manifest does not own are in it.

mod held;
mod statements;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trueup_model::{
    GroupName, InlinePolicyName, Live, PolicyArn, PolicyDocument, RoleName, UserName, document::Statement,
};

use self::statements::{Interner, Known};
pub(crate) use self::{
    held::{Held, HeldPolicy},
    statements::{Content, without_meaning},
};
use crate::identity::{Changed, Facet};

/// Who can act.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Principal {
    User(UserName),
    Role(RoleName),
}

/// Policies held directly.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Holder {
    inline: BTreeMap<InlinePolicyName, Arc<Content>>,
    attached: BTreeSet<PolicyArn>,
}

/// A user as a principal.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UserHolder {
    changed: Changed,
    own: Holder,
    groups: BTreeSet<GroupName>,
    boundary: Option<PolicyArn>,
}

/// A role as a principal.
#[derive(Debug, Clone, Default, PartialEq)]
struct RoleHolder {
    own: Holder,
    boundary: Option<PolicyArn>,
}

/// What a single call changes in the model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    UserInline(UserName, InlinePolicyName, Option<PolicyDocument>),
    GroupInline(GroupName, InlinePolicyName, Option<PolicyDocument>),
    UserAttachment(UserName, PolicyArn, bool),
    GroupAttachment(GroupName, PolicyArn, bool),
    Membership(UserName, GroupName, bool),
    Boundary(UserName, Option<PolicyArn>),
    PolicyDefault(PolicyArn, PolicyDocument),
    Identity(UserName, Facet),
}

/// Everything that decides a principal's access: statements that allow, statements that deny, and the boundary.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    pub(crate) allows: BTreeSet<u32>,
    pub(crate) denies: BTreeSet<u32>,
    boundary: Option<BoundaryAccess>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct BoundaryAccess {
    allows: BTreeSet<u32>,
    denies: BTreeSet<u32>,
}

impl Access {
    /// All statements, those of the boundary included.
    fn numbers(&self) -> impl Iterator<Item = u32> {
        let bounded = self.boundary.iter();
        let bounded = bounded.flat_map(|boundary| boundary.allows.iter().chain(&boundary.denies));
        self.allows.iter().chain(&self.denies).chain(bounded).copied()
    }

    /// The statements that deny, those of the boundary included, whatever they mean for this user now.
    pub(crate) fn deny_statements(&self) -> BTreeSet<u32> {
        let bounded = self.boundary.iter().flat_map(|boundary| &boundary.denies);
        self.denies
            .iter()
            .chain(bounded)
            .copied()
            .map(without_meaning)
            .collect()
    }

    /// Whether everything that this boundary lets through, the other's lets through too, by its statements.
    fn boundary_within(&self, other: &Self) -> bool {
        match (&self.boundary, &other.boundary) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(inner), Some(outer)) => {
                inner.allows.is_subset(&outer.allows) && inner.denies.is_superset(&outer.denies)
            }
        }
    }

    /// Whether a step from `self` to `next` only takes away.
    pub(crate) fn only_shrinks_to(&self, next: &Self) -> bool {
        next.allows.is_subset(&self.allows) && next.denies.is_superset(&self.denies) && next.boundary_within(self)
    }
}

/// The model.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    interner: Interner,
    users: BTreeMap<UserName, UserHolder>,
    groups: BTreeMap<GroupName, Holder>,
    roles: BTreeMap<RoleName, RoleHolder>,
    policies: BTreeMap<PolicyArn, Arc<Content>>,
}

impl World {
    /// The model of a live account. `user_names` and `group_names` give the names under which renamed entities go on.
    pub(crate) fn of_live(
        live: &Live,
        user_names: &BTreeMap<UserName, UserName>,
        group_names: &BTreeMap<GroupName, GroupName>,
    ) -> Self {
        let mut world = Self::default();
        let group_name = |name: &GroupName| group_names.get(name).unwrap_or(name).clone();
        for (arn, document) in &live.aws_policies {
            let content = world.interner.content(document);
            world.policies.insert(arn.clone(), content);
        }
        for policy in live.policies.values() {
            let content = policy
                .document()
                .map(|document| world.interner.content(document))
                .unwrap_or_default();
            world.policies.insert(policy.arn.clone(), content);
        }
        for (name, group) in &live.groups {
            let own = world.holder(&group.inline_policies, &group.managed_policies);
            world.groups.insert(group_name(name), own);
        }
        for (name, user) in &live.users {
            let own = world.holder(&user.inline_policies, &user.managed_policies);
            let holder = UserHolder {
                changed: Changed::default(),
                own,
                groups: user.groups.iter().map(group_name).collect(),
                boundary: user.permissions_boundary.clone(),
            };
            world.users.insert(user_names.get(name).unwrap_or(name).clone(), holder);
        }
        for (name, role) in &live.roles {
            let own = world.holder(&role.inline_policies, &role.managed_policies);
            world.roles.insert(
                name.clone(),
                RoleHolder {
                    own,
                    boundary: role.permissions_boundary.clone(),
                },
            );
        }
        world
    }

    fn holder(
        &mut self,
        inline: &BTreeMap<InlinePolicyName, PolicyDocument>,
        attached: &BTreeSet<PolicyArn>,
    ) -> Holder {
        let inline = inline
            .iter()
            .map(|(name, document)| (name.clone(), self.interner.content(document)))
            .collect();
        Holder {
            inline,
            attached: attached.clone(),
        }
    }

    /// The statement behind a number; `None` for a document that could not be read.
    pub(crate) fn statement(&self, number: u32) -> Option<&Statement> {
        self.known(number)?.statement.as_ref()
    }

    fn known(&self, number: u32) -> Option<&Known> {
        self.interner.known(number)
    }

    /// Whether anything that a user holds, boundary included, depends on a facet of the user.
    pub(crate) fn depends_on(&self, user: &UserName, facet: &Facet) -> bool {
        let access = self.access(&Principal::User(user.clone()));
        access
            .numbers()
            .filter_map(|number| self.known(number))
            .any(|known| known.dependence.is_on(facet))
    }

    /// Whether any of these statements mean another thing for another principal.
    pub(crate) fn is_personal(&self, access: &Access) -> bool {
        access
            .numbers()
            .filter_map(|number| self.known(number))
            .any(|known| known.dependence.is_on_anything())
    }

    /// Whether everything that is allowed now was allowed in `before` or will be allowed in `after`.
    ///
    /// INVARIANT: sound, not complete. Every allow statement must stand on one side whose boundary is at least as wide,
    /// and whose denies are all in force, but for those that are about other services.
    pub(crate) fn is_within(&self, now: &Access, before: &Access, after: &Access) -> bool {
        let sides = [before, after].into_iter().filter(|side| now.boundary_within(side));
        let sides: Vec<(&Access, Vec<&Known>)> = sides
            .filter_map(|side| {
                let missing = side.denies.difference(&now.denies);
                let missing = missing.map(|deny| self.known(*deny)).collect::<Option<_>>()?;
                Some((side, missing))
            })
            .collect();
        now.allows.iter().all(|allow| {
            let known = self.known(*allow);
            sides.iter().any(|(side, missing)| {
                let is_free = |deny: &&Known| known.is_some_and(|allow| !allow.may_meet(deny));
                side.allows.contains(allow) && missing.iter().all(is_free)
            })
        })
    }

    /// Whether everything is denied, without a condition, so that nothing can be done whatever is allowed.
    pub(crate) fn is_denied_everything(&self, access: &Access) -> bool {
        let denies = access.deny_statements();
        let mut known = denies.iter().filter_map(|number| self.known(*number));
        known.any(|known| known.denies_everything)
    }

    /// Whether some statement may allow what every administrator is allowed; where none does, nobody who holds just
    /// these is one.
    pub(crate) fn may_administer(&self, access: &Access) -> bool {
        let mut allows = access.allows.iter().filter_map(|number| self.known(*number));
        allows.any(|known| known.may_administer)
    }

    /// Takes over the numbers of another model, which must have been cloned from this one.
    pub(crate) fn share_numbers(&mut self, other: &Self) {
        self.interner = other.interner.clone();
    }

    /// Applies one call; the answer takes it back.
    pub(crate) fn apply(&mut self, effect: &Effect) -> Undo {
        let toggled = |changed: bool| {
            if changed {
                Undo::Toggle(effect.clone())
            } else {
                Undo::Nothing
            }
        };
        match effect {
            Effect::UserInline(user, name, document) => {
                let content = document.as_ref().map(|document| self.interner.content(document));
                let before = set_inline(&mut self.users.entry(user.clone()).or_default().own, name, content);
                Undo::UserInline(user.clone(), name.clone(), before)
            }
            Effect::GroupInline(group, name, document) => {
                let content = document.as_ref().map(|document| self.interner.content(document));
                let before = set_inline(self.groups.entry(group.clone()).or_default(), name, content);
                Undo::GroupInline(group.clone(), name.clone(), before)
            }
            Effect::UserAttachment(user, arn, present) => toggled(toggle(
                &mut self.users.entry(user.clone()).or_default().own.attached,
                arn,
                *present,
            )),
            Effect::GroupAttachment(group, arn, present) => toggled(toggle(
                &mut self.groups.entry(group.clone()).or_default().attached,
                arn,
                *present,
            )),
            Effect::Membership(user, group, present) => toggled(toggle(
                &mut self.users.entry(user.clone()).or_default().groups,
                group,
                *present,
            )),
            Effect::Boundary(user, boundary) => {
                let holder = self.users.entry(user.clone()).or_default();
                Undo::Boundary(user.clone(), std::mem::replace(&mut holder.boundary, boundary.clone()))
            }
            Effect::PolicyDefault(arn, document) => {
                let content = self.interner.content(document);
                let before = self.policies.insert(arn.clone(), content);
                Undo::PolicyDefault(arn.clone(), before)
            }
            Effect::Identity(user, facet) => {
                let changed = &mut self.users.entry(user.clone()).or_default().changed;
                let before = changed.clone();
                changed.add(facet);
                Undo::Identity(user.clone(), before)
            }
        }
    }

    /// Takes back the call that [`apply`](Self::apply) answered for, if no other was applied since.
    pub(crate) fn revert(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::UserInline(user, name, before) => {
                set_inline(&mut self.users.entry(user).or_default().own, &name, before);
            }
            Undo::GroupInline(group, name, before) => {
                set_inline(self.groups.entry(group).or_default(), &name, before);
            }
            Undo::Boundary(user, before) => self.users.entry(user).or_default().boundary = before,
            Undo::Identity(user, before) => self.users.entry(user).or_default().changed = before,
            Undo::PolicyDefault(arn, before) => {
                match before {
                    Some(content) => self.policies.insert(arn, content),
                    None => self.policies.remove(&arn),
                };
            }
            Undo::Toggle(effect) => {
                match &effect {
                    Effect::UserAttachment(user, arn, present) => {
                        toggle(
                            &mut self.users.entry(user.clone()).or_default().own.attached,
                            arn,
                            !present,
                        );
                    }
                    Effect::GroupAttachment(group, arn, present) => {
                        toggle(
                            &mut self.groups.entry(group.clone()).or_default().attached,
                            arn,
                            !present,
                        );
                    }
                    Effect::Membership(user, group, present) => {
                        toggle(&mut self.users.entry(user.clone()).or_default().groups, group, !present);
                    }
                    _ => {}
                };
            }
        }
    }

    /// Everyone whose access the call can change, as things stand.
    pub(crate) fn affected(&self, effect: &Effect) -> BTreeSet<Principal> {
        match effect {
            Effect::UserInline(user, ..)
            | Effect::UserAttachment(user, ..)
            | Effect::Membership(user, ..)
            | Effect::Boundary(user, _)
            | Effect::Identity(user, _) => BTreeSet::from([Principal::User(user.clone())]),
            Effect::GroupInline(group, ..) | Effect::GroupAttachment(group, ..) => self.members(group).collect(),
            Effect::PolicyDefault(arn, _) => self.holders(arn),
        }
    }

    /// This model with the memberships and attachments of the other as well.
    pub(crate) fn joined_with(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        for (name, user) in &other.users {
            let holder = joined.users.entry(name.clone()).or_default();
            holder.groups.extend(user.groups.iter().cloned());
            holder.own.attached.extend(user.own.attached.iter().cloned());
        }
        for (name, group) in &other.groups {
            joined
                .groups
                .entry(name.clone())
                .or_default()
                .attached
                .extend(group.attached.iter().cloned());
        }
        joined
    }

    fn members(&self, group: &GroupName) -> impl Iterator<Item = Principal> {
        self.users
            .iter()
            .filter(move |(_, user)| user.groups.contains(group))
            .map(|(name, _)| Principal::User(name.clone()))
    }

    /// Everyone to whom a managed policy is attached, directly or through a group, or whose boundary it is.
    pub(crate) fn holders(&self, arn: &PolicyArn) -> BTreeSet<Principal> {
        let groups: BTreeSet<&GroupName> = self
            .groups
            .iter()
            .filter(|(_, group)| group.attached.contains(arn))
            .map(|(name, _)| name)
            .collect();
        let users = self.users.iter().filter(|(_, user)| {
            user.own.attached.contains(arn)
                || user.boundary.as_ref() == Some(arn)
                || user.groups.iter().any(|group| groups.contains(group))
        });
        let roles = self
            .roles
            .iter()
            .filter(|(_, role)| role.own.attached.contains(arn) || role.boundary.as_ref() == Some(arn));
        users
            .map(|(name, _)| Principal::User(name.clone()))
            .chain(roles.map(|(name, _)| Principal::Role(name.clone())))
            .collect()
    }

    /// What decides a principal's access.
    pub(crate) fn access(&self, principal: &Principal) -> Access {
        let mut access = Access::default();
        let unchanged = Changed::default();
        let mut changed = &unchanged;
        let boundary = match principal {
            Principal::User(name) => {
                let Some(user) = self.users.get(name) else {
                    return access;
                };
                changed = &user.changed;
                self.add(&mut access, &user.own);
                for group in user.groups.iter().filter_map(|group| self.groups.get(group)) {
                    self.add(&mut access, group);
                }
                &user.boundary
            }
            Principal::Role(name) => {
                let Some(role) = self.roles.get(name) else {
                    return access;
                };
                self.add(&mut access, &role.own);
                &role.boundary
            }
        };
        access.boundary = boundary.as_ref().map(|arn| {
            let content = self.policies.get(arn);
            BoundaryAccess {
                allows: content.map(|c| c.allows.clone()).unwrap_or_default(),
                denies: content.map(|c| c.denies.clone()).unwrap_or_default(),
            }
        });
        if *changed != unchanged {
            let mean = |numbers: &mut BTreeSet<u32>| {
                *numbers = numbers
                    .iter()
                    .map(|number| self.interner.meaning(*number, changed))
                    .collect();
            };
            mean(&mut access.allows);
            mean(&mut access.denies);
            if let Some(boundary) = &mut access.boundary {
                mean(&mut boundary.allows);
                mean(&mut boundary.denies);
            }
        }
        access
    }

    fn add(&self, access: &mut Access, holder: &Holder) {
        for content in holder
            .inline
            .values()
            .chain(holder.attached.iter().filter_map(|arn| self.policies.get(arn)))
        {
            access.allows.extend(&content.allows);
            access.denies.extend(&content.denies);
        }
    }

    /// Everyone who is a user.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserName> {
        self.users.keys()
    }

    /// The groups of a user.
    pub(crate) fn groups_of(&self, user: &UserName) -> usize {
        self.users.get(user).map_or(0, |user| user.groups.len())
    }

    /// How many managed policies are attached to a user.
    pub(crate) fn attached_to_user(&self, user: &UserName) -> usize {
        self.users.get(user).map_or(0, |user| user.own.attached.len())
    }

    /// How many managed policies are attached to a group.
    pub(crate) fn attached_to_group(&self, group: &GroupName) -> usize {
        self.groups.get(group).map_or(0, |group| group.attached.len())
    }

    /// The sum of a user's inline policies, in non-white-space characters.
    pub(crate) fn inline_size_of_user(&self, user: &UserName) -> usize {
        self.users.get(user).map_or(0, |user| user.own.inline_size())
    }

    /// The sum of a group's inline policies, in non-white-space characters.
    pub(crate) fn inline_size_of_group(&self, group: &GroupName) -> usize {
        self.groups.get(group).map_or(0, Holder::inline_size)
    }
}

impl Holder {
    fn inline_size(&self) -> usize {
        self.inline.values().map(|content| content.size).sum()
    }
}

/// What takes back one call.
#[derive(Debug)]
pub(crate) enum Undo {
    Nothing,
    Toggle(Effect),
    UserInline(UserName, InlinePolicyName, Option<Arc<Content>>),
    GroupInline(GroupName, InlinePolicyName, Option<Arc<Content>>),
    Boundary(UserName, Option<PolicyArn>),
    PolicyDefault(PolicyArn, Option<Arc<Content>>),
    Identity(UserName, Changed),
}

fn set_inline(holder: &mut Holder, name: &InlinePolicyName, content: Option<Arc<Content>>) -> Option<Arc<Content>> {
    match content {
        Some(content) => holder.inline.insert(name.clone(), content),
        None => holder.inline.remove(name),
    }
}

/// Says whether the set changed.
fn toggle<T: Ord + Clone>(set: &mut BTreeSet<T>, member: &T, present: bool) -> bool {
    if present {
        set.insert(member.clone())
    } else {
        set.remove(member)
    }
}

/// What somebody would hold through a single thing.
impl World {
    /// Whether a user has a boundary.
    pub(crate) fn is_bounded(&self, user: &UserName) -> bool {
        self.users.get(user).is_some_and(|user| user.boundary.is_some())
    }

    /// Whether an attachment or a membership brings allows, and whether it brings denies, in any mixture of the models:
    /// a group with the policies of one and these policies with the documents of another.
    pub(crate) fn ever_brought(worlds: &[&Self], effect: &Effect) -> (bool, bool) {
        let of_policy = |arn: &PolicyArn| {
            worlds
                .iter()
                .filter_map(|world| world.policies.get(arn))
                .collect::<Vec<_>>()
        };
        let contents: Vec<&Arc<Content>> = match effect {
            Effect::UserAttachment(_, arn, _) | Effect::GroupAttachment(_, arn, _) => of_policy(arn),
            Effect::Membership(_, group, _) => {
                let groups = || worlds.iter().filter_map(|world| world.groups.get(group));
                let inline = groups().flat_map(|group| group.inline.values());
                inline
                    .chain(groups().flat_map(|group| &group.attached).flat_map(of_policy))
                    .collect()
            }
            _ => Vec::new(),
        };
        let allows = contents.iter().any(|content| !content.allows.is_empty());
        let denies = contents.iter().any(|content| !content.denies.is_empty());
        (allows, denies)
    }

    /// What somebody would get from the thing that a call changes, as it is now.
    pub(crate) fn slot_access(&self, effect: &Effect) -> Access {
        let mut access = Access::default();
        let mut add = |content: Option<&Arc<Content>>| {
            if let Some(content) = content {
                access.allows.extend(&content.allows);
                access.denies.extend(&content.denies);
            }
        };
        match effect {
            Effect::UserInline(user, policy, _) => {
                add(self.users.get(user).and_then(|user| user.own.inline.get(policy)));
            }
            Effect::GroupInline(group, policy, _) => {
                add(self.groups.get(group).and_then(|group| group.inline.get(policy)));
            }
            Effect::UserAttachment(user, arn, _) => {
                if self.users.get(user).is_some_and(|user| user.own.attached.contains(arn)) {
                    add(self.policies.get(arn));
                }
            }
            Effect::GroupAttachment(group, arn, _) => {
                if self.groups.get(group).is_some_and(|group| group.attached.contains(arn)) {
                    add(self.policies.get(arn));
                }
            }
            Effect::PolicyDefault(arn, _) => add(self.policies.get(arn)),
            Effect::Membership(user, group, _) => {
                if self.users.get(user).is_some_and(|user| user.groups.contains(group))
                    && let Some(holder) = self.groups.get(group)
                {
                    self.add(&mut access, holder);
                }
            }
            Effect::Boundary(user, _) | Effect::Identity(user, _) => {
                access = self.access(&Principal::User(user.clone()));
            }
        }
        access
    }
}
