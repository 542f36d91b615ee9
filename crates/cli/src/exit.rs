//! What can go wrong, and the exit code of each. The codes are an interface: scripts and pipelines depend on them.

use std::path::{Path, PathBuf};

use trueup_model::AccountId;
use trueup_planner::PlanError;
use trueup_reader::ReadError;
use trueup_report::escape;

/// The exit codes, as `--help` shows them.
pub(crate) const TABLE: &str = "\
Exit codes:
  0         done, or nothing to do
  1         error, wrong arguments included
  2         there are changes (plan --detailed-exitcode; always for drift; with
            drift --only drift, only what has drifted)
  3         apply refused by a guardrail; with --strict, also an unmet
            requirement, a guardrail or a lapsed rule; with
            --require-approval, a plan that takes a person's approval; access:
            the answer is no, or an assertion fails
  4         stale: the account or the manifest is not what the reviewed plan was
            made from; nothing was written
  5         partly applied: something was written and something failed
  6         another run holds the lock
  7         wrong account, or no usable credentials
  130, 143  interrupted; what was in flight was finished and reported";

/// How a command that ran to its end ends the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// There are changes.
    Changes,
    /// Something that `--strict`, `--require-approval` or a question asks for does not hold.
    Strict,
    /// What was looked at is not right, and has been said.
    Failed,
    /// A signal ended the run, and what was in flight was finished.
    Interrupted(Signal),
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Strict => 3,
            Self::Interrupted(signal) => signal.code(),
        }
    }
}

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What `kill` and most schedulers send.
    Terminate,
}

impl Signal {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// A file as it is told of: `-` is what comes in.
fn named(path: &Path) -> std::borrow::Cow<'_, str> {
    match path == Path::new("-") {
        true => "stdin".into(),
        false => path.to_string_lossy(),
    }
}

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Refused(Refusal),
    #[error("no manifest here: neither trueup.yaml nor a trueup directory, looked for upwards to the git root")]
    NoManifest,
    #[error("the manifest has {}", if *errors == 1 { "an error".to_owned() } else { format!("{errors} errors") })]
    Manifest { errors: usize },
    #[error("the assertions have {}", if *errors == 1 { "an error".to_owned() } else { format!("{errors} errors") })]
    Assertions { errors: usize },
    #[error("the manifest cannot be read")]
    ManifestFiles(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("cannot {action} {}", named(path))]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot {action}")]
    Io {
        action: &'static str,
        source: std::io::Error,
    },
    #[error("{} is no {what}: {problem}", named(path))]
    Content {
        path: PathBuf,
        what: &'static str,
        problem: String,
    },
    #[error("this cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Html(#[from] trueup_report::HtmlError),
    #[error(transparent)]
    Read(Box<ReadError>),
    #[error("profile `{profile}`")]
    Profile { profile: String, source: Box<ReadError> },
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Journal(#[from] trueup_executor::JournalError),
    #[error(transparent)]
    Mfa(#[from] trueup_executor::MfaError),
    #[error(transparent)]
    Sandbox(Box<trueup_sandbox::SandboxError>),
    #[error("{}", if *count == 1 { "a guardrail refuses this plan; nothing was written".to_owned() } else { format!("{count} guardrails refuse this plan; nothing was written") })]
    Guardrails { count: usize, allow: String },
    #[error("a strict run refuses this plan; nothing was written")]
    Strict,
    #[error("this plan takes a person's approval; nothing was written")]
    Approval { reviewed: bool },
    #[error("the plan of now is not the reviewed one; nothing was written")]
    Stale {
        /// What moved, in words, where that is known.
        moved: Vec<String>,
    },
    #[error("the baseline is of account {baseline}, the manifest is for {manifest}")]
    WrongBaseline { baseline: AccountId, manifest: AccountId },
    #[error("--account is {given}, the manifest is for {manifest}")]
    AnotherAccount { given: AccountId, manifest: AccountId },
    #[error("profile `{profile}`{} is neither in {config} nor in {credentials}", if *from_environment { " (AWS_PROFILE)" } else { "" })]
    NoProfile {
        profile: String,
        from_environment: bool,
        config: String,
        credentials: String,
        there: Vec<String>,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("account {account} is being applied to by another run")]
    Locked { account: AccountId, path: PathBuf },
    #[error("account {account} is being applied to by another run: {holder}")]
    LockHeld {
        account: String,
        holder: String,
        id: String,
        lock: String,
        lease: u64,
    },
    #[error("the lock {lock} was lost: {why}; {}", if *written { "partly applied" } else { "nothing was written" })]
    LockLost { lock: String, why: String, written: bool },
    #[error("cannot {action} the lock {lock}: {problem}")]
    LockStore {
        action: &'static str,
        lock: String,
        problem: String,
    },
    #[error("cannot {action} the lock {lock}: {problem}")]
    LockCredentials {
        action: &'static str,
        lock: String,
        problem: String,
    },
    #[error("the credentials are those of account {live}, {expected}")]
    WrongAccount { live: AccountId, expected: String },
    #[error("not approved; nothing was written")]
    Cancelled,
    #[error("interrupted; nothing was written")]
    Interrupted(Signal),
    #[error("{}", incomplete(*failed, *not_attempted, *written))]
    Incomplete {
        failed: usize,
        not_attempted: usize,
        written: bool,
    },
    #[error("everything was written, and the account still differs from the manifest")]
    StillDiffers,
    #[error("reading took longer than the deadline{}", if *throttled { ": the endpoint throttles its callers" } else { "" })]
    Deadline { throttled: bool },
}

/// A refusal with the way out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// How many profiles are named before the rest is counted.
const NAMED: usize = 10;

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

impl CliError {
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(Refusal {
            message: message.into(),
            hint: hint.into(),
        })
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Refused(_)
            | Self::NoManifest
            | Self::Manifest { .. }
            | Self::Assertions { .. }
            | Self::ManifestFiles(_)
            | Self::File { .. }
            | Self::Io { .. }
            | Self::Content { .. }
            | Self::Json(_)
            | Self::Html(_)
            | Self::Journal(_)
            | Self::Mfa(_)
            | Self::Sandbox(_)
            | Self::LockStore { .. }
            | Self::Incomplete { written: false, .. }
            | Self::Deadline { .. }
            | Self::Cancelled
            | Self::Plan(PlanError::Impossible(_)) => 1,
            Self::Read(error) => match **error {
                ReadError::Credentials { .. } => 7,
                ReadError::AccessDenied { .. }
                | ReadError::Throttled { .. }
                | ReadError::Unreachable { .. }
                | ReadError::Unexpected { .. } => 1,
            },
            Self::Guardrails { .. } | Self::Strict | Self::Approval { .. } => 3,
            Self::Stale { .. } => 4,
            Self::Incomplete { written: true, .. } | Self::LockLost { written: true, .. } | Self::StillDiffers => 5,
            Self::Locked { .. } | Self::LockHeld { .. } | Self::LockLost { written: false, .. } => 6,
            Self::Profile { .. }
            | Self::NoProfile { .. }
            | Self::AnotherAccount { .. }
            | Self::LockCredentials { .. }
            | Self::WrongAccount { .. }
            | Self::WrongBaseline { .. }
            | Self::Plan(PlanError::WrongAccount { .. }) => 7,
            Self::Interrupted(signal) => signal.code(),
        }
    }

    /// Ways out, one a line.
    fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Refused(refusal) => vec![refusal.hint.clone()],
            Self::NoManifest => {
                one("name the manifest: `trueup plan PATH`; `trueup export` writes one for an existing account")
            }
            Self::Read(error) | Self::Profile { source: error, .. } => error.hint().into_iter().collect(),
            Self::Guardrails { allow, .. } => vec![format!("to let it pass: {allow}")],
            Self::Strict => one("see what is not met above; without --strict it is reported only"),
            Self::Approval { reviewed: false } => one(
                "have it reviewed and apply with --plan or --expect-digest, or apply without --auto-approve on a terminal",
            ),
            Self::Approval { reviewed: true } => {
                one("the reviewed plan says something else about access; plan again and have that reviewed")
            }
            Self::Stale { .. } => one("plan again, have that reviewed, and apply with its digest"),
            Self::Locked { path, .. } => vec![format!(
                "wait for it to end; the lock is {} and is free as soon as that process is gone",
                path.display()
            )],
            Self::LockHeld { id, lock, lease, .. } => vec![
                format!(
                    "wait for it to end; if it has died, the lock is free {lease} seconds after its last sign of life"
                ),
                format!("if it is surely gone: trueup force-unlock {id} --lock {lock}"),
            ],
            Self::LockLost { .. } => one("look at what the other run does, then plan again"),
            Self::LockStore { .. } => {
                one("the caller needs s3:GetObject, s3:PutObject and s3:DeleteObject on that object")
            }
            Self::LockCredentials { .. } => one(
                "a lock in S3 takes credentials of AWS, with a sandbox too: set AWS_PROFILE or --profile, or sign in again (`aws sso login`)",
            ),
            Self::WrongAccount { .. } | Self::Plan(PlanError::WrongAccount { .. }) => {
                one("use the credentials of the manifest's account, for example with --profile")
            }
            Self::AnotherAccount { .. } => one("leave --account out: the manifest says which account it is"),
            Self::NoProfile { there, .. } if there.is_empty() => one(
                "no profile stands there; write one with `aws configure sso` or `aws configure`, or leave the profile out",
            ),
            Self::NoProfile { there, .. } => {
                let mut named = there.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
                if there.len() > NAMED {
                    named.push_str(&format!(" and {} more", there.len() - NAMED));
                }
                vec![format!("the profiles there: {named}")]
            }
            Self::Content { what: "receipt", .. } => one("`apply --receipt FILE` writes one; a plan is none"),
            Self::WrongBaseline { .. } => one("name the receipt of this account's last apply with --baseline"),
            Self::Incomplete { .. } => one(
                "apply again: it goes on from where the account is; a plan that was reviewed before no longer holds, so plan what is left, and have that reviewed",
            ),
            Self::StillDiffers => one("plan again to see what differs: somebody else may be changing the account"),
            Self::Deadline { .. } => one("--deadline sets how long it may take"),
            _ => Vec::new(),
        }
    }

    /// The text for stderr: `error:` lines with their causes, then `hint:` lines.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        if let Self::Plan(PlanError::Impossible(problems)) = self {
            for problem in problems {
                out.push_str(&format!("error: {}\n", escape::text(&problem.message)));
                if let Some(hint) = &problem.hint {
                    out.push_str(&format!("hint: {}\n", escape::text(hint)));
                }
            }
            return out;
        }
        out.push_str(&format!("error: {}\n", escape::text(&with_causes(self))));
        for hint in self.hints() {
            out.push_str(&format!("hint: {}\n", escape::text(&hint)));
        }
        out
    }
}

fn incomplete(failed: usize, not_attempted: usize, written: bool) -> String {
    let calls = if failed == 1 {
        "a call failed".to_owned()
    } else {
        format!("{failed} calls failed")
    };
    let rest = match not_attempted {
        0 => String::new(),
        1 => " and one was not attempted".to_owned(),
        more => format!(" and {more} were not attempted"),
    };
    let so_far = if written {
        "partly applied"
    } else {
        "nothing was written"
    };
    format!("{calls}{rest}; {so_far}")
}

/// An error's message, followed by those of its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use trueup_planner::Problem;

    use super::*;

    fn account(id: &str) -> AccountId {
        AccountId::new(id).unwrap()
    }

    #[test]
    fn each_kind_of_error_has_its_code() {
        let cases = [
            (CliError::Usage("x".to_owned()), 1),
            (CliError::NoManifest, 1),
            (CliError::Manifest { errors: 2 }, 1),
            (CliError::Cancelled, 1),
            (CliError::Deadline { throttled: true }, 1),
            (CliError::Plan(PlanError::Impossible(Vec::new())), 1),
            (
                CliError::Guardrails {
                    count: 1,
                    allow: String::new(),
                },
                3,
            ),
            (CliError::Strict, 3),
            (CliError::Approval { reviewed: false }, 3),
            (CliError::Stale { moved: Vec::new() }, 4),
            (CliError::StillDiffers, 5),
            (
                CliError::Locked {
                    account: account("123456789012"),
                    path: PathBuf::new(),
                },
                6,
            ),
            (
                CliError::LockHeld {
                    account: String::new(),
                    holder: String::new(),
                    id: String::new(),
                    lock: String::new(),
                    lease: 300,
                },
                6,
            ),
            (
                CliError::LockStore {
                    action: "take",
                    lock: String::new(),
                    problem: String::new(),
                },
                1,
            ),
            (
                CliError::LockCredentials {
                    action: "take",
                    lock: String::new(),
                    problem: String::new(),
                },
                7,
            ),
            (
                CliError::WrongAccount {
                    live: account("123456789012"),
                    expected: "another".to_owned(),
                },
                7,
            ),
            (
                CliError::AnotherAccount {
                    given: account("210987654321"),
                    manifest: account("123456789012"),
                },
                7,
            ),
            (
                CliError::NoProfile {
                    profile: String::new(),
                    from_environment: true,
                    config: String::new(),
                    credentials: String::new(),
                    there: Vec::new(),
                    source: "no such profile".into(),
                },
                7,
            ),
            (
                CliError::WrongBaseline {
                    baseline: account("123456789012"),
                    manifest: account("210987654321"),
                },
                7,
            ),
            (
                CliError::Plan(PlanError::WrongAccount {
                    live: "1".to_owned(),
                    desired: "2".to_owned(),
                }),
                7,
            ),
            (CliError::Interrupted(Signal::Interrupt), 130),
            (CliError::Interrupted(Signal::Terminate), 143),
        ];
        for (error, code) in cases {
            assert_eq!(error.code(), code, "{error}");
        }
        for written in [true, false] {
            let error = CliError::Incomplete {
                failed: 1,
                not_attempted: 0,
                written,
            };
            assert_eq!(error.code(), if written { 5 } else { 1 });
            let error = CliError::LockLost {
                lock: String::new(),
                why: String::new(),
                written,
            };
            assert_eq!(error.code(), if written { 5 } else { 6 });
        }
    }

    #[test]
    fn every_code_is_in_the_table() {
        for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "7 ", "130, 143 "] {
            assert!(TABLE.contains(&format!("\n  {code}")), "{code}");
        }
    }

    #[test]
    fn errors_are_followed_by_their_causes_and_hints() {
        let error = CliError::File {
            action: "read",
            path: PathBuf::from("a\u{1b}b"),
            source: std::io::Error::other("gone\nfor good"),
        };
        assert_eq!(error.render(), "error: cannot read a\\u{1b}b: gone\\nfor good\n");
        assert_eq!(CliError::refused("no", "do x").render(), "error: no\nhint: do x\n");
    }

    #[test]
    fn every_reason_against_a_plan_is_shown() {
        let problem = |message: &str, hint: Option<&str>| Problem {
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            ..Problem::default()
        };
        let error = CliError::Plan(PlanError::Impossible(vec![
            problem("one", Some("x")),
            problem("two", None),
        ]));
        assert_eq!(error.render(), "error: one\nhint: x\nerror: two\n");
    }

    #[test]
    fn a_partial_apply_says_how_much() {
        assert_eq!(incomplete(1, 0, true), "a call failed; partly applied");
        assert_eq!(
            incomplete(2, 3, false),
            "2 calls failed and 3 were not attempted; nothing was written"
        );
    }
}
