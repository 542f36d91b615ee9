//! The digest that is reviewed.
//!
//! It covers the account, the manifest's meaning, the live facts that the plan rests on and the day. It never covers
//! how many calls reading took, when something was last used, or how a document happens to be laid out.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trueup_model::{Desired, Live, PolicyDocument};

use crate::{Action, ActionId, facts::Facts, resolve::Resolved};

/// The account id that stands for each in what is compared between accounts; no account has it.
const ANY_ACCOUNT: &str = "000000000000";
/// The partition that stands for each.
const ANY_PARTITION: &str = "aws";

/// Says the same of accounts that differ in nothing but their id and their partition.
pub(crate) struct Neutral<'a> {
    account: &'a str,
    partition: &'a str,
    arn: String,
}

impl<'a> Neutral<'a> {
    pub(crate) fn of(live: &'a Live) -> Self {
        Self {
            account: live.account.id.as_str(),
            partition: &live.account.partition,
            arn: format!("arn:{}:", live.account.partition),
        }
    }

    pub(crate) fn text(&self, text: &str) -> String {
        text.replace(&self.arn, &format!("arn:{ANY_PARTITION}:"))
            .replace(self.account, ANY_ACCOUNT)
    }

    pub(crate) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(key, value)| (self.text(&key), self.value(value)))
                        .collect(),
                )
            }
            scalar => scalar,
        }
    }

    /// The canonical form, whose order can depend on what is replaced.
    pub(crate) fn document(&self, document: &PolicyDocument) -> String {
        let text = self.text(document.as_text());
        if text == document.as_text() && self.partition == ANY_PARTITION {
            document.canonical_text().to_owned()
        } else {
            PolicyDocument::from_live(text).canonical_text().to_owned()
        }
    }
}

/// The digest of a plan.
pub(crate) fn digest(resolved: &Resolved<'_>, manifest: &Value, facts: &Facts<'_>, actions: &[Action]) -> String {
    let steps: Vec<Value> = actions
        .iter()
        .map(|action| json!([action.call.operation(), action.resource, action.after]))
        .collect();
    of(&json!({
        "account": resolved.live.account.id,
        "partition": resolved.live.account.partition,
        "as_of": resolved.as_of.to_string(),
        "manifest": manifest,
        "facts": facts.own,
        "actions": steps,
    }))
}

/// What is the same for every account in which the same is done from the same state: account id and partition are
/// replaced, and ids that IAM gives are left out.
pub(crate) fn transition_digest(
    resolved: &Resolved<'_>,
    neutral: &Neutral<'_>,
    facts: &Facts<'_>,
    actions: &[Action],
) -> String {
    // Numbers of actions follow names in which the account can stand, so they are named otherwise.
    let name = |action: &Action| {
        let resource = neutral.text(action.resource.as_str());
        let given = action.resource.part_name().filter(|_| is_given(action.resource.kind()));
        let resource = match given.and_then(|id| resource.strip_suffix(&neutral.text(id))) {
            Some(kind) => format!("{kind}*"),
            None => resource,
        };
        format!("{} {resource}", action.call.operation())
    };
    let names: BTreeMap<ActionId, String> = actions.iter().map(|action| (action.id, name(action))).collect();
    let mut steps: Vec<(Option<&String>, Vec<&String>)> = actions
        .iter()
        .map(|action| {
            let mut after: Vec<&String> = action.after.iter().filter_map(|id| names.get(id)).collect();
            after.sort();
            (names.get(&action.id), after)
        })
        .collect();
    steps.sort();
    // Read again as an account's manifest, so that sets have the order that they have in every account.
    let replaced = neutral.value(json!(resolved.desired));
    let manifest = match serde_json::from_value::<Desired>(replaced.clone()) {
        Ok(desired) => meaning(&desired),
        Err(_) => replaced,
    };
    of(&json!({
        "transition": 1,
        "as_of": resolved.as_of.to_string(),
        "manifest": manifest,
        "facts": facts.neutral_ones,
        "actions": steps,
    }))
}

/// Whether IAM gives the names of a kind.
fn is_given(kind: &str) -> bool {
    matches!(
        kind,
        "access-key"
            | "mfa-device"
            | "ssh-public-key"
            | "signing-certificate"
            | "service-specific-credential"
            | "version"
    )
}

fn of(everything: &Value) -> String {
    format!("sha256:{}", hex(&Sha256::digest(canonical(everything).as_bytes())))
}

/// The manifest with every document in canonical form, so that its layout does not matter.
pub(crate) fn meaning(desired: &Desired) -> Value {
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

pub(crate) fn short_hash(value: &Value) -> String {
    let mut text = hex(&Sha256::digest(canonical(value).as_bytes()));
    text.truncate(16);
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with sorted keys, whatever order the map type of this build keeps.
fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    // What comes before each part but the first.
    let mut between = "";
    let mut next = |text: &mut String| {
        text.push_str(between);
        between = ",";
    };
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            text.push('{');
            for (key, value) in sorted {
                next(text);
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                next(text);
                write_canonical(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
