//! The documents that a principal holds, and how it comes to hold them.

use std::collections::BTreeSet;

use trueup_model::{GroupName, InlinePolicyName, PolicyArn, PolicyDocument};

use super::{Holder, Principal, World};

/// A policy that a principal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held<'w> {
    /// The group through which it is held; `None` where it is the principal's own.
    pub(crate) group: Option<&'w GroupName>,
    pub(crate) policy: HeldPolicy<'w>,
    /// What it says; `None` where that was not read.
    pub(crate) document: Option<&'w PolicyDocument>,
}

/// What names a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldPolicy<'w> {
    Inline(&'w InlinePolicyName),
    Managed(&'w PolicyArn),
    Boundary(&'w PolicyArn),
}

impl World {
    /// Everything that a principal holds, its own policies first and the boundary last.
    pub(crate) fn held(&self, principal: &Principal) -> Vec<Held<'_>> {
        let mut held = Vec::new();
        let boundary = match principal {
            Principal::User(name) => {
                let Some(user) = self.users.get(name) else {
                    return held;
                };
                self.held_by(None, &user.own, &mut held);
                for name in &user.groups {
                    if let Some(group) = self.groups.get(name) {
                        self.held_by(Some(name), group, &mut held);
                    }
                }
                user.boundary.as_ref()
            }
            Principal::Role(name) => {
                let Some(role) = self.roles.get(name) else {
                    return held;
                };
                self.held_by(None, &role.own, &mut held);
                role.boundary.as_ref()
            }
        };
        held.extend(boundary.map(|arn| Held {
            group: None,
            policy: HeldPolicy::Boundary(arn),
            document: self.document(arn),
        }));
        held
    }

    fn held_by<'w>(&'w self, group: Option<&'w GroupName>, holder: &'w Holder, held: &mut Vec<Held<'w>>) {
        held.extend(holder.inline.iter().map(|(name, content)| Held {
            group,
            policy: HeldPolicy::Inline(name),
            document: content.document.as_ref(),
        }));
        held.extend(holder.attached.iter().map(|arn| Held {
            group,
            policy: HeldPolicy::Managed(arn),
            document: self.document(arn),
        }));
    }

    /// The managed policies of a principal whose documents were not read.
    pub(crate) fn unread(&self, principal: &Principal) -> BTreeSet<PolicyArn> {
        let unread = self.held(principal).into_iter().filter(|held| held.document.is_none());
        unread
            .filter_map(|held| match held.policy {
                HeldPolicy::Managed(arn) | HeldPolicy::Boundary(arn) => Some(arn.clone()),
                HeldPolicy::Inline(_) => None,
            })
            .collect()
    }

    /// What a managed policy says; `None` where that was not read.
    pub(crate) fn document(&self, arn: &PolicyArn) -> Option<&PolicyDocument> {
        self.policies.get(arn)?.document.as_ref()
    }
}
