//! Everybody of an account who can act, with what each holds: of a live account, or of what a manifest asks for.
//!
//! What is not known is never left out: a document that is missing is held as one that cannot be read, so that the
//! engine answers "unknown" where it matters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use trueup_model::desired::{BoundaryWish, DesiredUser, PolicyRef};
use trueup_model::{
    Desired, GroupName, InlinePolicyName, Live, PolicyArn, PolicyDocument, PolicyName, RoleName, Tags, UserName,
};

use crate::facts::PrincipalFacts;
use crate::holdings::{Holdings, Origin};

/// Who can act. Written as `user/alice` or `role/deploy`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalName {
    /// A user.
    User(UserName),
    /// A role.
    Role(RoleName),
}

impl PrincipalName {
    /// A user by name.
    pub fn user(name: &str) -> Self {
        Self::User(UserName::from_live(name))
    }

    /// A role by name.
    pub fn role(name: &str) -> Self {
        Self::Role(RoleName::from_live(name))
    }

    /// The name without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) => name.as_str(),
            Self::Role(name) => name.as_str(),
        }
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user/{name}"),
            Self::Role(name) => write!(f, "role/{name}"),
        }
    }
}

impl Serialize for PrincipalName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A group: what it gives, and to whom.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Its policies.
    pub policies: Vec<(Origin, PolicyDocument)>,
    /// Its members.
    pub members: BTreeSet<UserName>,
}

/// Everybody of an account who can act. Service-linked roles are left out: only their service can use them.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The account's id.
    pub id: String,
    /// The partition, for example `aws`.
    pub partition: String,
    /// Users and roles.
    pub principals: BTreeMap<PrincipalName, Holdings>,
    /// Groups.
    pub groups: BTreeMap<GroupName, Group>,
    /// What is not looked at or not known, in words.
    pub notes: Vec<String>,
}

/// Stands for a document that is not known.
fn unknown_document() -> PolicyDocument {
    PolicyDocument::from_live("")
}

/// The name that stands for all policies of a group that is not known.
const POLICIES_OF_AN_EXTERNAL_GROUP: &str = "(external)";

impl Account {
    /// A live account.
    pub fn of_live(live: &Live) -> Self {
        let partition = live.account.partition.as_str();
        let id = live.account.id.as_str();
        let customer: BTreeMap<&PolicyArn, &PolicyDocument> = live
            .policies
            .values()
            .filter_map(|policy| Some((&policy.arn, policy.document()?)))
            .collect();
        let document = |arn: &PolicyArn| {
            let known = live.aws_policies.get(arn).or_else(|| customer.get(arn).copied());
            known.cloned().unwrap_or_else(unknown_document)
        };
        let mut account = Self {
            id: id.to_owned(),
            partition: partition.to_owned(),
            ..Self::default()
        };
        for (name, group) in &live.groups {
            let own = policies(Some(name), &group.inline_policies, &group.managed_policies, document);
            let entry = account.groups.entry(name.clone()).or_default();
            entry.policies = own;
        }
        for (name, user) in &live.users {
            let mut all = policies(None, &user.inline_policies, &user.managed_policies, document);
            account.join(name, &user.groups, &mut all);
            let holdings = Holdings {
                facts: user_facts(partition, id, user.path.as_str(), name, &user.tags),
                policies: all,
                boundary: boundary(user.permissions_boundary.as_ref(), document),
            };
            account.principals.insert(PrincipalName::User(name.clone()), holdings);
        }
        for (name, role) in &live.roles {
            if role.path.as_str().starts_with("/aws-service-role/") {
                continue;
            }
            let holdings = Holdings {
                facts: PrincipalFacts::role(partition, id, role.path.as_str(), name.as_str()),
                policies: policies(None, &role.inline_policies, &role.managed_policies, document),
                boundary: boundary(role.permissions_boundary.as_ref(), document),
            };
            account.principals.insert(PrincipalName::Role(name.clone()), holdings);
        }
        account
    }

    /// What a manifest asks for. `aws` has the documents of AWS managed policies.
    ///
    /// A boundary that the manifest leaves as it is counts as none, and a path that it leaves out as `/`: the former
    /// can only take away, and the notes say so.
    pub fn of_desired(desired: &Desired, aws: &dyn Fn(&PolicyArn) -> Option<PolicyDocument>) -> Self {
        let partition = partition_of(desired);
        let id = desired.account.id.as_str();
        let arn_of = |policy: &PolicyRef| match policy {
            PolicyRef::Arn(arn) => arn.clone(),
            PolicyRef::Declared(name) => declared_arn(desired, &partition, name),
        };
        let document = |policy: &PolicyRef| {
            let known = match policy {
                PolicyRef::Declared(name) => desired.policies.get(name).map(|policy| policy.document.clone()),
                PolicyRef::Arn(arn) => aws(arn),
            };
            known.unwrap_or_else(unknown_document)
        };
        let attached = |policies: &BTreeSet<PolicyRef>, group: Option<&GroupName>| -> Vec<(Origin, PolicyDocument)> {
            let named = policies
                .iter()
                .map(|policy| (origin(group, arn_of(policy).as_str()), document(policy)));
            named.collect()
        };
        let mut account = Self {
            id: id.to_owned(),
            partition: partition.clone(),
            ..Self::default()
        };
        for (name, group) in &desired.groups {
            let mut own = inline(Some(name), &group.inline_policies);
            own.extend(attached(&group.managed_policies, Some(name)));
            account.groups.entry(name.clone()).or_default().policies = own;
        }
        for name in &desired.external.groups {
            let entry = account.groups.entry(name.clone()).or_default();
            entry.policies = vec![(origin(Some(name), POLICIES_OF_AN_EXTERNAL_GROUP), unknown_document())];
        }
        let mut kept = 0;
        for (name, user) in &desired.users {
            let mut all = inline(None, &user.inline_policies);
            all.extend(attached(&user.managed_policies, None));
            account.join(name, &user.groups, &mut all);
            let boundary = match &user.permissions_boundary {
                BoundaryWish::Present(policy) => Some((Origin::own(arn_of(policy).as_str()), document(policy))),
                BoundaryWish::Absent => None,
                BoundaryWish::Keep => {
                    kept += 1;
                    None
                }
            };
            let holdings = Holdings {
                facts: user_facts(&partition, id, path_of(user), name, &user.tags),
                policies: all,
                boundary,
            };
            account.principals.insert(PrincipalName::User(name.clone()), holdings);
        }
        if kept > 0 {
            account.notes.push(
                "boundaries that the manifest leaves as they are (they only take away): ask the live account"
                    .to_owned(),
            );
        }
        account
    }

    /// What a principal holds.
    pub fn holdings(&self, name: &PrincipalName) -> Option<&Holdings> {
        self.principals.get(name)
    }

    /// Whoever holds nothing but a group's policies.
    pub fn of_group(&self, name: &GroupName) -> Option<Holdings> {
        let group = self.groups.get(name)?;
        Some(Holdings {
            facts: PrincipalFacts::nobody()
                .with("aws:PrincipalAccount", Some(&self.id))
                .with("aws:PrincipalType", Some("User")),
            policies: group.policies.clone(),
            boundary: None,
        })
    }

    /// Makes a user a member of groups, and adds what these give.
    fn join(&mut self, user: &UserName, groups: &BTreeSet<GroupName>, held: &mut Vec<(Origin, PolicyDocument)>) {
        for name in groups {
            let group = self.groups.entry(name.clone()).or_default();
            group.members.insert(user.clone());
            held.extend(group.policies.iter().cloned());
        }
    }
}

fn origin(group: Option<&GroupName>, policy: &str) -> Origin {
    match group {
        Some(group) => Origin::through(group.as_str(), policy),
        None => Origin::own(policy),
    }
}

fn inline(
    group: Option<&GroupName>,
    policies: &BTreeMap<InlinePolicyName, PolicyDocument>,
) -> Vec<(Origin, PolicyDocument)> {
    let named = policies
        .iter()
        .map(|(name, document)| (origin(group, name.as_str()), document.clone()));
    named.collect()
}

fn policies(
    group: Option<&GroupName>,
    own: &BTreeMap<InlinePolicyName, PolicyDocument>,
    attached: &BTreeSet<PolicyArn>,
    document: impl Fn(&PolicyArn) -> PolicyDocument,
) -> Vec<(Origin, PolicyDocument)> {
    let mut all = inline(group, own);
    all.extend(attached.iter().map(|arn| (origin(group, arn.as_str()), document(arn))));
    all
}

fn boundary(
    arn: Option<&PolicyArn>,
    document: impl Fn(&PolicyArn) -> PolicyDocument,
) -> Option<(Origin, PolicyDocument)> {
    arn.map(|arn| (Origin::own(arn.as_str()), document(arn)))
}

fn user_facts(partition: &str, account: &str, path: &str, name: &UserName, tags: &Tags) -> PrincipalFacts {
    let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    PrincipalFacts::user(partition, account, path, name.as_str(), tags)
}

fn path_of(user: &DesiredUser) -> &str {
    user.path.as_ref().map_or("/", trueup_model::Path::as_str)
}

fn declared_arn(desired: &Desired, partition: &str, name: &PolicyName) -> PolicyArn {
    let declared = desired.policies.get(name);
    let root = trueup_model::Path::from_live("/");
    let path = declared.and_then(|policy| policy.path.as_ref()).unwrap_or(&root);
    let name = declared.map_or(name, |policy| &policy.name);
    PolicyArn::customer(partition, &desired.account.id, path, name)
}

/// A manifest names its partition only in the ARNs of policies.
fn partition_of(desired: &Desired) -> String {
    let of = |policies: &BTreeSet<PolicyRef>| {
        policies.iter().find_map(|policy| match policy {
            PolicyRef::Arn(arn) => Some(arn.partition().to_owned()),
            PolicyRef::Declared(_) => None,
        })
    };
    let named = desired.groups.values().find_map(|group| of(&group.managed_policies));
    named
        .or_else(|| desired.users.values().find_map(|user| of(&user.managed_policies)))
        .unwrap_or_else(|| "aws".to_owned())
}
