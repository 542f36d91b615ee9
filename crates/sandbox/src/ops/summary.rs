//! `GetAccountSummary`: counts, quotas and facts of root, 34 entries on every account.

use std::collections::BTreeMap;

use crate::{
    errors::ApiError,
    state::State,
    wire::{Request, Xml},
};

pub(super) fn get(state: &State, _: &Request) -> Result<Xml, ApiError> {
    let root = state.root;
    let devices = |assigned: bool| {
        let devices = state
            .mfa_devices
            .values()
            .filter(|device| !assigned || device.assigned.is_some());
        devices.count() + usize::from(root.mfa)
    };
    let mut entries: BTreeMap<String, usize> = state.quotas.summary().collect();
    entries.extend(
        [
            ("Users", state.users.len()),
            ("Groups", state.groups.len()),
            ("Roles", state.roles.len()),
            ("Policies", state.policies.len()),
            ("InstanceProfiles", state.instance_profiles.len()),
            ("ServerCertificates", 0),
            ("Providers", state.oidc_providers.len() + state.saml_providers.len()),
            ("MFADevices", devices(false)),
            ("MFADevicesInUse", devices(true)),
            ("PolicyVersionsInUse", state.usage().len()),
            ("AccountMFAEnabled", root.mfa.into()),
            ("AccountAccessKeysPresent", (root.access_keys > 0).into()),
            ("AccountPasswordPresent", root.password.into()),
            (
                "AccountSigningCertificatesPresent",
                (root.signing_certificates > 0).into(),
            ),
            (
                "GlobalEndpointTokenVersion",
                if state.global_tokens_everywhere { 2 } else { 1 },
            ),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    let mut xml = Xml::new();
    xml.element("SummaryMap", |xml| {
        for (key, value) in &entries {
            xml.element("entry", |xml| {
                xml.text("key", key).number("value", value);
            });
        }
    });
    Ok(xml)
}
