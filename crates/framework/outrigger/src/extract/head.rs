//! What looks at the head only.

use http::{HeaderMap, HeaderName, Method, Uri, request::Parts};
use outrigger_wire_names::headers;
use serde::de::DeserializeOwned;

use super::{FromParts, params};
use crate::{Error, Handle, context::Context};

/// The captures of the method's pattern, read into `T`: one value, a tuple in the order of the captures, or a struct with
/// their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromParts for Path<T> {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        let captures = Context::of(&parts.extensions)
            .map(Context::captures)
            .unwrap_or_default();
        params::read(captures)
            .map(Self)
            .map_err(|error| Error::bad_request(format!("the path is not what is expected: {error}")))
    }
}

/// The query string, read into `T`: a struct with the names of its parameters, or a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromParts for Query<T> {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        let pairs = params::pairs(parts.uri.query());
        params::read_map(&pairs)
            .map(Self)
            .map_err(|error| Error::bad_request(format!("the query is not what is expected: {error}")))
    }
}

/// The headers. In a handler of a topic, metadata of the message as its broker gave it.
#[derive(Debug, Clone, Default)]
pub struct Headers(pub HeaderMap);

impl FromParts for Headers {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        Ok(Self(parts.headers.clone()))
    }
}

/// Who called: set by the runtimes on both sides, never by the calling app.
///
/// Nobody is known where a request came to the app past its runtime, and in a handler of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    app_id: Option<String>,
    namespace: Option<String>,
}

impl Caller {
    /// The calling app's id.
    pub fn app_id(&self) -> Option<&str> {
        self.app_id.as_deref()
    }

    /// The calling app's namespace: `default` where that app's runtime has none. A caller that names no namespace has none.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

impl FromParts for Caller {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        let text = |name: &HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Ok(Self {
            app_id: text(&headers::CALLER_APP_ID),
            namespace: text(&headers::CALLER_NAMESPACE),
        })
    }
}

/// The name of the called method: its path, without the slash in front, still encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MethodName(pub String);

impl FromParts for MethodName {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        Ok(Self(parts.uri.path().trim_start_matches('/').to_owned()))
    }
}

impl FromParts for Method {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        Ok(parts.method.clone())
    }
}

impl FromParts for Uri {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        Ok(parts.uri.clone())
    }
}

/// The handle goes on with the trace that the request belongs to.
impl FromParts for Handle {
    fn from_parts(parts: &mut Parts) -> Result<Self, Error> {
        let handle = Context::of(&parts.extensions).and_then(Context::handle);
        let handle = handle.ok_or_else(|| {
            Error::new(
                http::StatusCode::SERVICE_UNAVAILABLE,
                "ENDING",
                "the app has come to its end",
            )
        })?;
        Ok(handle.in_trace_of(&parts.headers))
    }
}
