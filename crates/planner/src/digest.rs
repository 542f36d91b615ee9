//! The digest that is reviewed, and the facts that it rests on.
//!
//! It covers the account, the manifest's meaning, the live facts that the plan rests on and the day. It never covers
//! how many calls reading took, when something was last used, or how a document happens to be laid out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trueup_model::{Desired, PolicyDocument, Resource, live::Credentials};

use crate::{
    Action, access_keys,
    resolve::{Fate, Resolved},
};

/// A short hash of every live entity that the plan rests on. What is not live yet has one too, so that its appearance
/// is a change.
pub(crate) fn facts(resolved: &Resolved<'_>) -> BTreeMap<Resource, String> {
    let mut facts = BTreeMap::new();
    let mut add = |resource: Resource, fact: &Value| {
        facts.insert(resource, short_hash(fact));
    };
    let live = resolved.live;
    let account = &resolved.desired.account;
    if account.alias.is_some() {
        add(Resource::account_alias(), &json!(live.account.alias));
    }
    if account.password_policy.is_some() {
        add(Resource::password_policy(), &json!(live.account.password_policy));
    }
    for (name, fate) in &resolved.policies {
        let fact = fate.live().map(|policy| {
            let default = policy.document().map(PolicyDocument::canonical_text);
            let tags = policy
                .metadata
                .as_ref()
                .map(|metadata| compared_tags(resolved, &metadata.tags));
            let versions: Vec<&String> = policy.versions.keys().collect();
            let deletion =
                matches!(fate, Fate::Deleted { .. }).then_some((policy.attachment_count, policy.boundary_count));
            json!([
                policy.id,
                policy.path,
                policy.default_version,
                default,
                versions,
                tags,
                deletion
            ])
        });
        add(Resource::policy(name), &json!(fact));
    }
    for (name, fate) in &resolved.groups {
        let fact = fate.live().map(|group| {
            let members: Vec<&str> = live
                .users
                .values()
                .filter(|user| user.groups.contains(&group.name))
                .map(|user| user.name.as_str())
                .collect();
            json!([
                group.name,
                group.id,
                group.path,
                group.managed_policies,
                documents(&group.inline_policies),
                members
            ])
        });
        add(Resource::group(name), &json!(fact));
    }
    for (name, fate) in &resolved.users {
        let fact = fate.live().map(|user| {
            let credentials = match fate {
                Fate::Deleted { .. } | Fate::Quarantined { .. } => held_credentials(&user.credentials),
                Fate::Declared { desired, .. } => owned_credentials(
                    &user.credentials,
                    desired.login_profile.is_some()
                        || desired.reset_password.is_some()
                        || resolved.expired(desired).is_some(),
                    access_keys::concern(desired, user) || resolved.expired(desired).is_some(),
                ),
            };
            json!([
                user.name,
                user.id,
                user.path,
                compared_tags(resolved, &user.tags),
                remembered(&user.tags),
                user.groups,
                user.managed_policies,
                documents(&user.inline_policies),
                user.permissions_boundary,
                credentials,
            ])
        });
        add(Resource::user(name), &json!(fact));
    }
    facts
}

/// Everything but when keys were used.
fn held_credentials(credentials: &Credentials) -> Value {
    let mut credentials = credentials.clone();
    for key in credentials.access_keys.iter_mut().flat_map(BTreeMap::values_mut) {
        key.last_used = None;
    }
    json!(credentials)
}

/// What trueup itself keeps in tags.
fn remembered(tags: &trueup_model::Tags) -> BTreeMap<&String, &String> {
    let is_ours = |key: &str| trueup_model::fold_tag_key(key).starts_with("trueup:");
    tags.iter().filter(|(key, _)| is_ours(key)).collect()
}

/// Whether a password must be reset changes nothing that is planned, and when a key was used is not covered.
fn owned_credentials(credentials: &Credentials, login_profile: bool, access_keys: bool) -> Value {
    let profile = login_profile.then(|| credentials.login_profile.as_ref().map(Option::is_some));
    let keys: Option<BTreeMap<&String, (bool, Timestamp)>> = access_keys.then(|| {
        credentials
            .access_keys
            .iter()
            .flatten()
            .map(|(id, key)| (id, (key.active, key.created)))
            .collect()
    });
    json!([profile, keys])
}

fn compared_tags<'t>(resolved: &Resolved<'_>, tags: &'t trueup_model::Tags) -> BTreeMap<&'t String, &'t String> {
    tags.iter()
        .filter(|(key, _)| !resolved.desired.scope.ignores_tag(key))
        .collect()
}

fn documents<K: Ord + Clone>(documents: &BTreeMap<K, PolicyDocument>) -> BTreeMap<&K, &str> {
    documents
        .iter()
        .map(|(name, document)| (name, document.canonical_text()))
        .collect()
}

/// The digest of a plan.
pub(crate) fn digest(resolved: &Resolved<'_>, facts: &BTreeMap<Resource, String>, actions: &[Action]) -> String {
    let steps: Vec<Value> = actions
        .iter()
        .map(|action| json!([action.call.operation(), action.resource, action.after]))
        .collect();
    let everything = json!({
        "account": resolved.live.account.id,
        "partition": resolved.live.account.partition,
        "as_of": resolved.as_of.to_string(),
        "manifest": meaning(resolved.desired),
        "facts": facts,
        "actions": steps,
    });
    format!("sha256:{}", hex(&Sha256::digest(canonical(&everything).as_bytes())))
}

/// The manifest with every document in canonical form, so that its layout does not matter.
fn meaning(desired: &Desired) -> Value {
    let mut value = json!(desired);
    let mut set = |pointer: &[&str], document: &PolicyDocument| {
        let mut at = &mut value;
        for key in pointer {
            match at.get_mut(*key) {
                Some(next) => at = next,
                None => return,
            }
        }
        *at = Value::String(document.canonical_text().to_owned());
    };
    for (name, policy) in &desired.policies {
        set(&["policies", name.as_str(), "document"], &policy.document);
    }
    for (name, group) in &desired.groups {
        for (policy, document) in &group.inline_policies {
            set(&["groups", name.as_str(), "inline_policies", policy.as_str()], document);
        }
    }
    for (name, user) in &desired.users {
        for (policy, document) in &user.inline_policies {
            set(&["users", name.as_str(), "inline_policies", policy.as_str()], document);
        }
    }
    value
}

fn short_hash(value: &Value) -> String {
    let mut text = hex(&Sha256::digest(canonical(value).as_bytes()));
    text.truncate(16);
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with sorted keys, whatever order the map type of this build keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}
