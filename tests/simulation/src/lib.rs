//! Proof by simulation: random live accounts and random manifests are driven through the reader, the planner and the
//! executor, with the real SDK, against the sandbox, on virtual time.
//!
//! Every case comes from one number, its seed, and so does everything that happens to it. A failure names its seed and
//! shows the case with all that is not needed for the failure taken away.
//!
//! What judges a run is independent of what made it: [`account`] sees the account as the sandbox keeps it, [`access`]
//! decides who may do what by trying, and [`wire`] sees every call. None of them asks the product.

pub mod access;
pub mod account;
pub mod case;
pub mod check;
pub mod fulfil;
pub mod generate;
pub mod manifest;
pub mod random;
pub mod reconcile;
pub mod shrink;
pub mod untrusted;
pub mod watch;
pub mod wire;
