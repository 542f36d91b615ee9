//! The query that finds who made a difference.

use std::collections::BTreeSet;

use trueup_planner::{Change, ChangeKind, Origin, Plan};

/// How many names a query asks for before it asks for every event of these kinds.
const NAMES: usize = 20;

/// A query for CloudTrail Lake, or for Athena with another table: what made the account move. `None` where nothing
/// moved. Times are UTC, as `2026-11-20 03:00:00`.
pub fn cloudtrail_query(plan: &Plan, from: Option<&str>, until: &str) -> Option<String> {
    // Of what is held and left, it is not known what it takes to bring it about.
    let differences = super::differences(plan);
    let is_known = |change: &Change| plan.only.is_none() || !plan.is_held(change);
    let moved = |change: &&Change| change.origin != Some(Origin::Pending) && is_known(change);
    let mut events = BTreeSet::new();
    let mut names = BTreeSet::new();
    for change in differences.iter().filter(moved) {
        events.extend(made_by(change));
        names.insert(change.resource.entity_name().to_owned());
        if let (true, Some(user)) = (change.resource.kind() == "member", change.resource.part_name()) {
            names.insert(user.to_owned());
        }
    }
    if events.is_empty() {
        return None;
    }
    let events: Vec<String> = events.into_iter().map(quoted).collect();
    let mut query = format!(
        "SELECT eventTime, userIdentity.arn, eventName, sourceIPAddress, requestParameters\nFROM EVENT_DATA_STORE_ID\n\
         WHERE eventSource = 'iam.amazonaws.com' AND errorCode IS NULL\n  AND eventName IN ({})\n",
        events.join(", ")
    );
    if names.len() <= NAMES && names.iter().all(|name| !name.is_empty()) {
        let asked: Vec<String> = names
            .iter()
            .map(|name| {
                format!(
                    "element_at(requestParameters, {}) = {}",
                    quoted(if kind_of_name(&differences, name) == "group" {
                        "groupName"
                    } else {
                        "userName"
                    }),
                    quoted(name)
                )
            })
            .collect();
        // A policy and a setting of the account have parameters of their own.
        if differences.iter().filter(moved).all(|change| {
            let entity = change.resource.entity();
            entity.kind() == "user" || entity.kind() == "group"
        }) {
            query.push_str(&format!("  AND ({})\n", asked.join(" OR ")));
        }
    }
    if let Some(from) = from {
        query.push_str(&format!("  AND eventTime >= {}\n", quoted(from)));
    }
    query.push_str(&format!("  AND eventTime <= {}\nORDER BY eventTime\n", quoted(until)));
    Some(query)
}

fn kind_of_name(differences: &[Change], name: &str) -> &'static str {
    let is_user = differences.iter().any(|change| {
        let entity = change.resource.entity();
        (entity.kind() == "user" && entity.entity_name() == name)
            || (change.resource.kind() == "member" && change.resource.part_name() == Some(name))
    });
    if is_user { "user" } else { "group" }
}

/// As SQL quotes text, without what would end a line.
fn quoted(text: impl AsRef<str>) -> String {
    let text: String = text.as_ref().chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", text.replace('\'', "''"))
}

/// The calls that bring such a difference about: what apply would undo.
fn made_by(change: &Change) -> Vec<String> {
    let entity = change.resource.entity();
    let holder = match entity.kind() {
        "group" => "Group",
        "role" => "Role",
        _ => "User",
    };
    let (is_missing, is_extra) = (change.change == ChangeKind::Create, change.change == ChangeKind::Delete);
    let either = |missing: &str, extra: &str, differs: &[&str]| -> Vec<String> {
        match (is_missing, is_extra) {
            (true, _) => vec![missing.to_owned()],
            (_, true) => vec![extra.to_owned()],
            _ => differs.iter().map(|event| (*event).to_owned()).collect(),
        }
    };
    match change.resource.kind() {
        "user" if change.fields.is_empty() || is_missing || is_extra => {
            either("DeleteUser", "CreateUser", &["UpdateUser"])
        }
        "user" => change
            .fields
            .iter()
            .flat_map(|field| match field.path.as_str() {
                "permissions_boundary" => vec!["PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"],
                path if path.starts_with("tags.") => vec!["TagUser", "UntagUser"],
                _ => vec!["UpdateUser"],
            })
            .map(str::to_owned)
            .collect(),
        "group" => either("DeleteGroup", "CreateGroup", &["UpdateGroup"]),
        "policy" => either(
            "DeletePolicy",
            "CreatePolicy",
            &[
                "CreatePolicyVersion",
                "SetDefaultPolicyVersion",
                "TagPolicy",
                "UntagPolicy",
            ],
        ),
        "member" => either("RemoveUserFromGroup", "AddUserToGroup", &[]),
        "managed-policy" => either(&format!("Detach{holder}Policy"), &format!("Attach{holder}Policy"), &[]),
        "inline-policy" => {
            let put = format!("Put{holder}Policy");
            either(&format!("Delete{holder}Policy"), &put, &[&put])
        }
        "login-profile" => either("DeleteLoginProfile", "CreateLoginProfile", &["UpdateLoginProfile"]),
        "access-key" => either("DeleteAccessKey", "CreateAccessKey", &["UpdateAccessKey"]),
        "alias" => either(
            "DeleteAccountAlias",
            "CreateAccountAlias",
            &["CreateAccountAlias", "DeleteAccountAlias"],
        ),
        "password-policy" => either(
            "DeleteAccountPasswordPolicy",
            "UpdateAccountPasswordPolicy",
            &["UpdateAccountPasswordPolicy"],
        ),
        _ => Vec::new(),
    }
}
