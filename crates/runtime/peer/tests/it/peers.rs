//! Which peer is called, and what is remembered of it.

use http::Request;
use outrigger_base_std::chain;
use outrigger_base_task::TaskSet;
use outrigger_runtime_peer::Peers;
use outrigger_transport::Body;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::rig::{APP, Directory, cut_after, ours, request};

async fn called(peers: &Peers) -> bool {
    peers.invoke(APP, request(Body::from("a"))).await.is_ok()
}

#[tokio::test]
async fn a_port_that_another_app_has_taken_over_is_found_before_anything_is_sent() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let peers = directory.peers(&tasks);
    let (address, other) = ours("other", &tasks);
    directory.set([address]);
    let mut error = peers.invoke(APP, request(Body::from("a"))).await.unwrap_err();
    assert!(
        chain(&error).contains("belongs to another app"),
        "{}",
        chain(&error)
    );
    let unsent = error.take_request().unwrap();
    assert_eq!((other.calls(), directory.addresses().len()), (0, 0));
    // The same request, whole, reaches the app where it is now.
    let (address, echo) = ours("app", &tasks);
    directory.set([address]);
    let answer = peers.invoke(APP, unsent).await.unwrap();
    assert_eq!(answer.into_body().collect(10).await.unwrap(), "a");
    assert_eq!(echo.calls(), 1);
}

#[tokio::test]
async fn a_call_that_is_passed_through_does_not_reach_another_app() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let (address, other) = ours("other", &tasks);
    directory.set([address]);
    let answer = directory
        .peers(&tasks)
        .proxy(APP, request(Body::from("a")))
        .await
        .unwrap();
    // UNAVAILABLE
    assert_eq!(answer.headers()["grpc-status"], "14");
    assert!(!answer.headers().contains_key("outrigger-peer-error"));
    // The address is forgotten, so the next call finds the app where it is now.
    assert_eq!((other.calls(), directory.addresses().len()), (0, 0));
}

#[tokio::test]
async fn a_port_that_another_app_has_taken_over_is_left_out_of_calls_that_are_passed_through() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let peers = directory.peers(&tasks);
    let (gone, other) = ours("other", &tasks);
    let (address, _) = ours("app", &tasks);
    let mut failures = 0;
    for _ in 0..60 {
        // The resolver learns the old address again and again.
        directory.set([gone, address]);
        let answer = peers.proxy(APP, request(Body::empty())).await.unwrap();
        failures += usize::from(answer.headers().contains_key("grpc-status"));
    }
    // Three in a row eject it for a second; the odd probe may follow on a slow machine.
    assert!((1..10).contains(&failures), "{failures} of 60");
    assert_eq!(other.calls(), 0);
}

#[tokio::test]
async fn of_what_a_passed_through_call_says_of_its_caller_the_last_holds() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    directory.set([ours("app", &tasks).0]);
    // As an older sidecar of Dapr's sends it: the app's own metadata, then the sidecar's.
    let call = Request::post("/a.B/C")
        .header("dapr-callee-app-id", "app.default")
        .header("dapr-caller-app-id", "feigned")
        .header("dapr-caller-namespace", "feigned")
        .header("dapr-caller-app-id", "caller")
        .header("dapr-caller-namespace", "theirs")
        .header("dapr-callee-app-id", "app");
    let call = call.body(Body::empty()).unwrap();
    let answer = directory.peers(&tasks).proxy(APP, call).await.unwrap();
    let told = |name| Vec::from_iter(answer.headers().get_all(name));
    assert_eq!(told("dapr-callee-app-id"), ["app"]);
    assert_eq!(told("dapr-caller-app-id"), ["caller"]);
    assert_eq!(told("dapr-caller-namespace"), ["theirs"]);
}

#[tokio::test]
async fn a_call_that_is_passed_through_brings_long_details_back() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    directory.set([ours("app", &tasks).0]);
    let answer = directory.peers(&tasks).proxy(APP, request(Body::empty())).await;
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["x-details"].len(), 100 * 1024);
    // The app claimed to be none of the callee's; only its sidecar could say that.
    assert!(!answer.headers().contains_key("outrigger-peer-error"));
    assert_eq!(directory.addresses().len(), 1);
}

#[tokio::test]
async fn callers_that_cut_their_uploads_eject_nobody() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let peers = directory.peers(&tasks);
    let (address, echo) = ours("app", &tasks);
    directory.set([address]);
    for _ in 0..5 {
        let cut = cut_after("a", std::future::ready(()));
        let error = peers.invoke(APP, request(cut)).await.unwrap_err();
        assert!(
            chain(&error).contains("the client went away"),
            "{}",
            chain(&error)
        );
    }
    let before = echo.calls();
    let (another, _) = ours("app", &tasks);
    directory.set([address, another]);
    for _ in 0..40 {
        assert!(called(&peers).await);
    }
    // Each is chosen as often as the other, more or less.
    assert!(echo.calls() > before + 5, "{} of 40", echo.calls() - before);
}

#[tokio::test]
async fn only_a_call_that_changes_nothing_goes_out_again_when_its_answer_is_lost() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let peers = directory.peers(&tasks);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    directory.set([listener.local_addr().unwrap()]);
    tasks.spawn("mute", mute(listener));
    for (method, body, expected) in [
        ("GET", "", true),
        ("GET", "a", false),
        ("POST", "", false),
        ("DELETE", "", false),
    ] {
        let mut asked = request(Body::from(body));
        *asked.method_mut() = method.parse().unwrap();
        let mut error = peers.invoke(APP, asked).await.unwrap_err();
        let again = error.take_request();
        assert_eq!(again.is_some(), expected, "{method} {body}: {}", chain(&error));
        if let Some(again) = again {
            assert_eq!((again.method().as_str(), again.uri().path()), (method, "/method"));
            assert_eq!(again.headers()["dapr-callee-app-id"], "app");
        }
    }
    // It can be reached, as far as dialling goes.
    assert_eq!(directory.addresses().len(), 1);
}

/// A sidecar of ours that dies with each call.
async fn mute(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut said = [0; 4096];
        let _ = stream.read(&mut said).await;
        let answer = "HTTP/1.1 204 No Content\r\noutrigger-peer: 1\r\n\r\n";
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.read(&mut said).await;
    }
}

/// A peer that takes every connection and ends it when it is spoken to.
async fn broken(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut said = [0; 4096];
        // Whatever comes of it, that was all.
        let _ = stream.read(&mut said).await;
    }
}

#[tokio::test]
async fn a_peer_that_breaks_every_exchange_is_left_out() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let peers = directory.peers(&tasks);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, _) = ours("app", &tasks);
    directory.set([listener.local_addr().unwrap(), address]);
    tasks.spawn("broken", broken(listener));
    let mut failures = 0;
    for _ in 0..60 {
        failures += usize::from(!called(&peers).await);
    }
    // Three in a row eject it for a second; the odd probe may follow on a slow machine.
    assert!((1..10).contains(&failures), "{failures} of 60");
}

#[tokio::test]
async fn a_request_for_an_app_that_nobody_knows_can_go_out_again() {
    let (tasks, directory) = (TaskSet::new("test"), Directory::default());
    let peers = directory.peers(&tasks);
    let mut error = peers.invoke(APP, request(Body::from("a"))).await.unwrap_err();
    assert!(
        chain(&error).starts_with("failed to resolve address for 'app'"),
        "{}",
        chain(&error)
    );
    let unsent = error.take_request().unwrap();
    let (address, _) = ours("app", &tasks);
    directory.set([address]);
    let answer = peers.invoke(APP, unsent).await.unwrap();
    assert_eq!(answer.into_body().collect(10).await.unwrap(), "a");
}
