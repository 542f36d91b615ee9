//! The command line of what needs no account: `fmt`, `completions`, `man`.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use clap_complete::Shell;

use crate::args::flag;

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// The manifests, each a file or a directory, or - for stdin [default: trueup.yaml or trueup/, looked for upwards
    /// to the git root]
    #[arg(value_name = "MANIFEST", env = "TRUEUP_MANIFEST")]
    pub(crate) manifests: Vec<PathBuf>,
    /// Writes nothing, and exits 1 where a file is not in canonical form
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_CHECK")]
    pub(crate) check: bool,
    /// Shows what would change, and writes nothing
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_DIFF")]
    pub(crate) diff: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Writes a page for each command into a directory, instead of the first one to stdout
    #[arg(long, value_name = "DIR", env = "TRUEUP_OUT")]
    pub(crate) out: Option<PathBuf>,
}
