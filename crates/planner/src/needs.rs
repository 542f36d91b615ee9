//! What has to be read beyond the bulk read, and no more: calls are what people wait for.

use std::collections::BTreeSet;

use trueup_model::{
    PolicyArn, Unmanaged,
    desired::MfaLevel,
    live::{CredentialNeeds, Credentials, Needs},
};

use crate::{
    references,
    requirements::mfa_of,
    resolve::{Fate, Resolved},
};

/// What is not known yet and matters.
pub(crate) fn missing(resolved: &Resolved<'_>) -> Needs {
    let mut needs = Needs::default();
    for fate in resolved.users.values() {
        let Some(live) = fate.live() else { continue };
        let known = &live.credentials;
        let need = match fate {
            Fate::Deleted { .. } => CredentialNeeds {
                everything: !everything_known(known),
                ..CredentialNeeds::default()
            },
            Fate::Declared { desired, .. } => {
                let expired = resolved.expired(desired).is_some();
                let requires_mfa =
                    !expired && mfa_of(resolved.desired, desired).is_some_and(|r| r.level >= MfaLevel::Required);
                // Whether somebody without a device needs one depends on whether they have a password.
                let password_decides = requires_mfa && known.mfa_devices.as_ref().is_some_and(BTreeSet::is_empty);
                CredentialNeeds {
                    login_profile: known.login_profile.is_none()
                        && (desired.login_profile.is_some() || expired || password_decides),
                    access_keys: known.access_keys.is_none() && expired,
                    mfa_devices: known.mfa_devices.is_none() && requires_mfa,
                    everything: false,
                }
            }
        };
        if need != CredentialNeeds::default() {
            needs.users.insert(live.name.clone(), need);
        }
    }
    needs.virtual_mfa_devices =
        resolved.live.virtual_mfa_devices.is_none() && needs.users.values().any(|need| need.mfa_devices);

    let scope = &resolved.desired.scope;
    let tag_rules = scope
        .ignore
        .iter()
        .any(|rule| matches!(rule.target, trueup_model::IgnoreTarget::Tag { .. }));
    for (name, policy) in &resolved.live.policies {
        let declared =
            resolved.desired.policies.contains_key(name) || resolved.desired.absent.policies.contains_key(name);
        let in_question =
            scope.policies.contains(&policy.path) && (tag_rules || scope.policies.unmanaged == Unmanaged::Delete);
        if policy.metadata.is_none() && (declared || in_question) {
            needs.policies.insert(name.clone());
        }
    }
    needs.aws_policies = missing_documents(resolved);
    needs
}

/// AWS managed policies that the manifest names and nobody holds yet: what they allow and deny decides the order of
/// calls, and who is an administrator afterwards.
fn missing_documents(resolved: &Resolved<'_>) -> BTreeSet<PolicyArn> {
    let live = resolved.live;
    references::named_by_arn(resolved.desired)
        .into_iter()
        .filter(|arn| arn.is_aws_managed() && arn.partition() == live.account.partition)
        .filter(|arn| !live.aws_policies.contains_key(*arn) && !live.missing_aws_policies.contains(*arn))
        .cloned()
        .collect()
}

fn everything_known(credentials: &Credentials) -> bool {
    let Credentials {
        login_profile,
        access_keys,
        mfa_devices,
        ssh_public_keys,
        signing_certificates,
        service_specific_credentials,
    } = credentials;
    login_profile.is_some()
        && access_keys.is_some()
        && mfa_devices.is_some()
        && ssh_public_keys.is_some()
        && signing_certificates.is_some()
        && service_specific_credentials.is_some()
}
