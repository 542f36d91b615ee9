//! Tests of the planner through its public interface.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "a test that fails to set up its account has failed"
)]

mod access;
mod account;
mod aws_policies;
mod build;
mod comparison;
mod guardrail_edges;
mod guardrails;
mod intermediates;
mod interrupted;
mod keys;
mod names;
mod oracle;
mod order;
mod partial;
mod permissions;
mod policies;
mod requirements;
mod rules;
