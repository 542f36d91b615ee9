//! YAML text as a tree with places.
//!
//! INVARIANT: this is the only module that knows a YAML library. The tree keeps what an author wrote: order, quotes
//! and duplicate keys; it never decides what a plain scalar means, since parsers disagree about that.

mod parse;
pub(crate) mod plain;
pub(crate) mod write;

pub(crate) use parse::{parse, parse_with_comments};

use crate::context::Span;

/// How many mappings and lists may lie within one another.
pub(crate) const DEEPEST: usize = 64;

/// A value.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Entries in the author's order, duplicates included.
    Mapping(Vec<Entry>),
    Sequence(Vec<Node>),
    Scalar(Scalar),
    /// Something that has been complained about already.
    Broken,
}

/// One entry of a mapping.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Node,
}

/// A key: always a scalar.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    /// Whether it stands without quotes.
    pub(crate) plain: bool,
    pub(crate) span: Span,
}

/// A scalar as it was written.
#[derive(Debug)]
pub(crate) struct Scalar {
    /// Without quotes, escapes replaced.
    pub(crate) text: String,
    /// Whether it stands without quotes; block scalars count as quoted.
    pub(crate) plain: bool,
}
