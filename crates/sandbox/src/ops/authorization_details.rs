//! `GetAccountAuthorizationDetails`: the whole account in one chain of pages. What each detail has and leaves out is
//! as recorded from real accounts; it is neither what the service model says nor what other reads show.

use std::collections::BTreeMap;

use super::{attachments, boundaries, instance_profiles, managed_policies::PolicyView, policy_versions, roles, tags};
use crate::{
    errors::ApiError,
    managed::AwsPolicy,
    paging::PageRequest,
    state::{Entity, Group, Kind, ManagedPolicy, Role, State, Usage, User},
    validate::Input,
    wire::{Request, Xml},
};

enum Detail<'a> {
    User(&'a User),
    Role(&'a Role),
    Group(&'a Group),
    CustomerPolicy(&'a ManagedPolicy),
    AwsPolicy(AwsPolicy),
}

pub(super) fn get(state: &State, request: &Request) -> Result<Xml, ApiError> {
    let mut input = Input::of(request);
    let filter = input.words(
        "Filter",
        &["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"],
    );
    let page = PageRequest::read(&mut input);
    input.check()?;
    let wanted = |kind: &str| filter.is_empty() || filter.contains(&kind);
    let usage = state.usage();
    // One budget of items is shared by all four lists, in this order.
    let mut details = Vec::new();
    if wanted("User") {
        details.extend(state.users.values().map(Detail::User));
    }
    if wanted("Role") {
        details.extend(state.roles.values().map(Detail::Role));
    }
    if wanted("Group") {
        details.extend(state.groups.values().map(Detail::Group));
    }
    if wanted("LocalManagedPolicy") {
        details.extend(state.policies.values().map(Detail::CustomerPolicy));
    }
    if wanted("AWSManagedPolicy") {
        // AWS managed policies only where they are in use.
        details.extend(
            usage
                .keys()
                .filter_map(|arn| state.aws_policy(arn))
                .map(Detail::AwsPolicy),
        );
    }
    let mut filter = filter;
    filter.sort_unstable();
    filter.dedup();
    let page = page.cut(details, &filter.join(","))?;

    let mut xml = Xml::new();
    page.write_end(&mut xml);
    let users = page.items.iter().filter_map(|detail| {
        if let Detail::User(user) = detail {
            Some(user)
        } else {
            None
        }
    });
    xml.list("UserDetailList", users, |xml, user| write_user(xml, state, user));
    let roles = page.items.iter().filter_map(|detail| {
        if let Detail::Role(role) = detail {
            Some(role)
        } else {
            None
        }
    });
    xml.list("RoleDetailList", roles, |xml, role| write_role(xml, state, role));
    let groups = page.items.iter().filter_map(|detail| {
        if let Detail::Group(group) = detail {
            Some(group)
        } else {
            None
        }
    });
    xml.list("GroupDetailList", groups, |xml, group| write_group(xml, state, group));
    let policies = page
        .items
        .iter()
        .filter(|detail| matches!(detail, Detail::CustomerPolicy(_) | Detail::AwsPolicy(_)));
    xml.list("Policies", policies, |xml, policy| match policy {
        Detail::CustomerPolicy(policy) => write_customer_policy(xml, state, policy, &usage),
        Detail::AwsPolicy(policy) => write_aws_policy(xml, state, policy, &usage),
        _ => {}
    });
    Ok(xml)
}

fn write_user(xml: &mut Xml, state: &State, user: &User) {
    let entity = &user.entity;
    xml.text("Path", &entity.path)
        .text("UserName", &entity.name)
        .text("UserId", &entity.id)
        .text("Arn", state.entity_arn(Kind::User, entity))
        .time("CreateDate", entity.created);
    // Unlike those of groups and roles, this list is left out where it is empty.
    if !entity.inline.is_empty() {
        write_inline(xml, "UserPolicyList", entity);
    }
    xml.texts("GroupList", state.groups_of(user).map(|group| &group.entity.name));
    attachments::write(xml, "AttachedManagedPolicies", &entity.attached);
    boundaries::write(xml, user.boundary.as_deref());
    tags::write(xml, &user.tags);
}

fn write_role(xml: &mut Xml, state: &State, role: &Role) {
    roles::write_brief(xml, state, role);
    xml.list(
        "InstanceProfileList",
        state.profiles_of(&role.entity.id),
        |xml, profile| {
            instance_profiles::write(xml, state, profile);
        },
    );
    write_inline(xml, "RolePolicyList", &role.entity);
    attachments::write(xml, "AttachedManagedPolicies", &role.entity.attached);
    boundaries::write(xml, role.boundary.as_deref());
    tags::write(xml, &role.tags);
    roles::write_last_used(xml, role);
}

fn write_group(xml: &mut Xml, state: &State, group: &Group) {
    let entity = &group.entity;
    xml.text("Path", &entity.path)
        .text("GroupName", &entity.name)
        .text("GroupId", &entity.id)
        .text("Arn", state.entity_arn(Kind::Group, entity))
        .time("CreateDate", entity.created);
    write_inline(xml, "GroupPolicyList", entity);
    attachments::write(xml, "AttachedManagedPolicies", &entity.attached);
}

fn write_inline(xml: &mut Xml, element: &str, entity: &Entity) {
    xml.list(element, entity.inline.values(), |xml, policy| {
        xml.text("PolicyName", &policy.name)
            .document("PolicyDocument", &policy.document);
    });
}

/// Neither tags nor description, which only `GetPolicy` tells.
fn write_customer_policy(xml: &mut Xml, state: &State, policy: &ManagedPolicy, usage: &BTreeMap<&str, Usage>) {
    let view = PolicyView::of_customer(state, policy);
    view.write(xml, usage.get(view.arn.as_str()).copied().unwrap_or_default());
    let newest_first = policy.versions.iter().rev();
    xml.list("PolicyVersionList", newest_first, |xml, (number, version)| {
        let is_default = *number == policy.default_version;
        policy_versions::write(xml, *number, is_default, version.created, Some(&version.document));
    });
}

fn write_aws_policy(xml: &mut Xml, state: &State, policy: &AwsPolicy, usage: &BTreeMap<&str, Usage>) {
    let view = PolicyView::of_aws(state, policy);
    view.write(xml, usage.get(view.arn.as_str()).copied().unwrap_or_default());
    xml.list("PolicyVersionList", [policy], |xml, policy| {
        policy_versions::write(xml, policy.version, true, policy.updated, Some(&policy.document));
    });
}
