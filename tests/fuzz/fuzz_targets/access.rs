//! Two policy documents, compared.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_simulation::untrusted::access_documents(bytes));
