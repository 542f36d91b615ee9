//! Every call of a plan as the request that it stands for. One call, one request: nothing is decided here.

use aws_sdk_iam::{
    Client,
    types::{StatusType, Tag},
};
use tracing::{Dispatch, instrument::WithSubscriber};
use trueup_model::{PasswordPolicy, Tags};
use trueup_planner::{Call, KeyStatus};

use crate::{failure::CallError, secret::Secret};

/// What a call was answered with, as far as later calls need it.
#[derive(Default)]
pub(crate) struct Answer {
    /// The id of the version that `CreatePolicyVersion` made.
    pub(crate) version: Option<String>,
    /// The id and the secret of the key that `CreateAccessKey` made.
    pub(crate) access_key: Option<(String, Secret)>,
}

/// What a call needs that a plan does not hold.
#[derive(Default)]
pub(crate) struct Supplement<'a> {
    /// The password of `CreateLoginProfile` and `UpdateLoginProfile`.
    pub(crate) password: Option<&'a Secret>,
    /// The version of `SetDefaultPolicyVersion` and `DeletePolicyVersion`.
    pub(crate) version: Option<&'a str>,
    /// The key that a tag of `TagUser` is named after.
    pub(crate) access_key: Option<&'a str>,
}

/// Sends a request whose answer holds nothing that matters.
macro_rules! send {
    ($request:expr) => {
        $request
            .send()
            .await
            .map(|_| Answer::default())
            .map_err(CallError::from_sdk)
    };
}

/// Sends one call, once.
pub(crate) async fn send(iam: &Client, call: &Call, supplement: &Supplement<'_>) -> Result<Answer, CallError> {
    match call {
        Call::CreateAccountAlias { account_alias } => {
            send!(iam.create_account_alias().account_alias(account_alias.as_str()))
        }
        Call::DeleteAccountAlias { account_alias } => {
            send!(iam.delete_account_alias().account_alias(account_alias.as_str()))
        }
        Call::UpdateAccountPasswordPolicy { policy } => update_password_policy(iam, policy).await,
        Call::DeleteAccountPasswordPolicy {} => send!(iam.delete_account_password_policy()),

        Call::CreatePolicy {
            policy_name,
            path,
            description,
            policy_document,
            tags,
        } => send!(
            iam.create_policy()
                .policy_name(policy_name.as_str())
                .path(path.as_str())
                .set_description(description.clone())
                .policy_document(policy_document.as_text())
                .set_tags(some_tags(tags)?)
        ),
        Call::CreatePolicyVersion {
            policy_arn,
            policy_document,
        } => {
            let answer = iam
                .create_policy_version()
                .policy_arn(policy_arn.as_str())
                .policy_document(policy_document.as_text())
                .set_as_default(false)
                .send()
                .await
                .map_err(CallError::from_sdk)?;
            Ok(Answer {
                version: answer.policy_version.and_then(|version| version.version_id),
                access_key: None,
            })
        }
        Call::SetDefaultPolicyVersion { policy_arn, version: _ } => send!(
            iam.set_default_policy_version()
                .policy_arn(policy_arn.as_str())
                .set_version_id(supplement.version.map(str::to_owned))
        ),
        Call::DeletePolicyVersion { policy_arn, version: _ } => send!(
            iam.delete_policy_version()
                .policy_arn(policy_arn.as_str())
                .set_version_id(supplement.version.map(str::to_owned))
        ),
        Call::DeletePolicy { policy_arn } => send!(iam.delete_policy().policy_arn(policy_arn.as_str())),
        Call::TagPolicy { policy_arn, tags } => send!(
            iam.tag_policy()
                .policy_arn(policy_arn.as_str())
                .set_tags(Some(sdk_tags(tags)?))
        ),
        Call::UntagPolicy { policy_arn, tag_keys } => send!(
            iam.untag_policy()
                .policy_arn(policy_arn.as_str())
                .set_tag_keys(Some(tag_keys.clone()))
        ),

        Call::CreateGroup { group_name, path } => {
            send!(iam.create_group().group_name(group_name.as_str()).path(path.as_str()))
        }
        Call::UpdateGroup {
            group_name,
            new_group_name,
            new_path,
        } => send!(
            iam.update_group()
                .group_name(group_name.as_str())
                .set_new_group_name(new_group_name.as_ref().map(|name| name.as_str().to_owned()))
                .set_new_path(new_path.as_ref().map(|path| path.as_str().to_owned()))
        ),
        Call::DeleteGroup { group_name } => send!(iam.delete_group().group_name(group_name.as_str())),
        Call::PutGroupPolicy {
            group_name,
            policy_name,
            policy_document,
        } => send!(
            iam.put_group_policy()
                .group_name(group_name.as_str())
                .policy_name(policy_name.as_str())
                .policy_document(policy_document.as_text())
        ),
        Call::DeleteGroupPolicy {
            group_name,
            policy_name,
        } => send!(
            iam.delete_group_policy()
                .group_name(group_name.as_str())
                .policy_name(policy_name.as_str())
        ),
        Call::AttachGroupPolicy { group_name, policy_arn } => send!(
            iam.attach_group_policy()
                .group_name(group_name.as_str())
                .policy_arn(policy_arn.as_str())
        ),
        Call::DetachGroupPolicy { group_name, policy_arn } => send!(
            iam.detach_group_policy()
                .group_name(group_name.as_str())
                .policy_arn(policy_arn.as_str())
        ),

        Call::CreateUser {
            user_name,
            path,
            permissions_boundary,
            tags,
        } => send!(
            iam.create_user()
                .user_name(user_name.as_str())
                .path(path.as_str())
                .set_permissions_boundary(permissions_boundary.as_ref().map(|arn| arn.as_str().to_owned()))
                .set_tags(some_tags(tags)?)
        ),
        Call::UpdateUser {
            user_name,
            new_user_name,
            new_path,
        } => send!(
            iam.update_user()
                .user_name(user_name.as_str())
                .set_new_user_name(new_user_name.as_ref().map(|name| name.as_str().to_owned()))
                .set_new_path(new_path.as_ref().map(|path| path.as_str().to_owned()))
        ),
        Call::DeleteUser { user_name } => send!(iam.delete_user().user_name(user_name.as_str())),
        Call::TagUser {
            user_name,
            tags,
            new_key,
        } => {
            let mut tags = tags.clone();
            if let (Some(new), Some(id)) = (new_key, supplement.access_key) {
                tags.insert(id.to_owned(), new.value.clone());
            }
            send!(
                iam.tag_user()
                    .user_name(user_name.as_str())
                    .set_tags(Some(sdk_tags(&tags)?))
            )
        }
        Call::UntagUser { user_name, tag_keys } => send!(
            iam.untag_user()
                .user_name(user_name.as_str())
                .set_tag_keys(Some(tag_keys.clone()))
        ),
        Call::PutUserPermissionsBoundary {
            user_name,
            permissions_boundary,
        } => send!(
            iam.put_user_permissions_boundary()
                .user_name(user_name.as_str())
                .permissions_boundary(permissions_boundary.as_str())
        ),
        Call::DeleteUserPermissionsBoundary { user_name } => {
            send!(iam.delete_user_permissions_boundary().user_name(user_name.as_str()))
        }
        Call::PutUserPolicy {
            user_name,
            policy_name,
            policy_document,
        } => send!(
            iam.put_user_policy()
                .user_name(user_name.as_str())
                .policy_name(policy_name.as_str())
                .policy_document(policy_document.as_text())
        ),
        Call::DeleteUserPolicy { user_name, policy_name } => send!(
            iam.delete_user_policy()
                .user_name(user_name.as_str())
                .policy_name(policy_name.as_str())
        ),
        Call::AttachUserPolicy { user_name, policy_arn } => send!(
            iam.attach_user_policy()
                .user_name(user_name.as_str())
                .policy_arn(policy_arn.as_str())
        ),
        Call::DetachUserPolicy { user_name, policy_arn } => send!(
            iam.detach_user_policy()
                .user_name(user_name.as_str())
                .policy_arn(policy_arn.as_str())
        ),
        Call::AddUserToGroup { group_name, user_name } => send!(
            iam.add_user_to_group()
                .group_name(group_name.as_str())
                .user_name(user_name.as_str())
        ),
        Call::RemoveUserFromGroup { group_name, user_name } => send!(
            iam.remove_user_from_group()
                .group_name(group_name.as_str())
                .user_name(user_name.as_str())
        ),

        Call::CreateLoginProfile {
            user_name,
            password_reset_required,
        } => {
            let password = supplement.password.map(|password| password.expose().to_owned());
            let request = iam
                .create_login_profile()
                .user_name(user_name.as_str())
                .set_password(password)
                .password_reset_required(*password_reset_required);
            unlogged(async { send!(request) }, supplement).await
        }
        Call::UpdateLoginProfile {
            user_name,
            password_reset_required,
        } => {
            let password = supplement.password.map(|password| password.expose().to_owned());
            let request = iam
                .update_login_profile()
                .user_name(user_name.as_str())
                .set_password(password)
                .password_reset_required(*password_reset_required);
            unlogged(async { send!(request) }, supplement).await
        }
        Call::CreateAccessKey { user_name } => {
            let request = iam.create_access_key().user_name(user_name.as_str());
            let made = async {
                let answer = request.send().await.map_err(CallError::from_sdk)?;
                Ok(Answer {
                    version: None,
                    access_key: answer
                        .access_key
                        .map(|key| (key.access_key_id, Secret::from(key.secret_access_key))),
                })
            };
            unlogged(made, supplement).await
        }
        Call::DeleteLoginProfile { user_name } => send!(iam.delete_login_profile().user_name(user_name.as_str())),
        Call::UpdateAccessKey {
            user_name,
            access_key_id,
            status,
        } => send!(
            iam.update_access_key()
                .user_name(user_name.as_str())
                .access_key_id(access_key_id)
                .status(sdk_status(*status))
        ),
        Call::DeleteAccessKey {
            user_name,
            access_key_id,
        } => send!(
            iam.delete_access_key()
                .user_name(user_name.as_str())
                .access_key_id(access_key_id)
        ),
        Call::DeleteSSHPublicKey {
            user_name,
            ssh_public_key_id,
        } => send!(
            iam.delete_ssh_public_key()
                .user_name(user_name.as_str())
                .ssh_public_key_id(ssh_public_key_id)
        ),
        Call::UpdateSSHPublicKey {
            user_name,
            ssh_public_key_id,
            status,
        } => send!(
            iam.update_ssh_public_key()
                .user_name(user_name.as_str())
                .ssh_public_key_id(ssh_public_key_id)
                .status(sdk_status(*status))
        ),
        Call::UpdateSigningCertificate {
            user_name,
            certificate_id,
            status,
        } => send!(
            iam.update_signing_certificate()
                .user_name(user_name.as_str())
                .certificate_id(certificate_id)
                .status(sdk_status(*status))
        ),
        Call::UpdateServiceSpecificCredential {
            user_name,
            service_specific_credential_id,
            status,
        } => send!(
            iam.update_service_specific_credential()
                .user_name(user_name.as_str())
                .service_specific_credential_id(service_specific_credential_id)
                .status(sdk_status(*status))
        ),
        Call::DeleteSigningCertificate {
            user_name,
            certificate_id,
        } => send!(
            iam.delete_signing_certificate()
                .user_name(user_name.as_str())
                .certificate_id(certificate_id)
        ),
        Call::DeleteServiceSpecificCredential {
            user_name,
            service_specific_credential_id,
        } => send!(
            iam.delete_service_specific_credential()
                .user_name(user_name.as_str())
                .service_specific_credential_id(service_specific_credential_id)
        ),
        Call::DeactivateMFADevice {
            user_name,
            serial_number,
        } => send!(
            iam.deactivate_mfa_device()
                .user_name(user_name.as_str())
                .serial_number(serial_number)
        ),
        Call::DeleteVirtualMFADevice { serial_number } => {
            send!(iam.delete_virtual_mfa_device().serial_number(serial_number))
        }
    }
}

/// The SDK traces its requests and answers; those that hold a secret are kept out of every log as a whole.
async fn unlogged(
    request: impl Future<Output = Result<Answer, CallError>>,
    supplement: &Supplement<'_>,
) -> Result<Answer, CallError> {
    let result = request.with_subscriber(Dispatch::none()).await;
    result.map_err(|error| match supplement.password {
        Some(password) => error.without(password.expose()),
        None => error,
    })
}

fn sdk_status(status: KeyStatus) -> StatusType {
    match status {
        KeyStatus::Active => StatusType::Active,
        KeyStatus::Inactive => StatusType::Inactive,
    }
}

/// The policy is replaced as a whole: a field that is left out goes back to its default, and "not set" cannot be said
/// in any other way.
async fn update_password_policy(iam: &Client, policy: &PasswordPolicy) -> Result<Answer, CallError> {
    let PasswordPolicy {
        minimum_password_length,
        require_symbols,
        require_numbers,
        require_uppercase_characters,
        require_lowercase_characters,
        allow_users_to_change_password,
        max_password_age,
        password_reuse_prevention,
        hard_expiry,
    } = policy;
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    send!(
        iam.update_account_password_policy()
            .minimum_password_length(number(*minimum_password_length))
            .require_symbols(*require_symbols)
            .require_numbers(*require_numbers)
            .require_uppercase_characters(*require_uppercase_characters)
            .require_lowercase_characters(*require_lowercase_characters)
            .allow_users_to_change_password(*allow_users_to_change_password)
            .set_max_password_age(max_password_age.map(number))
            .set_password_reuse_prevention(password_reuse_prevention.map(number))
            .hard_expiry(*hard_expiry)
    )
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, CallError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| CallError::not_built(&error))
}

/// No tags are left out of the request, as IAM refuses an empty list.
fn some_tags(tags: &Tags) -> Result<Option<Vec<Tag>>, CallError> {
    if tags.is_empty() {
        return Ok(None);
    }
    sdk_tags(tags).map(Some)
}
