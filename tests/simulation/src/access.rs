//! Who may do what, decided the slow way: every statement of every policy against every request of a universe.
//!
//! It shares no code with the planner: documents are read as JSON here, and patterns are matched here. The universe is
//! drawn from the patterns of the policies themselves, so that every pattern has requests on both of its sides. It
//! knows the conditions that the generators use, and refuses to judge others.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde_json::{Map, Value};

use crate::account::{Account, Holder};

/// Which requests of a universe: one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests(Vec<u64>);

impl Requests {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn add(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(mine, theirs)| *mine |= theirs);
    }

    fn keep(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(mine, theirs)| *mine &= theirs);
    }

    fn remove(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(mine, theirs)| *mine &= !theirs);
    }

    /// The first request that none of the others has.
    fn outside(&self, others: &[Option<&Self>]) -> Option<usize> {
        self.0.iter().enumerate().find_map(|(index, mine)| {
            let left = others
                .iter()
                .flatten()
                .fold(*mine, |left, other| left & !other.0[index]);
            (left != 0).then(|| index * 64 + left.trailing_zeros() as usize)
        })
    }
}

/// What everybody may do, by unique id.
pub type Everyone = BTreeMap<String, Rc<Requests>>;

/// Whether the person signed in with MFA; where an access key signs, nothing is said of it.
const MFA: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// All requests that are asked about: each action on each resource, with each word about MFA.
#[derive(Debug)]
pub struct Universe {
    actions: Vec<String>,
    resources: Vec<String>,
    aws: BTreeMap<String, String>,
    /// What each document allows and denies, by its text and by what it can ask of its holder.
    decided: BTreeMap<(String, String), Rc<(Requests, Requests)>>,
}

/// What conditions and variables can ask of a principal.
#[derive(Clone, Copy)]
struct Facts<'a> {
    /// Roles have none.
    name: Option<&'a str>,
    tags: &'a BTreeMap<String, String>,
}

impl Universe {
    /// The universe of these documents. `aws` holds the documents of AWS managed policies by ARN, `values` what can
    /// stand in the place of a variable.
    pub fn new<'a>(
        documents: impl IntoIterator<Item = &'a str>,
        aws: BTreeMap<String, String>,
        values: &BTreeSet<String>,
    ) -> Self {
        let (mut actions, mut resources) = (BTreeSet::new(), BTreeSet::new());
        let of_aws: Vec<String> = aws.values().cloned().collect();
        let all = documents.into_iter().map(str::to_owned).chain(of_aws);
        for document in all {
            for statement in Document::read(&document).statements {
                for pattern in texts(&statement, ["Action", "NotAction"]) {
                    actions.extend(samples(&pattern.to_ascii_lowercase()));
                }
                for pattern in texts(&statement, ["Resource", "NotResource"]) {
                    resources.extend(samples(pattern));
                    if pattern.contains("${") {
                        let filled = values
                            .iter()
                            .filter_map(|value| fill_in(pattern, |_| Some(value.clone())));
                        resources.extend(filled.flat_map(|filled| samples(&filled)));
                    }
                }
            }
        }
        // What no pattern names.
        actions.insert("zz:nothing".to_owned());
        resources.insert("arn:aws:zz:::nothing".to_owned());
        Self {
            actions: actions.into_iter().collect(),
            resources: resources.into_iter().collect(),
            aws,
            decided: BTreeMap::new(),
        }
    }

    fn size(&self) -> usize {
        self.actions.len() * self.resources.len() * MFA.len()
    }

    fn describe(&self, request: usize) -> String {
        let (rest, mfa) = (request / MFA.len(), request % MFA.len());
        let (action, resource) = (rest / self.resources.len(), rest % self.resources.len());
        let mfa = match MFA[mfa] {
            None => "without a word about MFA",
            Some(false) => "without MFA",
            Some(true) => "with MFA",
        };
        format!("{} on {} {mfa}", self.actions[action], self.resources[resource])
    }

    /// A request that somebody may make now and could make neither on the one side nor on the other.
    pub fn excess(&self, now: &Requests, sides: &[Option<&Requests>]) -> Option<String> {
        now.outside(sides).map(|request| self.describe(request))
    }

    /// What everybody may do in this account.
    pub fn everyone(&mut self, account: &Account) -> Everyone {
        let mut everyone = Everyone::new();
        for (id, user) in &account.users {
            let groups = user.groups.iter().filter_map(|group| account.groups.get(group));
            let holders: Vec<&Holder> = groups.chain([&user.own]).collect();
            let facts = Facts {
                name: Some(&user.own.name),
                tags: &user.tags,
            };
            let allowed = self.principal(account, &holders, user.boundary.as_deref(), facts);
            everyone.insert(id.clone(), Rc::new(allowed));
        }
        for (id, role) in &account.roles {
            let facts = Facts {
                name: None,
                tags: &role.tags,
            };
            let allowed = self.principal(account, &[&role.own], role.boundary.as_deref(), facts);
            everyone.insert(id.clone(), Rc::new(allowed));
        }
        everyone
    }

    fn principal(
        &mut self,
        account: &Account,
        holders: &[&Holder],
        boundary: Option<&str>,
        facts: Facts<'_>,
    ) -> Requests {
        let (mut allowed, mut denied) = (Requests::none(self.size()), Requests::none(self.size()));
        for holder in holders {
            let attached = holder.attached.iter().map(|arn| self.managed(account, arn));
            let documents: Vec<String> = attached.chain(holder.inline.values().cloned()).collect();
            for document in documents {
                let decided = self.decide(&document, facts);
                allowed.add(&decided.0);
                denied.add(&decided.1);
            }
        }
        if let Some(boundary) = boundary {
            let document = self.managed(account, boundary);
            let decided = self.decide(&document, facts);
            allowed.keep(&decided.0);
            denied.add(&decided.1);
        }
        allowed.remove(&denied);
        allowed
    }

    fn managed(&self, account: &Account, arn: &str) -> String {
        let own = account.policies.get(arn).map(|policy| policy.document().to_owned());
        own.or_else(|| self.aws.get(arn).cloned())
            .unwrap_or_else(|| panic!("the evaluator does not know {arn}"))
    }

    fn decide(&mut self, text: &str, facts: Facts<'_>) -> Rc<(Requests, Requests)> {
        // Most documents say the same of everybody.
        let personal = text.contains("${") || text.contains("aws:PrincipalTag") || text.contains("aws:username");
        let of = if personal {
            format!("{:?} {:?}", facts.name, facts.tags)
        } else {
            String::new()
        };
        let key = (text.to_owned(), of);
        if let Some(decided) = self.decided.get(&key) {
            return Rc::clone(decided);
        }
        let (mut allows, mut denies) = (Requests::none(self.size()), Requests::none(self.size()));
        let document = Document::read(text);
        for statement in &document.statements {
            let into = match statement["Effect"].as_str() {
                Some("Allow") => &mut allows,
                Some("Deny") => &mut denies,
                other => panic!("the evaluator does not know the effect {other:?}"),
            };
            self.add_matching(statement, document.knows_variables, facts, into);
        }
        let decided = Rc::new((allows, denies));
        self.decided.insert(key, Rc::clone(&decided));
        decided
    }

    fn add_matching(&self, statement: &Map<String, Value>, variables: bool, facts: Facts<'_>, into: &mut Requests) {
        let fill = |pattern: &str| match variables {
            true => fill_in(pattern, |key| facts.variable(key)),
            false => Some(pattern.to_owned()),
        };
        let actions = one_side(statement, "Action", "NotAction", &self.actions, |pattern, action| {
            matches(&pattern.to_ascii_lowercase(), action)
        });
        let resources = one_side(
            statement,
            "Resource",
            "NotResource",
            &self.resources,
            // A variable without a value matches nothing.
            |pattern, resource| fill(pattern).is_some_and(|pattern| matches(&pattern, resource)),
        );
        let mfa = MFA.map(|mfa| holds(statement.get("Condition"), mfa, facts, &fill));
        for (a, _) in actions.iter().enumerate().filter(|(_, matching)| **matching) {
            for (r, _) in resources.iter().enumerate().filter(|(_, matching)| **matching) {
                for (m, _) in mfa.iter().enumerate().filter(|(_, holds)| **holds) {
                    let request = (a * self.resources.len() + r) * MFA.len() + m;
                    into.0[request / 64] |= 1 << (request % 64);
                }
            }
        }
    }
}

impl Facts<'_> {
    fn variable(&self, key: &str) -> Option<String> {
        if key.eq_ignore_ascii_case("aws:username") {
            return self.name.map(str::to_owned);
        }
        let tag = key
            .split_once('/')
            .filter(|(prefix, _)| prefix.eq_ignore_ascii_case("aws:PrincipalTag"));
        let (_, tag) = tag.unwrap_or_else(|| panic!("the evaluator does not know the variable {key}"));
        self.tags.get(&tag.to_lowercase()).cloned()
    }
}

struct Document {
    statements: Vec<Map<String, Value>>,
    knows_variables: bool,
}

impl Document {
    fn read(text: &str) -> Self {
        let document: Value = serde_json::from_str(text).expect("a policy is JSON");
        let statements = match &document["Statement"] {
            Value::Array(statements) => statements.clone(),
            single => vec![single.clone()],
        };
        Self {
            statements: statements
                .into_iter()
                .map(|statement| statement.as_object().expect("a statement is an object").clone())
                .collect(),
            knows_variables: document["Version"] == "2012-10-17",
        }
    }
}

fn list(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    }
}

fn texts<'s>(statement: &'s Map<String, Value>, names: [&str; 2]) -> Vec<&'s str> {
    let values = names.into_iter().filter_map(|name| statement.get(name));
    values.flat_map(list).collect()
}

/// Which of the items an element of a statement covers.
fn one_side(
    statement: &Map<String, Value>,
    positive: &str,
    negative: &str,
    items: &[String],
    matches: impl Fn(&str, &str) -> bool,
) -> Vec<bool> {
    let (patterns, wanted) = match (statement.get(positive), statement.get(negative)) {
        (Some(patterns), None) => (list(patterns), true),
        (None, Some(patterns)) => (list(patterns), false),
        _ => panic!("the evaluator reads a statement with {positive} or {negative}"),
    };
    let covered = |item: &String| patterns.iter().any(|pattern| matches(pattern, item)) == wanted;
    items.iter().map(covered).collect()
}

/// Whether all conditions hold.
fn holds(
    conditions: Option<&Value>,
    mfa: Option<bool>,
    facts: Facts<'_>,
    fill: &impl Fn(&str) -> Option<String>,
) -> bool {
    let operators = conditions.and_then(Value::as_object).into_iter().flatten();
    let tests = operators.flat_map(|(operator, block)| {
        let keys = block.as_object().expect("an operator holds keys");
        keys.iter()
            .map(move |(key, values)| (operator.as_str(), key.as_str(), values))
    });
    tests.into_iter().all(|(operator, key, values)| {
        let found = if key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent") {
            mfa.map(|mfa| mfa.to_string())
        } else {
            facts.variable(key)
        };
        let wanted: Vec<String> = match values {
            Value::Bool(value) => vec![value.to_string()],
            values => list(values).into_iter().map(str::to_owned).collect(),
        };
        let any = |found: &str, same: fn(&str, &str) -> bool| {
            let filled = wanted.iter().filter_map(|wanted| fill(wanted));
            filled.into_iter().any(|wanted| same(&wanted, found))
        };
        let equal: fn(&str, &str) -> bool = |wanted, found| wanted == found;
        let equal_in_any_case: fn(&str, &str) -> bool = |wanted, found| wanted.eq_ignore_ascii_case(found);
        match (operator, found) {
            ("Bool", found) => found.is_some_and(|found| any(&found, equal_in_any_case)),
            ("BoolIfExists", found) => found.is_none_or(|found| any(&found, equal_in_any_case)),
            ("StringEquals", found) => found.is_some_and(|found| any(&found, equal)),
            ("StringNotEquals", found) => found.is_none_or(|found| !any(&found, equal)),
            ("StringLike", found) => found.is_some_and(|found| any(&found, matches)),
            ("Null", found) => wanted.iter().any(|wanted| *wanted == found.is_none().to_string()),
            (other, _) => panic!("the evaluator does not know the operator {other}"),
        }
    })
}

/// `None` where a variable has no value.
fn fill_in(pattern: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (key, after) = after.split_once('}').expect("a variable ends");
        filled.push_str(before);
        filled.push_str(&value(key)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// Texts that a pattern matches: with nothing and with something in the place of its stars.
fn samples(pattern: &str) -> [String; 2] {
    let concrete = pattern.replace('?', "q");
    [concrete.replace('*', ""), concrete.replace('*', "zz")]
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let mut characters = pattern.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = characters.as_str();
            text.char_indices().any(|(at, _)| matches(rest, &text[at..])) || matches(rest, "")
        }
        Some('?') => {
            let mut text = text.chars();
            text.next().is_some() && matches(characters.as_str(), text.as_str())
        }
        Some(literal) => text
            .strip_prefix(literal)
            .is_some_and(|text| matches(characters.as_str(), text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::User;

    fn account(documents: &[&str], boundary: Option<&str>) -> Account {
        let mut account = Account::default();
        let inline = documents
            .iter()
            .enumerate()
            .map(|(at, text)| (at.to_string(), (*text).to_owned()));
        let mut user = User::default();
        user.own.name = "alice".to_owned();
        user.own.inline = inline.collect();
        user.tags.insert("team".to_owned(), "red".to_owned());
        user.boundary = boundary.map(|_| "boundary".to_owned());
        account.users.insert("id".to_owned(), user);
        let versions = boundary.map(|text| (1, text.to_owned())).into_iter().collect();
        let policy = crate::account::Policy {
            name: "boundary".to_owned(),
            versions,
            default: 1,
        };
        account.policies.insert("boundary".to_owned(), policy);
        account
    }

    fn allowed(documents: &[&str], boundary: Option<&str>) -> BTreeSet<String> {
        let account = account(documents, boundary);
        let all = documents.iter().copied().chain(boundary);
        let mut universe = Universe::new(all, BTreeMap::new(), &BTreeSet::from(["alice".to_owned()]));
        let everyone = universe.everyone(&account);
        let may = |request: &usize| everyone["id"].0[request / 64] >> (request % 64) & 1 == 1;
        (0..universe.size())
            .filter(may)
            .map(|request| universe.describe(request))
            .collect()
    }

    fn statement(effect: &str, action: &str, more: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"{action}","Resource":"*"{more}}}}}"#
        )
    }

    #[test]
    fn a_deny_wins_and_a_boundary_limits() {
        let (get, all, deny) = (
            statement("Allow", "s3:Get", ""),
            statement("Allow", "*", ""),
            statement("Deny", "s3:Get", ""),
        );
        assert!(
            allowed(&[&get], None)
                .iter()
                .any(|request| request.starts_with("s3:get on "))
        );
        assert!(
            !allowed(&[&all, &deny], None)
                .iter()
                .any(|request| request.starts_with("s3:get on "))
        );
        assert!(
            allowed(&[&all, &deny], None)
                .iter()
                .any(|request| request.starts_with("zz:nothing"))
        );
        let limited = allowed(&[&all], Some(&get));
        assert!(!limited.is_empty() && limited.iter().all(|request| request.starts_with("s3:get")));
        assert!(allowed(&[], Some(&all)).is_empty());
    }

    #[test]
    fn conditions_and_variables_look_at_the_person() {
        let mfa = r#","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#;
        let (all, deny) = (statement("Allow", "s3:Get", ""), statement("Deny", "s3:Get", mfa));
        let left = allowed(&[&all, &deny], None);
        assert!(!left.is_empty() && left.iter().all(|request| request.ends_with(" with MFA")));
        let red = r#","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"red"}}"#;
        assert!(!allowed(&[&statement("Allow", "s3:Get", red)], None).is_empty());
        assert!(allowed(&[&statement("Allow", "s3:Get", &red.replace("red", "blue"))], None).is_empty());
        let home = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::home/${aws:username}/*"}}"#;
        assert!(
            allowed(&[home], None)
                .iter()
                .all(|request| request.contains("home/alice/"))
        );
        let literal = allowed(&[&home.replace("2012-10-17", "2008-10-17")], None);
        assert!(literal.iter().all(|request| request.contains("home/${aws:username}/")));
    }

    #[test]
    fn what_is_not_named_is_on_the_other_side() {
        let but = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:s3:::a"}}"#;
        let left = allowed(&[but], None);
        assert!(!left.is_empty());
        assert!(
            !left
                .iter()
                .any(|request| request.starts_with("s3:") || request.contains("arn:aws:s3:::a "))
        );
    }
}
