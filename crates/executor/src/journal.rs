//! The journal of a run: JSON lines, each on the disk before the next step is taken. Never holds a secret.
//!
//! A line `intent` without its `outcome` is a call that may or may not have taken effect. The journal is evidence, not
//! state: a killed run is simply run again, from the live account.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use trueup_model::{AccountId, Live, Resource};
use trueup_planner::{Action, ActionId, Call, GuardrailFinding, Left, Only, Plan};

use crate::{files, report::Outcome};

/// The version of the journal's lines.
const FORMAT_VERSION: &str = "1.0";

/// The id of a run: when it began, and eight random digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(String);

impl RunId {
    /// A new id for a run that begins at `now`.
    pub fn generate(now: Timestamp) -> Self {
        let time = now.strftime("%Y%m%dT%H%M%SZ");
        Self(format!("{time}-{:08x}", rand::random::<u32>()))
    }

    /// The id as text, safe in file names.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a journal or a snapshot cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct JournalError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the operating system says.
    pub source: io::Error,
}

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    run: RunId,
    file: Mutex<File>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
enum Line<'a> {
    Run {
        at: Timestamp,
        format_version: &'static str,
        run: &'a str,
        account_id: &'a AccountId,
        plan_digest: &'a str,
        as_of: Date,
        tool_version: &'a str,
        actions: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        only: Option<Only>,
        #[serde(skip_serializing_if = "<[Left]>::is_empty")]
        left: &'a [Left],
        #[serde(skip_serializing_if = "Vec::is_empty")]
        allowed: Vec<&'a GuardrailFinding>,
    },
    Intent {
        at: Timestamp,
        action: ActionId,
        resource: &'a Resource,
        call: &'a Call,
        #[serde(skip_serializing_if = "<[PathBuf]>::is_empty")]
        credential_files: &'a [PathBuf],
    },
    Outcome {
        at: Timestamp,
        action: ActionId,
        outcome: &'a Outcome,
    },
    End {
        at: Timestamp,
        interrupted: bool,
        stopped: Option<&'a str>,
    },
}

impl Journal {
    /// Starts the journal of a run: a new file in `directory`, named by account and run, with a first line that says
    /// what is applied.
    ///
    /// # Errors
    ///
    /// [`JournalError`] where the directory or the file cannot be made.
    pub fn create(directory: &Path, plan: &Plan, run: &RunId) -> Result<Self, JournalError> {
        let path = directory.join(format!("{}-{run}.jsonl", plan.account_id));
        let make = || {
            files::create_private_directory(directory)?;
            let file = files::create_private_file(&path)?;
            files::sync_directory(directory)?;
            Ok(file)
        };
        let file = make().map_err(|source| JournalError {
            path: path.clone(),
            source,
        })?;
        let journal = Self {
            path,
            run: run.clone(),
            file: Mutex::new(file),
        };
        journal.write(&Line::Run {
            at: Timestamp::now(),
            format_version: FORMAT_VERSION,
            run: run.as_str(),
            account_id: &plan.account_id,
            plan_digest: &plan.digest,
            as_of: plan.as_of,
            tool_version: &plan.tool_version,
            actions: plan.actions.len(),
            only: plan.only,
            left: &plan.left,
            allowed: plan.guardrails.iter().filter(|finding| finding.allowed).collect(),
        })?;
        Ok(journal)
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    pub(crate) fn intent(&self, action: &Action, credential_files: &[PathBuf]) -> Result<(), JournalError> {
        self.write(&Line::Intent {
            at: Timestamp::now(),
            action: action.id,
            resource: &action.resource,
            call: &action.call,
            credential_files,
        })
    }

    pub(crate) fn outcome(&self, action: ActionId, outcome: &Outcome) -> Result<(), JournalError> {
        self.write(&Line::Outcome {
            at: Timestamp::now(),
            action,
            outcome,
        })
    }

    pub(crate) fn end(&self, interrupted: bool, stopped: Option<&str>) -> Result<(), JournalError> {
        self.write(&Line::End {
            at: Timestamp::now(),
            interrupted,
            stopped,
        })
    }

    fn write(&self, line: &Line<'_>) -> Result<(), JournalError> {
        let append = || {
            let mut text = serde_json::to_vec(line)?;
            text.push(b'\n');
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&text)?;
            file.sync_data()
        };
        append().map_err(|source| JournalError {
            path: self.path.clone(),
            source,
        })
    }
}

/// Writes what an apply is about to change, so that it can be undone: a snapshot for its owner alone, whole or not at
/// all.
///
/// # Errors
///
/// [`JournalError`] where the file cannot be written.
pub fn write_snapshot(path: &Path, live: &Live) -> Result<(), JournalError> {
    #[derive(Serialize)]
    struct Snapshot<'a> {
        format_version: &'static str,
        live: &'a Live,
    }
    let write = || {
        let snapshot = Snapshot {
            format_version: FORMAT_VERSION,
            live,
        };
        let mut text = serde_json::to_vec_pretty(&snapshot)?;
        text.push(b'\n');
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            files::create_private_directory(parent)?;
        }
        files::replace_private_file(path, &text)
    };
    write().map_err(|source| JournalError {
        path: path.to_owned(),
        source,
    })
}
