//! Actions and resources that AWS does not have, or not together.

use std::collections::BTreeSet;

use trueup_model::document::Statement;

use super::{PolicyLintCode, Report};
use crate::condition::{Compilation, Wildcards, field_count};
use crate::data::{Action, IamData};
use crate::engine::Engine;
use crate::facts::PrincipalFacts;
use crate::illustrate::resources_in_words;
use crate::tables::{PatternId, Tables};
use crate::text::Explored;

/// From this likeness on a name is offered in place of another.
const ALIKE: f64 = 0.75;
/// How many positions a search for a common ARN may visit.
const BUDGET: usize = 5_000;
/// How many kinds of resources of an action are shown.
const TYPES: usize = 2;

impl Engine<'_> {
    pub(super) fn lint_names(&mut self, statement: &Statement, has_variables: bool, report: &mut Report<'_>) {
        let data = self.tables.data;
        for pattern in statement.actions().into_iter().chain(statement.not_actions()) {
            lint_action(data, pattern, report);
        }
        let mut patterns = Vec::new();
        let facts = PrincipalFacts::nobody();
        for resource in statement.resources().into_iter().chain(statement.not_resources()) {
            let mut compilation = Compilation {
                tables: &mut self.tables,
                facts: &facts,
                has_variables,
            };
            let compiled = compilation.tokens(resource, Wildcards::ByField, false);
            let pattern = self.tables.pattern(compiled.tokens.clone());
            if resource.chars().any(|c| c != '*') && field_count(&compiled.tokens) < 6 {
                let message =
                    format!("`{resource}` has fewer than the six fields of an ARN; what it matches is not defined");
                report.add(PolicyLintCode::ShortArn, message);
                return;
            }
            patterns.push((resource, pattern));
        }
        if statement.has("Resource") && statement.has("Action") {
            self.lint_pairs(statement, &patterns, report);
        }
    }

    /// Actions that work on none of the resources, and resources that none of the actions works on.
    fn lint_pairs(&mut self, statement: &Statement, resources: &[(&str, PatternId)], report: &mut Report<'_>) {
        if resources.iter().any(|(text, _)| text.chars().all(|c| c == '*')) {
            return;
        }
        let data = self.tables.data;
        let mut used = BTreeSet::new();
        let mut has_unknown = false;
        for text in statement.actions() {
            let matching = data.expand(text);
            has_unknown |= matching.is_empty();
            let mut is_useful = false;
            let mut example: Option<&Action> = None;
            for index in matching.iter() {
                let action = &data.actions()[index];
                let fitting = self.fitting(action, resources);
                is_useful |= !fitting.is_empty();
                used.extend(fitting);
                example = example.or(Some(action));
            }
            if let (false, Some(example)) = (is_useful, example) {
                report.add(
                    PolicyLintCode::ActionWithoutResource,
                    without_resource(data, text, example),
                );
            }
        }
        for (index, (text, _)) in resources.iter().enumerate() {
            if !used.contains(&index) && !has_unknown {
                let message = format!(
                    "`{text}` is no resource of any of the actions, as of the action data of {}",
                    data.date()
                );
                report.add(PolicyLintCode::ResourceWithoutAction, message);
            }
        }
    }

    /// Which of the resources an action can have.
    fn fitting(&mut self, action: &Action, resources: &[(&str, PatternId)]) -> Vec<usize> {
        let data = self.tables.data;
        let types: Vec<PatternId> = data
            .resources_of(action)
            .map(|(kind, _)| self.tables.template(&kind.arn, None))
            .collect();
        let meets = |tables: &Tables<'_>, resource: PatternId| {
            types.iter().any(|kind| {
                let mut budget = BUDGET;
                !tables.patterns_are_apart(*kind, resource)
                    && tables.text_between(&[*kind, resource], &[], &mut budget) != Explored::Nothing
            })
        };
        let fitting = resources.iter().enumerate();
        fitting
            .filter(|(_, (_, resource))| meets(&self.tables, *resource))
            .map(|(index, _)| index)
            .collect()
    }
}

fn without_resource(data: &IamData, text: &str, example: &Action) -> String {
    let types = resources_in_words(data, &example.name);
    let name = if text.contains(['*', '?']) {
        format!("`{text}`, for example `{}`,", example.name)
    } else {
        format!("`{}`", example.name)
    };
    match types.is_empty() {
        true => format!(
            "{name} takes no resource, so it is allowed or denied on `*` alone and the statement has no effect on it"
        ),
        false => {
            let shown: Vec<String> = types.iter().take(TYPES).map(|text| format!("`{text}`")).collect();
            format!(
                "{name} works on none of the resources; it works on such as {}",
                shown.join(" or ")
            )
        }
    }
}

/// An action that the data lacks.
fn lint_action(data: &IamData, pattern: &str, report: &mut Report<'_>) {
    if let Some((code, message)) = complaint(data, pattern) {
        report.add(code, message);
    }
}

impl IamData {
    /// What is to be said of an action, or a pattern of actions in lower case, that the data lacks: with the data's
    /// date and what may have been meant.
    pub fn complaint(&self, pattern: &str) -> Option<String> {
        complaint(self, &pattern.to_ascii_lowercase()).map(|(_, message)| message)
    }
}

fn complaint(data: &IamData, pattern: &str) -> Option<(PolicyLintCode, String)> {
    let as_of = format!("as of the action data of {}", data.date());
    let (service, name) = pattern.split_once(':')?;
    let is_pattern = |text: &str| text.contains(['*', '?']);
    if is_pattern(service) {
        return None;
    }
    let Some(known) = data.service(service) else {
        let prefixes = data.services().iter().map(|service| service.prefix.as_str());
        let hint = did_you_mean(service, prefixes);
        let message = format!("no service has the prefix `{service}`, {as_of}{hint}");
        return Some((PolicyLintCode::UnknownService, message));
    };
    if is_pattern(name) {
        let message = format!("`{pattern}` matches no action, {as_of}");
        return data
            .expand(pattern)
            .is_empty()
            .then_some((PolicyLintCode::PatternWithoutAction, message));
    }
    if data.action(pattern).is_some() {
        return None;
    }
    let names = data.actions_of(known).iter().map(|action| action.name.as_str());
    let hint = did_you_mean(pattern, names);
    let message = format!("{} has no action `{pattern}`, {as_of}{hint}", known.name);
    Some((PolicyLintCode::UnknownAction, message))
}

/// The text `; did you mean ...?` with the known name that is most like another one, or nothing.
pub fn did_you_mean<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = text.to_ascii_lowercase();
    let alike = |name: &str| strsim::jaro_winkler(&lower, &name.to_ascii_lowercase());
    // The first of equals, so that the offer does not depend on anything else.
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let likeness =
            strsim::normalized_damerau_levenshtein(&lower, &name.to_ascii_lowercase()).max(alike(name) - 0.1);
        if likeness >= ALIKE && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, name));
        }
    }
    best.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}
