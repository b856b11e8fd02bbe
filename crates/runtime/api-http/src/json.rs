//! JSON texts that are passed on without being taken apart.

use bytes::Bytes;
use serde_json::value::RawValue;

/// The bytes of a raw value that was read out of `body`, compact; they share `body`'s memory where nothing is dropped.
pub(crate) fn compact(body: &Bytes, raw: &RawValue) -> Bytes {
    let text = raw.get().as_bytes();
    if !has_outer_space(text) {
        return body.slice_ref(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for &byte in text {
        if in_string || !byte.is_ascii_whitespace() {
            out.push(byte);
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
    }
    out.into()
}

/// Whether there is white space between tokens. A scan that stops at the first one.
fn has_outer_space(text: &[u8]) -> bool {
    let mut in_string = false;
    let mut escaped = false;
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            byte if !in_string && byte.is_ascii_whitespace() => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> Bytes {
        let body = Bytes::from_static(text.as_bytes());
        let raw: &RawValue = serde_json::from_slice(&body).unwrap();
        compact(&body, raw)
    }

    #[test]
    fn drops_space_between_tokens_only() {
        assert_eq!(
            of(r#"{"a b": [1, 2 ], "c": "x \" y"}"#),
            r#"{"a b":[1,2],"c":"x \" y"}"#
        );
        assert_eq!(of(r#""a b""#), r#""a b""#);
        assert_eq!(of("12345678901234567890.10"), "12345678901234567890.10");
    }

    #[test]
    fn a_compact_value_is_not_copied() {
        let body = Bytes::from_static(br#"[{"v":"x"}]"#);
        let values: Vec<&RawValue> = serde_json::from_slice(&body).unwrap();
        assert_eq!(compact(&body, values[0]).as_ptr(), body[1..].as_ptr());
    }
}
