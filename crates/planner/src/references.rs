//! What declared entities name and only the live account can confirm: partitions and external entities.

use std::collections::BTreeSet;

use trueup_model::{
    PolicyArn,
    desired::{BoundaryWish, PolicyRef},
};

use crate::resolve::Resolved;

/// Adds a problem for every policy that cannot be what the manifest means in this account.
pub(crate) fn check(resolved: &mut Resolved<'_>) {
    let desired = resolved.desired;
    let of_users = desired.users.values().flat_map(|user| {
        let boundary = match &user.permissions_boundary {
            BoundaryWish::Present(reference) => Some(reference),
            BoundaryWish::Keep | BoundaryWish::Absent => None,
        };
        user.managed_policies.iter().chain(boundary)
    });
    let of_groups = desired.groups.values().flat_map(|group| &group.managed_policies);
    let arns: BTreeSet<&PolicyArn> = of_users
        .chain(of_groups)
        .filter_map(|reference| match reference {
            PolicyRef::Arn(arn) => Some(arn),
            PolicyRef::Declared(_) => None,
        })
        .collect();
    let partition = &resolved.live.account.partition;
    for arn in arns {
        if arn.partition() != partition {
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
