//! Cross-origin requests (dapr-runtime.md §1.1).

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use outrigger_transport::Body;

/// Methods that a page may use.
const METHODS: [Method; 6] = [
    Method::HEAD,
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Which pages may call the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cors {
    /// None: the API says nothing about origins.
    #[default]
    Off,
    /// Any.
    Any,
    /// These, in small letters. A star in one stands for any text: `https://*.example.com`.
    Origins(Vec<String>),
}

/// What an answer says of origins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp(Option<HeaderValue>);

impl Stamp {
    /// Writes it to an answer.
    pub(crate) fn put(self, map: &mut HeaderMap) {
        // Also where the origin may not: a cache must not give that answer to one that may.
        map.append(VARY, ORIGIN.into());
        if let Some(origin) = self.0 {
            map.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
    }
}

impl Cors {
    /// Reads `--allowed-origins`: nothing, `*`, or a list with commas.
    pub fn parse(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        let list = text.split(',').map(str::trim);
        if text.is_empty() {
            Self::Off
        } else if list.clone().any(|origin| origin == "*") {
            Self::Any
        } else {
            Self::Origins(list.map(str::to_owned).collect())
        }
    }

    /// Answers a preflight request; `None` for every other request.
    pub(crate) fn preflight(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let asked = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if *self == Self::Off || request.method() != Method::OPTIONS {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::OK;
        let map = response.headers_mut();
        for name in [
            ORIGIN,
            ACCESS_CONTROL_REQUEST_METHOD,
            ACCESS_CONTROL_REQUEST_HEADERS,
        ] {
            map.append(VARY, name.into());
        }
        let method_allowed = METHODS
            .iter()
            .any(|method| method.as_str().as_bytes() == asked.as_bytes());
        if let (Some(origin), true) = (self.allowed(request.headers()), method_allowed) {
            map.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            map.insert(ACCESS_CONTROL_ALLOW_METHODS, asked.clone());
            if let Some(names) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
                map.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            }
        }
        Some(response)
    }

    /// What an answer to `request` says of origins; called before the request is given away.
    pub(crate) fn stamp(&self, request: &HeaderMap) -> Option<Stamp> {
        (*self != Self::Off).then(|| Stamp(self.allowed(request)))
    }

    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        match self {
            Self::Off => None,
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Origins(list) => {
                let asked = origin.to_str().ok()?.to_ascii_lowercase();
                let allowed = list.iter().any(|one| matches(one, &asked));
                allowed.then(|| origin.clone())
            }
        }
    }
}

/// Whether an origin is the one that is written, or fits around its star.
fn matches(written: &str, origin: &str) -> bool {
    match written.split_once('*') {
        None => written == origin,
        Some((begin, end)) => {
            let middle = origin.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end));
            middle.is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(cors: &str, origin: &str) -> HeaderMap {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, origin.parse().unwrap());
        let mut answer = HeaderMap::new();
        if let Some(stamp) = Cors::parse(cors).stamp(&request) {
            stamp.put(&mut answer);
        }
        answer
    }

    #[test]
    fn origins_are_allowed_as_they_are_written_or_by_a_star() {
        let list = "https://One.example, https://*.two.example";
        for (cors, origin, allowed) in [
            (list, "https://one.example", Some("https://one.example")),
            (list, "HTTPS://ONE.EXAMPLE", Some("HTTPS://ONE.EXAMPLE")),
            (list, "https://a.two.example", Some("https://a.two.example")),
            (list, "https://two.example", None),
            (list, "https://one.example.evil", None),
            ("https://one.example,*", "https://any", Some("*")),
        ] {
            let answer = answered(cors, origin);
            let found = answer
                .get(ACCESS_CONTROL_ALLOW_ORIGIN)
                .map(|origin| origin.to_str().unwrap());
            assert_eq!(found, allowed, "{origin}");
            assert_eq!(answer[VARY], "origin", "{origin}");
        }
        assert!(answered("", "https://one.example").is_empty());
    }
}
