//! A desired state as the text of a manifest, in one file or many, with keys in any order: the way back from what the
//! manifest's own parser gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trueup_manifest::{MemoryFiles, Parsed, Severity, render};
use trueup_model::{
    Desired, IgnoreTarget, InlinePolicyName, KindScope, PasswordPolicy, PolicyDocument, Unmanaged,
    desired::{
        AccessKeysWish, AfterExpiry, AliasWish, BoundaryWish, DeletionLimit, DesiredGroup, DesiredPolicy, DesiredUser,
        Expiry, LoginProfileWish, MfaLevel, MfaRequirement, PasswordPolicyWish, PolicyRef,
    },
};

use crate::random::Random;

/// The text of a manifest's files, by name.
pub type Files = BTreeMap<String, String>;

/// The manifest as one file with its keys in the order of the alphabet. YAML takes JSON for what it is.
pub fn one_file(desired: &Desired) -> Files {
    let text = serde_json::to_string_pretty(&whole(desired)).expect("JSON can be written");
    Files::from([("trueup.yaml".to_owned(), text)])
}

/// What is brought into an order of chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shuffle {
    /// Names and keys, but for those inside policy documents, which are sent as they were written.
    AllButDocuments,
    /// All keys.
    Everything,
}

/// The manifest in several files, with names and keys in an order of chance.
pub fn shuffled(desired: &Desired, shuffle: Shuffle, random: &mut Random) -> Files {
    let Value::Object(mut root) = whole(desired) else {
        unreachable!("a manifest is a mapping")
    };
    let mut files: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for section in ["policies", "groups", "users"] {
        let Some(Value::Object(entries)) = root.remove(section) else {
            continue;
        };
        for (name, entry) in entries {
            let file = format!("{}/part-{}.yaml", random.pick(&["a", "b"]), random.below(3));
            let part = files
                .entry(file)
                .or_default()
                .entry(section)
                .or_insert_with(|| json!({}));
            part[name] = entry;
        }
    }
    let mut files: Vec<(String, Map<String, Value>)> = files.into_iter().collect();
    files.push(("main.yml".to_owned(), root));
    let files = files.into_iter().map(|(name, sections)| {
        let text = in_any_order(&Value::Object(sections), shuffle, random);
        (name, text)
    });
    files.collect()
}

/// Reads files as `trueup` does.
///
/// # Errors
///
/// What the author would see, where there is any error.
pub fn parse(files: &Files) -> Result<Desired, String> {
    let files = MemoryFiles::new(files.iter().map(|(name, text)| (name.clone(), text.clone())));
    let Parsed {
        desired, diagnostics, ..
    } = trueup_manifest::parse(&files);
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|diagnostic| render(std::slice::from_ref(diagnostic), false))
        .collect();
    match desired {
        Some(desired) if errors.is_empty() => Ok(desired),
        _ => Err(format!("the manifest is refused:\n{}", errors.join("\n"))),
    }
}

fn in_any_order(value: &Value, shuffle: Shuffle, random: &mut Random) -> String {
    match value {
        Value::Object(members) => {
            let is_document = members.contains_key("Statement");
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            if is_document && shuffle == Shuffle::AllButDocuments {
                return value.to_string();
            }
            random.shuffle(&mut members);
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, value)| format!("{}: {}", json!(key), in_any_order(value, shuffle, random)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| in_any_order(item, shuffle, random)).collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// A mapping of what is there.
fn mapping<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let there = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect())
}

fn named<K: ToString, V>(entries: &BTreeMap<K, V>, write: impl Fn(&V) -> Value) -> Option<Value> {
    let entries = entries.iter().map(|(name, value)| (name.to_string(), write(value)));
    let entries: Map<String, Value> = entries.collect();
    (!entries.is_empty()).then_some(Value::Object(entries))
}

fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Option<Value> {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| json!(items))
}

fn whole(desired: &Desired) -> Value {
    let account = &desired.account;
    let absent = mapping([
        (
            "users",
            named(&desired.absent.users, |absent| {
                mapping([
                    ("reason", Some(json!(absent.reason))),
                    ("quarantine_days", absent.quarantine_days.map(|days| json!(days))),
                ])
            }),
        ),
        (
            "groups",
            named(&desired.absent.groups, |reason| json!({"reason": reason})),
        ),
        (
            "policies",
            named(&desired.absent.policies, |reason| json!({"reason": reason})),
        ),
    ]);
    let external = mapping([
        ("groups", texts(&desired.external.groups)),
        ("policies", texts(&desired.external.policies)),
    ]);
    let root = mapping([
        ("mfa", account.root.mfa_required.then(|| json!("required"))),
        (
            "access_keys",
            account.root.access_keys_forbidden.then(|| json!("forbidden")),
        ),
        (
            "signing_certificates",
            account.root.signing_certificates_forbidden.then(|| json!("forbidden")),
        ),
    ]);
    let filled = |value: Value| {
        value
            .as_object()
            .is_some_and(|members| !members.is_empty())
            .then_some(value)
    };
    mapping([
        ("version", Some(json!(1))),
        (
            "account",
            Some(mapping([
                ("id", Some(json!(account.id.as_str()))),
                (
                    "alias",
                    account.alias.as_ref().map(|alias| match alias {
                        AliasWish::Absent => json!(""),
                        AliasWish::Present(alias) => json!(alias.as_str()),
                    }),
                ),
                (
                    "password_policy",
                    account.password_policy.as_ref().map(|wish| match wish {
                        PasswordPolicyWish::AwsDefault => json!("aws-default"),
                        PasswordPolicyWish::Custom(policy) => password_policy(policy),
                    }),
                ),
                ("root", filled(root)),
            ])),
        ),
        ("scope", Some(scope(desired))),
        ("external", filled(external)),
        (
            "guardrails",
            Some(mapping([
                (
                    "max_deletions",
                    Some(match desired.guardrails.max_deletions {
                        DeletionLimit::Percent(share) => json!(format!("{share}%")),
                        DeletionLimit::Count(count) => json!(count),
                    }),
                ),
                (
                    "minimum_administrators",
                    Some(json!(desired.guardrails.minimum_administrators)),
                ),
                ("break_glass", texts(&desired.guardrails.break_glass)),
            ])),
        ),
        ("policies", named(&desired.policies, policy)),
        ("groups", named(&desired.groups, group)),
        ("users", named(&desired.users, user)),
        ("absent", filled(absent)),
    ])
}

fn password_policy(policy: &PasswordPolicy) -> Value {
    mapping([
        ("minimum_password_length", Some(json!(policy.minimum_password_length))),
        ("require_symbols", Some(json!(policy.require_symbols))),
        ("require_numbers", Some(json!(policy.require_numbers))),
        (
            "require_uppercase_characters",
            Some(json!(policy.require_uppercase_characters)),
        ),
        (
            "require_lowercase_characters",
            Some(json!(policy.require_lowercase_characters)),
        ),
        (
            "allow_users_to_change_password",
            Some(json!(policy.allow_users_to_change_password)),
        ),
        ("max_password_age", policy.max_password_age.map(|age| json!(age))),
        (
            "password_reuse_prevention",
            policy.password_reuse_prevention.map(|count| json!(count)),
        ),
        ("hard_expiry", Some(json!(policy.hard_expiry))),
    ])
}

fn scope(desired: &Desired) -> Value {
    let scope = &desired.scope;
    let kind = |kind: &KindScope| {
        Some(mapping([
            ("paths", texts(&kind.paths)),
            (
                "unmanaged",
                Some(json!(match kind.unmanaged {
                    Unmanaged::Report => "report",
                    Unmanaged::Delete => "delete",
                })),
            ),
        ]))
    };
    let ignore = scope.ignore.iter().map(|rule| {
        let mut entry = match &rule.target {
            IgnoreTarget::User(glob) => json!({"user": glob}),
            IgnoreTarget::Group(glob) => json!({"group": glob}),
            IgnoreTarget::Policy(glob) => json!({"policy": glob}),
            IgnoreTarget::Tag { key, value } => json!({"tag": {key: value}}),
        };
        entry["reason"] = json!(rule.reason);
        if let Some(until) = rule.until {
            entry["until"] = json!(until.to_string());
        }
        entry
    });
    let ignore: Vec<Value> = ignore.collect();
    mapping([
        ("users", kind(&scope.users)),
        ("groups", kind(&scope.groups)),
        ("policies", kind(&scope.policies)),
        ("ignore_tags", texts(&scope.ignore_tags)),
        ("ignore", (!ignore.is_empty()).then(|| json!(ignore))),
    ])
}

fn path(path: Option<&trueup_model::Path>) -> Option<Value> {
    path.map(|path| json!(path.as_str()))
}

fn document(document: &PolicyDocument) -> Value {
    serde_json::from_str(document.as_text()).expect("a document is JSON")
}

fn inline(policies: &BTreeMap<InlinePolicyName, PolicyDocument>) -> Option<Value> {
    named(policies, document)
}

fn reference(reference: &PolicyRef) -> String {
    match reference {
        PolicyRef::Declared(name) => name.to_string(),
        PolicyRef::Arn(arn) => arn.to_string(),
    }
}

fn mfa(requirement: &MfaRequirement) -> Value {
    let level = match requirement.level {
        MfaLevel::Exempt => "exempt",
        MfaLevel::Required => "required",
        MfaLevel::Enforced => "enforced",
    };
    match requirement.grace_days {
        0 => json!(level),
        days => json!({"level": level, "grace_days": days}),
    }
}

fn access_keys(wish: &AccessKeysWish) -> Value {
    match wish {
        AccessKeysWish::Absent => json!("none"),
        AccessKeysWish::Present(rules) => mapping([
            ("count", Some(json!(rules.count))),
            ("rotate_after_days", rules.rotate_after_days.map(|days| json!(days))),
            ("overlap_days", Some(json!(rules.overlap_days))),
            ("maximum_unused_days", rules.maximum_unused_days.map(|days| json!(days))),
            ("description", rules.description.as_ref().map(|text| json!(text))),
        ]),
    }
}

fn expires(expiry: &Expiry) -> Value {
    let then = match expiry.then {
        AfterExpiry::Disable => "disable",
        AfterExpiry::Delete => "delete",
    };
    json!({"on": expiry.on.to_string(), "then": then})
}

fn policy(policy: &DesiredPolicy) -> Value {
    mapping([
        ("path", path(policy.path.as_ref())),
        ("description", policy.description.as_ref().map(|text| json!(text))),
        ("tags", named(&policy.tags, |value| json!(value))),
        ("document", Some(document(&policy.document))),
    ])
}

fn group(group: &DesiredGroup) -> Value {
    mapping([
        ("path", path(group.path.as_ref())),
        ("previously", texts(&group.previously)),
        ("managed_policies", texts(group.managed_policies.iter().map(reference))),
        ("inline_policies", inline(&group.inline_policies)),
        ("mfa", group.mfa.as_ref().map(mfa)),
    ])
}

fn user(user: &DesiredUser) -> Value {
    mapping([
        ("path", path(user.path.as_ref())),
        ("previously", texts(&user.previously)),
        ("tags", named(&user.tags, |value| json!(value))),
        ("groups", texts(&user.groups)),
        ("managed_policies", texts(user.managed_policies.iter().map(reference))),
        ("inline_policies", inline(&user.inline_policies)),
        (
            "permissions_boundary",
            match &user.permissions_boundary {
                BoundaryWish::Keep => None,
                BoundaryWish::Absent => Some(json!("")),
                BoundaryWish::Present(found) => Some(json!(reference(found))),
            },
        ),
        (
            "login_profile",
            user.login_profile.map(|wish| match wish {
                LoginProfileWish::Absent => json!("none"),
                LoginProfileWish::Present {
                    password_reset_required,
                } => {
                    json!({"password_reset_required": password_reset_required})
                }
            }),
        ),
        ("access_keys", user.access_keys.as_ref().map(access_keys)),
        ("mfa", user.mfa.as_ref().map(mfa)),
        ("expires", user.expires.as_ref().map(expires)),
    ])
}
