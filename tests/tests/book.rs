//! The book: every page is in its table of contents, every link leads somewhere, and what is made from the program is as
//! the program says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use regex_lite::Regex;
use trueup_tests::{binary::Workspace, golden, reference, root};

/// All pages below `docs/`, by their paths from there.
fn pages() -> BTreeMap<PathBuf, String> {
    let docs = root().join("docs");
    let mut found = BTreeMap::new();
    let mut folders = vec![docs.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(&docs).unwrap().to_owned(), text);
            }
        }
    }
    found
}

/// What a link leads to, from the page that it stands on.
fn target(page: &Path, link: &str) -> Option<PathBuf> {
    let mut path = page.parent()?.to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => path.pop().then_some(())?,
            _ => {}
        }
    }
    Some(path)
}

/// The page without its fences and code, in which nothing is a link or a heading.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    let code = Regex::new("`[^`]*`").unwrap();
    lines
        .map(|line| {
            code.replace_all(line, |found: &regex_lite::Captures<'_>| {
                found[0].replace(['[', '('], " ")
            }) + "\n"
        })
        .collect()
}

fn links(text: &str) -> Vec<String> {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    link.captures_iter(&prose(text))
        .map(|link| link[1].to_owned())
        .collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let headings = headings.lines().filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let pages = pages();
    let contents = links(&pages[Path::new("SUMMARY.md")]);
    let listed: BTreeSet<_> = contents.iter().map(PathBuf::from).collect();
    assert_eq!(listed.len(), contents.len(), "a page is listed twice: {contents:?}");
    let there: BTreeSet<_> = pages
        .into_keys()
        .filter(|page| page != Path::new("SUMMARY.md"))
        .collect();
    assert_eq!(listed, there);
}

/// The codes are those of the plan document, and each page shows its guardrail refuse.
#[test]
fn every_guardrail_has_a_page_with_an_example() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../crates/report/schema/plan.schema.json")).expect("the schema is JSON");
    let codes = schema["properties"]["guardrails"]["items"]["properties"]["code"]["enum"]
        .as_array()
        .expect("the schema names the codes");
    assert_eq!(codes.len(), 9);
    let pages = pages();
    let overview = &pages[Path::new("guardrails/README.md")];
    for code in codes {
        let code = code.as_str().expect("a code is text");
        let page = pages.get(Path::new(&format!("guardrails/{code}.md")));
        let page = page.unwrap_or_else(|| panic!("{code} has no page"));
        assert!(page.starts_with(&format!("# {code}\n")), "{code}");
        assert!(page.contains(&format!("--allow {code}")), "{code} is not shown to pass");
        assert!(page.contains(&format!("! {code}: ")), "{code} is not shown to fire");
        assert!(overview.contains(&format!("[`{code}`]({code}.md)")), "{code}");
    }
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let pages = pages();
    let mut broken = Vec::new();
    for (page, text) in &pages {
        for link in links(text) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            if path.starts_with("https://") {
                // What stands in this repository is held here; the rest of the web is not.
                let ours = Regex::new("^https://github.com/trueup-iam/trueup/(blob|tree)/main/").unwrap();
                let missing = |end: usize| !root().join(&path[end..]).exists();
                if ours.find(path).is_some_and(|found| missing(found.end())) {
                    broken.push(format!("{}: {link}", page.display()));
                }
                continue;
            }
            let target = if path.is_empty() {
                Some(page.clone())
            } else {
                target(page, path)
            };
            // A page of the book can only lead to another: nothing else is published with it.
            let leads = target.and_then(|target| pages.get(&target));
            if !leads.is_some_and(|text| anchor.is_empty() || anchors(text).contains(anchor)) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The page about the manifest leaves out no root key, and no guardrail's setting.
#[test]
fn every_root_key_of_the_manifest_is_explained() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../crates/manifest/schema/manifest.schema.json"))
            .expect("the schema is JSON");
    let keys = |object: &serde_json::Value| -> Vec<String> {
        let properties = object["properties"].as_object().expect("an object has properties");
        properties.keys().cloned().collect()
    };
    let pages = pages();
    let page = &pages[Path::new("manifest.md")];
    let root = keys(&schema);
    assert!(root.len() > 10, "{root:?}");
    for key in root {
        assert!(
            page.contains(&format!("\n{key}:")) || page.contains(&format!("`{key}`")),
            "{key}"
        );
    }
    let guardrails = keys(&schema["$defs"]["guardrails"]);
    assert!(guardrails.contains(&"allow".to_owned()), "{guardrails:?}");
    for key in guardrails {
        assert!(page.contains(&format!("\n  {key}:")), "guardrails.{key}");
    }
}

/// A row for each metric: its name, its labels beside the account, and what it is.
#[test]
fn the_metrics_of_the_book_are_those_of_the_program() {
    let workspace = Workspace::new();
    let manifest = "version: 1\naccount: {id: \"123456789012\"}\ngroups: {ops: {}}\n";
    workspace.write("trueup.yaml", manifest);
    let drift = "drift --live sandbox:account.json -q --metrics-into trueup.prom";
    workspace.trueup().args(drift).run().expect_exit(2);
    let written = workspace.read("trueup.prom");
    let mut rows = BTreeMap::new();
    for line in written.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            rows.insert(name, (Vec::new(), help));
        }
        let Some((name, labels)) = line.split_once('{') else {
            continue;
        };
        let (labels, _) = labels.split_once('}').expect("labels end");
        let labels: Vec<String> = labels
            .split(',')
            .filter_map(|label| label.split_once('=').map(|(name, _)| format!("`{name}`")))
            .collect();
        assert_eq!(labels[0], "`account`", "{line}");
        rows.get_mut(name).expect("a value follows its help").0 = labels[1..].to_vec();
    }
    assert!(rows.len() >= 10, "{written}");
    let expected: BTreeSet<String> = rows
        .into_iter()
        .map(|(name, (labels, help))| {
            let labels = labels.join(", ");
            let labels = if labels.is_empty() {
                labels
            } else {
                format!(" {labels}")
            };
            format!("| `{name}` |{labels} | {help} |")
        })
        .collect();
    let pages = pages();
    let page = pages[Path::new("nightly.md")].lines();
    let found = page.filter(|line| line.starts_with("| `trueup_"));
    assert_eq!(found.map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_manifest_reference_is_that_of_the_schema() {
    let schema = Workspace::new()
        .trueup()
        .args("schema manifest")
        .run()
        .expect_exit(0)
        .stdout;
    let page = reference::page(&serde_json::from_str(&schema).unwrap());
    golden::check(&root().join("docs/manifest-reference.md"), &page).unwrap();
}
