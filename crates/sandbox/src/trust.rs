//! Who a trust policy names. IAM binds users and roles to their unique ids when the policy is written, and shows the
//! current ARN of whoever has the id: a rename is followed, and a new principal of an old name is not trusted. The
//! rest of the text stays as it was sent.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, slice};

use serde_json::{Value, value::RawValue};
use trueup_model::AccountId;

use crate::{
    authorization,
    caller::Caller,
    errors::ApiError,
    ops,
    state::{Kind, State},
};

/// Where services have their names.
const SERVICE_DOMAINS: [&str; 6] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazon.com",
    ".aws.internal",
    ".aws",
];

/// A principal in the text of a trust policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'t> {
    /// Its JSON string, quotes included.
    place: Range<usize>,
    /// The element's key: `AWS`, `Service`, `Federated` or `CanonicalUser`; `None` for a bare `"*"`.
    pub(crate) kind: Option<String>,
    pub(crate) text: Cow<'t, str>,
}

/// Every principal of a document, in the order in which they stand in it. What has no proper shape has no principals;
/// the grammar refuses it before anybody gets here.
pub(crate) fn principals(document: &str) -> Vec<Named<'_>> {
    let mut found = Vec::new();
    let statements = members(document).remove("Statement");
    for statement in statements.into_iter().flat_map(|raw| items(raw.get())) {
        for (name, value) in members(statement) {
            if name == "Principal" || name == "NotPrincipal" {
                collect(document, value.get(), &mut found);
            }
        }
    }
    found.sort_by_key(|named| named.place.start);
    found
}

fn collect<'t>(document: &'t str, value: &'t str, found: &mut Vec<Named<'t>>) {
    let mut push = |kind: Option<String>, raw: &'t str| {
        if let Ok(text) = serde_json::from_str::<Cow<'t, str>>(raw) {
            // INVARIANT: `raw` is a part of `document`, since raw values borrow from what was parsed.
            let start = raw.as_ptr() as usize - document.as_ptr() as usize;
            found.push(Named {
                place: start..start + raw.len(),
                kind,
                text,
            });
        }
    };
    if value.starts_with('"') {
        push(None, value);
    }
    for (kind, named) in members(value) {
        for raw in items(named.get()) {
            push(Some(kind.clone()), raw);
        }
    }
}

/// The members of an object; none where it is something else.
fn members(text: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The items of a list, or the one item that is no list.
fn items(text: &str) -> Vec<&str> {
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(items) => items.into_iter().map(RawValue::get).collect(),
        Err(_) => vec![text],
    }
}

/// A trust policy as it is stored, or why a principal in it is none.
pub(crate) fn bind(state: &State, document: &str) -> Result<String, ApiError> {
    let mut replaced = Vec::new();
    for named in principals(document) {
        let kind = named.kind.as_deref().unwrap_or("AWS");
        let bound = match kind {
            "AWS" => bound(state, &named.text),
            "Service" => is_service(&named.text).then_some(None),
            "Federated" => check_federated(state, &named.text)?.then_some(None),
            _ => Some(None),
        };
        let Some(bound) = bound else {
            let kind = if kind == "AWS" {
                kind.to_owned()
            } else {
                kind.to_uppercase()
            };
            return Err(invalid(&kind, &named.text));
        };
        if let Some(bound) = bound {
            replaced.push((named.place, bound));
        }
    }
    Ok(with_replaced(document, replaced))
}

/// A trust policy as answers show it: ids of principals that there are become their ARNs.
pub(crate) fn show(state: &State, stored: &str) -> String {
    let replaced = principals(stored).into_iter().filter_map(|named| {
        let arn = arn_of(state, &named.text)?;
        Some((named.place, arn))
    });
    with_replaced(stored, replaced.collect())
}

/// The refusal of a principal.
pub(crate) fn invalid(kind: &str, text: &str) -> ApiError {
    ApiError::malformed_policy(format!("Invalid principal in policy: \"{kind}\":\"{text}\""))
}

fn with_replaced(document: &str, replaced: Vec<(Range<usize>, String)>) -> String {
    let mut text = document.to_owned();
    for (place, new) in replaced.into_iter().rev() {
        text.replace_range(place, &serde_json::Value::from(new).to_string());
    }
    text
}

/// What an `AWS` principal is stored as: `Some(None)` where it stays as it is, `None` where there is no such principal.
#[expect(
    clippy::option_option,
    reason = "kept as it is, replaced, and refused are three things"
)]
fn bound(state: &State, text: &str) -> Option<Option<String>> {
    if text == "*" {
        return Some(None);
    }
    if AccountId::new(text).is_ok() {
        return Some(Some(format!("arn:{}:iam::{text}:root", state.partition)));
    }
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, resource] = fields[..] else {
        return None;
    };
    if partition != state.partition || AccountId::new(account).is_err() || text.contains('*') {
        return None;
    }
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    match (service, kind) {
        ("iam", "root") => name.is_empty().then_some(None),
        // Who there is in other accounts cannot be known here.
        ("iam", "user" | "role") if account != state.account_id => (!name.is_empty()).then_some(None),
        ("iam", "user" | "role") => id_of(state, text).map(Some),
        ("sts", "assumed-role" | "federated-user") => (!name.is_empty()).then_some(None),
        _ => None,
    }
}

/// The id of the user or role with this ARN, letter case included.
pub(crate) fn id_of(state: &State, arn: &str) -> Option<String> {
    let mut found = state.entities().filter(|(kind, ..)| *kind != Kind::Group);
    found
        .find(|(kind, entity, _)| state.entity_arn(*kind, entity) == arn)
        .map(|(_, entity, _)| entity.id.clone())
}

/// The ARN of the user or role with this id.
fn arn_of(state: &State, id: &str) -> Option<String> {
    let mut found = state.entities().filter(|(kind, ..)| *kind != Kind::Group);
    found
        .find(|(_, entity, _)| entity.id == id)
        .map(|(kind, entity, _)| state.entity_arn(kind, entity))
}

/// The part of a trust policy that is about somebody, as an identity policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trusted {
    pub(crate) document: String,
}

/// The statements that name a caller itself, and those that deny somebody among whom it is; `None` where there are none.
pub(crate) fn naming_caller(state: &State, stored: &str, caller: &Caller) -> Option<Trusted> {
    let root = format!("arn:{}:iam::{}:root", state.partition, state.account_id);
    let session_arn = authorization::caller_arn(state, caller);
    let is_caller = |text: &str| match caller {
        Caller::Root => false,
        Caller::User { id, .. } => text == "*" || text == id,
        Caller::Session { role_id, .. } => text == "*" || text == role_id || text == session_arn,
    };
    selected(stored, |named, denies| {
        named.iter().any(|text| is_caller(text) || (denies && *text == root))
    })
}

/// The statements that name the account, so that its own policies decide; `None` where there are none.
pub(crate) fn naming_account(state: &State, stored: &str) -> Option<Trusted> {
    let root = format!("arn:{}:iam::{}:root", state.partition, state.account_id);
    selected(stored, |named, _| named.contains(&root.as_str()))
}

/// The statements whose principals are wanted, without them and for any resource.
fn selected(stored: &str, wanted: impl Fn(&[&str], bool) -> bool) -> Option<Trusted> {
    let policy: Value = serde_json::from_str(stored).ok()?;
    let statements = policy.get("Statement")?;
    let statements = statements.as_array().map_or(slice::from_ref(statements), Vec::as_slice);
    let chosen = statements.iter().filter_map(|statement| {
        let denies = statement["Effect"] == "Deny";
        let is_wanted = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(principal), _) => wanted(&aws_names(principal), denies),
            // Everybody else is denied; an Allow for everybody else is not something to rely on.
            (None, Some(others)) => denies && !wanted(&aws_names(others), denies),
            (None, None) => false,
        };
        let mut statement = statement.as_object().filter(|_| is_wanted)?.clone();
        statement.remove("Principal");
        statement.remove("NotPrincipal");
        statement.insert("Resource".to_owned(), "*".into());
        Some(Value::Object(statement))
    });
    let chosen: Vec<Value> = chosen.collect();
    if chosen.is_empty() {
        return None;
    }
    let version = policy.get("Version").cloned().unwrap_or_else(|| "2008-10-17".into());
    let document = serde_json::json!({"Version": version, "Statement": chosen}).to_string();
    Some(Trusted { document })
}

/// The AWS principals of an element.
fn aws_names(principal: &Value) -> Vec<&str> {
    let named = principal.get("AWS").unwrap_or(principal);
    match named {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    }
}

fn is_service(text: &str) -> bool {
    is_domain(text) && SERVICE_DOMAINS.iter().any(|domain| text.ends_with(domain))
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.split('.').count() > 1 && text.split('.').all(is_label)
}

/// Whether a provider exists. Web identity providers that need none are named by their domain.
fn check_federated(state: &State, text: &str) -> Result<bool, ApiError> {
    let own = |kind: &str| text.starts_with(&state.arn(kind, "/", ""));
    if own("saml-provider") {
        Ok(ops::saml_provider_exists(state, text))
    } else if own("oidc-provider") {
        Ok(ops::oidc_provider_exists(state, text))
    } else if is_domain(text) {
        Ok(true)
    } else {
        Err(ApiError::malformed_policy(
            "Federated principals must be valid domain names or SAML metadata ARNs",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_found_wherever_they_stand() {
        let document = r#"{ "Statement": [ {"Principal":{"AWS": ["a","\u0062"], "Service":"c"}}, {"NotPrincipal": "*"} ] , "Id": "AWS" }"#;
        let found = principals(document);
        let texts: Vec<_> = found
            .iter()
            .map(|named| {
                (
                    named.kind.as_deref(),
                    named.text.as_ref(),
                    &document[named.place.clone()],
                )
            })
            .collect();
        assert_eq!(
            texts,
            [
                (Some("AWS"), "a", "\"a\""),
                (Some("AWS"), "b", "\"\\u0062\""),
                (Some("Service"), "c", "\"c\""),
                (None, "*", "\"*\"")
            ]
        );
        assert!(principals("[]").is_empty() && principals("{").is_empty());
    }

    #[test]
    fn services_are_domains_of_aws() {
        for good in [
            "ec2.amazonaws.com",
            "lambda.amazonaws.com.cn",
            "email.cognito-idp.amazonaws.com",
        ] {
            assert!(is_service(good), "{good}");
        }
        for bad in [
            "ec2",
            "EC2.amazonaws.com",
            "example.com",
            "*.amazonaws.com",
            ".amazonaws.com",
            "*",
        ] {
            assert!(!is_service(bad), "{bad}");
        }
    }
}
