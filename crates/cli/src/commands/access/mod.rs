//! `trueup access`: who can do what, of the manifest or of a live account.

mod assertions;
mod can;
mod diff;
mod graph;
mod list;
pub(crate) mod source;
mod who_can;

use trueup_access::{Account, Engine, PrincipalName, Question};

use crate::{
    args::{AccessArgs, AccessCommand, AnswerFormat, QuestionArgs},
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) async fn run(args: &AccessArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    match &args.command {
        AccessCommand::WhoCan(args) => who_can::run(args, terminal).await,
        AccessCommand::Can(args) => can::run(args, terminal).await,
        AccessCommand::Diff(args) => diff::run(args, terminal).await,
        AccessCommand::List(args) => list::run(args, terminal).await,
        AccessCommand::Assert(args) => assertions::run(args, terminal).await,
        AccessCommand::Graph(args) => graph::run(args, terminal).await,
    }
}

/// Writes an answer to stdout.
fn answer(
    format: AnswerFormat,
    terminal: &Terminal,
    value: &impl serde::Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), CliError> {
    terminal.result(&match format {
        AnswerFormat::Text => text(),
        AnswerFormat::Json => trueup_report::to_json(value)?,
    })
}

/// What was asked. Actions that the data lacks are said on stderr.
fn question(args: &QuestionArgs, engine: &Engine<'_>, terminal: &Terminal) -> Question {
    if let Some(complaint) = engine.data().complaint(&args.action) {
        terminal.note(&format!("warning: {complaint}"));
    }
    let question = Question::new(args.action.as_str(), args.resource.as_str());
    let context = args.context.iter();
    context.fold(question, |question, (key, value)| question.with(key, value))
}

/// A user by name, `user/NAME` or `role/NAME`, that the account has.
fn principal(text: &str, account: &Account) -> Result<PrincipalName, CliError> {
    let (kind, name) = text.split_once('/').unwrap_or(("user", text));
    let wanted = match kind {
        "user" => PrincipalName::user(name),
        "role" => PrincipalName::role(name),
        _ => {
            return Err(CliError::refused(
                format!("`{text}` is neither a user nor a role"),
                "name a user as `alice` or `user/alice`, and a role as `role/deploy`",
            ));
        }
    };
    // The account's own spelling is the one to show.
    match account.principals.get_key_value(&wanted) {
        Some((known, _)) => Ok(known.clone()),
        None => Err(no_such(kind, name, account.principals.keys().map(PrincipalName::name))),
    }
}

/// That the account lacks somebody, with who may have been meant.
fn no_such<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> CliError {
    let message = format!("there is no {kind} `{name}` here");
    let alike = trueup_access::did_you_mean(name, known);
    match alike.trim_start_matches("; ") {
        "" => CliError::refused(message, "`--manifest` and `--live` say whose access is asked about"),
        hint => CliError::refused(message, hint),
    }
}
