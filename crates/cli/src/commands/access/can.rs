//! `trueup access can`: whether somebody can do something.

use trueup_access::{Answer, Engine};
use trueup_report::access::{ACCESS_VERSION, CanReport, Shown, Yes, render_can};

use crate::{
    args::CanArgs,
    exit::{CliError, Exit},
    terminal::Terminal,
};

use super::{answer, principal, question, source};

pub(super) async fn run(args: &CanArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let data = source::iam_data(args.account.iam_data.as_deref())?;
    let mut engine = Engine::new(data);
    let known = source::open(&args.account, data, terminal).await?;
    let name = principal(&args.principal, &known.account)?;
    let question = question(&args.question, &engine, terminal);
    let holdings = known.account.holdings(&name).cloned().unwrap_or_default();
    let (is_allowed, shown, unknown) = match engine.allows_all(&holdings, &question) {
        Answer::Yes(shown) => (Yes::Yes, shown, Vec::new()),
        Answer::No(shown) => (Yes::No, shown, Vec::new()),
        Answer::Unknown(causes) => (Yes::Unknown, None, causes),
    };
    let allowed_otherwise = match is_allowed {
        Yes::No => match engine.allows_any(&holdings, &question) {
            Answer::Yes(shown) => shown,
            Answer::No(_) | Answer::Unknown(_) => None,
        },
        Yes::Yes | Yes::Unknown => None,
    };
    let report = CanReport {
        format_version: ACCESS_VERSION,
        principal: name.to_string(),
        question,
        answer: is_allowed,
        shown: shown.map(Shown::from),
        allowed_otherwise: allowed_otherwise.map(Shown::from),
        unknown,
        basis: known.basis,
    };
    answer(args.format, terminal, &report, || {
        render_can(&report, &terminal.text_options())
    })?;
    Ok(match is_allowed {
        Yes::Yes => Exit::Done,
        Yes::No => Exit::Strict,
        Yes::Unknown => Exit::Failed,
    })
}
