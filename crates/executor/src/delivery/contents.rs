//! What credential files say.

use std::fmt::Write as _;

use trueup_model::UserName;
use zeroize::Zeroizing;

use super::Bundle;
use crate::signin::SignIn;

/// As the console's own file, with the account's id and the alias's page beside it. A file with access keys has
/// columns for them too, and a row for each.
pub(super) fn csv(user: &UserName, bundle: &Bundle, sign_in: &SignIn) -> Zeroizing<String> {
    let mut text = new_text();
    let columns = if bundle.keys.is_empty() {
        ""
    } else {
        "Access key ID,Secret access key,"
    };
    text.push_str("User name,Password,");
    text.push_str(columns);
    text.push_str("Console sign-in URL,Account ID,Alias sign-in URL\r\n");
    let mut row = |key: Option<&(String, crate::Secret)>, with_password: bool| {
        text.push_str(&csv_field(user.as_str()));
        text.push(',');
        // The alphabets of passwords and keys have no character that CSV gives a meaning.
        if let Some(password) = bundle.password.as_deref().filter(|_| with_password) {
            text.push_str(&Zeroizing::new(csv_field(password.expose())));
        }
        text.push(',');
        if let Some((id, secret)) = key {
            text.push_str(id);
            text.push(',');
            text.push_str(secret.expose());
            text.push(',');
        }
        text.push_str(&sign_in.account_url());
        text.push(',');
        text.push_str(sign_in.account().as_str());
        text.push(',');
        text.push_str(&sign_in.alias_url().unwrap_or_default());
        text.push_str("\r\n");
    };
    if bundle.keys.is_empty() {
        row(None, true);
    }
    for (number, key) in bundle.keys.iter().enumerate() {
        row(Some(key), number == 0);
    }
    text
}

/// A letter for the person: everything that is needed, and what to do with it.
pub(super) fn letter(user: &UserName, bundle: &Bundle, sign_in: &SignIn) -> Zeroizing<String> {
    let mut text = new_text();
    let mut line = |name: &str, value: &str| {
        if name.is_empty() {
            text.push_str(value);
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "{name:<21}");
            text.push_str(value);
        }
        text.push('\n');
    };
    let alias = sign_in.alias().map(|alias| format!(" ({alias})")).unwrap_or_default();
    line(
        "",
        &format!("Credentials of {user} in AWS account {}{alias}", sign_in.account()),
    );
    line("", "");
    line("Account ID:", sign_in.account().as_str());
    if let Some(alias) = sign_in.alias() {
        line("Account alias:", alias.as_str());
    }
    line("User name:", user.as_str());
    if let Some(password) = &bundle.password {
        line("Password:", password.expose());
        line("Sign-in URL:", &sign_in.account_url());
        if let Some(url) = sign_in.alias_url() {
            line("or, by alias:", &url);
        }
    }
    for (id, secret) in &bundle.keys {
        line("Access key ID:", id);
        line("Secret access key:", secret.expose());
    }
    line("", "");
    for step in next_steps(user, bundle.password.is_some(), !bundle.keys.is_empty()) {
        line("", &step);
    }
    text
}

/// What whoever gets new credentials does next.
pub(super) fn next_steps(user: &UserName, password: bool, key: bool) -> Vec<String> {
    let mut steps = Vec::new();
    if password {
        steps.push("Sign in with the account ID or alias, the user name and the password. Where a new password is asked for, choose one that you use nowhere else.".to_owned());
        steps.push(format!(
            "Add an MFA device: in the console under your name, Security credentials, Assign MFA device; or with `trueup mfa enroll {user}`. Sign out and in again afterwards."
        ));
    }
    if key {
        steps.push(
            "Give the access key to the command line with `aws configure`, and to nothing that others can read."
                .to_owned(),
        );
    }
    if password || key {
        steps.push("Delete this file once you have done so.".to_owned());
    }
    (1..)
        .zip(steps)
        .map(|(number, step)| format!("{number}. {step}"))
        .collect()
}

/// With room enough that no copy of a secret is left behind by growing.
fn new_text() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(4096))
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
