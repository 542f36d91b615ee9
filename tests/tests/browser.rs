//! The HTML page in a real browser: Debian's Chromium, headless, driven by Playwright, with axe-core as the judge of what
//! can be used without a mouse or without eyes. The checks are those of `python/page.py`.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use trueup_tests::{binary::Workspace, programs, python, service::Service, setup, variable};

/// A Chromium: the one that is named, one that is there, or Debian's.
fn chromium() -> String {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    if let Some(named) = variable("TRUEUP_TEST_CHROMIUM") {
        return named;
    }
    let found = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        NAMES
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|program| program.is_file())
            .map(|program| program.to_string_lossy().into_owned())
    };
    found().unwrap_or_else(|| {
        programs::need("chromium", "chromium");
        found().expect("chromium is on the search path")
    })
}

/// One browser at a time: three that start at once on a machine of two cores take each other's time, and time is measured.
static BROWSER: Mutex<()> = Mutex::new(());

fn judge(workspace: &Workspace, page: &str, checks: &str) {
    let _alone = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&shots).expect("the target directory can be written");
    let found = workspace
        .command(python::interpreter())
        .arg(trueup_tests::root().join("tests/python/page.py"))
        .arg(workspace.path().join(page))
        .arg(checks)
        .arg(&shots)
        .env("TRUEUP_TEST_CHROMIUM", chromium())
        .run()
        .expect_exit(0);
    // What was measured, for the docs, and whether a browser had to be started again.
    for said in [&found.stdout, &found.stderr] {
        if !said.is_empty() {
            let _ = writeln!(std::io::stderr(), "{page}: {}", said.trim_end());
        }
    }
}

/// A team that changes: people join, leave and get more; an alias is replaced, a policy grows.
#[test]
fn a_change_is_shown_in_every_light_and_width() {
    let workspace = Workspace::new();
    let mut manifest = String::from(
        r#"version: 1
account: {id: "123456789012", alias: acme-prod}
scope: {users: {paths: [/]}}
policies:
  deploy:
    document: {Version: "2012-10-17", Statement: [{Sid: Deploy, Effect: Allow, Action: ["ecs:*", "iam:PassRole"], Resource: "*"}]}
  boundary:
    document: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
groups:
  developers:
    managed_policies: [deploy, arn:aws:iam::aws:policy/ReadOnlyAccess]
    inline_policies:
      reports: {Version: "2012-10-17", Statement: [{Sid: Reports, Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::reports/*"}]}
  auditors: {managed_policies: [arn:aws:iam::aws:policy/SecurityAudit]}
  on-call: {managed_policies: [arn:aws:iam::aws:policy/AmazonEC2FullAccess]}
absent:
  users: {dave: {reason: left on 2026-11-20}}
users:
  alice: {groups: [developers, on-call], tags: {owner: alice@example.com}, permissions_boundary: boundary, login_profile: {}, mfa: required}
  carol: {groups: [auditors], path: /platform/}
"#,
    );
    let mut script = String::from(
        r#"CreateAccountAlias AccountAlias=acme
CreatePolicy PolicyName=deploy PolicyDocument='{"Version":"2012-10-17","Statement":{"Sid":"Deploy","Effect":"Allow","Action":"ecs:*","Resource":"*"}}'
CreateGroup GroupName=developers
CreateGroup GroupName=auditors
AttachGroupPolicy GroupName=developers PolicyArn=arn:aws:iam::123456789012:policy/deploy
AttachGroupPolicy GroupName=auditors PolicyArn=arn:aws:iam::aws:policy/SecurityAudit
PutGroupPolicy GroupName=developers PolicyName=reports PolicyDocument='{"Version":"2012-10-17","Statement":{"Sid":"Reports","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::reports/*"}}'
CreateUser UserName=alice
CreateLoginProfile UserName=alice Password=Correct-horse-7-battery
AddUserToGroup UserName=alice GroupName=developers
CreateUser UserName=dave
CreateLoginProfile UserName=dave Password=Correct-horse-7-battery
AddUserToGroup UserName=dave GroupName=auditors
CreateUser UserName=mallory
AddUserToGroup UserName=mallory GroupName=developers
"#,
    );
    for n in 0..20 {
        let _ = writeln!(manifest, "  developer-{n:02}: {{groups: [developers]}}");
        let _ = writeln!(script, "CreateUser UserName=developer-{n:02}");
        let _ = writeln!(script, "AddUserToGroup UserName=developer-{n:02} GroupName=developers");
    }
    workspace.write("trueup.yaml", manifest);
    {
        let service = Service::sandbox(&workspace, "account.json");
        setup::run(&script, &workspace.path(), service.address()).expect("the account can be made");
    }
    // One reading for all of them.
    let all = "plan --live sandbox:account.json --format html --out saved.json --json-into plan.json --markdown-into plan.md --html-into plan.html";
    let shown = workspace.trueup().args(all).run().expect_exit(0).stdout;
    assert_eq!(shown, workspace.read("plan.html"));
    assert_eq!(workspace.read("saved.json"), workspace.read("plan.json"));
    let plan: Value = serde_json::from_str(&workspace.read("plan.json")).expect("a plan is JSON");
    let digest = plan["digest"].as_str().expect("a plan has a digest");
    assert!(shown.contains(digest) && workspace.read("plan.md").contains(digest));
    judge(&workspace, "plan.html", "all");

    // The same plan later, without the account.
    let show = "show saved.json --format html";
    workspace.write("shown.html", workspace.trueup().args(show).run().expect_exit(0).stdout);
    judge(&workspace, "shown.html", "axe");

    let apply = "apply --live sandbox:account.json --auto-approve --html-into applied.html";
    workspace.trueup().args(apply).run().expect_exit(3);
    let refused = workspace.read("applied.html");
    assert!(refused.contains("Not applied: "), "{refused}");
    let apply = format!("{apply} --allow alias --allow boundary --allow deletions --allow mfa");
    workspace.trueup().args(&apply).run().expect_exit(0);
    let applied = workspace.read("applied.html");
    assert!(applied.contains("Apply complete!"), "{applied}");
    judge(&workspace, "applied.html", "axe");
}

/// A plan document with these changes, as another version of trueup could have written it.
fn document(changes: &[Value], access: &[Value]) -> String {
    let name = changes[0]["resource"].as_str().expect("a change has a resource");
    json!({
        "format_version": "1.0", "tool_version": "0.1.0", "account_id": "123456789012", "as_of": "2026-11-22",
        "digest": "sha256:00", "overview": {"alias": name, "scope": {"users": [name]}, "managed": 0, "unchanged": 0, "untouchable": 0},
        "summary": {"create": changes.len(), "update": 0, "delete": 0, "actions": 0}, "changes": changes, "actions": [],
        "requirements": [{"subject": name, "requirement": name, "met": false, "detail": name, "remedy": name}], "access": access,
        "unmanaged": [{"resource": name, "reason": name}], "ignored": [], "guardrails": [],
        "notes": [{"strict": false, "resource": null, "message": name}], "facts": {}, "reads": {"total": 0, "by_operation": {}}
    })
    .to_string()
}

#[test]
fn a_plan_of_five_thousand_users_opens_and_filters_at_once() {
    let workspace = Workspace::new();
    let changes: Vec<Value> = (0..5_000)
        .flat_map(|n| {
            let user = format!("user/first.lastname-{n:04}");
            let fields = json!([
                {"path": "path", "before": null, "after": "/platform/"},
                {"path": "tags.owner", "before": null, "after": format!("first.lastname-{n:04}@example.com")},
                {"path": "tags.team", "before": null, "after": format!("team-{}", n % 40)}
            ]);
            let change = |resource: String, fields: Value| json!({"resource": resource, "change": "create", "reason": "declared, and not in the account", "destructive": false, "fields": fields});
            [
                change(user.clone(), fields),
                change(format!("{user}/managed-policy/arn:aws:iam::aws:policy/ReadOnlyAccess"), json!([])),
                change(format!("group/team-{}/member/first.lastname-{n:04}", n % 40), json!([])),
            ]
        })
        .collect();
    let access: Vec<Value> = (0..5_000)
        .map(|n| {
            let own = format!("arn:aws:s3:::team-{}/first.lastname-{n:04}/*", n % 40);
            json!({"principal": format!("user/first.lastname-{n:04}"), "verdict": "more", "administrator": null,
                "lost": [], "escalation": [], "unknown": [], "assumptions": [], "gained": [{
                    "service": "s3", "services": 1, "service_names": [], "other_services": [], "levels": ["Write"], "count": 1, "actions": ["s3:PutObject"], "resources": [own],
                    "partly": false, "conditions": [], "cause": "allow", "certain": true, "assumed": [],
                    "via": [{"policy": format!("group/team-{}/inline-policy/files", n % 40), "statement": "Files"}],
                    "example": {"action": "s3:PutObject", "resource": own, "context": {}}, "example_fits": true}]})
        })
        .collect();
    workspace.write("plan.json", document(&changes, &access));
    let shown = workspace
        .trueup()
        .args("show plan.json --format html")
        .run()
        .expect_exit(0);
    workspace.write("large.html", shown.stdout);
    judge(&workspace, "large.html", "fast");
}

#[test]
fn hostile_text_does_nothing_in_a_browser() {
    let workspace = Workspace::new();
    let hostile = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>\"'><b id=injected>\u{202e}";
    let changes = [
        json!({"resource": format!("user/{hostile}"), "change": "create", "reason": hostile, "destructive": false, "fields": [
            {"path": hostile, "before": hostile, "after": [hostile]}
        ]}),
        json!({"resource": format!("group/{hostile}/member/{hostile}"), "change": "create", "reason": hostile, "destructive": true, "fields": []}),
    ];
    workspace.write("plan.json", document(&changes, &[]));
    let shown = workspace
        .trueup()
        .args("show plan.json --format html")
        .run()
        .expect_exit(0);
    workspace.write("hostile.html", shown.stdout);
    judge(&workspace, "hostile.html", "hostile");
}
