//! One user's credentials, one call per kind. No call here tells a secret.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_iam::{
    config::retry::RetryConfig,
    operation::list_service_specific_credentials::builders::ListServiceSpecificCredentialsFluentBuilder,
    types::{ServiceSpecificCredentialMetadata, StatusType},
};
use trueup_model::{
    Resource, UserName,
    live::{AccessKey, Credentials, LastUse, LoginProfile, VirtualMfaDevice},
};

use crate::{
    During, ReadError, Reader,
    bulk::{PAGE, Pages},
    call::is_unknown_operation,
    convert::{required, timestamp},
};

/// How long a key that is listed may look forbidden: replicas agree within seconds.
const SETTLING: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// A kind of credential that takes a call of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    LoginProfile,
    AccessKeys,
    MfaDevices,
    SshPublicKeys,
    SigningCertificates,
    ServiceSpecificCredentials,
}

/// What a call found; put where it belongs by [`Found::into_credentials`].
#[derive(Debug)]
pub(crate) enum Found {
    LoginProfile(Option<LoginProfile>),
    AccessKeys(BTreeMap<String, AccessKey>),
    MfaDevices(BTreeSet<String>),
    KeyUse(BTreeMap<String, LastUse>),
    SshPublicKeys(BTreeMap<String, bool>),
    SigningCertificates(BTreeMap<String, bool>),
    ServiceSpecificCredentials(Known<BTreeMap<String, bool>>),
}

/// An answer of an operation that not every endpoint has.
#[derive(Debug)]
pub(crate) enum Known<T> {
    Yes(T),
    /// The endpoint does not know the operation, so that nothing of the kind can exist there.
    NoSuchOperation,
}

impl Found {
    /// Writes the finding down. `false`: the endpoint does not know the operation.
    pub(crate) fn into_credentials(self, credentials: &mut Credentials) -> bool {
        match self {
            Self::LoginProfile(found) => credentials.login_profile = Some(found),
            Self::AccessKeys(found) => credentials.access_keys = Some(found),
            Self::KeyUse(found) => {
                for (id, last_used) in found {
                    if let Some(key) = credentials.access_keys.as_mut().and_then(|keys| keys.get_mut(&id)) {
                        key.last_used = Some(last_used);
                    }
                }
            }
            Self::MfaDevices(found) => credentials.mfa_devices = Some(found),
            Self::SshPublicKeys(found) => credentials.ssh_public_keys = Some(found),
            Self::SigningCertificates(found) => credentials.signing_certificates = Some(found),
            Self::ServiceSpecificCredentials(Known::Yes(found)) => {
                credentials.service_specific_credentials = Some(found);
            }
            Self::ServiceSpecificCredentials(Known::NoSuchOperation) => {
                credentials.service_specific_credentials = Some(BTreeMap::new());
                return false;
            }
        }
        true
    }
}

/// Reads all pages of a listing that belongs to one user; a user that is gone by now has nothing.
macro_rules! listing {
    ($reader:ident, $during:ident, $call:expr, $list:ident) => {{
        let mut found = Vec::new();
        let mut pages = Pages::new(&$during);
        while let Some(marker) = pages.next_marker() {
            let call = $call.max_items(PAGE).set_marker(marker);
            let Some(page) = $reader.answer_if_any(&$during, call.send()).await? else {
                break;
            };
            pages.turn(page.is_truncated, page.marker)?;
            found.extend(page.$list);
        }
        found
    }};
}

pub(crate) use listing;

impl Reader {
    pub(crate) async fn credential(&self, user: &UserName, kind: Kind) -> Result<Found, ReadError> {
        Ok(match kind {
            Kind::LoginProfile => Found::LoginProfile(self.login_profile(user).await?),
            Kind::AccessKeys => Found::AccessKeys(self.access_keys(user).await?),
            Kind::MfaDevices => Found::MfaDevices(self.mfa_devices(user).await?),
            Kind::SshPublicKeys => Found::SshPublicKeys(self.ssh_public_keys(user).await?),
            Kind::SigningCertificates => Found::SigningCertificates(self.signing_certificates(user).await?),
            Kind::ServiceSpecificCredentials => {
                Found::ServiceSpecificCredentials(self.service_specific_credentials(user).await?)
            }
        })
    }

    pub(crate) async fn login_profile(&self, user: &UserName) -> Result<Option<LoginProfile>, ReadError> {
        let during = During::iam("GetLoginProfile").of(Resource::user(user));
        let call = self.api.get_login_profile().user_name(user.as_str());
        let answer = self.answer_if_any(&during, call.send()).await?;
        answer
            .and_then(|answer| answer.login_profile)
            .map(|profile| {
                Ok(LoginProfile {
                    created: timestamp(&during, &profile.create_date)?,
                    password_reset_required: profile.password_reset_required,
                })
            })
            .transpose()
    }

    async fn access_keys(&self, user: &UserName) -> Result<BTreeMap<String, AccessKey>, ReadError> {
        let during = During::iam("ListAccessKeys").of(Resource::user(user));
        let keys = listing!(
            self,
            during,
            self.api.list_access_keys().user_name(user.as_str()),
            access_key_metadata
        );
        keys.into_iter()
            .map(|key| {
                let id = required(&during, "AccessKeyId", key.access_key_id)?;
                let created = timestamp(&during, &required(&during, "CreateDate", key.create_date)?)?;
                let active = key.status == Some(StatusType::Active);
                let key = AccessKey {
                    active,
                    created,
                    last_used: None,
                };
                Ok((id, key))
            })
            .collect()
    }

    /// When each of these keys was last used: one call a key. Keys that are gone by now are left out.
    pub(crate) async fn key_use(&self, user: &UserName, ids: Vec<String>) -> Result<Found, ReadError> {
        let mut found = BTreeMap::new();
        for id in ids {
            if let Some(last_used) = self.last_use(user, &id).await? {
                found.insert(id, last_used);
            }
        }
        Ok(Found::KeyUse(found))
    }

    /// `None`: the key is gone.
    ///
    /// IAM denies access to a key that it does not know, in the words that it has for a caller without the permission.
    /// So a key that was made or deleted a moment ago looks forbidden for as long as one replica knows more than
    /// another: whether it is still listed, and some patience, tell the two apart.
    async fn last_use(&self, user: &UserName, id: &str) -> Result<Option<LastUse>, ReadError> {
        let during = During::iam("GetAccessKeyLastUsed").of(Resource::user(user).access_key(id));
        let mut pauses = SETTLING.into_iter();
        let answer = loop {
            let call = self.api.get_access_key_last_used().access_key_id(id);
            match self.answer_if_any(&during, call.send()).await {
                Err(ReadError::AccessDenied { during, detail }) => {
                    // The reason is named where it is a policy's, or the lack of one.
                    let pause = pauses.next().filter(|_| !detail.contains(" because "));
                    let Some(pause) = pause else {
                        return Err(ReadError::AccessDenied { during, detail });
                    };
                    tokio::time::sleep(pause).await;
                    if !self.access_keys(user).await?.contains_key(id) {
                        return Ok(None);
                    }
                }
                answer => break answer?,
            }
        };
        let Some(answer) = answer else { return Ok(None) };
        let used = answer.access_key_last_used.and_then(|used| used.last_used_date);
        Ok(Some(match used {
            Some(at) => LastUse::At(timestamp(&during, &at)?),
            None => LastUse::Never,
        }))
    }

    async fn mfa_devices(&self, user: &UserName) -> Result<BTreeSet<String>, ReadError> {
        let during = During::iam("ListMFADevices").of(Resource::user(user));
        // Without a user name IAM would answer for the caller.
        let devices = listing!(
            self,
            during,
            self.api.list_mfa_devices().user_name(user.as_str()),
            mfa_devices
        );
        Ok(devices.into_iter().map(|device| device.serial_number).collect())
    }

    async fn ssh_public_keys(&self, user: &UserName) -> Result<BTreeMap<String, bool>, ReadError> {
        let during = During::iam("ListSSHPublicKeys").of(Resource::user(user));
        let pages = listing!(
            self,
            during,
            self.api.list_ssh_public_keys().user_name(user.as_str()),
            ssh_public_keys
        );
        let keys = pages.into_iter().flatten();
        Ok(keys
            .map(|key| (key.ssh_public_key_id, key.status == StatusType::Active))
            .collect())
    }

    async fn signing_certificates(&self, user: &UserName) -> Result<BTreeMap<String, bool>, ReadError> {
        let during = During::iam("ListSigningCertificates").of(Resource::user(user));
        let certificates = listing!(
            self,
            during,
            self.api.list_signing_certificates().user_name(user.as_str()),
            certificates
        );
        Ok(certificates
            .into_iter()
            .map(|certificate| (certificate.certificate_id, certificate.status == StatusType::Active))
            .collect())
    }

    async fn service_specific_credentials(&self, user: &UserName) -> Result<Known<BTreeMap<String, bool>>, ReadError> {
        let during = During::iam("ListServiceSpecificCredentials").of(Resource::user(user));
        let api = || self.api.list_service_specific_credentials().user_name(user.as_str());
        Ok(match self.service_specific_chain(&during, api).await? {
            Known::Yes(list) => Known::Yes(
                list.into_iter()
                    .map(|credential| {
                        let active = credential.status == StatusType::Active;
                        (credential.service_specific_credential_id, active)
                    })
                    .collect(),
            ),
            Known::NoSuchOperation => Known::NoSuchOperation,
        })
    }

    /// The service-specific credentials of all users, in one chain.
    pub(crate) async fn all_service_specific_credentials(
        &self,
    ) -> Result<Known<BTreeMap<UserName, BTreeMap<String, bool>>>, ReadError> {
        let during = During::iam("ListServiceSpecificCredentials");
        let api = || self.api.list_service_specific_credentials().all_users(true);
        let Known::Yes(list) = self.service_specific_chain(&during, api).await? else {
            return Ok(Known::NoSuchOperation);
        };
        let mut by_user: BTreeMap<UserName, BTreeMap<String, bool>> = BTreeMap::new();
        for credential in list {
            by_user
                .entry(UserName::from_live(credential.user_name))
                .or_default()
                .insert(
                    credential.service_specific_credential_id,
                    credential.status == StatusType::Active,
                );
        }
        Ok(Known::Yes(by_user))
    }

    async fn service_specific_chain(
        &self,
        during: &During,
        api: impl Fn() -> ListServiceSpecificCredentialsFluentBuilder,
    ) -> Result<Known<Vec<ServiceSpecificCredentialMetadata>>, ReadError> {
        // The first attempt goes without retries: an endpoint that lacks the operation answers with what looks like a
        // passing server error, and would only be asked again and again.
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let attempt = api().max_items(PAGE).customize().config_override(once).send();
        let first = match self.raw(during, attempt).await {
            Ok(page) => Some(page),
            Err(error) if is_unknown_operation(&error) => return Ok(Known::NoSuchOperation),
            Err(_) => None,
        };
        let mut found = Vec::new();
        let mut pages = Pages::new(during);
        let mut first = first;
        while let Some(marker) = pages.next_marker() {
            let page = match first.take() {
                Some(page) => page,
                None => {
                    let call = api().max_items(PAGE).set_marker(marker);
                    let Some(page) = self.answer_if_any(during, call.send()).await? else {
                        break;
                    };
                    page
                }
            };
            pages.turn(page.is_truncated, page.marker)?;
            found.extend(page.service_specific_credentials.unwrap_or_default());
        }
        Ok(Known::Yes(found))
    }

    /// All virtual MFA devices of the account, assigned or not.
    pub(crate) async fn virtual_mfa_devices(&self) -> Result<Vec<VirtualMfaDevice>, ReadError> {
        let during = During::iam("ListVirtualMFADevices");
        let devices = listing!(self, during, self.api.list_virtual_mfa_devices(), virtual_mfa_devices);
        let mut devices: Vec<_> = devices.into_iter().map(virtual_mfa_device).collect();
        devices.sort_by(|a, b| a.serial.cmp(&b.serial));
        Ok(devices)
    }
}

/// Root's device names a user without a name, whose ARN ends in `:root`.
pub(crate) fn virtual_mfa_device(device: aws_sdk_iam::types::VirtualMfaDevice) -> VirtualMfaDevice {
    let root = device.serial_number.ends_with(":mfa/root-account-mfa-device")
        || device.user.as_ref().is_some_and(|user| user.arn.ends_with(":root"));
    let user = device
        .user
        .map(|user| user.user_name)
        .filter(|name| !root && !name.is_empty())
        .map(UserName::from_live);
    VirtualMfaDevice {
        serial: device.serial_number,
        user,
        root,
    }
}
