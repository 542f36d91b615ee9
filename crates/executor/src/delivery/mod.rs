//! Where new credentials go: one file for each person and run, for its owner alone, and sealed where somebody is named
//! who can open it.
//!
//! A password's file is durable before the password means anything. The secret of an access key exists in IAM's answer
//! alone, so that its file follows the key at once.

mod contents;
mod open;
mod openpgp;
mod place;
mod recipients;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use trueup_model::UserName;
use zeroize::Zeroizing;

use crate::{
    RunId, files,
    secret::{self, Secret},
    signin::SignIn,
};

pub use open::{AskPassphrase, OpenError, open_sealed};
pub use place::check_plain_directory;
pub use recipients::{RecipientError, Recipients, Sealed};

/// Where the credentials go that a run makes.
#[derive(Debug)]
pub enum CredentialsSink {
    /// Nowhere: an action that makes a credential fails before it is sent.
    None,
    /// Files, one for each user and run.
    Files(CredentialFiles),
}

/// A directory of credential files.
pub struct CredentialFiles {
    directory: PathBuf,
    sign_in: SignIn,
    shortest_password: usize,
    recipients: recipients::ByUser,
    plain: bool,
    /// Passwords that somebody typed, who knows them.
    typed: BTreeMap<UserName, Arc<Secret>>,
    /// What this run has delivered so far. A later credential of the same person joins the earlier ones in one file.
    delivered: Mutex<BTreeMap<UserName, Bundle>>,
}

/// One person's credentials of one run.
#[derive(Default)]
pub(crate) struct Bundle {
    password: Option<Arc<Secret>>,
    /// Ids and secrets.
    keys: Vec<(String, Secret)>,
    /// The files that hold them.
    files: Vec<PathBuf>,
}

/// Why credentials cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// There is no place for them.
    #[error("there is no place for the credentials of `{0}`")]
    NoPlace(UserName),
    /// Nothing can be sealed to whoever is named.
    #[error("the credentials of `{user}` cannot be sealed")]
    Recipient {
        /// Whose credentials.
        user: UserName,
        /// Why.
        source: RecipientError,
    },
    /// A file or directory cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The directory lies in a git work tree that would take the files up.
    #[error("`{}` lies in the git work tree `{}`, which does not ignore it", directory.display(), work_tree.display())]
    InWorkTree {
        /// The directory.
        directory: PathBuf,
        /// The root of the work tree.
        work_tree: PathBuf,
    },
}

impl DeliveryError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoPlace(_) => Some("name a recipient with `deliver_to` in the manifest, or say --plain-credentials"),
            Self::Recipient { source, .. } => source.hint(),
            Self::InWorkTree { .. } => {
                Some("choose another --credentials-dir, or add the directory to the work tree's .gitignore")
            }
            Self::Write { .. } => None,
        }
    }
}

/// A password that is written down and not yet known to be in force.
pub(crate) struct Delivered {
    pub(crate) user: UserName,
    pub(crate) password: Arc<Secret>,
    pub(crate) paths: Vec<PathBuf>,
}

impl CredentialFiles {
    /// Files below `directory`, which is made when the first is written. Passwords get at least `minimum_length`
    /// characters (and never fewer than 20): the account's minimum, before and after the plan.
    ///
    /// Nothing is delivered to anybody until [`Self::sealed_to`] or [`Self::plain`] says how.
    pub fn new(directory: impl Into<PathBuf>, sign_in: SignIn, minimum_length: u32) -> Self {
        Self {
            directory: directory.into(),
            sign_in,
            shortest_password: usize::try_from(minimum_length).unwrap_or(usize::MAX),
            recipients: BTreeMap::new(),
            plain: false,
            typed: BTreeMap::new(),
            delivered: Mutex::default(),
        }
    }

    /// Seals the files of a user.
    #[must_use]
    pub fn sealed_to(mut self, user: UserName, recipients: Recipients) -> Self {
        self.recipients.insert(user, recipients);
        self
    }

    /// Writes plain files for those that nothing is sealed to.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Gives a user this password instead of one that is made. It is sealed where somebody is named who can open it, and
    /// in no file otherwise: whoever typed it has it.
    #[must_use]
    pub fn with_password(mut self, user: UserName, password: Secret) -> Self {
        self.typed.insert(user, Arc::new(password));
        self
    }

    /// Makes the directory, sees that files can be made in it, and seals something to every recipient: before the
    /// first write to the account, rather than between a user and the password.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::Write`] or [`DeliveryError::Recipient`].
    pub fn prepare(&self) -> Result<(), DeliveryError> {
        for (user, recipients) in &self.recipients {
            recipients.probe().map_err(|source| DeliveryError::Recipient {
                user: user.clone(),
                source,
            })?;
        }
        files::create_private_directory(&self.directory)
            .and_then(|()| files::try_directory(&self.directory))
            .map_err(|source| self.cannot_write(&self.directory, source))
    }

    /// Whether there is a way to deliver to a user.
    pub(crate) fn reaches(&self, user: &UserName) -> bool {
        self.plain || self.is_sealed(user)
    }

    fn is_sealed(&self, user: &UserName) -> bool {
        self.recipients.get(user).is_some_and(|found| !found.is_empty())
    }

    fn make_password(&self, user: &UserName) -> Arc<Secret> {
        if let Some(password) = self.typed.get(user) {
            return Arc::clone(password);
        }
        let names = [
            user.as_str(),
            self.sign_in.account().as_str(),
            self.sign_in.alias().map_or("", |alias| alias.as_str()),
        ];
        Arc::new(secret::generate_password(
            self.shortest_password,
            &names,
            &mut rand::rng(),
        ))
    }

    /// Changes what is delivered to a user, and writes it down whole. Where that fails, it stays as it was.
    fn change(
        &self,
        user: &UserName,
        run: &RunId,
        change: impl FnOnce(&mut Bundle),
        undo: impl FnOnce(&mut Bundle),
    ) -> Result<Vec<PathBuf>, DeliveryError> {
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        let bundle = delivered.entry(user.clone()).or_default();
        change(bundle);
        let written = self.write(user, run, bundle);
        if written.is_err() {
            undo(bundle);
        }
        written.map(|()| bundle.files.clone())
    }

    fn write(&self, user: &UserName, run: &RunId, bundle: &mut Bundle) -> Result<(), DeliveryError> {
        if bundle.is_empty() {
            for file in std::mem::take(&mut bundle.files) {
                std::fs::remove_file(&file).map_err(|source| self.cannot_write(&file, source))?;
            }
            return Ok(());
        }
        files::create_private_directory(&self.directory)
            .map_err(|source| self.cannot_write(&self.directory, source))?;
        for (extension, text) in self.render(user, bundle)? {
            let path = self
                .directory
                .join(file_name(self.sign_in.account().as_str(), user, run, extension));
            // Its own file of this run is replaced by one that holds more; any other is left as it is.
            let written = if bundle.files.contains(&path) {
                files::replace_private_file(&path, text.as_bytes())
            } else {
                files::write_new_private_file(&path, text.as_bytes())
            };
            written.map_err(|source| self.cannot_write(&path, source))?;
            if !bundle.files.contains(&path) {
                bundle.files.push(path);
            }
        }
        Ok(())
    }

    /// The files' endings and texts.
    fn render(
        &self,
        user: &UserName,
        bundle: &Bundle,
    ) -> Result<Vec<(&'static str, Zeroizing<String>)>, DeliveryError> {
        match self.recipients.get(user).filter(|recipients| !recipients.is_empty()) {
            Some(recipients) => {
                let sealed = recipients
                    .seal(&contents::letter(user, bundle, &self.sign_in))
                    .map_err(|source| DeliveryError::Recipient {
                        user: user.clone(),
                        source,
                    })?;
                Ok(sealed
                    .into_iter()
                    .map(|sealed| (sealed.extension, Zeroizing::new(sealed.text)))
                    .collect())
            }
            None if self.plain => Ok(vec![("csv", contents::csv(user, bundle, &self.sign_in))]),
            None => Err(DeliveryError::NoPlace(user.clone())),
        }
    }

    fn cannot_write(&self, path: &Path, source: io::Error) -> DeliveryError {
        DeliveryError::Write {
            path: path.to_owned(),
            source,
        }
    }
}

impl fmt::Debug for CredentialFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialFiles")
            .field("directory", &self.directory)
            .field("recipients", &self.recipients)
            .field("plain", &self.plain)
            .finish_non_exhaustive()
    }
}

impl Bundle {
    fn is_empty(&self) -> bool {
        self.password.is_none() && self.keys.is_empty()
    }
}

impl CredentialsSink {
    fn files_for(&self, user: &UserName) -> Result<&CredentialFiles, DeliveryError> {
        match self {
            Self::Files(files) if files.reaches(user) => Ok(files),
            Self::None | Self::Files(_) => Err(DeliveryError::NoPlace(user.clone())),
        }
    }

    /// Makes a password and writes it down. When this returns, the file would survive a power failure.
    pub(crate) fn deliver_password(&self, user: &UserName, run: &RunId) -> Result<Delivered, DeliveryError> {
        if let Self::Files(files) = self
            && let Some(password) = files.typed.get(user).filter(|_| !files.is_sealed(user))
        {
            return Ok(Delivered {
                user: user.clone(),
                password: Arc::clone(password),
                paths: Vec::new(),
            });
        }
        let files = self.files_for(user)?;
        let password = files.make_password(user);
        let written = Arc::clone(&password);
        let paths = files.change(
            user,
            run,
            |bundle| bundle.password = Some(written),
            |bundle| bundle.password = None,
        )?;
        Ok(Delivered {
            user: user.clone(),
            password,
            paths,
        })
    }

    /// Takes a password back that is known not to be in force.
    pub(crate) fn withdraw_password(&self, delivered: &Delivered, run: &RunId) {
        let Ok(files) = self.files_for(&delivered.user) else {
            return;
        };
        let withdrawn = files.change(&delivered.user, run, |bundle| bundle.password = None, |_| {});
        if let Err(error) = withdrawn {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, source, "cannot remove an unused password from its file");
        }
    }

    /// Sees that a key of this user could be delivered, before there is one.
    pub(crate) fn can_deliver(&self, user: &UserName) -> Result<(), DeliveryError> {
        let files = self.files_for(user)?;
        files::create_private_directory(&files.directory)
            .and_then(|()| files::try_directory(&files.directory))
            .map_err(|source| files.cannot_write(&files.directory, source))
    }

    /// Writes an access key down. When this returns, the file would survive a power failure.
    pub(crate) fn deliver_key(
        &self,
        user: &UserName,
        run: &RunId,
        id: &str,
        secret: Secret,
    ) -> Result<Vec<PathBuf>, DeliveryError> {
        self.files_for(user)?.change(
            user,
            run,
            |bundle| bundle.keys.push((id.to_owned(), secret)),
            |bundle| bundle.keys.retain(|(known, _)| known != id),
        )
    }
}

fn file_name(account: &str, user: &UserName, run: &RunId, extension: &str) -> String {
    format!("{account}-{}-{run}.{extension}", safe_for_files(user.as_str()))
}

/// IAM's characters for names are safe in file names; a live name is not trusted to keep to them.
pub(crate) fn safe_for_files(name: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.chars().map(safe).collect()
}

/// Writes a file whole, for its owner alone, and never over another.
///
/// # Errors
///
/// What the operating system says.
pub fn write_new_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    files::write_new_private_file(path, contents)
}

/// Writes something sealed beside the credential files, for its owner alone and never over another file. Gives the
/// paths.
///
/// # Errors
///
/// [`DeliveryError::Write`].
pub fn write_sealed(directory: &Path, name: &str, sealed: &[Sealed]) -> Result<Vec<PathBuf>, DeliveryError> {
    let write = |path: &Path, text: &str| {
        files::create_private_directory(directory)?;
        files::write_new_private_file(path, text.as_bytes())
    };
    sealed
        .iter()
        .map(|sealed| {
            let path = directory.join(format!("{}.{}", safe_for_files(name), sealed.extension));
            match write(&path, &sealed.text) {
                Ok(()) => Ok(path),
                Err(source) => Err(DeliveryError::Write { path, source }),
            }
        })
        .collect()
}
