//! A collector of spans: takes them by OTLP over HTTP and keeps them.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Request, Response};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use outrigger::{
    Body,
    transport::server::{self, Listener, Peer},
};
use outrigger_base_task::{StopSignal, TaskSet};
use prost::Message;
use tower::service_fn;

/// A span and the service that it is of.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) service: String,
    pub(crate) span: Span,
}

/// A collector, gone when it is dropped.
pub(crate) struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    tasks: TaskSet,
}

impl Collector {
    /// A collector on a free port.
    pub(crate) fn start() -> Self {
        let socket = server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let address = socket.local_addr().unwrap();
        let (seen, tasks) = (Arc::<Mutex<Vec<Seen>>>::default(), TaskSet::new("collector"));
        let kept = seen.clone();
        let service = service_fn(move |request: Request<Body>| {
            let kept = kept.clone();
            async move { Ok::<_, Infallible>(take(request, &kept).await) }
        });
        let serving = server::serve(
            Listener::tcp(socket).unwrap(),
            move |_: Peer| service.clone(),
            server::Options::default(),
            Vec::new(),
            tasks.child("connections"),
            StopSignal::default(),
        );
        let stop = tasks.signal().clone();
        tasks.spawn("collector", async move {
            let _ = stop.run_until(serving).await;
        });
        Self { address, seen, tasks }
    }

    /// The `spec` of a configuration that sends every span here.
    pub(crate) fn configuration(&self) -> String {
        format!(
            "  tracing:\n    samplingRate: \"1\"\n    otel:\n      endpointAddress: \"{}\"\n      isSecure: false\n      \
             protocol: http\n",
            self.address
        )
    }

    /// Where spans are taken.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn take(request: Request<Body>, kept: &Mutex<Vec<Seen>>) -> Response<Body> {
    assert_eq!(request.uri().path(), "/v1/traces");
    let body = request.into_body().collect(1 << 20).await.unwrap();
    let message = ExportTraceServiceRequest::decode(body).unwrap();
    for of_resource in message.resource_spans {
        let attributes = of_resource.resource.unwrap().attributes;
        let service = attributes.iter().find(|pair| pair.key == "service.name").unwrap();
        let Some(Value::StringValue(service)) = service.value.clone().unwrap().value else {
            panic!("the name of the service is no text");
        };
        let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let spans = spans.map(|span| Seen {
            service: service.clone(),
            span,
        });
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
    }
    Response::default()
}
