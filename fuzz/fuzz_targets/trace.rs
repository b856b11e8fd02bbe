//! Trace contexts and baggage.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::trace::run(data));
