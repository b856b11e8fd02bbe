//! Services outside the mesh: HTTP endpoint resources and absolute URLs.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderName, HeaderValue, Request, Response, Uri,
    header::{AUTHORIZATION, HOST},
    uri::{PathAndQuery, Scheme},
};
use outrigger_base_std::{BoxError, chain};
use outrigger_base_task::TaskSet;
use outrigger_runtime_host::{HttpEndpoint, Identity};
use outrigger_runtime_peer::path;
use outrigger_transport::{
    Body,
    client::{Connect, Http1Pool, Target},
    hop, tls,
};
use outrigger_wire_names::headers;

use super::{Caller, forward::may_trail, invoke_error, path_and_query};
use crate::{Api, Error};

/// Origins whose connections are kept. Beyond it all are let go: an app that calls more has no use for kept ones.
const MAX_ORIGINS: usize = 1024;

/// Connections to services outside the mesh, and the header values of this runtime.
pub struct Outside {
    pools: Mutex<HashMap<String, Http1Pool>>,
    tasks: TaskSet,
    headers: Caller,
}

impl Outside {
    /// No connections yet; `tasks` owns them.
    pub fn new(identity: &Identity, tasks: TaskSet) -> Self {
        Self {
            pools: Mutex::default(),
            tasks,
            headers: Caller::new(identity),
        }
    }

    pub(crate) fn headers(&self) -> &Caller {
        &self.headers
    }

    /// The connections to an origin. `key` tells origins with TLS settings of their own apart.
    fn pool(&self, key: String, uri: &Uri, endpoint: Option<&HttpEndpoint>) -> Result<Http1Pool, BoxError> {
        if let Some(pool) = self
            .pools
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(pool.clone());
        }
        let pool = Http1Pool::new(connect(uri, endpoint)?, self.tasks.clone());
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if pools.len() >= MAX_ORIGINS {
            pools.clear();
        }
        Ok(pools.entry(key).or_insert(pool).clone())
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

impl Api {
    /// Calls a service outside the mesh. It sees nothing of this runtime: no ids, no token.
    pub(super) async fn invoke_outside(
        &self,
        name: &str,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Error> {
        let fail = |reason: &str| invoke_error(name, reason);
        let snapshot = self.host().snapshot_owned();
        let endpoint = snapshot.http_endpoint(name);
        let base = endpoint.map_or(name, |endpoint| &endpoint.base_url);
        let called = path::called(request.uri());
        let called = called.as_ref().unwrap_or_else(|| request.uri());
        let uri = join(base, path_and_query(called)).map_err(|error| fail(&chain(&*error)))?;
        let takes_trailers = prepare(&mut request, &uri, endpoint);
        let authority = uri.authority().map_or_else(String::new, ToString::to_string);
        let key = format!(
            "{:?} {authority} {}",
            uri.scheme(),
            endpoint.map_or("", |endpoint| &endpoint.name)
        );
        let pool = self
            .parts()
            .outside
            .pool(key, &uri, endpoint)
            .map_err(|error| fail(&chain(&*error)))?;
        let mut response = pool
            .send(request)
            .await
            .map_err(|failed| fail(&chain(&failed.error)))?;
        hop::forward_response(&mut response, takes_trailers, may_trail);
        Ok(response)
    }
}

/// The base URL with the method behind it.
fn join(base: &str, path: &str) -> Result<Uri, BoxError> {
    let base: Uri = base.parse()?;
    let scheme = base.scheme().cloned().ok_or("the URL has no scheme")?;
    let authority = base.authority().cloned().ok_or("the URL has no host")?;
    let full: PathAndQuery = format!("{}{path}", base.path().trim_end_matches('/')).parse()?;
    Ok(Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(full)
        .build()?)
}

/// Makes a request one for a service outside. Returns whether the caller takes trailers of the answer.
fn prepare(request: &mut Request<Body>, uri: &Uri, endpoint: Option<&HttpEndpoint>) -> bool {
    let path = uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = path.into();
    *request.version_mut() = http::Version::HTTP_11;
    let takes_trailers = hop::forward_request(request, may_trail);
    let map = request.headers_mut();
    for name in [
        headers::APP_ID,
        headers::API_TOKEN,
        headers::CALLER_APP_ID,
        headers::CALLER_NAMESPACE,
    ] {
        map.remove(name);
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if let Ok(host) = HeaderValue::from_str(host) {
        map.insert(HOST, host);
    }
    if !user.is_empty() && !map.contains_key(AUTHORIZATION) {
        map.extend(basic(user).map(|value| (AUTHORIZATION, value)));
    }
    for (name, value) in endpoint.into_iter().flat_map(|endpoint| &endpoint.headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            map.insert(name, value);
        }
    }
    takes_trailers
}

/// User and password of a URL, percent-encoded, as basic authentication.
fn basic(user: &str) -> Option<HeaderValue> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let plain = format!("{}:{}", path::decode(name), path::decode(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn connect(uri: &Uri, endpoint: Option<&HttpEndpoint>) -> Result<Connect, BoxError> {
    let host = uri.host().ok_or("the URL has no host")?;
    let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
    let target = Target::new(host, uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }));
    if !is_tls {
        return Ok(Connect::plain(target));
    }
    let settings = endpoint.and_then(|endpoint| endpoint.tls.as_ref());
    let settings = settings.map_or_else(
        || Ok(tls::ClientTls::default()),
        outrigger_runtime_host::ClientPem::client_tls,
    )?;
    let config = settings.build(&[b"http/1.1"])?;
    let name = rustls_pki_types::ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
    Ok(Connect::tls(target, Arc::clone(&config), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(url: &str, given: Option<&'static str>) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        let map = request.headers_mut();
        map.insert(headers::CALLER_APP_ID, HeaderValue::from_static("app"));
        map.extend(given.map(|value| (AUTHORIZATION, HeaderValue::from_static(value))));
        prepare(&mut request, &url.parse().unwrap(), None);
        request
    }

    #[test]
    fn a_service_outside_sees_its_own_name_and_none_of_ours() {
        let request = prepared("http://example.org:81/a?b=c", None);
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers().len(), 1);
        assert_eq!(request.headers()["host"], "example.org:81");
    }

    #[test]
    fn user_and_password_of_a_url_are_shown_unless_the_caller_shows_others() {
        let request = prepared("http://me:p%40ss@example.org/", None);
        assert_eq!(request.headers()["host"], "example.org");
        assert_eq!(request.headers()["authorization"], "Basic bWU6cEBzcw==");
        let request = prepared("http://me:p@example.org/", Some("Bearer x"));
        assert_eq!(request.headers()["authorization"], "Bearer x");
    }
}
