//! What a plan or a snapshot needs beyond the bulk read, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use trueup_model::{
    Live, PolicyArn, PolicyName, Resource, UserName,
    live::{CredentialNeeds, Needs, PolicyMetadata, VirtualMfaDevice},
};

use crate::{
    CONCURRENCY, During, ReadError, Reader,
    convert::{self, required},
    credentials::{Found, Kind, Known},
};

const NO_SERVICE_CREDENTIALS: &str = "the endpoint does not know ListServiceSpecificCredentials; \
     users are taken to have no service-specific credentials";

/// A policy's id beside its metadata, since not every bulk read tells it.
type Metadata = (PolicyName, String, PolicyMetadata);

impl Reader {
    /// Reads what `needs` names, into `live`. What `live` already knows is not read again; users and policies that
    /// it does not have are passed over.
    ///
    /// A need for [`CredentialNeeds::everything`] is always answered by the user's own listings. A need for MFA
    /// devices alone is answered by the account's virtual devices wherever the totals prove that there is no device
    /// of another kind.
    ///
    /// # Errors
    ///
    /// [`ReadError`] of the first call that failed; `live` is then left as it was, counts aside.
    pub async fn details(&self, live: &mut Live, needs: &Needs) -> Result<(), ReadError> {
        let wants_devices = needs.virtual_mfa_devices || needs.users.values().any(|need| need.mfa_devices);
        self.ensure_virtual_mfa_devices(live, wants_devices).await?;
        let totals_decide = live.virtual_mfa_devices.as_deref().filter(|devices| {
            // `MFADevicesInUse` counts devices of every kind, root's included.
            let assigned = devices.iter().filter(|device| device.root || device.user.is_some());
            let in_use = live.account.summary.get("MFADevicesInUse");
            in_use.is_some_and(|in_use| usize::try_from(*in_use) == Ok(assigned.count()))
        });

        let mut from_totals = Vec::new();
        let mut asked = Vec::new();
        for (name, need) in &needs.users {
            let Some(user) = live.users.get(name) else { continue };
            for kind in kinds(need) {
                if is_known(&user.credentials, kind) {
                    continue;
                }
                match totals_decide {
                    Some(devices) if kind == Kind::MfaDevices && !need.everything => {
                        from_totals.push((user.name.clone(), serials_of(devices, &user.name)));
                    }
                    _ => asked.push((user.name.clone(), kind)),
                }
            }
        }
        let wanted = needs.users.iter().filter(|(_, need)| need.key_use);
        let key_use: Vec<(UserName, Vec<String>)> = wanted
            .filter_map(|(name, _)| {
                let user = live.users.get(name)?;
                let keys = user.credentials.access_keys.iter().flatten();
                let ids: Vec<String> = keys
                    .filter(|(_, key)| key.last_used.is_none())
                    .map(|(id, _)| id.clone())
                    .collect();
                (!ids.is_empty()).then(|| (user.name.clone(), ids))
            })
            .collect();
        let metadata = needs
            .policies
            .iter()
            .filter_map(|name| live.policies.get(name))
            .filter(|policy| policy.metadata.is_none());
        let metadata: Vec<_> = metadata
            .map(|policy| (policy.name.clone(), policy.arn.clone()))
            .collect();

        let unknown = needs.aws_policies.iter();
        let unknown = unknown
            .filter(|arn| !live.aws_policies.contains_key(*arn))
            .cloned()
            .collect();

        let result = tokio::try_join!(
            self.credentials(asked),
            self.all_key_use(key_use),
            self.metadata(metadata),
            self.aws_policies(unknown)
        );
        self.move_counts_to(&mut live.reads);
        let (credentials, key_use, metadata, aws_policies) = result?;
        for (arn, document) in aws_policies {
            match document {
                Some(document) => drop(live.aws_policies.insert(arn, document)),
                None => drop(live.missing_aws_policies.insert(arn)),
            }
        }
        for (user, serials) in from_totals {
            write_down(live, &user, Found::MfaDevices(serials));
        }
        for (user, found) in credentials.into_iter().chain(key_use) {
            write_down(live, &user, found);
        }
        for (name, id, metadata) in metadata {
            if let Some(policy) = live.policies.get_mut(&name) {
                if policy.id.is_empty() {
                    policy.id = id;
                }
                policy.metadata = Some(metadata);
            }
        }
        Ok(())
    }

    /// Reads whatever there is, into `live`: all credentials of all users, the metadata of all customer managed
    /// policies, and all virtual MFA devices. Takes about four calls a user; for snapshots.
    ///
    /// # Errors
    ///
    /// As [`Self::details`].
    pub async fn everything(&self, live: &mut Live) -> Result<(), ReadError> {
        match self.all_service_specific_credentials().await? {
            Known::Yes(mut by_user) => {
                for (name, user) in &mut live.users {
                    let found = by_user.remove(name).unwrap_or_default();
                    user.credentials.service_specific_credentials = Some(found);
                }
            }
            Known::NoSuchOperation => {
                for user in live.users.values_mut() {
                    user.credentials.service_specific_credentials = Some(BTreeMap::new());
                }
                note_once(live, NO_SERVICE_CREDENTIALS);
            }
        }
        self.ensure_virtual_mfa_devices(live, true).await?;
        // Two passes, so that the devices of all users can come from the totals where these decide.
        let devices = CredentialNeeds {
            mfa_devices: true,
            ..CredentialNeeds::default()
        };
        let rest = CredentialNeeds {
            everything: true,
            ..CredentialNeeds::default()
        };
        // And a third, as only the keys' ids tell what to ask for.
        let key_use = CredentialNeeds {
            key_use: true,
            ..CredentialNeeds::default()
        };
        for need in [devices, rest, key_use] {
            let needs = Needs {
                users: live.users.keys().map(|name| (name.clone(), need)).collect(),
                policies: live.policies.keys().cloned().collect(),
                aws_policies: BTreeSet::new(),
                virtual_mfa_devices: true,
            };
            self.details(live, &needs).await?;
        }
        Ok(())
    }

    async fn ensure_virtual_mfa_devices(&self, live: &mut Live, wanted: bool) -> Result<(), ReadError> {
        if wanted && live.virtual_mfa_devices.is_none() {
            live.virtual_mfa_devices = Some(self.virtual_mfa_devices().await?);
        }
        Ok(())
    }

    async fn credentials(&self, asked: Vec<(UserName, Kind)>) -> Result<Vec<(UserName, Found)>, ReadError> {
        stream::iter(asked)
            .map(|(user, kind)| async move {
                let found = self.credential(&user, kind).await?;
                Ok((user, found))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn all_key_use(&self, asked: Vec<(UserName, Vec<String>)>) -> Result<Vec<(UserName, Found)>, ReadError> {
        stream::iter(asked)
            .map(|(user, ids)| async move {
                let found = self.key_use(&user, ids).await?;
                Ok((user, found))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn metadata(&self, policies: Vec<(PolicyName, PolicyArn)>) -> Result<Vec<Metadata>, ReadError> {
        stream::iter(policies)
            .map(|(name, arn)| self.policy_metadata(name, arn))
            .buffered(CONCURRENCY)
            .try_filter_map(|found| async move { Ok(found) })
            .try_collect()
            .await
    }

    /// `None` where the policy is gone by now.
    async fn policy_metadata(&self, name: PolicyName, arn: PolicyArn) -> Result<Option<Metadata>, ReadError> {
        let during = During::iam("GetPolicy").of(Resource::policy(&name));
        let call = self.api.get_policy().policy_arn(arn.as_str());
        let Some(answer) = self.answer_if_any(&during, call.send()).await? else {
            return Ok(None);
        };
        let policy = required(&during, "Policy", answer.policy)?;
        let metadata = PolicyMetadata {
            tags: convert::tags(policy.tags),
            // An empty description is how some IAMs spell "none".
            description: policy.description.filter(|text| !text.is_empty()),
        };
        Ok(Some((name, policy.policy_id.unwrap_or_default(), metadata)))
    }
}

fn kinds(need: &CredentialNeeds) -> impl Iterator<Item = Kind> {
    let CredentialNeeds {
        login_profile,
        access_keys,
        // Asked for by key, not by user.
        key_use: _,
        other_keys,
        mfa_devices,
        everything,
    } = *need;
    [
        (Kind::LoginProfile, login_profile),
        (Kind::AccessKeys, access_keys),
        (Kind::MfaDevices, mfa_devices),
        (Kind::SshPublicKeys, other_keys),
        (Kind::SigningCertificates, other_keys),
        (Kind::ServiceSpecificCredentials, other_keys),
    ]
    .into_iter()
    .filter(move |(_, named)| *named || everything)
    .map(|(kind, _)| kind)
}

fn is_known(credentials: &trueup_model::live::Credentials, kind: Kind) -> bool {
    match kind {
        Kind::LoginProfile => credentials.login_profile.is_some(),
        Kind::AccessKeys => credentials.access_keys.is_some(),
        Kind::MfaDevices => credentials.mfa_devices.is_some(),
        Kind::SshPublicKeys => credentials.ssh_public_keys.is_some(),
        Kind::SigningCertificates => credentials.signing_certificates.is_some(),
        Kind::ServiceSpecificCredentials => credentials.service_specific_credentials.is_some(),
    }
}

fn serials_of(devices: &[VirtualMfaDevice], user: &UserName) -> BTreeSet<String> {
    devices
        .iter()
        .filter(|device| device.user.as_ref() == Some(user))
        .map(|device| device.serial.clone())
        .collect()
}

fn write_down(live: &mut Live, user: &UserName, found: Found) {
    let known = live
        .users
        .get_mut(user)
        .is_none_or(|user| found.into_credentials(&mut user.credentials));
    if !known {
        note_once(live, NO_SERVICE_CREDENTIALS);
    }
}

fn note_once(live: &mut Live, note: &str) {
    if !live.notes.iter().any(|known| known == note) {
        live.notes.push(note.to_owned());
    }
}
