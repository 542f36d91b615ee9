//! Properties over generated documents.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use trueup_model::PolicyDocument;
use trueup_model::document::{DocumentKind, diff};

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "s3:List*",
    "iam:GetUser",
    "iam:*",
    "sqs:SendMessage",
    "ec2:Describe*",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::B",
    "arn:aws:iam::*:user/${aws:username}",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringLikeIfExists",
    "Bool",
    "ForAnyValue:StringEquals",
    "NumericLessThan",
];
const KEYS: &[&str] = &["aws:SourceVpc", "aws:PrincipalTag/Team", "s3:prefix"];
const VALUES: &[&str] = &["true", "5", "Ops", "", "ü€"];

fn some(of: &'static [&'static str], at_least: usize) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(of, at_least..=of.len().min(4))
}

fn conditions() -> impl Strategy<Value = Value> {
    let block = proptest::collection::btree_map(select(KEYS), some(VALUES, 0), 0..3);
    proptest::collection::btree_map(select(OPERATORS), block, 0..3).prop_map(|operators| json!(operators))
}

fn statement() -> impl Strategy<Value = Value> {
    let effect = select(&["Allow", "Deny"][..]);
    let (action, resource) = (any::<bool>(), any::<bool>());
    (
        effect,
        action,
        some(ACTIONS, 1),
        resource,
        some(RESOURCES, 1),
        conditions(),
    )
        .prop_map(|(effect, action, actions, resource, resources, conditions)| {
            let action = if action { "Action" } else { "NotAction" };
            let resource = if resource { "Resource" } else { "NotResource" };
            json!({"Effect": effect, action: actions, resource: resources, "Condition": conditions})
        })
}

/// Statements, some of them with an id.
fn statements() -> impl Strategy<Value = Vec<Value>> {
    let named = proptest::collection::vec((statement(), any::<bool>()), 1..5);
    named.prop_map(|statements| {
        let name = |(index, (mut statement, named)): (usize, (Value, bool))| {
            if named {
                statement["Sid"] = json!(format!("Statement{index}"));
            }
            statement
        };
        statements.into_iter().enumerate().map(name).collect()
    })
}

fn document(statements: &[Value]) -> PolicyDocument {
    PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

/// Choices that repeat the same for the same seed.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }

    fn recase(&mut self, text: &str) -> String {
        let recase = |character: char| match self.below(2) {
            0 => character.to_ascii_lowercase(),
            _ => character.to_ascii_uppercase(),
        };
        text.chars().map(recase).collect()
    }

    /// The same set as another list, or as its only member.
    fn respell_set(&mut self, value: &Value, respell: &mut dyn FnMut(&mut Self, &str) -> Value) -> String {
        let mut items: Vec<Value> = value.as_array().unwrap().clone();
        if !items.is_empty() && self.below(2) == 0 {
            let again = items[self.below(items.len())].clone();
            items.push(again);
        }
        self.shuffle(&mut items);
        let items: Vec<String> = items
            .iter()
            .map(|item| respell(self, item.as_str().unwrap()).to_string())
            .collect();
        match items.as_slice() {
            [single] if self.below(2) == 0 => single.clone(),
            _ => format!("[{}]", items.join(" , ")),
        }
    }

    fn object(&mut self, mut members: Vec<(String, String)>) -> String {
        self.shuffle(&mut members);
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("{} :\n{value}", json!(key)))
            .collect();
        format!("{{{}}}", members.join(",\t"))
    }

    fn respell_conditions(&mut self, conditions: &Value) -> String {
        let mut operators = Vec::new();
        for (operator, block) in conditions.as_object().unwrap() {
            let mut keys = Vec::new();
            for (key, values) in block.as_object().unwrap() {
                let respell = &mut |choices: &mut Self, value: &str| match value {
                    "true" | "5" if choices.below(2) == 0 => value.parse().unwrap(),
                    _ => json!(value),
                };
                let values = self.respell_set(values, respell);
                keys.push((self.recase(key), values));
            }
            let block = self.object(keys);
            operators.push((operator.clone(), block));
        }
        if self.below(2) == 0 {
            operators.push(("Anything".to_owned(), "{}".to_owned()));
        }
        self.object(operators)
    }

    fn respell_statement(&mut self, statement: &Value) -> String {
        let mut members = Vec::new();
        for (name, value) in statement.as_object().unwrap() {
            let respelled = match name.as_str() {
                "Action" | "NotAction" => self.respell_set(value, &mut |choices, action| json!(choices.recase(action))),
                "Resource" | "NotResource" => self.respell_set(value, &mut |_, resource| json!(resource)),
                "Condition" => self.respell_conditions(value),
                _ => value.to_string(),
            };
            members.push((name.clone(), respelled));
        }
        self.object(members)
    }

    /// Another text of the same document.
    fn respell(&mut self, statements: &[Value]) -> String {
        let mut texts: Vec<String> = statements
            .iter()
            .map(|statement| self.respell_statement(statement))
            .collect();
        if self.below(2) == 0 {
            texts.push(self.respell_statement(&statements[0]));
        }
        self.shuffle(&mut texts);
        let list = match texts.as_slice() {
            [single] if self.below(2) == 0 => single.clone(),
            _ => format!("[{}]", texts.join(",")),
        };
        let members = vec![
            ("Version".to_owned(), json!("2012-10-17").to_string()),
            ("Statement".to_owned(), list),
        ];
        self.object(members)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn another_spelling_is_the_same_document(statements in statements(), seed: u64) {
        let original = document(&statements);
        let text = Choices(seed).respell(&statements);
        let respelled = PolicyDocument::parse(&text).unwrap();
        prop_assert_eq!(&respelled, &original, "{}", text);
        prop_assert_eq!(respelled.canonical_text(), original.canonical_text());
        prop_assert!(diff(Some(&original), Some(&respelled)).is_empty());
        prop_assert_eq!(PolicyDocument::from_live(text), original);
    }

    #[test]
    fn the_difference_is_empty_for_equal_documents_only(a in statements(), b in statements()) {
        let (a, b) = (document(&a), document(&b));
        prop_assert_eq!(diff(Some(&a), Some(&b)).is_empty(), a == b);
        prop_assert!(diff(Some(&a), Some(&a)).is_empty());
        prop_assert!(!diff(Some(&a), None).is_empty());
    }

    #[test]
    fn the_difference_does_not_depend_on_spelling(a in statements(), b in statements(), seed: u64) {
        let mut choices = Choices(seed);
        let respelled_a = PolicyDocument::parse(&choices.respell(&a)).unwrap();
        let respelled_b = PolicyDocument::parse(&choices.respell(&b)).unwrap();
        let count = |a: &PolicyDocument, b: &PolicyDocument| diff(Some(a), Some(b)).len();
        prop_assert_eq!(count(&document(&a), &document(&b)), count(&respelled_a, &respelled_b));
    }

    #[test]
    fn one_action_more_is_one_change(statements in statements(), at: prop::sample::Index) {
        let mut more = statements.clone();
        let statement = at.get_mut(&mut more);
        let name = if statement["Action"].is_array() { "Action" } else { "NotAction" };
        statement[name].as_array_mut().unwrap().push(json!("lambda:InvokeFunction"));
        let (before, after) = (document(&statements), document(&more));
        let changes = diff(Some(&before), Some(&after));
        // A twin of the statement stays behind, so that the longer one is new.
        let twin = statements.iter().filter(|other| **other == *at.get(&statements)).count() > 1;
        prop_assert_eq!(changes.len(), 1, "{:?}", changes);
        if !twin {
            prop_assert!(changes[0].path.ends_with(name), "{:?}", changes);
            prop_assert_eq!(&changes[0].before, &Value::Null);
            prop_assert_eq!(&changes[0].after, &json!(["lambda:InvokeFunction"]));
        }
    }

    #[test]
    fn the_text_means_the_document(statements in statements()) {
        let document = document(&statements);
        let again = PolicyDocument::parse(document.as_text()).unwrap();
        prop_assert_eq!(again.as_text(), document.as_text());
        prop_assert_eq!(&again, &document);
        prop_assert_eq!(&PolicyDocument::parse(&document.pretty()).unwrap(), &document);
        prop_assert_eq!(&PolicyDocument::parse(document.canonical_text()).unwrap(), &document);
        let serialised = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(&serde_json::from_str::<PolicyDocument>(&serialised).unwrap(), &document);
        let is_taken = |character: char| (' '..='\u{ff}').contains(&character);
        prop_assert!(document.as_text().chars().all(is_taken), "{}", document.as_text());
    }

    #[test]
    fn a_document_can_be_made_of_its_statements(statements in statements()) {
        let document = document(&statements);
        let again = PolicyDocument::from_statements(document.version(), document.statements());
        prop_assert_eq!(&again, &document);
        prop_assert_eq!(again.as_text(), document.as_text());
        let other_version = PolicyDocument::from_statements(None, document.statements());
        prop_assert_ne!(other_version, document);
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC*") {
        let document = PolicyDocument::from_live(text.clone());
        prop_assert_eq!(document.as_text(), &text);
        let _ = (document.refusal(DocumentKind::Managed), document.pretty(), document.size());
        prop_assert!(diff(Some(&document), Some(&PolicyDocument::from_live(text))).is_empty());
    }

    #[test]
    fn nearly_json_is_read_as_serde_reads_it(text in r#"[{}\[\],:"a\\u0-9eE+. tfn-]{0,24}"#) {
        let object = format!("{{\"k\":{text}}}");
        let ours = PolicyDocument::parse(&object);
        let theirs: Result<Value, _> = serde_json::from_str(&object);
        match (&ours, &theirs) {
            (Ok(document), Ok(value)) => {
                let back: Value = serde_json::from_str(document.as_text()).unwrap();
                prop_assert_eq!(&back, value);
            }
            // Of what serde takes, only repeated keys and too deep nesting are refused.
            (Err(error), Ok(_)) => prop_assert!(error.to_string().contains("duplicate key"), "{object}: {error}"),
            // Numbers too large for a float are fine here.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{object}: {error}"),
            (Err(_), Err(_)) => {}
        }
    }
}
