//! Every file of `tests/transcripts/` is a test, and so is every README of `examples/`, the project's own, and every page
//! of the book that shows a command.

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use trueup_tests::{binary::Workspace, programs, root, transcript};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<_> = markdown(&root().join("tests/transcripts"))
        .into_iter()
        .map(|file| trial("", file, false))
        .collect();
    for folder in folders(&root().join("examples")) {
        trials.push(trial("examples/", folder.join("README.md"), true));
    }
    trials.push(trial("", root().join("README.md"), true));
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        folders.extend(self::folders(&folder));
        let shows_a_command =
            |file: &PathBuf| std::fs::read_to_string(file).is_ok_and(|text| text.contains("```console"));
        let pages = markdown(&folder).into_iter().filter(shows_a_command);
        trials.extend(pages.map(|page| trial("docs/", page, true)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(prefix: &str, file: PathBuf, examples: bool) -> Trial {
    let stem = if file.ends_with("README.md") {
        file.parent().and_then(Path::file_name)
    } else {
        file.file_stem()
    };
    let name = if file.parent() == Some(&*root()) {
        "readme".to_owned()
    } else {
        format!("{prefix}{}", stem.unwrap_or_default().to_string_lossy())
    };
    Trial::test(name, move || {
        let text = std::fs::read_to_string(&file).expect("a transcript can be read");
        if text.contains("age-keygen") {
            programs::age();
        }
        let workspace = Workspace::new();
        if examples {
            workspace.copy(&root().join("examples"), "examples");
        }
        transcript::run(&file, &workspace).map_err(Failed::from)
    })
}

fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = entries(folder).into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("a folder can be read")
        .map(|entry| entry.expect("a folder can be read").path())
        .collect()
}
