//! Names that trueup keeps for itself, and the policy that holds an MFA requirement.

use crate::{AccountId, PolicyDocument};

/// The name of the inline policy that holds `mfa: enforced`.
pub const REQUIRE_MFA_POLICY: &str = "trueup-require-mfa";
/// The name of the inline policy that keeps a user in quarantine from everything.
pub const QUARANTINE_POLICY: &str = "trueup-quarantine";
/// The name of the inline policy that holds denies while other policies change.
pub const TRANSITION_POLICY: &str = "trueup-transition";

/// Whether an inline policy's name is one that trueup keeps for itself.
pub fn is_reserved_policy_name(name: &str) -> bool {
    [REQUIRE_MFA_POLICY, QUARANTINE_POLICY, TRANSITION_POLICY]
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

/// What a session without MFA can still do.
///
/// `iam:ChangePassword` is among it: AWS would rather leave it out, but then a first sign-in that asks for a new
/// password, and an expired password, lock people out for good. It asks for the old password, and whoever has that can
/// enrol a device anyway. Taking devices away is not among it.
const WITHOUT_MFA: [&str; 10] = [
    "iam:ChangePassword",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetAccountPasswordPolicy",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetSessionToken",
];

/// The document of the policy.
///
/// `BoolIfExists` holds for access keys as well, which carry no MFA at all. Users with and without a path are named; a
/// name is unique in an account, so that nobody else's entity is meant.
pub fn require_mfa(partition: &str, account: &AccountId) -> PolicyDocument {
    let arn = |rest: &str| format!("arn:{partition}:iam::{account}:{rest}");
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LookAtDevices",
                "Effect": "Allow",
                "Action": ["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"],
                "Resource": "*",
            },
            {
                "Sid": "MakeDevices",
                "Effect": "Allow",
                "Action": "iam:CreateVirtualMFADevice",
                "Resource": arn("mfa/*"),
            },
            {
                "Sid": "ManageOwnSignIn",
                "Effect": "Allow",
                "Action": [
                    "iam:ChangePassword",
                    "iam:DeactivateMFADevice",
                    "iam:EnableMFADevice",
                    "iam:GetMFADevice",
                    "iam:GetUser",
                    "iam:ListMFADevices",
                    "iam:ResyncMFADevice",
                ],
                "Resource": [arn("user/${aws:username}"), arn("user/*/${aws:username}")],
            },
            {
                "Sid": "DenyWithoutMFA",
                "Effect": "Deny",
                "NotAction": WITHOUT_MFA,
                "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            },
        ],
    });
    PolicyDocument::from_live(document.to_string())
}

#[cfg(test)]
mod tests {
    use crate::document::{DocumentKind, LintContext, Owner};

    use super::*;

    #[test]
    fn the_policy_is_accepted_fits_and_has_none_of_the_pitfalls() {
        let account = AccountId::new("123456789012").unwrap();
        for partition in ["aws", "aws-us-gov", "aws-cn"] {
            let document = require_mfa(partition, &account);
            assert!(document.refusal(DocumentKind::Inline(Owner::User)).is_none());
            assert!(document.size() < 1400, "{}", document.size());
            let strictest = LintContext {
                partition: Some(partition),
                users_have_paths: true,
                password_reset_required: true,
                attached_to_role: false,
            };
            assert_eq!(document.mfa_pitfalls(&strictest), []);
        }
    }
}
