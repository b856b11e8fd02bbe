//! Clients that are slow, silent, or say more than is heard.

use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixListener, UnixStream},
    time::{Instant, sleep, timeout},
};
use tower::service_fn;

use super::*;
use crate::client::{Connect, Http2Channel, Target};

/// Time for a head in these tests. What they do within it takes milliseconds.
const HEAD: Duration = Duration::from_secs(1);
/// A silence in which a connection comes to rest, and which no head may have.
const SILENCE: Duration = Duration::from_secs(2);
/// What HEAD may grow to on a busy machine.
const LATE: Duration = Duration::from_secs(20);

const GET: &str = "GET /path HTTP/1.1\r\nhost: h\r\n\r\n";

/// Answers with the path; with 413, and without a look at the body, where there is a body that is announced as large.
async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let length = request.headers().get("content-length");
    if length.is_some_and(|length| length.len() > 5) {
        let mut refused = Response::new(Body::from("too large"));
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    }
    Ok(Response::new(Body::from(request.uri().path().to_owned())))
}

fn options() -> Options {
    Options {
        head_timeout: HEAD,
        ..Options::default()
    }
}

/// Serves until the set is dropped.
fn start(listener: Listener, options: Options) -> TaskSet {
    let tasks = TaskSet::new("test");
    let make = |_| service_fn(answer);
    let of_server = tasks.child("server");
    let serving = serve(
        listener,
        make,
        options,
        Vec::new(),
        of_server,
        StopSignal::default(),
    );
    tasks.spawn("server", serving);
    tasks
}

async fn connect(options: Options) -> (TcpStream, TaskSet) {
    let listener = Listener::tcp(bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let tasks = start(listener, options);
    (TcpStream::connect(address).await.unwrap(), tasks)
}

/// Reads an answer whose body has `length` bytes.
async fn read_answer(stream: &mut (impl AsyncRead + Unpin), length: usize) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    stream.read_exact(&mut bytes[head..]).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    stream.write_all(GET.as_bytes()).await.unwrap();
    assert!(read_answer(stream, 5).await.ends_with("/path"));
}

#[tokio::test]
async fn a_client_may_be_silent_between_requests_and_not_within_a_head() {
    let (mut stream, _tasks) = connect(options()).await;
    for _ in 0..2 {
        ask(&mut stream).await;
        sleep(SILENCE).await;
    }
    let begun = Instant::now();
    stream.write_all(b"GET /path HT").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
    let waited = begun.elapsed();
    assert!(waited >= HEAD && waited < LATE, "{waited:?}");
}

#[tokio::test]
async fn the_first_head_has_as_long() {
    let (mut stream, _tasks) = connect(options()).await;
    stream.write_all(b"G").await.unwrap();
    sleep(HEAD / 2).await;
    stream.write_all(&GET.as_bytes()[1..]).await.unwrap();
    assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
    for first in ["", "PRI * HTTP"] {
        let (mut stream, _tasks) = connect(options()).await;
        stream.write_all(first.as_bytes()).await.unwrap();
        let begun = Instant::now();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert!(begun.elapsed() < LATE, "{first:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn the_beginning_of_a_head_outlives_the_rest_of_a_connection() {
    let (mut stream, _tasks) = connect(options()).await;
    stream.write_all(format!("{GET}GE").as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
    sleep(HEAD).await;
    stream.write_all(&GET.as_bytes()[2..]).await.unwrap();
    assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_become_a_request() {
    let (mut stream, _tasks) = connect(options()).await;
    // The service answers without a look at it: what has come is thrown away, and the connection is good.
    let post = format!(
        "POST /path HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{GET}",
        GET.len()
    );
    stream.write_all(post.as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
    sleep(SILENCE).await;
    ask(&mut stream).await;
    // What has not come yet is not waited for: the connection ends, and the rest is no request.
    let post = "POST /path HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(post.as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
    let _ = stream.write_all(GET.as_bytes()).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn a_client_that_only_writes_gets_its_answer_afterwards() {
    const LARGE: usize = 16 * 1024 * 1024;
    let (mut stream, _tasks) = connect(options()).await;
    let head = format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {LARGE}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; LARGE]).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let all = String::from_utf8(all).unwrap();
    assert!(
        all.starts_with("HTTP/1.1 413 ") && all.ends_with("too large"),
        "{all}"
    );
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_over_a_unix_socket_as_well() {
    let path = std::env::temp_dir().join(format!("outrigger-transport-{}.socket", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let _tasks = start(Listener::Unix(UnixListener::bind(&path).unwrap()), options());
    let mut stream = UnixStream::connect(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    ask(&mut stream).await;
    let large = format!(
        "GET / HTTP/1.1\r\nhost: h\r\nx-large: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    stream.write_all(large.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(
        all.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&all)
    );
}

#[tokio::test]
async fn an_end_of_intake_is_not_waited_for_by_silent_clients() {
    let listener = Listener::tcp(bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let (tasks, intake) = (TaskSet::new("test"), StopSignal::default());
    let make = |_| service_fn(answer);
    let of_server = tasks.child("server");
    let serving = serve(listener, make, options(), Vec::new(), of_server, intake.clone());
    let (mut used, mut rested) = (
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    );
    let clients = async {
        ask(&mut used).await;
        ask(&mut rested).await;
        sleep(SILENCE).await;
        ask(&mut used).await;
        intake.stop();
        for stream in [&mut used, &mut rested] {
            assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        }
    };
    tokio::join!(serving, clients);
}

#[tokio::test]
async fn uploads_that_nobody_reads_hold_up_no_other_on_the_connection() {
    /// More than the windows of a few streams hold.
    const STUCK: usize = 16;
    const LARGE: usize = 2 * 1024 * 1024;
    let listener = Listener::tcp(bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let target = Target::Address(listener.local_address().unwrap());
    let tasks = TaskSet::new("test");
    let service = service_fn(|request: Request<Body>| async {
        if request.uri().path() == "/stuck" {
            // Holds the body and does not look at it.
            let _request = request;
            std::future::pending::<()>().await;
            unreachable!("nothing ends this wait")
        }
        let body = request.into_body().collect(u64::MAX).await.unwrap();
        Ok::<_, Infallible>(Response::new(Body::from(body)))
    });
    let of_server = tasks.child("server");
    let serving = serve(
        listener,
        move |_| service,
        options(),
        Vec::new(),
        of_server,
        StopSignal::default(),
    );
    tasks.spawn("server", serving);
    let channel = Http2Channel::new(Connect::plain(target), tasks.child("client"), 8 * 1024);
    let post = |path: &str, length: usize| {
        let request = Request::post(channel.absolute(path).unwrap());
        request.body(Body::from(vec![b'x'; length])).unwrap()
    };
    for _ in 0..STUCK {
        let (channel, request) = (channel.clone(), post("/stuck", LARGE));
        tasks.spawn("stuck", async move {
            let _ = channel.send(request).await;
        });
    }
    // However many of them have used up what they may, this one gets through.
    for _ in 0..10 {
        let sent = timeout(LATE, channel.send(post("/", 100_000)));
        let answer = sent.await.expect("it is held up").unwrap();
        assert_eq!(answer.into_body().collect(u64::MAX).await.unwrap().len(), 100_000);
    }
}
