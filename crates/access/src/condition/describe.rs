//! Conditions in words.

use super::values::{Relation, Values};
use super::{Atom, Literal, Test};
use crate::tables::Tables;

impl Tables<'_> {
    /// What a literal demands, for example "`aws:principaltag/team` is `x`".
    pub(crate) fn describe(&self, literal: Literal) -> String {
        match &**self.get_atom(literal.atom) {
            Atom::Present(key) => {
                let state = if literal.is_true { "present" } else { "absent" };
                format!("`{}` is {state}", self.get_key(*key))
            }
            Atom::Test(test) => self.describe_test(test, literal.is_true),
            Atom::Free(free) if literal.is_true => free.text.clone(),
            Atom::Free(free) => format!("not ({})", free.text),
        }
    }

    fn describe_test(&self, test: &Test, is_true: bool) -> String {
        let key = format!("`{}`", self.get_key(test.key));
        let subject = match (test.is_qualified, test.every) {
            (true, true) => format!("every value of {key}"),
            (true, false) => format!("a value of {key}"),
            (false, _) => key,
        };
        let is_not = if is_true { "is" } else { "is not" };
        let values = self.describe_values(&test.values);
        let mut text = match (test.is_qualified, is_true) {
            (true, false) => format!("not: {subject} is {values}"),
            _ => format!("{subject} {is_not} {values}"),
        };
        // What holds without the key goes without saying where it is what the words say.
        let holds_if_absent = test.if_absent == is_true;
        let is_expected = match (test.is_qualified && test.every, is_true) {
            (true, _) => true,
            (false, is_true) => holds_if_absent != is_true,
        };
        if !is_expected {
            text.push_str(if holds_if_absent {
                ", or it is absent"
            } else {
                ", and it is present"
            });
        }
        text
    }

    fn describe_values(&self, values: &Values) -> String {
        let words: Vec<String> = match values {
            Values::Texts(patterns) => patterns
                .iter()
                .map(|pattern| format!("`{}`", self.render(*pattern)))
                .collect(),
            Values::Flags { yes, no } => {
                let words = [(*yes, "true"), (*no, "false")];
                words
                    .iter()
                    .filter(|(is, _)| *is)
                    .map(|(_, word)| (*word).to_owned())
                    .collect()
            }
            Values::Numbers(relations) => relations
                .iter()
                .map(|(relation, constant)| format!("{}{}", symbol(*relation), super::values::show_number(*constant)))
                .collect(),
            Values::Moments(relations) => relations
                .iter()
                .map(|(relation, constant)| format!("{}{}", symbol(*relation), super::values::show_moment(*constant)))
                .collect(),
            Values::Networks(networks) => networks.iter().map(ToString::to_string).collect(),
        };
        if words.is_empty() {
            "among no values".to_owned()
        } else {
            words.join(" or ")
        }
    }
}

fn symbol(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "",
        Relation::Less => "less than ",
        Relation::LessOrEqual => "at most ",
        Relation::Greater => "more than ",
        Relation::GreaterOrEqual => "at least ",
    }
}
