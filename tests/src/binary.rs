//! The `trueup` binary, built by the tests themselves and run with an environment that holds nothing of its host.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
};

use crate::{root, variable};

/// The day that every test takes for today, unless it says otherwise.
pub const TODAY: &str = "2026-11-20";

/// The time at which every sandbox stands still, so that ages and codes are the same in every run.
pub const NOW: &str = "2026-11-20T12:00:00Z";

/// The same in seconds since 1970.
pub const NOW_SECONDS: u64 = 1_795_176_000;

/// The path of the binary, built on first use with the profile and the target directory of the running test. Where
/// `TRUEUP_TEST_BINARY` names one, such as a release that is to be tested, it is that one.
///
/// # Panics
///
/// When it does not build: a test against an old binary would prove nothing.
pub fn trueup() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(binary) = variable("TRUEUP_TEST_BINARY") {
            return PathBuf::from(binary);
        }
        let test = std::env::current_exe().expect("a test knows its own path");
        // target/PROFILE/deps/TEST
        let profile = test.ancestors().nth(2).expect("a test stands in target/PROFILE/deps");
        let target = profile.parent().expect("a profile stands in the target directory");
        let mut build = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
        build
            .current_dir(root())
            .args(["build", "--package", "trueup-cli", "--bin", "trueup", "--quiet"])
            .arg("--target-dir")
            .arg(target);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let output = build.output().expect("cargo can be started");
        assert!(
            output.status.success(),
            "trueup does not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let binary = profile.join(format!("trueup{}", std::env::consts::EXE_SUFFIX));
        assert!(binary.is_file(), "{} was not built", binary.display());
        binary
    })
}

/// A folder of its own for a test: files, home directory and state. Removed when dropped.
#[derive(Debug)]
pub struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    /// An empty one.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("trueup-test-")
            .tempdir()
            .expect("a temporary folder can be made");
        // The binary looks upwards for a manifest until the root of a git repository.
        std::fs::create_dir_all(folder.path().join("work/.git")).expect("a folder can be made");
        std::fs::create_dir_all(folder.path().join("home")).expect("a folder can be made");
        Self { folder }
    }

    /// The working directory of its commands.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Writes a file below the working directory.
    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(relative);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Reads a file below the working directory.
    pub fn read(&self, relative: &str) -> String {
        let path = self.path().join(relative);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Copies a folder into the working directory.
    pub fn copy(&self, from: &Path, relative: &str) {
        copy(from, &self.path().join(relative));
    }

    /// The whole environment of a command: nothing of the host's but the search path.
    pub fn environment(&self) -> BTreeMap<String, OsString> {
        let home = self.folder.path().join("home");
        let bin = trueup().parent().expect("a binary stands in a folder").to_owned();
        let mut path = vec![bin];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        BTreeMap::from([
            (
                "PATH".to_owned(),
                std::env::join_paths(path).expect("paths can be joined"),
            ),
            ("HOME".to_owned(), home.clone().into()),
            ("XDG_STATE_HOME".to_owned(), home.join("state").into()),
            ("XDG_CONFIG_HOME".to_owned(), home.join("config").into()),
            ("XDG_CACHE_HOME".to_owned(), home.join("cache").into()),
            ("TMPDIR".to_owned(), self.folder.path().into()),
            // Without it, the SDK asks the network for an instance's role.
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".into()),
            ("TRUEUP_AS_OF".to_owned(), TODAY.into()),
            ("TRUEUP_SANDBOX_TIME".to_owned(), NOW.into()),
            ("LC_ALL".to_owned(), "C.UTF-8".into()),
        ])
    }

    /// A `trueup` command that is ready to run here.
    pub fn trueup(&self) -> Run<'_> {
        self.command(trueup())
    }

    /// Any command that is ready to run here.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Run<'_> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment())
            .current_dir(self.path())
            .stdin(Stdio::null());
        Run {
            workspace: self,
            command,
            stdin: None,
        }
    }

    /// Takes what differs from run to run, and from machine to machine, out of an output.
    pub fn redact(&self, text: &str) -> String {
        let text = text.replace(&*self.path().to_string_lossy(), "[FOLDER]");
        crate::golden::redact(&text.replace(&*self.folder.path().to_string_lossy(), "[TEMP]"))
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a folder can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file has a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// A command before it runs.
#[derive(Debug)]
pub struct Run<'a> {
    workspace: &'a Workspace,
    command: Command,
    stdin: Option<String>,
}

impl Run<'_> {
    /// Arguments, split at white space.
    #[must_use]
    pub fn args(mut self, line: &str) -> Self {
        self.command.args(line.split_whitespace());
        self
    }

    /// One argument as it is.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What is typed.
    #[must_use]
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Starts it and leaves it running.
    pub fn spawn(mut self) -> Child {
        self.command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a command can be started")
    }

    /// Starts it with a keyboard: a stdin that can be written to.
    pub fn spawn_typing(mut self) -> Child {
        self.command.stdin(Stdio::piped());
        self.spawn()
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Output {
        if self.stdin.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let stdin = self.stdin.take();
        let workspace = self.workspace;
        let mut child = self.spawn();
        if let Some(text) = stdin {
            let mut pipe = child.stdin.take().expect("stdin is piped");
            // A command may end without reading what is typed.
            thread::spawn(move || pipe.write_all(text.as_bytes()));
        }
        let output = child.wait_with_output().expect("a command can be waited for");
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            redacted: {
                let text = |bytes: &[u8]| workspace.redact(&String::from_utf8_lossy(bytes));
                (text(&output.stdout), text(&output.stderr))
            },
        }
    }
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output as it was.
    pub stdout: String,
    /// Standard error as it was.
    pub stderr: String,
    redacted: (String, String),
}

impl Output {
    /// The same without the end of what was printed, from these words on.
    #[must_use]
    pub fn until(mut self, words: &str) -> Self {
        for text in [&mut self.stdout, &mut self.redacted.0] {
            if let Some(at) = text.find(words) {
                text.truncate(at);
            }
        }
        self
    }

    /// The output as expectations hold it: standard output, then standard error and the exit code where there is
    /// something to say.
    pub fn render(&self) -> String {
        let (stdout, stderr) = &self.redacted;
        let mut text = stdout.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str("[no newline]\n");
        }
        if !stderr.is_empty() {
            let _ = writeln!(text, "--- stderr");
            text.push_str(stderr);
            if !text.ends_with('\n') {
                text.push_str("[no newline]\n");
            }
        }
        match self.code {
            Some(0) => {}
            Some(code) => {
                let _ = writeln!(text, "[exit {code}]");
            }
            None => text.push_str("[ended by a signal]\n"),
        }
        text
    }

    /// The output, where the exit code is the expected one.
    ///
    /// # Panics
    ///
    /// When it is another one; the message holds the whole output.
    #[track_caller]
    pub fn expect_exit(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "unexpected exit code:\n{}", self.render());
        self
    }
}
