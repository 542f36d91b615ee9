//! What is known of principals before and after the plan: name, path and tags, by which policies can tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use trueup_access::PrincipalFacts;
use trueup_model::{Live, Path, Tags, UserName, fold_tag_key, live::LiveUser};

use crate::{
    Call,
    draft::{Draft, Step},
    resolve::Resolved,
    world::Principal,
};

/// Users as they are and as they will be, by the name after the plan.
pub(crate) struct People<'a> {
    resolved: &'a Resolved<'a>,
    /// Steps that make, rename, move or tag a user.
    steps: BTreeMap<&'a UserName, Vec<&'a Call>>,
    deleted: BTreeSet<&'a UserName>,
}

/// What policies can ask of a user.
#[derive(Clone)]
struct Person {
    name: UserName,
    path: Path,
    tags: Tags,
}

impl Person {
    fn of(user: &LiveUser) -> Self {
        Self {
            name: user.name.clone(),
            path: user.path.clone(),
            tags: user.tags.clone(),
        }
    }
}

impl<'a> People<'a> {
    pub(crate) fn new(resolved: &'a Resolved<'a>, draft: &'a Draft) -> Self {
        let mut steps: BTreeMap<&UserName, Vec<&Call>> = BTreeMap::new();
        for Step { call, .. } in &draft.steps {
            let name = match call {
                Call::CreateUser { user_name, .. }
                | Call::TagUser { user_name, .. }
                | Call::UntagUser { user_name, .. } => user_name,
                Call::UpdateUser {
                    user_name,
                    new_user_name,
                    ..
                } => new_user_name.as_ref().unwrap_or(user_name),
                _ => continue,
            };
            steps.entry(name).or_default().push(call);
        }
        Self {
            resolved,
            steps,
            deleted: draft.deleted_users(),
        }
    }

    /// A user as it is now; `None` for one that the plan creates.
    pub(crate) fn live(&self, name: &UserName) -> Option<&'a LiveUser> {
        self.resolved.live_user(name)
    }

    /// Whether the plan deletes a user.
    pub(crate) fn is_deleted(&self, name: &UserName) -> bool {
        self.deleted.contains(name)
    }

    /// The roles of the account, with their ARNs.
    pub(crate) fn roles(&self) -> impl Iterator<Item = (Principal, String)> + use<'a> {
        let roles = self.resolved.live.roles.iter();
        roles.map(|(name, role)| (Principal::Role(name.clone()), role.arn.to_string()))
    }

    /// The path and name of a user after the plan; those that it has now where the plan deletes it.
    pub(crate) fn after_plan(&self, name: &UserName) -> (Path, UserName) {
        let before = self.live(name).map(Person::of);
        let Person { name, path, .. } = self.after(name, before.as_ref());
        (path, name)
    }

    /// What is known of a principal before and after the plan. For who is on one side alone, the same on both.
    pub(crate) fn facts(&self, principal: &Principal) -> (PrincipalFacts, PrincipalFacts) {
        let live = self.resolved.live;
        match principal {
            Principal::Role(name) => {
                let path = live.roles.get(name).map_or("/", |role| role.path.as_str());
                let facts =
                    PrincipalFacts::role(&live.account.partition, live.account.id.as_str(), path, name.as_str());
                (facts.clone(), facts)
            }
            Principal::User(name) => {
                let before = self.live(name).map(Person::of);
                let after = self.after(name, before.as_ref());
                let facts = |person: &Person| of_user(live, person);
                (facts(before.as_ref().unwrap_or(&after)), facts(&after))
            }
        }
    }

    fn after(&self, name: &UserName, before: Option<&Person>) -> Person {
        let mut person = before.cloned().unwrap_or_else(|| Person {
            name: name.clone(),
            path: Path::root(),
            tags: Tags::new(),
        });
        let untag = |tags: &mut Tags, key: &str| tags.retain(|known, _| fold_tag_key(known) != fold_tag_key(key));
        for call in self.steps.get(name).into_iter().flatten() {
            match call {
                Call::CreateUser {
                    user_name, path, tags, ..
                } => {
                    person = Person {
                        name: user_name.clone(),
                        path: path.clone(),
                        tags: tags.clone(),
                    };
                }
                Call::UpdateUser {
                    new_user_name,
                    new_path,
                    ..
                } => {
                    if let Some(name) = new_user_name {
                        person.name.clone_from(name);
                    }
                    if let Some(path) = new_path {
                        person.path.clone_from(path);
                    }
                }
                Call::UntagUser { tag_keys, .. } => tag_keys.iter().for_each(|key| untag(&mut person.tags, key)),
                Call::TagUser { tags, .. } => {
                    for (key, value) in tags {
                        untag(&mut person.tags, key);
                        person.tags.insert(key.clone(), value.clone());
                    }
                }
                _ => {}
            }
        }
        person
    }
}

fn of_user(live: &Live, Person { name, path, tags }: &Person) -> PrincipalFacts {
    let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    PrincipalFacts::user(
        &live.account.partition,
        live.account.id.as_str(),
        path.as_str(),
        name.as_str(),
        tags,
    )
}
