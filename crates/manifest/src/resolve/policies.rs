//! What names and ARNs of managed policies stand for.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::{
    PolicyArn, PolicyName,
    desired::{BoundaryWish, PolicyRef},
};

use super::Resolver;
use crate::{
    context::{At, Span},
    diagnostic::quoted,
    read::suggest::did_you_mean,
};

impl Resolver<'_, '_> {
    /// A list of managed policies, each at most once.
    pub(super) fn policy_refs(&mut self, items: &[At<String>]) -> BTreeSet<PolicyRef> {
        let mut first: BTreeMap<PolicyRef, Span> = BTreeMap::new();
        for item in items {
            let Some(policy) = self.policy_ref(item) else { continue };
            if let Some(first) = first.get(&policy) {
                self.context
                    .error(
                        "listed-twice",
                        item.span,
                        format!("{} is listed twice", quoted(&item.value)),
                    )
                    .related("it is listed here already", *first);
            } else {
                first.insert(policy, item.span);
            }
        }
        first.into_keys().collect()
    }

    pub(super) fn boundary(&mut self, text: Option<&At<String>>) -> BoundaryWish {
        match text {
            None => BoundaryWish::Keep,
            Some(text) if text.value.is_empty() => BoundaryWish::Absent,
            Some(text) => self.policy_ref(text).map_or(BoundaryWish::Keep, BoundaryWish::Present),
        }
    }

    fn policy_ref(&mut self, text: &At<String>) -> Option<PolicyRef> {
        if text.value.starts_with("arn:") {
            self.policy_by_arn(text)
        } else {
            self.policy_by_name(text)
        }
    }

    fn policy_by_name(&mut self, text: &At<String>) -> Option<PolicyRef> {
        let name = match PolicyName::new(text.value.as_str()) {
            Ok(name) => name,
            Err(error) => {
                self.context.error("bad-name", text.span, error.to_string());
                return None;
            }
        };
        if self.names.policies.contains_key(&name) {
            return Some(PolicyRef::Declared(name));
        }
        if self.context.incomplete {
            return None;
        }
        let external = self
            .names
            .external_policies
            .keys()
            .find(|arn| arn.policy_name() == name);
        let hint = match external {
            Some(arn) => format!("an external policy is named by its ARN: {}", quoted(arn.as_str())),
            None => self.nearest_policy(text.value.as_str()).unwrap_or_else(|| {
                format!("declare it under `policies`; a policy of AWS is named by its ARN, as `arn:aws:iam::aws:policy/{name}`")
            }),
        };
        self.context
            .error(
                "unknown-policy",
                text.span,
                format!("there is no policy {} in this manifest", quoted(&text.value)),
            )
            .hint(hint);
        None
    }

    fn nearest_policy(&self, text: &str) -> Option<String> {
        did_you_mean(text, self.names.policies.keys().map(PolicyName::as_str))
    }

    fn policy_by_arn(&mut self, text: &At<String>) -> Option<PolicyRef> {
        let arn = match PolicyArn::new(text.value.as_str()) {
            Ok(arn) => arn,
            Err(error) => {
                self.context.error("bad-arn", text.span, error.to_string());
                return None;
            }
        };
        if arn.is_aws_managed() || self.names.external_policies.contains_key(&arn) {
            return Some(PolicyRef::Arn(arn));
        }
        let account = self.account_id()?;
        if arn.account() != account {
            let owner = arn.account().to_owned();
            let message = format!("this policy belongs to account {owner}, not to {account}");
            self.context
                .error("foreign-policy", text.span, message)
                .hint("users and groups can have policies of their own account and of AWS only");
            return None;
        }
        let name = arn.policy_name();
        if let Some((declared, path)) = self.names.policies.get(&name) {
            // A path that is left out is whatever the live policy's is.
            if let Some(path) = path.as_ref().filter(|path| **path != arn.path()) {
                let right = PolicyArn::customer(
                    arn.partition(),
                    &trueup_model::AccountId::new(account).ok()?,
                    path,
                    &name,
                );
                self.context
                    .error(
                        "unknown-policy",
                        text.span,
                        format!("policy {} has another path", quoted(name.as_str())),
                    )
                    .related("declared here", *declared)
                    .hint(format!(
                        "name it {}, or {}",
                        quoted(name.as_str()),
                        quoted(right.as_str())
                    ));
                return None;
            }
            return Some(PolicyRef::Declared(name));
        }
        if !self.context.incomplete {
            let others = self.names.external_policies.keys().map(PolicyArn::as_str);
            let hint = did_you_mean(text.value.as_str(), others)
                .or_else(|| self.nearest_policy(name.as_str()))
                .unwrap_or_else(|| "declare it under `policies`, or list the ARN under `external.policies`".to_owned());
            let message = format!(
                "this manifest neither declares policy {} nor calls it external",
                quoted(name.as_str())
            );
            self.context.error("unknown-policy", text.span, message).hint(hint);
        }
        None
    }
}
