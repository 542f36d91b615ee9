//! Changes of text that change nothing: reordered, split, merged, in other letter case, or covered already.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a test that fails to set up its case has failed"
)]

#[path = "managed/mod.rs"]
mod managed;

use serde_json::{Value, json};
use trueup_access::{Engine, IamData, Verdict};
use trueup_model::PolicyDocument;

fn value(document: &PolicyDocument) -> Value {
    serde_json::from_str(document.as_text()).unwrap()
}

fn statements(value: &Value) -> Vec<Value> {
    match &value["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn with(original: &Value, statements: Vec<Value>) -> Value {
    let mut changed = original.clone();
    changed["Statement"] = Value::Array(statements);
    changed
}

fn reversed(original: &Value) -> Value {
    with(original, statements(original).into_iter().rev().collect())
}

/// A statement for each action, where actions are named.
fn split_by_action(original: &Value) -> Value {
    let split = |statement: Value| -> Vec<Value> {
        let Some(actions) = statement.get("Action").map(list) else {
            return vec![statement];
        };
        let one = |action: Value| {
            let mut one = statement.clone();
            one["Action"] = action;
            one.as_object_mut().unwrap().remove("Sid");
            one
        };
        actions.into_iter().map(one).collect()
    };
    with(original, statements(original).into_iter().flat_map(split).collect())
}

/// A statement for each resource, where resources are named.
fn split_by_resource(original: &Value) -> Value {
    let split = |statement: Value| -> Vec<Value> {
        let Some(resources) = statement.get("Resource").map(list) else {
            return vec![statement];
        };
        let one = |resource: Value| {
            let mut one = statement.clone();
            one["Resource"] = resource;
            one.as_object_mut().unwrap().remove("Sid");
            one
        };
        resources.into_iter().map(one).collect()
    };
    with(original, statements(original).into_iter().flat_map(split).collect())
}

fn in_upper_case(original: &Value) -> Value {
    let upper = |mut statement: Value| {
        for element in ["Action", "NotAction"] {
            if let Some(actions) = statement.get(element).map(list) {
                let upper = actions
                    .iter()
                    .map(|action| json!(action.as_str().unwrap().to_uppercase()));
                statement[element] = upper.collect();
            }
        }
        statement
    };
    with(original, statements(original).into_iter().map(upper).collect())
}

/// With a copy of each allowing statement that demands one thing more.
fn with_covered_statements(original: &Value) -> Value {
    let mut all = statements(original);
    for statement in statements(original) {
        if statement["Effect"] == "Allow" {
            let mut narrower = statement;
            narrower.as_object_mut().unwrap().remove("Sid");
            if narrower.get("Condition").is_none() {
                narrower["Condition"] = json!({});
            }
            narrower["Condition"]["DateGreaterThan"] = json!({"aws:CurrentTime": "2020-01-01T00:00:00Z"});
            all.push(narrower);
        }
    }
    with(original, all)
}

#[test]
fn changes_of_text_alone_are_no_changes() {
    let changes: [(&str, fn(&Value) -> Value); 5] = [
        ("reversed", reversed),
        ("split by action", split_by_action),
        ("split by resource", split_by_resource),
        ("in upper case", in_upper_case),
        ("with covered statements", with_covered_statements),
    ];
    let mut engine = Engine::new(IamData::embedded());
    let policies = managed::managed_policies();
    let mut count = 0;
    for (name, document) in &policies {
        let original = value(document);
        for (what, change) in changes {
            // The largest take long to split, and differ from others in size alone.
            if what.starts_with("split") && document.size() > 4_000 {
                continue;
            }
            let changed = PolicyDocument::from_value(change(&original)).unwrap();
            let comparison = engine.compare_documents(document, &changed);
            assert_eq!(comparison.verdict, Verdict::Same, "{name} {what}: {comparison:?}");
            assert!(
                comparison.gained.is_empty() && comparison.lost.is_empty(),
                "{name} {what}"
            );
            count += 1;
        }
    }
    println!("{count} changes of {} policies", policies.len());
    assert!(count > policies.len() * 4, "{count}");
}

#[test]
fn leaving_a_statement_out_never_gives_more_where_it_allows() {
    let mut engine = Engine::new(IamData::embedded());
    for (name, document) in managed::managed_policies().iter().step_by(7) {
        let original = value(document);
        let all = statements(&original);
        if all.len() < 2 {
            continue;
        }
        let without = with(&original, all[1..].to_vec());
        let judgement = {
            let without = PolicyDocument::from_value(without).unwrap();
            engine.compare_documents(document, &without)
        };
        let allowed = if all[0]["Effect"] == "Allow" {
            [Verdict::Less, Verdict::Same]
        } else {
            [Verdict::More, Verdict::Same]
        };
        assert!(
            allowed.contains(&judgement.verdict),
            "{name}: {} {:?}",
            judgement.verdict,
            judgement.unknown
        );
    }
}
