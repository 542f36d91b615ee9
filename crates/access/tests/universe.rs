//! Every pair of small policies over a universe that is small enough to try all of its requests: the verdict must be
//! exactly the one that trying gives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails to set up its case has failed"
)]

use serde_json::{Value, json};
use trueup_access::{Engine, IamData, Verdict};
use trueup_model::PolicyDocument;

const EFFECTS: [&str; 2] = ["Allow", "Deny"];
/// With what each pattern matches of: a listed action, another one, one that no list has.
const ACTIONS: [(&str, &str, [bool; 3]); 4] = [
    ("Action", "s3:GetObject", [true, false, false]),
    ("Action", "s3:*", [true, true, true]),
    ("NotAction", "s3:GetObject", [false, true, true]),
    ("NotAction", "s3:*", [false, false, false]),
];
/// With what each pattern matches of: `a`, `ab`, and anything else.
const RESOURCES: [(&str, &str, [bool; 3]); 3] = [
    ("Resource", "arn:aws:s3:::a", [true, false, false]),
    ("Resource", "arn:aws:s3:::a*", [true, true, false]),
    ("NotResource", "arn:aws:s3:::a", [false, true, true]),
];
/// With when each holds: where a key is absent, is `x`, is something else.
const CONDITIONS: [(&str, [bool; 3]); 4] = [
    ("", [true, true, true]),
    ("StringEquals", [false, true, false]),
    ("StringNotEquals", [true, false, true]),
    ("StringNotLikeIfExists", [true, false, true]),
];

/// The requests as bits: actions of another service first, then three actions, three resources and three contexts.
fn requests(action: &[bool; 3], is_other_service: bool, resource: &[bool; 3], context: &[bool; 3]) -> u64 {
    let actions = [is_other_service, action[0], action[1], action[2]];
    let mut bits = 0;
    let mut bit = 0;
    for is_action in actions {
        for is_resource in resource {
            for is_context in context {
                if is_action && *is_resource && *is_context {
                    bits |= 1 << bit;
                }
                bit += 1;
            }
        }
    }
    bits
}

struct Small {
    document: PolicyDocument,
    allowed: u64,
}

fn statements() -> Vec<(Value, bool, u64)> {
    let mut statements = Vec::new();
    for effect in EFFECTS {
        for (action_element, action, is_action) in ACTIONS {
            for (resource_element, resource, is_resource) in RESOURCES {
                for (operator, is_context) in CONDITIONS {
                    let mut statement = json!({"Effect": effect, action_element: action, resource_element: resource});
                    if !operator.is_empty() {
                        statement["Condition"] = json!({operator: {"app:key": "x"}});
                    }
                    let bits = requests(&is_action, action_element == "NotAction", &is_resource, &is_context);
                    statements.push((statement, effect == "Allow", bits));
                }
            }
        }
    }
    statements
}

fn small(statements: &[&(Value, bool, u64)]) -> Small {
    let list: Vec<&Value> = statements.iter().map(|(value, ..)| value).collect();
    let text = json!({"Version": "2012-10-17", "Statement": list}).to_string();
    let of = |allows: bool| {
        statements
            .iter()
            .filter(|(_, own, _)| *own == allows)
            .fold(0, |all, (.., bits)| all | bits)
    };
    Small {
        document: PolicyDocument::parse(&text).unwrap(),
        allowed: of(true) & !of(false),
    }
}

fn check(engine: &mut Engine<'_>, before: &Small, after: &Small) {
    let (gained, lost) = (after.allowed & !before.allowed, before.allowed & !after.allowed);
    let expected = match (gained != 0, lost != 0) {
        (false, false) => Verdict::Same,
        (true, false) => Verdict::More,
        (false, true) => Verdict::Less,
        (true, true) => Verdict::Both,
    };
    let comparison = engine.compare_documents(&before.document, &after.document);
    assert_eq!(
        comparison.verdict, expected,
        "{:?}\n{:?}",
        before.document, after.document
    );
    assert_eq!(
        (!comparison.gained.is_empty(), !comparison.lost.is_empty()),
        (gained != 0, lost != 0)
    );
}

#[test]
fn every_pair_of_single_statements() {
    let statements = statements();
    let policies: Vec<Small> = statements.iter().map(|statement| small(&[statement])).collect();
    let mut engine = Engine::new(IamData::embedded());
    for before in &policies {
        for after in &policies {
            check(&mut engine, before, after);
        }
    }
}

#[test]
fn every_allow_with_every_deny_against_a_sample() {
    let statements = statements();
    let (allows, denies): (Vec<_>, Vec<_>) = statements.iter().partition(|(_, allows, _)| *allows);
    let mut policies = Vec::new();
    for allow in &allows {
        for deny in &denies {
            policies.push(small(&[allow, deny]));
        }
    }
    for (index, allow) in allows.iter().enumerate() {
        for other in &allows[index..] {
            policies.push(small(&[allow, other]));
        }
    }
    let mut engine = Engine::new(IamData::embedded());
    // Steps that share no factor with the number of policies, so that every policy meets others of all kinds.
    for (index, before) in policies.iter().enumerate() {
        for step in [1, 49, 577, 1153, 2017] {
            check(&mut engine, before, &policies[(index + step) % policies.len()]);
        }
    }
}
