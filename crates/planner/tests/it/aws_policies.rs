//! AWS managed policies that nobody holds yet: what they say decides the order of calls.

use std::collections::BTreeSet;

use trueup_model::{PolicyArn, desired::PolicyRef};
use trueup_planner::{Call, needs};

use crate::build::{Declare, desired, document, inline, live_of, options, plan, try_plan, user};

fn deny_all() -> PolicyArn {
    PolicyArn::from_live("arn:aws:iam::aws:policy/AWSDenyAll")
}

#[test]
fn the_document_of_a_policy_that_is_newly_attached_is_needed() {
    let mut desired = desired();
    desired.user("alice");
    let mut live = live_of(&desired);
    assert_eq!(needs(&desired, &live, &options()).aws_policies, BTreeSet::new());
    desired
        .user("alice")
        .managed_policies
        .insert(PolicyRef::Arn(deny_all()));
    assert_eq!(
        needs(&desired, &live, &options()).aws_policies,
        BTreeSet::from([deny_all()])
    );
    live.aws_policies.insert(deny_all(), document(&["deny *"]));
    assert_eq!(needs(&desired, &live, &options()).aws_policies, BTreeSet::new());
}

#[test]
fn a_deny_of_aws_comes_before_the_allow_that_it_limits() {
    let mut desired = desired();
    desired.user("alice");
    let mut live = live_of(&desired);
    let alice = desired.user("alice");
    alice.managed_policies.insert(PolicyRef::Arn(deny_all()));
    alice.inline_policies.insert(inline("work"), document(&["allow s3:a"]));
    live.aws_policies.insert(deny_all(), document(&["deny *"]));
    let plan = plan(&desired, &live);
    let attach = plan
        .actions
        .iter()
        .find(|action| matches!(action.call, Call::AttachUserPolicy { .. }));
    let put = plan
        .actions
        .iter()
        .find(|action| matches!(action.call, Call::PutUserPolicy { .. }));
    assert!(put.unwrap().after.contains(&attach.unwrap().id));
}

#[test]
fn a_policy_that_aws_does_not_have_is_told_before_anything_is_written() {
    let mut desired = desired();
    desired
        .user("alice")
        .managed_policies
        .insert(PolicyRef::Arn(deny_all()));
    let mut live = live_of(&desired);
    live.missing_aws_policies.insert(deny_all());
    assert!(live.users.contains_key(&user("alice")));
    let error = try_plan(&desired, &live).unwrap_err().to_string();
    assert!(
        error.contains("AWS has no managed policy `arn:aws:iam::aws:policy/AWSDenyAll`"),
        "{error}"
    );
    assert_eq!(needs(&desired, &live, &options()).aws_policies, BTreeSet::new());
}
