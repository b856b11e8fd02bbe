//! Whole requests of the HTTP API: head, body, and what comes of both.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use outrigger_base_clock::{BufferedEntropy, SystemClock};
use outrigger_resource_manifest::{SourceFile, parse};
use outrigger_runtime_api_http::{HttpFace, Options as HttpOptions};
use outrigger_runtime_host::Identity;
use outrigger_runtime_node::{DrainOptions, Loaded, Node, Options};
use outrigger_transport::Body;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

/// A store and a broker in memory.
const RESOURCES: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: store}
spec: {type: state.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec: {type: pubsub.in-memory, version: v1}
";

/// Time in which any request has to be answered: nothing here waits for another machine.
const ANSWER: Duration = Duration::from_secs(20);

/// Bytes that an answer may have.
const MAX_ANSWER: u64 = 1 << 26;

thread_local! {
    /// One runtime for all requests, as in life: what one leaves behind the next one meets.
    static WORLD: World = World::start();
}

struct World {
    runtime: Runtime,
    face: HttpFace,
    _node: Node,
}

impl World {
    fn start() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let node = runtime.block_on(start());
        let face = HttpFace::new(node.api().clone(), HttpOptions::default());
        Self {
            runtime,
            face,
            _node: node,
        }
    }
}

async fn start() -> Node {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let file = SourceFile {
        path: std::path::Path::new("resources.yaml").into(),
        content: Ok(RESOURCES.to_owned()),
    };
    let options = Options {
        identity: Identity {
            app_id: "app".into(),
            namespace: "".into(),
            host_name: "host".into(),
            host_address: loopback.ip(),
        },
        registry: outrigger_catalog::registry(),
        loaded: Loaded {
            resources: parse(vec![file], "app", None).resources,
            ..Loaded::default()
        },
        app: None,
        internal: loopback,
        workers: Vec::new(),
        data_dir: PathBuf::new(),
        registry_dir: None,
        multicast: false,
        max_body: None,
        max_head: 8192,
        drain: DrainOptions::default(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(BufferedEntropy::default()),
    };
    let node = Node::start(options, &|_: &str| None).await;
    let mut node = node.expect("the node starts");
    node.arrive(async {}).await;
    node
}

/// The first line is a verb and a path, then come header fields up to an empty line, then the body.
pub fn run(data: &[u8]) {
    let Some(request) = request(data) else { return };
    // The one that ends the process is left out.
    if request.uri().path().contains("shutdown") {
        return;
    }
    WORLD.with(|world| {
        let mut face = world.face.clone();
        let answer = world.runtime.block_on(async {
            let exchange = async {
                let response = face.call(request).await.unwrap_or_else(|never| match never {});
                let (head, body) = response.into_parts();
                (head, body.collect(MAX_ANSWER).await)
            };
            tokio::time::timeout(ANSWER, exchange)
                .await
                .expect("an answer in time")
        });
        let (head, body) = answer;
        let body = body.expect("a whole body");
        if head.status.is_server_error() && !body.is_empty() {
            let error: serde_json::Value = serde_json::from_slice(&body).expect("an error is JSON");
            assert!(error["errorCode"].is_string(), "{error}");
        }
    });
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let (line, mut rest) = crate::first_line(data);
    let line = std::str::from_utf8(line).ok()?;
    let (verb, target) = line.split_once(' ')?;
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::from_bytes(verb.as_bytes()).ok()?;
    *request.uri_mut() = target.parse().ok()?;
    loop {
        let (line, after) = crate::first_line(rest);
        rest = after;
        if line.is_empty() {
            break;
        }
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    *request.body_mut() = Body::from(Bytes::copy_from_slice(rest));
    // A call of another app would look for it; that is not what is tried here.
    (!request.headers().contains_key("dapr-app-id") && !target.contains("invoke")).then_some(request)
}
