//! ARNs, as far as IAM's own entities need them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Path, PolicyName};

/// The partitions of AWS, which are the second field of every ARN.
pub const PARTITIONS: [&str; 8] = [
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-eusc",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
];

/// An ARN, kept as its text. Compares exactly, as IAM compares ARNs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arn(String);

/// Why a text is not an ARN of the kind that is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Not six fields separated by colons, beginning with `arn`.
    #[error("an ARN has the form `arn:aws:iam::123456789012:policy/name`")]
    Form,
    /// An ARN, but not that of an IAM managed policy.
    #[error("this is not the ARN of a managed policy (`arn:aws:iam::ACCOUNT:policy/NAME`)")]
    NotAPolicy,
    /// Outside 20 to 2048 characters.
    #[error("an ARN has 20 to 2048 characters, this one has {0}")]
    Length(usize),
}

impl Arn {
    /// Takes an ARN that a live account reported, without judging it.
    pub fn from_live(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn field(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// The partition, for example `aws` or `aws-cn`; empty where this is no ARN.
    pub fn partition(&self) -> &str {
        self.field(1)
    }

    /// The account field: twelve digits, `aws` for what AWS owns, or empty.
    pub fn account(&self) -> &str {
        self.field(4)
    }

    /// The last field, for example `user/platform/alice`.
    pub fn resource(&self) -> &str {
        self.field(5)
    }

    /// The name at the end of the resource, after its last `/`.
    pub fn name(&self) -> &str {
        self.resource().rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of a managed policy, AWS's or the account's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyArn(Arn);

impl PolicyArn {
    /// Checks the ARN of a managed policy.
    ///
    /// # Errors
    ///
    /// [`ArnError`] where the text is no ARN, or that of something else.
    pub fn new(text: impl Into<String>) -> Result<Self, ArnError> {
        let arn = Arn(text.into());
        let length = arn.0.chars().count();
        if arn.0.split(':').count() < 6 || arn.field(0) != "arn" {
            return Err(ArnError::Form);
        }
        let well_formed = arn.field(2) == "iam"
            && arn.field(3).is_empty()
            && !arn.partition().is_empty()
            && arn
                .partition()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && (arn.account() == "aws" || AccountId::new(arn.account()).is_ok())
            && arn.resource().starts_with("policy/")
            && PolicyName::new(arn.name()).is_ok();
        if !well_formed {
            return Err(ArnError::NotAPolicy);
        }
        if !(20..=2048).contains(&length) {
            return Err(ArnError::Length(length));
        }
        Ok(Self(arn))
    }

    /// Takes an ARN that a live account reported, without judging it.
    pub fn from_live(text: impl Into<String>) -> Self {
        Self(Arn(text.into()))
    }

    /// The ARN of a customer managed policy.
    pub fn customer(partition: &str, account: &AccountId, path: &Path, name: &PolicyName) -> Self {
        Self(Arn(format!("arn:{partition}:iam::{account}:policy{path}{name}")))
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The ARN itself.
    pub fn as_arn(&self) -> &Arn {
        &self.0
    }

    /// Whether AWS owns and maintains this policy.
    pub fn is_aws_managed(&self) -> bool {
        self.0.account() == "aws"
    }

    /// The partition, for example `aws`.
    pub fn partition(&self) -> &str {
        self.0.partition()
    }

    /// The account id of a customer managed policy, `aws` otherwise.
    pub fn account(&self) -> &str {
        self.0.account()
    }

    /// The policy's name.
    pub fn policy_name(&self) -> PolicyName {
        PolicyName::from_live(self.0.name())
    }

    /// The policy's path.
    pub fn path(&self) -> Path {
        let resource = self.0.resource();
        let below = resource.strip_prefix("policy").unwrap_or(resource);
        Path::from_live(&below[..=below.rfind('/').unwrap_or(0)])
    }
}

impl fmt::Display for PolicyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_arn_knows_its_parts() {
        let arn = PolicyArn::new("arn:aws-cn:iam::123456789012:policy/team/core/base").unwrap();
        assert_eq!(arn.policy_name().as_str(), "base");
        assert_eq!(arn.path().as_str(), "/team/core/");
        assert_eq!((arn.partition(), arn.account()), ("aws-cn", "123456789012"));
        let aws = PolicyArn::new("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
        assert!(aws.is_aws_managed());
        assert_eq!(aws.path().as_str(), "/");
    }

    #[test]
    fn other_arns_are_refused() {
        for bad in [
            "AdministratorAccess",
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam::12:policy/x",
            "arn:aws:s3:::bucket-with-a-name",
            "arn:aws:iam::123456789012:role/x",
        ] {
            assert!(PolicyArn::new(bad).is_err(), "{bad}");
        }
    }
}
