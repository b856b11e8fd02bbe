//! Paths, queries and methods of HTTP requests.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::http::run(data));
