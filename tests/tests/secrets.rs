//! A generated password is in the file that delivers it, and nowhere else.

use std::path::{Path, PathBuf};

use regex_lite::Regex;
use trueup_tests::{binary::Workspace, golden, programs, setup};

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

/// Whether bytes hold a secret, as it is or as the wire would carry it.
fn holds(bytes: &[u8], secret: &str) -> bool {
    let escaped = secret.replace('+', "%2B").replace('=', "%3D").replace('@', "%40");
    [secret, &escaped]
        .iter()
        .any(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
}

/// Files below the workspace that hold a secret, but for the account itself.
fn files_with(workspace: &Workspace, secret: &str) -> Vec<PathBuf> {
    files_below(&workspace.path().join(".."))
        .into_iter()
        .filter(|file| !file.ends_with("account.json"))
        .filter(|file| holds(&std::fs::read(file).unwrap(), secret))
        .collect()
}

#[test]
fn sealed_credentials_are_nowhere_in_clear_however_much_is_said() {
    programs::age();
    for verbosity in [
        "-q",
        "",
        "-v",
        "-vv",
        "-vvv",
        "-vvv --log-format json",
        "--format json -vvv",
    ] {
        let workspace = Workspace::new();
        let line = "age-keygen -o ../key 2> keygen.log && age-keygen -y ../key";
        let recipient = workspace.command("sh").arg("-c").arg(line).run().expect_exit(0).stdout;
        workspace.write(
            "trueup.yaml",
            format!(
                "version: 1\naccount: {{id: \"123456789012\"}}\nusers: {{alice: {{login_profile: {{}}, access_keys: {{count: 1}}, deliver_to: {}}}}}\n",
                recipient.trim()
            ),
        );
        let apply = |credentials: &str| {
            let line = "apply --live sandbox:account.json --auto-approve --receipt receipt.json --json-into plan.json";
            let run = workspace.trueup().args(line).args(verbosity).arg("--credentials-dir");
            run.arg(credentials).run().expect_exit(0)
        };
        let mut outputs = vec![apply("../sealed")];
        let mut secrets = opened(&workspace, "../sealed");
        assert_eq!(secrets.len(), 2, "a password and the secret of an access key");
        // And once more, by the call that replaces a password.
        let manifest = workspace.read("trueup.yaml");
        let again = manifest.replace("login_profile: {}", "login_profile: {}, reset_password: {request: T-1}");
        workspace.write("trueup.yaml", again);
        outputs.push(apply("../again"));
        secrets.extend(opened(&workspace, "../again"));
        assert_eq!(secrets.len(), 3);
        for secret in &secrets {
            assert!(secret.len() >= 20, "{secret}");
            for output in &outputs {
                let said = [output.stdout.as_bytes(), output.stderr.as_bytes()];
                let is_silent = said.iter().all(|text| !holds(text, secret));
                assert!(is_silent, "{verbosity}: {}", output.render());
            }
            assert_eq!(files_with(&workspace, secret), Vec::<PathBuf>::new(), "{verbosity}");
        }
    }
}

/// The secrets in the one sealed file of a folder.
fn opened(workspace: &Workspace, folder: &str) -> Vec<String> {
    let [sealed] = &files_below(&workspace.path().join(folder))[..] else {
        panic!("one person, one file")
    };
    let open = workspace.command("age").args("--decrypt -i ../key").arg(sealed);
    let opened = open.run().expect_exit(0).stdout;
    let words = ["Password:", "Secret access key:"];
    let found = opened.lines().filter_map(|line| {
        let mut values = words.iter().filter_map(|word| line.strip_prefix(word));
        values.next()
    });
    found.map(|value| value.trim().to_owned()).collect()
}

#[test]
fn a_seed_is_on_the_screen_once_and_nowhere_else() {
    let workspace = Workspace::new();
    let calls = "CreateUser UserName=alice";
    let service = trueup_tests::service::Service::sandbox(&workspace, "account.json");
    setup::run(calls, &workspace.path(), service.address()).unwrap();
    drop(service);
    let seed = Regex::new("Seed: ([A-Z2-7]{64})\n").unwrap();
    for verbosity in ["-q", "-vvv", "-vvv --log-format json"] {
        // The end of input gives up: what is said while that is cleaned up counts too.
        let enroll = format!("mfa enroll alice --live sandbox:account.json {verbosity}");
        let output = workspace.trueup().args(&enroll).run().expect_exit(1);
        let found = seed.captures(&output.stdout).unwrap()[1].to_owned();
        assert_eq!(output.stdout.matches(&found).count(), 1, "{verbosity}");
        assert!(!holds(output.stderr.as_bytes(), &found), "{}", output.render());
        assert_eq!(files_with(&workspace, &found), Vec::<PathBuf>::new(), "{verbosity}");
    }
    // Sealed, it is not even on the screen.
    programs::age();
    let line = "age-keygen -o ../key 2> keygen.log && age-keygen -y ../key";
    let recipient = workspace.command("sh").arg("-c").arg(line).run().expect_exit(0).stdout;
    let line = format!(
        "mfa enroll alice --live sandbox:account.json -vvv --credentials-dir ../seeds --seed-to {}",
        recipient.trim()
    );
    let mut child = workspace.trueup().args(&line).spawn_typing();
    let mut screen = child.stdout.take().unwrap();
    let mut shown = String::new();
    while !shown.ends_with('\n') {
        let mut buffer = [0; 4096];
        let read = std::io::Read::read(&mut screen, &mut buffer).unwrap();
        assert!(read > 0, "it ended:\n{shown}");
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let file = shown.trim().strip_prefix("Seed, sealed: ").unwrap().to_owned();
    let open = workspace.command("age").args("--decrypt -i ../key").arg(file);
    let opened = open.run().expect_exit(0).stdout;
    let sealed = seed.captures(&opened).unwrap()[1].to_owned();
    assert_eq!(files_with(&workspace, &sealed), Vec::<PathBuf>::new());
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!holds(&output.stderr, &sealed) && !holds(shown.as_bytes(), &sealed));
    // Given up, it is of no use to anybody.
    assert_eq!(files_below(&workspace.path().join("../seeds")), Vec::<PathBuf>::new());
}
