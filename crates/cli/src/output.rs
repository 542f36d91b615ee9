//! Files that are read and written.

use std::{
    fs::{self, OpenOptions},
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

/// Replaces a file in one step, so that nobody ever sees half of it. What is no regular file, such as a pipe, and what
/// this process was given open, such as `/dev/stdout`, is written to instead.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    let written = match (stream(path), fs::metadata(path)) {
        (Some(stream), _) => stream.write(text),
        (None, Ok(metadata)) if !metadata.is_file() => fs::write(path, text),
        (None, _) => replace(path, text),
    };
    written.map_err(|source| CliError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// What this process was given open, by the name that the operating system has for it. It may be a regular file, which
/// was opened to be added to: `>> log`.
enum Stream {
    Stdout,
    Stderr,
    /// Another, under its name.
    Other(PathBuf),
}

impl Stream {
    fn of_name(path: &Path) -> Option<Self> {
        let number = match path.to_str()? {
            "/dev/stdout" => "1",
            "/dev/stderr" => "2",
            _ => {
                let below = |directory: &str| path.strip_prefix(directory).ok()?.to_str();
                let number = below("/dev/fd").or_else(|| below("/proc/self/fd"))?;
                let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                digits.then_some(number)?
            }
        };
        Some(match number {
            "1" => Self::Stdout,
            "2" => Self::Stderr,
            _ => Self::Other(path.to_owned()),
        })
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let all = |mut writer: Box<dyn io::Write>| {
            writer.write_all(text.as_bytes())?;
            writer.flush()
        };
        match self {
            Self::Stdout => all(Box::new(io::stdout().lock())),
            Self::Stderr => all(Box::new(io::stderr().lock())),
            Self::Other(path) => all(Box::new(OpenOptions::new().append(true).open(path)?)),
        }
    }
}

/// Whether a path names what this process was given open: what that is given does not replace what it was given before.
pub(crate) fn is_stream(path: &Path) -> bool {
    stream(path).is_some()
}

/// The stream that a path names, itself or as a link.
fn stream(path: &Path) -> Option<Stream> {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        if let Some(stream) = Stream::of_name(&at) {
            return Some(stream);
        }
        at = behind(&at)?;
    }
    None
}

/// Whether two names are of one file, which may not be there yet. A pipe takes what comes, one after the other.
pub(crate) fn same_file(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let path = real(path)?;
        let directory = fs::canonicalize(directory_of(&path))?;
        Ok(directory.join(path.file_name().unwrap_or_default()))
    };
    let whole = |path: &Path| whole(path).unwrap_or_else(|_: io::Error| path.to_owned());
    let is_file = |path: &Path| fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    is_file(one) && whole(one) == whole(other)
}

/// Sees whether a file could be written later, and leaves nothing behind. Of what is no regular file, such as a pipe,
/// that cannot be told beforehand.
pub(crate) fn try_text(path: &Path) -> Result<(), CliError> {
    let tried = match (stream(path), fs::metadata(path)) {
        (Some(Stream::Stdout | Stream::Stderr), _) => Ok(()),
        (Some(Stream::Other(_)), metadata) => metadata.map(drop),
        (None, Ok(metadata)) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        (None, Ok(metadata)) if !metadata.is_file() => Ok(()),
        (None, _) => real(path).and_then(|path| temporary(directory_of(&path)).map(drop)),
    };
    tried.map_err(|source| CliError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = real(path)?;
    let mut file = temporary(directory_of(&path))?;
    // What is replaced keeps its own permissions.
    if let Ok(metadata) = fs::metadata(&path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// How many links are followed, one after the other: as many as Linux follows.
const LINKS: usize = 40;

/// A link stays a link: what it leads to is replaced, which may not be there yet.
fn real(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(whole) = fs::canonicalize(&at) {
            return Ok(whole);
        }
        match behind(&at) {
            Some(next) => at = next,
            None => return Ok(at),
        }
    }
    fs::canonicalize(path)
}

/// Where a link leads; none where there is no link.
fn behind(path: &Path) -> Option<PathBuf> {
    let to = fs::read_link(path).ok()?;
    Some(directory_of(path).join(to))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
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

/// Writes a file that is not there yet. What is no regular file, such as a pipe, and what was given open is written to.
pub(crate) fn write_new_text(path: &Path, text: &str) -> Result<(), CliError> {
    if path.is_file() && stream(path).is_none() {
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
    fn what_was_given_open_is_known_by_its_name() {
        let name = |path: &str| match Stream::of_name(Path::new(path))? {
            Stream::Stdout => Some(1),
            Stream::Stderr => Some(2),
            Stream::Other(path) => path.file_name()?.to_str()?.parse().ok(),
        };
        let named = [
            ("/dev/stdout", Some(1)),
            ("/dev/stderr", Some(2)),
            ("/dev/fd/1", Some(1)),
            ("/proc/self/fd/2", Some(2)),
            ("/dev/fd/3", Some(3)),
            ("/proc/self/fd/63", Some(63)),
            ("/dev/fd", None),
            ("/dev/fd/", None),
            ("/dev/fd/x", None),
            ("/dev/fd/1/2", None),
            ("/dev/null", None),
            ("dev/stdout", None),
            ("stdout", None),
        ];
        for (path, number) in named {
            assert_eq!(name(path), number, "{path}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_was_given_open_is_added_to_and_never_replaced() {
        use std::os::fd::AsRawFd as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, "before\n").unwrap();
        let log = OpenOptions::new().append(true).open(&path).unwrap();
        let descriptor = PathBuf::from(format!("/dev/fd/{}", log.as_raw_fd()));
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&descriptor, &link).unwrap();
        try_text(&descriptor).unwrap();
        write_text(&descriptor, "one\n").unwrap();
        write_text(&link, "two\n").unwrap();
        write_new_text(&descriptor, "three\n").unwrap();
        (&log).write_all(b"after\n").unwrap();
        assert_eq!(read_text(&path).unwrap(), "before\none\ntwo\nthree\nafter\n");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(is_stream(&descriptor) && is_stream(&link) && !is_stream(&path));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link_wherever_it_leads() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("below")).unwrap();
        symlink("second", at("first")).unwrap();
        symlink("below/file", at("second")).unwrap();
        for text in ["new", "replaced"] {
            try_text(&at("first")).unwrap();
            write_text(&at("first"), text).unwrap();
            assert_eq!(read_text(&at("below/file")).unwrap(), text);
        }
        for link in ["first", "second"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
        }
        // Two links to what is not there yet are one file.
        fs::remove_file(at("below/file")).unwrap();
        assert!(same_file(&at("first"), &at("below/file")) && same_file(&at("second"), &at("first")));
        // A link to itself leads nowhere, and is left as it is.
        symlink("loop", at("loop")).unwrap();
        assert!(try_text(&at("loop")).is_err() && write_text(&at("loop"), "x").is_err());
        assert!(fs::symlink_metadata(at("loop")).unwrap().is_symlink());
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
        try_text(Path::new("/dev/stdout")).unwrap();
        for impossible in [
            PathBuf::from("/dev/fd/987654"),
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
