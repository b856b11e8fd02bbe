//! Command lines of the sidecar.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::flags::run(data));
