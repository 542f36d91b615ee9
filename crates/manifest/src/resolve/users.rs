//! Users with their type and `same_permissions_as` filled in.

use std::collections::BTreeMap;

use trueup_model::{
    InlinePolicyName, PolicyDocument, UserName,
    desired::{BoundaryWish, DesiredUser},
};

use super::Resolver;
use crate::{
    context::Span,
    diagnostic::quoted,
    read::{
        raw::{RawInline, RawUser, RawUserType, UserSettings},
        suggest::did_you_mean,
    },
};

/// The inline policies whose document could be read.
pub(super) fn documents(policies: &[RawInline]) -> BTreeMap<InlinePolicyName, PolicyDocument> {
    policies
        .iter()
        .filter_map(|policy| Some((policy.name.value.clone(), policy.document.as_ref()?.document.clone())))
        .collect()
}

impl Resolver<'_, '_> {
    pub(super) fn users(&mut self) -> BTreeMap<UserName, DesiredUser> {
        let raw = self.raw;
        // Types are checked by themselves too, so that a mistake in one that nobody has yet is told.
        let mut types: BTreeMap<&str, DesiredUser> = BTreeMap::new();
        for user_type in &raw.user_types {
            self.check_required_keys(user_type);
            let settings = self.settings(UserName::from_live(""), &user_type.settings);
            types.insert(&user_type.name.value, settings);
        }
        let mut users: BTreeMap<UserName, DesiredUser> = BTreeMap::new();
        for user in &raw.users {
            let mut desired = self.settings(user.name.value.clone(), &user.settings);
            desired.reset_password = user.reset_password.as_ref().map(|request| request.value.clone());
            desired.previously = user.previously.iter().map(|name| name.value.clone()).collect();
            if let Some(name) = &user.user_type
                && let Some(user_type) = self.names.user_type(self.context, raw, name)
            {
                self.check_against_type(user, user_type);
                if let Some(settings) = types.get(name.value.as_str()) {
                    fill_in(&mut desired, settings);
                }
            }
            users.entry(user.name.value.clone()).or_insert(desired);
        }
        self.copy_permissions(users)
    }

    /// What the settings of a user or a type say by themselves.
    fn settings(&mut self, name: UserName, settings: &UserSettings) -> DesiredUser {
        for group in &settings.groups {
            self.names.check_group(self.context, self.raw, group);
        }
        DesiredUser {
            name,
            path: settings.path.as_ref().map(|path| path.value.clone()),
            previously: Vec::new(),
            tags: self.user_tags(&settings.tags),
            groups: settings.groups.iter().map(|group| group.value.clone()).collect(),
            managed_policies: self.policy_refs(&settings.managed_policies),
            inline_policies: documents(&settings.inline_policies),
            permissions_boundary: self.boundary(settings.permissions_boundary.as_ref()),
            login_profile: settings.login_profile,
            reset_password: None,
            access_keys: settings.access_keys.clone(),
            mfa: settings.mfa,
            expires: settings.expires,
            deliver_to: settings.deliver_to.clone(),
        }
    }

    /// What a type requires of its users it cannot set itself, since they could not set it then.
    fn check_required_keys(&mut self, user_type: &RawUserType) {
        for required in &user_type.require {
            if let Some(span) = user_type.settings.key_span(required.value) {
                let key = required.value;
                self.context
                    .error(
                        "user-type",
                        required.span,
                        format!("the type requires `{key}` of its users, and sets it itself"),
                    )
                    .related("set here", span)
                    .hint("a user cannot repeat a key of its type; keep one of the two");
            }
        }
    }

    fn check_against_type(&mut self, user: &RawUser, user_type: &RawUserType) {
        let (name, type_name) = (quoted(user.name.value.as_str()), quoted(&user_type.name.value));
        for (key, span) in &user.settings.keys {
            if let Some(in_type) = user_type.settings.key_span(key) {
                self.context
                    .error(
                        "user-type",
                        *span,
                        format!("user {name} repeats `{key}`, which its type {type_name} sets"),
                    )
                    .related("the type sets it here", in_type)
                    .hint("leave it out, or give the user another type");
            }
        }
        for required in &user_type.require {
            let key = required.value;
            if !user.keys.iter().any(|(present, _)| *present == key) {
                self.context
                    .error(
                        "user-type",
                        user.name.span,
                        format!("user {name} has no `{key}`, which its type {type_name} requires"),
                    )
                    .related("required here", required.span);
            }
        }
    }

    /// Adds the permissions of the users that `same_permissions_as` names, as they are without any copying.
    fn copy_permissions(&mut self, own: BTreeMap<UserName, DesiredUser>) -> BTreeMap<UserName, DesiredUser> {
        let raw = self.raw;
        let copies: BTreeMap<&UserName, &RawUser> = raw
            .users
            .iter()
            .filter(|user| user.same_permissions_as.is_some())
            .map(|user| (&user.name.value, user))
            .collect();
        let mut users = own.clone();
        for (name, user) in &copies {
            let Some(model) = &user.same_permissions_as else {
                continue;
            };
            if model.value == **name {
                let message = format!("user {} has the same permissions as itself", quoted(name.as_str()));
                self.context.error("same-permissions", model.span, message);
                continue;
            }
            let Some(source) = own.get(&model.value) else {
                if !self.context.incomplete {
                    let hint = did_you_mean(model.value.as_str(), own.keys().map(UserName::as_str))
                        .unwrap_or_else(|| "it names another user of this manifest".to_owned());
                    let message = format!("there is no user {} in this manifest", quoted(model.value.as_str()));
                    self.context.error("unknown-user", model.span, message).hint(hint);
                }
                continue;
            };
            if let Some(further) = copies
                .get(&model.value)
                .and_then(|user| user.same_permissions_as.as_ref())
            {
                let message = format!(
                    "user {} has another user's permissions itself",
                    quoted(model.value.as_str())
                );
                self.context
                    .error("same-permissions", model.span, message)
                    .related("named here", further.span)
                    .hint(format!(
                        "chains are not followed; name {} instead, or a group",
                        quoted(further.value.as_str())
                    ));
                continue;
            }
            if let Some(target) = users.get_mut(*name) {
                self.copy(target, source, model.span);
            }
        }
        users
    }

    fn copy(&mut self, target: &mut DesiredUser, source: &DesiredUser, span: Span) {
        target.groups.extend(source.groups.iter().cloned());
        target.managed_policies.extend(source.managed_policies.iter().cloned());
        let (name, model) = (quoted(target.name.as_str()), quoted(source.name.as_str()));
        for (policy, document) in &source.inline_policies {
            if target.inline_policies.contains_key(policy) {
                let policy = quoted(policy.as_str());
                self.context
                    .error(
                        "same-permissions",
                        span,
                        format!("users {name} and {model} both have an inline policy {policy}"),
                    )
                    .hint("what a user has itself is added to what it copies; give one of the two another name");
            } else {
                target.inline_policies.insert(policy.clone(), document.clone());
            }
        }
        match (&target.permissions_boundary, &source.permissions_boundary) {
            (_, BoundaryWish::Keep) => {}
            (BoundaryWish::Keep, copied) => target.permissions_boundary = copied.clone(),
            (own, copied) if own == copied => {}
            _ => {
                self.context
                    .error(
                        "same-permissions",
                        span,
                        format!("users {name} and {model} have different permissions boundaries"),
                    )
                    .hint("leave the boundary to the user that is copied, or do not copy");
            }
        }
    }
}

/// Fills in what the type sets. A user repeats no key of its type, so nothing is lost.
fn fill_in(user: &mut DesiredUser, settings: &DesiredUser) {
    let DesiredUser {
        name: _,
        path,
        previously: _,
        tags,
        groups,
        managed_policies,
        inline_policies,
        permissions_boundary,
        login_profile,
        reset_password: _,
        access_keys,
        mfa,
        expires,
        deliver_to,
    } = settings;
    user.path = user.path.take().or_else(|| path.clone());
    user.tags.extend(tags.clone());
    user.groups.extend(groups.iter().cloned());
    user.managed_policies.extend(managed_policies.iter().cloned());
    user.inline_policies.extend(inline_policies.clone());
    if user.permissions_boundary == BoundaryWish::Keep {
        user.permissions_boundary = permissions_boundary.clone();
    }
    user.login_profile = user.login_profile.or(*login_profile);
    user.access_keys = user.access_keys.take().or_else(|| access_keys.clone());
    user.mfa = user.mfa.or(*mfa);
    user.expires = user.expires.or(*expires);
    user.deliver_to.extend(deliver_to.iter().cloned());
}
