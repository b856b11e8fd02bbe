//! What a load is aimed at: an address and the requests that it gets.

use std::net::{SocketAddr, ToSocketAddrs};

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{CONTENT_TYPE, HOST, TE},
    uri::PathAndQuery,
};
use http_body_util::Full;

use super::{Protocol, Template};

/// Content type of a gRPC call.
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
/// Says that the client takes the trailers in which gRPC puts a call's result.
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// A target as a user writes it.
#[derive(Clone, Debug)]
pub struct TargetSpec {
    /// `http://host:port/path`, the path being a template.
    pub url: String,
    /// What is spoken.
    pub protocol: Protocol,
    /// The method; gRPC always posts.
    pub method: Method,
    /// `name: value` pairs.
    pub headers: Vec<(String, String)>,
    /// The body of each request.
    pub body: Template,
    /// Whether an answer must be as long as its request.
    pub check_echo: bool,
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    /// Not of the form `http://host:port/path`.
    #[error("the target `{0}` is not of the form http://host:port/path")]
    Url(String),
    /// The host is not known.
    #[error("the target's host `{0}` has no address")]
    Host(String),
    /// A header's name or value has a character that it may not have.
    #[error("the header `{0}` cannot be sent")]
    Header(String),
}

/// A checked target, from which requests are made.
#[derive(Clone, Debug)]
pub struct Target {
    addr: SocketAddr,
    authority: String,
    path: Template,
    protocol: Protocol,
    method: Method,
    headers: HeaderMap,
    body: Template,
    check_echo: bool,
}

impl Target {
    /// Checks a target.
    ///
    /// # Errors
    /// When the URL or a header cannot be used.
    pub fn new(spec: TargetSpec) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget::Url(spec.url.clone());
        let rest = spec.url.strip_prefix("http://").ok_or_else(invalid)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let addr = authority
            .to_socket_addrs()
            .map_err(|_| InvalidTarget::Host(authority.to_owned()))?
            .next()
            .ok_or_else(|| InvalidTarget::Host(authority.to_owned()))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &spec.headers {
            let unsendable = || InvalidTarget::Header(name.clone());
            let name = HeaderName::try_from(name).map_err(|_| unsendable())?;
            headers.append(name, HeaderValue::try_from(value).map_err(|_| unsendable())?);
        }
        match spec.protocol {
            Protocol::Http => {
                headers.insert(HOST, HeaderValue::try_from(authority).map_err(|_| invalid())?);
            }
            Protocol::Grpc => {
                headers.insert(CONTENT_TYPE, GRPC);
                headers.insert(TE, TRAILERS);
            }
        }
        let authority = authority.to_owned();
        let path = Template::parse(path);
        let target = Self {
            addr,
            authority,
            path,
            protocol: spec.protocol,
            method: spec.method,
            headers,
            body: spec.body,
            check_echo: spec.check_echo,
        };
        // A path that cannot be sent is said now, and not once a request.
        target.uri(0).ok_or(InvalidTarget::Url(spec.url))?;
        Ok(target)
    }

    /// Where to connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What to speak.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether an answer must be as long as its request.
    #[must_use]
    pub fn check_echo(&self) -> bool {
        self.check_echo
    }

    /// Request number `number`; none when a template gives a path that is none.
    #[must_use]
    pub fn request(&self, number: u64) -> Option<Request<Full<Bytes>>> {
        let body = self.body.render(number);
        let body = match self.protocol {
            Protocol::Http => body,
            Protocol::Grpc => framed(&body),
        };
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = self.uri(number)?;
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        Some(request)
    }

    /// The request's head with the URI in the form that the protocol wants.
    pub(super) fn head(&self, number: u64) -> Option<Request<()>> {
        self.request(number).map(|request| request.map(|_| ()))
    }

    fn uri(&self, number: u64) -> Option<Uri> {
        let path = PathAndQuery::from_maybe_shared(self.path.render(number)).ok()?;
        match self.protocol {
            Protocol::Http => Some(Uri::from(path)),
            Protocol::Grpc => Uri::builder()
                .scheme("http")
                .authority(self.authority.as_str())
                .path_and_query(path)
                .build()
                .ok(),
        }
    }
}

/// One uncompressed gRPC message: a flag, the length, the bytes.
fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(url: &str) -> TargetSpec {
        TargetSpec {
            url: url.to_owned(),
            protocol: Protocol::Http,
            method: Method::POST,
            headers: vec![("x-a".to_owned(), "1".to_owned())],
            body: Template::parse("b{n}"),
            check_echo: false,
        }
    }

    #[test]
    fn a_request_has_its_number_and_headers() {
        let target = Target::new(spec("http://127.0.0.1:80/k{n}?q=1")).unwrap();
        let request = target.request(3).unwrap();
        assert_eq!(request.uri(), "/k3?q=1");
        assert_eq!(request.headers()["host"], "127.0.0.1:80");
        assert_eq!(request.headers()["x-a"], "1");
    }

    #[test]
    fn a_grpc_request_has_one_framed_message() {
        let target = Target::new(TargetSpec {
            protocol: Protocol::Grpc,
            ..spec("http://127.0.0.1:80/s/m")
        })
        .unwrap();
        let request = target.request(3).unwrap();
        assert_eq!(request.uri(), "http://127.0.0.1:80/s/m");
        assert_eq!(request.headers()["content-type"], "application/grpc");
        assert_eq!(framed(b"b3").as_ref(), b"\0\0\0\0\x02b3");
    }

    #[test]
    fn bad_targets_are_refused() {
        for url in [
            "https://127.0.0.1:1/",
            "127.0.0.1:80",
            "http://127.0.0.1:1/a b",
            "http:///x",
        ] {
            assert!(Target::new(spec(url)).is_err(), "{url}");
        }
        let headers = vec![("a b".to_owned(), "1".to_owned())];
        assert!(
            Target::new(TargetSpec {
                headers,
                ..spec("http://127.0.0.1:1/")
            })
            .is_err()
        );
    }
}
