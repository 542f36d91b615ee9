//! Findings for people: by service and access level, with resources.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::bits::Bits;
use crate::comparison::{Actions, Cause, Certainty, Finding, ListedActions};
use crate::data::{AccessLevel, IamData};
use crate::holdings::Request;

/// What is gained or lost of one service, on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The service's prefix; `*` for all services, or for more than a reader wants to see one by one.
    pub service: String,
    /// How many services it is about.
    pub services: usize,
    /// The levels of its actions; empty for names that the action data lacks.
    pub levels: Vec<AccessLevel>,
    /// How many of the data's actions it is about.
    pub count: usize,
    /// Their names, where they are not all of these services and levels, and not many; names that the data lacks as a
    /// pattern.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// On which resources: patterns.
    pub resources: Vec<String>,
    /// Under which conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Through which statements.
    pub cause: Cause,
    /// How sure it is.
    pub certainty: Certainty,
    /// A request of this kind.
    pub example: Request,
    /// Whether its resource is of a type that the action has, as far as the action data tells.
    pub is_of_a_known_type: bool,
}

/// How many services are told apart; more are one line.
const SERVICES: usize = 12;
/// How many actions are named.
const NAMES: usize = 6;

impl Line {
    /// The line in words, for example `s3: +Write on arn:aws:s3:::reports/*`.
    pub fn render(&self, sign: char) -> String {
        let mut text = match (self.service.as_str(), self.levels.is_empty()) {
            (_, true) => format!("{sign}{} (names that the action data lacks)", self.actions.join(", ")),
            ("*", false) if self.levels.len() == AccessLevel::ALL.len() && self.actions.is_empty() => {
                format!("{} services: {sign}all levels", self.services)
            }
            ("*", false) => format!("{} services: {sign}{}", self.services, self.level_names()),
            (service, false) => format!("{service}: {sign}{}", self.level_names()),
        };
        if !self.levels.is_empty() && !self.actions.is_empty() {
            text.push_str(&format!(" ({})", self.actions.join(", ")));
        }
        text.push_str(&format!(" on {}", self.resources.join(", ")));
        if !self.conditions.is_empty() {
            text.push_str(&format!(" when {}", self.conditions.join(" and ")));
        }
        if let Certainty::May(assumed) = &self.certainty {
            text.push_str(&format!(", if {} (not interpreted)", assumed.join(" and ")));
        }
        text
    }

    fn level_names(&self) -> String {
        let names: Vec<String> = self.levels.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

/// What lines share that become one.
type Manner = (Cause, Vec<String>, Certainty);

/// Actions of one service, and the findings that they come from.
type Gathered<'f> = (Bits, Vec<(&'f ListedActions, &'f Finding)>);

/// Levels, how many actions they have, and the names of those that are gained alone.
type Levels = (Vec<AccessLevel>, (usize, Vec<String>));

/// Findings as lines, the broadest first.
pub fn summarise(findings: &[Finding], data: &IamData) -> Vec<Line> {
    let mut listed: BTreeMap<(Manner, String), Gathered<'_>> = BTreeMap::new();
    let mut unlisted: BTreeMap<(Manner, String), (BTreeSet<String>, Request)> = BTreeMap::new();
    let mut broad: BTreeSet<(Cause, String)> = BTreeSet::new();
    for finding in findings {
        let manner = (
            finding.cause.clone(),
            finding.conditions.clone(),
            finding.certainty.clone(),
        );
        match &finding.actions {
            Actions::Listed(actions) => {
                broad.insert((finding.cause.clone(), finding.resource.clone()));
                let key = (manner, finding.resource.clone());
                let (bits, members) = listed
                    .entry(key)
                    .or_insert_with(|| (Bits::new(data.actions().len()), Vec::new()));
                bits.unite(&actions.0);
                members.push((actions, finding));
            }
            Actions::Unlisted(pattern) => {
                let entry = unlisted.entry((manner, finding.resource.clone()));
                let (patterns, _) = entry.or_insert_with(|| (BTreeSet::new(), finding.example.clone()));
                patterns.insert(pattern.clone());
            }
        }
    }
    let mut lines: Vec<Line> = Vec::new();
    for (((cause, conditions, certainty), resource), (bits, members)) in listed {
        for (service, services, bits) in by_service(&bits, data) {
            for (levels, names) in by_level(&service, &bits, data) {
                let is_own = |action: &usize| bits.contains(*action) && levels.contains(&data.actions()[*action].level);
                let (example, is_of_a_known_type) = example(&members, is_own, data);
                let line = Line {
                    service: service.clone(),
                    services,
                    levels,
                    count: names.0,
                    actions: names.1,
                    resources: vec![resource.clone()],
                    conditions: conditions.clone(),
                    cause: cause.clone(),
                    certainty: certainty.clone(),
                    example,
                    is_of_a_known_type,
                };
                add(&mut lines, line);
            }
        }
    }
    for (((cause, conditions, certainty), resource), (patterns, example)) in unlisted {
        // Where listed actions are gained by the same statement on the same resource, new names go without saying.
        if broad.contains(&(cause.clone(), resource.clone())) {
            continue;
        }
        let service = example.action.split(':').next().unwrap_or_default().to_owned();
        let line = Line {
            service,
            services: 1,
            levels: Vec::new(),
            count: 0,
            actions: patterns.into_iter().collect(),
            resources: vec![resource],
            conditions,
            cause,
            certainty,
            example,
            is_of_a_known_type: false,
        };
        add(&mut lines, line);
    }
    lines.sort_by(|a, b| {
        (b.services, &a.service, &a.levels, &a.resources).cmp(&(a.services, &b.service, &b.levels, &b.resources))
    });
    lines
}

/// An example for a line, of those of its findings, and whether its resource is of a type that the action has.
fn example(members: &[(&ListedActions, &Finding)], is_own: impl Fn(&usize) -> bool, data: &IamData) -> (Request, bool) {
    let is_about = |finding: &Finding| {
        let action = data.index_of(&finding.example.action.to_ascii_lowercase());
        action.is_some_and(|action| is_own(&action))
    };
    let mut about: Vec<&Finding> = members
        .iter()
        .map(|(_, finding)| *finding)
        .filter(|finding| is_about(finding))
        .collect();
    about.sort_by_key(|finding| !finding.is_of_a_known_type);
    if let Some(finding) = about.first() {
        return (finding.example.clone(), finding.is_of_a_known_type);
    }
    // The same statements match all actions of a finding, so what is true of one is true of the others.
    let other = members
        .iter()
        .find_map(|(actions, finding)| Some((actions.0.iter().find(&is_own)?, *finding)));
    match other {
        Some((action, finding)) => {
            let action = data.actions()[action].name.clone();
            (
                Request {
                    action,
                    ..finding.example.clone()
                },
                false,
            )
        }
        None => (Request::new("*", "*"), false),
    }
}

/// Adds a line, or its resources to one that is alike in all else.
fn add(lines: &mut Vec<Line>, line: Line) {
    let is_alike = |known: &&mut Line| {
        known.service == line.service
            && known.services == line.services
            && known.levels == line.levels
            && known.count == line.count
            && known.actions == line.actions
            && known.conditions == line.conditions
            && known.cause == line.cause
            && known.certainty == line.certainty
    };
    match lines.iter_mut().find(is_alike) {
        Some(known) => {
            known.resources.extend(line.resources);
            known.resources.sort_unstable();
            known.resources.dedup();
            if line.is_of_a_known_type && !known.is_of_a_known_type {
                known.example = line.example;
                known.is_of_a_known_type = true;
            }
        }
        None => lines.push(line),
    }
}

fn by_service(bits: &Bits, data: &IamData) -> Vec<(String, usize, Bits)> {
    let mut services: BTreeMap<usize, Bits> = BTreeMap::new();
    for action in bits.iter() {
        let of_service = services.entry(data.service_index(action));
        of_service
            .or_insert_with(|| Bits::new(data.actions().len()))
            .insert(action);
    }
    if services.len() > SERVICES {
        return vec![("*".to_owned(), services.len(), bits.clone())];
    }
    let named = services
        .into_iter()
        .map(|(index, bits)| (data.services()[index].prefix.clone(), 1, bits));
    named.collect()
}

/// Levels whose actions are gained in full together, the others each with its actions.
fn by_level(service: &str, bits: &Bits, data: &IamData) -> Vec<Levels> {
    let mut full: (Vec<AccessLevel>, usize) = (Vec::new(), 0);
    let mut partial = Vec::new();
    for level in AccessLevel::ALL {
        let own: Vec<usize> = bits
            .iter()
            .filter(|action| data.actions()[*action].level == level)
            .collect();
        let all = match data.service(service) {
            Some(service) => data
                .actions_of(service)
                .iter()
                .filter(|action| action.level == level)
                .count(),
            None => 0,
        };
        if own.is_empty() {
            continue;
        }
        if service == "*" || own.len() == all {
            full.0.push(level);
            full.1 += own.len();
        } else {
            let mut names: Vec<String> = own
                .iter()
                .take(NAMES)
                .map(|action| data.actions()[*action].name.clone())
                .collect();
            if own.len() > NAMES {
                names.push(format!("{} more", own.len() - NAMES));
            }
            partial.push((vec![level], (own.len(), names)));
        }
    }
    let mut levels = Vec::new();
    if !full.0.is_empty() {
        levels.push((full.0, (full.1, Vec::new())));
    }
    levels.extend(partial);
    levels
}
