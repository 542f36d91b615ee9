//! Where a manifest's text comes from: a file or a directory, or memory in tests.
//!
//! Nothing outside the manifest's own directory is ever read, whatever a manifest says.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The largest file that is read, so that a wrong path cannot fill the memory.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// Why a file of the manifest cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// There is no such file.
    #[error("there is no file `{0}`")]
    NotFound(String),
    /// An absolute path, a path with `..`, or a link that leads out.
    #[error("`{0}` is outside the manifest's directory")]
    Outside(String),
    /// A directory, a pipe, a device.
    #[error("`{0}` is not a regular file")]
    NotAFile(String),
    /// A file or folder whose name is no text; shown with replacement characters.
    #[error("the name of `{0}` is not UTF-8")]
    OddName(String),
    /// More than 64 MiB.
    #[error("`{0}` is larger than 64 MiB")]
    TooLarge(String),
    /// The operating system refused.
    #[error("cannot read `{path}`")]
    Io {
        /// What was being read.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl FilesError {
    fn io(path: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound(path.to_owned()),
            _ => Self::Io {
                path: path.to_owned(),
                source,
            },
        }
    }
}

/// The files of one manifest, named by their path relative to its directory, with `/` between the parts.
pub trait Files {
    /// The manifest's own YAML files, in any order.
    ///
    /// # Errors
    ///
    /// [`FilesError`] where a directory cannot be listed.
    fn list(&self) -> Result<Vec<String>, FilesError>;

    /// One file, which may be a YAML file of [`list`](Self::list) or a document that one of them names.
    ///
    /// # Errors
    ///
    /// [`FilesError`], above all where the path leads out of the manifest's directory.
    fn read(&self, relative: &str) -> Result<Vec<u8>, FilesError>;

    /// How messages name a file: a path that an author can open.
    fn display_name(&self, relative: &str) -> String {
        relative.to_owned()
    }

    /// How messages name the manifest as a whole.
    fn whole(&self) -> String {
        "the manifest".to_owned()
    }
}

/// Splits a relative path into its parts; `None` where it is absolute, empty or climbs with `..`.
fn parts(relative: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    for component in Path::new(relative).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then_some(parts)
}

fn is_yaml(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// A manifest on disk.
#[derive(Debug, Clone)]
pub struct DiskFiles {
    /// The manifest's directory, as it was given, for messages.
    given: PathBuf,
    /// The manifest's directory with every link resolved.
    root: PathBuf,
    /// The one YAML file, where a file was given.
    only: Option<String>,
}

impl DiskFiles {
    /// Opens a manifest: a YAML file, or a directory of them.
    ///
    /// # Errors
    ///
    /// [`FilesError`] where there is nothing, or neither a file nor a directory.
    pub fn open(path: &Path) -> Result<Self, FilesError> {
        let shown = path.display().to_string();
        let metadata = fs::metadata(path).map_err(|e| FilesError::io(&shown, e))?;
        let (directory, only) = if metadata.is_dir() {
            (path, None)
        } else if metadata.is_file() {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .ok_or_else(|| FilesError::OddName(shown.clone()))?;
            (path.parent().unwrap_or(Path::new("")), Some(name.to_owned()))
        } else {
            return Err(FilesError::NotAFile(shown));
        };
        let root = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        Ok(Self {
            given: directory.to_owned(),
            root: root.canonicalize().map_err(|e| FilesError::io(&shown, e))?,
            only,
        })
    }

    fn list_below(&self, folder: &str, found: &mut Vec<String>) -> Result<(), FilesError> {
        let shown = || self.display_name(folder);
        for entry in fs::read_dir(self.root.join(folder)).map_err(|e| FilesError::io(&shown(), e))? {
            let entry = entry.map_err(|e| FilesError::io(&shown(), e))?;
            // The entry's own kind: a link is a link here, whatever it leads to.
            let kind = entry.file_type().map_err(|e| FilesError::io(&shown(), e))?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let is_folder = kind.is_dir() && !text.starts_with('.');
            if !(is_folder || kind.is_file() && is_yaml(&text)) {
                continue;
            }
            let relative = if folder.is_empty() {
                text.into_owned()
            } else {
                format!("{folder}/{text}")
            };
            if name.to_str().is_none() {
                return Err(FilesError::OddName(self.display_name(&relative)));
            }
            if is_folder {
                self.list_below(&relative, found)?;
            } else {
                found.push(relative);
            }
        }
        Ok(())
    }
}

impl Files for DiskFiles {
    fn list(&self) -> Result<Vec<String>, FilesError> {
        if let Some(only) = &self.only {
            return Ok(vec![only.clone()]);
        }
        let mut found = Vec::new();
        self.list_below("", &mut found)?;
        found.sort();
        Ok(found)
    }

    fn read(&self, relative: &str) -> Result<Vec<u8>, FilesError> {
        let parts = parts(relative).ok_or_else(|| FilesError::Outside(relative.to_owned()))?;
        let path = parts.iter().fold(self.root.clone(), |path, part| path.join(part));
        let real = path.canonicalize().map_err(|e| FilesError::io(relative, e))?;
        // A manifest that was given as a link to a file is the author's own choice; nothing that it names may leave.
        let is_the_manifest = self.only.as_deref() == Some(relative);
        if !is_the_manifest && !real.starts_with(&self.root) {
            return Err(FilesError::Outside(relative.to_owned()));
        }
        let metadata = fs::metadata(&real).map_err(|e| FilesError::io(relative, e))?;
        // Opening a pipe would wait for its writer.
        if !metadata.is_file() {
            return Err(FilesError::NotAFile(relative.to_owned()));
        }
        if metadata.len() > LARGEST_FILE {
            return Err(FilesError::TooLarge(relative.to_owned()));
        }
        fs::read(&real).map_err(|e| FilesError::io(relative, e))
    }

    fn display_name(&self, relative: &str) -> String {
        self.given.join(relative).display().to_string()
    }

    fn whole(&self) -> String {
        match &self.only {
            Some(only) => format!("`{}`", self.display_name(only)),
            None => format!("`{}`", self.given.display()),
        }
    }
}

/// A manifest in memory: text by relative path. Files that end in `.yaml` or `.yml` are the manifest's own.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(BTreeMap<String, Vec<u8>>);

impl MemoryFiles {
    /// A manifest of these files.
    pub fn new<N: Into<String>, T: Into<Vec<u8>>>(files: impl IntoIterator<Item = (N, T)>) -> Self {
        Self(
            files
                .into_iter()
                .map(|(name, text)| (name.into(), text.into()))
                .collect(),
        )
    }

    /// A manifest of one file, `trueup.yaml`.
    pub fn single(text: impl Into<Vec<u8>>) -> Self {
        Self::new([("trueup.yaml", text)])
    }
}

impl Files for MemoryFiles {
    fn list(&self) -> Result<Vec<String>, FilesError> {
        Ok(self.0.keys().filter(|name| is_yaml(name)).cloned().collect())
    }

    fn read(&self, relative: &str) -> Result<Vec<u8>, FilesError> {
        let parts = parts(relative).ok_or_else(|| FilesError::Outside(relative.to_owned()))?;
        self.0
            .get(&parts.join("/"))
            .cloned()
            .ok_or_else(|| FilesError::NotFound(relative.to_owned()))
    }
}

/// Looks for the default manifest, `trueup.yaml` or `trueup/`, in `start` and upwards to the root of the git work
/// tree. Outside of a work tree only `start` is looked at, so that nobody else's file is picked up.
pub fn discover(start: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(start).ok()?;
    let git_root = absolute.ancestors().position(|folder| folder.join(".git").exists());
    for (steps, folder) in absolute.ancestors().enumerate().take(git_root.unwrap_or(0) + 1) {
        // What is found in `start` itself keeps the spelling of `start`, so that messages stay short.
        let base = match (steps, start == Path::new(".")) {
            (0, true) => PathBuf::new(),
            (0, false) => start.to_owned(),
            (_, true) => std::iter::repeat_n("..", steps).collect(),
            (_, false) => folder.to_owned(),
        };
        if folder.join("trueup.yaml").is_file() {
            return Some(base.join("trueup.yaml"));
        }
        if folder.join("trueup").is_dir() {
            return Some(base.join("trueup"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_every_yaml_file_below_it_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "b.yaml",
            "a.yml",
            "people/c.yaml",
            ".git/d.yaml",
            "notes.txt",
            "people/p.json",
        ] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink(root.join("b.yaml"), root.join("link.yaml")).unwrap();
        std::os::unix::fs::symlink(root.join("people"), root.join("linked")).unwrap();
        let files = DiskFiles::open(root).unwrap();
        assert_eq!(files.list().unwrap(), ["a.yml", "b.yaml", "people/c.yaml"]);
        assert_eq!(files.read("people/p.json").unwrap(), b"people/p.json");
        let one = DiskFiles::open(&root.join("b.yaml")).unwrap();
        assert_eq!(one.list().unwrap(), ["b.yaml"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_whose_name_is_no_text_is_not_left_out_silently() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &[u8]| folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(named(b"\xff.txt"), "").unwrap();
        fs::create_dir(named(b".\xff")).unwrap();
        let files = DiskFiles::open(folder.path()).unwrap();
        assert_eq!(files.list().unwrap(), [""; 0]);
        fs::write(named(b"\xff.yaml"), "").unwrap();
        assert!(matches!(files.list(), Err(FilesError::OddName(_))));
        assert!(matches!(
            DiskFiles::open(&named(b"\xff.yaml")),
            Err(FilesError::OddName(_))
        ));
    }

    #[test]
    fn nothing_outside_the_directory_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("manifest");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("trueup.yaml"), "version: 1").unwrap();
        fs::write(folder.path().join("secret.json"), "{}").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.json"), root.join("link.json")).unwrap();
        std::os::unix::fs::symlink(folder.path(), root.join("out")).unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        let files = DiskFiles::open(&root).unwrap();
        let absolute = folder.path().join("secret.json");
        for path in [
            "../secret.json",
            "link.json",
            "out/secret.json",
            absolute.to_str().unwrap(),
            "",
            "a/../../secret.json",
        ] {
            assert!(matches!(files.read(path), Err(FilesError::Outside(_))), "{path}");
        }
        assert!(matches!(files.read("folder"), Err(FilesError::NotAFile(_))));
        assert!(matches!(files.read("absent.json"), Err(FilesError::NotFound(_))));
        assert!(matches!(files.read("trueup.yaml/x"), Err(FilesError::NotFound(_))));
    }

    #[test]
    fn the_default_manifest_is_looked_for_up_to_the_git_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("repository/.git")).unwrap();
        fs::create_dir_all(root.join("repository/deep/deeper")).unwrap();
        fs::write(root.join("trueup.yaml"), "").unwrap();
        let deep = root.join("repository/deep/deeper");
        assert_eq!(discover(&deep), None);
        fs::create_dir(root.join("repository/trueup")).unwrap();
        assert_eq!(discover(&deep), Some(root.join("repository/trueup")));
        fs::write(root.join("repository/deep/trueup.yaml"), "").unwrap();
        assert_eq!(discover(&deep), Some(root.join("repository/deep/trueup.yaml")));
        // Outside of a work tree, the folders above belong to somebody else.
        fs::create_dir(root.join("plain")).unwrap();
        assert_eq!(discover(&root.join("plain")), None);
        assert_eq!(discover(&root), Some(root.join("trueup.yaml")));
    }
}
