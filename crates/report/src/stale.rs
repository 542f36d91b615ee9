//! What is different between the plan that was reviewed and the plan of now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_model::{Resource, UserName};
use trueup_planner::{ABSENT_FACT, Change, Plan};

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
        if let (true, Some(user)) = (resource.kind() == "member", resource.part_name()) {
            named.insert(Resource::user(&UserName::from_live(user)));
        }
    }
    moved.extend(facts.into_iter().map(|(resource, how)| Moved {
        resource: Some(resource),
        how,
    }));
    let (before, after) = (planned(reviewed), planned(now));
    let resources: BTreeSet<&Resource> = before.keys().chain(after.keys()).copied().collect();
    for resource in resources {
        if before.get(resource) != after.get(resource) && !named.contains(&resource.entity()) {
            moved.push(Moved {
                resource: Some(resource.clone()),
                how: "is asked for otherwise than in the reviewed plan".to_owned(),
            });
        }
    }
    moved
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
