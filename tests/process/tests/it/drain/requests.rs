//! Requests in flight when the sidecar is told to end.

use std::{io, time::Duration};

use http::Method;
use outrigger_testing_harness::{Folder, Signal, eventually};
use tokio::{task::JoinSet, time::Instant};

use crate::rig::{
    Answer, App, PATIENCE, Plan, Sidecar, call, get,
    http::{request, try_call},
    post,
};

/// A call that waits at the app's gate, once it is there.
pub(super) async fn held(sidecar: &Sidecar, id: &str, app: &App) -> JoinSet<io::Result<Answer>> {
    let (place, port) = (sidecar.place.clone(), sidecar.http);
    let asked = request(Method::GET, &format!("/v1.0/invoke/{id}/method/held"), "");
    let mut task = JoinSet::new();
    task.spawn(async move { try_call(&place, port, asked, PATIENCE).await });
    eventually(PATIENCE, || async { app.held() == 1 }).await;
    task
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_is_finished_and_new_ones_are_not_taken() {
    let (folder, app) = (Folder::new("flight").unwrap(), App::start("app"));
    let mut own = Plan::new("app", folder.path())
        .app(app.port, "http")
        .start()
        .await;
    let mut neighbour = Plan::new("neighbour", folder.path()).start().await;
    // Through two sidecars, of which the callee's is told to end.
    let mut slow = held(&neighbour, "app", &app).await;
    own.process.signal(Signal::Terminate).unwrap();
    own.process
        .wait_for_line("beginning shutdown", PATIENCE)
        .await
        .unwrap();
    let asked = || request(Method::GET, "/v1.0/metadata", "");
    eventually(PATIENCE, || async {
        try_call(&own.place, own.http, asked(), PATIENCE).await.is_err()
    })
    .await;
    assert!(own.process.ended().is_none(), "it ended with a request in flight");
    app.open_gate();
    let answer = slow.join_next().await.unwrap().unwrap().unwrap().ok();
    assert_eq!(answer.text(), "held no longer");
    let status = own.process.wait(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", own.process.lines());
    own.process
        .wait_for_line("Daprd shutdown gracefully", PATIENCE)
        .await
        .unwrap();
    // The other one, with nothing in flight, ends at once.
    let asked = Instant::now();
    let status = neighbour.process.terminate(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0));
    println!("an idle sidecar ended within {:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_does_not_end_is_cut_at_the_deadline() {
    let (folder, app) = (Folder::new("deadline").unwrap(), App::start("app"));
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let mut sidecar = plan.argument("--dapr-graceful-shutdown-seconds=1").start().await;
    let mut slow = held(&sidecar, "app", &app).await;
    let told = Instant::now();
    sidecar.process.terminate(PATIENCE).await.unwrap();
    assert!(
        told.elapsed() >= Duration::from_millis(900),
        "cut after {:?}",
        told.elapsed()
    );
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "cut after {:?}",
        told.elapsed()
    );
    assert!(
        slow.join_next().await.unwrap().unwrap().is_err(),
        "a cut request was answered"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let (folder, app) = (Folder::new("second").unwrap(), App::start("app"));
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let mut sidecar = plan
        .argument("--dapr-graceful-shutdown-seconds=600")
        .start()
        .await;
    let _slow = held(&sidecar, "app", &app).await;
    sidecar.process.signal(Signal::Terminate).unwrap();
    sidecar
        .process
        .wait_for_line("beginning shutdown", PATIENCE)
        .await
        .unwrap();
    sidecar.process.signal(Signal::Terminate).unwrap();
    let status = sidecar.process.wait(PATIENCE).await.unwrap();
    assert_ne!(status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_is_put_off_while_it_is_blocked() {
    let (folder, app) = (Folder::new("block").unwrap(), App::start("app"));
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let mut sidecar = plan
        .argument("--dapr-block-shutdown-duration=1500ms")
        .start()
        .await;
    let told = Instant::now();
    sidecar.process.signal(Signal::Terminate).unwrap();
    let line = "Blocking graceful shutdown for 1.5s or until app reports unhealthy...";
    sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
    // It answers as before.
    get(&sidecar, "/v1.0/invoke/app/method/hello").await.ok();
    get(&sidecar, "/v1.0/healthz").await.ok();
    let status = sidecar.process.wait(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", sidecar.process.lines());
    assert!(
        told.elapsed() >= Duration::from_millis(1500),
        "{:?}",
        told.elapsed()
    );
    let line = "Block shutdown period expired, entering shutdown...";
    sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_unwell_ends_the_block() {
    let (folder, app) = (Folder::new("unwell").unwrap(), App::start("app"));
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let plan = plan
        .argument("--enable-app-health-check")
        .argument("--app-health-probe-interval=1")
        .argument("--app-health-threshold=1");
    let mut sidecar = plan.argument("--dapr-block-shutdown-duration=10m").start().await;
    sidecar.process.signal(Signal::Terminate).unwrap();
    sidecar
        .process
        .wait_for_line("Blocking graceful shutdown for 10m0s", PATIENCE)
        .await
        .unwrap();
    app.set_well(false);
    let line = "App reported unhealthy, entering shutdown...";
    sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
    assert_eq!(sidecar.process.wait(PATIENCE).await.unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_ends_it_in_order_or_at_once() {
    let folder = Folder::new("api").unwrap();
    let mut sidecar = Plan::new("app", folder.path()).start().await;
    assert_eq!(post(&sidecar, "/v1.0/shutdown", "").await.status, 204);
    assert_eq!(sidecar.process.wait(PATIENCE).await.unwrap().code(), Some(0));

    let app = App::start("app");
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let mut sidecar = plan
        .argument("--dapr-graceful-shutdown-seconds=600")
        .start()
        .await;
    let _slow = held(&sidecar, "app", &app).await;
    let mut forced = request(Method::POST, "/v1.0/shutdown", "");
    forced
        .headers_mut()
        .insert("dapr-force-shutdown", http::HeaderValue::from_static("true"));
    assert_eq!(call(&sidecar, forced).await.unwrap().status, 204);
    assert_eq!(sidecar.process.wait(PATIENCE).await.unwrap().code(), Some(1));
}
