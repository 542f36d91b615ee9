//! Who can open the credentials that a plan makes, as the manifest says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use trueup_executor::{RecipientError, Recipients};
use trueup_model::{Desired, UserName, desired::Recipient};
use trueup_planner::{Call, Plan};

use crate::exit::CliError;

/// Everybody for whom the plan makes a credential, with those that can open it; `None`: nobody is named.
pub(crate) fn receivers(plan: &Plan, desired: &Desired) -> Result<BTreeMap<UserName, Option<Recipients>>, CliError> {
    let users = plan
        .actions
        .iter()
        .filter_map(|action| action.call.makes_credential_of());
    users
        .map(|user| {
            let named = desired.users.get(user).map_or(&[][..], |user| &user.deliver_to);
            Ok((user.clone(), of_manifest(user, named)?))
        })
        .collect()
}

/// Whether the plan makes a password for a user and no access key.
pub(crate) fn only_a_password(plan: &Plan, user: &UserName) -> bool {
    let mut calls = plan.actions.iter().map(|action| &action.call);
    !calls.any(|call| matches!(call, Call::CreateAccessKey { user_name } if user_name == user))
}

fn of_manifest(user: &UserName, named: &[Recipient]) -> Result<Option<Recipients>, CliError> {
    let mut recipients = Recipients::default();
    for recipient in named {
        let given = match recipient {
            Recipient::Age(text) | Recipient::Ssh(text) => text.as_bytes(),
            Recipient::OpenPgp { key, .. } => key,
        };
        recipients
            .add(given, Timestamp::now())
            .map_err(|error| unusable_one(user, recipient, &error))?;
    }
    Ok((!recipients.is_empty()).then_some(recipients))
}

fn unusable_one(user: &UserName, recipient: &Recipient, error: &RecipientError) -> CliError {
    let name = match recipient {
        Recipient::Age(text) | Recipient::Ssh(text) => text,
        Recipient::OpenPgp { file, .. } => file,
    };
    CliError::refused(
        format!(
            "`deliver_to` of `{user}`, `{}`: {error}; nothing was written",
            shortened(name)
        ),
        error.hint().unwrap_or("name another key with `deliver_to`"),
    )
}

/// Why nothing can be sealed to what a user's `deliver_to` names.
pub(crate) fn unusable(user: &UserName, error: &RecipientError) -> CliError {
    CliError::refused(
        format!("`deliver_to` of `{user}`: {error}; nothing was written"),
        error.hint().unwrap_or("name another key with `deliver_to`"),
    )
}

/// Enough of a key to find it by.
fn shortened(key: &str) -> String {
    let end = key.char_indices().nth(40).map(|(at, _)| at);
    match end {
        Some(at) => format!("{}…", &key[..at]),
        None => key.to_owned(),
    }
}

/// A recipient from the command line: a key as it is, or the file that holds one.
pub(crate) fn from_argument(given: &str) -> Result<Recipients, CliError> {
    let mut recipients = Recipients::default();
    let refused = |error: &RecipientError| {
        CliError::refused(
            format!("`{}`: {error}", shortened(given)),
            error.hint().unwrap_or("give another key"),
        )
    };
    match recipients.add(given.as_bytes(), Timestamp::now()) {
        Err(RecipientError::Unknown) => {
            let path = std::path::Path::new(given);
            if !path.is_file() {
                return Err(refused(&RecipientError::Unknown));
            }
            let key = std::fs::read(path).map_err(|source| CliError::File {
                action: "read",
                path: path.to_owned(),
                source,
            })?;
            recipients
                .add(&key, Timestamp::now())
                .map_err(|error| refused(&error))?;
        }
        added => added.map_err(|error| refused(&error))?,
    }
    recipients.probe().map_err(|error| refused(&error))?;
    Ok(recipients)
}
