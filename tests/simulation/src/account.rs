//! The account as the sandbox keeps it, for judges that must not see it through trueup's own reader.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_sandbox::Sandbox;

/// Everything in an account that decides access, and everything that must not be made twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// Users by unique id, which survives a rename.
    pub users: BTreeMap<String, User>,
    /// Groups by unique id.
    pub groups: BTreeMap<String, Holder>,
    /// Roles by unique id.
    pub roles: BTreeMap<String, Role>,
    /// Customer managed policies by ARN.
    pub policies: BTreeMap<String, Policy>,
    /// MFA devices by serial, with the id of whoever has them.
    pub devices: BTreeMap<String, Option<String>>,
    /// The alias.
    pub alias: Option<String>,
    /// Everything, as it is kept.
    pub whole: Value,
}

/// Somebody or something that holds policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The name as stored.
    pub name: String,
    /// The path.
    pub path: String,
    /// ARNs of attached policies.
    pub attached: BTreeSet<String>,
    /// Documents of inline policies, by name as stored.
    pub inline: BTreeMap<String, String>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The user's own policies.
    pub own: Holder,
    /// Ids of groups.
    pub groups: BTreeSet<String>,
    /// The ARN of the boundary.
    pub boundary: Option<String>,
    /// Tags by key in lower case.
    pub tags: BTreeMap<String, String>,
    /// Whether there is a console password.
    pub password: bool,
    /// Ids of access keys, and whether they work.
    pub keys: BTreeMap<String, bool>,
    /// How many SSH keys, certificates and service-specific credentials there are.
    pub other_credentials: usize,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// The role's own policies.
    pub own: Holder,
    /// The ARN of the boundary.
    pub boundary: Option<String>,
    /// Tags by key in lower case.
    pub tags: BTreeMap<String, String>,
}

/// A customer managed policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The name as stored.
    pub name: String,
    /// Documents by version.
    pub versions: BTreeMap<u64, String>,
    /// The version in force.
    pub default: u64,
}

impl Policy {
    /// The document in force.
    pub fn document(&self) -> &str {
        self.versions.get(&self.default).map_or("", String::as_str)
    }
}

impl Account {
    /// The account as it is now.
    ///
    /// # Panics
    ///
    /// Where the sandbox keeps something else than what is expected here.
    pub fn of(sandbox: &Sandbox) -> Self {
        let whole = sandbox.to_json().expect("an account has a JSON form");
        let account_id = text(&whole["account_id"]);
        let arn = |kind: &str, path: &str, name: &str| format!("arn:aws:iam::{account_id}:{kind}{path}{name}");
        let users = members(&whole["users"]).map(|user| {
            let credentials = ["ssh_keys", "certificates", "service_credentials"];
            let found = User {
                own: Holder::of(&user["entity"]),
                groups: texts(&user["groups"]),
                boundary: user["boundary"].as_str().map(str::to_owned),
                tags: tags(&user["tags"]),
                password: user["login_profile"].is_object(),
                keys: entries(&user["access_keys"])
                    .map(|(id, key)| (id.clone(), key["active"] == true))
                    .collect(),
                other_credentials: credentials.iter().map(|kind| entries(&user[*kind]).count()).sum(),
            };
            (text(&user["entity"]["id"]), found)
        });
        let roles = members(&whole["roles"]).map(|role| {
            let found = Role {
                own: Holder::of(&role["entity"]),
                boundary: role["boundary"].as_str().map(str::to_owned),
                tags: tags(&role["tags"]),
            };
            (text(&role["entity"]["id"]), found)
        });
        let policies = members(&whole["policies"]).map(|policy| {
            let versions = entries(&policy["versions"]).map(|(number, version)| {
                let number = number.parse().expect("versions are numbered");
                (number, text(&version["document"]))
            });
            let found = Policy {
                name: text(&policy["name"]),
                versions: versions.collect(),
                default: policy["default_version"].as_u64().expect("one version is in force"),
            };
            (arn("policy", &text(&policy["path"]), &found.name), found)
        });
        Self {
            users: users.collect(),
            groups: members(&whole["groups"])
                .map(|group| (text(&group["entity"]["id"]), Holder::of(&group["entity"])))
                .collect(),
            roles: roles.collect(),
            policies: policies.collect(),
            devices: entries(&whole["mfa_devices"])
                .map(|(serial, device)| {
                    let owner = device["assigned"]["owner"].as_str().map(str::to_owned);
                    (serial.clone(), owner)
                })
                .collect(),
            alias: whole["alias"].as_str().map(str::to_owned),
            whole,
        }
    }

    /// The id of the user of this name.
    pub fn user_id(&self, name: &str) -> Option<&str> {
        let found = self
            .users
            .iter()
            .find(|(_, user)| user.own.name.eq_ignore_ascii_case(name));
        found.map(|(id, _)| id.as_str())
    }
}

impl Holder {
    fn of(entity: &Value) -> Self {
        Self {
            name: text(&entity["name"]),
            path: text(&entity["path"]),
            attached: texts(&entity["attached"]),
            inline: members(&entity["inline"])
                .map(|policy| (text(&policy["name"]), text(&policy["document"])))
                .collect(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn tags(value: &Value) -> BTreeMap<String, String> {
    members(value)
        .map(|tag| (text(&tag["key"]).to_lowercase(), text(&tag["value"])))
        .collect()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flatten().map(|(_, member)| member)
}
