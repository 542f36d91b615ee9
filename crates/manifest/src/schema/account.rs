//! The schema of what stands in the root file only.

use serde_json::{Value, json};
use trueup_model::guardrail::GuardrailCode;

pub(super) fn definitions() -> Value {
    json!({
        "account": {
            "description": "The account itself.",
            "type": "object",
            "properties": {
                "id": {
                    "description": "The only account that this manifest may be applied to, in quotes.",
                    "type": "string",
                    "pattern": "^[0-9]{12}$",
                },
                "alias": {
                    "description": "The name in the sign-in URL. Left out: not managed. Empty: no alias.",
                    "type": "string",
                    "pattern": "^$|^[a-z0-9](-?[a-z0-9])+$",
                    "maxLength": 63,
                },
                "password_policy": {
                    "description": "Left out: not managed. `aws-default`: no custom policy.",
                    "anyOf": [{"const": "aws-default"}, {"$ref": "#/$defs/password_policy"}],
                },
                "root": {"$ref": "#/$defs/root_user"},
            },
            "required": ["id"],
            "additionalProperties": false,
        },
        "password_policy": {
            "description": "The whole custom password policy: a field that is left out has the default of the IAM API.",
            "type": "object",
            "minProperties": 1,
            "properties": {
                "minimum_password_length": {"type": "integer", "minimum": 6, "maximum": 128, "default": 6},
                "require_symbols": {"type": "boolean", "default": false},
                "require_numbers": {"type": "boolean", "default": false},
                "require_uppercase_characters": {"type": "boolean", "default": false},
                "require_lowercase_characters": {"type": "boolean", "default": false},
                "allow_users_to_change_password": {"type": "boolean", "default": false},
                "max_password_age": {
                    "description": "Days until a password expires. Left out: never.",
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 1095,
                },
                "password_reuse_prevention": {
                    "description": "How many earlier passwords cannot be used again. Left out: no limit.",
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 24,
                },
                "hard_expiry": {
                    "description": "Whether only an administrator can let a person with an expired password in again.",
                    "type": "boolean",
                    "default": false,
                },
            },
            "additionalProperties": false,
        },
        "root_user": {
            "description": "What is checked and reported of the root user, never changed.",
            "type": "object",
            "properties": {
                "mfa": {"description": "Root must have an MFA device.", "const": "required"},
                "access_keys": {"description": "Root must have no access keys.", "const": "forbidden"},
                "signing_certificates": {
                    "description": "Root must have no X.509 signing certificates.",
                    "const": "forbidden",
                },
            },
            "additionalProperties": false,
        },
        "scope": {
            "description": "What is owned, by kind. A kind that is not named is owned under `/` if the manifest \
                            declares any of it, else not at all.",
            "type": "object",
            "properties": {
                "users": {"$ref": "#/$defs/kind_scope"},
                "groups": {"$ref": "#/$defs/kind_scope"},
                "policies": {"$ref": "#/$defs/kind_scope"},
                "roles": {"$ref": "#/$defs/kind_scope", "description": "Not supported yet."},
                "ignore_tags": {
                    "description": "Tag keys, as globs, that are left alone on every entity.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/glob"},
                },
                "ignore": {
                    "description": "Entities that are left alone on both sides, and listed.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/ignore_rule"},
                },
            },
            "additionalProperties": false,
        },
        "kind_scope": {
            "type": "object",
            "properties": {
                "paths": {
                    "description": "Entities at or below these paths are owned. Left out: all. Empty: none.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/path"},
                },
                "unmanaged": {
                    "description": "What happens to owned entities that are not declared.",
                    "enum": ["report", "delete"],
                    "default": "report",
                },
            },
            "additionalProperties": false,
        },
        "ignore_rule": {
            "type": "object",
            "properties": {
                "user": {"$ref": "#/$defs/glob", "description": "Users, by a glob of their name."},
                "group": {"$ref": "#/$defs/glob", "description": "Groups, by a glob of their name."},
                "policy": {"$ref": "#/$defs/glob", "description": "Policies, by a glob of their name."},
                "role": {"$ref": "#/$defs/glob", "description": "Not supported yet."},
                "tag": {
                    "description": "Users and policies with this tag; the value is a glob.",
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "minProperties": 1,
                    "maxProperties": 1,
                },
                "reason": {"$ref": "#/$defs/reason"},
                "until": {
                    "$ref": "#/$defs/date",
                    "description": "The last day of the rule. A lapsed rule still protects, and warns.",
                },
            },
            "required": ["reason"],
            "oneOf": [
                {"required": ["user"]},
                {"required": ["group"]},
                {"required": ["policy"]},
                {"required": ["role"]},
                {"required": ["tag"]},
            ],
            "additionalProperties": false,
        },
        "external": {
            "description": "What may be named by what is declared, and is never edited or deleted.",
            "type": "object",
            "properties": {
                "groups": {
                    "description": "Groups whose members besides the declared users are not looked at.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/name128"},
                    "uniqueItems": true,
                },
                "policies": {
                    "description": "Customer managed policies, by ARN.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/policy_arn"},
                    "uniqueItems": true,
                },
            },
            "additionalProperties": false,
        },
        "guardrails": {
            "description": "Limits on what an apply may do.",
            "type": "object",
            "properties": {
                "max_deletions": {
                    "description": "How much of a kind may be deleted at once: a share of what is live and in scope \
                                    (below 10 of a kind, at most 2), or a number.",
                    "anyOf": [
                        {"type": "string", "pattern": "^(100|[1-9]?[0-9])%$"},
                        {"type": "integer", "minimum": 0, "maximum": 100_000},
                    ],
                    "default": "25%",
                },
                "minimum_administrators": {
                    "description": "How many administrators must be left.",
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 5000,
                    "default": 1,
                },
                "break_glass": {
                    "description": "Users that are never deleted, disabled, weakened, or put under an MFA requirement.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/name64"},
                    "uniqueItems": true,
                },
                "allow": {
                    "description": "Guardrails that may pass for a while. An entry whose last day is over counts no longer, \
                                    and is said.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/allowance"},
                },
            },
            "additionalProperties": false,
        },
        "allowance": {
            "type": "object",
            "properties": {
                "code": {
                    "description": "The guardrail.",
                    "enum": GuardrailCode::ALL.map(GuardrailCode::as_str),
                },
                "reason": {"$ref": "#/$defs/reason"},
                "until": {"$ref": "#/$defs/date", "description": "The last day on which it counts."},
            },
            "required": ["code", "reason", "until"],
            "additionalProperties": false,
        },
        "hold_rule": {
            "type": "object",
            "properties": {
                "user": {"$ref": "#/$defs/glob", "description": "Users, by a glob of their name."},
                "group": {"$ref": "#/$defs/glob", "description": "Groups, by a glob of their name."},
                "policy": {"$ref": "#/$defs/glob", "description": "Policies, by a glob of their name."},
                "reason": {"$ref": "#/$defs/reason"},
                "until": {
                    "$ref": "#/$defs/date",
                    "description": "The last day of the rule. A lapsed rule holds nothing, and is said.",
                },
            },
            "required": ["reason", "until"],
            "oneOf": [{"required": ["user"]}, {"required": ["group"]}, {"required": ["policy"]}],
            "additionalProperties": false,
        },
        "lints": {
            "description": "What is to be made of lints, which `trueup validate` finds in policies.",
            "type": "object",
            "properties": {
                "ignore": {
                    "description": "Lints that are known and meant.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/lint_rule"},
                },
            },
            "additionalProperties": false,
        },
        "lint_rule": {
            "type": "object",
            "properties": {
                "code": {"description": "The lint's code.", "type": "string", "pattern": "^[a-z0-9-]+$"},
                "resource": {
                    "$ref": "#/$defs/glob",
                    "description": "A glob of the policy's name as in `policy/team-*` or \
                                    `group/developers/inline-policy/own`. Left out: every policy.",
                },
                "statement": {
                    "$ref": "#/$defs/glob",
                    "description": "A glob of the statement's Sid, or of the text that messages call it by. Left out: \
                                    every statement.",
                },
                "reason": {"$ref": "#/$defs/reason"},
                "until": {
                    "$ref": "#/$defs/date",
                    "description": "The last day of the rule. A lapsed rule still holds, and fails strict runs.",
                },
            },
            "required": ["code", "reason"],
            "additionalProperties": false,
        },
        "files": {
            "description": "What a team's file may declare, by the file's name relative to the manifest's folder. A \
                            listed file may declare users only; files that are not listed are free.",
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "paths": {
                        "description": "The paths at or below which its users must be.",
                        "type": "array",
                        "items": {"$ref": "#/$defs/path"},
                    },
                    "groups": {
                        "description": "Globs of the groups that its users may be members of. Left out: none.",
                        "type": "array",
                        "items": {"$ref": "#/$defs/glob"},
                    },
                    "types": {
                        "description": "The types of which each of its users must have one. Left out: users have none.",
                        "type": "array",
                        "items": {"type": "string", "minLength": 1},
                    },
                },
                "required": ["paths"],
                "additionalProperties": false,
            },
        },
    })
}
