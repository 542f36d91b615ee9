//! What a plan is made of while it is being made: changes for people, steps for IAM.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::{GroupName, PolicyArn, Resource, UserName};

use crate::{Call, Change, ChangeKind, Field, Note, Problem, world::Effect};

/// One IAM call whose place is not decided yet. Its index in [`Draft::steps`] names it; a
/// [`VersionRef::CreatedBy`](crate::VersionRef) holds such an index until the order is known.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) call: Call,
    pub(crate) resource: Resource,
    pub(crate) reason: String,
    /// Steps of smaller rank come first where nothing else decides; see [`rank`].
    pub(crate) rank: u8,
    pub(crate) after: BTreeSet<usize>,
    pub(crate) effect: Option<Effect>,
}

/// The order in which people expect to read independent steps.
pub(crate) mod rank {
    pub(crate) const ACCOUNT: u8 = 0;
    pub(crate) const CREDENTIALS_GO: u8 = 1;
    pub(crate) const RENAME: u8 = 2;
    pub(crate) const POLICY: u8 = 3;
    pub(crate) const GROUP: u8 = 4;
    pub(crate) const GROUP_POLICY: u8 = 5;
    pub(crate) const USER: u8 = 6;
    pub(crate) const USER_POLICY: u8 = 7;
    pub(crate) const MEMBERSHIP: u8 = 8;
    pub(crate) const REMOVE: u8 = 9;
    pub(crate) const DELETE_CREDENTIAL: u8 = 10;
    pub(crate) const DELETE_USER: u8 = 11;
    pub(crate) const DELETE_GROUP: u8 = 12;
    pub(crate) const DELETE_POLICY: u8 = 13;
    pub(crate) const CREDENTIALS_COME: u8 = 14;
    pub(crate) const FORGET: u8 = 15;
}

/// The plan in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) changes: Vec<Change>,
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<Note>,
    /// With what they are about, where a plan that does not change it does not have the problem.
    pub(crate) problems: Vec<(Option<Resource>, Problem)>,
    /// The step that creates or renames a user, which every other step on that user follows.
    pub(crate) user_ready: BTreeMap<UserName, usize>,
    /// The same for groups.
    pub(crate) group_ready: BTreeMap<GroupName, usize>,
    /// The step that creates a policy.
    pub(crate) policy_ready: BTreeMap<PolicyArn, usize>,
    /// Users that this plan creates.
    pub(crate) new_users: BTreeSet<UserName>,
}

impl Draft {
    /// Adds a step and returns its index.
    pub(crate) fn step(&mut self, rank: u8, call: Call, resource: &Resource, reason: &str) -> usize {
        self.steps.push(Step {
            call,
            resource: resource.clone(),
            reason: reason.to_owned(),
            rank,
            after: BTreeSet::new(),
            effect: None,
        });
        self.steps.len() - 1
    }

    /// Adds a step that changes what principals hold.
    pub(crate) fn step_with(
        &mut self,
        rank: u8,
        call: Call,
        resource: &Resource,
        reason: &str,
        effect: Effect,
    ) -> usize {
        let index = self.step(rank, call, resource, reason);
        self.steps[index].effect = Some(effect);
        index
    }

    /// Demands that `first`, if there is such a step, is done before `then`.
    pub(crate) fn after(&mut self, then: usize, first: impl IntoIterator<Item = usize>) {
        self.steps[then].after.extend(first);
    }

    /// Demands that the user, as far as this plan makes or renames it, is there before `step`.
    pub(crate) fn needs_user(&mut self, step: usize, user: &UserName) {
        let ready = self.user_ready.get(user).copied();
        self.after(step, ready);
    }

    /// The same for a group.
    pub(crate) fn needs_group(&mut self, step: usize, group: &GroupName) {
        let ready = self.group_ready.get(group).copied();
        self.after(step, ready);
    }

    /// The same for a policy.
    pub(crate) fn needs_policy(&mut self, step: usize, arn: &PolicyArn) {
        let ready = self.policy_ready.get(arn).copied();
        self.after(step, ready);
    }

    /// The users that this plan deletes. A partial plan leaves some whom the manifest wants gone, so nothing but the
    /// steps says who goes.
    pub(crate) fn deleted_users(&self) -> BTreeSet<&UserName> {
        let calls = self.steps.iter().map(|step| &step.call);
        calls
            .filter_map(|call| match call {
                Call::DeleteUser { user_name } => Some(user_name),
                _ => None,
            })
            .collect()
    }

    /// The users and the groups that this plan renames, by the names that they have.
    pub(crate) fn renamed(&self) -> (BTreeSet<UserName>, BTreeSet<GroupName>) {
        let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for step in &self.steps {
            match &step.call {
                Call::UpdateUser {
                    user_name,
                    new_user_name: Some(_),
                    ..
                } => drop(users.insert(user_name.clone())),
                Call::UpdateGroup {
                    group_name,
                    new_group_name: Some(_),
                    ..
                } => drop(groups.insert(group_name.clone())),
                _ => {}
            }
        }
        (users, groups)
    }

    /// Adds a change.
    pub(crate) fn change(&mut self, resource: Resource, change: ChangeKind, reason: &str, fields: Vec<Field>) {
        let destructive = match change {
            ChangeKind::Delete => is_lost_when_deleted(resource.kind()),
            // A new path is a new ARN, on which other documents may depend.
            ChangeKind::Update | ChangeKind::Rename => fields.iter().any(|field| field.path == "path"),
            ChangeKind::Create => false,
        };
        self.changes.push(Change {
            resource,
            change,
            reason: reason.to_owned(),
            destructive,
            fields,
            origin: None,
        });
    }

    /// Adds fields to the change of a resource, or an update of it where there is no change yet.
    pub(crate) fn amend(&mut self, resource: Resource, reason: &str, fields: Vec<Field>) {
        match self.changes.iter_mut().find(|change| change.resource == resource) {
            Some(change) => change.fields.extend(fields),
            None => self.change(resource, ChangeKind::Update, reason, fields),
        }
    }

    /// Adds a note.
    pub(crate) fn note(&mut self, resource: Option<Resource>, message: String) {
        self.notes.push(Note {
            strict: false,
            resource,
            message,
        });
    }

    /// Adds a problem.
    pub(crate) fn problem(&mut self, message: String, hint: impl Into<Option<String>>) {
        self.problems.push((
            None,
            Problem {
                message,
                hint: hint.into(),
                ..Problem::default()
            },
        ));
    }

    /// Adds a problem that only a plan has which changes this resource.
    pub(crate) fn problem_of(&mut self, resource: &Resource, message: String, hint: impl Into<Option<String>>) {
        self.problem(message, hint);
        if let Some((about, _)) = self.problems.last_mut() {
            *about = Some(resource.clone());
        }
    }
}

/// Whether deleting a thing of this kind loses what trueup cannot bring back: unique ids and credentials. Attachments,
/// memberships and inline policies can be put back as they were.
fn is_lost_when_deleted(kind: &str) -> bool {
    !matches!(
        kind,
        "member" | "managed-policy" | "inline-policy" | "permissions-boundary" | "alias" | "password-policy"
    )
}

/// A field that is one value on each side.
pub(crate) fn field(path: impl Into<String>, before: impl Into<Value>, after: impl Into<Value>) -> Field {
    Field {
        path: path.into(),
        before: before.into(),
        after: after.into(),
    }
}
