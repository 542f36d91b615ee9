//! What changes in somebody's access, in words: pieces of a sentence that every format writes by its own rules.
//!
//! It never says that something is safe, or what a call will do in the end: resource policies, organisation policies
//! and session policies are not looked at.

use std::collections::BTreeSet;

use trueup_access::{Request, Verdict, data::AccessLevel};
use trueup_model::Resource;
use trueup_planner::{
    AccessCause, AccessChange, AccessLine, AccessSource, AdministratorChange, EscalationLine, EscalationPermission,
};

use crate::page::count;

/// How many names of one list are said before the rest is counted.
const SHOWN: usize = 6;
/// The same where everything else is left out.
const SHOWN_BRIEFLY: usize = 12;

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Words of our own.
    Text(String),
    /// A foreign name: an action, a pattern, a resource.
    Code(String),
    /// Foreign words.
    Prose(String),
}

fn text(words: impl Into<String>) -> Piece {
    Piece::Text(words.into())
}

/// What is not looked at, and the day of the action data.
pub(crate) fn footnote(action_data: &str) -> Vec<Piece> {
    vec![
        text(
            "Access is that of identity policies and boundaries. Not looked at: resource policies (may grant more), \
             organisation and session policies (only reduce), trust and key policies. Action data of ",
        ),
        Piece::Code(action_data.to_owned()),
        text("."),
    ]
}

/// One line over all principals; `None` where nobody's policies change.
pub(crate) fn overall(access: &[AccessChange]) -> Option<String> {
    if access.is_empty() {
        return None;
    }
    let number = |of: &[Verdict]| access.iter().filter(|change| of.contains(&change.verdict)).count();
    let administrators = |of| access.iter().filter(|change| change.administrator == Some(of)).count();
    let escalating = access.iter().filter(|change| !change.escalation.is_empty()).count();
    let said = [
        (number(&[Verdict::More]), "gain", "gains"),
        (number(&[Verdict::Less]), "lose", "loses"),
        (number(&[Verdict::Both]), "gain and lose", "gains and loses"),
        (number(&[Verdict::Same]), "stay the same", "stays the same"),
        (
            number(&[Verdict::Unknown]),
            "are not decided: treat as new access",
            "is not decided: treat as new access",
        ),
        (
            administrators(AdministratorChange::Made),
            "become administrators",
            "becomes an administrator",
        ),
        (
            administrators(AdministratorChange::Unmade),
            "are administrators no longer",
            "is an administrator no longer",
        ),
        (escalating, "get a known way to more", "gets a known way to more"),
    ];
    let said: Vec<String> = said
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, many, one)| format!("{number} {}", if number == 1 { one } else { many }))
        .collect();
    Some(format!(
        "of {} whose policies change, {}",
        count(access.len() as u64, "principal", "principals"),
        said.join(", ")
    ))
}

/// What the verdict means, without the details.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "the same access (proved)",
        Verdict::More => "more access",
        Verdict::Less => "less access, nothing new (proved)",
        Verdict::Both => "more access here, less there",
        Verdict::Unknown => "not decided: treat as new access",
    }
}

/// Whether somebody becomes an administrator.
pub(crate) fn administrator(change: AdministratorChange) -> &'static str {
    match change {
        AdministratorChange::Made => "becomes an administrator",
        AdministratorChange::Unmade => "is an administrator no longer",
    }
}

/// What is gained.
pub(crate) fn gained(line: &AccessLine) -> Vec<Piece> {
    permissions(gain_head(line), line)
}

fn gain_head(line: &AccessLine) -> &'static str {
    match (line.certain, line.partly) {
        (true, false) => "newly allowed: ",
        (true, true) => "newly allowed in part: ",
        (false, _) => "may be newly allowed: ",
    }
}

/// What is lost.
pub(crate) fn lost(line: &AccessLine) -> Vec<Piece> {
    permissions(loss_head(line), line)
}

fn loss_head(line: &AccessLine) -> &'static str {
    match (line.certain, line.partly) {
        (true, false) => "no longer allowed: ",
        (true, true) => "no longer allowed in part: ",
        (false, _) => "may be no longer allowed: ",
    }
}

/// What is gained, without examples and sources: a line for each set of resources and conditions.
pub(crate) fn gained_briefly(lines: &[AccessLine]) -> Vec<Vec<Piece>> {
    briefly(gain_head, lines)
}

/// What is lost, likewise.
pub(crate) fn lost_briefly(lines: &[AccessLine]) -> Vec<Vec<Piece>> {
    briefly(loss_head, lines)
}

fn briefly(head: fn(&AccessLine) -> &'static str, lines: &[AccessLine]) -> Vec<Vec<Piece>> {
    let mut together: Vec<AccessLine> = Vec::new();
    for line in lines {
        let is_alike = |other: &&mut AccessLine| {
            let same = |a: &AccessLine, b: &AccessLine| {
                (&a.resources, &a.conditions, &a.assumed, a.certain, a.partly)
                    == (&b.resources, &b.conditions, &b.assumed, b.certain, b.partly)
            };
            same(other, line) && !other.actions.is_empty() && !line.actions.is_empty()
        };
        match together.iter_mut().find(is_alike) {
            Some(other) => other.actions.extend(line.actions.iter().cloned()),
            None => together.push(line.clone()),
        }
    }
    let said = together.iter().map(|line| what(head(line), line, SHOWN_BRIEFLY));
    said.collect()
}

/// The actions of all lines, by name where they have names, and nothing else.
pub(crate) fn actions(lines: &[AccessLine]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let named: BTreeSet<&String> = lines.iter().flat_map(|line| &line.actions).collect();
    let named: Vec<String> = named.into_iter().cloned().collect();
    names(&mut pieces, &named, SHOWN_BRIEFLY);
    for line in lines.iter().filter(|line| line.actions.is_empty()) {
        let unlimited = AccessLine {
            resources: Vec::new(),
            conditions: Vec::new(),
            assumed: Vec::new(),
            ..line.clone()
        };
        if !pieces.is_empty() {
            pieces.push(text(", "));
        }
        pieces.extend(what("", &unlimited, SHOWN));
    }
    pieces
}

/// What is gained or lost, under a heading that says which.
pub(crate) fn either(line: &AccessLine) -> Vec<Piece> {
    permissions(
        match (line.certain, line.partly) {
            (true, false) => "",
            (true, true) => "in part: ",
            (false, _) => "may be: ",
        },
        line,
    )
}

fn permissions(head: &str, line: &AccessLine) -> Vec<Piece> {
    let mut pieces = what(head, line, SHOWN);
    let Request {
        action,
        resource,
        context,
    } = &line.example;
    let is_said = line.actions == [action.clone()] && line.resources == [resource.clone()] && context.is_empty();
    if !is_said {
        pieces.push(text(", for example "));
        pieces.push(Piece::Code(action.to_string()));
        pieces.push(text(" on "));
        pieces.push(Piece::Code(resource.to_string()));
        for (index, (key, values)) in context.iter().enumerate() {
            pieces.push(text(if index == 0 { " with " } else { " and " }));
            pieces.push(Piece::Code(format!("{key} = {}", values.join(", "))));
        }
        if !line.example_fits {
            pieces.push(text(" (of a type that the action may not have)"));
        }
    }
    sources(
        &mut pieces,
        match line.cause {
            AccessCause::Allow => "; through ",
            AccessCause::Deny => "; a deny differs in ",
            AccessCause::Boundary => "; the boundary differs: ",
        },
        &line.via,
    );
    pieces
}

/// The actions, the resources, and what must hold. At most so many actions are named.
fn what(head: &str, line: &AccessLine, most: usize) -> Vec<Piece> {
    let AccessLine {
        service,
        services,
        service_names,
        other_services,
        levels,
        count: actions_in_all,
        actions,
        resources,
        // Said by the head.
        partly: _,
        conditions,
        // Said by the caller, or left out.
        cause: _,
        via: _,
        certain: _,
        assumed,
        example: _,
        example_fits: _,
    } = line;
    let mut pieces = Vec::new();
    if !head.is_empty() {
        pieces.push(text(head));
    }
    if actions.is_empty() {
        let of_all = levels.len() == AccessLevel::ALL.len();
        let levels: Vec<String> = levels.iter().map(|level| level.to_string().to_lowercase()).collect();
        let levels = if of_all {
            String::new()
        } else {
            format!("{} ", both(&levels))
        };
        let all = if service_names.is_empty() { "all " } else { "" };
        pieces.push(text(format!(
            "{all}{} of ",
            count(*actions_in_all, &format!("{levels}action"), &format!("{levels}actions"))
        )));
        if service != "*" {
            pieces.push(Piece::Code(service.clone()));
        } else if service_names.is_empty() && other_services.is_empty() {
            pieces.push(text(format!("all {}", count(*services, "service", "services"))));
        } else if service_names.is_empty() {
            pieces.push(text(format!("{} (all but ", count(*services, "service", "services"))));
            names(&mut pieces, other_services, SHOWN);
            pieces.push(text(")"));
        } else {
            pieces.push(text(format!("{} (", count(*services, "service", "services"))));
            names(&mut pieces, service_names, SHOWN);
            pieces.push(text(")"));
        }
    } else {
        names(&mut pieces, actions, most);
    }
    if !resources.is_empty() {
        pieces.push(text(" on "));
        names(&mut pieces, resources, SHOWN);
    }
    for (index, condition) in conditions.iter().enumerate() {
        pieces.push(text(if index == 0 { ", when " } else { " and " }));
        pieces.push(Piece::Prose(condition.clone()));
    }
    for (index, condition) in assumed.iter().enumerate() {
        pieces.push(text(if index == 0 { ", if " } else { " and " }));
        pieces.push(Piece::Prose(condition.clone()));
    }
    if !assumed.is_empty() {
        pieces.push(text(" (not interpreted)"));
    }
    pieces
}

/// `list, read and write`.
fn both(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn names(pieces: &mut Vec<Piece>, names: &[String], most: usize) {
    for (index, name) in names.iter().take(most).enumerate() {
        if index > 0 {
            pieces.push(text(", "));
        }
        // The last of many is a count.
        let is_count = name
            .strip_suffix(" more")
            .is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()));
        pieces.push(if is_count {
            text(name.clone())
        } else {
            Piece::Code(name.clone())
        });
    }
    if names.len() > most {
        pieces.push(text(format!(" and {} more", names.len() - most)));
    }
}

/// The policies by which something is held, each once and as short as it is clear.
fn sources(pieces: &mut Vec<Piece>, head: &str, via: &[AccessSource]) {
    let mut said: Vec<Vec<Piece>> = Vec::new();
    for AccessSource { policy, statement } in via {
        let place = match (policy.kind(), policy.part_name()) {
            ("permissions-boundary", _) => {
                vec![Piece::Code(policy.entity().to_string()), text(" permissions boundary")]
            }
            (_, Some(name)) => {
                let name = if name.starts_with("arn:") {
                    name.rsplit('/').next().unwrap_or(name)
                } else {
                    name
                };
                vec![
                    Piece::Code(policy.entity().to_string()),
                    text(" policy "),
                    Piece::Code(name.to_owned()),
                ]
            }
            (_, None) => vec![Piece::Code(policy.to_string())],
        };
        let mut source = place;
        // A statement without a name is called by what it says, and that has been said.
        if !statement.is_empty() && statement.bytes().all(|b| b.is_ascii_alphanumeric()) {
            source.push(text(" · "));
            source.push(Piece::Prose(statement.clone()));
        }
        if !said.contains(&source) {
            said.push(source);
        }
    }
    let more = said.len().saturating_sub(SHOWN);
    for (index, source) in said.into_iter().take(SHOWN).enumerate() {
        pieces.push(text(if index == 0 { head } else { ", " }));
        pieces.extend(source);
    }
    if more > 0 {
        pieces.push(text(format!(" and {more} more")));
    }
}

/// A known way from some permissions to more. On which resources each is allowed is not said: that it is on some makes
/// it worth a look.
pub(crate) fn escalation(line: &EscalationLine) -> Vec<Piece> {
    let mut pieces = vec![text("a known way to more access: ")];
    pieces.extend(way(line));
    pieces
}

/// The same, under a heading.
pub(crate) fn way(line: &EscalationLine) -> Vec<Piece> {
    let EscalationLine {
        path,
        category,
        permissions,
    } = line;
    let mut pieces = vec![Piece::Code(path.clone()), text(" (")];
    pieces.push(Piece::Prose(category.clone()));
    pieces.push(text(")"));
    let (gained, had): (Vec<_>, Vec<_>) = permissions.iter().partition(|permission| permission.gained);
    for (head, permissions) in [(", new ", &gained), (", with ", &had)] {
        for (index, permission) in permissions.iter().enumerate() {
            let EscalationPermission {
                example,
                certain,
                gained: _,
                via: _,
                roles: _,
            } = permission;
            pieces.push(text(if index == 0 { head } else { ", " }));
            pieces.push(Piece::Code(example.action.to_string()));
            if !certain {
                pieces.push(text(" (maybe)"));
            }
        }
        if head == ", with " && !permissions.is_empty() {
            pieces.push(text(" of before"));
        }
    }
    let via: Vec<AccessSource> = gained.iter().flat_map(|permission| permission.via.clone()).collect();
    sources(&mut pieces, "; through ", &via);
    let roles: BTreeSet<&str> = permissions
        .iter()
        .flat_map(|permission| permission.roles.iter().map(Resource::as_str))
        .collect();
    if !roles.is_empty() {
        let roles: Vec<String> = roles.into_iter().map(str::to_owned).collect();
        pieces.push(text("; in reach, and an administrator: "));
        names(&mut pieces, &roles, SHOWN);
    }
    pieces
}
