//! CloudEvents, and payloads that become some.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::cloud_event::run(data));
