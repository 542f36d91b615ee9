//! A reviewer's page for many people with policies of their own: one comment, with everybody in it.

use serde_json::{Value, json};
use trueup_tests::binary::Workspace;

/// What a comment may have, and what GitHub takes.
const BUDGET: usize = 60_000;

const PEOPLE: usize = 40;

/// The statements of somebody's policy: as real ones are, with a name, several actions, resources of one team, conditions.
fn statements(person: usize, number: usize) -> Vec<Value> {
    let team = format!("acme-team-{person:02}-production");
    let all = [
        json!({
            "Sid": "ReadOwnBuckets", "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": [format!("arn:aws:s3:::{team}-data"), format!("arn:aws:s3:::{team}-data/*")],
        }),
        json!({
            "Sid": "WorkOnOwnTables", "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            "Resource": format!("arn:aws:dynamodb:eu-central-1:123456789012:table/{team}-*"),
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
        }),
        json!({
            "Sid": "SendToOwnQueues", "Effect": "Allow",
            "Action": ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"],
            "Resource": format!("arn:aws:sqs:eu-central-1:123456789012:{team}-*"),
        }),
        json!({
            "Sid": "NeverOpenBuckets", "Effect": "Deny",
            "Action": ["s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutBucketAcl"],
            "Resource": format!("arn:aws:s3:::{team}-*"),
        }),
    ];
    all.into_iter().take(number).collect()
}

fn policy(person: usize) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements(person, 3 + person % 2)})
}

fn name(person: usize) -> String {
    format!("first.lastname-{person:02}")
}

/// A manifest in which everybody has these policies.
fn manifest(policies: impl Fn(usize) -> Vec<(String, Value)>) -> String {
    let mut text = "version: 1\naccount: {id: \"123456789012\"}\nusers:\n".to_owned();
    for person in 0..PEOPLE {
        let policies: serde_json::Map<String, Value> = policies(person).into_iter().collect();
        text.push_str(&format!(
            "  {}: {{inline_policies: {}}}\n",
            name(person),
            Value::Object(policies)
        ));
    }
    text
}

fn comment(workspace: &Workspace) -> String {
    let plan = workspace
        .trueup()
        .args("plan --live sandbox:account.json --format markdown")
        .run()
        .expect_exit(0);
    let length = plan.stdout.chars().count();
    assert!(length <= BUDGET, "{length}");
    plan.stdout
}

fn apply(workspace: &Workspace) {
    let apply = "apply --live sandbox:account.json --auto-approve -q";
    workspace.trueup().args(apply).run().expect_exit(0);
}

/// What the page says of access that is gained, and of changes.
fn sections(page: &str) -> (&str, &str) {
    let (_, rest) = page.split_once("#### Access that is gained\n").expect("somebody gains");
    rest.split_once("#### Users\n").expect("users change")
}

#[test]
fn forty_people_with_a_policy_each_fit_with_every_statement() {
    let lengths: Vec<usize> = (0..PEOPLE).map(|person| policy(person).to_string().len()).collect();
    assert!(
        lengths.iter().all(|length| (600..=1_000).contains(length)),
        "{lengths:?}"
    );
    let workspace = Workspace::new();
    let with_policies = manifest(|person| vec![(format!("work-{person:02}"), policy(person))]);
    // People who come, and people who are there already.
    for is_new in [true, false] {
        if !is_new {
            std::fs::remove_file(workspace.path().join("account.json")).expect("the account can be emptied");
            workspace.write("trueup.yaml", manifest(|_| Vec::new()));
            apply(&workspace);
        }
        workspace.write("trueup.yaml", &with_policies);
        let page = comment(&workspace);
        if is_new {
            // The sandbox is made by whatever reads it first.
            assert!(workspace.path().join("account.json").exists());
        }
        assert!(!page.contains("Left out"), "{page}");
        let (gains, details) = sections(&page);
        for person in 0..PEOPLE {
            let user = format!("user/{}", name(person));
            assert!(gains.contains(&format!("`{user}`")), "{user}");
            let detail = details
                .split("<details>")
                .find(|detail| detail.contains(&format!("<code>{user}</code>")))
                .expect("everybody has a fold");
            assert!(detail.contains(&format!("inline-policy/work-{person:02}")), "{detail}");
            for statement in statements(person, 3 + person % 2) {
                let of = |key: &str| match &statement[key] {
                    Value::Array(several) => several.iter().map(|one| one.as_str().unwrap_or_default()).collect(),
                    one => vec![one.as_str().unwrap_or_default()],
                };
                for word in ["Sid", "Effect", "Action", "Resource"].into_iter().flat_map(of) {
                    assert!(detail.contains(word), "{word}:\n{detail}");
                }
            }
        }
    }
}

#[test]
fn a_change_of_one_statement_of_forty_policies_shows_that_statement_of_each() {
    let workspace = Workspace::new();
    workspace.write(
        "trueup.yaml",
        manifest(|person| vec![("work".to_owned(), policy(person))]),
    );
    apply(&workspace);
    workspace.write(
        "trueup.yaml",
        manifest(|person| {
            let mut policy = policy(person);
            policy["Statement"][1]["Action"] = json!(["dynamodb:GetItem", "dynamodb:DeleteItem"]);
            vec![("work".to_owned(), policy)]
        }),
    );
    let page = comment(&workspace);
    assert!(!page.contains("Left out"), "{page}");
    let (gains, details) = sections(&page);
    for person in 0..PEOPLE {
        assert!(gains.contains(&format!("`user/{}`", name(person))));
        assert!(details.contains(&format!("<code>user/{}</code>", name(person))));
    }
    assert_eq!(details.matches("dynamodb:DeleteItem").count(), PEOPLE);
    assert_eq!(gains.matches("`dynamodb:DeleteItem` on").count(), PEOPLE);
}

#[test]
fn where_policies_do_not_fit_everybody_keeps_a_line_with_what_is_gained() {
    let workspace = Workspace::new();
    // As much as IAM takes of each of them, and more than a comment has for all.
    workspace.write(
        "trueup.yaml",
        manifest(|person| {
            let statements: Vec<Value> = (0..2)
                .flat_map(|part| statements(person * 2 + part, 4))
                .enumerate()
                .map(|(number, mut statement)| {
                    statement["Sid"] = json!(format!("Part{number}"));
                    statement
                })
                .collect();
            let policy = json!({"Version": "2012-10-17", "Statement": statements});
            vec![(format!("work-{person:02}"), policy)]
        }),
    );
    let page = comment(&workspace);
    assert!(!page.contains("Left out"), "{page}");
    assert!(page.contains("Shortened"), "{page}");
    let (gains, details) = sections(&page);
    for person in 0..PEOPLE {
        let user = format!("`user/{}`", name(person));
        let line = |text: &str| -> String {
            let found = text.lines().find(|line| line.contains(&user));
            found.unwrap_or_default().to_owned()
        };
        for action in ["s3:GetObject", "dynamodb:PutItem", "sqs:SendMessage"] {
            assert!(line(gains).contains(action), "{}", line(gains));
        }
        let detail = line(details);
        assert!(
            detail.contains(&format!("`inline-policy/work-{person:02}` (8 statements)")),
            "{detail}"
        );
    }
}
