//! `--ask-password`: a password that a person types, in place of one that is made. It is never an argument, is not
//! shown, and is in no file but one that is sealed to its owner.

use trueup_executor::{Secret, why_refused};
use trueup_model::{Live, PasswordPolicy, UserName};
use trueup_planner::{Call, Plan};
use trueup_report::escape;

use crate::{exit::CliError, signals::Signals, terminal::Terminal};

/// How often one can be typed that the account would not take.
const TRIES: u32 = 3;

/// Whose password is to be typed.
pub(crate) fn user(argument: Option<&str>) -> Result<Option<UserName>, CliError> {
    argument
        .filter(|name| !name.is_empty())
        .map(|name| UserName::new(name).map_err(|error| CliError::Usage(format!("`{name}` is no user name: {error}"))))
        .transpose()
}

/// Refuses where there is no password to type, or nobody to type it.
pub(crate) fn check(user: &UserName, plan: &Plan, terminal: &Terminal) -> Result<(), CliError> {
    let sets_one = plan.actions.iter().any(|action| match &action.call {
        Call::CreateLoginProfile { user_name, .. } | Call::UpdateLoginProfile { user_name, .. } => user_name == user,
        _ => false,
    });
    if !sets_one {
        return Err(CliError::refused(
            format!("this plan sets no password of `{user}`, so that there is none to ask for; nothing was written"),
            "`login_profile: {}` sets the first one, `reset_password: {request: …}` another one",
        ));
    }
    if !terminal.can_ask() {
        return Err(CliError::refused(
            "there is no terminal to type a password on; nothing was written",
            "leave --ask-password out, and a password is made and sealed to `deliver_to`",
        ));
    }
    Ok(())
}

/// Asks until there is a password that the account will take, twice the same.
pub(crate) async fn ask(user: &UserName, plan: &Plan, live: &Live, signals: &Signals) -> Result<Secret, CliError> {
    let policy = policy_after(plan, live);
    let user = user.clone();
    // A line from a terminal cannot be waited for without blocking a thread.
    let answer = tokio::task::spawn_blocking(move || ask_on_terminal(&user, policy.as_ref()));
    signals
        .unless_caught(async { answer.await.map_err(|error| unreadable(std::io::Error::other(error)))? })
        .await
}

fn ask_on_terminal(user: &UserName, policy: Option<&PasswordPolicy>) -> Result<Secret, CliError> {
    let shown = escape::text(user.as_str()).into_owned();
    let type_it = |prompt: String| rpassword::prompt_password(prompt).map(Secret::from).map_err(unreadable);
    let mut why = String::new();
    for _ in 0..TRIES {
        let told = match why.as_str() {
            "" => String::new(),
            why => format!("Not taken: {why}.\n"),
        };
        let password = type_it(format!("{told}Password of {shown}: "))?;
        if let Some(refused) = why_refused(&password, policy, user.as_str()) {
            why = refused;
            continue;
        }
        let again = type_it("Again: ".to_owned())?;
        if password.expose() == again.expose() {
            return Ok(password);
        }
        "it was not the same the second time".clone_into(&mut why);
    }
    Err(CliError::refused(
        format!("no password was taken, the last one since {why}; nothing was written"),
        "leave --ask-password out, and one is made that the account takes",
    ))
}

/// The account's password policy once the plan is applied.
fn policy_after(plan: &Plan, live: &Live) -> Option<PasswordPolicy> {
    let mut policy = live.account.password_policy.clone();
    for action in &plan.actions {
        match &action.call {
            Call::UpdateAccountPasswordPolicy { policy: after } => policy = Some(after.clone()),
            Call::DeleteAccountPasswordPolicy {} => policy = None,
            _ => {}
        }
    }
    policy
}

fn unreadable(source: std::io::Error) -> CliError {
    CliError::Io {
        action: "read the password",
        source,
    }
}
