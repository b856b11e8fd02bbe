//! `courier`: a plain HTTP server, as it may have been there for years. It knows nothing of sidecars and links nothing of
//! ours; a sidecar that is put before it makes it a member of the shop.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

/// Bytes of a request that are read: a label is asked for in some dozen.
const BODY_MAX: usize = 16 << 10;

/// Labels by order.
type Labels = Arc<Mutex<BTreeMap<String, String>>>;

#[derive(Deserialize)]
struct Parcel {
    order: String,
}

/// Serves until it is told to end.
pub(crate) async fn serve(port: u16) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let labels = Labels::default();
    // Connections that are left end with this set.
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            Some(_) = connections.join_next() => continue,
            _ = terminated.recv() => return Ok(()),
        };
        let labels = labels.clone();
        let answer = service_fn(move |request| answer(labels.clone(), request));
        // A connection that fails is its client's affair.
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(labels: Labels, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, value) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/labels") => {
            let labels = labels.lock().unwrap_or_else(PoisonError::into_inner);
            (StatusCode::OK, json!(*labels))
        }
        (&Method::POST, "/labels") => match parcel(request).await {
            Some(parcel) => (StatusCode::OK, label(&labels, parcel)),
            None => (
                StatusCode::BAD_REQUEST,
                json!({"message": "expected {\"order\": \"…\"}"}),
            ),
        },
        _ => (
            StatusCode::NOT_FOUND,
            json!({"message": "there are only /labels"}),
        ),
    };
    let mut response = Response::new(Full::from(value.to_string()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(response)
}

async fn parcel(request: Request<Incoming>) -> Option<Parcel> {
    let body = Limited::new(request.into_body(), BODY_MAX).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

/// The label of an order: the same one, however often it is asked for.
fn label(labels: &Labels, parcel: Parcel) -> Value {
    let mut labels = labels.lock().unwrap_or_else(PoisonError::into_inner);
    let next = format!("CR-{:05}", labels.len() + 1);
    let label = labels.entry(parcel.order.clone()).or_insert(next);
    json!({"order": parcel.order, "label": label})
}
