//! Files that are read and written.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::exit::CliError;

/// Reads a text file; `-` is stdin.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|source| CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Replaces a file in one step, so that nobody ever sees half of it. What is no regular file, such as a pipe, is
/// written to instead.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    let written = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => fs::write(path, text),
        _ => replace(path, text),
    };
    written.map_err(|source| CliError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// Files that a command was asked to write, each with its flag and with what says the same of stdout.
pub(crate) struct Asked<'a>(Vec<(&'static str, &'a Path, Option<&'static str>)>);

impl<'a> Asked<'a> {
    pub(crate) fn new(
        files: impl IntoIterator<Item = (&'static str, &'a Option<PathBuf>, Option<&'static str>)>,
    ) -> Self {
        let given = files.into_iter().filter_map(|(flag, path, stdout)| {
            let path = path.as_deref().filter(|path| !path.as_os_str().is_empty())?;
            Some((flag, path, stdout))
        });
        Self(given.collect())
    }

    /// Refuses two that name one file, of which the later would silently replace the earlier, and a file called `-`.
    /// Before anything is read.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        for (index, (flag, path, stdout)) in self.0.iter().enumerate() {
            if *path == Path::new("-") {
                return Err(CliError::refused(
                    format!("{flag} names a file, and `-` is none"),
                    stdout.unwrap_or("for stdout: /dev/stdout; for a file of that name: ./-"),
                ));
            }
            let earlier = self.0[..index].iter().find(|(_, other, _)| same_file(path, other));
            if let Some((other, ..)) = earlier {
                return Err(CliError::refused(
                    format!("{other} and {flag} both name {}", path.display()),
                    "give each a file of its own",
                ));
            }
        }
        Ok(())
    }
}

/// Whether two names are of one file, which may not be there yet. A pipe takes what comes, one after the other.
fn same_file(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        fs::canonicalize(path)
            .or_else(|_| Ok(fs::canonicalize(directory_of(path))?.join(path.file_name().unwrap_or_default())))
            .unwrap_or_else(|_: io::Error| path.to_owned())
    };
    let is_file = |path: &Path| fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    is_file(one) && whole(one) == whole(other)
}

/// Sees whether a file could be written later, and leaves nothing behind. Of what is no regular file, such as a pipe,
/// that cannot be told beforehand.
pub(crate) fn try_text(path: &Path) -> Result<(), CliError> {
    let tried = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => temporary(&directory_of(path)).map(drop),
    };
    tried.map_err(|source| CliError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = temporary(&directory_of(path))?;
    let path = real(path);
    // What is replaced keeps its own permissions.
    if let Ok(metadata) = fs::metadata(&path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// A link stays a link: what it leads to is replaced.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn directory_of(path: &Path) -> PathBuf {
    match real(path).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As for any new file: the umask decides who may read it. It holds no secret.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory).map_err(without_path)
}

/// The operating system's own words: the name of the temporary file, which differs each time, helps nobody.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().rsplit_once(" at path ") {
        Some((words, _)) => io::Error::new(error.kind(), words),
        None => error,
    }
}

/// Writes a file that is not there yet. What is no regular file, such as a pipe, is written to.
pub(crate) fn write_new_text(path: &Path, text: &str) -> Result<(), CliError> {
    if path.is_file() {
        return Err(CliError::refused(
            format!("{} is there already, and is left as it is", path.display()),
            "remove it first, or name another place",
        ));
    }
    write_text(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plan.json");
        write_text(&path, "long text").unwrap();
        write_text(&path, "x").unwrap();
        assert_eq!(read_text(&path).unwrap(), "x");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_replaced_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trueup.yaml");
        write_text(&path, "before").unwrap();
        for mode in [0o600, 0o664] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            write_text(&path, "after").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn what_cannot_be_written_later_is_known_beforehand_and_nothing_is_left_of_the_try() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("receipt.json");
        try_text(&file).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        write_text(&file, "{}").unwrap();
        try_text(&file).unwrap();
        assert_eq!(read_text(&file).unwrap(), "{}");
        for impossible in [
            file.join("below"),
            directory.path().join("no/such"),
            directory.path().to_owned(),
        ] {
            let error = try_text(&impossible).unwrap_err().render();
            assert!(error.starts_with("error: cannot write "), "{error}");
        }
    }

    #[test]
    fn one_file_is_not_asked_for_twice() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Some(directory.path().join(name));
        let check = |one: Option<PathBuf>, other: Option<PathBuf>| {
            let files = [("--out", &one, Some("x")), ("--json-into", &other, None)];
            Asked::new(files).check().map_err(|error| error.render())
        };
        assert!(check(at("a.json"), at("b.json")).is_ok());
        assert!(check(at("a.json"), None).is_ok() && check(None, None).is_ok());
        assert!(check(Some(PathBuf::new()), Some(PathBuf::new())).is_ok());
        let refused = check(at("a.json"), at("./a.json")).unwrap_err();
        assert!(
            refused.starts_with("error: --out and --json-into both name "),
            "{refused}"
        );
        fs::write(directory.path().join("a.json"), "{}").unwrap();
        assert!(check(at("a.json"), at("./a.json")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(directory.path().join("a.json"), directory.path().join("link")).unwrap();
            assert!(check(at("a.json"), at("link")).is_err());
            let null = || Some(PathBuf::from("/dev/null"));
            assert!(check(null(), null()).is_ok());
        }
        let dash = check(Some(PathBuf::from("-")), None).unwrap_err();
        assert_eq!(dash, "error: --out names a file, and `-` is none\nhint: x\n");
        assert!(
            check(None, Some(PathBuf::from("-")))
                .unwrap_err()
                .contains("/dev/stdout")
        );
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = write_text(Path::new("/nowhere/at/all"), "x").unwrap_err().render();
        assert_eq!(
            error,
            "error: cannot write /nowhere/at/all: No such file or directory (os error 2)\n"
        );
    }

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trueup.yaml");
        write_new_text(&path, "by hand").unwrap();
        assert_eq!(write_new_text(&path, "exported").unwrap_err().code(), 1);
        assert_eq!(read_text(&path).unwrap(), "by hand");
    }
}
