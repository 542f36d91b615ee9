//! `trueup access who-can`: everybody who can do something.

use trueup_access::{Answer, Engine};
use trueup_report::access::{ACCESS_VERSION, Holder, Shown, WhoCanReport, Yes, render_who_can};

use crate::{
    args::WhoCanArgs,
    exit::{CliError, Exit},
    terminal::Terminal,
};

use super::{answer, question, source};

pub(super) async fn run(args: &WhoCanArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let data = source::iam_data(args.account.iam_data.as_deref())?;
    let mut engine = Engine::new(data);
    let known = source::open(&args.account, data, terminal).await?;
    let question = question(&args.question, &engine, terminal);
    let mut principals = Vec::new();
    for (name, holdings) in &known.account.principals {
        let (is_allowed, shown, unknown) = match engine.allows_any(holdings, &question) {
            Answer::Yes(shown) => (Yes::Yes, shown, Vec::new()),
            Answer::No(_) => continue,
            Answer::Unknown(causes) => (Yes::Unknown, None, causes),
        };
        principals.push(Holder {
            principal: name.to_string(),
            answer: is_allowed,
            shown: shown.map(Shown::from),
            unknown,
        });
    }
    let report = WhoCanReport {
        format_version: ACCESS_VERSION,
        question,
        asked: known.account.principals.len(),
        principals,
        basis: known.basis,
    };
    answer(args.format, terminal, &report, || {
        render_who_can(&report, &terminal.text_options())
    })?;
    Ok(Exit::Done)
}
