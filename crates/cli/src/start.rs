//! From the command line to the exit code.

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};
use trueup_report::escape;

use crate::{
    args::{Cli, Command},
    commands,
    exit::{CliError, Exit},
    logging, telemetry,
    terminal::Terminal,
};

/// Runs the program.
pub(crate) fn start() -> ExitCode {
    install_panic_hook();
    // A panic is a bug and an error like any other: exit 1, after what the hook has said.
    let code = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(1);
    ExitCode::from(code)
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Whoever asked for help may have stopped reading it.
            let _ = error.print();
            // clap's own exit code for wrong arguments is 2, which here means "there are changes".
            return u8::from(error.use_stderr());
        }
    };
    let terminal = Terminal::new(&cli.output);
    logging::start(&cli.output);
    match cli.command {
        _ if cli.version => end(commands::version::run(cli.json, &terminal), &terminal),
        Some(command) => block_on(command, &terminal),
        None => {
            let error = Cli::command().error(ErrorKind::MissingSubcommand, "a command is missing");
            let _ = error.print();
            1
        }
    }
}

/// Tells of an error, and answers the exit code.
fn end(result: Result<Exit, CliError>, terminal: &Terminal) -> u8 {
    match result {
        Ok(exit) => exit.code(),
        Err(error) => {
            terminal.error(&error);
            error.code()
        }
    }
}

fn block_on(command: Command, terminal: &Terminal) -> u8 {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => {
            let action = "start the runtime";
            return end(Err(CliError::Io { action, source }), terminal);
        }
    };
    if let Some(command) = command.asks_an_account() {
        telemetry::begin(command, runtime.handle(), terminal);
    }
    let code = end(runtime.block_on(commands::run(command, terminal)), terminal);
    telemetry::end(code, terminal);
    // A question on the terminal that a signal has made pointless still waits for its line.
    runtime.shutdown_background();
    code
}

/// Says that it is a bug, and where; what the panic holds is text like any other.
fn install_panic_hook() {
    panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let place = info
            .location()
            .map(|location| format!(" at {}:{}", location.file(), location.line()))
            .unwrap_or_default();
        let text = format!(
            "error: internal error{}: {}\nhint: this is a bug in trueup {}; please report it with the command and this message\n",
            escape::text(&place),
            escape::text(message),
            env!("CARGO_PKG_VERSION"),
        );
        let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), text.as_bytes());
    }));
}
