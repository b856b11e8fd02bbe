//! Between the path of a URI and the name of a method, in which nothing is encoded.

use std::{borrow::Cow, fmt::Write};

use http::Uri;

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

/// The URI under which an HTTP app is called, where it is another than that of the method: Dapr puts the method's name into
/// the URL as it is, so that an encoding in the name (`%2520` in `uri`) is one in the URL (`%20`). What is refused in a name
/// stays twice encoded: an app would take it for what policies did not see.
pub fn called(uri: &Uri) -> Option<Uri> {
    let path = called_path(uri.path())?;
    match uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok(),
        None => path.parse().ok(),
    }
}

fn called_path(path: &str) -> Option<String> {
    let mut rest = path;
    let mut text = String::new();
    while let Some(at) = rest.find(ENCODED_PERCENT) {
        let (before, after) = (&rest[..at], &rest[at + ENCODED_PERCENT.len()..]);
        text.push_str(before);
        let is_kept = octet(after.as_bytes()).is_some_and(may_be_called);
        text.push_str(if is_kept { "%" } else { ENCODED_PERCENT });
        // Its digits are passed over: they begin no other encoding.
        let digits = if is_kept { 2 } else { 0 };
        text.push_str(&after[..digits]);
        rest = &after[digits..];
    }
    (text.len() + rest.len() < path.len()).then(|| text + rest)
}

/// How a percent sign stands in a path.
const ENCODED_PERCENT: &str = "%25";

/// Whether an app may find an octet in its path that the method's name has in an encoding.
fn may_be_called(octet: u8) -> bool {
    !octet.is_ascii_control() && !b"/\\.#?".contains(&octet)
}

/// Percent-decodes a path once. What is no percent-encoding of UTF-8 stays as it is.
pub fn decode(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octet = (first == b'%').then(|| octet(tail)).flatten();
        bytes.push(octet.unwrap_or(first));
        rest = if octet.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// The octet that two hexadecimal digits stand for.
fn octet(text: &[u8]) -> Option<u8> {
    let [high, low] = text.first_chunk::<2>()?;
    Some(hex(*high)? << 4 | hex(*low)?)
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

    #[test]
    fn an_encoding_in_the_name_of_a_method_is_one_in_the_url() {
        // What an app behind a sidecar of Dapr's sees of the same names.
        for (name, url) in [
            ("a%20b", "/a%20b"),
            ("a%25b", "/a%25b"),
            ("a%2520b", "/a%2520b"),
            ("a%252Fb", "/a%252Fb"),
            ("%C3%BC|^", "/%C3%BC%7C%5E"),
            ("b%ff", "/b%ff"),
            ("a%20b c", "/a%20b%20c"),
        ] {
            let uri = format!("/{}?x=%2520", encode(name)).parse().unwrap();
            assert_eq!(
                called(&uri).unwrap().to_string(),
                format!("{url}?x=%2520"),
                "{name}"
            );
        }
        // Dapr refuses the first two and lets the others through.
        for name in ["a%b", "a%zz b", "a%2Fb", "a%5cb", "%2e%2E", "a%00b", "a%3Fb%23"] {
            assert_eq!(
                called(&format!("/{}", encode(name)).parse().unwrap()),
                None,
                "{name}"
            );
        }
        assert_eq!(called(&Uri::from_static("/a%20b/c?x=%2520")), None);
        let mixed = Uri::from_static("/a%252Fb%2520c%25");
        assert_eq!(called(&mixed).unwrap().to_string(), "/a%252Fb%20c%25");
    }
}
