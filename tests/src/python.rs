//! Other people's IAM clients: moto, boto3 and the AWS command line, installed by the tests themselves.
//!
//! They go to a virtual environment below the target directory, once, with the pinned versions of
//! `tests/python/requirements.txt`; programs that look at workflows go to another, see [`tool`].

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{
    binary::{Output, Workspace},
    root,
};

/// The virtual environment's interpreter.
///
/// # Panics
///
/// When the environment cannot be made; without it, the tests that need it would prove nothing.
pub fn interpreter() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| environment("python", "requirements.txt"));
    INTERPRETER.get_or_init(|| folder.join("bin/python"))
}

/// A program of `tests/python/tools.txt`.
///
/// # Panics
///
/// As [`interpreter`].
pub fn tool(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| environment("python-tools", "tools.txt"))
        .join("bin")
        .join(name)
}

/// A virtual environment below the target directory with what a list of requirements names, made on first use.
fn environment(name: &str, requirements: &str) -> PathBuf {
    let requirements = root().join("tests/python").join(requirements);
    let wanted = std::fs::read_to_string(&requirements).expect("the list of requirements can be read");
    let test = std::env::current_exe().expect("a test knows its own path");
    // target/PROFILE/deps/TEST
    let target = test
        .ancestors()
        .nth(3)
        .expect("a test stands in target/PROFILE/deps")
        .to_owned();
    // Test binaries may run side by side, and so may whole test runs.
    let lock = File::create(target.join("python.lock")).expect("the target directory can be written");
    lock.lock().expect("a file can be locked");
    let folder = target.join(name);
    let stamp = folder.join("requirements.installed");
    if std::fs::read_to_string(&stamp).ok() != Some(wanted.clone()) {
        let _ = std::fs::remove_dir_all(&folder);
        must(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        must(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--no-input", "--requirement"])
                .arg(requirements),
        );
        std::fs::write(&stamp, wanted).expect("the target directory can be written");
    }
    folder
}

fn must(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; the tests need python3 with venv"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs a script of `tests/python/` against an endpoint. `iam` is a boto3 client there, and `arguments` its own.
///
/// # Panics
///
/// When the script fails; its assertions are the test's.
#[track_caller]
pub fn boto3(workspace: &Workspace, endpoint: &str, script: &str, arguments: &[&str]) -> Output {
    let mut run = workspace
        .command(interpreter())
        .arg(root().join("tests/python").join(script))
        .env("AWS_ENDPOINT_URL", endpoint);
    for argument in arguments {
        run = run.arg(argument);
    }
    credentials(run).run().expect_exit(0)
}

/// Runs the AWS command line against an endpoint.
pub fn aws(workspace: &Workspace, endpoint: &str, arguments: &str) -> Output {
    let folder = interpreter().parent().expect("an interpreter stands in a folder");
    credentials(
        workspace
            .command(interpreter())
            .arg(folder.join("aws"))
            .args(arguments)
            .env("AWS_ENDPOINT_URL", endpoint),
    )
    .run()
}

/// Credentials that no account knows, for services that do not check them.
#[must_use]
pub fn credentials(run: crate::binary::Run<'_>) -> crate::binary::Run<'_> {
    run.env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-east-1")
}
