//! What an AWS account's IAM is, in IAM's own words: names, ARNs, paths, policy documents in canonical form,
//! the [`Desired`] state that a manifest asks for and the [`Live`] state that a reader found.
//!
//! This crate never does input or output, never knows the AWS SDK, and never reads a clock: everything that
//! depends on time takes it as an argument. It does not parse YAML and it does not decide what to change.

mod account;
mod arn;
pub mod desired;
pub mod document;
pub mod error_code;
mod glob;
pub mod guardrail;
pub mod live;
mod name;
mod path;
pub mod quota;
mod reserved;
mod resource;
mod scope;
mod tag;

pub use account::{AccountId, AccountIdError, Alias, AliasError, PasswordPolicy};
pub use arn::{Arn, ArnError, PARTITIONS, PolicyArn};
pub use desired::Desired;
pub use document::PolicyDocument;
pub use glob::{glob_matches, glob_matches_ignoring_case};
pub use live::Live;
pub use name::{GroupName, InlinePolicyName, NameError, PolicyName, RoleName, UserName};
pub use path::{Path, PathError};
pub use reserved::{QUARANTINE_POLICY, REQUIRE_MFA_POLICY, TRANSITION_POLICY, is_reserved_policy_name, require_mfa};
pub use resource::Resource;
pub use scope::{IgnoreRule, IgnoreTarget, KindScope, Scope, Unmanaged};
pub use tag::{TagError, Tags, check_tag_key, check_tag_value, fold_tag_key, is_access_key_id, is_reserved_tag_key};
