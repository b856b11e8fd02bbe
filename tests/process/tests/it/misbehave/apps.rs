//! Apps that end in the middle of an answer, answer what is none, hang, or die.

use outrigger_testing_harness::{Folder, eventually};

use crate::rig::{
    App, PATIENCE, Plan, Raw, Sidecar, get,
    grpc::{call_local, call_local_stream},
    raw::{End, RawApp},
    sidecar::lasting_port,
};

/// Half of an answer whose length is told.
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nhalf-";
/// A chunk of an answer whose end is still to come.
const CHUNK: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf-\r\n";

/// An app's own sidecar, and a neighbour's.
async fn mesh(folder: &Folder, port: u16) -> [Sidecar; 2] {
    let own = Plan::new("app", folder.path()).app(port, "http").start().await;
    let neighbour = Plan::new("neighbour", folder.path()).start().await;
    [own, neighbour]
}

/// A call of the app's.
const CALL: &str = "GET /v1.0/invoke/app/method/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// What a client receives from a sidecar, and whether the connection ended in good order.
async fn receive(sidecar: &Sidecar) -> (String, bool) {
    let mut client = Raw::connect(sidecar.http).await;
    client.say(CALL).await.unwrap();
    let (bytes, ended) = client.rest().await;
    if let Err(error) = &ended {
        assert_ne!(
            error.kind(),
            std::io::ErrorKind::TimedOut,
            "the client waits for ever"
        );
    }
    (String::from_utf8_lossy(&bytes).into_owned(), ended.is_ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_is_cut_for_the_client() {
    for (answer, end) in [
        (HALF, End::Reset),
        (HALF, End::Close),
        (CHUNK, End::Reset),
        (CHUNK, End::Close),
    ] {
        let folder = Folder::new("cut").unwrap();
        let app = RawApp::start(answer, end).await;
        for sidecar in &mesh(&folder, app.port).await {
            let (text, _) = receive(sidecar).await;
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            if head.starts_with("HTTP/1.1 200") {
                // The length that was promised does not come, or the last chunk does not.
                let is_cut = if head.contains("transfer-encoding: chunked") {
                    !body.ends_with("0\r\n\r\n")
                } else {
                    head.contains("content-length: 10") && body.len() < 10
                };
                assert!(is_cut, "{end:?} after {answer:?} became whole: {text}");
            } else {
                assert!(head.starts_with("HTTP/1.1 500"), "{text}");
            }
            get(sidecar, "/v1.0/healthz").await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_is_no_answer_for_a_sidecar_of_daprs() {
    for (answer, end) in [(HALF, End::Reset), (CHUNK, End::Close)] {
        let folder = Folder::new("peer").unwrap();
        let app = RawApp::start(answer, end).await;
        let own = Plan::new("app", folder.path())
            .app(app.port, "http")
            .start()
            .await;
        let whole = call_local(own.internal, "x").await;
        assert!(whole.is_err(), "{end:?} after {answer:?} became whole: {whole:?}");
        let whole = call_local_stream(own.internal, "x").await;
        assert!(whole.is_err(), "{end:?} after {answer:?} became whole: {whole:?}");
        get(&own, "/v1.0/healthz").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_hangs_is_let_go_with_its_caller() {
    // Before it says anything, and in the middle of what it says.
    for answer in [b"", HALF] {
        let folder = Folder::new("hang").unwrap();
        let app = RawApp::start(answer, End::Hang).await;
        for (number, sidecar) in mesh(&folder, app.port).await.iter().enumerate() {
            let mut client = Raw::connect(sidecar.http).await;
            client.say(CALL).await.unwrap();
            eventually(PATIENCE, || async { app.calls.borrow().asked == number + 1 }).await;
            // Others are served meanwhile.
            get(sidecar, "/v1.0/healthz").await.ok();
            assert_eq!(app.calls.borrow().given_up, number);
            client.reset();
            eventually(PATIENCE, || async {
                let calls = *app.calls.borrow();
                let said = answer.len();
                (calls.given_up == number + 1)
                    .then_some(())
                    .ok_or((said, number, calls))
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_dies_is_an_error_until_it_is_back() {
    let (folder, port) = (Folder::new("dies").unwrap(), lasting_port());
    let app = App::on_port("app", port);
    let mesh = mesh(&folder, port).await;
    let path = "/v1.0/invoke/app/method/hello";
    for sidecar in &mesh {
        get(sidecar, path).await.ok();
    }
    drop(app);
    for sidecar in &mesh {
        // The first call may still meet a connection that is about to end.
        eventually(PATIENCE, || async {
            let answer = get(sidecar, path).await;
            let is_told = answer.code() == (500, "ERR_DIRECT_INVOKE".to_owned());
            if is_told && answer.text().contains("error invoking app") {
                Ok(())
            } else {
                Err(answer.text())
            }
        })
        .await;
        get(sidecar, "/v1.0/healthz").await.ok();
    }
    let _app = App::on_port("app", port);
    for sidecar in &mesh {
        assert_eq!(get(sidecar, path).await.ok().text(), "app /hello");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_answers_nothing_or_nonsense_is_an_error_that_says_so() {
    let answers: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 ",
        b"\x16\x03\x01\x00\xff garbage \x00\xff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
    ];
    for answer in answers {
        let folder = Folder::new("nonsense").unwrap();
        let app = RawApp::start(answer, End::Close).await;
        for sidecar in &mesh(&folder, app.port).await {
            let answer = get(sidecar, "/v1.0/invoke/app/method/x").await;
            assert_eq!(
                answer.code(),
                (500, "ERR_DIRECT_INVOKE".to_owned()),
                "{}",
                answer.text()
            );
            assert!(answer.text().contains("error invoking app"), "{}", answer.text());
        }
    }
}
