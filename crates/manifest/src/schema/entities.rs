//! The schema of what every file may declare.

use serde_json::{Map, Value, json};

use crate::read::keys;

pub(super) fn definitions() -> Value {
    let mut user = settings();
    user.extend(object(json!({
        "type": {"description": "A type of `user_types`.", "type": "string", "minLength": 1},
        "previously": {
            "description": "Earlier names, so that a rename is one.",
            "type": "array",
            "items": {"$ref": "#/$defs/name64"},
            "uniqueItems": true,
        },
        "reset_password": {
            "description": "A new console password, once for each request.",
            "type": "object",
            "properties": {
                "request": {
                    "description": "What asks for it, such as a ticket. Another text is another request.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 256,
                },
            },
            "required": ["request"],
            "additionalProperties": false,
        },
        "same_permissions_as": {
            "$ref": "#/$defs/name64",
            "description": "Another user of this manifest, whose groups, policies and boundary this one has as well.",
        },
    })));
    let mut user_type = settings();
    user_type.insert(
        "require".to_owned(),
        json!({
            "description": "Keys that each user of the type must set itself.",
            "type": "array",
            "items": {"enum": keys::USER.iter().filter(|key| **key != "type").collect::<Vec<_>>()},
        }),
    );
    json!({
        "policy": {
            "description": "A customer managed policy.",
            "type": "object",
            "properties": {
                "path": {"$ref": "#/$defs/policy_path", "description": "Left out: `/` at creation, unchanged later."},
                "description": {"description": "IAM cannot change it later.", "type": "string", "maxLength": 1000},
                "tags": {"$ref": "#/$defs/tags"},
                "document": {"$ref": "#/$defs/document"},
            },
            "required": ["document"],
            "additionalProperties": false,
        },
        "group": {
            "description": "A group. Its members are declared on users.",
            "type": "object",
            "properties": {
                "path": {"$ref": "#/$defs/path", "description": "Left out: `/` at creation, unchanged later."},
                "managed_policies": {"$ref": "#/$defs/managed_policies"},
                "inline_policies": {"$ref": "#/$defs/inline_policies"},
                "mfa": {"$ref": "#/$defs/mfa", "description": "What every member must have."},
                "previously": {
                    "description": "Earlier names, so that a rename is one.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/name128"},
                    "uniqueItems": true,
                },
            },
            "additionalProperties": false,
        },
        "user": {
            "description": "A user. What it leaves out of groups, policies and tags is removed.",
            "type": "object",
            "properties": user,
            "additionalProperties": false,
        },
        "user_type": {
            "description": "What users of this type have in common.",
            "type": "object",
            "properties": user_type,
            "additionalProperties": false,
        },
        "absent": {
            "description": "What must not exist: the way to take somebody out.",
            "type": "object",
            "properties": {
                "users": {"$ref": "#/$defs/absent_users"},
                "groups": {"$ref": "#/$defs/absent_entries"},
                "policies": {"$ref": "#/$defs/absent_entries"},
                "roles": {"$ref": "#/$defs/absent_entries", "description": "Not supported yet."},
            },
            "additionalProperties": false,
        },
        "absent_users": {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name64"},
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "reason": {"$ref": "#/$defs/reason"},
                    "quarantine_days": {
                        "description": "For so many days the user is only kept from everything; then it is deleted.",
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 3650,
                    },
                },
                "required": ["reason"],
                "additionalProperties": false,
            },
        },
        "absent_entries": {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name128"},
            "additionalProperties": {
                "type": "object",
                "properties": {"reason": {"$ref": "#/$defs/reason"}},
                "required": ["reason"],
                "additionalProperties": false,
            },
        },
        "recipient": {
            "type": "string",
            "pattern": "^(age1|ssh-ed25519 |ssh-rsa )|\\.(asc|gpg|pgp)$",
        },
        "roles": {
            "description": "Roles, by name. Not supported yet.",
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name64"},
            "additionalProperties": {"type": "object"},
        },
    })
}

/// What users and user types have in common.
fn settings() -> Map<String, Value> {
    object(json!({
        "path": {"$ref": "#/$defs/path", "description": "Left out: `/` at creation, unchanged later."},
        "tags": {"$ref": "#/$defs/tags"},
        "groups": {
            "description": "All groups that the user is a member of.",
            "type": "array",
            "items": {"$ref": "#/$defs/name128"},
            "uniqueItems": true,
        },
        "managed_policies": {"$ref": "#/$defs/managed_policies"},
        "inline_policies": {"$ref": "#/$defs/inline_policies"},
        "permissions_boundary": {
            "description": "Left out: kept as it is. Empty: removed.",
            "anyOf": [{"const": ""}, {"$ref": "#/$defs/policy_ref"}],
        },
        "login_profile": {
            "description": "The console password. `none`: must not have one. Left out: not managed.",
            "anyOf": [
                {"const": "none"},
                {
                    "type": "object",
                    "properties": {
                        "password_reset_required": {
                            "description": "Whether the first sign-in asks for a new password. Matters at creation only.",
                            "type": "boolean",
                            "default": true,
                        },
                    },
                    "additionalProperties": false,
                },
            ],
        },
        "access_keys": {
            "description": "Access keys. `none`: must not have any. Left out: not managed.",
            "anyOf": [
                {"const": "none"},
                {
                    "type": "object",
                    "properties": {
                        "count": {
                            "description": "How many work at a time.",
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 2,
                            "default": 1,
                        },
                        "rotate_after_days": {
                            "description": "The age from which a key is replaced. Left out: never.",
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 3650,
                        },
                        "overlap_days": {
                            "description": "How long the old key works beside the new one at least.",
                            "type": "integer",
                            "minimum": 0,
                            "maximum": 365,
                            "default": 7,
                        },
                        "maximum_unused_days": {
                            "description": "After so many days without use a key becomes inactive. Left out: never.",
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 3650,
                        },
                        "description": {
                            "description": "What the console shows beside a key that has no description yet.",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 256,
                        },
                    },
                    "additionalProperties": false,
                },
            ],
        },
        "mfa": {"$ref": "#/$defs/mfa"},
        "expires": {
            "description": "The last day, UTC, on which the user is meant to work.",
            "anyOf": [
                {"$ref": "#/$defs/date"},
                {
                    "type": "object",
                    "properties": {
                        "on": {"$ref": "#/$defs/date"},
                        "then": {"enum": ["disable", "delete"], "default": "disable"},
                    },
                    "required": ["on"],
                    "additionalProperties": false,
                },
            ],
        },
        "deliver_to": {
            "description": "Who can open the user's credentials, each by itself: age or ssh public keys, or OpenPGP \
                            files (`.asc`, `.gpg`, `.pgp`) below the manifest's folder.",
            "anyOf": [
                {"$ref": "#/$defs/recipient"},
                {"type": "array", "items": {"$ref": "#/$defs/recipient"}, "minItems": 1, "uniqueItems": true},
            ],
        },
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The keys that the reader knows are the keys that the schema knows, everywhere.
    #[test]
    fn schema_and_reader_know_the_same_keys() {
        let schema = crate::schema();
        let places: [(&str, &[&str]); 24] = [
            ("", keys::TOP),
            ("/$defs/account", keys::ACCOUNT),
            ("/$defs/password_policy", keys::PASSWORD_POLICY),
            ("/$defs/root_user", keys::ROOT_USER),
            ("/$defs/scope", keys::SCOPE),
            ("/$defs/kind_scope", keys::KIND_SCOPE),
            ("/$defs/ignore_rule", keys::IGNORE),
            ("/$defs/external", keys::EXTERNAL),
            ("/$defs/guardrails", keys::GUARDRAILS),
            ("/$defs/allowance", keys::ALLOWANCE),
            ("/$defs/hold_rule", keys::HOLD),
            ("/$defs/files/additionalProperties", keys::FILE_LIMITS),
            ("/$defs/policy", keys::POLICY),
            ("/$defs/group", keys::GROUP),
            ("/$defs/user", keys::USER),
            ("/$defs/user_type", keys::USER_TYPE),
            ("/$defs/user/properties/login_profile/anyOf/1", keys::LOGIN_PROFILE),
            ("/$defs/user/properties/access_keys/anyOf/1", keys::ACCESS_KEYS),
            ("/$defs/mfa/anyOf/1", keys::MFA),
            ("/$defs/user/properties/expires/anyOf/1", keys::EXPIRES),
            ("/$defs/absent", keys::ABSENT),
            ("/$defs/absent_users/additionalProperties", keys::ABSENT_USER),
            ("/$defs/absent_entries/additionalProperties", keys::ABSENT_ENTRY),
            ("/$defs/user/properties/reset_password", keys::RESET_PASSWORD),
        ];
        for (place, known) in places {
            let object = schema.pointer(place).unwrap();
            assert_eq!(object["additionalProperties"], false, "{place}");
            let in_schema: BTreeSet<&str> = object["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(in_schema, known.iter().copied().collect(), "{place}");
        }
        let shared: BTreeSet<&str> = keys::USER_SETTINGS.iter().copied().collect();
        assert!(shared.is_subset(&keys::USER.iter().copied().collect()));
        assert!(shared.is_subset(&keys::USER_TYPE.iter().copied().collect()));
        assert!(keys::ROOT_ONLY.iter().all(|key| keys::TOP.contains(key)));
    }
}
