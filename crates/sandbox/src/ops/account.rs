//! The account itself: its alias, its password policy, and its one preference.

use trueup_model::{AccountId, PasswordPolicy};

use crate::{
    errors::ApiError,
    paging::PageRequest,
    state::State,
    validate::{ALIAS, Input},
    wire::{Request, Xml},
};

/// Replaces the alias that there is. That it may be taken elsewhere cannot be known here.
pub(super) fn create_alias(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    state.alias = Some(alias(request)?);
    Ok(Xml::new())
}

pub(super) fn delete_alias(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let alias = alias(request)?;
    if state.alias.as_ref() != Some(&alias) {
        return Err(ApiError::no_such_entity(format!(
            "The account alias with name {alias} cannot be found."
        )));
    }
    state.alias = None;
    Ok(Xml::new())
}

fn alias(request: &Request) -> Result<String, ApiError> {
    let mut input = Input::of(request);
    let alias = input.required("AccountAlias", &ALIAS);
    input.check()?;
    if AccountId::new(alias.as_str()).is_ok() {
        return Err(ApiError::validation("The account alias must not be a 12-digit number."));
    }
    Ok(alias)
}

pub(super) fn list_aliases(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let page = page.cut(state.alias.iter().collect(), "")?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.texts("AccountAliases", &page.items);
    Ok(xml)
}

/// Wholesale: what is left out goes back to its default.
pub(super) fn update_password_policy(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let defaults = PasswordPolicy::default();
    let minimum = input.number("MinimumPasswordLength", 6, 128);
    let reuse = input.number("PasswordReusePrevention", 1, 24);
    let age = input.number("MaxPasswordAge", 1, 1095);
    let policy = PasswordPolicy {
        minimum_password_length: whole(minimum).unwrap_or(defaults.minimum_password_length),
        require_symbols: input.flag("RequireSymbols").unwrap_or(false),
        require_numbers: input.flag("RequireNumbers").unwrap_or(false),
        require_uppercase_characters: input.flag("RequireUppercaseCharacters").unwrap_or(false),
        require_lowercase_characters: input.flag("RequireLowercaseCharacters").unwrap_or(false),
        allow_users_to_change_password: input.flag("AllowUsersToChangePassword").unwrap_or(false),
        max_password_age: whole(age),
        password_reuse_prevention: whole(reuse),
        hard_expiry: input.flag("HardExpiry").unwrap_or(false),
    };
    input.check()?;
    state.password_policy = Some(policy);
    Ok(Xml::new())
}

/// The one preference that there is: which tokens the global STS endpoint gives out.
pub(super) fn set_token_preferences(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let version = input.required_word("GlobalEndpointTokenVersion", &["v1Token", "v2Token"]);
    input.check()?;
    state.global_tokens_everywhere = version == "v2Token";
    Ok(Xml::new())
}

fn whole(number: Option<i64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}

/// What is not set is left out of the answer.
pub(super) fn get_password_policy(state: &State, _: &Request) -> Result<Xml, ApiError> {
    let policy = state.password_policy.as_ref().ok_or_else(|| {
        let account = &state.account_id;
        ApiError::no_such_entity(format!(
            "The Password Policy with domain name {account} cannot be found."
        ))
    })?;
    let mut xml = Xml::new();
    xml.element("PasswordPolicy", |xml| {
        xml.number("MinimumPasswordLength", policy.minimum_password_length)
            .flag("RequireSymbols", policy.require_symbols)
            .flag("RequireNumbers", policy.require_numbers)
            .flag("RequireUppercaseCharacters", policy.require_uppercase_characters)
            .flag("RequireLowercaseCharacters", policy.require_lowercase_characters)
            .flag("AllowUsersToChangePassword", policy.allow_users_to_change_password)
            .flag("ExpirePasswords", policy.max_password_age.is_some())
            .optional("MaxPasswordAge", policy.max_password_age.map(|days| days.to_string()))
            .optional(
                "PasswordReusePrevention",
                policy.password_reuse_prevention.map(|count| count.to_string()),
            )
            .optional("HardExpiry", policy.hard_expiry.then_some("true"));
    });
    Ok(xml)
}

pub(super) fn delete_password_policy(state: &mut State, _: &Request) -> Result<Xml, ApiError> {
    let deleted = state.password_policy.take();
    deleted.ok_or_else(|| ApiError::no_such_entity("The account policy with name PasswordPolicy cannot be found."))?;
    Ok(Xml::new())
}
