//! A pool and a server on loopback.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{future::join_all, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, StreamBody};
use outrigger_base_std::BoxError;
use outrigger_base_task::StopSignal;
use tower::service_fn;

use super::*;
use crate::{
    client::Target,
    server::{self, Listener, Options},
};

type Frames = Vec<Result<Frame<Bytes>, BoxError>>;

/// A body whose length is not known.
fn streaming(frames: Frames) -> Body {
    Body::boxed(StreamBody::new(stream::iter(frames)))
}

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn trailer(name: &'static str, value: HeaderValue) -> Result<Frame<Bytes>, BoxError> {
    let map = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
    Ok(Frame::trailers(map))
}

/// Gives the body back, the encoding as `x-encoding`, and the trailer `x-up` as the trailer `x-down`.
async fn echo(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = BodyExt::collect(body).await else {
        return Ok(Response::new(Body::from("cut")));
    };
    let up = body.trailers().and_then(|trailers| trailers.get("x-up")).cloned();
    let mut frames = vec![Ok(Frame::data(body.to_bytes()))];
    frames.extend(up.map(|value| trailer("x-down", value)));
    let mut response = Response::new(streaming(frames));
    let map = response.headers_mut();
    map.insert("trailer", HeaderValue::from_static("x-down"));
    if let Some(encoding) = head.headers.get("transfer-encoding") {
        map.insert("x-encoding", encoding.clone());
    }
    Ok(response)
}

/// A pool for an [`echo`], which counts its connections.
fn start(tasks: &TaskSet) -> (Http1Pool, Arc<AtomicUsize>) {
    let listener = Listener::tcp(server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let target = Target::Address(listener.local_address().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let make = move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        service_fn(echo)
    };
    let (of_server, intake) = (tasks.child("server"), StopSignal::default());
    let serving = server::serve(listener, make, Options::default(), Vec::new(), of_server, intake);
    tasks.spawn("server", serving);
    (
        Http1Pool::new(Connect::plain(target), tasks.child("client")),
        connections,
    )
}

fn request(method: Method, body: Body) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header("host", "localhost");
    request.body(body).unwrap()
}

/// Reads up to the trailers and asks for no more, as a server does that passes them on.
async fn trailers_of(mut body: Body) -> HeaderMap {
    loop {
        let frame = body.frame().await.unwrap().unwrap();
        if let Ok(trailers) = frame.into_trailers() {
            return trailers;
        }
    }
}

#[tokio::test]
async fn trailers_go_both_ways_and_the_connection_is_kept() {
    let tasks = TaskSet::new("test");
    let (pool, connections) = start(&tasks);
    for _ in 0..3 {
        let frames = vec![data("a"), trailer("x-up", HeaderValue::from_static("7"))];
        let mut request = request(Method::POST, streaming(frames));
        let map = request.headers_mut();
        map.insert("te", HeaderValue::from_static("trailers"));
        map.insert("trailer", HeaderValue::from_static("x-up"));
        let response = pool.send(request).await.unwrap();
        assert_eq!(trailers_of(response.into_body()).await["x-down"], "7");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_body_of_unknown_length_goes_with_every_method() {
    let tasks = TaskSet::new("test");
    let (pool, _) = start(&tasks);
    for method in [Method::GET, Method::DELETE, Method::POST] {
        let request = request(method.clone(), streaming(vec![data("ab"), data("c")]));
        let response = pool.send(request).await.unwrap();
        assert_eq!(response.headers()["x-encoding"], "chunked");
        assert_eq!(response.into_body().collect(10).await.unwrap(), "abc", "{method}");
    }
    // One that turns out to be empty does not make a request look as if it had a body.
    let response = pool
        .send(request(Method::GET, streaming(Vec::new())))
        .await
        .unwrap();
    assert!(!response.headers().contains_key("x-encoding"));
}

#[tokio::test]
async fn a_body_that_is_cut_is_no_failure_of_the_other_side() {
    let tasks = TaskSet::new("test");
    let (pool, _) = start(&tasks);
    let cut = streaming(vec![data("a"), Err("the client went away".into())]);
    let failed = pool.send(request(Method::POST, cut)).await.unwrap_err();
    assert!(failed.error.is_of_the_body(), "{:?}", failed.error);
    assert!(failed.unsent.is_none());

    // A server that reads, and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::Address(listener.local_addr().unwrap());
    let pool = Http1Pool::new(Connect::plain(target), tasks.child("client"));
    let dumb = async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
    };
    let (failed, ()) = tokio::join!(pool.send(request(Method::POST, Body::from("a"))), dumb);
    let error = failed.unwrap_err().error;
    assert!(!error.is_of_the_body() && !error.nothing_sent(), "{error:?}");
}

#[tokio::test]
async fn what_a_burst_left_behind_is_closed_while_others_are_used() {
    let tasks = TaskSet::new("test");
    let (pool, _) = start(&tasks);
    let call = || async {
        let response = pool.send(request(Method::POST, Body::from("a"))).await.unwrap();
        response.into_body().collect(10).await.unwrap()
    };
    let idle = || pool.0.shard().lock().unwrap().len();
    join_all((0..3).map(|_| call())).await;
    assert_eq!(idle(), 3);
    tokio::time::pause();
    tokio::time::advance(IDLE_TIMEOUT / 2).await;
    call().await;
    assert_eq!(idle(), 3);
    tokio::time::advance(IDLE_TIMEOUT / 2).await;
    call().await;
    assert_eq!(idle(), 1);
}
