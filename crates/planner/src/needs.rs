//! What has to be read beyond the bulk read, and no more: calls are what people wait for.

use std::collections::BTreeSet;

use jiff::civil::Date;
use trueup_model::{
    Live, PolicyArn, Resource, Unmanaged,
    desired::{DesiredUser, MfaLevel},
    live::{CredentialNeeds, Credentials, LiveUser, Needs},
};

use crate::{
    Note, PlanError, access_keys,
    memory::Memory,
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
            Fate::Quarantined { .. } => CredentialNeeds {
                login_profile: known.login_profile.is_none(),
                access_keys: known.access_keys.is_none(),
                other_keys: !other_keys_known(known),
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
                        && (desired.login_profile.is_some()
                            || expired
                            || password_decides
                            || reset_is_due(desired, live)),
                    access_keys: known.access_keys.is_none() && (expired || access_keys::concern(desired, live)),
                    key_use: !expired && use_is_unknown(desired, live, resolved.as_of),
                    other_keys: expired && !other_keys_known(known),
                    mfa_devices: known.mfa_devices.is_none() && requires_mfa,
                    everything: false,
                }
            }
        };
        if need != CredentialNeeds::default() {
            needs.users.insert(live.name.clone(), need);
        }
    }
    let on_the_way = needs.users.values().any(|need| need.mfa_devices);
    // A deletion that stopped half-way leaves a device that is assigned to nobody.
    let deletes = resolved.users.values().any(|fate| matches!(fate, Fate::Deleted { .. }));
    needs.virtual_mfa_devices = resolved.live.virtual_mfa_devices.is_none()
        && (on_the_way || (deletes && has_devices_of_nobody(resolved.live)));

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

/// The credentials of those who are in the way of every order of calls.
pub(crate) fn of_refused(error: &PlanError, live: &Live) -> Needs {
    let problems = match error {
        PlanError::Impossible(problems) => problems.as_slice(),
        PlanError::WrongAccount { .. } => &[],
    };
    let names = problems.iter().flat_map(|problem| &problem.in_the_way);
    let unknown = names.filter(|name| {
        let user = live.users.get(*name);
        user.is_some_and(|user| !everything_known(&user.credentials))
    });
    let everything = CredentialNeeds {
        everything: true,
        ..CredentialNeeds::default()
    };
    Needs {
        users: unknown.map(|name| (name.clone(), everything)).collect(),
        ..Needs::default()
    }
}

/// Whether there are MFA devices that are assigned to nobody, by the account's totals.
fn has_devices_of_nobody(live: &Live) -> bool {
    let total = |key| live.account.summary.get(key).copied().unwrap_or_default();
    total("MFADevices") > total("MFADevicesInUse")
}

/// What the plan has to go without, since it was not read: a snapshot that an apply left, or one that was edited, does
/// not hold everything.
pub(crate) fn notes(resolved: &Resolved<'_>) -> Vec<Note> {
    let Needs {
        users,
        policies,
        aws_policies,
        // Only asked for on the way to users' devices, and for those of nobody.
        virtual_mfa_devices: _,
    } = missing(resolved);
    let note = |strict: bool, resource: Option<Resource>, message: String| Note {
        strict,
        resource,
        message,
    };
    let users = users.keys().map(|name| {
        let message =
            "its credentials were not read, and the plan takes those for absent; `trueup snapshot` reads them";
        note(true, Some(Resource::user(name)), message.to_owned())
    });
    let policies = policies.iter().map(|name| {
        let message = "its tags and description were not read, and are not compared; `trueup snapshot` reads them";
        note(true, Some(Resource::policy(name)), message.to_owned())
    });
    let aws_policies = aws_policies.iter().map(|arn| {
        let message = format!("whether AWS has the policy `{arn}`, and what it allows, was not read");
        note(false, None, message)
    });
    users.chain(policies).chain(aws_policies).collect()
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

fn reset_is_due(desired: &DesiredUser, live: &LiveUser) -> bool {
    desired.reset_password.is_some() && desired.reset_password != Memory::of(&live.tags).password_reset
}

fn use_is_unknown(desired: &DesiredUser, live: &LiveUser, as_of: Date) -> bool {
    let Some(keys) = live.credentials.access_keys.as_ref() else {
        return false;
    };
    let asked = access_keys::asks_for_use(desired.access_keys.as_ref(), keys, &Memory::of(&live.tags), as_of);
    asked
        .iter()
        .any(|id| keys.get(id).is_some_and(|key| key.last_used.is_none()))
}

fn other_keys_known(credentials: &Credentials) -> bool {
    credentials.ssh_public_keys.is_some()
        && credentials.signing_certificates.is_some()
        && credentials.service_specific_credentials.is_some()
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
