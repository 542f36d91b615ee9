//! A plan, and what applying it did, as Markdown for a pull request's comment or a job's summary: the summary first,
//! then what somebody has to decide, then the details, folded, by whom they are about.
//!
//! INVARIANT: foreign text stands in code spans, in fences longer than any run of backticks in it, in `<code>` with
//! references for what HTML takes for its own, or as plain words: see `escape`.

mod decisions;
mod difference;
mod outcome;
mod sheet;
mod summary;

use std::collections::BTreeMap;

use trueup_planner::{ChangeKind, Held, Ignored, Left, Listed, Plan};

use crate::{
    access_folds::folds,
    access_words,
    apply::ApplyOutcome,
    changes::{earlier_name, origin_words},
    escape::{html, longest_run, markdown, markdown_code as code},
    nightly,
    principals::{Kind, Principal, principals},
};
use decisions::sentence;
use sheet::Sheet;

/// Characters that a comment may have by default. GitHub takes 65,536.
pub const COMMENT_BUDGET: usize = 60_000;

/// The whole budget.
const ALL: usize = 100;
/// How many names of what is left alone are said before the rest is counted.
const SHOWN_NAMES: usize = 100;

/// How Markdown is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// Characters that it may have. The summary is never cut, whatever the number.
    pub budget: usize,
    /// What the plan was made for.
    pub purpose: Purpose,
}

impl Default for MarkdownOptions {
    fn default() -> Self {
        Self {
            budget: COMMENT_BUDGET,
            purpose: Purpose::Plan,
        }
    }
}

/// How much is said of one principal. Where a comment has no room for all of them in full, each is told in fewer words
/// before any is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Everything.
    Full,
    /// Access without examples and sources, statements on a line each.
    Short,
    /// One line.
    Line,
}

/// What is left out where changes of access that gain nothing do not fit.
const CHANGES_OF_ACCESS: (&str, &str) = ("change of access", "changes of access");

/// What is tried until everybody fits: how access that is gained is told, and how changes are.
const DETAILS: [(Detail, Detail); 5] = [
    (Detail::Full, Detail::Full),
    (Detail::Short, Detail::Full),
    (Detail::Short, Detail::Short),
    (Detail::Line, Detail::Short),
    (Detail::Line, Detail::Line),
];

/// What a plan was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To be reviewed.
    #[default]
    Plan,
    /// To find out whether anything differs.
    Drift,
}

/// Renders a plan. Begins with a comment that names the account, so that a job finds the comment that it has to edit.
pub fn render_plan_markdown(plan: &Plan, options: &MarkdownOptions) -> String {
    let title = match options.purpose {
        Purpose::Plan => "trueup plan",
        Purpose::Drift => "trueup drift",
    };
    fitting(|details| {
        let mut sheet = begin(plan, title, options);
        body(&mut sheet, plan, details);
        sheet
    })
}

/// Renders a plan that `apply` has refused, and why in one line.
pub fn render_refusal_markdown(plan: &Plan, why: &str, options: &MarkdownOptions) -> String {
    fitting(|details| {
        let mut sheet = begin(plan, "trueup apply", options);
        sheet.must(&format!("**Not applied:** {}.\n\n", markdown(why)));
        body(&mut sheet, plan, details);
        sheet
    })
}

/// Renders what applying `plan` did, followed by the plan.
pub fn render_apply_markdown(outcome: &ApplyOutcome, plan: &Plan, options: &MarkdownOptions) -> String {
    let principals = principals(&plan.changes);
    fitting(|(_, detail)| {
        let mut sheet = begin(plan, "trueup apply", options);
        outcome::write(&mut sheet, outcome, plan);
        sheet.must(&summary::facts(plan));
        sheet.must("\n");
        details(&mut sheet, &principals, detail);
        sheet
    })
}

/// The first document in which nobody is left out; else the one that tells of most.
fn fitting(write: impl Fn((Detail, Detail)) -> Sheet) -> String {
    let mut written = None;
    for details in DETAILS {
        let mut sheet = write(details);
        let lacks_somebody = Kind::ALL.iter().any(|kind| sheet.lacks(kind.words()));
        let is_whole = !lacks_somebody && !sheet.lacks(decisions::GAINS) && !sheet.lacks(CHANGES_OF_ACCESS);
        if details != (Detail::Full, Detail::Full) {
            sheet.shorten();
        }
        written = Some(sheet);
        if is_whole {
            break;
        }
    }
    written.map(Sheet::into_text).unwrap_or_default()
}

fn begin(plan: &Plan, title: &str, options: &MarkdownOptions) -> Sheet {
    let mut sheet = Sheet::new(options.budget);
    sheet.must(&format!("{}\n", marker(plan)));
    sheet.must(&format!("### {title}\n\n"));
    sheet.must(&summary::account(plan));
    sheet.must("\n");
    sheet
}

/// What a job looks for, to edit its comment of last time. Not seen by readers.
fn marker(plan: &Plan) -> String {
    // A plan document from elsewhere could hold anything in place of an account id.
    let id: String = plan.account_id.as_str().chars().filter(char::is_ascii_digit).collect();
    format!("<!-- trueup:{id} -->")
}

fn body(sheet: &mut Sheet, plan: &Plan, (gains, detail): (Detail, Detail)) {
    let Plan {
        format_version: _,
        tool_version: _,
        account_id: _,
        as_of: _,
        digest: _,
        transition_digest: _,
        overview: _,
        summary: _,
        changes,
        // Counted in the summary; their order is the text's and the JSON's business.
        actions: _,
        requirements: _,
        access,
        action_data,
        unmanaged,
        ignored,
        held,
        // The summary says it.
        only: _,
        left,
        guardrails: _,
        notes,
        facts: _,
        reads: _,
        cloudtrail_query,
    } = plan;
    let principals = principals(changes);
    sheet.must(&summary::counts(plan));
    sheet.must("\n");
    let who = summary::who(&principals);
    if !who.is_empty() {
        sheet.must(&who);
        sheet.must("\n");
    }
    if let Some(decisions) = summary::decisions(plan) {
        sheet.must(&decisions);
        sheet.must("\n");
    }
    sheet.must(&summary::facts(plan));
    sheet.must("\n");
    decisions::write(sheet, plan, gains);
    details(sheet, &principals, detail);

    let others = folds(access.iter().filter(|change| !change.may_gain()));
    let others = others.iter().map(|fold| decisions::access(fold, gains));
    sheet.list("#### Access that is lost or stays\n\n", others, ALL, CHANGES_OF_ACCESS);
    if !access.is_empty() {
        let footnote = format!("<sub>{}</sub>\n", sentence(&access_words::footnote(action_data)));
        sheet.list("", [footnote], ALL, ("footnote", "footnotes"));
    }
    let rest = notes.iter().filter(|note| !note.strict).map(decisions::note);
    sheet.list("#### Notes\n\n", rest, ALL, ("note", "notes"));
    let left = left.iter().map(|left| {
        let Left {
            resource,
            change: _,
            origin: _,
            because,
            renamed_from: _,
        } = left;
        format!("- {}: {}\n", code(resource.as_str()), markdown(because))
    });
    let kind = ("change that is left", "changes that are left");
    sheet.list("#### Left as it is\n\n", left.collect::<Vec<_>>(), ALL, kind);
    let held = held.iter().map(|held| {
        let Held {
            resource,
            reason,
            until,
            change: _,
        } = held;
        format!("- {}: until {until}, {}\n", code(resource.as_str()), markdown(reason))
    });
    let heading = "#### Held: nightly runs leave these as they are\n\n";
    sheet.list(heading, held.collect::<Vec<_>>(), ALL, ("held change", "held changes"));
    let query = cloudtrail_query.as_deref().map(query);
    sheet.list(
        "#### Who did it\n\n",
        query,
        ALL,
        ("query for who did it", "queries for who did it"),
    );
    left_alone(sheet, unmanaged, ignored);
}

fn query(query: &str) -> String {
    let query = nightly::query_lines(query).join("\n");
    let fence = "`".repeat(longest_run(&query, '`').max(2) + 1);
    format!(
        "<details><summary>{}</summary>\n\n{fence}sql\n{query}\n{fence}\n\n</details>\n\n",
        html(nightly::WHO_DID_IT)
    )
}

/// Every principal with what changes for it, folded.
fn details(sheet: &mut Sheet, principals: &[Principal<'_>], how: Detail) {
    for kind in Kind::ALL {
        let blocks = principals
            .iter()
            .filter(|principal| principal.kind() == kind)
            .map(|principal| detail(principal, how))
            .collect::<Vec<_>>();
        let heading = format!("#### {}\n\n", kind.title());
        sheet.list(&heading, blocks, ALL, kind.words());
    }
}

fn detail(principal: &Principal<'_>, detail: Detail) -> String {
    let sign = match principal.fate {
        ChangeKind::Create => "+",
        ChangeKind::Update | ChangeKind::Rename => "~",
        ChangeKind::Delete => "−",
    };
    let head = |code: fn(&str) -> String, prose: fn(&str) -> String| {
        let mut head = format!("{sign} {}", code(principal.resource.as_str()));
        if let Some(own) = principal.own {
            match earlier_name(own.change, &own.fields) {
                Some(name) => head.push_str(&format!(" renamed from {}", code(name))),
                None if !own.reason.is_empty() => head.push_str(&format!(" · {}", prose(&shortened(&own.reason)))),
                None => {}
            }
        }
        if principal.is_destructive() {
            head.push_str(" · <b>destructive</b>");
        }
        for origin in principal.origins() {
            head.push_str(&format!(" · <b>{}</b>", origin_words(origin)));
        }
        head
    };
    if detail == Detail::Line {
        return format!("- {}{}\n", head(code, markdown), difference::line(principal));
    }
    let fence = difference::fence(principal, detail);
    if fence.is_empty() {
        return format!("{}\n\n", head(code, markdown));
    }
    let head = head(html_code, html_prose);
    format!("<details><summary>{head}</summary>\n\n{fence}\n</details>\n\n")
}

/// A block of HTML holds no Markdown; links and mentions are found in its words all the same.
fn html_code(foreign: &str) -> String {
    format!("<code>{}</code>", html(foreign))
}

fn html_prose(foreign: &str) -> String {
    let parts = foreign.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 || markdown(part) != part {
            html_code(part)
        } else {
            html(part)
        }
    });
    parts.collect()
}

/// Reasons come from manifests and can be long.
fn shortened(reason: &str) -> String {
    const LONGEST: usize = 120;
    match reason.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &reason[..at]),
        None => reason.to_owned(),
    }
}

/// What the plan does not touch and a reader should know of, folded.
fn left_alone(sheet: &mut Sheet, unmanaged: &[Listed], ignored: &[Ignored]) {
    let mut by_words: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for Listed { resource, reason } in unmanaged {
        let names = by_words.entry(("Unmanaged", markdown(reason))).or_default();
        names.push(resource.as_str());
    }
    for Ignored { resource, rule, reason } in ignored {
        let words = if reason.is_empty() {
            code(rule)
        } else {
            format!("{} ({})", code(rule), markdown(reason))
        };
        by_words.entry(("Ignored", words)).or_default().push(resource.as_str());
    }
    let blocks = by_words.into_iter().map(|((title, words), names)| {
        let mut shown: Vec<String> = names.iter().take(SHOWN_NAMES).map(|name| code(name)).collect();
        if names.len() > SHOWN_NAMES {
            shown.push(format!("{} more", names.len() - SHOWN_NAMES));
        }
        let colon = if words.is_empty() { "" } else { ": " };
        format!(
            "<details><summary>{title}: {}</summary>\n\n{words}{colon}{}\n\n</details>\n\n",
            names.len(),
            shown.join(", ")
        )
    });
    let kind = ("list of what is left alone", "lists of what is left alone");
    sheet.list("#### Left alone\n\n", blocks.collect::<Vec<_>>(), ALL, kind);
}
