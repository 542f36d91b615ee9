//! How long verdicts and findings take, over pairs of AWS managed policies.
//!
//! `cargo bench -p trueup-access` prints the distribution over a sample of pairs, then runs the named cases.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at surprises"
)]

#[path = "../tests/managed/mod.rs"]
mod managed;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use divan::Bencher;
use trueup_access::{Engine, Holdings, IamData, Origin, PrincipalFacts, Verdict};
use trueup_model::PolicyDocument;

const SAMPLE: usize = 20_000;

fn main() {
    let policies = managed::managed_policies();
    println!("{} policies, {SAMPLE} ordered pairs", policies.len());
    let pairs = sample(policies.len());
    for (what, facts) in [("documents", PrincipalFacts::nobody()), ("a user's", user())] {
        let holdings: Vec<Holdings> = policies
            .iter()
            .map(|(_, document)| holdings(document, &facts))
            .collect();
        measure(
            &format!("{what}, a new engine each"),
            &policies,
            &holdings,
            &pairs,
            Kind::Verdict { fresh: true },
        );
        measure(
            &format!("{what}, one engine"),
            &policies,
            &holdings,
            &pairs,
            Kind::Verdict { fresh: false },
        );
        measure(
            &format!("{what}, all findings"),
            &policies,
            &holdings,
            &pairs,
            Kind::Findings,
        );
    }
    divan::main();
}

#[derive(Clone, Copy)]
enum Kind {
    Verdict { fresh: bool },
    Findings,
}

fn user() -> PrincipalFacts {
    PrincipalFacts::user("aws", "111122223333", "/", "alice", [("team", "platform")])
}

fn holdings(document: &PolicyDocument, facts: &PrincipalFacts) -> Holdings {
    Holdings {
        facts: facts.clone(),
        ..Holdings::of_document("policy", document.clone())
    }
}

/// Pairs of different numbers, the same in every run (splitmix64).
fn sample(count: usize) -> Vec<(usize, usize)> {
    let mut state: u64 = 20_000;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % count as u64) as usize
    };
    std::iter::repeat_with(|| (next(), next()))
        .filter(|(a, b)| a != b)
        .take(SAMPLE)
        .collect()
}

fn measure(
    what: &str,
    policies: &[(String, PolicyDocument)],
    holdings: &[Holdings],
    pairs: &[(usize, usize)],
    kind: Kind,
) {
    let mut shared = Engine::new(IamData::embedded());
    let mut times: Vec<(Duration, usize, usize)> = Vec::with_capacity(pairs.len());
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    for &(before, after) in pairs {
        let mut own;
        let engine = match kind {
            Kind::Verdict { fresh: true } => {
                own = Engine::new(IamData::embedded());
                &mut own
            }
            _ => &mut shared,
        };
        let start = Instant::now();
        let (verdict, unknown) = match kind {
            Kind::Verdict { .. } => {
                let judgement = engine.verdict(&holdings[before], &holdings[after]);
                (judgement.verdict, judgement.unknown)
            }
            Kind::Findings => {
                let comparison = engine.compare(&holdings[before], &holdings[after]);
                (comparison.verdict, comparison.unknown)
            }
        };
        times.push((start.elapsed(), before, after));
        *verdicts.entry(verdict).or_default() += 1;
        if verdict == Verdict::Unknown {
            let cause = unknown.first().map_or("none", String::as_str);
            *causes.entry(cause.chars().take(60).collect()).or_default() += 1;
        }
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].0;
    let (slowest, before, after) = times[times.len() - 1];
    println!(
        "{what}: median {:?}, p99 {:?}, max {slowest:?} ({} -> {}); {verdicts:?}",
        at(0.5),
        at(0.99),
        policies[before].0,
        policies[after].0
    );
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (cause, count) in causes.iter().take(8) {
        println!("    {count} unknown: {cause}");
    }
}

fn named(name: &str) -> Holdings {
    let policies = managed::managed_policies();
    let (_, document) = policies.into_iter().find(|(own, _)| own == name).unwrap();
    holdings(&document, &user())
}

fn verdict(bencher: Bencher<'_, '_>, before: &str, after: &str) {
    let (before, after) = (named(before), named(after));
    bencher.bench(|| Engine::new(IamData::embedded()).verdict(&before, &after));
}

#[divan::bench(sample_count = 20)]
fn read_only_becomes_administrator(bencher: Bencher<'_, '_>) {
    verdict(bencher, "ReadOnlyAccess", "AdministratorAccess");
}

#[divan::bench(sample_count = 20)]
fn read_only_becomes_administrator_with_all_findings(bencher: Bencher<'_, '_>) {
    let (before, after) = (named("ReadOnlyAccess"), named("AdministratorAccess"));
    bencher.bench(|| Engine::new(IamData::embedded()).compare(&before, &after));
}

#[divan::bench(sample_count = 20)]
fn power_user_becomes_administrator(bencher: Bencher<'_, '_>) {
    verdict(bencher, "PowerUserAccess", "AdministratorAccess");
}

/// A thousand users with groups of their own besides the one whose policy changes, over 300 policies.
#[divan::bench(sample_count = 5)]
fn a_group_of_a_thousand_members_changes(bencher: Bencher<'_, '_>) {
    let policies: Vec<PolicyDocument> = managed::managed_policies()
        .into_iter()
        .step_by(5)
        .take(300)
        .map(|(_, document)| document)
        .collect();
    let group = |actions: &[&str]| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Resource": "*", "Action": {actions:?}}}}}"#
        );
        PolicyDocument::parse(&text).unwrap()
    };
    let (old, new) = (
        group(&["s3:Get*", "ec2:Describe*"]),
        group(&["s3:Get*", "s3:Put*", "ec2:Describe*"]),
    );
    let users = |shared: &PolicyDocument| -> Vec<Holdings> {
        let user = |number: usize| {
            let own = (0..9).map(|slot| policies[(number * 31 + slot * 17) % policies.len()].clone());
            let all = own.chain([shared.clone()]).enumerate();
            Holdings {
                facts: PrincipalFacts::user("aws", "111122223333", "/", &format!("user-{number}"), []),
                policies: all
                    .map(|(index, document)| (Origin::own(index.to_string()), document))
                    .collect(),
                boundary: None,
            }
        };
        (0..1_000).map(user).collect()
    };
    let (before, after) = (users(&old), users(&new));
    bencher.bench(|| {
        let mut engine = Engine::new(IamData::embedded());
        let pairs = before.iter().zip(&after);
        pairs
            .map(|(before, after)| engine.compare(before, after).gained.len())
            .sum::<usize>()
    });
}
