//! Tells the program how it was built, for `trueup --version --json`. What is not known is left out; nothing is asked
//! of git, so that the same sources give the same program.

use std::process::Command;

#[expect(
    clippy::disallowed_methods,
    reason = "a build script is told everything by its environment"
)]
fn main() {
    for variable in ["TRUEUP_COMMIT", "RUSTC"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // The workflow that builds releases says it; a package of the registry holds it.
    let commit = variable("TRUEUP_COMMIT").or_else(|| {
        let info = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
        let (_, rest) = info.split_once("\"sha1\"")?;
        rest.split('"').nth(1).map(str::to_owned)
    });
    if let Some(commit) = commit.filter(|commit| commit.chars().all(|c| c.is_ascii_hexdigit())) {
        println!("cargo::rustc-env=TRUEUP_BUILD_COMMIT={commit}");
    }
    if let Some(target) = variable("TARGET") {
        println!("cargo::rustc-env=TRUEUP_BUILD_TARGET={target}");
    }
    let asked = variable("RUSTC").map(|rustc| Command::new(rustc).arg("--version").output());
    if let Some(Ok(output)) = asked {
        let text = String::from_utf8_lossy(&output.stdout);
        println!("cargo::rustc-env=TRUEUP_BUILD_RUSTC={}", text.trim());
    }
}
