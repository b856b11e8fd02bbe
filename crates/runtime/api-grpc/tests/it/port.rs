//! What belongs to the port: token, health, reflection, traces, the log; and metadata, publish, shutdown.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use futures_util::StreamExt;
use outrigger_base_std::Secret;
use outrigger_block_pubsub::{Delivery, Handler, Nack, Subscribe};
use outrigger_runtime_api::{Stage, SubscriptionInfo, SubscriptionKind};
use outrigger_runtime_api_grpc::Options;
use outrigger_wire_proto::runtime::{
    BulkPublishRequest, BulkPublishRequestEntry, GetMetadataRequest, PublishEventRequest, SetMetadataRequest,
    ShutdownRequest,
};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

use crate::rig::{Directory, Runtime, app_settings, component};

async fn with(options: Options, yaml: &str) -> Runtime {
    Runtime::start(
        "app",
        Some(app_settings(1, "grpc")),
        yaml,
        &Directory::default(),
        options,
    )
    .await
}

#[tokio::test]
async fn without_the_token_nothing_is_answered() {
    let options = Options {
        token: Some(Secret::new("right")),
        ..Options::default()
    };
    let runtime = with(options, "").await;
    let ask = |token: Option<&str>| {
        let mut request = Request::new(GetMetadataRequest {});
        if let Some(token) = token {
            request
                .metadata_mut()
                .insert("dapr-api-token", token.parse().unwrap());
        }
        let mut client = runtime.client();
        async move { client.get_metadata(request).await }
    };
    for token in [None, Some("wrong"), Some("")] {
        let status = ask(token).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unauthenticated, "invalid api token")
        );
    }
    ask(Some("right")).await.unwrap();
    let status = HealthClient::new(runtime.channel())
        .check(HealthCheckRequest::default())
        .await;
    assert_eq!(status.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn health_follows_the_stage() {
    let runtime = with(Options::default(), "").await;
    let mut client = HealthClient::new(runtime.channel());
    let check = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    let dapr = "dapr.proto.runtime.v1.Dapr";
    assert_eq!(client.check(check("")).await.unwrap().into_inner().status, 1);
    let mut watch = client.watch(check(dapr)).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    runtime.api.readiness().enter(Stage::Draining);
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2);
    assert!(
        watch.message().await.unwrap().is_none(),
        "a watch holds up the drain"
    );
    assert_eq!(client.check(check(dapr)).await.unwrap().into_inner().status, 2);
    assert_eq!(
        client.check(check("other")).await.unwrap_err().code(),
        Code::NotFound
    );
    let mut unknown = client.watch(check("other")).await.unwrap().into_inner();
    assert_eq!(unknown.message().await.unwrap().unwrap().status, 3);
    assert!(
        unknown.message().await.unwrap().is_none(),
        "a watch holds up the drain"
    );
    let mut of_app = Request::new(check(""));
    of_app
        .metadata_mut()
        .insert("dapr-app-id", "nobody".parse().unwrap());
    let status = client.check(of_app).await.unwrap_err();
    assert!(status.message().contains("nobody"), "{status}");
}

#[tokio::test]
async fn reflection_lists_the_service_in_both_versions() {
    let runtime = with(Options::default(), "").await;
    let ask = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(runtime.channel());
    let asked = futures_util::stream::iter([ask]);
    let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap().unwrap());
    assert!(answer.contains("\"dapr.proto.runtime.v1.Dapr\""), "{answer}");

    let ask = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                "dapr.proto.runtime.v1.GetStateRequest".to_owned(),
            ),
        ),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(runtime.channel());
    let asked = futures_util::stream::iter([ask]);
    let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    assert!(
        matches!(
            answer,
            Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
        ),
        "{answer:?}"
    );
    let off = Options {
        reflection: false,
        ..Options::default()
    };
    let runtime = with(off, "").await;
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(runtime.channel());
    let status = client
        .server_reflection_info(futures_util::stream::iter([]))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn the_runtime_tells_of_itself() {
    let runtime = with(Options::default(), &component("s", "state.in-memory")).await;
    for (key, value) in [("k", "v"), ("", "nothing")] {
        let set = SetMetadataRequest {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        runtime.client().set_metadata(set).await.unwrap();
    }
    runtime.api.report_subscriptions(|all| {
        all.push(SubscriptionInfo {
            pubsub_name: "p".to_owned(),
            topic: "t".to_owned(),
            metadata: BTreeMap::new(),
            routes: outrigger_resource_manifest::Routes {
                rules: Vec::new(),
                default: Some("/d".to_owned()),
            },
            dead_letter_topic: None,
            kind: SubscriptionKind::Streaming,
        });
    });
    let metadata = runtime
        .client()
        .get_metadata(GetMetadataRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(metadata.id, "app");
    assert_eq!(metadata.registered_components[0].r#type, "state.in-memory");
    assert!(
        metadata.registered_components[0]
            .capabilities
            .contains(&"TRANSACTIONAL".to_owned())
    );
    assert_eq!(metadata.extended_metadata["k"], "v");
    assert!(!metadata.extended_metadata.contains_key(""));
    assert_eq!(
        metadata.extended_metadata["daprRuntimeVersion"],
        metadata.runtime_version
    );
    assert_eq!(metadata.enabled_features, ["Feature"]);
    assert_eq!(metadata.subscriptions[0].r#type, 3);
    assert_eq!(
        metadata.subscriptions[0].rules.as_ref().unwrap().rules[0].path,
        "/d"
    );
    let app = metadata.app_connection_properties.unwrap();
    assert_eq!(
        (app.port, app.protocol.as_str(), app.max_concurrency),
        (1, "grpc", 7)
    );
    let health = app.health.unwrap();
    assert_eq!(
        (
            health.health_check_path.as_str(),
            health.health_probe_interval.as_str()
        ),
        ("", "5s")
    );
    assert_eq!(metadata.actor_runtime.unwrap().runtime_status, 1);
}

#[tokio::test]
async fn shutdown_is_asked_in_order_or_at_once() {
    let runtime = with(Options::default(), "").await;
    runtime.client().shutdown(ShutdownRequest {}).await.unwrap();
    assert!(runtime.api.parts().shutdown.is_stopped());
    assert!(!runtime.api.parts().force_shutdown.is_stopped());
    let mut force = Request::new(ShutdownRequest {});
    force
        .metadata_mut()
        .insert("dapr-force-shutdown", "True".parse().unwrap());
    runtime.client().shutdown(force).await.unwrap();
    assert!(runtime.api.parts().force_shutdown.is_stopped());
}

/// Keeps what a broker delivers.
#[derive(Debug)]
struct Recorder(tokio::sync::mpsc::Sender<serde_json::Value>);

#[tonic::async_trait]
impl Handler for Recorder {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let event = serde_json::from_slice(&delivery.message.data).unwrap();
        self.0.send(event).await.unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn what_is_published_belongs_to_the_trace_of_its_call() {
    let runtime = with(Options::default(), &component("p", "pubsub.in-memory")).await;
    let (sender, mut events) = tokio::sync::mpsc::channel(8);
    let broker = runtime
        .api
        .host()
        .snapshot_owned()
        .pubsub("p")
        .unwrap()
        .broker
        .clone();
    let subscribe = Subscribe {
        topic: "t".to_owned(),
        ..Subscribe::default()
    };
    let _subscription = broker
        .subscribe(subscribe, Arc::new(Recorder(sender)))
        .await
        .unwrap();
    let mut request = Request::new(PublishEventRequest {
        pubsub_name: "p".to_owned(),
        topic: "t".to_owned(),
        data: "{\"a\":1}".into(),
        data_content_type: "application/json".to_owned(),
        metadata: HashMap::from([("cloudevent.type".to_owned(), "mine".to_owned())]),
    });
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().unwrap());
    let response = runtime.client().publish_event(request).await.unwrap();
    let span = response
        .metadata()
        .get_bin("grpc-trace-bin")
        .unwrap()
        .to_bytes()
        .unwrap();
    let event = events.recv().await.unwrap();
    assert_eq!(
        (event["data"]["a"].as_i64(), event["type"].as_str()),
        (Some(1), Some("mine"))
    );
    let span: String = span[19..27].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(event["traceparent"], format!("00-{trace}-{span}-01"));

    let entry = |id: &str| BulkPublishRequestEntry {
        entry_id: id.to_owned(),
        event: "e".into(),
        content_type: "text/plain".to_owned(),
        metadata: HashMap::new(),
    };
    let bulk = BulkPublishRequest {
        pubsub_name: "p".to_owned(),
        topic: "t".to_owned(),
        entries: vec![entry("1"), entry("2")],
        metadata: HashMap::new(),
    };
    #[allow(deprecated, reason = "the old name of the method has to work")]
    let answer = runtime.client().bulk_publish_event_alpha1(bulk).await.unwrap();
    assert_eq!(answer.into_inner().failed_entries, []);
    assert_eq!(events.recv().await.unwrap()["data"], "e");
    assert_eq!(events.recv().await.unwrap()["data"], "e");
}

/// Keeps the lines of the log, as text.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                use std::fmt::Write;
                let _ = write!(self.0, "{}={value:?} ", field.name());
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
}

#[tokio::test]
async fn calls_are_logged_with_their_code() {
    use tracing_subscriber::layer::SubscriberExt;

    let lines = Lines::default();
    // The server's tasks run on this thread.
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let options = Options {
        log_calls: true,
        ..Options::default()
    };
    let runtime = with(options, "").await;
    runtime
        .client()
        .get_metadata(GetMetadataRequest {})
        .await
        .unwrap();
    let failed = HealthClient::new(runtime.channel());
    let mut failed = failed;
    let unknown = HealthCheckRequest {
        service: "x".to_owned(),
    };
    failed.check(unknown).await.unwrap_err();
    let calls: Vec<String> = lines.0.lock().unwrap().clone();
    let calls: Vec<_> = calls
        .iter()
        .filter(|line| line.contains("gRPC API Called"))
        .collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(
        calls[0].contains("method=\"/dapr.proto.runtime.v1.Dapr/GetMetadata\""),
        "{}",
        calls[0]
    );
    assert!(
        calls[0].contains("code=0 ") && calls[1].contains("code=5 "),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_stream_of_health_goes_on() {
    let runtime = with(Options::default(), "").await;
    let mut client = HealthClient::new(runtime.channel());
    let watch = client
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut watch = watch.map(|status| status.unwrap().status);
    assert_eq!(watch.next().await, Some(1));
    for (stage, status) in [(Stage::Starting, 2), (Stage::Ready, 1), (Stage::Draining, 2)] {
        runtime.api.readiness().enter(stage);
        assert_eq!(watch.next().await, Some(status));
    }
    assert_eq!(watch.next().await, None);
}
