//! The one table of quotas: what `GetAccountSummary` tells is what the operations hold to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

macro_rules! quotas {
    ($($(#[$doc:meta])* $name:ident = $default:literal;)*) => {
        /// A quota, by the name that `GetAccountSummary` gives it (followed by `Quota`), or by ours where it tells none.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Quota {
            $($(#[$doc])* $name,)*
        }

        impl Quota {
            const ALL: &[Self] = &[$(Self::$name,)*];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            fn default_limit(self) -> usize {
                match self {
                    $(Self::$name => $default,)*
                }
            }
        }
    };
}

quotas! {
    AccessKeysPerUser = 2;
    AssumeRolePolicySize = 2048;
    AttachedPoliciesPerGroup = 10;
    AttachedPoliciesPerRole = 10;
    AttachedPoliciesPerUser = 10;
    GroupPolicySize = 5120;
    GroupsPerUser = 10;
    Groups = 300;
    InstanceProfiles = 1000;
    Policies = 1500;
    PolicySize = 6144;
    PolicyVersionsInUse = 10_000;
    RolePolicySize = 10_240;
    Roles = 1000;
    ServerCertificates = 20;
    SigningCertificatesPerUser = 2;
    UserPolicySize = 2048;
    Users = 5000;
    VersionsPerPolicy = 5;
    /// Not told by the summary, as those below.
    TagsPerResource = 50;
    MfaDevicesPerUser = 8;
    SshPublicKeysPerUser = 5;
    ServiceCredentialsPerService = 2;
    OpenIdConnectProviders = 100;
    ClientIdsPerOpenIdConnectProvider = 100;
    SamlProviders = 100;
}

impl Quota {
    fn in_summary(self) -> bool {
        !matches!(
            self,
            Self::TagsPerResource
                | Self::MfaDevicesPerUser
                | Self::SshPublicKeysPerUser
                | Self::ServiceCredentialsPerService
                | Self::OpenIdConnectProviders
                | Self::ClientIdsPerOpenIdConnectProvider
                | Self::SamlProviders
        )
    }

    fn summary_key(self) -> String {
        format!("{}Quota", self.name())
    }
}

/// The limits of one account: AWS's defaults, and what differs from them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Quotas(BTreeMap<String, usize>);

impl Quotas {
    pub(crate) fn limit(&self, quota: Quota) -> usize {
        self.0
            .get(quota.name())
            .copied()
            .unwrap_or_else(|| quota.default_limit())
    }

    /// Sets a limit by its name in the summary, for example `GroupsQuota`. Whether there is such a quota.
    pub(crate) fn set(&mut self, summary_key: &str, limit: usize) -> bool {
        let found = Quota::ALL.iter().find(|quota| quota.summary_key() == summary_key);
        if let Some(quota) = found {
            if limit == quota.default_limit() {
                self.0.remove(quota.name());
            } else {
                self.0.insert(quota.name().to_owned(), limit);
            }
        }
        found.is_some()
    }

    /// What `GetAccountSummary` tells of them.
    pub(crate) fn summary(&self) -> impl Iterator<Item = (String, usize)> + '_ {
        Quota::ALL
            .iter()
            .filter(|quota| quota.in_summary())
            .map(|quota| (quota.summary_key(), self.limit(*quota)))
    }
}
