//! Policy documents through the public interface: what equals what, what differs how, what IAM refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod difference;
mod equivalence;
mod pitfalls;
mod properties;
mod reading;
mod refusal;
