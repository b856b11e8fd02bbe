//! What the fuzz targets do with bytes: one module for each, whose `run` takes any bytes and must return.
//!
//! A panic is a finding, and so is a broken promise: what was read and is written again must mean the same. The
//! programs in `fuzz/fuzz_targets` hand libFuzzer's bytes to these; `tests/replay.rs` hands them the corpus, and bytes
//! near it, with a stable compiler and beside all other tests.

pub mod cel;
pub mod cloud_event;
pub mod flags;
pub mod go;
pub mod http;
pub mod http_api;
pub mod internal;
pub mod mdns;
pub mod sqlite;
pub mod trace;
pub mod yaml;

/// The text of `data`, and what is not text in it replaced: parsers of text are given text.
fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// The first line, and the rest.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}
