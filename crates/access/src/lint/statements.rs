//! Statements without effect beside the others of their policy.

use std::collections::BTreeSet;

use trueup_model::PolicyDocument;

use super::{PolicyLintCode, Report};
use crate::direction::{Depth, direction};
use crate::engine::Engine;
use crate::side::Side;
use crate::tables::{Reading, StatementId};

impl Engine<'_> {
    pub(super) fn lint_against_others(
        &mut self,
        document: &PolicyDocument,
        index: usize,
        ids: &[Option<StatementId>],
        report: &mut Report<'_>,
    ) {
        let statements = document.statements();
        let Some(own) = ids[index] else { return };
        let same_effect = |other: &usize| statements[*other].is_allow() == statements[index].is_allow();
        let others: Vec<(usize, StatementId)> = ids
            .iter()
            .enumerate()
            .filter_map(|(other, id)| Some((other, (*id)?)))
            .filter(|(other, _)| *other != index)
            .collect();
        if statements[index].is_allow() {
            let denies: BTreeSet<StatementId> = others
                .iter()
                .filter(|(other, _)| !same_effect(other))
                .map(|(_, id)| *id)
                .collect();
            if !denies.is_empty() && self.is_nothing(own, &BTreeSet::new(), &denies) {
                let message = "everything that it allows is denied by the same policy".to_owned();
                report.add(PolicyLintCode::UnreachableStatement, message);
                return;
            }
        }
        // Of equal statements the first is the one that counts.
        let alike: BTreeSet<StatementId> = others
            .iter()
            .filter(|(other, id)| same_effect(other) && (*other < index || *id != own))
            .map(|(_, id)| *id)
            .collect();
        let is_copy = others
            .iter()
            .any(|(other, id)| same_effect(other) && *id == own && *other < index);
        if is_copy || (!alike.is_empty() && self.is_nothing(own, &alike, &BTreeSet::new())) {
            let does = if statements[index].is_allow() {
                "allows"
            } else {
                "denies"
            };
            let message = format!("other statements of the same policy have all that it {does}; it can be left out");
            report.add(PolicyLintCode::RedundantStatement, message);
        }
    }

    /// Whether nothing remains of a statement beside what others have and what is denied: proved, in both readings.
    fn is_nothing(&mut self, own: StatementId, others: &BTreeSet<StatementId>, denies: &BTreeSet<StatementId>) -> bool {
        let side = |allows: BTreeSet<StatementId>| Side {
            layers: vec![allows],
            denies: denies.clone(),
            ..Side::default()
        };
        let (with, without) = (side(BTreeSet::from([own])), side(others.clone()));
        [Reading::ByField, Reading::Plain]
            .into_iter()
            .all(|reading| direction(&mut self.tables, &with, &without, reading, Depth::First).is_nothing())
    }
}
