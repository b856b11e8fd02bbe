//! Durations, quantities, time layouts and switches as Go writes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::go::run(data));
