//! Policy documents, made of statements of a small universe, so that who may do what can be decided by trying.

use serde_json::{Value, json};
use trueup_model::PolicyDocument;

use crate::random::Random;

const ACTIONS: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:Get*",
    "s3:*",
    "*",
    "sqs:SendMessage",
    "ec2:Run?nstances",
    "iam:*",
];
const RESOURCES: [&str; 5] = ["*", "*", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*", "arn:aws:s3:::a/key"];
const PERSONAL: [&str; 2] = [
    "arn:aws:s3:::home/${aws:username}/*",
    "arn:aws:s3:::team/${aws:PrincipalTag/team}/*",
];
const SIDS: [&str; 5] = ["One", "Two", "ReadReports", "0", "Limits"];

/// What statements may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether some look at the name and the tags of whoever holds them.
    pub personal: bool,
    /// Whether documents are managed policies, which have to be of the newer version.
    pub managed: bool,
}

fn statement(random: &mut Random, style: Style) -> Value {
    let mut statement = json!({"Effect": if random.percent(42) { "Deny" } else { "Allow" }});
    let actions = random.some(&ACTIONS, 1, 2);
    let element = if random.percent(7) { "NotAction" } else { "Action" };
    statement[element] = one_or_many(random, &actions);
    let mut resources = random.some(&RESOURCES, 1, 2);
    if style.personal && random.percent(40) {
        resources = random.some(&PERSONAL, 1, 2);
    }
    let element = if random.percent(5) { "NotResource" } else { "Resource" };
    statement[element] = one_or_many(random, &resources);
    if random.percent(20) {
        statement["Condition"] = condition(random, style);
    }
    statement
}

/// IAM takes a list of one for the text alone.
fn one_or_many(random: &mut Random, texts: &[&str]) -> Value {
    match texts {
        [single] if random.percent(60) => json!(single),
        many => json!(many),
    }
}

fn condition(random: &mut Random, style: Style) -> Value {
    let general = [
        json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        json!({"Bool": {"aws:multifactorauthpresent": ["false"]}}),
        json!({"Null": {"aws:MultiFactorAuthPresent": "true"}}),
    ];
    let personal = [
        json!({"StringEquals": {"aws:PrincipalTag/team": "red"}}),
        json!({"StringNotEquals": {"aws:PrincipalTag/Team": ["red", "blue"]}}),
        json!({"StringLike": {"aws:username": ["a*", "b?b"]}}),
        json!({"Null": {"aws:PrincipalTag/owner": "true"}}),
    ];
    if style.personal && random.percent(60) {
        random.pick(&personal).clone()
    } else {
        random.pick(&general).clone()
    }
}

/// A document of so many statements. `padding` adds about so many characters that mean nothing.
pub fn document(random: &mut Random, style: Style, padding: usize) -> PolicyDocument {
    let count = if random.percent(55) { 1 } else { random.between(2, 3) };
    let mut statements: Vec<Value> = (0..count).map(|_| statement(random, style)).collect();
    let sids = random.some(&SIDS, count, count);
    for (statement, sid) in statements.iter_mut().zip(sids) {
        if random.percent(40) {
            statement["Sid"] = json!(sid);
        }
    }
    if padding > 0 {
        let name = "x".repeat(padding.saturating_sub(60).max(1));
        statements.push(json!({"Effect": "Deny", "Action": format!("pad:{name}"), "Resource": "*"}));
    }
    of_statements(random, style, statements)
}

fn of_statements(random: &mut Random, style: Style, mut statements: Vec<Value>) -> PolicyDocument {
    let version = match random.below(10) {
        0 if !style.managed => "2008-10-17",
        _ => "2012-10-17",
    };
    let statement = match statements.len() {
        1 if random.percent(40) => statements.remove(0),
        _ => Value::Array(statements),
    };
    // The order of members means nothing, and live documents come with white space.
    let (version, statement) = (json!(version), statement.to_string());
    let text = match random.below(3) {
        0 => format!("{{\"Version\":{version},\"Statement\":{statement}}}"),
        1 => format!("{{\"Statement\":{statement},\"Version\":{version}}}"),
        _ => format!("{{\n  \"Version\": {version},\n  \"Statement\": {statement}\n}}\n"),
    };
    PolicyDocument::parse(&text).expect("a generated document is a document")
}

/// A document that differs in one statement, or in nothing but its layout.
pub fn changed(random: &mut Random, style: Style, document: &PolicyDocument) -> PolicyDocument {
    let read: Value = serde_json::from_str(document.as_text()).expect("a document is JSON");
    let mut statements = match &read["Statement"] {
        Value::Array(statements) => statements.clone(),
        single => vec![single.clone()],
    };
    match random.below(4) {
        0 => {
            let at = random.below(statements.len() + 1);
            statements.insert(at, statement(random, style));
        }
        1 if statements.len() > 1 => {
            statements.remove(random.below(statements.len()));
        }
        2 => random.shuffle(&mut statements),
        _ => {
            let at = random.below(statements.len());
            statements[at] = statement(random, style);
        }
    }
    // Two statements of one name are refused.
    let mut seen = std::collections::BTreeSet::new();
    for statement in &mut statements {
        if statement["Sid"]
            .as_str()
            .is_some_and(|sid| !seen.insert(sid.to_owned()))
        {
            statement
                .as_object_mut()
                .expect("a statement is an object")
                .remove("Sid");
        }
        if statement["Sid"].is_null() {
            statement
                .as_object_mut()
                .expect("a statement is an object")
                .remove("Sid");
        }
    }
    of_statements(random, style, statements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_model::document::{DocumentKind, Owner};

    #[test]
    fn generated_documents_are_taken_by_iam() {
        let mut random = Random::new(1);
        for round in 0..3000 {
            let style = Style {
                personal: round % 2 == 0,
                managed: round % 3 == 0,
            };
            let kind = match style.managed {
                true => DocumentKind::Managed,
                false => DocumentKind::Inline(Owner::User),
            };
            let made = document(&mut random, style, if round % 7 == 0 { 700 } else { 0 });
            let other = changed(&mut random, style, &made);
            for document in [made, other] {
                assert_eq!(document.refusal(kind), None, "{}", document.as_text());
            }
        }
    }
}
