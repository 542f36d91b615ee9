//! The body of a snapshot.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_simulation::untrusted::snapshot_json(bytes));
