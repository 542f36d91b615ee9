//! Transcripts: Markdown in which commands and their real output stand, run from top to bottom.
//!
//! A fence's first word says what it is:
//!
//! - `console`: lines that begin with `$ ` are run by a shell; what follows is their output. Standard error and an
//!   exit code other than 0 are marked.
//! - `iam`: calls that somebody else makes meanwhile, in the language of [`crate::setup`], against `account.json`.
//! - anything else with a second word, for example `yaml trueup.yaml`: a file of that name.
//!
//! Every other fence and all prose are for readers.

use std::path::Path;

use crate::{binary::Workspace, golden, service::Service, setup};

/// Where a transcript's account is kept, below its working directory.
const ACCOUNT: &str = "account.json";

/// Runs a transcript and holds it to its own text.
///
/// # Errors
///
/// The difference, for a person to read.
pub fn run(file: &Path, workspace: &Workspace) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let found = replay(&text, workspace)?;
    golden::check(file, &found)
}

/// The text with the output that its commands really have.
fn replay(text: &str, workspace: &Workspace) -> Result<String, String> {
    let mut found = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        found.push_str(line);
        found.push('\n');
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
            continue;
        };
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let (kind, name) = info.split_once(' ').unwrap_or((info, ""));
        match kind {
            "console" => found.push_str(&console(&body, workspace)),
            _ => {
                let body: String = body.iter().map(|line| format!("{line}\n")).collect();
                if kind == "iam" {
                    let service = Service::sandbox(workspace, ACCOUNT);
                    setup::run(&body, &workspace.path(), service.address())?;
                } else if !name.is_empty() {
                    workspace.write(name, &body);
                }
                found.push_str(&body);
            }
        }
        found.push_str("```\n");
    }
    Ok(found)
}

fn console(body: &[&str], workspace: &Workspace) -> String {
    let mut found = String::new();
    for line in body {
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        // A remark behind two spaces and a hash is the reader's; the shell skips it too.
        let output = workspace.command("sh").arg("-c").arg(command).run();
        found.push_str(line);
        found.push('\n');
        found.push_str(&output.render());
    }
    found
}
