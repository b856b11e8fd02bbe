//! Heads of requests that nobody who means well sends.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::{collection::vec, prelude::*};

use crate::{
    invoke, query,
    route::{self, Route},
};

/// Paths that look like some of the API's, and those that do not.
fn paths() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("v1.0"),
        Just("v1.0-alpha1"),
        Just("invoke"),
        Just("method"),
        Just("state"),
        Just("publish"),
        Just("bulk"),
        Just("transaction"),
        Just("secrets"),
        Just("metadata"),
        Just("healthz"),
        Just("outbound"),
        Just("bindings"),
        Just("http:"),
        Just(""),
        Just("."),
        Just(".."),
        Just("%"),
        Just("%2F"),
        Just("%zz%f"),
        Just("\u{fc}"),
        Just("a"),
    ];
    let known = vec(segment, 0..8).prop_map(|segments| format!("/{}", segments.join("/")));
    prop_oneof![3 => known, 1 => any::<String>()]
}

fn methods() -> impl Strategy<Value = Method> {
    let known = vec![
        "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY",
    ];
    prop::sample::select(known).prop_map(|name| name.parse().unwrap())
}

/// `text` with everything but letters and digits encoded.
fn escaped(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02x}"),
    });
    bytes.collect()
}

proptest! {
    #[test]
    fn every_path_has_one_operation(method in methods(), path in paths()) {
        let found = route::find(&method, &path);
        // Its parameters are parts of the path, and those that must be there are.
        let parts = match found {
            Route::GetState { store, key } | Route::DeleteState { store, key } => vec![store, key],
            Route::GetSecret { store, name } => vec![store, name],
            Route::SaveState { store }
            | Route::BulkGetState { store }
            | Route::TransactState { store }
            | Route::BulkSecrets { store } => vec![store],
            _ => Vec::new(),
        };
        for part in parts {
            prop_assert!(path.contains(part) && !part.contains('/'), "{} of {}", part, path);
        }
        if matches!(found, Route::GetState { .. } | Route::Metadata | Route::Health | Route::GetSecret { .. }) {
            prop_assert_eq!(&method, Method::GET);
        }
        // One slash more in front of it changes nothing.
        let with_more = format!("/{path}");
        prop_assert_eq!(route::find(&method, &with_more), found);
    }

    #[test]
    fn what_was_escaped_is_read_as_it_was(text in any::<String>()) {
        prop_assert_eq!(query::unescape(&escaped(&text)).into_owned(), text);
    }

    #[test]
    fn any_text_can_be_unescaped(text in "[a-f0-9%+\u{0}\u{fc}]{0,12}") {
        let plain = query::unescape(&text).into_owned();
        prop_assert!(plain.chars().count() <= text.chars().count(), "{:?}", plain);
        if !text.contains(['%', '+']) {
            prop_assert_eq!(plain, text);
        }
    }

    #[test]
    fn the_pairs_of_a_query_are_those_that_were_put_in(pairs in vec((any::<String>(), any::<String>()), 0..5)) {
        let written = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        let written = written.collect::<Vec<_>>().join("&");
        prop_assert_eq!(query::pairs(Some(&written)).collect::<Vec<_>>(), pairs.clone());
        for (name, _) in &pairs {
            let first = pairs.iter().find(|(other, _)| other == name);
            prop_assert_eq!(Some(&query::parameter(Some(&written), name)), first.map(|(_, value)| value));
        }
    }

    #[test]
    fn any_query_is_read(text in any::<String>()) {
        let count = query::pairs(Some(&text)).count();
        prop_assert!(query::metadata(Some(&text)).len() <= count);
    }

    #[test]
    fn what_is_invoked_is_one_rooted_path(
        path in paths(),
        query in prop::option::of("[!-~]{0,10}"),
        id in vec(any::<u8>(), 0..12),
        by in 0..3,
    ) {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let whole = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let Ok(uri) = whole.parse::<Uri>() else { return Ok(()) };
        let mut headers = HeaderMap::new();
        let basic = || [b"Basic ".to_vec(), BASE64_STANDARD.encode([b"dapr-app-id:", &id[..]].concat()).into()].concat();
        let header = match by {
            0 => None,
            1 => Some(("dapr-app-id", id.clone())),
            _ => Some(("authorization", basic())),
        };
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_bytes(&value)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
        if let Some((id, method)) = invoke::target(&uri, &headers) {
            prop_assert!(!id.is_empty());
            // By a header it is what was asked; by path it is what stands behind the id.
            prop_assert!(method == uri || (method.path().starts_with('/') && method.authority().is_none()));
            prop_assert_eq!(method.query(), uri.query());
        }
    }
}
