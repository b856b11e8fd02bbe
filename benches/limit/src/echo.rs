//! The app behind everything that is measured: an HTTP/1.1 server that does next to nothing.
//!
//! | request | answer |
//! |---|---|
//! | anything with a body | 200, the body, streamed back with its content type |
//! | `GET` of anything else | 200, [`PAGE_BYTES`] bytes |
//! | `POST /sink` | 200, the number of body bytes, which are dropped as they come |
//! | `POST /deliver` | 200, empty; the event is counted ([`crate::stats`]) |
//! | `GET /stats`, `POST /stats/reset` | the counters of `/deliver` |
//! | `GET /dapr/subscribe` | the subscription it was started with, or `[]` |
//! | `GET /dapr/config` | 404: no actors here |

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Either, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::{serve::Server, stats::Deliveries};

/// Bytes of the page that a plain `GET` gets: the size of a small state value.
pub const PAGE_BYTES: usize = 100;
/// Where events are delivered.
const DELIVER: &str = "/deliver";

type Body = Either<Incoming, Full<Bytes>>;

/// A subscription that the app asks its sidecar for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The name of the pub/sub component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
}

struct App {
    page: Bytes,
    subscriptions: Bytes,
    deliveries: Deliveries,
}

/// Starts the app.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(addr: SocketAddr, threads: usize, subscription: Option<&Subscription>) -> io::Result<Server> {
    let subscriptions = subscription.map_or_else(
        || json!([]),
        |s| json!([{"pubsubname": s.pubsub, "topic": s.topic, "route": DELIVER}]),
    );
    let app = Arc::new(App {
        page: Bytes::from(vec![b'x'; PAGE_BYTES]),
        subscriptions: Bytes::from(subscriptions.to_string()),
        deliveries: Deliveries::default(),
    });
    Server::start(addr, threads, move || {
        let app = Arc::clone(&app);
        move |stream| connection(stream, Arc::clone(&app))
    })
}

async fn connection(stream: TcpStream, app: Arc<App>) {
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.answer(request).await) }
    });
    // A client that goes away is the end of its connection and nothing more.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl App {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, DELIVER) => self.deliver(request.into_body()).await,
            (&Method::POST, "/sink") => sink(request.into_body()).await,
            (&Method::GET, "/stats") => bytes(StatusCode::OK, self.deliveries.report().to_string().into()),
            (&Method::POST, "/stats/reset") => {
                self.deliveries.reset();
                bytes(StatusCode::OK, Bytes::new())
            }
            (&Method::GET, "/dapr/subscribe") => bytes(StatusCode::OK, self.subscriptions.clone()),
            (&Method::GET, "/dapr/config") => bytes(StatusCode::NOT_FOUND, Bytes::new()),
            (&Method::GET, _) => bytes(StatusCode::OK, self.page.clone()),
            _ => echo(request),
        }
    }

    async fn deliver(&self, body: Incoming) -> Response<Body> {
        match body.collect().await {
            Ok(event) => {
                self.deliveries.record(&event.to_bytes());
                bytes(StatusCode::OK, Bytes::new())
            }
            Err(_) => bytes(
                StatusCode::BAD_REQUEST,
                Bytes::from_static(b"the event was cut off"),
            ),
        }
    }
}

/// Sends the body back as it comes.
fn echo(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(Either::Left(body));
    if let Some(content_type) = head.headers.get(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    }
    response
}

/// Drops the body and says how long it was.
async fn sink(mut body: Incoming) -> Response<Body> {
    let mut count = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => count += frame.data_ref().map_or(0, Bytes::len),
            Err(_) => {
                return bytes(
                    StatusCode::BAD_REQUEST,
                    Bytes::from_static(b"the body was cut off"),
                );
            }
        }
    }
    bytes(StatusCode::OK, count.to_string().into())
}

fn bytes(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Right(Full::new(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
