//! The operations, one table for all. Each checks everything before it changes anything, so that a refused call
//! leaves the account as it was.

mod access_keys;
mod account;
mod attachments;
mod authorization_details;
mod boundaries;
mod certificates;
mod credential_report;
mod groups;
mod inline;
mod instance_profiles;
mod login_profiles;
mod managed_policies;
mod mfa;
mod oidc_providers;
mod policy_versions;
mod roles;
mod saml_providers;
mod service_credentials;
mod service_linked_roles;
mod sessions;
mod ssh_keys;
mod summary;
mod tags;
mod users;

use crate::{
    errors::ApiError,
    state::State,
    validate::Input,
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
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    IAM.iter().map(|(name, _)| *name)
}

/// The same of STS.
pub(crate) fn sts_names() -> impl Iterator<Item = &'static str> {
    STS.iter().map(|(name, _)| *name)
}

pub(crate) use oidc_providers::exists as oidc_provider_exists;
pub(crate) use saml_providers::exists as saml_provider_exists;
pub(crate) use sessions::{check_form as check_session_form, has_valid_code};

/// The word for whether a credential works.
fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

/// The status that a call wants to give to a credential.
fn new_status(input: &mut Input<'_>) -> &'static str {
    input.required_word("Status", &["Active", "Inactive", "Expired"])
}

/// Whether a credential with this new status works. That it has expired is for IAM to find.
fn settable(status: &str) -> Result<bool, ApiError> {
    match status {
        "Expired" => Err(ApiError::invalid_input("Status Expired cannot be set.")),
        status => Ok(status == "Active"),
    }
}

use Handler::{Read as R, Write as W};

static STS: &[(&str, Handler)] = &[
    ("AssumeRole", W(sessions::assume_role)),
    ("GetCallerIdentity", R(sessions::caller_identity)),
];

static IAM: &[(&str, Handler)] = &[
    ("AddClientIDToOpenIDConnectProvider", W(oidc_providers::add_client_id)),
    ("AddRoleToInstanceProfile", W(instance_profiles::add_role)),
    ("AddUserToGroup", W(groups::add_user)),
    ("AttachGroupPolicy", W(attachments::attach_to_group)),
    ("AttachRolePolicy", W(attachments::attach_to_role)),
    ("AttachUserPolicy", W(attachments::attach_to_user)),
    ("ChangePassword", W(login_profiles::change)),
    ("CreateAccessKey", W(access_keys::create)),
    ("CreateAccountAlias", W(account::create_alias)),
    ("CreateGroup", W(groups::create)),
    ("CreateInstanceProfile", W(instance_profiles::create)),
    ("CreateLoginProfile", W(login_profiles::create)),
    ("CreateOpenIDConnectProvider", W(oidc_providers::create)),
    ("CreatePolicy", W(managed_policies::create)),
    ("CreatePolicyVersion", W(policy_versions::create)),
    ("CreateRole", W(roles::create)),
    ("CreateSAMLProvider", W(saml_providers::create)),
    ("CreateServiceLinkedRole", W(service_linked_roles::create)),
    ("CreateServiceSpecificCredential", W(service_credentials::create)),
    ("CreateUser", W(users::create)),
    ("CreateVirtualMFADevice", W(mfa::create)),
    ("DeactivateMFADevice", W(mfa::deactivate)),
    ("DeleteAccessKey", W(access_keys::delete)),
    ("DeleteAccountAlias", W(account::delete_alias)),
    ("DeleteAccountPasswordPolicy", W(account::delete_password_policy)),
    ("DeleteGroup", W(groups::delete)),
    ("DeleteGroupPolicy", W(inline::delete_from_group)),
    ("DeleteInstanceProfile", W(instance_profiles::delete)),
    ("DeleteLoginProfile", W(login_profiles::delete)),
    ("DeleteOpenIDConnectProvider", W(oidc_providers::delete)),
    ("DeletePolicy", W(managed_policies::delete)),
    ("DeletePolicyVersion", W(policy_versions::delete)),
    ("DeleteRole", W(roles::delete)),
    ("DeleteRolePermissionsBoundary", W(boundaries::delete_from_role)),
    ("DeleteRolePolicy", W(inline::delete_from_role)),
    ("DeleteSAMLProvider", W(saml_providers::delete)),
    ("DeleteSSHPublicKey", W(ssh_keys::delete)),
    ("DeleteServiceLinkedRole", W(service_linked_roles::delete)),
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
    ("GenerateCredentialReport", W(credential_report::generate)),
    ("GetAccessKeyLastUsed", R(access_keys::last_used)),
    ("GetAccountAuthorizationDetails", R(authorization_details::get)),
    ("GetAccountPasswordPolicy", R(account::get_password_policy)),
    ("GetAccountSummary", R(summary::get)),
    ("GetCredentialReport", R(credential_report::get)),
    ("GetGroup", R(groups::get)),
    ("GetGroupPolicy", R(inline::get_of_group)),
    ("GetInstanceProfile", R(instance_profiles::get)),
    ("GetLoginProfile", R(login_profiles::get)),
    ("GetMFADevice", R(mfa::get)),
    ("GetOpenIDConnectProvider", R(oidc_providers::get)),
    ("GetPolicy", R(managed_policies::get)),
    ("GetPolicyVersion", R(policy_versions::get)),
    ("GetRole", R(roles::get)),
    ("GetRolePolicy", R(inline::get_of_role)),
    ("GetSAMLProvider", R(saml_providers::get)),
    ("GetSSHPublicKey", R(ssh_keys::get)),
    (
        "GetServiceLinkedRoleDeletionStatus",
        R(service_linked_roles::deletion_status),
    ),
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
    ("ListInstanceProfileTags", R(tags::list_of_instance_profile)),
    ("ListInstanceProfiles", R(instance_profiles::list)),
    ("ListInstanceProfilesForRole", R(instance_profiles::list_for_role)),
    ("ListMFADeviceTags", R(tags::list_of_mfa_device)),
    ("ListMFADevices", R(mfa::list_of_user)),
    ("ListOpenIDConnectProviderTags", R(tags::list_of_oidc_provider)),
    ("ListOpenIDConnectProviders", R(oidc_providers::list)),
    ("ListPolicies", R(managed_policies::list)),
    ("ListPolicyTags", R(tags::list_of_policy)),
    ("ListPolicyVersions", R(policy_versions::list)),
    ("ListRolePolicies", R(inline::list_of_role)),
    ("ListRoleTags", R(tags::list_of_role)),
    ("ListRoles", R(roles::list)),
    ("ListSAMLProviderTags", R(tags::list_of_saml_provider)),
    ("ListSAMLProviders", R(saml_providers::list)),
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
    (
        "RemoveClientIDFromOpenIDConnectProvider",
        W(oidc_providers::remove_client_id),
    ),
    ("RemoveRoleFromInstanceProfile", W(instance_profiles::remove_role)),
    ("RemoveUserFromGroup", W(groups::remove_user)),
    ("ResetServiceSpecificCredential", W(service_credentials::reset)),
    ("ResyncMFADevice", W(mfa::resync)),
    ("SetDefaultPolicyVersion", W(policy_versions::set_default)),
    ("SetSecurityTokenServicePreferences", W(account::set_token_preferences)),
    ("TagInstanceProfile", W(tags::tag_instance_profile)),
    ("TagMFADevice", W(tags::tag_mfa_device)),
    ("TagOpenIDConnectProvider", W(tags::tag_oidc_provider)),
    ("TagPolicy", W(tags::tag_policy)),
    ("TagRole", W(tags::tag_role)),
    ("TagSAMLProvider", W(tags::tag_saml_provider)),
    ("TagUser", W(tags::tag_user)),
    ("UntagInstanceProfile", W(tags::untag_instance_profile)),
    ("UntagMFADevice", W(tags::untag_mfa_device)),
    ("UntagOpenIDConnectProvider", W(tags::untag_oidc_provider)),
    ("UntagPolicy", W(tags::untag_policy)),
    ("UntagRole", W(tags::untag_role)),
    ("UntagSAMLProvider", W(tags::untag_saml_provider)),
    ("UntagUser", W(tags::untag_user)),
    ("UpdateAccessKey", W(access_keys::update)),
    ("UpdateAccountPasswordPolicy", W(account::update_password_policy)),
    ("UpdateAssumeRolePolicy", W(roles::update_trust)),
    ("UpdateGroup", W(groups::update)),
    ("UpdateLoginProfile", W(login_profiles::update)),
    (
        "UpdateOpenIDConnectProviderThumbprint",
        W(oidc_providers::update_thumbprints),
    ),
    ("UpdateRole", W(roles::update)),
    ("UpdateRoleDescription", W(roles::update_description)),
    ("UpdateSAMLProvider", W(saml_providers::update)),
    ("UpdateSSHPublicKey", W(ssh_keys::update)),
    ("UpdateServiceSpecificCredential", W(service_credentials::update)),
    ("UpdateSigningCertificate", W(certificates::update)),
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
            // A report is begun by asking for it, so that Generate is a write here.
            let reads = name.starts_with("Get") || name.starts_with("List");
            assert_eq!(reads, matches!(handler, R(_)), "{name}");
        }
    }

    #[test]
    fn every_operation_checks_its_parameters() {
        // Operations with nothing that has to be given, or that mean root where no user is named.
        let lenient = [
            "DeleteAccountPasswordPolicy",
            "GenerateCredentialReport",
            "GetAccountAuthorizationDetails",
            "GetAccountPasswordPolicy",
            "GetAccountSummary",
            "GetCredentialReport",
            "GetUser",
            "ListAccountAliases",
            "ListGroups",
            "ListInstanceProfiles",
            "ListOpenIDConnectProviders",
            "ListPolicies",
            "ListRoles",
            "ListSAMLProviders",
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
