//! One apply at a time: a lock file for each account, held by the process and gone with it.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use trueup_model::AccountId;

use crate::{args::LiveSource, exit::CliError};

/// Holds the lock as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock of an account. That of a sandbox lies beside its file, so that two sandboxes of one account id do
/// not wait for each other.
pub(crate) fn take(account: &AccountId, live: &LiveSource, state: &Path) -> Result<Lock, CliError> {
    let path = match live {
        LiveSource::Sandbox(file) => beside(file),
        LiveSource::Aws | LiveSource::Snapshot(_) => {
            let directory = state.join("locks");
            make_private(&directory)?;
            directory.join(format!("{account}.lock"))
        }
    };
    let failed = |source| CliError::File {
        action: "lock",
        path: path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(CliError::Locked {
            account: account.clone(),
            path,
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file.file_name().unwrap_or_default());
    name.push(".apply.lock");
    file.with_file_name(name)
}

/// Makes a directory that its owner alone can look into.
pub(crate) fn make_private(directory: &Path) -> Result<(), CliError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|source| CliError::File {
        action: "make",
        path: directory.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time_for_an_account() {
        let state = tempfile::tempdir().unwrap();
        let account = |id: &str| AccountId::new(id).unwrap();
        let first = take(&account("123456789012"), &LiveSource::Aws, state.path()).unwrap();
        let second = take(&account("123456789012"), &LiveSource::Aws, state.path()).unwrap_err();
        assert_eq!(second.code(), 6);
        assert!(take(&account("210987654321"), &LiveSource::Aws, state.path()).is_ok());
        drop(first);
        assert!(take(&account("123456789012"), &LiveSource::Aws, state.path()).is_ok());
    }

    #[test]
    fn sandboxes_of_one_account_do_not_wait_for_each_other() {
        let state = tempfile::tempdir().unwrap();
        let account = AccountId::new("123456789012").unwrap();
        let sandbox = |name: &str| LiveSource::Sandbox(state.path().join(name));
        let _first = take(&account, &sandbox("a.json"), state.path()).unwrap();
        let _other = take(&account, &sandbox("b.json"), state.path()).unwrap();
        assert_eq!(take(&account, &sandbox("a.json"), state.path()).unwrap_err().code(), 6);
    }
}
