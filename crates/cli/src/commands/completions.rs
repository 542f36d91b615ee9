//! `trueup completions`: what a shell offers behind `trueup`.

use clap::CommandFactory as _;

use crate::{
    args::{Cli, CompletionsArgs},
    exit::{CliError, Exit},
    terminal::Terminal,
};

pub(crate) fn run(args: &CompletionsArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trueup", &mut script);
    terminal.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
