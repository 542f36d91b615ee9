//! Conditions as formulas over atoms, and whether some request fulfils such a formula.
//!
//! An atom is one operator with one key and its values. Negated operators are negated atoms. Operators of texts, ARNs,
//! numbers, dates, booleans, addresses and presence are understood exactly; what is not understood is a *free* atom,
//! which may be true or false. A free atom only adds to the requests that are considered possible.
//!
//! Source: the IAM user guide, "Condition operators", "Single-valued vs. multivalued context keys".

mod compile;
mod describe;
mod solve;
mod theory;
mod values;

use crate::tables::{AtomId, KeyId, PatternId};

pub(crate) use compile::{Compilation, Wildcards, field_count};
pub(crate) use solve::{Answer, Model, Problem, SolveMemo};
pub(crate) use values::Values;

/// An atom, or its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Literal {
    pub(crate) atom: AtomId,
    pub(crate) is_true: bool,
}

impl Literal {
    pub(crate) fn new(atom: AtomId, is_true: bool) -> Self {
        Self { atom, is_true }
    }

    pub(crate) fn negated(self) -> Self {
        Self {
            is_true: !self.is_true,
            ..self
        }
    }
}

/// Something about a request's context that is true or false.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Atom {
    /// The request has this key.
    Present(KeyId),
    /// The values of a key are among some values.
    Test(Test),
    /// Not understood, or about texts that are not known.
    Free(Free),
}

/// A comparison of a key with values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    pub(crate) key: KeyId,
    /// Whether every value of the request must be among them; otherwise one is enough.
    pub(crate) every: bool,
    /// What holds where the request lacks the key.
    pub(crate) if_absent: bool,
    /// Whether it was written with `ForAnyValue` or `ForAllValues`, as is due where a request has several values.
    pub(crate) is_qualified: bool,
    pub(crate) values: Values,
}

/// A condition of which it is not known when it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Free {
    /// What it says.
    pub(crate) text: String,
    /// The pattern that it is about, where it is about one.
    pub(crate) pattern: Option<PatternId>,
    /// The keys that it depends on.
    pub(crate) keys: Vec<KeyId>,
    /// Whether some request surely fulfils it and some other does not, where nothing else restricts its keys.
    pub(crate) is_open: bool,
}

impl Atom {
    pub(crate) fn keys(&self) -> &[KeyId] {
        match self {
            Self::Present(key) => std::slice::from_ref(key),
            Self::Test(test) => std::slice::from_ref(&test.key),
            Self::Free(free) => &free.keys,
        }
    }
}
