//! The engine against a brute-force evaluator that shares no code with it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails to set up its case has failed"
)]

mod evaluator;
mod generate;

use evaluator::{Asked, Context, Held, is_allowed};
use generate::{Random, asked, changed, held, own};
use trueup_access::{
    Answer, Certainty, Comparison, Effect, Engine, Finding, Holdings, IamData, Origin, PrincipalFacts, Question,
    Request, Verdict,
};
use trueup_model::PolicyDocument;

/// How many pairs of holdings one test compares; `TRUEUP_ORACLE_PAIRS` asks for more.
fn pairs(default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a longer run is asked for by the environment")]
    let asked = std::env::var("TRUEUP_ORACLE_PAIRS");
    asked.map_or(default, |text| text.parse().unwrap())
}

fn holdings(held: &Held, facts: &PrincipalFacts) -> Holdings {
    let document = |value| PolicyDocument::from_value(value).unwrap();
    let policies = held.policies.iter().enumerate();
    Holdings {
        facts: facts.clone(),
        policies: policies
            .map(|(n, value)| (Origin::own(n.to_string()), document(value.clone())))
            .collect(),
        boundary: held
            .boundary
            .clone()
            .map(|value| (Origin::own("boundary"), document(value))),
    }
}

fn facts(own: &Context) -> PrincipalFacts {
    let mut facts = PrincipalFacts::nobody();
    for (key, values) in own {
        facts.set(key, Some(&values[0]));
    }
    facts
}

/// Whether the texts of a policy have a variable in them.
fn has_variables(held: &Held) -> bool {
    held.policies
        .iter()
        .chain(&held.boundary)
        .any(|policy| policy.to_string().contains("${aws"))
}

/// How many requests at random each pair is held to: a million in all.
const REQUESTS: usize = 90;

#[derive(Debug, Default)]
struct Count {
    same: u32,
    more: u32,
    less: u32,
    both: u32,
    unknown: u32,
    requests: u64,
    examples: u32,
}

fn check_example(count: &mut Count, finding: &Finding, with: &Held, without: &Held, seed: u64) {
    if finding.certainty != Certainty::Certain {
        return;
    }
    let asked = Asked {
        action: finding.example.action.clone(),
        resource: finding.example.resource.clone(),
        context: finding.example.context.clone(),
    };
    // Where a variable is not known the example stands for requests in which it fits.
    let is_open = (has_variables(with) || has_variables(without)) && with.own.is_empty();
    if is_open {
        return;
    }
    count.examples += 1;
    assert!(
        is_allowed(with, &asked),
        "seed {seed}: {asked:?} should be allowed by {with:#?}"
    );
    assert!(
        !is_allowed(without, &asked),
        "seed {seed}: {asked:?} should not be allowed by {without:#?}"
    );
}

fn check(engine: &mut Engine<'_>, count: &mut Count, seed: u64, requests: usize) {
    let mut random = Random(seed);
    let mut before = held(&mut random);
    let mut after = if random.chance(80) {
        changed(&mut random, &before)
    } else {
        held(&mut random)
    };
    let known = if random.chance(60) {
        own(&mut random)
    } else {
        Context::new()
    };
    before.own.clone_from(&known);
    after.own.clone_from(&known);
    let facts = facts(&known);
    let (old, new) = (holdings(&before, &facts), holdings(&after, &facts));
    let judgement = engine.verdict(&old, &new);
    let comparison: Comparison = engine.compare(&old, &new);
    assert_eq!(judgement.verdict, comparison.verdict, "seed {seed}");
    let may_gain = !matches!(comparison.verdict, Verdict::Same | Verdict::Less);
    let may_lose = !matches!(comparison.verdict, Verdict::Same | Verdict::More);
    for _ in 0..requests {
        let asked = asked(&mut random);
        let (was, is) = (is_allowed(&before, &asked), is_allowed(&after, &asked));
        count.requests += 1;
        assert!(
            !is || was || may_gain,
            "seed {seed}: {} but {asked:?} is gained\n{before:#?}\n{after:#?}",
            comparison.verdict
        );
        assert!(
            !was || is || may_lose,
            "seed {seed}: {} but {asked:?} is lost\n{before:#?}\n{after:#?}",
            comparison.verdict
        );
    }
    for finding in &comparison.gained {
        check_example(count, finding, &after, &before, seed);
    }
    for finding in &comparison.lost {
        check_example(count, finding, &before, &after, seed);
    }
    match comparison.verdict {
        Verdict::Same => count.same += 1,
        Verdict::More => count.more += 1,
        Verdict::Less => count.less += 1,
        Verdict::Both => count.both += 1,
        Verdict::Unknown => count.unknown += 1,
    }
}

#[test]
fn verdicts_and_examples_agree_with_brute_force() {
    let mut engine = Engine::new(IamData::embedded());
    let mut count = Count::default();
    for seed in 0..pairs(12_000) {
        if seed % 2_000 == 0 {
            engine = Engine::new(IamData::embedded());
        }
        check(&mut engine, &mut count, seed, REQUESTS);
    }
    println!("{count:?}, no disagreement");
    let total = count.same + count.more + count.less + count.both + count.unknown;
    assert!(count.unknown * 100 < total * 10, "{count:?}");
    assert!(count.examples > total, "{count:?}");
    assert!(count.requests >= u64::from(total) * REQUESTS as u64, "{count:?}");
}

#[test]
fn decisions_agree_with_brute_force() {
    let mut engine = Engine::new(IamData::embedded());
    let mut allowed = 0;
    for seed in 0..pairs(6_000) {
        if seed % 500 == 0 {
            engine = Engine::new(IamData::embedded());
        }
        let mut random = Random(seed ^ 0xdec1de);
        let mut user = held(&mut random);
        user.own = own(&mut random);
        let known = holdings(&user, &facts(&user.own));
        for _ in 0..10 {
            let asked = asked(&mut random);
            let mut request = Request::new(&asked.action, &asked.resource);
            request.context = asked.context.clone();
            for key in user.own.keys() {
                request.context.remove(key);
            }
            let decision = engine.decide(&known, &request);
            let expected = is_allowed(&user, &asked);
            assert_ne!(decision.effect, Effect::Unknown, "seed {seed}: {decision:?}");
            assert_eq!(
                decision.effect == Effect::Allowed,
                expected,
                "seed {seed}: {asked:?} {decision:?}\n{user:#?}"
            );
            allowed += u32::from(expected);
        }
    }
    assert!(allowed > 500, "{allowed}");
}

/// Questions with patterns: an answer is held to requests at random, and its example to the evaluator.
#[test]
fn answers_to_questions_agree_with_brute_force() {
    let mut engine = Engine::new(IamData::embedded());
    let (mut yes, mut no, mut unknown) = (0, 0, 0);
    for seed in 0..pairs(4_000) {
        if seed % 500 == 0 {
            engine = Engine::new(IamData::embedded());
        }
        let mut random = Random(seed ^ 0x0a5c);
        let mut user = held(&mut random);
        user.own = own(&mut random);
        let known = holdings(&user, &facts(&user.own));
        let example = asked(&mut random);
        let (service, _) = example.action.split_once(':').unwrap();
        let action = if random.chance(50) {
            format!("{service}:*")
        } else {
            example.action.clone()
        };
        let resource = match example.resource.rsplit_once(':') {
            Some((before, _)) if random.chance(50) => format!("{before}:*"),
            _ => example.resource.clone(),
        };
        let question = Question::new(action.clone(), resource.clone());
        if resource.contains("${") {
            continue;
        }
        let matches = |asked: &Asked| {
            trueup_model::glob_matches(&action.to_ascii_lowercase(), &asked.action.to_ascii_lowercase())
                && trueup_model::glob_matches(&resource, &asked.resource)
        };
        let (all, any) = (
            engine.allows_all(&known, &question),
            engine.allows_any(&known, &question),
        );
        let mut requests: Vec<Asked> = (0..30).map(|_| asked(&mut random)).collect();
        requests.push(example);
        for request in &requests {
            if !matches(request) {
                continue;
            }
            let is_bare = request.context.keys().all(|key| user.own.contains_key(key));
            if is_allowed(&user, request) {
                assert!(
                    !matches!(any, Answer::No(_)),
                    "seed {seed}: {request:?} is allowed\n{user:#?}"
                );
            } else if is_bare {
                assert!(
                    !matches!(all, Answer::Yes(_)),
                    "seed {seed}: {request:?} is not allowed\n{user:#?}"
                );
            }
        }
        for (answer, is_about_all) in [(&all, true), (&any, false)] {
            let shown = match answer {
                Answer::Yes(shown) => shown.as_ref().map(|(request, _)| (request, true)),
                Answer::No(shown) => shown.as_ref().map(|(request, _)| (request, false)),
                Answer::Unknown(_) => None,
            };
            match answer {
                Answer::Yes(_) => yes += 1,
                Answer::No(_) => no += 1,
                Answer::Unknown(_) => unknown += 1,
            }
            let Some((request, expected)) = shown else { continue };
            let asked = Asked {
                action: request.action.clone(),
                resource: request.resource.clone(),
                context: request.context.clone(),
            };
            assert!(
                matches(&asked),
                "seed {seed}: {asked:?} is not asked for by {question:?}"
            );
            assert_eq!(
                is_allowed(&user, &asked),
                expected,
                "seed {seed}, all {is_about_all}: {question:?} {asked:?}\n{user:#?}"
            );
        }
    }
    println!("{yes} yes, {no} no, {unknown} unknown");
    assert!(yes > 500 && no > 500, "{yes} {no}");
    assert!(unknown * 20 < yes + no, "{yes} {no} {unknown}");
}
