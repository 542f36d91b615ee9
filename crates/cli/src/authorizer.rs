//! What the policies of a sandbox's callers mean, by the access engine.

use trueup_access::{Effect, Engine, Holdings, IamData, Origin, PrincipalFacts, Request};
use trueup_model::PolicyDocument;
use trueup_sandbox::{AccessDecision, AccessRequest, Authorizer, HeldPolicy, Layer};

/// Lets the access engine decide. What it does not know is not allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PolicyAuthorizer;

impl Authorizer for PolicyAuthorizer {
    fn decide(&self, asked: &AccessRequest) -> AccessDecision {
        let held = |policy: &HeldPolicy| {
            let origin = match &policy.group {
                Some(group) => Origin::through(group, &policy.name),
                None => Origin::own(&policy.name),
            };
            (origin, PolicyDocument::from_live(&policy.document))
        };
        let boundary = asked.boundary.as_ref();
        let mut holdings = Holdings {
            facts: PrincipalFacts::nobody(),
            policies: asked.policies.iter().map(held).collect(),
            boundary: boundary.map(held),
        };
        let request = Request {
            action: asked.action.clone(),
            resource: asked.resource.clone(),
            context: asked.context.clone(),
        };
        let decide = |holdings: &Holdings| Engine::new(IamData::embedded()).decide(holdings, &request).effect;
        match decide(&holdings) {
            Effect::Allowed => AccessDecision::Allowed,
            Effect::ExplicitlyDenied => {
                // A boundary that denies is named only where nothing else does.
                holdings.boundary = None;
                AccessDecision::Denied(if decide(&holdings) == Effect::ExplicitlyDenied {
                    Layer::Identity
                } else {
                    Layer::Boundary
                })
            }
            Effect::OutsideBoundary => AccessDecision::NotAllowed(Layer::Boundary),
            Effect::NotAllowed | Effect::Unknown => AccessDecision::NotAllowed(Layer::Identity),
        }
    }
}
