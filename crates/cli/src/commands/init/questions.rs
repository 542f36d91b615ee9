//! What a first account needs to be asked, one question after the other; an answer on the command line is not asked
//! for.

use trueup_model::{Alias, GroupName, Live, UserName};

use crate::{
    args::{InitAnswers, MfaAnswer, PasswordPolicyAnswer},
    delivery,
    exit::CliError,
    signals::Signals,
    terminal::Terminal,
};

/// How often a question is asked before whoever answers is taken for something that is no person.
const TRIES: u32 = 5;

/// The answers.
pub(super) struct Answers {
    pub(super) alias: Option<Alias>,
    pub(super) password_policy: PasswordPolicyAnswer,
    pub(super) administrators: GroupName,
    pub(super) administrator: UserName,
    pub(super) mfa: MfaAnswer,
    /// As it was given; empty: nobody.
    pub(super) deliver_to: String,
}

/// Asks.
pub(super) struct Questions<'a> {
    live: &'a Live,
    given: &'a InitAnswers,
    terminal: &'a Terminal,
    signals: &'a Signals,
}

impl<'a> Questions<'a> {
    pub(super) fn new(live: &'a Live, given: &'a InitAnswers, terminal: &'a Terminal, signals: &'a Signals) -> Self {
        Self {
            live,
            given,
            terminal,
            signals,
        }
    }

    pub(super) async fn ask(&self) -> Result<Answers, CliError> {
        let account = &self.live.account;
        let alias = account.alias.as_ref().map(ToString::to_string).unwrap_or_default();
        let alias = self
            .one(
                "Account alias",
                &alias,
                self.given.alias.as_deref(),
                "--alias",
                |text| {
                    if text.is_empty() {
                        return Ok(None);
                    }
                    Alias::new(text).map(Some).map_err(|error| error.to_string())
                },
            )
            .await?;
        let has_policy = account.password_policy.is_some();
        let words = [
            ("recommended", PasswordPolicyAnswer::Recommended),
            ("keep", PasswordPolicyAnswer::Keep),
            ("none", PasswordPolicyAnswer::None),
        ];
        let password_policy = match self.given.password_policy {
            Some(answer) => answer,
            None => {
                let usual = if has_policy { "keep" } else { "recommended" };
                let question = "Password policy (recommended, keep or none)";
                self.one(question, usual, None, "--password-policy", |text| word(text, &words))
                    .await?
            }
        };
        let administrators = self
            .one(
                "Group of administrators",
                "administrators",
                self.given.administrators.as_deref(),
                "--administrators",
                |text| GroupName::new(text).map_err(|error| error.to_string()),
            )
            .await?;
        let administrator = self
            .one(
                "First administrator",
                "admin",
                self.given.administrator.as_deref(),
                "--administrator",
                |text| {
                    let name = UserName::new(text).map_err(|error| error.to_string())?;
                    if self.live.users.contains_key(&name) {
                        return Err(format!(
                            "there is a user `{name}` already; `trueup export` writes a manifest of what is there"
                        ));
                    }
                    Ok(name)
                },
            )
            .await?;
        let mfa = match self.given.mfa {
            Some(answer) => answer,
            None => {
                let words = [
                    ("required", MfaAnswer::Required),
                    ("enforced", MfaAnswer::Enforced),
                    ("exempt", MfaAnswer::Exempt),
                ];
                self.one(
                    "MFA (required, enforced or exempt)",
                    "required",
                    None,
                    "--mfa",
                    |text| word(text, &words),
                )
                .await?
            }
        };
        let deliver_to = self
            .one(
                "Public key that can open the password (age, ssh, or an OpenPGP file)",
                "",
                self.given.deliver_to.as_deref(),
                "--deliver-to",
                |text| {
                    if !text.is_empty() {
                        delivery::from_argument(text).map_err(|error| error.to_string())?;
                    }
                    Ok(text.to_owned())
                },
            )
            .await?;
        Ok(Answers {
            alias,
            password_policy,
            administrators,
            administrator,
            mfa,
            deliver_to,
        })
    }

    /// One answer: from the command line, the default, or whoever is asked.
    async fn one<T>(
        &self,
        question: &str,
        usual: &str,
        given: Option<&str>,
        flag: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, CliError> {
        if let Some(given) = given {
            return read(given).map_err(|problem| CliError::Usage(format!("{flag} is `{given}`: {problem}")));
        }
        if self.given.defaults {
            return read(usual).map_err(|problem| CliError::Usage(format!("{flag} has to be given: {problem}")));
        }
        for _ in 0..TRIES {
            let prompt = if usual.is_empty() {
                format!("{question}: ")
            } else {
                format!("{question} [{usual}]: ")
            };
            let asking = self.terminal.clone();
            // A line from a terminal cannot be waited for without blocking a thread.
            let answer = tokio::task::spawn_blocking(move || asking.asks_for_line(&prompt));
            let line = self
                .signals
                .unless_caught(async {
                    answer.await.map_err(|error| CliError::Io {
                        action: "read the answer",
                        source: std::io::Error::other(error),
                    })?
                })
                .await?;
            let Some(line) = line else { break };
            match read(if line.is_empty() { usual } else { &line }) {
                Ok(answer) => return Ok(answer),
                Err(problem) => self.terminal.note(&format!("  {problem}")),
            }
        }
        Err(CliError::refused(
            format!("there is no answer to `{question}`; nothing was written"),
            format!("give it with {flag}, or take every default with --defaults"),
        ))
    }
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, answer)| *answer)
        .ok_or_else(|| format!("expected one of {}", known.join(", ")))
}
