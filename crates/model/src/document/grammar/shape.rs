//! The first stage: names and shapes of members. IAM answers all of it with "Syntax errors in policy."

use super::super::json::{Json, Members};
use super::super::{CURRENT_VERSION, OLD_VERSION};
use super::{Place, Refusal, Stage, refuse, step};

pub(super) const SYNTAX_ERRORS: &str = "Syntax errors in policy.";

const DOCUMENT_MEMBERS: &[&str] = &["Version", "Id", "Statement"];
const STATEMENT_MEMBERS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const PRINCIPAL_KINDS: &[&str] = &["AWS", "Service", "Federated", "CanonicalUser"];
const COMPARISONS: &[&str] = &[
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
];
const OTHER_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
];

fn syntax(pointer: String, detail: impl Into<String>) -> Refusal {
    let mut refusal = refuse(Stage::Grammar, SYNTAX_ERRORS, pointer);
    refusal.detail = Some(detail.into());
    refusal
}

/// Checks the shape of the whole document and gives its statements.
pub(super) fn check(members: &Members) -> Result<Vec<Place<'_>>, Refusal> {
    check_names("", members, DOCUMENT_MEMBERS, "a policy document")?;
    let get = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    if let Some(version) = get("Version")
        && !matches!(version.as_str(), Some(OLD_VERSION | CURRENT_VERSION))
    {
        let detail = format!("`Version` is \"{CURRENT_VERSION}\" or \"{OLD_VERSION}\"");
        return Err(syntax("/Version".to_owned(), detail));
    }
    if get("Id").is_some_and(|id| id.as_str().is_none()) {
        return Err(syntax("/Id".to_owned(), "`Id` is a string"));
    }
    let pointer = "/Statement";
    let statements: Vec<Place<'_>> = match get("Statement") {
        Some(Json::List(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| statement(format!("{pointer}/{index}"), item))
            .collect::<Result<_, _>>()?,
        Some(single) => vec![statement(pointer.to_owned(), single)?],
        None => return Err(syntax(String::new(), "`Statement` is missing")),
    };
    if statements.is_empty() {
        return Err(syntax(pointer.to_owned(), "`Statement` is empty"));
    }
    Ok(statements)
}

fn check_names(pointer: &str, members: &Members, known: &[&str], of: &str) -> Result<(), Refusal> {
    let Some((name, _)) = members.iter().find(|(name, _)| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let other_case = known.iter().find(|known| known.eq_ignore_ascii_case(name));
    let detail = match other_case {
        Some(known) => format!("`{name}` must be written `{known}`"),
        None => format!("`{name}` is no member of {of}"),
    };
    Err(syntax(format!("{pointer}/{}", step(name)), detail))
}

fn statement(pointer: String, value: &Json) -> Result<Place<'_>, Refusal> {
    let Some(members) = value.as_object() else {
        return Err(syntax(pointer, "a statement is an object"));
    };
    check_names(&pointer, members, STATEMENT_MEMBERS, "a statement")?;
    let place = Place { pointer, members };
    check_effect(&place)?;
    for pair in [
        ["Action", "NotAction"],
        ["Resource", "NotResource"],
        ["Principal", "NotPrincipal"],
    ] {
        if pair.iter().all(|name| place.get(name).is_some()) {
            let detail = format!("`{}` and `{}` exclude each other", pair[0], pair[1]);
            return Err(syntax(format!("{}/{}", place.pointer, pair[1]), detail));
        }
    }
    for (name, value) in members {
        let pointer = format!("{}/{name}", place.pointer);
        match name.as_str() {
            "Sid" if value.as_str().is_none() => return Err(syntax(pointer, "`Sid` is a string")),
            "Action" | "NotAction" | "Resource" | "NotResource" => check_texts(&pointer, name, value)?,
            "Principal" | "NotPrincipal" => check_principals(&pointer, name, value)?,
            "Condition" => check_conditions(&pointer, value)?,
            _ => {}
        }
    }
    Ok(place)
}

/// `Allow` and `Deny` in any letter case pass here: the older parser refuses the wrong case.
fn check_effect(place: &Place<'_>) -> Result<(), Refusal> {
    let Some(effect) = place.get("Effect") else {
        return Err(syntax(place.pointer.clone(), "`Effect` is missing"));
    };
    let is_known = |word: &str| word.eq_ignore_ascii_case("Allow") || word.eq_ignore_ascii_case("Deny");
    if !effect.as_str().is_some_and(is_known) {
        let pointer = format!("{}/Effect", place.pointer);
        return Err(syntax(pointer, "`Effect` is \"Allow\" or \"Deny\""));
    }
    Ok(())
}

fn check_texts(pointer: &str, name: &str, value: &Json) -> Result<(), Refusal> {
    let all_texts = value.as_members_of_a_list().iter().all(|item| item.as_str().is_some());
    if !all_texts {
        let detail = format!("`{name}` is a string or a list of strings");
        return Err(syntax(pointer.to_owned(), detail));
    }
    Ok(())
}

fn check_principals(pointer: &str, name: &str, value: &Json) -> Result<(), Refusal> {
    let Some(kinds) = value.as_object() else {
        return match value.as_str() {
            Some("*") => Ok(()),
            _ => {
                let detail = format!("`{name}` is \"*\" or an object such as {{\"AWS\": \"arn:...\"}}");
                Err(syntax(pointer.to_owned(), detail))
            }
        };
    };
    check_names(pointer, kinds, PRINCIPAL_KINDS, "a principal")?;
    kinds
        .iter()
        .try_for_each(|(kind, value)| check_texts(&format!("{pointer}/{kind}"), kind, value))
}

fn check_conditions(pointer: &str, value: &Json) -> Result<(), Refusal> {
    let Some(operators) = value.as_object() else {
        return Err(syntax(pointer.to_owned(), "`Condition` is an object"));
    };
    for (operator, block) in operators {
        let pointer = format!("{pointer}/{}", step(operator));
        let Some(keys) = block.as_object() else {
            return Err(syntax(
                pointer,
                format!("`{operator}` holds an object of condition keys"),
            ));
        };
        // IAM looks at an operator's name only where there is something to compare.
        if !keys.is_empty() && !is_operator(operator) {
            return Err(syntax(pointer, format!("`{operator}` is no condition operator")));
        }
        for (key, values) in keys {
            let all_scalars = values
                .as_members_of_a_list()
                .iter()
                .all(|value| value.scalar_text().is_some());
            if !all_scalars {
                let detail = format!("the values of `{key}` are strings, numbers or booleans");
                return Err(syntax(format!("{pointer}/{}", step(key)), detail));
            }
        }
    }
    Ok(())
}

fn is_operator(name: &str) -> bool {
    let name = ["ForAnyValue:", "ForAllValues:"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    if name == "Null" {
        return true;
    }
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    let compares = |family: &str| {
        name.strip_prefix(family)
            .is_some_and(|rest| COMPARISONS.contains(&rest))
    };
    OTHER_OPERATORS.contains(&name) || compares("Numeric") || compares("Date")
}
