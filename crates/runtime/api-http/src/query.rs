//! Query strings and path parameters.

use std::borrow::Cow;

use outrigger_block_state::Metadata;
use outrigger_wire_names::headers::METADATA_PREFIX;

/// Decodes `%XX` and `+`. What is no valid encoding stays as it is, as users would rather see it than lose it.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3);
        match (byte, digits.and_then(hex)) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    let text = String::from_utf8(out);
    Cow::Owned(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The byte of two hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u8> {
    // The standard parser takes a sign as well.
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| !digits.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// The pairs of a query string, decoded.
pub(crate) fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let parts = query
        .unwrap_or_default()
        .split('&')
        .filter(|part| !part.is_empty());
    parts.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (unescape(name).into_owned(), unescape(value).into_owned())
    })
}

/// The first value of a parameter; empty when it is not there.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> String {
    pairs(query)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
        .unwrap_or_default()
}

/// Component metadata: the parameters `metadata.<key>=<value>`.
pub(crate) fn metadata(query: Option<&str>) -> Metadata {
    if query.is_none() {
        return Metadata::new();
    }
    pairs(query)
        .filter_map(|(name, value)| Some((name.strip_prefix(METADATA_PREFIX)?.to_owned(), value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_like_a_query() {
        assert_eq!(unescape("a+b%20c%2F"), "a b c/");
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%zz"), "%zz");
        assert_eq!(unescape("5%+7"), "5% 7");
    }

    #[test]
    fn metadata_has_its_prefix_stripped() {
        let metadata = metadata(Some("metadata.ttlInSeconds=5&x=1&metadata.a=b%26c"));
        assert_eq!(metadata.len(), 2);
        assert_eq!(metadata["ttlInSeconds"], "5");
        assert_eq!(metadata["a"], "b&c");
    }
}
