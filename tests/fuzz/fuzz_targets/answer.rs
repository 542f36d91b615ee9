//! An answer of IAM: a line with the operation and the status, then the body.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_simulation::untrusted::iam_answer(bytes));
