//! Two runtimes in one process, which do not know of each other: started, used and drained.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use outrigger::{App, Event, Mode, Running, Verdict};
use outrigger_base_clock::{BufferedEntropy, SystemClock};
use outrigger_base_telemetry::log::{Config, LogLayer, Output};
use outrigger_runtime_api_http::{HttpFace, Options as HttpOptions};
use outrigger_runtime_host::Identity;
use outrigger_runtime_node::{DrainOptions, Node, Options, load};
use outrigger_testing_harness::{Folder, eventually};
use outrigger_transport::server::{Listener, bind};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::rig::{
    PATIENCE, Place, component,
    http::{request, try_call},
};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A runtime without an app, its HTTP API, and where that is.
async fn start(id: &str, folder: &Path) -> (Node, u16) {
    let resources = folder.join(id);
    std::fs::create_dir(&resources).unwrap();
    std::fs::write(
        resources.join("store.yaml"),
        component("store", "state.in-memory", &[]),
    )
    .unwrap();
    let env = |_: &str| None;
    let options = Options {
        identity: Identity {
            app_id: id.into(),
            namespace: "".into(),
            host_name: "host".into(),
            host_address: LOOPBACK.ip(),
        },
        registry: outrigger_catalog::registry(),
        loaded: load(&[], &[resources], id, None, &env).unwrap(),
        app: None,
        internal: LOOPBACK,
        workers: Vec::new(),
        data_dir: folder.join("data"),
        registry_dir: Some(folder.join("run")),
        multicast: false,
        max_body: None,
        max_head: 8192,
        drain: DrainOptions::default(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(BufferedEntropy::default()),
    };
    let mut node = Node::start(options, &env).await.unwrap();
    node.arrive(async {}).await;
    let listener = Listener::tcp(bind(LOOPBACK, false).unwrap()).unwrap();
    let port = listener.local_address().unwrap().port();
    let face = HttpFace::new(node.api().clone(), HttpOptions::default());
    node.serve("http-api", listener, node.server_options(), face);
    (node, port)
}

/// Saves a value and reads it.
async fn save(port: u16, value: &str) {
    let body = format!("[{{\"key\":\"k\",\"value\":{value:?}}}]");
    let asked = request(http::Method::POST, "/v1.0/state/store", body);
    try_call(&Place::default(), port, asked, PATIENCE)
        .await
        .unwrap()
        .ok();
    assert_eq!(read(port).await, format!("{value:?}"));
}

async fn read(port: u16) -> String {
    let asked = request(http::Method::GET, "/v1.0/state/store/k", "");
    try_call(&Place::default(), port, asked, PATIENCE)
        .await
        .unwrap()
        .ok()
        .text()
}

/// The sum of the samples of a metric.
fn count(node: &Node, metric: &str) -> f64 {
    let text = node.metrics().render();
    let samples = text.lines().filter(|line| line.starts_with(metric));
    samples
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runtimes_share_no_data_and_no_metrics() {
    const STATE: &str = "dapr_component_state_count";
    let folder = Folder::new("two").unwrap();
    let (one, port_of_one) = start("one", folder.path()).await;
    let (other, port_of_other) = start("other", folder.path()).await;
    save(port_of_one, "of one").await;
    assert_eq!(read(port_of_other).await, "");
    save(port_of_other, "of the other").await;
    assert_eq!(read(port_of_one).await, "\"of one\"");

    // One save, two reads; one save, two reads.
    let before = count(&other, STATE);
    assert!(before > 0.0, "{}", other.metrics().render());
    for _ in 0..5 {
        read(port_of_one).await;
    }
    assert!((count(&other, STATE) - before).abs() < f64::EPSILON);
    assert!(count(&one, STATE) >= before + 4.0, "{}", one.metrics().render());
    for (node, own, foreign) in [(&one, "one", "other"), (&other, "other", "one")] {
        let text = node.metrics().render();
        assert!(text.contains(&format!("app_id=\"{own}\"")), "{text}");
        assert!(!text.contains(&format!("app_id=\"{foreign}\"")), "{text}");
    }

    assert_eq!(one.drain(async {}).await, Vec::<String>::new());
    // The one that is left goes on.
    save(port_of_other, "still there").await;
    let asked = request(http::Method::GET, "/v1.0/healthz", "");
    assert!(
        try_call(&Place::default(), port_of_one, asked, PATIENCE)
            .await
            .is_err()
    );
    assert_eq!(other.drain(async {}).await, Vec::<String>::new());
}

/// Lines of a log.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Lines {
    fn with(&self, part: &str) -> Vec<String> {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.lines()
            .filter(|line| line.contains(part))
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An app that asks for every event of its topic again.
async fn refusing(id: &str, folder: &Folder) -> Running {
    let run = folder.file("run").to_str().unwrap().to_owned();
    let app = App::new(id)
        .mode(Mode::Embedded)
        .multicast(false)
        .internal(LOOPBACK)
        .environment(move |name| (name == "OUTRIGGER_RUN_DIR").then(|| run.clone()))
        .component("pubsub", "pubsub.in-memory", [])
        .on("pubsub", format!("topic-of-{id}"), |_: Event<u32>| async {
            Verdict::Retry
        });
    app.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runtimes_tell_whose_log_line_it_is() {
    let lines = Lines::default();
    let config = Config {
        outputs: vec![Output::Writer(Box::new(lines.clone()))],
        ..Config::default()
    };
    let (layer, _) = LogLayer::open(config, Arc::new(SystemClock)).unwrap();
    // The whole test binary's: the other tests run no runtime in this process that has a reason to warn.
    tracing::subscriber::set_global_default(Registry::default().with(layer)).unwrap();

    let folder = Folder::new("logs").unwrap();
    let (one, other) = (
        refusing("log-one", &folder).await,
        refusing("log-other", &folder).await,
    );
    for (app, id) in [(&one, "log-one"), (&other, "log-other")] {
        app.handle()
            .publish("pubsub", &format!("topic-of-{id}"), &1_u32)
            .await
            .unwrap();
    }
    for (id, foreign) in [("log-one", "log-other"), ("log-other", "log-one")] {
        let part = format!("topic-of-{id}");
        eventually(PATIENCE, || async { !lines.with(&part).is_empty() }).await;
        for line in lines.with(&part) {
            assert!(line.contains(&format!("app_id={id}")), "{line}");
            assert!(!line.contains(&format!("app_id={foreign}")), "{line}");
        }
    }
    assert_eq!(one.shutdown().await, Vec::<String>::new());
    assert_eq!(other.shutdown().await, Vec::<String>::new());
}
