//! Users.

use super::{boundaries, tags};
use crate::{
    caller::Caller,
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{Entity, Kind, State, User, fold},
    validate::{ARN, Input, NEW_USER_NAME, PATH, USER_NAME},
    wire::{Request, Xml},
};

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &NEW_USER_NAME);
    let path = input.optional("Path", &PATH);
    let boundary = input.optional("PermissionsBoundary", &ARN);
    let given_tags = input.tags();
    input.check()?;
    if state.users.contains_key(&fold(&name)) {
        return Err(taken(&name));
    }
    let limit = state.quotas.limit(Quota::Users);
    if state.users.len() >= limit {
        return Err(ApiError::quota("UsersPerAccount", limit));
    }
    if let Some(boundary) = &boundary {
        boundaries::check(state, boundary)?;
    }
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags.unwrap_or_default(), tags::Keys::IgnoreCase, state)?;
    let user = User {
        entity: Entity {
            id: state.ids.unique_id("AIDA"),
            name,
            path: path.unwrap_or_else(|| "/".to_owned()),
            created: request.now,
            attached: Default::default(),
            inline: Default::default(),
        },
        boundary,
        tags,
        groups: Default::default(),
        login_profile: None,
        access_keys: Default::default(),
        ssh_keys: Default::default(),
        certificates: Default::default(),
        service_credentials: Default::default(),
    };
    let mut xml = Xml::new();
    xml.element("User", |xml| write_whole(xml, state, &user));
    state.users.insert(fold(&user.entity.name), user);
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    input.check()?;
    let mut xml = Xml::new();
    if name.is_none() && request.caller == Caller::Root {
        xml.element("User", |xml| write_root(xml, state));
    } else {
        let name = named(name, request)?;
        let user = state.user(&name)?;
        xml.element("User", |xml| write_whole(xml, state, user));
    }
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let prefix = input.path_prefix();
    let page = PageRequest::read(&mut input);
    input.check()?;
    let users = state
        .users
        .values()
        .filter(|user| user.entity.path.starts_with(&prefix))
        .collect();
    let page = page.cut(users, &prefix)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Users", &page.items, |xml, user| write_brief(xml, state, user));
    Ok(xml)
}

pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let new_name = input.optional("NewUserName", &NEW_USER_NAME);
    let new_path = input.optional("NewPath", &PATH);
    input.check()?;
    state.user(&name)?;
    let key = fold(&name);
    let new_key = new_name.as_deref().map_or_else(|| key.clone(), fold);
    if let Some(new_name) = new_name
        .as_ref()
        .filter(|_| new_key != key && state.users.contains_key(&new_key))
    {
        return Err(taken(new_name));
    }
    if let Some(mut user) = state.users.remove(&key) {
        user.entity.name = new_name.unwrap_or(user.entity.name);
        user.entity.path = new_path.unwrap_or(user.entity.path);
        state.users.insert(new_key, user);
    }
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    input.check()?;
    let user = state.user(&name)?;
    let obstacles = [
        (!user.entity.attached.is_empty(), "detach all policies"),
        (!user.entity.inline.is_empty(), "delete policies"),
        (!user.groups.is_empty(), "remove user from groups"),
        (user.login_profile.is_some(), "delete login profile"),
        (!user.access_keys.is_empty(), "delete access keys"),
        (!user.certificates.is_empty(), "delete signing certificates"),
        (!user.ssh_keys.is_empty(), "delete SSH public keys"),
        (!user.service_credentials.is_empty(), "remove referenced objects"),
        (
            state.devices_of(&user.entity.id).next().is_some(),
            "remove tokens from principal",
        ),
    ];
    if let Some((_, what)) = obstacles.iter().find(|(there, _)| *there) {
        return Err(ApiError::delete_conflict(format!(
            "Cannot delete entity, must {what} first."
        )));
    }
    state.users.remove(&fold(&name));
    Ok(Xml::new())
}

/// The user that a call on credentials is about. Without a name IAM takes the caller, if that is a user.
pub(super) fn named(name: Option<String>, request: &Request) -> Result<String, ApiError> {
    name.or_else(|| request.caller.user_name().map(str::to_owned))
        .ok_or_else(|| ApiError::validation("Must specify userName when calling with non-User credentials"))
}

/// A user as `CreateUser` and `GetUser` show it.
fn write_whole(xml: &mut Xml, state: &State, user: &User) {
    write_brief(xml, state, user);
    boundaries::write(xml, user.boundary.as_deref());
    if !user.tags.is_empty() {
        tags::write(xml, &user.tags);
    }
}

/// A user as lists show it: without boundary and tags.
pub(super) fn write_brief(xml: &mut Xml, state: &State, user: &User) {
    let entity = &user.entity;
    xml.text("Path", &entity.path)
        .text("UserName", &entity.name)
        .text("UserId", &entity.id)
        .text("Arn", state.entity_arn(Kind::User, entity))
        .time("CreateDate", entity.created);
}

/// Root, which has an ARN but neither name nor path.
pub(super) fn write_root(xml: &mut Xml, state: &State) {
    xml.text("UserId", &state.account_id)
        .text("Arn", format!("arn:{}:iam::{}:root", state.partition, state.account_id))
        .time("CreateDate", state.created);
}

fn taken(name: &str) -> ApiError {
    ApiError::already_exists(format!("User with name {name} already exists."))
}
