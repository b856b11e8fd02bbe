//! Paths, queries and methods of HTTP requests.
//!
//! The route table and the query parser are private to the HTTP face, so their files are compiled here once more.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "another crate's file, of which not everything is used here"
)]
#[path = "../../../crates/runtime/api-http/src/query.rs"]
mod query;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "another crate's file, of which not everything is used here"
)]
#[path = "../../../crates/runtime/api-http/src/route.rs"]
mod route;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use outrigger_runtime_api::method_uri;
use outrigger_transport::hop;

/// The first line is a verb and a path with its query, as in a request; the others are header fields.
pub fn run(data: &[u8]) {
    let (line, rest) = crate::first_line(data);
    let line = crate::text(line);
    let (verb, target) = line.split_once(' ').unwrap_or(("GET", &line));
    let method = Method::from_bytes(verb.as_bytes()).unwrap_or(Method::GET);
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));

    let _ = route::find(&method, path);
    let _ = query::unescape(path);
    let count = query::pairs(query).count();
    assert!(query::metadata(query).len() <= count);
    let _ = query::parameter(query, "appid");

    if let Ok(uri) = method_uri(path, query.unwrap_or_default()) {
        // What goes to an app is one rooted path, whatever the caller wrote.
        assert!(uri.path().starts_with('/'), "{uri}");
        assert!(uri.authority().is_none(), "{uri}");
    }
    headers(rest);
}

fn headers(data: &[u8]) {
    let mut map = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(at + 1..).unwrap_or_default();
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&line[..at]),
            HeaderValue::from_bytes(value),
        ) {
            map.append(name, value);
        }
    }
    hop::strip(&mut map);
    for name in [
        "connection",
        "transfer-encoding",
        "te",
        "upgrade",
        "keep-alive",
        "proxy-connection",
    ] {
        assert!(!map.contains_key(name), "{name} is left");
    }
}
