//! Who can do what after the plan and could not before, and the other way round; principals of whom the same is true
//! together.
//!
//! The words are those of the analysis: what is proved is called proved, what may be is called so, and nobody is told
//! what somebody "can do" in the end, since resource policies and organisation policies are not looked at.

use std::collections::BTreeSet;

use trueup_access::{Request, Verdict, data::AccessLevel};
use trueup_model::Resource;
use trueup_planner::{
    AccessCause, AccessChange, AccessLine, AccessSource, AdministratorChange, EscalationLine, EscalationPermission,
};

use crate::{
    TextOptions, Verbosity,
    access_folds::{self, Fold, folds},
    page::{Page, Sign, count},
    value::{more, shown},
};

/// How many principals, or groups of them, are shown before the rest is counted.
const SHOWN_PRINCIPALS: usize = 10;
/// How many lines of one principal.
const SHOWN_LINES: usize = 6;
/// How many names of one list.
const SHOWN_NAMES: usize = 4;

/// Writes what changes for each principal, those who gain first.
pub(crate) fn render(page: &mut Page, access: &[AccessChange], action_data: &str, options: &TextOptions) {
    if access.is_empty() {
        return;
    }
    page.gap();
    page.line(0).bold("Access:");
    let folds = folds(access);
    let (same, changed): (Vec<&Fold<'_>>, Vec<&Fold<'_>>) =
        folds.iter().partition(|fold| fold.change.verdict == Verdict::Same);
    let shown_folds = shown(changed.len(), SHOWN_PRINCIPALS, options);
    for fold in &changed[..shown_folds] {
        principal(page, fold, options);
    }
    if shown_folds < changed.len() {
        page.line(2).dim(&more(changed.len() - shown_folds));
    }
    let unchanged: Vec<&Resource> = same.iter().flat_map(|fold| fold.principals.iter().copied()).collect();
    if !unchanged.is_empty() {
        page.line(2)
            .bold(&names(&unchanged, options))
            .text(": no new access and none lost (proved)");
    }
    let assumptions: BTreeSet<&str> = access
        .iter()
        .flat_map(|change| change.assumptions.iter().map(String::as_str))
        .collect();
    for assumption in assumptions {
        page.line(2).dim("This rests on: ").dim(assumption).dim(".");
    }
    page.line(2).dim(
        "Looked at are identity policies and permissions boundaries. Resource policies may grant more; policies of",
    );
    page.line(2)
        .dim("the organization and of sessions only take away. Action data of ")
        .dim(action_data)
        .dim(".");
}

/// One line for the summary; nothing where nobody's policies change.
pub(crate) fn summary(page: &mut Page, access: &[AccessChange]) {
    if access.is_empty() {
        return;
    }
    let number = |is: &dyn Fn(&AccessChange) -> bool| access.iter().filter(|change| is(change)).count();
    let gain = number(&|change| matches!(change.verdict, Verdict::More | Verdict::Both));
    let lose = number(&|change| matches!(change.verdict, Verdict::Less | Verdict::Both));
    let unknown = number(&|change| change.verdict == Verdict::Unknown);
    let verb = |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let line = page.line(0).bold("Access:");
    let mut line = if gain + lose + unknown == 0 {
        line.text(" nobody gains or loses (proved)")
    } else {
        line.text(&format!(
            " {}, {}, {unknown} unknown",
            verb(gain, "gains", "gain"),
            verb(lose, "loses", "lose")
        ))
    };
    for (change, words) in [
        (AdministratorChange::Made, "made"),
        (AdministratorChange::Unmade, "unmade"),
    ] {
        let number = number(&|of| of.administrator == Some(change));
        if number > 0 {
            line = line.text(", ").warning(&format!(
                "{} {words}",
                count(number as u64, "administrator", "administrators")
            ));
        }
    }
    drop(line);
}

/// `user/alice`, or `12 users: alice, bob, … and 10 more`.
fn names(principals: &[&Resource], options: &TextOptions) -> String {
    if let [only] = principals {
        return only.as_str().to_owned();
    }
    let shown = shown(principals.len(), SHOWN_NAMES, options);
    let mut listed: Vec<String> = principals[..shown]
        .iter()
        .map(|principal| principal.entity_name().to_owned())
        .collect();
    if shown < principals.len() {
        listed.push(more(principals.len() - shown));
    }
    format!("{} ({})", access_folds::number(principals), listed.join(", "))
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "no new access and none lost (proved)",
        Verdict::More => "more",
        Verdict::Less => "less, and no new access (proved)",
        Verdict::Both => "more and less",
        Verdict::Unknown => "not decided: treat as new access",
    }
}

fn principal(page: &mut Page, fold: &Fold<'_>, options: &TextOptions) {
    let AccessChange {
        principal,
        verdict: own_verdict,
        gained,
        lost,
        administrator,
        escalation,
        unknown,
        assumptions: _,
    } = fold.change;
    let line = page.line(2).bold(&names(&fold.principals, options)).text(": ");
    let words = verdict(*own_verdict);
    drop(match own_verdict {
        Verdict::Unknown => line.bad(words),
        Verdict::More | Verdict::Both => line.warning(words),
        Verdict::Same | Verdict::Less => line.text(words),
    });
    match administrator {
        Some(AdministratorChange::Made) => drop(page.line(4).bad("! ").text("becomes an administrator")),
        Some(AdministratorChange::Unmade) => drop(page.line(4).warning("! ").text("is no longer an administrator")),
        None => {}
    }
    for cause in unknown {
        page.line(4).bad("? ").text(cause);
    }
    for (sign, lines) in [(Sign::Add, gained), (Sign::Remove, lost)] {
        let shown = shown(lines.len(), SHOWN_LINES, options);
        for line in &lines[..shown] {
            permissions(page, sign, line, principal, options);
        }
        if shown < lines.len() {
            page.line(4).sign(sign).dim(&more(lines.len() - shown));
        }
    }
    paths(page, escalation, principal, options);
}

/// One line of what is gained or lost, and its example.
fn permissions(page: &mut Page, sign: Sign, line: &AccessLine, principal: &Resource, options: &TextOptions) {
    let AccessLine {
        service: _,
        services: _,
        service_names: _,
        other_services: _,
        levels: _,
        count: _,
        actions: _,
        resources,
        partly,
        conditions,
        cause,
        via,
        certain,
        assumed,
        example,
        example_fits,
    } = line;
    let is_gain = sign == Sign::Add;
    let mut out = page.line(4).sign(sign);
    if !certain {
        out = out.warning("may be: ");
    }
    out = out
        .text(&subject(line, options))
        .text(" on ")
        .text(&listed(resources, options));
    if !conditions.is_empty() {
        out = out.text(" when ").text(&conditions.join(" and "));
    }
    if *partly {
        out = out.text(if is_gain {
            " (in part: some of it was allowed before)"
        } else {
            " (in part: some of it is still allowed)"
        });
    }
    if !assumed.is_empty() {
        out = out
            .text(", if ")
            .text(&assumed.join(" and "))
            .text(" (not interpreted)");
    }
    drop(out);
    let mut out = page.line(8).dim("for example ").dim(&request(example));
    if !example_fits {
        out = out.dim(", a resource that the action is not known to have");
    }
    let through = through(via, principal, options);
    let why = match (cause, is_gain) {
        (AccessCause::Allow, true) => format!("; through {through}"),
        (AccessCause::Allow, false) => format!("; it came through {through}"),
        (AccessCause::Deny, true) => format!("; no longer denied by {through}"),
        (AccessCause::Deny, false) => format!("; denied by {through}"),
        (AccessCause::Boundary, true) => "; no permissions boundary is in the way any more".to_owned(),
        (AccessCause::Boundary, false) => "; outside the new permissions boundary".to_owned(),
    };
    drop(out.dim(&why));
}

/// `s3 Write: PutObject, DeleteObject`.
fn subject(line: &AccessLine, options: &TextOptions) -> String {
    let levels: Vec<String> = line.levels.iter().map(ToString::to_string).collect();
    let levels = if line.levels.len() == AccessLevel::ALL.len() {
        "all levels".to_owned()
    } else {
        levels.join(", ")
    };
    if line.levels.is_empty() {
        return format!("action names that the data lacks, {}", line.actions.join(", "));
    }
    if line.service == "*" {
        return match (line.actions.is_empty(), line.service_names.is_empty()) {
            (true, true) if line.other_services.is_empty() => format!("{levels} of all {} services", line.services),
            (true, true) => format!(
                "{levels} of {} (all but {})",
                count(line.services, "service", "services"),
                services(&line.other_services, options)
            ),
            (true, false) => format!(
                "{levels}: {} of {} ({})",
                count(line.count, "action", "actions"),
                count(line.services, "service", "services"),
                services(&line.service_names, options)
            ),
            (false, _) => format!("{levels}: {}", line.actions.join(", ")),
        };
    }
    if line.actions.is_empty() {
        return format!("{} {levels}", line.service);
    }
    let prefix = format!("{}:", line.service);
    let actions: Vec<&str> = line
        .actions
        .iter()
        .map(|action| action.strip_prefix(&prefix).unwrap_or(action))
        .collect();
    format!("{} {levels}: {}", line.service, actions.join(", "))
}

/// Prefixes of services, in brackets of somebody else's.
fn services(names: &[String], options: &TextOptions) -> String {
    let shown = shown(names.len(), SHOWN_NAMES, options);
    let listed = names[..shown].join(", ");
    match names.len() - shown {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

fn listed(texts: &[String], options: &TextOptions) -> String {
    let shown = shown(texts.len(), SHOWN_NAMES, options);
    let mut listed = texts[..shown].to_vec();
    if shown < texts.len() {
        listed.push(more(texts.len() - shown));
    }
    listed.join(", ")
}

fn request(request: &Request) -> String {
    let Request {
        action,
        resource,
        context,
    } = request;
    let mut text = format!("{action} on {resource}");
    for (index, (key, values)) in context.iter().enumerate() {
        let values = if values.iter().all(String::is_empty) {
            "empty".to_owned()
        } else {
            values.join(" and ")
        };
        text.push_str(if index == 0 { " where " } else { " and " });
        text.push_str(&format!("{key} is {values}"));
    }
    text
}

/// The policies by which something is held, each once.
fn through(via: &[AccessSource], principal: &Resource, options: &TextOptions) -> String {
    let mut places: Vec<String> = Vec::new();
    for AccessSource { policy, statement } in via {
        let holder = policy.entity();
        let name = policy.part_name().map(short);
        let mut place = match (policy.kind(), name) {
            ("permissions-boundary", _) => "its permissions boundary".to_owned(),
            (_, Some(name)) if holder == *principal => format!("its own policy {name}"),
            (_, Some(name)) => format!("{holder}, policy {name}"),
            (_, None) => policy.as_str().to_owned(),
        };
        if options.verbosity == Verbosity::Verbose {
            place.push_str(&format!(", statement {statement}"));
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    listed(&places, options)
}

/// The name in a policy's ARN; the name of an inline policy as it is.
fn short(policy: &str) -> &str {
    if policy.starts_with("arn:") {
        policy.rsplit('/').next().unwrap_or(policy)
    } else {
        policy
    }
}

/// Known paths, as the hints that they are.
fn paths(page: &mut Page, escalation: &[EscalationLine], principal: &Resource, options: &TextOptions) {
    if escalation.is_empty() {
        return;
    }
    let them = count(
        escalation.len() as u64,
        "known escalation path",
        "known escalation paths",
    );
    page.line(4).warning("! ").text(&format!(
        "now holds all permissions of {them}, each on some resource, maybe under conditions:"
    ));
    let shown = shown(escalation.len(), SHOWN_LINES, options);
    for EscalationLine {
        path,
        category,
        permissions,
    } in &escalation[..shown]
    {
        let (gained, had): (Vec<_>, Vec<_>) = permissions.iter().partition(|permission| permission.gained);
        let actions = |permissions: &[&EscalationPermission]| -> String {
            let actions: Vec<&str> = permissions
                .iter()
                .map(|permission| permission.example.action.as_str())
                .collect();
            actions.join(", ")
        };
        let mut out = page
            .line(8)
            .text(&format!("{path} ({category}): "))
            .text(&actions(&gained));
        if !had.is_empty() {
            out = out.text("; had already ").text(&actions(&had));
        }
        let sources: Vec<AccessSource> = gained.iter().flat_map(|permission| permission.via.clone()).collect();
        let through = through(&sources, principal, &TextOptions::default());
        let out = out.dim(&format!("; through {through}"));
        let roles: BTreeSet<&str> = permissions
            .iter()
            .flat_map(|permission| permission.roles.iter().map(Resource::as_str))
            .collect();
        let roles: Vec<String> = roles.into_iter().map(str::to_owned).collect();
        drop(match roles.as_slice() {
            [] => out,
            _ => out
                .warning("; in reach, and an administrator: ")
                .text(&listed(&roles, &TextOptions::default())),
        });
    }
    if shown < escalation.len() {
        page.line(8).dim(&more(escalation.len() - shown));
    }
}
