//! Two machines on one cable, which nothing but multicast tells of each other.

use std::time::Duration;

use http::Method;
use outrigger_testing_harness::{Folder, NamespacePair, eventually};
use tokio::time::Instant;

use crate::rig::{
    App, PATIENCE, Place, Plan, Sidecar, get,
    http::{request, try_call},
    load::Load,
};

/// How long after a killed sidecar is back calls may go on to fail. Its announcement is heard at once, or, where that
/// datagram is lost, a second later; a caller that was refused meanwhile repeats after a second as well.
/// Measured: 1 to 6 ms, as a rule.
pub(crate) const RECOVERY_MAX: Duration = Duration::from_secs(4);
/// The share of calls that may fail over a load in which a sidecar is killed twice and back within about a second: those
/// that were with it when it died, and those of each worker that were refused until it was back.
/// Measured: 0 to 0.009, at most 8 of some 900 calls, two of each worker.
pub(crate) const ERROR_RATE_MAX: f64 = 0.02;
/// Calls that go well before, between and after the kills.
const CALLS: usize = 300;

/// One machine: an app and its sidecar.
pub(crate) struct Machine {
    pub(crate) sidecar: Sidecar,
    pub(crate) plan: Plan,
    _app: App,
    _folder: Folder,
}

impl Machine {
    /// A machine whose app and sidecar are called `id`. Its folder is its own: no registry tells of the other machine.
    pub(crate) async fn start(id: &str, place: &Place) -> Self {
        let folder = Folder::new(id).unwrap();
        let app = App::at(id, place);
        let plan = Plan::new(id, folder.path()).at(place).app(app.port, "http");
        let sidecar = plan.start().await;
        Self {
            sidecar,
            plan,
            _app: app,
            _folder: folder,
        }
    }

    /// Waits until an app of another machine is found, and answers.
    pub(crate) async fn until_it_reaches(&self, id: &str) {
        let path = format!("/v1.0/invoke/{id}/method/hello?x=1");
        let expected = format!("{id} /hello?x=1");
        eventually(PATIENCE, || async {
            let asked = request(Method::GET, &path, "");
            match try_call(&self.sidecar.place, self.sidecar.http, asked, PATIENCE).await {
                Ok(answer) if answer.body == expected => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_find_each_other_and_one_that_is_killed_comes_back() {
    let pair = NamespacePair::new().unwrap();
    let (left, right) = (Place::of(&pair.left), Place::of(&pair.right));
    let one = Machine::start("one", &left).await;
    let mut other = Machine::start("other", &right).await;
    one.until_it_reaches("other").await;
    other.until_it_reaches("one").await;

    let load = Load::start(
        &left,
        one.sidecar.http,
        "/v1.0/invoke/other/method/hello",
        "other /hello",
    );
    load.more(CALLS).await;
    let mut outages = Vec::new();
    // The same port again, then one that nobody has heard of.
    for internal in [50002, 50003] {
        let killed = Instant::now();
        other.sidecar.process.kill();
        other.sidecar = other
            .plan
            .clone()
            .ports([3500, 50001, internal, 9090])
            .start()
            .await;
        outages.push((killed, Instant::now()));
        load.more(CALLS).await;
    }
    let end = Instant::now();
    let report = load.end().await;
    let recoveries = [
        report.until(outages[1].0).recovery(outages[0].1),
        report.until(end).recovery(outages[1].1),
    ];
    println!(
        "killed and restarted under load: {} calls, error rate {:.4}, recovered {recoveries:?} after it was ready",
        report.0.len(),
        report.error_rate(),
    );
    for failure in report.failures() {
        let text = failure.failure.as_deref().unwrap_or_default();
        assert!(
            text.starts_with("500 ") && text.contains("ERR_DIRECT_INVOKE"),
            "{text}"
        );
    }
    assert!(report.error_rate() <= ERROR_RATE_MAX, "{}", report.error_rate());
    assert!(
        recoveries.iter().all(|took| *took <= RECOVERY_MAX),
        "{recoveries:?}"
    );
    other.until_it_reaches("one").await;
    get(&one.sidecar, "/v1.0/healthz").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cable_that_is_pulled_and_plugged_in_again_loses_nobody() {
    let pair = NamespacePair::new().unwrap();
    let one = Machine::start("one", &Place::of(&pair.left)).await;
    let other = Machine::start("other", &Place::of(&pair.right)).await;
    one.until_it_reaches("other").await;
    pair.cut().unwrap();
    // Nobody is told, so that the call waits; the sidecar answers everything else meanwhile.
    let path = "/v1.0/invoke/other/method/hello";
    let asked = request(Method::GET, path, "");
    let lost = try_call(
        &one.sidecar.place,
        one.sidecar.http,
        asked,
        Duration::from_millis(500),
    )
    .await;
    assert!(lost.is_err() || lost.unwrap().status >= 500);
    get(&one.sidecar, "/v1.0/healthz").await.ok();
    pair.join().unwrap();
    one.until_it_reaches("other").await;
    other.until_it_reaches("one").await;
}
