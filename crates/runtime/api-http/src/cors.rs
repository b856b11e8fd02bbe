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
    /// These.
    Origins(Vec<String>),
}

impl Cors {
    /// Reads `--allowed-origins`: nothing, `*`, or a list with commas.
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "" => Self::Off,
            "*" => Self::Any,
            list => Self::Origins(list.split(',').map(|origin| origin.trim().to_owned()).collect()),
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
    pub(crate) fn stamp(&self, request: &HeaderMap) -> Option<HeaderValue> {
        if *self == Self::Off {
            None
        } else {
            self.allowed(request)
        }
    }

    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        match self {
            Self::Off => None,
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Origins(list) => list
                .iter()
                .any(|one| one.as_bytes() == origin.as_bytes())
                .then(|| origin.clone()),
        }
    }
}
