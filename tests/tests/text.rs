//! What no committed text may hold: traces of a machine, of a secret, or of work that was left half done.

use std::process::Command;

use regex_lite::Regex;

fn committed_texts() -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(trueup_tests::root())
        .output()
        .expect("git can be started");
    assert!(output.status.success(), "this is no git repository");
    String::from_utf8(output.stdout)
        .unwrap()
        .split_terminator('\0')
        .filter_map(|name| {
            let bytes = std::fs::read(trueup_tests::root().join(name)).ok()?;
            Some((name.to_owned(), String::from_utf8(bytes).ok()?))
        })
        .collect()
}

/// Every line of a committed text that a pattern matches.
fn lines_with(pattern: &str, may: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = Vec::new();
    for (name, text) in committed_texts() {
        for (index, line) in text.lines().enumerate() {
            if pattern.is_match(line) && !may(&name, line) {
                found.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    found
}

fn nothing(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_path_of_a_machine() {
    // Written in pieces, so that this file is no finding itself.
    let folders = ["work", "farm", "tmp", "root", "home", "Users"].join("|");
    let folders = format!(r#"(^|[\s"'`(=:])/({folders})/"#);
    // A shebang and a path inside an account are no paths of a machine.
    nothing(&lines_with(&folders, |_, line| {
        line.contains("arn:aws") || line.contains("path")
    }));
}

#[test]
fn nothing_left_half_done() {
    let marks = format!(
        r"\b({})\b",
        ["FIX".to_owned() + "ME", "X".repeat(3), "HA".to_owned() + "CK"].join("|")
    );
    nothing(&lines_with(&marks, |name, _| name == "Cargo.lock"));
    let rust = format!(r"\b(todo!|unimplemented!|dbg!)\(|#\[{}", "ignore");
    nothing(&lines_with(&rust, |name, _| !name.ends_with(".rs")));
}

#[test]
fn no_key_that_could_be_real() {
    // Ids in tests and docs end in EXAMPLE, as AWS's own do, or are of the sandbox's making.
    let keys = format!(r"\b({}|{})[A-Z0-9]{{16}}\b", "AKIA", "ASIA");
    nothing(&lines_with(&keys, |_, line| {
        line.contains("EXAMPLE") || line.contains("000000")
    }));
    nothing(&lines_with(
        &format!("-----BEGIN [A-Z ]*{} KEY-----", "PRIVATE"),
        |_, _| false,
    ));
}

#[test]
fn every_text_is_plain() {
    let mut found = Vec::new();
    for (name, text) in committed_texts() {
        // What is fuzzed is handed over as it is.
        if name.starts_with("tests/fuzz/corpus/") {
            continue;
        }
        // Expectations hold whatever the product prints.
        let expectation = name.ends_with(".txt") || name.starts_with("tests/transcripts/");
        // One manifest shows what becomes of them.
        if text.contains('\r') && !name.ends_with("-crlf.yaml") {
            found.push(format!("{name} has carriage returns"));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            found.push(format!("{name} ends without a newline"));
        }
        if !expectation && text.lines().any(|line| line.ends_with([' ', '\t'])) {
            found.push(format!("{name} has white space at the end of a line"));
        }
    }
    nothing(&found);
}
