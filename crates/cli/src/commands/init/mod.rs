//! `trueup init`: the first manifest of an account.

mod questions;
mod text;

use trueup_model::{AccountId, Live};
use trueup_report::{TextOptions, Verbosity, escape, render_plan_text};

use self::questions::Questions;
use crate::{
    args::{InitArgs, LiveSource},
    baseline::Baseline,
    commands::compare,
    exit::{CliError, Exit},
    live::Source,
    manifest, output,
    root_user::RootUser,
    signals::Signals,
    terminal::Terminal,
};

pub(crate) async fn run(args: &InitArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    if args.checklist {
        let source = signals.unless_caught(Source::open(&args.live, None)).await?;
        let live = signals.unless_caught(read(&source, terminal)).await?;
        terminal.result(&RootUser::of(&live.account).checklist())?;
        return Ok(Exit::Done);
    }
    // Before anything is asked: nobody answers questions for a file that cannot be written.
    if args.manifest.exists() {
        return Err(CliError::refused(
            format!("{} is there already, and is left as it is", args.manifest.display()),
            "remove it first, or name another file",
        ));
    }
    if args.from_live {
        from_live(args, terminal, signals).await
    } else {
        signals.unless_caught(minimal(args, terminal)).await
    }
}

/// A manifest that asks for nothing but a sound root, to begin from.
async fn minimal(args: &InitArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let account = match args.account.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => AccountId::new(id).map_err(|error| CliError::Usage(format!("--account is `{id}`: {error}")))?,
        None => match Source::open(&args.live, None).await? {
            Source::Snapshot(live) => live.account.id,
            Source::Api(api) => api.identity(None).await?.account,
        },
    };
    output::write_new_text(&args.manifest, &text::minimal(&account))?;
    checked(args, terminal)?;
    terminal.result(&format!(
        "Wrote {}.\nNext: {}\n",
        escape::text(&args.manifest.display().to_string()),
        next(args).plan
    ))?;
    Ok(Exit::Done)
}

/// Walks an administrator through a first account.
async fn from_live(args: &InitArgs, terminal: &Terminal, signals: &Signals) -> Result<Exit, CliError> {
    let source = signals.unless_caught(Source::open(&args.live, None)).await?;
    let live = signals.unless_caught(read(&source, terminal)).await?;
    terminal.message(&found(&live));
    let questions = Questions::new(&live, &args.answers, terminal, signals);
    let answers = questions.ask().await?;
    output::write_new_text(&args.manifest, &text::first_account(&live, &answers))?;
    let path = escape::text(&args.manifest.display().to_string()).into_owned();
    let desired = checked(args, terminal)?;
    terminal.result(&format!("Wrote {path}.\n\n"))?;
    let options = trueup_planner::Options {
        as_of: compare::today(),
        allow: std::collections::BTreeSet::new(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let plan = signals
        .unless_caught(compare::plan_live(
            &source,
            &desired,
            &options,
            &Baseline::default(),
            terminal,
        ))
        .await?;
    let (plan, _) = plan;
    terminal.result(&render_plan_text(
        &plan,
        &TextOptions {
            verbosity: Verbosity::Quiet,
            ..terminal.text_options()
        },
    ))?;
    let plain = if answers.deliver_to.is_empty() {
        " --plain-credentials"
    } else {
        ""
    };
    let Next {
        plan,
        apply,
        live: to_live,
    } = next(args);
    terminal.result(&format!(
        "\nNext:\n  {plan}\n  {apply}{plain}\n  trueup mfa enroll {}{to_live}\n\n{}",
        shell_word(answers.administrator.as_str()),
        RootUser::of(&live.account).checklist()
    ))?;
    Ok(Exit::Done)
}

/// Commands that go on from here, as they can be typed.
struct Next {
    plan: String,
    apply: String,
    /// What says which account to every command that writes.
    live: String,
}

fn next(args: &InitArgs) -> Next {
    let manifest = shell_word(&args.manifest.display().to_string());
    let words: String = args
        .live
        .words()
        .iter()
        .map(|word| format!(" {}", shell_word(word)))
        .collect();
    // A snapshot is for looking: whatever writes goes to the account that it is of.
    let to_write = match args.live.live {
        LiveSource::Snapshot(_) => "",
        LiveSource::Aws | LiveSource::Sandbox(_) => words.as_str(),
    };
    Next {
        plan: format!("trueup plan {manifest}{words}"),
        apply: format!("trueup apply {manifest}{to_write}"),
        live: to_write.to_owned(),
    }
}

/// A word as a shell takes it whole.
fn shell_word(text: &str) -> String {
    let text = escape::text(text);
    let is_plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@=+,%".contains(&byte));
    if is_plain {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

async fn read(source: &Source, terminal: &Terminal) -> Result<Live, CliError> {
    match source {
        Source::Snapshot(live) => Ok((**live).clone()),
        Source::Api(api) => {
            let _activity = terminal.activity("reading the account");
            let identity = api.identity(None).await?;
            api.read(&identity).await
        }
    }
}

/// What was written, read back as any other manifest. One with errors is no manifest, and goes again.
fn checked(args: &InitArgs, terminal: &Terminal) -> Result<trueup_model::Desired, CliError> {
    let loaded = manifest::load(Some(&args.manifest), None, terminal);
    if loaded.is_err() {
        let _ = std::fs::remove_file(&args.manifest);
    }
    loaded.map(|(desired, _)| desired)
}

/// What there is already, for whoever is about to answer.
fn found(live: &Live) -> String {
    let account = &live.account;
    let alias = account
        .alias
        .as_ref()
        .map_or_else(String::new, |alias| format!(" ({alias})"));
    let count = |count: usize, one: &str, many: &str| match count {
        0 => format!("no {many}"),
        1 => format!("one {one}"),
        more => format!("{more} {many}"),
    };
    let mut text = format!(
        "Account {}{}: {}, {}, {}; root: {}\n",
        account.id,
        escape::text(&alias),
        count(live.users.len(), "user", "users"),
        count(live.groups.len(), "group", "groups"),
        if account.password_policy.is_some() {
            "a password policy"
        } else {
            "no password policy of its own"
        },
        RootUser::of(account).in_words(),
    );
    if !live.users.is_empty() {
        text.push_str(
            "What is there stays as it is and is reported as unmanaged; `trueup export` writes a manifest of it.\n",
        );
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_for_a_shell() {
        for (text, word) in [
            ("sandbox:a.json", "sandbox:a.json"),
            ("my file.yaml", "'my file.yaml'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
