//! A picture of an account: principals, the groups that they are in, the policies that they hold, and the services
//! that these are about.
//!
//! The same account gives the same bytes. Names come from an account or a manifest: the module `svg` escapes them.

mod layout;
mod page;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use trueup_access::data::AccessLevel;
use trueup_access::{Account, Holdings, IamData, Origin, PrincipalName};
use trueup_model::PolicyDocument;

pub use page::graph_html;
pub use svg::graph_svg;

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// Users and roles.
    Principal,
    /// A group.
    Group,
    /// A managed or an inline policy.
    Policy,
    /// A service, or many.
    Service,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it stands for; the column that it is in.
    pub kind: NodeKind,
    /// What stands in it.
    pub label: String,
    /// What it says when it is pointed at.
    pub detail: String,
}

/// A line from one box to another, by their places in [`Graph::nodes`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What it means.
    pub meaning: Meaning,
}

/// What a line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// Membership, or a policy that is held.
    Holds,
    /// A permissions boundary.
    Boundary,
    /// A policy that allows actions of a service, up to this level.
    Allows(AccessLevel),
    /// A policy that denies, and allows nothing.
    Denies,
}

/// The picture, before it has a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// What it is of.
    pub title: String,
    /// What it rests on, in words.
    pub footnote: String,
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The lines.
    pub edges: Vec<Edge>,
}

/// A policy that is about more services than these has one box for all of them.
const SERVICES: usize = 6;
/// Names in one box before the rest is counted.
const NAMES: usize = 2;

impl Graph {
    /// The picture of an account; of what some principals or groups hold, where `only` names any.
    pub fn of_account(account: &Account, data: &IamData, only: &[String]) -> Self {
        let mut builder = Builder {
            data,
            graph: Self::default(),
            known: BTreeMap::new(),
        };
        let is_drawn = |name: &str, kind: &str| {
            only.is_empty()
                || only.iter().any(|wanted| match wanted.split_once('/') {
                    Some((of, wanted)) => of == kind && wanted.eq_ignore_ascii_case(name),
                    None => wanted.eq_ignore_ascii_case(name),
                })
        };
        // Principals that hold the same are one box.
        let mut alike: BTreeMap<Held, Vec<&PrincipalName>> = BTreeMap::new();
        for (name, holdings) in &account.principals {
            let kind = match name {
                PrincipalName::User(_) => "user",
                PrincipalName::Role(_) => "role",
            };
            let groups = account.groups.iter();
            let own: Vec<&str> = groups
                .filter(|(_, group)| matches!(name, PrincipalName::User(user) if group.members.contains(user)))
                .map(|(name, _)| name.as_str())
                .collect();
            if is_drawn(name.name(), kind) || own.iter().any(|group| is_drawn(group, "group")) {
                alike.entry(Held::of(name, holdings, &own)).or_default().push(name);
            }
        }
        for (held, names) in alike {
            let holder = builder.principals(&names);
            for group in &held.groups {
                let node = builder.node(NodeKind::Group, group, format!("group/{group}"), group);
                builder.edge(holder, node, Meaning::Holds);
            }
            if let Some(holdings) = names.first().and_then(|name| account.principals.get(*name)) {
                let owner = names.first().map(ToString::to_string).unwrap_or_default();
                let own = holdings.policies.iter().filter(|(origin, _)| origin.group.is_none());
                for (origin, document) in own {
                    let policy = builder.policy(&owner, origin, document);
                    builder.edge(holder, policy, Meaning::Holds);
                }
                if let Some((origin, document)) = &holdings.boundary {
                    let policy = builder.policy(&owner, origin, document);
                    builder.edge(holder, policy, Meaning::Boundary);
                }
            }
        }
        for (name, group) in &account.groups {
            let key = (NodeKind::Group, name.to_string());
            let is_known = builder.known.contains_key(&key);
            if !is_known && !is_drawn(name.as_str(), "group") {
                continue;
            }
            let node = builder.node(NodeKind::Group, name.as_str(), format!("group/{name}"), name.as_str());
            for (origin, document) in &group.policies {
                let policy = builder.policy(&format!("group/{name}"), origin, document);
                builder.edge(node, policy, Meaning::Holds);
            }
        }
        let mut graph = builder.graph;
        graph.edges.sort_unstable();
        graph.edges.dedup();
        graph
    }

    /// The widest level that leads into each box, where that is known.
    fn boxes_of(&self, kind: NodeKind) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.kind == kind)
    }
}

/// What makes principals alike. Inline policies are somebody's own.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    groups: Vec<String>,
    policies: BTreeSet<(bool, String)>,
    alone: Option<String>,
}

impl Held {
    fn of(name: &PrincipalName, holdings: &Holdings, groups: &[&str]) -> Self {
        let own = holdings.policies.iter().filter(|(origin, _)| origin.group.is_none());
        let own = own.map(|(origin, _)| (false, origin.policy.clone()));
        let boundary = holdings
            .boundary
            .iter()
            .map(|(origin, _)| (true, origin.policy.clone()));
        let policies: BTreeSet<(bool, String)> = own.chain(boundary).collect();
        let is_alone =
            policies.iter().any(|(_, policy)| !policy.starts_with("arn:")) || matches!(name, PrincipalName::Role(_));
        Self {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            policies,
            alone: is_alone.then(|| name.to_string()),
        }
    }
}

struct Builder<'d> {
    data: &'d IamData,
    graph: Graph,
    /// Boxes by what they stand for.
    known: BTreeMap<(NodeKind, String), usize>,
}

impl Builder<'_> {
    fn node(&mut self, kind: NodeKind, id: &str, detail: String, label: &str) -> usize {
        let next = self.graph.nodes.len();
        let place = *self.known.entry((kind, id.to_owned())).or_insert(next);
        if place == next {
            self.graph.nodes.push(Node {
                kind,
                label: label.to_owned(),
                detail,
            });
        }
        place
    }

    fn edge(&mut self, from: usize, to: usize, meaning: Meaning) {
        self.graph.edges.push(Edge { from, to, meaning });
    }

    fn principals(&mut self, names: &[&PrincipalName]) -> usize {
        let shown = names
            .len()
            .min(if names.len() == NAMES + 1 { NAMES + 1 } else { NAMES });
        let mut label = names[..shown]
            .iter()
            .map(|name| name.name())
            .collect::<Vec<_>>()
            .join(", ");
        if names.len() > shown {
            label.push_str(&format!(" and {} more", names.len() - shown));
        }
        let all: Vec<String> = names.iter().map(ToString::to_string).collect();
        let id = all.join(", ");
        self.node(NodeKind::Principal, &id, id.clone(), &label)
    }

    fn policy(&mut self, owner: &str, origin: &Origin, document: &PolicyDocument) -> usize {
        let is_managed = origin.policy.starts_with("arn:");
        let (id, label) = match is_managed {
            true => (
                origin.policy.clone(),
                origin.policy.rsplit('/').next().unwrap_or_default(),
            ),
            false => (format!("{owner}/{}", origin.policy), origin.policy.as_str()),
        };
        let detail = match is_managed {
            true => origin.policy.clone(),
            false => format!("inline policy {} of {owner}", origin.policy),
        };
        let is_new = !self.known.contains_key(&(NodeKind::Policy, id.clone()));
        let node = self.node(NodeKind::Policy, &id, detail, label);
        if is_new {
            self.services(node, document);
        }
        node
    }

    fn services(&mut self, policy: usize, document: &PolicyDocument) {
        let services = self.data.services_of(document);
        let most = |levels: &BTreeSet<AccessLevel>| levels.last().copied().unwrap_or(AccessLevel::List);
        if services.is_empty() {
            let (id, detail) = match document.statements().iter().any(|it| it.is_deny()) {
                true => ("denied", "this policy only denies"),
                false => ("unknown", "the document is not known, or names no known action"),
            };
            let node = self.node(NodeKind::Service, id, detail.to_owned(), id);
            self.edge(policy, node, Meaning::Denies);
        } else if services.len() > SERVICES {
            let all: BTreeSet<AccessLevel> = services.values().flatten().copied().collect();
            let label = match services.len() == self.data.services().len() {
                true => "all services".to_owned(),
                false => format!("{} services", services.len()),
            };
            let names: Vec<&str> = services.keys().copied().take(40).collect();
            let node = self.node(NodeKind::Service, &label, names.join(", "), &label);
            self.edge(policy, node, Meaning::Allows(most(&all)));
        } else {
            for (prefix, levels) in services {
                let name = self
                    .data
                    .service(prefix)
                    .map_or(prefix, |service| service.name.as_str());
                let (name, prefix) = (name.to_owned(), prefix.to_owned());
                let node = self.node(NodeKind::Service, &prefix, name, &prefix);
                self.edge(policy, node, Meaning::Allows(most(&levels)));
            }
        }
    }
}
