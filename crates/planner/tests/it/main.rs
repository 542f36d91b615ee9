//! Tests of the planner through its public interface.
#![allow(missing_docs, reason = "tests")]

mod aws_policies;
mod build;
mod guardrails;
mod names;
mod order;
mod policies;
mod requirements;
mod rules;
