//! The properties. Each says what must hold for every account and every manifest.

mod bounded;
mod converge;
mod crash;
mod export;
mod faults;
mod hostile;
mod only_drift;
mod order;
mod secrets;
mod stale;
mod together;
mod untrusted;
