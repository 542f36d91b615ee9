//! STS: who is calling, and sessions of roles. Whether a role may be assumed is decided before anybody gets here.

use jiff::SignedDuration;
use trueup_model::document::DocumentKind;

use super::{attachments, tags};
use crate::{
    authorization::caller_arn,
    caller::Caller,
    errors::ApiError,
    policy_text::check_document,
    state::{Kind, Session, State},
    totp,
    validate::{ARN, EXTERNAL_ID, Input, MFA_CODE, SERIAL, SESSION_NAME, SESSION_POLICY},
    wire::{Request, Xml},
};

/// How many steps of time a code may be off.
const DRIFT: i64 = 2;
/// How long a session of a session may last.
const CHAINED: i64 = 3600;
const MOST_POLICY_ARNS: usize = 10;
/// The characters of a session policy.
const MOST_PACKED: usize = 2048;

pub(super) fn caller_identity(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let id = match &request.caller {
        Caller::Root => state.account_id.clone(),
        Caller::User { id, .. } => id.clone(),
        Caller::Session { role_id, session, .. } => format!("{role_id}:{session}"),
    };
    let mut xml = Xml::new();
    xml.text("Arn", caller_arn(state, &request.caller))
        .text("UserId", id)
        .text("Account", &state.account_id);
    Ok(xml)
}

/// What `AssumeRole` was asked, in the form that it has to have.
struct Asked {
    arn: String,
    name: String,
    duration: i64,
    policy: Option<String>,
    serial: Option<String>,
    code: Option<String>,
    tags: Vec<(String, String)>,
}

fn asked(request: &Request) -> Result<Asked, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("RoleArn", &ARN);
    let name = input.required("RoleSessionName", &SESSION_NAME);
    let duration = input.number("DurationSeconds", 900, 43_200).unwrap_or(CHAINED);
    let policy = input.optional("Policy", &SESSION_POLICY);
    input.optional("ExternalId", &EXTERNAL_ID);
    let serial = input.optional("SerialNumber", &SERIAL);
    let code = input.optional("TokenCode", &MFA_CODE);
    let tags = input.tags().unwrap_or_default();
    input.check()?;
    if !attachments::is_arn(&arn) {
        return Err(ApiError::validation(format!("{arn} is invalid")));
    }
    for parameter in [
        "SourceIdentity",
        "TransitiveTagKeys.member.1",
        "ProvidedContexts.member.1.ProviderArn",
    ] {
        if request.parameter(parameter).is_some() {
            return Err(ApiError::validation(format!(
                "The sandbox does not know the parameter {parameter} of AssumeRole."
            )));
        }
    }
    Ok(Asked {
        arn,
        name,
        duration,
        policy,
        serial,
        code,
        tags,
    })
}

/// Refuses parameters that are not well formed, which comes before the question who may. Tags and policies are looked
/// into after it.
pub(crate) fn check_form(request: &Request) -> Result<(), ApiError> {
    asked(request).map(drop)
}

pub(super) fn assume_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let asked = asked(request)?;
    if request.caller == Caller::Root {
        return Err(ApiError::access_denied("Roles may not be assumed by root accounts."));
    }
    let found = state
        .roles
        .values()
        .find(|role| state.entity_arn(Kind::Role, &role.entity) == asked.arn);
    let role = found.ok_or_else(|| {
        ApiError::access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            caller_arn(state, &request.caller),
            asked.arn
        ))
    })?;
    if asked.duration > role.max_session_duration {
        return Err(ApiError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    if matches!(request.caller, Caller::Session { .. }) && asked.duration > CHAINED {
        return Err(ApiError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    let (role_id, role_name) = (role.entity.id.clone(), role.entity.name.clone());
    if let Some(policy) = &asked.policy {
        check_document(policy, DocumentKind::Managed)?;
    }
    let policy_arns = policy_arns(state, request)?;
    let mut tags = tags::Tags::new();
    // STS has another code for what IAM calls InvalidInput.
    tags::merge(&mut tags, asked.tags, tags::Keys::IgnoreCase, state)
        .map_err(|error| ApiError::invalid_parameter_value(error.message))?;
    let accepted = match (&asked.serial, &asked.code) {
        (None, None) => None,
        (Some(serial), Some(code)) => Some((serial.clone(), accepted_step(state, request, serial, code)?)),
        _ => {
            return Err(ApiError::access_denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
            ));
        }
    };
    let expires = request
        .now
        .checked_add(SignedDuration::from_secs(asked.duration))
        .map_err(|_| ApiError::validation("The session would last too long."))?;
    let packed = packed_size(asked.policy.as_deref(), &policy_arns, &tags)?;
    let session = Session {
        role_id: role_id.clone(),
        name: asked.name.clone(),
        secret: state.ids.letters(40),
        token: state.ids.letters(200),
        begun: request.now,
        expires,
        policy: asked.policy,
        policy_arns,
        tags,
        mfa: accepted.is_some(),
    };
    let key = state.ids.access_key_id().replacen("AKIA", "ASIA", 1);
    let mut xml = Xml::new();
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &key)
            .text("SecretAccessKey", &session.secret)
            .text("SessionToken", &session.token)
            .time("Expiration", session.expires);
    })
    .element("AssumedRoleUser", |xml| {
        let made = Caller::Session {
            role: role_name,
            role_id: role_id.clone(),
            session: asked.name.clone(),
        };
        xml.text("AssumedRoleId", format!("{role_id}:{}", asked.name))
            .text("Arn", caller_arn(state, &made));
    });
    if let Some(packed) = packed {
        xml.number("PackedPolicySize", packed);
    }
    if let Some((serial, step)) = accepted
        && let Some(device) = state.mfa_devices.get_mut(&serial)
    {
        device.last_step = Some(step);
    }
    // Nobody misses a session that has ended.
    state.sessions.retain(|_, session| session.expires > request.now);
    state.sessions.insert(key, session);
    Ok(xml)
}

/// How much of the room for what a session is given is taken, in percent; nothing is said where nothing was given. How
/// STS packs is not known: here everything is as long as it was sent, which is the stricter reading.
fn packed_size(policy: Option<&str>, arns: &[String], tags: &tags::Tags) -> Result<Option<usize>, ApiError> {
    let lengths = policy
        .into_iter()
        .chain(arns.iter().map(String::as_str))
        .chain(tags.values().flat_map(|tag| [tag.key.as_str(), tag.value.as_str()]))
        .map(|text| text.chars().count());
    let taken = lengths.reduce(|sum, length| sum + length);
    let percent = taken.map(|taken| (taken * 100).div_ceil(MOST_PACKED));
    match percent {
        Some(percent) if percent > 100 => Err(ApiError::packed_policy_too_large(format!(
            "Packed policy consumes {percent}% of allotted space, please use smaller policy."
        ))),
        percent => Ok(percent),
    }
}

fn policy_arns(state: &State, request: &Request) -> Result<Vec<String>, ApiError> {
    let given = (1..).map_while(|index| request.parameter(&format!("PolicyArns.member.{index}.arn")));
    let arns: Vec<String> = given.map(str::to_owned).collect();
    if arns.len() > MOST_POLICY_ARNS {
        return Err(ApiError::packed_policy_too_large("Too many session policies."));
    }
    for arn in &arns {
        attachments::check_arn(arn)?;
        if !state.has_policy(arn) {
            return Err(ApiError::validation(format!("The policy {arn} does not exist.")));
        }
    }
    Ok(arns)
}

/// The step of a code that the caller's own device shows about now, and that was not used before.
fn accepted_step(state: &State, request: &Request, serial: &str, code: &str) -> Result<i64, ApiError> {
    let invalid = || ApiError::access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ");
    let Caller::User { id, .. } = &request.caller else {
        return Err(invalid());
    };
    let device = state.mfa_devices.get(serial).ok_or_else(invalid)?;
    if device.assigned.as_ref().is_none_or(|assigned| assigned.owner != *id) {
        return Err(invalid());
    }
    let now = totp::step(request.now);
    let from = device.last_step.map_or(now - DRIFT, |last| (last + 1).max(now - DRIFT));
    let seed = device.seed.as_deref().unwrap_or_default();
    totp::find_code(seed, code, from, now + DRIFT).ok_or_else(invalid)
}

/// Whether a call comes with a code that its caller's device shows.
pub(crate) fn has_valid_code(state: &State, request: &Request) -> bool {
    match (request.parameter("SerialNumber"), request.parameter("TokenCode")) {
        (Some(serial), Some(code)) => accepted_step(state, request, serial, code).is_ok(),
        _ => false,
    }
}
