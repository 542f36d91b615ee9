//! What IAM refuses when a document is written, stage by stage, in IAM's words.
//!
//! IAM reports only the first stage that fails, and so does this. It is lenient where IAM is: unknown services,
//! unknown actions, empty conditions and repeated actions pass.
//!
//! Source: answers of CreatePolicy recorded in February 2026, the IAM user guide's grammar, and, where marked so,
//! messages that users have quoted.

mod date;
mod resource;
mod shape;

use std::collections::BTreeSet;

use super::canonical::base_operator;
use super::json::{Json, Members};
use super::{CURRENT_VERSION, DocumentError, PolicyDocument, parse};
use crate::{glob_matches_ignoring_case, quota::DOCUMENT_REQUEST_SIZE};

/// Whose inline policy a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Owner {
    User,
    Group,
    Role,
}

/// What a document is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// A version of a managed policy.
    Managed,
    /// An inline policy.
    Inline(Owner),
    /// A role's trust policy.
    Trust,
}

/// The stages of IAM's check, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Length and characters of the request.
    Request,
    /// JSON, names and shapes of members.
    Grammar,
    /// `Version` of a managed policy.
    Version,
    /// An older parser: letter case of `Effect`, dates, ARNs.
    LegacyParser,
    /// Each `Sid` by itself and all together.
    StatementIds,
    /// Principals where none may be, or none where one must be.
    Principals,
    /// Each statement has actions.
    Actions,
    /// Each statement has resources, and each of them is one.
    Resources,
    /// Each action names its service.
    Vendors,
    /// What only a trust policy must not have.
    Trust,
}

/// Why IAM refuses a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The first stage that fails.
    pub stage: Stage,
    /// IAM's own words.
    pub message: String,
    /// What is wrong, where IAM's words do not say it.
    pub detail: Option<String>,
    /// Where, as a JSON pointer such as `/Statement/0/Action/1`; empty for the whole document.
    pub pointer: String,
}

impl Refusal {
    /// IAM's error code.
    pub fn code(&self) -> &'static str {
        match self.stage {
            Stage::Request => "ValidationError",
            _ => "MalformedPolicyDocument",
        }
    }
}

impl PolicyDocument {
    /// Why IAM would refuse to store this document; `None` where it would take it.
    ///
    /// Whether the principals of a trust policy exist, and the size quotas, are not looked at.
    pub fn refusal(&self, kind: DocumentKind) -> Option<Refusal> {
        self.check(kind).err()
    }

    fn check(&self, kind: DocumentKind) -> Result<(), Refusal> {
        check_request(self.as_text())?;
        let tree = parse::parse_object(self.as_text()).map_err(|error| unreadable(&error, kind))?;
        let members = tree.into_members();
        let statements = shape::check(&members)?;
        if kind == DocumentKind::Managed && self.version() != Some(CURRENT_VERSION) {
            let message = "Policy document must be version 2012-10-17 or greater.";
            return Err(refuse(Stage::Version, message, "/Version".to_owned()));
        }
        statements.iter().try_for_each(check_legacy)?;
        check_statement_ids(&statements)?;
        statements.iter().try_for_each(|place| check_principals(place, kind))?;
        statements.iter().try_for_each(check_has_actions)?;
        if kind != DocumentKind::Trust {
            statements.iter().try_for_each(check_has_resources)?;
            statements.iter().try_for_each(check_resources)?;
        }
        statements.iter().try_for_each(check_vendors)?;
        if kind == DocumentKind::Trust {
            statements.iter().try_for_each(check_trust_actions)?;
            statements.iter().try_for_each(check_no_resources)?;
        }
        Ok(())
    }
}

/// A statement and its place.
struct Place<'a> {
    pointer: String,
    members: &'a Members,
}

impl<'a> Place<'a> {
    fn get(&self, name: &str) -> Option<&'a Json> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The texts below a member that is one text or a list of them, each with its place.
    fn texts(&self, names: [&str; 2]) -> Vec<(String, &'a str)> {
        let mut texts = Vec::new();
        for name in names {
            let pointer = format!("{}/{name}", self.pointer);
            match self.get(name) {
                Some(Json::List(items)) => {
                    let items = items.iter().enumerate();
                    texts.extend(items.filter_map(|(at, item)| Some((format!("{pointer}/{at}"), item.as_str()?))));
                }
                single => texts.extend(single.and_then(Json::as_str).map(|text| (pointer, text))),
            }
        }
        texts
    }

    /// Where to point for a member that is missing or empty.
    fn pointer_to(&self, names: [&str; 2]) -> String {
        let present = names.into_iter().find(|name| self.get(name).is_some());
        present.map_or_else(|| self.pointer.clone(), |name| format!("{}/{name}", self.pointer))
    }
}

/// A step of a JSON pointer (RFC 6901).
fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn refuse(stage: Stage, message: impl Into<String>, pointer: String) -> Refusal {
    Refusal {
        stage,
        message: message.into(),
        detail: None,
        pointer,
    }
}

/// Source: pattern and length of `policyDocumentType` in IAM's service model.
fn check_request(text: &str) -> Result<(), Refusal> {
    let refuse = |rule: &str, detail: String| {
        let message = format!("Value at 'policyDocument' failed to satisfy constraint: {rule}");
        let mut refusal = refuse(Stage::Request, message, String::new());
        refusal.detail = Some(detail);
        refusal
    };
    let length = text.chars().count();
    if length == 0 {
        let rule = "Member must have length greater than or equal to 1";
        return Err(refuse(rule, "the document is empty".to_owned()));
    }
    if length > DOCUMENT_REQUEST_SIZE {
        let rule = format!("Member must have length less than or equal to {DOCUMENT_REQUEST_SIZE}");
        return Err(refuse(&rule, format!("the document has {length} characters")));
    }
    let is_taken = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    match text.chars().find(|character| !is_taken(*character)) {
        Some(character) => Err(refuse(
            r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+",
            format!(
                "the character U+{:04X} must be written as an escape",
                u32::from(character)
            ),
        )),
        None => Ok(()),
    }
}

fn unreadable(error: &DocumentError, kind: DocumentKind) -> Refusal {
    let message = match kind {
        DocumentKind::Trust => "This policy contains invalid Json",
        DocumentKind::Managed | DocumentKind::Inline(_) => shape::SYNTAX_ERRORS,
    };
    let mut refusal = refuse(Stage::Grammar, message, String::new());
    refusal.detail = Some(error.to_string());
    refusal
}

fn check_legacy(place: &Place<'_>) -> Result<(), Refusal> {
    let refuse = |pointer: String, detail: String| {
        let mut refusal = refuse(Stage::LegacyParser, "The policy failed legacy parsing", pointer);
        refusal.detail = Some(detail);
        Err(refusal)
    };
    if let Some(effect) = place.get("Effect").and_then(Json::as_str)
        && !matches!(effect, "Allow" | "Deny")
    {
        let detail = format!("`{effect}` must be written `Allow` or `Deny`");
        return refuse(format!("{}/Effect", place.pointer), detail);
    }
    let operators = place.get("Condition").and_then(Json::as_object).into_iter().flatten();
    for (operator, block) in operators.filter(|(operator, _)| base_operator(operator).starts_with("Date")) {
        for (key, values) in block.as_object().into_iter().flatten() {
            let not_a_date = |value: &&Json| !value.scalar_text().is_some_and(date::is_date);
            if let Some(value) = values.as_members_of_a_list().iter().find(not_a_date) {
                let detail = format!("{} is not a date", value.to_compact());
                return refuse(
                    format!("{}/Condition/{}/{}", place.pointer, step(operator), step(key)),
                    detail,
                );
            }
        }
    }
    let resources = place.texts(["Resource", "NotResource"]);
    match resources
        .into_iter()
        .find(|(_, resource)| resource::fails_legacy_parser(resource))
    {
        Some((pointer, resource)) => refuse(
            pointer,
            format!("`{resource}` is not an ARN: it has the form `arn:partition:service:region:account:resource`"),
        ),
        None => Ok(()),
    }
}

fn check_statement_ids(statements: &[Place<'_>]) -> Result<(), Refusal> {
    let ids = || {
        statements.iter().filter_map(|place| {
            let id = place.get("Sid")?.as_str()?;
            Some((format!("{}/Sid", place.pointer), id))
        })
    };
    if let Some((pointer, id)) = ids().find(|(_, id)| !id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        // Source: users' quotations.
        let message = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                       expression [0-9A-Za-z]*";
        let mut refusal = refuse(Stage::StatementIds, message, pointer);
        refusal.detail = Some(format!("`{id}` has other characters than letters and digits"));
        return Err(refusal);
    }
    let mut seen = BTreeSet::new();
    for (pointer, id) in ids().filter(|(_, id)| !id.is_empty()) {
        if !seen.insert(id) {
            let message = "Statement IDs (SID) in a single policy must be unique.";
            let mut refusal = refuse(Stage::StatementIds, message, pointer);
            refusal.detail = Some(format!("`{id}` is used twice"));
            return Err(refusal);
        }
    }
    Ok(())
}

fn check_principals(place: &Place<'_>, kind: DocumentKind) -> Result<(), Refusal> {
    const NAMES: [&str; 2] = ["Principal", "NotPrincipal"];
    let has_principal = NAMES.iter().any(|name| place.get(name).is_some());
    // Source: users' quotations.
    let message = match (kind, has_principal) {
        (DocumentKind::Trust, false) => "Missing required field Principal",
        (DocumentKind::Managed | DocumentKind::Inline(_), true) => "Policy document should not specify a principal.",
        _ => return Ok(()),
    };
    Err(refuse(Stage::Principals, message, place.pointer_to(NAMES)))
}

const ACTIONS: [&str; 2] = ["Action", "NotAction"];
const RESOURCES: [&str; 2] = ["Resource", "NotResource"];

fn check_has_actions(place: &Place<'_>) -> Result<(), Refusal> {
    if place.texts(ACTIONS).is_empty() {
        let message = "Policy statement must contain actions.";
        return Err(refuse(Stage::Actions, message, place.pointer_to(ACTIONS)));
    }
    Ok(())
}

fn check_has_resources(place: &Place<'_>) -> Result<(), Refusal> {
    if place.texts(RESOURCES).is_empty() {
        let message = "Policy statement must contain resources.";
        return Err(refuse(Stage::Resources, message, place.pointer_to(RESOURCES)));
    }
    Ok(())
}

fn check_resources(place: &Place<'_>) -> Result<(), Refusal> {
    for (pointer, resource) in place.texts(RESOURCES) {
        if let Some(message) = resource::refusal(resource) {
            return Err(refuse(Stage::Resources, message, pointer));
        }
    }
    Ok(())
}

fn check_vendors(place: &Place<'_>) -> Result<(), Refusal> {
    for (pointer, action) in place.texts(ACTIONS) {
        if let Some(message) = vendor_refusal(action) {
            let mut refusal = refuse(Stage::Vendors, message, pointer);
            refusal.detail = Some(format!("`{action}` does not have the form `service:action`"));
            return Err(refusal);
        }
    }
    Ok(())
}

fn vendor_refusal(action: &str) -> Option<String> {
    if matches!(action, "*" | "*:*") {
        return None;
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned());
    };
    if name.contains(':') {
        return Some("Actions/Condition can contain only one colon.".to_owned());
    }
    if vendor.contains(['*', '?']) {
        // Source: users' quotations.
        return Some("Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.".to_owned());
    }
    let is_vendor = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let is_valid = !vendor.is_empty() && vendor.bytes().all(is_vendor);
    (!is_valid).then(|| format!("Vendor {vendor} is not valid"))
}

/// What a trust policy can allow, by IAM's documentation. An action that STS does not have was recorded to be refused;
/// that its other ones are, too, follows from the words of that refusal and was not recorded.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

fn check_trust_actions(place: &Place<'_>) -> Result<(), Refusal> {
    let is_of_trust = |action: &str| {
        let vendor = action.split(':').next().unwrap_or_default();
        vendor.eq_ignore_ascii_case("sts")
            && TRUST_ACTIONS
                .iter()
                .any(|known| glob_matches_ignoring_case(action, known))
    };
    match place
        .texts(ACTIONS)
        .into_iter()
        .find(|(_, action)| !is_of_trust(action))
    {
        Some((pointer, _)) => {
            let message = "AssumeRole policy may only specify STS AssumeRole actions.";
            Err(refuse(Stage::Trust, message, pointer))
        }
        None => Ok(()),
    }
}

fn check_no_resources(place: &Place<'_>) -> Result<(), Refusal> {
    match RESOURCES.into_iter().find(|name| place.get(name).is_some()) {
        Some(name) => {
            let pointer = format!("{}/{name}", place.pointer);
            Err(refuse(Stage::Trust, format!("Has prohibited field {name}"), pointer))
        }
        None => Ok(()),
    }
}
