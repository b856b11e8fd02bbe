//! Service invocation: which app, and which method (dapr-runtime.md §1.3).

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderMap, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use http_body::Body as _;
use outrigger_runtime_api::Error;
use outrigger_transport::Body;
use outrigger_wire_names::{errors, headers, messages, routes};

use crate::{face::Call, query::unescape};

/// Stands between the id and the method; its last slash belongs to the method.
const METHOD: &str = routes::METHOD_MARKER;

/// Calls the app that the request names, and gives its answer back as it streams in.
pub(crate) async fn invoke(call: Call<'_>) -> Result<Response<Body>, Error> {
    let Call {
        api,
        mut request,
        max_body,
    } = call;
    let (id, method) = target(request.uri(), request.headers()).ok_or_else(no_app_id)?;
    request.headers_mut().remove(headers::APP_ID);
    *request.uri_mut() = method;
    if request.body().size_hint().lower() > max_body {
        return Err(Error::body_read(outrigger_transport::Error::TooLarge {
            limit: max_body,
        }));
    }
    let wants_events = accepts_events(request.headers());
    let mut response = api
        .invoke(&id, request.map(|body| body.limited(max_body)))
        .await?;
    if wants_events && response.status() == StatusCode::OK {
        let map = response.headers_mut();
        map.entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("text/event-stream"));
        map.entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-cache"));
    }
    Ok(response)
}

fn accepts_events(map: &HeaderMap) -> bool {
    map.get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes() == b"text/event-stream")
}

fn no_app_id() -> Error {
    let code = errors::DIRECT_INVOKE;
    Error::new(
        code,
        StatusCode::NOT_FOUND,
        outrigger_runtime_api::Code::NotFound,
        messages::NO_APP_ID,
    )
}

/// The id and the method's path: from the header, from basic authentication, or from the path, in this order.
pub(crate) fn target(uri: &Uri, map: &HeaderMap) -> Option<(String, Uri)> {
    let by_header = map
        .get(headers::APP_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| !id.is_empty());
    if let Some(id) = by_header {
        return Some((id.to_owned(), uri.clone()));
    }
    if let Some(id) = basic_auth(map) {
        return Some((id, uri.clone()));
    }
    by_path(uri)
}

/// `Authorization: Basic base64("dapr-app-id:<id>")`.
fn basic_auth(map: &HeaderMap) -> Option<String> {
    let encoded = map.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, id) = decoded.split_once(':')?;
    let named = user.eq_ignore_ascii_case(headers::APP_ID.as_str()) && !id.is_empty() && !id.contains(':');
    named.then(|| id.to_owned())
}

/// `/v1.0/invoke/<id>/method/<method>`. The id may be a URL, raw or encoded.
fn by_path(uri: &Uri) -> Option<(String, Uri)> {
    let rest = uri
        .path()
        .trim_start_matches('/')
        .strip_prefix(routes::V1)?
        .trim_start_matches('/');
    let rest = rest
        .strip_prefix(routes::INVOKE)?
        .strip_prefix('/')?
        .trim_start_matches('/');
    let marker = rest.find(METHOD)?;
    let (id, method) = (&rest[..marker], &rest[marker + METHOD.len() - 1..]);
    if id.is_empty() {
        return None;
    }
    let mut path = String::with_capacity(method.len() + uri.query().map_or(0, str::len) + 1);
    path.push_str(method);
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    Some((url(unescape(id).into_owned()), path.parse().ok()?))
}

/// A URL whose double slash a client folded into one gets it back.
fn url(id: String) -> String {
    for scheme in ["http:/", "https:/"] {
        if let Some(rest) = id.strip_prefix(scheme)
            && !rest.starts_with('/')
        {
            return format!("{scheme}/{rest}");
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, headers: &[(&'static str, &str)]) -> Option<(String, String)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        target(&uri.parse().unwrap(), &map).map(|(id, method)| (id, method.to_string()))
    }

    fn pair(id: &str, method: &str) -> Option<(String, String)> {
        Some((id.to_owned(), method.to_owned()))
    }

    #[test]
    fn finds_the_target_in_three_places() {
        assert_eq!(
            of("/v1.0/invoke/app/method/a/b?x=1", &[]),
            pair("app", "/a/b?x=1")
        );
        assert_eq!(of("/v1.0/invoke/app.ns/method/", &[]), pair("app.ns", "/"));
        assert_eq!(of("/a?x", &[("dapr-app-id", "app")]), pair("app", "/a?x"));
        assert_eq!(
            of("/a", &[("authorization", "Basic ZGFwci1hcHAtaWQ6YXBw")]),
            pair("app", "/a")
        );
        assert_eq!(of("/a", &[]), None);
        assert_eq!(of("/v1.0/invoke/app/a", &[]), None);
    }

    #[test]
    fn an_id_may_be_a_url() {
        let expected = pair("http://host:80", "/m");
        assert_eq!(of("/v1.0/invoke/http%3A%2F%2Fhost%3A80/method/m", &[]), expected);
        assert_eq!(of("/v1.0/invoke/http://host:80/method/m", &[]), expected);
        assert_eq!(of("/v1.0/invoke/http:/host:80/method/m", &[]), expected);
    }
}
