//! Trailers of requests and answers, byte for byte: through one sidecar and through two, to apps and to services outside.

use std::{convert::Infallible, net::Ipv4Addr};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger_testing_harness::Folder;
use tokio::{io::AsyncReadExt, net::TcpListener, sync::mpsc, task::JoinSet};

use crate::rig::{Plan, Raw, Sidecar};

/// What the app answers: named trailers, one that must not trail, one that it does not name, and headers of the hop.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: X-Down, Set-Cookie\r\nkeep-alive: timeout=5\r\n\
    connection: x-hop\r\nx-hop: 1\r\n\r\n4\r\nbody\r\n0\r\nX-Down: 2\r\nSet-Cookie: a=b\r\nx-unnamed: 3\r\n\r\n";
/// What follows the head of the client's request.
const UPLOAD: &str = "4\r\nbody\r\n0\r\nX-Up: 1\r\nAuthorization: secret\r\nDapr-Caller-App-Id: liar\r\n\r\n";
/// What ends chunks without trailers, and with them.
const END: &str = "\r\n0\r\n";

/// An app that answers [`ANSWER`] and hands over what it was sent.
struct RawApp {
    port: u16,
    requests: mpsc::Receiver<String>,
    _server: JoinSet<()>,
}

impl RawApp {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = mpsc::channel(8);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(Raw(stream), sender.clone()));
            }
        });
        Self {
            port,
            requests,
            _server: server,
        }
    }
}

async fn serve(mut raw: Raw, requests: mpsc::Sender<String>) {
    while let Ok(mut request) = raw.head().await {
        if request.contains(" /dapr/") {
            let _ = raw
                .say("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                .await;
            continue;
        }
        while !(request.contains(END) && request.ends_with("\r\n\r\n")) {
            let Ok(byte) = raw.0.read_u8().await else { return };
            request.push(byte.into());
        }
        if requests.send(request).await.is_err() || raw.say(ANSWER).await.is_err() {
            return;
        }
    }
}

/// An app that speaks HTTP/2, and gives the body and the trailer `x-up` back as the trailer `x-down`.
async fn start_h2c(server: &mut JoinSet<()>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let serving = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(give_back));
            connections.spawn(async move {
                let _ = serving.await;
            });
        }
    });
    port
}

type Frames = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

async fn give_back(request: Request<Incoming>) -> Result<Response<Frames>, hyper::Error> {
    let body = request.into_body().collect().await?;
    let up = body.trailers().cloned().unwrap_or_default();
    let mut down = HeaderMap::new();
    for (name, value) in &up {
        let text = format!("{name}={}", value.to_str().unwrap_or_default());
        down.append(
            HeaderName::from_static("x-down"),
            HeaderValue::try_from(text).unwrap(),
        );
    }
    down.insert("set-cookie", HeaderValue::from_static("a=b"));
    let frames = vec![Ok(Frame::data(body.to_bytes())), Ok(Frame::trailers(down))];
    let mut response = Response::new(StreamBody::new(stream::iter(frames)));
    response
        .headers_mut()
        .insert("trailer", HeaderValue::from_static("x-down, set-cookie"));
    Ok(response)
}

/// Calls `id` through a sidecar and gives the whole answer, head and trailers.
async fn ask(sidecar: &Sidecar, id: &str, takes_trailers: bool) -> String {
    let mut client = Raw::connect(sidecar.http).await;
    let te = if takes_trailers {
        "te: gzip, trailers\r\n"
    } else {
        ""
    };
    let request = format!(
        "POST /v1.0/invoke/{id}/method/x HTTP/1.1\r\nhost: localhost\r\n{te}connection: te, close\r\n\
         trailer: X-Up, Authorization\r\ntransfer-encoding: chunked\r\n\r\n{UPLOAD}"
    );
    client.say(request).await.unwrap();
    let (answer, ended) = client.rest().await;
    ended.unwrap();
    String::from_utf8(answer).unwrap()
}

/// The app's own sidecar, and a neighbour's.
async fn mesh(folder: &Folder, port: u16, protocol: &str) -> [Sidecar; 2] {
    let own = Plan::new("app", folder.path()).app(port, protocol).start().await;
    let neighbour = Plan::new("neighbour", folder.path()).start().await;
    [own, neighbour]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailers_go_to_the_app_and_back() {
    let folder = Folder::new("trailers").unwrap();
    let mut app = RawApp::start().await;
    let outside = format!("http%3A%2F%2F127.0.0.1%3A{}", app.port);
    for sidecar in &mesh(&folder, app.port, "http").await {
        for id in ["app", &outside] {
            let answer = ask(sidecar, id, true).await;
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(
                head.contains("\r\ntrailer: x-down\r\n") || head.ends_with("\r\ntrailer: x-down"),
                "{head}"
            );
            assert!(!head.contains("x-hop") && !head.contains("keep-alive"), "{head}");
            assert!(body.ends_with("\r\n0\r\nx-down: 2\r\n\r\n"), "{body}");

            let request = app.requests.recv().await.unwrap();
            assert!(request.contains("\r\nte: trailers\r\n"), "{request}");
            assert!(request.contains("\r\ntrailer: x-up\r\n"), "{request}");
            // The sidecar's address says nothing to an app, which may serve no other name than its own.
            assert!(
                request.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", app.port)),
                "{request}"
            );
            assert!(request.ends_with("\r\n0\r\nx-up: 1\r\n\r\n"), "{request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_trailers_gets_none() {
    let folder = Folder::new("no-trailers").unwrap();
    let mut app = RawApp::start().await;
    for sidecar in &mesh(&folder, app.port, "http").await {
        let answer = ask(sidecar, "app", false).await;
        assert!(
            answer.ends_with("\r\n0\r\n\r\n") && !answer.contains("trailer:"),
            "{answer}"
        );
        let request = app.requests.recv().await.unwrap();
        assert!(!request.contains("\r\nte: "), "{request}");
        assert!(request.ends_with("\r\n0\r\nx-up: 1\r\n\r\n"), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailers_go_to_an_app_that_speaks_http2() {
    let folder = Folder::new("trailers-h2c").unwrap();
    let mut server = JoinSet::new();
    let port = start_h2c(&mut server).await;
    for sidecar in &mesh(&folder, port, "h2c").await {
        let answer = ask(sidecar, "app", true).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("\r\n0\r\nx-down: x-up=1\r\n\r\n"), "{answer}");
    }
}
