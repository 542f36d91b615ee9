//! SAML providers.

use jiff::{Timestamp, ToSpan};

use super::{attachments, tags};
use crate::{
    errors::ApiError,
    quota::Quota,
    saml,
    state::{SamlProvider, State, fold},
    validate::{ARN, BODY, Input, PRIVATE_KEY_ID, SAML_METADATA, SAML_NAME},
    wire::{Request, Xml},
};

const MODES: [&str; 2] = ["Required", "Allowed"];
const MOST_PRIVATE_KEYS: usize = 2;

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let metadata = input.required("SAMLMetadataDocument", &SAML_METADATA);
    let name = input.required("Name", &SAML_NAME);
    let mode = input.word("AssertionEncryptionMode", &MODES).unwrap_or("Allowed");
    let private_key = input.optional("AddPrivateKey", &BODY);
    let given_tags = input.tags();
    input.check()?;
    let valid_until = valid_until(&metadata, request.now)?;
    if private_key.is_none() && mode == "Required" {
        return Err(ApiError::invalid_input(
            "A private key is required when assertions have to be encrypted.",
        ));
    }
    if let Some(key) = &private_key {
        check_private_key(key)?;
    }
    if state.saml_providers.contains_key(&fold(&name)) {
        return Err(ApiError::already_exists(format!("Provider with name {name} exists.")));
    }
    let limit = state.quotas.limit(Quota::SamlProviders);
    if state.saml_providers.len() >= limit {
        return Err(ApiError::quota("SAMLProvidersPerAccount", limit));
    }
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags.unwrap_or_default(), tags::Keys::Exact, state)?;
    let mut provider = SamlProvider {
        id: state.ids.letters(24),
        name,
        created: request.now,
        valid_until,
        metadata,
        encryption_mode: mode.to_owned(),
        private_keys: Default::default(),
        tags,
    };
    if private_key.is_some() {
        provider.private_keys.insert(state.ids.letters(24), request.now);
    }
    let mut xml = Xml::new();
    xml.text("SAMLProviderArn", arn(state, &provider));
    if !provider.tags.is_empty() {
        tags::write(&mut xml, &provider.tags);
    }
    state.saml_providers.insert(fold(&provider.name), provider);
    Ok(xml)
}

/// Until when metadata are good: what they say, or a hundred years.
fn valid_until(metadata: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    let described =
        saml::read(metadata).map_err(|saml::NotMetadata| ApiError::invalid_input("Could not parse metadata"))?;
    let by_default = now.checked_add((100 * 365 * 24).hours()).unwrap_or(now);
    Ok(described.valid_until.unwrap_or(by_default))
}

fn check_private_key(key: &str) -> Result<(), ApiError> {
    let text = key.trim();
    if text.starts_with("-----BEGIN ") && text.contains("PRIVATE KEY-----") && text.ends_with("-----") {
        Ok(())
    } else {
        Err(ApiError::invalid_input("The private key is not in PEM format."))
    }
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let arn = arn_parameter(request)?;
    let provider = find(state, &arn)?;
    let mut xml = Xml::new();
    xml.text("SAMLProviderUUID", &provider.id)
        .text("SAMLMetadataDocument", &provider.metadata)
        .time("CreateDate", provider.created)
        .time("ValidUntil", provider.valid_until)
        .text("AssertionEncryptionMode", &provider.encryption_mode)
        .list("PrivateKeyList", &provider.private_keys, |xml, (id, added)| {
            xml.text("KeyId", id).time("Timestamp", *added);
        });
    tags::write(&mut xml, &provider.tags);
    Ok(xml)
}

/// All of them at once: this list has no pages.
pub(super) fn list(state: &State, _: &Request) -> Result<Xml, ApiError> {
    let mut xml = Xml::new();
    xml.list("SAMLProviderList", state.saml_providers.values(), |xml, provider| {
        xml.text("Arn", arn(state, provider))
            .time("ValidUntil", provider.valid_until)
            .time("CreateDate", provider.created);
    });
    Ok(xml)
}

/// Partial: what is left out stays as it is.
pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("SAMLProviderArn", &ARN);
    let metadata = input.optional("SAMLMetadataDocument", &SAML_METADATA);
    let mode = input.word("AssertionEncryptionMode", &MODES);
    let added = input.optional("AddPrivateKey", &BODY);
    let removed = input.optional("RemovePrivateKey", &PRIVATE_KEY_ID);
    input.check()?;
    attachments::check_arn(&arn)?;
    let mut provider = find(state, &arn)?.clone();
    if let Some(metadata) = metadata {
        provider.valid_until = valid_until(&metadata, request.now)?;
        provider.metadata = metadata;
    }
    if let Some(removed) = removed
        && provider.private_keys.remove(&removed).is_none()
    {
        return Err(ApiError::no_such_entity(format!(
            "The private key with id {removed} cannot be found."
        )));
    }
    if let Some(key) = added {
        check_private_key(&key)?;
        if provider.private_keys.len() >= MOST_PRIVATE_KEYS {
            return Err(ApiError::quota("PrivateKeysPerSAMLProvider", MOST_PRIVATE_KEYS));
        }
        provider.private_keys.insert(state.ids.letters(24), request.now);
    }
    if let Some(mode) = mode {
        provider.encryption_mode = mode.to_owned();
    }
    if provider.encryption_mode == "Required" && provider.private_keys.is_empty() {
        return Err(ApiError::invalid_input(
            "A private key is required when assertions have to be encrypted.",
        ));
    }
    *find_mut(state, &arn)? = provider;
    let mut xml = Xml::new();
    xml.text("SAMLProviderArn", arn);
    Ok(xml)
}

/// The roles that trust it stay as they are.
pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let arn = arn_parameter(request)?;
    let key = fold(&find(state, &arn)?.name);
    state.saml_providers.remove(&key);
    Ok(Xml::new())
}

fn arn_parameter(request: &Request) -> Result<String, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("SAMLProviderArn", &ARN);
    input.check()?;
    attachments::check_arn(&arn)?;
    Ok(arn)
}

fn arn(state: &State, provider: &SamlProvider) -> String {
    state.arn("saml-provider", "/", &provider.name)
}

/// Whether there is a provider with this ARN.
pub(crate) fn exists(state: &State, arn: &str) -> bool {
    find(state, arn).is_ok()
}

/// ARNs are compared exactly.
pub(super) fn find<'a>(state: &'a State, text: &str) -> Result<&'a SamlProvider, ApiError> {
    let found = state
        .saml_providers
        .values()
        .find(|provider| arn(state, provider) == text);
    found.ok_or_else(|| absent(text))
}

pub(super) fn find_mut<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut SamlProvider, ApiError> {
    let key = fold(&find(state, arn)?.name);
    state.saml_providers.get_mut(&key).ok_or_else(|| absent(arn))
}

fn absent(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("Manifest not found for arn {arn}"))
}
