//! Findings of the access engine as lines of the plan document.

use std::collections::BTreeMap;

use trueup_access::{Cause, Certainty, Engine, Escalation, Finding, Line, Reached, Request, StatementRef};
use trueup_model::Resource;

use super::{
    change::{AccessCause, AccessLine, AccessSource, EscalationLine, EscalationPermission},
    sides::Side,
};

/// What a side has that another one lacks.
pub(super) fn lines(engine: &mut Engine<'_>, findings: &[Finding], having: &Side, lacking: &Side) -> Vec<AccessLine> {
    let found = engine.summarise(findings, &having.holdings.facts);
    found
        .into_iter()
        .map(|line| {
            let partly = has_some(engine, lacking, &line);
            self::line(line, partly, having, lacking)
        })
        .collect()
}

/// Whether a side has some of what a line is about. The statements that decide match all of its actions, so that one of
/// them tells.
fn has_some(engine: &mut Engine<'_>, side: &Side, line: &Line) -> bool {
    // Only what is written as a pattern can be asked for.
    let mut patterns = line
        .resources
        .iter()
        .filter(|resource| !resource.starts_with("all but "));
    patterns.any(|pattern| {
        let reached = engine.reach(&side.holdings, &line.example.action, pattern);
        reached.is_some_and(|reached| reached.is_certain)
    })
}

fn line(line: Line, partly: bool, having: &Side, lacking: &Side) -> AccessLine {
    // A plan is about everybody: the document says as much as a reader sees.
    let shown_actions = line.shown_actions();
    let Line {
        service,
        services,
        service_names,
        other_services,
        levels,
        count,
        actions: _,
        resources,
        conditions,
        cause,
        certainty,
        example,
        is_of_a_known_type,
    } = line;
    let (cause, via) = match cause {
        Cause::Allow(statements) => (AccessCause::Allow, sources(&statements, having)),
        Cause::Deny(statements) => (AccessCause::Deny, sources(&statements, lacking)),
        Cause::NoBoundary => (AccessCause::Boundary, Vec::new()),
    };
    let assumed = match certainty {
        Certainty::Certain => Vec::new(),
        Certainty::May(assumed) => assumed,
    };
    AccessLine {
        service,
        services: services as u64,
        service_names,
        other_services,
        levels,
        count: count as u64,
        actions: shown_actions,
        resources,
        partly,
        conditions,
        cause,
        via,
        certain: assumed.is_empty(),
        assumed,
        example,
        example_fits: is_of_a_known_type,
    }
}

fn sources(statements: &[StatementRef], side: &Side) -> Vec<AccessSource> {
    let mut sources: Vec<AccessSource> = statements
        .iter()
        .filter_map(|statement| {
            Some(AccessSource {
                policy: side.places.get(&statement.origin.policy)?.clone(),
                statement: statement.label.clone(),
            })
        })
        .collect();
    sources.sort();
    sources.dedup();
    sources
}

/// Permissions that hand a role's permissions to somebody.
const HANDING: [&str; 2] = ["iam:PassRole", "sts:AssumeRole"];

/// The paths that a side has and another one lacks. `administrators` are roles, by name and ARN.
pub(super) fn escalations(
    engine: &mut Engine<'_>,
    before: &Side,
    after: &Side,
    administrators: &[(Resource, String)],
) -> Vec<EscalationLine> {
    let found = engine.escalations(&after.holdings);
    if found.is_empty() {
        return Vec::new();
    }
    let roles: BTreeMap<&str, Vec<Resource>> = HANDING
        .into_iter()
        .map(|action| {
            let may = |(_, arn): &&(Resource, String)| {
                let reached = engine.reach(&after.holdings, action, arn);
                reached.is_some_and(|reached| reached.is_certain)
            };
            let roles = administrators.iter().filter(may).map(|(role, _)| role.clone());
            (action, roles.collect())
        })
        .collect();
    let mut had = |request: &Request| engine.reach(&before.holdings, &request.action, "*").is_some();
    let lines = found.into_iter().filter_map(|escalation| {
        let Escalation {
            id,
            category,
            permissions,
        } = escalation;
        let permissions: Vec<EscalationPermission> = permissions
            .into_iter()
            .map(|reached| {
                let Reached {
                    example,
                    is_certain,
                    statements,
                } = reached;
                EscalationPermission {
                    gained: !had(&example),
                    roles: roles.get(example.action.as_str()).cloned().unwrap_or_default(),
                    example,
                    certain: is_certain,
                    via: sources(&statements, after),
                }
            })
            .collect();
        permissions
            .iter()
            .any(|permission| permission.gained)
            .then_some(EscalationLine {
                path: id,
                category,
                permissions,
            })
    });
    lines.collect()
}
