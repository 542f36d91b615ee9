//! Managed policies: the account's own and, for reading, AWS's.

use super::{attachments, tags};
use trueup_model::document::DocumentKind;

use crate::{
    errors::ApiError,
    managed::{self, AwsPolicy},
    paging::PageRequest,
    policy_text::{self, check_document},
    quota::Quota,
    state::{Kind, ManagedPolicy, PolicyVersion, State, Tag, Usage, fold},
    validate::{ARN, DOCUMENT, Input, POLICY_DESCRIPTION, POLICY_NAME, POLICY_PATH},
    wire::{Request, Xml},
};
use jiff::Timestamp;

/// A managed policy as reads show it, whoever owns it.
#[derive(Debug)]
pub(super) struct PolicyView<'a> {
    name: &'a str,
    id: String,
    pub(super) arn: String,
    pub(super) path: &'a str,
    default_version: u32,
    created: Timestamp,
    updated: Timestamp,
    attachable: bool,
}

impl<'a> PolicyView<'a> {
    pub(super) fn of_customer(state: &State, policy: &'a ManagedPolicy) -> Self {
        Self {
            name: &policy.name,
            id: policy.id.clone(),
            arn: state.policy_arn(policy),
            path: &policy.path,
            default_version: policy.default_version,
            created: policy.created,
            updated: policy.updated,
            attachable: true,
        }
    }

    pub(super) fn of_aws(state: &State, policy: &'a AwsPolicy) -> Self {
        Self {
            name: policy.name(),
            id: policy.id(),
            arn: format!("arn:{}:iam::aws:policy{}", state.partition, policy.resource),
            path: policy.path(),
            default_version: policy.version,
            created: policy.created,
            updated: policy.updated,
            attachable: policy.is_attachable(),
        }
    }

    /// What lists show, and what every other answer begins with.
    pub(super) fn write(&self, xml: &mut Xml, usage: Usage) {
        xml.text("PolicyName", self.name)
            .text("PolicyId", &self.id)
            .text("Arn", &self.arn)
            .text("Path", self.path)
            .text("DefaultVersionId", format!("v{}", self.default_version))
            .number("AttachmentCount", usage.attachments)
            .number("PermissionsBoundaryUsageCount", usage.boundaries)
            .flag("IsAttachable", self.attachable)
            .time("CreateDate", self.created)
            .time("UpdateDate", self.updated);
    }
}

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("PolicyName", &POLICY_NAME);
    let path = input.optional("Path", &POLICY_PATH);
    let document = input.required("PolicyDocument", &DOCUMENT);
    let description = input.optional("Description", &POLICY_DESCRIPTION);
    let given_tags = input.tags();
    input.check()?;
    check_document(&document, DocumentKind::Managed)?;
    check_size(state, &document)?;
    if state.policies.contains_key(&fold(&name)) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ApiError::already_exists(message));
    }
    let limit = state.quotas.limit(Quota::Policies);
    if state.policies.len() >= limit {
        return Err(ApiError::quota("PoliciesPerAccount", limit));
    }
    let given_tags = given_tags.unwrap_or_default();
    let as_given: Vec<Tag> = given_tags
        .iter()
        .cloned()
        .map(|(key, value)| Tag { key, value })
        .collect();
    let mut tags = tags::Tags::new();
    tags::merge(&mut tags, given_tags, tags::Keys::Exact, state)?;
    let policy = ManagedPolicy {
        id: state.ids.unique_id("ANPA"),
        name,
        path: path.unwrap_or_else(|| "/".to_owned()),
        description: description.filter(|description| !description.is_empty()),
        created: request.now,
        updated: request.now,
        tags,
        default_version: 1,
        next_version: 2,
        versions: [(
            1,
            PolicyVersion {
                created: request.now,
                document,
            },
        )]
        .into(),
    };
    let mut xml = Xml::new();
    // The answer to a creation has no description.
    xml.element("Policy", |xml| {
        PolicyView::of_customer(state, &policy).write(xml, Usage::default());
        // In the order in which they were given, unlike in any other answer.
        if !policy.tags.is_empty() {
            tags::write_list(xml, &as_given);
        }
    });
    state.policies.insert(fold(&policy.name), policy);
    Ok(xml)
}

/// Holds a document to the quota on its size.
pub(super) fn check_size(state: &State, document: &str) -> Result<(), ApiError> {
    let limit = state.quotas.limit(Quota::PolicySize);
    if policy_text::size(document) > limit {
        return Err(ApiError::quota("PolicySize", limit));
    }
    Ok(())
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let arn = arn_parameter(request)?;
    let usage = state.usage().get(arn.as_str()).copied().unwrap_or_default();
    let mut xml = Xml::new();
    if let Some(policy) = state.aws_policy(&arn) {
        xml.element("Policy", |xml| {
            PolicyView::of_aws(state, &policy).write(xml, usage);
            tags::write(xml, &tags::Tags::new());
        });
        return Ok(xml);
    }
    let policy = state.customer_policy(&arn).ok_or_else(|| absent(&arn))?;
    xml.element("Policy", |xml| {
        PolicyView::of_customer(state, policy).write(xml, usage);
        xml.optional("Description", policy.description.as_ref());
        tags::write(xml, &policy.tags);
    });
    Ok(xml)
}

fn arn_parameter(request: &Request) -> Result<String, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    input.check()?;
    attachments::check_arn(&arn)?;
    Ok(arn)
}

pub(super) fn list(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let scope = input.word("Scope", &["All", "AWS", "Local"]).unwrap_or("All");
    let only_attached = input.flag("OnlyAttached").unwrap_or(false);
    let prefix = input
        .optional("PathPrefix", &crate::validate::POLICY_PATH)
        .unwrap_or_else(|| "/".to_owned());
    let used_as = input.word("PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"]);
    let page = PageRequest::read(&mut input);
    input.check()?;
    let usage = state.usage();
    let usage_of = |view: &PolicyView<'_>| usage.get(view.arn.as_str()).copied().unwrap_or_default();
    let wanted = |view: &PolicyView<'_>| {
        let usage = usage_of(view);
        // The usage filter has an effect only together with OnlyAttached.
        let used = match used_as {
            Some("PermissionsPolicy") => usage.attachments > 0,
            Some(_) => usage.boundaries > 0,
            None => usage.attachments > 0 || usage.boundaries > 0,
        };
        view.path.starts_with(&prefix) && (!only_attached || used)
    };
    let aws: Vec<AwsPolicy> = if scope == "Local" {
        Vec::new()
    } else {
        managed::all().collect()
    };
    let customer = state
        .policies
        .values()
        .filter(|_| scope != "AWS")
        .map(|policy| PolicyView::of_customer(state, policy));
    let views = customer
        .chain(aws.iter().map(|policy| PolicyView::of_aws(state, policy)))
        .filter(wanted)
        .collect();
    let filter = format!("{scope} {only_attached} {} {prefix}", used_as.unwrap_or("-"));
    let page = page.cut(views, &filter)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    xml.list("Policies", &page.items, |xml, view| view.write(xml, usage_of(view)));
    Ok(xml)
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let arn = arn_parameter(request)?;
    check_owner(state, &arn, "delete policies")?;
    let policy = state.customer_policy(&arn).ok_or_else(|| absent(&arn))?;
    let key = fold(&policy.name);
    if state.usage().contains_key(arn.as_str()) {
        return Err(ApiError::delete_conflict(
            "Cannot delete a policy attached to entities.",
        ));
    }
    if policy.versions.len() > 1 {
        return Err(ApiError::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    state.policies.remove(&key);
    Ok(Xml::new())
}

pub(super) fn list_entities(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let arn = input.required("PolicyArn", &ARN);
    let kind = input.word(
        "EntityFilter",
        &["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"],
    );
    let prefix = input.path_prefix();
    let used_as = input.word("PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"]);
    let page = PageRequest::read(&mut input);
    input.check()?;
    attachments::check_arn(&arn)?;
    attachments::check_exists(state, &arn)?;
    let uses = |attached: bool, bounded: bool| match used_as {
        Some("PermissionsPolicy") => attached,
        Some(_) => bounded,
        None => attached || bounded,
    };
    let entities = state
        .entities()
        .filter(|(of, entity, boundary)| {
            kind.is_none_or(|kind| kind.eq_ignore_ascii_case(of.word()))
                && entity.path.starts_with(&prefix)
                && uses(entity.attached.contains(&arn), *boundary == Some(arn.as_str()))
        })
        .map(|(kind, entity, _)| (kind, entity))
        .collect();
    let filter = format!("{arn} {} {prefix} {}", kind.unwrap_or("-"), used_as.unwrap_or("-"));
    let page = page.cut(entities, &filter)?;
    let mut xml = Xml::new();
    page.write_end(&mut xml);
    for (element, kind, name, id) in [
        ("PolicyGroups", Kind::Group, "GroupName", "GroupId"),
        ("PolicyUsers", Kind::User, "UserName", "UserId"),
        ("PolicyRoles", Kind::Role, "RoleName", "RoleId"),
    ] {
        let of_kind = page.items.iter().filter(|(of, _)| *of == kind);
        xml.list(element, of_kind, |xml, (_, entity)| {
            xml.text(name, &entity.name).text(id, &entity.id);
        });
    }
    Ok(xml)
}

/// The account's own policy with this ARN. Those of AWS and of other accounts cannot be changed; with which words a
/// version or a tag of them is refused was not recorded.
pub(super) fn own<'a>(state: &'a State, arn: &str) -> Result<&'a ManagedPolicy, ApiError> {
    check_owner(state, arn, "update policies")?;
    state.customer_policy(arn).ok_or_else(|| absent(arn))
}

/// The same, to change it.
pub(super) fn own_mut<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut ManagedPolicy, ApiError> {
    check_owner(state, arn, "update policies")?;
    state.customer_policy_mut(arn).ok_or_else(|| absent(arn))
}

/// Refuses `what`, in words such as "update policies", of policies of AWS and of other accounts.
pub(super) fn check_owner(state: &State, arn: &str, what: &str) -> Result<(), ApiError> {
    match arn.split(':').nth(4) {
        Some(account) if account != state.account_id => Err(ApiError::access_denied(format!(
            "Cannot {what} outside your own account."
        ))),
        _ => Ok(()),
    }
}

fn absent(arn: &str) -> ApiError {
    ApiError::no_such_entity(format!("Policy {arn} was not found."))
}
