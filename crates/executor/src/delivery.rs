//! Where generated passwords go: files beside nobody else's, durable before the password means anything.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use trueup_model::UserName;
use zeroize::Zeroizing;

use crate::{
    RunId, files,
    secret::{self, Secret},
    signin::SignIn,
};

/// Where the credentials go that a run makes.
#[derive(Debug, Clone)]
pub enum CredentialsSink {
    /// Nowhere: an action that makes a credential fails before it is sent.
    None,
    /// Plain files, one for each user and run.
    Plain(PlainFiles),
}

/// A directory of plain credential files.
#[derive(Debug, Clone)]
pub struct PlainFiles {
    directory: PathBuf,
    sign_in: SignIn,
    shortest_password: usize,
}

/// Why credentials cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// There is no place for them.
    #[error("there is no place for the password of `{0}`")]
    NoPlace(UserName),
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
            Self::NoPlace(_) => Some("say --plain-credentials"),
            Self::InWorkTree { .. } => {
                Some("choose another --credentials-dir, or add the directory to the work tree's .gitignore")
            }
            Self::Write { .. } => None,
        }
    }
}

/// A password that is written down and not yet known to be in force.
pub(crate) struct Delivered {
    pub(crate) password: Secret,
    pub(crate) path: PathBuf,
}

impl PlainFiles {
    /// Files below `directory`, which is made when the first is written. Passwords get at least `minimum_length`
    /// characters (and never fewer than 20): the account's minimum, before and after the plan.
    pub fn new(directory: impl Into<PathBuf>, sign_in: SignIn, minimum_length: u32) -> Self {
        Self {
            directory: directory.into(),
            sign_in,
            shortest_password: usize::try_from(minimum_length).unwrap_or(usize::MAX),
        }
    }

    /// Makes the directory, and sees that files can be made in it: before the first write to the account, rather than
    /// between a user and the password.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::Write`].
    pub fn prepare(&self) -> Result<(), DeliveryError> {
        files::create_private_directory(&self.directory)
            .and_then(|()| files::try_directory(&self.directory))
            .map_err(|source| DeliveryError::Write {
                path: self.directory.clone(),
                source,
            })
    }

    fn deliver(&self, user: &UserName, run: &RunId) -> Result<Delivered, DeliveryError> {
        let names = [
            user.as_str(),
            self.sign_in.account().as_str(),
            self.sign_in.alias().map_or("", |alias| alias.as_str()),
        ];
        let password = secret::generate_password(self.shortest_password, &names, &mut rand::rng());
        let path = self
            .directory
            .join(file_name(self.sign_in.account().as_str(), user, run));
        let contents = self.contents(user, &password);
        self.write(&path, contents.as_bytes())
            .map_err(|source| DeliveryError::Write {
                path: path.clone(),
                source,
            })?;
        Ok(Delivered { password, path })
    }

    /// As the console's own file, with the account's id and the alias's page beside it.
    fn contents(&self, user: &UserName, password: &Secret) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        text.push_str("User name,Password,Console sign-in URL,Account ID,Alias sign-in URL\r\n");
        text.push_str(&csv_field(user.as_str()));
        text.push(',');
        // The alphabet of passwords has no character that CSV gives a meaning.
        text.push_str(password.expose());
        text.push(',');
        text.push_str(&self.sign_in.account_url());
        text.push(',');
        text.push_str(self.sign_in.account().as_str());
        text.push(',');
        text.push_str(&self.sign_in.alias_url().unwrap_or_default());
        text.push_str("\r\n");
        text
    }

    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        files::create_private_directory(&self.directory)?;
        let mut file = files::create_private_file(path)?;
        file.write_all(contents)?;
        file.sync_all()?;
        files::sync_directory(&self.directory)
    }
}

impl CredentialsSink {
    /// Makes a password and writes it down. When this returns, the file would survive a power failure.
    pub(crate) fn deliver(&self, user: &UserName, run: &RunId) -> Result<Delivered, DeliveryError> {
        match self {
            Self::None => Err(DeliveryError::NoPlace(user.clone())),
            Self::Plain(files) => files.deliver(user, run),
        }
    }

    /// Takes a password back that is known not to be in force.
    pub(crate) fn withdraw(&self, delivered: Delivered) {
        if let Err(error) = std::fs::remove_file(&delivered.path) {
            tracing::warn!(path = %delivered.path.display(), %error, "cannot remove an unused credential file");
        }
    }
}

fn file_name(account: &str, user: &UserName, run: &RunId) -> String {
    // IAM's characters for names are safe in file names; a live name is not trusted to keep to them.
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let user: String = user.as_str().chars().map(safe).collect();
    format!("{account}-{user}-{run}.csv")
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

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
