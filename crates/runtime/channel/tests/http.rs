//! The HTTP form of the app channel against a small app.

use http::Request;
use outrigger_base_task::TaskSet;
use outrigger_runtime_channel::{AppChannel, HttpChannel, Protocol, Settings};
use outrigger_transport::Body;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// An app that answers one request with the line that it began with.
async fn answer_with_request_line(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0, "the head was cut");
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{line}",
        line.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn an_encoding_in_the_name_of_a_method_is_one_in_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings {
        address: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        protocol: Protocol::Http,
        token: None,
        app_id: "a".to_owned(),
        max_head: 16 * 1024,
        max_body: 1024 * 1024,
    };
    let tasks = TaskSet::new("test");
    tasks.spawn("app", answer_with_request_line(listener));
    let channel = HttpChannel::new(&settings, tasks.child("channel")).unwrap();
    // The method `a%20b c%2Fd`: the separator stays hidden from the app as it was from policies.
    let request = Request::get("/a%2520b%20c%252Fd?x=%2520");
    let response = channel
        .invoke(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let line = response.into_body().collect(100).await.unwrap();
    assert_eq!(line, "GET /a%20b%20c%252Fd?x=%2520 HTTP/1.1");
}
