//! Paths and queries of the API.

use outrigger_wire_names::headers::METADATA_PREFIX;

use crate::Pairs;

/// A path with a query, each part encoded as it is added.
#[derive(Debug)]
pub(crate) struct PathBuilder {
    text: String,
    has_query: bool,
}

impl PathBuilder {
    /// A path whose segments are `fixed`, which need no encoding.
    pub(crate) fn new(fixed: &[&str]) -> Self {
        let mut text = String::with_capacity(64);
        for segment in fixed {
            text.push('/');
            text.push_str(segment);
        }
        Self {
            text,
            has_query: false,
        }
    }

    /// Adds one segment; a slash in it is encoded.
    pub(crate) fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        encode(&mut self.text, segment, b"");
        self
    }

    /// Adds segments; slashes stay what they are.
    pub(crate) fn tail(mut self, tail: &str) -> Self {
        self.text.push('/');
        encode(&mut self.text, tail, b"/");
        self
    }

    /// Adds a parameter, unless its value is empty.
    pub(crate) fn parameter(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.pair("", name, value);
        }
        self
    }

    /// Adds component metadata.
    pub(crate) fn metadata(mut self, pairs: &Pairs) -> Self {
        for (name, value) in pairs {
            self.pair(METADATA_PREFIX, name, value);
        }
        self
    }

    fn pair(&mut self, prefix: &str, name: &str, value: &str) {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(prefix);
        encode(&mut self.text, name, b"");
        self.text.push('=');
        encode(&mut self.text, value, b"");
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986) and `kept`.
fn encode(out: &mut String, text: &str, kept: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_encoded_for_its_place() {
        let pairs = Pairs::from([("ttlInSeconds".to_owned(), "5 &".to_owned())]);
        let path = PathBuilder::new(&["v", "state"])
            .segment("a/b?")
            .tail("x/y z")
            .parameter("none", "")
            .parameter("c", "é")
            .metadata(&pairs)
            .into_string();
        assert_eq!(
            path,
            "/v/state/a%2Fb%3F/x/y%20z?c=%C3%A9&metadata.ttlInSeconds=5%20%26"
        );
    }
}
