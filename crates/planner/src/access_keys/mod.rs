//! Access keys: from what is decided about them to the calls, and what is remembered along the way.
//!
//! A new key is announced in a tag before it is made, and the tag goes when its secret is delivered. A run that is
//! killed in between leaves the tag, and the next one replaces the key that nobody may have.

mod decide;

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    Resource, Tags, UserName,
    desired::{AccessKeysWish, DesiredUser},
    fold_tag_key, is_access_key_id,
    live::{AccessKey, LiveUser},
    quota::TAGS_PER_RESOURCE,
};

use crate::{
    ActionId, Call, ChangeKind, Field, KeyStatus, NewKeyTag, Note,
    draft::{Draft, field, rank},
    memory::{self, INACTIVE, Memory, NEW_KEY, Why},
    resolve::Resolved,
};
use decide::{Decision, decide};
pub(crate) use decide::{GRACE_DAYS, asks_for_use, reached};

/// Whether anything has to be known about a user's keys.
pub(crate) fn concern(desired: &DesiredUser, live: &LiveUser) -> bool {
    desired.access_keys.is_some() || Memory::of(&live.tags).besides.is_some()
}

/// Plans the access keys of a declared user who may work.
pub(crate) fn plan(resolved: &Resolved<'_>, desired: &DesiredUser, live: Option<&LiveUser>, draft: &mut Draft) {
    if !live.map_or(desired.access_keys.is_some(), |live| concern(desired, live)) {
        return;
    }
    let none = (BTreeMap::new(), Tags::new());
    let (keys, tags) = match live {
        None => (&none.0, &none.1),
        Some(live) => match &live.credentials.access_keys {
            Some(keys) => (keys, &live.tags),
            // Not read: `needs` says so.
            None => return,
        },
    };
    let memory = Memory::of(tags);
    let decision = decide(desired.access_keys.as_ref(), keys, &memory, resolved.as_of);
    let description = match &desired.access_keys {
        Some(AccessKeysWish::Present(rules)) => rules.description.as_deref(),
        _ => None,
    };
    User {
        name: &desired.name,
        keys,
        tags,
        memory,
        description,
        as_of: resolved.as_of,
    }
    .draft(decision, draft);
}

struct User<'u> {
    name: &'u UserName,
    keys: &'u BTreeMap<String, AccessKey>,
    tags: &'u Tags,
    memory: Memory,
    description: Option<&'u str>,
    as_of: jiff::civil::Date,
}

impl User<'_> {
    fn resource(&self, id: &str) -> Resource {
        Resource::user(self.name).access_key(id)
    }

    fn draft(&self, decision: Decision, draft: &mut Draft) {
        let Decision {
            delete,
            deactivate,
            begin_to_wait,
            create,
            notes,
            delivery_is_settled,
        } = decision;
        for message in notes {
            draft.notes.push(Note {
                strict: true,
                resource: Some(Resource::user(self.name)),
                message,
            });
        }
        let deleted: BTreeSet<&String> = delete.iter().map(|(id, _)| id).collect();
        let mut come = self.waiting(&deactivate, &begin_to_wait, draft);
        come.extend(self.descriptions(&deleted, draft));
        let mut go = self.forgotten(&deleted, &deactivate);
        self.announcement(&deleted, create.len(), delivery_is_settled, &mut come, &mut go, draft);
        self.refuse_too_many_tags(&come, draft);

        let tagged = self.tag(come, draft);
        let mut gone = Vec::new();
        for (id, _, reason) in &deactivate {
            let call = Call::UpdateAccessKey {
                user_name: self.name.clone(),
                access_key_id: id.clone(),
                status: KeyStatus::Inactive,
            };
            let step = draft.step(rank::CREDENTIALS_GO, call, &self.resource(id), reason);
            draft.needs_user(step, self.name);
            // What is remembered first is never forgotten, whatever happens in between.
            draft.after(step, tagged);
        }
        for (id, reason) in &delete {
            draft.change(self.resource(id), ChangeKind::Delete, reason, Vec::new());
            let call = Call::DeleteAccessKey {
                user_name: self.name.clone(),
                access_key_id: id.clone(),
            };
            let step = draft.step(rank::CREDENTIALS_GO, call, &self.resource(id), reason);
            draft.needs_user(step, self.name);
            gone.push(step);
        }
        let made = self.create(&create, tagged, &gone, draft);
        self.untag(go, gone.into_iter().chain(made), draft);
    }

    /// The tags that say since when keys wait, with the changes that show it.
    fn waiting(
        &self,
        deactivate: &[(String, Why, String)],
        begin_to_wait: &[(String, String)],
        draft: &mut Draft,
    ) -> Tags {
        let deleted_on = self
            .as_of
            .checked_add(jiff::ToSpan::days(i64::from(GRACE_DAYS)))
            .map(|date| date.to_string())
            .unwrap_or_default();
        let waits = || field("deleted_from", None::<String>, deleted_on.as_str());
        let mut come = Tags::new();
        for (id, why, reason) in deactivate {
            let mut fields = vec![field("status", "Active", "Inactive")];
            if *why == Why::Retired {
                fields.push(waits());
            }
            draft.change(self.resource(id), ChangeKind::Update, reason, fields);
            come.extend([memory::inactive_tag(id, *why, self.as_of)]);
        }
        for (id, reason) in begin_to_wait {
            draft.change(self.resource(id), ChangeKind::Update, reason, vec![waits()]);
            come.extend([memory::inactive_tag(id, Why::Retired, self.as_of)]);
        }
        come
    }

    /// Descriptions of keys that have none yet. What somebody wrote in the console is kept.
    fn descriptions(&self, deleted: &BTreeSet<&String>, draft: &mut Draft) -> Tags {
        let Some(description) = self.description else {
            return Tags::new();
        };
        let mut come = Tags::new();
        for id in self.keys.keys().filter(|id| !deleted.contains(*id)) {
            if self.tags.keys().any(|key| key.eq_ignore_ascii_case(id)) {
                continue;
            }
            let fields = vec![field("description", None::<String>, description)];
            draft.amend(self.resource(id), "described by the manifest", fields);
            come.insert(id.clone(), description.to_owned());
        }
        come
    }

    /// Tags about keys that are gone or work again.
    fn forgotten(&self, deleted: &BTreeSet<&String>, deactivate: &[(String, Why, String)]) -> BTreeSet<String> {
        let stays = |id: &str| self.keys.contains_key(id) && !deleted.contains(&id.to_owned());
        let again = |id: &str| deactivate.iter().any(|(other, ..)| other == id);
        let works = |id: &str| self.keys.get(id).is_some_and(|key| key.active);
        self.tags
            .keys()
            .filter(|key| {
                let folded = fold_tag_key(key);
                if let Some(id) = folded.strip_prefix(INACTIVE) {
                    let id = id.to_ascii_uppercase();
                    let counts_again = works(&id) && matches!(self.memory.inactive.get(&id), Some((Why::Unused, _)));
                    return !stays(&id) || works(&id) && !counts_again && !again(&id);
                }
                // The description of a key that goes now; those of keys that went before are the console's.
                is_access_key_id(key) && deleted.contains(key)
            })
            .cloned()
            .collect()
    }

    /// The tag that announces new keys, before they are made and until they are delivered.
    fn announcement(
        &self,
        deleted: &BTreeSet<&String>,
        new: usize,
        delivery_is_settled: bool,
        come: &mut Tags,
        go: &mut BTreeSet<String>,
        draft: &mut Draft,
    ) {
        let spelt = self.tags.keys().find(|key| fold_tag_key(key) == NEW_KEY);
        if new > 0 {
            let stay: Vec<&String> = self.keys.keys().filter(|id| !deleted.contains(*id)).collect();
            let is_announced = self
                .memory
                .besides
                .as_ref()
                .is_some_and(|besides| stay.iter().all(|id| besides.contains(*id)));
            if !is_announced {
                come.extend([memory::new_key_tag(stay)]);
            }
            go.insert(spelt.cloned().unwrap_or_else(|| NEW_KEY.to_owned()));
        } else if let (Some(spelt), true) = (spelt, delivery_is_settled) {
            go.insert(spelt.clone());
            if deleted.is_empty() {
                let value = self.tags.get(spelt).map(String::as_str).unwrap_or_default();
                let fields = vec![field(format!("tags.{spelt}"), value, None::<String>)];
                let reason = "its new access key is in use, or was never made";
                draft.amend(Resource::user(self.name), reason, fields);
            }
        }
    }

    fn refuse_too_many_tags(&self, come: &Tags, draft: &mut Draft) {
        let folded = |tags: &Tags| tags.keys().map(|key| fold_tag_key(key)).collect::<BTreeSet<_>>();
        let total = folded(self.tags).union(&folded(come)).count();
        if !come.is_empty() && total > TAGS_PER_RESOURCE {
            draft.problem_of(
                &Resource::user(self.name),
                format!(
                    "user `{}` would have {total} tags with those that trueup keeps about its access keys, IAM allows \
                     {TAGS_PER_RESOURCE}",
                    self.name
                ),
                "take some tags away".to_owned(),
            );
        }
    }

    fn tag(&self, tags: Tags, draft: &mut Draft) -> Option<usize> {
        if tags.is_empty() {
            return None;
        }
        let reason = "what trueup remembers about access keys";
        let call = Call::TagUser {
            user_name: self.name.clone(),
            tags,
            new_key: None,
        };
        let step = draft.step(rank::USER, call, &Resource::user(self.name), reason);
        draft.needs_user(step, self.name);
        Some(step)
    }

    fn untag(&self, keys: BTreeSet<String>, after: impl IntoIterator<Item = usize>, draft: &mut Draft) {
        if keys.is_empty() {
            return;
        }
        let shown: Vec<Field> = keys
            .iter()
            .filter(|key| fold_tag_key(key) != NEW_KEY && !is_access_key_id(key))
            .filter(|key| {
                let id = fold_tag_key(key).replace(INACTIVE, "").to_ascii_uppercase();
                // What goes with its key is shown as the key's deletion.
                !draft.changes.iter().any(|change| change.resource == self.resource(&id))
            })
            .map(|key| {
                let value = self.tags.get(key).map(String::as_str).unwrap_or_default();
                field(format!("tags.{key}"), value, None::<String>)
            })
            .collect();
        if !shown.is_empty() {
            draft.amend(
                Resource::user(self.name),
                "about access keys that are gone or work again",
                shown,
            );
        }
        let call = Call::UntagUser {
            user_name: self.name.clone(),
            tag_keys: keys.into_iter().collect(),
        };
        let reason = "no longer to be remembered";
        let step = draft.step(rank::FORGET, call, &Resource::user(self.name), reason);
        draft.needs_user(step, self.name);
        draft.after(step, after);
    }

    fn create(&self, reasons: &[String], tagged: Option<usize>, gone: &[usize], draft: &mut Draft) -> Vec<usize> {
        let mut made: Vec<usize> = Vec::new();
        for (index, reason) in reasons.iter().enumerate() {
            let id = if index == 0 {
                "new".to_owned()
            } else {
                format!("new-{}", index + 1)
            };
            let resource = self.resource(&id);
            let mut fields = vec![field("status", None::<String>, "Active")];
            fields.extend(self.description.map(|text| field("description", None::<String>, text)));
            draft.change(resource.clone(), ChangeKind::Create, reason, fields);
            let call = Call::CreateAccessKey {
                user_name: self.name.clone(),
            };
            let step = draft.step(rank::CREDENTIALS_COME, call, &resource, reason);
            draft.needs_user(step, self.name);
            draft.after(
                step,
                tagged
                    .into_iter()
                    .chain(gone.iter().copied())
                    .chain(made.last().copied()),
            );
            made.push(step);
            if let Some(description) = self.description {
                let call = Call::TagUser {
                    user_name: self.name.clone(),
                    tags: Tags::new(),
                    new_key: Some(NewKeyTag {
                        created_by: ActionId(u32::try_from(step).unwrap_or(u32::MAX)),
                        value: description.to_owned(),
                    }),
                };
                let described = draft.step(rank::FORGET, call, &resource, "the new key's description");
                draft.after(described, [step]);
            }
        }
        made
    }
}
