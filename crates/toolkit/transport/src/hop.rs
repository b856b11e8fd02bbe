//! Headers that belong to one hop and are not forwarded (RFC 9110, section 7.6.1).

use http::{
    HeaderMap, HeaderName,
    header::{
        CONNECTION, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
        UPGRADE,
    },
};

/// `keep-alive`, of HTTP/1.0 times.
static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// `proxy-connection`, never standardised and still sent.
static PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// `http2-settings`, of the upgrade from HTTP/1.1.
static HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Removes what belongs to the hop that `headers` came over, the headers that `Connection` names included.
pub fn strip(headers: &mut HeaderMap) {
    strip_nominated(headers);
    for name in [
        &CONNECTION,
        &TRANSFER_ENCODING,
        &TE,
        &TRAILER,
        &UPGRADE,
        &PROXY_AUTHENTICATE,
        &PROXY_AUTHORIZATION,
    ] {
        headers.remove(name);
    }
    for name in [&KEEP_ALIVE, &PROXY_CONNECTION, &HTTP2_SETTINGS] {
        headers.remove(name);
    }
}

/// Removes the headers that `Connection` names. Most messages have none: the common case is one look-up.
fn strip_nominated(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let nominated: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| HeaderValue::to_str(value).ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_the_hop_and_keeps_the_rest() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("x-kept", "2"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-kept"], "2");
    }
}
