//! Every `trueup …` in what people copy is a command that the definition accepts: the action, workflows, templates,
//! units, hooks, and all code of the book.

use std::path::{Path, PathBuf};

use clap::Parser as _;

use super::Cli;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn below(folder: &str, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            below(&name, files);
        } else {
            files.push(root().join(name));
        }
    }
}

/// The words of a shell line up to what ends the command. Words that hold variables stay as they are: they are values.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, ';' | '|' | '&' | '>' | '<' | '#' | '`' | ')') if word.is_none() || c != '#' => break,
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    // `2>file`: the descriptor is not an argument.
    words
}

/// The invocations in a text: what follows the word `trueup` where a command can begin.
fn invocations(text: &str, is_markdown: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut fence: Option<String> = None;
    for line in text.replace("\\\n", " ").lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("```") {
            fence = match fence {
                Some(_) => None,
                None => Some(rest.to_owned()),
            };
            continue;
        }
        let code = match (&fence, is_markdown) {
            (Some(kind), true) if kind == "console" => match line.strip_prefix("$ ") {
                Some(command) => command,
                None => continue,
            },
            (Some(kind), true) if kind == "sh" || kind.starts_with("yaml") => line,
            (_, true) => continue,
            (_, false) => line,
        };
        if code.starts_with('#') {
            continue;
        }
        for (at, _) in code.match_indices("trueup ") {
            let before = code[..at].trim_end_matches("/usr/local/bin/");
            let begins = before.is_empty()
                || [
                    "&& ",
                    "| ",
                    "- ",
                    "run: ",
                    "entry: ",
                    "ExecStart=",
                    "$(",
                    "; ",
                    "then ",
                    "! ",
                ]
                .iter()
                .any(|end| before.ends_with(end));
            if begins {
                found.push(code[at + "trueup ".len()..].to_owned());
            }
        }
    }
    found
}

#[test]
fn commands_that_people_copy_are_accepted() {
    let mut files: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "action.yml",
        ".pre-commit-hooks.yaml",
        "Containerfile",
    ]
    .map(|name| root().join(name))
    .to_vec();
    for folder in ["deploy", ".github", "docs", "examples"] {
        below(folder, &mut files);
    }
    let mut seen = 0;
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let is_markdown = name.ends_with(".md");
        for invocation in invocations(&text, is_markdown) {
            seen += 1;
            let words = words(&invocation);
            if let Err(error) = Cli::try_parse_from(std::iter::once("trueup".to_owned()).chain(words)) {
                // Pages show mistakes on purpose, together with what is said about them.
                let shown = error.to_string();
                let first = shown.lines().next().unwrap_or_default();
                if error.use_stderr() && !(is_markdown && text.contains(first)) {
                    wrong.push(format!("{name}: trueup {invocation}\n{shown}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} invocations were found");
}

/// The commands that are put together from parts, as their scripts put them together.
#[test]
fn commands_that_scripts_put_together_are_accepted() {
    let script = std::fs::read_to_string(root().join("deploy/github/run.sh")).unwrap();
    let mut seen = 0;
    for line in script.lines() {
        let Some((_, rest)) = line.split_once("arguments=(") else {
            continue;
        };
        let line = rest.split(')').next().unwrap();
        Cli::try_parse_from(std::iter::once("trueup".to_owned()).chain(words(line)))
            .unwrap_or_else(|error| panic!("{line}\n{error}"));
        seen += 1;
    }
    assert_eq!(seen, 3);
    let words = |text: &str| -> Vec<String> {
        let inside = text.trim().trim_start_matches('[').trim_end_matches(']');
        inside
            .split(',')
            .map(|word| word.trim().trim_matches('"').to_owned())
            .collect()
    };
    let of = |file: &str, key: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        text.lines()
            .filter_map(|line| line.trim().strip_prefix(key).map(words))
            .collect()
    };
    let mut lists = of("deploy/kubernetes/cronjob.yaml", "args: ");
    assert_eq!(lists.len(), 1);
    lists.extend(of("Containerfile", "CMD "));
    for list in lists {
        if let Err(error) = Cli::try_parse_from(std::iter::once("trueup".to_owned()).chain(list.clone())) {
            assert!(!error.use_stderr(), "{list:?}\n{error}");
        }
    }
}
