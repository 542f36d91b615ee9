//! Who calls. Nothing here decides what a caller may do.

/// The principal behind one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The account's root.
    Root,
    /// A user, by its stored name and its id.
    User { name: String, id: String },
    /// A session of a role.
    Session {
        /// The role's stored name and id.
        role: String,
        role_id: String,
        /// The name of the session.
        session: String,
    },
}

impl Caller {
    /// The name that operations on credentials take where none is given.
    pub(crate) fn user_name(&self) -> Option<&str> {
        match self {
            Self::User { name, .. } => Some(name),
            Self::Root | Self::Session { .. } => None,
        }
    }
}
