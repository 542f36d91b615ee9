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
