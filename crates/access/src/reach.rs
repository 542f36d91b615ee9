//! What a principal can reach: single actions, everything, and the known paths from some permissions to all of them.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::comparison::StatementRef;
use crate::direction::{Finder, single};
use crate::engine::Engine;
use crate::holdings::{Holdings, Request};
use crate::search::Outcome;
use crate::side::{Side, resource_set};
use crate::tables::{Part, StatementId, Tables};

const PATHS: &str = include_str!("../data/escalation-paths.json");

/// A known way from some permissions to more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct EscalationPath {
    /// Its name in the list that it is from, for example `lambda-001`.
    pub id: String,
    /// What kind it is: `self-escalation`, `principal-access`, `new-passrole` or `existing-passrole`.
    pub category: String,
    /// The permissions that it takes.
    pub required: Vec<String>,
}

/// The known paths, by name.
pub fn escalation_paths() -> &'static [EscalationPath] {
    static LIST: OnceLock<Vec<EscalationPath>> = OnceLock::new();
    #[expect(
        clippy::expect_used,
        reason = "the embedded file is part of the build, and a test reads it"
    )]
    LIST.get_or_init(|| serde_json::from_str(PATHS).expect("the embedded paths can be read"))
}

/// That a principal holds all permissions of a path, each on some resource, possibly under conditions. Whether the
/// rest that it takes is there (a role to pass, for example) is not looked at: this is a hint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Escalation {
    /// The path's name.
    pub id: String,
    /// Its kind.
    pub category: String,
    /// Each permission that it takes, with a request that is allowed and the statements that allow it.
    pub permissions: Vec<Reached>,
}

/// An action that a principal can reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reached {
    /// A request that is allowed.
    pub example: Request,
    /// Whether it surely is; otherwise a condition that is not interpreted must hold, or a search had to stop.
    pub is_certain: bool,
    /// Statements of the identity policies that allow the action on some resource.
    pub statements: Vec<StatementRef>,
}

/// Whether somebody is an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Administrator {
    /// No.
    No,
    /// Statements allow `*` on `*`, and denies or conditions other than MFA take some of it away, though not the
    /// means to grant everything.
    Restricted,
    /// Everything is allowed in a session with MFA.
    Full,
}

impl Engine<'_> {
    /// Whether some request with this action, on a resource that a pattern matches, is allowed; with an example.
    pub fn reach(&mut self, holdings: &Holdings, action: &str, resource: &str) -> Option<Reached> {
        let side = self.documents.side(&mut self.tables, holdings);
        let resources = {
            let mut compilation = crate::condition::Compilation {
                tables: &mut self.tables,
                facts: &holdings.facts,
                has_variables: false,
            };
            resource_set(
                &mut compilation,
                false,
                &[resource],
                crate::condition::Wildcards::ByField,
            )
        };
        let part = Part {
            resources,
            condition: Tables::ALWAYS,
        };
        self.reach_part(holdings, &side, action, part)
    }

    fn reach_part(&mut self, holdings: &Holdings, side: &Side, action: &str, part: Part) -> Option<Reached> {
        let name = action.to_ascii_lowercase();
        let matching = |tables: &Tables<'_>, ids: &mut dyn Iterator<Item = &StatementId>| -> Vec<StatementId> {
            let matches = |id: &&StatementId| tables.has_name(tables.get_statement(**id).actions, &name);
            ids.filter(matches).copied().collect()
        };
        let parts = |tables: &Tables<'_>, ids: &[StatementId]| -> Vec<Part> {
            ids.iter()
                .map(|id| tables.get_statement(*id).part(crate::tables::Reading::ByField))
                .collect()
        };
        let denies = matching(&self.tables, &mut side.denies.iter());
        let layers: Vec<Vec<StatementId>> = side
            .layers
            .iter()
            .map(|layer| matching(&self.tables, &mut layer.iter()))
            .collect();
        let avoided = parts(&self.tables, &denies);
        let needed: Vec<Vec<Part>> = layers.iter().map(|ids| parts(&self.tables, ids)).collect();
        let gains = Finder::over(&mut self.tables).gains(part, &avoided, &needed);
        let listed = self.tables.data.action(action).map(|action| action.name.clone());
        let (_, _, outcome) = gains.into_iter().next()?;
        let (resource, context, is_certain) = match &*outcome {
            Outcome::Nothing => return None,
            Outcome::Undecided => ("*".to_owned(), std::collections::BTreeMap::new(), false),
            Outcome::Found { resource, model } => (resource.clone(), self.context_of(model), model.is_certain),
        };
        Some(Reached {
            example: Request {
                action: listed.unwrap_or_else(|| action.to_owned()),
                resource,
                context,
            },
            is_certain: is_certain && side.unread.is_empty(),
            statements: self.statement_refs(holdings, side, &layers[0]),
        })
    }

    /// The known paths whose permissions the principal holds.
    pub fn escalations(&mut self, holdings: &Holdings) -> Vec<Escalation> {
        let side = self.documents.side(&mut self.tables, holdings);
        let part = Part {
            resources: self.tables.resources(single(Tables::EVERYTHING)),
            condition: Tables::ALWAYS,
        };
        let mut reached = std::collections::BTreeMap::new();
        let mut found = Vec::new();
        for path in escalation_paths() {
            let mut permissions = Vec::new();
            for permission in &path.required {
                let known = match reached.get(permission) {
                    Some(known) => known,
                    None => {
                        let new = self.reach_part(holdings, &side, permission, part);
                        reached.entry(permission).or_insert(new)
                    }
                };
                match known {
                    Some(known) => permissions.push(known.clone()),
                    None => break,
                }
            }
            if permissions.len() == path.required.len() {
                found.push(Escalation {
                    id: path.id.clone(),
                    category: path.category.clone(),
                    permissions,
                });
            }
        }
        found
    }

    /// Whether the principal is an administrator.
    pub fn administrator(&mut self, holdings: &Holdings) -> Administrator {
        let mut with_mfa = holdings.clone();
        with_mfa.facts.set("aws:MultiFactorAuthPresent", Some("true"));
        let side = self.documents.side(&mut self.tables, &with_mfa);
        if self.allows_everything(&side) {
            return Administrator::Full;
        }
        let is_everything = |id: &StatementId| {
            let statement = self.tables.get_statement(*id);
            let actions = self.tables.get_actions(statement.actions);
            let resources = self.tables.get_resources(statement.by_field);
            [actions, resources]
                .iter()
                .all(|set| !set.is_complement && set.patterns.contains(&Tables::EVERYTHING))
        };
        if !side.layers.iter().all(|layer| layer.iter().any(is_everything)) {
            return Administrator::No;
        }
        let grants = [
            "iam:AttachUserPolicy",
            "iam:PutUserPolicy",
            "iam:AttachGroupPolicy",
            "iam:PutGroupPolicy",
        ];
        let can_grant = grants.iter().any(|action| {
            let reached = self.reach(&with_mfa, action, "*");
            reached.is_some_and(|reached| reached.is_certain)
        });
        if can_grant {
            Administrator::Restricted
        } else {
            Administrator::No
        }
    }

    /// Whether the principal is an administrator, restricted or not.
    pub fn is_administrator(&mut self, holdings: &Holdings) -> bool {
        self.administrator(holdings) != Administrator::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IamData;

    #[test]
    fn the_embedded_paths_name_actions_that_the_data_has() {
        let paths = escalation_paths();
        assert_eq!(paths.len(), 65);
        let missing: Vec<&String> = paths
            .iter()
            .flat_map(|path| &path.required)
            .filter(|action| IamData::embedded().action(action).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
