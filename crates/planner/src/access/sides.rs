//! From the model of who holds what to what the access engine compares.

use std::collections::{BTreeMap, BTreeSet};

use trueup_access::{Holdings, Origin, PrincipalFacts};
use trueup_model::{PolicyArn, PolicyDocument, Resource};

use crate::world::{Held, HeldPolicy, Principal, World};

/// What a principal holds on one side of the plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    pub(crate) holdings: Holdings,
    /// Managed policies whose documents were not read.
    pub(crate) unread: BTreeSet<PolicyArn>,
    /// Where its policies are held, by the names that the holdings give them.
    pub(crate) places: BTreeMap<String, Resource>,
}

/// How plans name a principal.
pub(crate) fn resource(principal: &Principal) -> Resource {
    match principal {
        Principal::User(name) => Resource::user(name),
        Principal::Role(name) => Resource::role(name),
    }
}

impl Side {
    /// Nothing at all: for who is not there on this side.
    pub(crate) fn nothing(facts: PrincipalFacts) -> Self {
        Self {
            holdings: Holdings {
                facts,
                ..Holdings::default()
            },
            ..Self::default()
        }
    }

    pub(crate) fn of(world: &World, principal: &Principal, facts: PrincipalFacts) -> Self {
        let mut side = Self::nothing(facts);
        let own = resource(principal);
        for Held {
            group,
            policy,
            document,
        } in world.held(principal)
        {
            let holder = group.map_or_else(|| own.clone(), Resource::group);
            let place = match policy {
                HeldPolicy::Inline(name) => holder.inline_policy(name),
                HeldPolicy::Managed(arn) => holder.attachment(arn),
                HeldPolicy::Boundary(_) => holder.permissions_boundary(),
            };
            if let (None, HeldPolicy::Managed(arn) | HeldPolicy::Boundary(arn)) = (document, policy) {
                side.unread.insert(arn.clone());
            }
            // What is not read is a text that is no document, and the same one wherever the policy is held.
            let document = document.cloned().unwrap_or_else(|| {
                let name = match policy {
                    HeldPolicy::Inline(name) => name.as_str(),
                    HeldPolicy::Managed(arn) | HeldPolicy::Boundary(arn) => arn.as_str(),
                };
                PolicyDocument::from_live(format!("not read: {name}"))
            });
            let origin = Origin::own(place.as_str());
            side.places.insert(place.as_str().to_owned(), place);
            match policy {
                HeldPolicy::Boundary(_) => side.holdings.boundary = Some((origin, document)),
                HeldPolicy::Inline(_) | HeldPolicy::Managed(_) => side.holdings.policies.push((origin, document)),
            }
        }
        side
    }
}
