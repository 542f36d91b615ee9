//! A plain evaluator of single requests, written from the documentation alone. It shares no code with the engine: it
//! reads JSON itself and has its own wildcards, dates and addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

/// Values by key in lower case.
pub(crate) type Context = BTreeMap<String, Vec<String>>;

/// A request with its whole context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Context,
}

/// Policies of a principal, as JSON.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) policies: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    /// Keys that every request of the principal has; they win over the request's.
    pub(crate) own: Context,
}

/// Whether a request is allowed, reading ARNs field by field.
pub(crate) fn is_allowed(held: &Held, asked: &Asked) -> bool {
    let mut context = asked.context.clone();
    context.extend(held.own.clone());
    let context = &context;
    let all = || held.policies.iter().chain(&held.boundary);
    let any = |policy: &Value, effect: &str| {
        statements(policy).any(|statement| statement["Effect"] == effect && matches(statement, policy, asked, context))
    };
    if all().any(|policy| any(policy, "Deny")) {
        return false;
    }
    held.policies.iter().any(|policy| any(policy, "Allow")) && held.boundary.iter().all(|policy| any(policy, "Allow"))
}

fn statements(policy: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match &policy["Statement"] {
        Value::Array(list) => Box::new(list.iter()),
        one => Box::new(std::iter::once(one)),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        Value::Null => Vec::new(),
        one => vec![text(one)],
    }
}

fn matches(statement: &Value, policy: &Value, asked: &Asked, context: &Context) -> bool {
    let has_variables = policy["Version"] == "2012-10-17";
    let action = asked.action.to_lowercase();
    let is_action = |pattern: &String| pattern == "*" || wild(&plain(&pattern.to_lowercase()), &action);
    let actions = match statement.get("Action") {
        Some(list) => texts(list).iter().any(is_action),
        None => !texts(&statement["NotAction"]).iter().any(is_action),
    };
    let is_resource = |pattern: &String| arn_like(&fill(pattern, has_variables, context), &asked.resource);
    let resources = match statement.get("Resource") {
        Some(list) => texts(list).iter().any(is_resource),
        None => !texts(&statement["NotResource"]).iter().any(is_resource),
    };
    actions && resources && conditions(&statement["Condition"], has_variables, context)
}

/// A pattern's symbol.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Symbol {
    Exactly(char),
    One,
    Any,
}

fn plain(text: &str) -> Vec<Symbol> {
    text.chars()
        .map(|c| match c {
            '*' => Symbol::Any,
            '?' => Symbol::One,
            c => Symbol::Exactly(c),
        })
        .collect()
}

/// Fills variables in. The generator only uses variables that every request has.
fn fill(text: &str, has_variables: bool, context: &Context) -> Vec<Symbol> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if has_variables && rest.starts_with("${") {
            let end = rest.find('}').unwrap();
            let name = rest[2..end].to_lowercase();
            let value = match name.as_str() {
                "*" | "?" | "$" => name,
                _ => context.get(&name).unwrap_or_else(|| panic!("{name} in {context:?}"))[0].clone(),
            };
            out.extend(value.chars().map(Symbol::Exactly));
            rest = &rest[end + 1..];
        } else {
            let c = rest.chars().next().unwrap();
            out.extend(plain(&c.to_string()));
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn wild(pattern: &[Symbol], text: &str) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Symbol::Any, rest)) => (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .any(|at| wild(rest, &text[at..])),
        Some((symbol, rest)) => text.chars().next().is_some_and(|c| {
            (*symbol == Symbol::One || *symbol == Symbol::Exactly(c)) && wild(rest, &text[c.len_utf8()..])
        }),
    }
}

/// The first five fields one by one, and the rest as a whole.
fn arn_like(pattern: &[Symbol], text: &str) -> bool {
    if pattern.iter().all(|symbol| *symbol == Symbol::Any) {
        return true;
    }
    let fields: Vec<&[Symbol]> = pattern.splitn(6, |symbol| *symbol == Symbol::Exactly(':')).collect();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    assert_eq!(fields.len(), 6, "the generator makes ARNs");
    parts.len() == 6 && fields.iter().zip(parts).all(|(field, part)| wild(field, part))
}

fn conditions(condition: &Value, has_variables: bool, context: &Context) -> bool {
    let Some(operators) = condition.as_object() else {
        return true;
    };
    operators.iter().all(|(operator, block)| {
        block.as_object().unwrap().iter().all(|(key, values)| {
            let found = context.get(&key.to_lowercase()).cloned().unwrap_or_default();
            holds(operator, &texts(values), &found, has_variables, context)
        })
    })
}

fn holds(operator: &str, values: &[String], found: &[String], has_variables: bool, context: &Context) -> bool {
    if operator == "Null" {
        return values.iter().any(|value| (value == "true") == found.is_empty());
    }
    let (quantifier, rest) = operator.split_once(':').unwrap_or(("", operator));
    let base = rest.strip_suffix("IfExists").unwrap_or(rest);
    let positive = base.replace("Not", "");
    let is_negated = positive != base;
    if found.is_empty() {
        return rest.ends_with("IfExists") || quantifier == "ForAllValues" || (quantifier.is_empty() && is_negated);
    }
    let is_one = |value: &String| {
        values
            .iter()
            .any(|wanted| compare(&positive, wanted, value, has_variables, context))
    };
    match (quantifier, is_negated) {
        ("ForAllValues", false) => found.iter().all(is_one),
        ("ForAllValues", true) => !found.iter().any(is_one),
        ("ForAnyValue", true) => !found.iter().all(is_one),
        (_, false) => found.iter().any(is_one),
        (_, true) => !found.iter().any(is_one),
    }
}

fn compare(operator: &str, wanted: &str, value: &str, has_variables: bool, context: &Context) -> bool {
    match operator {
        "StringEquals" => literal(wanted, has_variables, context) == value,
        "StringEqualsIgnoreCase" => literal(wanted, has_variables, context).eq_ignore_ascii_case(value),
        "StringLike" => wild(&fill(wanted, has_variables, context), value),
        "ArnLike" | "ArnEquals" => {
            let pattern = fill(wanted, has_variables, context);
            let fields: Vec<&[Symbol]> = pattern.splitn(6, |symbol| *symbol == Symbol::Exactly(':')).collect();
            let parts: Vec<&str> = value.splitn(6, ':').collect();
            parts.len() == 6 && fields.len() == 6 && fields.iter().zip(parts).all(|(field, part)| wild(field, part))
        }
        "Bool" => wanted.eq_ignore_ascii_case(value),
        "NumericEquals" => number(value) == number(wanted),
        "NumericLessThan" => number(value) < number(wanted),
        "NumericLessThanEquals" => number(value) <= number(wanted),
        "NumericGreaterThan" => number(value) > number(wanted),
        "NumericGreaterThanEquals" => number(value) >= number(wanted),
        "DateEquals" => by_date(value, wanted, |value, wanted| value == wanted),
        "DateLessThan" => by_date(value, wanted, |value, wanted| value < wanted),
        "DateGreaterThan" => by_date(value, wanted, |value, wanted| value > wanted),
        "IpAddress" => is_in_network(wanted, value),
        other => panic!("{other}"),
    }
}

fn literal(wanted: &str, has_variables: bool, context: &Context) -> String {
    let filled = fill(wanted, has_variables, context);
    let character = |symbol: &Symbol| match symbol {
        Symbol::Exactly(c) => *c,
        Symbol::One => '?',
        Symbol::Any => '*',
    };
    filled.iter().map(character).collect()
}

/// What is no number compares with nothing.
fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// All dates of the generator and of answers have one form, in which their order is that of their texts.
fn date(text: &str) -> Option<String> {
    let text = text.trim_end_matches('Z');
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| {
        if text.len() == 10 {
            format!("{text}T00:00:00")
        } else {
            text.to_owned()
        }
    })
}

fn by_date(value: &str, wanted: &str, is: impl Fn(&String, &String) -> bool) -> bool {
    date(value)
        .zip(date(wanted))
        .is_some_and(|(value, wanted)| is(&value, &wanted))
}

fn is_in_network(network: &str, address: &str) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, "32"));
    let length: u32 = length.parse().unwrap();
    match (base.parse().unwrap(), address.parse()) {
        (IpAddr::V4(base), Ok(IpAddr::V4(address))) => {
            let shift = 32 - length;
            u64::from(u32::from(base)) >> shift == u64::from(u32::from(address)) >> shift
        }
        _ => false,
    }
}
