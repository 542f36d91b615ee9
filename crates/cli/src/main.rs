//! The `trueup` binary: reads the command line, runs one command, and turns what came of it into an exit code.

mod annotations;
mod answers;
mod args;
mod authorizer;
mod aws;
mod commands;
mod delivery;
mod environment;
mod exit;
mod live;
mod logging;
mod manifest;
mod markdown;
mod output;
mod qr;
mod root_user;
mod signals;
mod start;
mod terminal;

fn main() -> std::process::ExitCode {
    start::start()
}
