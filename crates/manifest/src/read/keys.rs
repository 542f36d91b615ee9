//! The keys of the manifest, by where they stand. The JSON Schema is tested against these tables.

/// Keys at the top of a file.
pub(crate) const TOP: &[&str] = &[
    "version",
    "account",
    "scope",
    "external",
    "guardrails",
    "hold",
    "files",
    "lints",
    "user_types",
    "policies",
    "groups",
    "users",
    "absent",
    "roles",
];
/// Of [`TOP`], those that stand in the root file only.
pub(crate) const ROOT_ONLY: &[&str] = &[
    "version",
    "account",
    "scope",
    "external",
    "guardrails",
    "hold",
    "files",
    "lints",
    "user_types",
];
pub(crate) const ACCOUNT: &[&str] = &["id", "alias", "password_policy", "root"];
pub(crate) const PASSWORD_POLICY: &[&str] = &[
    "minimum_password_length",
    "require_symbols",
    "require_numbers",
    "require_uppercase_characters",
    "require_lowercase_characters",
    "allow_users_to_change_password",
    "max_password_age",
    "password_reuse_prevention",
    "hard_expiry",
];
pub(crate) const ROOT_USER: &[&str] = &["mfa", "access_keys", "signing_certificates"];
pub(crate) const SCOPE: &[&str] = &["users", "groups", "policies", "roles", "ignore_tags", "ignore"];
pub(crate) const KIND_SCOPE: &[&str] = &["paths", "unmanaged"];
pub(crate) const IGNORE: &[&str] = &["user", "group", "policy", "role", "tag", "reason", "until"];
pub(crate) const EXTERNAL: &[&str] = &["groups", "policies"];
pub(crate) const GUARDRAILS: &[&str] = &["max_deletions", "minimum_administrators", "break_glass", "allow"];
pub(crate) const HOLD: &[&str] = &["user", "group", "policy", "reason", "until"];
pub(crate) const ALLOWANCE: &[&str] = &["code", "reason", "until"];
pub(crate) const LINTS: &[&str] = &["ignore"];
pub(crate) const LINT_RULE: &[&str] = &["code", "resource", "statement", "reason", "until"];
pub(crate) const FILE_LIMITS: &[&str] = &["paths", "groups", "types"];
pub(crate) const POLICY: &[&str] = &["path", "description", "tags", "document"];
pub(crate) const GROUP: &[&str] = &["path", "managed_policies", "inline_policies", "mfa", "previously"];
/// Keys that a user and a user type have in common.
pub(crate) const USER_SETTINGS: &[&str] = &[
    "path",
    "tags",
    "groups",
    "managed_policies",
    "inline_policies",
    "permissions_boundary",
    "login_profile",
    "access_keys",
    "mfa",
    "expires",
    "deliver_to",
];
pub(crate) const USER: &[&str] = &[
    "type",
    "path",
    "tags",
    "groups",
    "managed_policies",
    "inline_policies",
    "permissions_boundary",
    "login_profile",
    "access_keys",
    "mfa",
    "expires",
    "deliver_to",
    "reset_password",
    "previously",
    "same_permissions_as",
];
pub(crate) const USER_TYPE: &[&str] = &[
    "path",
    "tags",
    "groups",
    "managed_policies",
    "inline_policies",
    "permissions_boundary",
    "login_profile",
    "access_keys",
    "mfa",
    "expires",
    "deliver_to",
    "require",
];
pub(crate) const LOGIN_PROFILE: &[&str] = &["password_reset_required"];
pub(crate) const ACCESS_KEYS: &[&str] = &[
    "count",
    "rotate_after_days",
    "overlap_days",
    "maximum_unused_days",
    "description",
];
pub(crate) const RESET_PASSWORD: &[&str] = &["request"];
pub(crate) const MFA: &[&str] = &["level", "grace_days"];
pub(crate) const EXPIRES: &[&str] = &["on", "then"];
pub(crate) const ABSENT: &[&str] = &["users", "groups", "policies", "roles"];
pub(crate) const ABSENT_ENTRY: &[&str] = &["reason"];
pub(crate) const ABSENT_USER: &[&str] = &["reason", "quarantine_days"];

/// Words that people use for a key that has another name here.
pub(crate) const OTHER_WORDS: &[(&str, &str)] = &[
    ("boundary", "permissions_boundary"),
    ("permission_boundary", "permissions_boundary"),
    ("policies", "managed_policies"),
    ("attached_policies", "managed_policies"),
    ("attached_managed_policies", "managed_policies"),
    ("managed", "managed_policies"),
    ("inline", "inline_policies"),
    ("console", "login_profile"),
    ("console_access", "login_profile"),
    ("password", "login_profile"),
    ("keys", "access_keys"),
    ("reset", "reset_password"),
    ("password_reset", "reset_password"),
    ("quarantine", "quarantine_days"),
    ("rotation", "rotate_after_days"),
    ("max_unused_days", "maximum_unused_days"),
    ("expiry", "expires"),
    ("expire", "expires"),
    ("like", "same_permissions_as"),
    ("copy_from", "same_permissions_as"),
    ("kind", "type"),
    ("user_type", "type"),
    ("renamed_from", "previously"),
    ("old_names", "previously"),
    ("types", "user_types"),
    ("delete", "absent"),
    ("removed", "absent"),
    ("ignored", "ignore"),
    ("policy", "document"),
    ("policy_document", "document"),
    ("account_id", "id"),
    ("account_alias", "alias"),
    ("admins", "minimum_administrators"),
    ("level_of_mfa", "level"),
];
