//! The root user as the account's summary tells of it, and what only a person in the console can do about it.

use serde::Serialize;
use trueup_model::live::LiveAccount;

/// What is known of root. IAM's API can change none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct RootUser {
    /// Whether there is an MFA device.
    pub(crate) mfa: bool,
    /// Whether there is a password. Where the summary does not say, there is one.
    pub(crate) password: bool,
    /// Whether there are access keys.
    pub(crate) access_keys: bool,
    /// Whether there are signing certificates.
    pub(crate) certificates: bool,
}

impl RootUser {
    pub(crate) fn of(account: &LiveAccount) -> Self {
        let count = |key: &str| account.summary.get(key).copied();
        Self {
            mfa: count("AccountMFAEnabled").unwrap_or(0) > 0,
            password: count("AccountPasswordPresent").unwrap_or(1) > 0,
            access_keys: count("AccountAccessKeysPresent").unwrap_or(0) > 0,
            certificates: count("AccountSigningCertificatesPresent").unwrap_or(0) > 0,
        }
    }

    /// Whether nobody can act as root at all, as in a member account whose organisation manages root centrally.
    pub(crate) fn has_no_credentials(self) -> bool {
        !self.password && !self.access_keys && !self.certificates
    }

    pub(crate) fn in_words(self) -> String {
        if self.has_no_credentials() {
            return "no credentials at all (managed centrally)".to_owned();
        }
        let has = |found: bool, what: &str| format!("{} {what}", if found { "has" } else { "no" });
        [
            has(self.mfa, "MFA device").replacen("has", "has an", 1),
            has(self.access_keys, "access keys"),
            has(self.certificates, "signing certificates"),
        ]
        .join(", ")
    }

    /// What is left to do by hand, each with where it stands and the steps.
    pub(crate) fn checklist(self) -> String {
        let mut out = String::from("What only root can do, in the console:\n");
        let mut item = |done: Option<bool>, title: &str, steps: &[&str]| {
            let mark = match done {
                Some(true) => "[x]",
                Some(false) => "[ ]",
                None => "[?]",
            };
            out.push_str(&format!("  {mark} {title}\n"));
            if done != Some(true) {
                for step in steps {
                    out.push_str(&format!("        {step}\n"));
                }
            }
        };
        let none = self.has_no_credentials();
        item(
            Some(self.mfa || none),
            if none {
                "root has no credentials: the organisation manages them centrally"
            } else {
                "root has an MFA device"
            },
            &[
                "1. https://console.aws.amazon.com/ > Sign in using root user email",
                "2. the account's name, top right > Security credentials",
                "3. Multi-factor authentication (MFA) > Assign MFA device",
                "4. a passkey or security key, or an authenticator app and two codes",
                "5. a second device of another kind, so that losing one locks nobody out",
            ],
        );
        item(
            Some(!self.access_keys),
            "root has no access keys",
            &[
                "1. as root: the account's name, top right > Security credentials",
                "2. Access keys > each key > Actions > Deactivate, and after a day without complaints > Delete",
            ],
        );
        item(
            Some(!self.certificates),
            "root has no signing certificates",
            &[
                "1. as root: the account's name, top right > Security credentials",
                "2. X.509 signing certificates > each > Actions > Deactivate, then Delete",
            ],
        );
        item(
            None,
            "IAM users may see billing (no API tells; only needed where one of them has to)",
            &[
                "1. as root: the account's name, top right > Account",
                "2. IAM user and role access to Billing information > Edit > Activate IAM Access > Update",
            ],
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: RootUser = RootUser {
        mfa: true,
        password: true,
        access_keys: false,
        certificates: false,
    };

    #[test]
    fn what_is_done_has_no_steps() {
        let text = SOUND.checklist();
        assert!(text.contains("[x] root has an MFA device"), "{text}");
        assert!(!text.contains("Assign MFA device"), "{text}");
        assert!(text.contains("[?] IAM users may see billing"), "{text}");
        let text = RootUser {
            mfa: false,
            access_keys: true,
            ..SOUND
        }
        .checklist();
        assert!(
            text.contains("[ ] root has an MFA device") && text.contains("Assign MFA device"),
            "{text}"
        );
        assert!(text.contains("[ ] root has no access keys"), "{text}");
    }

    #[test]
    fn an_organisation_that_manages_root_leaves_nothing_to_do() {
        let root = RootUser {
            mfa: false,
            password: false,
            ..SOUND
        };
        assert!(root.checklist().contains("[x] root has no credentials"));
        assert_eq!(root.in_words(), "no credentials at all (managed centrally)");
        assert_eq!(
            SOUND.in_words(),
            "has an MFA device, no access keys, no signing certificates"
        );
    }
}
