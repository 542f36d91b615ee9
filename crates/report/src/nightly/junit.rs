//! A plan as the results of tests, which every CI shows: each difference and each unmet requirement is a failure, what is
//! held is skipped.

use std::fmt::Write as _;

use trueup_planner::{Change, ChangeKind, Origin, Plan};

use super::{differences, kind_of};
use crate::escape;

/// Renders a plan as JUnit's XML.
pub fn render_junit(plan: &Plan) -> String {
    let mut cases = String::new();
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    let mut case = |class: &str, name: &str, body: &str| {
        tests += 1;
        failures += usize::from(body.starts_with("<failure"));
        skipped += usize::from(body.starts_with("<skipped"));
        let (class, name) = (attribute(class), attribute(name));
        let _ = match body {
            "" => writeln!(cases, "    <testcase classname=\"{class}\" name=\"{name}\"/>"),
            body => writeln!(
                cases,
                "    <testcase classname=\"{class}\" name=\"{name}\">{body}</testcase>"
            ),
        };
    };
    let differences = differences(plan);
    for change in &differences {
        let kind = kind_of(plan, change);
        let verb = match change.change {
            ChangeKind::Create => "is missing",
            ChangeKind::Update => "differs",
            ChangeKind::Delete => "should not be there",
            ChangeKind::Rename => "has another name",
        };
        let message = attribute(&told(verb, change));
        let body = match plan.held.iter().find(|held| held.resource == change.resource) {
            Some(held) => format!(
                "<skipped message=\"{}\"/>",
                attribute(&format!("held until {}: {}", held.until, held.reason))
            ),
            // A run that is limited to drift has not looked for what is not applied yet.
            None if plan.only.is_some() && change.origin == Some(Origin::Pending) => {
                format!("<skipped message=\"{message}\"/>")
            }
            None => format!("<failure type=\"{kind}\" message=\"{message}\"/>"),
        };
        case("trueup.account", change.resource.as_str(), &body);
    }
    for requirement in &plan.requirements {
        let name = format!("{} {}", requirement.subject, requirement.requirement);
        let body = if requirement.met {
            String::new()
        } else {
            format!(
                "<failure type=\"requirement\" message=\"{}\"/>",
                attribute(&requirement.detail)
            )
        };
        case("trueup.requirements", &name, &body);
    }
    if differences.is_empty() {
        case("trueup.account", "the account matches the manifest", "");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"trueup\" tests=\"{tests}\" failures=\"{failures}\">\n  \
         <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n\
         </testsuites>\n",
        attribute(&format!("account {} as of {}", plan.account_id, plan.as_of))
    )
}

/// What is wrong and why, in one line that tells what differs, since many a CI shows no more.
fn told(verb: &str, change: &Change) -> String {
    let mut told = match change.reason.starts_with(verb) {
        true => change.reason.clone(),
        false => format!("{verb}: {}", change.reason),
    };
    if change.change == ChangeKind::Update && !change.fields.is_empty() {
        let paths: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
        let _ = write!(told, " ({})", paths.join(", "));
    }
    told
}

/// Foreign text in an attribute: control characters are no XML, escaped or not.
fn attribute(foreign: &str) -> String {
    escape::html(foreign)
}
