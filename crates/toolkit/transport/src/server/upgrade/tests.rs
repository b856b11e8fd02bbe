//! Clients that upgrade, byte by byte.

use std::{convert::Infallible, net::SocketAddr};

use http::Request;
use outrigger_base_task::{StopSignal, TaskSet};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::service_fn;

use super::*;
use crate::server::{self, Listener, Options};

/// A server that answers with method, path, version and the header `x-own`.
fn start(tasks: &TaskSet, http2: bool) -> SocketAddr {
    let listener = Listener::tcp(server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let service = service_fn(|request: Request<Body>| async move {
        let own = request
            .headers()
            .get("x-own")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let text = format!(
            "{} {} {:?} {own}",
            request.method(),
            request.uri().path(),
            request.version()
        );
        Ok::<_, Infallible>(Response::new(Body::from(text)))
    });
    let options = Options {
        http2,
        ..Options::default()
    };
    let serving = server::serve(
        listener,
        move |_| service,
        options,
        Vec::new(),
        tasks.child("server"),
        StopSignal::default(),
    );
    tasks.spawn("server", serving);
    address
}

const ASKS: &str = "GET /a?x=1 HTTP/1.1\r\nhost: h\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n\
    http2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\nx-own: mine\r\n\r\n";

async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads a frame: type, flags, stream, payload.
async fn next(stream: &mut TcpStream) -> (u8, u8, u32, Vec<u8>) {
    let mut head = [0u8; FRAME_HEAD];
    stream.read_exact(&mut head).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.unwrap();
    (
        head[3],
        head[4],
        u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
        payload,
    )
}

/// Reads until the data of a stream has ended.
async fn data_of(stream: &mut TcpStream, id: u32) -> String {
    let mut text = Vec::new();
    loop {
        let (kind, flags, of, payload) = next(stream).await;
        if of != id || kind != 0 {
            continue;
        }
        text.extend(payload);
        if flags & 1 == 1 {
            return String::from_utf8(text).unwrap();
        }
    }
}

#[tokio::test]
async fn the_request_that_asked_is_answered_on_stream_one_and_others_follow() {
    let tasks = TaskSet::new("test");
    let mut stream = TcpStream::connect(start(&tasks, true)).await.unwrap();
    stream.write_all(ASKS.as_bytes()).await.unwrap();
    let answer = head(&mut stream).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    assert!(answer.contains("\r\nconnection: upgrade\r\n"), "{answer}");
    assert!(answer.contains("\r\nupgrade: h2c\r\n"), "{answer}");
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    // Settings with one entry, in pieces: the frame is put in behind them wherever reads end.
    stream.write_all(&[0, 0, 6, 4, 0, 0]).await.unwrap();
    stream.flush().await.unwrap();
    stream.write_all(&[0, 0, 0, 0, 3, 0, 0]).await.unwrap();
    stream.write_all(&[0, 100]).await.unwrap();
    assert_eq!(data_of(&mut stream, 1).await, "GET /a HTTP/2.0 mine");
    let second = Request::put("/second").header("host", "h").body(()).unwrap();
    let mut second = frame(&second).unwrap().to_vec();
    second[8] = 3;
    stream.write_all(&second).await.unwrap();
    assert_eq!(data_of(&mut stream, 3).await, "PUT /second HTTP/2.0 ");
}

#[tokio::test]
async fn where_http2_is_off_or_not_wholly_asked_for_the_request_is_answered_as_it_is() {
    let tasks = TaskSet::new("test");
    let without_settings = ASKS.replace("http2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", "");
    for (http2, asks) in [(false, ASKS), (true, without_settings.as_str())] {
        let mut stream = TcpStream::connect(start(&tasks, http2)).await.unwrap();
        stream.write_all(asks.as_bytes()).await.unwrap();
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn lengths_are_written_in_as_many_bytes_as_they_take() {
    for (length, bytes) in [
        (5, vec![5]),
        (126, vec![126]),
        (127, vec![127, 0]),
        (1337 + 96, vec![127, 154, 10]),
    ] {
        let mut block = BytesMut::new();
        put_length(&mut block, length);
        assert_eq!(&block[..], bytes, "{length}");
    }
}

#[test]
fn what_does_not_fit_into_a_frame_is_no_upgrade() {
    let request = Request::get("/")
        .header("x", "y".repeat(MAX_PAYLOAD))
        .body(())
        .unwrap();
    assert!(frame(&request).is_none());
}
