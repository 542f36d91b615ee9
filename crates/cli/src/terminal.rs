//! The process's three streams: results to stdout, progress, logs and errors to stderr, and one question on stdin.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trueup_report::{TextOptions, Verbosity, escape};

use crate::{
    args::{Color, LogFormat, OutputArgs},
    environment,
    exit::CliError,
};

/// How this run talks.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    color_stdout: bool,
    color_stderr: bool,
    verbosity: Verbosity,
    progress: bool,
}

impl Terminal {
    pub(crate) fn new(args: &OutputArgs) -> Self {
        let quiet = args.quiet;
        let on_terminal = io::stderr().is_terminal() && !environment::terminal_is_dumb();
        Self {
            color_stdout: color(args.color, AutoStream::choice(&io::stdout())),
            color_stderr: color(args.color, AutoStream::choice(&io::stderr())),
            verbosity: match (quiet, args.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, 0) => Verbosity::Normal,
                (false, _) => Verbosity::Verbose,
            },
            progress: on_terminal && !quiet && args.log_format == LogFormat::Text,
        }
    }

    /// How text for stdout is rendered.
    pub(crate) fn text_options(&self) -> TextOptions {
        TextOptions {
            color: self.color_stdout,
            verbosity: self.verbosity,
            ..TextOptions::default()
        }
    }

    /// As [`Self::text_options`], for somebody who is about to be asked: quiet or not, the changes are shown.
    pub(crate) fn text_options_to_approve(&self) -> TextOptions {
        let options = self.text_options();
        TextOptions {
            verbosity: options.verbosity.max(Verbosity::Normal),
            ..options
        }
    }

    /// Whether text for stderr may have colours.
    pub(crate) fn color_stderr(&self) -> bool {
        self.color_stderr
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Writes a result. A reader that has gone away, such as `head`, is no error: the command does the rest of its
    /// work and exits as it would have.
    pub(crate) fn result(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Io {
                action: "write to stdout",
                source,
            }),
            _ => Ok(()),
        }
    }

    /// Writes to stderr. There is nobody left to tell where that fails.
    pub(crate) fn message(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes a line about something that is no error, unless the run is quiet. Escapes what it is given.
    pub(crate) fn note(&self, text: &str) {
        if !self.is_quiet() {
            self.message(&format!("{}\n", escape::text(text)));
        }
    }

    /// Writes that something was not done which does not change how the run ends, and what to do, quiet or not.
    pub(crate) fn warning(&self, text: &str, hint: &str) {
        self.message(&format!(
            "warning: {}\nhint: {}\n",
            escape::text(text),
            escape::text(hint)
        ));
    }

    /// Writes why a strict run ends as it does, quiet or not: an exit code alone is no answer.
    pub(crate) fn strict(&self, findings: &[String]) {
        for finding in findings {
            self.message(&format!("strict: {}\n", escape::text(finding)));
        }
    }

    /// Writes why a plan takes a person's approval, quiet or not.
    pub(crate) fn approval(&self, findings: &[String]) {
        for finding in findings {
            self.message(&format!("approval: {}\n", escape::text(finding)));
        }
    }

    /// Writes an error with its hints.
    pub(crate) fn error(&self, error: &CliError) {
        let rendered = error.render();
        if !self.color_stderr {
            self.message(&rendered);
            return;
        }
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        for line in rendered.lines() {
            let (style, label, rest) = match line.split_once(": ") {
                Some(("error", rest)) => (red, "error:", rest),
                Some(("hint", rest)) => (cyan, "hint:", rest),
                _ => (anstyle::Style::new(), "", line),
            };
            self.message(&format!("{style}{label}{style:#} {rest}\n"));
        }
    }

    /// Shows that something takes its time, on a terminal only. It disappears with the returned value.
    pub(crate) fn activity(&self, words: &'static str) -> Activity {
        let bar = ProgressBar::with_draw_target(None, self.draw_target());
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(words);
        if self.progress {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Activity { bar }
    }

    /// Shows how many of `total` steps are done, on a terminal only.
    pub(crate) fn steps(&self, total: u64) -> Activity {
        let bar = ProgressBar::with_draw_target(Some(total), self.draw_target());
        bar.set_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Activity { bar }
    }

    fn draw_target(&self) -> ProgressDrawTarget {
        if self.progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        }
    }

    /// Whether there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Asks for a line on stderr; `None` at the end of stdin. Blocks until there is one.
    pub(crate) fn asks_for_line(&self, prompt: &str) -> Result<Option<String>, CliError> {
        self.message(&escape::text(prompt));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let read = read.map_err(|source| CliError::Io {
            action: "read the answer",
            source,
        })?;
        Ok((read > 0).then(|| answer.trim().to_owned()))
    }

    /// Asks for exactly `yes`. Blocks until a line or the end of stdin is read.
    pub(crate) fn asks_for_yes(&self, question: &str) -> Result<bool, CliError> {
        self.message(&format!(
            "\n{}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: ",
            escape::text(question)
        ));
        let mut answer = String::new();
        io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|source| CliError::Io {
                action: "read the answer",
                source,
            })?;
        Ok(answer.strip_suffix('\n').unwrap_or(&answer).trim_end_matches('\r') == "yes")
    }
}

/// Something that takes its time.
#[derive(Debug)]
pub(crate) struct Activity {
    bar: ProgressBar,
}

impl Activity {
    /// One step is done; `words` come from the account or the manifest and are escaped.
    pub(crate) fn step(&self, words: &str) {
        self.bar.set_message(escape::text(words).into_owned());
        self.bar.inc(1);
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn color(asked: Color, found: ColorChoice) -> bool {
    match asked {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => matches!(found, ColorChoice::Always | ColorChoice::AlwaysAnsi),
    }
}
