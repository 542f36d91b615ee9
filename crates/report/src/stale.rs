//! What is different between the plan that was reviewed and the plan of now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::Resource;
use trueup_planner::{ABSENT_FACT, Change, ChangeKind, Plan};

use crate::{escape, value};

/// One thing that moved since the review, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What moved; `None`: the run as a whole, such as its date.
    pub resource: Option<Resource>,
    /// How; escaped.
    pub how: String,
}

/// Names what makes two plans differ: live facts first, then what the manifest asks for. Empty where the documents
/// differ in nothing that this version knows.
pub fn what_moved(reviewed: &Plan, now: &Plan) -> Vec<Moved> {
    let mut moved = of_the_run(reviewed, now);
    let facts = of_the_account(reviewed, now);
    let mut named: BTreeSet<Resource> = BTreeSet::new();
    for (resource, _) in &facts {
        named.insert(resource.entity());
        named.extend(resource.member_user());
    }
    moved.extend(facts.into_iter().map(|(resource, how)| Moved {
        resource: Some(resource),
        how,
    }));
    let (before, after) = (planned(reviewed), planned(now));
    let resources: BTreeSet<&Resource> = before.keys().chain(after.keys()).copied().collect();
    // A membership is its user's as much as its group's.
    let is_named = |resource: &Resource| {
        named.contains(&resource.entity()) || resource.member_user().is_some_and(|user| named.contains(&user))
    };
    let manifest = Resource::manifest();
    let is_same_wish = reviewed.facts.get(&manifest) == now.facts.get(&manifest)
        && reviewed.as_of == now.as_of
        // Another version may plan otherwise.
        && reviewed.tool_version == now.tool_version
        // Whose digest is that of now was edited: the account has not moved.
        && reviewed.digest != now.digest
        // What a limited plan leaves depends on the receipt, too.
        && reviewed.only.is_none()
        && now.only.is_none();
    for resource in resources.into_iter().filter(|resource| !is_named(resource)) {
        let how = match (before.get(resource), after.get(resource)) {
            (Some(before), None) => Some(no_more(before, is_same_wish)),
            (None, Some(after)) => Some(planned_now(after, is_same_wish)),
            (Some(before), Some(after)) if !asks_for_the_same(before, after) => {
                Some("is asked for otherwise than in the reviewed plan".to_owned())
            }
            _ => None,
        };
        moved.extend(how.map(|how| Moved {
            resource: Some(resource.clone()),
            how,
        }));
    }
    moved
}

/// Why a change is in words, and whether it drifted is told only where a baseline is named: neither is asked for.
fn asks_for_the_same(before: &Change, after: &Change) -> bool {
    let Change {
        resource: _,
        change,
        reason: _,
        destructive,
        fields,
        origin: _,
    } = before;
    (*change, *destructive, fields) == (after.change, after.destructive, &after.fields)
}

fn verb(change: &Change) -> &'static str {
    match change.change {
        ChangeKind::Create => "created",
        ChangeKind::Update => "changed",
        ChangeKind::Delete => "deleted",
        ChangeKind::Rename => "renamed",
    }
}

/// A change that was reviewed and is planned no longer. Where the same is asked for, the account has moved.
fn no_more(change: &Change, is_same_wish: bool) -> String {
    let verb = verb(change);
    let because = match change.change {
        _ if !is_same_wish => "",
        ChangeKind::Create => ": it is live now",
        ChangeKind::Delete => ": it is gone from the account",
        ChangeKind::Update | ChangeKind::Rename => ": it has changed in the account, or is gone",
    };
    format!("was to be {verb} and is not any more{because}")
}

/// A change that is planned now and was not reviewed.
fn planned_now(change: &Change, is_same_wish: bool) -> String {
    let verb = verb(change);
    let because = match change.change {
        _ if !is_same_wish => "",
        ChangeKind::Create => ": it is gone from the account",
        ChangeKind::Delete => ": it is live now",
        ChangeKind::Update | ChangeKind::Rename => ": it has changed in the account",
    };
    format!("is to be {verb} now and was not{because}")
}

fn of_the_run(reviewed: &Plan, now: &Plan) -> Vec<Moved> {
    let manifest = Resource::manifest();
    let differences = [
        (
            reviewed.account_id != now.account_id,
            "the account is another one".to_owned(),
        ),
        (
            reviewed.as_of != now.as_of,
            format!("the date is another one: {}, and it was {}", now.as_of, reviewed.as_of),
        ),
        (
            reviewed.tool_version != now.tool_version,
            format!(
                "the version of trueup is another one: {}, and it was {}",
                escape::text(&now.tool_version),
                escape::text(&reviewed.tool_version)
            ),
        ),
        (
            reviewed.facts.get(&manifest) != now.facts.get(&manifest),
            "the manifest means something else than it did".to_owned(),
        ),
    ];
    let differing = differences.into_iter().filter(|(differs, _)| *differs);
    differing.map(|(_, how)| Moved { resource: None, how }).collect()
}

/// Every fact that differs. What comes or goes takes its parts along without a word for each.
fn of_the_account(reviewed: &Plan, now: &Plan) -> Vec<(Resource, String)> {
    let live = |fact: Option<&String>| fact.is_some_and(|fact| fact != ABSENT_FACT);
    let mut moved: Vec<(Resource, String)> = Vec::new();
    let mut whole: BTreeSet<Resource> = BTreeSet::new();
    let resources: BTreeSet<&Resource> = reviewed.facts.keys().chain(now.facts.keys()).collect();
    // Ordered by text, so that an entity stands before its parts.
    for resource in resources {
        if *resource == Resource::manifest() || whole.contains(&resource.entity()) {
            continue;
        }
        let (before, after) = (reviewed.facts.get(resource), now.facts.get(resource));
        if before == after {
            continue;
        }
        let how = match (live(before), live(after)) {
            (false, true) if before.is_none() && !resource.is_part() => "is looked at now, and was not",
            (false, true) => "is live now and was not",
            (true, false) if after.is_none() && !resource.is_part() => "is gone, or looked at no longer",
            (true, false) => "was live and is gone",
            (true, true) => "has changed in the account",
            (false, false) => continue,
        };
        if live(before) != live(after) && !resource.is_part() {
            whole.insert(resource.clone());
        }
        let values = if live(before) && live(after) || resource.is_part() {
            values(reviewed, now, resource)
        } else {
            String::new()
        };
        moved.push((resource.clone(), format!("{how}{values}")));
    }
    moved
}

/// The value before and now, where the two plans tell.
fn values(reviewed: &Plan, now: &Plan, resource: &Resource) -> String {
    let path = match (resource.kind(), resource.part_name()) {
        ("tag", Some(key)) => format!("tags.{key}"),
        ("permissions-boundary", _) => "permissions_boundary".to_owned(),
        ("user" | "group" | "policy", _) => "path".to_owned(),
        _ => return String::new(),
    };
    let entity = resource.entity();
    let field = |plan: &'_ Plan| -> Option<(Value, Value)> {
        let change = plan.changes.iter().find(|change| change.resource == entity)?;
        let field = change.fields.iter().find(|field| field.path == path)?;
        Some((field.before.clone(), field.after.clone()))
    };
    // Where a plan does not change it, it was as the other one asks.
    let (was, is) = match (field(reviewed), field(now)) {
        (Some((was, _)), Some((is, _))) => (was, is),
        (Some((was, asked)), None) => (was, asked),
        (None, Some((is, asked))) => (asked, is),
        (None, None) => return String::new(),
    };
    if was == is {
        return String::new();
    }
    let word = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        value => escape::text(&value::inline(value)).into_owned(),
    };
    format!(": it was {}, and is {}", word(&was), word(&is))
}

fn planned(plan: &Plan) -> BTreeMap<&Resource, &Change> {
    plan.changes.iter().map(|change| (&change.resource, change)).collect()
}
