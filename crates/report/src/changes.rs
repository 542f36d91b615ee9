//! What differs, grouped by entity: `user/alice`, and below it everything that hangs off it.

use std::collections::BTreeMap;

use serde_json::Value;
use trueup_model::Resource;
use trueup_planner::{Change, ChangeKind, Field, Origin};

use crate::{
    TextOptions, Verbosity,
    page::{Page, Sign},
    value,
};

/// Columns of the signs of entities, and of their parts and fields.
const ENTITY: usize = 2;
const PART: usize = 6;

/// Writes every change.
pub(crate) fn render(page: &mut Page, changes: &[Change], options: &TextOptions) {
    let mut by_entity: BTreeMap<Resource, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_entity.entry(change.resource.entity()).or_default().push(change);
    }
    for (entity, changes) in &by_entity {
        page.gap();
        let (own, parts): (Vec<_>, Vec<_>) = changes
            .iter()
            .copied()
            .partition(|change: &&Change| !change.resource.is_part());
        if own.is_empty() {
            page.line(ENTITY + 2).bold(entity.as_str());
        }
        for change in &own {
            entry(page, ENTITY, change, change.resource.as_str(), None, options);
        }
        for change in parts {
            let label = part_label(&change.resource, entity);
            entry(page, PART, change, label, own.first().copied(), options);
        }
    }
}

/// What stands after the entity's name: `inline-policy/audit` for `user/alice/inline-policy/audit`.
pub(crate) fn part_label<'a>(part: &'a Resource, entity: &Resource) -> &'a str {
    part.as_str()
        .strip_prefix(entity.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(part.as_str())
}

/// Whether a part comes, goes or differs for no other reason than its entity, so that saying why tells nothing new.
pub(crate) fn goes_without_saying(part: &Change, entity: &Change) -> bool {
    let shares_fate = part.change == entity.change && matches!(part.change, ChangeKind::Create | ChangeKind::Delete);
    shares_fate || part.reason == entity.reason
}

/// Writes one change and its fields. `entity` is the change of the entity that it is a part of.
fn entry(page: &mut Page, indent: usize, change: &Change, label: &str, entity: Option<&Change>, options: &TextOptions) {
    let Change {
        resource: _,
        change: kind,
        reason,
        destructive,
        fields,
        origin,
    } = change;
    let sign = match kind {
        ChangeKind::Create => Sign::Add,
        ChangeKind::Update | ChangeKind::Rename => Sign::Change,
        ChangeKind::Delete => Sign::Remove,
    };
    let renamed_from = earlier_name(*kind, fields);
    let mut line = page.line(indent).sign(sign).bold(label);
    if let Some(name) = renamed_from {
        line = line.text(" (renamed from ").text(name).text(")");
    }
    let told = entity.is_some_and(|entity| goes_without_saying(change, entity))
        || renamed_from.is_some_and(|name| *reason == format!("renamed from {name}"));
    if !reason.is_empty() && (!told || options.verbosity == Verbosity::Verbose) {
        line = line.dim(" (because ").dim(reason).dim(")");
    }
    if *destructive {
        line = line.text(" ").bad("(destructive)");
    }
    if let Some(origin) = origin {
        line = line.text(" ").warning(&format!("[{}]", origin_words(*origin)));
    }
    drop(line);
    for field in fields {
        if renamed_from.is_some() && field.path == "name" {
            continue;
        }
        value::field(page, indent + 4, *kind, field, options);
    }
}

/// Whether the account moved or the manifest.
pub(crate) fn origin_words(origin: Origin) -> &'static str {
    match origin {
        Origin::Drift => "drift",
        Origin::Pending => "pending",
        Origin::Both => "drift and pending",
    }
}

/// The live name of what is renamed.
pub(crate) fn earlier_name(kind: ChangeKind, fields: &[Field]) -> Option<&str> {
    if kind != ChangeKind::Rename {
        return None;
    }
    fields
        .iter()
        .find(|field| field.path == "name")
        .and_then(|field| match &field.before {
            Value::String(name) => Some(name.as_str()),
            _ => None,
        })
}
