//! The `trueup` binary: reads the command line, runs one command, and turns what came of it into an exit code.

mod annotations;
mod answers;
mod args;
mod authorizer;
mod aws;
mod baseline;
mod commands;
mod delivery;
mod environment;
mod exit;
mod lints;
mod live;
mod logging;
mod manifest;
mod markdown;
mod output;
mod profiles;
mod qr;
mod remote_lock;
mod root_user;
mod signals;
mod start;
mod telemetry;
mod terminal;

/// The futures of an unoptimised build are larger than the stack of a process's first thread.
const STACK: usize = 64 << 20;

fn main() -> std::process::ExitCode {
    let run = std::thread::Builder::new().stack_size(STACK).spawn(start::start);
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        _ => std::process::ExitCode::FAILURE,
    }
}
