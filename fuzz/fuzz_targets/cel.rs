//! Routing rules, and events that they are asked about.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::cel::run(data));
