//! Roles.

use super::{boundaries, tags};
use trueup_model::document::DocumentKind;

use crate::{
    errors::ApiError,
    paging::PageRequest,
    policy_text::{self, check_document},
    quota::Quota,
    state::{Entity, Kind, Role, State, fold},
    trust,
    validate::{ARN, DOCUMENT, Input, PATH, ROLE_DESCRIPTION, ROLE_NAME},
    wire::{Request, Xml},
};

/// Refuses a change of a role that AWS keeps for itself; users and groups pass.
pub(super) fn check_modifiable(kind: Kind, entity: &Entity) -> Result<(), ApiError> {
    if kind == Kind::Role && is_reserved(&entity.path) {
        return Err(ApiError::unmodifiable(format!(
            "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
            entity.name
        )));
    }
    Ok(())
}

fn is_reserved(path: &str) -> bool {
    trueup_model::Path::from_live(path).is_reserved()
}

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let path = input.optional("Path", &PATH);
    let document = input.required("AssumeRolePolicyDocument", &DOCUMENT);
    let description = input.optional("Description", &ROLE_DESCRIPTION);
    let duration = input.number("MaxSessionDuration", 3600, 43_200);
    let boundary = input.optional("PermissionsBoundary", &ARN);
    let given_tags = input.tags();
    input.check()?;
    let path = path.unwrap_or_else(|| "/".to_owned());
    if is_reserved(&path) {
        return Err(ApiError::invalid_input(format!("The path {path} is reserved for AWS.")));
    }
    let trust = check_trust(state, &document)?;
    if state.roles.contains_key(&fold(&name)) {
        return Err(ApiError::already_exists(format!(
            "Role with name {name} already exists."
        )));
    }
    let limit = state.quotas.limit(Quota::Roles);
    if state.roles.len() >= limit {
        return Err(ApiError::quota("RolesPerAccount", limit));
    }
    if let Some(boundary) = &boundary {
        boundaries::check(state, boundary)?;
    }
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags.unwrap_or_default(), tags::Keys::IgnoreCase, state)?;
    let role = Role {
        entity: Entity {
            id: state.ids.unique_id("AROA"),
            name,
            path,
            created: request.now,
            attached: Default::default(),
            inline: Default::default(),
        },
        trust,
        description: description.filter(|description| !description.is_empty()),
        max_session_duration: duration.unwrap_or(3600),
        boundary,
        tags,
        used: None,
    };
    let mut xml = Xml::new();
    // The answer to a creation has neither description nor duration, and the trust policy as it was sent.
    xml.element("Role", |xml| {
        write_with_trust(xml, state, &role, &document);
        boundaries::write(xml, role.boundary.as_deref());
        if !role.tags.is_empty() {
            tags::write(xml, &role.tags);
        }
    });
    state.roles.insert(fold(&role.entity.name), role);
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    input.check()?;
    let role = state.role(&name)?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| {
        write_listed(xml, state, role);
        boundaries::write(xml, role.boundary.as_deref());
        write_last_used(xml, role);
        if !role.tags.is_empty() {
            tags::write(xml, &role.tags);
        }
    });
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let prefix = input.path_prefix();
    let page = PageRequest::read(&mut input);
    input.check()?;
    let roles = state
        .roles
        .values()
        .filter(|role| role.entity.path.starts_with(&prefix))
        .collect();
    let page = page.cut(roles, &prefix)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Roles", &page.items, |xml, role| write_listed(xml, state, role));
    Ok(xml)
}

/// What a new trust policy is stored as, where IAM takes it. Its size counts as it was sent.
fn check_trust(state: &State, document: &str) -> Result<String, ApiError> {
    check_document(document, DocumentKind::Trust)?;
    let limit = state.quotas.limit(Quota::AssumeRolePolicySize);
    if policy_text::size(document) > limit {
        return Err(ApiError::quota("ACLSizePerRole", limit));
    }
    trust::bind(state, document)
}

/// Partial: what is left out stays as it is. An empty description removes it.
pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let description = input.optional("Description", &ROLE_DESCRIPTION);
    let duration = input.number("MaxSessionDuration", 3600, 43_200);
    input.check()?;
    let role = state.role_mut(&name)?;
    check_modifiable(Kind::Role, &role.entity)?;
    describe(role, description);
    role.max_session_duration = duration.unwrap_or(role.max_session_duration);
    Ok(Xml::new())
}

/// The older call for one of the two; it answers with the role.
pub(super) fn update_description(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let description = input.required("Description", &ROLE_DESCRIPTION);
    input.check()?;
    let role = state.role_mut(&name)?;
    check_modifiable(Kind::Role, &role.entity)?;
    describe(role, Some(description));
    let role = state.role(&name)?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| {
        write_brief(xml, state, role);
        xml.optional("Description", role.description.as_ref());
    });
    Ok(xml)
}

fn describe(role: &mut Role, description: Option<String>) {
    if let Some(description) = description {
        role.description = Some(description).filter(|description| !description.is_empty());
    }
}

pub(super) fn update_trust(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let document = input.required("PolicyDocument", &DOCUMENT);
    input.check()?;
    check_modifiable(Kind::Role, &state.role(&name)?.entity)?;
    let trust = check_trust(state, &document)?;
    state.role_mut(&name)?.trust = trust;
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    input.check()?;
    let role = state.role(&name)?;
    check_modifiable(Kind::Role, &role.entity)?;
    let obstacles = [
        (!role.entity.attached.is_empty(), "detach all policies"),
        (!role.entity.inline.is_empty(), "delete policies"),
        (
            state.profiles_of(&role.entity.id).next().is_some(),
            "remove roles from instance profile",
        ),
    ];
    if let Some((_, what)) = obstacles.iter().find(|(there, _)| *there) {
        return Err(ApiError::delete_conflict(format!(
            "Cannot delete entity, must {what} first."
        )));
    }
    state.roles.remove(&fold(&name));
    Ok(Xml::new())
}

/// What every answer has of a role.
pub(super) fn write_brief(xml: &mut Xml, state: &State, role: &Role) {
    write_with_trust(xml, state, role, &trust::show(state, &role.trust));
}

fn write_with_trust(xml: &mut Xml, state: &State, role: &Role, trust: &str) {
    let entity = &role.entity;
    xml.text("Path", &entity.path)
        .text("RoleName", &entity.name)
        .text("RoleId", &entity.id)
        .text("Arn", state.entity_arn(Kind::Role, entity))
        .time("CreateDate", entity.created)
        .document("AssumeRolePolicyDocument", trust);
}

/// When a role was used last; an empty element where it never was.
pub(super) fn write_last_used(xml: &mut Xml, role: &Role) {
    xml.element("RoleLastUsed", |xml| {
        if let Some(used) = &role.used {
            xml.time("LastUsedDate", used.date).text("Region", &used.region);
        }
    });
}

/// A role as `ListRoles` shows it: without boundary, tags and last use.
fn write_listed(xml: &mut Xml, state: &State, role: &Role) {
    write_brief(xml, state, role);
    xml.optional("Description", role.description.as_ref())
        .number("MaxSessionDuration", role.max_session_duration);
}
