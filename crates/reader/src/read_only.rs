//! The AWS clients, cut down to what reads.
//!
//! INVARIANT: this module is the only one that holds an SDK client, and it hands out builders of `Get*` and `List*`
//! requests alone. A method for anything else does not belong here.

use aws_sdk_iam::operation::{
    get_access_key_last_used::builders::GetAccessKeyLastUsedFluentBuilder,
    get_account_authorization_details::builders::GetAccountAuthorizationDetailsFluentBuilder,
    get_account_password_policy::builders::GetAccountPasswordPolicyFluentBuilder,
    get_account_summary::builders::GetAccountSummaryFluentBuilder,
    get_login_profile::builders::GetLoginProfileFluentBuilder, get_policy::builders::GetPolicyFluentBuilder,
    get_policy_version::builders::GetPolicyVersionFluentBuilder,
    list_access_keys::builders::ListAccessKeysFluentBuilder,
    list_account_aliases::builders::ListAccountAliasesFluentBuilder,
    list_mfa_devices::builders::ListMFADevicesFluentBuilder,
    list_service_specific_credentials::builders::ListServiceSpecificCredentialsFluentBuilder,
    list_signing_certificates::builders::ListSigningCertificatesFluentBuilder,
    list_ssh_public_keys::builders::ListSSHPublicKeysFluentBuilder,
    list_virtual_mfa_devices::builders::ListVirtualMFADevicesFluentBuilder,
};
use aws_sdk_sts::operation::get_caller_identity::builders::GetCallerIdentityFluentBuilder;

/// Two clients of which only reads can be reached.
#[derive(Debug)]
pub(crate) struct ReadOnly {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
}

macro_rules! reads {
    ($($client:ident . $operation:ident -> $builder:ty;)*) => {
        impl ReadOnly {
            $(pub(crate) fn $operation(&self) -> $builder { self.$client.$operation() })*
        }

        /// Every call that the reader can make: the service, and the SDK's name for the request.
        const CALLS: &[(&str, &str)] = &[$((stringify!($client), stringify!($builder))),*];
    };
}

reads! {
    sts.get_caller_identity -> GetCallerIdentityFluentBuilder;
    iam.get_access_key_last_used -> GetAccessKeyLastUsedFluentBuilder;
    iam.get_account_authorization_details -> GetAccountAuthorizationDetailsFluentBuilder;
    iam.get_account_password_policy -> GetAccountPasswordPolicyFluentBuilder;
    iam.get_account_summary -> GetAccountSummaryFluentBuilder;
    iam.get_login_profile -> GetLoginProfileFluentBuilder;
    iam.get_policy -> GetPolicyFluentBuilder;
    iam.get_policy_version -> GetPolicyVersionFluentBuilder;
    iam.list_access_keys -> ListAccessKeysFluentBuilder;
    iam.list_account_aliases -> ListAccountAliasesFluentBuilder;
    iam.list_mfa_devices -> ListMFADevicesFluentBuilder;
    iam.list_service_specific_credentials -> ListServiceSpecificCredentialsFluentBuilder;
    iam.list_signing_certificates -> ListSigningCertificatesFluentBuilder;
    iam.list_ssh_public_keys -> ListSSHPublicKeysFluentBuilder;
    iam.list_virtual_mfa_devices -> ListVirtualMFADevicesFluentBuilder;
}

impl ReadOnly {
    pub(crate) fn new(iam: aws_sdk_iam::Client, sts: aws_sdk_sts::Client) -> Self {
        Self { iam, sts }
    }
}

/// See [`crate::operations`].
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    CALLS
        .iter()
        .filter(|(service, _)| *service == "iam")
        .map(|(_, builder)| builder.trim_end_matches("FluentBuilder"))
}
