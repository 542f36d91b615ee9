//! The account: everything that IAM keeps, and how its parts are found. Holds no rule of any operation.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trueup_model::PasswordPolicy;

use crate::{errors::ApiError, ids::IdSource, managed, quota::Quotas};

/// The form under which IAM holds names to be the same.
pub(crate) fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) account_id: String,
    pub(crate) partition: String,
    pub(crate) created: Timestamp,
    pub(crate) alias: Option<String>,
    pub(crate) password_policy: Option<PasswordPolicy>,
    pub(crate) root: RootFacts,
    #[serde(default)]
    pub(crate) quotas: Quotas,
    pub(crate) ids: IdSource,
    /// Users by folded name.
    pub(crate) users: BTreeMap<String, User>,
    /// Groups by folded name.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Roles by folded name.
    pub(crate) roles: BTreeMap<String, Role>,
    /// Customer managed policies by folded name.
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
    /// Documents of AWS managed policies that differ from those which come with the sandbox, by ARN.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) aws_policies: BTreeMap<String, String>,
    /// MFA devices of all kinds, by serial.
    pub(crate) mfa_devices: BTreeMap<String, MfaDevice>,
    /// Instance profiles by folded name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) instance_profiles: BTreeMap<String, InstanceProfile>,
    /// OpenID Connect providers by their URL without `https://`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) oidc_providers: BTreeMap<String, OidcProvider>,
    /// SAML providers by folded name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) saml_providers: BTreeMap<String, SamlProvider>,
    /// Sessions of roles that have not ended, by the id of their access key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) sessions: BTreeMap<String, Session>,
    /// The last credential report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<CredentialReport>,
    /// Whether tokens of the global STS endpoint are valid in all regions (version 2) or only in the old ones.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) global_tokens_everywhere: bool,
    /// Tasks that delete service-linked roles. They are done as soon as they are begun.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) deletion_tasks: BTreeSet<String>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What is known of the account's root user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFacts {
    /// Whether root has an MFA device.
    pub mfa: bool,
    /// Whether root has a password.
    pub password: bool,
    /// How many access keys root has.
    pub access_keys: u8,
    /// How many signing certificates root has.
    pub signing_certificates: u8,
}

impl Default for RootFacts {
    /// Root of a new account: a password and nothing else.
    fn default() -> Self {
        Self {
            mfa: false,
            password: true,
            access_keys: 0,
            signing_certificates: 0,
        }
    }
}

/// What users, groups and roles have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) created: Timestamp,
    /// ARNs of attached managed policies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) attached: BTreeSet<String>,
    /// Inline policies by folded name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) inline: BTreeMap<String, InlinePolicy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InlinePolicy {
    pub(crate) name: String,
    pub(crate) document: String,
}

/// Tags in the order of their keys. Which keys are the same is decided by whoever inserts.
pub(crate) type Tags = BTreeMap<String, Tag>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) entity: Entity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boundary: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
    /// Ids of the groups that the user is a member of: ids survive a rename.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) groups: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) login_profile: Option<LoginProfile>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) access_keys: BTreeMap<String, AccessKey>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ssh_keys: BTreeMap<String, Upload>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) certificates: BTreeMap<String, Upload>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) service_credentials: BTreeMap<String, ServiceCredential>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) entity: Entity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) entity: Entity,
    /// The trust policy as it was sent, except that users and roles of this account stand in it by their unique ids.
    pub(crate) trust: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) max_session_duration: i64,
    /// When one of its sessions made a call last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used: Option<Use>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boundary: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
}

/// A console password. Only digests of passwords are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginProfile {
    pub(crate) created: Timestamp,
    /// When the password was changed last, where that was after the profile was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<Timestamp>,
    pub(crate) reset_required: bool,
    /// Digests of this password and of earlier ones, newest last.
    #[serde(default)]
    pub(crate) digests: Vec<String>,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) created: Timestamp,
    pub(crate) active: bool,
    /// What requests are signed with; `None` where it is not known. No operation tells it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used: Option<Use>,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Use {
    pub(crate) date: Timestamp,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// An SSH public key or a signing certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) uploaded: Timestamp,
    pub(crate) active: bool,
    pub(crate) body: String,
}

/// A service-specific credential. Its secret is told once and not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceCredential {
    pub(crate) created: Timestamp,
    pub(crate) active: bool,
    pub(crate) service: String,
    /// The login name or the alias that goes with it, made from the user's name at the time.
    pub(crate) login: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
    pub(crate) default_version: u32,
    /// The number that the next version gets; none is ever given twice.
    pub(crate) next_version: u32,
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) created: Timestamp,
    pub(crate) document: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MfaDevice {
    /// The seed in base 32; `None`: a device that is not virtual, or whose seed is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<String>,
    /// Whether `CreateVirtualMFADevice` made it.
    pub(crate) is_virtual: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) assigned: Option<Assignment>,
    /// The newest time step of which a code was accepted; codes of earlier steps are refused from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_step: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The id of the user, or the account's id for root.
    pub(crate) owner: String,
    pub(crate) since: Timestamp,
}

/// An instance profile. It holds at most one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) created: Timestamp,
    /// The id of its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    pub(crate) created: Timestamp,
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
}

/// A SAML provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SamlProvider {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) metadata: String,
    /// `Allowed` or `Required`.
    pub(crate) encryption_mode: String,
    /// When each private key was added, by its id. The keys themselves are not kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) private_keys: BTreeMap<String, Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
}

/// A session of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) role_id: String,
    pub(crate) name: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) begun: Timestamp,
    pub(crate) expires: Timestamp,
    /// The policies that it was given when it was begun: one by its text, and managed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: Tags,
    /// Whether it was begun with a code of an MFA device.
    pub(crate) mfa: bool,
}

/// The credential report: the account as it was when the report was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialReport {
    pub(crate) begun: Timestamp,
    /// Whether a caller was told that it is complete, or asked again after it was begun.
    pub(crate) polls: u8,
    pub(crate) content: String,
}

/// Which kind of entity holds policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
    Role,
}

impl Kind {
    /// The kind as ARNs and messages have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }
}

/// How often a managed policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    pub(crate) attachments: usize,
    pub(crate) boundaries: usize,
}

impl State {
    /// An empty account.
    pub(crate) fn new(account_id: &str, partition: &str, now: Timestamp) -> Self {
        Self {
            account_id: account_id.to_owned(),
            partition: partition.to_owned(),
            created: Timestamp::from_second(now.as_second()).unwrap_or(now),
            alias: None,
            password_policy: None,
            root: RootFacts::default(),
            quotas: Quotas::default(),
            ids: IdSource::new(account_id),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            roles: BTreeMap::new(),
            policies: BTreeMap::new(),
            aws_policies: BTreeMap::new(),
            mfa_devices: BTreeMap::new(),
            instance_profiles: BTreeMap::new(),
            oidc_providers: BTreeMap::new(),
            saml_providers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            report: None,
            global_tokens_everywhere: false,
            deletion_tasks: BTreeSet::new(),
        }
    }

    /// `arn:aws:iam::123456789012:user/path/name`.
    pub(crate) fn arn(&self, resource: &str, path: &str, name: &str) -> String {
        format!("arn:{}:iam::{}:{resource}{path}{name}", self.partition, self.account_id)
    }

    pub(crate) fn entity_arn(&self, kind: Kind, entity: &Entity) -> String {
        self.arn(kind.word(), &entity.path, &entity.name)
    }

    pub(crate) fn policy_arn(&self, policy: &ManagedPolicy) -> String {
        self.arn("policy", &policy.path, &policy.name)
    }

    pub(crate) fn user(&self, name: &str) -> Result<&User, ApiError> {
        self.users.get(&fold(name)).ok_or_else(|| absent(Kind::User, name))
    }

    pub(crate) fn user_mut(&mut self, name: &str) -> Result<&mut User, ApiError> {
        self.users.get_mut(&fold(name)).ok_or_else(|| absent(Kind::User, name))
    }

    pub(crate) fn group(&self, name: &str) -> Result<&Group, ApiError> {
        self.groups.get(&fold(name)).ok_or_else(|| absent(Kind::Group, name))
    }

    pub(crate) fn role(&self, name: &str) -> Result<&Role, ApiError> {
        self.roles.get(&fold(name)).ok_or_else(|| absent(Kind::Role, name))
    }

    pub(crate) fn role_mut(&mut self, name: &str) -> Result<&mut Role, ApiError> {
        self.roles.get_mut(&fold(name)).ok_or_else(|| absent(Kind::Role, name))
    }

    pub(crate) fn entity(&self, kind: Kind, name: &str) -> Result<&Entity, ApiError> {
        Ok(match kind {
            Kind::User => &self.user(name)?.entity,
            Kind::Group => &self.group(name)?.entity,
            Kind::Role => &self.role(name)?.entity,
        })
    }

    pub(crate) fn entity_mut(&mut self, kind: Kind, name: &str) -> Result<&mut Entity, ApiError> {
        match kind {
            Kind::User => Ok(&mut self.user_mut(name)?.entity),
            Kind::Group => {
                let group = self
                    .groups
                    .get_mut(&fold(name))
                    .ok_or_else(|| absent(Kind::Group, name))?;
                Ok(&mut group.entity)
            }
            Kind::Role => Ok(&mut self.role_mut(name)?.entity),
        }
    }

    /// The customer managed policy with this ARN. ARNs are compared exactly.
    pub(crate) fn customer_policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        let name = arn.rsplit('/').next()?;
        self.policies
            .get(&fold(name))
            .filter(|policy| self.policy_arn(policy) == arn)
    }

    pub(crate) fn customer_policy_mut(&mut self, arn: &str) -> Option<&mut ManagedPolicy> {
        let key = fold(&self.customer_policy(arn)?.name);
        self.policies.get_mut(&key)
    }

    /// Whether there is a managed policy, customer's or AWS's, with this ARN.
    pub(crate) fn has_policy(&self, arn: &str) -> bool {
        self.customer_policy(arn).is_some() || self.aws_policy(arn).is_some()
    }

    /// The AWS managed policy with this ARN, in this account's partition.
    pub(crate) fn aws_policy(&self, arn: &str) -> Option<managed::AwsPolicy> {
        let resource = arn.strip_prefix(&format!("arn:{}:iam::aws:policy", self.partition))?;
        match self.aws_policies.get(arn) {
            Some(document) => Some(managed::AwsPolicy::with_document(resource, document.clone())),
            None => managed::find(resource),
        }
    }

    /// How often each managed policy is used.
    pub(crate) fn usage(&self) -> BTreeMap<&str, Usage> {
        let mut usage: BTreeMap<&str, Usage> = BTreeMap::new();
        for (_, entity, boundary) in self.entities() {
            for arn in &entity.attached {
                usage.entry(arn).or_default().attachments += 1;
            }
            if let Some(boundary) = boundary {
                usage.entry(boundary).or_default().boundaries += 1;
            }
        }
        usage
    }

    /// Everything that can hold policies, with its boundary.
    pub(crate) fn entities(&self) -> impl Iterator<Item = (Kind, &Entity, Option<&str>)> {
        let users = self
            .users
            .values()
            .map(|user| (Kind::User, &user.entity, user.boundary.as_deref()));
        let groups = self.groups.values().map(|group| (Kind::Group, &group.entity, None));
        let roles = self
            .roles
            .values()
            .map(|role| (Kind::Role, &role.entity, role.boundary.as_deref()));
        users.chain(groups).chain(roles)
    }

    /// The groups that a user is a member of.
    pub(crate) fn groups_of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a Group> {
        self.groups
            .values()
            .filter(|group| user.groups.contains(&group.entity.id))
    }

    /// The instance profiles that hold the role with this id.
    pub(crate) fn profiles_of<'a>(&'a self, role_id: &'a str) -> impl Iterator<Item = &'a InstanceProfile> {
        self.instance_profiles
            .values()
            .filter(move |profile| profile.role.as_deref() == Some(role_id))
    }

    /// Serials and devices of the owner with this id.
    pub(crate) fn devices_of<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = (&'a String, &'a MfaDevice)> {
        self.mfa_devices
            .iter()
            .filter(move |(_, device)| device.assigned.as_ref().is_some_and(|assigned| assigned.owner == owner))
    }
}

/// The refusal where there is no entity of this name.
pub(crate) fn absent(kind: Kind, name: &str) -> ApiError {
    ApiError::no_such_entity(format!("The {} with name {name} cannot be found.", kind.word()))
}
