//! AWS managed policies by name, with the document of their default version, as of a date.
//!
//! For an account that is asked itself, its own answers count and not these: AWS changes its policies. The data and
//! its licence are described in `data/README.md`. This crate never does input or output and never reads a clock.

use std::{collections::BTreeMap, io::Read, ops::Range, sync::OnceLock};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;

static COMPRESSED: &[u8] = include_bytes!("../data/aws-managed-policies.jsonl.gz");

/// The day of the newest policy version in the data.
pub const DATE: &str = "2026-08-21";

/// One AWS managed policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsPolicy {
    /// What follows `policy` in its ARN: path and name.
    pub resource: &'static str,
    /// The number of its default version.
    pub version: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When its default version was.
    pub updated: Timestamp,
    /// The document of its default version, as compact JSON.
    pub document: &'static str,
}

/// The first line of the data: path and name, version, created, updated, of each policy.
#[derive(Debug, Deserialize)]
struct Head(String, u32, Timestamp, Timestamp);

#[derive(Debug)]
struct Catalogue {
    text: String,
    /// By path and name: what is known, and where the document stands in the text.
    policies: BTreeMap<String, (Head, Range<usize>)>,
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    #[expect(
        clippy::expect_used,
        reason = "the embedded file is part of the build, and a test reads all of it"
    )]
    CATALOGUE.get_or_init(|| read_catalogue().expect("the embedded catalogue can be read"))
}

fn read_catalogue() -> std::io::Result<Catalogue> {
    let mut text = String::new();
    GzDecoder::new(COMPRESSED).read_to_string(&mut text)?;
    let (first, _) = text.split_once('\n').unwrap_or((&text, ""));
    let heads: Vec<Head> = serde_json::from_str(first)?;
    let mut policies = BTreeMap::new();
    let mut start = first.len() + 1;
    for head in heads {
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        policies.insert(head.0.clone(), (head, start..end));
        start = end + 1;
    }
    Ok(Catalogue { text, policies })
}

/// The AWS managed policy with this path and name, for example `/job-function/ViewOnlyAccess`.
pub fn find(resource: &str) -> Option<AwsPolicy> {
    let catalogue = catalogue();
    catalogue
        .policies
        .get(resource)
        .map(|(head, range)| policy(catalogue, head, range))
}

/// The AWS managed policy with this ARN, of whatever partition: documents are those of the partition `aws`.
pub fn find_arn(arn: &str) -> Option<AwsPolicy> {
    let (_, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    find(rest.strip_prefix("iam::aws:policy")?)
}

/// All AWS managed policies, by path and name.
pub fn all() -> impl Iterator<Item = AwsPolicy> {
    let catalogue = catalogue();
    catalogue
        .policies
        .values()
        .map(|(head, range)| policy(catalogue, head, range))
}

fn policy(catalogue: &'static Catalogue, head: &'static Head, range: &Range<usize>) -> AwsPolicy {
    AwsPolicy {
        resource: &head.0,
        version: head.1,
        created: head.2,
        updated: head.3,
        document: &catalogue.text[range.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert!(all().count() > 1500);
        let administrator = find("/AdministratorAccess").unwrap();
        assert_eq!(
            (administrator.resource, administrator.version),
            ("/AdministratorAccess", 1)
        );
        assert!(
            administrator.document.contains("\"Action\":\"*\""),
            "{}",
            administrator.document
        );
        assert!(find("/job-function/ViewOnlyAccess").is_some());
        assert!(find("/administratoraccess").is_none());
        for policy in all() {
            assert!(serde_json::from_str::<serde_json::Value>(policy.document).is_ok_and(|value| value.is_object()));
        }
    }

    #[test]
    fn the_date_is_that_of_the_newest_version() {
        let newest = all().map(|policy| policy.updated).max().unwrap();
        assert!(newest.to_string().starts_with(DATE), "{newest}");
    }

    #[test]
    fn a_policy_is_found_by_its_arn_in_every_partition() {
        for arn in [
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws-cn:iam::aws:policy/AdministratorAccess",
        ] {
            assert_eq!(find_arn(arn), find("/AdministratorAccess"), "{arn}");
        }
        assert_eq!(find_arn("arn:aws:iam::123456789012:policy/AdministratorAccess"), None);
        assert_eq!(find_arn("AdministratorAccess"), None);
    }
}
