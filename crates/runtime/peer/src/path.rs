//! Between the path of a URI and the name of a method, in which nothing is encoded.

use std::fmt::Write;

/// Percent-encodes what must not stand in a path as it is; slashes stay.
pub fn encode(method: &str) -> String {
    let mut text = String::with_capacity(method.len());
    for byte in method.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            text.push(byte.into());
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Percent-decodes a path once. What is no percent-encoding of UTF-8 stays as it is.
pub fn decode(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.first_chunk::<2>().filter(|_| first == b'%');
        let octet = digits.and_then(|[high, low]| Some(hex(*high)? << 4 | hex(*low)?));
        bytes.push(octet.unwrap_or(first));
        rest = if octet.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_comes_back_from_its_path() {
        for method in ["", "a/b", "a b", "100%", "a%25b", "\u{fc}?#\\"] {
            let path = encode(method);
            assert!(path.is_ascii() && !path.contains([' ', '?', '#', '\\']), "{path}");
            assert_eq!(decode(&path), method);
        }
        assert_eq!(decode("%ff"), "%ff");
        assert_eq!(decode("a%zz%2"), "a%zz%2");
    }
}
