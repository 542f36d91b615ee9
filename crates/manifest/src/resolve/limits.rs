//! `files`: what a team's file may declare, so that owners of a file cannot reach beyond it.

use std::collections::BTreeMap;

use trueup_model::{
    Desired,
    desired::{BoundaryWish, MfaLevel},
    glob_matches_ignoring_case,
};

use crate::{
    context::{At, Context, SourceId, Span},
    diagnostic::quoted,
    read::{
        Raw,
        raw::{FileLimits, RawUser},
        suggest::{alternatives, did_you_mean},
    },
};

/// Keys by which a user gets permissions, or loses a limit, other than by its type and groups.
const BEYOND_LIMITS: &[&str] = &["managed_policies", "inline_policies", "permissions_boundary"];

/// Checks every listed file. Files that are not listed are free.
pub(super) fn check(context: &mut Context<'_>, raw: &Raw, desired: Option<&Desired>) {
    let files: BTreeMap<String, SourceId> = raw
        .files
        .iter()
        .map(|id| (context.source(*id).name.clone(), *id))
        .collect();
    let root = raw.root.map(|span| context.source(span.source).name.clone());
    for limits in &raw.file_limits {
        let file = &limits.file;
        if root.as_ref() == Some(&file.value) {
            context
                .error("file-limits", file.span, "the root file cannot be limited")
                .hint("it has the limits themselves; whoever edits it can edit them");
            continue;
        }
        let Some(source) = files.get(&file.value) else {
            if !context.incomplete {
                let hint = did_you_mean(&file.value, files.keys().map(String::as_str))
                    .unwrap_or_else(|| "the name is relative to the folder of the manifest".to_owned());
                context
                    .warning(
                        "file-limits",
                        file.span,
                        format!("there is no file {} in this manifest", quoted(&file.value)),
                    )
                    .hint(hint);
            }
            continue;
        };
        for user_type in &limits.types {
            let known = raw.user_types.iter().any(|known| known.name.value == user_type.value);
            if !known && !context.incomplete {
                let names = raw.user_types.iter().map(|known| known.name.value.as_str());
                let hint = did_you_mean(&user_type.value, names);
                let message = format!("there is no type {} in this manifest", quoted(&user_type.value));
                context.error("unknown-type", user_type.span, message).maybe_hint(hint);
            }
        }
        check_file(context, raw, desired, limits, *source);
    }
}

fn check_file(context: &mut Context<'_>, raw: &Raw, desired: Option<&Desired>, limits: &FileLimits, source: SourceId) {
    let is_here = |span: Span| span.source == source;
    let others = declared("group", raw.groups.iter().map(|group| &group.name))
        .chain(declared("policy", raw.policies.iter().map(|policy| &policy.name)))
        .chain(declared(
            "absent user",
            raw.absent_users.iter().map(|entry| &entry.name),
        ))
        .chain(declared(
            "absent group",
            raw.absent_groups.iter().map(|entry| &entry.name),
        ))
        .chain(declared(
            "absent policy",
            raw.absent_policies.iter().map(|entry| &entry.name),
        ));
    for (span, what) in others.filter(|(span, _)| is_here(*span)) {
        context
            .error(
                "file-limits",
                span,
                format!("this file may declare users only, not {what}"),
            )
            .related("limited here", limits.file.span);
    }
    for user in raw.users.iter().filter(|user| is_here(user.name.span)) {
        let mut check = UserCheck { context, limits, user };
        check.keys();
        check.path(desired);
        check.user_type();
        check.groups(desired);
    }
}

/// Declarations with their place and what messages call them.
fn declared<'r, N: std::fmt::Display + 'r>(
    kind: &'r str,
    names: impl Iterator<Item = &'r At<N>> + 'r,
) -> impl Iterator<Item = (Span, String)> + 'r {
    names.map(move |name| (name.span, format!("{kind} {}", quoted(&name.value.to_string()))))
}

struct UserCheck<'c, 'f, 'r> {
    context: &'c mut Context<'f>,
    limits: &'r FileLimits,
    user: &'r RawUser,
}

impl UserCheck<'_, '_, '_> {
    fn refuse(&mut self, span: Span, message: String, hint: String) {
        self.context
            .error("file-limits", span, message)
            .related("limited here", self.limits.file.span)
            .hint(hint);
    }

    fn keys(&mut self) {
        for (key, span) in &self.user.keys {
            let is_exempt = self.user.settings.mfa.is_some_and(|mfa| mfa.level == MfaLevel::Exempt);
            if BEYOND_LIMITS.contains(key) || (*key == "mfa" && is_exempt) {
                let hint =
                    "types and groups give permissions here; the root file and unlisted files are free".to_owned();
                self.refuse(*span, format!("users of this file cannot have `{key}`"), hint);
            }
        }
    }

    fn path(&mut self, desired: Option<&Desired>) {
        let resolved = desired.and_then(|desired| desired.users.get(&self.user.name.value));
        let path =
            resolved
                .and_then(|user| user.path.as_ref())
                .or(self.user.settings.path.as_ref().map(|path| &path.value));
        if path.is_some_and(|path| self.limits.paths.iter().any(|allowed| path.is_under(allowed))) {
            return;
        }
        let allowed: Vec<&str> = self.limits.paths.iter().map(|path| path.as_str()).collect();
        let name = quoted(self.user.name.value.as_str());
        let (span, message) = match (&self.user.settings.path, path) {
            (Some(written), _) => (
                written.span,
                format!(
                    "user {name} has the path {}, which this file may not use",
                    quoted(written.value.as_str())
                ),
            ),
            (None, Some(path)) => (
                self.user.name.span,
                format!(
                    "user {name} has the path {} of its type, which this file may not use",
                    quoted(path.as_str())
                ),
            ),
            (None, None) => (
                self.user.name.span,
                format!("user {name} has no path, and this file may not use `/`"),
            ),
        };
        let hint = match allowed.first() {
            Some(first) => format!(
                "write `path: {}`; allowed is what lies below {}",
                first,
                alternatives(allowed.clone())
            ),
            None => "this file may not use any path".to_owned(),
        };
        self.refuse(span, message, hint);
    }

    fn user_type(&mut self) {
        let allowed: Vec<&str> = self.limits.types.iter().map(|name| name.value.as_str()).collect();
        let name = quoted(self.user.name.value.as_str());
        let hint = match allowed.as_slice() {
            [] => "this file may not use types".to_owned(),
            allowed => format!("this file may use {}", alternatives(allowed.iter().copied())),
        };
        match &self.user.user_type {
            Some(user_type) if allowed.contains(&user_type.value.as_str()) => {}
            None if allowed.is_empty() => {}
            Some(user_type) => {
                let message = format!(
                    "user {name} has the type {}, which this file may not use",
                    quoted(&user_type.value)
                );
                self.refuse(user_type.span, message, hint);
            }
            None => self.refuse(self.user.name.span, format!("user {name} has no type"), hint),
        }
    }

    /// The user's own groups, and what it copies. The groups of its type are the root file's decision.
    fn groups(&mut self, desired: Option<&Desired>) {
        let may_use = |group: &str| {
            self.limits
                .groups
                .iter()
                .any(|glob| glob_matches_ignoring_case(glob, group))
        };
        let hint = match self.limits.groups.as_slice() {
            [] => "this file may not use groups".to_owned(),
            globs => format!("this file may use {}", alternatives(globs.iter().map(String::as_str))),
        };
        let beyond: Vec<_> = self
            .user
            .settings
            .groups
            .iter()
            .filter(|group| !may_use(group.value.as_str()))
            .collect();
        let copied = self.user.same_permissions_as.as_ref().and_then(|model| {
            let source = desired?.users.get(&model.value)?;
            let group = source.groups.iter().find(|group| !may_use(group.as_str())).cloned();
            let has_more = !(source.managed_policies.is_empty() && source.inline_policies.is_empty())
                || source.permissions_boundary == BoundaryWish::Absent;
            Some((model, group, has_more))
        });
        for group in beyond {
            let message = format!("this file may not use group {}", quoted(group.value.as_str()));
            self.refuse(group.span, message, hint.clone());
        }
        if let Some((model, group, has_more)) = copied {
            let name = quoted(model.value.as_str());
            if let Some(group) = group {
                let message = format!(
                    "user {name} is in group {}, which this file may not use",
                    quoted(group.as_str())
                );
                self.refuse(model.span, message, hint);
            } else if has_more {
                let message = format!(
                    "user {name} has policies or a removed boundary of its own, which users of this file cannot have"
                );
                self.refuse(
                    model.span,
                    message,
                    "name a user that has its permissions by groups".to_owned(),
                );
            }
        }
    }
}
