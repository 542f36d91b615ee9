//! The order in which policies change, so that nobody can do more in between than before or after.
//!
//! Calls are tried on a [`World`]: a call may be made when everyone whom it affects stays within what they could do
//! before the plan or can do after it. Where no remaining call has that property, a document goes through an
//! intermediate one, or a temporary inline policy holds the denies meanwhile. What is found becomes edges between
//! steps, so that every order that the executor can choose has the property too. Where the text of the statements
//! proves nothing more, the access engine is asked.
//!
//! People whom the plan creates are not looked at, nor those who are known to have no credentials: they have none until
//! everything else about them is done.

mod delta;
mod intermediate;
mod proof;
mod room;
mod temporary;

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    PolicyArn, PolicyDocument, UserName,
    document::Statement,
    live::{Credentials, LivePolicy},
    quota::{MANAGED_POLICY_SIZE, VERSIONS_PER_POLICY},
};

use self::{
    delta::delta_ever,
    intermediate::{Split, intermediate},
    proof::Prover,
    room::{Owner, Room, owner},
};
use crate::{
    ActionId, Call, VersionRef,
    draft::{Draft, rank},
    policies::versions_by_age,
    quotas::attached_policies_per_user,
    resolve::Resolved,
    world::{Access, Effect, Principal, Undo, World},
};

pub(crate) use trueup_model::TRANSITION_POLICY;

/// Adds to the draft the edges, and where needed the steps, that keep everyone's access within before and after.
pub(crate) fn order<'a>(resolved: &'a Resolved<'a>, before: &'a World, after: &'a World, draft: &mut Draft) {
    let mut search = Search::new(resolved, before, after, draft);
    search.run(draft);
}

struct Search<'a> {
    resolved: &'a Resolved<'a>,
    before: &'a World,
    after: &'a World,
    world: World,
    /// Principals that more than one step affects, with what they could do before and can do after.
    contended: BTreeMap<Principal, (Access, Access)>,
    /// Whom each step can affect, of the contended.
    affected: BTreeMap<usize, BTreeSet<Principal>>,
    /// Steps not placed yet, in the order in which they are tried.
    remaining: Vec<usize>,
    placed: BTreeSet<usize>,
    /// Placed steps that take something away, by whom they can affect.
    restrictions: BTreeMap<Principal, Vec<usize>>,
    /// Placed steps by what they change.
    by_slot: BTreeMap<(Owner, String), Vec<usize>>,
    /// What placed steps do to quotas.
    room: Room,
    /// How far documents have been split, by their final step.
    splits: BTreeMap<usize, Split>,
    /// Users that hold the temporary policy.
    temporary: BTreeSet<UserName>,
    /// Proves what the text of statements does not.
    prover: Prover,
    /// The last step that is right only at its own place: everything placed later waits for it.
    barrier: Option<usize>,
}

enum Blocked {
    Room(String),
    Access(BTreeSet<Principal>),
    Waiting,
}

impl<'a> Search<'a> {
    fn new(resolved: &'a Resolved<'a>, before: &'a World, after: &'a World, draft: &Draft) -> Self {
        let mut world = before.clone();
        world.share_numbers(after);
        let either = after.joined_with(before);
        let mut affected: BTreeMap<usize, BTreeSet<Principal>> = BTreeMap::new();
        let mut counts: BTreeMap<Principal, u32> = BTreeMap::new();
        let mut order = Vec::new();
        for (index, step) in draft.steps.iter().enumerate() {
            let Some(effect) = &step.effect else { continue };
            // Somebody who leaves a group may still be in it when it gets a policy, so both sides are looked at as one.
            let mut principals = either.affected(effect);
            principals.extend(before.affected(effect));
            principals.retain(|principal| match principal {
                Principal::User(name) => !draft.new_users.contains(name) && !has_no_credentials(resolved, name),
                Principal::Role(_) => true,
            });
            let delta = delta_ever(effect, before, &mut world, after);
            if matches!(effect, Effect::Identity(..)) && !delta.grows {
                // No statement asks for the name or the tags.
                principals.clear();
            }
            for principal in &principals {
                *counts.entry(principal.clone()).or_default() += 1;
            }
            affected.insert(index, principals);
            let place = match (delta.shrinks, delta.grows, step.rank == rank::REMOVE) {
                (true, false, false) => 0,
                (_, true, false) => 1,
                (false, false, false) => 2,
                (_, false, true) => 3,
                (_, true, true) => 4,
            };
            order.push((place, step.rank, &step.resource, index));
        }
        order.sort();
        let remaining = order.into_iter().map(|(.., index)| index).collect();
        let contended: BTreeMap<Principal, (Access, Access)> = counts
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|(principal, _)| {
                let sides = (before.access(&principal), after.access(&principal));
                (principal, sides)
            })
            .collect();
        for principals in affected.values_mut() {
            principals.retain(|principal| contended.contains_key(principal));
        }
        Self {
            resolved,
            before,
            after,
            world,
            contended,
            affected,
            remaining,
            placed: BTreeSet::new(),
            restrictions: BTreeMap::new(),
            by_slot: BTreeMap::new(),
            room: Room::new(attached_policies_per_user(resolved.live)),
            splits: BTreeMap::new(),
            temporary: BTreeSet::new(),
            prover: Prover::default(),
            barrier: None,
        }
    }

    fn run(&mut self, draft: &mut Draft) {
        while !self.remaining.is_empty() {
            if self.pass(draft)
                || self.before_renames(draft)
                || self.split(draft, &[Split::DeniesJoined, Split::AllowsCommon])
                || self.hold_denies(draft)
                || self.prove(draft)
                || self.split(draft, &[Split::AllowsGone])
            {
                continue;
            }
            self.give_up(draft);
            return;
        }
    }

    /// Places every step that may be made now; says whether there was any.
    fn pass(&mut self, draft: &mut Draft) -> bool {
        let mut progress = false;
        for index in std::mem::take(&mut self.remaining) {
            match self.blocked(index, draft) {
                None => {
                    self.place(index, draft);
                    progress = true;
                }
                Some(_) => self.remaining.push(index),
            }
        }
        progress
    }

    fn blocked(&mut self, index: usize, draft: &Draft) -> Option<Blocked> {
        let step = &draft.steps[index];
        let effect = step.effect.as_ref()?;
        // Steps without an effect wait for nothing in here.
        if !step
            .after
            .iter()
            .all(|first| draft.steps[*first].effect.is_none() || self.placed.contains(first))
        {
            return Some(Blocked::Waiting);
        }
        let mut principals = self.affected.get(&index).cloned().unwrap_or_default();
        principals.extend(
            self.world
                .affected(effect)
                .into_iter()
                .filter(|p| self.contended.contains_key(p)),
        );
        let now: Vec<(Principal, Access)> = principals
            .into_iter()
            .map(|principal| {
                let access = self.world.access(&principal);
                (principal, access)
            })
            .collect();
        let used = room::used(&self.world, effect);
        let undo = self.world.apply(effect);
        let no_room = self.room.broken_by(effect, used, &self.world);
        let mut unsafe_for = BTreeSet::new();
        for (principal, now) in now {
            let Some((before, after)) = self.contended.get(&principal) else {
                continue;
            };
            let then = self.world.access(&principal);
            let safe = self.world.is_within(&then, before, after)
                || now.only_shrinks_to(&then)
                || self.world.is_denied_everything(&then);
            if !safe {
                unsafe_for.insert(principal);
            }
        }
        self.world.revert(undo);
        if let Some(what) = no_room {
            return Some(Blocked::Room(what));
        }
        (!unsafe_for.is_empty()).then_some(Blocked::Access(unsafe_for))
    }

    /// Whether there is room for a call that is not planned yet when these others have been made.
    fn fits(&mut self, effect: &Effect, others: &[Effect]) -> bool {
        let used = room::used(&self.world, effect);
        let all = [effect].into_iter().chain(others);
        let undos: Vec<Undo> = all.map(|effect| self.world.apply(effect)).collect();
        let no_room = self.room.broken_by(effect, used, &self.world);
        for undo in undos.into_iter().rev() {
            self.world.revert(undo);
        }
        no_room.is_none()
    }

    /// Makes a step the next one, with edges from the earlier ones that it relies on.
    fn place(&mut self, index: usize, draft: &mut Draft) {
        let Some(effect) = draft.steps[index].effect.clone() else {
            return;
        };
        let change = delta_ever(&effect, self.before, &mut self.world, self.after);
        let mut edges = BTreeSet::new();
        // Growth relies on every restriction made before it; a restriction relies on nothing.
        if change.grows {
            for principal in self.affected.get(&index).into_iter().flatten() {
                edges.extend(self.restrictions.get(principal).into_iter().flatten());
            }
        }
        edges.extend(self.barrier);
        // What changes one thing twice does so in this order, which decides the outcome.
        let slot = slot(&effect);
        edges.extend(slot.iter().filter_map(|slot| self.by_slot.get(slot)).flatten());
        let used = room::used(&self.world, &effect);
        self.world.apply(&effect);
        edges.extend(self.room.place(index, &effect, used, self.before, &self.world));
        draft.after(index, edges);
        if change.shrinks {
            for principal in self.affected.get(&index).into_iter().flatten() {
                self.restrictions.entry(principal.clone()).or_default().push(index);
            }
        }
        if let Some(slot) = slot {
            self.by_slot.entry(slot).or_default().push(index);
        }
        self.placed.insert(index);
    }

    /// Calls on users whose rename has to wait go before it, under the old name; says whether there was any.
    fn before_renames(&mut self, draft: &mut Draft) -> bool {
        let mut progress = false;
        for rename in self.remaining.clone() {
            let Some(old_name) = old_name(draft, rename) else {
                continue;
            };
            for index in self.remaining.clone() {
                if !draft.steps[index].after.remove(&rename) {
                    continue;
                }
                if self.blocked(index, draft).is_some() {
                    draft.steps[index].after.insert(rename);
                    continue;
                }
                draft.steps[index].call.set_user_name(&old_name);
                draft.after(rename, [index]);
                self.remaining.retain(|other| *other != index);
                self.place(index, draft);
                progress = true;
            }
        }
        progress
    }

    /// The rename of a user that is not placed yet.
    fn pending_rename(&self, user: &UserName, draft: &Draft) -> Option<(usize, UserName)> {
        let ready = *draft.user_ready.get(user)?;
        let old_name = old_name(draft, ready)?;
        (!self.placed.contains(&ready)).then_some((ready, old_name))
    }

    /// Sends documents that cannot change in one call through intermediate ones; says whether there was any.
    ///
    /// At most one for each principal that is in the way: the first may be enough for the rest.
    fn split(&mut self, draft: &mut Draft, levels: &[Split]) -> bool {
        let mut served: BTreeSet<Principal> = BTreeSet::new();
        for index in self.remaining.clone() {
            let Some(Blocked::Access(principals)) = self.blocked(index, draft) else {
                continue;
            };
            if principals.iter().any(|principal| served.contains(principal)) {
                continue;
            }
            if self.split_step(index, levels, draft) {
                served.extend(principals);
            }
        }
        !served.is_empty()
    }

    fn split_step(&mut self, index: usize, levels: &[Split], draft: &mut Draft) -> bool {
        let Some(effect) = draft.steps[index].effect.clone() else {
            return false;
        };
        let Some((live, wanted)) = self.both_documents(&effect) else {
            return false;
        };
        let done = self.splits.get(&index).copied();
        for level in levels.iter().copied() {
            // What has the denies of both already would lose some again.
            if done.is_some_and(|done| level <= done || level == Split::AllowsGone) {
                continue;
            }
            let Some(document) = intermediate(&live, &wanted, level) else {
                continue;
            };
            if document == live || document == wanted {
                continue;
            }
            // Without allows that differ, both levels are one document.
            if done.is_some_and(|done| intermediate(&live, &wanted, done).as_ref() == Some(&document)) {
                continue;
            }
            if self.insert_intermediate(index, &effect, document, draft) {
                self.splits.insert(index, level);
                return true;
            }
        }
        false
    }

    /// What a step replaces and what it puts. One side says nothing where a document comes or goes, which goes through
    /// its denies alone; `None` where there is nothing in between.
    fn both_documents(&self, effect: &Effect) -> Option<(PolicyDocument, PolicyDocument)> {
        let (live, wanted) = match effect {
            // It holds denies itself, and goes when they are no longer needed.
            Effect::UserInline(_, policy, None) if policy.as_str() == TRANSITION_POLICY => return None,
            Effect::UserInline(user, policy, wanted) => {
                let user = self.resolved.live_user(user);
                (user.and_then(|user| user.inline_policies.get(policy)), wanted.as_ref())
            }
            Effect::GroupInline(group, policy, wanted) => {
                let group = self.resolved.live_group(group);
                (
                    group.and_then(|group| group.inline_policies.get(policy)),
                    wanted.as_ref(),
                )
            }
            Effect::PolicyDefault(arn, wanted) => (Some(self.live_policy(arn)?.document()?), Some(wanted)),
            _ => return None,
        };
        match (live, wanted) {
            (Some(live), Some(wanted)) => Some((live.clone(), wanted.clone())),
            (None, Some(wanted)) => denies_something(wanted).then(|| (nothing(), wanted.clone())),
            (Some(live), None) => denies_something(live).then(|| (live.clone(), nothing())),
            (None, None) => None,
        }
    }

    fn live_policy(&self, arn: &PolicyArn) -> Option<&'a LivePolicy> {
        self.resolved.live.policies.values().find(|policy| policy.arn == *arn)
    }

    /// Adds and places the step that puts an intermediate document; `false` where there is no room for it.
    fn insert_intermediate(
        &mut self,
        index: usize,
        effect: &Effect,
        document: PolicyDocument,
        draft: &mut Draft,
    ) -> bool {
        let final_step = draft.steps[index].clone();
        let reason = "in between, so that nobody can do more than before or after".to_owned();
        let new_effect = match effect {
            Effect::UserInline(user, policy, _) => {
                Effect::UserInline(user.clone(), policy.clone(), Some(document.clone()))
            }
            Effect::GroupInline(group, policy, _) => {
                Effect::GroupInline(group.clone(), policy.clone(), Some(document.clone()))
            }
            Effect::PolicyDefault(arn, _) if document.size() <= MANAGED_POLICY_SIZE => {
                Effect::PolicyDefault(arn.clone(), document.clone())
            }
            _ => return false,
        };
        if !self.fits(&new_effect, &[]) {
            return false;
        }
        let structural: Vec<usize> = final_step.after.iter().copied().collect();
        let inserted = match (&new_effect, &final_step.call) {
            (
                Effect::UserInline(..),
                Call::PutUserPolicy {
                    user_name, policy_name, ..
                }
                | Call::DeleteUserPolicy { user_name, policy_name },
            ) => {
                let call = Call::PutUserPolicy {
                    user_name: user_name.clone(),
                    policy_name: policy_name.clone(),
                    policy_document: document,
                };
                draft.step_with(final_step.rank, call, &final_step.resource, &reason, new_effect)
            }
            (
                Effect::GroupInline(..),
                Call::PutGroupPolicy {
                    group_name,
                    policy_name,
                    ..
                }
                | Call::DeleteGroupPolicy {
                    group_name,
                    policy_name,
                },
            ) => {
                let call = Call::PutGroupPolicy {
                    group_name: group_name.clone(),
                    policy_name: policy_name.clone(),
                    policy_document: document,
                };
                draft.step_with(final_step.rank, call, &final_step.resource, &reason, new_effect)
            }
            (Effect::PolicyDefault(arn, _), _) => {
                let arn = arn.clone();
                self.intermediate_version(index, &arn, document, new_effect, &reason, draft)
            }
            _ => return false,
        };
        draft.after(inserted, structural);
        self.affected
            .insert(inserted, self.affected.get(&index).cloned().unwrap_or_default());
        draft.after(index, [inserted]);
        self.place(inserted, draft);
        true
    }

    /// Adds the calls that make an intermediate version the default, and that delete it in the end.
    fn intermediate_version(
        &self,
        final_step: usize,
        arn: &PolicyArn,
        document: PolicyDocument,
        effect: Effect,
        reason: &str,
        draft: &mut Draft,
    ) -> usize {
        let resource = draft.steps[final_step].resource.clone();
        let mut room = Vec::new();
        let mut left_behind = None;
        if let Some(live) = self.live_policy(arn) {
            let deletions = |early: bool| -> BTreeSet<String> {
                let steps = draft.steps.iter();
                let steps = steps.filter(|step| !early || step.rank != rank::DELETE_POLICY);
                steps
                    .filter_map(|step| match &step.call {
                        Call::DeletePolicyVersion {
                            policy_arn,
                            version: VersionRef::Id(id),
                        } if policy_arn == arn => Some(id.clone()),
                        _ => None,
                    })
                    .collect()
            };
            // Those that go in the end take room until then.
            let (pruned, deleted) = (deletions(true), deletions(false));
            let made = draft
                .steps
                .iter()
                .filter(|step| matches!(&step.call, Call::CreatePolicyVersion { policy_arn, .. } if policy_arn == arn))
                .count();
            let wanted_by_final = match &draft.steps[final_step].call {
                Call::SetDefaultPolicyVersion {
                    version: VersionRef::Id(id),
                    ..
                } => Some(id.clone()),
                _ => None,
            };
            let is_free = |id: &String| {
                *id != live.default_version && !deleted.contains(id) && wanted_by_final.as_ref() != Some(id)
            };
            // An apply that stopped half-way may have made it.
            left_behind = live
                .versions
                .iter()
                .find(|(id, version)| is_free(id) && version.document == document)
                .map(|(id, _)| id.clone());
            if left_behind.is_none() && live.versions.len() - pruned.len() + made + 1 > VERSIONS_PER_POLICY {
                let oldest = versions_by_age(live).into_iter().find(|id| is_free(id));
                if let Some(id) = oldest {
                    let call = Call::DeletePolicyVersion {
                        policy_arn: arn.clone(),
                        version: VersionRef::Id(id.clone()),
                    };
                    let why = format!("room for a new version: IAM keeps {VERSIONS_PER_POLICY}");
                    room.push(draft.step(rank::POLICY, call, &resource.version(id), &why));
                }
            }
        }
        let (version, created) = if let Some(id) = left_behind {
            (VersionRef::Id(id), None)
        } else {
            let call = Call::CreatePolicyVersion {
                policy_arn: arn.clone(),
                policy_document: document,
            };
            let created = draft.step(rank::POLICY, call, &resource, reason);
            draft.after(created, room.iter().copied());
            let id = ActionId(u32::try_from(created).unwrap_or(u32::MAX));
            (VersionRef::CreatedBy(id), Some(created))
        };
        let final_creation: Vec<usize> = draft.steps[final_step].after.iter().copied().collect();
        for step in final_creation {
            if matches!(draft.steps[step].call, Call::CreatePolicyVersion { .. }) {
                draft.after(step, room.iter().copied());
            }
        }
        let call = Call::SetDefaultPolicyVersion {
            policy_arn: arn.clone(),
            version: version.clone(),
        };
        let set = draft.step_with(rank::POLICY, call, &resource, reason, effect);
        draft.after(set, created);
        let call = Call::DeletePolicyVersion {
            policy_arn: arn.clone(),
            version,
        };
        let deleted = draft.step(
            rank::DELETE_POLICY,
            call,
            &resource,
            "the intermediate version is no longer needed",
        );
        draft.after(deleted, [final_step]);
        set
    }

    /// Places one step that the access engine proves to be safe; says whether there was any.
    ///
    /// The proof is about the account after exactly the steps placed so far, so this step comes after all of them and
    /// before all others.
    fn prove(&mut self, draft: &mut Draft) -> bool {
        for index in self.remaining.clone() {
            let Some(Blocked::Access(principals)) = self.blocked(index, draft) else {
                continue;
            };
            let Some(effect) = draft.steps[index].effect.clone() else {
                continue;
            };
            let undo = self.world.apply(&effect);
            let proven = principals
                .iter()
                .all(|principal| self.prover.is_within(principal, &self.world, [self.before, self.after]));
            self.world.revert(undo);
            if proven {
                draft.after(index, self.placed.iter().copied());
                self.remaining.retain(|other| *other != index);
                self.place(index, draft);
                self.barrier = Some(index);
                return true;
            }
        }
        false
    }

    /// Says what stands in the way.
    fn give_up(&mut self, draft: &mut Draft) {
        let mut told: BTreeSet<String> = BTreeSet::new();
        for index in &self.remaining.clone() {
            let resource = draft.steps[*index].resource.clone();
            match self.blocked(*index, draft) {
                Some(Blocked::Room(what)) => {
                    if told.insert(what.clone()) {
                        draft.problem(
                            format!("`{resource}` has to come before something else goes, and that needs {what}"),
                            "apply it in two steps: take something out first".to_owned(),
                        );
                    }
                }
                Some(Blocked::Access(principals)) => {
                    let who: Vec<String> = principals
                        .iter()
                        .map(|principal| match principal {
                            Principal::User(name) => format!("user `{name}`"),
                            Principal::Role(name) => format!("role `{name}`"),
                        })
                        .collect();
                    let text = who.join(", ");
                    if !told.insert(text.clone()) {
                        continue;
                    }
                    draft.problem(
                        format!("no order of calls changes `{resource}` and what else changes with it without a moment in which {text} can do more than before and after"),
                        "apply it in two steps: first the denies and removals, then the rest; a rename alone".to_owned(),
                    );
                    let users = principals.iter().filter_map(|principal| match principal {
                        Principal::User(name) => self.resolved.live_user(name),
                        Principal::Role(_) => None,
                    });
                    let in_the_way = users.map(|user| user.name.clone());
                    if let Some((_, problem)) = draft.problems.last_mut() {
                        problem.in_the_way.extend(in_the_way);
                    }
                }
                Some(Blocked::Waiting) | None => {}
            }
        }
    }
}

/// Whether a user is known to have no credential of any kind. Those that the plan makes come after everything else.
fn has_no_credentials(resolved: &Resolved<'_>, name: &UserName) -> bool {
    resolved.live_user(name).is_some_and(|user| {
        // No `..`: a new kind of credential must be looked at.
        let Credentials {
            login_profile,
            access_keys,
            mfa_devices: _,
            ssh_public_keys,
            signing_certificates,
            service_specific_credentials,
        } = &user.credentials;
        matches!(login_profile, Some(None))
            && access_keys.as_ref().is_some_and(BTreeMap::is_empty)
            && ssh_public_keys.as_ref().is_some_and(BTreeMap::is_empty)
            && signing_certificates.as_ref().is_some_and(BTreeMap::is_empty)
            && service_specific_credentials.as_ref().is_some_and(BTreeMap::is_empty)
    })
}

/// The name that a rename or a move takes a user from; `None` for every other step.
fn old_name(draft: &Draft, step: usize) -> Option<UserName> {
    match &draft.steps[step].call {
        Call::UpdateUser { user_name, .. } => Some(user_name.clone()),
        _ => None,
    }
}

/// What there is before a document comes, and after it has gone.
fn nothing() -> PolicyDocument {
    PolicyDocument::from_statements(Some("2012-10-17"), &[])
}

fn denies_something(document: &PolicyDocument) -> bool {
    document.statements().iter().any(Statement::is_deny)
}

/// The one thing that a step changes. A name or tags are none: what each of their steps does is its own.
fn slot(effect: &Effect) -> Option<(Owner, String)> {
    let part = match effect {
        Effect::UserInline(_, policy, _) | Effect::GroupInline(_, policy, _) => policy.as_str().to_ascii_lowercase(),
        Effect::UserAttachment(_, arn, _) | Effect::GroupAttachment(_, arn, _) => arn.as_str().to_owned(),
        Effect::Membership(_, group, _) => group.as_str().to_ascii_lowercase(),
        Effect::Boundary(..) | Effect::PolicyDefault(..) => String::new(),
        Effect::Identity(..) => return None,
    };
    Some((owner(effect), part))
}
