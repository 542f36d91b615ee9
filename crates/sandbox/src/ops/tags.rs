//! Tags of users, roles and customer managed policies.

use super::{attachments, managed_policies, roles};
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{Kind, State, Tag},
    validate::{ARN, Input, ROLE_NAME, USER_NAME},
    wire::{Request, Xml},
};

pub(super) use crate::state::Tags;

/// When two tag keys are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Users and roles.
    IgnoreCase,
    /// Policies.
    Exact,
}

impl Keys {
    fn fold(self, key: &str) -> String {
        match self {
            Self::IgnoreCase => trueup_model::fold_tag_key(key),
            Self::Exact => key.to_owned(),
        }
    }

    fn duplicates(self) -> &'static str {
        match self {
            Self::IgnoreCase => "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            Self::Exact => "Duplicate tag keys found.",
        }
    }
}

/// Sets tags and keeps the others, or changes nothing where any of them is refused.
pub(super) fn merge(tags: &mut Tags, given: Vec<(String, String)>, keys: Keys, state: &State) -> Result<(), ApiError> {
    let mut added = Tags::new();
    for (key, value) in given {
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = "aws: prefixed tag key names are not allowed for external use.";
            return Err(ApiError::invalid_input(message));
        }
        if key.chars().all(char::is_whitespace) {
            return Err(ApiError::invalid_input("Tag keys must not be blank."));
        }
        if added.insert(keys.fold(&key), Tag { key, value }).is_some() {
            return Err(ApiError::invalid_input(keys.duplicates()));
        }
    }
    let mut merged = tags.clone();
    // A key in another spelling leaves one tag, with the new spelling.
    merged.extend(added);
    if merged.len() > state.quotas.limit(Quota::TagsPerResource) && merged.len() > tags.len() {
        return Err(ApiError::limit_exceeded(
            "The number of tags has reached the maximum limit.",
        ));
    }
    *tags = merged;
    Ok(())
}

fn remove(tags: &mut Tags, given: &[String], keys: Keys) {
    for key in given {
        tags.remove(&keys.fold(key));
    }
}

/// What a tagging call was given; none at all is refused.
fn some_tags(given: Vec<(String, String)>) -> Result<Vec<(String, String)>, ApiError> {
    if given.is_empty() {
        return Err(ApiError::invalid_input("Tags must not be empty."));
    }
    Ok(given)
}

pub(super) fn tag_user(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let given = input.required_tags();
    input.check()?;
    let mut tags = state.user(&name)?.tags.clone();
    merge(&mut tags, some_tags(given)?, Keys::IgnoreCase, state)?;
    state.user_mut(&name)?.tags = tags;
    Ok(Xml::new())
}

pub(super) fn untag_user(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let keys = input.tag_keys();
    input.check()?;
    remove(&mut state.user_mut(&name)?.tags, &keys, Keys::IgnoreCase);
    Ok(Xml::new())
}

pub(super) fn tag_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let given = input.required_tags();
    input.check()?;
    let role = state.role(&name)?;
    roles::check_modifiable(Kind::Role, &role.entity)?;
    let mut tags = role.tags.clone();
    merge(&mut tags, some_tags(given)?, Keys::IgnoreCase, state)?;
    state.role_mut(&name)?.tags = tags;
    Ok(Xml::new())
}

pub(super) fn untag_role(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let keys = input.tag_keys();
    input.check()?;
    let role = state.role_mut(&name)?;
    roles::check_modifiable(Kind::Role, &role.entity)?;
    remove(&mut role.tags, &keys, Keys::IgnoreCase);
    Ok(Xml::new())
}

pub(super) fn tag_policy(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let given = input.required_tags();
    input.check()?;
    attachments::check_arn(&arn)?;
    let mut tags = managed_policies::own(state, &arn)?.tags.clone();
    merge(&mut tags, some_tags(given)?, Keys::Exact, state)?;
    managed_policies::own_mut(state, &arn)?.tags = tags;
    Ok(Xml::new())
}

pub(super) fn untag_policy(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let keys = input.tag_keys();
    input.check()?;
    attachments::check_arn(&arn)?;
    remove(&mut managed_policies::own_mut(state, &arn)?.tags, &keys, Keys::Exact);
    Ok(Xml::new())
}

pub(super) fn list_of_user(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("UserName", &USER_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    list(&state.user(&name)?.tags, &page, &name)
}

pub(super) fn list_of_role(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    list(&state.role(&name)?.tags, &page, &name)
}

pub(super) fn list_of_policy(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let page = PageRequest::read(&mut input);
    input.check()?;
    attachments::check_arn(&arn)?;
    if state.aws_policy(&arn).is_some() {
        return list(&Tags::new(), &page, &arn);
    }
    list(&managed_policies::own(state, &arn)?.tags, &page, &arn)
}

fn list(tags: &Tags, page: &PageRequest, owner: &str) -> Result<Xml, ApiError> {
    let page = page.cut(tags.values().collect(), &owner.to_ascii_lowercase())?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    write_list(&mut xml, page.items.iter().copied());
    Ok(xml)
}

/// Writes a `Tags` element.
pub(super) fn write(xml: &mut Xml, tags: &Tags) {
    write_list(xml, tags.values());
}

fn write_list<'a>(xml: &mut Xml, tags: impl IntoIterator<Item = &'a Tag>) {
    xml.list("Tags", tags, |xml, tag| {
        xml.text("Key", &tag.key).text("Value", &tag.value);
    });
}
