//! Headers that belong to one hop and are not forwarded (RFC 9110, section 7.6.1), and trailers, which may be.
//!
//! [`strip`] is for a message that goes on in another form. [`forward_request`] and [`forward_response`] are for one that
//! goes on over HTTP: they let trailers through. Over HTTP/1.1 trailers travel behind chunks, and only those that the
//! head names in `Trailer`; those of an answer only to a client that said `TE: trailers`.

use http::{
    HeaderMap, HeaderName, Request, Response,
    header::{self, HeaderValue},
};
use http_body::Body as _;

use crate::{Body, TrailerFilter};

/// Headers that belong to the hop. The last three have no name in [`http::header`]: `keep-alive` is of HTTP/1.0 times,
/// `proxy-connection` was never standardised and is still sent, `http2-settings` belongs to the upgrade from HTTP/1.1.
static OWN: [HeaderName; 10] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// Fields that must not stand in trailers, beside those of the hop: whoever reads them needs them before the body, or
/// would trust them too late (RFC 9110, section 6.5.1).
static BEFORE_THE_BODY: [HeaderName; 28] = [
    // Framing, and what the body is.
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_RANGE,
    // Routing.
    header::HOST,
    header::MAX_FORWARDS,
    header::FORWARDED,
    header::LOCATION,
    // Conditions and modifiers.
    header::EXPECT,
    header::RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::CACHE_CONTROL,
    header::PRAGMA,
    header::AGE,
    header::DATE,
    header::EXPIRES,
    header::RETRY_AFTER,
    header::VARY,
    header::WARNING,
    // Who somebody is.
    header::AUTHORIZATION,
    header::WWW_AUTHENTICATE,
    header::COOKIE,
    header::SET_COOKIE,
    HeaderName::from_static("authentication-info"),
];

/// Removes what belongs to the hop that `headers` came over, the headers that `Connection` names included.
pub fn strip(headers: &mut HeaderMap) {
    strip_nominated(headers);
    for name in &OWN {
        headers.remove(name);
    }
}

/// Whether a header belongs to the hop that it came over, whatever its message says.
pub fn is_own(name: &HeaderName) -> bool {
    OWN.contains(name)
}

/// Whether a field may stand in trailers that go beyond a hop.
pub fn may_trail(name: &HeaderName) -> bool {
    !is_own(name) && !BEFORE_THE_BODY.contains(name)
}

/// As [`strip`], for a request that goes on over HTTP: those of its trailers go on that `passes` names. Returns whether
/// its sender takes trailers of the answer, which is asked of the next hop then.
pub fn forward_request(request: &mut Request<Body>, passes: TrailerFilter) -> bool {
    let takes_trailers =
        tokens(request.headers(), header::TE).any(|coding| coding.eq_ignore_ascii_case("trailers"));
    let announced = announced(request.headers(), passes);
    strip(request.headers_mut());
    if takes_trailers {
        request
            .headers_mut()
            .insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(names) = announced
        && !request.body().is_end_stream()
    {
        announce(request.headers_mut(), names);
        request.body_mut().announce_trailers();
    }
    request.body_mut().filter_trailers(passes);
    takes_trailers
}

/// As [`strip`], for an answer that goes on over HTTP: those of its trailers go on that `passes` names, and none to a
/// client that does not take them.
pub fn forward_response(response: &mut Response<Body>, takes_trailers: bool, passes: TrailerFilter) {
    let passes: TrailerFilter = if takes_trailers { passes } else { |_| false };
    let announced = announced(response.headers(), passes);
    strip(response.headers_mut());
    if let Some(names) = announced
        && !response.body().is_end_stream()
    {
        announce(response.headers_mut(), names);
        response.body_mut().announce_trailers();
    }
    response.body_mut().filter_trailers(passes);
}

/// Names trailers in a head. A body with a known length would have none over HTTP/1.1.
fn announce(headers: &mut HeaderMap, names: HeaderValue) {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::TRAILER, names);
}

/// The trailers that a head names and that go on; `None` where there are none.
fn announced(headers: &HeaderMap, passes: TrailerFilter) -> Option<HeaderValue> {
    let names = tokens(headers, header::TRAILER).filter_map(|name| name.parse::<HeaderName>().ok());
    let mut list = String::new();
    for name in names.filter(passes) {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(name.as_str());
    }
    if list.is_empty() {
        return None;
    }
    // Header names are always a header value.
    HeaderValue::try_from(list).ok()
}

/// Removes the headers that `Connection` names. Most messages have none: the common case is one look-up.
fn strip_nominated(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CONNECTION) {
        return;
    }
    let nominated: Vec<HeaderName> = tokens(headers, header::CONNECTION)
        .filter_map(|name| name.parse().ok())
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

/// The members of a list in a header, whatever number of lines it has.
pub(crate) fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    /// A body whose length is not known.
    fn streaming() -> Body {
        let frame = Frame::data(bytes::Bytes::from_static(b"x"));
        Body::boxed(StreamBody::new(stream::iter([Ok::<_, std::io::Error>(frame)])))
    }

    fn request(pairs: &[(&'static str, &'static str)], body: Body) -> Request<Body> {
        let mut request = Request::new(body);
        *request.headers_mut() = map(pairs);
        request
    }

    #[test]
    fn strips_the_hop_and_keeps_the_rest() {
        let mut headers = map(&[
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("transfer-encoding", "chunked"),
            ("x-kept", "2"),
        ]);
        strip(&mut headers);
        assert_eq!(headers, map(&[("x-kept", "2")]));
    }

    #[test]
    fn a_request_goes_on_with_what_it_says_of_trailers() {
        let given = [
            ("connection", "te, x-secret"),
            ("x-secret", "1"),
            ("te", "deflate;q=0.5, Trailers"),
            ("trailer", "X-Sum, Content-Length,authorization , x-other"),
            ("content-length", "1"),
        ];
        let mut going = request(&given, streaming());
        assert!(forward_request(&mut going, may_trail));
        let expected = map(&[("te", "trailers"), ("trailer", "x-sum, x-other")]);
        assert_eq!(*going.headers(), expected);
        assert_eq!(going.body().size_hint().exact(), None);
    }

    #[test]
    fn a_request_without_a_body_announces_no_trailers() {
        let mut going = request(&[("trailer", "x-sum"), ("x-kept", "1")], Body::empty());
        assert!(!forward_request(&mut going, may_trail));
        assert_eq!(*going.headers(), map(&[("x-kept", "1")]));
    }

    #[test]
    fn trailers_of_an_answer_go_to_those_who_take_them() {
        let answer = || {
            let mut response = Response::new(streaming());
            *response.headers_mut() = map(&[("trailer", "x-sum, set-cookie")]);
            response
        };
        let mut taken = answer();
        forward_response(&mut taken, true, may_trail);
        assert_eq!(*taken.headers(), map(&[("trailer", "x-sum")]));
        let mut refused = answer();
        forward_response(&mut refused, false, may_trail);
        assert!(refused.headers().is_empty());
    }

    #[test]
    fn framing_routing_and_identity_never_trail() {
        for name in [
            "content-length",
            "transfer-encoding",
            "host",
            "authorization",
            "te",
            "cookie",
            "connection",
        ] {
            assert!(!may_trail(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["x-sum", "etag", "server-timing", "grpc-status"] {
            assert!(may_trail(&HeaderName::from_static(name)), "{name}");
        }
    }
}
