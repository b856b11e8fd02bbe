//! Between the path of a URI and the name of a method, in which nothing is encoded.

use std::{borrow::Cow, fmt::Write};

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

/// Percent-encodes what cannot stand in a query; encodings that are there stay.
pub fn encode_query(query: &str) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    if query.bytes().all(fits) {
        return Cow::Borrowed(query);
    }
    let mut text = String::with_capacity(query.len() * 2);
    for byte in query.bytes() {
        if fits(byte) {
            text.push(byte.into());
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    Cow::Owned(text)
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
    fn a_query_is_encoded_where_it_has_to_be() {
        assert_eq!(encode_query("a=b%20c&d"), "a=b%20c&d");
        assert_eq!(encode_query("a=\u{fc} #\"|"), "a=%C3%BC%20%23%22%7C");
        assert_eq!(encode_query(""), "");
    }

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
