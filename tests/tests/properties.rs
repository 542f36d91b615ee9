//! What holds for every account and every manifest: an export plans empty, an apply converges, and a second one does
//! nothing. Accounts and manifests are generated from small pools of names, so that they overlap.

use std::{collections::BTreeMap, fmt::Write as _};

use proptest::{
    collection::{btree_map, btree_set},
    option,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use trueup_tests::{
    binary::{Output, Workspace},
    service::Service,
    setup, variable,
};

/// Everything that an account holds, without the policies' ARNs: names follow from the numbers.
#[derive(Debug, Clone)]
struct Account {
    alias: Option<u8>,
    password_length: Option<u8>,
    /// The document of each customer managed policy.
    policies: BTreeMap<u8, usize>,
    groups: BTreeMap<u8, Group>,
    users: BTreeMap<u8, User>,
}

#[derive(Debug, Clone)]
struct Group {
    path: usize,
    attached: Vec<Attached>,
    inline: BTreeMap<u8, usize>,
}

#[derive(Debug, Clone)]
struct User {
    path: usize,
    tags: BTreeMap<usize, u8>,
    groups: Vec<u8>,
    attached: Vec<Attached>,
    inline: BTreeMap<u8, usize>,
    boundary: Option<Attached>,
    password: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Attached {
    Aws(usize),
    Own(u8),
}

const PATHS: [&str; 3] = ["/", "/platform/", "/platform/deep/"];
const AWS: [&str; 3] = ["ReadOnlyAccess", "PowerUserAccess", "AdministratorAccess"];
const TAGS: [&str; 4] = ["owner", "Team", "cost:center", "note"];
const DOCUMENTS: [&str; 8] = [
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":{"Sid":"One","Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":["*"]}}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"No","Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::secret/*","Condition":{"NumericLessThan":{"s3:max-keys":10},"StringLike":{"aws:PrincipalTag/note":["yes","no","0042"]}}}]}"#,
    r#"{"Id":"named","Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"sns:*","Resource":"*"},{"Sid":"B","Effect":"Deny","Action":"sns:Publish","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"B","Effect":"Deny","Action":"sqs:*","Resource":"*"},{"Sid":"C","Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/${aws:username}"}]}"#,
];

fn attached() -> impl Strategy<Value = Attached> {
    prop_oneof![
        (0..AWS.len()).prop_map(Attached::Aws),
        (0..3_u8).prop_map(Attached::Own)
    ]
}

fn inline() -> impl Strategy<Value = BTreeMap<u8, usize>> {
    btree_map(0..3_u8, 0..DOCUMENTS.len(), 0..3)
}

fn group() -> impl Strategy<Value = Group> {
    (0..PATHS.len(), btree_set(attached(), 0..3), inline()).prop_map(|(path, attached, inline)| Group {
        path,
        attached: attached.into_iter().collect(),
        inline,
    })
}

fn user() -> impl Strategy<Value = User> {
    (
        0..PATHS.len(),
        btree_map(0..TAGS.len(), 0..3_u8, 0..3),
        btree_set(0..3_u8, 0..3),
        btree_set(attached(), 0..3),
        inline(),
        option::of(attached()),
        any::<bool>(),
    )
        .prop_map(|(path, tags, groups, attached, inline, boundary, password)| User {
            path,
            tags,
            groups: groups.into_iter().collect(),
            attached: attached.into_iter().collect(),
            inline,
            boundary,
            password,
        })
}

fn account() -> impl Strategy<Value = Account> {
    (
        option::of(0..2_u8),
        option::of(8..20_u8),
        btree_map(0..3_u8, 0..DOCUMENTS.len(), 1..3),
        btree_map(0..3_u8, group(), 1..3),
        btree_map(0..5_u8, user(), 1..5),
    )
        .prop_map(|(alias, password_length, policies, groups, users)| {
            Account {
                alias,
                password_length,
                policies,
                groups,
                users,
            }
            .closed()
        })
}

impl Account {
    /// Drops what points to nothing.
    fn closed(mut self) -> Self {
        let exists = |attached: &Attached| match attached {
            Attached::Aws(_) => true,
            Attached::Own(policy) => self.policies.contains_key(policy),
        };
        for group in self.groups.values_mut() {
            group.attached.retain(exists);
        }
        for user in self.users.values_mut() {
            user.attached.retain(exists);
            user.boundary = user.boundary.filter(exists);
            user.groups.retain(|group| self.groups.contains_key(group));
        }
        self
    }

    /// The calls that bring it about.
    fn script(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            let _ = writeln!(text, "{words}");
        };
        if let Some(alias) = self.alias {
            line(format!("CreateAccountAlias AccountAlias=alias-{alias}"));
        }
        if let Some(length) = self.password_length {
            line(format!(
                "UpdateAccountPasswordPolicy MinimumPasswordLength={length} RequireNumbers=true"
            ));
        }
        for (policy, document) in &self.policies {
            line(format!(
                "CreatePolicy PolicyName=policy-{policy} PolicyDocument='{}'",
                DOCUMENTS[*document]
            ));
        }
        for (number, group) in &self.groups {
            let name = format!("GroupName=group-{number}");
            line(format!("CreateGroup {name} Path={}", PATHS[group.path]));
            for attached in &group.attached {
                line(format!("AttachGroupPolicy {name} PolicyArn={}", attached.arn()));
            }
            for (policy, document) in &group.inline {
                line(format!(
                    "PutGroupPolicy {name} PolicyName=inline-{policy} PolicyDocument='{}'",
                    DOCUMENTS[*document]
                ));
            }
        }
        for (number, user) in &self.users {
            let name = format!("UserName=user-{number}");
            let tags: String = user
                .tags
                .iter()
                .map(|(key, value)| format!(" Tag.{}={value}", TAGS[*key]))
                .collect();
            let boundary = user
                .boundary
                .map(|boundary| format!(" PermissionsBoundary={}", boundary.arn()));
            line(format!(
                "CreateUser {name} Path={}{tags}{}",
                PATHS[user.path],
                boundary.unwrap_or_default()
            ));
            for group in &user.groups {
                line(format!("AddUserToGroup {name} GroupName=group-{group}"));
            }
            for attached in &user.attached {
                line(format!("AttachUserPolicy {name} PolicyArn={}", attached.arn()));
            }
            for (policy, document) in &user.inline {
                line(format!(
                    "PutUserPolicy {name} PolicyName=inline-{policy} PolicyDocument='{}'",
                    DOCUMENTS[*document]
                ));
            }
            if user.password {
                line(format!("CreateLoginProfile {name} Password=Correct-horse-7-battery-9"));
            }
        }
        text
    }

    /// The manifest that asks for it, and for nothing beside it.
    fn manifest(&self) -> String {
        let mut account = "id: \"123456789012\"".to_owned();
        let alias = self.alias.map(|alias| format!("alias-{alias}")).unwrap_or_default();
        let _ = write!(account, ", alias: \"{alias}\"");
        let _ = match self.password_length {
            Some(length) => write!(
                account,
                ", password_policy: {{minimum_password_length: {length}, require_numbers: true}}"
            ),
            None => write!(account, ", password_policy: aws-default"),
        };
        let mut text = format!("version: 1\naccount: {{{account}}}\nscope:\n");
        for kind in ["users", "groups", "policies"] {
            let _ = writeln!(text, "  {kind}: {{paths: [/], unmanaged: delete}}");
        }
        text.push_str("policies:\n");
        for (policy, document) in &self.policies {
            let _ = writeln!(text, "  policy-{policy}: {{document: {}}}", DOCUMENTS[*document]);
        }
        text.push_str("groups:\n");
        for (number, group) in &self.groups {
            let _ = writeln!(
                text,
                "  group-{number}: {{path: {}, managed_policies: [{}], inline_policies: {{{}}}}}",
                PATHS[group.path],
                names(&group.attached),
                documents(&group.inline)
            );
        }
        text.push_str("users:\n");
        for (number, user) in &self.users {
            let groups: Vec<_> = user.groups.iter().map(|group| format!("group-{group}")).collect();
            let tags: Vec<_> = user
                .tags
                .iter()
                .map(|(key, value)| format!("\"{}\": \"{value}\"", TAGS[*key]))
                .collect();
            let _ = writeln!(
                text,
                "  user-{number}: {{path: {}, tags: {{{}}}, groups: [{}], managed_policies: [{}], inline_policies: {{{}}}, \
                 permissions_boundary: \"{}\", login_profile: {}}}",
                PATHS[user.path],
                tags.join(", "),
                groups.join(", "),
                names(&user.attached),
                documents(&user.inline),
                user.boundary.map(Attached::name).unwrap_or_default(),
                if user.password { "{}" } else { "none" }
            );
        }
        text
    }
}

impl Attached {
    fn arn(self) -> String {
        match self {
            Self::Aws(policy) => format!("arn:aws:iam::aws:policy/{}", AWS[policy]),
            Self::Own(policy) => format!("arn:aws:iam::123456789012:policy/policy-{policy}"),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Aws(_) => self.arn(),
            Self::Own(policy) => format!("policy-{policy}"),
        }
    }
}

fn names(attached: &[Attached]) -> String {
    let names: Vec<_> = attached.iter().map(|attached| attached.name()).collect();
    names.join(", ")
}

fn documents(inline: &BTreeMap<u8, usize>) -> String {
    let entries: Vec<_> = inline
        .iter()
        .map(|(policy, document)| format!("inline-{policy}: {}", DOCUMENTS[*document]))
        .collect();
    entries.join(", ")
}

/// Brings an account about in a workspace of its own.
fn live(account: &Account) -> Workspace {
    let workspace = Workspace::new();
    let service = Service::sandbox(&workspace, "account.json");
    setup::run(&account.script(), &workspace.path(), service.address()).unwrap_or_else(|error| panic!("{error}"));
    workspace
}

fn trueup(workspace: &Workspace, line: &str) -> Output {
    workspace
        .trueup()
        .args(line)
        .env("TRUEUP_LIVE", "sandbox:account.json")
        .run()
}

fn holds(output: Output, expected: bool) -> Result<Output, TestCaseError> {
    prop_assert!(expected, "{}", output.render());
    Ok(output)
}

const APPLY: &str = "apply --auto-approve --plain-credentials --credentials-dir ../credentials --allow deletions \
                     --allow own-access --allow administrators --allow break-glass --allow password-policy --allow mfa \
                     --allow boundary --allow alias --allow shared-policy";

/// Runs a property on some cases; the seed is printed where it fails, and `TRUEUP_TEST_SEED` repeats it.
fn check<S: Strategy>(strategy: S, cases: u32, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seed = variable("TRUEUP_TEST_SEED").map_or_else(rand_seed, |seed| seed.parse().expect("a seed is a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: variable("PROPTEST_CASES").map_or(cases, |cases| cases.parse().expect("a number of cases")),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&strategy, property) {
        panic!("TRUEUP_TEST_SEED={seed} repeats this:\n{error}");
    }
}

fn rand_seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};

    RandomState::new().build_hasher().finish()
}

/// Whether no order of calls is safe for everybody: two accounts that have nothing to do with each other may be that far
/// apart, and then the plan says so, and nothing is written.
fn is_refused(output: &Output) -> bool {
    output.code == Some(1) && output.stderr.contains("no order of calls changes")
}

#[test]
fn an_export_of_any_account_plans_empty() {
    check(account(), 16, |account| {
        let workspace = live(&account);
        let export = trueup(&workspace, "export");
        let export = holds(export.clone(), export.code == Some(0))?;
        workspace.write("exported.yaml", &export.stdout);
        let plan = trueup(&workspace, "plan exported.yaml --detailed-exitcode");
        let empty = plan.code == Some(0) && plan.stdout.contains("No changes.");
        holds(plan, empty)?;
        Ok(())
    });
}

#[test]
fn an_apply_of_any_manifest_to_any_account_converges_and_then_rests() {
    check((account(), account()), 24, |(before, after)| {
        let workspace = live(&before);
        workspace.write("trueup.yaml", after.manifest());
        let untouched = workspace.read("account.json");
        let apply = trueup(&workspace, APPLY);
        if is_refused(&apply) {
            prop_assert_eq!(workspace.read("account.json"), untouched);
            return Ok(());
        }
        let done = apply.code == Some(0);
        holds(apply, done)?;
        let plan = trueup(&workspace, "plan --detailed-exitcode");
        let empty = plan.code == Some(0) && plan.stdout.contains("No changes.");
        holds(plan, empty)?;
        let account = workspace.read("account.json");
        let again = trueup(&workspace, APPLY);
        let done = again.code == Some(0);
        let again = holds(again, done)?;
        let rests = workspace.read("account.json") == account;
        holds(again, rests)?;
        Ok(())
    });
}

#[test]
fn a_plan_of_any_account_and_manifest_is_the_same_twice() {
    check((account(), account()), 6, |(before, after)| {
        let workspace = live(&before);
        workspace.write("trueup.yaml", after.manifest());
        let first = trueup(&workspace, "plan --format json");
        let second = trueup(&workspace, "plan --format json");
        prop_assert_eq!(&first.stdout, &second.stdout);
        prop_assert!(first.code == Some(0) || is_refused(&first), "{}", first.render());
        Ok(())
    });
}
