//! Whether a difference is there because the account moved away from what was applied, or because the manifest moved on.
//!
//! It never looks at documents or values: a fact of the last apply that is still true has not moved, and a wish that has
//! the hash that it had then is the same wish.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use trueup_model::{Desired, Live, Resource, UserName, fold_tag_key, is_reserved_tag_key};

use crate::{
    Change, ChangeKind, Plan,
    digest::short_hash,
    enforced,
    resolve::{Fate, Resolved},
};

/// Why something differs, since an apply that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The account moved away from what was applied.
    Drift,
    /// The manifest asks for something that was not applied yet.
    Pending,
    /// Some of it is drift, and some is pending.
    Both,
}

impl Origin {
    /// As text and JSON have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Pending => "pending",
            Self::Both => "both",
        }
    }
}

/// What an earlier apply left, as its receipt has it.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// [`Plan::facts`] of the account as it was then.
    pub facts: &'a BTreeMap<Resource, String>,
    /// [`asked`] of the manifest that was applied; empty where that is not known.
    pub asked: &'a BTreeMap<Resource, String>,
}

/// Which changes a plan is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// What drifted since an earlier apply.
    Drift,
}

/// A short hash of what a manifest asks for, part by part: what tells a later run which of its wishes are new.
pub fn asked(desired: &Desired, live: &Live, as_of: Date) -> BTreeMap<Resource, String> {
    let enforced = enforced::with_policies(desired, &live.account.partition);
    wishes(&Resolved::new(enforced.as_ref().unwrap_or(desired), live, as_of))
}

/// The same of what is resolved already.
pub(crate) fn wishes(resolved: &Resolved<'_>) -> BTreeMap<Resource, String> {
    let desired = resolved.desired;
    let mut all = BTreeMap::new();
    let mut add = |resource: Resource, wish: serde_json::Value| drop(all.insert(resource, short_hash(&wish)));
    add(Resource::scope(), json!([desired.scope, desired.external]));
    if let Some(alias) = &desired.account.alias {
        add(Resource::account_alias(), json!(alias));
    }
    if let Some(policy) = &desired.account.password_policy {
        add(Resource::password_policy(), json!(policy));
    }
    for policy in desired.policies.values() {
        let resource = Resource::policy(&policy.name);
        for (key, value) in &policy.tags {
            add(resource.tag(key), json!(value));
        }
        add(resource.document(), json!(policy.document.canonical_text()));
        add(resource, json!([policy.name, policy.path, policy.description]));
    }
    for group in desired.groups.values() {
        let resource = Resource::group(&group.name);
        for arn in resolved.arns(&group.managed_policies) {
            add(resource.attachment(&arn), json!(true));
        }
        for (name, document) in &group.inline_policies {
            add(resource.inline_policy(name), json!(document.canonical_text()));
        }
        add(resource, json!([group.name, group.path]));
    }
    for user in desired.users.values() {
        let resource = Resource::user(&user.name);
        for arn in resolved.arns(&user.managed_policies) {
            add(resource.attachment(&arn), json!(true));
        }
        for (name, document) in &user.inline_policies {
            add(resource.inline_policy(name), json!(document.canonical_text()));
        }
        for (key, value) in &user.tags {
            add(resource.tag(&fold_tag_key(key)), json!(value));
        }
        for group in &user.groups {
            add(Resource::group(group).member(&user.name), json!(true));
        }
        add(resource.permissions_boundary(), json!(user.permissions_boundary));
        let password = json!([user.login_profile, user.reset_password, user.expires]);
        add(resource.login_profile(), password);
        add(resource.access_key(""), json!([user.access_keys, user.expires]));
        add(resource, json!([user.name, user.path]));
    }
    let absent = &desired.absent;
    for (name, user) in &absent.users {
        add(Resource::user(name), json!(["absent", user.quarantine_days]));
    }
    for name in absent.groups.keys() {
        add(Resource::group(name), json!("absent"));
    }
    for name in absent.policies.keys() {
        add(Resource::policy(name), json!("absent"));
    }
    all
}

impl Plan {
    /// The changes that nightly runs leave as they are.
    pub fn is_held(&self, change: &Change) -> bool {
        self.held.iter().any(|held| held.resource == change.resource)
    }

    /// How much of what differs is drift, changes that this plan leaves included and those that are held not: what a job
    /// that looks for drift has found.
    pub fn drifted(&self) -> usize {
        let own = self.changes.iter().filter(|change| !self.is_held(change));
        let own = own.filter(|change| change.origin != Some(Origin::Pending)).count();
        own + self.left.iter().filter(|left| left.origin != Origin::Pending).count()
    }
}

/// What the receipt of this apply says of the account, where only drift was corrected: what the earlier receipt said,
/// and of what was corrected, what was read after it. What was left must look tomorrow as it does today.
///
/// `now`: the plan of the reading after the apply.
pub fn carried_forward(applied: &Applied<'_>, corrected: &Plan, now: &Plan) -> BTreeMap<Resource, String> {
    if corrected.left.is_empty() && corrected.held.is_empty() {
        return now.facts.clone();
    }
    let mut facts = applied.facts.clone();
    for change in &corrected.changes {
        let resource = &change.resource;
        let is_touched = |fact: &Resource| match (resource.is_part(), resource.kind()) {
            // What trueup remembers of keys and passwords stands in tags.
            (true, "access-key" | "login-profile") => {
                let user = resource.entity();
                fact.entity() == user
                    && match fact.kind() {
                        "access-key" | "login-profile" => true,
                        "tag" => fact.part_name().is_some_and(is_reserved_tag_key),
                        _ => false,
                    }
            }
            (true, _) => fact == resource,
            (false, _) => fact.entity() == *resource && is_own(fact),
        };
        facts.retain(|fact, _| !is_touched(fact));
        let new = now.facts.iter().filter(|(fact, _)| is_touched(fact));
        facts.extend(new.map(|(fact, hash)| (fact.clone(), hash.clone())));
    }
    facts
}

/// Whether a fact is changed with its entity, and is not a change of its own.
fn is_own(fact: &Resource) -> bool {
    !fact.is_part() || matches!(fact.kind(), "tag" | "permissions-boundary" | "document" | "versions")
}

/// Both sides of the comparison: then and now.
pub(crate) struct Since<'a> {
    /// What was live then, and what was asked for, by the names of now.
    applied_facts: BTreeMap<Resource, String>,
    applied_asked: BTreeMap<Resource, String>,
    facts: &'a BTreeMap<Resource, String>,
    asked: BTreeMap<Resource, String>,
    resolved: &'a Resolved<'a>,
}

impl<'a> Since<'a> {
    pub(crate) fn new(
        applied: &Applied<'_>,
        facts: &'a BTreeMap<Resource, String>,
        resolved: &'a Resolved<'a>,
    ) -> Self {
        // A rename that is pending must not hide what happened to what is renamed.
        let users = resolved
            .user_names
            .iter()
            .map(|(old, new)| (Resource::user(old), Resource::user(new)));
        let groups = resolved
            .group_names
            .iter()
            .map(|(old, new)| (Resource::group(old), Resource::group(new)));
        let renamed: BTreeMap<Resource, Resource> = users
            .chain(groups)
            .filter(|(_, new)| !applied.facts.contains_key(new))
            .collect();
        let by_new_names = |then: &BTreeMap<Resource, String>| -> BTreeMap<Resource, String> {
            then.iter()
                .map(|(name, hash)| (name.renamed(&renamed), hash.clone()))
                .collect()
        };
        Self {
            applied_facts: by_new_names(applied.facts),
            applied_asked: by_new_names(applied.asked),
            facts,
            asked: wishes(resolved),
            resolved,
        }
    }

    /// Says of every change whether it is drift or pending.
    pub(crate) fn tell(&self, changes: &mut [Change]) {
        for change in changes {
            change.origin = Some(self.origin(change));
        }
    }

    fn origin(&self, change: &Change) -> Origin {
        let resource = &change.resource;
        let entity = resource.entity();
        // A membership in a group that is not managed is the matter of its user, of whom it is a fact.
        let member = resource.member_user();
        let is_known = |entity: &Resource| self.applied_facts.contains_key(entity);
        if !is_known(&entity) && !member.as_ref().is_some_and(is_known) {
            return self.origin_of_unknown(&entity);
        }
        if resource.is_part() {
            return match resource.kind() {
                // The id of a key that is made is not known yet.
                "access-key" => self.judge(self.any_moved(&entity.access_key("")), &[entity.access_key("")]),
                _ => self.judge(self.has_moved(resource), std::slice::from_ref(resource)),
            };
        }
        match change.change {
            ChangeKind::Update | ChangeKind::Rename if !change.fields.is_empty() => {
                let mut origins = change
                    .fields
                    .iter()
                    .map(|field| self.origin_of_field(resource, &field.path));
                let first = origins.next().unwrap_or(Origin::Pending);
                if origins.all(|origin| origin == first) {
                    first
                } else {
                    Origin::Both
                }
            }
            ChangeKind::Create => {
                // What comes with it is asked for now, whatever was asked for then.
                let wishes = self.applied_asked.keys().chain(self.asked.keys());
                let own: Vec<Resource> = wishes
                    .filter(|wish| wish.entity() == *resource && is_own(wish))
                    .cloned()
                    .collect();
                self.judge(self.has_moved(resource), &own)
            }
            // The fact of a policy that is to go says who holds it, too: that is no move of what was applied.
            ChangeKind::Delete if resource.kind() == "policy" && !self.is_same_wish(resource) => Origin::Pending,
            _ => self.judge(self.has_moved(resource), std::slice::from_ref(resource)),
        }
    }

    /// Nothing of it was looked at when it was applied: it was not declared, and not there.
    fn origin_of_unknown(&self, entity: &Resource) -> Origin {
        if self.is_same_entity(entity) {
            Origin::Drift
        } else {
            Origin::Pending
        }
    }

    /// Whether what is asked of an entity as a whole is what was asked then. One that is not named is the scope's matter.
    fn is_same_entity(&self, entity: &Resource) -> bool {
        let is_named = self.asked.contains_key(entity);
        self.is_same_wish(entity) && (is_named || self.is_same_wish(&Resource::scope()))
    }

    /// Where the receipt does not say what was asked for, only a manifest that did not change at all says that much.
    fn is_same_wish(&self, wish: &Resource) -> bool {
        if self.applied_asked.is_empty() {
            let manifest = Resource::manifest();
            return self.applied_facts.get(&manifest) == self.facts.get(&manifest);
        }
        self.applied_asked.get(wish) == self.asked.get(wish)
    }

    fn origin_of_field(&self, resource: &Resource, path: &str) -> Origin {
        let part = match path {
            "name" | "path" | "description" => resource.clone(),
            "permissions_boundary" => resource.permissions_boundary(),
            _ => match (path.strip_prefix("tags."), resource.kind()) {
                (Some(key), "user") => return self.origin_of_user_tag(resource, key),
                (Some(key), _) => resource.tag(key),
                (None, "policy") => resource.document(),
                (None, _) => resource.clone(),
            },
        };
        self.judge(self.has_moved(&part), &[part])
    }

    /// The keys of a user's tags ignore letter case.
    fn origin_of_user_tag(&self, user: &Resource, key: &str) -> Origin {
        let folded = fold_tag_key(key);
        let of = |facts: &BTreeMap<Resource, String>| -> Vec<(Resource, String)> {
            below(facts, &user.tag(""))
                .filter(|(fact, _)| fact.part_name().is_some_and(|key| fold_tag_key(key) == folded))
                .map(|(fact, hash)| (fact.clone(), hash.clone()))
                .collect()
        };
        let (then, now) = (of(&self.applied_facts), of(self.facts));
        let has_moved = then != now && (!then.is_empty() || self.was_looked_at(&user.tag(key)));
        self.judge(has_moved, &[user.tag(&folded)])
    }

    fn has_moved(&self, fact: &Resource) -> bool {
        match (self.applied_facts.get(fact), self.facts.get(fact)) {
            (None, Some(_)) => self.was_looked_at(fact),
            (then, now) => then != now,
        }
    }

    /// Whether anything moved whose name begins so.
    fn any_moved(&self, prefix: &Resource) -> bool {
        let mut then = below(&self.applied_facts, prefix).peekable();
        let mut now = below(self.facts, prefix).peekable();
        match (then.peek(), now.peek()) {
            (None, Some(_)) => self.was_looked_at(prefix),
            _ => !then.eq(now),
        }
    }

    /// Whether the receipt certainly looked for such a part, so that what it does not name was not there. What is looked
    /// at depends on the manifest and on the day, and a receipt has the day of its own.
    fn was_looked_at(&self, part: &Resource) -> bool {
        let owner = part.entity();
        let name = UserName::from_live(owner.entity_name());
        let fate = self.resolved.users.get(&name);
        match part.kind() {
            "tag" => {
                let is_ours = part
                    .part_name()
                    .is_some_and(|key| fold_tag_key(key).starts_with("trueup:"));
                is_ours || self.is_same_wish(&Resource::scope())
            }
            kind @ ("login-profile" | "access-key") => match fate {
                Some(Fate::Declared { desired, .. }) if kind == "login-profile" => {
                    let is_managed = desired.login_profile.is_some() || desired.reset_password.is_some();
                    is_managed && self.is_same_wish(&owner.login_profile())
                }
                Some(Fate::Declared { desired, .. }) => {
                    desired.access_keys.is_some() && self.is_same_wish(&owner.access_key(""))
                }
                _ => self.was_going(&owner, &name),
            },
            // Of two that were both declared, and otherwise where scope and ignore rules are what they were: somebody may
            // have been let join on purpose.
            "member" => {
                let was_declared = |entity: &Resource| self.applied_asked.contains_key(entity);
                was_declared(&owner) && part.member_user().as_ref().is_some_and(was_declared)
                    || self.is_same_wish(&Resource::scope())
            }
            "mfa-device" | "ssh-public-key" | "signing-certificate" | "service-specific-credential" => {
                self.was_going(&owner, &name)
            }
            _ => true,
        }
    }

    /// Whether somebody who goes was to go then, too. Whoever is declared goes on a day of which the receipt does not tell
    /// whether it was over.
    fn was_going(&self, owner: &Resource, name: &UserName) -> bool {
        !self.resolved.desired.users.contains_key(name) && self.is_same_entity(owner)
    }

    /// Whether a pending change is there though neither the account nor the manifest moved: its day has come.
    pub(crate) fn is_due(&self, change: &Change) -> bool {
        let resource = &change.resource;
        let entity = resource.entity();
        let member = resource.member_user();
        let own: Vec<Resource> = match resource.is_part() {
            true if resource.kind() == "access-key" => vec![entity.access_key("")],
            true => vec![resource.clone()],
            false => {
                let wishes = self.applied_asked.keys().chain(self.asked.keys());
                wishes.filter(|wish| wish.entity() == entity).cloned().collect()
            }
        };
        change.origin == Some(Origin::Pending)
            && !self.applied_asked.is_empty()
            && own.iter().chain(member.iter()).all(|wish| self.is_same_wish(wish))
            && self.is_same_entity(&entity)
            && self.is_same_wish(&Resource::scope())
    }

    /// What moved is drift where the wishes about it are those that were applied.
    fn judge(&self, has_moved: bool, wishes: &[Resource]) -> Origin {
        let is_known = !self.applied_asked.is_empty();
        let is_new = |wish: &Resource| self.applied_asked.get(wish) != self.asked.get(wish);
        match has_moved {
            false => Origin::Pending,
            true if is_known && wishes.iter().any(is_new) => Origin::Both,
            true => Origin::Drift,
        }
    }
}

/// The entries whose names begin so.
fn below<'m>(
    all: &'m BTreeMap<Resource, String>,
    prefix: &Resource,
) -> impl Iterator<Item = (&'m Resource, &'m String)> {
    let text = prefix.as_str().to_owned();
    all.range(prefix.clone()..)
        .take_while(move |(name, _)| name.as_str().starts_with(&text))
}
