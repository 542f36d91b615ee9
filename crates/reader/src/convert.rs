//! The SDK's types, field by field, as the model's.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, ManagedPolicyDetail, PasswordPolicy as SdkPasswordPolicy,
    PolicyDetail, RoleDetail, Tag, UserDetail,
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use trueup_model::{
    Arn, GroupName, InlinePolicyName, PasswordPolicy, Path, PolicyArn, PolicyDocument, PolicyName, RoleName, Tags,
    UserName,
    live::{Credentials, LiveGroup, LivePolicy, LiveRole, LiveUser, PolicyVersion},
};

use crate::{During, ReadError};

/// A field without which the answer makes no sense.
pub(crate) fn required<T>(during: &During, field: &str, value: Option<T>) -> Result<T, ReadError> {
    value.ok_or_else(|| ReadError::unexpected(during, format!("the answer has no {field}")))
}

pub(crate) fn timestamp(during: &During, value: &DateTime) -> Result<Timestamp, ReadError> {
    // `subsec_nanos` is below a thousand millions, which fits.
    Timestamp::new(value.secs(), i32::try_from(value.subsec_nanos()).unwrap_or_default())
        .map_err(|_| ReadError::unexpected(during, "the answer has a date out of range"))
}

/// Decodes a policy document exactly once, by RFC 3986: IAM percent-encodes documents in answers, `+` stands for
/// itself, and a document that itself holds `%41` comes as `%2541`.
pub(crate) fn document(encoded: &str) -> PolicyDocument {
    PolicyDocument::from_live(percent_decode_str(encoded).decode_utf8_lossy().into_owned())
}

pub(crate) fn tags(list: Option<Vec<Tag>>) -> Tags {
    list.unwrap_or_default()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect()
}

fn attached(list: Option<Vec<AttachedPolicy>>) -> BTreeSet<PolicyArn> {
    list.unwrap_or_default()
        .into_iter()
        .filter_map(|policy| policy.policy_arn)
        .map(PolicyArn::from_live)
        .collect()
}

/// Only the ARN counts: the type that comes with it is modelled as one word and sent as another.
fn boundary(boundary: Option<AttachedPermissionsBoundary>) -> Option<PolicyArn> {
    boundary
        .and_then(|boundary| boundary.permissions_boundary_arn)
        .map(PolicyArn::from_live)
}

fn inline(
    during: &During,
    list: Option<Vec<PolicyDetail>>,
) -> Result<BTreeMap<InlinePolicyName, PolicyDocument>, ReadError> {
    list.unwrap_or_default()
        .into_iter()
        .map(|policy| {
            let name = required(during, "PolicyName", policy.policy_name)?;
            let text = required(during, "PolicyDocument", policy.policy_document)?;
            Ok((InlinePolicyName::from_live(name), document(&text)))
        })
        .collect()
}

pub(crate) fn user(during: &During, detail: UserDetail) -> Result<LiveUser, ReadError> {
    Ok(LiveUser {
        name: UserName::from_live(required(during, "UserName", detail.user_name)?),
        id: required(during, "UserId", detail.user_id)?,
        arn: Arn::from_live(required(during, "Arn", detail.arn)?),
        path: Path::from_live(required(during, "Path", detail.path)?),
        created: timestamp(during, &required(during, "CreateDate", detail.create_date)?)?,
        tags: tags(detail.tags),
        groups: detail
            .group_list
            .unwrap_or_default()
            .into_iter()
            .map(GroupName::from_live)
            .collect(),
        managed_policies: attached(detail.attached_managed_policies),
        inline_policies: inline(during, detail.user_policy_list)?,
        permissions_boundary: boundary(detail.permissions_boundary),
        credentials: Credentials::default(),
    })
}

pub(crate) fn group(during: &During, detail: GroupDetail) -> Result<LiveGroup, ReadError> {
    Ok(LiveGroup {
        name: GroupName::from_live(required(during, "GroupName", detail.group_name)?),
        id: required(during, "GroupId", detail.group_id)?,
        arn: Arn::from_live(required(during, "Arn", detail.arn)?),
        path: Path::from_live(required(during, "Path", detail.path)?),
        created: timestamp(during, &required(during, "CreateDate", detail.create_date)?)?,
        managed_policies: attached(detail.attached_managed_policies),
        inline_policies: inline(during, detail.group_policy_list)?,
    })
}

pub(crate) fn role(during: &During, detail: RoleDetail) -> Result<LiveRole, ReadError> {
    Ok(LiveRole {
        name: RoleName::from_live(required(during, "RoleName", detail.role_name)?),
        id: required(during, "RoleId", detail.role_id)?,
        arn: Arn::from_live(required(during, "Arn", detail.arn)?),
        path: Path::from_live(required(during, "Path", detail.path)?),
        tags: tags(detail.tags),
        managed_policies: attached(detail.attached_managed_policies),
        inline_policies: inline(during, detail.role_policy_list)?,
        permissions_boundary: boundary(detail.permissions_boundary),
    })
}

/// The ARN of a managed policy: the one field that every IAM sends.
pub(crate) fn policy_arn(during: &During, detail: &ManagedPolicyDetail) -> Result<PolicyArn, ReadError> {
    Ok(PolicyArn::from_live(required(during, "Arn", detail.arn.clone())?))
}

/// A customer managed policy. Its name and path are those of its ARN, which is always sent; its id is left empty
/// where the answer leaves it out.
pub(crate) fn policy(during: &During, arn: PolicyArn, detail: ManagedPolicyDetail) -> Result<LivePolicy, ReadError> {
    let versions = detail
        .policy_version_list
        .unwrap_or_default()
        .into_iter()
        .map(|version| {
            let id = required(during, "VersionId", version.version_id)?;
            let version = PolicyVersion {
                created: timestamp(during, &required(during, "CreateDate", version.create_date)?)?,
                document: document(&required(during, "Document", version.document)?),
            };
            Ok((id, version))
        })
        .collect::<Result<_, ReadError>>()?;
    Ok(LivePolicy {
        name: detail
            .policy_name
            .map_or_else(|| arn.policy_name(), PolicyName::from_live),
        id: detail.policy_id.unwrap_or_default(),
        path: arn.path(),
        arn,
        created: timestamp(during, &required(during, "CreateDate", detail.create_date)?)?,
        default_version: required(during, "DefaultVersionId", detail.default_version_id)?,
        versions,
        attachment_count: count(detail.attachment_count),
        boundary_count: count(detail.permissions_boundary_usage_count),
        metadata: None,
    })
}

/// The document in force of a managed policy, where the answer has it.
pub(crate) fn default_document(detail: ManagedPolicyDetail) -> Option<PolicyDocument> {
    let default = detail.default_version_id?;
    let versions = detail.policy_version_list.unwrap_or_default();
    let version = versions
        .into_iter()
        .find(|version| version.version_id.as_ref() == Some(&default))?;
    version.document.as_deref().map(document)
}

/// `ExpirePasswords` is computed from `MaxPasswordAge`; zero is how some IAMs spell "not set".
pub(crate) fn password_policy(policy: &SdkPasswordPolicy) -> PasswordPolicy {
    let set = |value: Option<i32>| {
        value
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| *value > 0)
    };
    PasswordPolicy {
        minimum_password_length: set(policy.minimum_password_length)
            .unwrap_or(PasswordPolicy::default().minimum_password_length),
        require_symbols: policy.require_symbols,
        require_numbers: policy.require_numbers,
        require_uppercase_characters: policy.require_uppercase_characters,
        require_lowercase_characters: policy.require_lowercase_characters,
        allow_users_to_change_password: policy.allow_users_to_change_password,
        max_password_age: set(policy.max_password_age),
        password_reuse_prevention: set(policy.password_reuse_prevention),
        hard_expiry: policy.hard_expiry.unwrap_or_default(),
    }
}

fn count(value: Option<i32>) -> u64 {
    value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_once_and_plus_stays() {
        let read = document("%7B%22Sid%22%3A%22a+b%20%2541%22%7D");
        assert_eq!(read.as_text(), r#"{"Sid":"a+b %41"}"#);
    }

    #[test]
    fn a_password_policy_reads_zero_and_absent_alike() {
        let absent = SdkPasswordPolicy::builder().minimum_password_length(6).build();
        let zero = SdkPasswordPolicy::builder()
            .minimum_password_length(6)
            .max_password_age(0)
            .password_reuse_prevention(0)
            .hard_expiry(false)
            .build();
        assert_eq!(password_policy(&absent), password_policy(&zero));
        assert_eq!(password_policy(&absent), PasswordPolicy::default());
    }

    #[test]
    fn a_policy_without_a_name_takes_that_of_its_arn() {
        let detail = ManagedPolicyDetail::builder()
            .arn("arn:aws:iam::123456789012:policy/team/base")
            .default_version_id("v1")
            .create_date(DateTime::from_secs(0))
            .build();
        let during = During::iam("GetAccountAuthorizationDetails");
        let arn = policy_arn(&during, &detail).unwrap();
        let read = policy(&during, arn, detail).unwrap();
        assert_eq!(
            (read.name.as_str(), read.path.as_str(), read.id.as_str()),
            ("base", "/team/", "")
        );
    }
}
