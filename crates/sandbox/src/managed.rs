//! AWS managed policies by name, with the document of their default version. The data and its licence are described
//! in `data/README.md`.

use std::{collections::BTreeMap, io::Read, sync::OnceLock};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;

static COMPRESSED: &[u8] = include_bytes!("../data/aws-managed-policies.jsonl.gz");

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

/// The first line of the data: path and name, version, created, updated, of each policy.
#[derive(Deserialize)]
struct Head(String, u32, Timestamp, Timestamp);

struct Catalogue {
    text: String,
    /// By path and name: what is known, and where the document stands in the text.
    policies: BTreeMap<String, (Head, std::ops::Range<usize>)>,
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    // INVARIANT: the data is part of the program, and a test reads all of it.
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

/// The AWS managed policy with this path and name.
pub(crate) fn find(resource: &str) -> Option<AwsPolicy> {
    let catalogue = catalogue();
    catalogue
        .policies
        .get(resource)
        .map(|(head, range)| policy(catalogue, head, range))
}

/// All AWS managed policies.
pub(crate) fn all() -> impl Iterator<Item = AwsPolicy> {
    let catalogue = catalogue();
    catalogue
        .policies
        .values()
        .map(|(head, range)| policy(catalogue, head, range))
}

fn policy(catalogue: &Catalogue, head: &Head, range: &std::ops::Range<usize>) -> AwsPolicy {
    AwsPolicy {
        resource: head.0.clone(),
        version: head.1,
        created: head.2,
        updated: head.3,
        document: catalogue.text[range.clone()].to_owned(),
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
            (administrator.name(), administrator.path(), administrator.version),
            ("AdministratorAccess", "/", 1)
        );
        assert!(
            administrator.document.contains("\"Action\":\"*\""),
            "{}",
            administrator.document
        );
        assert!(find("/job-function/ViewOnlyAccess").is_some());
        assert!(find("/administratoraccess").is_none());
        for policy in all() {
            assert!(serde_json::from_str::<serde_json::Value>(&policy.document).is_ok_and(|value| value.is_object()));
        }
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
