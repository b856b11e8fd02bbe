//! Connection strings of the SQLite store.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| outrigger_testing_fuzz::sqlite::run(data));
