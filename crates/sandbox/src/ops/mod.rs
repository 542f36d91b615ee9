//! The operations, one table for all. Each checks everything before it changes anything, so that a refused call
//! leaves the account as it was.

mod access_keys;
mod account;
mod attachments;
mod authorization_details;
mod boundaries;
mod certificates;
mod groups;
mod inline;
mod login_profiles;
mod managed_policies;
mod mfa;
mod policy_versions;
mod roles;
mod service_credentials;
mod ssh_keys;
mod summary;
mod tags;
mod users;

use crate::{
    errors::ApiError,
    state::State,
    wire::{IAM_VERSION, Request, STS_VERSION, Xml},
};

pub(crate) type Read = fn(&State, &Request) -> Result<Xml, ApiError>;
pub(crate) type Write = fn(&mut State, &Request) -> Result<Xml, ApiError>;

/// What carries an operation out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    Read(Read),
    Write(Write),
}

/// The operation of this name, if the sandbox knows it.
pub(crate) fn find(action: &str, version: &str) -> Option<&'static Handler> {
    let table = match version {
        IAM_VERSION => IAM,
        STS_VERSION => STS,
        _ => return None,
    };
    table
        .iter()
        .find(|(name, _)| *name == action)
        .map(|(_, handler)| handler)
}

/// The names of all operations of IAM that the sandbox knows.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    IAM.iter().map(|(name, _)| *name)
}

/// The word for whether a credential works.
fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

use Handler::{Read as R, Write as W};

static STS: &[(&str, Handler)] = &[("GetCallerIdentity", R(account::caller_identity))];

static IAM: &[(&str, Handler)] = &[
    ("AddUserToGroup", W(groups::add_user)),
    ("AttachGroupPolicy", W(attachments::attach_to_group)),
    ("AttachRolePolicy", W(attachments::attach_to_role)),
    ("AttachUserPolicy", W(attachments::attach_to_user)),
    ("CreateAccessKey", W(access_keys::create)),
    ("CreateAccountAlias", W(account::create_alias)),
    ("CreateGroup", W(groups::create)),
    ("CreateLoginProfile", W(login_profiles::create)),
    ("CreatePolicy", W(managed_policies::create)),
    ("CreatePolicyVersion", W(policy_versions::create)),
    ("CreateRole", W(roles::create)),
    ("CreateServiceSpecificCredential", W(service_credentials::create)),
    ("CreateUser", W(users::create)),
    ("CreateVirtualMFADevice", W(mfa::create)),
    ("DeactivateMFADevice", W(mfa::deactivate)),
    ("DeleteAccessKey", W(access_keys::delete)),
    ("DeleteAccountAlias", W(account::delete_alias)),
    ("DeleteAccountPasswordPolicy", W(account::delete_password_policy)),
    ("DeleteGroup", W(groups::delete)),
    ("DeleteGroupPolicy", W(inline::delete_from_group)),
    ("DeleteLoginProfile", W(login_profiles::delete)),
    ("DeletePolicy", W(managed_policies::delete)),
    ("DeletePolicyVersion", W(policy_versions::delete)),
    ("DeleteRole", W(roles::delete)),
    ("DeleteRolePermissionsBoundary", W(boundaries::delete_from_role)),
    ("DeleteRolePolicy", W(inline::delete_from_role)),
    ("DeleteSSHPublicKey", W(ssh_keys::delete)),
    ("DeleteServiceSpecificCredential", W(service_credentials::delete)),
    ("DeleteSigningCertificate", W(certificates::delete)),
    ("DeleteUser", W(users::delete)),
    ("DeleteUserPermissionsBoundary", W(boundaries::delete_from_user)),
    ("DeleteUserPolicy", W(inline::delete_from_user)),
    ("DeleteVirtualMFADevice", W(mfa::delete)),
    ("DetachGroupPolicy", W(attachments::detach_from_group)),
    ("DetachRolePolicy", W(attachments::detach_from_role)),
    ("DetachUserPolicy", W(attachments::detach_from_user)),
    ("EnableMFADevice", W(mfa::enable)),
    ("GetAccessKeyLastUsed", R(access_keys::last_used)),
    ("GetAccountAuthorizationDetails", R(authorization_details::get)),
    ("GetAccountPasswordPolicy", R(account::get_password_policy)),
    ("GetAccountSummary", R(summary::get)),
    ("GetGroup", R(groups::get)),
    ("GetGroupPolicy", R(inline::get_of_group)),
    ("GetLoginProfile", R(login_profiles::get)),
    ("GetPolicy", R(managed_policies::get)),
    ("GetPolicyVersion", R(policy_versions::get)),
    ("GetRole", R(roles::get)),
    ("GetRolePolicy", R(inline::get_of_role)),
    ("GetUser", R(users::get)),
    ("GetUserPolicy", R(inline::get_of_user)),
    ("ListAccessKeys", R(access_keys::list)),
    ("ListAccountAliases", R(account::list_aliases)),
    ("ListAttachedGroupPolicies", R(attachments::list_of_group)),
    ("ListAttachedRolePolicies", R(attachments::list_of_role)),
    ("ListAttachedUserPolicies", R(attachments::list_of_user)),
    ("ListEntitiesForPolicy", R(managed_policies::list_entities)),
    ("ListGroupPolicies", R(inline::list_of_group)),
    ("ListGroups", R(groups::list)),
    ("ListGroupsForUser", R(groups::list_for_user)),
    ("ListMFADevices", R(mfa::list_of_user)),
    ("ListPolicies", R(managed_policies::list)),
    ("ListPolicyTags", R(tags::list_of_policy)),
    ("ListPolicyVersions", R(policy_versions::list)),
    ("ListRolePolicies", R(inline::list_of_role)),
    ("ListRoleTags", R(tags::list_of_role)),
    ("ListRoles", R(roles::list)),
    ("ListSSHPublicKeys", R(ssh_keys::list)),
    ("ListServiceSpecificCredentials", R(service_credentials::list)),
    ("ListSigningCertificates", R(certificates::list)),
    ("ListUserPolicies", R(inline::list_of_user)),
    ("ListUserTags", R(tags::list_of_user)),
    ("ListUsers", R(users::list)),
    ("ListVirtualMFADevices", R(mfa::list_virtual)),
    ("PutGroupPolicy", W(inline::put_on_group)),
    ("PutRolePermissionsBoundary", W(boundaries::put_on_role)),
    ("PutRolePolicy", W(inline::put_on_role)),
    ("PutUserPermissionsBoundary", W(boundaries::put_on_user)),
    ("PutUserPolicy", W(inline::put_on_user)),
    ("RemoveUserFromGroup", W(groups::remove_user)),
    ("SetDefaultPolicyVersion", W(policy_versions::set_default)),
    ("TagPolicy", W(tags::tag_policy)),
    ("TagRole", W(tags::tag_role)),
    ("TagUser", W(tags::tag_user)),
    ("UntagPolicy", W(tags::untag_policy)),
    ("UntagRole", W(tags::untag_role)),
    ("UntagUser", W(tags::untag_user)),
    ("UpdateAccessKey", W(access_keys::update)),
    ("UpdateAccountPasswordPolicy", W(account::update_password_policy)),
    ("UpdateGroup", W(groups::update)),
    ("UpdateLoginProfile", W(login_profiles::update)),
    ("UpdateUser", W(users::update)),
    ("UploadSSHPublicKey", W(ssh_keys::upload)),
    ("UploadSigningCertificate", W(certificates::upload)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_reads_are_reads() {
        assert!(IAM.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, handler) in IAM {
            let reads = name.starts_with("Get") || name.starts_with("List");
            assert_eq!(reads, matches!(handler, R(_)), "{name}");
        }
    }

    #[test]
    fn every_operation_checks_its_parameters() {
        // Operations with nothing that has to be given, or that mean root where no user is named.
        let lenient = [
            "DeleteAccountPasswordPolicy",
            "GetAccountAuthorizationDetails",
            "GetAccountPasswordPolicy",
            "GetAccountSummary",
            "GetUser",
            "ListAccountAliases",
            "ListGroups",
            "ListPolicies",
            "ListRoles",
            "ListUsers",
            "ListVirtualMFADevices",
            "UpdateAccountPasswordPolicy",
        ];
        let now = jiff::Timestamp::UNIX_EPOCH;
        for (name, handler) in IAM.iter().filter(|(name, _)| !lenient.contains(name)) {
            let mut state = State::new("123456789012", "aws", now);
            let body = format!("Action={name}&Version={IAM_VERSION}");
            let request = Request::parse(body.as_bytes(), now, crate::paging::PageShape::default());
            let refusal = match handler {
                R(read) => read(&state, &request),
                W(write) => write(&mut state, &request),
            };
            assert_eq!(refusal.unwrap_err().code, "ValidationError", "{name}");
        }
    }
}
