//! What a reader found in an account.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Alias, Arn, GroupName, InlinePolicyName, PasswordPolicy, Path, PolicyArn, PolicyDocument, PolicyName,
    RoleName, Tags, UserName,
};

/// The live state of one account. Serialised, it is the body of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The account itself.
    pub account: LiveAccount,
    /// Who read it.
    pub caller: Arn,
    /// All users.
    pub users: BTreeMap<UserName, LiveUser>,
    /// All groups.
    pub groups: BTreeMap<GroupName, LiveGroup>,
    /// All customer managed policies.
    pub policies: BTreeMap<PolicyName, LivePolicy>,
    /// The AWS managed policies in use, and those that were asked for, with the document of their default version.
    pub aws_policies: BTreeMap<PolicyArn, PolicyDocument>,
    /// AWS managed policies that were asked for, and that AWS does not have.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing_aws_policies: BTreeSet<PolicyArn>,
    /// All roles, as far as users and policies depend on them.
    pub roles: BTreeMap<RoleName, LiveRole>,
    /// Virtual MFA devices, assigned or not; `None` where they were not read.
    pub virtual_mfa_devices: Option<Vec<VirtualMfaDevice>>,
    /// How many calls were answered while reading, by operation.
    #[serde(default)]
    pub reads: BTreeMap<String, u64>,
    /// What the reader could not find out, in words.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The live facts of the account as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveAccount {
    /// The account's id.
    pub id: AccountId,
    /// The partition of the caller's ARN, for example `aws`.
    pub partition: String,
    /// The alias, if any.
    pub alias: Option<Alias>,
    /// The custom password policy, if any.
    pub password_policy: Option<PasswordPolicy>,
    /// `GetAccountSummary` as it was answered: counts and quotas by IAM's names.
    pub summary: BTreeMap<String, i64>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveUser {
    /// Its name as stored.
    pub name: UserName,
    /// Its unique id (`AIDA…`), which no later user of the same name shares.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// Its path.
    pub path: Path,
    /// When it was created.
    pub created: Timestamp,
    /// Its tags, reserved ones included.
    pub tags: Tags,
    /// The groups that it is a member of.
    pub groups: BTreeSet<GroupName>,
    /// The managed policies attached to it.
    pub managed_policies: BTreeSet<PolicyArn>,
    /// Its inline policies.
    pub inline_policies: BTreeMap<InlinePolicyName, PolicyDocument>,
    /// Its permissions boundary.
    pub permissions_boundary: Option<PolicyArn>,
    /// Its credentials, as far as they were read.
    #[serde(default)]
    pub credentials: Credentials,
}

/// A user's credentials. `None` in a field: it was not read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Credentials {
    /// The login profile; `Some(None)`: there is none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub login_profile: Option<Option<LoginProfile>>,
    /// Access keys, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_keys: Option<BTreeMap<String, AccessKey>>,
    /// Serials of all MFA devices, of every kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_devices: Option<BTreeSet<String>>,
    /// SSH public keys, by id, and whether each works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_public_keys: Option<BTreeMap<String, bool>>,
    /// Signing certificates, by id, and whether each works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_certificates: Option<BTreeMap<String, bool>>,
    /// Service-specific credentials, by id, and whether each works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_specific_credentials: Option<BTreeMap<String, bool>>,
}

/// Serialises `Some(None)` as `null` and `None` as a field that is left out.
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::option_option,
        clippy::ref_option,
        reason = "read and absent differs from not read"
    )]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "read and absent differs from not read")]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(deserializer).map(Some)
    }
}

/// A console password, as far as IAM tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginProfile {
    /// When it was created.
    pub created: Timestamp,
    /// Whether the next sign-in asks for a new password.
    pub password_reset_required: bool,
}

/// An access key, without its secret, which IAM never tells again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Whether it works.
    pub active: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last used; `None`: not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<LastUse>,
}

/// When an access key was last used, as far as IAM has heard: it may lag by minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastUse {
    /// Never since its creation.
    Never,
    /// At this time.
    At(Timestamp),
}

/// A group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveGroup {
    /// Its name as stored.
    pub name: GroupName,
    /// Its unique id (`AGPA…`).
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// Its path.
    pub path: Path,
    /// When it was created.
    pub created: Timestamp,
    /// The managed policies attached to it.
    pub managed_policies: BTreeSet<PolicyArn>,
    /// Its inline policies.
    pub inline_policies: BTreeMap<InlinePolicyName, PolicyDocument>,
}

/// A customer managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LivePolicy {
    /// Its name as stored.
    pub name: PolicyName,
    /// Its unique id (`ANPA…`).
    pub id: String,
    /// Its ARN.
    pub arn: PolicyArn,
    /// Its path.
    pub path: Path,
    /// When it was created.
    pub created: Timestamp,
    /// The id of the version in force.
    pub default_version: String,
    /// All versions, by id.
    pub versions: BTreeMap<String, PolicyVersion>,
    /// How many users, groups and roles it is attached to.
    pub attachment_count: u64,
    /// How many users and roles have it as their boundary.
    pub boundary_count: u64,
    /// Tags and description, which need a call of their own; `None`: not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<PolicyMetadata>,
}

impl LivePolicy {
    /// The document in force; `None` where the reader did not see the default version.
    pub fn document(&self) -> Option<&PolicyDocument> {
        self.versions
            .get(&self.default_version)
            .map(|version| &version.document)
    }
}

/// What only `GetPolicy` tells about a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyMetadata {
    /// Its tags.
    pub tags: Tags,
    /// Its description.
    pub description: Option<String>,
}

/// One version of a managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// When it was created.
    pub created: Timestamp,
    /// What it says.
    pub document: PolicyDocument,
}

/// A role, as far as users and policies depend on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveRole {
    /// Its name as stored.
    pub name: RoleName,
    /// Its unique id (`AROA…`).
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// Its path.
    pub path: Path,
    /// Its tags.
    pub tags: Tags,
    /// The managed policies attached to it.
    pub managed_policies: BTreeSet<PolicyArn>,
    /// Its inline policies.
    pub inline_policies: BTreeMap<InlinePolicyName, PolicyDocument>,
    /// Its permissions boundary.
    pub permissions_boundary: Option<PolicyArn>,
}

/// A virtual MFA device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualMfaDevice {
    /// Its serial, an ARN.
    pub serial: String,
    /// The user it is assigned to; `None`: not assigned, or root's.
    pub user: Option<UserName>,
    /// Whether it is root's.
    pub root: bool,
}

/// What a plan has to know beyond the bulk read, so that nothing else costs a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Needs {
    /// Users whose credentials matter, and which.
    pub users: BTreeMap<UserName, CredentialNeeds>,
    /// Customer managed policies whose tags and description matter.
    pub policies: BTreeSet<PolicyName>,
    /// AWS managed policies whose document matters, although nobody holds them yet.
    pub aws_policies: BTreeSet<PolicyArn>,
    /// Whether virtual MFA devices matter at all.
    pub virtual_mfa_devices: bool,
}

/// Which credentials of a user matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CredentialNeeds {
    /// The login profile.
    pub login_profile: bool,
    /// The access keys.
    pub access_keys: bool,
    /// When each access key was last used: one call a key.
    pub key_use: bool,
    /// SSH keys, signing certificates and service-specific credentials.
    pub other_keys: bool,
    /// MFA devices of every kind. Read per user only where the account's totals leave the question open.
    pub mfa_devices: bool,
    /// Everything that would stand in the way of deleting the user.
    pub everything: bool,
}
