//! Other people's programs that open what trueup seals: age and GnuPG, from the distribution.

use std::{fs::File, process::Command};

/// Sees that a program can be started, and installs its package where it cannot.
///
/// # Panics
///
/// When it cannot be had; without it, the tests that need it would prove nothing.
pub fn need(program: &str, package: &str) {
    if is_there(program) {
        return;
    }
    let lock = File::create(std::env::temp_dir().join("trueup-tests-apt.lock")).expect("a file can be made");
    lock.lock().expect("a file can be locked");
    if !is_there(program) {
        let install = |arguments: &[&str]| {
            Command::new("apt-get")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .output()
        };
        let mut output = install(&["install", "-y", package]);
        if !output.as_ref().is_ok_and(|output| output.status.success()) {
            let _ = install(&["update"]);
            output = install(&["install", "-y", package]);
        }
        assert!(
            is_there(program),
            "`{program}` is needed and could not be installed; apt-get install -y {package}: {output:?}"
        );
    }
}

fn is_there(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// age and its key generator.
pub fn age() {
    need("age", "age");
}

/// GnuPG.
pub fn gpg() {
    need("gpg", "gnupg");
}

/// ssh's key generator, which has no `--version`.
pub fn ssh_keygen() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        need("ssh-keygen", "openssh-client");
    }
}
