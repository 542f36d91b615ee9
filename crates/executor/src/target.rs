//! What a call touches, read from its arguments: which entities it writes, names, and makes.

use trueup_model::{AccountId, GroupName, PolicyArn, Resource, UserName};
use trueup_planner::Call;

/// An entity that a call can write. Names compare ignoring case, as IAM's do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    User(UserName),
    Group(GroupName),
    Policy(PolicyArn),
    Alias,
    PasswordPolicy,
}

impl Entity {
    /// How plans name it; `None` for what has no unique id.
    pub(crate) fn resource(&self) -> Option<Resource> {
        match self {
            Self::User(name) => Some(Resource::user(name)),
            Self::Group(name) => Some(Resource::group(name)),
            Self::Policy(arn) => Some(Resource::policy(&arn.policy_name())),
            Self::Alias | Self::PasswordPolicy => None,
        }
    }

    /// Whether IAM's message about something that is missing is about this entity. The code alone does not say which of
    /// those that a call names is missing.
    pub(crate) fn is_missing_by(&self, message: &str) -> bool {
        match self {
            Self::User(name) => message.contains(&format!("user with name {name} ")),
            Self::Group(name) => message.contains(&format!("group with name {name} ")),
            Self::Policy(arn) => message.contains(arn.as_str()),
            Self::Alias | Self::PasswordPolicy => false,
        }
    }

    /// What no other entity of its kind can be called at the same time: the name without the path, ignoring case.
    pub(crate) fn name(&self) -> Option<String> {
        self.resource().map(|resource| fold(&resource))
    }
}

/// Resources compare by their text, entities ignoring case.
pub(crate) fn fold(resource: &Resource) -> String {
    resource.as_str().to_ascii_lowercase()
}

/// Reads the entities of calls, given where customer managed policies live.
#[derive(Debug, Clone)]
pub(crate) struct Targets {
    pub(crate) account: AccountId,
    pub(crate) partition: String,
}

impl Targets {
    /// The entities that a call writes. No two calls that write the same one are in flight at once: IAM answers
    /// `ConcurrentModification` to some of them.
    pub(crate) fn written(&self, call: &Call) -> Vec<Entity> {
        let user = |name: &UserName| vec![Entity::User(name.clone())];
        let group = |name: &GroupName| vec![Entity::Group(name.clone())];
        let policy = |arn: &PolicyArn| vec![Entity::Policy(arn.clone())];
        match call {
            Call::CreateAccountAlias { .. } | Call::DeleteAccountAlias { .. } => vec![Entity::Alias],
            Call::UpdateAccountPasswordPolicy { .. } | Call::DeleteAccountPasswordPolicy {} => {
                vec![Entity::PasswordPolicy]
            }
            Call::CreatePolicy { policy_name, path, .. } => vec![Entity::Policy(PolicyArn::customer(
                &self.partition,
                &self.account,
                path,
                policy_name,
            ))],
            Call::CreatePolicyVersion { policy_arn, .. }
            | Call::SetDefaultPolicyVersion { policy_arn, .. }
            | Call::DeletePolicyVersion { policy_arn, .. }
            | Call::DeletePolicy { policy_arn }
            | Call::TagPolicy { policy_arn, .. }
            | Call::UntagPolicy { policy_arn, .. } => policy(policy_arn),
            Call::UpdateGroup {
                group_name,
                new_group_name,
                ..
            } => both(group_name, new_group_name.as_ref(), Entity::Group),
            Call::CreateGroup { group_name, .. }
            | Call::DeleteGroup { group_name }
            | Call::PutGroupPolicy { group_name, .. }
            | Call::DeleteGroupPolicy { group_name, .. }
            | Call::AttachGroupPolicy { group_name, .. }
            | Call::DetachGroupPolicy { group_name, .. } => group(group_name),
            Call::UpdateUser {
                user_name,
                new_user_name,
                ..
            } => both(user_name, new_user_name.as_ref(), Entity::User),
            Call::CreateUser { user_name, .. }
            | Call::DeleteUser { user_name }
            | Call::TagUser { user_name, .. }
            | Call::UntagUser { user_name, .. }
            | Call::PutUserPermissionsBoundary { user_name, .. }
            | Call::DeleteUserPermissionsBoundary { user_name }
            | Call::PutUserPolicy { user_name, .. }
            | Call::DeleteUserPolicy { user_name, .. }
            | Call::AttachUserPolicy { user_name, .. }
            | Call::DetachUserPolicy { user_name, .. }
            | Call::CreateLoginProfile { user_name, .. }
            | Call::UpdateLoginProfile { user_name, .. }
            | Call::DeleteLoginProfile { user_name }
            | Call::CreateAccessKey { user_name }
            | Call::UpdateAccessKey { user_name, .. }
            | Call::DeleteAccessKey { user_name, .. }
            | Call::DeleteSSHPublicKey { user_name, .. }
            | Call::UpdateSSHPublicKey { user_name, .. }
            | Call::UpdateSigningCertificate { user_name, .. }
            | Call::UpdateServiceSpecificCredential { user_name, .. }
            | Call::DeleteSigningCertificate { user_name, .. }
            | Call::DeleteServiceSpecificCredential { user_name, .. }
            | Call::DeactivateMFADevice { user_name, .. } => user(user_name),
            Call::AddUserToGroup { group_name, user_name } | Call::RemoveUserFromGroup { group_name, user_name } => {
                vec![Entity::User(user_name.clone()), Entity::Group(group_name.clone())]
            }
            // An unassigned device belongs to nobody.
            Call::DeleteVirtualMFADevice { .. } => Vec::new(),
        }
    }

    /// The entities that must be visible for a call to succeed: those that it writes, and the policies that it names.
    pub(crate) fn named(&self, call: &Call) -> Vec<Entity> {
        let mut named = self.written(call);
        match call {
            Call::AttachGroupPolicy { policy_arn, .. }
            | Call::DetachGroupPolicy { policy_arn, .. }
            | Call::AttachUserPolicy { policy_arn, .. }
            | Call::DetachUserPolicy { policy_arn, .. }
            | Call::CreateUser {
                permissions_boundary: Some(policy_arn),
                ..
            }
            | Call::PutUserPermissionsBoundary {
                permissions_boundary: policy_arn,
                ..
            } => named.push(Entity::Policy(policy_arn.clone())),
            _ => {}
        }
        named
    }

    /// The entity that exists under a name, or has a version, that it had not before: later calls may not see it yet.
    pub(crate) fn made(&self, call: &Call) -> Option<Entity> {
        match call {
            Call::CreateUser { .. }
            | Call::CreateGroup { .. }
            | Call::CreatePolicy { .. }
            | Call::CreatePolicyVersion { .. } => self.written(call).pop(),
            Call::UpdateUser {
                new_user_name: Some(_), ..
            }
            | Call::UpdateGroup {
                new_group_name: Some(_),
                ..
            } => self.written(call).pop(),
            _ => None,
        }
    }
}

fn both<N: Clone + PartialEq>(old: &N, new: Option<&N>, entity: impl Fn(N) -> Entity) -> Vec<Entity> {
    let mut entities = vec![entity(old.clone())];
    entities.extend(new.filter(|new| *new != old).cloned().map(&entity));
    entities
}

/// The entity that a call deletes as a whole.
pub(crate) fn deleted(call: &Call) -> Option<Entity> {
    match call {
        Call::DeleteUser { user_name } => Some(Entity::User(user_name.clone())),
        Call::DeleteGroup { group_name } => Some(Entity::Group(group_name.clone())),
        Call::DeletePolicy { policy_arn } => Some(Entity::Policy(policy_arn.clone())),
        _ => None,
    }
}

/// Whether a call takes something away, so that it is done where that is gone.
pub(crate) fn is_removal(call: &Call) -> bool {
    let operation = call.operation();
    let inactive = matches!(
        call,
        Call::UpdateAccessKey {
            status: trueup_planner::KeyStatus::Inactive,
            ..
        } | Call::UpdateSSHPublicKey {
            status: trueup_planner::KeyStatus::Inactive,
            ..
        } | Call::UpdateSigningCertificate {
            status: trueup_planner::KeyStatus::Inactive,
            ..
        } | Call::UpdateServiceSpecificCredential {
            status: trueup_planner::KeyStatus::Inactive,
            ..
        }
    );
    inactive
        || ["Delete", "Detach", "Remove", "Deactivate"]
            .iter()
            .any(|word| operation.starts_with(word))
}

/// Whether a call makes something that a second call of the same would not leave as it is.
pub(crate) fn is_creation(call: &Call) -> bool {
    call.operation().starts_with("Create")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Targets {
        Targets {
            account: AccountId::new("123456789012").unwrap(),
            partition: "aws".to_owned(),
        }
    }

    #[test]
    fn a_rename_writes_both_names_and_makes_the_new_one() {
        let call = Call::UpdateUser {
            user_name: UserName::from_live("bob"),
            new_user_name: Some(UserName::from_live("robert")),
            new_path: None,
        };
        let robert = Entity::User(UserName::from_live("Robert"));
        assert_eq!(targets().written(&call).len(), 2);
        assert_eq!(targets().made(&call), Some(robert));
    }

    #[test]
    fn an_attachment_names_its_policy_and_writes_only_its_principal() {
        let policy_arn = PolicyArn::from_live("arn:aws:iam::123456789012:policy/base");
        let call = Call::AttachUserPolicy {
            user_name: UserName::from_live("alice"),
            policy_arn: policy_arn.clone(),
        };
        assert_eq!(targets().written(&call), [Entity::User(UserName::from_live("alice"))]);
        assert!(targets().named(&call).contains(&Entity::Policy(policy_arn)));
    }

    #[test]
    fn a_membership_writes_both_sides() {
        let call = Call::AddUserToGroup {
            group_name: GroupName::from_live("x"),
            user_name: UserName::from_live("x"),
        };
        assert_eq!(targets().written(&call).len(), 2);
        assert!(!is_removal(&call));
    }
}
