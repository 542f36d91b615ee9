//! Where plain files must not go: into a git work tree that would take them up.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::DeliveryError;

/// Refuses a directory whose files a git work tree would take up: one below a `.git` that does not ignore them.
///
/// Where `git` itself cannot be asked, every work tree refuses.
///
/// # Errors
///
/// [`DeliveryError::InWorkTree`], or [`DeliveryError::Write`] where the directory cannot be looked at.
pub fn check_plain_directory(directory: &Path) -> Result<(), DeliveryError> {
    let real = resolve(directory).map_err(|source| DeliveryError::Write {
        path: directory.to_owned(),
        source,
    })?;
    let Some(work_tree) = real.ancestors().find(|ancestor| ancestor.join(".git").exists()) else {
        return Ok(());
    };
    if is_ignored(work_tree, &real.join("credentials.csv")) {
        return Ok(());
    }
    Err(DeliveryError::InWorkTree {
        directory: real.clone(),
        work_tree: work_tree.to_owned(),
    })
}

/// The path with links resolved, as far as it exists.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut existing = absolute.as_path();
    loop {
        match existing.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |path, name| path.join(name))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        match (existing.file_name(), existing.parent()) {
            (Some(name), Some(parent)) => {
                missing.push(name.to_owned());
                existing = parent;
            }
            _ => return Ok(absolute),
        }
    }
}

fn is_ignored(work_tree: &Path, file: &Path) -> bool {
    Command::new("git")
        .arg("-C")
        .arg(work_tree)
        .args(["check-ignore", "--quiet", "--"])
        .arg(file)
        // Set by git for its hooks, these would have it look at another work tree.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
