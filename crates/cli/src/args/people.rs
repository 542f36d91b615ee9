//! The command line of what is done for one person at a time: MFA devices and credential files.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use crate::args::{Format, LiveArgs, flag};

#[derive(Debug, Args)]
pub(crate) struct MfaArgs {
    #[command(subcommand)]
    pub(crate) command: MfaCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MfaCommand {
    /// Shows who has which devices, and what the manifest asks of them
    #[command(after_help = "Examples:\n  trueup mfa status\n  trueup mfa status --all --format json")]
    Status(MfaStatusArgs),
    /// Adds an authenticator app: shows a QR code and asks for two codes
    #[command(
        after_help = "Examples:\n  trueup mfa enroll alice\n  trueup mfa enroll alice --device alice-phone --qr-png code.png\n  trueup mfa enroll robot --seed-to age1…   for whoever keeps the codes elsewhere"
    )]
    Enroll(MfaEnrollArgs),
    /// Brings a device back in step with AWS's clock
    #[command(after_help = "Examples:\n  trueup mfa resync alice")]
    Resync(MfaResyncArgs),
    /// Takes a device away, so that its owner can add another
    #[command(after_help = "Examples:\n  trueup mfa reset alice\n  trueup mfa reset alice --device alice-phone")]
    Reset(MfaResetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MfaStatusArgs {
    /// The manifest, a file or a directory [default: trueup.yaml or trueup/, looked for upwards to the git root, if any]
    #[arg(env = "TRUEUP_MANIFEST")]
    pub(crate) manifest: Option<PathBuf>,
    /// Shows everybody in the account, not only whom the manifest declares
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_ALL")]
    pub(crate) all: bool,
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", env = "TRUEUP_FORMAT")]
    pub(crate) format: Format,
    /// Exits 3 on an unmet requirement
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_STRICT")]
    pub(crate) strict: bool,
    /// The day that grace ends are compared with [default: today, UTC]
    #[arg(long, value_name = "DATE", env = "TRUEUP_AS_OF")]
    pub(crate) as_of: Option<jiff::civil::Date>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MfaEnrollArgs {
    /// Who gets the device
    pub(crate) user: String,
    /// What the device is called [default: as the user]
    #[arg(long, value_name = "NAME", env = "TRUEUP_DEVICE")]
    pub(crate) device: Option<String>,
    /// Also writes the QR code as a PNG, which is removed again at the end
    #[arg(long, value_name = "FILE", conflicts_with = "seed_to", env = "TRUEUP_QR_PNG")]
    pub(crate) qr_png: Option<PathBuf>,
    /// Shows nothing, and seals the seed to an age, ssh or OpenPGP public key, or to a file that holds one
    #[arg(long, value_name = "RECIPIENT", env = "TRUEUP_SEED_TO")]
    pub(crate) seed_to: Option<String>,
    /// Where a sealed seed goes [default: credentials in the state directory]
    #[arg(long, value_name = "DIR", env = "TRUEUP_CREDENTIALS_DIR")]
    pub(crate) credentials_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MfaResyncArgs {
    /// Whose device
    pub(crate) user: String,
    /// Which of several: its name or serial
    #[arg(long, value_name = "NAME", env = "TRUEUP_DEVICE")]
    pub(crate) device: Option<String>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MfaResetArgs {
    /// Whose device
    pub(crate) user: String,
    /// Which of several: its name or serial
    #[arg(long, value_name = "NAME", env = "TRUEUP_DEVICE")]
    pub(crate) device: Option<String>,
    /// Does not ask
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_AUTO_APPROVE")]
    pub(crate) auto_approve: bool,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CredentialsCommandArgs {
    #[command(subcommand)]
    pub(crate) command: CredentialsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialsCommand {
    /// Opens a sealed file and writes what it says to stdout
    #[command(
        after_help = "Examples:\n  trueup credentials open 123456789012-alice-20261120T120000-1f2e.age\n  trueup credentials open FILE --identity key.txt\n  gpg --decrypt FILE.asc                    for files that are sealed with OpenPGP"
    )]
    Open(CredentialsOpenArgs),
    /// Writes sign-in instructions for an e-mail, without any secret
    #[command(after_help = "Examples:\n  trueup credentials instructions alice")]
    Instructions(CredentialsInstructionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CredentialsOpenArgs {
    /// The sealed file
    pub(crate) file: PathBuf,
    /// An age identity or an ssh private key; can be given several times [default: the keys in ~/.ssh]
    #[arg(long, short, value_name = "FILE", env = "TRUEUP_IDENTITY")]
    pub(crate) identity: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CredentialsInstructionsArgs {
    /// Who is going to sign in
    pub(crate) user: String,
    /// The manifest, a file or a directory [default: trueup.yaml or trueup/, looked for upwards to the git root, if any]
    #[arg(env = "TRUEUP_MANIFEST")]
    pub(crate) manifest: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}
