//! Who signed a request: its access key, and whether the signature is that key's. Decides nothing about what the
//! caller may do.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use crate::{caller::Caller, connector::Incoming, errors::ApiError, state::State};

/// How far the clock of a client may be off.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// A caller that is who it says, and what it signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    /// The id of its access key.
    pub(crate) key: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// What an `Authorization` header says.
#[derive(Debug, PartialEq, Eq)]
struct Header<'h> {
    key: &'h str,
    date: &'h str,
    region: &'h str,
    service: &'h str,
    signed: Vec<&'h str>,
    signature: &'h str,
}

impl<'h> Header<'h> {
    fn parse(text: &'h str) -> Option<Self> {
        let mut fields = text.strip_prefix("AWS4-HMAC-SHA256")?.split(',').map(str::trim);
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
        let (credential, signed, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
        let [key, date, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
            return None;
        };
        Some(Self {
            key,
            date,
            region,
            service,
            signed: signed.split(';').collect(),
            signature,
        })
    }
}

/// A secret of the account, and whose it is.
struct Known<'s> {
    caller: Caller,
    secret: &'s str,
    /// The token that has to come with it.
    token: Option<&'s str>,
}

/// Whose request this is, or why it is nobody's.
pub(crate) fn authenticate(state: &State, request: &Incoming<'_>, now: Timestamp) -> Result<Authenticated, ApiError> {
    let text = request
        .header("authorization")
        .ok_or_else(|| ApiError::missing_token("Request is missing Authentication Token"))?;
    let header = Header::parse(text)
        .ok_or_else(|| ApiError::incomplete_signature("The Authorization header is not that of AWS4-HMAC-SHA256."))?;
    let known = find(state, header.key, now)?;
    if known.token != request.header("x-amz-security-token") {
        return Err(unknown());
    }
    let time = check_time(request, &header, now)?;
    let is_theirs = signature(request, &header, &known, time).as_deref() == Some(header.signature);
    if !is_theirs {
        return Err(ApiError::wrong_signature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        ));
    }
    Ok(Authenticated {
        caller: known.caller,
        key: header.key.to_owned(),
        region: header.region.to_owned(),
        service: header.service.to_owned(),
    })
}

/// The same answer for keys that there are not, that are inactive, and whose secret is not known here.
fn unknown() -> ApiError {
    ApiError::invalid_token("The security token included in the request is invalid.")
}

fn find<'s>(state: &'s State, key: &str, now: Timestamp) -> Result<Known<'s>, ApiError> {
    if let Some(session) = state.sessions.get(key) {
        let role = state.roles.values().find(|role| role.entity.id == session.role_id);
        let role = role.ok_or_else(unknown)?;
        if now >= session.expires {
            return Err(ApiError::expired_token(
                "The security token included in the request is expired",
            ));
        }
        return Ok(Known {
            caller: Caller::Session {
                role: role.entity.name.clone(),
                role_id: session.role_id.clone(),
                session: session.name.clone(),
            },
            secret: &session.secret,
            token: Some(&session.token),
        });
    }
    let found = state
        .users
        .values()
        .find_map(|user| Some((user, user.access_keys.get(key)?)));
    match found {
        Some((user, access_key)) if access_key.active => Ok(Known {
            caller: Caller::User {
                name: user.entity.name.clone(),
                id: user.entity.id.clone(),
            },
            secret: access_key.secret.as_deref().ok_or_else(unknown)?,
            token: None,
        }),
        _ => Err(unknown()),
    }
}

/// When it was signed, which has to be about now.
fn check_time(request: &Incoming<'_>, header: &Header<'_>, now: Timestamp) -> Result<Timestamp, ApiError> {
    let text = request.header("x-amz-date").unwrap_or_default();
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text)
        .ok()
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .map(|time| time.timestamp())
        .filter(|_| text.starts_with(header.date))
        .ok_or_else(|| ApiError::incomplete_signature("Date must be in ISO-8601 'basic format'."))?;
    if now.duration_since(time) > TOLERANCE {
        return Err(ApiError::wrong_signature(format!(
            "Signature expired: {text} is now earlier than the allowed 5 min."
        )));
    }
    if time.duration_since(now) > TOLERANCE {
        return Err(ApiError::wrong_signature(format!(
            "Signature not yet current: {text} is still later than the allowed 5 min."
        )));
    }
    Ok(time)
}

/// The signature that the key would make; `None` where the request cannot be signed at all.
fn signature(request: &Incoming<'_>, header: &Header<'_>, known: &Known<'_>, time: Timestamp) -> Option<String> {
    // What identifies the request has to be signed.
    if !["host", "x-amz-date"].iter().all(|name| header.signed.contains(name)) {
        return None;
    }
    let token = known.token.map(str::to_owned);
    let identity = Credentials::new(header.key, known.secret, token, None, "sandbox").into();
    let mut settings = SigningSettings::default();
    // The client chose what it signs.
    settings.excluded_headers = None;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(header.region)
        .name(header.service)
        .time(SystemTime::from(time))
        .settings(settings)
        .build()
        .ok()?
        .into();
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| header.signed.contains(name));
    let signable = SignableRequest::new(
        request.method,
        request.uri.as_str(),
        headers,
        SignableBody::Bytes(request.body),
    );
    let (_, signature) = sign(signable.ok()?, &parameters).ok()?.into_parts();
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_taken_apart() {
        let text = "AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab12";
        let header = Header::parse(text).unwrap();
        assert_eq!((header.key, header.date, header.service), ("AKIA", "20261122", "iam"));
        assert_eq!((header.signed, header.signature), (vec!["host", "x-amz-date"], "ab12"));
        for broken in [
            text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
            text.replace("aws4_request", "aws5_request"),
            text.replace("Signature=", ""),
            "Basic abc".to_owned(),
        ] {
            assert_eq!(Header::parse(&broken), None, "{broken}");
        }
    }
}
