//! IAM's quotas. Fixed ones are constants; adjustable ones come from `GetAccountSummary`.
//!
//! Source: the IAM user guide's page on quotas, and recorded answers of `GetAccountSummary`.

/// Groups that one user can be a member of. Fixed.
pub const GROUPS_PER_USER: usize = 10;
/// Managed policies attached to one group. Fixed.
pub const ATTACHED_POLICIES_PER_GROUP: usize = 10;
/// Managed policies attached to one user. Adjustable up to 20.
pub const ATTACHED_POLICIES_PER_USER: usize = 10;
/// The highest that [`ATTACHED_POLICIES_PER_USER`] can be raised to.
pub const ATTACHED_POLICIES_PER_USER_HIGHEST: usize = 20;
/// Versions of one managed policy. Fixed.
pub const VERSIONS_PER_POLICY: usize = 5;
/// Tags on one user or policy. Fixed.
pub const TAGS_PER_RESOURCE: usize = 50;
/// Non-white-space characters of a managed policy document. Fixed.
pub const MANAGED_POLICY_SIZE: usize = 6144;
/// Non-white-space characters of all inline policies of one user together. Fixed.
pub const USER_INLINE_POLICY_SIZE: usize = 2048;
/// Non-white-space characters of all inline policies of one group together. Fixed.
pub const GROUP_INLINE_POLICY_SIZE: usize = 5120;
/// Access keys of one user, inactive ones included. Fixed.
pub const ACCESS_KEYS_PER_USER: usize = 2;
/// Users of one account. Fixed.
pub const USERS: usize = 5000;
/// Groups of one account. Adjustable.
pub const GROUPS: usize = 300;
/// Customer managed policies of one account. Adjustable.
pub const POLICIES: usize = 1500;
/// Characters of a policy document on the wire, white space included. Fixed.
pub const DOCUMENT_REQUEST_SIZE: usize = 131_072;
