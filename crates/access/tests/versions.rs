//! The versions that AWS's managed policies have had, one after the other, against requests at random and the plain
//! evaluator: what AWS changes in policies is what people change in theirs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a test that fails to set up its case has failed; of the oracle's modules only some is used"
)]

#[path = "oracle/evaluator.rs"]
mod evaluator;
#[path = "oracle/generate.rs"]
mod generate;

use std::io::Read;
use std::path::Path;

use evaluator::{Asked, Context, Held, is_allowed};
use generate::Random;
use serde_json::Value;
use trueup_access::{Certainty, Comparison, Engine, Finding, IamData, Verdict};
use trueup_model::{PolicyDocument, glob_matches};

/// A policy's name, and its versions from the first to the last.
type Versions = (String, Vec<Value>);

/// How many requests each pair is held to.
const REQUESTS: usize = 40;

fn versions() -> Vec<Versions> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/managed-policy-versions.jsonl.gz");
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(policy).collect()
}

fn policy(line: &str) -> Versions {
    let (name, rows): (String, Vec<(u32, Vec<Edit>)>) = serde_json::from_str(line).unwrap();
    let mut lines: Vec<String> = Vec::new();
    let document = |(_, edits): (u32, Vec<Edit>)| {
        // From the last to the first, so that the places of the others stay what they are.
        for (at, removed, added) in edits.into_iter().rev() {
            lines.splice(at..at + removed, added);
        }
        serde_json::from_str(&lines.concat()).unwrap()
    };
    (name, rows.into_iter().map(document).collect())
}

/// A place among lines, how many of them go, and which come.
type Edit = (usize, usize, Vec<String>);

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list(value).into_iter().map(text).collect()
}

/// What the plain evaluator was not written for: variables of unknown keys, ARNs that are too short, a few operators.
fn is_plain(document: &Value) -> bool {
    let known = [
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringNotLike",
        "ArnLike",
        "ArnEquals",
        "Bool",
        "Null",
    ];
    let statement = |statement: &Value| {
        let patterns = texts(&statement["Resource"])
            .into_iter()
            .chain(texts(&statement["NotResource"]));
        let operators = statement["Condition"].as_object();
        let is_known = |operator: &String| {
            let base = operator.rsplit(':').next().unwrap_or_default();
            known.contains(&base.strip_suffix("IfExists").unwrap_or(base))
        };
        patterns.clone().count() > 0
            && patterns.into_iter().all(|it| it == "*" || it.matches(':').count() >= 5)
            && operators.is_none_or(|operators| operators.keys().all(is_known))
    };
    !document.to_string().contains("${") && list(&document["Statement"]).iter().all(statement)
}

/// A text that a pattern matches.
fn filled(random: &mut Random, pattern: &str) -> String {
    let mut text = String::new();
    for c in pattern.chars() {
        match c {
            '*' => text.push_str(random.pick(&["", "x", "a/b", "example", "us-east-1", "aws-x"])),
            '?' => text.push('x'),
            c => text.push(c),
        }
    }
    text
}

fn action(random: &mut Random, statement: &Value, data: &IamData) -> String {
    let patterns = [texts(&statement["Action"]), texts(&statement["NotAction"])].concat();
    let pattern = random.pick(&patterns).to_lowercase();
    let service = pattern.split(':').next().unwrap_or_default();
    let listed = data
        .service(service)
        .map(|service| data.actions_of(service))
        .unwrap_or(data.actions());
    if statement.get("NotAction").is_some() || random.chance(20) {
        return listed[random.below(listed.len())].name.clone();
    }
    let matching: Vec<&str> = listed
        .iter()
        .filter(|action| glob_matches(&pattern, &action.folded))
        .map(|action| action.name.as_str())
        .collect();
    if matching.is_empty() || random.chance(10) {
        filled(random, &pattern)
    } else {
        random.pick(&matching).to_owned()
    }
}

fn context(random: &mut Random, statement: &Value, context: &mut Context) {
    for (_, block) in statement["Condition"].as_object().into_iter().flatten() {
        for (key, values) in block.as_object().into_iter().flatten() {
            let value = match random.below(10) {
                0 => continue,
                1 => "something else".to_owned(),
                _ => random.pick(&texts(values)),
            };
            context.insert(key.to_lowercase(), vec![filled(random, &value)]);
        }
    }
}

/// A request near to what a statement of one of the documents is about.
fn asked(random: &mut Random, statements: &[Value], data: &IamData) -> Asked {
    let statement = random.pick(statements);
    let other = random.pick(statements);
    let about = if random.chance(80) { &statement } else { &other };
    let resources = [texts(&about["Resource"]), texts(&about["NotResource"])].concat();
    let pattern = random.pick(&resources);
    let mut keys = Context::new();
    context(random, &statement, &mut keys);
    if random.chance(50) {
        context(random, &other, &mut keys);
    }
    Asked {
        action: action(random, &statement, data),
        resource: match pattern.as_str() {
            "*" => random
                .pick(&["*", "arn:aws:s3:::x/y", "arn:aws:iam::123456789012:role/x"])
                .to_owned(),
            pattern => filled(random, pattern),
        },
        context: keys,
    }
}

fn held(document: &Value) -> Held {
    Held {
        policies: vec![document.clone()],
        ..Held::default()
    }
}

fn check_examples(findings: &[Finding], with: &Held, without: &Held, name: &str) -> usize {
    let certain = findings
        .iter()
        .filter(|finding| finding.certainty == Certainty::Certain);
    certain
        .map(|finding| {
            let request = &finding.example;
            let asked = Asked {
                action: request.action.clone(),
                resource: request.resource.clone(),
                context: request.context.clone(),
            };
            assert!(is_allowed(with, &asked), "{name}: {asked:?} should be allowed");
            assert!(!is_allowed(without, &asked), "{name}: {asked:?} should not be allowed");
        })
        .count()
}

/// Both directions of every pair of successive versions.
#[test]
fn every_pair_of_versions_of_a_managed_policy() {
    let data = IamData::embedded();
    let mut engine = Engine::new(data);
    let mut random = Random(0x0065_7273);
    let (mut pairs, mut requests, mut examples, mut unknown) = (0, 0, 0, 0);
    let mut differing = 0;
    for (name, versions) in versions() {
        for (old, new) in versions.iter().zip(&versions[1..]) {
            let parsed = |value: &Value| PolicyDocument::from_value(value.clone()).unwrap();
            let (before, after) = (parsed(old), parsed(new));
            let there: Comparison = engine.compare_documents(&before, &after);
            let back = engine.compare_documents(&after, &before);
            let mirrored = match there.verdict {
                Verdict::More => Verdict::Less,
                Verdict::Less => Verdict::More,
                other => other,
            };
            assert_eq!(back.verdict, mirrored, "{name}");
            pairs += 1;
            unknown += usize::from(there.verdict == Verdict::Unknown);
            differing += usize::from(there.verdict != Verdict::Same);
            assert!(there.verdict != Verdict::Unknown || !there.unknown.is_empty(), "{name}");
            if !(is_plain(old) && is_plain(new)) {
                continue;
            }
            let (was, is) = (held(old), held(new));
            examples += check_examples(&there.gained, &is, &was, &name);
            examples += check_examples(&there.lost, &was, &is, &name);
            let statements = [list(&old["Statement"]), list(&new["Statement"])].concat();
            for _ in 0..REQUESTS {
                let asked = asked(&mut random, &statements, data);
                requests += 1;
                match (is_allowed(&was, &asked), is_allowed(&is, &asked)) {
                    (false, true) => assert!(!there.verdict.is_no_new_access(), "{name}: {asked:?} is gained"),
                    (true, false) => assert!(!back.verdict.is_no_new_access(), "{name}: {asked:?} is lost"),
                    _ => {}
                }
            }
        }
    }
    println!(
        "{pairs} pairs, {differing} that differ, {unknown} unknown; {requests} requests, {examples} examples, no disagreement"
    );
    assert_eq!(pairs, 4_600);
    assert!(unknown * 50 < pairs, "{unknown} of {pairs}");
    assert!(requests > 100_000 && examples > 5_000, "{requests} {examples}");
}
