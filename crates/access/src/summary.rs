//! Findings for people: by service and access level, with resources.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::bits::Bits;
use crate::comparison::{Actions, Cause, Certainty, Finding, ListedActions, StatementRef};
use crate::data::{AccessLevel, IamData};
use crate::direction::{Example, TELLING};
use crate::engine::Engine;
use crate::facts::PrincipalFacts;
use crate::holdings::Request;

/// What is gained or lost of one service, on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The service's prefix; `*` for all services, or for more than a reader wants to see one by one.
    pub service: String,
    /// How many services it is about.
    pub services: usize,
    /// The prefixes of these, where `service` is `*` and it is about some of their actions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_names: Vec<String>,
    /// The prefixes of the others, where `service` is `*` and it is about all actions of all services but these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_services: Vec<String>,
    /// The levels of its actions; empty for names that the action data lacks.
    pub levels: Vec<AccessLevel>,
    /// How many of the data's actions it is about.
    pub count: usize,
    /// The names of all of them. None where they are all that the services have of these levels, and where they are many
    /// of many services; names that the data lacks as a pattern.
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
/// How many of more services are named.
const SHOWN_SERVICES: usize = 4;
/// How many actions are named.
const NAMES: usize = 6;
/// How many actions of a line are tried for an example that fits its type.
const EXAMPLES: usize = 6;

impl Line {
    /// The line in words, for example `s3: +Write on arn:aws:s3:::reports/*`.
    pub fn render(&self, sign: char) -> String {
        let mut text = match (self.service.as_str(), self.levels.is_empty()) {
            (_, true) => format!(
                "{sign}{} (names that the action data lacks)",
                self.shown_actions().join(", ")
            ),
            ("*", false) if self.service_names.is_empty() => {
                let all = if self.other_services.is_empty() { "all " } else { "" };
                let but = match shortened(&self.other_services) {
                    text if text.is_empty() => text,
                    text => format!(" (all but {text})"),
                };
                format!("{all}{} services{but}: {sign}{}", self.services, self.level_names())
            }
            ("*", false) if self.actions.is_empty() => {
                let names = shortened(&self.service_names);
                format!("{} services ({names}): {sign}{}", self.services, self.level_names())
            }
            ("*", false) => format!("{} services: {sign}{}", self.services, self.level_names()),
            (service, false) => format!("{service}: {sign}{}", self.level_names()),
        };
        if self.actions.is_empty() && !self.service_names.is_empty() {
            let actions = if self.count == 1 { "action" } else { "actions" };
            text.push_str(&format!(" ({} {actions})", self.count));
        }
        if !self.levels.is_empty() && !self.actions.is_empty() {
            text.push_str(&format!(" ({})", self.shown_actions().join(", ")));
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

    /// The names of the first of its actions, the last of many as `N more`: for a reader.
    pub fn shown_actions(&self) -> Vec<String> {
        // Patterns of names that the data lacks are as the policy has them: whole.
        if self.actions.len() <= NAMES || self.levels.is_empty() {
            return self.actions.clone();
        }
        let more = format!("{} more", self.actions.len() - NAMES);
        self.actions[..NAMES].iter().cloned().chain([more]).collect()
    }

    fn level_names(&self) -> String {
        if self.levels.len() == AccessLevel::ALL.len() {
            return "all levels".to_owned();
        }
        let names: Vec<String> = self.levels.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

/// The first of some services, and how many more there are.
fn shortened(services: &[String]) -> String {
    let shown = &services[..services.len().min(SHOWN_SERVICES)];
    match services.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What findings share that become one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Manner {
    kind: Kind,
    conditions: Vec<String>,
    certainty: Certainty,
    resource: String,
}

/// What makes a difference, whichever statements it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Allow,
    Deny,
    NoBoundary,
}

/// A finding with the actions of it that the data has.
type Member<'f> = (&'f ListedActions, &'f Finding);

/// Some levels of some services, and how to say which actions it is.
struct Levels {
    service: String,
    service_names: Vec<String>,
    other_services: Vec<String>,
    services: usize,
    levels: Vec<AccessLevel>,
    bits: Bits,
    actions: Vec<String>,
}

impl Engine<'_> {
    /// Findings as lines, the broadest first. `facts` are those of whom the examples are about.
    pub fn summarise(&mut self, findings: &[Finding], facts: &PrincipalFacts) -> Vec<Line> {
        let data = self.data();
        let mut listed: BTreeMap<Manner, Vec<Member<'_>>> = BTreeMap::new();
        let mut unlisted: BTreeMap<Manner, Vec<(&str, &Finding)>> = BTreeMap::new();
        for finding in findings {
            let manner = Manner {
                kind: match &finding.cause {
                    Cause::Allow(_) => Kind::Allow,
                    Cause::Deny(_) => Kind::Deny,
                    Cause::NoBoundary => Kind::NoBoundary,
                },
                conditions: finding.conditions.clone(),
                certainty: finding.certainty.clone(),
                resource: finding.resource.clone(),
            };
            match &finding.actions {
                Actions::Listed(actions) => listed.entry(manner).or_default().push((actions, finding)),
                Actions::Unlisted(pattern) => unlisted.entry(manner).or_default().push((pattern, finding)),
            }
        }
        let mut lines: Vec<Line> = Vec::new();
        for (manner, members) in &listed {
            let mut bits = Bits::new(data.actions().len());
            for (actions, _) in members {
                bits.unite(&actions.0);
            }
            for levels in by_service(&bits, data) {
                let (example, is_of_a_known_type) = self.example(members, &levels.bits, facts);
                let is_own = |(actions, _): &&Member<'_>| actions.0.meets(&levels.bits);
                let own = members.iter().filter(is_own).map(|(_, finding)| *finding);
                let cause = together(manner.kind, own);
                let Levels {
                    service,
                    service_names,
                    other_services,
                    services,
                    levels,
                    bits,
                    actions,
                } = levels;
                let line = Line {
                    service,
                    services,
                    service_names,
                    other_services,
                    levels,
                    count: bits.len(),
                    actions,
                    resources: vec![manner.resource.clone()],
                    conditions: manner.conditions.clone(),
                    cause,
                    certainty: manner.certainty.clone(),
                    example,
                    is_of_a_known_type,
                };
                add(&mut lines, line);
            }
        }
        for (manner, mut members) in unlisted {
            // Where listed actions are gained by the same statement on the same resource, new names go without saying.
            let goes_without_saying = |finding: &Finding| {
                listed.iter().any(|(known, members)| {
                    known.resource == manner.resource && members.iter().any(|(_, it)| it.cause == finding.cause)
                })
            };
            members.retain(|(_, finding)| !goes_without_saying(finding));
            let Some((_, first)) = members.first() else { continue };
            let patterns: BTreeSet<&str> = members.iter().map(|(pattern, _)| *pattern).collect();
            let line = Line {
                service: first.example.action.split(':').next().unwrap_or_default().to_owned(),
                services: 1,
                service_names: Vec::new(),
                other_services: Vec::new(),
                levels: Vec::new(),
                count: 0,
                actions: patterns.into_iter().map(str::to_owned).collect(),
                resources: vec![manner.resource],
                conditions: manner.conditions,
                cause: together(manner.kind, members.iter().map(|(_, finding)| *finding)),
                certainty: manner.certainty,
                example: first.example.clone(),
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
    fn example(&mut self, members: &[Member<'_>], line: &Bits, facts: &PrincipalFacts) -> (Request, bool) {
        let data = self.data();
        let mut known: Vec<(&str, &Finding)> = Vec::new();
        for (_, finding) in members {
            let name = finding.example.action.as_str();
            if data
                .index_of(&name.to_ascii_lowercase())
                .is_some_and(|index| line.contains(index))
            {
                known.push((name, finding));
            }
        }
        let is_telling = |name: &str| TELLING.iter().any(|it| it.eq_ignore_ascii_case(name));
        known.sort_by_key(|(name, finding)| (!finding.is_of_a_known_type, !is_telling(name)));
        if let Some((_, finding)) = known.first()
            && finding.is_of_a_known_type
        {
            return (finding.example.clone(), true);
        }
        // The same statements match all actions of a finding, so what is true of one is true of the others.
        let mut first = None;
        let actions = line.iter().filter_map(|index| {
            let (_, finding) = members.iter().find(|(actions, _)| actions.0.contains(index))?;
            Some((index, *finding))
        });
        for (index, finding) in actions.take(EXAMPLES) {
            let example = Example {
                action: data.actions()[index].name.clone(),
                ..finding.found.clone()
            };
            let (request, fits) = self.illustrated(&example, facts);
            if fits {
                return (request, true);
            }
            first.get_or_insert(request);
        }
        (first.unwrap_or_else(|| Request::new("*", "*")), false)
    }
}

/// The statements of several findings as one cause.
fn together<'f>(kind: Kind, findings: impl Iterator<Item = &'f Finding>) -> Cause {
    let mut statements: Vec<StatementRef> = findings
        .flat_map(|finding| match &finding.cause {
            Cause::Allow(statements) | Cause::Deny(statements) => statements.as_slice(),
            Cause::NoBoundary => &[],
        })
        .cloned()
        .collect();
    statements.sort_unstable();
    statements.dedup();
    match kind {
        Kind::Allow => Cause::Allow(statements),
        Kind::Deny => Cause::Deny(statements),
        Kind::NoBoundary => Cause::NoBoundary,
    }
}

/// Adds a line, or its resources to one that is alike in all else.
fn add(lines: &mut Vec<Line>, line: Line) {
    let is_alike = |known: &&mut Line| {
        known.service == line.service
            && known.services == line.services
            && known.service_names == line.service_names
            && known.other_services == line.other_services
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

/// Actions by service, and of each service by level; of many services by level alone.
fn by_service(bits: &Bits, data: &IamData) -> Vec<Levels> {
    // Sets of actions are large, and an account may have thousands of principals: none is made for each service.
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for action in bits.iter() {
        *counts.entry(data.service_index(action)).or_default() += 1;
    }
    let is_whole = |(index, count): &(&usize, &usize)| **count == data.actions_of(&data.services()[**index]).len();
    let whole: BTreeSet<usize> = counts.iter().filter(is_whole).map(|(index, _)| *index).collect();
    let mut levels = Vec::new();
    let mut rest = bits.clone();
    if whole.len() * 2 > data.services().len() {
        counts.retain(|index, _| !whole.contains(index));
        rest = of_services(bits, |index| counts.contains_key(&index), data);
        let mut own = bits.clone();
        own.subtract(&rest);
        levels.push(of_whole_services(&whole, own, data));
    }
    if counts.len() > SERVICES {
        levels.extend(of_many(&rest, data));
    } else {
        levels.extend(counts.keys().flat_map(|service| {
            let own = of_services(&rest, |index| index == *service, data);
            of_one(*service, &own, data)
        }));
    }
    levels
}

fn of_services(bits: &Bits, is_one: impl Fn(usize) -> bool, data: &IamData) -> Bits {
    let mut own = Bits::new(data.actions().len());
    for action in bits.iter().filter(|action| is_one(data.service_index(*action))) {
        own.insert(action);
    }
    own
}

/// All that more than half of all services have.
fn of_whole_services(own: &BTreeSet<usize>, bits: Bits, data: &IamData) -> Levels {
    let others = (0..data.services().len()).filter(|index| !own.contains(index));
    Levels {
        service: "*".to_owned(),
        service_names: Vec::new(),
        other_services: others.map(|index| data.services()[index].prefix.clone()).collect(),
        services: own.len(),
        levels: AccessLevel::ALL.to_vec(),
        bits,
        actions: Vec::new(),
    }
}

/// Levels of one service: those whose actions are all there together, the others each with its actions.
fn of_one(service: usize, bits: &Bits, data: &IamData) -> Vec<Levels> {
    let service = &data.services()[service];
    let levels = |bits| Levels {
        service: service.prefix.clone(),
        service_names: Vec::new(),
        other_services: Vec::new(),
        services: 1,
        levels: Vec::new(),
        bits,
        actions: Vec::new(),
    };
    let mut full = levels(Bits::new(data.actions().len()));
    let mut partial = Vec::new();
    for level in AccessLevel::ALL {
        let own = of_level(bits, level, data);
        let all = data.actions_of(service).iter().filter(|action| action.level == level);
        if own.is_empty() {
            continue;
        }
        if own.len() == all.count() {
            full.levels.push(level);
            full.bits.unite(&own);
        } else {
            partial.push(Levels {
                levels: vec![level],
                actions: names(&own, data),
                ..levels(own)
            });
        }
    }
    if !full.levels.is_empty() {
        partial.insert(0, full);
    }
    partial
}

/// Levels of more services than are told apart. A few actions are named; of many it is said of which services they are.
fn of_many(bits: &Bits, data: &IamData) -> Vec<Levels> {
    let mut found: Vec<Levels> = Vec::new();
    for level in AccessLevel::ALL {
        let own = of_level(bits, level, data);
        let is_many = own.len() > NAMES;
        let is_reading = |level: &AccessLevel| *level <= AccessLevel::Read;
        match found.last_mut() {
            _ if own.is_empty() => {}
            // Who only reads wants to know where, not how.
            Some(last) if is_many && is_reading(&level) && last.actions.is_empty() => {
                last.levels.push(level);
                last.bits.unite(&own);
            }
            _ => found.push(Levels {
                service: "*".to_owned(),
                service_names: Vec::new(),
                other_services: Vec::new(),
                services: 0,
                levels: vec![level],
                actions: if is_many { Vec::new() } else { names(&own, data) },
                bits: own,
            }),
        }
    }
    for levels in &mut found {
        let services: BTreeSet<usize> = levels.bits.iter().map(|action| data.service_index(action)).collect();
        levels.services = services.len();
        let names = services.into_iter().map(|index| data.services()[index].prefix.clone());
        levels.service_names = names.collect();
    }
    found
}

fn of_level(bits: &Bits, level: AccessLevel, data: &IamData) -> Bits {
    let mut own = Bits::new(data.actions().len());
    for action in bits.iter().filter(|action| data.actions()[*action].level == level) {
        own.insert(action);
    }
    own
}

fn names(bits: &Bits, data: &IamData) -> Vec<String> {
    bits.iter().map(|action| data.actions()[action].name.clone()).collect()
}
