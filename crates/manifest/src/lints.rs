//! Documents with their places, for lints that are found elsewhere, and the rules that say which are meant.
//!
//! What a policy should not say is not known here: a finder is handed in. Here is only where to point, and what an
//! author has decided to leave as it is.

use std::collections::BTreeSet;

use jiff::civil::Date;
use trueup_model::{
    Desired, PolicyDocument, PolicyName,
    desired::{BoundaryWish, PolicyRef},
    glob_matches,
};

use crate::{
    Diagnostic, Parsed, Place, Related, Severity,
    context::Context,
    diagnostic::quoted,
    read::{Raw, document::Document, raw::RawInline, suggest::did_you_mean},
};

/// A document of a manifest, and where it stands.
#[derive(Debug, Clone)]
pub struct PlacedDocument {
    /// Whose it is, for example `policy/team` or `group/developers/inline-policy/own`.
    pub resource: String,
    /// The document.
    pub document: PolicyDocument,
    /// Where it stands; of a file, where the file is named.
    pub place: Place,
    /// The place of each statement.
    pub statements: Vec<Place>,
    /// Whether it is a managed policy that the manifest uses as a boundary and attaches to nobody: it grants nothing.
    pub is_boundary_alone: bool,
}

/// What an author knows and means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintRule {
    /// The lint's code.
    pub code: String,
    /// Where the code stands.
    pub place: Place,
    /// A glob of the documents' owners; `None`: all.
    pub resource: Option<String>,
    /// A glob of the statements' labels; `None`: all.
    pub statement: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day of the rule. A lapsed rule still holds, and is told in strict runs.
    pub until: Option<Date>,
    /// Whether it has ignored anything.
    pub is_used: bool,
}

/// A lint that was found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How much it matters.
    pub severity: Severity,
    /// Its code.
    pub code: &'static str,
    /// Which statement, counted from 0.
    pub index: usize,
    /// What to call the statement.
    pub statement: String,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

impl LintRule {
    /// Whether the last day is over.
    pub fn lapsed(&self, as_of: Date) -> bool {
        self.until.is_some_and(|until| as_of > until)
    }

    pub(crate) fn covers(&self, code: &str, resource: &str, statement: &str) -> bool {
        let fits = |glob: &Option<String>, text: &str| glob.as_ref().is_none_or(|glob| glob_matches(glob, text));
        self.code == code && fits(&self.resource, resource) && fits(&self.statement, statement)
    }
}

/// Whether a rule says that this is meant; the rules that say so count as used.
pub(crate) fn is_ignored(rules: &mut [LintRule], code: &str, resource: &str, statement: &str) -> bool {
    let mut is_ignored = false;
    for rule in rules.iter_mut().filter(|rule| rule.covers(code, resource, statement)) {
        rule.is_used = true;
        is_ignored = true;
    }
    is_ignored
}

/// The owner of an inline policy's document, in the names of plans.
pub(crate) fn inline_resource(owner: &str, policy: &RawInline) -> String {
    format!("{owner}/inline-policy/{}", policy.name.value)
}

/// The rules, with their places.
pub(crate) fn rules(context: &Context<'_>, raw: &Raw) -> Vec<LintRule> {
    let rules = raw.lint_rules.iter().map(|rule| LintRule {
        code: rule.code.value.clone(),
        place: context.place(rule.code.span),
        resource: rule.resource.clone(),
        statement: rule.statement.clone(),
        reason: rule.reason.clone(),
        until: rule.until,
        is_used: false,
    });
    rules.collect()
}

/// All documents of a manifest, with their places.
pub(crate) fn documents(context: &Context<'_>, raw: &Raw, desired: Option<&Desired>) -> Vec<PlacedDocument> {
    let boundaries = desired.map(boundaries_alone).unwrap_or_default();
    let mut found = Vec::new();
    let mut add = |resource: String, document: &Document, is_boundary_alone: bool| {
        found.push(PlacedDocument {
            resource,
            document: document.document.clone(),
            place: context.place(context.first_line(document.span)),
            statements: document.statements.iter().map(|span| context.place(*span)).collect(),
            is_boundary_alone,
        });
    };
    for policy in &raw.policies {
        if let Some(document) = &policy.document {
            let name = &policy.name.value;
            add(format!("policy/{name}"), document, boundaries.contains(name));
        }
    }
    let groups = raw
        .groups
        .iter()
        .map(|group| (format!("group/{}", group.name.value), &group.inline_policies));
    let users = raw
        .users
        .iter()
        .map(|user| (format!("user/{}", user.name.value), &user.settings.inline_policies));
    let types = raw
        .user_types
        .iter()
        .map(|kind| (format!("user-type/{}", kind.name.value), &kind.settings.inline_policies));
    for (owner, policies) in groups.chain(users).chain(types) {
        for policy in policies {
            if let Some(document) = &policy.document {
                add(inline_resource(&owner, policy), document, false);
            }
        }
    }
    found
}

/// Managed policies that limit and do not grant.
fn boundaries_alone(desired: &Desired) -> BTreeSet<&PolicyName> {
    let declared = |policy: &'_ PolicyRef| match policy {
        PolicyRef::Declared(name) => desired.policies.get_key_value(name).map(|(name, _)| name),
        PolicyRef::Arn(_) => None,
    };
    let boundaries = desired
        .users
        .values()
        .filter_map(|user| match &user.permissions_boundary {
            BoundaryWish::Present(policy) => declared(policy),
            BoundaryWish::Keep | BoundaryWish::Absent => None,
        });
    let groups = desired.groups.values().flat_map(|group| &group.managed_policies);
    let users = desired.users.values().flat_map(|user| &user.managed_policies);
    let attached: BTreeSet<_> = groups.chain(users).filter_map(declared).collect();
    boundaries.filter(|name| !attached.contains(name)).collect()
}

impl Parsed {
    /// Complains about rules that name a lint which is not known. `codes` are those of finders; the manifest's own are
    /// known here.
    pub fn check_lint_codes(&mut self, codes: &[&str]) {
        let known = || {
            codes
                .iter()
                .copied()
                .chain(trueup_model::document::LINT_CODES.iter().copied())
        };
        for rule in &mut self.lint_rules {
            if known().any(|code| code == rule.code) {
                continue;
            }
            let hint = did_you_mean(&rule.code, known());
            self.diagnostics.push(Diagnostic {
                severity: Severity::Error,
                code: "unknown-lint",
                message: format!("there is no lint {}", quoted(&rule.code)),
                place: Some(rule.place.clone()),
                hint: hint.or_else(|| Some("`docs/lints.md` lists them".to_owned())),
                related: Vec::new(),
            });
            self.desired = None;
            // One complaint about a rule is enough.
            rule.is_used = true;
        }
        self.diagnostics.sort_by(crate::context::by_place);
    }

    /// Adds what a finder finds in the documents and no rule ignores, and the rules that ignore nothing.
    pub fn lint(&mut self, find: &mut dyn FnMut(&PlacedDocument) -> Vec<Found>) {
        for document in &self.documents {
            for found in find(document) {
                let Found {
                    severity,
                    code,
                    index,
                    statement,
                    message,
                    hint,
                } = found;
                if is_ignored(&mut self.lint_rules, code, &document.resource, &statement) {
                    continue;
                }
                let place = document.statements.get(index).unwrap_or(&document.place);
                let related = (place.file != document.place.file).then(|| Related {
                    message: "used here".to_owned(),
                    place: document.place.clone(),
                });
                self.diagnostics.push(Diagnostic {
                    severity,
                    code,
                    message: format!("statement {}: {message}", quoted(&statement)),
                    place: Some(place.clone()),
                    hint,
                    related: related.into_iter().collect(),
                });
            }
        }
        for rule in self.lint_rules.iter().filter(|rule| !rule.is_used) {
            self.diagnostics.push(Diagnostic {
                severity: Severity::Warning,
                code: "unused-lint-rule",
                message: format!(
                    "this rule ignores nothing: no {} is found where it looks",
                    quoted(&rule.code)
                ),
                place: Some(rule.place.clone()),
                hint: Some("remove it".to_owned()),
                related: Vec::new(),
            });
        }
        self.diagnostics.sort_by(crate::context::by_place);
        self.diagnostics
            .dedup_by(|a, b| (a.code, &a.message, &a.place) == (b.code, &b.message, &b.place));
    }
}
