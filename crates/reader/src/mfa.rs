//! MFA devices with the time since when each is in use, which a plan has no need of.

use std::collections::BTreeMap;

use aws_sdk_iam::primitives::DateTime;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use trueup_model::{Live, Resource, UserName};

use crate::{
    CONCURRENCY, During, ReadError, Reader,
    bulk::{PAGE, Pages},
    convert,
    credentials::{listing, virtual_mfa_device},
};

/// A device that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaDevice {
    /// Its serial: an ARN, or what is printed on a hardware token.
    pub serial: String,
    /// Since when it is in use.
    pub enabled: Option<Timestamp>,
}

/// The kinds of devices, which only the serial tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MfaKind {
    /// A time-based code from an app.
    Virtual,
    /// A passkey or security key.
    Fido,
    /// Text messages, which new users cannot have.
    Sms,
    /// A hardware token that shows codes.
    Hardware,
}

impl MfaKind {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Fido => "passkey",
            Self::Sms => "sms",
            Self::Hardware => "hardware",
        }
    }
}

impl MfaDevice {
    /// What kind of device it is.
    pub fn kind(&self) -> MfaKind {
        let resource = self
            .serial
            .strip_prefix("arn:")
            .and_then(|rest| rest.splitn(5, ':').nth(4));
        match resource
            .and_then(|resource| resource.split_once('/'))
            .map(|(kind, _)| kind)
        {
            Some("mfa") => MfaKind::Virtual,
            Some("u2f") => MfaKind::Fido,
            Some("sms-mfa") => MfaKind::Sms,
            _ => MfaKind::Hardware,
        }
    }

    /// What the device is called: the last part of an ARN, or the serial.
    pub fn name(&self) -> &str {
        self.serial.rsplit('/').next().unwrap_or(&self.serial)
    }
}

/// Whether somebody can sign in to the console, and with which devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaState {
    /// Whether there is a console password.
    pub console: bool,
    /// The devices, by serial.
    pub devices: Vec<MfaDevice>,
}

impl Reader {
    /// The devices of a user; `None`: there is no such user.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn devices_of(&self, user: &UserName) -> Result<Option<Vec<MfaDevice>>, ReadError> {
        let during = During::iam("ListMFADevices").of(Resource::user(user));
        let mut found = Vec::new();
        let mut pages = Pages::new(&during);
        while let Some(marker) = pages.next_marker() {
            let call = self.api.list_mfa_devices().user_name(user.as_str());
            let call = call.max_items(PAGE).set_marker(marker);
            let Some(page) = self.answer_if_any(&during, call.send()).await? else {
                return Ok(None);
            };
            pages.turn(page.is_truncated, page.marker)?;
            for device in page.mfa_devices {
                found.push(MfaDevice {
                    enabled: enabled(&during, Some(&device.enable_date))?,
                    serial: device.serial_number,
                });
            }
        }
        found.sort_by(|a, b| a.serial.cmp(&b.serial));
        Ok(Some(found))
    }

    /// All virtual devices of the account: whose each is, `None` for those that nobody has, and whether it is root's.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn virtual_devices(&self) -> Result<Vec<(MfaDevice, Option<UserName>, bool)>, ReadError> {
        let during = During::iam("ListVirtualMFADevices");
        let devices = listing!(self, during, self.api.list_virtual_mfa_devices(), virtual_mfa_devices);
        devices
            .into_iter()
            .map(|device| {
                let enabled = enabled(&during, device.enable_date.as_ref())?;
                let device = virtual_mfa_device(device);
                let serial = device.serial;
                Ok((MfaDevice { serial, enabled }, device.user, device.root))
            })
            .collect()
    }

    /// Passwords and devices of these users, as far as they exist. The account's virtual devices answer for all where
    /// the totals of `live` prove that there are no others; else each user is asked for.
    ///
    /// # Errors
    ///
    /// [`ReadError`] of the first call that failed.
    pub async fn mfa_states(
        &self,
        live: &Live,
        users: impl IntoIterator<Item = &UserName>,
    ) -> Result<BTreeMap<UserName, MfaState>, ReadError> {
        let devices = self.virtual_devices().await?;
        let assigned = devices.iter().filter(|(_, user, root)| *root || user.is_some());
        let in_use = live.account.summary.get("MFADevicesInUse");
        let totals_decide = in_use.is_some_and(|in_use| usize::try_from(*in_use) == Ok(assigned.count()));
        let mut by_user: BTreeMap<UserName, Vec<MfaDevice>> = BTreeMap::new();
        for (device, user, _) in devices {
            if let Some(user) = user {
                by_user.entry(user).or_default().push(device);
            }
        }
        let by_user = &by_user;
        let asked = users.into_iter().filter(|user| live.users.contains_key(*user));
        let states = stream::iter(asked.cloned().collect::<Vec<_>>()).map(|user| async move {
            let devices = if totals_decide {
                by_user.get(&user).cloned().unwrap_or_default()
            } else {
                self.devices_of(&user).await?.unwrap_or_default()
            };
            let console = self.login_profile(&user).await?.is_some();
            Ok((user, MfaState { console, devices }))
        });
        states.buffer_unordered(CONCURRENCY).try_collect().await
    }
}

fn enabled(during: &During, date: Option<&DateTime>) -> Result<Option<Timestamp>, ReadError> {
    date.map(|date| convert::timestamp(during, date)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_serial() {
        let kind = |serial: &str| {
            let serial = serial.to_owned();
            MfaDevice { serial, enabled: None }.kind()
        };
        assert_eq!(kind("arn:aws:iam::123456789012:mfa/alice"), MfaKind::Virtual);
        assert_eq!(kind("arn:aws-cn:iam::123456789012:mfa/team/alice"), MfaKind::Virtual);
        assert_eq!(kind("arn:aws:iam::123456789012:u2f/user/alice/key-ABC"), MfaKind::Fido);
        assert_eq!(kind("arn:aws:iam::123456789012:sms-mfa/alice"), MfaKind::Sms);
        assert_eq!(kind("GAHT12345678"), MfaKind::Hardware);
    }
}
