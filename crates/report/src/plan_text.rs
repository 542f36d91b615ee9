//! A plan as text: first what is owned, then what changes, then what stands in the way, and one summary line.

use std::collections::BTreeMap;

use trueup_model::{Resource, desired::Allowance};
use trueup_planner::{
    Action, GuardrailFinding, Held, Ignored, Left, Listed, Note, Overview, Plan, Reads, Requirement, Summary,
};

use crate::{
    TextOptions, Verbosity, access_text, changes, nightly,
    page::{Page, count},
    value::{more, shown},
};

/// How many names of one list are shown before the rest is counted.
const SHOWN_NAMES: usize = 10;
/// How many held changes.
const SHOWN_HELD: usize = 10;

/// Renders a plan for a reviewer.
pub fn render_plan_text(plan: &Plan, options: &TextOptions) -> String {
    let Plan {
        format_version: _,
        tool_version: _,
        account_id,
        as_of,
        digest,
        transition_digest,
        overview,
        summary,
        changes,
        actions,
        requirements,
        access: principals,
        action_data,
        unmanaged,
        ignored,
        held,
        only,
        left,
        guardrails,
        notes,
        // Hashes for `apply` to compare; nothing that a reader could judge.
        facts: _,
        reads,
        cloudtrail_query,
    } = plan;
    let mut page = Page::new(options.color);
    let quiet = options.verbosity == Verbosity::Quiet;
    if !quiet {
        write_overview(&mut page, account_id.as_str(), &as_of.to_string(), overview);
        if !changes.is_empty() {
            page.gap();
            changes::render(&mut page, changes, options);
        }
        if options.verbosity == Verbosity::Verbose {
            write_actions(&mut page, actions);
        }
        access_text::render(&mut page, principals, action_data, options);
    }
    write_requirements(&mut page, requirements, options);
    write_guardrails(&mut page, guardrails);
    if !quiet {
        write_unmanaged(&mut page, unmanaged, options);
        write_ignored(&mut page, ignored, options);
        write_left(&mut page, left, options);
        write_held(&mut page, held, options);
        write_notes(&mut page, notes);
    }
    page.gap();
    if let Some(words) = nightly::origins(plan) {
        page.line(0).bold("Since the last apply: ").text(&words);
    }
    access_text::summary(&mut page, principals);
    match changes.is_empty() {
        true => {
            let (first, rest) = nightly::no_changes(plan);
            let line = page.line(0);
            let line = if plan.drifted() > 0 {
                line.warning(first)
            } else {
                line.good(first)
            };
            drop(line.text(&rest));
        }
        false => write_summary(&mut page, summary),
    }
    if let (false, Some(words)) = (changes.is_empty(), nightly::left(plan)) {
        page.line(0).bold("Left as it is: ").text(&words);
    }
    // A list tells it where there is one.
    if let (true, false, Some(why)) = (quiet, changes.is_empty(), nightly::held(plan)) {
        let number = match only {
            Some(_) => held.len().to_string(),
            None => format!("{} of {}", held.len(), changes.len()),
        };
        page.line(0)
            .bold("Held: ")
            .text(&format!("{number}, which nightly runs leave as they are ({why})"));
    }
    if !quiet {
        page.line(0).dim("Digest: ").text(digest);
        if options.verbosity == Verbosity::Verbose && !transition_digest.is_empty() {
            page.line(0).dim("Transition: ").text(transition_digest);
        }
        if !actions.is_empty() {
            let calls = count(actions.len() as u64, "IAM call", "IAM calls");
            let hint = if options.verbosity == Verbosity::Verbose {
                ""
            } else {
                " (-v lists them)"
            };
            page.line(0).dim("Writes: ").text(&calls).dim(hint);
        }
        write_reads(&mut page, reads);
        write_query(&mut page, cloudtrail_query.as_deref());
    }
    page.into_text()
}

fn write_query(page: &mut Page, query: Option<&str>) {
    let Some(query) = query else { return };
    page.gap();
    page.line(0).bold(nightly::WHO_DID_IT).text(":");
    page.gap();
    for line in query.lines() {
        page.line(0).text(line);
    }
}

/// Renders only the guardrails that stand in the way.
pub fn render_guardrails(findings: &[GuardrailFinding], options: &TextOptions) -> String {
    let mut page = Page::new(options.color);
    write_guardrails(&mut page, findings);
    page.into_text()
}

fn write_overview(page: &mut Page, account: &str, as_of: &str, overview: &Overview) {
    let Overview {
        alias,
        scope,
        managed,
        unchanged,
        untouchable,
    } = overview;
    let mut line = page.line(0).text("Account ").bold(account);
    if let Some(alias) = alias {
        line = line.text(" (").text(alias).text(")");
    }
    drop(line.text(", as of ").text(as_of));
    let scopes: Vec<String> = scope
        .iter()
        .map(|(kind, paths)| {
            if paths.is_empty() {
                format!("{kind} not managed")
            } else {
                format!("{kind} below {}", paths.join(" and "))
            }
        })
        .collect();
    if !scopes.is_empty() {
        page.line(0).text("Scope: ").text(&scopes.join(", "));
    }
    page.line(0).text(&format!(
        "{managed} managed, {unchanged} unchanged, {untouchable} out of reach"
    ));
}

fn write_actions(page: &mut Page, actions: &[Action]) {
    if actions.is_empty() {
        return;
    }
    page.gap();
    page.line(0).bold("Calls, in order");
    let digits = actions.len().to_string().len();
    let longest = actions
        .iter()
        .map(|action| action.call.operation().len())
        .max()
        .unwrap_or_default();
    for Action {
        id,
        call,
        resource,
        after,
        // Said with the change that the call belongs to.
        reason: _,
    } in actions
    {
        let mut line = page
            .line(2)
            .text(&format!("{id:>digits$}  {:<longest$}  ", call.operation(), id = id.0))
            .text(resource.as_str());
        if !after.is_empty() {
            let after: Vec<String> = after.iter().map(ToString::to_string).collect();
            line = line.dim(&format!("  after {}", after.join(", ")));
        }
        drop(line);
    }
}

fn write_requirements(page: &mut Page, requirements: &[Requirement], options: &TextOptions) {
    let unmet: Vec<_> = requirements.iter().filter(|requirement| !requirement.met).collect();
    let met = requirements.len() - unmet.len();
    if requirements.is_empty() || (options.verbosity == Verbosity::Quiet && unmet.is_empty()) {
        return;
    }
    page.gap();
    let line = page.line(0).bold("Requirements: ").text(&format!("{met} met"));
    drop(if unmet.is_empty() {
        line
    } else {
        line.text(", ").warning(&format!("{} not met", unmet.len()))
    });
    let shown = shown(unmet.len(), SHOWN_NAMES, options);
    for Requirement {
        subject,
        requirement,
        met: _,
        detail,
        remedy,
    } in &unmet[..shown]
    {
        page.line(2)
            .warning("! ")
            .bold(subject.as_str())
            .text(" · ")
            .text(requirement)
            .text(": ")
            .text(detail);
        if let Some(remedy) = remedy {
            page.line(6).dim(remedy);
        }
    }
    if shown < unmet.len() {
        page.line(2).dim(&more(unmet.len() - shown));
    }
}

fn write_held(page: &mut Page, held: &[Held], options: &TextOptions) {
    if held.is_empty() {
        return;
    }
    page.gap();
    page.line(0).bold("Held: nightly runs leave these as they are");
    let shown = shown(held.len(), SHOWN_HELD, options);
    for Held {
        resource,
        reason,
        until,
        change: _,
    } in &held[..shown]
    {
        page.line(2)
            .text(resource.as_str())
            .dim(&format!(" (until {until}: {reason})"));
    }
    if shown < held.len() {
        page.line(2).dim(&more(held.len() - shown));
    }
}

/// How a guardrail may pass, in words.
pub(crate) fn allowed_words(finding: &GuardrailFinding) -> String {
    match &finding.allowance {
        Some(Allowance { code: _, reason, until }) => format!("allowed by the manifest until {until}: {reason}"),
        None => format!("allowed by --allow {}", finding.code.as_str()),
    }
}

/// What has to be said to apply again, since `--allow` alone let guardrails pass; `None` where nothing has.
pub(crate) fn to_apply(guardrails: &[GuardrailFinding]) -> Option<String> {
    let mut codes: Vec<&str> = guardrails
        .iter()
        .filter(|finding| finding.is_allowed_by_flag())
        .map(|finding| finding.code.as_str())
        .collect();
    codes.dedup();
    (!codes.is_empty()).then(|| format!("--allow {}", codes.join(",")))
}

fn write_guardrails(page: &mut Page, guardrails: &[GuardrailFinding]) {
    if guardrails.is_empty() {
        return;
    }
    page.gap();
    let refusing = guardrails.iter().filter(|finding| !finding.allowed).count();
    let line = page.line(0).bold("Guardrails: ");
    drop(match (refusing, to_apply(guardrails)) {
        (0, None) => line.text("all allowed"),
        (0, Some(flag)) => line.text("all allowed").text(&format!(" (to apply: {flag})")),
        _ => line.bad("apply refuses"),
    });
    for finding in guardrails {
        let GuardrailFinding {
            code,
            message,
            resources: _,
            allowed,
            allowance: _,
        } = finding;
        let line = page.line(2);
        let line = if *allowed { line.warning("! ") } else { line.bad("! ") };
        let line = line.bold(code.as_str()).text(": ").text(message);
        drop(if *allowed {
            line.dim(&format!(" ({})", allowed_words(finding)))
        } else {
            line.dim(" (--allow ").dim(code.as_str()).dim(" lets it pass)")
        });
    }
}

/// Names under the words that they share.
fn write_names(
    page: &mut Page,
    title: &str,
    total: usize,
    groups: &BTreeMap<String, Vec<&Resource>>,
    options: &TextOptions,
) {
    page.gap();
    page.line(0).bold(title).text(&format!(": {total}"));
    for (words, resources) in groups {
        let shown = shown(resources.len(), SHOWN_NAMES, options);
        page.line(2).text(words).text(if words.is_empty() { "" } else { ":" });
        for resource in &resources[..shown] {
            page.line(4).text(resource.as_str());
        }
        if shown < resources.len() {
            page.line(4).dim(&more(resources.len() - shown));
        }
    }
}

fn write_unmanaged(page: &mut Page, unmanaged: &[Listed], options: &TextOptions) {
    if unmanaged.is_empty() {
        return;
    }
    let mut groups: BTreeMap<String, Vec<&Resource>> = BTreeMap::new();
    for Listed { resource, reason } in unmanaged {
        groups.entry(reason.clone()).or_default().push(resource);
    }
    write_names(page, "Unmanaged", unmanaged.len(), &groups, options);
}

fn write_ignored(page: &mut Page, ignored: &[Ignored], options: &TextOptions) {
    if ignored.is_empty() {
        return;
    }
    let mut groups: BTreeMap<String, Vec<&Resource>> = BTreeMap::new();
    for Ignored { resource, rule, reason } in ignored {
        let words = if reason.is_empty() {
            rule.clone()
        } else {
            format!("{rule} ({reason})")
        };
        groups.entry(words).or_default().push(resource);
    }
    write_names(page, "Ignored", ignored.len(), &groups, options);
}

fn write_left(page: &mut Page, left: &[Left], options: &TextOptions) {
    if left.is_empty() {
        return;
    }
    let mut groups: BTreeMap<String, Vec<&Resource>> = BTreeMap::new();
    for Left {
        resource,
        change: _,
        origin: _,
        because,
        renamed_from: _,
    } in left
    {
        groups.entry(because.clone()).or_default().push(resource);
    }
    write_names(page, "Left as it is", left.len(), &groups, options);
}

fn write_notes(page: &mut Page, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    page.gap();
    page.line(0).bold("Notes");
    for note in notes {
        let Note {
            strict,
            resource: _,
            message,
        } = note;
        let line = page.line(2);
        let mut line = if *strict { line.warning("! ") } else { line.text("- ") };
        if let Some(resource) = note.subject() {
            line = line.text(resource.as_str()).text(": ");
        }
        drop(line.text(message));
    }
}

fn write_summary(page: &mut Page, summary: &Summary) {
    let Summary {
        create,
        update,
        delete,
        // Counted in a line of its own.
        actions: _,
    } = summary;
    page.line(0)
        .bold("Plan:")
        .text(&format!(" {create} to add, {update} to change, {delete} to destroy."));
}

fn write_reads(page: &mut Page, reads: &Reads) {
    let Reads { total, by_operation } = reads;
    let mut line = page.line(0).dim("Reads: ").text(&total.to_string());
    if !by_operation.is_empty() {
        let calls: Vec<String> = by_operation
            .iter()
            .map(|(operation, calls)| format!("{operation} {calls}"))
            .collect();
        line = line.dim(" (").dim(&calls.join(", ")).dim(")");
    }
    drop(line);
}
