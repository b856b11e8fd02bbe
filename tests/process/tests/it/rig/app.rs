//! An app that behaves, and tells what it saw.

use std::{
    convert::Infallible,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};

use super::Place;

/// Bytes of one chunk of a large answer.
const CHUNK: usize = 64 * 1024;

/// The header with the app's token.
const TOKEN: &str = "dapr-api-token";

type Body = BoxBody<Bytes, hyper::Error>;

/// A running app.
///
/// | request | answer |
/// |---|---|
/// | `GET /dapr/subscribe` | no subscriptions: the tests declare theirs |
/// | `GET /healthz` | as [`App::set_well`] says |
/// | `POST /echo` | the body as it comes |
/// | `POST /sink` | the number of bytes; noted as an upload that was whole or cut |
/// | `GET /endless` | chunks until the reader goes away |
/// | `GET /held`, `POST /held` | as soon as the gate is open; a `POST` is noted as an event |
/// | `POST /events` | 200; noted as an event, with the app's token that came beside it |
/// | any other `GET` | `<name> <path and query>`; counted |
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) port: u16,
    state: Arc<State>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    name: String,
    well: watch::Sender<bool>,
    gate: watch::Sender<bool>,
    /// Requests that wait at the gate.
    held: watch::Sender<usize>,
    /// Bytes of uploads that were whole (`Ok`) or cut (`Err`).
    uploads: Mutex<Vec<Result<usize, usize>>>,
    /// Events that were answered.
    events: Mutex<Vec<Value>>,
    /// Bytes of endless answers that were handed to the connection.
    sent: watch::Sender<usize>,
    /// Plain `GET`s that were answered.
    gets: watch::Sender<usize>,
}

impl App {
    /// Starts an app on this machine.
    pub(crate) fn start(name: &str) -> Self {
        Self::at(name, &Place::default())
    }

    /// Starts an app in a namespace.
    pub(crate) fn at(name: &str, place: &Place) -> Self {
        Self::on(name, place.listen())
    }

    fn on(name: &str, listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            name: name.to_owned(),
            well: watch::Sender::new(true),
            gate: watch::Sender::new(false),
            held: watch::Sender::new(0),
            uploads: Mutex::default(),
            events: Mutex::default(),
            sent: watch::Sender::new(0),
            gets: watch::Sender::new(0),
        });
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let mut server = JoinSet::new();
        server.spawn(accept(listener, state.clone()));
        Self {
            port,
            state,
            _server: server,
        }
    }

    /// Starts an app on a port, such as that of one that has died.
    pub(crate) fn on_port(name: &str, port: u16) -> Self {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self::on(name, listener)
    }

    /// Opens the gate, for good.
    pub(crate) fn open_gate(&self) {
        self.state.gate.send_replace(true);
    }

    /// What `/healthz` says from now on.
    pub(crate) fn set_well(&self, well: bool) {
        self.state.well.send_replace(well);
    }

    /// How many requests wait at the gate.
    pub(crate) fn held(&self) -> usize {
        *self.state.held.borrow()
    }

    /// The uploads so far.
    pub(crate) fn uploads(&self) -> Vec<Result<usize, usize>> {
        self.state
            .uploads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The data of the events so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.envelopes()
            .into_iter()
            .map(|event| event["data"].clone())
            .collect()
    }

    /// The events so far.
    pub(crate) fn envelopes(&self) -> Vec<Value> {
        self.state
            .events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Plain `GET`s so far.
    pub(crate) fn gets(&self) -> usize {
        *self.state.gets.borrow()
    }

    /// Bytes of endless answers so far.
    pub(crate) fn sent(&self) -> usize {
        *self.state.sent.borrow()
    }
}

async fn accept(listener: tokio::net::TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let state = state.clone();
                async move { Ok::<_, Infallible>(state.answer(request).await) }
            });
            // A client that goes away is the end of its connection and nothing more.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl State {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/dapr/subscribe") => text(StatusCode::OK, "[]"),
            (&Method::GET, "/dapr/config") => text(StatusCode::NOT_FOUND, ""),
            (&Method::GET, "/healthz") if *self.well.borrow() => text(StatusCode::OK, ""),
            (&Method::GET, "/healthz") => text(StatusCode::SERVICE_UNAVAILABLE, ""),
            (&Method::POST, "/echo") => Response::new(request.into_body().boxed()),
            (&Method::POST, "/sink") => self.sink(request.into_body()).await,
            (&Method::GET, "/endless") => self.endless(),
            (_, "/held") => self.hold(request).await,
            (&Method::POST, "/events") => self.take(request).await,
            (&Method::GET, _) => {
                self.gets.send_modify(|gets| *gets += 1);
                let path = request.uri().path_and_query().map_or("", |path| path.as_str());
                text(StatusCode::OK, &format!("{} {path}", self.name))
            }
            _ => text(StatusCode::NOT_FOUND, "no such route"),
        }
    }

    async fn sink(&self, mut body: Incoming) -> Response<Body> {
        let mut count = 0;
        let mut cut = false;
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => count += frame.data_ref().map_or(0, Bytes::len),
                Err(_) => {
                    cut = true;
                    break;
                }
            }
        }
        let upload = if cut { Err(count) } else { Ok(count) };
        self.uploads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(upload);
        text(StatusCode::OK, &count.to_string())
    }

    fn endless(self: Arc<Self>) -> Response<Body> {
        let chunk = Bytes::from(vec![b'x'; CHUNK]);
        let chunks = stream::repeat_with(move || {
            self.sent.send_modify(|sent| *sent += CHUNK);
            Ok(Frame::data(chunk.clone()))
        });
        Response::new(BodyExt::boxed(StreamBody::new(chunks)))
    }

    async fn hold(&self, request: Request<Incoming>) -> Response<Body> {
        let is_event = request.method() == Method::POST;
        self.held.send_modify(|held| *held += 1);
        // The sender lives as long as this.
        let _ = self.gate.subscribe().wait_for(|open| *open).await;
        self.held.send_modify(|held| *held -= 1);
        if is_event {
            return self.take(request).await;
        }
        text(StatusCode::OK, "held no longer")
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Body> {
        let token = request.headers().get(TOKEN).cloned();
        let Ok(body) = request.into_body().collect().await else {
            return text(StatusCode::BAD_REQUEST, "the event was cut");
        };
        let mut event: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        if let (Some(Ok(token)), Some(event)) =
            (token.as_ref().map(|token| token.to_str()), event.as_object_mut())
        {
            event.insert(TOKEN.to_owned(), token.into());
        }
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        text(StatusCode::OK, &json!({"status": "SUCCESS"}).to_string())
    }
}

fn text(status: StatusCode, body: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = status;
    response
}
