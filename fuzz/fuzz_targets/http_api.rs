//! Whole requests of the HTTP API, bodies included.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::http_api::run(data));
