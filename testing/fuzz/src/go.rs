//! Durations, quantities, time layouts and switches as Go writes them.

use jiff::{Timestamp, tz::TimeZone};
use outrigger_base_std::{go, quantity};
use outrigger_base_telemetry::log::Layout;

/// All of `data` as each of them.
pub fn run(data: &[u8]) {
    let text = crate::text(data);
    let _ = go::parse_duration_nanos(&text);
    if let Ok(duration) = go::parse_duration(&text) {
        let written = go::format_duration(duration);
        assert_eq!(
            go::parse_duration(&written).expect("what was written can be read"),
            duration,
            "{written}"
        );
    }
    if go::is_truthy(&text) {
        assert_ne!(go::parse_bool(&text), Some(false), "{text}");
    }
    let _ = quantity::parse_bytes(&text);
    if let Ok(layout) = Layout::parse(&text) {
        let mut out = String::new();
        layout.write(&mut out, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
    }
}
