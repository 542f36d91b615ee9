//! What it takes to undo a plan: who applies it must not lose that.

use std::collections::BTreeSet;

use trueup_model::{GroupName, Path, PolicyName, UserName};

use super::people::People;
use crate::{
    Call,
    draft::Draft,
    resolve::{Fate, Resolved},
};

/// What every plan reads.
const READS: [&str; 4] = [
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "iam:GetAccountPasswordPolicy",
    "iam:ListAccountAliases",
];

/// The requests that undoing the plan takes, as pairs of an action and a resource: the calls that would make it undone,
/// and what reads the account. What cannot be undone at all, such as a key that is deleted, asks for nothing.
pub(crate) fn undoing(resolved: &Resolved<'_>, draft: &Draft) -> Vec<(String, String)> {
    let arns = Arns {
        resolved,
        people: People::new(resolved, draft),
    };
    let mut requests: BTreeSet<(String, String)> = READS
        .iter()
        .map(|action| ((*action).to_owned(), "*".to_owned()))
        .collect();
    for step in &draft.steps {
        let (actions, resource) = arns.inverse(&step.call);
        requests.extend(actions.iter().map(|action| (format!("iam:{action}"), resource.clone())));
    }
    requests.into_iter().collect()
}

struct Arns<'a> {
    resolved: &'a Resolved<'a>,
    people: People<'a>,
}

impl Arns<'_> {
    fn inverse(&self, call: &Call) -> (&'static [&'static str], String) {
        let everything = || "*".to_owned();
        match call {
            Call::CreateAccountAlias { .. } => (&["DeleteAccountAlias"], everything()),
            Call::DeleteAccountAlias { .. } => (&["CreateAccountAlias"], everything()),
            Call::UpdateAccountPasswordPolicy { .. } => (
                &["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"],
                everything(),
            ),
            Call::DeleteAccountPasswordPolicy {} => (&["UpdateAccountPasswordPolicy"], everything()),

            Call::CreatePolicy { policy_name, path, .. } => (&["DeletePolicy"], self.policy(policy_name, path)),
            Call::CreatePolicyVersion { policy_arn, .. } => (&["DeletePolicyVersion"], policy_arn.to_string()),
            Call::SetDefaultPolicyVersion { policy_arn, .. } => (&["SetDefaultPolicyVersion"], policy_arn.to_string()),
            Call::DeletePolicyVersion { policy_arn, .. } => (&["CreatePolicyVersion"], policy_arn.to_string()),
            Call::DeletePolicy { policy_arn } => (&["CreatePolicy"], policy_arn.to_string()),
            Call::TagPolicy { policy_arn, .. } => (&["TagPolicy", "UntagPolicy"], policy_arn.to_string()),
            Call::UntagPolicy { policy_arn, .. } => (&["TagPolicy"], policy_arn.to_string()),

            Call::CreateGroup { group_name, path } => (&["DeleteGroup"], self.arn("group", path, group_name.as_str())),
            Call::UpdateGroup {
                group_name,
                new_group_name,
                ..
            } => (
                &["UpdateGroup"],
                self.group(new_group_name.as_ref().unwrap_or(group_name)),
            ),
            Call::DeleteGroup { group_name } => (&["CreateGroup"], self.group(group_name)),
            Call::PutGroupPolicy { group_name, .. } => {
                (&["PutGroupPolicy", "DeleteGroupPolicy"], self.group(group_name))
            }
            Call::DeleteGroupPolicy { group_name, .. } => (&["PutGroupPolicy"], self.group(group_name)),
            Call::AttachGroupPolicy { group_name, .. } => (&["DetachGroupPolicy"], self.group(group_name)),
            Call::DetachGroupPolicy { group_name, .. } => (&["AttachGroupPolicy"], self.group(group_name)),
            Call::AddUserToGroup { group_name, .. } => (&["RemoveUserFromGroup"], self.group(group_name)),
            Call::RemoveUserFromGroup { group_name, .. } => (&["AddUserToGroup"], self.group(group_name)),

            Call::CreateUser { user_name, .. } => (&["DeleteUser"], self.user(user_name)),
            Call::UpdateUser {
                user_name,
                new_user_name,
                ..
            } => (&["UpdateUser"], self.user(new_user_name.as_ref().unwrap_or(user_name))),
            Call::DeleteUser { user_name } => (&["CreateUser"], self.user(user_name)),
            Call::TagUser { user_name, .. } => (&["TagUser", "UntagUser"], self.user(user_name)),
            Call::UntagUser { user_name, .. } => (&["TagUser"], self.user(user_name)),
            Call::PutUserPermissionsBoundary { user_name, .. } => (
                &["PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"],
                self.user(user_name),
            ),
            Call::DeleteUserPermissionsBoundary { user_name } => {
                (&["PutUserPermissionsBoundary"], self.user(user_name))
            }
            Call::PutUserPolicy { user_name, .. } => (&["PutUserPolicy", "DeleteUserPolicy"], self.user(user_name)),
            Call::DeleteUserPolicy { user_name, .. } => (&["PutUserPolicy"], self.user(user_name)),
            Call::AttachUserPolicy { user_name, .. } => (&["DetachUserPolicy"], self.user(user_name)),
            Call::DetachUserPolicy { user_name, .. } => (&["AttachUserPolicy"], self.user(user_name)),

            Call::CreateLoginProfile { user_name, .. } => (&["DeleteLoginProfile"], self.user(user_name)),
            Call::DeleteLoginProfile { user_name } => (&["CreateLoginProfile"], self.user(user_name)),
            Call::CreateAccessKey { user_name } => (&["DeleteAccessKey"], self.user(user_name)),
            Call::UpdateAccessKey { user_name, .. } => (&["UpdateAccessKey"], self.user(user_name)),
            Call::UpdateSSHPublicKey { user_name, .. } => (&["UpdateSSHPublicKey"], self.user(user_name)),
            Call::UpdateSigningCertificate { user_name, .. } => (&["UpdateSigningCertificate"], self.user(user_name)),
            Call::UpdateServiceSpecificCredential { user_name, .. } => {
                (&["UpdateServiceSpecificCredential"], self.user(user_name))
            }
            // The password before is gone for good.
            Call::UpdateLoginProfile { .. }
            | Call::DeleteAccessKey { .. }
            | Call::DeleteSSHPublicKey { .. }
            | Call::DeleteSigningCertificate { .. }
            | Call::DeleteServiceSpecificCredential { .. }
            | Call::DeactivateMFADevice { .. }
            | Call::DeleteVirtualMFADevice { .. } => (&[], String::new()),
        }
    }

    fn arn(&self, kind: &str, path: &Path, name: &str) -> String {
        let account = &self.resolved.live.account;
        format!("arn:{}:iam::{}:{kind}{path}{name}", account.partition, account.id)
    }

    fn policy(&self, name: &PolicyName, path: &Path) -> String {
        self.arn("policy", path, name.as_str())
    }

    fn user(&self, name: &UserName) -> String {
        let (path, name) = self.people.after_plan(name);
        self.arn("user", &path, name.as_str())
    }

    fn group(&self, name: &GroupName) -> String {
        let path = match self.resolved.groups.get(name) {
            Some(Fate::Declared { desired, live }) => {
                let path = desired.path.as_ref().or_else(|| live.map(|live| &live.path));
                path.cloned()
            }
            Some(Fate::Deleted { live, .. } | Fate::Quarantined { live, .. }) => Some(live.path.clone()),
            None => self.resolved.live.groups.get(name).map(|group| group.path.clone()),
        };
        self.arn("group", &path.unwrap_or_else(Path::root), name.as_str())
    }
}
