//! Access keys. They are noted as used only where the sandbox checks who calls.

use super::users;
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{AccessKey, State, fold},
    validate::{ACCESS_KEY_ID, Input, USER_NAME},
    wire::{Request, Xml},
};

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    input.check()?;
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    let limit = state.quotas.limit(Quota::AccessKeysPerUser);
    if user.access_keys.len() >= limit {
        return Err(ApiError::quota("AccessKeysPerUser", limit));
    }
    let stored = user.entity.name.clone();
    let (id, secret) = (state.ids.access_key_id(), state.ids.letters(40));
    let key = AccessKey {
        created: request.now,
        active: true,
        secret: Some(secret.clone()),
        used: None,
    };
    let mut xml = Xml::new();
    xml.element("AccessKey", |xml| {
        write(xml, &stored, &id, &key);
        xml.text("SecretAccessKey", secret);
    });
    state.user_mut(&name)?.access_keys.insert(id, key);
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let name = users::named(name, request)?;
    let user = state.user(&name)?;
    let page = page.cut(user.access_keys.iter().collect(), &fold(&name))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("AccessKeyMetadata", &page.items, |xml, (id, key)| {
        write(xml, &user.entity.name, id, key)
    });
    Ok(xml)
}

pub(super) fn last_used(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let id = input.required("AccessKeyId", &ACCESS_KEY_ID);
    input.check()?;
    let owner = state
        .users
        .values()
        .find(|user| user.access_keys.contains_key(&id))
        .ok_or_else(|| {
            // IAM does not tell whether a key exists that is not the account's.
            let root = format!("arn:{}:iam::{}:root", state.partition, state.account_id);
            ApiError::access_denied(format!(
                "User: {root} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}"
            ))
        })?;
    let mut xml = Xml::new();
    xml.text("UserName", &owner.entity.name)
        .element("AccessKeyLastUsed", |xml| {
            let used = owner.access_keys.get(&id).and_then(|key| key.used.as_ref());
            xml.optional("LastUsedDate", used.map(|used| used.date.to_string()))
                .text("ServiceName", used.map_or("N/A", |used| &used.service))
                .text("Region", used.map_or("N/A", |used| &used.region));
        });
    Ok(xml)
}

pub(super) fn update(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let id = input.required("AccessKeyId", &ACCESS_KEY_ID);
    let status = super::new_status(&mut input);
    input.check()?;
    let name = users::named(name, request)?;
    let key = state
        .user_mut(&name)?
        .access_keys
        .get_mut(&id)
        .ok_or_else(|| absent(&id))?;
    key.active = super::settable(status)?;
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.optional("UserName", &USER_NAME);
    let id = input.required("AccessKeyId", &ACCESS_KEY_ID);
    input.check()?;
    let name = users::named(name, request)?;
    state
        .user_mut(&name)?
        .access_keys
        .remove(&id)
        .ok_or_else(|| absent(&id))?;
    Ok(Xml::new())
}

fn write(xml: &mut Xml, user: &str, id: &str, key: &AccessKey) {
    xml.text("UserName", user)
        .text("AccessKeyId", id)
        .text("Status", super::status(key.active))
        .time("CreateDate", key.created);
}

fn absent(id: &str) -> ApiError {
    ApiError::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}
