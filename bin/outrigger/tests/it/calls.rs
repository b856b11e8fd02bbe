//! `invoke` and `publish` against a running app.

use std::net::TcpListener;

use crate::support::{Run, User};

/// Answers a request with its verb, path, content type and body; `/missing` with 404.
const ECHO: &str = r#"
import http.server, os, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def answer(self):
        if self.path == "/dapr/subscribe":
            return self.send(200, b'[{"pubsubname": "pubsub", "topic": "orders", "route": "/orders"},'
                             b' {"pubsubname": "pubsub", "topic": "a/b #1?", "route": "/orders"}]')
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/orders":
            print("event", self.headers.get("content-type"), body.decode(), flush=True)
            return self.send(200, b"")
        if self.path == "/missing":
            return self.send(404, b"no such thing")
        text = f"{self.command} {self.path} {self.headers.get('content-type')} ".encode() + body
        self.send(200, text)
    def send(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = do_PUT = answer
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Echo).serve_forever()
"#;

fn echo(user: &User, app_id: &str) -> Run {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    user.file("echo.py", ECHO);
    let mut run = user.start(&[
        "run",
        "--app-id",
        app_id,
        "--app-port",
        &port,
        "--",
        "python3",
        "echo.py",
    ]);
    run.line("You're up and running!");
    run.line("dapr initialized");
    run
}

#[test]
fn methods_are_invoked() {
    let user = User::new();
    let _run = echo(&user, "echo-calls");
    let done = user.done(&["invoke", "-a", "echo-calls", "-m", "a/b?c=d", "-d", "{\"x\": 1}"]);
    assert_eq!(
        done.out, "POST /a/b?c=d application/json {\"x\": 1}\n✅  App invoked successfully\n",
        "{done:?}"
    );
    let data = user.file("data.json", "from a file");
    let done = user.done(&[
        "invoke",
        "--app-id",
        "echo-calls",
        "--method",
        "/put",
        "--verb",
        "PUT",
        "--data-file",
        data.to_str().unwrap(),
    ]);
    assert_eq!(
        done.out, "PUT /put application/json from a file\n✅  App invoked successfully\n",
        "{done:?}"
    );
    let done = user.done(&["invoke", "-a", "echo-calls", "-m", "missing", "-v", "GET"]);
    assert_eq!(
        (done.code, done.err.as_str()),
        (
            Some(1),
            "❌  error invoking app echo-calls: 404 Not Found\nno such thing\n"
        )
    );
    let done = user.done(&[
        "invoke",
        "-a",
        "echo-calls",
        "-m",
        "x",
        "-d",
        "1",
        "-f",
        "data.json",
    ]);
    assert_eq!(
        done.err,
        "❌  Only one of --data and --data-file allowed in the same invoke command\n"
    );
}

#[test]
fn events_are_published() {
    let user = User::new();
    let mut run = echo(&user, "echo-events");
    let done = user.done(&[
        "publish",
        "--publish-app-id",
        "echo-events",
        "--pubsub",
        "pubsub",
        "--topic",
        "orders",
        "--data",
        "{\"id\": 7}",
    ]);
    assert_eq!(
        (done.code, done.out.as_str()),
        (Some(0), "✅  Event published successfully\n"),
        "{done:?}"
    );
    let line = run.line("== APP == event ");
    assert!(
        line.contains("application/cloudevents+json") && line.contains("\"data\":{\"id\":7}")
            || line.contains("\"id\": 7"),
        "{line}"
    );
    let done = user.done(&[
        "publish",
        "-i",
        "echo-events",
        "-p",
        "pubsub",
        "-t",
        "a/b #1?",
        "-d",
        "1",
    ]);
    assert_eq!(done.code, Some(0), "{done:?}");
    run.line("\"topic\":\"a/b #1?\"");
    let raw = user.done(&[
        "publish",
        "-i",
        "echo-events",
        "-p",
        "pubsub",
        "-t",
        "orders",
        "-d",
        "{\"raw\": true}",
        "-m",
        "{\"rawPayload\": \"true\"}",
    ]);
    assert_eq!(raw.code, Some(0), "{raw:?}");
    let done = user.done(&[
        "publish",
        "-i",
        "echo-events",
        "-p",
        "nowhere",
        "-t",
        "orders",
        "-d",
        "1",
    ]);
    assert_eq!(done.code, Some(1));
    assert!(
        done.err.starts_with("❌  Error publishing topic orders: 4") && done.err.contains("ERR_PUBSUB_NOT"),
        "{done:?}"
    );
    let done = user.done(&[
        "publish",
        "-i",
        "echo-events",
        "-p",
        "pubsub",
        "-t",
        "orders",
        "-m",
        "[1]",
    ]);
    assert!(
        done.err
            .starts_with("❌  Error parsing metadata as JSON. Error: "),
        "{done:?}"
    );
}

#[test]
fn sockets_work_as_ports_do() {
    let user = User::new();
    let sockets = user.home().join("s");
    std::fs::create_dir(&sockets).unwrap();
    let folder = sockets.to_str().unwrap();
    let mut run = user.start(&["run", "--app-id", "on-sockets", "--unix-domain-socket", folder]);
    run.line("You're up and running!");
    assert!(run.saw("HTTP Socket: "), "{:#?}", run.seen);
    let socket = sockets.join("dapr-on-sockets-http.socket");
    assert!(socket.exists());
    let done = user.done(&[
        "publish",
        "-u",
        folder,
        "-i",
        "on-sockets",
        "-p",
        "pubsub",
        "-t",
        "x",
        "-d",
        "1",
    ]);
    assert_eq!(done.out, "✅  Event published successfully\n", "{done:?}");
    let list = user.done(&["list", "-o", "json"]).out;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    let row = rows.iter().find(|row| row["appId"] == "on-sockets").unwrap();
    assert_eq!(row["cliPid"], run.child.id(), "{row}");
    run.signal("-TERM");
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(!socket.exists());
}

#[test]
fn the_api_token_is_shown() {
    let user = User::new();
    let mut run = Run::start(
        user.command(&["run", "--app-id", "with-token"])
            .env("DAPR_API_TOKEN", "secret-token"),
    );
    run.line("You're up and running!");
    assert!(!run.saw("Could not update sidecar metadata"), "{:#?}", run.seen);
    let publish = [
        "publish",
        "-i",
        "with-token",
        "-p",
        "pubsub",
        "-t",
        "x",
        "-d",
        "1",
    ];
    let refused = user.done(&publish);
    assert!(
        refused.code == Some(1) && refused.err.contains("401"),
        "{refused:?}"
    );
    let done = user
        .command(&publish)
        .env("DAPR_API_TOKEN", "secret-token")
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(!run.saw("secret-token"));
}
