//! What declared entities name and only the live account can confirm: partitions and external entities.

use std::collections::BTreeSet;

use trueup_model::{
    Desired, PolicyArn,
    desired::{BoundaryWish, PolicyRef},
};

use crate::resolve::Resolved;

/// Every policy that the manifest names by its ARN, to attach it or as a boundary.
pub(crate) fn named_by_arn(desired: &Desired) -> BTreeSet<&PolicyArn> {
    let of_users = desired.users.values().flat_map(|user| {
        let boundary = match &user.permissions_boundary {
            BoundaryWish::Present(reference) => Some(reference),
            BoundaryWish::Keep | BoundaryWish::Absent => None,
        };
        user.managed_policies.iter().chain(boundary)
    });
    let of_groups = desired.groups.values().flat_map(|group| &group.managed_policies);
    of_users
        .chain(of_groups)
        .filter_map(|reference| match reference {
            PolicyRef::Arn(arn) => Some(arn),
            PolicyRef::Declared(_) => None,
        })
        .collect()
}

/// Adds a problem for every policy that cannot be what the manifest means in this account.
pub(crate) fn check(resolved: &mut Resolved<'_>) {
    let partition = &resolved.live.account.partition;
    for arn in named_by_arn(resolved.desired) {
        if resolved.live.missing_aws_policies.contains(arn) {
            resolved.problem(format!("AWS has no managed policy `{arn}`"), None);
        } else if arn.partition() != partition {
            let right = arn
                .as_str()
                .replacen(&format!("arn:{}:", arn.partition()), &format!("arn:{partition}:"), 1);
            resolved.problem(
                format!(
                    "`{arn}` is of the partition `{}`, the account is in `{partition}`",
                    arn.partition()
                ),
                format!("write `{right}`"),
            );
        }
    }
}
