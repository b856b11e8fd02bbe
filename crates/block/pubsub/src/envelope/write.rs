//! Writes one JSON object, attribute after attribute, straight into the buffer that is sent.

use std::fmt::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use outrigger_base_clock::Timestamp;

/// An object under construction. Attributes stand in the order in which they are written.
pub(super) struct ObjectWriter {
    out: Vec<u8>,
}

impl ObjectWriter {
    /// An empty object with room for `capacity` bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        Self { out }
    }

    /// An attribute with a text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.quoted(|out| escape(out, value));
    }

    /// An attribute with a JSON value that is copied as it stands.
    pub(super) fn json(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// An attribute with bytes as base64.
    pub(super) fn base64(&mut self, name: &str, bytes: &[u8]) {
        self.name(name);
        self.quoted(|out| {
            let start = out.len();
            // A length whose base64 form has no size is no length of a slice in memory: at most 4/3 of `isize::MAX`.
            let size = bytes.len().div_ceil(3) * 4;
            out.resize(start + size, 0);
            let written = STANDARD
                .encode_slice(bytes, &mut out[start..])
                .unwrap_or_default();
            out.truncate(start + written);
        });
    }

    /// An attribute with bytes as text; each byte that is not UTF-8 becomes the replacement character.
    pub(super) fn lossy(&mut self, name: &str, bytes: &[u8]) {
        self.name(name);
        self.quoted(|out| {
            for chunk in bytes.utf8_chunks() {
                escape(out, chunk.valid());
                for _ in chunk.invalid() {
                    out.extend_from_slice("\u{fffd}".as_bytes());
                }
            }
        });
    }

    /// An attribute with a time: RFC 3339, UTC, whole seconds.
    pub(super) fn time(&mut self, name: &str, time: Timestamp) {
        self.name(name);
        let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
        // Writing to a buffer in memory has no way to fail.
        let _ = write!(Buffer(&mut self.out), "\"{whole}\"");
    }

    /// The finished object.
    pub(super) fn finish(mut self) -> Bytes {
        self.out.push(b'}');
        self.out.into()
    }

    fn name(&mut self, name: &str) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        self.quoted(|out| escape(out, name));
        self.out.push(b':');
    }

    fn quoted(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.push(b'"');
        write(&mut self.out);
        self.out.push(b'"');
    }
}

/// Formatted text into a byte buffer.
struct Buffer<'a>(&'a mut Vec<u8>);

impl fmt::Write for Buffer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the inside of a JSON string: runs that need no escape are copied whole.
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| needs_escape(byte)) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let byte = tail[0];
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 0xF)]);
            }
        }
        rest = &tail[1..];
    }
    out.extend_from_slice(rest);
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut ObjectWriter)) -> serde_json::Value {
        let mut object = ObjectWriter::with_capacity(0);
        write(&mut object);
        serde_json::from_slice(&object.finish()).unwrap()
    }

    #[test]
    fn times_are_whole_seconds_in_utc() {
        let time: Timestamp = "2026-03-01T10:00:01.75+02:00".parse().unwrap();
        assert_eq!(
            written(|object| object.time("t", time))["t"],
            "2026-03-01T08:00:01Z"
        );
    }

    #[test]
    fn an_empty_object_is_an_object() {
        assert_eq!(written(|_| ()), serde_json::json!({}));
    }

    proptest! {
        #[test]
        fn any_text_reads_back(name in any::<String>(), text in any::<String>()) {
            prop_assert_eq!(&written(|object| object.text(&name, &text))[&name], &text);
        }

        #[test]
        fn any_bytes_read_back_from_base64(bytes in any::<Vec<u8>>()) {
            let value = written(|object| object.base64("b", &bytes));
            prop_assert_eq!(STANDARD.decode(value["b"].as_str().unwrap()).unwrap(), bytes);
        }

        #[test]
        fn any_bytes_make_text(bytes in any::<Vec<u8>>()) {
            let value = written(|object| object.lossy("b", &bytes));
            if let Ok(text) = std::str::from_utf8(&bytes) {
                prop_assert_eq!(value["b"].as_str().unwrap(), text);
            }
        }
    }
}
