//! The toolbox of trueup's tests: the real binary, accounts to run it against, and expectations kept in files.
//!
//! It never calls trueup's own code: whatever a test knows about the product it learned from the outside, as its
//! users do. Accounts are the sandbox or moto, both reached over the wire.

pub mod binary;
pub mod case;
pub mod collector;
pub mod golden;
pub mod programs;
pub mod python;
pub mod qr;
pub mod recorder;
pub mod reference;
pub mod service;
pub mod setup;
pub mod terminal;
pub mod transcript;
pub mod wire;

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests stand in a folder of the repository")
        .to_owned()
}

/// An environment variable of the test run itself, such as `BLESS`.
pub fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switches, not the product's")]
    std::env::var(name).ok()
}
