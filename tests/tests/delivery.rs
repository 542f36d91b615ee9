//! Sealed credentials, opened by other people's programs: age and GnuPG.

use std::path::PathBuf;

use trueup_tests::{
    binary::{Output, Workspace},
    programs,
};

/// Makes a password for `alice` that is sealed to these recipients, in YAML; the files that are left.
fn apply(workspace: &Workspace, recipients: &str) -> Vec<PathBuf> {
    workspace.write(
        "trueup.yaml",
        format!(
            "version: 1\naccount: {{id: \"123456789012\", alias: acme}}\nusers:\n  alice:\n    login_profile: {{}}\n    deliver_to: {recipients}\n"
        ),
    );
    let apply = "apply --live sandbox:account.json --auto-approve --credentials-dir ../credentials -q";
    workspace.trueup().args(apply).run().expect_exit(0);
    let mut files: Vec<_> = std::fs::read_dir(workspace.path().join("../credentials"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// What every opened file says.
fn assert_is_the_letter(output: &Output) {
    for expected in [
        "Credentials of alice in AWS account 123456789012 (acme)",
        "User name:           alice",
        "Password:            ",
        "https://123456789012.signin.aws.amazon.com/console",
        "https://acme.signin.aws.amazon.com/console",
        "trueup mfa enroll alice",
    ] {
        assert!(output.stdout.contains(expected), "{expected}:\n{}", output.render());
    }
}

fn run(workspace: &Workspace, line: &str) -> Output {
    workspace.command("sh").arg("-c").arg(line).run().expect_exit(0)
}

#[test]
fn age_opens_what_is_sealed_to_an_age_recipient() {
    programs::age();
    let workspace = Workspace::new();
    run(&workspace, "age-keygen -o ../key && age-keygen -o ../other");
    let recipient = run(&workspace, "age-keygen -y ../key").stdout;
    let files = apply(&workspace, recipient.trim());
    let [file] = &files[..] else { panic!("{files:?}") };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let file = file.display();
    assert_is_the_letter(&run(&workspace, &format!("age --decrypt -i ../key {file}")));
    assert_is_the_letter(&run(
        &workspace,
        &format!("trueup credentials open {file} --identity ../key"),
    ));
    let line = format!("credentials open {file} --identity ../other");
    let other = workspace.trueup().args(&line).run().expect_exit(1);
    assert!(
        other.stderr.contains("it is sealed to somebody else"),
        "{}",
        other.render()
    );
}

#[test]
fn age_opens_what_is_sealed_to_ssh_keys_and_so_does_whoever_has_one_of_two() {
    programs::age();
    programs::ssh_keygen();
    let workspace = Workspace::new();
    run(
        &workspace,
        "ssh-keygen -q -t ed25519 -N '' -C alice@laptop -f ../ed25519",
    );
    run(&workspace, "ssh-keygen -q -t rsa -b 2048 -N '' -f ../rsa");
    run(&workspace, "ssh-keygen -q -t rsa -b 1024 -N '' -f ../weak || true");
    let (ed25519, rsa) = (
        run(&workspace, "cat ../ed25519.pub").stdout,
        run(&workspace, "cat ../rsa.pub").stdout,
    );
    let files = apply(&workspace, &format!("[\"{}\", \"{}\"]", ed25519.trim(), rsa.trim()));
    let [file] = &files[..] else { panic!("{files:?}") };
    let file = file.display();
    for key in ["../ed25519", "../rsa"] {
        assert_is_the_letter(&run(&workspace, &format!("age --decrypt -i {key} {file}")));
        assert_is_the_letter(&run(
            &workspace,
            &format!("trueup credentials open {file} --identity {key}"),
        ));
    }
    // Without --identity, the key that ssh would take.
    run(&workspace, "mkdir -p ~/.ssh && cp ../ed25519 ~/.ssh/id_ed25519");
    assert_is_the_letter(&run(&workspace, &format!("trueup credentials open {file}")));
}

#[test]
fn a_key_under_a_passphrase_needs_a_terminal_and_opens_there() {
    programs::ssh_keygen();
    let workspace = Workspace::new();
    run(&workspace, "ssh-keygen -q -t ed25519 -N 'correct horse' -f ../key");
    let public = run(&workspace, "cat ../key.pub").stdout;
    let files = apply(&workspace, public.trim());
    let open = format!("credentials open {} --identity ../key", files[0].display());
    let mut terminal = trueup_tests::terminal::OnTerminal::trueup(&workspace, &open);
    terminal.wait_for("Passphrase of ../key: ", 1);
    terminal.types("correct horse");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(
        screen.contains("User name:           alice") && !screen.contains("correct horse"),
        "{screen}"
    );
}

#[test]
fn gpg_opens_what_is_sealed_to_an_openpgp_key_armored_or_not() {
    programs::gpg();
    for (algorithm, export) in [("future-default", "--armor"), ("rsa2048", ""), ("future-default", "")] {
        let workspace = Workspace::new();
        run(&workspace, "mkdir -m 700 -p ~/.gnupg keys");
        // An agent of its own, which goes with its folder.
        run(
            &workspace,
            &format!(
                "gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key 'Alice <alice@example.com>' {algorithm}"
            ),
        );
        if algorithm.starts_with("rsa") {
            let fingerprint = "gpg --list-keys --with-colons | awk -F: '/^fpr/{print $10; exit}'";
            run(
                &workspace,
                &format!(
                    "gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-add-key $({fingerprint}) rsa2048 encr"
                ),
            );
        }
        run(
            &workspace,
            &format!("gpg --batch {export} --export alice@example.com > keys/alice.asc"),
        );
        let files = apply(&workspace, "keys/alice.asc");
        let [file] = &files[..] else { panic!("{files:?}") };
        assert!(file.extension().is_some_and(|extension| extension == "asc"));
        let line = format!(
            "gpg --batch --quiet --pinentry-mode loopback --decrypt {}",
            file.display()
        );
        assert_is_the_letter(&run(&workspace, &line));
        let line = format!("credentials open {}", file.display());
        let open = workspace.trueup().args(&line).run().expect_exit(1);
        assert!(
            open.stderr
                .contains("hint: GnuPG looks after its own keys: gpg --decrypt"),
            "{}",
            open.render()
        );
        run(&workspace, "gpgconf --kill all");
    }
}

#[test]
fn keys_that_nothing_can_be_sealed_to_refuse_before_anything_is_made() {
    programs::gpg();
    let workspace = Workspace::new();
    run(&workspace, "mkdir -m 700 -p ~/.gnupg keys");
    let generate = "gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key";
    run(&workspace, &format!("{generate} signs@example.com ed25519 sign"));
    run(
        &workspace,
        &format!("{generate} old@example.com rsa2048 encr seconds=1"),
    );
    std::thread::sleep(std::time::Duration::from_secs(2));
    for (key, why) in [("signs", "it has no key for encryption"), ("old", "it has expired")] {
        run(
            &workspace,
            &format!("gpg --batch --armor --export {key}@example.com > keys/{key}.asc"),
        );
        workspace.write(
            "trueup.yaml",
            format!(
                "version: 1\naccount: {{id: \"123456789012\"}}\nusers: {{alice: {{login_profile: {{}}, deliver_to: keys/{key}.asc}}}}\n"
            ),
        );
        let apply = "apply --live sandbox:account.json --auto-approve -q";
        let refused = workspace.trueup().args(apply).run().expect_exit(1);
        assert!(refused.stderr.contains(why), "{key}: {}", refused.render());
        assert!(
            refused.stderr.contains("nothing was written"),
            "{key}: {}",
            refused.render()
        );
    }
    run(&workspace, "gpgconf --kill all");
}
