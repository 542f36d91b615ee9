//! Other people's clients against the served sandbox: if boto3 and the AWS command line understand it, it speaks IAM.

use serde_json::{Value, json};
use trueup_tests::{binary::Workspace, python, root, service::Service};

#[test]
fn boto3_sees_in_the_sandbox_exactly_what_the_manifest_says() {
    let workspace = Workspace::new();
    workspace.copy(&root().join("examples/first-account"), "first-account");
    let apply = "apply first-account --live sandbox:account.json --auto-approve --plain-credentials --credentials-dir ../credentials";
    workspace.trueup().args(apply).run().expect_exit(0);

    let service = Service::sandbox(&workspace, "account.json");
    let dump = python::boto3(&workspace, &service.endpoint(), "dump.py", &[]);
    let found: Value = serde_json::from_str(&dump.stdout).unwrap();

    let aws = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    let stay = json!({"Version": "2012-10-17", "Statement": [{"Sid": "StayInTheOrganization", "Effect": "Deny",
        "Action": ["organizations:LeaveOrganization", "account:CloseAccount"], "Resource": "*"}]});
    let reports = json!({"Version": "2012-10-17", "Statement": [{"Sid": "ReadReports", "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::acme-reports", "arn:aws:s3:::acme-reports/*"]}]});
    let user = |groups: &[&str], inline: Value, tags: Value| {
        json!({"path": "/", "tags": tags, "permissions_boundary": null, "groups": groups, "managed_policies": [],
               "inline_policies": inline, "login_profile": true, "access_keys": 0})
    };
    let group = |members: &[&str], managed: &[String], inline: Value| json!({"path": "/", "members": members, "managed_policies": managed, "inline_policies": inline});
    let change = aws("IAMUserChangePassword");
    let auditor = json!({"read-the-reports": reports});
    let expected = json!({
        "alias": "acme-first",
        "password_policy": {
            "MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true,
            "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true,
            "AllowUsersToChangePassword": true, "MaxPasswordAge": 90, "PasswordReusePrevention": 24,
        },
        "users": {
            "alice": user(&["administrators"], json!({}), json!({"owner": "alice@example.com", "user-type": "administrator"})),
            "paul": user(&["power-users"], json!({}), json!({"owner": "paul@example.com", "user-type": "power user"})),
            "audit": user(&["auditors"], auditor.clone(), json!({"owner": "audit@example.com"})),
            "audit-two": user(&["auditors"], auditor, json!({"owner": "audit@example.com"})),
        },
        "groups": {
            "administrators": group(&["alice"], &[aws("AdministratorAccess")], json!({"stay-in-the-organization": stay})),
            "power-users": group(&["paul"], &[change.clone(), aws("PowerUserAccess")], json!({})),
            "auditors": group(&["audit", "audit-two"], &[change, aws("SecurityAudit")], json!({})),
        },
        "policies": {},
    });
    assert_eq!(found, expected, "{}", serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn boto3_is_answered_as_by_iam() {
    let workspace = Workspace::new();
    let service = Service::sandbox(&workspace, "account.json");
    python::boto3(&workspace, &service.endpoint(), "conformance.py", &[]);
}

/// What real accounts were recorded to answer, compared field by field, with everything that an answer leaves out.
#[test]
fn boto3_is_answered_as_real_accounts_were_recorded() {
    let workspace = Workspace::new();
    let services = [
        Service::sandbox_now(&workspace, "account.json", &[]),
        Service::sandbox_now(&workspace, "account.json", &["--enforce"]),
    ];
    let endpoints: Vec<String> = services.iter().map(Service::endpoint).collect();
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let run = python::boto3(&workspace, endpoints[0], "recorded.py", &endpoints);
    // Shown with `--nocapture`: how many answers were compared.
    print!("{}", run.stdout);
}

/// The list of places where moto is not IAM, row by row, against the same account served as root and by its policies,
/// and against accounts with faults and of another partition.
#[test]
fn boto3_finds_iam_wherever_moto_is_not() {
    let workspace = Workspace::new();
    let serve = |file: &str, arguments: &[&str]| Service::sandbox_now(&workspace, file, arguments);
    let lag = "--faults=stale-reads=1,unmodifiable=1,concurrent=true,latency-ms=300";
    let services = [
        serve("account.json", &[]),
        serve("account.json", &["--enforce"]),
        serve("throttling.json", &["--faults=rate=5"]),
        serve("lagging.json", &[lag]),
        serve("china.json", &["--partition", "aws-cn"]),
    ];
    let endpoints: Vec<String> = services.iter().map(Service::endpoint).collect();
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let run = python::boto3(&workspace, endpoints[0], "rows.py", &endpoints);
    // Shown with `--nocapture`: the number and the words of each row.
    print!("{}", run.stdout);
    let rows: Vec<u32> = run
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("row ")?.split_once(": ")?.0.parse().ok())
        .collect();
    assert_eq!(
        rows,
        (1..=78).collect::<Vec<_>>(),
        "every row is looked at, in order:\n{}",
        run.stdout
    );
}

/// The calls of Terraform's AWS provider, with what it relies on in each answer. The provider itself is a matter of
/// `.ci/terraform`.
#[test]
fn boto3_lives_with_the_sandbox_as_terraforms_provider_does() {
    let workspace = Workspace::new();
    let faults = [
        "",
        "unmodifiable=2,unknown-principal-seconds=2",
        "page-size=1,empty-pages=true",
    ];
    for (number, faults) in faults.into_iter().enumerate() {
        let arguments = [format!("--faults={faults}")];
        let arguments: Vec<&str> = arguments
            .iter()
            .filter(|_| !faults.is_empty())
            .map(String::as_str)
            .collect();
        let service = Service::sandbox_now(&workspace, &format!("account-{number}.json"), &arguments);
        let run = python::boto3(&workspace, &service.endpoint(), "provider.py", &[&service.endpoint()]);
        // Shown with `--nocapture`: how many resources and calls there were.
        print!("{}", run.stdout);
    }
}

#[test]
fn the_aws_command_line_can_be_used_on_the_sandbox() {
    let workspace = Workspace::new();
    let service = Service::sandbox(&workspace, "account.json");
    let aws = |arguments: &str| python::aws(&workspace, &service.endpoint(), arguments);
    let identity = aws("sts get-caller-identity --output text --query Arn").expect_exit(0);
    assert_eq!(identity.stdout, "arn:aws:iam::123456789012:root\n");
    let tagged = "iam create-user --user-name alice --path /platform/ --tags Key=owner,Value=alice@example.com";
    aws(tagged).expect_exit(0);
    aws("iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess").expect_exit(0);
    let users = aws("iam list-users --output text --query Users[].[Path,UserName]").expect_exit(0);
    assert_eq!(users.stdout, "/platform/\talice\n");
    let twice = aws("iam create-user --user-name Alice");
    assert!(twice.stderr.contains("(EntityAlreadyExists)"), "{}", twice.render());
    let early = aws("iam delete-user --user-name alice");
    assert!(early.stderr.contains("(DeleteConflict)"), "{}", early.render());
    // What it made is in the account that trueup plans against.
    drop(service);
    let export = workspace
        .trueup()
        .args("export --live sandbox:account.json")
        .run()
        .expect_exit(0);
    let found = export.stdout.contains("alice") && export.stdout.contains("/platform/");
    assert!(found, "{}", export.render());
}
