//! Golden cases: a folder holds a manifest, the calls that brought the account about, and the plan.

use std::{fmt::Write as _, path::Path};

use serde_json::Value;

use crate::{
    binary::{Output, Workspace},
    golden,
    service::Service,
    setup,
};

/// Where a case's account is kept, below its working directory.
const ACCOUNT: &str = "account.json";

/// The manifest that was applied before, where a case is about what drifted since.
const APPLIED: &str = "applied.yaml";

/// How an apply goes ahead without anybody watching.
const APPROVED: &str = "--auto-approve --plain-credentials --credentials-dir ../credentials";

/// Every code that `--allow` takes.
const GUARDRAILS: [&str; 9] = [
    "deletions",
    "own-access",
    "administrators",
    "break-glass",
    "password-policy",
    "mfa",
    "boundary",
    "alias",
    "shared-policy",
];

/// Runs one case.
///
/// # Errors
///
/// Everything that differs from what the folder expects, for a person to read.
pub fn run(folder: &Path) -> Result<(), String> {
    let workspace = Workspace::new();
    prepare(&workspace, folder)?;
    let arguments = std::fs::read_to_string(folder.join("args")).unwrap_or_default();

    let verbs = Verbs::of(folder);
    let plan = Verbs::cut(command(&workspace, verbs.plan, &arguments));
    let planned = matches!(plan.code, Some(0 | 2 | 3));
    let (file, other) = if planned {
        ("plan.txt", "error.txt")
    } else {
        ("error.txt", "plan.txt")
    };
    settle(folder, other, None)?;
    settle(folder, file, Some(&plan.render()))?;
    let order = if planned {
        order(&workspace, verbs, &arguments)?
    } else {
        None
    };
    settle(folder, "order.txt", order.as_deref())?;
    if planned {
        apply(&workspace, folder, verbs, &arguments, &plan)
    } else {
        settle(folder, "apply.txt", None)
    }
}

/// What is run: everything, or, where the folder says what was applied before, only the correction of drift.
#[derive(Clone, Copy)]
struct Verbs {
    plan: &'static str,
    apply: &'static str,
    /// What a plan says that has nothing to do.
    nothing: &'static [&'static str],
}

impl Verbs {
    /// Without the query for who did it: it holds the time, and is the transcripts' business.
    fn cut(plan: Output) -> Output {
        plan.until("\nWho did it")
    }

    fn of(folder: &Path) -> Self {
        if folder.join(APPLIED).is_file() {
            Self {
                plan: "drift --only drift --baseline receipt.json",
                apply: "apply --only drift --baseline receipt.json",
                nothing: &["No changes.", "No drift to correct.", "Nothing can be corrected yet."],
            }
        } else {
            Self {
                plan: "plan --detailed-exitcode",
                apply: "apply",
                nothing: &["No changes."],
            }
        }
    }
}

/// The calls of the plan in their order, one a line; nothing where there are none.
fn order(workspace: &Workspace, verbs: Verbs, arguments: &str) -> Result<Option<String>, String> {
    let plan = command(workspace, &format!("{} --format json", verbs.plan), arguments);
    let plan: Value = serde_json::from_str(&plan.stdout).map_err(|error| format!("{error}:\n{}", plan.render()))?;
    let mut text = String::new();
    for action in plan["actions"].as_array().into_iter().flatten() {
        let word = |name: &str| action[name].as_str().unwrap_or_default().to_owned();
        let _ = write!(text, "{} {} {}", action["id"], word("operation"), word("resource"));
        let after: Vec<_> = action["after"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect();
        if !after.is_empty() {
            let _ = write!(text, "  after {}", after.join(", "));
        }
        text.push('\n');
    }
    Ok((!text.is_empty()).then(|| golden::redact(&text)))
}

/// Whatever can be planned can be applied, and then nothing is left to do.
fn apply(workspace: &Workspace, folder: &Path, verbs: Verbs, arguments: &str, plan: &Output) -> Result<(), String> {
    let approved = format!("{} {APPROVED}", verbs.apply);
    let applied = command(workspace, &approved, arguments);
    // What apply prints for an ordinary plan is the transcripts' business.
    if applied.code == Some(0) {
        settle(folder, "apply.txt", None)?;
    } else {
        settle(folder, "apply.txt", Some(&applied.render()))?;
    }
    match applied.code {
        Some(0) => {}
        Some(3) => {
            let before = Verbs::cut(command(workspace, verbs.plan, arguments));
            if before.render() != plan.render() {
                let difference = golden::difference("the plan", &plan.render(), &before.render());
                return Err(format!("apply refused and yet changed something: {difference}"));
            }
            // A strict run refuses more than guardrails, and nothing allows that.
            if arguments.contains("--strict") {
                return Ok(());
            }
            let allow: String = GUARDRAILS.iter().map(|code| format!(" --allow {code}")).collect();
            let allowed = command(workspace, &format!("{approved}{allow}"), arguments);
            if allowed.code != Some(0) {
                return Err(format!("apply with everything allowed failed:\n{}", allowed.render()));
            }
        }
        _ => return Ok(()),
    }
    let after = command(workspace, verbs.plan, arguments);
    let says_so = verbs.nothing.iter().any(|nothing| after.stdout.contains(nothing));
    // What is drift and pending at once is left, and a run that looks for drift says so.
    let is_limited = folder.join(APPLIED).is_file();
    if !says_so || (after.code == Some(2) && !is_limited) {
        return Err(format!(
            "after apply there is still something to do:\n{}",
            after.render()
        ));
    }
    Ok(())
}

fn command(workspace: &Workspace, verb: &str, arguments: &str) -> Output {
    workspace
        .trueup()
        .args(verb)
        .args(arguments)
        .env("TRUEUP_LIVE", format!("sandbox:{ACCOUNT}"))
        .run()
}

/// Copies the manifest and brings the account about.
fn prepare(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.as_str() {
            "manifest" => workspace.copy(&entry.path(), "trueup"),
            "manifest.yaml" => workspace.write("trueup.yaml", read(&entry.path())?),
            "applied.yaml" | "args" | "setup.txt" | "plan.txt" | "order.txt" | "error.txt" | "apply.txt" => {}
            _ if name.ends_with(".json") => workspace.write(&name, read(&entry.path())?),
            _ => return Err(format!("{name} is no part of a case")),
        }
    }
    let before = folder.join(APPLIED);
    if before.is_file() {
        workspace.write("before.yaml", read(&before)?);
        let applied = command(
            workspace,
            &format!("apply before.yaml {APPROVED} --receipt receipt.json"),
            "",
        );
        if applied.code != Some(0) {
            return Err(format!("{APPLIED} was not applied:\n{}", applied.render()));
        }
    }
    let script = folder.join("setup.txt");
    if script.is_file() {
        let service = Service::sandbox(workspace, ACCOUNT);
        let script = String::from_utf8_lossy(&read(&script)?).into_owned();
        setup::run(&script, folder, service.address()).map_err(|error| format!("setup.txt, {error}"))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Holds a file to what was found: its text, or that there is no such file.
fn settle(folder: &Path, file: &str, found: Option<&str>) -> Result<(), String> {
    let path = folder.join(file);
    match found {
        Some(found) => golden::check(&path, found),
        None if !path.exists() => Ok(()),
        None if golden::blessing() => std::fs::remove_file(&path).map_err(|error| error.to_string()),
        None => Err(format!(
            "{file} is expected, but the command ended otherwise (BLESS=1 rewrites it)"
        )),
    }
}
