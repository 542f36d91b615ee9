//! Two codes that follow each other, asked for one after the other.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    exit::{CliError, Exit, Signal},
    signals::Signals,
    terminal::Terminal,
};

/// How long an authenticator shows a code.
const STEP: i64 = 30;
/// How many lines are read in all before whoever types them is taken for something that is no person.
const LINES: u32 = 12;

/// Asks for codes, and remembers which were used.
pub(super) struct Codes<'a> {
    terminal: &'a Terminal,
    signals: &'a Signals,
    /// Codes that IAM has seen. It takes none twice.
    used: BTreeSet<String>,
    lines: u32,
}

/// Why there are no codes.
pub(super) enum NoCodes {
    /// Nobody types any more.
    GivenUp,
    /// A signal.
    Caught(Signal),
    /// Stdin cannot be read.
    Failed(CliError),
}

impl<'a> Codes<'a> {
    pub(super) fn new(terminal: &'a Terminal, signals: &'a Signals) -> Self {
        Self {
            terminal,
            signals,
            used: BTreeSet::new(),
            lines: 0,
        }
    }

    /// Two codes, the older first, neither of which was used.
    pub(super) async fn ask(&mut self) -> Result<(String, String), NoCodes> {
        let first = self.ask_one("First code: ", None).await?;
        let second = self.ask_one("Second code: ", Some(&first)).await?;
        self.used.extend([first.clone(), second.clone()]);
        Ok((first, second))
    }

    async fn ask_one(&mut self, prompt: &'static str, before: Option<&str>) -> Result<String, NoCodes> {
        loop {
            self.lines += 1;
            if self.lines > LINES {
                return Err(NoCodes::GivenUp);
            }
            let Some(line) = self.line(prompt).await? else {
                return Err(NoCodes::GivenUp);
            };
            match check(&line, before, &self.used, Timestamp::now()) {
                Ok(code) => return Ok(code),
                Err(problem) => self.terminal.message(&format!("{problem}\n")),
            }
        }
    }

    async fn line(&self, prompt: &'static str) -> Result<Option<String>, NoCodes> {
        let asking = self.terminal.clone();
        // A line from a terminal cannot be waited for without blocking a thread.
        let answer = tokio::task::spawn_blocking(move || asking.asks_for_line(prompt));
        tokio::select! {
            answer = answer => match answer {
                Ok(line) => line.map_err(NoCodes::Failed),
                Err(error) => Err(NoCodes::Failed(CliError::Io {
                    action: "read the answer",
                    source: std::io::Error::other(error),
                })),
            },
            signal = self.signals.wait() => {
                // The prompt is still on the line.
                self.terminal.message("\n");
                Err(NoCodes::Caught(signal))
            }
        }
    }
}

/// How long until the authenticator shows another code.
pub(super) fn seconds_left(now: Timestamp) -> i64 {
    STEP - now.as_second().rem_euclid(STEP)
}

/// A code as it is sent, or what is wrong with it.
fn check(line: &str, before: Option<&str>, used: &BTreeSet<String>, now: Timestamp) -> Result<String, String> {
    let code: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let next = format!("the next one comes in {} seconds", seconds_left(now));
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("A code is six digits.".to_owned());
    }
    if before == Some(code.as_str()) {
        return Err(format!("That is the first code again; {next}."));
    }
    if used.contains(&code) {
        return Err(format!("That code was used already, and each counts once; {next}."));
    }
    Ok(code)
}

/// How a command ends that was interrupted while it asked.
pub(super) fn interrupted(signal: Signal) -> Exit {
    Exit::Interrupted(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_that_were_not_seen_before() {
        let used = BTreeSet::from(["111111".to_owned()]);
        let now = Timestamp::from_second(1000).unwrap();
        let check = |line: &str, before| check(line, before, &used, now);
        assert_eq!(check("123 456", None).unwrap(), "123456");
        for bad in ["", "12345", "1234567", "12345x", "١٢٣٤٥٦"] {
            assert_eq!(check(bad, None).unwrap_err(), "A code is six digits.", "{bad}");
        }
        let again = check("123456", Some("123456")).unwrap_err();
        assert_eq!(again, "That is the first code again; the next one comes in 20 seconds.");
        assert!(check("111111", None).unwrap_err().contains("used already"));
    }
}
