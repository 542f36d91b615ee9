//! The section `lints` of the root file: which findings of which documents are known and meant.

use super::{
    keys,
    raw::{Raw, RawLintRule},
};
use crate::{
    context::{Context, Span},
    yaml::Node,
};

impl Context<'_> {
    pub(super) fn read_lints(&mut self, node: &Node, owner: Span, raw: &mut Raw) {
        let Some(fields) = self.fields(node, "`lints`", keys::LINTS, owner) else {
            return;
        };
        let Some(node) = fields.get("ignore") else { return };
        for item in self.list(node, "`ignore`").unwrap_or_default() {
            raw.lint_rules.extend(self.read_lint_rule(item));
        }
    }

    fn read_lint_rule(&mut self, node: &Node) -> Option<RawLintRule> {
        let fields = self.fields(node, "a rule of `lints.ignore`", keys::LINT_RULE, node.span)?;
        let code = fields
            .require(self, "code", "this rule", "code: allow-with-not-action")
            .and_then(|node| self.filled_text(node, "`code`"));
        let reason = fields
            .require(self, "reason", "this rule", "reason: …")
            .and_then(|node| self.filled_text(node, "`reason`"));
        let resource = fields
            .get("resource")
            .map(|node| self.filled_text(node, "`resource`"))
            .map(|text| text.map(|text| text.value));
        let statement = fields
            .get("statement")
            .map(|node| self.filled_text(node, "`statement`"))
            .map(|text| text.map(|text| text.value));
        let until = fields.get("until").and_then(|node| self.date(node, "`until`"));
        let not_wrong = |text: Option<Option<String>>| match text {
            Some(None) => Err(()),
            Some(Some(text)) => Ok(Some(text)),
            None => Ok(None),
        };
        Some(RawLintRule {
            code: code?,
            resource: not_wrong(resource).ok()?,
            statement: not_wrong(statement).ok()?,
            reason: reason?.value,
            until,
        })
    }
}
