//! A client over HTTP/2, frame by frame.

use std::convert::Infallible;

use http::{Request, Response};
use outrigger_base_task::{StopSignal, TaskSet};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};
use tower::service_fn;

use super::*;
use crate::{
    Body,
    server::{self, Listener, Options},
};

/// A frame of settings without a setting.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// A frame that asks for `/`, from a table that every client has (RFC 7541, appendix A).
const ASKS: [u8; 12] = [0, 0, 3, HEADERS, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];

/// A connection with its settings said, and the tasks of its server.
async fn connect(options: Options) -> (TcpStream, TaskSet) {
    let listener = Listener::tcp(server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let tasks = TaskSet::new("test");
    let service =
        service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("hi"))) });
    let options = Options {
        // The client of these tests does not answer pings.
        ping_interval: Duration::from_secs(24 * 3600),
        ..options
    };
    let of_server = tasks.child("server");
    let serving = server::serve(
        listener,
        move |_| service,
        options,
        Vec::new(),
        of_server,
        StopSignal::default(),
    );
    tasks.spawn("server", serving);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&PREFACE).await.unwrap();
    stream.write_all(&SETTINGS).await.unwrap();
    (stream, tasks)
}

async fn ping(stream: &mut TcpStream) {
    let mut frame = vec![0, 0, 8, PING, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&[7; 8]);
    // Byte by byte, so that a head is found wherever reads end.
    for byte in frame {
        stream.write_all(&[byte]).await.unwrap();
    }
}

/// Reads to the next frame of this type: its flags and its payload.
async fn next(stream: &mut TcpStream, kind: u8) -> (u8, Vec<u8>) {
    loop {
        let mut head = [0; FRAME_HEAD];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == kind {
            return (head[4], payload);
        }
    }
}

fn at_most_every(min: Duration) -> Options {
    Options {
        min_ping: Some(min),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_client_that_pings_too_often_is_told_so_and_cut() {
    let (mut stream, _tasks) = connect(at_most_every(Duration::from_secs(3600))).await;
    for _ in 0..3 {
        ping(&mut stream).await;
        assert_eq!(next(&mut stream, PING).await.0, ACK);
    }
    ping(&mut stream).await;
    let (_, payload) = next(&mut stream, GOAWAY).await;
    assert_eq!(payload[4..8], [0, 0, 0, 11], "{payload:?}");
    assert_eq!(&payload[8..], b"too_many_pings");
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_waits_or_is_answered_between_pings_is_kept() {
    let min = Duration::from_millis(20);
    let (mut stream, _tasks) = connect(at_most_every(min)).await;
    for _ in 0..10 {
        ping(&mut stream).await;
        assert_eq!(next(&mut stream, PING).await.0, ACK);
        sleep(2 * min).await;
    }
    let (mut stream, _tasks) = connect(at_most_every(Duration::from_secs(3600))).await;
    for stream_id in 0..10_u8 {
        let mut asks = ASKS;
        asks[8] = 2 * stream_id + 1;
        stream.write_all(&asks).await.unwrap();
        assert_eq!(next(&mut stream, DATA).await.1, b"hi");
        ping(&mut stream).await;
        assert_eq!(next(&mut stream, PING).await.0, ACK);
    }
}

#[tokio::test]
async fn pings_are_not_counted_where_nobody_asks_for_it() {
    let (mut stream, _tasks) = connect(Options::default()).await;
    for _ in 0..10 {
        ping(&mut stream).await;
        assert_eq!(next(&mut stream, PING).await.0, ACK);
    }
}

#[tokio::test]
async fn a_connection_without_calls_is_ended_in_good_order() {
    let max_idle = Duration::from_millis(600);
    let options = Options {
        max_idle: Some(max_idle),
        ..Options::default()
    };
    let (mut stream, _tasks) = connect(options).await;
    stream.write_all(&ASKS).await.unwrap();
    assert_eq!(next(&mut stream, DATA).await.1, b"hi");
    let begun = Instant::now();
    let (_, payload) = next(&mut stream, GOAWAY).await;
    assert_eq!(payload[4..8], [0; 4]);
    let waited = begun.elapsed();
    assert!(
        waited >= max_idle && waited < Duration::from_secs(20),
        "{waited:?}"
    );
}
