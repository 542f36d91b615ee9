//! Instance profiles: containers of at most one role.

use super::{roles, tags};
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{InstanceProfile, Kind, State, fold},
    validate::{INSTANCE_PROFILE_NAME, Input, PATH, ROLE_NAME},
    wire::{Request, Xml},
};

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("InstanceProfileName", &INSTANCE_PROFILE_NAME);
    let path = input.optional("Path", &PATH);
    let given_tags = input.tags();
    input.check()?;
    if state.instance_profiles.contains_key(&fold(&name)) {
        return Err(ApiError::already_exists(format!(
            "Instance Profile {name} already exists."
        )));
    }
    let limit = state.quotas.limit(Quota::InstanceProfiles);
    if state.instance_profiles.len() >= limit {
        return Err(ApiError::quota("InstanceProfilesPerAccount", limit));
    }
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags.unwrap_or_default(), tags::Keys::Exact, state)?;
    let profile = InstanceProfile {
        id: state.ids.unique_id("AIPA"),
        name,
        path: path.unwrap_or_else(|| "/".to_owned()),
        created: request.now,
        role: None,
        tags,
    };
    let mut xml = Xml::new();
    xml.element("InstanceProfile", |xml| {
        write(xml, state, &profile);
        if !profile.tags.is_empty() {
            tags::write(xml, &profile.tags);
        }
    });
    state.instance_profiles.insert(fold(&profile.name), profile);
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("InstanceProfileName", &INSTANCE_PROFILE_NAME);
    input.check()?;
    let profile = find(state, &name)?;
    let mut xml = Xml::new();
    xml.element("InstanceProfile", |xml| {
        write(xml, state, profile);
        tags::write(xml, &profile.tags);
    });
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let prefix = input.path_prefix();
    let page = PageRequest::read(&mut input);
    input.check()?;
    let profiles = state
        .instance_profiles
        .values()
        .filter(|profile| profile.path.starts_with(&prefix))
        .collect();
    write_page(state, &page, profiles, &prefix)
}

pub(super) fn list_for_role(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let role = state.role(&name)?;
    write_page(state, &page, state.profiles_of(&role.entity.id).collect(), &fold(&name))
}

fn write_page(
    state: &State,
    page: &PageRequest,
    profiles: Vec<&InstanceProfile>,
    filter: &str,
) -> Result<Xml, ApiError> {
    let page = page.cut(profiles, filter)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("InstanceProfiles", &page.items, |xml, profile| {
        write(xml, state, profile)
    });
    Ok(xml)
}

/// A second role is refused, and so is the same role again.
pub(super) fn add_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (profile, role) = parameters(state, request)?;
    let profile = find_mut(state, &profile)?;
    if profile.role.is_some() {
        return Err(ApiError::quota("InstanceSessionsPerInstanceProfile", 1));
    }
    profile.role = Some(role.id);
    Ok(Xml::new())
}

pub(super) fn remove_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (profile, role) = parameters(state, request)?;
    let profile = find_mut(state, &profile)?;
    if profile.role.as_ref() != Some(&role.id) {
        return Err(ApiError::no_such_entity(format!(
            "Role {} in Instance Profile {} cannot be found.",
            role.name, profile.name
        )));
    }
    profile.role = None;
    Ok(Xml::new())
}

/// A role as it is put into profiles.
struct Part {
    id: String,
    name: String,
}

/// The name of an existing profile, and an existing role that may be changed. The profile is looked for first.
fn parameters(state: &State, request: &Request) -> Result<(String, Part), ApiError> {
    let mut input = Input::of(request);
    let profile = input.required("InstanceProfileName", &INSTANCE_PROFILE_NAME);
    let role = input.required("RoleName", &ROLE_NAME);
    input.check()?;
    find(state, &profile)?;
    let entity = &state.role(&role)?.entity;
    roles::check_modifiable(Kind::Role, entity)?;
    let role = Part {
        id: entity.id.clone(),
        name: entity.name.clone(),
    };
    Ok((profile, role))
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("InstanceProfileName", &INSTANCE_PROFILE_NAME);
    input.check()?;
    if find(state, &name)?.role.is_some() {
        return Err(ApiError::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    state.instance_profiles.remove(&fold(&name));
    Ok(Xml::new())
}

pub(super) fn find<'a>(state: &'a State, name: &str) -> Result<&'a InstanceProfile, ApiError> {
    state.instance_profiles.get(&fold(name)).ok_or_else(|| absent(name))
}

pub(super) fn find_mut<'a>(state: &'a mut State, name: &str) -> Result<&'a mut InstanceProfile, ApiError> {
    state.instance_profiles.get_mut(&fold(name)).ok_or_else(|| absent(name))
}

fn absent(name: &str) -> ApiError {
    ApiError::no_such_entity(format!("Instance Profile {name} cannot be found."))
}

/// A profile as lists show it: without tags, and its role without description, duration, boundary and tags.
pub(super) fn write(xml: &mut Xml, state: &State, profile: &InstanceProfile) {
    xml.text("Path", &profile.path)
        .text("InstanceProfileName", &profile.name)
        .text("InstanceProfileId", &profile.id)
        .text("Arn", state.arn("instance-profile", &profile.path, &profile.name))
        .time("CreateDate", profile.created);
    let held = state
        .roles
        .values()
        .filter(|role| profile.role.as_ref() == Some(&role.entity.id));
    xml.list("Roles", held, |xml, role| roles::write_brief(xml, state, role));
}
