//! Who gets what through which group, before and after a plan: the account's map as data.
//!
//! The account as it was read gives what is there; the plan's changes say what comes and goes. Without an account, the
//! map holds what the plan names and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::{Live, Resource};
use trueup_planner::{Change, ChangeKind, Plan};

use crate::{changes::earlier_name, principals::whose};

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Kept,
    Added,
    Changed,
    Removed,
}

impl State {
    fn of(change: ChangeKind) -> Self {
        match change {
            ChangeKind::Create => Self::Added,
            ChangeKind::Delete => Self::Removed,
            ChangeKind::Update | ChangeKind::Rename => Self::Changed,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }

    /// What stands before its name; nothing where nothing happens.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Added => "+ ",
            Self::Changed => "~ ",
            Self::Removed => "− ",
        }
    }
}

/// Something that an arrow can lead to or from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    User(String),
    Group(String),
    /// A policy of the account, by name.
    Policy(String),
    /// A policy of AWS, or of another account, by ARN.
    Foreign(String),
    /// Inline policies, by name: each is its holder's own.
    Inline(String),
}

impl Thing {
    /// Its name as a reader knows it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Group(name) | Self::Policy(name) | Self::Inline(name) => name,
            Self::Foreign(arn) => arn.rsplit('/').next().unwrap_or(arn),
        }
    }

    /// What kind of thing, for whoever cannot see its place.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Policy(_) => "policy",
            Self::Foreign(_) => "AWS policy",
            Self::Inline(_) => "inline policy",
        }
    }

    fn policy(arn: &str, account: &str) -> Self {
        let own = arn.split(':').nth(4) == Some(account);
        match arn.rsplit('/').next() {
            Some(name) if own => Self::Policy(name.to_owned()),
            _ => Self::Foreign(arn.to_owned()),
        }
    }
}

/// How something holds another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    /// It is a member of it, or it is attached to it.
    Holds,
    /// It is its permissions boundary.
    Boundary,
}

/// The account's users, groups and policies, and what ties them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) things: BTreeMap<Thing, State>,
    pub(super) ties: BTreeMap<(Thing, Thing, Tie), State>,
}

impl Graph {
    pub(super) fn new(plan: &Plan, live: Option<&Live>) -> Self {
        let mut graph = Self::default();
        let account = plan.account_id.as_str();
        if let Some(live) = live {
            graph.read(live, account, &renames(plan));
        }
        for change in &plan.changes {
            graph.apply(change, account);
        }
        graph.take_ties_along();
        graph
    }

    fn add(&mut self, thing: Thing) {
        self.things.entry(thing).or_insert(State::Kept);
    }

    fn tie(&mut self, from: &Thing, to: Thing, tie: Tie, state: State) {
        self.add(from.clone());
        self.add(to.clone());
        self.ties.insert((from.clone(), to, tie), state);
    }

    fn read(&mut self, live: &Live, account: &str, renames: &BTreeMap<String, String>) {
        let now = |kind: &str, name: &str| {
            let renamed = renames.get(&format!("{kind}/{name}"));
            renamed.cloned().unwrap_or_else(|| name.to_owned())
        };
        for user in live.users.values() {
            let from = Thing::User(now("user", user.name.as_str()));
            self.add(from.clone());
            for group in &user.groups {
                self.tie(
                    &from,
                    Thing::Group(now("group", group.as_str())),
                    Tie::Holds,
                    State::Kept,
                );
            }
            if let Some(arn) = &user.permissions_boundary {
                self.tie(&from, Thing::policy(arn.as_str(), account), Tie::Boundary, State::Kept);
            }
            for arn in &user.managed_policies {
                self.tie(&from, Thing::policy(arn.as_str(), account), Tie::Holds, State::Kept);
            }
            for name in user.inline_policies.keys() {
                self.tie(&from, Thing::Inline(name.as_str().to_owned()), Tie::Holds, State::Kept);
            }
        }
        for group in live.groups.values() {
            let from = Thing::Group(now("group", group.name.as_str()));
            self.add(from.clone());
            for arn in &group.managed_policies {
                self.tie(&from, Thing::policy(arn.as_str(), account), Tie::Holds, State::Kept);
            }
            for name in group.inline_policies.keys() {
                self.tie(&from, Thing::Inline(name.as_str().to_owned()), Tie::Holds, State::Kept);
            }
        }
        for policy in live.policies.values() {
            self.add(Thing::Policy(policy.name.as_str().to_owned()));
        }
    }

    fn apply(&mut self, change: &Change, account: &str) {
        let state = State::of(change.change);
        let resource = &change.resource;
        let (whose, part) = whose(resource);
        let Some(holder) = holder(&whose) else { return };
        match resource.kind() {
            _ if part.is_empty() => {
                self.things.insert(holder.clone(), state);
                for field in change
                    .fields
                    .iter()
                    .filter(|field| field.path == "permissions_boundary")
                {
                    let sides = [(&field.before, State::Removed), (&field.after, State::Added)];
                    for (value, state) in sides {
                        if let Value::String(arn) = value {
                            self.tie(&holder, Thing::policy(arn, account), Tie::Boundary, state);
                        }
                    }
                }
            }
            "member" => self.tie(
                &holder,
                Thing::Group(resource.entity_name().to_owned()),
                Tie::Holds,
                state,
            ),
            "managed-policy" => {
                let arn = resource.part_name().unwrap_or_default();
                self.tie(&holder, Thing::policy(arn, account), Tie::Holds, state);
            }
            "inline-policy" => {
                let name = resource.part_name().unwrap_or_default().to_owned();
                self.tie(&holder, Thing::Inline(name), Tie::Holds, state);
            }
            _ => {
                let known = self.things.entry(holder).or_insert(State::Kept);
                *known = (*known).max(State::Changed);
            }
        }
    }

    /// What comes or goes takes its ties along, those that the plan does not name too.
    fn take_ties_along(&mut self) {
        for ((from, to, _), state) in &mut self.ties {
            let ends = [self.things.get(from), self.things.get(to)];
            if ends.contains(&Some(&State::Removed)) {
                *state = State::Removed;
            }
        }
    }

    /// What a thing ties itself to.
    pub(super) fn from(&self, thing: &Thing) -> impl Iterator<Item = (&Thing, Tie, State)> {
        let first = (thing.clone(), Thing::User(String::new()), Tie::Holds);
        self.ties
            .range(first..)
            .take_while(move |((from, ..), _)| *from == *thing)
            .map(|((_, to, tie), state)| (to, *tie, *state))
    }

    /// What the plan changes, and what is tied to it by something that the plan changes.
    pub(super) fn touched(&self) -> BTreeSet<&Thing> {
        let things = self.things.iter().filter(|(_, state)| **state != State::Kept);
        let ties = self.ties.iter().filter(|(_, state)| **state != State::Kept);
        things
            .map(|(thing, _)| thing)
            .chain(ties.flat_map(|((from, to, _), _)| [from, to]))
            .collect()
    }
}

/// From live names to new ones, by kind and name.
fn renames(plan: &Plan) -> BTreeMap<String, String> {
    let renamed = plan.changes.iter().filter_map(|change| {
        let before = earlier_name(change.change, &change.fields)?;
        let kind = change.resource.kind();
        Some((format!("{kind}/{before}"), change.resource.entity_name().to_owned()))
    });
    renamed.collect()
}

fn holder(whose: &Resource) -> Option<Thing> {
    let name = whose.entity_name().to_owned();
    match whose.kind() {
        "user" => Some(Thing::User(name)),
        "group" => Some(Thing::Group(name)),
        "policy" => Some(Thing::Policy(name)),
        _ => None,
    }
}
