//! What is different between the plan that was reviewed and the plan of now.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::Resource;
use trueup_planner::{Change, Plan};

/// One thing that moved since the review, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What moved; `None`: the run as a whole, such as its date.
    pub resource: Option<Resource>,
    /// How.
    pub how: &'static str,
}

/// Names what makes two plans differ: live facts first, then what the manifest asks for. Empty where the documents
/// differ in nothing that this version knows.
pub fn what_moved(reviewed: &Plan, now: &Plan) -> Vec<Moved> {
    let run = |how| Moved { resource: None, how };
    let mut moved = Vec::new();
    if reviewed.account_id != now.account_id {
        moved.push(run("the account is another one"));
    }
    if reviewed.as_of != now.as_of {
        moved.push(run("the date (--as-of) is another one"));
    }
    if reviewed.tool_version != now.tool_version {
        moved.push(run("the version of trueup is another one"));
    }
    let resources: BTreeSet<&Resource> = reviewed.facts.keys().chain(now.facts.keys()).collect();
    for resource in resources {
        let how = match (reviewed.facts.get(resource), now.facts.get(resource)) {
            (None, Some(_)) => "is live now and was not",
            (Some(_), None) => "was live and is gone",
            (Some(before), Some(after)) if before != after => "has changed in the account",
            _ => continue,
        };
        moved.push(Moved {
            resource: Some(resource.clone()),
            how,
        });
    }
    let named: BTreeSet<Resource> = moved.iter().filter_map(|one| one.resource.clone()).collect();
    let before = planned(reviewed);
    let after = planned(now);
    let resources: BTreeSet<&Resource> = before.keys().chain(after.keys()).copied().collect();
    for resource in resources {
        if before.get(resource) != after.get(resource) && !named.contains(&resource.entity()) {
            moved.push(Moved {
                resource: Some(resource.clone()),
                how: "is asked for otherwise than in the reviewed plan",
            });
        }
    }
    moved
}

fn planned(plan: &Plan) -> BTreeMap<&Resource, &Change> {
    plan.changes.iter().map(|change| (&change.resource, change)).collect()
}
