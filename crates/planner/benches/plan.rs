//! How long planning takes for accounts at IAM's quotas: 5,000 users, 300 groups, 500 documents.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

#[path = "../tests/it/build.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod build;

use build::{Declare, desired, document, group, inline, live_of, options, policy};
use trueup_model::{Desired, Live, desired::PolicyRef};

/// So that the memory that a plan takes at most is shown beside its time.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

fn account(users: usize) -> Desired {
    account_of(users, (users * 300).div_ceil(5000))
}

/// Every group has a policy, and every user three groups.
fn account_of(users: usize, groups: usize) -> Desired {
    let mut account = desired();
    for index in 0..groups {
        let name = format!("group{index:03}");
        account.policy(
            &format!("policy{index:03}"),
            &[&format!("allow s3:Get{index}"), "deny iam:Delete*"],
        );
        let declared = account.group(&name);
        declared
            .managed_policies
            .insert(PolicyRef::Declared(policy(&format!("policy{index:03}"))));
        if index % 3 == 0 {
            declared
                .inline_policies
                .insert(inline("own"), document(&[&format!("allow ec2:Run{index}")]));
        }
    }
    for index in 0..users {
        let user = account.user(&format!("user{index:04}"));
        user.tags.insert("owner".into(), format!("user{index:04}@example.com"));
        for step in 0..3 {
            user.groups
                .insert(group(&format!("group{:03}", (index + step * 7) % groups)));
        }
        if index % 50 == 0 {
            user.inline_policies
                .insert(inline("own"), document(&[&format!("allow s3:List{index}")]));
        }
    }
    account
}

fn plan(desired: &Desired, live: &Live) -> usize {
    trueup_planner::plan(desired, live, &options()).unwrap().actions.len()
}

#[divan::bench(args = [1000, 5000])]
fn in_sync(bencher: divan::Bencher<'_, '_>, users: usize) {
    let desired = account(users);
    let live = live_of(&desired);
    bencher.bench(|| plan(&desired, &live));
}

#[divan::bench(args = [1000, 5000], sample_count = 10)]
fn everything_is_new(bencher: divan::Bencher<'_, '_>, users: usize) {
    let wanted = account(users);
    let live = live_of(&desired());
    bencher.bench(|| plan(&wanted, &live));
}

/// Every group's policy and every user's tags and groups differ at once.
#[divan::bench(args = [1000, 5000], sample_count = 10)]
fn everything_differs(bencher: divan::Bencher<'_, '_>, users: usize) {
    let before = account(users);
    let mut after = before.clone();
    for policy in after.policies.values_mut() {
        policy.document = document(&["allow s3:Put*", "deny iam:Create*"]);
    }
    for user in after.users.values_mut() {
        user.tags.insert("team".into(), "new".into());
        let last = user.groups.pop_last();
        user.inline_policies
            .insert(inline("more"), document(&["allow s3:Head*", "deny s3:Delete*"]));
        assert!(last.is_some());
    }
    let live = live_of(&before);
    bencher.bench(|| plan(&after, &live));
}

/// One group's policy changes: everybody's groups, and the access of the members, which is compared before and after.
#[divan::bench(args = [1000, 5000], sample_count = 10)]
fn a_group_policy_changes(bencher: divan::Bencher<'_, '_>, users: usize) {
    let (before, after) = with_everybody(account(users), &["allow s3:*", "allow ec2:Describe*"]);
    let live = live_of(&before);
    bencher.bench(|| plan(&after, &live));
}

/// The same among 300 policies, with what of the plan is not about it.
#[divan::bench(args = ["allow s3:*", "allow *", "deny s3:Delete*"], sample_count = 10)]
fn one_of_300_policies_changes(bencher: divan::Bencher<'_, '_>, statement: &str) {
    let (before, after) = with_everybody(account_of(1000, 300), &[statement, "allow ec2:Describe*"]);
    let live = live_of(&before);
    bencher.bench(|| plan(&after, &live));
}

/// The plan that the one before is to be compared with: nothing changes.
#[divan::bench(sample_count = 10)]
fn none_of_300_policies_changes(bencher: divan::Bencher<'_, '_>) {
    let (before, _) = with_everybody(account_of(1000, 300), &["allow s3:*"]);
    let live = live_of(&before);
    bencher.bench(|| plan(&before, &live));
}

/// An account with a group that everybody is in, before and after its policy changes.
fn with_everybody(mut before: Desired, statements: &[&str]) -> (Desired, Desired) {
    let everybody = before.group("everybody");
    everybody
        .inline_policies
        .insert(inline("own"), document(&["allow s3:Get*", "allow ec2:Describe*"]));
    for declared in before.users.values_mut() {
        declared.groups.insert(group("everybody"));
    }
    let mut after = before.clone();
    after
        .group("everybody")
        .inline_policies
        .insert(inline("own"), document(statements));
    (before, after)
}
