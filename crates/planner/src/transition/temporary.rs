//! Temporary policies, which hold denies while what else a user holds is changed.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{InlinePolicyName, PolicyDocument, Resource, TRANSITION_POLICY, UserName, document::Statement};

use super::{Blocked, Search, intermediate::without_repeated_sids, room::owner};
use crate::{
    Call,
    draft::{Draft, rank},
    world::{Effect, Principal, without_meaning},
};

impl Search<'_> {
    /// Gives users for whom every remaining step is unsafe a temporary inline policy with the denies of both sides;
    /// says whether there was any.
    pub(super) fn hold_denies(&mut self, draft: &mut Draft) -> bool {
        let mut blocked_for: BTreeSet<Principal> = BTreeSet::new();
        for index in self.remaining.clone() {
            // What an interrupted apply left waits for everything else, and needs no help.
            if takes_off_transition(draft, index) {
                continue;
            }
            if let Some(Blocked::Access(principals)) = self.blocked(index, draft) {
                blocked_for.extend(principals);
            }
        }
        let mut waiting: BTreeMap<Principal, Vec<usize>> = BTreeMap::new();
        for index in &self.remaining {
            for principal in self.affected.get(index).into_iter().flatten() {
                waiting.entry(principal.clone()).or_default().push(*index);
            }
        }
        let mut held: BTreeMap<UserName, usize> = BTreeMap::new();
        for principal in blocked_for {
            let Principal::User(user) = &principal else { continue };
            if self.temporary.contains(user) {
                continue;
            }
            let others = waiting.remove(&principal).unwrap_or_default();
            if let Some(delete) = self.hold_denies_of(user, &principal, others, draft) {
                held.insert(user.clone(), delete);
            }
        }
        for step in &mut draft.steps {
            if let Call::DeleteUser { user_name } = &step.call
                && let Some(delete) = held.get(user_name)
            {
                step.after.insert(*delete);
            }
        }
        !held.is_empty()
    }

    /// Adds the calls that put a temporary policy on one user and take it off when `others` are done. Returns the
    /// step that takes it off; `None` where there is nothing to hold or no room.
    fn hold_denies_of(
        &mut self,
        user: &UserName,
        principal: &Principal,
        others: Vec<usize>,
        draft: &mut Draft,
    ) -> Option<usize> {
        let policy = InlinePolicyName::from_live(TRANSITION_POLICY);
        let document = self.held_document(user, principal, &others, draft)?;
        let effect = Effect::UserInline(user.clone(), policy.clone(), Some(document.clone()));
        let resource = Resource::user(user).inline_policy(&policy);
        let reason = "holds denies in between, so that nobody can do more than before or after";
        let pending = self.pending_rename(user, draft);
        let call = Call::PutUserPolicy {
            user_name: pending.as_ref().map_or(user, |(_, old_name)| old_name).clone(),
            policy_name: policy.clone(),
            policy_document: document,
        };
        let put = draft.step_with(rank::USER_POLICY, call, &resource, reason, effect);
        match pending {
            Some((rename, _)) => draft.after(rename, [put]),
            None => draft.needs_user(put, user),
        }
        let planned = self.remaining.iter().copied();
        let planned = planned.filter(|index| takes_off_transition(draft, *index));
        let planned = planned
            .into_iter()
            .find(|index| draft.steps[*index].resource == resource);
        let delete = planned.unwrap_or_else(|| {
            let call = Call::DeleteUserPolicy {
                user_name: user.clone(),
                policy_name: policy.clone(),
            };
            let gone = Effect::UserInline(user.clone(), policy, None);
            let reason = "the temporary policy is no longer needed";
            let delete = draft.step_with(rank::REMOVE, call, &resource, reason, gone);
            self.remaining.push(delete);
            delete
        });
        let others = others.into_iter().filter(|other| *other != delete);
        draft.after(delete, others.chain([put]));
        for index in [put, delete] {
            self.affected.insert(index, BTreeSet::from([principal.clone()]));
        }
        self.place(put, draft);
        self.temporary.insert(user.clone());
        Some(delete)
    }

    /// What a temporary policy on one user says while `others` are done; `None` where there is nothing to hold or no room.
    fn held_document(
        &mut self,
        user: &UserName,
        principal: &Principal,
        others: &[usize],
        draft: &Draft,
    ) -> Option<PolicyDocument> {
        let (before, after) = self.contended.get(principal)?;
        let now = self.world.access(principal);
        let put = |document| Effect::UserInline(user.clone(), InlinePolicyName::from_live(TRANSITION_POLICY), document);
        let both: BTreeSet<u32> = before.denies.union(&after.denies).copied().collect();
        let missing = both.difference(&now.denies).copied();
        // What an interrupted apply left is replaced, so what it holds is held on.
        let kept = self.world.slot_access(&put(None)).deny_statements();
        let less: BTreeSet<u32> = missing.map(without_meaning).chain(kept.iter().copied()).collect();
        // Those that are in force now are about to be taken away one by one, so all of them are held where there is room.
        let held = [both.into_iter().map(without_meaning).collect(), less];
        let held = held.iter().filter(|held| **held != kept);
        let mut documents: Vec<PolicyDocument> = held.filter_map(|held| self.denies(held)).collect();
        documents.retain(|document| self.fits(&put(Some(document.clone())), &[]));
        // It is there until all others are done. Where that cannot be, it may do for those that are safe without them.
        let beside: Vec<Effect> = others
            .iter()
            .filter(|other| !takes_off_transition(draft, **other))
            .filter_map(|other| draft.steps[*other].effect.clone())
            .filter(|other| owner(other) == owner(&put(None)))
            .collect();
        let fitting = documents
            .iter()
            .find(|document| self.fits(&put(Some((*document).clone())), &beside));
        fitting.or_else(|| documents.first()).cloned()
    }

    /// A document of these statements; `None` where there are none, or where one was not read.
    fn denies(&self, numbers: &BTreeSet<u32>) -> Option<PolicyDocument> {
        let statements = numbers.iter().map(|number| self.world.statement(*number).cloned());
        let statements: Vec<Statement> = statements.collect::<Option<_>>()?;
        (!statements.is_empty())
            .then(|| PolicyDocument::from_statements(Some("2012-10-17"), &without_repeated_sids(statements)))
    }
}

/// Whether a step takes the temporary policy off a user.
pub(super) fn takes_off_transition(draft: &Draft, step: usize) -> bool {
    matches!(&draft.steps[step].effect, Some(Effect::UserInline(_, policy, None)) if policy.as_str() == TRANSITION_POLICY)
}
