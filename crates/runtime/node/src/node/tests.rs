//! A start that goes wrong.

use std::path::Path;

use outrigger_base_clock::{BufferedEntropy, SystemClock};
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_state::Store;
use outrigger_resource_manifest::{SourceFile, parse};
use outrigger_runtime_host::{Identity, Registry};

use super::*;
use crate::{DrainOptions, Loaded};

const MANIFEST: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: held}\nspec: {type: \
                        state.held, version: v1}\n";

fn options(registry: Registry) -> Options {
    let loopback = std::net::Ipv4Addr::LOCALHOST;
    let file = SourceFile {
        path: Path::new("held.yaml").into(),
        content: Ok(MANIFEST.to_owned()),
    };
    Options {
        identity: Identity {
            app_id: "app".into(),
            namespace: "".into(),
            host_name: "host".into(),
            host_address: loopback.into(),
        },
        registry,
        loaded: Loaded {
            resources: parse(vec![file], "app", None).resources,
            ..Loaded::default()
        },
        app: None,
        internal: (loopback, 0).into(),
        workers: Vec::new(),
        data_dir: "data".into(),
        registry_dir: None,
        multicast: false,
        max_body: None,
        max_head: 8192,
        drain: DrainOptions::default(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(BufferedEntropy::default()),
    }
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_running() {
    let held = Arc::new(());
    let of_task = held.clone();
    let open = move |context: Context, _: Properties| {
        let (held, stop) = (of_task.clone(), context.tasks.signal().clone());
        context.tasks.spawn("held", async move {
            stop.stopped().await;
            drop(held);
        });
        async { Err::<Arc<dyn Store>, _>(OpenError::Unsupported("on purpose".to_owned())) }
    };
    let registry = Registry::new().state(&["held"], open);
    let error = Node::start(options(registry), &|_: &str| None).await;
    assert!(matches!(error, Err(StartError::Component(_))));
    // Those of components are told by the set that owns them all; nobody waits for each.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&held), 1);
}
