//! Managed policies attached to users, groups and roles.

use super::{inline::owner_parameter, roles};
use crate::{
    errors::ApiError,
    paging::PageRequest,
    quota::Quota,
    state::{Kind, State, fold},
    validate::{ARN, Input},
    wire::{Request, Xml},
};

fn attach(state: &mut State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (owner, arn) = parameters(request, kind)?;
    let entity = state.entity(kind, &owner)?;
    roles::check_modifiable(kind, entity)?;
    check_exists(state, &arn)?;
    if state.aws_policy(&arn).is_some_and(|policy| !policy.is_attachable()) {
        return Err(ApiError::not_attachable(
            "Cannot attach a Service Role Policy to a Customer Role.",
        ));
    }
    if entity.attached.contains(&arn) {
        return Ok(Xml::new());
    }
    let (quota, name) = match kind {
        Kind::User => (Quota::AttachedPoliciesPerUser, "PoliciesPerUser"),
        Kind::Group => (Quota::AttachedPoliciesPerGroup, "PoliciesPerGroup"),
        Kind::Role => (Quota::AttachedPoliciesPerRole, "PoliciesPerRole"),
    };
    let limit = state.quotas.limit(quota);
    if entity.attached.len() >= limit {
        return Err(ApiError::quota(name, limit));
    }
    check_versions_in_use(state, &arn)?;
    state.entity_mut(kind, &owner)?.attached.insert(arn);
    Ok(Xml::new())
}

/// Refuses the ARN of a policy that there is not.
pub(super) fn check_exists(state: &State, arn: &str) -> Result<(), ApiError> {
    if state.has_policy(arn) {
        return Ok(());
    }
    Err(ApiError::no_such_entity(format!(
        "Policy {arn} does not exist or is not attachable."
    )))
}

/// The quota on policy versions in use counts distinct policies that are attached or a boundary.
pub(super) fn check_versions_in_use(state: &State, arn: &str) -> Result<(), ApiError> {
    let limit = state.quotas.limit(Quota::PolicyVersionsInUse);
    let usage = state.usage();
    if usage.len() >= limit && !usage.contains_key(arn) {
        return Err(ApiError::quota("PolicyVersionsInUse", limit));
    }
    Ok(())
}

fn detach(state: &mut State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (owner, arn) = parameters(request, kind)?;
    let entity = state.entity_mut(kind, &owner)?;
    roles::check_modifiable(kind, entity)?;
    if !entity.attached.remove(&arn) {
        return Err(ApiError::no_such_entity(format!("Policy {arn} was not found.")));
    }
    Ok(Xml::new())
}

fn parameters(request: &Request, kind: Kind) -> Result<(String, String), ApiError> {
    let (parameter, rule) = owner_parameter(kind);
    let mut input = Input::of(request);
    let owner = input.required(parameter, rule);
    let arn = input.required("PolicyArn", &ARN);
    input.check()?;
    check_arn(&arn)?;
    Ok((owner, arn))
}

/// Refuses what is no ARN at all. One that is well formed but names nothing is a matter of existence.
pub(super) fn check_arn(arn: &str) -> Result<(), ApiError> {
    if is_arn(arn) {
        Ok(())
    } else {
        Err(ApiError::validation(format!("ARN {arn} is not valid.")))
    }
}

pub(super) fn is_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    matches!(fields[..], ["arn", partition, service, _, _, resource]
        if !partition.is_empty() && !service.is_empty() && !resource.is_empty())
}

fn list(state: &State, request: &Request, kind: Kind) -> Result<Xml, ApiError> {
    let (parameter, rule) = owner_parameter(kind);
    let mut input = Input::of(request);
    let owner = input.required(parameter, rule);
    let prefix = input.path_prefix();
    let page = PageRequest::read(&mut input);
    input.check()?;
    let attached = state.entity(kind, &owner)?.attached.iter();
    let arns = attached
        .filter(|arn| path_and_name(arn).0.starts_with(&prefix))
        .collect();
    let page = page.cut(arns, &format!("{} {prefix}", fold(&owner)))?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    write(&mut xml, "AttachedPolicies", &page.items);
    Ok(xml)
}

/// A list of attached policies: names and ARNs.
pub(super) fn write<T: AsRef<str>>(xml: &mut Xml, element: &str, arns: impl IntoIterator<Item = T>) {
    xml.list(element, arns, |xml, arn| {
        let arn = arn.as_ref();
        xml.text("PolicyName", path_and_name(arn).1).text("PolicyArn", arn);
    });
}

fn path_and_name(arn: &str) -> (&str, &str) {
    let resource = arn.split_once(":policy").map_or("/", |(_, resource)| resource);
    resource.split_at(resource.rfind('/').map_or(0, |slash| slash + 1))
}

macro_rules! operations {
    ($($kind:ident: $attach:ident $detach:ident $list:ident;)*) => {$(
        pub(super) fn $attach(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
            attach(state, request, Kind::$kind)
        }
        pub(super) fn $detach(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
            detach(state, request, Kind::$kind)
        }
        pub(super) fn $list(state: &State, request: &Request) -> Result<Xml, ApiError> {
            list(state, request, Kind::$kind)
        }
    )*};
}

operations! {
    User: attach_to_user detach_from_user list_of_user;
    Group: attach_to_group detach_from_group list_of_group;
    Role: attach_to_role detach_from_role list_of_role;
}
