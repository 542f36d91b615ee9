//! Versions of managed policies.

use super::{attachments, managed_policies};
use trueup_model::document::DocumentKind;

use crate::{
    errors::ApiError,
    paging::PageRequest,
    policy_text::check_document,
    quota::Quota,
    state::{PolicyVersion, State},
    validate::{ARN, DOCUMENT, Input, VERSION_ID},
    wire::{Request, Xml},
};
use jiff::Timestamp;

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let document = input.required("PolicyDocument", &DOCUMENT);
    let as_default = input.flag("SetAsDefault").unwrap_or(false);
    input.check()?;
    attachments::check_arn(&arn)?;
    check_document(&document, DocumentKind::Managed)?;
    managed_policies::check_size(state, &document)?;
    let limit = state.quotas.limit(Quota::VersionsPerPolicy);
    let policy = managed_policies::own_mut(state, &arn)?;
    if policy.versions.len() >= limit {
        return Err(ApiError::limit_exceeded(format!(
            "A managed policy can have up to {limit} versions. Before you create a new version, you must delete an existing version."
        )));
    }
    let number = policy.next_version;
    policy.next_version += 1;
    policy.versions.insert(
        number,
        PolicyVersion {
            created: request.now,
            document,
        },
    );
    if as_default {
        policy.default_version = number;
    }
    policy.updated = request.now;
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| write(xml, number, as_default, request.now, None));
    Ok(xml)
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let (arn, version) = parameters(request)?;
    let mut xml = Xml::new();
    let number = number(&version).ok_or_else(|| absent(&arn, &version))?;
    if let Some(policy) = state.aws_policy(&arn).filter(|policy| policy.version == number) {
        xml.element("PolicyVersion", |xml| {
            write(xml, number, true, policy.updated, Some(&policy.document))
        });
        return Ok(xml);
    }
    let policy = state.customer_policy(&arn).ok_or_else(|| absent(&arn, &version))?;
    let found = policy.versions.get(&number).ok_or_else(|| absent(&arn, &version))?;
    let is_default = policy.default_version == number;
    xml.element("PolicyVersion", |xml| {
        write(xml, number, is_default, found.created, Some(&found.document))
    });
    Ok(xml)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let page = PageRequest::read(&mut input);
    input.check()?;
    attachments::check_arn(&arn)?;
    let versions = if let Some(policy) = state.aws_policy(&arn) {
        vec![(policy.version, true, policy.updated)]
    } else {
        let policy = state
            .customer_policy(&arn)
            .ok_or_else(|| ApiError::no_such_entity(format!("Policy {arn} was not found.")))?;
        let newest_first = policy.versions.iter().rev();
        newest_first
            .map(|(number, version)| (*number, *number == policy.default_version, version.created))
            .collect()
    };
    let page = page.cut(versions, &arn)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Versions", &page.items, |xml, (number, is_default, created)| {
        write(xml, *number, *is_default, *created, None)
    });
    Ok(xml)
}

pub(super) fn set_default(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (arn, version) = parameters(request)?;
    let number = existing(state, &arn, &version, "update policies")?;
    let policy = managed_policies::own_mut(state, &arn)?;
    policy.default_version = number;
    policy.updated = request.now;
    Ok(Xml::new())
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let (arn, version) = parameters(request)?;
    let number = existing(state, &arn, &version, "delete policy versions for policies")?;
    let policy = managed_policies::own_mut(state, &arn)?;
    if policy.default_version == number {
        return Err(ApiError::delete_conflict(
            "Cannot delete the default version of a policy.",
        ));
    }
    policy.versions.remove(&number);
    Ok(Xml::new())
}

fn parameters(request: &Request) -> Result<(String, String), ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let version = input.required("VersionId", &VERSION_ID);
    input.check()?;
    attachments::check_arn(&arn)?;
    Ok((arn, version))
}

/// The number of a version that an own policy has; `what` is refused of policies of others.
fn existing(state: &State, arn: &str, version: &str, what: &str) -> Result<u32, ApiError> {
    managed_policies::check_owner(state, arn, what)?;
    let policy = state.customer_policy(arn);
    number(version)
        .filter(|number| policy.is_some_and(|policy| policy.versions.contains_key(number)))
        .ok_or_else(|| absent(arn, version))
}

fn number(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.parse().ok()
}

fn absent(arn: &str, version: &str) -> ApiError {
    ApiError::no_such_entity(format!(
        "Policy {arn} version {version} does not exist or is not attachable."
    ))
}

/// Writes a version; only some answers tell its document.
pub(super) fn write(xml: &mut Xml, number: u32, is_default: bool, created: Timestamp, document: Option<&str>) {
    if let Some(document) = document {
        xml.document("Document", document);
    }
    xml.text("VersionId", format!("v{number}"))
        .flag("IsDefaultVersion", is_default)
        .time("CreateDate", created);
}
