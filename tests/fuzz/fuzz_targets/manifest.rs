//! A manifest of one file.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_simulation::untrusted::manifest_yaml(bytes));
