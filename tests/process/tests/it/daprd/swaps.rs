//! A sidecar in the place of another one, of either kind, while its app is called.

use outrigger_testing_harness::{Folder, NamespacePair};
use tokio::time::Instant;

use super::{theirs, until_reached};
use crate::{
    namespaces::{ERROR_RATE_MAX, RECOVERY_MAX},
    rig::{
        App, Kind, PATIENCE, Place, Plan, Sidecar,
        load::{Load, WORKERS},
    },
};

/// Calls that go well between two swaps.
const CALLS: usize = 200;
/// Ports that sidecars take in turn. As there are three and the kinds are two, ports of one kind become the other's too.
const PORTS: [[u16; 4]; 3] = [
    [3500, 50001, 50002, 9090],
    [3600, 50011, 50012, 9190],
    [3700, 50021, 50022, 9290],
];

/// A sidecar with an app of its own, which tells what came this way.
struct Callee {
    kind: Kind,
    sidecar: Sidecar,
    app: App,
    _folder: Folder,
}

impl Callee {
    /// The `number`th of them.
    async fn start(kind: &Kind, place: &Place, number: usize) -> Self {
        let folder = Folder::new("callee").unwrap();
        let app = App::at("callee", place);
        let plan = Plan::new("callee", folder.path()).kind(kind).at(place);
        let plan = plan.app(app.port, "http").ports(PORTS[number % PORTS.len()]);
        Self {
            kind: kind.clone(),
            sidecar: plan.start().await,
            app,
            _folder: folder,
        }
    }
}

/// The new one is ready before the old one is told to end, as in an update of a deployment: no call may notice. Nobody
/// waits until the caller has heard of the new one; it has to when the old one goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_is_swapped_for_the_other_kind_without_an_error() {
    let other = theirs().unwrap_or(Kind::Ours);
    let pair = NamespacePair::new().unwrap();
    let (left, right) = (Place::of(&pair.left), Place::of(&pair.right));
    let folder = Folder::new("caller").unwrap();
    let caller = Plan::new("caller", folder.path()).at(&left).start().await;
    let mut callee = Callee::start(&Kind::Ours, &right, 0).await;
    until_reached(&caller, "callee", "callee").await;

    let path = "/v1.0/invoke/callee/method/hello";
    let load = Load::start(&left, caller.http, path, "callee /hello");
    load.more(CALLS).await;
    // Each way twice: to the other kind, and back.
    for (number, kind) in [&other, &Kind::Ours, &other, &Kind::Ours].into_iter().enumerate() {
        let new = Callee::start(kind, &right, number + 1).await;
        let mut old = std::mem::replace(&mut callee, new);
        let status = old.sidecar.process.terminate(PATIENCE).await.unwrap();
        // Dapr's panics now and then where it is told to end soon after its start; that it is gone is enough.
        let is_well = old.kind != Kind::Ours || status.code() == Some(0);
        assert!(is_well, "{status}: {:#?}", old.sidecar.process.lines());
        load.more(CALLS).await;
        // All of these went to the new one, but those that each worker had under way.
        let came = callee.app.gets();
        assert!(came >= CALLS - WORKERS, "{came} calls came to the new one");
    }
    let report = load.end().await;
    println!("swapped four times in order: {} calls", report.0.len());
    let failures: Vec<_> = report.failures().collect();
    assert!(
        failures.is_empty(),
        "{} of {}: {failures:#?}",
        failures.len(),
        report.0.len()
    );
}

/// Nobody is there for a while: calls fail meanwhile, and no longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_is_killed_comes_back_as_the_other_kind() {
    let other = theirs().unwrap_or(Kind::Ours);
    let pair = NamespacePair::new().unwrap();
    let (left, right) = (Place::of(&pair.left), Place::of(&pair.right));
    let folders = [Folder::new("caller").unwrap(), Folder::new("callee").unwrap()];
    let caller = Plan::new("caller", folders[0].path()).at(&left).start().await;
    let app = App::at("callee", &right);
    let plan = Plan::new("callee", folders[1].path())
        .at(&right)
        .app(app.port, "http");
    let mut callee = plan.start().await;
    until_reached(&caller, "callee", "callee").await;

    let load = Load::start(
        &left,
        caller.http,
        "/v1.0/invoke/callee/method/hello",
        "callee /hello",
    );
    load.more(CALLS).await;
    let mut outages = Vec::new();
    for kind in [&other, &Kind::Ours, &other] {
        let killed = Instant::now();
        callee.process.kill();
        callee = plan.clone().kind(kind).start().await;
        outages.push((killed, Instant::now()));
        load.more(CALLS).await;
    }
    let end = Instant::now();
    let report = load.end().await;
    let ends = outages.iter().skip(1).map(|(killed, _)| *killed).chain([end]);
    let recoveries: Vec<_> = outages
        .iter()
        .zip(ends)
        .map(|((_, ready), end)| report.until(end).recovery(*ready))
        .collect();
    println!(
        "killed, and back as the other kind, three times under load: {} calls, error rate {:.4}, recovered {recoveries:?} after it was ready",
        report.0.len(),
        report.error_rate()
    );
    assert!(report.error_rate() <= ERROR_RATE_MAX, "{}", report.error_rate());
    assert!(
        recoveries.iter().all(|took| *took <= RECOVERY_MAX),
        "{recoveries:?}"
    );
    for sample in report.failures() {
        let text = sample.failure.as_deref().unwrap_or_default();
        assert!(
            text.starts_with("500 ") && text.contains("ERR_DIRECT_INVOKE"),
            "{text}"
        );
        let in_outage = outages
            .iter()
            .any(|(killed, ready)| sample.ended >= *killed && sample.begun <= *ready);
        assert!(in_outage, "failed while nobody was down: {text}");
    }
}
