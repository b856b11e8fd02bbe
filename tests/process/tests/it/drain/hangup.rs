//! A hangup: the sidecar ends as it does at any other signal, and begins again in the same process.

use http::Method;
use outrigger_testing_harness::{Folder, Signal, eventually};

use super::requests::held;
use crate::rig::{
    App, PATIENCE, Plan, Sidecar, component, get,
    http::{request, try_call},
    sidecar::lasting_port,
};

/// Waits for the metadata to name a component.
async fn until_there(sidecar: &Sidecar, name: &str) {
    eventually(PATIENCE, || async {
        let asked = request(Method::GET, "/v1.0/metadata", "");
        match try_call(&sidecar.place, sidecar.http, asked, PATIENCE).await {
            Ok(answer) if answer.text().contains(&format!("\"{name}\"")) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_finishes_what_is_in_hand_and_begins_again_with_new_files() {
    let (folder, app) = (Folder::new("hangup").unwrap(), App::start("app"));
    let ports = std::array::from_fn(|_| lasting_port());
    let mut sidecar = Plan::new("app", folder.path())
        .app(app.port, "http")
        .ports(ports)
        .resources(&folder, &[component("first", "state.in-memory", &[])])
        .start()
        .await;
    until_there(&sidecar, "first").await;
    let second = component("second", "state.in-memory", &[]);
    std::fs::write(folder.file("resources-app").join("second.yaml"), second).unwrap();

    let mut slow = held(&sidecar, "app", &app).await;
    // Two, of which the second asks for no more than the first.
    for _ in 0..2 {
        sidecar.process.signal(Signal::Hangup).unwrap();
        let line = "Received signal 'hangup'; restarting";
        sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
    }
    app.open_gate();
    let answer = slow.join_next().await.unwrap().unwrap().unwrap().ok();
    assert_eq!(answer.text(), "held no longer");

    until_there(&sidecar, "second").await;
    let path = "/v1.0/invoke/app/method/hello";
    assert_eq!(get(&sidecar, path).await.ok().text(), "app /hello");
    let restarts = || {
        let lines = sidecar.process.lines();
        lines.iter().filter(|line| line.contains("; restarting")).count()
    };
    assert_eq!(restarts(), 1);
    let status = sidecar.process.terminate(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", sidecar.process.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_to_end_during_a_restart_does_not_begin_again() {
    let (folder, app) = (Folder::new("hangup-end").unwrap(), App::start("app"));
    let plan = Plan::new("app", folder.path()).app(app.port, "http");
    let mut sidecar = plan.argument("--dapr-graceful-shutdown-seconds=30").start().await;
    let mut slow = held(&sidecar, "app", &app).await;
    sidecar.process.signal(Signal::Hangup).unwrap();
    let line = "Received signal 'hangup'; restarting";
    sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
    sidecar.process.signal(Signal::Terminate).unwrap();
    let line = "Received signal 'terminated'; beginning shutdown";
    sidecar.process.wait_for_line(line, PATIENCE).await.unwrap();
    assert!(
        sidecar.process.ended().is_none(),
        "it ended with a request in flight"
    );
    app.open_gate();
    let answer = slow.join_next().await.unwrap().unwrap().unwrap().ok();
    assert_eq!(answer.text(), "held no longer");
    let status = sidecar.process.wait(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", sidecar.process.lines());
}
