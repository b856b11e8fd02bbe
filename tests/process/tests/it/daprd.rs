//! Sidecars of ours and of Dapr's in one mesh, each a neighbour that the other must take as its own kind.
//!
//! With a `daprd` of Dapr's, which `OUTRIGGER_TEST_DAPRD` names, the neighbours are one of each; without it, both are
//! ours, and the two ways between sidecars are still walked.

mod strict;
mod swaps;

use std::path::PathBuf;

use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use outrigger_testing_harness::{Folder, NamespacePair, eventually};

use crate::rig::{
    App, Kind, PATIENCE, Place, Plan, Raw, Sidecar, call,
    grpc::{EchoApp, call_local, invoke_service, proxy},
    http::{request, try_call},
};

/// The variable that names Dapr's program.
const DAPRD: &str = "OUTRIGGER_TEST_DAPRD";

/// Dapr's program, where the environment names one.
fn theirs() -> Option<Kind> {
    let Some(path) = std::env::var_os(DAPRD).map(PathBuf::from) else {
        println!("{DAPRD} names no daprd: both neighbours are ours");
        return None;
    };
    assert!(path.is_file(), "{DAPRD} is {}, which is no file", path.display());
    Some(Kind::Theirs(path))
}

/// One machine: an HTTP app and a gRPC app, each with a sidecar.
struct Machine {
    http: Sidecar,
    grpc: Sidecar,
    _apps: (App, EchoApp),
    _folder: Folder,
}

impl Machine {
    /// Apps called `<name>-http` and `<name>-grpc`.
    async fn start(name: &str, kind: &Kind, place: &Place) -> Self {
        let folder = Folder::new(name).unwrap();
        let (app, echo) = (App::at(name, place), EchoApp::at(place));
        let plan = |protocol: &str, port| {
            let plan = Plan::new(&format!("{name}-{protocol}"), folder.path())
                .kind(kind)
                .at(place);
            plan.app(port, protocol).argument("--log-level=debug")
        };
        // No registry: in its own namespace a machine is found by multicast, from within as well.
        let http = plan("http", app.port).variable("OUTRIGGER_RUN_DIR", folder.file("run-http"));
        let grpc = plan("grpc", echo.port).variable("OUTRIGGER_RUN_DIR", folder.file("run-grpc"));
        Self {
            http: http.start().await,
            grpc: grpc.ports([3600, 50011, 50012, 9190]).start().await,
            _apps: (app, echo),
            _folder: folder,
        }
    }
}

/// Waits until an app is found and answers a plain `GET`.
async fn until_reached(from: &Sidecar, id: &str, name: &str) {
    eventually(PATIENCE, || async {
        let asked = request(Method::GET, &format!("/v1.0/invoke/{id}/method/hello"), "");
        match try_call(&from.place, from.http, asked, PATIENCE).await {
            Ok(answer) if answer.body == format!("{name} /hello") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Everything that one sidecar can ask of another machine's apps.
async fn calls_all(from: &Sidecar, name: &str) {
    let http_id = format!("{name}-http");
    until_reached(from, &http_id, name).await;
    let path = format!("/v1.0/invoke/{http_id}/method");

    let answer = call(from, request(Method::GET, &format!("{path}/a%20b?x=1&y=%2F"), ""))
        .await
        .unwrap()
        .ok();
    assert_eq!(answer.text(), format!("{name} /a%20b?x=1&y=%2F"));
    // Larger than a message between sidecars, so that it goes in several.
    let large = Bytes::from(vec![b'x'; 300 * 1024]);
    let answer = call(
        from,
        request(Method::POST, &format!("{path}/echo"), large.clone()),
    )
    .await
    .unwrap()
    .ok();
    assert_eq!(answer.body, large);
    let answer = call(from, request(Method::POST, &format!("{path}/nothing"), ""))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (404, "no such route"));

    let said = invoke_service(from, &http_id, "echo", "over gRPC").await.unwrap();
    assert_eq!(said, "over gRPC");

    let grpc_id = format!("{name}-grpc");
    eventually(PATIENCE, || async {
        proxy(from, &grpc_id, &[1, 2, 3])
            .await
            .map(|echoed| assert_eq!(echoed, [1, 2, 3]))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_of_either_kind_invoke_each_other() {
    let kind = theirs().unwrap_or(Kind::Ours);
    let pair = NamespacePair::new().unwrap();
    let (left, right) = (Place::of(&pair.left), Place::of(&pair.right));
    let ours = Machine::start("left", &Kind::Ours, &left).await;
    let theirs = Machine::start("right", &kind, &right).await;
    calls_all(&ours.http, "right").await;
    calls_all(&theirs.http, "left").await;
    // From behind a gRPC app as well.
    assert_eq!(
        invoke_service(&ours.grpc, "right-http", "echo", "x")
            .await
            .unwrap(),
        "x"
    );
    assert_eq!(proxy(&theirs.grpc, "left-grpc", &[4, 5]).await.unwrap(), [4, 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_internal_port_takes_both_kinds() {
    let folder = Folder::new("both").unwrap();
    let app = App::start("callee");
    let callee = Plan::new("callee", folder.path())
        .app(app.port, "http")
        .start()
        .await;

    // Ours ask what they are talking to, and go on over the same connection.
    let mut ours = Raw::connect(callee.internal).await;
    ours.say("OPTIONS * HTTP/1.1\r\nhost: peer\r\noutrigger-peer: 1\r\n\r\n")
        .await
        .unwrap();
    let head = ours.head().await.unwrap();
    assert!(
        head.starts_with("HTTP/1.1 204") && head.contains("\r\noutrigger-peer: 1\r\n"),
        "{head}"
    );
    ours.say("GET /hello HTTP/1.1\r\nhost: peer\r\ndapr-callee-app-id: callee\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let (answer, ended) = ours.rest().await;
    ended.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("callee /hello"),
        "{answer}"
    );
    // What is meant for another app, whose port this once was, is refused.
    let mut lost = Raw::connect(callee.internal).await;
    lost.say("GET /hello HTTP/1.1\r\nhost: peer\r\ndapr-callee-app-id: other\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let head = lost.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 421"), "{head}");

    // Dapr's begin with HTTP/2 at once.
    assert_eq!(call_local(callee.internal, "echo").await.unwrap(), "by message");

    // And a caller of ours takes the first way.
    let caller = Plan::new("caller", folder.path()).start().await;
    let body = Full::new(Bytes::from_static(b"passed through"));
    let asked = request(Method::POST, "/v1.0/invoke/callee/method/echo", "").map(|_| body);
    assert_eq!(call(&caller, asked).await.unwrap().ok().text(), "passed through");
}
