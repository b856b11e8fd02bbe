//! The method of an invocation, from the path it came in.
//!
//! A path is decoded once, as Dapr's servers do, and must not hide a separator behind a second encoding: what the
//! access policy judges and what the app sees would be two methods (dapr-1.19.md §1.2, "Encoded methods").

use http::Uri;
use outrigger_runtime_peer::path::{self, encode};
use outrigger_wire_names::messages;

/// The URI of the method: cleaned, with a leading slash and the query as it came. The usual path needs no decoding.
pub(super) fn normalize(uri: &Uri) -> Result<Uri, String> {
    let path = uri.path();
    if is_plain(path) {
        // A trailing slash and a host are the only things to clean.
        let clean = path.len() == 1 || !path.ends_with('/');
        return match clean && uri.authority().is_none() {
            true => Ok(uri.clone()),
            false => rebuilt(path.trim_end_matches('/'), uri.query()),
        };
    }
    let decoded = decode(path)?;
    check(&decoded)?;
    rebuilt(&encode(&clean(&decoded)), uri.query())
}

/// The URI of a method that is no path yet, as gRPC callers name it: nothing in it is encoded. Of the query, what cannot
/// stand in a URI is encoded; the rest stays as it is, encodings included.
///
/// # Errors
/// When the method is too long for a URI.
pub fn uri(method: &str, query: &str) -> Result<Uri, String> {
    let query = path::encode_query(query);
    rebuilt(&encode(method), Some(&*query).filter(|query| !query.is_empty()))
}

/// Whether a path is its own clean, decoded form, a trailing slash aside.
fn is_plain(path: &str) -> bool {
    !path.bytes().any(|byte| matches!(byte, b'%' | b'\\' | b'#'))
        && !path.contains("//")
        && !path.contains("/.")
}

fn rebuilt(path: &str, query: Option<&str>) -> Result<Uri, String> {
    let mut text = String::with_capacity(path.len() + query.map_or(0, |query| query.len() + 1) + 1);
    if !path.starts_with('/') {
        text.push('/');
    }
    text.push_str(path);
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    text.parse()
        .map_err(|error| format!("{}: {error}", messages::INVALID_METHOD))
}

/// Percent-decodes once.
pub(crate) fn decode(path: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits =
            [rest.next(), rest.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(format!(
                "{}: {path:?} has a broken percent-encoding",
                messages::INVALID_METHOD
            ));
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes)
        .map_err(|_| format!("{}: {path:?} is not UTF-8 when decoded", messages::INVALID_METHOD))
}

/// Refuses what would be read differently by those who come after.
fn check(decoded: &str) -> Result<(), String> {
    let hidden = ["%2f", "%5c", "%2e"];
    let lower = decoded.to_ascii_lowercase();
    let bad_character = decoded.contains(['#', '?', '\\']) || decoded.chars().any(char::is_control);
    if bad_character || hidden.iter().any(|code| lower.contains(code)) {
        return Err(format!(
            "{}: {decoded:?} holds an encoded or forbidden character",
            messages::INVALID_METHOD
        ));
    }
    Ok(())
}

/// Resolves `.`, `..` and doubled slashes; never climbs above the root.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Result<String, String> {
        normalize(&uri.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn plain_paths_stay_as_they_are() {
        assert_eq!(of("/a/b?x=%2F&y"), Ok("/a/b?x=%2F&y".to_owned()));
        assert_eq!(of("/a/b/"), Ok("/a/b".to_owned()));
        assert_eq!(of("/"), Ok("/".to_owned()));
    }

    #[test]
    fn paths_are_decoded_once_and_cleaned() {
        assert_eq!(of("/a%2Fb"), Ok("/a/b".to_owned()));
        assert_eq!(of("/a%20b"), Ok("/a%20b".to_owned()));
        assert_eq!(of("/a%25b"), Ok("/a%25b".to_owned()));
        assert_eq!(of("/a/../../b//c/./d"), Ok("/b/c/d".to_owned()));
        assert_eq!(of("/%2e%2e/admin"), Ok("/admin".to_owned()));
    }

    #[test]
    fn a_method_without_encoding_comes_back_as_it_was() {
        for method in ["a/b", "a b", "a%b", "a%25b", "ü\"*", ""] {
            let normal = normalize(&uri(method, "x=1").unwrap()).unwrap();
            assert_eq!(decode(normal.path()).unwrap(), format!("/{method}"));
            assert_eq!(normal.query(), Some("x=1"));
        }
        assert!(normalize(&uri("a?b", "").unwrap()).is_err());
    }

    #[test]
    fn hidden_separators_are_refused() {
        for path in [
            "/a%252Fb",
            "/a%255cb",
            "/%252e%252e/admin",
            "/a%5Cb",
            "/a%00b",
            "/a%23b",
            "/a%3Fb",
            "/a%zz",
        ] {
            assert!(of(path).unwrap_err().starts_with("invalid method"), "{path}");
        }
    }
}
