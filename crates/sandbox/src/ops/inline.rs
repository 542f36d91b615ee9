//! Inline policies of users, groups and roles.

use super::roles;
use crate::{
    errors::ApiError,
    paging::PageRequest,
    policy_text::{self, check_document},
    quota::Quota,
    state::{InlinePolicy, Kind, State, fold},
    validate::{DOCUMENT, GROUP_NAME, Input, POLICY_NAME, ROLE_NAME, Rule, USER_NAME},
    wire::{Request, Xml},
};

/// The parameter that names an entity of this kind, and its rule.
pub(super) fn owner_parameter(kind: Kind) -> (&'static str, &'static Rule) {
    match kind {
        Kind::User => ("UserName", &USER_NAME),
        Kind::Group => ("GroupName", &GROUP_NAME),
        Kind::Role => ("RoleName", &ROLE_NAME),
    }
}

fn put(state: &mut State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (parameter, rule) = owner_parameter(kind);
    let mut input = Input::of(request);
    let owner = input.required(parameter, rule);
    let name = input.required("PolicyName", &POLICY_NAME);
    let document = input.required("PolicyDocument", &DOCUMENT);
    input.check()?;
    let entity = state.entity(kind, &owner)?;
    roles::check_modifiable(kind, entity)?;
    check_document(&document, policy_text::inline(kind))?;
    let limit = state.quotas.limit(match kind {
        Kind::User => Quota::UserPolicySize,
        Kind::Group => Quota::GroupPolicySize,
        Kind::Role => Quota::RolePolicySize,
    });
    let others = entity.inline.iter().filter(|(key, _)| **key != fold(&name));
    let size = others
        .map(|(_, policy)| policy_text::size(&policy.document))
        .sum::<usize>()
        + policy_text::size(&document);
    if size > limit {
        let message = format!(
            "Maximum policy size of {limit} bytes exceeded for {} {}",
            kind.word(),
            entity.name
        );
        return Err(ApiError::limit_exceeded(message));
    }
    // A name in another spelling replaces the document and leaves the first spelling.
    state
        .entity_mut(kind, &owner)?
        .inline
        .entry(fold(&name))
        .and_modify(|policy| policy.document.clone_from(&document))
        .or_insert(InlinePolicy { name, document });
    Ok(Xml::new())
}

fn get(state: &State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (parameter, rule) = owner_parameter(kind);
    let mut input = Input::of(request);
    let owner = input.required(parameter, rule);
    let name = input.required("PolicyName", &POLICY_NAME);
    input.check()?;
    let entity = state.entity(kind, &owner)?;
    let policy = entity.inline.get(&fold(&name)).ok_or_else(|| absent(kind, &name))?;
    let mut xml = Xml::new();
    // The answer repeats the spelling that was asked for.
    xml.text(parameter, &entity.name)
        .text("PolicyName", name)
        .document("PolicyDocument", &policy.document);
    Ok(xml)
}

fn list(state: &State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (parameter, rule) = owner_parameter(kind);
    let mut input = Input::of(request);
    let owner = input.required(parameter, rule);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let names = state
        .entity(kind, &owner)?
        .inline
        .values()
        .map(|policy| &policy.name)
        .collect();
    let page = page.cut(names, &fold(&owner))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.texts("PolicyNames", &page.items);
    Ok(xml)
}

fn delete(state: &mut State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (parameter, rule) = owner_parameter(kind);
    let mut input = Input::of(request);
    let owner = input.required(parameter, rule);
    let name = input.required("PolicyName", &POLICY_NAME);
    input.check()?;
    let entity = state.entity_mut(kind, &owner)?;
    roles::check_modifiable(kind, entity)?;
    entity.inline.remove(&fold(&name)).ok_or_else(|| absent(kind, &name))?;
    Ok(Xml::new())
}

fn absent(kind: Kind, name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The {} policy with name {name} cannot be found.", kind.word()))
}

macro_rules! operations {
    ($($kind:ident: $put:ident $get:ident $list:ident $delete:ident;)*) => {$(
        pub(super) fn $put(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
            put(state, request, Kind::$kind)
        }
        pub(super) fn $get(state: &State, request: &Request) -> Result<Xml, ApiError> {
            get(state, request, Kind::$kind)
        }
        pub(super) fn $list(state: &State, request: &Request) -> Result<Xml, ApiError> {
            list(state, request, Kind::$kind)
        }
        pub(super) fn $delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
            delete(state, request, Kind::$kind)
        }
    )*};
}

operations! {
    User: put_on_user get_of_user list_of_user delete_from_user;
    Group: put_on_group get_of_group list_of_group delete_from_group;
    Role: put_on_role get_of_role list_of_role delete_from_role;
}
