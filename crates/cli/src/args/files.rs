//! The files that a command is asked to write, judged before anything is read: none replaces another one, or what the run
//! itself reads.
//!
//! It never writes a file, and never reads the content of one.

use std::path::{Path, PathBuf};

use super::{ApplyArgs, CompareArgs, DriftArgs, ExportArgs, GraphArgs, LiveSource, PlanArgs, SnapshotArgs};
use crate::{exit::CliError, manifest, markdown, output};

/// What says to stdout what a file would hold.
const ON_STDOUT: Option<&str> = Some("leave it out: stdout is where it goes by itself");

impl CompareArgs {
    /// The files that are asked for.
    fn files(&self) -> [(&'static str, &Option<PathBuf>, Option<&'static str>); 3] {
        [
            ("--json-into", &self.json_into, Some("for stdout: --format json")),
            (
                "--markdown-into",
                &self.markdown_into,
                Some("for stdout: --format markdown"),
            ),
            ("--html-into", &self.html_into, Some("for stdout: --format html")),
        ]
    }

    /// These and a command's own, beside what is read.
    fn asked<'a>(
        &'a self,
        own: impl IntoIterator<Item = (&'static str, &'a Option<PathBuf>, Option<&'static str>)>,
    ) -> Asked<'a> {
        Asked::new(own.into_iter().chain(self.files()))
            .reading_manifest(self.manifest.as_deref())
            .reading_live(&self.live.live)
    }
}

/// The file of a reviewed plan, where it is not named by its digest.
fn plan_file(check_digest: Option<&String>) -> Option<&Path> {
    check_digest
        .filter(|given| !given.starts_with("sha256:"))
        .map(Path::new)
}

impl PlanArgs {
    /// Refuses files that cannot be meant or written, before anything is read.
    pub(crate) fn check_files(&self) -> Result<(), CliError> {
        let own = ("--out", &self.out, Some("for stdout: --format json"));
        let asked = self.compare.asked([own]);
        asked
            .reading("--check-digest", plan_file(self.check_digest.as_ref()))
            .check_and_try()
    }
}

impl DriftArgs {
    /// Refuses files that cannot be meant or written, before anything is read.
    pub(crate) fn check_files(&self) -> Result<(), CliError> {
        let own = [
            ("--line-into", &self.line_into, None),
            ("--junit-into", &self.junit_into, None),
            ("--sarif-into", &self.sarif_into, None),
            ("--metrics-into", &self.metrics_into, None),
        ];
        let asked = self.compare.asked(own);
        asked
            .reading("--check-digest", plan_file(self.check_digest.as_ref()))
            .reading("--baseline", self.since.baseline.as_deref())
            .check_and_try()
    }
}

impl ApplyArgs {
    /// Refuses files that cannot be meant, before anything is read.
    pub(crate) fn check_files(&self) -> Result<(), CliError> {
        let own = ("--receipt", &self.receipt, None);
        let asked = self.compare.asked([own]);
        asked
            .reading("--plan", self.approval.plan.as_deref())
            .reading_before("--receipt", "--baseline", self.since.baseline.as_deref())
            .check()
    }
}

impl SnapshotArgs {
    /// Refuses a file that cannot be meant, before anything is read.
    pub(crate) fn check_files(&self) -> Result<(), CliError> {
        let asked = Asked::new([("--out", &self.out, ON_STDOUT)]);
        asked.reading_live(&self.live.live).check()
    }
}

impl ExportArgs {
    /// Refuses files that cannot be meant, before anything is read.
    pub(crate) fn check_files(&self) -> Result<(), CliError> {
        Asked::new([("--output", &self.output, ON_STDOUT)]).check()
    }
}

impl GraphArgs {
    /// Refuses a file that cannot be meant, before anything is read.
    pub(crate) fn check_files(&self) -> Result<(), CliError> {
        let asked = Asked::new([("--out", &self.out, ON_STDOUT)]);
        match &self.account.live {
            Some(live) => asked.reading_live(live),
            None => asked.reading_manifest(self.account.manifest.as_deref()),
        }
        .check()
    }
}

/// Files that a command was asked to write, and those that it reads.
struct Asked<'a> {
    /// Each with its flag and with what says the same of stdout.
    written: Vec<(&'static str, &'a Path, Option<&'static str>)>,
    /// Each with its name and with the flag of what may replace it.
    read: Vec<(&'static str, PathBuf, Option<&'static str>)>,
}

impl<'a> Asked<'a> {
    fn new(files: impl IntoIterator<Item = (&'static str, &'a Option<PathBuf>, Option<&'static str>)>) -> Self {
        let given = files.into_iter().filter_map(|(flag, path, stdout)| {
            let path = path.as_deref().filter(|path| !path.as_os_str().is_empty())?;
            Some((flag, path, stdout))
        });
        Self {
            written: given.collect(),
            read: Vec::new(),
        }
    }

    /// Beside a file that is read, which no output may replace: who runs the same again would then read that.
    fn reading(mut self, name: &'static str, path: Option<&Path>) -> Self {
        self.read.extend(input(path).map(|path| (name, path.to_owned(), None)));
        self
    }

    /// Beside a file that is read, and that the output of this flag replaces: it is its successor.
    fn reading_before(mut self, flag: &'static str, name: &'static str, path: Option<&Path>) -> Self {
        self.read
            .extend(input(path).map(|path| (name, path.to_owned(), Some(flag))));
        self
    }

    /// Beside the manifest that was named, or the one that will be found. One that cannot be listed is not read either.
    fn reading_manifest(mut self, named: Option<&Path>) -> Self {
        if !self.written.is_empty()
            && let Ok(manifest) = manifest::locate(named)
        {
            let files = manifest::files(&manifest).into_iter();
            self.read.extend(files.map(|path| ("the manifest", path, None)));
        }
        self
    }

    /// Beside the file that a live account is in.
    fn reading_live(self, live: &LiveSource) -> Self {
        match live {
            LiveSource::Aws => self,
            LiveSource::Sandbox(path) | LiveSource::Snapshot(path) => self.reading("--live", Some(path)),
        }
    }

    /// Refuses what [`check`](Self::check) refuses, and what could not be written: a night's findings are not to be lost for one wrong path.
    fn check_and_try(&self) -> Result<(), CliError> {
        self.check()?;
        self.written
            .iter()
            .try_for_each(|(_, path, _)| markdown::try_place(path))
    }

    /// Refuses two that name one file, of which the later would silently replace the earlier, one that names a file
    /// that is read, and a file called `-`. Before anything is read.
    fn check(&self) -> Result<(), CliError> {
        for (index, (flag, path, stdout)) in self.written.iter().enumerate() {
            if *path == Path::new("-") {
                return Err(CliError::refused(
                    format!("{flag} names a file, and `-` is none"),
                    stdout.unwrap_or("for stdout: /dev/stdout; for a file of that name: ./-"),
                ));
            }
            if output::is_stream(path) {
                continue;
            }
            let earlier = self.written[..index].iter().map(|(name, path, _)| (*name, *path));
            let read = self.read.iter().filter(|(.., successor)| *successor != Some(*flag));
            let read = read.map(|(name, path, _)| (*name, path.as_path()));
            if let Some((other, _)) = earlier.chain(read).find(|(_, other)| output::same_file(path, other)) {
                return Err(CliError::refused(
                    format!("{other} and {flag} both name {}", path.display()),
                    "give each a file of its own",
                ));
            }
        }
        Ok(())
    }
}

/// The path of what is read, if it is that of a file.
fn input(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty() && *path != Path::new("-"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
    fn what_is_read_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Some(directory.path().join(name));
        let (out, receipt) = (at("a.json"), at("r.json"));
        let files = || {
            Asked::new([
                ("--receipt", &receipt, None),
                ("--html-into", &None, None),
                ("--json-into", &out, None),
            ])
        };
        let (plan, baseline) = (at("./a.json"), at("./r.json"));
        let refused = files().reading("--plan", plan.as_deref()).check().unwrap_err();
        let begin = "error: --plan and --json-into both name ";
        assert!(refused.render().starts_with(begin), "{}", refused.render());
        assert_eq!(refused.code(), 1);
        let before = |path| files().reading_before("--receipt", "--baseline", path).check();
        before(baseline.as_deref()).unwrap();
        assert!(before(plan.as_deref()).is_err());
        assert!(files().reading("--baseline", baseline.as_deref()).check().is_err());
        for other in [None, Some(Path::new("")), Some(Path::new("-")), at("b.json").as_deref()] {
            files().reading("--plan", other).check().unwrap();
        }
    }

    #[test]
    #[cfg(unix)]
    fn two_outputs_may_share_what_was_given_open() {
        let given = Some(PathBuf::from("/dev/stdout"));
        Asked::new([("--out", &given, None), ("--json-into", &given, None)])
            .check()
            .unwrap();
    }
}
