//! Messages between sidecars, in Dapr's protocol.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::internal::run(data));
