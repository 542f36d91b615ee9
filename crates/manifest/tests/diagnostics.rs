//! Messages as authors see them. Each `tests/diagnostics/NAME.yaml`, or folder `NAME/`, is a manifest, and `NAME.txt`
//! is everything that is said about it. `BLESS=1` rewrites the texts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use trueup_manifest::{DiskFiles, MemoryFiles, Parsed, parse, render};

fn read(case: &Path) -> Parsed {
    if case.is_dir() {
        let files = DiskFiles::open(case).unwrap();
        return parse(&Relative(files));
    }
    parse(&MemoryFiles::single(fs::read(case).unwrap()))
}

/// Files of a folder, named in messages as if the folder were the current one.
struct Relative(DiskFiles);

impl trueup_manifest::Files for Relative {
    fn list(&self) -> Result<Vec<String>, trueup_manifest::FilesError> {
        self.0.list()
    }
    fn read(&self, relative: &str) -> Result<Vec<u8>, trueup_manifest::FilesError> {
        self.0.read(relative)
    }
}

fn shown(parsed: &Parsed) -> String {
    let mut text = render(&parsed.diagnostics, false);
    let outcome = if parsed.desired.is_some() {
        "the manifest can be used"
    } else {
        "the manifest cannot be used"
    };
    text.push_str(outcome);
    text.push('\n');
    text
}

#[test]
fn messages_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    cases.sort();
    assert!(cases.len() > 60, "the cases were not found");
    for case in cases {
        let expected = case.with_extension("txt");
        let text = shown(&read(&case));
        if bless {
            fs::write(&expected, &text).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "BLESS=1 rewrites what is right\n\n{}",
        wrong.join("\n")
    );
}
