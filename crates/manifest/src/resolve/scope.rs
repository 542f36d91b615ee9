//! What the manifest owns, and that everything it declares lies within.

use std::collections::BTreeSet;

use trueup_model::{Desired, IgnoreRule, KindScope, Path, Scope, Tags, glob_matches_ignoring_case};

use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    read::{
        Raw,
        raw::{RawAbsent, RawKindScope, RawTag},
    },
};

/// The scope with defaults filled in.
pub(super) fn resolve(raw: &Raw) -> Scope {
    let kind = |scope: &Option<RawKindScope>, declares_any: bool| match scope {
        None => KindScope::implied(declares_any),
        Some(scope) => KindScope {
            paths: match &scope.paths {
                None => BTreeSet::from([Path::root()]),
                Some(paths) => paths.iter().cloned().collect(),
            },
            unmanaged: scope.unmanaged,
        },
    };
    // What must not exist has to be owned to be deleted.
    Scope {
        users: kind(&raw.scope.users, !(raw.users.is_empty() && raw.absent_users.is_empty())),
        groups: kind(
            &raw.scope.groups,
            !(raw.groups.is_empty() && raw.absent_groups.is_empty()),
        ),
        policies: kind(
            &raw.scope.policies,
            !(raw.policies.is_empty() && raw.absent_policies.is_empty()),
        ),
        ignore_tags: raw.scope.ignore_tags.iter().map(|tag| tag.value.clone()).collect(),
        ignore: raw
            .scope
            .ignore
            .iter()
            .map(|rule| IgnoreRule {
                target: rule.target.value.clone(),
                reason: rule.reason.clone(),
                until: rule.until,
            })
            .collect(),
    }
}

/// A declared entity outside the scope, or matched by an ignore rule, is an error.
pub(super) fn check(context: &mut Context<'_>, raw: &Raw, desired: Option<&Desired>) {
    let scope = resolve(raw);
    let mut checks = Checks {
        context,
        raw,
        scope: &scope,
    };
    for user in &raw.users {
        let resolved = desired.and_then(|desired| desired.users.get(&user.name.value));
        // The path and tags may be the type's.
        let path = resolved.map_or(user.settings.path.as_ref().map(|path| &path.value), |user| {
            user.path.as_ref()
        });
        let no_tags = Tags::new();
        let tags = resolved.map_or(&no_tags, |user| &user.tags);
        let what = format!("user {}", quoted(user.name.value.as_str()));
        checks.path(&what, &scope.users, path, user.settings.path.as_ref(), user.name.span);
        checks.rule(
            &what,
            scope.ignores_user(user.name.value.as_str(), tags),
            user.name.span,
        );
        checks.tags(&user.settings.tags);
        for old in &user.previously {
            let what = format!("the earlier name {}", quoted(old.value.as_str()));
            checks.rule(&what, scope.ignores_user(old.value.as_str(), &no_tags), old.span);
        }
    }
    for group in &raw.groups {
        let what = format!("group {}", quoted(group.name.value.as_str()));
        let path = group.path.as_ref().map(|path| &path.value);
        checks.path(&what, &scope.groups, path, group.path.as_ref(), group.name.span);
        checks.rule(&what, scope.ignores_group(group.name.value.as_str()), group.name.span);
        for old in &group.previously {
            let what = format!("the earlier name {}", quoted(old.value.as_str()));
            checks.rule(&what, scope.ignores_group(old.value.as_str()), old.span);
        }
    }
    for policy in &raw.policies {
        let what = format!("policy {}", quoted(policy.name.value.as_str()));
        let path = policy.path.as_ref().map(|path| &path.value);
        let tags = policy
            .tags
            .iter()
            .map(|tag| (tag.key.value.clone(), tag.value.clone()))
            .collect();
        checks.path(&what, &scope.policies, path, policy.path.as_ref(), policy.name.span);
        checks.rule(
            &what,
            scope.ignores_policy(policy.name.value.as_str(), &tags),
            policy.name.span,
        );
        checks.tags(&policy.tags);
    }
    for user_type in &raw.user_types {
        checks.tags(&user_type.settings.tags);
    }
    let no_tags = Tags::new();
    checks.absent("user", &scope.users, &raw.absent_users, |name| {
        scope.ignores_user(name, &no_tags)
    });
    checks.absent("group", &scope.groups, &raw.absent_groups, |name| {
        scope.ignores_group(name)
    });
    checks.absent("policy", &scope.policies, &raw.absent_policies, |name| {
        scope.ignores_policy(name, &no_tags)
    });
}

struct Checks<'c, 'f, 's> {
    context: &'c mut Context<'f>,
    raw: &'s Raw,
    scope: &'s Scope,
}

impl Checks<'_, '_, '_> {
    fn path(&mut self, what: &str, scope: &KindScope, path: Option<&Path>, written: Option<&At<Path>>, name: Span) {
        let root = Path::root();
        if scope.contains(path.unwrap_or(&root)) {
            return;
        }
        let span = written.map_or(name, |path| path.span);
        let owned: Vec<String> = scope.paths.iter().map(|path| quoted(path.as_str())).collect();
        let hint = match owned.as_slice() {
            [] => "the scope says that nothing of this kind is owned".to_owned(),
            owned => format!("the scope is {}", owned.join(", ")),
        };
        let message = match path {
            Some(path) if path.is_reserved() => {
                format!("{what} has the path {}, which belongs to AWS", quoted(path.as_str()))
            }
            Some(path) => format!(
                "{what} has the path {}, which is outside the scope",
                quoted(path.as_str())
            ),
            // Where it exists it may well lie within the scope: only the live account knows.
            None if !scope.paths.is_empty() => {
                self.context
                    .warning(
                        "no-path",
                        span,
                        format!("{what} has no path; a new one is made at `/`, outside the scope"),
                    )
                    .hint(format!("{hint}; say which path is meant"));
                return;
            }
            None => format!("{what} is outside the scope"),
        };
        self.context.error("out-of-scope", span, message).hint(hint);
    }

    fn rule(&mut self, what: &str, rule: Option<&IgnoreRule>, span: Span) {
        let Some(rule) = rule else { return };
        let place = self.raw.scope.ignore.iter().find(|raw| raw.target.value == rule.target);
        let draft = self
            .context
            .error("ignored", span, format!("{what} is left alone by an ignore rule"));
        if let Some(place) = place {
            draft.related("the rule", place.target.span);
        }
        draft.hint("take the entry out, or make the rule narrower");
    }

    /// A tag that is left alone everywhere cannot be declared.
    fn tags(&mut self, tags: &[RawTag]) {
        for tag in tags {
            let rule = self
                .raw
                .scope
                .ignore_tags
                .iter()
                .find(|glob| glob_matches_ignoring_case(&glob.value, &tag.key.value));
            if let Some(rule) = rule.filter(|_| self.scope.ignores_tag(&tag.key.value)) {
                self.context
                    .error(
                        "ignored",
                        tag.key.span,
                        format!("the tag {} is left alone by `ignore_tags`", quoted(&tag.key.value)),
                    )
                    .related("the rule", rule.span)
                    .hint("take the tag out, or make the rule narrower");
            }
        }
    }

    fn absent<'s, N: std::fmt::Display>(
        &mut self,
        kind: &str,
        scope: &KindScope,
        entries: &[RawAbsent<N>],
        rule: impl Fn(&str) -> Option<&'s IgnoreRule>,
    ) {
        for entry in entries {
            let name = entry.name.value.to_string();
            let what = format!("absent {kind} {}", quoted(&name));
            self.rule(&what, rule(&name), entry.name.span);
            if scope.paths.is_empty() {
                self.context
                    .error("out-of-scope", entry.name.span, format!("{what} is outside the scope"))
                    .hint("the scope says that nothing of this kind is owned");
            }
        }
    }
}
