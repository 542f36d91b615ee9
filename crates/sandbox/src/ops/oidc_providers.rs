//! OpenID Connect providers. No provider is ever asked for its certificate: a thumbprint that AWS would fetch is made
//! up from the host's name.

use sha1::{Digest, Sha1};

use super::{attachments, tags};
use crate::{
    errors::ApiError,
    quota::Quota,
    state::{OidcProvider, State},
    validate::{ARN, CLIENT_ID, Input, OIDC_URL, THUMBPRINT},
    wire::{Request, Xml},
};

const MOST_THUMBPRINTS: usize = 5;

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    // In the order in which their problems are told.
    let client_ids = input.texts("ClientIDList", &CLIENT_ID).unwrap_or_default();
    let thumbprints = input.texts("ThumbprintList", &THUMBPRINT).unwrap_or_default();
    let url = input.required("Url", &OIDC_URL);
    let given_tags = input.tags();
    input.check()?;
    let (key, host) = parts(&url).ok_or_else(|| ApiError::validation("Invalid Open ID Connect Provider URL"))?;
    check_thumbprints(&thumbprints)?;
    let client_ids = client_ids.into_iter().fold(Vec::new(), |mut ids, id| {
        if !ids.contains(&id) {
            ids.push(id);
        }
        ids
    });
    check_client_ids(state, client_ids.len())?;
    if state.oidc_providers.contains_key(&key) {
        return Err(ApiError::already_exists(format!(
            "Provider with url {url} already exists."
        )));
    }
    let limit = state.quotas.limit(Quota::OpenIdConnectProviders);
    if state.oidc_providers.len() >= limit {
        return Err(ApiError::quota("OpenIdConnectProvidersPerAccount", limit));
    }
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags.unwrap_or_default(), tags::Keys::Exact, state)?;
    let thumbprints = if thumbprints.is_empty() {
        vec![fetched(&host)?]
    } else {
        thumbprints
    };
    let provider = OidcProvider {
        created: request.now,
        client_ids,
        thumbprints,
        tags,
    };
    let mut xml = Xml::new();
    xml.text("OpenIDConnectProviderArn", arn(state, &key));
    if !provider.tags.is_empty() {
        tags::write(&mut xml, &provider.tags);
    }
    state.oidc_providers.insert(key, provider);
    Ok(xml)
}

/// What identifies a provider, which is its URL without the scheme, and its host. IAM takes neither ports nor queries.
fn parts(url: &str) -> Option<(String, String)> {
    let key = url.strip_prefix("https://")?;
    let host = key.split('/').next().unwrap_or_default();
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_text = key.bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#');
    let is_domain = host.split('.').count() > 1 && host.split('.').all(is_label);
    (is_text && is_domain).then(|| (key.to_owned(), host.to_ascii_lowercase()))
}

/// The thumbprint of a provider that was created without any. Hosts below `.invalid` cannot be reached.
fn fetched(host: &str) -> Result<String, ApiError> {
    if host.ends_with(".invalid") {
        return Err(ApiError::idp_communication(
            "Please ensure that the OpenID Connect provider can be reached.",
        ));
    }
    let digest = Sha1::digest(host.as_bytes());
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn check_thumbprints(thumbprints: &[String]) -> Result<(), ApiError> {
    if thumbprints.len() > MOST_THUMBPRINTS {
        return Err(ApiError::invalid_input(format!(
            "Thumbprint list must contain fewer than {MOST_THUMBPRINTS} entries."
        )));
    }
    Ok(())
}

fn check_client_ids(state: &State, count: usize) -> Result<(), ApiError> {
    let limit = state.quotas.limit(Quota::ClientIdsPerOpenIdConnectProvider);
    if count > limit {
        return Err(ApiError::quota("ClientIdsPerOpenIdConnectProvider", limit));
    }
    Ok(())
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let arn = arn_parameter(request)?;
    let key = key_of(state, &arn).ok_or_else(|| absent(&arn))?;
    let provider = state.oidc_providers.get(key).ok_or_else(|| absent(&arn))?;
    let mut xml = Xml::new();
    xml.text("Url", key)
        .texts("ClientIDList", &provider.client_ids)
        .texts("ThumbprintList", &provider.thumbprints)
        .time("CreateDate", provider.created);
    tags::write(&mut xml, &provider.tags);
    Ok(xml)
}

/// All of them at once: this list has no pages.
pub(super) fn list(state: &State, _: &Request) -> Result<Xml, ApiError> {
    let mut xml = Xml::new();
    xml.list("OpenIDConnectProviderList", state.oidc_providers.keys(), |xml, key| {
        xml.text("Arn", arn(state, key));
    });
    Ok(xml)
}

pub(super) fn add_client_id(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (arn, id) = client_id_parameters(request)?;
    let provider = find(state, &arn)?;
    if provider.client_ids.contains(&id) {
        return Ok(Xml::new());
    }
    check_client_ids(state, provider.client_ids.len() + 1)?;
    find_mut(state, &arn)?.client_ids.push(id);
    Ok(Xml::new())
}

pub(super) fn remove_client_id(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (arn, id) = client_id_parameters(request)?;
    find_mut(state, &arn)?.client_ids.retain(|known| *known != id);
    Ok(Xml::new())
}

fn client_id_parameters(request: &Request) -> Result<(String, String), ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("OpenIDConnectProviderArn", &ARN);
    let id = input.required("ClientID", &CLIENT_ID);
    input.check()?;
    attachments::check_arn(&arn)?;
    Ok((arn, id))
}

/// Replaces the whole list.
pub(super) fn update_thumbprints(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("OpenIDConnectProviderArn", &ARN);
    let thumbprints = input.required_texts("ThumbprintList", &THUMBPRINT);
    input.check()?;
    attachments::check_arn(&arn)?;
    find(state, &arn)?;
    check_thumbprints(&thumbprints)?;
    if thumbprints.is_empty() {
        return Err(ApiError::invalid_input("Thumbprint list must not be empty."));
    }
    find_mut(state, &arn)?.thumbprints = thumbprints;
    Ok(Xml::new())
}

/// The roles that trust it stay as they are.
pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let arn = arn_parameter(request)?;
    let absent = || ApiError::no_such_entity(format!("OpenId connect Provider {arn} cannot be found."));
    let key = key_of(state, &arn).ok_or_else(absent)?.to_owned();
    state.oidc_providers.remove(&key).ok_or_else(absent)?;
    Ok(Xml::new())
}

fn arn_parameter(request: &Request) -> Result<String, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("OpenIDConnectProviderArn", &ARN);
    input.check()?;
    attachments::check_arn(&arn)?;
    Ok(arn)
}

fn arn(state: &State, key: &str) -> String {
    state.arn("oidc-provider", "/", key)
}

/// Whether there is a provider with this ARN.
pub(crate) fn exists(state: &State, arn: &str) -> bool {
    find(state, arn).is_ok()
}

fn key_of<'a>(state: &State, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix(&state.arn("oidc-provider", "/", ""))
}

pub(super) fn find<'a>(state: &'a State, arn: &str) -> Result<&'a OidcProvider, ApiError> {
    key_of(state, arn)
        .and_then(|key| state.oidc_providers.get(key))
        .ok_or_else(|| absent(arn))
}

pub(super) fn find_mut<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut OidcProvider, ApiError> {
    let key = key_of(state, arn).ok_or_else(|| absent(arn))?.to_owned();
    state.oidc_providers.get_mut(&key).ok_or_else(|| absent(arn))
}

fn absent(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
}
