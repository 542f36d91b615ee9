//! The JSON Schema of the manifest, for editors and for checks of generated manifests.
//!
//! It holds the form of every section, those included that are not supported yet. What only several places together
//! make wrong (unknown groups, names declared twice, quotas) is [`parse`](crate::parse)'s to tell.

mod account;
mod entities;

use serde_json::{Value, json};

/// The JSON Schema (2020-12) of one manifest file.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://trueup-iam.github.io/trueup/manifest.schema.json",
        "title": "trueup manifest",
        "description": "The desired IAM state of one AWS account. The root file has `version`; the other files of a \
                        folder have policies, groups, users and absent only.",
        "type": "object",
        "properties": {
            "version": {"const": 1, "description": "The version of this format. The file with it is the root file."},
            "account": {"$ref": "#/$defs/account"},
            "scope": {"$ref": "#/$defs/scope"},
            "external": {"$ref": "#/$defs/external"},
            "guardrails": {"$ref": "#/$defs/guardrails"},
            "hold": {
                "description": "What nightly runs leave as it is for a while, and list.",
                "type": "array",
                "items": {"$ref": "#/$defs/hold_rule"},
            },
            "files": {"$ref": "#/$defs/files"},
            "lints": {"$ref": "#/$defs/lints"},
            "user_types": {
                "description": "Settings that several users have in common, by the type's name. One level; a user \
                                cannot repeat a key of its type.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/user_type"},
            },
            "policies": {
                "description": "Customer managed policies, by name.",
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name128"},
                "additionalProperties": {"$ref": "#/$defs/policy"},
            },
            "groups": {
                "description": "Groups, by name.",
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name128"},
                "additionalProperties": {"$ref": "#/$defs/group"},
            },
            "users": {
                "description": "Users, by name.",
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name64"},
                "additionalProperties": {"$ref": "#/$defs/user"},
            },
            "absent": {"$ref": "#/$defs/absent"},
            "roles": {"$ref": "#/$defs/roles"},
        },
        "additionalProperties": false,
        "dependentRequired": {"version": ["account"]},
        "$defs": definitions(),
    })
}

fn definitions() -> Value {
    let mut definitions = serde_json::Map::new();
    for part in [basics(), account::definitions(), entities::definitions()] {
        if let Value::Object(part) = part {
            definitions.extend(part);
        }
    }
    Value::Object(definitions)
}

/// Forms that many keys share.
fn basics() -> Value {
    json!({
        "name64": {
            "description": "A name: letters, digits and _+=,.@-, compared ignoring letter case.",
            "type": "string",
            "pattern": "^[A-Za-z0-9_+=,.@-]{1,64}$",
        },
        "name128": {
            "description": "A name: letters, digits and _+=,.@-, compared ignoring letter case.",
            "type": "string",
            "pattern": "^[A-Za-z0-9_+=,.@-]{1,128}$",
        },
        "path": {
            "description": "`/`, or a path that begins and ends with `/`.",
            "type": "string",
            "pattern": "^(/|/[!-~]+/)$",
            "maxLength": 512,
        },
        "policy_path": {
            "description": "`/`, or a path that begins and ends with `/`. Policies allow fewer characters than users.",
            "type": "string",
            "pattern": "^((/[A-Za-z0-9.,+@=_-]+)*)/$",
            "maxLength": 512,
        },
        "policy_arn": {
            "description": "The ARN of a managed policy.",
            "type": "string",
            "pattern": "^arn:[a-z0-9-]+:iam::([0-9]{12}|aws):policy/([!-~]+/)?[A-Za-z0-9_+=,.@-]{1,128}$",
        },
        "policy_ref": {
            "description": "The name of a policy of this manifest, or the ARN of one of AWS or of `external`.",
            "anyOf": [{"$ref": "#/$defs/name128"}, {"$ref": "#/$defs/policy_arn"}],
        },
        "date": {
            "description": "A date such as 2027-06-30.",
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        },
        "glob": {
            "description": "Text in which `*` stands for any text and `?` for one character.",
            "type": "string",
            "pattern": "\\S",
        },
        "reason": {"description": "Why, in words.", "type": "string", "pattern": "\\S"},
        "tags": {
            "description": "All tags. Keys that begin with `aws:` or `trueup:` are not the manifest's.",
            "type": "object",
            "propertyNames": {"minLength": 1, "maxLength": 128, "not": {"pattern": "^([aA][wW][sS]|[tT][rR][uU][eE][uU][pP]):"}},
            "additionalProperties": {"type": "string", "maxLength": 256},
            "maxProperties": 50,
        },
        "document": {
            "description": "A policy document, or the JSON file that holds it.",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "file": {
                            "description": "A JSON file, relative to the manifest's folder and not outside of it.",
                            "type": "string",
                            "minLength": 1,
                        },
                    },
                    "required": ["file"],
                    "additionalProperties": false,
                },
                {
                    "type": "object",
                    "properties": {
                        "Version": {"description": "The version of the policy language.", "enum": ["2012-10-17", "2008-10-17"]},
                        "Id": {"type": "string"},
                        "Statement": {
                            "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "minItems": 1}],
                        },
                    },
                    "required": ["Statement"],
                    "additionalProperties": false,
                },
            ],
        },
        "inline_policies": {
            "description": "All inline policies, by name.",
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name128"},
            "additionalProperties": {"$ref": "#/$defs/document"},
        },
        "managed_policies": {
            "description": "All attached managed policies.",
            "type": "array",
            "items": {"$ref": "#/$defs/policy_ref"},
            "uniqueItems": true,
        },
        "mfa": {
            "description": "Left out: not looked at. `exempt`: no device is needed, whatever a group asks. `required`: \
                            a device is needed, which is verified and reported. `enforced`: held by a policy as well.",
            "anyOf": [
                {"$ref": "#/$defs/mfa_level"},
                {
                    "type": "object",
                    "properties": {
                        "level": {"$ref": "#/$defs/mfa_level"},
                        "grace_days": {
                            "description": "Days after a user's creation in which it needs no device yet.",
                            "type": "integer",
                            "minimum": 0,
                            "maximum": 36500,
                        },
                    },
                    "required": ["level"],
                    "additionalProperties": false,
                },
            ],
        },
        "mfa_level": {"enum": ["exempt", "required", "enforced"]},
    })
}
