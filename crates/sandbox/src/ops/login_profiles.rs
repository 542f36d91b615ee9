//! Console passwords.

use super::users;
use crate::{
    errors::ApiError,
    passwords,
    state::{LoginProfile, State},
    validate::{Input, PASSWORD, USER_NAME},
    wire::{Request, Xml},
};

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let password = input.required("Password", &PASSWORD);
    let reset_required = input.flag("PasswordResetRequired").unwrap_or(false);
    input.check()?;
    let name = users::named(name)?;
    let user = state.user(&name)?;
    if user.login_profile.is_some() {
        let message = format!("Login Profile for user {} already exists.", user.entity.name);
        return Err(ApiError::already_exists(message));
    }
    passwords::check(state, user, &password)?;
    let digests = vec![passwords::digest(&user.entity.id, &password)];
    let profile = LoginProfile {
        created: request.now,
        reset_required,
        digests,
    };
    let mut xml = Xml::new();
    xml.element("LoginProfile", |xml| write(xml, &user.entity.name, &profile));
    state.user_mut(&name)?.login_profile = Some(profile);
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    input.check()?;
    let name = users::named(name)?;
    let user = state.user(&name)?;
    let profile = user.login_profile.as_ref().ok_or_else(|| absent(&user.entity.name))?;
    let mut xml = Xml::new();
    xml.element("LoginProfile", |xml| write(xml, &user.entity.name, profile));
    Ok(xml)
}

/// Partial: what is left out stays as it is.
pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let password = input.optional("Password", &PASSWORD);
    let reset_required = input.flag("PasswordResetRequired");
    input.check()?;
    let user = state.user(&name)?;
    if user.login_profile.is_none() {
        return Err(absent(&user.entity.name));
    }
    let digest = match &password {
        Some(password) => {
            passwords::check(state, user, password)?;
            Some(passwords::digest(&user.entity.id, password))
        }
        None => None,
    };
    if let Some(profile) = &mut state.user_mut(&name)?.login_profile {
        profile.digests.extend(digest);
        profile.reset_required = reset_required.unwrap_or(profile.reset_required);
    }
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    input.check()?;
    let name = users::named(name)?;
    let user = state.user_mut(&name)?;
    let stored = user.entity.name.clone();
    user.login_profile.take().ok_or_else(|| absent(&stored))?;
    Ok(Xml::new())
}

fn write(xml: &mut Xml, user: &str, profile: &LoginProfile) {
    xml.text("UserName", user)
        .time("CreateDate", profile.created)
        .flag("PasswordResetRequired", profile.reset_required);
}

fn absent(user: &str) -> ApiError {
    ApiError::no_such_entity(format!("Login Profile for User {user} cannot be found."))
}
