//! Nothing that anybody hands to trueup makes it panic, hang or break a promise: the corpora of the fuzz targets, and
//! mutations of them.

use std::panic::catch_unwind;

use trueup_simulation::{
    check::daily,
    random::Random,
    untrusted::{KINDS, Taker, corpus},
};

/// Texts that mean something to one of the parsers.
const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "-1",
    "1e999",
    "\u{0}",
    "\u{1b}[31m",
    "&a",
    "*a",
    "<<",
    "|",
    "${aws:username}",
    "<member>",
    "</member>",
    "<IsTruncated>true</IsTruncated>",
    "%7B",
    "&#0;",
    "\u{202e}",
    "999999999999999999999",
];

fn mutated(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.between(1, 4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            4 => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(60)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            5 => drop(bytes.splice(at..end, random.pick(&TOKENS).bytes())),
            _ => drop(bytes.splice(at..at, random.pick(&TOKENS).bytes())),
        }
    }
    bytes
}

fn take(kind: &str, name: &str, taker: Taker, bytes: &[u8]) {
    // With room for a parser that is nested as deep as it allows.
    let owned = bytes.to_vec();
    let thread = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || catch_unwind(|| taker(&owned)));
    let outcome = thread.expect("a thread").join().expect("panics are caught");
    assert!(
        outcome.is_ok(),
        "{kind}, from {name}: {:?}",
        String::from_utf8_lossy(bytes)
    );
}

fn holds(kind: &str) {
    let (_, taker) = KINDS.iter().find(|(name, _)| *name == kind).expect("a kind");
    let corpus = corpus(kind);
    let mutations = daily(300);
    for (name, bytes) in &corpus {
        take(kind, name, *taker, bytes);
    }
    for round in 0..mutations {
        let mut random = Random::of(round, kind);
        let (name, bytes) = random.pick(&corpus).clone();
        let (_, other) = random.pick(&corpus).clone();
        take(kind, &name, *taker, &mutated(&bytes, &other, &mut random));
    }
    println!("{kind}: {} seeds, {mutations} mutations", corpus.len());
}

#[test]
fn any_manifest_is_taken_or_refused() {
    holds("manifest");
}

#[test]
fn any_policy_is_taken_or_refused() {
    holds("policy");
}

#[test]
fn any_two_policies_are_compared() {
    holds("access");
}

#[test]
fn any_snapshot_is_taken_or_refused() {
    holds("snapshot");
}

#[test]
fn any_plan_is_taken_or_refused() {
    holds("plan");
}

#[test]
fn any_answer_of_iam_is_taken_or_refused() {
    holds("answer");
}
