//! Which crate may depend on which: the layout, held.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package, PackageId};

/// What may use everything: the binary, and the packages that hold nothing but tests.
const EVERYTHING: [&str; 3] = ["cli", "tests", "simulation"];

/// The allowed arrows between our other crates.
const ARROWS: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("manifest", &["model"]),
    ("access", &["model"]),
    ("audit", &["model"]),
    ("reader", &["model"]),
    ("aws-policies", &[]),
    ("sandbox", &["model", "aws-policies"]),
    ("planner", &["model", "access"]),
    ("executor", &["model", "planner"]),
    ("report", &["model", "planner", "audit", "access"]),
];

/// The crates that may know AWS or be asynchronous.
const SHELLS: [&str; 4] = ["reader", "executor", "sandbox", "cli"];

/// What only shells may reach, through however many others.
fn is_of_the_shell(package: &str) -> bool {
    package.starts_with("aws-") || ["tokio", "hyper", "async-std", "smol"].contains(&package)
}

fn short(package: &str) -> &str {
    package.strip_prefix("trueup-").unwrap_or(package)
}

fn ours(package: &Package) -> bool {
    package.source.is_none()
}

fn metadata() -> cargo_metadata::Metadata {
    MetadataCommand::new()
        .manifest_path(trueup_tests::root().join("Cargo.toml"))
        .exec()
        .unwrap()
}

#[test]
fn our_crates_depend_on_each_other_only_along_the_arrows() {
    let allowed: BTreeMap<_, BTreeSet<_>> = ARROWS
        .into_iter()
        .map(|(from, to)| (from, to.iter().copied().collect()))
        .collect();
    let mut wrong = Vec::new();
    for package in metadata().packages.iter().filter(|package| ours(package)) {
        let from = short(&package.name);
        if EVERYTHING.contains(&from) {
            continue;
        }
        let Some(allowed) = allowed.get(from) else {
            wrong.push(format!("{from} is a crate that the layout does not know"));
            continue;
        };
        for dependency in &package.dependencies {
            let to = short(&dependency.name);
            let arrow = dependency.path.is_some() && dependency.kind != DependencyKind::Development;
            if arrow && !allowed.contains(to) {
                wrong.push(format!("{from} must not depend on {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_shells_reach_the_aws_sdk_or_a_runtime() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let names: BTreeMap<&PackageId, &str> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let mut wrong = Vec::new();
    for package in metadata.packages.iter().filter(|package| ours(package)) {
        if SHELLS.contains(&short(&package.name)) || EVERYTHING.contains(&short(&package.name)) {
            continue;
        }
        // Test-only dependencies count for the crate itself, since its tests have to build in seconds, and not for
        // what it depends on.
        let (mut reached, mut next) = (BTreeSet::new(), vec![(&package.id, true)]);
        while let Some((id, itself)) = next.pop() {
            for dependency in &nodes[id].deps {
                let counts = dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| itself || kind.kind != DependencyKind::Development);
                if counts && reached.insert(&dependency.pkg) {
                    next.push((&dependency.pkg, false));
                }
            }
        }
        let bad: Vec<_> = reached
            .iter()
            .map(|id| names[id])
            .filter(|name| is_of_the_shell(name))
            .collect();
        if !bad.is_empty() {
            wrong.push(format!("{} reaches {}", package.name, bad.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_executor_and_the_sandbox_can_name_a_call_that_writes() {
    // The SDK's fluent builders for everything that a plan can hold.
    let writes = [
        "create_",
        "delete_",
        "update_",
        "put_",
        "attach_",
        "detach_",
        "add_user",
        "remove_user",
        "tag_",
        "untag_",
        "set_default_",
        "deactivate_",
        "enable_mfa",
    ];
    let mut wrong = Vec::new();
    for krate in ["reader", "cli"] {
        for (file, text) in rust_files(&trueup_tests::root().join("crates").join(krate).join("src")) {
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in product.lines() {
                let calls = writes
                    .iter()
                    .any(|write| line.trim_start().starts_with(&format!(".{write}")));
                if calls {
                    wrong.push(format!("{file}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sdk_crates_are_taken_without_their_default_features() {
    for package in metadata().packages.iter().filter(|package| ours(package)) {
        for dependency in &package.dependencies {
            let sdk = dependency.name.starts_with("aws-sdk-") || dependency.name == "aws-config";
            assert!(
                !(sdk && dependency.uses_default_features),
                "{} takes {} with its legacy TLS stack",
                package.name,
                dependency.name
            );
        }
    }
}

fn rust_files(folder: &std::path::Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty(), "{} holds no Rust", folder.display());
    files
}
