//! `mfa: enforced`: the inline policy that trueup keeps on a group or a user, so that a session without MFA can do
//! nothing but get itself a device.
//!
//! The policy is part of what is desired, so that it is ordered, guarded and shown as any other: it comes before the
//! allows that it limits, and goes after them.

use trueup_model::{
    Desired, GroupName, InlinePolicyName, REQUIRE_MFA_POLICY,
    desired::{DesiredUser, MfaLevel, MfaRequirement},
    require_mfa,
};

/// The desired state with the policies in it; `None` where nothing is enforced.
pub(crate) fn with_policies(desired: &Desired, partition: &str) -> Option<Desired> {
    let users = desired.users.values().filter_map(|user| user.mfa);
    let mut all = users.chain(desired.groups.values().filter_map(|group| group.mfa));
    all.any(is_enforced).then(|| {
        let mut desired = desired.clone();
        let name = InlinePolicyName::from_live(REQUIRE_MFA_POLICY);
        let document = require_mfa(partition, &desired.account.id);
        for group in desired.groups.values_mut() {
            if group.mfa.is_some_and(is_enforced) {
                group.inline_policies.insert(name.clone(), document.clone());
            }
        }
        for user in desired.users.values_mut() {
            if user.mfa.is_some_and(is_enforced) {
                user.inline_policies.insert(name.clone(), document.clone());
            }
        }
        desired
    })
}

fn is_enforced(requirement: MfaRequirement) -> bool {
    requirement.level == MfaLevel::Enforced
}

/// The first of a user's groups whose policy asks for MFA.
pub(crate) fn by_group<'d>(desired: &'d Desired, user: &DesiredUser) -> Option<&'d GroupName> {
    let mut groups = user.groups.iter().filter_map(|group| desired.groups.get(group));
    groups
        .find(|group| group.mfa.is_some_and(is_enforced))
        .map(|group| &group.name)
}
