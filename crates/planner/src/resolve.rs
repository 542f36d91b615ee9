//! Which live entity belongs to which declared one, and what is owned, ignored or unmanaged.
//!
//! Scope comes before comparison: what the manifest does not own never reaches the modules that plan changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use trueup_model::{
    Desired, GroupName, IgnoreRule, KindScope, Live, Path, PolicyArn, PolicyName, Resource, Tags, Unmanaged, UserName,
    desired::{AfterExpiry, DesiredGroup, DesiredPolicy, DesiredUser, PolicyRef},
    live::{LiveGroup, LivePolicy, LiveUser},
};

use crate::{Ignored, Listed, Note, Problem, quarantine};

/// What happens to one entity. Entities that are left alone have no fate.
#[derive(Debug, Clone)]
pub(crate) enum Fate<'a, D, L> {
    /// Declared; live or to be created.
    Declared { desired: &'a D, live: Option<&'a L> },
    /// Deleted, with the reason.
    Deleted { live: &'a L, reason: String },
    /// Kept from everything until it is deleted on a day, unless somebody brings it back.
    Quarantined {
        live: &'a L,
        reason: String,
        /// `None`: it begins now.
        since: Option<Date>,
        until: Date,
    },
}

impl<'a, D, L> Fate<'a, D, L> {
    pub(crate) fn live(&self) -> Option<&'a L> {
        match self {
            Self::Declared { live, .. } => *live,
            Self::Deleted { live, .. } | Self::Quarantined { live, .. } => Some(live),
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

/// The rule that nobody has to write.
const CLOUDFORMATION: &str = "tag: aws:cloudformation:*";

/// A kind of entity, as far as matching declared to live ones is the same for all kinds.
#[derive(Clone, Copy)]
struct Kind<'a> {
    word: &'static str,
    scope: &'a KindScope,
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

/// What becomes of a live entity that the manifest does not declare.
enum Undeclared {
    Deleted(String),
    Ignored(Ignored),
    Left,
}

/// Declared entities of a kind that can be renamed, by what is live of them.
struct Matches<'a, N, D> {
    /// By live name.
    live: BTreeMap<&'a N, &'a D>,
    new: Vec<(&'a N, &'a D)>,
    /// With all names that are live of one entity.
    clashes: Vec<(&'a N, Vec<&'a N>)>,
}

impl<'a, N: Ord, D> Matches<'a, N, D> {
    /// Only the old name is live: a rename. Only the new one: nothing. Neither: a creation. Both: a clash.
    fn of<L>(declared: &'a BTreeMap<N, D>, previously: impl Fn(&'a D) -> &'a [N], live: &'a BTreeMap<N, L>) -> Self {
        let mut matches = Self {
            live: BTreeMap::new(),
            new: Vec::new(),
            clashes: Vec::new(),
        };
        for (name, entity) in declared {
            let names = std::iter::once(name).chain(previously(entity));
            let found: Vec<&N> = names
                .filter_map(|name| live.get_key_value(name))
                .map(|(name, _)| name)
                .collect();
            match found.as_slice() {
                [] => matches.new.push((name, entity)),
                [live_name] => drop(matches.live.insert(live_name, entity)),
                _ => matches.clashes.push((name, found)),
            }
        }
        matches
    }
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
                rule: CLOUDFORMATION.to_owned(),
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
        let rules = desired.scope.ignore.iter().enumerate();
        for (index, rule) in rules.filter(|(_, rule)| rule.lapsed(as_of)) {
            let until = rule.until.map(|date| date.to_string()).unwrap_or_default();
            resolved.notes.push(Note {
                strict: true,
                resource: Some(Resource::manifest_key(&format!("scope.ignore[{index}]"))),
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

    /// The ARNs that references stand for.
    pub(crate) fn arns(&self, references: &BTreeSet<PolicyRef>) -> BTreeSet<PolicyArn> {
        references.iter().map(|reference| self.arn(reference)).collect()
    }

    /// Whether a declared user's last day is over, and what follows.
    pub(crate) fn expired(&self, user: &DesiredUser) -> Option<AfterExpiry> {
        user.expires
            .filter(|expiry| expiry.is_over(self.as_of))
            .map(|expiry| expiry.then)
    }

    /// Forgets all other renames: who is not renamed by a plan goes on under the name that it has. `users` and `groups`
    /// are live names.
    pub(crate) fn keep_renames(&mut self, users: &BTreeSet<UserName>, groups: &BTreeSet<GroupName>) {
        let forgotten = |(old, new): (&UserName, &UserName)| (!users.contains(old)).then(|| (old.clone(), new.clone()));
        let of_users: Vec<_> = self.user_names.iter().filter_map(forgotten).collect();
        for (old, new) in of_users {
            self.user_names.remove(&old);
            if let Some(fate) = self.users.remove(&new) {
                self.users.insert(old, fate);
            }
        }
        let forgotten =
            |(old, new): (&GroupName, &GroupName)| (!groups.contains(old)).then(|| (old.clone(), new.clone()));
        let of_groups: Vec<_> = self.group_names.iter().filter_map(forgotten).collect();
        for (old, new) in of_groups {
            self.group_names.remove(&old);
            if let Some(fate) = self.groups.remove(&new) {
                self.groups.insert(old, fate);
            }
        }
    }

    pub(crate) fn problem(&mut self, message: String, hint: impl Into<Option<String>>) {
        self.problems.push(Problem {
            message,
            hint: hint.into(),
            ..Problem::default()
        });
    }

    /// A user as it is now, by the name that it has after the plan; `None` for one that the plan creates.
    pub(crate) fn live_user(&self, name: &UserName) -> Option<&'a LiveUser> {
        match self.users.get(name) {
            Some(fate) => fate.live(),
            None => self.live.users.get(name),
        }
    }

    /// The same for a group.
    pub(crate) fn live_group(&self, name: &GroupName) -> Option<&'a LiveGroup> {
        match self.groups.get(name) {
            Some(fate) => fate.live(),
            None => self.live.groups.get(name),
        }
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

    /// Whether what the manifest names is out of its reach, ignored or out of scope; says so once for each. `entry` is
    /// "declared" or "declared absent".
    fn refuses(&mut self, kind: Kind<'_>, candidate: &Candidate<'_>, entry: &str) -> bool {
        let (word, name, path) = (kind.word, candidate.resource.entity_name(), candidate.path);
        match kind.standing(candidate) {
            Standing::Owned => false,
            Standing::Ignored(ignored) if ignored.rule == CLOUDFORMATION => {
                self.notes.push(Note {
                    strict: false,
                    resource: Some(candidate.resource.clone()),
                    message: format!("{}; both will change it", ignored.reason),
                });
                false
            }
            Standing::Ignored(ignored) => {
                self.problem(
                    format!(
                        "{word} `{name}` is {entry}, but the ignore rule `{}` matches it",
                        ignored.rule
                    ),
                    format!("remove the {word} from the manifest, or narrow the rule"),
                );
                true
            }
            Standing::OutOfScope => {
                self.problem(
                    format!("{word} `{name}` is {entry}, but lives at path {path}, outside the scope"),
                    format!("add {path} to `scope`, or take the entry out"),
                );
                true
            }
        }
    }

    /// Says what becomes of a live entity that is not declared, and lists it where it stays.
    fn undeclared(&mut self, kind: Kind<'_>, candidate: Candidate<'_>, absent: Option<&String>) -> Undeclared {
        if let Some(reason) = absent {
            return if self.refuses(kind, &candidate, "declared absent") {
                Undeclared::Left
            } else {
                Undeclared::Deleted(format!("the manifest says absent: {reason}"))
            };
        }
        match kind.standing(&candidate) {
            Standing::Ignored(ignored) => {
                self.untouchable += 1;
                Undeclared::Ignored(ignored)
            }
            Standing::OutOfScope => {
                self.untouchable += 1;
                Undeclared::Left
            }
            Standing::Owned if kind.scope.unmanaged == Unmanaged::Delete => {
                Undeclared::Deleted("not in the manifest, and `unmanaged: delete`".to_owned())
            }
            Standing::Owned => {
                self.unmanaged.push(Listed {
                    resource: candidate.resource,
                    reason: NOT_DECLARED.to_owned(),
                });
                Undeclared::Left
            }
        }
    }

    fn refuse_clash<N: std::fmt::Display>(&mut self, word: &str, name: &N, found: &[&N]) {
        let all: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
        self.problem(
            format!(
                "{word} `{name}` and a former name are both in the account: {}",
                all.join(", ")
            ),
            "take one of them out first, or remove `previously`".to_owned(),
        );
    }

    /// A path that is left out is `/` at creation, which the scope may not hold: the next plan could not touch it.
    fn refuse_creation(&mut self, kind: &Kind<'_>, name: impl std::fmt::Display, path: Option<&Path>) {
        if path.is_some() || kind.scope.contains(&Path::root()) {
            return;
        }
        let word = kind.word;
        let inside = kind
            .scope
            .paths
            .first()
            .map_or_else(String::new, |path| format!(", for example `path: {path}`"));
        self.problem(
            format!("{word} `{name}` would be created at path /, outside the scope"),
            format!("declare its path{inside}"),
        );
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
            if let Some(declared) = desired.policies.get(name) {
                if self.refuses(kind, &candidate, "declared") {
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
                continue;
            }
            match self.undeclared(kind, candidate, desired.absent.policies.get(name)) {
                Undeclared::Deleted(reason) => {
                    self.policies
                        .insert(name.clone(), Fate::Deleted { live: policy, reason });
                }
                Undeclared::Ignored(rule) => {
                    self.ignored_policies.insert(name.clone(), rule);
                }
                Undeclared::Left => {}
            }
        }
        for (name, declared) in &desired.policies {
            if !live.policies.contains_key(name) {
                self.refuse_creation(&kind, name, declared.path.as_ref());
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
        let matches = Matches::of(&desired.groups, |group| &group.previously, &live.groups);
        for (name, found) in &matches.clashes {
            self.refuse_clash(kind.word, *name, found);
        }
        for (name, declared) in &matches.new {
            self.refuse_creation(&kind, *name, declared.path.as_ref());
            let fate = Fate::Declared {
                desired: *declared,
                live: None,
            };
            self.groups.insert((*name).clone(), fate);
        }
        for (name, group) in &live.groups {
            let candidate = Candidate {
                resource: Resource::group(name),
                path: &group.path,
                rule: desired.scope.ignores_group(name.as_str()),
                tags: None,
                external: desired.external.groups.contains(name),
            };
            if let Some(declared) = matches.live.get(name) {
                if self.refuses(kind, &candidate, "declared") {
                    continue;
                }
                if !declared.name.same_spelling(name) {
                    self.group_names.insert(name.clone(), declared.name.clone());
                }
                let fate = Fate::Declared {
                    desired: *declared,
                    live: Some(group),
                };
                self.groups.insert(declared.name.clone(), fate);
                continue;
            }
            match self.undeclared(kind, candidate, desired.absent.groups.get(name)) {
                Undeclared::Deleted(reason) => {
                    self.groups.insert(name.clone(), Fate::Deleted { live: group, reason });
                }
                Undeclared::Ignored(rule) => {
                    self.ignored_groups.insert(name.clone(), rule);
                }
                Undeclared::Left => {}
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
        let matches = Matches::of(&desired.users, |user| &user.previously, &live.users);
        for (name, found) in &matches.clashes {
            self.refuse_clash(kind.word, *name, found);
        }
        for (name, declared) in &matches.new {
            if self.expired(declared).is_some() {
                self.notes.push(Note {
                    strict: false,
                    resource: Some(Resource::user(name)),
                    message: "has expired and is not in the account; its entry can go".to_owned(),
                });
                continue;
            }
            self.refuse_creation(&kind, *name, declared.path.as_ref());
            let fate = Fate::Declared {
                desired: *declared,
                live: None,
            };
            self.users.insert((*name).clone(), fate);
        }
        for (name, user) in &live.users {
            let candidate = Candidate {
                resource: Resource::user(name),
                path: &user.path,
                rule: desired.scope.ignores_user(name.as_str(), &user.tags),
                tags: Some(&user.tags),
                external: false,
            };
            if let Some(declared) = matches.live.get(name) {
                if self.refuses(kind, &candidate, "declared") {
                    continue;
                }
                if self.expired(declared) == Some(AfterExpiry::Delete) {
                    let on = declared.expires.map(|expiry| expiry.on.to_string()).unwrap_or_default();
                    let reason = format!("expired after {on}");
                    self.users.insert(name.clone(), Fate::Deleted { live: user, reason });
                    continue;
                }
                if !declared.name.same_spelling(name) {
                    self.user_names.insert(name.clone(), declared.name.clone());
                }
                let fate = Fate::Declared {
                    desired: *declared,
                    live: Some(user),
                };
                self.users.insert(declared.name.clone(), fate);
                continue;
            }
            let absent = desired.absent.users.get(name);
            match self.undeclared(kind, candidate, absent.map(|absent| &absent.reason)) {
                Undeclared::Deleted(reason) => {
                    let fate = quarantine::fate(user, absent, reason, self.as_of);
                    self.users.insert(name.clone(), fate);
                }
                Undeclared::Ignored(rule) => {
                    self.ignored_users.insert(name.clone(), rule);
                }
                Undeclared::Left => {}
            }
        }
    }
}
