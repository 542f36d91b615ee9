//! Where an account is kept: a JSON file that is replaced whole, before a write is answered. A client that is killed
//! at any moment loses nothing that it was told of, and several processes can use one file at once.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::{errors::SandboxError, state::State};

/// The format of the file. A change that older versions cannot read raises it.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Saved<'a> {
    sandbox_format: u32,
    account: &'a State,
}

#[derive(Deserialize)]
struct Loaded {
    sandbox_format: u32,
    account: State,
}

/// The file of one account.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// Held while the file is looked at and replaced. It is a file of its own, since the account's is replaced.
    lock: File,
    /// The version of the file that the account in memory is.
    seen: Option<Stamp>,
    /// Whether the account in memory has a change that could not be written. The file is the truth then, and has to be
    /// read again before anything else.
    is_ahead: bool,
}

/// Tells one version of the file from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Store {
    /// Opens the file of an account, with the account that is in it; `None` where there is no file yet.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<State>), SandboxError> {
        let failed = |source| SandboxError::Write {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_file_name(name))
            .map_err(failed)?;
        let mut store = Self {
            path: path.to_owned(),
            lock,
            seen: None,
            is_ahead: false,
        };
        let state = store.exclusively(Store::changed)??;
        Ok((store, state))
    }

    /// Does something while no other process looks at the file.
    pub(crate) fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, SandboxError> {
        let failed = |path: &Path, source| SandboxError::Write {
            path: path.to_owned(),
            source,
        };
        self.lock.lock().map_err(|source| failed(&self.path, source))?;
        let result = work(self);
        self.lock.unlock().map_err(|source| failed(&self.path, source))?;
        Ok(result)
    }

    /// The account as it stands in the file, where that is another than was last seen.
    pub(crate) fn changed(&mut self) -> Result<Option<State>, SandboxError> {
        let failed = |source| SandboxError::Read {
            path: self.path.clone(),
            source,
        };
        let stamp = match fs::metadata(&self.path) {
            Ok(metadata) => Stamp::of(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_ahead => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if self.seen.as_ref() == Some(&stamp) {
            return Ok(None);
        }
        let text = fs::read(&self.path).map_err(failed)?;
        let loaded: Loaded = serde_json::from_slice(&text).map_err(|source| SandboxError::Format {
            path: self.path.clone(),
            source,
        })?;
        if loaded.sandbox_format != FORMAT {
            return Err(SandboxError::FormatVersion {
                path: self.path.clone(),
                found: loaded.sandbox_format,
                known: FORMAT,
            });
        }
        self.seen = Some(stamp);
        self.is_ahead = false;
        Ok(Some(loaded.account))
    }

    /// Changes the account and replaces the file, while no other process looks at it. A change that is refused leaves
    /// both as they are.
    pub(crate) fn update<T, E>(
        &mut self,
        state: &mut State,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<Result<T, E>, SandboxError> {
        self.exclusively(|store| {
            if let Some(newer) = store.changed()? {
                *state = newer;
            }
            let result = change(state);
            if result.is_ok()
                && let Err(error) = store.save(state)
            {
                store.seen = None;
                store.is_ahead = true;
                return Err(error);
            }
            Ok(result)
        })?
    }

    /// Replaces the file.
    pub(crate) fn save(&mut self, state: &State) -> Result<(), SandboxError> {
        self.replace(state).map_err(|source| SandboxError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn replace(&mut self, state: &State) -> io::Result<()> {
        let text = serde_json::to_vec(&Saved {
            sandbox_format: FORMAT,
            account: state,
        })?;
        let directory = self
            .path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        // A new file in the same directory, readable by its owner alone, takes the old one's place in one step.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        let file = file.persist(&self.path).map_err(|error| error.error)?;
        self.seen = Some(Stamp::of(&file.metadata()?));
        Ok(())
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(metadata),
        }
    }
}
