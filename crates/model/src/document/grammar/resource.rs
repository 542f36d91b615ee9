//! What IAM takes as a resource. It fills short ARNs up with `*` before it looks at them.
//!
//! Source: recorded answers of CreatePolicy, and the resources of the policies that AWS maintains.

use crate::{PARTITIONS, glob_matches};

const IAM_KINDS: &[&str] = &[
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

fn is_partition(text: &str) -> bool {
    PARTITIONS.iter().any(|known| glob_matches(text, known))
}

/// Whether IAM's first parser stumbles over the resource: an ARN with an empty service, or with empty fields and too
/// few of them. It leaves what has no known partition to the later stages.
pub(super) fn fails_legacy_parser(resource: &str) -> bool {
    let fields: Vec<&str> = resource.split(':').collect();
    match fields.as_slice() {
        ["arn", partition, service, ..] if is_partition(partition) => {
            service.is_empty() || (fields.len() < 6 && resource.contains("::"))
        }
        _ => false,
    }
}

/// Why IAM refuses the resource, in its words.
pub(super) fn refusal(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    let fields: Vec<&str> = resource.split(':').collect();
    let [first, partition, ..] = fields.as_slice() else {
        return Some(not_an_arn(resource));
    };
    if !is_partition(partition) {
        let mut filled = fields.clone();
        filled[0] = "arn";
        filled.resize(fields.len().max(6), "*");
        let filled = filled.join(":");
        return Some(format!(
            r#"Partition "{partition}" is not valid for resource "{filled}"."#
        ));
    }
    if *first != "arn" {
        return Some(not_an_arn(resource));
    }
    let field = |index: usize| fields.get(index).copied();
    let service = field(2).unwrap_or("*");
    if service.contains(['*', '?']) {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".to_owned());
    }
    let has_region = field(3).is_some_and(|region| !region.is_empty());
    let has_account = field(4).is_none_or(|account| !account.is_empty());
    match service {
        "iam" if has_region => Some(format!("IAM resource {resource} cannot contain region information.")),
        "iam" if fields.len() >= 6 && !is_iam_path(&fields[5..].join(":")) => Some(format!(
            r#"IAM resource path must either be "*", root, or start with {}."#,
            IAM_KINDS.join(", ")
        )),
        // Buckets and objects are named without region and account; access points, jobs and grants have both.
        "s3" if has_region && !has_account => Some(format!("Resource {resource} can not contain region information.")),
        _ => None,
    }
}

fn not_an_arn(resource: &str) -> String {
    format!(r#"Resource {resource} must be in ARN format or "*"."#)
}

fn is_iam_path(path: &str) -> bool {
    matches!(path, "*" | "root") || IAM_KINDS.iter().any(|kind| path.starts_with(kind))
}
