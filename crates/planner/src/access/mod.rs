//! What a plan changes in what principals may do.

mod change;

pub use change::{
    AccessCause, AccessChange, AccessLine, AccessSource, AdministratorChange, EscalationLine, EscalationPermission,
};
