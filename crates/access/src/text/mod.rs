//! Sets of texts: IAM's patterns, whether one covers another, and a search for a text that some patterns match and
//! others do not. Nothing here knows what the texts stand for.

mod automaton;
mod pattern;
mod product;
mod template;

pub(crate) use automaton::Automaton;
pub(crate) use pattern::{Pattern, Token};
pub(crate) use product::{Explored, Product, Step};
pub(crate) use template::{Piece, pieces};
