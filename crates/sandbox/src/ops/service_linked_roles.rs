//! Roles that a service has to itself. All but those of Organizations and Support are as recorded from real accounts; the
//! first Lex, whose role was recorded too, is left out, since AWS has taken back its policy.

use super::roles;
use crate::{
    errors::ApiError,
    quota::Quota,
    state::{Entity, Role, State, fold},
    validate::{CUSTOM_SUFFIX, Input, LINKED_SERVICE, ROLE_DESCRIPTION, ROLE_NAME, TASK_ID},
    wire::{Request, Xml},
};

/// One line for each service: its name, its role, its policy, and `suffix` where it can have several roles.
const SERVICES: &str = include_str!("service_linked_roles.txt");

struct Service {
    name: &'static str,
    role: &'static str,
    policy: &'static str,
    has_suffixes: bool,
}

fn services() -> impl Iterator<Item = Service> {
    SERVICES.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some(Service {
            name: words.next()?,
            role: words.next()?,
            policy: words.next()?,
            has_suffixes: words.next().is_some(),
        })
    })
}

pub(super) fn create(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let service = input.required("AWSServiceName", &LINKED_SERVICE);
    let description = input.optional("Description", &ROLE_DESCRIPTION);
    let suffix = input.optional("CustomSuffix", &CUSTOM_SUFFIX);
    input.check()?;
    let Service {
        role,
        policy,
        has_suffixes,
        ..
    } = services()
        .find(|known| known.name == service)
        .ok_or_else(|| ApiError::invalid_input(format!("Service {service} has no service-linked role.")))?;
    let name = match suffix {
        None => role.to_owned(),
        Some(suffix) if has_suffixes => format!("{role}_{suffix}"),
        Some(_) => {
            return Err(ApiError::invalid_input(format!(
                "Custom suffix is not allowed for {service}"
            )));
        }
    };
    if name.len() > 64 {
        return Err(ApiError::invalid_input("The name of the role is too long."));
    }
    if state.roles.contains_key(&fold(&name)) {
        return Err(ApiError::invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )));
    }
    let limit = state.quotas.limit(Quota::Roles);
    if state.roles.len() >= limit {
        return Err(ApiError::quota("RolesPerAccount", limit));
    }
    let entity = Entity {
        id: state.ids.unique_id("AROA"),
        name,
        path: format!("/aws-service-role/{service}/"),
        created: request.now,
        attached: [format!(
            "arn:{}:iam::aws:policy/aws-service-role/{policy}",
            state.partition
        )]
        .into(),
        inline: Default::default(),
    };
    let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]});
    let role = Role {
        entity,
        trust: trust.to_string(),
        description,
        max_session_duration: 3600,
        boundary: None,
        tags: Default::default(),
        used: None,
    };
    let mut xml = Xml::new();
    xml.element("Role", |xml| roles::write_brief(xml, state, &role));
    state.roles.insert(fold(&role.entity.name), role);
    Ok(xml)
}

/// Begins a task, which is done at once: nothing here uses the role.
pub(super) fn delete(state: &mut State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let name = input.required("RoleName", &ROLE_NAME);
    input.check()?;
    let entity = &state.role(&name)?.entity;
    let service = entity
        .path
        .strip_prefix("/aws-service-role/")
        .ok_or_else(|| ApiError::invalid_input(format!("The role {} is not a service-linked role.", entity.name)))?;
    let (service, stored) = (service.trim_end_matches('/').to_owned(), entity.name.clone());
    let uuid = state.ids.uuid();
    let task = format!("task/aws-service-role/{service}/{stored}/{uuid}");
    state.roles.remove(&fold(&name));
    state.deletion_tasks.insert(task.clone());
    let mut xml = Xml::new();
    xml.text("DeletionTaskId", task);
    Ok(xml)
}

pub(super) fn deletion_status(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let task = input.required("DeletionTaskId", &TASK_ID);
    input.check()?;
    if !state.deletion_tasks.contains(&task) {
        return Err(ApiError::no_such_entity(format!(
            "The deletion task {task} cannot be found."
        )));
    }
    let mut xml = Xml::new();
    xml.text("Status", "SUCCEEDED");
    Ok(xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_of_the_services_exist() {
        let names: Vec<&str> = services().map(|service| service.name).collect();
        assert_eq!(names.len(), 72, "the number that the manual says");
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        let several = services().filter(|service| service.has_suffixes);
        let several: Vec<&str> = several.map(|service| service.name).collect();
        assert_eq!(
            several,
            [
                "autoscaling.amazonaws.com",
                "connect.amazonaws.com",
                "lexv2.amazonaws.com"
            ]
        );
        assert!(SERVICES.lines().all(|line| (3..=4).contains(&line.split(' ').count())));
        for Service { name, role, policy, .. } in services() {
            let found = crate::managed::find(&format!("/aws-service-role/{policy}"));
            assert!(found.is_some_and(|policy| !policy.is_attachable()), "{name}");
            assert!(role.starts_with("AWSServiceRoleFor"), "{name}");
        }
    }
}
