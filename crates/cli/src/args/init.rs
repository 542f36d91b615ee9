//! The command line of `trueup init`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::args::{LiveArgs, flag};

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The manifest to write; one that is there is left as it is
    #[arg(default_value = "trueup.yaml", env = "TRUEUP_MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// Looks at the account, and asks for what a first account needs
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_FROM_LIVE")]
    pub(crate) from_live: bool,
    /// Only shows what root alone can do, and how much of it is done
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, conflicts_with = "from_live", env = "TRUEUP_CHECKLIST")]
    pub(crate) checklist: bool,
    /// The account of the manifest [default: that of the credentials]
    #[arg(long, value_name = "ID", conflicts_with = "from_live", env = "TRUEUP_ACCOUNT")]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) answers: InitAnswers,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

/// Answers to the questions of `--from-live`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Answers, instead of being asked")]
pub(crate) struct InitAnswers {
    /// The account alias; empty: none
    #[arg(long, value_name = "NAME", env = "TRUEUP_ALIAS")]
    pub(crate) alias: Option<String>,
    /// The account password policy
    #[arg(long, value_enum, value_name = "POLICY", env = "TRUEUP_PASSWORD_POLICY")]
    pub(crate) password_policy: Option<PasswordPolicyAnswer>,
    /// The group of administrators
    #[arg(long, value_name = "GROUP", env = "TRUEUP_ADMINISTRATORS")]
    pub(crate) administrators: Option<String>,
    /// The first administrator
    #[arg(long, value_name = "USER", env = "TRUEUP_ADMINISTRATOR")]
    pub(crate) administrator: Option<String>,
    /// Whether people need an MFA device
    #[arg(long, value_enum, value_name = "LEVEL", env = "TRUEUP_MFA")]
    pub(crate) mfa: Option<MfaAnswer>,
    /// Who can open the administrator's password: a public key, or an OpenPGP file; empty: nobody
    #[arg(long, value_name = "KEY", env = "TRUEUP_DELIVER_TO")]
    pub(crate) deliver_to: Option<String>,
    /// Takes the defaults of everything else, and asks nothing
    #[arg(long, action = ArgAction::SetTrue, value_parser = flag, env = "TRUEUP_DEFAULTS")]
    pub(crate) defaults: bool,
}

/// What becomes of the account password policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PasswordPolicyAnswer {
    /// 14 characters of all classes, 24 passwords remembered
    Recommended,
    /// As the account has it now
    Keep,
    /// Not managed
    None,
}

/// What MFA people must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MfaAnswer {
    /// A device, where there is a console password
    Required,
    /// As required, and a policy that denies everything else without
    Enforced,
    /// None
    Exempt,
}
