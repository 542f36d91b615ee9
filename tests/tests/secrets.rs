//! A generated password is in the file that delivers it, and nowhere else.

use std::path::{Path, PathBuf};

use trueup_tests::{binary::Workspace, golden};

const MANIFEST: &str = r#"
version: 1
account:
  id: "123456789012"
  alias: acme
  password_policy: {minimum_password_length: 30, require_symbols: true, require_numbers: true, require_uppercase_characters: true, require_lowercase_characters: true}
users: {alice: {login_profile: {}}, bob: {login_profile: {password_reset_required: false}}}
"#;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_secret_is_anywhere_but_in_its_file() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let apply = "apply --live sandbox:account.json --auto-approve --plain-credentials --credentials-dir ../credentials \
                 --receipt receipt.json --json-into plan.json -vvv";
    let output = workspace.trueup().args(apply).run().expect_exit(0);
    let passwords: Vec<String> = files_below(&workspace.path().join("../credentials"))
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned()
        })
        .collect();
    assert_eq!(passwords.len(), 2);
    for password in &passwords {
        assert!(
            password.len() >= 30,
            "too short for the account's own policy: {password}"
        );
        let holds = |text: &[u8]| text.windows(password.len()).any(|window| window == password.as_bytes());
        assert!(
            !holds(output.stdout.as_bytes()) && !holds(output.stderr.as_bytes()),
            "{}",
            output.render()
        );
        let root = workspace.path().join("..");
        let elsewhere: Vec<_> = files_below(&root)
            .into_iter()
            .filter(|file| !file.to_string_lossy().contains("/credentials/"))
            // The sandbox's file is the account itself, which has to know its passwords.
            .filter(|file| !file.ends_with("account.json"))
            .filter(|file| holds(&std::fs::read(file).unwrap()))
            .collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
    }
    assert_ne!(passwords[0], passwords[1]);
}

#[cfg(unix)]
#[test]
fn only_their_owner_can_read_what_an_apply_leaves() {
    use std::os::unix::fs::PermissionsExt as _;

    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let apply = "apply --live sandbox:account.json --auto-approve --plain-credentials";
    workspace.trueup().args(apply).run().expect_exit(0);
    let left = files_below(&workspace.path().join("../home/state"));
    assert!(
        left.iter()
            .any(|file| file.extension().is_some_and(|found| found == "csv")),
        "{left:?}"
    );
    assert!(
        left.iter()
            .any(|file| file.extension().is_some_and(|found| found == "jsonl")),
        "{left:?}"
    );
    let mut open = Vec::new();
    for file in left {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        let folder = std::fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777;
        // A lock holds nothing.
        let lock = file.extension().is_some_and(|found| found == "lock");
        if !lock && (mode & 0o077 != 0 || folder & 0o077 != 0 && file.to_string_lossy().contains("credentials")) {
            open.push(golden::redact(&format!("{mode:o} in {folder:o}: {}", file.display())));
        }
    }
    assert!(open.is_empty(), "{open:#?}");
}
