//! What must hold and is verified, never changed: MFA of users, and what is asked of root.

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use trueup_model::{
    Desired, Live, Resource,
    desired::{DesiredUser, LoginProfileWish, MfaLevel, MfaRequirement},
    live::LiveUser,
};

use crate::{
    Requirement,
    resolve::{Fate, Resolved},
};

/// What MFA a user must have: what the user or its type says, else the strictest of its groups.
pub fn mfa_of(desired: &Desired, user: &DesiredUser) -> Option<MfaRequirement> {
    user.mfa.or_else(|| {
        let of_groups = user.groups.iter().filter_map(|group| desired.groups.get(group)?.mfa);
        of_groups.max_by_key(|requirement| (requirement.level, std::cmp::Reverse(requirement.grace_days)))
    })
}

/// Checks everything that the manifest requires.
pub(crate) fn check(resolved: &Resolved<'_>) -> Vec<Requirement> {
    let mut found = root(resolved);
    for (name, fate) in &resolved.users {
        let Fate::Declared { desired, live } = fate else {
            continue;
        };
        if resolved.expired(desired).is_some() {
            continue;
        }
        let Some(requirement) = mfa_of(resolved.desired, desired).filter(|r| r.level >= MfaLevel::Required) else {
            continue;
        };
        let (met, detail) = match live {
            Some(live) => device(desired, live, requirement, resolved.as_of),
            None if matches!(desired.login_profile, Some(LoginProfileWish::Present { .. })) => {
                within_grace(resolved.as_of, requirement, resolved.as_of)
                    .unwrap_or_else(|| (false, "a new user has no MFA device yet".to_owned()))
            }
            None => (true, "has no console password".to_owned()),
        };
        found.push(Requirement {
            subject: Resource::user(name),
            requirement: "mfa".to_owned(),
            met,
            detail,
            remedy: (!met).then(|| {
                format!(
                    "{name} adds a device in the console (Security credentials, Assign MFA device) or with \
                     `trueup mfa enroll {name}`"
                )
            }),
        });
    }
    found
}

fn device(desired: &DesiredUser, live: &LiveUser, requirement: MfaRequirement, as_of: Date) -> (bool, String) {
    let devices = live
        .credentials
        .mfa_devices
        .as_ref()
        .map_or(0, std::collections::BTreeSet::len);
    if devices > 0 {
        let plural = if devices == 1 { "device" } else { "devices" };
        return (true, format!("has {devices} MFA {plural}"));
    }
    let has_password = match (&live.credentials.login_profile, desired.login_profile) {
        (_, Some(LoginProfileWish::Present { .. })) => true,
        (_, Some(LoginProfileWish::Absent)) => false,
        (Some(profile), None) => profile.is_some(),
        (None, None) => true,
    };
    if !has_password {
        return (true, "has no console password".to_owned());
    }
    let created = live.created.to_zoned(TimeZone::UTC).date();
    within_grace(created, requirement, as_of)
        .unwrap_or_else(|| (false, "has a console password and no MFA device".to_owned()))
}

fn within_grace(created: Date, requirement: MfaRequirement, as_of: Date) -> Option<(bool, String)> {
    let due = created.checked_add(i64::from(requirement.grace_days).days()).ok()?;
    (as_of < due).then(|| (true, format!("has no MFA device yet; due on {due}")))
}

/// Root, by the account summary. An account whose root has neither password nor keys needs no MFA for it: so are
/// member accounts whose root credentials an organisation manages centrally.
fn root(resolved: &Resolved<'_>) -> Vec<Requirement> {
    let Live { account, .. } = resolved.live;
    let wanted = resolved.desired.account.root;
    let flag = |key: &str| account.summary.get(key).copied();
    let keys = flag("AccountAccessKeysPresent").unwrap_or(0) > 0;
    let mut found = Vec::new();
    if wanted.mfa_required {
        let mfa = flag("AccountMFAEnabled").unwrap_or(0) > 0;
        let password = flag("AccountPasswordPresent").unwrap_or(1) > 0;
        let (met, detail) = match (mfa, password || keys) {
            (true, _) => (true, "root has an MFA device"),
            (false, false) => (true, "root has no credentials at all"),
            (false, true) => (false, "root has credentials and no MFA device"),
        };
        found.push(Requirement {
            subject: Resource::root(),
            requirement: "mfa".to_owned(),
            met,
            detail: detail.to_owned(),
            remedy: (!met)
                .then(|| "sign in as root, open Security credentials and choose Assign MFA device".to_owned()),
        });
    }
    if wanted.access_keys_forbidden {
        found.push(Requirement {
            subject: Resource::root(),
            requirement: "access-keys".to_owned(),
            met: !keys,
            detail: if keys {
                "root has access keys"
            } else {
                "root has no access keys"
            }
            .to_owned(),
            remedy: keys.then(|| "sign in as root, open Security credentials and delete the access keys".to_owned()),
        });
    }
    if wanted.signing_certificates_forbidden {
        let certificates = flag("AccountSigningCertificatesPresent").unwrap_or(0) > 0;
        found.push(Requirement {
            subject: Resource::root(),
            requirement: "signing-certificates".to_owned(),
            met: !certificates,
            detail: if certificates {
                "root has signing certificates"
            } else {
                "root has no signing certificates"
            }
            .to_owned(),
            remedy: certificates.then(|| {
                "sign in as root, open Security credentials and delete the X.509 signing certificates".to_owned()
            }),
        });
    }
    found
}
