//! AWS managed policies as the sandbox answers with them. Their unique ids are not in the catalogue and made up here.

use jiff::Timestamp;

/// One AWS managed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsPolicy {
    /// What follows `policy` in its ARN: path and name.
    pub(crate) resource: String,
    pub(crate) version: u32,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) document: String,
}

impl AwsPolicy {
    /// A policy that a live account uses with a document that is not the one which comes with the sandbox.
    pub(crate) fn with_document(resource: &str, document: String) -> Self {
        let known = find(resource);
        Self {
            resource: resource.to_owned(),
            version: known.as_ref().map_or(1, |policy| policy.version),
            created: known.as_ref().map_or(Timestamp::UNIX_EPOCH, |policy| policy.created),
            updated: known.map_or(Timestamp::UNIX_EPOCH, |policy| policy.updated),
            document,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.resource.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &str {
        &self.resource[..self.resource.len() - self.name().len()]
    }

    /// Its unique id, made up but stable.
    pub(crate) fn id(&self) -> String {
        let seed = self
            .resource
            .bytes()
            .fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut random = crate::ids::Random::new(seed);
        let letters = (0..17).map(|_| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(random.next() % 32) as usize]));
        format!("ANPA{}", letters.collect::<String>())
    }

    /// Policies of service-linked roles cannot be attached by anybody but their service.
    pub(crate) fn is_attachable(&self) -> bool {
        !self.path().starts_with("/aws-service-role/")
    }
}

impl From<trueup_aws_policies::AwsPolicy> for AwsPolicy {
    fn from(policy: trueup_aws_policies::AwsPolicy) -> Self {
        Self {
            resource: policy.resource.to_owned(),
            version: policy.version,
            created: policy.created,
            updated: policy.updated,
            document: policy.document.to_owned(),
        }
    }
}

/// The AWS managed policy with this path and name.
pub(crate) fn find(resource: &str) -> Option<AwsPolicy> {
    trueup_aws_policies::find(resource).map(AwsPolicy::from)
}

/// All AWS managed policies.
pub(crate) fn all() -> impl Iterator<Item = AwsPolicy> {
    trueup_aws_policies::all().map(AwsPolicy::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_name_are_told_apart() {
        let policy = find("/job-function/ViewOnlyAccess").unwrap();
        assert_eq!((policy.name(), policy.path()), ("ViewOnlyAccess", "/job-function/"));
        let policy = find("/AdministratorAccess").unwrap();
        assert_eq!((policy.name(), policy.path()), ("AdministratorAccess", "/"));
    }

    #[test]
    fn policies_of_service_linked_roles_cannot_be_attached() {
        assert!(find("/AdministratorAccess").unwrap().is_attachable());
        assert!(
            !all()
                .find(|policy| policy.path() == "/aws-service-role/")
                .unwrap()
                .is_attachable()
        );
    }
}
