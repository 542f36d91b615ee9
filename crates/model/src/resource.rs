//! How plans name things: `kind/name`, and parts of things below them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{GroupName, InlinePolicyName, PolicyArn, PolicyName, RoleName, UserName};

/// A name such as `user/alice` or `user/alice/inline-policy/audit`. Ordered by its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resource(String);

impl Resource {
    /// `user/NAME`.
    pub fn user(name: &UserName) -> Self {
        Self(format!("user/{name}"))
    }

    /// `group/NAME`.
    pub fn group(name: &GroupName) -> Self {
        Self(format!("group/{name}"))
    }

    /// `policy/NAME`, a customer managed policy.
    pub fn policy(name: &PolicyName) -> Self {
        Self(format!("policy/{name}"))
    }

    /// `role/NAME`.
    pub fn role(name: &RoleName) -> Self {
        Self(format!("role/{name}"))
    }

    /// `account/alias`.
    pub fn account_alias() -> Self {
        Self("account/alias".to_owned())
    }

    /// `account/password-policy`.
    pub fn password_policy() -> Self {
        Self("account/password-policy".to_owned())
    }

    /// `account/root`.
    pub fn root() -> Self {
        Self("account/root".to_owned())
    }

    /// `manifest`: what is asked for, as a whole.
    pub fn manifest() -> Self {
        Self("manifest".to_owned())
    }

    /// `manifest/KEY`: an entry of the manifest by its path there, such as `manifest/guardrails.allow[0]`.
    pub fn manifest_key(path: &str) -> Self {
        Self(format!("manifest/{path}"))
    }

    /// `scope`: what the manifest owns, as a whole.
    pub fn scope() -> Self {
        Self("scope".to_owned())
    }

    fn part(&self, kind: &str, name: impl fmt::Display) -> Self {
        Self(format!("{}/{kind}/{name}", self.0))
    }

    /// `…/inline-policy/NAME`.
    pub fn inline_policy(&self, name: &InlinePolicyName) -> Self {
        self.part("inline-policy", name)
    }

    /// `…/managed-policy/ARN`: an attachment.
    pub fn attachment(&self, arn: &PolicyArn) -> Self {
        self.part("managed-policy", arn)
    }

    /// `group/NAME/member/USER`.
    pub fn member(&self, user: &UserName) -> Self {
        self.part("member", user)
    }

    /// `…/tag/KEY`.
    pub fn tag(&self, key: &str) -> Self {
        self.part("tag", key)
    }

    /// `policy/NAME/document`: the version in force.
    pub fn document(&self) -> Self {
        Self(format!("{}/document", self.0))
    }

    /// `policy/NAME/versions`: how many there are, and which.
    pub fn versions(&self) -> Self {
        Self(format!("{}/versions", self.0))
    }

    /// `policy/NAME/version/ID`.
    pub fn version(&self, id: &str) -> Self {
        self.part("version", id)
    }

    /// `user/NAME/login-profile`.
    pub fn login_profile(&self) -> Self {
        Self(format!("{}/login-profile", self.0))
    }

    /// `user/NAME/permissions-boundary`.
    pub fn permissions_boundary(&self) -> Self {
        Self(format!("{}/permissions-boundary", self.0))
    }

    /// `user/NAME/access-key/ID`.
    pub fn access_key(&self, id: &str) -> Self {
        self.part("access-key", id)
    }

    /// `user/NAME/ssh-public-key/ID`.
    pub fn ssh_public_key(&self, id: &str) -> Self {
        self.part("ssh-public-key", id)
    }

    /// `user/NAME/signing-certificate/ID`.
    pub fn signing_certificate(&self, id: &str) -> Self {
        self.part("signing-certificate", id)
    }

    /// `user/NAME/service-specific-credential/ID`.
    pub fn service_specific_credential(&self, id: &str) -> Self {
        self.part("service-specific-credential", id)
    }

    /// `user/NAME/mfa-device/SERIAL`.
    pub fn mfa_device(&self, serial: &str) -> Self {
        self.part("mfa-device", serial)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind of the thing or part: `user`, `group`, `policy`, `role`, `alias`, `password-policy`, `root`, or that
    /// of a part, such as `member`.
    pub fn kind(&self) -> &str {
        let mut fields = self.0.splitn(4, '/');
        let first = fields.next().unwrap_or_default();
        let second = fields.next().unwrap_or_default();
        match fields.next() {
            Some(part) => part,
            None if first == "account" => second,
            None => first,
        }
    }

    /// The entity that this is, or is a part of: `user/alice` for `user/alice/login-profile`.
    pub fn entity(&self) -> Self {
        let end = self.0.match_indices('/').nth(1).map_or(self.0.len(), |(at, _)| at);
        Self(self.0[..end].to_owned())
    }

    /// The same by the new name of the entity, and of the user whose membership it is, where these have one.
    pub fn renamed(&self, names: &BTreeMap<Self, Self>) -> Self {
        let entity = self.entity();
        let rest = self.0.strip_prefix(&entity.0).unwrap_or_default();
        let owner = names.get(&entity).unwrap_or(&entity);
        match self.member_user().and_then(|user| names.get(&user)) {
            Some(user) => owner.member(&UserName::from_live(user.entity_name())),
            None => Self(format!("{owner}{rest}")),
        }
    }

    /// The user of a membership, which is the user's as much as the group's; `None` for everything else.
    pub fn member_user(&self) -> Option<Self> {
        let name = self.part_name().filter(|_| self.kind() == "member")?;
        Some(Self::user(&UserName::from_live(name)))
    }

    /// Whether this is the manifest or an entry of it, and nothing of an account.
    pub fn is_of_manifest(&self) -> bool {
        self.kind() == "manifest"
    }

    /// Whether this is a part of an entity.
    pub fn is_part(&self) -> bool {
        self.0.matches('/').count() > 1
    }

    /// The entity's name: `alice` for `user/alice/login-profile`.
    pub fn entity_name(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }

    /// What stands after the part's kind, for example the policy's name in `user/alice/inline-policy/audit`.
    pub fn part_name(&self) -> Option<&str> {
        self.0.splitn(4, '/').nth(3)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_memberships_follow_a_rename() {
        let user = |name: &str| Resource::user(&UserName::from_live(name));
        let group = |name: &str| Resource::group(&GroupName::from_live(name));
        let names = BTreeMap::from([(user("bob.smith"), user("bob")), (group("devs"), group("engineers"))]);
        let member = |group: Resource, user: &str| group.member(&UserName::from_live(user));
        assert_eq!(user("bob.smith").tag("a/b").renamed(&names), user("bob").tag("a/b"));
        assert_eq!(
            member(group("devs"), "bob.smith").renamed(&names),
            member(group("engineers"), "bob")
        );
        assert_eq!(
            member(group("ops"), "alice").renamed(&names),
            member(group("ops"), "alice")
        );
        assert_eq!(user("bob.smithers").renamed(&names), user("bob.smithers"));
    }

    #[test]
    fn resources_know_their_kind_and_entity() {
        let alice = Resource::user(&UserName::from_live("alice"));
        let attachment = alice.attachment(&PolicyArn::from_live("arn:aws:iam::aws:policy/job-function/Billing"));
        assert_eq!(attachment.kind(), "managed-policy");
        assert_eq!(attachment.entity(), alice);
        assert_eq!(attachment.entity_name(), "alice");
        assert_eq!(
            attachment.part_name(),
            Some("arn:aws:iam::aws:policy/job-function/Billing")
        );
        assert_eq!(alice.login_profile().kind(), "login-profile");
        assert_eq!(alice.kind(), "user");
        assert_eq!(Resource::account_alias().kind(), "alias");
        assert!(!alice.is_part() && alice.login_profile().is_part());
        assert!(Resource::manifest_key("hold[0]").is_of_manifest() && !alice.is_of_manifest());
        let group = Resource::group(&GroupName::from_live("ops"));
        let membership = group.member(&UserName::from_live("alice"));
        assert_eq!(membership.member_user().as_ref(), Some(&alice));
        assert_eq!((group.member_user(), alice.member_user()), (None, None));
    }
}
