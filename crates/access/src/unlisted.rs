//! Gains of actions whose names the list lacks: policies match names by patterns, and AWS adds names every day.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::direction::{Cause, Finder, Gain, GainedActions};
use crate::tables::{ActionsId, Part, PatternId, Tables};
use crate::text::{Explored, Pattern, Product, Step, Token};

/// How many positions one walk over names may visit.
const BUDGET: usize = 20_000;

/// Names to look at: those that all guides match and none of the excluded patterns.
struct Names {
    guides: Vec<PatternId>,
    excluded: Vec<PatternId>,
}

/// How a look at names ended.
enum Looked {
    /// All kinds of names were looked at, or a gain was found that is enough.
    Done,
    /// Names remain.
    Open,
}

impl Finder<'_, '_> {
    /// Looks for gains of names that are not listed.
    pub(super) fn unlisted(&mut self, cause: &Cause) {
        let set = self.tables.get_actions(cause.actions).clone();
        let plain = self.plain_names(cause);
        let is_excluded = |finder: &Self, name: &str| set.is_complement && !finder.tables.has_name(cause.actions, name);
        let guides = if set.is_complement {
            vec![Tables::EVERYTHING]
        } else {
            cause.open.clone()
        };
        for guide in guides {
            let pattern = self.tables.get_pattern(guide).clone();
            if let Some(name) = pattern.literal() {
                if self.tables.data.index_of(&name).is_none() {
                    self.at_name(cause, &name);
                }
            } else {
                let names = Names {
                    guides: vec![guide],
                    excluded: if set.is_complement {
                        set.patterns.clone()
                    } else {
                        Vec::new()
                    },
                };
                let before = self.direction.gains.len();
                self.within(cause, guide, names, 0);
                let is_new = |gain: &Gain| gain.example.model.is_certain;
                if !self.direction.gains[before..].iter().any(is_new) {
                    for name in plain.iter().filter(|name| pattern.matches(name)) {
                        if !is_excluded(self, name) {
                            self.at_name(cause, name);
                        }
                    }
                }
            }
            if self.is_done() {
                return;
            }
        }
    }

    /// Names that policies spell out and the list lacks.
    fn plain_names(&self, cause: &Cause) -> Vec<String> {
        let lists = std::iter::once(&cause.avoided)
            .chain(cause.needed.iter())
            .flat_map(|list| list.iter());
        let patterns = lists.flat_map(|(actions, _)| self.tables.get_actions(*actions).patterns.clone());
        let literals = patterns.filter_map(|pattern| self.tables.get_pattern(pattern).literal());
        let mut names: Vec<String> = literals
            .filter(|name| self.tables.data.index_of(name).is_none())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Looks at one name; says whether something is gained.
    fn at_name(&mut self, cause: &Cause, name: &str) -> bool {
        let matching = |finder: &Self, list: &[(ActionsId, Part)]| -> Vec<Part> {
            let mut parts: Vec<Part> = list
                .iter()
                .filter(|(actions, _)| finder.tables.has_name(*actions, name))
                .map(|(_, part)| *part)
                .collect();
            parts.sort_unstable();
            parts.dedup();
            parts
        };
        let avoided = matching(self, &cause.avoided);
        let needed: Vec<Vec<Part>> = cause.needed.iter().map(|layer| matching(self, layer)).collect();
        let gains = self.gains(cause.part, &avoided, &needed);
        let is_gain = !gains.is_empty();
        if is_gain {
            let tokens = name.chars().map(Token::Char).collect();
            let pattern = self.tables.pattern(tokens);
            self.add(cause, &GainedActions::Unlisted(pattern), name, gains);
        }
        is_gain
    }

    /// Looks at the names within guides, by what the layers from this one on must allow as well.
    fn within(&mut self, cause: &Cause, shown: PatternId, names: Names, layer: usize) {
        let Some(needed) = cause.needed.get(layer) else {
            if let Looked::Open = self.at_example(cause, shown, &names) {
                self.walk(cause, shown, &names);
            }
            return;
        };
        let guide = names.guides[0];
        let is_granted = needed.iter().any(|(actions, part)| {
            self.actions_cover(*actions, guide)
                && self.tables.resources_cover(part.resources, cause.part.resources)
                && self.tables.is_implied(part.condition, &[cause.part.condition])
        });
        if is_granted {
            return self.within(cause, shown, names, layer + 1);
        }
        let mut sets: Vec<ActionsId> = needed.iter().map(|(actions, _)| *actions).collect();
        sets.sort_unstable();
        sets.dedup();
        for actions in sets {
            let set = self.tables.get_actions(actions).clone();
            if set.is_complement {
                let narrowed = Names {
                    guides: names.guides.clone(),
                    excluded: [&names.excluded[..], &set.patterns[..]].concat(),
                };
                self.within(cause, shown, narrowed, layer + 1);
            } else {
                for pattern in &set.patterns {
                    let is_plain = self.tables.get_pattern(*pattern).literal().is_some();
                    if is_plain
                        || names
                            .guides
                            .iter()
                            .any(|guide| self.tables.patterns_are_apart(*guide, *pattern))
                    {
                        continue;
                    }
                    let mut guides = names.guides.clone();
                    if !guides.iter().any(|guide| self.tables.pattern_covers(*pattern, *guide)) {
                        guides.retain(|guide| !self.tables.pattern_covers(*guide, *pattern));
                        guides.push(*pattern);
                    }
                    let narrowed = Names {
                        guides,
                        excluded: names.excluded.clone(),
                    };
                    self.within(cause, shown, narrowed, layer + 1);
                    if self.is_done() {
                        return;
                    }
                }
            }
            if self.is_done() {
                return;
            }
        }
    }

    /// The patterns of all statements that matter to some names, plain names apart.
    fn patterns_near(&self, cause: &Cause, names: &Names) -> Vec<PatternId> {
        let lists = std::iter::once(&cause.avoided)
            .chain(cause.needed.iter())
            .flat_map(|list| list.iter());
        let sets = lists.flat_map(|(actions, _)| self.tables.get_actions(*actions).patterns.clone());
        let mut patterns: Vec<PatternId> = sets.chain(names.excluded.iter().copied()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns.retain(|pattern| {
            let is_apart = |guide: &PatternId| self.tables.patterns_are_apart(*guide, *pattern);
            self.tables.get_pattern(*pattern).literal().is_none() && !names.guides.iter().any(is_apart)
        });
        patterns
    }

    /// Looks at a name that matches no pattern without need.
    fn at_example(&mut self, cause: &Cause, shown: PatternId, names: &Names) -> Looked {
        let [guide] = names.guides[..] else {
            return Looked::Open;
        };
        let near = self.patterns_near(cause, names);
        let pattern = self.tables.get_pattern(guide).clone();
        let used: Vec<char> = near
            .iter()
            .chain([&guide])
            .flat_map(|id| self.tables.get_pattern(*id).tokens().to_vec())
            .filter_map(|token| match token {
                Token::Char(c) => Some(c),
                _ => None,
            })
            .collect();
        let Some(star) = ('a'..='z')
            .rev()
            .chain('0'..='9')
            .chain('\u{e0}'..='\u{ff}')
            .find(|c| !used.contains(c))
        else {
            return Looked::Open;
        };
        // A pattern without `:` matches names of any service.
        let text = match pattern.tokens().contains(&Token::Char(':')) {
            true => pattern.example(&star.to_string(), star),
            false => pattern.example(&format!("{star}:{star}"), star),
        };
        let parts: Vec<&str> = text.split(':').collect();
        if parts.len() != 2 || parts.contains(&"") || self.tables.data.index_of(&text).is_some() {
            return Looked::Open;
        }
        if names
            .excluded
            .iter()
            .any(|pattern| self.tables.get_pattern(*pattern).matches(&text))
        {
            let is_empty = names
                .excluded
                .iter()
                .any(|excluded| self.tables.pattern_covers(*excluded, guide));
            return if is_empty { Looked::Done } else { Looked::Open };
        }
        if self.gain_at(cause, shown, &text) {
            return Looked::Done;
        }
        // Where the name matches only what it cannot avoid, every other name is matched by more of what takes away.
        let is_fixed = |id: &PatternId| {
            let matches = self.tables.get_pattern(*id).matches(&text);
            (matches && self.tables.pattern_covers(*id, guide), !matches)
        };
        let decides = cause.avoided.iter().all(|(actions, _)| {
            let set = self.tables.get_actions(*actions);
            let mut own = set
                .patterns
                .iter()
                .filter(|pattern| near.binary_search(pattern).is_ok());
            own.all(|pattern| {
                let (covers, misses) = is_fixed(pattern);
                covers || (misses && !set.is_complement)
            })
        });
        if decides { Looked::Done } else { Looked::Open }
    }

    /// Looks at a name of a kind that is shown as a pattern; says whether something is surely gained.
    fn gain_at(&mut self, cause: &Cause, shown: PatternId, name: &str) -> bool {
        let before = self.direction.gains.len();
        self.at_name(cause, name);
        for gain in &mut self.direction.gains[before..] {
            gain.actions = GainedActions::Unlisted(shown);
        }
        self.direction.gains[before..]
            .iter()
            .any(|gain| gain.example.model.is_certain)
    }

    /// Walks through all kinds of names.
    fn walk(&mut self, cause: &Cause, shown: PatternId, names: &Names) {
        let near = self.patterns_near(cause, names);
        let shape = self.tables.pattern(vec![
            Token::OneInField,
            Token::ManyInField,
            Token::Char(':'),
            Token::OneInField,
            Token::ManyInField,
        ]);
        let get = |id: &PatternId| -> Arc<Pattern> { self.tables.get_pattern(*id).clone() };
        let guides: Vec<Arc<Pattern>> = names.guides.iter().chain([&shape]).map(get).collect();
        let others: Vec<Arc<Pattern>> = near.iter().map(get).collect();
        let excluded: Vec<Arc<Pattern>> = names.excluded.iter().map(get).collect();
        let excluded_near: Vec<usize> = names
            .excluded
            .iter()
            .filter_map(|id| near.binary_search(id).ok())
            .collect();
        let plain = self.plain_names(cause);
        let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
        let mut budget = BUDGET;
        let product = Product::new(guides.iter().map(|p| &**p), others.iter().map(|p| &**p));
        let explored = product.explore(&mut budget, |position| {
            if excluded_near.iter().any(|index| position.accepts_all(*index)) {
                return Step::Prune;
            }
            if !position.is_word() {
                return Step::Continue;
            }
            let matches: Vec<bool> = (0..others.len()).map(|index| position.accepts(index)).collect();
            if seen.contains(&matches) {
                return Step::Continue;
            }
            // Names that stand somewhere in full are looked at by themselves, and say nothing about others.
            let name = position.text();
            let is_plain = self.tables.data.index_of(&name).is_some() || plain.binary_search(&name).is_ok();
            if is_plain || excluded.iter().any(|pattern| pattern.matches(&name)) {
                return Step::Continue;
            }
            seen.insert(matches);
            if self.gain_at(cause, shown, &name) {
                Step::Stop
            } else {
                Step::Continue
            }
        });
        if explored == Explored::OverBudget {
            let pattern = self.tables.render(shown);
            let text = format!("the search for names that `{pattern}` matches had to stop at its limit");
            self.direction.undecided.insert(text);
        }
    }
}
