//! Messages of multicast DNS.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::mdns::run(data));
