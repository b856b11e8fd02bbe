//! What is no request, what is too large for one, and what is an old one.

use outrigger_testing_harness::Folder;
use serde_json::json;

use crate::rig::{
    Answer, App, Plan, Raw, Sidecar, component, get,
    http::{call, request},
    post,
};

/// Bytes that are no request of any protocol here.
fn garbage() -> Vec<Vec<u8>> {
    vec![
        b"\x00".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nnot the preface at all".to_vec(),
        b"PRIVET".to_vec(),
        (0..=255).cycle().take(64 * 1024).collect(),
        vec![b'\n'; 64 * 1024],
    ]
}

/// Bytes of an over-large anything: well above every limit.
const LARGE: usize = 6 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_refused_on_every_port_and_hurts_nobody() {
    let folder = Folder::new("garbage").unwrap();
    let sidecar = Plan::new("app", folder.path()).start().await;
    for port in [sidecar.http, sidecar.grpc, sidecar.internal] {
        for bytes in garbage() {
            let mut client = Raw::connect(port).await;
            // It may be refused before it is said to its end.
            let _ = client.say(&bytes).await;
            // As a sender that has said all it has to say.
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut client.0).await;
            let (answer, ended) = client.rest().await;
            if let Err(error) = ended {
                assert_ne!(
                    error.kind(),
                    std::io::ErrorKind::TimedOut,
                    "port {port} is waiting after {bytes:?}"
                );
            }
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                !answer.starts_with("HTTP/1.1 2"),
                "port {port} took {bytes:?}: {answer}"
            );
        }
        get(&sidecar, "/v1.0/healthz").await.ok();
    }
    let panics = sidecar
        .process
        .lines()
        .into_iter()
        .filter(|line| line.contains("panicked"))
        .count();
    assert_eq!(panics, 0, "{:#?}", sidecar.process.lines());
}

fn stores(folder: &Folder, app: &App) -> Plan {
    let store = component("store", "state.in-memory", &[]);
    let pubsub = component("pubsub", "pubsub.in-memory", &[]);
    Plan::new("app", folder.path())
        .app(app.port, "http")
        .resources(folder, &[store, pubsub])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused_with_its_own_status() {
    let (folder, app) = (Folder::new("heads").unwrap(), App::start("app"));
    let sidecar = stores(&folder, &app).start().await;
    for path in ["/v1.0/healthz", "/v1.0/invoke/app/method/x"] {
        let mut client = Raw::connect(sidecar.http).await;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-large: {}\r\n\r\n",
            "x".repeat(64 * 1024)
        );
        let _ = client.say(head).await;
        let head = client.head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    }
    // What the flag allows is taken.
    let large = stores(&folder, &app)
        .argument("--read-buffer-size=128Ki")
        .start()
        .await;
    let mut client = Raw::connect(large.http).await;
    let head = format!(
        "GET /v1.0/healthz HTTP/1.1\r\nhost: localhost\r\nx-large: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    client.say(head).await.unwrap();
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 204"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_and_says_why() {
    let (folder, app) = (Folder::new("bodies").unwrap(), App::start("app"));
    let sidecar = stores(&folder, &app).start().await;
    let value = "x".repeat(LARGE);
    let state = json!([{"key": "k", "value": value}]).to_string();
    for (path, body) in [
        ("/v1.0/state/store", state),
        ("/v1.0/publish/pubsub/topic", json!(value).to_string()),
        ("/v1.0/invoke/app/method/sink", value.clone()),
    ] {
        let mut client = Raw::connect(sidecar.http).await;
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        client.say(head).await.unwrap();
        // It is refused by its length, and the connection may end, before all of it is said.
        let _ = client.say(body).await;
        let (answer, _) = client.rest().await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
        assert!(answer.contains("too large"), "{path}: {answer}");
    }
    // Without a length told, it is noticed on the way: the app sees a cut, and the client no success.
    let chunk = format!("{LARGE:x}\r\n{value}\r\n0\r\n\r\n");
    for path in ["/v1.0/state/store", "/v1.0/invoke/app/method/sink"] {
        let mut client = Raw::connect(sidecar.http).await;
        client
            .say(format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
            ))
            .await
            .unwrap();
        // The answer may come, and the connection end, before all of it is said.
        let _ = client.say(&chunk).await;
        let (answer, _) = client.rest().await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
    }
    assert!(app.uploads().iter().all(Result::is_err), "{:?}", app.uploads());
    let answer = get(&sidecar, "/v1.0/state/store/k").await;
    assert_eq!(answer.status, 204);
}

/// What is posted, and the status, the code and the reason of the refusal.
const REFUSED: [(&str, &str, u16, &str, &str); 22] = {
    const STATE: &str = "/v1.0/state/store";
    const BULK_GET: &str = "/v1.0/state/store/bulk";
    const TRANSACTION: &str = "/v1.0/state/store/transaction";
    const BULK: &str = "/v1.0/publish/bulk/pubsub/topic";
    const MALFORMED: &str = "ERR_MALFORMED_REQUEST";
    const EVENTS: &str = "ERR_PUBSUB_EVENTS_SER";
    [
        (STATE, "{", 400, MALFORMED, ""),
        (STATE, "[{\"key\":", 400, MALFORMED, ""),
        (STATE, "[{\"value\":1}]", 400, MALFORMED, ""),
        (
            STATE,
            "[{\"key\":\"a||b\",\"value\":1}]",
            400,
            MALFORMED,
            "DAPR_STATE_ILLEGAL_KEY",
        ),
        // Arrays are no objects, also where the values stand in the order of the fields.
        (STATE, "[[\"key\",1]]", 400, MALFORMED, ""),
        (BULK_GET, "[]", 400, MALFORMED, ""),
        (BULK_GET, "{\"keys\":1}", 400, MALFORMED, ""),
        (TRANSACTION, "nothing", 400, MALFORMED, ""),
        (TRANSACTION, "[[[\"upsert\",[\"key\",1]]]]", 400, MALFORMED, ""),
        (
            TRANSACTION,
            "{\"operations\":[{\"operation\":\"rename\",\"request\":{\"key\":\"k\"}}]}",
            400,
            "ERR_NOT_SUPPORTED_STATE_OPERATION",
            "",
        ),
        (BULK, "{}", 400, EVENTS, "DAPR_PUBSUB_UNMARSHAL_EVENTS"),
        (
            BULK,
            "[[\"1\",2,\"text/plain\"]]",
            400,
            EVENTS,
            "DAPR_PUBSUB_UNMARSHAL_EVENTS",
        ),
        (
            BULK,
            "[{\"entryId\":\"1\",\"event\":1,\"contentType\":\"text/plain\"}]",
            400,
            EVENTS,
            "DAPR_PUBSUB_MARSHAL_ENVELOPE",
        ),
        (
            BULK,
            "[{\"entryId\":\"1\",\"event\":\"*\",\"contentType\":\"application/octet-stream\"}]",
            400,
            EVENTS,
            "DAPR_PUBSUB_MARSHAL_ENVELOPE",
        ),
        (
            BULK,
            "[{\"event\":\"x\",\"contentType\":\"text/plain\"}]",
            400,
            EVENTS,
            "DAPR_PUBSUB_MARSHAL_EVENTS",
        ),
        (
            "/v1.0/state/none",
            "[]",
            400,
            "ERR_STATE_STORE_NOT_FOUND",
            "DAPR_STATE_NOT_FOUND",
        ),
        (
            "/v1.0/publish/none/topic",
            "x",
            404,
            "ERR_PUBSUB_NOT_FOUND",
            "DAPR_PUBSUB_NOT_FOUND",
        ),
        (
            "/v1.0/publish/pubsub/topic?metadata.rawPayload=perhaps",
            "x",
            400,
            "ERR_PUBSUB_REQUEST_METADATA",
            "DAPR_PUBSUB_METADATA_DESERIALIZATION",
        ),
        ("/v1.0/invoke/nobody/method/x", "", 500, "ERR_DIRECT_INVOKE", ""),
        (
            "/v1.0/invoke/app/method/a%255Cb",
            "",
            500,
            "ERR_DIRECT_INVOKE",
            "",
        ),
        (
            "/v1.0-alpha1/state/store/query",
            "{}",
            500,
            "ERR_STATE_STORE_NOT_SUPPORTED",
            "DAPR_STATE_QUERYING_NOT_SUPPORTED",
        ),
        ("/v1.0/bindings/none", "{}", 501, "ERR_API_UNIMPLEMENTED", ""),
    ]
};

/// The reason in the details of an error.
fn reason(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let details = body["details"].as_array().cloned().unwrap_or_default();
    let reason = details.iter().find_map(|detail| detail["reason"].as_str());
    reason.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_not_what_they_should_be_are_refused_with_a_code() {
    let (folder, app) = (Folder::new("malformed").unwrap(), App::start("app"));
    let sidecar = stores(&folder, &app).start().await;
    for (path, body, status, code, why) in REFUSED {
        let answer = post(&sidecar, path, body).await;
        let expected = (status, code.to_owned());
        assert_eq!(answer.code(), expected, "{path} {body}: {}", answer.text());
        assert_eq!(reason(&answer), why, "{path} {body}: {}", answer.text());
    }
    for body in ["", "{", "[]", "7", "{\"specversion\":\"1.0\"}x"] {
        let mut asked = request(http::Method::POST, "/v1.0/publish/pubsub/topic", body);
        let content_type = http::HeaderValue::from_static("application/cloudevents+json");
        asked.headers_mut().insert("content-type", content_type);
        let answer = call(&sidecar, asked).await.unwrap();
        let expected = (500, "ERR_PUBSUB_CLOUD_EVENTS_SER".to_owned());
        assert_eq!(answer.code(), expected, "{body}: {}", answer.text());
    }
    let answer = post(&sidecar, "/v1.0/invoke/nobody/method/x", "").await;
    assert!(answer.text().contains("nobody"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etag_that_is_not_the_value_s_own_changes_nothing() {
    let (folder, app) = (Folder::new("etags").unwrap(), App::start("app"));
    let file = folder.file("state.db");
    let memory = component("memory", "state.in-memory", &[]);
    let sqlite = component(
        "sqlite",
        "state.sqlite",
        &[("connectionString", file.to_str().unwrap())],
    );
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let sidecar = plan.resources(&folder, &[memory, sqlite]).start().await;
    for store in ["memory", "sqlite"] {
        let path = format!("/v1.0/state/{store}");
        post(&sidecar, &path, "[{\"key\":\"k\",\"value\":1}]").await.ok();
        let entry = json!({"key": "k", "value": 2, "etag": "not an etag"});
        let saved = post(&sidecar, &path, json!([entry]).to_string()).await;
        assert_eq!(
            saved.code(),
            (409, "ERR_STATE_SAVE".to_owned()),
            "{}",
            saved.text()
        );
        let mut stale = request(http::Method::DELETE, &format!("{path}/k"), "");
        let etag = http::HeaderValue::from_static("not an etag");
        stale.headers_mut().insert("if-match", etag);
        let removed = call(&sidecar, stale).await.unwrap();
        let expected = (409, "ERR_STATE_DELETE".to_owned());
        assert_eq!(removed.code(), expected, "{}", removed.text());
        let operations = json!({"operations": [
            {"operation": "upsert", "request": {"key": "other", "value": 2}},
            {"operation": "upsert", "request": entry},
        ]});
        let done = post(&sidecar, &format!("{path}/transaction"), operations.to_string()).await;
        let expected = (500, "ERR_STATE_TRANSACTION".to_owned());
        assert_eq!(done.code(), expected, "{}", done.text());
        assert_eq!(get(&sidecar, &format!("{path}/k")).await.text(), "1");
        assert_eq!(get(&sidecar, &format!("{path}/other")).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_fields_are_read_in_any_case() {
    let (folder, app) = (Folder::new("names").unwrap(), App::start("app"));
    let sidecar = stores(&folder, &app).start().await;
    let done = post(&sidecar, "/v1.0/state/store", "[{\"KEY\":\"a\",\"Value\":1}]").await;
    assert_eq!(done.status, 204, "{}", done.text());
    let operations = r#"{"Operations":[{"Operation":"upsert","Request":{"Key":"b","VALUE":2}}]}"#;
    let done = post(&sidecar, "/v1.0/state/store/transaction", operations).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let found = post(&sidecar, "/v1.0/state/store/bulk", "{\"Keys\":[\"a\",\"b\"]}").await;
    let found: serde_json::Value = serde_json::from_str(&found.text()).unwrap();
    let data: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["data"])
        .collect();
    assert_eq!(data, [&json!(1), &json!(2)]);
    for (key, value) in [("a", "1"), ("b", "2")] {
        let answer = get(&sidecar, &format!("/v1.0/state/store/{key}")).await;
        assert_eq!(answer.text(), value);
    }
}

/// The answer to what is said over HTTP/1.0, to the end of the connection.
async fn old(sidecar: &Sidecar, text: &str) -> String {
    let mut client = Raw::connect(sidecar.http).await;
    client.say(text).await.unwrap();
    let (answer, ended) = client.rest().await;
    ended.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_1_0_is_answered_and_closed() {
    let (folder, app) = (Folder::new("old").unwrap(), App::start("app"));
    let sidecar = stores(&folder, &app).start().await;
    let answer = old(&sidecar, "GET /v1.0/healthz HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.0 204") || answer.starts_with("HTTP/1.1 204"),
        "{answer}"
    );
    let answer = old(&sidecar, "GET /v1.0/invoke/app/method/hello HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.contains(" 200 ") && answer.ends_with("app /hello"),
        "{answer}"
    );
    // The app answers in chunks, which the old protocol does not know: the end of the connection is the end.
    let text = "POST /v1.0/invoke/app/method/echo HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello";
    let answer = old(&sidecar, text).await;
    assert!(
        answer.ends_with("\r\n\r\nhello") && !answer.contains("chunked"),
        "{answer}"
    );
}
