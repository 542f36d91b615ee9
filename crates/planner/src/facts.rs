//! The live facts that a plan rests on: a short hash of every live thing that it looks at, part by part, so that whoever
//! finds another digest can be told what moved.
//!
//! They never cover how a document happens to be laid out, when something was last used, or what the plan does not
//! compare.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_model::{
    InlinePolicyName, PolicyArn, PolicyDocument, Resource, Tags, fold_tag_key,
    live::{Credentials, LiveGroup, LivePolicy, LiveUser},
};

use crate::{
    access_keys,
    digest::{Neutral, short_hash},
    resolve::{Fate, Resolved},
};

/// What a fact says of something that is not live.
pub const ABSENT_FACT: &str = "absent";

/// The facts of one account, and the same as every account has them that differs from it in its id, its partition, and
/// the ids that IAM gives.
pub(crate) struct Facts<'n> {
    neutral: &'n Neutral<'n>,
    pub(crate) own: BTreeMap<Resource, String>,
    pub(crate) neutral_ones: BTreeMap<String, String>,
}

impl<'n> Facts<'n> {
    /// What is not live yet has a fact too, so that its appearance is a change.
    pub(crate) fn of(resolved: &Resolved<'_>, manifest: &Value, neutral: &'n Neutral<'n>) -> Self {
        let mut facts = Self {
            neutral,
            own: BTreeMap::new(),
            neutral_ones: BTreeMap::new(),
        };
        // Only here: in another account, the same manifest names another one.
        facts.own.insert(Resource::manifest(), short_hash(manifest));
        let live = resolved.live;
        let account = &resolved.desired.account;
        if account.alias.is_some() {
            facts.add(Resource::account_alias(), json!(live.account.alias));
        }
        if account.password_policy.is_some() {
            facts.add(Resource::password_policy(), json!(live.account.password_policy));
        }
        for (name, fate) in &resolved.policies {
            let resource = Resource::policy(name);
            match fate.live() {
                Some(policy) => facts.policy(resource, policy, matches!(fate, Fate::Deleted { .. }), resolved),
                None => facts.absent(resource),
            }
        }
        for (name, fate) in &resolved.groups {
            let resource = Resource::group(name);
            match fate.live() {
                Some(group) => facts.group(&resource, group, resolved),
                None => facts.absent(resource),
            }
        }
        for (name, fate) in &resolved.users {
            let resource = Resource::user(name);
            let Some(user) = fate.live() else {
                facts.absent(resource);
                continue;
            };
            facts.user(&resource, user, resolved);
            for group in &user.groups {
                facts.add(Resource::group(&resolved.group_after(group)).member(name), json!(true));
            }
            match fate {
                Fate::Deleted { .. } | Fate::Quarantined { .. } => facts.all_credentials(&resource, &user.credentials),
                Fate::Declared { desired, .. } => {
                    let expired = resolved.expired(desired).is_some();
                    facts.credentials(
                        &resource,
                        &user.credentials,
                        desired.login_profile.is_some() || desired.reset_password.is_some() || expired,
                        access_keys::concern(desired, user) || expired,
                    );
                }
            }
        }
        facts
    }

    fn add(&mut self, resource: Resource, fact: Value) {
        self.add_with(resource, fact, &Value::Null);
    }

    /// `ids`: what IAM gave to this account alone.
    fn add_with(&mut self, resource: Resource, fact: Value, ids: &Value) {
        let name = self.neutral.text(resource.as_str());
        self.neutral_ones
            .insert(name, short_hash(&self.neutral.value(fact.clone())));
        self.own.insert(resource, short_hash(&json!([fact, ids])));
    }

    /// Something that has an id of IAM's for a name.
    fn add_credential(&mut self, resource: Resource, number: usize, fact: &Value, neutral: &Value) {
        let name = format!(
            "{}/{}/{number}",
            self.neutral.text(resource.entity().as_str()),
            resource.kind()
        );
        self.neutral_ones.insert(name, short_hash(neutral));
        self.own.insert(resource, short_hash(fact));
    }

    fn add_document(&mut self, resource: Resource, document: &PolicyDocument) {
        let name = self.neutral.text(resource.as_str());
        self.neutral_ones
            .insert(name, short_hash(&json!(self.neutral.document(document))));
        self.own.insert(resource, short_hash(&json!(document.canonical_text())));
    }

    fn absent(&mut self, resource: Resource) {
        let name = self.neutral.text(resource.as_str());
        self.neutral_ones.insert(name, ABSENT_FACT.to_owned());
        self.own.insert(resource, ABSENT_FACT.to_owned());
    }

    fn policy(&mut self, resource: Resource, policy: &LivePolicy, is_deleted: bool, resolved: &Resolved<'_>) {
        if let Some(document) = policy.document() {
            self.add_document(resource.document(), document);
        }
        if let Some(metadata) = &policy.metadata {
            self.tags(&resource, &metadata.tags, resolved);
        }
        let versions: Vec<&String> = policy.versions.keys().collect();
        let versions = json!([policy.default_version, versions]);
        self.add_with(resource.versions(), json!(policy.versions.len()), &versions);
        let used = is_deleted.then_some((policy.attachment_count, policy.boundary_count));
        self.add_with(resource, json!([policy.path, used]), &json!(policy.id));
    }

    fn group(&mut self, resource: &Resource, group: &LiveGroup, resolved: &Resolved<'_>) {
        self.held(resource, &group.managed_policies, &group.inline_policies);
        let members = resolved.live.users.values();
        for member in members.filter(|user| user.groups.contains(&group.name)) {
            let name = resolved.user_names.get(&member.name).unwrap_or(&member.name);
            self.add(resource.member(name), json!(true));
        }
        self.add_with(resource.clone(), json!([group.name, group.path]), &json!(group.id));
    }

    fn user(&mut self, resource: &Resource, user: &LiveUser, resolved: &Resolved<'_>) {
        self.held(resource, &user.managed_policies, &user.inline_policies);
        self.tags(resource, &user.tags, resolved);
        if let Some(boundary) = &user.permissions_boundary {
            self.add(resource.permissions_boundary(), json!(boundary));
        }
        self.add_with(resource.clone(), json!([user.name, user.path]), &json!(user.id));
    }

    fn held<'p>(
        &mut self,
        holder: &Resource,
        managed: impl IntoIterator<Item = &'p PolicyArn>,
        inline: &BTreeMap<InlinePolicyName, PolicyDocument>,
    ) {
        for arn in managed {
            self.add(holder.attachment(arn), json!(true));
        }
        for (name, document) in inline {
            self.add_document(holder.inline_policy(name), document);
        }
    }

    fn tags(&mut self, holder: &Resource, tags: &Tags, resolved: &Resolved<'_>) {
        let scope = &resolved.desired.scope;
        // What trueup itself keeps in tags is no difference, and plans rest on it.
        let is_ours = |key: &str| fold_tag_key(key).starts_with("trueup:");
        for (key, value) in tags.iter().filter(|(key, _)| is_ours(key) || !scope.ignores_tag(key)) {
            self.add(holder.tag(key), json!(value));
        }
    }

    /// Whether a password must be reset changes nothing that is planned, and when a key was used is not covered.
    fn credentials(&mut self, user: &Resource, credentials: &Credentials, login_profile: bool, access_keys: bool) {
        if login_profile && matches!(credentials.login_profile, Some(Some(_))) {
            self.add(user.login_profile(), json!(true));
        }
        if access_keys {
            for (number, (id, key)) in credentials.access_keys.iter().flatten().enumerate() {
                let fact = json!([key.active, key.created]);
                self.add_credential(user.access_key(id), number, &fact, &json!(key.active));
            }
        }
    }

    /// What goes with a user who is deleted.
    fn all_credentials(&mut self, user: &Resource, credentials: &Credentials) {
        let Credentials {
            login_profile: _,
            access_keys: _,
            mfa_devices,
            ssh_public_keys,
            signing_certificates,
            service_specific_credentials,
        } = credentials;
        self.credentials(user, credentials, true, true);
        let devices = mfa_devices.iter().flatten();
        for (number, id) in devices.enumerate() {
            self.add_credential(user.mfa_device(id), number, &json!(true), &json!(true));
        }
        let others = [
            (
                ssh_public_keys,
                Resource::ssh_public_key as fn(&Resource, &str) -> Resource,
            ),
            (signing_certificates, Resource::signing_certificate),
            (service_specific_credentials, Resource::service_specific_credential),
        ];
        for (ids, resource) in others {
            for (number, (id, active)) in ids.iter().flatten().enumerate() {
                self.add_credential(resource(user, id), number, &json!(active), &json!(active));
            }
        }
    }
}
