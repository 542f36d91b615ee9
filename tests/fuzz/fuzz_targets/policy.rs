//! A policy document.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_simulation::untrusted::policy_json(bytes));
