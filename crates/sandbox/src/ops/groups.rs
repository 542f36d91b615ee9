//! Groups and their members.

use super::users;
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{Entity, Group, Kind, State, fold},
    validate::{GROUP_NAME, Input, PATH, USER_NAME},
    wire::{Request, Xml},
};

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("GroupName", &GROUP_NAME);
    let path = input.optional("Path", &PATH);
    input.check()?;
    if state.groups.contains_key(&fold(&name)) {
        return Err(taken(&name));
    }
    let limit = state.quotas.limit(Quota::Groups);
    if state.groups.len() >= limit {
        return Err(ApiError::quota("GroupsPerAccount", limit));
    }
    let group = Group {
        entity: Entity {
            id: state.ids.unique_id("AGPA"),
            name,
            path: path.unwrap_or_else(|| "/".to_owned()),
            created: request.now,
            attached: Default::default(),
            inline: Default::default(),
        },
    };
    let mut xml = Xml::new();
    xml.element("Group", |xml| write(xml, state, &group));
    state.groups.insert(fold(&group.entity.name), group);
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("GroupName", &GROUP_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let group = state.group(&name)?;
    let members = state
        .users
        .values()
        .filter(|user| user.groups.contains(&group.entity.id))
        .collect();
    let page = page.cut(members, &fold(&name))?;
    let mut xml = Xml::new();
    xml.element("Group", |xml| write(xml, state, group));
    page.write_end(&mut xml);
    xml.list("Users", &page.items, |xml, user| users::write_brief(xml, state, user));
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let prefix = input.path_prefix();
    let page = PageRequest::read(&mut input);
    input.check()?;
    let groups = state
        .groups
        .values()
        .filter(|group| group.entity.path.starts_with(&prefix))
        .collect();
    let page = page.cut(groups, &prefix)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Groups", &page.items, |xml, group| write(xml, state, group));
    Ok(xml)
}

pub(super) fn list_for_user(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let groups = state.groups_of(state.user(&name)?).collect();
    let page = page.cut(groups, &fold(&name))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Groups", &page.items, |xml, group| write(xml, state, group));
    Ok(xml)
}

pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("GroupName", &GROUP_NAME);
    let new_name = input.optional("NewGroupName", &GROUP_NAME);
    let new_path = input.optional("NewPath", &PATH);
    input.check()?;
    state.group(&name)?;
    let key = fold(&name);
    let new_key = new_name.as_deref().map_or_else(|| key.clone(), fold);
    if let Some(new_name) = new_name
        .as_ref()
        .filter(|_| new_key != key && state.groups.contains_key(&new_key))
    {
        return Err(taken(new_name));
    }
    if let Some(mut group) = state.groups.remove(&key) {
        group.entity.name = new_name.unwrap_or(group.entity.name);
        group.entity.path = new_path.unwrap_or(group.entity.path);
        state.groups.insert(new_key, group);
    }
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("GroupName", &GROUP_NAME);
    input.check()?;
    let group = state.group(&name)?;
    let has_members = state.users.values().any(|user| user.groups.contains(&group.entity.id));
    let obstacles = [
        (has_members, "remove users from group"),
        (!group.entity.attached.is_empty(), "detach all policies"),
        (!group.entity.inline.is_empty(), "delete policies"),
    ];
    if let Some((_, what)) = obstacles.iter().find(|(there, _)| *there) {
        return Err(ApiError::delete_conflict(format!(
            "Cannot delete entity, must {what} first."
        )));
    }
    state.groups.remove(&fold(&name));
    Ok(Xml::new())
}

pub(super) fn add_user(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (group_id, user_name) = membership(state, request)?;
    let limit = state.quotas.limit(Quota::GroupsPerUser);
    let user = state.user_mut(&user_name)?;
    if !user.groups.contains(&group_id) && user.groups.len() >= limit {
        return Err(ApiError::quota("GroupsPerUser", limit));
    }
    user.groups.insert(group_id);
    Ok(Xml::new())
}

/// Taking out a user who is no member succeeds, as recorded from a real account.
pub(super) fn remove_user(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (group_id, user_name) = membership(state, request)?;
    state.user_mut(&user_name)?.groups.remove(&group_id);
    Ok(Xml::new())
}

/// The group's id and the user's name. Where both are absent, it is the user that is reported.
fn membership(state: &State, request: &Request) -> Result<(String, String), ApiError> {
    let mut input = Input::of(request);
    let group = input.required("GroupName", &GROUP_NAME);
    let user = input.required("UserName", &USER_NAME);
    input.check()?;
    state.user(&user)?;
    Ok((state.group(&group)?.entity.id.clone(), user))
}

fn write(xml: &mut Xml, state: &State, group: &Group) {
    let entity = &group.entity;
    xml.text("Path", &entity.path)
        .text("GroupName", &entity.name)
        .text("GroupId", &entity.id)
        .text("Arn", state.entity_arn(Kind::Group, entity))
        .time("CreateDate", entity.created);
}

fn taken(name: &str) -> ApiError {
    ApiError::already_exists(format!("Group with name {name} already exists."))
}
