//! Principals of whom the same becomes, together: forty people who join one group are one thing to decide about.

use std::collections::BTreeMap;

use trueup_access::Verdict;
use trueup_model::Resource;
use trueup_planner::{
    AccessChange, AccessLine, AccessSource, AdministratorChange, EscalationLine, EscalationPermission,
};

use crate::page::count;

/// What is the same for several principals, told by the first of them.
pub(crate) struct Fold<'a> {
    pub(crate) change: &'a AccessChange,
    pub(crate) principals: Vec<&'a Resource>,
}

impl Fold<'_> {
    /// `12 users`, `2 users and 1 role`.
    pub(crate) fn number(&self) -> String {
        number(&self.principals)
    }
}

/// How many of each kind, in words.
pub(crate) fn number(principals: &[&Resource]) -> String {
    let users = principals.iter().filter(|principal| principal.kind() == "user").count();
    let roles = principals.len() - users;
    let kinds: Vec<String> = [(users, "user", "users"), (roles, "role", "roles")]
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| count(number as u64, one, many))
        .collect();
    kinds.join(" and ")
}

/// Principals by what is true of them, those who gain first, each in the order of their names.
pub(crate) fn folds<'a>(access: impl IntoIterator<Item = &'a AccessChange>) -> Vec<Fold<'a>> {
    let mut by_text: BTreeMap<(u8, String), Fold<'a>> = BTreeMap::new();
    let mut order: Vec<(u8, String)> = Vec::new();
    for change in access {
        let key = (rank(change), alike(change));
        match by_text.get_mut(&key) {
            Some(fold) => fold.principals.push(&change.principal),
            None => {
                order.push(key.clone());
                let principals = vec![&change.principal];
                by_text.insert(key, Fold { change, principals });
            }
        }
    }
    order.sort_by_key(|(rank, _)| *rank);
    order.iter().filter_map(|key| by_text.remove(key)).collect()
}

fn rank(change: &AccessChange) -> u8 {
    match change.verdict {
        _ if change.administrator == Some(AdministratorChange::Made) => 0,
        Verdict::More | Verdict::Both => 1,
        Verdict::Unknown => 2,
        Verdict::Less => 3,
        Verdict::Same => 4,
    }
}

/// A text that is the same for principals of whom the same is true: without examples, and with what is their own.
fn alike(change: &AccessChange) -> String {
    let AccessChange {
        principal,
        verdict,
        gained,
        lost,
        administrator,
        escalation,
        unknown,
        assumptions,
    } = change;
    let sources = |via: &[AccessSource]| -> Vec<String> {
        via.iter()
            .map(|source| {
                let own = source.policy.as_str().strip_prefix(principal.as_str());
                format!("{} {}", own.unwrap_or(source.policy.as_str()), source.statement)
            })
            .collect()
    };
    let line = |line: &AccessLine| {
        let AccessLine {
            service,
            services,
            service_names,
            other_services,
            levels,
            count,
            actions,
            resources,
            partly,
            conditions,
            cause,
            via,
            certain,
            assumed,
            example: _,
            example_fits,
        } = line;
        format!(
            "{service} {services} {service_names:?} {other_services:?} {levels:?} {count} {actions:?} {resources:?} {partly} \
             {conditions:?} {cause:?} {:?} {certain} {assumed:?} {example_fits}",
            sources(via)
        )
    };
    let path = |line: &EscalationLine| {
        let EscalationLine {
            path,
            category: _,
            permissions,
        } = line;
        let permissions: Vec<_> = permissions
            .iter()
            .map(|permission| {
                let EscalationPermission {
                    example,
                    certain,
                    gained,
                    via,
                    roles,
                } = permission;
                (&example.action, certain, gained, sources(via), roles)
            })
            .collect();
        format!("{path} {permissions:?}")
    };
    format!(
        "{verdict} {administrator:?} {:?} {:?} {:?} {unknown:?} {assumptions:?}",
        gained.iter().map(line).collect::<Vec<_>>(),
        lost.iter().map(line).collect::<Vec<_>>(),
        escalation.iter().map(path).collect::<Vec<_>>(),
    )
}
