//! Whether a caller may do what it asks. What policies mean is left to an [`Authorizer`]; here stands what IAM looks at
//! for each operation, and what it says when it refuses.

use std::collections::BTreeMap;

use crate::{
    caller::Caller,
    errors::ApiError,
    needs::{self, Need},
    ops,
    state::{Entity, State},
    trust::{self, Trusted},
    wire::Request,
};

/// Decides what identity policies and a permissions boundary mean for one request. The sandbox itself knows nothing of
/// that.
pub trait Authorizer: Send + Sync {
    /// Decides a request. What cannot be decided must not be allowed.
    fn decide(&self, asked: &AccessRequest) -> AccessDecision;
}

/// A policy document, and how the caller comes to hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPolicy {
    /// Its ARN, or its name where it is an inline policy.
    pub name: String,
    /// The group through which it comes.
    pub group: Option<String>,
    /// Its text.
    pub document: String,
}

impl HeldPolicy {
    fn own(name: impl Into<String>, document: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            group: None,
            document: document.into(),
        }
    }
}

/// What somebody wants to do, with everything that bears on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// For example `iam:CreateUser`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Values by condition key, the caller's own included. What is not named is absent.
    pub context: BTreeMap<String, Vec<String>>,
    /// The identity policies that the caller holds.
    pub policies: Vec<HeldPolicy>,
    /// Its permissions boundary.
    pub boundary: Option<HeldPolicy>,
}

/// Where a request is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The identity policies.
    Identity,
    /// The permissions boundary.
    Boundary,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessDecision {
    /// It is allowed.
    Allowed,
    /// A statement denies it.
    Denied(Layer),
    /// Nothing allows it.
    NotAllowed(Layer),
}

/// What a caller holds.
#[derive(Debug, Clone, Default)]
struct Held {
    policies: Vec<HeldPolicy>,
    boundary: Option<HeldPolicy>,
    /// What was given when the session was begun; `None` where nothing was.
    session: Option<Vec<HeldPolicy>>,
}

/// Refuses a request that its caller may not make.
pub(crate) fn authorize(state: &State, authorizer: &dyn Authorizer, request: &Request) -> Result<(), ApiError> {
    // Root may do everything, and everybody may ask who they are.
    if request.caller == Caller::Root || request.action == "GetCallerIdentity" {
        return Ok(());
    }
    let held = held(state, &request.caller, request);
    if request.action == "AssumeRole" {
        return authorize_session(state, authorizer, request, &held);
    }
    for need in needs::of(state, request) {
        let refusal = match decide(authorizer, &held, &need) {
            Verdict::Allowed => continue,
            // The password policy can let everybody change their own password, whatever their policies do not say.
            Verdict::NotAllowed(_) if may_by_password_policy(state, request) => continue,
            refusal => refusal,
        };
        return Err(refused(state, request, &need, refusal));
    }
    Ok(())
}

fn may_by_password_policy(state: &State, request: &Request) -> bool {
    let policy = state.password_policy.as_ref();
    policy.is_some_and(|policy| policy.allow_users_to_change_password)
        && matches!(request.caller, Caller::User { .. })
        && matches!(request.action.as_str(), "ChangePassword" | "GetAccountPasswordPolicy")
}

/// A decision with the session policies taken into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Denied(Source),
    NotAllowed(Source),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Identity,
    Boundary,
    Session,
}

impl From<Layer> for Source {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::Identity => Self::Identity,
            Layer::Boundary => Self::Boundary,
        }
    }
}

fn decide(authorizer: &dyn Authorizer, held: &Held, need: &Need) -> Verdict {
    let ask = |policies: &[HeldPolicy], boundary: Option<HeldPolicy>| {
        authorizer.decide(&AccessRequest {
            action: need.action.clone(),
            resource: need.resource.clone(),
            context: need.context.clone(),
            policies: policies.to_vec(),
            boundary,
        })
    };
    let by_session = held.session.as_deref().map(|policies| ask(policies, None));
    let by_identity = ask(&held.policies, held.boundary.clone());
    match (by_identity, by_session) {
        (AccessDecision::Denied(layer), _) => Verdict::Denied(layer.into()),
        (_, Some(AccessDecision::Denied(_))) => Verdict::Denied(Source::Session),
        (AccessDecision::NotAllowed(layer), _) => Verdict::NotAllowed(layer.into()),
        (_, Some(AccessDecision::NotAllowed(_))) => Verdict::NotAllowed(Source::Session),
        (AccessDecision::Allowed, Some(AccessDecision::Allowed) | None) => Verdict::Allowed,
    }
}

/// A role can be assumed where its trust policy names the caller, or names the account and the caller's own policies
/// allow it.
fn authorize_session(
    state: &State,
    authorizer: &dyn Authorizer,
    request: &Request,
    held: &Held,
) -> Result<(), ApiError> {
    ops::check_session_form(request)?;
    let arn = request.parameter("RoleArn").unwrap_or_default();
    let role = state
        .roles
        .values()
        .find(|role| state.entity_arn(crate::state::Kind::Role, &role.entity) == arn);
    for need in needs::of(state, request) {
        let denied = || {
            ApiError::access_denied(format!(
                "User: {} is not authorized to perform: {} on resource: {arn}",
                caller_arn(state, &request.caller),
                need.action
            ))
        };
        let Some(role) = role else { return Err(denied()) };
        let asked = |trusted: Option<Trusted>| {
            let Some(trusted) = trusted else { return Ok(false) };
            let decision = authorizer.decide(&AccessRequest {
                action: need.action.clone(),
                resource: need.resource.clone(),
                context: need.context.clone(),
                policies: vec![HeldPolicy::own("trust", trusted.document)],
                boundary: None,
            });
            match decision {
                AccessDecision::Denied(_) => Err(denied()),
                decision => Ok(decision == AccessDecision::Allowed),
            }
        };
        let names_caller = asked(trust::naming_caller(state, &role.trust, &request.caller))?;
        let names_account = asked(trust::naming_account(state, &role.trust))?;
        let is_session = matches!(request.caller, Caller::Session { .. });
        let may = match decide(authorizer, held, &need) {
            Verdict::Allowed => names_caller || names_account,
            // Trust in a user needs no policy of the user's. A session is held to its boundary and its own policies.
            Verdict::NotAllowed(Source::Identity) => names_caller,
            Verdict::NotAllowed(Source::Boundary | Source::Session) => names_caller && !is_session,
            Verdict::Denied(_) => false,
        };
        if !may {
            return Err(denied());
        }
    }
    Ok(())
}

/// The ARN by which refusals and `GetCallerIdentity` name a caller.
pub(crate) fn caller_arn(state: &State, caller: &Caller) -> String {
    match caller {
        Caller::Root => format!("arn:{}:iam::{}:root", state.partition, state.account_id),
        Caller::User { name, .. } => match state.user(name) {
            Ok(user) => state.entity_arn(crate::state::Kind::User, &user.entity),
            Err(_) => state.arn("user", "/", name),
        },
        Caller::Session { role, session, .. } => format!(
            "arn:{}:sts::{}:assumed-role/{role}/{session}",
            state.partition, state.account_id
        ),
    }
}

fn refused(state: &State, request: &Request, need: &Need, verdict: Verdict) -> ApiError {
    let Need { action, resource, .. } = need;
    let why = match verdict {
        Verdict::Denied(Source::Identity) => "with an explicit deny in an identity-based policy".to_owned(),
        Verdict::Denied(Source::Boundary) => "with an explicit deny in a permissions boundary".to_owned(),
        Verdict::Denied(Source::Session) => "with an explicit deny in a session policy".to_owned(),
        Verdict::NotAllowed(Source::Boundary) => format!("because no permissions boundary allows the {action} action"),
        Verdict::NotAllowed(Source::Session) => format!("because no session policy allows the {action} action"),
        Verdict::NotAllowed(Source::Identity) | Verdict::Allowed => {
            format!("because no identity-based policy allows the {action} action")
        }
    };
    ApiError::access_denied(format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} {why}",
        caller_arn(state, &request.caller)
    ))
}

fn held(state: &State, caller: &Caller, request: &Request) -> Held {
    match caller {
        Caller::Root => Held::default(),
        Caller::User { name, .. } => match state.user(name) {
            Ok(user) => {
                let mut policies = policies_of(state, &user.entity, None);
                for group in state.groups_of(user) {
                    policies.extend(policies_of(state, &group.entity, Some(&group.entity.name)));
                }
                Held {
                    policies,
                    boundary: boundary_of(state, user.boundary.as_deref()),
                    session: None,
                }
            }
            Err(_) => Held::default(),
        },
        Caller::Session { role, .. } => match state.role(role) {
            Ok(role) => Held {
                policies: policies_of(state, &role.entity, None),
                boundary: boundary_of(state, role.boundary.as_deref()),
                session: request.session.as_ref().and_then(|session| {
                    let inline = session.policy.iter();
                    let inline = inline.map(|document| HeldPolicy::own("session", document.clone()));
                    let managed = session.policy_arns.iter().map(|arn| managed_policy(state, arn, None));
                    let policies: Vec<_> = inline.chain(managed).collect();
                    (!policies.is_empty()).then_some(policies)
                }),
            },
            Err(_) => Held::default(),
        },
    }
}

fn policies_of(state: &State, entity: &Entity, group: Option<&str>) -> Vec<HeldPolicy> {
    let inline = entity.inline.values().map(|policy| HeldPolicy {
        name: policy.name.clone(),
        group: group.map(str::to_owned),
        document: policy.document.clone(),
    });
    let attached = entity.attached.iter().map(|arn| managed_policy(state, arn, group));
    inline.chain(attached).collect()
}

fn boundary_of(state: &State, arn: Option<&str>) -> Option<HeldPolicy> {
    arn.map(|arn| managed_policy(state, arn, None))
}

/// A managed policy in its default version. Where there is none, its document is empty and allows nothing.
fn managed_policy(state: &State, arn: &str, group: Option<&str>) -> HeldPolicy {
    let own = state
        .customer_policy(arn)
        .and_then(|policy| policy.versions.get(&policy.default_version))
        .map(|version| version.document.clone());
    let document = own.or_else(|| state.aws_policy(arn).map(|policy| policy.document));
    HeldPolicy {
        name: arn.to_owned(),
        group: group.map(str::to_owned),
        document: document.unwrap_or_default(),
    }
}
