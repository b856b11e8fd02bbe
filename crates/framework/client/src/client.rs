//! The client itself.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderValue};
use outrigger_base_std::Secret;
use outrigger_base_task::TaskSet;
use outrigger_transport::client::Http1Pool;
use outrigger_wire_names::environment;

use crate::{Endpoint, Error};

/// A client of one sidecar. Cheap to clone; clones share their connections, which end with the last of them.
///
/// Connections are made when they are needed, on the tokio runtime of the call that needs one.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// What goes along with every call that brings none of it.
    headers: Option<Arc<HeaderMap>>,
}

struct Inner {
    pool: Http1Pool,
    host: HeaderValue,
    token: Option<HeaderValue>,
    tasks: TaskSet,
}

impl Client {
    /// A client of the sidecar at `endpoint`, which is shown `token` on every call. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Input`] when the token cannot stand in a header or TLS cannot be set up.
    pub fn new(endpoint: &Endpoint, token: Option<&Secret>) -> Result<Self, Error> {
        let connect = endpoint.connect()?;
        let authority = connect.target().authority();
        let host = HeaderValue::from_str(&authority)
            .map_err(|_| Error::Input(format!("{authority:?} cannot stand in a header")))?;
        let token = token.map(header_of).transpose()?;
        let tasks = TaskSet::new("sidecar-client");
        Ok(Self {
            inner: Arc::new(Inner {
                pool: Http1Pool::new(connect, tasks.clone()),
                host,
                token,
                tasks,
            }),
            headers: None,
        })
    }

    /// The same client, with headers that go along with every call that brings none of them, such as `traceparent` and
    /// `tracestate`. They take the place of those given before.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = (!headers.is_empty()).then(|| Arc::new(headers));
        self
    }

    /// A client of the sidecar that the environment of this process names: `DAPR_HTTP_ENDPOINT`, or `DAPR_HTTP_PORT` on
    /// this host (3500 where neither is set), with the token in `DAPR_API_TOKEN`.
    ///
    /// # Errors
    /// [`Error::Input`] when a variable cannot be used.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// As [`Client::from_env`], with another environment.
    ///
    /// # Errors
    /// [`Error::Input`] when a variable cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let endpoint = Endpoint::from_lookup(&lookup)?;
        let token = lookup(environment::DAPR_API_TOKEN).filter(|token| !token.is_empty());
        Self::new(&endpoint, token.map(Secret::from).as_ref())
    }

    pub(crate) fn pool(&self) -> &Http1Pool {
        &self.inner.pool
    }

    pub(crate) fn host(&self) -> &HeaderValue {
        &self.inner.host
    }

    pub(crate) fn token(&self) -> Option<&HeaderValue> {
        self.inner.token.as_ref()
    }

    /// Adds the headers of this client to those of a request, all or none: those of a trace belong together.
    pub(crate) fn add_headers(&self, map: &mut HeaderMap) {
        let Some(own) = &self.headers else { return };
        if !own.keys().any(|name| map.contains_key(name)) {
            map.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

fn header_of(token: &Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(token.expose()).map_err(|_| {
        Error::Input("the sidecar's token cannot stand in a header: it must be visible ASCII".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("target", self.inner.pool.connect().target())
            .finish_non_exhaustive()
    }
}
