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
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    if user.login_profile.is_some() {
        let message = format!("Login Profile for user {} already exists.", user.entity.name);
        return Err(ApiError::already_exists(message));
    }
    passwords::check(state, user, &password)?;
    let digests = vec![passwords::digest(&user.entity.id, &password)];
    let profile = LoginProfile {
        created: request.now,
        changed: None,
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
    let name = users::named(name, request)?;
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
        if digest.is_some() {
            profile.changed = Some(request.now);
        }
        profile.digests.extend(digest);
        profile.reset_required = reset_required.unwrap_or(profile.reset_required);
    }
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    input.check()?;
    let name = users::named(name, request)?;
    let user = state.user_mut(&name)?;
    let stored = user.entity.name.clone();
    user.login_profile.take().ok_or_else(|| absent(&stored))?;
    Ok(Xml::new())
}

/// A user's own change: the old password has to be known, and a wish for a reset is fulfilled by it.
pub(super) fn change(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let old = input.required("OldPassword", &PASSWORD);
    let new = input.required("NewPassword", &PASSWORD);
    input.check()?;
    let name = request
        .caller
        .user_name()
        .ok_or_else(|| ApiError::invalid_user_type("Only IAM Users can change their own password."))?;
    let user = state.user(name)?;
    let profile = user.login_profile.as_ref().ok_or_else(|| absent(&user.entity.name))?;
    let digest_of = |password: &str| passwords::digest(&user.entity.id, password);
    if profile.digests.last() != Some(&digest_of(&old)) {
        return Err(ApiError::access_denied("The old password was incorrect."));
    }
    if old == new {
        return Err(ApiError::access_denied(
            "The new password must differ from the old one.",
        ));
    }
    passwords::check(state, user, &new)?;
    let digest = digest_of(&new);
    if let Some(profile) = &mut state.user_mut(name)?.login_profile {
        profile.digests.push(digest);
        profile.changed = Some(request.now);
        profile.reset_required = false;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caller::Caller, ops::users, paging::PageShape, wire::IAM_VERSION};

    fn request(action: &str, parameters: &str, caller: Caller) -> Request {
        let body = format!("Action={action}&Version={IAM_VERSION}&{parameters}");
        let mut request = Request::parse(body.as_bytes(), jiff::Timestamp::UNIX_EPOCH, PageShape::default());
        request.caller = caller;
        request
    }

    #[test]
    fn users_change_their_own_passwords() {
        let mut state = State::new("123456789012", "aws", jiff::Timestamp::UNIX_EPOCH);
        users::create(&mut state, &request("CreateUser", "UserName=ann", Caller::Root)).unwrap();
        let first = "UserName=ann&Password=Correct-Horse-7&PasswordResetRequired=true";
        create(&mut state, &request("CreateLoginProfile", first, Caller::Root)).unwrap();
        let ann = || Caller::User {
            name: "ann".to_owned(),
            id: state.users["ann"].entity.id.clone(),
        };
        let ann = ann();
        let mut attempt = |parameters: &str, caller: &Caller| {
            let refusal = change(&mut state, &request("ChangePassword", parameters, caller.clone()));
            refusal.err().map(|refusal| refusal.code)
        };
        let good = "OldPassword=Correct-Horse-7&NewPassword=Correct-Horse-8";
        assert_eq!(attempt(good, &Caller::Root), Some("InvalidUserType"));
        let session = Caller::Session {
            role: "r".to_owned(),
            role_id: "AROA".to_owned(),
            session: "s".to_owned(),
        };
        assert_eq!(attempt(good, &session), Some("InvalidUserType"));
        let wrong = "OldPassword=Correct-Horse-9&NewPassword=Correct-Horse-8";
        assert_eq!(attempt(wrong, &ann), Some("AccessDenied"));
        let same = "OldPassword=Correct-Horse-7&NewPassword=Correct-Horse-7";
        assert_eq!(attempt(same, &ann), Some("AccessDenied"));
        let weak = "OldPassword=Correct-Horse-7&NewPassword=weak";
        assert_eq!(attempt(weak, &ann), Some("PasswordPolicyViolation"));
        assert_eq!(attempt(good, &ann), None);
        assert_eq!(attempt(good, &ann), Some("AccessDenied"));
        let profile = state.users["ann"].login_profile.as_ref().unwrap();
        assert!(!profile.reset_required && profile.changed.is_some());
    }
}
