//! Clients that are slow, silent, or say more than is heard.

use http::{Method, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixListener, UnixStream},
    sync::Notify,
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
fn start<S>(listener: Listener, service: S, options: Options) -> TaskSet
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let tasks = TaskSet::new("test");
    let make = move |_| service.clone();
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
    connect_to(service_fn(answer), options).await
}

async fn connect_to<S>(service: S, options: Options) -> (TcpStream, TaskSet)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let listener = Listener::tcp(bind("127.0.0.1:0".parse().unwrap(), false).unwrap()).unwrap();
    let address = listener.local_address().unwrap();
    let tasks = start(listener, service, options);
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
    is_cut_within_a_head(&mut stream).await;
}

#[tokio::test]
async fn an_empty_line_is_no_head() {
    let (mut stream, _tasks) = connect(options()).await;
    // At once and at rest.
    for pause in [Duration::ZERO, SILENCE] {
        ask(&mut stream).await;
        sleep(pause).await;
        stream.write_all(b"\r\n").await.unwrap();
        sleep(SILENCE).await;
        ask(&mut stream).await;
    }
    // In one segment with a request.
    stream.write_all(format!("{GET}\r\n").as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
    sleep(SILENCE).await;
    ask(&mut stream).await;
    stream.write_all(b"\r\n").await.unwrap();
    is_cut_within_a_head(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_comes_late_and_that_nobody_reads_is_no_head() {
    let (begun, has_come) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let notes = (begun.clone(), has_come.clone());
    let service = service_fn(move |request: Request<Body>| {
        let (begun, has_come) = notes.clone();
        async move {
            if request.method() == Method::POST {
                begun.notify_one();
                has_come.notified().await;
            }
            answer(request).await
        }
    });
    let (mut stream, _tasks) = connect_to(service, options()).await;
    // Each part is a segment. hyper reads the first ahead, and the second when it finds that nobody wants it.
    stream.set_nodelay(true).unwrap();
    for (header, parts, is_last) in [
        ("content-length: 4", &["bo", "dy"][..], false),
        (
            "transfer-encoding: chunked",
            &["4\r\nbody\r\n", "0\r\n\r\n"],
            false,
        ),
        ("content-length: 4", &["body"], false),
        ("content-length: 4", &["body"], true),
    ] {
        ask(&mut stream).await;
        let head = format!("POST /path HTTP/1.1\r\nhost: h\r\n{header}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        begun.notified().await;
        for part in parts {
            stream.write_all(part.as_bytes()).await.unwrap();
            // The runtime has to hear of it: hyper looks once for what nobody reads.
            sleep(HEAD / 20).await;
        }
        has_come.notify_one();
        assert!(read_answer(&mut stream, 5).await.ends_with("/path"));
        sleep(if is_last { Duration::ZERO } else { SILENCE }).await;
    }
    is_cut_within_a_head(&mut stream).await;
}

#[tokio::test]
async fn a_slow_reader_gets_its_answer_whatever_it_has_sent_meanwhile() {
    /// More than the kernel takes on both sides.
    const LARGE: usize = 32 * 1024 * 1024;
    let service = service_fn(async |_: Request<Body>| Ok(Response::new(Body::from(vec![b'x'; LARGE]))));
    let (mut stream, _tasks) = connect_to(service, options()).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    stream.readable().await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    sleep(SILENCE).await;
    for _ in 0..2 {
        assert!(read_answer(&mut stream, LARGE).await.ends_with('x'));
    }
}

/// Sends the beginning of a head, which is waited for as long as it has to be and no longer.
async fn is_cut_within_a_head(stream: &mut TcpStream) {
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
    let _tasks = start(
        Listener::Unix(UnixListener::bind(&path).unwrap()),
        service_fn(answer),
        options(),
    );
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
