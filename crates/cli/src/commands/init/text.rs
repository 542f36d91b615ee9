//! The manifests that `init` writes, as text with room for what comes next.

use trueup_manifest::MemoryFiles;
use trueup_model::{AccountId, Live, PasswordPolicy};

use super::questions::Answers;
use crate::args::{MfaAnswer, PasswordPolicyAnswer};

/// The least that says something.
pub(super) fn minimal(account: &AccountId) -> String {
    canonical(format!(
        "# The IAM of account {account}. Nobody's access is changed by this file: declare groups and users below, and look at
# `trueup plan`. `trueup export` writes a manifest of what is in the account already.
version: 1

account:
  id: \"{account}\"
  root: {{mfa: required, access_keys: forbidden, signing_certificates: forbidden}}

# groups:
#   readers:
#     managed_policies: [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]

# users:
#   alice:
#     groups: [readers]
#     login_profile: {{}}
#     mfa: required
#     deliver_to: ssh-ed25519 AAAA…
"
    ))
}

/// As `trueup fmt` writes it. What it does not take is left as it is: whoever reads it back says what is wrong.
fn canonical(text: String) -> String {
    let formatted = trueup_manifest::format(&MemoryFiles::new([("trueup.yaml", text.as_str())]));
    let after = formatted.ok().and_then(|files| files.into_iter().next());
    after.map_or(text, |file| file.after)
}

/// An account with its first administrator.
pub(super) fn first_account(live: &Live, answers: &Answers) -> String {
    let account = &live.account;
    let group = quoted(answers.administrators.as_str());
    let user = quoted(answers.administrator.as_str());
    let mut text = format!(
        "# The IAM of account {0}, begun with `trueup init --from-live`.\nversion: 1\n\naccount:\n  id: \"{0}\"\n",
        account.id
    );
    if let Some(alias) = &answers.alias {
        text.push_str(&format!("  alias: {}\n", quoted(alias.as_str())));
    }
    match (answers.password_policy, &account.password_policy) {
        (PasswordPolicyAnswer::Recommended, _) => text.push_str(&policy(&RECOMMENDED)),
        (PasswordPolicyAnswer::Keep, Some(found)) => text.push_str(&policy(found)),
        (PasswordPolicyAnswer::Keep, None) | (PasswordPolicyAnswer::None, _) => {}
    }
    text.push_str("  root: {mfa: required, access_keys: forbidden, signing_certificates: forbidden}\n\n");
    let level = match answers.mfa {
        MfaAnswer::Required => "required",
        MfaAnswer::Enforced => "enforced",
        MfaAnswer::Exempt => "exempt",
    };
    text.push_str(&format!(
        "user_types:\n  person: {{login_profile: {{}}, mfa: {level}}}\n\n"
    ));
    if live.groups.contains_key(&answers.administrators) {
        text.push_str(&format!(
            "# A group that was there before: its policies and its other members are left as they are.\nexternal:\n  groups: [{group}]\n\n"
        ));
    } else {
        text.push_str(&format!(
            "groups:\n  {group}:\n    managed_policies: [\"arn:{}:iam::aws:policy/AdministratorAccess\"]\n\n",
            account.partition
        ));
    }
    text.push_str(&format!("users:\n  {user}:\n    type: person\n    groups: [{group}]\n"));
    if !answers.deliver_to.is_empty() {
        text.push_str(&format!("    deliver_to: {}\n", quoted(&answers.deliver_to)));
    }
    canonical(text)
}

/// As the CIS benchmark asks, without an age: a password that has to change gets no better.
const RECOMMENDED: PasswordPolicy = PasswordPolicy {
    minimum_password_length: 14,
    require_symbols: true,
    require_numbers: true,
    require_uppercase_characters: true,
    require_lowercase_characters: true,
    allow_users_to_change_password: true,
    max_password_age: None,
    password_reuse_prevention: Some(24),
    hard_expiry: false,
};

fn policy(policy: &PasswordPolicy) -> String {
    let PasswordPolicy {
        minimum_password_length,
        require_symbols,
        require_numbers,
        require_uppercase_characters,
        require_lowercase_characters,
        allow_users_to_change_password,
        max_password_age,
        password_reuse_prevention,
        hard_expiry,
    } = policy;
    let mut text = format!(
        "  password_policy:
    minimum_password_length: {minimum_password_length}
    require_symbols: {require_symbols}
    require_numbers: {require_numbers}
    require_uppercase_characters: {require_uppercase_characters}
    require_lowercase_characters: {require_lowercase_characters}
    allow_users_to_change_password: {allow_users_to_change_password}
"
    );
    if let Some(days) = max_password_age {
        text.push_str(&format!("    max_password_age: {days}\n"));
    }
    if let Some(count) = password_reuse_prevention {
        text.push_str(&format!("    password_reuse_prevention: {count}\n"));
    }
    text.push_str(&format!("    hard_expiry: {hard_expiry}\n"));
    text
}

/// A scalar that no YAML parser reads as anything but text: in double quotes, where YAML follows JSON.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text);
    if is_plain {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_could_take_for_something_else_is_quoted() {
        for plain in ["alice", "team-1", "a"] {
            assert_eq!(quoted(plain), plain);
        }
        for (text, expected) in [
            ("no", "\"no\""),
            ("123", "\"123\""),
            ("a: b", "\"a: b\""),
            ("a\"b", "\"a\\\"b\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
