//! Spans: who is whose child, and that the last ones are sent.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use outrigger::{Body, Error, Event, Handle, Headers, Mode, State};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    collector::{Collector, Seen},
    world::{Gear, LONG, World},
};

both! {
    call_state_publish_and_delivery_are_one_trace
    without_a_configuration_a_trace_is_passed_on
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one span of the trace with that service, name and kind.
fn find<'s>(seen: &'s [Seen], service: &str, name: &str, kind: SpanKind) -> &'s Seen {
    let mut found = seen.iter().filter(|seen| {
        let span = &seen.span;
        seen.service == service && span.name == name && span.kind() == kind && hex(&span.trace_id) == TRACE
    });
    let one = found.next();
    let one = one.unwrap_or_else(|| panic!("{service} has no span {name} ({kind:?}): {seen:#?}"));
    assert!(
        found.next().is_none(),
        "{service} has two spans {name}: {seen:#?}"
    );
    one
}

fn is_child(child: &Seen, parent: &Seen) {
    let (of_child, of_parent) = (hex(&child.span.parent_span_id), hex(&parent.span.span_id));
    assert_eq!(
        of_child, of_parent,
        "{} is no child of {}",
        child.span.name, parent.span.name
    );
}

async fn call_state_publish_and_delivery_are_one_trace(world: World) {
    async fn place(handle: Handle) -> Result<(), Error> {
        handle.state("statestore").set("k", &1).await?;
        handle.publish("pubsub", "orders", &1).await
    }
    async fn seen(State(tell): State<mpsc::Sender<()>>, _: Event<u32>) {
        tell.send(()).await.unwrap();
    }
    let collector = Collector::start();
    let gear = || Gear {
        configuration: collector.configuration(),
        ..Gear::in_memory()
    };
    let (sender, mut receiver) = mpsc::channel::<()>(1);
    let app = world
        .start("app", gear(), |app| {
            app.with(sender).post("place", place).on("pubsub", "orders", seen)
        })
        .await;
    let caller = world
        .start("caller", gear(), |app| app.call("idle", async || ()))
        .await;
    let request = http::Request::post("/place")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .body(Body::empty())
        .unwrap();
    let response = caller.handle().request(&app.id, request).await.unwrap();
    assert_eq!(response.status(), 204);
    timeout(LONG, receiver.recv()).await.unwrap().unwrap();
    let (app_id, caller_id) = (app.id.clone(), caller.id.clone());
    caller.end().await;
    app.end().await;

    // A batch waits a second for more spans: these came because the end sent them.
    let spans = collector.seen();
    let (publish, kind, state) = match world.mode {
        Mode::Embedded => (
            "pubsub/orders",
            SpanKind::Producer,
            "/dapr.proto.runtime.v1.Dapr/SaveState",
        ),
        Mode::Sidecar => (
            "/v1.0/publish/pubsub/orders",
            SpanKind::Client,
            "/v1.0/state/statestore",
        ),
    };
    let call = format!("CallLocal/{app_id}/place");
    let asked = find(&spans, &caller_id, &call, SpanKind::Client);
    assert_eq!(hex(&asked.span.parent_span_id), PARENT);
    let served = find(&spans, &app_id, &call, SpanKind::Server);
    is_child(served, asked);
    is_child(find(&spans, &app_id, state, SpanKind::Client), served);
    let published = find(&spans, &app_id, publish, kind);
    is_child(published, served);
    is_child(
        find(&spans, &app_id, "pubsub/orders", SpanKind::Client),
        published,
    );
}

async fn without_a_configuration_a_trace_is_passed_on(world: World) {
    async fn parent(Headers(headers): Headers) -> String {
        headers["traceparent"].to_str().unwrap().to_owned()
    }
    let app = world
        .start("app", Gear::default(), |app| app.get("parent", parent))
        .await;
    let own = format!("00-{TRACE}-{PARENT}-01");
    let request = http::Request::get("/parent")
        .header("traceparent", &own)
        .body(Body::empty())
        .unwrap();
    let response = app.handle().request(&app.id, request).await.unwrap();
    assert_eq!(response.into_body().collect(100).await.unwrap(), own);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_refused_ends_its_span_with_the_error() {
    let world = World::embedded();
    let collector = Collector::start();
    let gear = Gear {
        configuration: collector.configuration(),
        ..Gear::in_memory()
    };
    let app = world.start("app", gear, |app| app).await;
    let transaction = app.handle().state("nowhere").transaction().set("k", &1);
    let error = transaction.commit().await.unwrap_err();
    app.end().await;
    let seen = collector.seen();
    let [refused] = seen.as_slice() else {
        panic!("{seen:#?}")
    };
    assert_eq!(
        refused.span.name,
        "/dapr.proto.runtime.v1.Dapr/ExecuteStateTransaction"
    );
    let status = refused.span.status.as_ref().expect("the span has no status");
    assert_eq!(status.code, 2);
    assert!(error.to_string().contains(&status.message), "{status:?}: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_runtime_sends_where_the_environment_says() {
    let world = World::embedded();
    let collector = Collector::start();
    let gear = Gear {
        variables: vec![
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{}", collector.address()),
            ),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
            ("OTEL_SERVICE_NAME", "named".to_owned()),
        ],
        ..Gear::in_memory()
    };
    let app = world.start("app", gear, |app| app).await;
    app.handle().state("statestore").set("k", &1).await.unwrap();
    let error = app.handle().publish("nowhere", "t", &1).await.unwrap_err();
    app.end().await;
    let seen = collector.seen();
    let [saved, failed] = seen.as_slice() else {
        panic!("{seen:#?}")
    };
    assert_eq!(saved.service, "named");
    assert_eq!(saved.span.name, "/dapr.proto.runtime.v1.Dapr/SaveState");
    assert!(saved.span.status.is_none() && saved.span.parent_span_id.is_empty());
    let status = failed.span.status.as_ref().unwrap();
    assert!(error.to_string().contains(&status.message), "{status:?}: {error}");
    assert_eq!(status.code, 2);
}
