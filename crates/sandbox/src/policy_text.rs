//! What IAM looks at in a policy document before it stores it verbatim.

use trueup_model::{
    PolicyDocument,
    document::{DocumentKind, Owner, Stage},
};

use crate::{errors::ApiError, state::Kind};

/// The size of a document as quotas count it: without white space.
pub(crate) fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// An inline policy of this kind of entity.
pub(crate) fn inline(kind: Kind) -> DocumentKind {
    DocumentKind::Inline(match kind {
        Kind::User => Owner::User,
        Kind::Group => Owner::Group,
        Kind::Role => Owner::Role,
    })
}

/// Refuses a document that IAM would refuse.
pub(crate) fn check_document(document: &str, kind: DocumentKind) -> Result<(), ApiError> {
    match PolicyDocument::from_live(document).refusal(kind) {
        None => Ok(()),
        Some(refusal) if refusal.stage == Stage::Request => Err(ApiError::validation(refusal.message)),
        Some(refusal) => Err(ApiError::malformed_policy(refusal.message)),
    }
}
