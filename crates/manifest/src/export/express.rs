//! Whether a manifest can say what a live entity is. The reasons complete "is external, because …".

use std::collections::BTreeMap;

use trueup_model::{
    AccountId, GroupName, InlinePolicyName, Path, PolicyArn, PolicyDocument, PolicyName, QUARANTINE_POLICY,
    REQUIRE_MFA_POLICY, TagError, Tags, UserName, check_tag_key, check_tag_value,
    document::{DocumentKind, Owner},
    is_reserved_policy_name, is_reserved_tag_key,
    live::{LiveGroup, LivePolicy, LiveUser},
    quota,
};

use super::document::to_out;
use crate::diagnostic::quoted;

type Expressed = Result<(), String>;

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(super) fn policy(policy: &LivePolicy) -> Expressed {
    PolicyName::new(policy.name.as_str()).map_err(told)?;
    Path::for_policy(policy.path.as_str()).map_err(told)?;
    let document = policy.document().ok_or("its document was not read")?;
    check_document(document, DocumentKind::Managed)?;
    at_most(
        document.size(),
        quota::MANAGED_POLICY_SIZE,
        "characters in its document",
    )?;
    if let Some(metadata) = &policy.metadata {
        check_tags(&metadata.tags)?;
    }
    Ok(())
}

pub(super) fn group(group: &LiveGroup, kept: &PolicyDocument) -> Expressed {
    group_name(&group.name)?;
    reserved(&group.inline_policies, kept)?;
    Path::new(group.path.as_str()).map_err(told)?;
    at_most(
        group.managed_policies.len(),
        quota::ATTACHED_POLICIES_PER_GROUP,
        "managed policies",
    )?;
    inline_policies(&group.inline_policies, Owner::Group, quota::GROUP_INLINE_POLICY_SIZE)
}

pub(super) fn user(user: &LiveUser, kept: &PolicyDocument) -> Expressed {
    UserName::new(user.name.as_str()).map_err(told)?;
    reserved(&user.inline_policies, kept)?;
    Path::new(user.path.as_str()).map_err(told)?;
    check_tags(&user.tags)?;
    at_most(user.groups.len(), quota::GROUPS_PER_USER, "groups")?;
    at_most(
        user.managed_policies.len(),
        quota::ATTACHED_POLICIES_PER_USER_HIGHEST,
        "managed policies",
    )?;
    inline_policies(&user.inline_policies, Owner::User, quota::USER_INLINE_POLICY_SIZE)
}

pub(super) fn group_name(name: &GroupName) -> Expressed {
    GroupName::new(name.as_str()).map(drop).map_err(told)
}

/// AWS managed policies and the account's own can be named.
pub(super) fn policy_arn(arn: &PolicyArn, account: &AccountId) -> Expressed {
    PolicyArn::new(arn.as_str()).map_err(told)?;
    if arn.is_aws_managed() || arn.account() == account.as_str() {
        Ok(())
    } else {
        Err(format!("it has the policy {} of another account", quoted(arn.as_str())))
    }
}

/// The policies that trueup keeps are no manifest's; the one of `mfa: enforced` can be said if it is what it should be.
fn reserved(policies: &BTreeMap<InlinePolicyName, PolicyDocument>, kept: &PolicyDocument) -> Expressed {
    for (name, document) in policies
        .iter()
        .filter(|(name, _)| is_reserved_policy_name(name.as_str()))
    {
        let is = |reserved: &str| name.as_str().eq_ignore_ascii_case(reserved);
        if is(QUARANTINE_POLICY) {
            return Err("it is in quarantine".to_owned());
        }
        if !is(REQUIRE_MFA_POLICY) || document != kept {
            return Err(format!(
                "its inline policy {} has a name that trueup keeps for itself",
                quoted(name.as_str())
            ));
        }
    }
    Ok(())
}

fn inline_policies(policies: &BTreeMap<InlinePolicyName, PolicyDocument>, owner: Owner, limit: usize) -> Expressed {
    for (name, document) in policies {
        InlinePolicyName::new(name.as_str()).map_err(told)?;
        check_document(document, DocumentKind::Inline(owner))
            .map_err(|reason| format!("of its inline policy {}: {reason}", quoted(name.as_str())))?;
    }
    let size = policies.values().map(PolicyDocument::size).sum();
    at_most(size, limit, "characters in its inline policies")
}

fn check_document(document: &PolicyDocument, kind: DocumentKind) -> Expressed {
    if document.is_opaque() {
        return Err("its document cannot be read, or has the same key twice".to_owned());
    }
    if let Some(refusal) = document.refusal(kind) {
        let words = refusal.message.trim_end_matches('.');
        return Err(format!("IAM would refuse its document today ({words})"));
    }
    // The last word: what is written must mean what was read.
    let written = to_out(document).map(|out| super::document::to_json(&out));
    match written.and_then(|json| PolicyDocument::parse(&json).ok()) {
        Some(read_back) if read_back == *document => Ok(()),
        _ => Err("its document holds values that YAML cannot keep as they are".to_owned()),
    }
}

fn check_tags(tags: &Tags) -> Expressed {
    let own = || tags.iter().filter(|(key, _)| !is_reserved_tag_key(key));
    for (key, value) in own() {
        let of_the_tag = |error: TagError| format!("of its tag {}: {error}", quoted(key));
        check_tag_key(key).map_err(of_the_tag)?;
        check_tag_value(value).map_err(of_the_tag)?;
    }
    at_most(own().count(), quota::TAGS_PER_RESOURCE, "tags")
}

fn at_most(count: usize, limit: usize, of: &str) -> Expressed {
    if count > limit {
        return Err(format!("it has {count} {of}, and IAM allows {limit} today"));
    }
    Ok(())
}
