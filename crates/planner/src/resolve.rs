//! Which live entity belongs to which declared one, and what is owned, ignored or unmanaged.
//!
//! Scope comes before comparison: what the manifest does not own never reaches the modules that plan changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use trueup_model::{
    Desired, GroupName, IgnoreRule, Live, Path, PolicyArn, PolicyName, Resource, Tags, Unmanaged, UserName,
    desired::{AfterExpiry, DesiredGroup, DesiredPolicy, DesiredUser, PolicyRef},
    live::{LiveGroup, LivePolicy, LiveUser},
};

use crate::{Ignored, Listed, Note, Problem};

/// What happens to one entity. Entities that are left alone have no fate.
#[derive(Debug, Clone)]
pub(crate) enum Fate<'a, D, L> {
    /// Declared; live or to be created.
    Declared { desired: &'a D, live: Option<&'a L> },
    /// Deleted, with the reason.
    Deleted { live: &'a L, reason: String },
}

impl<'a, D, L> Fate<'a, D, L> {
    pub(crate) fn live(&self) -> Option<&'a L> {
        match self {
            Self::Declared { live, .. } => *live,
            Self::Deleted { live, .. } => Some(live),
        }
    }
}

pub(crate) type UserFate<'a> = Fate<'a, DesiredUser, LiveUser>;
pub(crate) type GroupFate<'a> = Fate<'a, DesiredGroup, LiveGroup>;
pub(crate) type PolicyFate<'a> = Fate<'a, DesiredPolicy, LivePolicy>;

/// The outcome. Maps are keyed by the name that an entity has after the plan.
pub(crate) struct Resolved<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) live: &'a Live,
    pub(crate) as_of: Date,
    pub(crate) users: BTreeMap<UserName, UserFate<'a>>,
    pub(crate) groups: BTreeMap<GroupName, GroupFate<'a>>,
    pub(crate) policies: BTreeMap<PolicyName, PolicyFate<'a>>,
    /// Live names to the names after the plan, for renamed users.
    pub(crate) user_names: BTreeMap<UserName, UserName>,
    /// Live names to the names after the plan, for renamed groups.
    pub(crate) group_names: BTreeMap<GroupName, GroupName>,
    /// Users that an ignore rule or CloudFormation keeps from being touched, by live name.
    pub(crate) ignored_users: BTreeMap<UserName, Ignored>,
    /// Groups likewise.
    pub(crate) ignored_groups: BTreeMap<GroupName, Ignored>,
    /// Policies likewise.
    pub(crate) ignored_policies: BTreeMap<PolicyName, Ignored>,
    pub(crate) unmanaged: Vec<Listed>,
    pub(crate) untouchable: u64,
    pub(crate) notes: Vec<Note>,
    pub(crate) problems: Vec<Problem>,
}

const NOT_DECLARED: &str = "in scope, not in the manifest";

/// A kind of entity, as far as matching declared to live ones is the same for all kinds.
struct Kind<'a> {
    word: &'static str,
    scope: &'a trueup_model::KindScope,
}

/// What is known of one live entity before it is matched.
struct Candidate<'a> {
    resource: Resource,
    path: &'a Path,
    rule: Option<&'a IgnoreRule>,
    tags: Option<&'a Tags>,
    external: bool,
}

enum Standing {
    Owned,
    Ignored(Ignored),
    OutOfScope,
}

impl Kind<'_> {
    fn standing(&self, candidate: &Candidate<'_>) -> Standing {
        if let Some(rule) = candidate.rule {
            return Standing::Ignored(Ignored {
                resource: candidate.resource.clone(),
                rule: rule.target.to_string(),
                reason: rule.reason.clone(),
            });
        }
        if candidate.external || !self.scope.contains(candidate.path) {
            return Standing::OutOfScope;
        }
        if let Some(stack) = candidate.tags.and_then(cloudformation_stack) {
            return Standing::Ignored(Ignored {
                resource: candidate.resource.clone(),
                rule: "tag: aws:cloudformation:*".to_owned(),
                reason: format!("made by the CloudFormation stack {stack}"),
            });
        }
        Standing::Owned
    }
}

/// The CloudFormation stack that made an entity.
fn cloudformation_stack(tags: &Tags) -> Option<&str> {
    tags.iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("aws:cloudformation:stack-name"))
        .or_else(|| {
            tags.iter()
                .find(|(key, _)| key.to_ascii_lowercase().starts_with("aws:cloudformation:"))
        })
        .map(|(_, value)| value.as_str())
}

impl<'a> Resolved<'a> {
    /// Matches everything declared with everything live.
    pub(crate) fn new(desired: &'a Desired, live: &'a Live, as_of: Date) -> Self {
        let mut resolved = Self {
            desired,
            live,
            as_of,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            policies: BTreeMap::new(),
            user_names: BTreeMap::new(),
            group_names: BTreeMap::new(),
            ignored_users: BTreeMap::new(),
            ignored_groups: BTreeMap::new(),
            ignored_policies: BTreeMap::new(),
            unmanaged: Vec::new(),
            untouchable: 0,
            notes: Vec::new(),
            problems: Vec::new(),
        };
        resolved.policies();
        resolved.groups();
        resolved.users();
        for rule in desired.scope.ignore.iter().filter(|rule| rule.lapsed(as_of)) {
            let until = rule.until.map(|date| date.to_string()).unwrap_or_default();
            resolved.notes.push(Note {
                strict: true,
                resource: None,
                message: format!(
                    "the ignore rule `{}` lapsed after {until}; it still protects, renew or remove it",
                    rule.target
                ),
            });
        }
        resolved.unmanaged.sort_by(|a, b| a.resource.cmp(&b.resource));
        resolved
    }

    /// The ARN that a reference stands for, in this partition and with the live path where the policy is live.
    pub(crate) fn arn(&self, reference: &PolicyRef) -> PolicyArn {
        match reference {
            PolicyRef::Arn(arn) => arn.clone(),
            PolicyRef::Declared(name) => match self.live.policies.get(name) {
                Some(live) => live.arn.clone(),
                None => {
                    let declared = self.desired.policies.get(name);
                    let path = declared
                        .and_then(|policy| policy.path.clone())
                        .unwrap_or_else(Path::root);
                    let name = declared.map_or(name, |policy| &policy.name);
                    PolicyArn::customer(&self.live.account.partition, &self.live.account.id, &path, name)
                }
            },
        }
    }

    /// Whether a declared user's last day is over, and what follows.
    pub(crate) fn expired(&self, user: &DesiredUser) -> Option<AfterExpiry> {
        user.expires
            .filter(|expiry| expiry.is_over(self.as_of))
            .map(|expiry| expiry.then)
    }

    pub(crate) fn problem(&mut self, message: String, hint: impl Into<Option<String>>) {
        self.problems.push(Problem {
            message,
            hint: hint.into(),
        });
    }

    /// The name after the plan of a live group.
    pub(crate) fn group_after(&self, name: &GroupName) -> GroupName {
        self.group_names.get(name).unwrap_or(name).clone()
    }

    /// The name after the plan of a live user.
    pub(crate) fn user_after(&self, name: &UserName) -> UserName {
        self.user_names.get(name).unwrap_or(name).clone()
    }

    /// Whether the manifest owns a user who is in the account after the plan.
    pub(crate) fn owns_user(&self, name: &UserName) -> bool {
        self.users.contains_key(name)
    }

    /// Whether the manifest owns a group, dying ones included.
    pub(crate) fn owns_group(&self, name: &GroupName) -> bool {
        self.groups.contains_key(name)
    }

    /// Declared entities must not be ignored or out of scope; says so once for each.
    fn refuse_declared(&mut self, kind: &'static str, resource: &Resource, standing: &Standing, path: &Path) -> bool {
        match standing {
            Standing::Owned => false,
            Standing::Ignored(ignored) if ignored.rule.starts_with("tag: aws:cloudformation") => {
                self.notes.push(Note {
                    strict: false,
                    resource: Some(resource.clone()),
                    message: format!("{}; both will change it", ignored.reason),
                });
                false
            }
            Standing::Ignored(ignored) => {
                self.problem(
                    format!(
                        "{kind} `{}` is declared, but the ignore rule `{}` matches it",
                        resource.entity_name(),
                        ignored.rule
                    ),
                    format!("remove the {kind} from the manifest, or narrow the rule"),
                );
                true
            }
            Standing::OutOfScope => {
                self.problem(
                    format!(
                        "{kind} `{}` is declared, but lives at path {path}, outside the scope",
                        resource.entity_name()
                    ),
                    format!("add {path} to `scope`, or declare the {kind}'s path to move it"),
                );
                true
            }
        }
    }

    fn policies(&mut self) {
        let (desired, live) = (self.desired, self.live);
        let kind = Kind {
            word: "policy",
            scope: &desired.scope.policies,
        };
        let none = Tags::new();
        for (name, policy) in &live.policies {
            let tags = policy.metadata.as_ref().map_or(&none, |metadata| &metadata.tags);
            let candidate = Candidate {
                resource: Resource::policy(name),
                path: &policy.path,
                rule: desired.scope.ignores_policy(name.as_str(), tags),
                tags: Some(tags),
                external: desired.external.policies.contains(&policy.arn),
            };
            let standing = kind.standing(&candidate);
            if let Some(declared) = desired.policies.get(name) {
                if self.refuse_declared(kind.word, &candidate.resource, &standing, &policy.path) {
                    continue;
                }
                if let Some(path) = declared.path.as_ref().filter(|path| **path != policy.path) {
                    self.problem(
                        format!(
                            "policy `{name}` lives at path {}, the manifest says {path}; IAM cannot move a policy",
                            policy.path
                        ),
                        format!(
                            "declare `path: {}`, or declare a policy of another name and take this one out",
                            policy.path
                        ),
                    );
                }
                if !declared.name.same_spelling(name) {
                    self.notes.push(Note {
                        strict: false,
                        resource: Some(candidate.resource.clone()),
                        message: format!("the manifest spells it `{}`; IAM cannot rename a policy", declared.name),
                    });
                }
                self.policies.insert(
                    name.clone(),
                    Fate::Declared {
                        desired: declared,
                        live: Some(policy),
                    },
                );
            } else if let Some(reason) = desired.absent.policies.get(name) {
                if !self.refuse_declared(kind.word, &candidate.resource, &standing, &policy.path) {
                    let reason = format!("the manifest says absent: {reason}");
                    self.policies
                        .insert(name.clone(), Fate::Deleted { live: policy, reason });
                }
            } else {
                match standing {
                    Standing::Ignored(ignored) => {
                        self.untouchable += 1;
                        self.ignored_policies.insert(name.clone(), ignored);
                    }
                    Standing::OutOfScope => self.untouchable += 1,
                    Standing::Owned if kind.scope.unmanaged == Unmanaged::Delete => {
                        let reason = "not in the manifest, and `unmanaged: delete`".to_owned();
                        self.policies
                            .insert(name.clone(), Fate::Deleted { live: policy, reason });
                    }
                    Standing::Owned => {
                        self.unmanaged.push(Listed {
                            resource: candidate.resource,
                            reason: NOT_DECLARED.to_owned(),
                        });
                    }
                }
            }
        }
        for (name, declared) in &desired.policies {
            if !live.policies.contains_key(name) {
                self.policies.insert(
                    name.clone(),
                    Fate::Declared {
                        desired: declared,
                        live: None,
                    },
                );
            }
        }
        for arn in &desired.external.policies {
            if !arn.is_aws_managed() && !live.policies.values().any(|policy| policy.arn == *arn) {
                self.problem(format!("the external policy `{arn}` is not in the account"), None);
            }
        }
    }

    fn groups(&mut self) {
        let (desired, live) = (self.desired, self.live);
        let kind = Kind {
            word: "group",
            scope: &desired.scope.groups,
        };
        let mut matched: BTreeSet<&GroupName> = BTreeSet::new();
        let mut renamed: BTreeMap<&GroupName, &DesiredGroup> = BTreeMap::new();
        for (name, declared) in &desired.groups {
            let old: Vec<&GroupName> = declared
                .previously
                .iter()
                .filter(|old| live.groups.contains_key(*old))
                .collect();
            match (live.groups.get_key_value(name), old.as_slice()) {
                (Some(_), []) => {
                    matched.insert(name);
                }
                (None, [old]) => {
                    renamed.insert(*old, declared);
                }
                (None, []) => {
                    self.groups.insert(
                        name.clone(),
                        Fate::Declared {
                            desired: declared,
                            live: None,
                        },
                    );
                }
                (live_name, old) => {
                    let all: Vec<String> = live_name
                        .iter()
                        .map(|(name, _)| *name)
                        .chain(old.iter().copied())
                        .map(|n| format!("`{n}`"))
                        .collect();
                    self.problem(
                        format!(
                            "group `{name}` and its former name are both in the account: {}",
                            all.join(", ")
                        ),
                        "take one of them out first, or remove `previously`".to_owned(),
                    );
                }
            }
        }
        for (name, group) in &live.groups {
            let candidate = Candidate {
                resource: Resource::group(name),
                path: &group.path,
                rule: desired.scope.ignores_group(name.as_str()),
                tags: None,
                external: desired.external.groups.contains(name),
            };
            let standing = kind.standing(&candidate);
            let declared = renamed
                .get(name)
                .copied()
                .or_else(|| desired.groups.get(name).filter(|_| matched.contains(name)));
            if let Some(declared) = declared {
                if !self.refuse_declared(kind.word, &candidate.resource, &standing, &group.path) {
                    if !declared.name.same_spelling(name) {
                        self.group_names.insert(name.clone(), declared.name.clone());
                    }
                    self.groups.insert(
                        declared.name.clone(),
                        Fate::Declared {
                            desired: declared,
                            live: Some(group),
                        },
                    );
                }
            } else if let Some(reason) = desired.absent.groups.get(name) {
                if !self.refuse_declared(kind.word, &candidate.resource, &standing, &group.path) {
                    let reason = format!("the manifest says absent: {reason}");
                    self.groups.insert(name.clone(), Fate::Deleted { live: group, reason });
                }
            } else {
                match standing {
                    Standing::Ignored(ignored) => {
                        self.untouchable += 1;
                        self.ignored_groups.insert(name.clone(), ignored);
                    }
                    Standing::OutOfScope => self.untouchable += 1,
                    Standing::Owned if kind.scope.unmanaged == Unmanaged::Delete => {
                        let reason = "not in the manifest, and `unmanaged: delete`".to_owned();
                        self.groups.insert(name.clone(), Fate::Deleted { live: group, reason });
                    }
                    Standing::Owned => {
                        self.unmanaged.push(Listed {
                            resource: candidate.resource,
                            reason: NOT_DECLARED.to_owned(),
                        });
                    }
                }
            }
        }
        for name in &desired.external.groups {
            if !live.groups.contains_key(name) {
                self.problem(format!("the external group `{name}` is not in the account"), None);
            }
        }
    }

    fn users(&mut self) {
        let (desired, live) = (self.desired, self.live);
        let kind = Kind {
            word: "user",
            scope: &desired.scope.users,
        };
        let mut matched: BTreeSet<&UserName> = BTreeSet::new();
        let mut renamed: BTreeMap<&UserName, &DesiredUser> = BTreeMap::new();
        for (name, declared) in &desired.users {
            let old: Vec<&UserName> = declared
                .previously
                .iter()
                .filter(|old| live.users.contains_key(*old))
                .collect();
            match (live.users.get_key_value(name), old.as_slice()) {
                (Some(_), []) => {
                    matched.insert(name);
                }
                (None, [old]) => {
                    renamed.insert(*old, declared);
                }
                (None, []) => match self.expired(declared) {
                    None => {
                        self.users.insert(
                            name.clone(),
                            Fate::Declared {
                                desired: declared,
                                live: None,
                            },
                        );
                    }
                    Some(_) => self.notes.push(Note {
                        strict: false,
                        resource: Some(Resource::user(name)),
                        message: "has expired and is not in the account; its entry can go".to_owned(),
                    }),
                },
                (live_name, old) => {
                    let all: Vec<String> = live_name
                        .iter()
                        .map(|(name, _)| *name)
                        .chain(old.iter().copied())
                        .map(|n| format!("`{n}`"))
                        .collect();
                    self.problem(
                        format!(
                            "user `{name}` and a former name are both in the account: {}",
                            all.join(", ")
                        ),
                        "take one of them out first, or remove `previously`".to_owned(),
                    );
                }
            }
        }
        for (name, user) in &live.users {
            let candidate = Candidate {
                resource: Resource::user(name),
                path: &user.path,
                rule: desired.scope.ignores_user(name.as_str(), &user.tags),
                tags: Some(&user.tags),
                external: false,
            };
            let standing = kind.standing(&candidate);
            let declared = renamed
                .get(name)
                .copied()
                .or_else(|| desired.users.get(name).filter(|_| matched.contains(name)));
            if let Some(declared) = declared {
                if self.refuse_declared(kind.word, &candidate.resource, &standing, &user.path) {
                    continue;
                }
                if self.expired(declared) == Some(AfterExpiry::Delete) {
                    let on = declared.expires.map(|expiry| expiry.on.to_string()).unwrap_or_default();
                    self.users.insert(
                        name.clone(),
                        Fate::Deleted {
                            live: user,
                            reason: format!("expired after {on}"),
                        },
                    );
                    continue;
                }
                if !declared.name.same_spelling(name) {
                    self.user_names.insert(name.clone(), declared.name.clone());
                }
                self.users.insert(
                    declared.name.clone(),
                    Fate::Declared {
                        desired: declared,
                        live: Some(user),
                    },
                );
            } else if let Some(reason) = desired.absent.users.get(name) {
                if !self.refuse_declared(kind.word, &candidate.resource, &standing, &user.path) {
                    let reason = format!("the manifest says absent: {reason}");
                    self.users.insert(name.clone(), Fate::Deleted { live: user, reason });
                }
            } else {
                match standing {
                    Standing::Ignored(ignored) => {
                        self.untouchable += 1;
                        self.ignored_users.insert(name.clone(), ignored);
                    }
                    Standing::OutOfScope => self.untouchable += 1,
                    Standing::Owned if kind.scope.unmanaged == Unmanaged::Delete => {
                        let reason = "not in the manifest, and `unmanaged: delete`".to_owned();
                        self.users.insert(name.clone(), Fate::Deleted { live: user, reason });
                    }
                    Standing::Owned => {
                        self.unmanaged.push(Listed {
                            resource: candidate.resource,
                            reason: NOT_DECLARED.to_owned(),
                        });
                    }
                }
            }
        }
    }
}
