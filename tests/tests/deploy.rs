//! What people put into their clusters and pipelines: everything that is YAML is looked at, and commands in it are the
//! program's.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::Value;
use trueup_tests::{binary::Workspace, programs, python, root};

const MANIFEST: &str = "version: 1\naccount: {id: \"123456789012\"}\ngroups: {readers: {}}\n";

#[test]
fn workflows_have_no_findings() {
    let workspace = Workspace::new();
    let mut files = vec![root().join("action.yml")];
    for folder in [".github/workflows", "deploy/github/workflows"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let mut look = workspace
        .command(python::tool("zizmor"))
        .args("--offline --no-progress --persona=pedantic");
    for file in &files {
        look = look.arg(file);
    }
    let output = look.run();
    assert_eq!(output.code, Some(0), "{}", output.render());
    // A file that it takes for no workflow would have no findings either.
    let audited = output.stderr.matches("completed").count();
    assert_eq!(audited, files.len(), "{}", output.render());
}

#[test]
fn scripts_have_no_findings() {
    programs::need("shellcheck", "shellcheck");
    let workspace = Workspace::new();
    let mut look = workspace
        .command("shellcheck")
        .args("--external-sources --severity=warning --source-path=SCRIPTDIR")
        .arg(root().join(".ci/run"))
        .arg(root().join(".ci/book"))
        .arg(root().join(".ci/terraform"));
    let mut seen = 0;
    for folder in ["deploy/github", "deploy/release"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "sh") {
                look = look.arg(path);
                seen += 1;
            }
        }
    }
    let output = look.run();
    assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{}", output.render());
    assert!(seen > 5);
}

#[test]
fn a_release_holds_the_program_with_its_completions_and_manual_pages() {
    let workspace = Workspace::new();
    let place = workspace.path();
    for file in ["LICENSE", "README.md", "CHANGELOG.md", "deploy/release/pack.sh"] {
        workspace.write(file, std::fs::read(root().join(file)).unwrap());
    }
    let shell = |script: &str| {
        workspace
            .command("sh")
            .arg("-ec")
            .arg(script)
            .run()
            .expect_exit(0)
            .stdout
    };
    shell(
        "git init -q . && git add LICENSE && git -c user.name=t -c user.email=t@example.com commit -qm t --date 2026-11-20T12:00:00Z",
    );
    std::fs::create_dir_all(place.join("target/some-target/release")).unwrap();
    std::fs::copy(
        trueup_tests::binary::trueup(),
        place.join("target/some-target/release/trueup"),
    )
    .unwrap();
    let pack = || shell("bash deploy/release/pack.sh some-target && sha256sum dist/trueup-some-target.tar.gz");
    assert_eq!(pack(), pack(), "the same inputs give other bytes");
    let held = shell("tar -tzf dist/trueup-some-target.tar.gz");
    for file in [
        "trueup",
        "LICENSE",
        "completions/_trueup",
        "completions/trueup.bash",
        "completions/trueup.fish",
        "man/trueup.1",
        "man/trueup-apply.1",
    ] {
        assert!(held.lines().any(|line| line == format!("./{file}")), "{file}: {held}");
    }
}

/// Files of the repository as JSON, by name; several documents of one file as a list.
fn yaml(files: &[&str]) -> Value {
    let workspace = Workspace::new();
    let mut convert = workspace
        .command(python::interpreter())
        .arg(root().join("tests/python/yaml_documents.py"));
    for file in files {
        convert = convert.arg(root().join(file));
    }
    serde_json::from_str(&convert.run().expect_exit(0).stdout).unwrap()
}

#[test]
fn what_is_downloaded_is_what_is_released() {
    let release = &yaml(&[".github/workflows/release.yml"])[0][0];
    let matrix = release["jobs"]["build"]["strategy"]["matrix"]["include"]
        .as_array()
        .unwrap();
    let released: BTreeSet<&str> = matrix.iter().map(|build| build["target"].as_str().unwrap()).collect();
    let target = Regex::new(r"\b[a-z0-9_]+-unknown-linux-[a-z]+\b").unwrap();
    for file in ["deploy/github/get.sh", "deploy/github/workflows/trueup-snapshot.yml"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let asked: BTreeSet<&str> = target.find_iter(&text).map(|found| found.as_str()).collect();
        assert!(
            !asked.is_empty() && asked.is_subset(&released),
            "{file}: {asked:?}, {released:?}"
        );
    }
    assert!(
        released.iter().all(|target| target.ends_with("-musl")),
        "not static: {released:?}"
    );
}

#[test]
fn nothing_in_a_cluster_runs_with_more_than_it_needs() {
    let documents = &yaml(&["deploy/kubernetes/cronjob.yaml"])[0];
    let job = documents
        .as_array()
        .unwrap()
        .iter()
        .find(|document| document["kind"] == "CronJob")
        .unwrap();
    assert_eq!(job["spec"]["concurrencyPolicy"], "Forbid");
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let container = &pod["containers"][0]["securityContext"];
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["capabilities"]["drop"][0], "ALL");
}

#[test]
fn hooks_run_commands_of_the_program() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let hooks = &yaml(&[".pre-commit-hooks.yaml"])[0][0];
    for hook in hooks.as_array().unwrap() {
        let entry = hook["entry"].as_str().unwrap().strip_prefix("trueup ").unwrap();
        workspace.trueup().args(entry).run().expect_exit(0);
    }
}
