//! What the documents say, held to what the program is.

use std::{collections::BTreeMap, path::Path};

use regex_lite::Regex;
use serde_json::Value;
use trueup_tests::{binary::Workspace, python, root};

fn read(file: impl AsRef<Path>) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder with this extension.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The pages of the book are held to more by a test of their own.
#[test]
fn links_between_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let mut broken = Vec::new();
    let documents = files(".", "md");
    assert!(documents.iter().any(|file| file == "README.md"), "{documents:?}");
    for file in documents.into_iter().filter(|file| !file.starts_with("docs/")) {
        for link in link.captures_iter(&read(&file)) {
            let target = root().join(&file).parent().unwrap().join(&link[1]);
            if !target.exists() {
                broken.push(format!("{file}: {}", &link[1]));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn exit_codes_are_the_same_in_the_documents_and_in_the_help() {
    let help = Workspace::new().trueup().args("--help").run().expect_exit(0).stdout;
    let help = help.split("Exit codes:").nth(1).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let documented = read("docs/exit-codes.md");
    // The next table says what to do about them.
    let documented = documented.split("\n## ").next().unwrap();
    let rows = documented.lines().filter_map(|line| line.strip_prefix("| "));
    let row = Regex::new(r"^(\d[\d, ]*) \| (.*) \|$").unwrap();
    let codes: Vec<_> = rows
        .filter_map(|line| row.captures(line).map(|found| found[1].to_owned()))
        .collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "130, 143"]);
    for code in codes {
        assert!(words(help).contains(&format!("{code} ")), "{code} is not in the help");
    }
}

#[test]
fn every_guardrail_is_documented_and_shown_by_a_case() {
    let refusal = Workspace::new()
        .trueup()
        .args("plan --allow nothing")
        .run()
        .expect_exit(1)
        .stderr;
    let codes = refusal
        .split("expected one of ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let overview = read("docs/guardrails/README.md");
    let shown: String = files("tests/cases", "txt").into_iter().map(read).collect();
    let transcripts: String = files("tests/transcripts", "md").into_iter().map(read).collect();
    for code in codes.split(", ") {
        assert!(
            overview.contains(&format!("| [`{code}`]({code}.md) |")),
            "{code} is not documented"
        );
        let fires = format!("  ! {code}: ");
        let page = read(format!("docs/guardrails/{code}.md"));
        assert!(
            page.contains(&format!("\n{fires}")),
            "the page of {code} does not show it"
        );
        assert!(
            shown.contains(&fires) || transcripts.contains(&fires),
            "no test shows {code}"
        );
    }
}

#[test]
fn every_exit_code_is_shown_by_a_transcript_or_a_case() {
    let shown: String = files("tests/cases", "txt")
        .into_iter()
        .chain(files("tests/transcripts", "md"))
        .map(read)
        .collect();
    // Tests of their own show 5, for which IAM has to refuse in the middle, and the interruptions, for which a signal
    // has to be sent.
    for code in [1, 2, 3, 4, 6, 7] {
        assert!(
            shown.contains(&format!("[exit {code}]")) || shown.contains(&format!("\nexit {code}\n")),
            "{code}"
        );
    }
}

#[test]
fn manifests_of_the_examples_and_cases_satisfy_the_schema() {
    let workspace = Workspace::new();
    let schema = workspace.trueup().args("schema manifest").run().expect_exit(0).stdout;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let mut convert = workspace.command(python::interpreter());
    convert = convert.arg(root().join("tests/python/yaml_to_json.py"));
    for file in files("examples", "yaml").into_iter().chain(accepted_cases()) {
        convert = convert.arg(root().join(file));
    }
    let manifests: BTreeMap<String, Value> = serde_json::from_str(&convert.run().expect_exit(0).stdout).unwrap();
    assert!(manifests.len() > 100, "only {} manifests were found", manifests.len());
    let mut wrong = Vec::new();
    for (file, manifest) in manifests {
        let errors = validator.iter_errors(&manifest);
        wrong.extend(errors.map(|error| format!("{file}: {}: {error}", error.instance_path())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The manifests of cases that have a plan. Those that have none may break the schema.
fn accepted_cases() -> Vec<String> {
    files("tests/cases", "yaml")
        .into_iter()
        .filter(|file| {
            let case = file.split('/').take(3).collect::<Vec<_>>().join("/");
            root().join(case).join("plan.txt").exists()
        })
        .collect()
}
