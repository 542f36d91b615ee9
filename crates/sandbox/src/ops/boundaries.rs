//! Permissions boundaries of users and roles.

use super::{attachments, roles};
use crate::{
    errors::ApiError,
    state::{Kind, State},
    validate::{ARN, Input, ROLE_NAME, USER_NAME},
    wire::{Request, Xml},
};

/// Whether this ARN can be a boundary.
pub(super) fn check(state: &State, arn: &str) -> Result<(), ApiError> {
    let names_a_policy =
        attachments::is_arn(arn) && arn.splitn(6, ':').nth(5).is_some_and(|it| it.starts_with("policy/"));
    if !names_a_policy {
        return Err(ApiError::invalid_input(format!("ARN {arn} is not valid.")));
    }
    if !state.has_policy(arn) {
        return Err(ApiError::no_such_entity(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        )));
    }
    if state.aws_policy(arn).is_some_and(|policy| !policy.is_attachable()) {
        return Err(ApiError::not_attachable(
            "Cannot attach a Service Role Policy to a Customer Role.",
        ));
    }
    attachments::check_versions_in_use(state, arn)
}

pub(super) fn put_on_user(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let arn = input.required("PermissionsBoundary", &ARN);
    input.check()?;
    state.user(&name)?;
    check(state, &arn)?;
    state.user_mut(&name)?.boundary = Some(arn);
    Ok(Xml::new())
}

pub(super) fn delete_from_user(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    input.check()?;
    let user = state.user_mut(&name)?;
    user.boundary.take().ok_or_else(|| none(Kind::User, &name))?;
    Ok(Xml::new())
}

pub(super) fn put_on_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let arn = input.required("PermissionsBoundary", &ARN);
    input.check()?;
    roles::check_modifiable(Kind::Role, &state.role(&name)?.entity)?;
    check(state, &arn)?;
    state.role_mut(&name)?.boundary = Some(arn);
    Ok(Xml::new())
}

pub(super) fn delete_from_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    input.check()?;
    let role = state.role_mut(&name)?;
    roles::check_modifiable(Kind::Role, &role.entity)?;
    role.boundary.take().ok_or_else(|| none(Kind::Role, &name))?;
    Ok(Xml::new())
}

fn none(kind: Kind, name: &str) -> ApiError {
    ApiError::no_such_entity(format!(
        "Permissions boundary for {} {name} cannot be found.",
        kind.word()
    ))
}

/// Writes a boundary, if there is one. IAM documents its type as `PermissionsBoundaryPolicy` and answers `Policy`.
pub(super) fn write(xml: &mut Xml, boundary: Option<&str>) {
    if let Some(arn) = boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy")
                .text("PermissionsBoundaryArn", arn);
        });
    }
}
