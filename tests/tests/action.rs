//! The action and the templates for GitHub and GitLab: the scripts run for real against a sandbox, with a `gh` that writes
//! down what it is asked.

use serde_json::Value;
use trueup_tests::{
    binary::{Output, Workspace},
    python, root,
};

const MANIFEST: &str = "version: 1\naccount: {id: \"123456789012\"}\ngroups: {readers: {}}\n";

/// Answers as `gh` does, from files: `found` is what a list finds, `refuses` makes writing fail.
const GH: &str = r#"#!/bin/sh
echo "$*" >> gh.log
for word in "$@"; do
    case $word in body=@*) head -n 1 "${word#body=@}" >> gh.log ;; esac
done
case "$*" in
*--paginate*) cat found 2>/dev/null || true ;;
*) test ! -e refuses ;;
esac
"#;

struct Job {
    workspace: Workspace,
}

impl Job {
    fn new() -> Self {
        let workspace = Workspace::new();
        workspace.write("trueup.yaml", MANIFEST);
        workspace.write("bin/gh", GH);
        let made = workspace.command("chmod").args("+x bin/gh").run();
        made.expect_exit(0);
        Self { workspace }
    }

    fn step(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let here = self.workspace.path();
        let path = |name: &str| here.join(name).display().to_string();
        let mut run = self
            .workspace
            .command("bash")
            .arg(root().join("deploy/github").join(script))
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", path("bin")))
            .env("BINARY", trueup_tests::binary::trueup())
            .env("RUNNER_TEMP", &here)
            .env("GITHUB_OUTPUT", path("output"))
            .env("GITHUB_STEP_SUMMARY", path("summary"))
            .env("GITHUB_REPOSITORY", "acme/accounts")
            .env("TRUEUP_LIVE", "sandbox:account.json");
        for (name, value) in variables {
            run = run.env(name, value);
        }
        run.run()
    }

    fn run(&self, command: &str, arguments: &str) -> Output {
        let _ = std::fs::remove_file(self.workspace.path().join("output"));
        self.step(
            "run.sh",
            &[("COMMAND", command), ("ARGUMENTS", arguments), ("PLAN", "")],
        )
        .expect_exit(0)
    }

    fn output(&self, name: &str) -> Option<String> {
        let outputs = self.workspace.read("output");
        let mut lines = outputs.lines().filter_map(|line| line.split_once('='));
        lines
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
    }

    /// What `gh` was asked since the last time.
    fn asked(&self) -> String {
        let log = self.workspace.path().join("gh.log");
        let asked = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(log);
        asked
    }
}

#[test]
fn a_plan_is_in_the_log_the_summary_and_a_file() {
    let job = Job::new();
    let log = job.run("plan", "").stdout;
    assert!(log.contains("Plan: 1 to add"), "{log}");
    // What comes from the account or the manifest stands between two lines that keep the runner from listening.
    let lines: Vec<_> = log.lines().collect();
    let pause = lines[0].strip_prefix("::stop-commands::").unwrap();
    assert_eq!(lines.last(), Some(&&*format!("::{pause}::")));
    assert_eq!(job.output("exit-code").as_deref(), Some("2"));
    assert_eq!(job.output("changes").as_deref(), Some("true"));
    assert!(job.workspace.read("summary").contains("<!-- trueup:123456789012 -->"));
    let plan = std::fs::read_to_string(job.output("plan").unwrap()).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["account_id"], "123456789012");
}

#[test]
fn a_reviewed_plan_is_applied_and_then_there_is_no_drift() {
    let job = Job::new();
    job.run("plan", "");
    let plan = job.output("plan").unwrap();
    job.step("run.sh", &[("COMMAND", "apply"), ("ARGUMENTS", ""), ("PLAN", &plan)])
        .expect_exit(0);
    let log = job.run("drift", "--strict\n\n-q").stdout;
    assert!(log.contains("No changes."), "{log}");
    assert_eq!(job.output("exit-code").as_deref(), Some("0"));
    assert_eq!(job.output("changes").as_deref(), Some("false"));
}

#[test]
fn the_receipt_of_an_apply_lets_a_later_job_correct_drift_alone() {
    let job = Job::new();
    job.run("apply", "").expect_exit(0);
    let receipt = job.output("receipt").unwrap();
    let text = std::fs::read_to_string(&receipt).unwrap();
    assert!(text.contains("\"asked\""), "{text}");
    let arguments = format!("--only=drift\n--baseline={receipt}\n--require-approval=broadening");
    let log = job.run("apply", &arguments).stdout;
    assert!(log.contains("No changes."), "{log}");
    let log = job.run("drift", &format!("--only=drift\n--baseline={receipt}")).stdout;
    assert!(log.contains("No changes."), "{log}");
    assert_eq!(job.output("exit-code").as_deref(), Some("0"));
}

#[test]
fn one_comment_is_kept_for_an_account() {
    let job = Job::new();
    job.run("plan", "");
    let markdown = job.output("markdown").unwrap();
    let keep = || {
        job.step("comment.sh", &[("MARKDOWN", &markdown), ("NUMBER", "7")])
            .expect_exit(0)
    };
    keep();
    let asked = job.asked();
    assert!(
        asked.contains("--method POST repos/acme/accounts/issues/7/comments"),
        "{asked}"
    );
    assert!(asked.contains("\n<!-- trueup:123456789012 -->\n"), "{asked}");
    job.workspace.write("found", "4711\n");
    keep();
    let asked = job.asked();
    assert!(
        asked.contains("--method PATCH repos/acme/accounts/issues/comments/4711"),
        "{asked}"
    );
    // A fork's token reads only.
    job.workspace.write("refuses", "");
    assert!(keep().stdout.contains("::warning::"));
}

#[test]
fn drift_is_one_issue_that_is_closed_when_there_is_none() {
    let job = Job::new();
    job.run("drift", "");
    let markdown = job.output("markdown").unwrap();
    let keep = |code: &str| {
        job.step("issue.sh", &[("MARKDOWN", &markdown), ("CODE", code)])
            .expect_exit(0);
        job.asked()
    };
    let asked = keep("2");
    assert!(
        asked.contains("--method POST repos/acme/accounts/issues --field title=IAM drift in account 123456789012"),
        "{asked}"
    );
    job.workspace.write("found", "12\n");
    assert!(keep("3").contains("--method PATCH repos/acme/accounts/issues/12 --field body=@"));
    let asked = keep("0");
    assert!(
        asked.contains("--method PATCH repos/acme/accounts/issues/12 --field state=closed"),
        "{asked}"
    );
    // Nobody has looked: nothing is closed.
    assert!(!keep("5").contains("--method"));
}

#[test]
fn a_job_ends_as_trueup_did_but_for_changes_that_were_asked_for() {
    let job = Job::new();
    for (command, issue, code, ends) in [
        ("plan", "false", "2", 0),
        ("plan", "false", "3", 3),
        ("drift", "false", "2", 2),
        ("drift", "true", "2", 0),
        ("drift", "true", "7", 7),
        ("apply", "false", "4", 4),
        ("apply", "false", "", 1),
    ] {
        let end = job.step("end.sh", &[("COMMAND", command), ("ISSUE", issue), ("CODE", code)]);
        assert_eq!(end.code, Some(ends), "{command} {code}");
    }
}

#[test]
fn a_text_that_is_no_plan_is_not_posted() {
    let job = Job::new();
    job.workspace.write("other.md", "hello\n");
    let posted = job.step("comment.sh", &[("MARKDOWN", "other.md"), ("NUMBER", "7")]);
    assert_eq!((posted.code, job.asked().as_str()), (Some(1), ""));
}

/// A YAML file of the repository as JSON.
fn yaml(file: &str) -> Value {
    let workspace = Workspace::new();
    let convert = workspace
        .command(python::interpreter())
        .arg(root().join("tests/python/yaml_documents.py"));
    let documents: Value = serde_json::from_str(&convert.arg(root().join(file)).run().expect_exit(0).stdout).unwrap();
    documents[0][0].clone()
}

#[test]
fn the_action_takes_the_release_of_its_own_version() {
    let action = &yaml("action.yml");
    let version = action["inputs"]["version"]["default"].as_str().unwrap();
    let said = Workspace::new().trueup().args("--version").run().expect_exit(0).stdout;
    assert_eq!(said.trim(), format!("trueup {version}"));
    let workflow = std::fs::read_to_string(root().join("deploy/github/workflows/trueup.yml")).unwrap();
    assert!(
        workflow.contains(&format!("trueup-iam/trueup@v{version} ")),
        "another version in trueup.yml"
    );
}

#[test]
fn jobs_of_gitlab_run_commands_of_the_program() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let gitlab = &yaml("deploy/gitlab/trueup.yml");
    let mut ran = 0;
    for job in ["trueup-plan", "trueup-apply", "trueup-drift"] {
        for line in gitlab[job]["script"].as_array().unwrap() {
            let Some(arguments) = line.as_str().unwrap().strip_prefix("trueup ") else {
                continue;
            };
            let output = workspace
                .trueup()
                .args(arguments)
                .env("TRUEUP_LIVE", "sandbox:account.json")
                .run();
            output.expect_exit(0);
            ran += 1;
        }
    }
    assert_eq!(ran, 3);
}
