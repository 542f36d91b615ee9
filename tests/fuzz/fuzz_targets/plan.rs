//! A plan document.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_simulation::untrusted::plan_document(bytes));
