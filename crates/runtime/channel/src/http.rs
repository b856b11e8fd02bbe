//! The channel to an app that speaks HTTP.

mod events;
mod initial;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header::HOST, uri::PathAndQuery};
use http_body::Body as _;
use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;
use outrigger_runtime_peer::path;
use outrigger_runtime_telemetry::{Exchange, Telemetry};
use outrigger_transport::{
    Body,
    client::{Connect, Failed, Http1Pool, Http2Channel, Target},
    tls::ClientTls,
};
use outrigger_wire_names::headers;
use rustls_pki_types::ServerName;
use tokio::time::Instant;

use crate::{
    AppChannel, AppSubscription, BulkDelivery, Error, EventDelivery, EventVerdict, InvokeRequest, Protocol,
    Settings, Verdicts,
};

pub use events::{bulk_body, bulk_verdicts, of_metadata, verdict};

/// Bytes that the body of an app's answer to one of our own calls may have.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;

/// The channel to an app that speaks HTTP: http and https over HTTP/1.1, h2c over HTTP/2.
#[derive(Debug)]
pub struct HttpChannel {
    wire: Wire,
    protocol: Protocol,
    host: HeaderValue,
    scheme: &'static str,
    authority: String,
    token: Option<HeaderValue>,
    app_id: HeaderValue,
    telemetry: Arc<Telemetry>,
}

#[derive(Debug)]
enum Wire {
    Http1(Http1Pool),
    Http2(Http2Channel),
}

impl HttpChannel {
    /// A channel; no connection is made yet. `tasks` owns the connections.
    pub fn new(settings: &Settings, tasks: TaskSet) -> Result<Self, BoxError> {
        let target = Target::new(&settings.address, settings.port);
        let authority = target.authority();
        let connect = connect(settings, target, &[b"http/1.1"])?;
        let wire = match settings.protocol {
            Protocol::H2c => Wire::Http2(Http2Channel::new(connect, tasks, settings.answer_head())),
            _ => Wire::Http1(Http1Pool::new(connect, tasks)),
        };
        let token = settings
            .token
            .as_ref()
            .map(|token| HeaderValue::from_str(token.expose()))
            .transpose()?;
        Ok(Self {
            wire,
            protocol: settings.protocol,
            host: HeaderValue::from_str(&authority)?,
            scheme: if settings.protocol.is_tls() {
                "https"
            } else {
                "http"
            },
            authority,
            token: token.map(sensitive),
            app_id: HeaderValue::from_str(&settings.app_id)?,
            telemetry: Telemetry::off(),
        })
    }

    /// Counts calls of the app there.
    #[must_use]
    pub fn counted(mut self, telemetry: Arc<Telemetry>) -> Self {
        self.telemetry = telemetry;
        self
    }

    /// Sends a request whose URI is a path, and counts it.
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Failed> {
        let Some(metrics) = &self.telemetry.http else {
            return self.exchange(request).await;
        };
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let sent = request.body().size_hint().exact().unwrap_or(0);
        let start = Instant::now();
        let answer = self.exchange(request).await;
        let (status, received) = match &answer {
            Ok(response) => (response.status(), response.body().size_hint().exact()),
            // An app that gives no answer counts as one that failed.
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        metrics.called(Exchange {
            method: &method,
            path: uri.path(),
            status,
            elapsed: start.elapsed(),
            sent,
            received: received.unwrap_or(0),
        });
        answer
    }

    /// Sends a request whose URI is a path, as the wire wants it.
    async fn exchange(&self, mut request: Request<Body>) -> Result<Response<Body>, Failed> {
        match &self.wire {
            Wire::Http1(pool) => {
                if !request.headers().contains_key(HOST) {
                    request.headers_mut().insert(HOST, self.host.clone());
                }
                *request.version_mut() = http::Version::HTTP_11;
                pool.send(request).await
            }
            Wire::Http2(channel) => {
                request.headers_mut().remove(HOST);
                *request.version_mut() = http::Version::HTTP_2;
                let path = request.uri().path_and_query().cloned();
                *request.uri_mut() = self.absolute(path);
                channel.send(request).await
            }
        }
    }

    fn absolute(&self, path: Option<PathAndQuery>) -> Uri {
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let built = Uri::builder()
            .scheme(self.scheme)
            .authority(self.authority.as_str())
            .path_and_query(path)
            .build();
        // The authority came from an address and a path from a parsed URI; the root is the harmless answer.
        built.unwrap_or_else(|_| Uri::from_static("/"))
    }

    /// A request of the runtime's own, with the app's token.
    fn own(&self, method: Method, path: &str, body: Body) -> Result<Request<Body>, Error> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|error| Error::Answer {
            call: "route",
            reason: format!("{path:?} is not a path: {error}"),
        })?;
        if let Some(token) = &self.token {
            request.headers_mut().insert(headers::API_TOKEN, token.clone());
        }
        Ok(request)
    }

    async fn collect(response: Response<Body>) -> Result<Bytes, Error> {
        Ok(response.into_body().collect(ANSWER_LIMIT).await?)
    }
}

#[async_trait]
impl AppChannel for HttpChannel {
    async fn invoke(&self, mut request: InvokeRequest) -> Result<Response<Body>, Error> {
        if let Some(token) = &self.token {
            request.headers_mut().insert(headers::API_TOKEN, token.clone());
        }
        if let Some(uri) = path::called(request.uri()) {
            *request.uri_mut() = uri;
        }
        self.send(request).await.map_err(|failed| failed.error.into())
    }

    async fn subscriptions(&self) -> Result<Vec<AppSubscription>, Error> {
        initial::subscriptions(self).await
    }

    async fn app_config(&self) -> Result<Option<Bytes>, Error> {
        initial::config(self).await
    }

    async fn deliver(&self, delivery: EventDelivery<'_>) -> Result<EventVerdict, Error> {
        events::deliver(self, delivery).await
    }

    async fn deliver_bulk(&self, delivery: BulkDelivery<'_>) -> Result<Verdicts, Error> {
        events::deliver_bulk(self, delivery).await
    }

    async fn probe(&self, path: &str) -> Result<bool, Error> {
        let mut request = self.own(Method::GET, &rooted(path), Body::empty())?;
        request.headers_mut().remove(headers::API_TOKEN);
        let start = Instant::now();
        let answer = self.exchange(request).await;
        if let Some(metrics) = &self.telemetry.http {
            let status = answer.as_ref().map(Response::status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            metrics.probed(status, start.elapsed());
        }
        let response = answer.map_err(|failed| failed.error)?;
        let well = response.status().is_success();
        Self::collect(response).await?;
        Ok(well)
    }

    fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// A path that begins with a slash.
fn rooted(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// How connections to the app are made. The app is on this host: any certificate is taken, as Dapr does.
pub(crate) fn connect(settings: &Settings, target: Target, protocols: &[&[u8]]) -> Result<Connect, BoxError> {
    if !settings.protocol.is_tls() {
        return Ok(Connect::plain(target));
    }
    let config = ClientTls {
        insecure: true,
        ..ClientTls::default()
    }
    .build(protocols)?;
    let name = ServerName::try_from(settings.address.clone())?;
    Ok(Connect::tls(target, config, name))
}
