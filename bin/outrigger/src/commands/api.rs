//! The HTTP API of a sidecar, as the commands call it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use outrigger_base_task::TaskSet;
use outrigger_resource_manifest::{Env, ProcessEnv};
use outrigger_transport::{
    Body,
    client::{Connect, Http1Pool, Target},
};
use outrigger_wire_names::{content, environment, headers, routes};
use serde::Deserialize;

/// Time for one answer of a sidecar about itself. It answers from memory; one that takes longer hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes that are read of what a sidecar says of itself: some hundred components with all they can do.
const METADATA_MAX: u64 = 4 << 20;
/// The most bytes that are read of an error, which is shown to a person.
const ERROR_MAX: u64 = 16 << 10;
/// Where an API can be reached that listens everywhere, and the addresses that say so.
const LOOPBACK: &str = "127.0.0.1";
const EVERYWHERE: [&str; 4] = [LOOPBACK, "localhost", "0.0.0.0", "::"];
/// The face that the commands speak to, in the name of its Unix socket.
const HTTP_FACE: &str = "http";

/// Where a sidecar's HTTP API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// At a port of a host.
    Port(String, u16),
    /// At a Unix socket.
    Socket(PathBuf),
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The path is none.
    #[error("\"{0}\" cannot stand in the path of a URL")]
    Path(String),
    /// A method that no request can have.
    #[error("\"{0}\" is no HTTP verb")]
    Verb(String),
    /// The token cannot stand in a header.
    #[error("the value of {} cannot stand in a header", environment::DAPR_API_TOKEN)]
    Token,
    /// The exchange failed.
    #[error(transparent)]
    Transport(#[from] outrigger_transport::Error),
    /// There was no answer in time.
    #[error("no answer within {} s", ANSWER_TIMEOUT.as_secs())]
    Slow,
    /// The answer is no success.
    #[error("{}", status_text(*.0))]
    Status(StatusCode, Bytes),
    /// The answer cannot be understood.
    #[error("the answer cannot be understood")]
    Answer(#[source] serde_json::Error),
}

/// What a sidecar says of itself, as far as the commands need it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    /// What was told to it by others.
    #[serde(default)]
    pub(crate) extended: BTreeMap<String, String>,
}

/// A client of one sidecar.
#[derive(Debug)]
pub(crate) struct Client {
    pool: Http1Pool,
    authority: HeaderValue,
    token: Option<HeaderValue>,
}

impl Endpoint {
    /// A port of a sidecar on this machine that listens on these addresses, written with commas.
    pub(crate) fn port(listens: Option<&str>, port: u16) -> Self {
        let addresses: Vec<_> = listens
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|address| !address.is_empty())
            .collect();
        let host = match addresses.first() {
            Some(first) if !addresses.iter().any(|one| EVERYWHERE.contains(one)) => first,
            _ => LOOPBACK,
        };
        Self::Port(host.to_owned(), port)
    }

    /// The socket of an app in a folder of sockets.
    pub(crate) fn socket(folder: &Path, app_id: &str) -> Self {
        Self::Socket(folder.join(environment::socket_name(app_id, HTTP_FACE)))
    }
}

impl Client {
    /// A client that has made no connection yet. It shows the API token of this process's environment.
    pub(crate) fn new(endpoint: Endpoint, tasks: TaskSet) -> Result<Self, ApiError> {
        let target = match endpoint {
            Endpoint::Port(host, port) => Target::new(&host, port),
            Endpoint::Socket(path) => Target::Unix(path),
        };
        let authority =
            HeaderValue::try_from(target.authority()).map_err(|_| ApiError::Path(target.authority()))?;
        let token = ProcessEnv
            .var(environment::DAPR_API_TOKEN)
            .filter(|token| !token.is_empty());
        Ok(Self {
            pool: Http1Pool::new(Connect::plain(target), tasks),
            authority,
            token: token.map(secret_header).transpose()?,
        })
    }

    /// What the sidecar says of itself.
    pub(crate) async fn metadata(&self) -> Result<Metadata, ApiError> {
        let path = format!("/{}/{}", routes::V1, routes::METADATA);
        let bytes = self.within(Method::GET, &path, Bytes::new()).await?;
        serde_json::from_slice(&bytes).map_err(ApiError::Answer)
    }

    /// Tells the sidecar something that it tells others.
    pub(crate) async fn set_metadata(&self, key: &str, value: &str) -> Result<(), ApiError> {
        let path = format!("/{}/{}/{key}", routes::V1, routes::METADATA);
        let value = Bytes::copy_from_slice(value.as_bytes());
        self.within(Method::PUT, &path, value).await.map(drop)
    }

    /// Whether the sidecar is ready for calls of its app.
    pub(crate) async fn is_ready(&self) -> bool {
        self.within(Method::GET, routes::HEALTHZ_OUTBOUND, Bytes::new())
            .await
            .is_ok()
    }

    /// Calls a method of an app. The body of the answer comes as it is sent.
    pub(crate) async fn invoke(
        &self,
        app_id: &str,
        verb: &str,
        method: &str,
        body: Bytes,
    ) -> Result<Response<Body>, ApiError> {
        let path = format!(
            "/{}/{}/{app_id}{}{}",
            routes::V1,
            routes::INVOKE,
            routes::METHOD_MARKER,
            method.trim_start_matches('/')
        );
        let verb = Method::from_bytes(verb.as_bytes()).map_err(|_| ApiError::Verb(verb.to_owned()))?;
        let response = self.send(verb, &path, content::JSON, body).await?;
        // As Dapr's CLI, which takes redirects for answers.
        if response.status().is_success() || response.status().is_redirection() {
            Ok(response)
        } else {
            Err(failure(response).await)
        }
    }

    /// Publishes an event; `query` is the request's metadata as a query string.
    pub(crate) async fn publish(
        &self,
        pubsub: &str,
        topic: &str,
        query: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<(), ApiError> {
        // A topic may have slashes, which the sidecar takes as they are.
        let topic: Vec<_> = topic.split('/').map(escaped).collect();
        let (pubsub, topic) = (escaped(pubsub), topic.join("/"));
        let path = format!("/{}/{}/{pubsub}/{topic}{query}", routes::V1, routes::PUBLISH);
        success(self.send(Method::POST, &path, content_type, body).await?)
            .await
            .map(drop)
    }

    /// A call that the sidecar itself answers, at once.
    async fn within(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, ApiError> {
        let exchange = async {
            let response = success(self.send(method, path, content::TEXT, body).await?).await?;
            Ok(response.into_body().collect(METADATA_MAX).await?)
        };
        tokio::time::timeout(ANSWER_TIMEOUT, exchange)
            .await
            .unwrap_or(Err(ApiError::Slow))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Response<Body>, ApiError> {
        let uri: Uri = path.parse().map_err(|_| ApiError::Path(path.to_owned()))?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let into = request.headers_mut();
        into.insert(header::HOST, self.authority.clone());
        if let Ok(content_type) = HeaderValue::try_from(content_type) {
            into.insert(header::CONTENT_TYPE, content_type);
        }
        if let Some(token) = &self.token {
            into.insert(headers::API_TOKEN, token.clone());
        }
        let sent = self.pool.send(request).await;
        sent.map_err(|failed| failed.error.into())
    }
}

/// A text as part of a path or a query: everything but letters, digits and four signs is escaped.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn secret_header(token: String) -> Result<HeaderValue, ApiError> {
    let mut value = HeaderValue::try_from(token).map_err(|_| ApiError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn success(response: Response<Body>) -> Result<Response<Body>, ApiError> {
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(failure(response).await)
    }
}

/// The error that an answer tells of. A body that cannot be read adds nothing to it.
async fn failure(response: Response<Body>) -> ApiError {
    let status = response.status();
    let body = response.into_body().collect(ERROR_MAX).await.unwrap_or_default();
    ApiError::Status(status, body)
}

/// A status as Go writes it: `404 Not Found`.
fn status_text(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

impl ApiError {
    /// What the other side said beside the status, as text for a person.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Self::Status(_, body) if !body.is_empty() => {
                Some(String::from_utf8_lossy(body).trim_end().to_owned())
            }
            _ => None,
        }
    }
}
