//! Service-specific credentials.

use jiff::SignedDuration;

use super::users;
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{ServiceCredential, State, fold},
    validate::{CREDENTIAL_ID, Input, SERVICE_NAME, USER_NAME},
    wire::{Request, Xml},
};

/// The services that have such credentials, and whether these have a user name and a password rather than an alias
/// and an API key.
const SERVICES: [(&str, bool); 6] = [
    ("codecommit.amazonaws.com", true),
    ("cassandra.amazonaws.com", true),
    ("bedrock.amazonaws.com", false),
    ("logs.amazonaws.com", false),
    ("cloudwatch.amazonaws.com", false),
    ("aws-external-anthropic.amazonaws.com", false),
];

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let service = input.required("ServiceName", &SERVICE_NAME);
    let age = input.number("CredentialAgeDays", 1, 36_600);
    input.check()?;
    let user = state.user(&name)?;
    let (service, has_password) = known(&service)?;
    if has_password && age.is_some() {
        return Err(ApiError::invalid_input(format!(
            "Credentials of {service} cannot expire."
        )));
    }
    let limit = state.quotas.limit(Quota::ServiceCredentialsPerService);
    if user
        .service_credentials
        .values()
        .filter(|credential| credential.service == service)
        .count()
        >= limit
    {
        return Err(ApiError::quota("ServiceSpecificCredentialsPerUser", limit));
    }
    let (user_name, account) = (user.entity.name.clone(), state.account_id.clone());
    // A second credential for the same service gets a number.
    let number = user
        .service_credentials
        .values()
        .filter(|credential| credential.service == service)
        .count();
    let plus = if number == 0 {
        String::new()
    } else {
        format!("+{number}")
    };
    let login = if has_password {
        format!("{user_name}{plus}-at-{account}")
    } else {
        format!("{user_name}{plus}-{account}")
    };
    let (id, secret) = (state.ids.unique_id("ACCA"), state.ids.letters(44));
    let credential = ServiceCredential {
        created: request.now,
        active: true,
        service: service.to_owned(),
        login,
        expires: age.and_then(|days| request.now.checked_add(SignedDuration::from_hours(24 * days)).ok()),
    };
    let xml = write_with_secret(&user_name, &id, &credential, &secret);
    state.user_mut(&name)?.service_credentials.insert(id, credential);
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let service = input.optional("ServiceName", &SERVICE_NAME);
    let all_users = input.flag("AllUsers").unwrap_or(false);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let users = if all_users {
        if name.is_some() {
            return Err(ApiError::invalid_input(
                "UserName and AllUsers cannot be given together.",
            ));
        }
        state.users.values().collect()
    } else {
        vec![state.user(&users::named(name.clone(), request)?)?]
    };
    let service = service.as_deref().map(known).transpose()?.map(|(service, _)| service);
    let credentials = users
        .iter()
        .flat_map(|user| {
            user.service_credentials
                .iter()
                .map(|(id, credential)| (&user.entity.name, id, credential))
        })
        .filter(|(_, _, credential)| service.is_none_or(|service| credential.service == service))
        .collect();
    let filter = format!(
        "{all_users} {} {}",
        service.unwrap_or("-"),
        fold(&name.unwrap_or_default())
    );
    let page = page.cut(credentials, &filter)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list(
        "ServiceSpecificCredentials",
        &page.items,
        |xml, (user, id, credential)| write(xml, user, id, credential),
    );
    Ok(xml)
}

pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (mut input, name, id) = parameters(request);
    let status = super::new_status(&mut input);
    input.check()?;
    let credential = find_mut(state, name, &id, request)?;
    credential.active = super::settable(status)?;
    Ok(Xml::new())
}

/// A new secret; everything else stays as it is.
pub(super) fn reset(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (input, name, id) = parameters(request);
    input.check()?;
    let credential = find_mut(state, name.clone(), &id, request)?.clone();
    let user = state.user(&users::named(name, request)?)?.entity.name.clone();
    let secret = state.ids.letters(44);
    Ok(write_with_secret(&user, &id, &credential, &secret))
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (input, name, id) = parameters(request);
    input.check()?;
    find_mut(state, name.clone(), &id, request)?;
    let name = users::named(name, request)?;
    state.user_mut(&name)?.service_credentials.remove(&id);
    Ok(Xml::new())
}

fn parameters(request: &Request) -> (Input<'_>, Option<String>, String) {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let id = input.required("ServiceSpecificCredentialId", &CREDENTIAL_ID);
    (input, name, id)
}

/// A credential of the user that is named. That of another user is a mistake of the caller.
fn find_mut<'a>(
    state: &'a mut State,
    name: Option<String>,
    id: &str,
    request: &Request,
) -> Result<&'a mut ServiceCredential, ApiError> {
    let key = fold(&state.user(&users::named(name, request)?)?.entity.name);
    let mut owners = state.users.iter();
    let owner = owners.find(|(_, user)| user.service_credentials.contains_key(id));
    if owner.is_some_and(|(owner, _)| *owner != key) {
        return Err(ApiError::validation("The credential belongs to another user."));
    }
    let user = state.users.get_mut(&key);
    user.and_then(|user| user.service_credentials.get_mut(id))
        .ok_or_else(|| ApiError::no_such_entity(format!("No such credential {id} exists")))
}

/// The service of this name in its own spelling. Where IAM's model has `NotSupportedService`, real accounts answer
/// `NoSuchEntity`.
fn known(service: &str) -> Result<(&'static str, bool), ApiError> {
    SERVICES
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(service))
        .ok_or_else(|| {
            ApiError::no_such_entity(format!(
                "No such service {service} is supported for Service Specific Credentials"
            ))
        })
}

/// The only answers that tell the secret.
fn write_with_secret(user: &str, id: &str, credential: &ServiceCredential, secret: &str) -> Xml {
    let has_password = known(&credential.service).is_ok_and(|(_, has_password)| has_password);
    let element = if has_password {
        "ServicePassword"
    } else {
        "ServiceCredentialSecret"
    };
    let mut xml = Xml::new();
    xml.element("ServiceSpecificCredential", |xml| {
        write(xml, user, id, credential);
        xml.text(element, secret);
    });
    xml
}

fn write(xml: &mut Xml, user: &str, id: &str, credential: &ServiceCredential) {
    let has_password = known(&credential.service).is_ok_and(|(_, has_password)| has_password);
    xml.text("UserName", user)
        .text("ServiceName", &credential.service)
        .text("ServiceSpecificCredentialId", id)
        .text(
            if has_password {
                "ServiceUserName"
            } else {
                "ServiceCredentialAlias"
            },
            &credential.login,
        )
        .text("Status", super::status(credential.active))
        .time("CreateDate", credential.created)
        .optional("ExpirationDate", credential.expires.map(|expires| expires.to_string()));
}
