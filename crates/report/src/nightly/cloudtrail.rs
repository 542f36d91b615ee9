//! The query that finds who made a difference.
//!
//! It asks for events by the parameter that CloudTrail records of each: the user's name, the group's, the policy's name
//! or its ARN. It never asks for a name that cannot be shown as it is: where there is one, it asks for the events of all
//! names. Names are compared in lower case, as IAM tells them apart: an event has the spelling of the caller.

use std::collections::{BTreeMap, BTreeSet};

use trueup_planner::{Change, ChangeKind, Origin, Plan};

use crate::{changes::earlier_name, escape};

/// How many names a query asks for before it asks for every event of these kinds.
const NAMES: usize = 20;

/// By which parameters events are asked for. A member's events name a user and a group, and are both's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    User,
    /// A caller who names nobody means itself, and such an event has no parameters at all.
    Credential,
    Group,
    Member,
    Role,
    /// What is made has no ARN yet.
    PolicyName,
    PolicyArn,
    /// There is one of it.
    Nothing,
}

impl By {
    fn of(event: &str) -> Self {
        match event {
            "AddUserToGroup" | "RemoveUserFromGroup" => Self::Member,
            "CreateGroup" | "UpdateGroup" | "DeleteGroup" | "AttachGroupPolicy" | "DetachGroupPolicy"
            | "PutGroupPolicy" | "DeleteGroupPolicy" => Self::Group,
            "AttachRolePolicy" | "DetachRolePolicy" | "PutRolePolicy" | "DeleteRolePolicy" => Self::Role,
            "CreatePolicy" => Self::PolicyName,
            "DeletePolicy" | "CreatePolicyVersion" | "SetDefaultPolicyVersion" | "TagPolicy" | "UntagPolicy" => {
                Self::PolicyArn
            }
            "CreateAccountAlias"
            | "DeleteAccountAlias"
            | "UpdateAccountPasswordPolicy"
            | "DeleteAccountPasswordPolicy" => Self::Nothing,
            "CreateAccessKey"
            | "UpdateAccessKey"
            | "DeleteAccessKey"
            | "EnableMFADevice"
            | "UploadSSHPublicKey"
            | "UploadSigningCertificate"
            | "CreateServiceSpecificCredential" => Self::Credential,
            _ => Self::User,
        }
    }
}

/// What is asked for together.
#[derive(Debug, Default)]
struct Asked {
    events: BTreeSet<&'static str>,
    /// Of the user, the group, the role or the policy.
    names: BTreeSet<String>,
    /// Of the group, where a user has a name, too.
    groups: BTreeSet<String>,
}

/// A query for CloudTrail Lake: what made the account move. `None` where nothing moved. `from` is UTC, as `2026-11-20 03:00:00`; what is later than the reading is asked for, too, so that a plan has
/// one query whenever it is made.
pub fn cloudtrail_query(plan: &Plan, from: Option<&str>) -> Option<String> {
    // Of what is held and left, it is not known what it takes to bring it about.
    let is_known = |change: &Change| plan.only.is_none() || !plan.is_held(change);
    let differences = super::differences(plan);
    let moved = differences.iter();
    let moved = moved.filter(|change| change.origin != Some(Origin::Pending) && is_known(change));
    let live_names = LiveNames::of(plan);
    let mut asked: BTreeMap<By, Asked> = BTreeMap::new();
    for change in moved {
        let entity = change.resource.entity();
        let own = live_names.of_entity(entity.kind(), entity.entity_name());
        let member = change.resource.member_user();
        let member = member.map(|user| live_names.of_entity("user", user.entity_name()));
        for event in made_by(change) {
            let asked = asked.entry(By::of(event)).or_default();
            asked.events.insert(event);
            match &member {
                None => asked.names.extend(own.iter().cloned()),
                Some(user) => {
                    asked.names.extend(user.iter().cloned());
                    asked.groups.extend(own.iter().cloned());
                }
            }
        }
    }
    if asked.is_empty() {
        return None;
    }
    let groups: Vec<String> = asked.iter().map(|(by, asked)| condition(*by, asked)).collect();
    let mut query = format!(
        "SELECT eventTime, userIdentity.arn, eventName, sourceIPAddress, requestParameters\nFROM EVENT_DATA_STORE_ID\n\
         WHERE eventSource = 'iam.amazonaws.com' AND errorCode IS NULL\n  AND (\n    {}\n  )\n",
        groups.join("\n    OR ")
    );
    if let Some(from) = from {
        query.push_str(&format!("  AND eventTime >= {}\n", quoted(from)));
    }
    query.push_str("ORDER BY eventTime\n");
    Some(query)
}

/// The names that entities have in the account, by those that the manifest has.
struct LiveNames {
    /// By kind and name: the other name, and whether the manifest's was never live.
    renamed: BTreeMap<(String, String), (String, bool)>,
}

impl LiveNames {
    fn of(plan: &Plan) -> Self {
        let planned = plan.changes.iter().filter_map(|change| {
            let name = earlier_name(change.change, &change.fields)?;
            Some((&change.resource, name, change.origin))
        });
        let left = plan.left.iter().filter_map(|left| {
            let name = left.renamed_from.as_deref()?;
            Some((&left.resource, name, Some(left.origin)))
        });
        let renamed = planned.chain(left).map(|(resource, name, origin)| {
            let key = (resource.kind().to_owned(), resource.entity_name().to_owned());
            (key, (name.to_owned(), origin == Some(Origin::Pending)))
        });
        Self {
            renamed: renamed.collect(),
        }
    }

    /// Under which names events can be about it, in lower case.
    fn of_entity(&self, kind: &str, name: &str) -> Vec<String> {
        let renamed = self.renamed.get(&(kind.to_owned(), name.to_owned()));
        let (live, own) = match renamed {
            Some((live, true)) => (Some(live.as_str()), None),
            Some((live, false)) => (Some(live.as_str()), Some(name)),
            None => (None, Some(name)),
        };
        live.into_iter().chain(own).map(str::to_ascii_lowercase).collect()
    }
}

/// The events of one group, and for whom.
fn condition(by: By, asked: &Asked) -> String {
    let events: Vec<String> = asked.events.iter().map(quoted).collect();
    let mut terms = vec![format!("eventName IN ({})", events.join(", "))];
    let parameter = |name: &str| format!("lower(element_at(requestParameters, '{name}'))");
    let can_rename = asked
        .events
        .iter()
        .any(|event| matches!(*event, "UpdateUser" | "UpdateGroup"));
    let mut either = |names: &BTreeSet<String>, of: &[String]| {
        let Some(list) = list(names) else { return };
        let of: Vec<String> = of.iter().map(|of| format!("{of} IN ({list})")).collect();
        terms.push(match of.as_slice() {
            [one] => one.clone(),
            _ => format!("({})", of.join(" OR ")),
        });
    };
    let renamed = |name: &str, new: &str| -> Vec<String> {
        let new = can_rename.then(|| parameter(new));
        std::iter::once(parameter(name)).chain(new).collect()
    };
    match by {
        By::User => either(&asked.names, &renamed("userName", "newUserName")),
        By::Group => either(&asked.names, &renamed("groupName", "newGroupName")),
        By::Credential => {
            let caller = "lower(userIdentity.userName)".to_owned();
            either(&asked.names, &[parameter("userName"), caller]);
        }
        By::Member => {
            either(&asked.names, &[parameter("userName")]);
            either(&asked.groups, &[parameter("groupName")]);
        }
        By::Role => either(&asked.names, &[parameter("roleName")]),
        By::PolicyName => either(&asked.names, &[parameter("policyName")]),
        // Where a policy lies is not known here.
        By::PolicyArn => {
            let name = "lower(regexp_extract(element_at(requestParameters, 'policyArn'), '[^/]+$'))";
            either(&asked.names, &[name.to_owned()]);
        }
        By::Nothing => {}
    }
    format!("({})", terms.join(" AND "))
}

/// Names in SQL; `None` where all are asked for: there are many, or one of them cannot be shown as it is.
fn list(names: &BTreeSet<String>) -> Option<String> {
    let is_plain = |name: &String| !name.is_empty() && escape::text(name) == name.as_str();
    if names.is_empty() || names.len() > NAMES || !names.iter().all(is_plain) {
        return None;
    }
    Some(names.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

/// As SQL quotes text, with nothing in it that a reader does not see.
fn quoted(text: impl AsRef<str>) -> String {
    format!("'{}'", escape::text(text.as_ref()).replace('\'', "''"))
}

/// The calls that bring such a difference about: what apply would undo.
fn made_by(change: &Change) -> Vec<&'static str> {
    let is_missing = change.change == ChangeKind::Create;
    let is_extra = change.change == ChangeKind::Delete;
    // Of what is left, nothing more is known.
    let is_any = change.fields.is_empty();
    let either = |missing: &[&'static str], extra: &[&'static str], differs: &[&'static str]| -> Vec<&'static str> {
        match (is_missing, is_extra) {
            (true, _) => missing.to_vec(),
            (_, true) => extra.to_vec(),
            _ => differs.to_vec(),
        }
    };
    let of_fields = |missing: &[&'static str], extra: &[&'static str], of: fn(&str) -> &'static [&'static str]| {
        let differs: Vec<&'static str> = match is_any {
            // One field of each kind.
            true => ["path", "permissions_boundary", "tags.", "statement"]
                .into_iter()
                .flat_map(of)
                .copied()
                .collect(),
            false => change
                .fields
                .iter()
                .flat_map(|field| of(&field.path))
                .copied()
                .collect(),
        };
        either(missing, extra, &differs)
    };
    match change.resource.kind() {
        // Who has another name is missing under the one, and too many under the other.
        "user" => of_fields(
            &["DeleteUser", "UpdateUser"],
            &["CreateUser", "UpdateUser"],
            |path| match path.strip_prefix("tags.") {
                Some(_) => &["TagUser", "UntagUser"],
                None if path == "permissions_boundary" => {
                    &["PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"]
                }
                None => &["UpdateUser"],
            },
        ),
        "group" => either(
            &["DeleteGroup", "UpdateGroup"],
            &["CreateGroup", "UpdateGroup"],
            &["UpdateGroup"],
        ),
        "policy" => of_fields(&["DeletePolicy"], &["CreatePolicy"], |path| {
            match path.strip_prefix("tags.") {
                Some(_) => &["TagPolicy", "UntagPolicy"],
                // Neither can be changed: it is another policy of that name.
                None if path == "path" || path == "description" => &["DeletePolicy", "CreatePolicy"],
                None => &["CreatePolicyVersion", "SetDefaultPolicyVersion"],
            }
        }),
        "member" => either(&["RemoveUserFromGroup"], &["AddUserToGroup"], &[]),
        "managed-policy" => match change.resource.entity().kind() {
            "group" => either(&["DetachGroupPolicy"], &["AttachGroupPolicy"], &[]),
            "role" => either(&["DetachRolePolicy"], &["AttachRolePolicy"], &[]),
            _ => either(&["DetachUserPolicy"], &["AttachUserPolicy"], &[]),
        },
        "inline-policy" => match change.resource.entity().kind() {
            "group" => either(&["DeleteGroupPolicy"], &["PutGroupPolicy"], &["PutGroupPolicy"]),
            "role" => either(&["DeleteRolePolicy"], &["PutRolePolicy"], &["PutRolePolicy"]),
            _ => either(&["DeleteUserPolicy"], &["PutUserPolicy"], &["PutUserPolicy"]),
        },
        "login-profile" => either(
            &["DeleteLoginProfile"],
            &["CreateLoginProfile"],
            &["UpdateLoginProfile"],
        ),
        // A key that must not be there is made inactive before it is deleted.
        "access-key" => either(
            &["DeleteAccessKey"],
            &["CreateAccessKey"],
            &["CreateAccessKey", "UpdateAccessKey"],
        ),
        "mfa-device" => either(&[], &["EnableMFADevice"], &[]),
        "ssh-public-key" => either(&[], &["UploadSSHPublicKey"], &[]),
        "signing-certificate" => either(&[], &["UploadSigningCertificate"], &[]),
        "service-specific-credential" => either(&[], &["CreateServiceSpecificCredential"], &[]),
        "alias" => either(
            &["DeleteAccountAlias"],
            &["CreateAccountAlias"],
            &["CreateAccountAlias", "DeleteAccountAlias"],
        ),
        "password-policy" => either(
            &["DeleteAccountPasswordPolicy"],
            &["UpdateAccountPasswordPolicy"],
            &["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"],
        ),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn change(resource: &str, kind: &str, origin: &str, fields: &[(&str, &str)]) -> Value {
        let fields = fields.iter();
        let fields: Vec<Value> = fields
            .map(|(path, before)| json!({"path": path, "before": before, "after": null}))
            .collect();
        json!({
            "resource": resource, "change": kind, "origin": origin, "reason": "", "destructive": false, "fields": fields
        })
    }

    fn left(resource: &str, kind: &str, origin: &str, renamed_from: Option<&str>) -> Value {
        json!({"resource": resource, "change": kind, "origin": origin, "because": "", "renamed_from": renamed_from})
    }

    /// The lines of the query that say what is asked for.
    fn asked(changes: Vec<Value>, left: Vec<Value>) -> Vec<String> {
        let only = if left.is_empty() { Value::Null } else { json!("drift") };
        let plan: Plan = serde_json::from_value(json!({
            "format_version": "1.0", "tool_version": "0", "account_id": "123456789012", "as_of": "2026-11-20",
            "digest": "", "summary": {"create": 0, "update": 0, "delete": 0, "actions": 0},
            "overview": {"alias": null, "scope": {}, "managed": 0, "unchanged": 0, "untouchable": 0},
            "changes": changes, "actions": [], "requirements": [], "access": [], "unmanaged": [], "ignored": [],
            "guardrails": [], "notes": [], "facts": {}, "reads": {"total": 0, "by_operation": {}},
            "only": only, "left": left,
        }))
        .unwrap();
        let query = cloudtrail_query(&plan, None).unwrap_or_default();
        let lines = query.lines().filter(|line| line.contains("eventName IN"));
        lines.map(|line| line.trim().to_owned()).collect()
    }

    const USER: &str = "lower(element_at(requestParameters, 'userName'))";
    const GROUP: &str = "lower(element_at(requestParameters, 'groupName'))";

    #[test]
    fn each_kind_of_event_is_asked_for_by_its_own_parameter() {
        let found = asked(
            vec![
                change("account/alias", "update", "drift", &[("alias", "x")]),
                change("account/password-policy", "delete", "drift", &[]),
                change("group/ops/member/Bob", "create", "drift", &[]),
                change("group/ops/inline-policy/own", "update", "both", &[("statement", "x")]),
                change("policy/base", "update", "drift", &[("statement", "x")]),
                change("policy/new", "delete", "drift", &[]),
                change(
                    "user/alice/managed-policy/arn:aws:iam::aws:policy/X",
                    "delete",
                    "drift",
                    &[],
                ),
                change("user/carol", "create", "pending", &[]),
            ],
            Vec::new(),
        );
        let arn = "lower(regexp_extract(element_at(requestParameters, 'policyArn'), '[^/]+$'))";
        assert_eq!(
            found,
            [
                format!("(eventName IN ('AttachUserPolicy') AND {USER} IN ('alice'))"),
                format!("OR (eventName IN ('PutGroupPolicy') AND {GROUP} IN ('ops'))"),
                format!("OR (eventName IN ('RemoveUserFromGroup') AND {USER} IN ('bob') AND {GROUP} IN ('ops'))"),
                "OR (eventName IN ('CreatePolicy') AND lower(element_at(requestParameters, 'policyName')) IN ('new'))"
                    .to_owned(),
                format!("OR (eventName IN ('CreatePolicyVersion', 'SetDefaultPolicyVersion') AND {arn} IN ('base'))"),
                "OR (eventName IN ('CreateAccountAlias', 'DeleteAccountAlias', 'UpdateAccountPasswordPolicy'))"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn who_was_renamed_is_found_by_both_names() {
        let new_user = "lower(element_at(requestParameters, 'newUserName'))";
        let new_group = "lower(element_at(requestParameters, 'newGroupName'))";
        // Somebody gave a user the name that it had before; a group is missing under its name.
        let found = asked(
            vec![
                change("user/bob", "rename", "drift", &[("name", "bob.smith")]),
                change("group/ops", "create", "drift", &[("path", "/")]),
            ],
            Vec::new(),
        );
        assert_eq!(
            found,
            [
                format!(
                    "(eventName IN ('UpdateUser') AND ({USER} IN ('bob', 'bob.smith') OR {new_user} IN ('bob', \
                     'bob.smith')))"
                ),
                format!(
                    "OR (eventName IN ('DeleteGroup', 'UpdateGroup') AND ({GROUP} IN ('ops') OR {new_group} IN ('ops')))"
                ),
            ]
        );
    }

    #[test]
    fn a_rename_that_is_pending_has_never_been_live() {
        let attachment = change(
            "user/bob/managed-policy/arn:aws:iam::aws:policy/X",
            "delete",
            "drift",
            &[],
        );
        let planned = asked(
            vec![
                change("user/bob", "rename", "pending", &[("name", "bob.smith")]),
                attachment.clone(),
            ],
            Vec::new(),
        );
        assert_eq!(
            planned,
            [format!(
                "(eventName IN ('AttachUserPolicy') AND {USER} IN ('bob.smith'))"
            )]
        );
        let left = asked(
            vec![attachment],
            vec![
                left("user/bob", "rename", "pending", Some("bob.smith")),
                left("group/engineers", "rename", "pending", Some("developers")),
                left("group/engineers/member/bob", "create", "drift", None),
            ],
        );
        assert_eq!(
            left,
            [
                format!("(eventName IN ('AttachUserPolicy') AND {USER} IN ('bob.smith'))"),
                format!(
                    "OR (eventName IN ('RemoveUserFromGroup') AND {USER} IN ('bob.smith') AND {GROUP} IN ('developers'))"
                ),
            ]
        );
    }

    #[test]
    fn a_key_that_somebody_made_is_found_also_where_its_maker_named_nobody() {
        let inactive = change("user/ci/access-key/AKIA1", "update", "drift", &[("status", "Active")]);
        assert_eq!(
            asked(vec![inactive], Vec::new()),
            [format!(
                "(eventName IN ('CreateAccessKey', 'UpdateAccessKey') AND ({USER} IN ('ci') OR \
                 lower(userIdentity.userName) IN ('ci')))"
            )]
        );
    }

    #[test]
    fn of_what_is_left_every_event_is_asked_for() {
        for (resource, events) in [
            (
                "user/bob",
                ["'TagUser'", "'PutUserPermissionsBoundary'", "'UpdateUser'"],
            ),
            (
                "policy/base",
                ["'SetDefaultPolicyVersion'", "'TagPolicy'", "'CreatePolicy')"],
            ),
        ] {
            let found = asked(Vec::new(), vec![left(resource, "update", "both", None)]).join("\n");
            assert!(events.iter().all(|event| found.contains(event)), "{found}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_shown_is_asked_for_among_all() {
        for hostile in ["a\u{202e}b", "a\u{2028}b", "a\nb", "##[error]"] {
            let resource = format!("user/{hostile}/login-profile");
            let found = asked(
                vec![
                    change(&resource, "delete", "drift", &[]),
                    change("group/ops/inline-policy/x", "delete", "drift", &[]),
                ],
                Vec::new(),
            );
            assert_eq!(
                found,
                [
                    "(eventName IN ('CreateLoginProfile'))".to_owned(),
                    format!("OR (eventName IN ('PutGroupPolicy') AND {GROUP} IN ('ops'))"),
                ],
                "{hostile:?}"
            );
        }
        let found = asked(
            vec![change("user/o'neil/login-profile", "delete", "drift", &[])],
            Vec::new(),
        );
        assert_eq!(
            found,
            [format!(
                "(eventName IN ('CreateLoginProfile') AND {USER} IN ('o''neil'))"
            )]
        );
        let many = (0..=NAMES).map(|number| change(&format!("user/u{number}/login-profile"), "delete", "drift", &[]));
        assert_eq!(
            asked(many.collect(), Vec::new()),
            ["(eventName IN ('CreateLoginProfile'))"]
        );
    }
}
