//! A channel to a server that allows few streams on a connection.

use std::{convert::Infallible, sync::Arc};

use outrigger_base_task::{StopSignal, TaskSet};
use tokio::sync::Barrier;
use tower::service_fn;

use super::*;
use crate::{
    client::Target,
    server::{self, Listener, Options},
    tls::ClientTls,
};

/// A server whose answers wait until `together` requests are there.
fn start(tasks: &TaskSet, together: usize) -> Http2Channel {
    let listener = Listener::tcp(server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let barrier = Arc::new(Barrier::new(together));
    let service = service_fn(move |_: Request<Body>| {
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            Ok::<_, Infallible>(Response::new(Body::from("answer")))
        }
    });
    let options = Options {
        max_streams: 100,
        ..Options::default()
    };
    let serving = server::serve(
        listener,
        move |_| service.clone(),
        options,
        Vec::new(),
        tasks.child("server"),
        StopSignal::default(),
    );
    tasks.spawn("server", serving);
    Http2Channel::new(
        Connect::plain(Target::Address(address)),
        tasks.child("client"),
        8 * 1024,
    )
}

fn request(channel: &Http2Channel) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = channel.absolute("/").unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    request
}

#[tokio::test]
async fn more_exchanges_than_one_connection_takes_have_another() {
    let tasks = TaskSet::new("test");
    let together = MAX_EXCHANGES * 2 + 1;
    let channel = start(&tasks, together);
    let exchanges = (0..together).map(|_| channel.send(request(&channel)));
    let answers = futures_util::future::join_all(exchanges).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(channel.0.slot().lines().len(), 3);
    // As long as bodies are not read the connections are in use.
    assert_eq!(channel.purge(Duration::ZERO), 0);
    drop(answers);
    assert_eq!(channel.purge(Duration::from_secs(60)), 0);
    assert_eq!(channel.purge(Duration::ZERO), 3);
    assert!(!channel.is_open());
}

#[tokio::test]
async fn one_connection_is_enough_for_one_after_the_other() {
    let tasks = TaskSet::new("test");
    let channel = start(&tasks, 1);
    for _ in 0..3 {
        let answer = channel.send(request(&channel)).await.unwrap();
        assert_eq!(answer.into_body().collect(10).await.unwrap(), "answer");
    }
    assert_eq!(channel.0.slot().lines().len(), 1);
}

#[tokio::test]
async fn those_who_wait_for_a_dial_share_its_failure() {
    // The kernel takes the connection, and nobody answers the handshake of TLS: each dial lasts as long as it may.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::Address(silent.local_addr().unwrap());
    let trusting = ClientTls {
        insecure: true,
        ..ClientTls::default()
    };
    let name = "localhost".try_into().unwrap();
    let connect = Connect::tls(target, trusting.build(&[b"h2"]).unwrap(), name);
    let tasks = TaskSet::new("test");
    let channel = Http2Channel::new(connect, tasks.child("client"), 8 * 1024);
    tokio::time::pause();
    let begun = Instant::now();
    let dials = futures_util::future::join_all((0..5).map(|_| channel.warm())).await;
    assert!(
        dials
            .iter()
            .all(|dialled| dialled.as_ref().is_err_and(Error::nothing_sent))
    );
    let took = begun.elapsed().as_secs();
    assert!((5..15).contains(&took), "{took} s");
}

#[tokio::test]
async fn a_body_that_is_cut_is_no_failure_of_the_other_side() {
    let tasks = TaskSet::new("test");
    // Nobody answers before two are there.
    let channel = start(&tasks, 2);
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"a"))),
        Err(std::io::Error::other("the client went away")),
    ];
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
    let mut request = request(&channel);
    *request.method_mut() = http::Method::POST;
    *request.body_mut() = Body::boxed(body);
    let failed = channel.send(request).await.unwrap_err();
    assert!(failed.error.is_of_the_body(), "{:?}", failed.error);
}
